package xdr_test

import (
	"slices"
	"strings"
	"testing"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr"
	"lockstep/xdr/correlation"
)

func TestAnAlertMakesAnIncident(t *testing.T) {
	s := newSide(t)
	a := alert("da1", 0, "host/pc1", "user/eve")
	a.Severity, a.Tactics, a.Techniques = security.High, []string{"Execution"}, []string{"T1059"}
	out := s.take(a)[0]
	if out.Result != xdr.Created || out.Incident != "1" {
		t.Fatalf("outcome %+v", out)
	}
	inc := s.incident("1")
	if inc.Version != 1 || inc.Status != xdr.Active || inc.Severity != security.High || inc.Classification != "unknown" || inc.EntityCount != 2 ||
		inc.DisplayName != "Detection da1 on one endpoint" || !slices.Equal(inc.AlertIDs, []string{"da1"}) || inc.FirstActivity != a.FirstActivity ||
		!slices.Equal(inc.Tactics, []string{"Execution"}) || !slices.Equal(inc.Products, []string{"microsoftDefenderForEndpoint"}) {
		t.Errorf("incident %+v", inc)
	}
	if got, _ := s.Alert(ctx, "da1"); got.IncidentID != "1" || got.Version != 1 || got.Status != security.AlertNew || got.SystemID == "" {
		t.Errorf("alert %+v", got)
	}
	if s.woken != 1 {
		t.Errorf("told of %d changes", s.woken)
	}
	if err := s.check(1); err != nil {
		t.Error(err)
	}
}

