package sample

import (
	"strconv"

	"lockstep/schema"
)

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// writers say how row i of each table's ordinary part is made. A row depends
// on the seed and on i alone.
var writers = map[string]func(w *world, l *line, i int64, t schema.Ticks, d dice){
	"DeviceProcessEvents": func(w *world, l *line, i int64, t schema.Ticks, _ dice) {
		p := w.processFrom(start(w.seed, w.processLabel, i), i, t)
		w.processRow(l, t, &p)
	},
	"DeviceNetworkEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := w.behind("DeviceNetworkEvents", i, &d)
		w.networkRow(l, &p, ordinaryConnection(w, &d), 1+i%1_000_000)
	},
	"DeviceFileEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := w.behind("DeviceFileEvents", i, &d)
		f := newDiskFile(ordinaryPath(p.who, &d), "")
		action := pick(&d, fileActions)
		if action == "FileRenamed" {
			f.oldName, f.oldFolder = "~"+f.name, f.folder
		}
		w.fileRow(l, &p, action, &f, 1+i%1_000_000)
	},
	"DeviceRegistryEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := w.behind("DeviceRegistryEvents", i, &d)
		v := pick(&d, registryValues)
		w.registryRow(l, &p, v.action, v.key, v.kind, v.name, strconv.Itoa(d.below(100_000)), 1+i%1_000_000)
	},
	"DeviceImageLoadEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := w.behind("DeviceImageLoadEvents", i, &d)
		f := newDiskFile(pick(&d, libraries), "library")
		w.imageRow(l, &p, &f, 1+i%1_000_000)
	},
	"DeviceEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := w.behind("DeviceEvents", i, &d)
		e := pick(&d, deviceEvents)
		w.deviceEventRow(l, &p, e.action, "", e.extra, 1+i%1_000_000)
	},
	"DeviceLogonEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		at, g := ordinaryLogon(w, &d)
		w.logonRow(l, t, at, g, 1+i%1_000_000)
	},
	"DeviceInfo": func(w *world, l *line, i int64, t schema.Ticks, _ dice) {
		w.deviceInfoRow(l, t, w.company.devices[i%deviceCount], i)
	},
	"DeviceNetworkInfo": func(w *world, l *line, i int64, t schema.Ticks, _ dice) {
		w.networkInfoRow(l, t, w.company.devices[(i*7)%deviceCount], i)
	},
	"DeviceFileCertificateInfo": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		w.certificateRow(l, t, pick(&d, w.desks), w.choices[i%2][d.below(len(w.choices[i%2]))], 1+i%1_000_000)
	},
	"EmailEvents": func(w *world, l *line, i int64, _ schema.Ticks, _ dice) {
		m := w.mailAt(i)
		w.mailRow(l, &m)
	},
	"EmailUrlInfo": func(w *world, l *line, i int64, _ schema.Ticks, _ dice) {
		j := w.grids["EmailUrlInfo"].under(i, w.grids["EmailEvents"])
		m := w.mailAt(j)
		w.urlRow(l, &m, i%max(m.urls, 1))
	},
	"EmailAttachmentInfo": func(w *world, l *line, i int64, _ schema.Ticks, _ dice) {
		m := w.mailAt(w.grids["EmailAttachmentInfo"].under(i, w.grids["EmailEvents"]))
		w.attachmentRow(l, &m)
	},
	"EmailPostDeliveryEvents": func(w *world, l *line, i int64, _ schema.Ticks, d dice) {
		m := w.mailAt(w.grids["EmailPostDeliveryEvents"].under(i, w.grids["EmailEvents"]))
		w.postDeliveryRow(l, &m, pick(&d, []string{"Spam ZAP", "Spam ZAP", "Phish ZAP"}))
	},
	"UrlClickEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		m := w.mailAt(w.grids["UrlClickEvents"].under(i, w.grids["EmailEvents"]))
		url, _ := m.link(0)
		action, through := "ClickAllowed", false
		if m.threat == "Phish" {
			action = "ClickBlocked"
		}
		w.clickRow(l, &m, m.to, url, m.to.seenFrom(t), action, through)
	},
	"IdentityLogonEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := pick(&d, w.company.people)
		x, y := d.next(), d.next()
		switch {
		case d.chance(560):
			w.identityLogonRow(l, "LogonSuccess", "Active Directory", "Resource access", "Kerberos", "", p, site{}, p.device, w.company.servers[d.below(2)], x, y)
		case d.chance(60):
			w.identityLogonRow(l, "LogonFailed", "Active Directory", "Credentials validation", "Ntlm", "WrongPassword", p, site{}, p.device, w.company.servers[d.below(2)], x, y)
		default:
			w.identityLogonRow(l, "LogonSuccess", pick(&d, applications).name, "Login:login", "", "", p, siteOf(p, t), nil, nil, x, y)
		}
	},
	"IdentityQueryEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		from, to := pick(&d, w.desks), w.company.servers[d.below(2)]
		x, y := d.next(), d.next()
		switch {
		case d.chance(800):
			w.identityQueryRow(l, "DNS query", pick(&d, []string{"Srv", "A", "Aaaa"}), pick(&d, partners).domain, "", nil, from, to, x, y)
		case d.chance(600):
			w.identityQueryRow(l, "LDAP query", "AllUsers", "corp.tarnbeck.example", "(&(objectCategory=person)(mail=*))", from.owner, from, to, x, y)
		default:
			w.identityQueryRow(l, "SAMR query", "QueryUser", from.owner.name, "", from.owner, from, to, x, y)
		}
	},
	"IdentityDirectoryEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := pick(&d, w.company.people)
		w.directoryRow(l, pick(&d, directoryActions), w.company.byRole["help desk"], p, nil, `{"TARGET_OBJECT.USER":"`+p.account+`"}`, d.next(), d.next())
	},
	"CloudAppEvents": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := pick(&d, w.company.people)
		a := pick(&d, cloudActions)
		w.cloudAppRow(l, a.action, p, applications[a.app], siteOf(p, t), pick(&d, documents)+".docx", "", false, d.next(), d.next())
	},
	"SigninLogs": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		w.signinRow(l, t, ordinarySignin(w, t, &d))
	},
	"AuditLogs": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p, by := pick(&d, w.company.people), w.company.byRole["help desk"]
		a := pick(&d, auditActions)
		w.auditRow(l, t, audit{operation: a[0], category: a[1], service: "Core Directory", by: by, ip: by.seenFrom(t),
			target: p.upn, targetType: "User", targetID: p.objectID, x: d.next(), y: d.next()})
	},
	"OfficeActivity": func(w *world, l *line, i int64, t schema.Ticks, d dice) {
		p := pick(&d, w.company.people)
		a := pick(&d, officeActions)
		name := pick(&d, documents) + ".docx"
		fields := ""
		if a.workload != "Exchange" {
			fields = `"SourceFileName":` + quote(name) + `,"SourceFileExtension":"docx","Site_Url":"https://files.tarnbeck.example/sites/` + p.department + `/",`
		} else {
			fields = `"MailboxOwnerUPN":"` + p.upn + `","ClientInfoString":"Client=OWA;Action=ViaProxy",`
		}
		w.officeRow(l, t, office{operation: a.operation, record: a.record, workload: a.workload, who: p, ip: p.seenFrom(t), object: name, fields: fields, x: d.next(), y: d.next()})
	},
	"IdentityInfo": func(w *world, l *line, i int64, _ schema.Ticks, _ dice) {
		w.identityInfoRow(l, w.company.people[i%personCount])
	},
}

