package xdr_test

import (
	"slices"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr"
)

// pair makes two incidents about different things.
func pair(t *testing.T) (s *side, a, b string) {
	s = newSide(t)
	return s, s.one(alert("da1", 0, "host/pc1")), s.one(alert("da2", 1, "host/pc2"))
}

func TestMergeByHand(t *testing.T) {
	s, a, b := pair(t)
	s.update(b, xdr.Patch{AddTags: []string{"vip", "PILOT"}, DisplayName: ptr("Mine"), Severity: ptr(security.High)}, ben)
	s.update(a, xdr.Patch{AddTags: []string{"pilot"}, DisplayName: ptr("Hers")}, ana)
	if _, err := s.Comment(ctx, b, "look here", ben); err != nil {
		t.Fatal(err)
	}
	feed := len(s.feed())
	s.now += schema.Minute
	target, err := s.Merge(ctx, []string{b, a}, "the same person", ana)
	if err != nil {
		t.Fatal(err)
	}
	if target.ID != a || !slices.Equal(target.AlertIDs, []string{"da1", "da2"}) || target.EntityCount != 2 || target.DisplayNameByHand ||
		target.DisplayName != "Execution incident on multiple endpoints" || !slices.Equal(target.CustomTags, []string{"pilot", "vip"}) ||
		target.Severity != security.High || !slices.Equal(target.MergedIDs, []string{b}) || target.LastModifier != ana {
		t.Errorf("target %+v", target)
	}
	source := s.incident(b)
	if source.Status != xdr.Redirected || source.RedirectID != a || len(source.AlertIDs) > 0 || len(source.CustomTags) > 0 ||
		!slices.Equal(source.SystemTags, []string{xdr.RedirectedTag}) || source.EntityCount != 0 {
		t.Errorf("source %+v", source)
	}
	if live, err := s.Resolve(ctx, b); err != nil || live != a {
		t.Errorf("resolves to %s, %v", live, err)
	}
	comments, _ := s.Comments(ctx, a)
	if len(comments) != 1 || comments[0].Origin != b || comments[0].Author != ben {
		t.Errorf("comments %+v", comments)
	}
	lines, _ := s.Activities(ctx, a)
	if !slices.ContainsFunc(lines, func(l xdr.Activity) bool { return l.Origin == b && l.Deed == "tagsChanged" }) ||
		!slices.ContainsFunc(lines, func(l xdr.Activity) bool { return l.Deed == "merged" && strings.Contains(l.Text, "the same person") }) {
		t.Errorf("lines %+v", lines)
	}
	var order []string
	for _, c := range s.feed()[feed:] {
		order = append(order, c.Kind+c.ID)
	}
	if want := []string{"alertda2", "incident" + a, "incident" + b}; !slices.Equal(order, want) {
		t.Errorf("feed %v, want %v", order, want)
	}
	if err := s.check(2); err != nil {
		t.Error(err)
	}
}

func TestTheFeedTellsTheTargetBeforeTheSource(t *testing.T) {
	s, a, b := pair(t)
	s.update(b, xdr.Patch{AssignedTo: ptr("Ana")}, ana) // so b stays, though a changes first
	feed := len(s.feed())
	s.take(alert("da3", 2, "host/pc1"), bridge())
	var order []string
	for _, c := range s.feed()[feed:] {
		if c.Kind == xdr.KindIncident {
			order = append(order, c.ID)
		}
	}
	if want := []string{b, a}; !slices.Equal(order, want) {
		t.Errorf("feed %v, want %v", order, want)
	}
}

func TestTheIncidentWithAnOwnerStays(t *testing.T) {
	s, a, b := pair(t)
	s.update(b, xdr.Patch{AssignedTo: ptr("Ana")}, ana)
	if target, err := s.Merge(ctx, []string{a, b}, "", ana); err != nil || target.ID != b || !slices.Equal(target.AlertIDs, []string{"da1", "da2"}) {
		t.Errorf("target %+v, %v", target, err)
	}
}

