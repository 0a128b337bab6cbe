package sample

import (
	"lockstep/schema"
)

// This file writes rows of the Device* tables. Columns and their meaning:
// advanced hunting schema reference; which ones are filled: as recorded.

// initiating writes the process behind an event.
func initiating(l *line, p *process) {
	l.fixed(p.program.asInitiating)
	l.long("InitiatingProcessId", p.id)
	l.name("InitiatingProcessCommandLine")
	command(l, p)
	l.at("InitiatingProcessCreationTime", p.created)
	l.fixed(p.who.asInitiating)
	l.long("InitiatingProcessParentId", p.parentID)
	l.text("InitiatingProcessParentFileName", p.parent.file)
	l.at("InitiatingProcessParentCreationTime", p.parentCreated)
}

// initiatingFully writes it with its integrity, which all tables but
// DeviceEvents have.
func initiatingFully(l *line, p *process) {
	initiating(l, p)
	l.fixed(integrity(p.program, "InitiatingProcess"))
}

// command writes a process's command line as a field's value.
func command(l *line, p *process) {
	if p.command != "" {
		l.quoted(p.command)
		l.b = append(l.b, ',')
		return
	}
	l.b = append(l.b, '"')
	l.b = p.program.appendCommand(l.b, p.who, p.dice)
	l.b = append(l.b, '"', ',')
}

func integrity(p *program, prefix string) string {
	switch {
	case p.elevated && prefix == "":
		return `"ProcessIntegrityLevel":"System","ProcessTokenElevation":"TokenElevationTypeDefault",`
	case p.elevated:
		return `"InitiatingProcessIntegrityLevel":"System","InitiatingProcessTokenElevation":"TokenElevationTypeDefault",`
	case prefix == "":
		return `"ProcessIntegrityLevel":"Medium","ProcessTokenElevation":"TokenElevationTypeLimited",`
	default:
		return `"InitiatingProcessIntegrityLevel":"Medium","InitiatingProcessTokenElevation":"TokenElevationTypeLimited",`
	}
}

func (w *world) processRow(l *line, t schema.Ticks, p *process) {
	l.fixed(p.device.asDevice)
	l.fixed(`"ActionType":"ProcessCreated",`)
	l.fixed(p.program.asSelf)
	l.long("ProcessId", p.id)
	l.name("ProcessCommandLine")
	command(l, p)
	l.fixed(integrity(p.program, ""))
	l.at("ProcessCreationTime", p.created)
	l.fixed(p.who.asAccount)
	l.long("LogonId", logonID(p.who))
	parent := process{device: p.device, program: p.parent, parent: p.parent.parent, who: p.who, command: p.parentCommand,
		id: p.parentID, parentID: p.parentID / 8 * 4, created: p.parentCreated, dice: p.dice}
	if parent.parent == nil {
		parent.parent = w.programs["services.exe"]
	}
	initiatingParent(l, &parent)
	l.fixed(`"InitiatingProcessSignerType":"OsVendor","InitiatingProcessSignatureStatus":"Valid",`)
	l.long("ReportId", p.report)
}

// initiatingParent writes a parent that has no row of its own.
func initiatingParent(l *line, p *process) {
	l.fixed(p.program.asInitiating)
	l.long("InitiatingProcessId", p.id)
	l.name("InitiatingProcessCommandLine")
	command(l, p)
	l.at("InitiatingProcessCreationTime", p.created)
	l.fixed(p.who.asInitiating)
	l.long("InitiatingProcessLogonId", logonID(p.who))
	l.long("InitiatingProcessParentId", p.parentID)
	l.text("InitiatingProcessParentFileName", p.parent.file)
	l.fixed(integrity(p.program, "InitiatingProcess"))
}

// logonID is the session in which an account's processes run: 999 is the
// machine's own.
func logonID(p *person) int64 {
	if p.upn == "" {
		return 999
	}
	return int64(label(p.sid)%900_000_000) + 100_000
}

// connection is a network event.
type connection struct {
	action, remoteIP, url, protocol string
	port, localPort                 int64
}

