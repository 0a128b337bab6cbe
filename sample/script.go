package sample

import (
	"bytes"

	"lockstep/schema"
	"lockstep/source"
)

// script writes what happens by design rather than by chance: the rows of an
// attack or of a nuisance, and the alerts that products raise about it.
type script struct {
	w       *world
	span    schema.Ticks // of the whole sample
	begin   schema.Ticks
	l       line
	records []source.Record
	truth   Truth
	story   *Story
	tools   map[string]*program
	turn    int  // alerts so far: deals them out over the shapes
	dice    dice // of the story at hand
	reports int64
}

// moment is a share of the sample moved to a time of day, on a working day if
// there is one before it.
func (s *script) moment(share float64, hour, minute int) schema.Ticks {
	t := s.begin + schema.Ticks(float64(s.span)*share)
	t = t - t%schema.Day + schema.Ticks(hour)*schema.Hour + schema.Ticks(minute)*schema.Minute
	for day := t; day > s.begin+schema.Hour; day -= schema.Day {
		if day/schema.Day%7 < 5 {
			return day
		}
	}
	return t
}

// put adds a row of a table.
func (s *script) put(name string, t schema.Ticks, write func(l *line)) {
	table := s.w.tables[name]
	kind := source.Row
	if table.event {
		kind = source.Event
		s.l.event(table, t)
	} else {
		s.l.row(table, t)
	}
	write(&s.l)
	s.records = append(s.records, source.Record{Kind: kind, Table: name, Time: t, Body: bytes.Clone(s.l.end(table))})
}

// report numbers the rows of scripts, apart from those of ordinary days.
func (s *script) report() int64 { s.reports++; return 2_000_000 + s.reports }

// tool is a program that isn't one of ordinary days.
func (s *script) tool(path, company, about string) *program {
	if known, ok := s.w.programs[file(path)]; ok {
		return known
	}
	if s.tools[path] == nil {
		s.tools[path] = newProgram(programSpec{path: path, company: company, about: about, version: "1.0"}, nil)
		s.tools[path].parent = s.w.programs["explorer.exe"]
	}
	return s.tools[path]
}

// run starts a program and gives its process, which has a row of its own.
func (s *script) run(t schema.Ticks, at *device, who *person, by *process, g *program, command string) *process {
	p := &process{device: at, program: g, parent: g.parent, who: who, command: command, dice: s.dice, id: int64(4 * s.dice.between(500, 7000)), created: t, report: s.report(),
		parentID: int64(4 * s.dice.between(200, 400)), parentCreated: t - 3*schema.Hour - 7*schema.Second}
	if by != nil {
		p.parent, p.parentID, p.parentCreated, p.parentCommand = by.program, by.id, by.created, by.line()
	}
	if p.parent == nil {
		p.parent = s.w.programs["services.exe"]
	}
	s.put("DeviceProcessEvents", t, func(l *line) { s.w.processRow(l, t, p) })
	return p
}

func (s *script) connect(t schema.Ticks, p *process, ip, url string, port int64) {
	s.put("DeviceNetworkEvents", t, func(l *line) {
		s.w.networkRow(l, p, connection{action: "ConnectionSuccess", remoteIP: ip, url: url, protocol: "TcpV4", port: port, localPort: int64(50000 + s.reports%9000)}, s.report())
	})
}

func (s *script) write(t schema.Ticks, p *process, action string, f *diskFile) {
	s.put("DeviceFileEvents", t, func(l *line) { s.w.fileRow(l, p, action, f, s.report()) })
}

func (s *script) deviceEvent(t schema.Ticks, p *process, action, extra string) {
	s.put("DeviceEvents", t, func(l *line) { s.w.deviceEventRow(l, p, action, "", extra, s.report()) })
}

func (s *script) logon(t schema.Ticks, at *device, g logon) {
	s.put("DeviceLogonEvents", t, func(l *line) { s.w.logonRow(l, t, at, g, s.report()) })
}

func (s *script) signin(t schema.Ticks, in signin) *signin {
	in.id, in.corr = [2]uint64{s.dice.next(), s.dice.next()}, [2]uint64{s.dice.next(), s.dice.next()}
	s.put("SigninLogs", t, func(l *line) { s.w.signinRow(l, t, in) })
	action, failure := "LogonSuccess", ""
	if in.code != 0 {
		action, failure = "LogonFailed", in.reason
	}
	s.put("IdentityLogonEvents", t, func(l *line) {
		s.w.identityLogonRow(l, action, in.app.name, "Login:login", "", failure, in.who, in.site, nil, nil, in.id[0], in.id[1])
	})
	return &in
}

