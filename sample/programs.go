package sample

import (
	"strconv"
	"strings"

	"lockstep/schema"
)

// program is something that runs: where it lies, who made it, what it is
// usually told, and what starts it.
type program struct {
	file, folder         string // folder without the file, Windows form
	company, about       string
	original             string
	version              string
	commands             [][]part
	parent               *program
	weight               int
	place                place
	elevated             bool
	sha1, sha256, md5    string
	size                 int64
	asSelf, asInitiating string // prepared fields
}

// place is where a program runs.
type place uint8

const (
	anywhere place = iota
	desk           // where somebody sits
	server
)

// part is a piece of a command line: text, or what stands for it.
type part struct {
	text string // already fit to stand inside a JSON string
	what byte   // u account, n number, g GUID, d document, x hex; 0 = text
}

// process is one run of a program on a device.
type process struct {
	device        *device
	program       *program
	parent        *program
	who           *person
	parentCommand string // of the initiating process; "" = its usual one
	command       string // "" = one of the program's usual ones, chosen by dice
	dice          dice
	id, parentID  int64
	created       schema.Ticks
	parentCreated schema.Ticks
	report        int64
}

// newProgram prepares a program's fields. Its hashes follow from its name and
// version, so that the same file has the same hash everywhere.
func newProgram(spec programSpec, parent *program) *program {
	d := roll(label(spec.path+spec.version), "program", 0)
	cut := strings.LastIndexByte(spec.path, '\\')
	p := &program{file: spec.path[cut+1:], folder: spec.path[:cut], company: spec.company, about: spec.about, version: spec.version,
		original: spec.path[cut+1:], parent: parent, weight: spec.weight, place: spec.place, elevated: spec.elevated,
		sha1: d.hexes(20), sha256: d.hexes(32), md5: d.hexes(16), size: int64(20_000 + d.below(2_000_000))}
	for _, c := range spec.commands {
		p.commands = append(p.commands, parts(c))
	}
	var l line
	l.text("FileName", p.file)
	l.text("FolderPath", spec.path)
	l.text("SHA1", p.sha1)
	l.text("SHA256", p.sha256)
	l.text("MD5", p.md5)
	l.long("FileSize", p.size)
	p.versionInfo(&l, "Process")
	p.asSelf = string(l.b)
	l.b = nil
	l.text("InitiatingProcessFileName", strings.ToLower(p.file))
	l.text("InitiatingProcessFolderPath", strings.ToLower(spec.path))
	l.text("InitiatingProcessSHA1", p.sha1)
	l.text("InitiatingProcessSHA256", p.sha256)
	l.text("InitiatingProcessMD5", p.md5)
	l.long("InitiatingProcessFileSize", p.size)
	p.versionInfo(&l, "InitiatingProcess")
	p.asInitiating = string(l.b)
	return p
}

func (p *program) versionInfo(l *line, prefix string) {
	if p.company == "" {
		return
	}
	l.text(prefix+"VersionInfoCompanyName", p.company)
	l.text(prefix+"VersionInfoProductName", p.about)
	l.text(prefix+"VersionInfoProductVersion", p.version)
	l.text(prefix+"VersionInfoInternalFileName", strings.TrimSuffix(p.original, ".exe"))
	l.text(prefix+"VersionInfoOriginalFileName", p.original)
	l.text(prefix+"VersionInfoFileDescription", p.about)
}