func TestRedirectsAreOneHop(t *testing.T) {
	s, a, b := pair(t)
	c := s.one(alert("da3", 2, "host/pc3"))
	if _, err := s.Merge(ctx, []string{b, c}, "", ana); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Merge(ctx, []string{a, b}, "", ana); err != nil {
		t.Fatal(err)
	}
	if got := s.incident(c); got.RedirectID != a || got.Version != 3 {
		t.Errorf("incident %+v", got)
	}
	if got := s.incident(a); !slices.Equal(got.MergedIDs, []string{b, c}) {
		t.Errorf("merged %v", got.MergedIDs)
	}
	if err := s.check(3); err != nil {
		t.Error(err)
	}
}

func TestMergeByHandRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(s *side, a, b string)
		ids     func(a, b string) []string
		kind    fault.Kind
		says    string
	}{
		"one":      {nil, func(a, b string) []string { return []string{a} }, fault.Invalid, "2 to 5"},
		"six":      {nil, func(a, b string) []string { return []string{a, b, "3", "4", "5", "6"} }, fault.Invalid, "2 to 5"},
		"twice":    {nil, func(a, b string) []string { return []string{a, a} }, fault.Invalid, "twice"},
		"unknown":  {nil, func(a, b string) []string { return []string{a, "77"} }, fault.NotFound, "77"},
		"resolved": {func(s *side, a, b string) { s.update(a, xdr.Patch{Status: ptr(xdr.Resolved)}, ana) }, nil, fault.Conflict, "is resolved"},
		"owners": {func(s *side, a, b string) {
			s.update(a, xdr.Patch{AssignedTo: ptr("Ana")}, ana)
			s.update(b, xdr.Patch{AssignedTo: ptr("Ben")}, ana)
		}, nil, fault.Conflict, "different people"},
		"classes": {func(s *side, a, b string) {
			s.update(a, xdr.Patch{Classification: ptr("truePositive")}, ana)
			s.update(b, xdr.Patch{Classification: ptr("falsePositive")}, ana)
		}, nil, fault.Conflict, "classifications differ"},
		"determine": {func(s *side, a, b string) {
			s.update(a, xdr.Patch{Classification: ptr("truePositive"), Determination: ptr("malware")}, ana)
			s.update(b, xdr.Patch{Classification: ptr("truePositive"), Determination: ptr("phishing")}, ana)
		}, nil, fault.Conflict, "determinations differ"},
		"redirected": {func(s *side, a, b string) {
			c := s.one(alert("da3", 2, "host/pc3"))
			must(s.Merge(ctx, []string{b, c}, "", ana))
			must(s.Merge(ctx, []string{b, s.one(alert("da4", 2, "host/pc4"))}, "", ana))
		}, func(a, b string) []string { return []string{a, "3"} }, fault.Conflict, "merged into incident 2"},
	} {
		t.Run(name, func(t *testing.T) {
			s, a, b := pair(t)
			if test.prepare != nil {
				test.prepare(s, a, b)
			}
			ids := []string{a, b}
			if test.ids != nil {
				ids = test.ids(a, b)
			}
			feed := len(s.feed())
			_, err := s.Merge(ctx, ids, "", ana)
			kindOf(t, err, test.kind)
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v doesn't say %q", err, test.says)
			}
			if len(s.feed()) != feed {
				t.Error("something was changed")
			}
		})
	}
}

func TestARedirectedIncidentTakesNoEdits(t *testing.T) {
	s, a, b := pair(t)
	must(s.Merge(ctx, []string{a, b}, "", ana))
	_, err := s.Update(ctx, b, xdr.Patch{AddTags: []string{"x"}}, ana, 0)
	kindOf(t, err, fault.Conflict)
	if !strings.Contains(err.Error(), "incident "+a) {
		t.Errorf("error %v doesn't name the target", err)
	}
}

