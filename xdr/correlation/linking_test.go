package correlation_test

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr/correlation"
)

var rule = correlation.New(correlation.Defaults())

const epoch = 638_000_000_000_000_000 * schema.Ticks(1)

func host(name string) security.Entity {
	return security.Entity{Kind: security.Host}.With("hostName", name).With("dnsDomain", "lab.example")
}

func user(name string) security.Entity {
	return security.Entity{Kind: security.Account}.With("accountName", name).With("upnSuffix", "lab.example")
}

func ip(address string) security.Entity {
	return security.Entity{Kind: security.IP}.With("address", address)
}

func alert(id string, at schema.Ticks, things ...security.Entity) security.Alert {
	a := security.Alert{ID: id, Title: "t " + id, FirstActivity: epoch + at, LastActivity: epoch + at}
	for _, e := range things {
		a.Evidence = append(a.Evidence, security.Evidence{Entity: e})
	}
	return a
}

// world is what the service keeps between decisions, with incidents that
// never change but by growing.
type world struct {
	memories  map[string]correlation.Memory
	standings map[string]correlation.Standing
}

func newWorld() *world {
	return &world{memories: map[string]correlation.Memory{}, standings: map[string]correlation.Standing{}}
}

// place puts an alert where the rule says.
func (w *world) place(a security.Alert) (incident string, v correlation.Verdict) {
	s := rule.Look(a)
	v = rule.Judge(s, correlation.Neighbourhood{Memories: w.memories, Standing: func(id string) (correlation.Standing, bool) {
		st, ok := w.standings[id]
		return st, ok
	}})
	if incident = v.Join; incident == "" {
		incident = strconv.Itoa(len(w.standings) + 1)
	}
	st := w.standings[incident]
	st.Incident, st.Open = incident, true
	st.Detectors = append(st.Detectors, s.Detector)
	st.Tactics = security.SortTactics(slices.Concat(st.Tactics, s.Tactics))
	w.standings[incident] = st
	for _, p := range s.Pieces {
		for _, key := range p.Keys {
			w.memories[key] = rule.Remember(w.memories[key], s, p, incident)
		}
	}
	return incident, v
}