func (p *program) path() string { return p.folder + `\` + p.file }

// parts cuts a command pattern such as "tool.exe /id {g}" into its pieces.
func parts(pattern string) (out []part) {
	escaped := quote(pattern)
	escaped = escaped[1 : len(escaped)-1]
	for {
		i := strings.IndexByte(escaped, '{')
		if i < 0 || i+2 >= len(escaped) || escaped[i+2] != '}' {
			return append(out, part{text: escaped})
		}
		out = append(out, part{text: escaped[:i]}, part{what: escaped[i+1]})
		escaped = escaped[i+3:]
	}
}

// documents are the files that people work on.
var documents = []string{"Q3 forecast", "Lens coating spec", "Audit plan", "Meeting notes", "Price list", "Supplier review", "Shift plan",
	"Offer 2210", "Visit report", "Test protocol", "Roadmap", "Training record", "Invoice batch", "Travel costs", "Onboarding"}

// appendCommand writes a program's command line, fit for a JSON string.
func (p *program) appendCommand(b []byte, who *person, d dice) []byte {
	for _, piece := range p.commands[d.below(len(p.commands))] {
		switch piece.what {
		case 0:
			b = append(b, piece.text...)
		case 'u':
			b = append(b, who.account...)
		case 'n':
			b = strconv.AppendInt(b, int64(d.below(30000)), 10)
		case 'g':
			b = appendGUID(b, d.next(), d.next())
		case 'd':
			b = append(b, pick(&d, documents)...)
		case 'x':
			b = d.appendHex(b, 6)
		}
	}
	return b
}

// line gives the process's command line as plain text.
func (p *process) line() string {
	if p.command != "" {
		return p.command
	}
	text := string(p.program.appendCommand(nil, p.who, p.dice))
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text)
}

// programSpec is one line of the table of programs.
type programSpec struct {
	path, company, about, version string
	parent                        string // file name of the program that starts it
	weight                        int    // how often, among all
	place                         place
	elevated                      bool
	commands                      []string
}

const (
	ms  = "Microsoft Corporation"
	sys = `C:\Windows\System32`
)

// programSpecs are the programs of ordinary days. Command patterns: {u}
// account, {n} number, {g} GUID, {d} document, {x} hex.
var programSpecs = []programSpec{
	{sys + `\services.exe`, ms, "Services and Controller app", "10.0.22621.3672", "", 0, anywhere, true, []string{"services.exe"}},
	{sys + `\svchost.exe`, ms, "Host Process for Windows Services", "10.0.22621.3672", "services.exe", 150, anywhere, true,
		[]string{"svchost.exe -k netsvcs -p -s wlidsvc", "svchost.exe -k LocalService -p", "svchost.exe -k wusvcs -p -s WaaSMedicSvc", "svchost.exe -k netsvcs -p -s BITS"}},
	{`C:\Windows\explorer.exe`, ms, "Windows Explorer", "10.0.22621.3672", "", 14, desk, false, []string{`C:\Windows\Explorer.EXE`}},
	{sys + `\taskhostw.exe`, ms, "Host Process for Windows Tasks", "10.0.22621.3672", "svchost.exe", 55, anywhere, false, []string{"taskhostw.exe", "taskhostw.exe Install $(Arg0)"}},
	{sys + `\backgroundTaskHost.exe`, ms, "Background Task Host", "10.0.22621.3672", "svchost.exe", 60, desk, false, []string{`"BackgroundTaskHost.exe" -ServerName:App.AppX{x}.mca`}},
	{sys + `\conhost.exe`, ms, "Console Window Host", "10.0.22621.3672", "cmd.exe", 80, anywhere, false, []string{"conhost.exe 0xffffffff -ForceV1"}},
	{sys + `\cmd.exe`, ms, "Windows Command Processor", "10.0.22621.3672", "explorer.exe", 34, anywhere, false,
		[]string{`cmd.exe /c "C:\ProgramData\Tarnbeck\inventory.cmd"`, `"cmd.exe" /c ver`, `cmd.exe /d /c "net use Z: \\tbk-file-01\plant"`, `cmd.exe /c logon.cmd {u}`}},
	{sys + `\WindowsPowerShell\v1.0\powershell.exe`, ms, "Windows PowerShell", "10.0.22621.3672", "svchost.exe", 30, anywhere, true,
		[]string{`powershell.exe -NoProfile -File C:\ProgramData\Tarnbeck\Collect-Inventory.ps1`, `powershell.exe -ExecutionPolicy AllSigned -NonInteractive -File "C:\Program Files\Tarnbeck\Health.ps1" -Id {g}`,
			`"powershell.exe" Get-ADUser -Filter * -SearchBase "OU=Plant,DC=corp,DC=tarnbeck,DC=example"`}},
	{`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, ms, "Microsoft Edge", "126.0.2592.81", "explorer.exe", 130, desk, false,
		[]string{`"msedge.exe" --type=renderer --lang=en-GB --renderer-client-id={n} /prefetch:1`, `"msedge.exe" --type=utility --utility-sub-type=network.mojom.NetworkService`, `"msedge.exe" --single-argument https://portal.tarnbeck.example/`}},
	{`C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`, ms, "Microsoft Word", "16.0.17628.20144", "explorer.exe", 24, desk, false, []string{`"WINWORD.EXE" /n "C:\Users\{u}\Documents\{d}.docx" /o ""`}},
	{`C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE`, ms, "Microsoft Excel", "16.0.17628.20144", "explorer.exe", 26, desk, false, []string{`"EXCEL.EXE" "C:\Users\{u}\Documents\{d}.xlsx"`}},
	{`C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE`, ms, "Microsoft Outlook", "16.0.17628.20144", "explorer.exe", 18, desk, false, []string{`"OUTLOOK.EXE"`, `"OUTLOOK.EXE" /recycle`}},
	{`C:\Program Files\WindowsApps\MSTeams\ms-teams.exe`, ms, "Microsoft Teams", "24152.412.2958.916", "explorer.exe", 30, desk, false, []string{`"ms-teams.exe" --background`, `"ms-teams.exe" msteams:system-initiated`}},
	{`C:\Program Files\Microsoft OneDrive\OneDrive.exe`, ms, "Microsoft OneDrive", "24.116.0609.0004", "explorer.exe", 14, desk, false, []string{`"OneDrive.exe" /background`}},
	{`C:\Program Files\Windows Defender\MpCmdRun.exe`, ms, "Microsoft Malware Protection Command Line Utility", "4.18.24050.7", "svchost.exe", 28, anywhere, true, []string{`"MpCmdRun.exe" SignatureUpdate -ScheduleJob -RestrictPrivileges`, `"MpCmdRun.exe" Scan -ScheduleJob -ScanTrigger 55 -IdleScheduledJob`}},
	{`C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24050.7-0\MsMpEng.exe`, ms, "Antimalware Service Executable", "4.18.24050.7", "services.exe", 8, anywhere, true, []string{`"MsMpEng.exe"`}},
	{sys + `\wbem\WmiPrvSE.exe`, ms, "WMI Provider Host", "10.0.22621.3672", "svchost.exe", 48, anywhere, true, []string{"wmiprvse.exe -secured -Embedding", "wmiprvse.exe -Embedding"}},
	{sys + `\dllhost.exe`, ms, "COM Surrogate", "10.0.22621.3672", "svchost.exe", 40, anywhere, false, []string{`DllHost.exe /Processid:{g}`}},
	{sys + `\SearchProtocolHost.exe`, ms, "Microsoft Windows Search Protocol Host", "7.0.22621.3672", "svchost.exe", 36, desk, true, []string{`"SearchProtocolHost.exe" Global\UsGthrFltPipeMssGthrPipe{n}_ Global\UsGthrCtrlFltPipe{n}`}},
	{sys + `\gpupdate.exe`, ms, "Microsoft Group Policy Update Utility", "10.0.22621.1", "svchost.exe", 10, anywhere, true, []string{"gpupdate.exe /target:computer", "gpupdate.exe /target:user"}},
	{sys + `\schtasks.exe`, ms, "Task Scheduler Configuration Tool", "10.0.22621.1", "cmd.exe", 8, anywhere, true, []string{`schtasks.exe /query /tn "\Tarnbeck\Inventory"`, `schtasks.exe /run /tn "\Tarnbeck\Backup {n}"`}},
	{sys + `\net.exe`, ms, "Net Command", "10.0.22621.1", "cmd.exe", 7, anywhere, false, []string{"net use", `net use P: \\tbk-file-02\projects`, "net time /domain"}},
	{sys + `\whoami.exe`, ms, "whoami - displays logged on user information", "10.0.22621.1", "powershell.exe", 3, anywhere, false, []string{"whoami.exe /groups"}},
	{sys + `\rundll32.exe`, ms, "Windows host process (Rundll32)", "10.0.22621.1", "explorer.exe", 18, anywhere, false, []string{`rundll32.exe C:\Windows\System32\shell32.dll,Control_RunDLL`, `rundll32.exe printui.dll,PrintUIEntry /ga /n\\tbk-print-01\floor{n}`}},
	{sys + `\msiexec.exe`, ms, "Windows installer", "5.0.22621.3235", "services.exe", 8, anywhere, true, []string{`msiexec.exe /V`, `msiexec.exe /i {g} /qn`}},
	{sys + `\WerFault.exe`, ms, "Windows Problem Reporting", "10.0.22621.3672", "svchost.exe", 5, anywhere, false, []string{"WerFault.exe -u -p {n} -s 404"}},
	{sys + `\lsass.exe`, ms, "Local Security Authority Process", "10.0.22621.3672", "", 0, anywhere, true, []string{"lsass.exe"}},
	{sys + `\winlogon.exe`, ms, "Windows Logon Application", "10.0.22621.3672", "", 0, anywhere, true, []string{"winlogon.exe"}},
	{sys + `\mstsc.exe`, ms, "Remote Desktop Connection", "10.0.22621.1", "explorer.exe", 4, desk, false, []string{`"mstsc.exe" /v:tbk-mgmt-01`, `"mstsc.exe" "C:\Users\{u}\Desktop\rds.rdp"`}},
	{`C:\Program Files\Tarnbeck\LensCAD\lenscad.exe`, "Tarnbeck Optics", "LensCAD", "9.2.1", "explorer.exe", 10, desk, false, []string{`"lenscad.exe" "Z:\designs\{d}.lcad"`}},
	{`C:\Program Files\Tarnbeck\Mes\mesagent.exe`, "Tarnbeck Optics", "Manufacturing agent", "3.14.0", "services.exe", 16, anywhere, true, []string{`"mesagent.exe" --line {n} --push`}},
	{`C:\Program Files\Tarnbeck\Backup\tbbackup.exe`, "Tarnbeck Optics", "Backup client", "7.0.4", "services.exe", 12, server, true, []string{`"tbbackup.exe" --job {g} --incremental`}},
	{`C:\Program Files\Microsoft SQL Server\MSSQL15.MES\MSSQL\Binn\sqlservr.exe`, ms, "SQL Server", "15.0.4365.2", "services.exe", 3, server, true, []string{`"sqlservr.exe" -sMES`}},
	{`C:\Windows\ADFS\Microsoft.IdentityServer.ServiceHost.exe`, ms, "AD FS service host", "10.0.20348.1", "services.exe", 1, server, true, []string{`"Microsoft.IdentityServer.ServiceHost.exe"`}},
	{`C:\Program Files\Git\cmd\git.exe`, "The Git Development Community", "Git for Windows", "2.45.2", "cmd.exe", 10, desk, false, []string{"git.exe fetch --all --prune", "git.exe status --porcelain", "git.exe rev-parse {x}"}},
	{`C:\Program Files\7-Zip\7zG.exe`, "Igor Pavlov", "7-Zip GUI", "24.07", "explorer.exe", 3, desk, false, []string{`"7zG.exe" a -tzip "C:\Users\{u}\Documents\{d}.zip"`}},
}

// newPrograms prepares the table, and finds each one's parent.
func newPrograms() map[string]*program {
	all := map[string]*program{}
	for _, s := range programSpecs {
		p := newProgram(s, nil)
		all[p.file] = p
	}
	for _, s := range programSpecs {
		p := all[s.path[strings.LastIndexByte(s.path, '\\')+1:]]
		p.parent = all[s.parent]
		if p.parent == nil {
			p.parent = all["services.exe"]
		}
	}
	return all
}