func (w *world) networkRow(l *line, p *process, c connection, report int64) {
	l.fixed(p.device.asDevice)
	l.text("ActionType", c.action)
	l.text("RemoteIP", c.remoteIP)
	l.long("RemotePort", c.port)
	l.text("RemoteUrl", c.url)
	l.text("LocalIP", p.device.ip)
	l.long("LocalPort", c.localPort)
	l.text("Protocol", c.protocol)
	l.fixed(`"LocalIPType":"Private",`)
	if len(c.remoteIP) > 3 && c.remoteIP[:3] == "10." {
		l.fixed(`"RemoteIPType":"Private",`)
	} else {
		l.fixed(`"RemoteIPType":"Public",`)
	}
	initiatingFully(l, p)
	l.long("ReportId", report)
	l.fixed(`"AdditionalFields":"{}",`)
}

// diskFile is a file on a device.
type diskFile struct {
	name, folder, sha1, sha256, md5 string
	size                            int64
	origin                          string // URL it came from
	oldName, oldFolder              string
}

// newDiskFile makes a file's hashes from what it is.
func newDiskFile(path string, salt string) diskFile {
	d := roll(label(path+salt), "file", 0)
	cut := len(path) - len(file(path)) - 1
	return diskFile{name: file(path), folder: path[:cut], sha1: d.hexes(20), sha256: d.hexes(32), md5: d.hexes(16), size: int64(d.between(900, 900_000))}
}