func (s *script) cloud(t schema.Ticks, action string, p *person, app application, at site, object, extra string, admin bool) {
	s.put("CloudAppEvents", t-t%schema.Second, func(l *line) {
		s.w.cloudAppRow(l, action, p, app, at, object, extra, admin, s.dice.next(), s.dice.next())
	})
}

func (s *script) office(t schema.Ticks, o office) {
	o.x, o.y = s.dice.next(), s.dice.next()
	s.put("OfficeActivity", t-t%schema.Second, func(l *line) { s.w.officeRow(l, t, o) })
}

func (s *script) audit(t schema.Ticks, a audit) {
	a.x, a.y = s.dice.next(), s.dice.next()
	s.put("AuditLogs", t, func(l *line) { s.w.auditRow(l, t, a) })
}

// deliver puts a mail into EmailEvents, with its links.
func (s *script) deliver(m mail) *mail {
	m.at -= m.at % schema.Second
	m.x, m.y, m.dice = s.dice.next(), s.dice.next(), s.dice
	m.cluster = int64(label(m.from+m.subject) >> 32)
	if m.url != "" && m.urls == 0 {
		m.urls = 1
	}
	s.put("EmailEvents", m.at, func(l *line) { s.w.mailRow(l, &m) })
	for k := range m.urls {
		s.put("EmailUrlInfo", m.at, func(l *line) { s.w.urlRow(l, &m, k) })
	}
	return &m
}

// raise adds an alert: its rows in AlertInfo and AlertEvidence, and the alert
// itself in one shape after the other, with later states and repeats.
func (s *script) raise(f finding) *finding {
	d := roll(s.w.seed, "alert", int64(len(s.truth.alerts)))
	if f.made == 0 {
		f.made = f.last + 4*schema.Minute + schema.Ticks(d.below(300))*schema.Second
	}
	f.updated, f.status = f.made, "new"
	f.provider = f.product.id(&d, f.made)
	f.id = f.product.prefix + f.provider
	if f.product == defender {
		f.id = f.provider
	}
	system := roll(label(f.id), "system alert id", 0)
	f.system, f.detector = system.guid(), detector(f.title)
	if f.shapes == nil {
		f.shapes = []source.Shape{[]source.Shape{source.Graph, source.SecurityAlert, source.AlertInfo}[s.turn%3]}
		if s.turn%7 == 3 { // told twice, in two shapes
			f.shapes = append(f.shapes, []source.Shape{source.SecurityAlert, source.AlertInfo, source.Graph}[s.turn%3])
		}
		f.repeated = s.turn%9 == 4
	}
	s.turn++
	s.truth.alerts = append(s.truth.alerts, f.id)
	s.story.add(&f)
	for _, row := range append([]fields{s.w.infoRow(&f)}, s.w.evidenceRows(&f)...) {
		table := "AlertEvidence"
		if row["EntityType"] == nil {
			table = "AlertInfo"
		}
		s.records = append(s.records, source.Record{Kind: source.Event, Table: table, Time: f.made, Body: compact(s.w.record(table, f.made, row))})
	}
	for i, shape := range f.shapes {
		s.send(&f, shape, f.made+schema.Ticks(i)*2*schema.Minute)
	}
	if f.repeated {
		s.send(&f, f.shapes[0], f.made+11*schema.Minute)
	}
	for _, next := range f.progress {
		f.updated, f.status = f.made+next.after, next.status
		if next.more != nil {
			f.evidence = append(f.evidence, *next.more)
			s.story.mention(*next.more)
		}
		shape := f.shapes[0]
		if shape == source.AlertInfo { // those rows carry no state
			shape = source.Graph
		}
		s.send(&f, shape, f.updated)
	}
	return &f
}

func (s *script) send(f *finding, shape source.Shape, t schema.Ticks) {
	s.records = append(s.records, source.Record{Kind: source.Alert, Shape: shape, Time: t, Body: s.w.render(f, shape)})
}

// detector is the id of the rule behind a title.
func detector(title string) string {
	d := roll(label(title), "detector", 0)
	return d.guid()
}