// bridge is an alert that speaks of both incidents of a pair.
func bridge() security.Alert { return alert("da9", 2, "host/pc1", "host/pc2") }

func TestCorrelationMergesAStory(t *testing.T) {
	s, a, b := pair(t)
	if got := s.one(bridge()); got != a {
		t.Fatalf("went to %s", got)
	}
	if source := s.incident(b); source.RedirectID != a || source.LastModifier.Name != "Microsoft Defender XDR - alert correlation" {
		t.Errorf("source %+v", source)
	}
	if link, err := s.MergeLink(ctx, b); err != nil || link.Alert != "da9" || len(link.Via) == 0 {
		t.Errorf("link %+v, %v", link, err)
	}
	if link, err := s.Link(ctx, "da9"); err != nil || link.Incident == "" || link.Score < .3 {
		t.Errorf("link %+v, %v", link, err)
	}
	if err := s.check(3); err != nil {
		t.Error(err)
	}
}

func TestCorrelationNeverMerges(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(s *side, a, b string)
		says    string
	}{
		"one is resolved": {func(s *side, a, b string) { s.update(b, xdr.Patch{Status: ptr(xdr.Resolved)}, ana) }, "is resolved"},
		"different owners": {func(s *side, a, b string) {
			s.update(a, xdr.Patch{AssignedTo: ptr("Ana")}, ana)
			s.update(b, xdr.Patch{AssignedTo: ptr("Ben")}, ana)
		}, "different people"},
		"different classes": {func(s *side, a, b string) {
			s.update(a, xdr.Patch{Classification: ptr("truePositive")}, ana)
			s.update(b, xdr.Patch{Classification: ptr("falsePositive")}, ana)
		}, "classifications"},
		"too many alerts":   {func(s *side, a, b string) { s.take(crowd(500, "host/pc1")...) }, "alerts, more than 500"},
		"too many entities": {func(s *side, a, b string) { s.take(wide(501, "host/pc1")) }, "entities, more than 500"},
	} {
		t.Run(name, func(t *testing.T) {
			s, a, b := pair(t)
			test.prepare(s, a, b)
			home := s.one(bridge())
			if s.incident(a).RedirectID != "" || s.incident(b).RedirectID != "" {
				t.Fatal("merged")
			}
			lines, _ := s.Activities(ctx, home)
			if !slices.ContainsFunc(lines, func(l xdr.Activity) bool { return l.Deed == "refused" && strings.Contains(l.Text, test.says) }) {
				t.Errorf("no line says %q: %+v", test.says, lines)
			}
		})
	}
}

func TestCorrelationMergesOnlySoOften(t *testing.T) {
	s := newSide(t)
	merged := 0
	for i := range 25 {
		x, y := numbered("host/x", i), numbered("host/y", i)
		s.one(alert(numbered("a", i), 0, x))
		b := s.one(alert(numbered("b", i), 0, y))
		s.one(alert(numbered("c", i), 1, x, y))
		if s.incident(b).Status == xdr.Redirected {
			merged++
		}
	}
	if merged != 20 {
		t.Errorf("%d incidents were merged within the hour", merged)
	}
	x, y := alert("later1", 60, "host/p"), alert("later2", 60, "host/q")
	s.take(x, y)
	s.one(alert("later3", 61, "host/p", "host/q"))
	if a, _ := s.Alert(ctx, "later2"); a.IncidentID == "" || s.incident(a.IncidentID).MergedIDs == nil {
		t.Error("the next hour's first merge was refused")
	}
}

// crowd is n alerts about one thing.
func crowd(n int, thing string) (list []security.Alert) {
	for i := range n {
		list = append(list, alert(numbered("crowd", i), 1, thing))
	}
	return list
}

// wide is an alert about one thing and n files.
func wide(n int, thing string) security.Alert {
	a := alert("wide", 1, thing)
	for i := range n {
		a.Evidence = append(a.Evidence, security.Evidence{Entity: entity(numbered("hash/", i))})
	}
	return a
}