func TestWhatLinksTwoAlerts(t *testing.T) {
	sameDetector := func(a security.Alert) security.Alert { a.Title = "t 1"; return a }
	for name, test := range map[string]struct {
		first, second security.Alert
		joined        bool
	}{
		"a host at once":                   {alert("1", 0, host("a")), alert("2", 0, host("a")), true},
		"a host after hours":               {alert("1", 0, host("a")), alert("2", 10*schema.Hour, host("a")), true},
		"a host after a day":               {alert("1", 0, host("a")), alert("2", 24*schema.Hour, host("a")), false},
		"a late alert":                     {alert("1", 10*schema.Hour, host("a")), alert("2", 0, host("a")), true},
		"another host":                     {alert("1", 0, host("a")), alert("2", 0, host("b")), false},
		"an address alone":                 {alert("1", 0, ip("8.8.4.4")), alert("2", 0, ip("8.8.4.4")), false},
		"an address, same sensor":          {alert("1", 0, ip("8.8.4.4")), sameDetector(alert("2", 0, ip("8.8.4.4"))), false},
		"a detection on two hosts at once": {alert("1", 0, host("a")), sameDetector(alert("2", schema.Second, host("b"))), true},
		"a detection on two hosts later":   {alert("1", 0, host("a")), sameDetector(alert("2", schema.Hour, host("b"))), false},
		"a message and one who got it": {alert("1", 0, security.Entity{Kind: security.MailMessage}.With("networkMessageId", "m1")),
			alert("2", 0, security.Entity{Kind: security.MailMessage}.With("networkMessageId", "m1").With("recipient", "u@lab.example")), true},
		"two kinds, neither alone": {alert("1", 0, ip("8.8.4.4"), user("u")), alert("2", 15*schema.Hour, ip("8.8.4.4"), user("u")), true},
		"the user of it alone":     {alert("1", 0, ip("8.8.4.4"), user("u")), alert("2", 15*schema.Hour, user("u")), false},
		"a private address":        {alert("1", 0, ip("10.0.0.1"), host("a")), alert("2", 0, ip("10.0.0.1"), host("b")), false},
		"a mailbox and its user": {alert("1", 0, user("u")),
			alert("2", 0, security.Entity{Kind: security.Mailbox}.With("mailboxPrimaryAddress", "u@lab.example")), true},
		"a page and its site": {alert("1", 0, security.Entity{Kind: security.URL}.With("url", "https://evil.example/a")),
			alert("2", 0, security.Entity{Kind: security.URL}.With("url", "http://evil.example/b")), true},
		"SYSTEM": {alert("1", 0, security.Entity{Kind: security.Account}.With("accountName", "SYSTEM").With("ntDomain", "x")),
			alert("2", 0, security.Entity{Kind: security.Account}.With("accountName", "SYSTEM").With("ntDomain", "x")), false},
		"a tool of Windows":          {alert("1", 0, file(`C:\Windows\System32`, "h1")), alert("2", 0, file(`C:\Windows\System32`, "h1")), false},
		"a tool in a folder for all": {alert("1", 0, file(`C:\Windows\Temp`, "h1")), alert("2", 0, file(`C:\Windows\Temp\`, "h1")), true},
		"a dropped tool":             {alert("1", 0, file(`C:\Users\u`, "h1")), alert("2", 0, file(`C:\Users\v`, "h1")), true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			first, _ := w.place(test.first)
			second, v := w.place(test.second)
			if (first == second) != test.joined {
				t.Errorf("joined: %v; link %+v", first == second, v.Link)
			}
		})
	}
}

func file(folder, hash string) security.Entity {
	e := security.Entity{Kind: security.File}.With("directory", folder).With("fileName", "x.exe")
	e.Parts = map[string][]security.Entity{"fileHashes": {security.Entity{Kind: security.FileHash}.With("algorithm", "SHA256").With("hashValue", hash)}}
	return e
}

func TestAHubLinksNothing(t *testing.T) {
	w := newWorld()
	server := host("dc")
	for i := range 13 {
		w.place(alert("a"+strconv.Itoa(i), 0, server, user("u"+strconv.Itoa(i))))
	}
	incident, v := w.place(alert("z", 0, server, user("fresh")))
	if v.Join != "" {
		t.Errorf("joined %s by %+v", incident, v.Link)
	}
	incident, v = w.place(alert("zz", 0, server, user("u12")))
	if v.Join == "" {
		t.Errorf("a user seen with the hub alone still links; got %s", incident)
	}
	for _, via := range v.Link.Via {
		if via.Kind == security.Host {
			t.Errorf("the hub counts as evidence: %+v", via)
		}
	}
}

func TestAFrequentDetectionLinksNothing(t *testing.T) {
	w := newWorld()
	for i := range 14 {
		a := alert("a"+strconv.Itoa(i), schema.Ticks(i)*schema.Hour, host("h"+strconv.Itoa(i)))
		a.Title = "noise"
		w.place(a)
	}
	a := alert("z", 13*schema.Hour+schema.Second, host("fresh"))
	a.Title = "noise"
	if got, v := w.place(a); v.Join != "" {
		t.Errorf("joined %s by %+v", got, v.Link)
	}
}

func TestAPeerCountsOnceUnderAllItsNames(t *testing.T) {
	both := host("pc").With("mdeDeviceId", "d1")
	m := correlation.Memory{}
	for _, h := range []security.Entity{host("pc"), both, security.Entity{Kind: security.Host}.With("mdeDeviceId", "d1")} {
		s := rule.Look(alert("1", 0, user("u"), h))
		m = rule.Remember(m, s, s.Pieces[0], "1")
	}
	if len(m.Peers) != 1 {
		t.Errorf("peers %+v", m.Peers)
	}
}

func TestAnAlertShowsThatTwoIncidentsAreOne(t *testing.T) {
	w := newWorld()
	a, _ := w.place(alert("1", 0, host("a")))
	b, _ := w.place(alert("2", schema.Minute, host("b")))
	got, v := w.place(alert("3", 2*schema.Minute, host("a"), host("b")))
	if a == b || got == "" || len(v.Merges) != 1 || v.Merges[0].Incident == got {
		t.Errorf("%s, %s → %s, merges %+v", a, b, got, v.Merges)
	}
}

func TestAClosedIncidentIsShownButNotJoined(t *testing.T) {
	w := newWorld()
	a, _ := w.place(alert("1", 0, host("a")))
	st := w.standings[a]
	st.Open = false
	w.standings[a] = st
	if got, v := w.place(alert("2", 0, host("a"))); got == a || v.Link.Score != 0 {
		t.Errorf("went to %s by %+v", got, v.Link)
	}
	if _, v := w.place(alert("3", 0, host("a"))); v.Join != "2" || len(v.Merges) != 1 || v.Merges[0].Incident != a {
		t.Errorf("verdict %+v", v)
	}
}

func TestEveryScoreComesOutOfItsRecord(t *testing.T) {
	w := newWorld()
	for i := range 200 {
		things := []security.Entity{host("h" + strconv.Itoa(i%9)), user("u" + strconv.Itoa(i%14)), ip("8.8.4." + strconv.Itoa(i%30))}
		_, v := w.place(alert("a"+strconv.Itoa(i), schema.Ticks(i*13)*schema.Minute, things...))
		for _, link := range append(v.Merges, v.Link) {
			if got := correlation.Score(link.Via, link.Context); math.Abs(got-link.Score) > 1e-12 || link.Rule != correlation.Defaults().Version {
				t.Fatalf("link %+v has score %v", link, got)
			}
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	p := correlation.Defaults()
	w := newWorld()
	for i := range 300 {
		w.place(alert("a"+strconv.Itoa(i), schema.Ticks(i)*schema.Day, host("h"), user("u"+strconv.Itoa(i))))
	}
	for key, m := range w.memories {
		if len(m.Visits) > p.Visits || len(m.Peers) > p.Peers {
			t.Errorf("%s: %d visits, %d peers", key, len(m.Visits), len(m.Peers))
		}
	}
}