func TestBadAlertsAreRefusedWithAReason(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*security.Alert)
		reason string
	}{
		"no id":         {func(a *security.Alert) { a.ID = "" }, "id"},
		"control in id": {func(a *security.Alert) { a.ID = "da\x00b" }, "control characters"},
		"no title":      {func(a *security.Alert) { a.Title = " " }, "title"},
		"no time":       {func(a *security.Alert) { a.Created, a.Updated, a.FirstActivity, a.LastActivity = 0, 0, 0, 0 }, "time is needed"},
		"far time":      {func(a *security.Alert) { a.LastActivity = schema.MaxTicks + 1 }, "years"},
		"severity":      {func(a *security.Alert) { a.Severity = "dreadful" }, `"dreadful" is not one of unknown, informational, low, medium, high`},
		"status":        {func(a *security.Alert) { a.Status = "asleep" }, "is not one of"},
		"determination": {func(a *security.Alert) { a.Determination = "x" }, "determination"},
		"huge":          {func(a *security.Alert) { a.Description = strings.Repeat("x", 1<<20) }, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSide(t)
			bad := alert("da1", 0, "host/pc1")
			test.change(&bad)
			out, err := s.Ingest(ctx, []security.Alert{bad, alert("da2", 0, "host/pc2")})
			if err != nil {
				t.Fatal(err)
			}
			if out[0].Result != xdr.Refused || !strings.Contains(out[0].Reason, test.reason) {
				t.Errorf("outcome %+v", out[0])
			}
			if out[1].Result != xdr.Created {
				t.Errorf("the good one: %+v", out[1])
			}
			if err := s.check(1); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSpellingOfEnumerationsDoesNotMatter(t *testing.T) {
	s := newSide(t)
	a := alert("da1", 0, "host/pc1")
	a.Severity, a.Status, a.Classification = "High", "InProgress", "TruePositive"
	s.one(a)
	if got, _ := s.Alert(ctx, "da1"); got.Severity != security.High || got.Status != security.AlertInProgress || got.Classification != "truePositive" {
		t.Errorf("alert %+v", got)
	}
}

func TestTheSameAlertAgainChangesNothing(t *testing.T) {
	s := newSide(t)
	a := alert("da1", 0, "host/pc1")
	s.one(a)
	feed := s.feed()
	out := s.take(a, a)
	for _, o := range out {
		if o.Result != xdr.Repeat || o.Incident != "1" {
			t.Errorf("outcome %+v", o)
		}
	}
	if got := s.feed(); len(got) != len(feed) {
		t.Errorf("feed grew from %d to %d", len(feed), len(got))
	}
	if s.woken != 1 {
		t.Errorf("told of %d changes", s.woken)
	}
}

func TestALaterVersionGrowsAndPeoplesEditsStay(t *testing.T) {
	s := newSide(t)
	a := alert("da1", 0, "host/pc1")
	id := s.one(a)
	if _, err := s.UpdateAlert(ctx, "da1", xdr.AlertPatch{Status: ptr(security.AlertInProgress), AssignedTo: ptr("ana@lab.example")}, ana); err != nil {
		t.Fatal(err)
	}
	s.now += schema.Hour
	b := alert("da1", 0, "host/pc1", "user/eve")
	b.Evidence = b.Evidence[1:] // the source doesn't repeat the host
	b.Updated += schema.Hour
	b.Title, b.Severity, b.Status, b.AssignedTo, b.Determination, b.Classification = "Worse", security.High, security.AlertResolved, "robot", "malware", "truePositive"
	if out := s.take(b)[0]; out.Result != xdr.Updated || out.Incident != id {
		t.Fatalf("outcome %+v", out)
	}
	got, _ := s.Alert(ctx, "da1")
	if got.Title != "Worse" || got.Severity != security.High || len(got.Evidence) != 2 || got.Classification != "truePositive" {
		t.Errorf("the source's new values: %+v", got)
	}
	if got.Status != security.AlertInProgress || got.AssignedTo != "ana@lab.example" || got.Resolved != 0 {
		t.Errorf("people's edits: %+v", got)
	}
	inc := s.incident(id)
	if inc.Severity != security.High || inc.DisplayName != "Worse on one endpoint" || inc.EntityCount != 2 || inc.Version != 3 {
		t.Errorf("incident %+v", inc)
	}
	if err := s.check(1); err != nil {
		t.Error(err)
	}
}

func TestAnOlderVersionThatComesLateIsRecordedOnly(t *testing.T) {
	s := newSide(t)
	newer, older := alert("da1", 0, "host/pc1"), alert("da1", 0, "host/pc1")
	newer.Updated += schema.Hour
	older.Title, older.Severity = "Old", security.High
	id := s.one(newer)
	feed := len(s.feed())
	for range 2 {
		if out := s.take(older)[0]; out.Result != xdr.Repeat || out.Incident != id {
			t.Errorf("outcome %+v", out)
		}
	}
	if inc := s.incident(id); inc.Severity != security.Medium || inc.Version != 1 {
		t.Errorf("incident %+v", inc)
	}
	if len(s.feed()) != feed {
		t.Error("the feed grew")
	}
	if deeds := s.deeds(id, 1); strings.Count(strings.Join(deeds, " "), "lateVersionIgnored") != 1 {
		t.Errorf("deeds %v", deeds)
	}
}

func TestSeverityFollowsTheAlertsDownToo(t *testing.T) {
	s := newSide(t)
	a := alert("da1", 0, "host/pc1")
	a.Severity = security.High
	id := s.one(a)
	a.Severity, a.Updated = security.Low, a.Updated+schema.Minute
	s.one(a)
	if inc := s.incident(id); inc.Severity != security.Low {
		t.Errorf("severity %s", inc.Severity)
	}
}

func TestAResolvedIncidentIsLeftAlone(t *testing.T) {
	s := newSide(t)
	first := s.one(alert("da1", 0, "host/pc1", "user/eve"))
	s.update(first, xdr.Patch{Status: ptr(xdr.Resolved)}, ana)
	second := s.one(alert("da2", 1, "host/pc1", "user/eve"))
	if second == first {
		t.Fatal("the resolved incident grew")
	}
	if inc := s.incident(first); inc.Status != xdr.Resolved || inc.Version != 2 {
		t.Errorf("incident %+v", inc)
	}
	if third := s.one(alert("da3", 2, "host/pc1", "user/eve")); third != second {
		t.Errorf("the third went to %s, not %s", third, second)
	}
}

// insistent is a correlator that puts every alert into incident 1.
type insistent struct{ xdr.Correlator }

func (insistent) Judge(correlation.Sight, correlation.Neighbourhood) correlation.Verdict {
	return correlation.Verdict{Join: "1"}
}

func TestNoCorrelatorCanGrowAResolvedIncident(t *testing.T) {
	s := newSide(t)
	s.Service = must(xdr.New(xdr.Options{Store: s.store, Now: func() schema.Ticks { return s.now }, Correlator: insistent{correlation.New(correlation.Defaults())}}))
	s.take(alert("da1", 0, "host/a"), alert("da2", 0, "host/b"))
	s.update("1", xdr.Patch{Status: ptr(xdr.Resolved)}, ana)
	if got := s.one(alert("da3", 0, "host/c")); got != "2" {
		t.Errorf("went to %s", got)
	}
}

func TestAnEntityUnderSeveralNamesCountsOnce(t *testing.T) {
	s := newSide(t)
	known := func(id string, fields ...string) security.Alert {
		a := alert(id, 0, "user/eve")
		h := security.Entity{Kind: security.Host}
		for _, f := range fields {
			h = h.With(f, "pc1").With("dnsDomain", "lab.example")
		}
		a.Evidence = append(a.Evidence, security.Evidence{Entity: h})
		return a
	}
	id := s.one(known("da1", "hostName"))
	s.one(known("da2", "mdeDeviceId"))
	if inc := s.incident(id); inc.EntityCount != 3 || inc.DisplayName != "Execution incident on multiple endpoints" {
		t.Errorf("before they are known to be one: %d, %q", inc.EntityCount, inc.DisplayName)
	}
	s.one(known("da3", "hostName", "mdeDeviceId"))
	if inc := s.incident(id); inc.EntityCount != 2 || inc.DisplayName != "Execution incident on one endpoint" {
		t.Errorf("after: %d, %q", inc.EntityCount, inc.DisplayName)
	}
	if err := s.check(3); err != nil {
		t.Error(err)
	}
}

func TestAHostileAlertCostsNoMoreThanItsSize(t *testing.T) {
	s := newSide(t)
	a := alert("da1", 0)
	for i := range 4000 {
		a.Evidence = append(a.Evidence, security.Evidence{Entity: entity(numbered("hash/", i))}, security.Evidence{Entity: security.Entity{Kind: "Odd"}})
	}
	deep := entity("host/deep")
	for range 1000 {
		deep = security.Entity{Kind: security.Process, Parts: map[string][]security.Entity{"host": {deep}}}
	}
	a.Evidence = append(a.Evidence, security.Evidence{Entity: deep})
	out := must(s.Ingest(ctx, []security.Alert{a}))[0]
	if inc := s.incident("1"); out.Result != xdr.Created || inc.EntityCount < 4000 {
		t.Errorf("%+v, %d entities", out, inc.EntityCount)
	}
}

func TestALateAlertGoesWhereItsIncidentWasMerged(t *testing.T) {
	s := newSide(t)
	a := s.one(alert("da1", 0, "host/pc1"))
	b := s.one(alert("da2", 0, "host/pc2"))
	if _, err := s.Merge(ctx, []string{a, b}, "", ana); err != nil {
		t.Fatal(err)
	}
	if got := s.one(alert("da3", 1, "host/pc2")); got != a {
		t.Errorf("went to %s, not %s", got, a)
	}
}

func TestABatchIsOneVersionAndOneEntryForEachIncident(t *testing.T) {
	s := newSide(t)
	s.take(alert("da1", 0, "host/pc1"), alert("da2", 1, "host/pc1"), alert("da3", 2, "host/pc9"))
	if inc := s.incident("1"); inc.Version != 1 || len(inc.AlertIDs) != 2 {
		t.Errorf("incident %+v", inc)
	}
	if n := len(s.feed()); n != 5 {
		t.Errorf("%d entries", n)
	}
}

func TestDecisionsAreTheSameAfterARestartAndInAnyBatches(t *testing.T) {
	var list []security.Alert
	for i := range 40 {
		list = append(list, alert(numbered("da", i), 7*i, numbered("host/pc", i%5), numbered("user/u", i%7), numbered("hash/", i%3)))
	}
	grouping := func(size int, restart bool) (in []string) {
		s := newSide(t)
		for chunk := range slices.Chunk(list, size) {
			s.take(chunk...)
			if restart {
				s.open()
			}
		}
		for _, a := range list {
			got, _ := s.Alert(ctx, a.ID)
			in = append(in, got.IncidentID)
		}
		if err := s.check(len(list)); err != nil {
			t.Error(err)
		}
		return in
	}
	want := grouping(len(list), false)
	for _, size := range []int{1, 3, 17} {
		if got := grouping(size, true); !slices.Equal(got, want) {
			t.Errorf("in batches of %d with restarts: %v\nwant %v", size, got, want)
		}
	}
}