func (f diskFile) path() string { return f.folder + `\` + f.name }

func (w *world) fileRow(l *line, p *process, action string, f *diskFile, report int64) {
	l.fixed(p.device.asDevice)
	l.text("ActionType", action)
	l.text("FileName", f.name)
	l.name("FolderPath")
	l.quoted(f.path())
	l.b = append(l.b, ',')
	l.text("SHA1", f.sha1)
	l.text("SHA256", f.sha256)
	l.text("MD5", f.md5)
	l.long("FileSize", f.size)
	l.text("FileOriginUrl", f.origin)
	l.text("PreviousFileName", f.oldName)
	l.text("PreviousFolderPath", f.oldFolder)
	initiatingFully(l, p)
	l.text("RequestAccountName", p.who.account)
	l.text("RequestAccountDomain", p.who.domain)
	l.text("RequestAccountSid", p.who.sid)
	l.fixed(`"RequestProtocol":"Local",`)
	l.long("ReportId", report)
}

func (w *world) registryRow(l *line, p *process, action, key, kind, name, data string, report int64) {
	l.fixed(p.device.asDevice)
	l.text("ActionType", action)
	l.text("RegistryKey", key)
	l.text("RegistryValueType", kind)
	l.text("RegistryValueName", name)
	l.text("RegistryValueData", data)
	initiatingFully(l, p)
	l.long("ReportId", report)
}

func (w *world) imageRow(l *line, p *process, f *diskFile, report int64) {
	l.fixed(p.device.asDevice)
	l.fixed(`"ActionType":"ImageLoaded",`)
	l.text("FileName", f.name)
	l.text("FolderPath", f.path())
	l.text("SHA1", f.sha1)
	l.text("SHA256", f.sha256)
	l.text("MD5", f.md5)
	l.long("FileSize", f.size)
	initiatingFully(l, p)
	l.long("ReportId", report)
}

// logon is a logon at a device.
type logon struct {
	action, kind, protocol, failure string
	who                             *person
	from                            *device // nil = from outside or the machine itself
	fromIP                          string
	admin                           bool
}

func (w *world) logonRow(l *line, t schema.Ticks, at *device, g logon, report int64) {
	l.fixed(at.asDevice)
	l.text("ActionType", g.action)
	l.text("LogonType", g.kind)
	l.fixed(g.who.asThree)
	l.text("Protocol", g.protocol)
	l.text("FailureReason", g.failure)
	if g.action == "LogonSuccess" {
		l.flag("IsLocalAdmin", g.admin)
		l.long("LogonId", logonID(g.who)+report%977)
	}
	if g.from != nil {
		l.text("RemoteDeviceName", g.from.host)
		l.text("RemoteIP", g.from.ip)
		l.fixed(`"RemoteIPType":"Private",`)
	} else if g.fromIP != "" {
		l.text("RemoteIP", g.fromIP)
		l.fixed(`"RemoteIPType":"Public",`)
	}
	p := process{program: w.programs["lsass.exe"], parent: w.programs["winlogon.exe"], who: w.company.system, device: at, id: 812, parentID: 700,
		created: t - t%schema.Day, parentCreated: t - t%schema.Day}
	initiatingFully(l, &p)
	l.long("ReportId", report)
	l.fixed(`"AdditionalFields":"{}",`)
}

func (w *world) deviceEventRow(l *line, p *process, action, fields, extra string, report int64) {
	l.fixed(p.device.asDevice)
	l.text("ActionType", action)
	l.fixed(fields)
	initiating(l, p)
	l.text("AdditionalFields", extra)
	l.long("ReportId", report)
}

func (w *world) deviceInfoRow(l *line, t schema.Ticks, d *device, i int64) {
	l.fixed(d.asDevice)
	l.fixed(`"ClientVersion":"10.8760.22621.3672","PublicIP":"` + officeIP + `","OSArchitecture":"64-bit",`)
	l.text("OSPlatform", d.platform)
	if d.build > 0 {
		l.long("OSBuild", d.build)
	}
	l.text("OSVersion", "10.0")
	l.text("OSVersionInfo", d.version)
	l.flag("IsAzureADJoined", d.windows() && !d.server)
	l.text("JoinType", map[bool]string{true: "Hybrid Azure AD Join", false: ""}[d.windows() && !d.server])
	l.text("AadDeviceId", d.aadID)
	if d.owner != nil {
		l.name("LoggedOnUsers")
		l.quoted(`[{"UserName":"` + d.owner.account + `","DomainName":"` + ntDomain + `","Sid":"` + d.owner.sid + `"}]`)
		l.b = append(l.b, ',')
	} else {
		l.fixed(`"LoggedOnUsers":"[]",`)
	}
	kind := "Workstation"
	if d.server {
		kind = "Server"
	}
	l.fixed(`"OnboardingStatus":"Onboarded","SensorHealthState":"Active","DeviceCategory":"Endpoint","IsInternetFacing":false,"IsExcluded":false,`)
	l.text("DeviceType", kind)
	l.text("OSDistribution", d.platform)
	l.text("ExposureLevel", [...]string{"Low", "Low", "Medium", "High"}[label(d.id)%4])
	l.long("ReportId", int64(t/schema.Microsecond)&^0xff+i&0xff)
}

func (w *world) networkInfoRow(l *line, t schema.Ticks, d *device, i int64) {
	l.fixed(d.asDevice)
	l.text("NetworkAdapterName", "{"+d.aadID+"}")
	l.text("MacAddress", d.mac)
	l.fixed(`"NetworkAdapterType":"Ethernet","NetworkAdapterStatus":"Up","TunnelType":"None","NetworkAdapterVendor":"Tarnbeck",`)
	l.fixed(`"ConnectedNetworks":"[{\"Name\":\"corp.tarnbeck.example\",\"Category\":\"DomainAuthenticated\",\"IsConnectedToInternet\":true}]","DnsAddresses":"[\"10.40.1.10\",\"10.40.1.11\"]",`)
	l.fixed(`"IPv4Dhcp":"10.40.1.10","DefaultGateways":"[\"10.40.1.1\"]",`)
	l.name("IPAddresses")
	l.quoted(`[{"IPAddress":"` + d.ip + `","SubnetPrefix":16,"AddressType":"Private"}]`)
	l.b = append(l.b, ',')
	l.fixed(`"OnboardingStatus":"Onboarded",`)
	l.long("ReportId", int64(t/schema.Microsecond)&^0xff+i&0xff)
}

func (w *world) certificateRow(l *line, t schema.Ticks, d *device, p *program, report int64) {
	l.fixed(d.asDevice)
	l.text("SHA1", p.sha1)
	own := p.company == companyName
	l.fixed(`"IsSigned":true,"SignatureType":"Embedded",`)
	l.text("Signer", p.company)
	s := roll(label(p.company), "signer", 0)
	l.text("SignerHash", s.hexes(20))
	l.text("Issuer", map[bool]string{true: "Tarnbeck Issuing CA 2", false: "Sample Code Signing PCA"}[own])
	l.text("IssuerHash", s.hexes(20))
	l.text("CertificateSerialNumber", s.hexes(16))
	l.text("CrlDistributionPointUrls", `["http://crl.tarnbeck.example/codesign.crl"]`)
	year := 365 * schema.Day
	l.at("CertificateCreationTime", t-t%year)
	l.at("CertificateExpirationTime", t-t%year+3*year)
	l.flag("IsTrusted", true)
	l.flag("IsRootSignerMicrosoft", p.company == ms)
	l.long("ReportId", report)
}

// file is the last part of a Windows path.
func file(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '\\' {
			return path[i+1:]
		}
	}
	return path
}
