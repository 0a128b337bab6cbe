package sample

import (
	"fmt"

	"lockstep/schema"
)

// noise raises n alerts of ordinary days: real findings about little, or about
// nothing. One in five comes in a burst of two or three on one device.
func (s *script) noise(n int) {
	for k, made := 0, 0; made < n; k++ {
		s.dice = roll(s.w.seed, "noise", int64(k))
		s.story = &Story{}
		s.truth.Noise = append(s.truth.Noise, s.story)
		day := s.span - 6*schema.Hour
		t := s.begin + 2*schema.Hour + schema.Ticks(s.dice.next()%uint64(day-2*schema.Hour))
		// The kinds take turns, so that every product is heard even in a demo.
		made += nuisanceKinds[k%len(nuisanceKinds)](s, t, 1+min(n-made-1, max(0, s.dice.below(10)-7)))
		s.story.Title = s.story.Products[0] + ": " + s.story.Alerts[0]
	}
}

// nuisanceKinds write one nuisance of up to burst alerts each and say how many.
var nuisanceKinds = []func(s *script, t schema.Ticks, burst int) int{
	func(s *script, t schema.Ticks, burst int) int { // an endpoint finding about an ordinary process
		grid := s.w.grids["DeviceProcessEvents"]
		first := s.near(grid, t)
		titles := [][4]string{{"Suspicious scheduled task", "Execution", "medium", "T1053.005"}, {"Unusual use of an administration tool", "Discovery", "low", "T1018"},
			{"Process with a hidden window", "DefenseEvasion", "low", "T1027"}, {"Unexpected program from a temporary folder", "Execution", "medium", "T1204.002"}}
		for b := range burst {
			p := s.w.processAt(first)
			for p.who.upn == "" && first > 0 { // somebody's, not the machine's
				first--
				p = s.w.processAt(first)
			}
			title := titles[(int(first)+b)%len(titles)]
			f := finding{product: endpoint, title: title[0], about: "Behaviour that is often harmless and sometimes isn't.", category: title[1], severity: title[2], techniques: []string{title[3]},
				first: p.created, last: p.created + minute, evidence: []piece{{device: p.device, impacted: true}, {process: &p}, {person: p.who, impacted: true}}}
			f.made = p.created + schema.Ticks(5+3*b)*minute
			if s.dice.chance(300) {
				f.progress = []step{{after: schema.Hour, status: "resolved"}}
			}
			s.raise(f)
		}
		return burst
	},
	func(s *script, t schema.Ticks, burst int) int { // mail taken out after delivery, or reported
		i := s.near(s.w.grids["EmailEvents"], t)
		m := s.w.mailAt(i)
		for m.threat == "" && i > 0 {
			i--
			m = s.w.mailAt(i)
		}
		url, _ := m.link(0)
		s.raise(finding{product: officeMail, title: "Email reported by user as malware or phish", about: "A user reported a message.", category: "InitialAccess", severity: "low", techniques: []string{"T1566.002"},
			first: m.at, last: m.at, evidence: []piece{{mail: &m}, {mailbox: m.to, impacted: true}, {url: url}}, progress: []step{{after: 20 * minute, status: "resolved"}}})
		return 1
	},
	func(s *script, t schema.Ticks, burst int) int { // a traveller
		p := pick(&s.dice, s.w.company.people)
		at := site{ip: outside(&s.dice), city: "Porto", state: "Porto", country: "PT", carrier: "Harbour Hosting"}
		in := s.signin(t, signin{who: p, app: applications[0], site: at, client: "Browser", risk: "medium", riskType: "unfamiliarFeatures", mfa: true})
		s.raise(finding{product: protection, title: "Atypical travel", about: "Two sign-ins from places that are too far apart.", category: "InitialAccess", severity: "medium", techniques: []string{"T1078"}, first: t, last: t,
			evidence: []piece{{person: p, impacted: true}, {signin: in}, {ip: at.ip}}})
		return 1
	},
	func(s *script, t schema.Ticks, burst int) int { // somebody cleans up their files
		p := pick(&s.dice, s.w.company.people)
		from := siteOf(p, t)
		for k := range 12 {
			s.cloud(t+schema.Ticks(k)*second, "FileDeleted", p, applications[1], from, fmt.Sprintf("Archive %d.docx", k), "", false)
		}
		s.raise(finding{product: cloudApps, title: "Unusual file deletion activity", about: "An account deleted more files than it usually does.", category: "Impact", severity: "low", techniques: []string{"T1078.004"}, first: t, last: t + 12*second,
			evidence: []piece{{person: p, impacted: true}, {app: &applications[1]}, {ip: from.ip}}})
		return 1
	},
	func(s *script, t schema.Ticks, burst int) int { // a forgotten password
		p := pick(&s.dice, s.w.company.people)
		d := p.device
		s.raise(finding{product: identity, title: "Suspected password guessing at one account", about: "Several wrong passwords in a short time.", category: "CredentialAccess", severity: "low", techniques: []string{"T1110"}, first: t, last: t + 4*minute,
			evidence: []piece{{person: p, role: "attacked", impacted: true}, {device: d, role: "source", impacted: true}}})
		return 1
	},
	func(s *script, t schema.Ticks, burst int) int { // unwanted software
		d := pick(&s.dice, s.w.desks)
		for b := range burst {
			f := newDiskFile(`C:\Users\`+d.owner.account+`\Downloads\pdf-helper-`+s.dice.hexes(2)+".exe", d.host)
			at := t + schema.Ticks(b)*7*minute
			p := s.run(at-second, d, d.owner, nil, s.w.programs["msedge.exe"], `"msedge.exe" --single-argument https://get.pdf-helper.example/`)
			s.write(at, p, "FileCreated", &f)
			s.raise(finding{product: antivirus, title: "Unwanted software was prevented", about: "Antivirus stopped a program that nobody asked for.", category: "UnwantedSoftware", severity: "informational", threat: "PUA:Win32/Sample.C",
				techniques: []string{"T1204.002"}, first: at, last: at, evidence: []piece{{device: d, impacted: true}, {file: &f}, {person: d.owner, impacted: true}}, progress: []step{{after: 2 * minute, status: "resolved"}}})
		}
		return burst
	},
	func(s *script, t schema.Ticks, burst int) int { // a spray that found nobody
		ip := outside(&s.dice)
		at := site{ip: ip, city: "Sofia", state: "Sofia", country: "BG", carrier: "Night Relay"}
		for k := range 15 {
			p := s.w.company.people[(s.dice.below(40)+k*19)%personCount]
			s.signin(t+schema.Ticks(k)*8*second, signin{who: p, app: applications[5], site: at, client: "Authenticated SMTP", code: 50126, reason: "Invalid username or password."})
		}
		s.raise(finding{product: defender, title: "Password spray that reached no account", about: "One address tried one password on many accounts.", category: "CredentialAccess", severity: "informational", techniques: []string{"T1110.003"}, first: t, last: t + 2*minute,
			evidence: []piece{{ip: ip, role: "attacker"}, {app: &applications[5]}}})
		return 1
	},
}

// near finds a row of a table at about a time.
func (s *script) near(g *grid, t schema.Ticks) int64 {
	h := min(int((t-g.start)/schema.Hour), len(g.upTo)-2)
	return min(g.upTo[h]+int64(s.dice.below(1000))*(g.upTo[h+1]-g.upTo[h])/1000, g.len()-1)
}