// behind gives the process that initiated row i of a device table: one that
// started a little earlier, in the same hour if there is one.
func (w *world) behind(table string, i int64, d *dice) process {
	g := w.grids[table].under(i, w.grids["DeviceProcessEvents"])
	return w.processAt(max(0, g-1-int64(d.below(40))))
}

var fileActions = []string{"FileCreated", "FileCreated", "FileCreated", "FileModified", "FileModified", "FileRenamed", "FileDeleted"}

func ordinaryPath(who *person, d *dice) string {
	account := who.account
	switch d.below(4) {
	case 0:
		return `C:\Users\` + account + `\Documents\` + pick(d, documents) + pick(d, []string{".docx", ".xlsx", ".pdf"})
	case 1:
		return `C:\Users\` + account + `\AppData\Local\Temp\` + d.hexes(4) + ".tmp"
	case 2:
		return `C:\ProgramData\Tarnbeck\cache\` + d.hexes(3) + ".dat"
	default:
		return `C:\Windows\Prefetch\` + pick(d, programSpecs).about + "-" + d.hexes(4) + ".pf"
	}
}

func ordinaryConnection(w *world, d *dice) connection {
	c := connection{action: "ConnectionSuccess", protocol: "TcpV4", localPort: int64(49152 + d.below(16000)), port: 443}
	switch k := d.below(100); {
	case k < 45:
		to := pick(d, partners)
		c.remoteIP, c.url = to.ip, "www."+to.domain
	case k < 62:
		c.remoteIP, c.url = outside(d), pick(d, []string{"update.cloudnotices.example", "cdn.lightpath-weekly.example", "telemetry.cloudnotices.example"})
	case k < 92:
		s := pick(d, w.company.servers)
		c.remoteIP, c.url, c.port = s.ip, s.name, pick(d, []int64{445, 389, 88, 443, 1433})
	case k < 97:
		c.action, c.remoteIP = "ConnectionFailed", outside(d)
	default:
		c.action, c.remoteIP, c.port = "InboundConnectionAccepted", pick(d, w.desks).ip, 135
	}
	return c
}

func ordinaryLogon(w *world, d *dice) (*device, logon) {
	switch k := d.below(100); {
	case k < 40:
		at := pick(d, w.desks)
		return at, logon{action: "LogonSuccess", kind: pick(d, []string{"Interactive", "CachedInteractive", "Unlock"}), protocol: "Negotiate", who: at.owner}
	case k < 78:
		from := pick(d, w.desks)
		return pick(d, w.servers), logon{action: "LogonSuccess", kind: "Network", protocol: "Kerberos", who: from.owner, from: from}
	case k < 90:
		return pick(d, w.servers), logon{action: "LogonSuccess", kind: "Service", protocol: "Negotiate", who: pick(d, w.company.services), admin: true}
	case k < 94:
		at := pick(d, w.desks)
		return at, logon{action: "LogonFailed", kind: "Interactive", protocol: "Negotiate", failure: "InvalidUserNameOrPassword", who: at.owner}
	default:
		at := pick(d, w.desks)
		return at, logon{action: "LogonAttempted", kind: "Unknown", who: at.owner}
	}
}

func ordinarySignin(w *world, t schema.Ticks, d *dice) signin {
	p := pick(d, w.company.people)
	s := signin{who: p, app: pick(d, applications), site: siteOf(p, t), client: "Browser", mfa: d.chance(700), managed: d.chance(800),
		id: [2]uint64{d.next(), d.next()}, corr: [2]uint64{d.next(), d.next()}}
	switch k := d.below(1000); {
	case k < 45:
		s.code, s.reason = 50126, "Invalid username or password."
	case k < 62:
		s.code, s.reason = 50074, "Strong authentication is required."
	case k < 70:
		s.code, s.reason = 50053, "The account is locked after too many attempts."
	case k < 76:
		s.code, s.reason = 53003, "Blocked by a conditional access policy."
	case k < 130:
		s.client = "Mobile Apps and Desktop clients"
	}
	return s
}

var (
	registryValues = []struct{ action, key, kind, name string }{
		{"RegistryValueSet", `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Diagnostics\Performance`, "Dword", "LastRun"},
		{"RegistryValueSet", `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\W32Time\Config`, "Dword", "MaxPollInterval"},
		{"RegistryValueSet", `HKEY_CURRENT_USER\SOFTWARE\Microsoft\Office\16.0\Common\Identity`, "String", "Generation"},
		{"RegistryKeyCreated", `HKEY_LOCAL_MACHINE\SOFTWARE\Tarnbeck\Inventory`, "", ""},
		{"RegistryValueDeleted", `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce`, "String", "Update"},
		{"RegistryKeyDeleted", `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\bam\State\UserSettings`, "", ""},
	}
	libraries = []string{`C:\Windows\System32\amsi.dll`, `C:\Windows\System32\clr.dll`, `C:\Windows\System32\winhttp.dll`, `C:\Windows\System32\taskschd.dll`,
		`C:\Windows\System32\samlib.dll`, `C:\Program Files\Tarnbeck\LensCAD\render.dll`, `C:\Windows\System32\wbem\wmiutils.dll`, `C:\Windows\System32\vaultcli.dll`}
	deviceEvents = []struct{ action, extra string }{
		{"NamedPipeEvent", `{"PipeName":"\\Device\\NamedPipe\\srvsvc","FileOperation":"File opened"}`}, {"LdapSearch", `{"ScopeOfSearch":"SubTree","SearchFilter":"(objectClass=computer)","AttributeList":["name"]}`},
		{"PowerShellCommand", `{"Command":"Get-Service"}`}, {"DpapiAccessed", `{"OperationType":"SPCryptUnprotect"}`}, {"ScheduledTaskUpdated", `{"TaskName":"\\Tarnbeck\\Inventory"}`},
		{"ScheduledTaskCreated", `{"TaskName":"\\Tarnbeck\\Report"}`}, {"AntivirusScanCompleted", `{"ScanTypeIndex":"Quick"}`}, {"GetClipboardData", `{}`},
		{"ProcessCreatedUsingWmiQuery", `{"IsWmiQueryRemote":false}`}, {"UsbDriveMounted", `{"DriveLetter":"E:","BusType":"Usb"}`}, {"ServiceInstalled", `{"ServiceName":"TarnbeckHealth","ServiceStartType":2}`},
	}
	directoryActions = []string{"Account Password changed", "Group Membership changed", "Account Disabled changed", "Security Principal created", "Device Operating System changed"}
	cloudActions     = []struct {
		action string
		app    int
	}{{"MailItemsAccessed", 0}, {"FileAccessed", 1}, {"FileModified", 1}, {"FileDownloaded", 2}, {"FileUploaded", 2}, {"MessageSent", 3}, {"TeamsSessionStarted", 3}, {"SharingSet", 1}, {"Send", 0}, {"Update user.", 5}}
	auditActions = [][2]string{{"Update user", "UserManagement"}, {"Reset user password", "UserManagement"}, {"Add member to group", "GroupManagement"},
		{"Update device", "Device"}, {"User registered security info", "UserManagement"}, {"Add user", "UserManagement"}, {"Disable account", "UserManagement"}}
	officeActions = []struct{ operation, record, workload string }{
		{"MailItemsAccessed", "ExchangeItemAggregated", "Exchange"}, {"Send", "ExchangeItem", "Exchange"}, {"FileAccessed", "SharePointFileOperation", "SharePoint"},
		{"FileModified", "SharePointFileOperation", "SharePoint"}, {"FileDownloaded", "SharePointFileOperation", "OneDrive"}, {"FileUploaded", "SharePointFileOperation", "OneDrive"},
		{"MoveToDeletedItems", "ExchangeItem", "Exchange"}, {"UserLoggedIn", "AzureActiveDirectoryStsLogon", "AzureActiveDirectory"}, {"MessageSent", "MicrosoftTeams", "MicrosoftTeams"},
	}
)
