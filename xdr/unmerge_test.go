package xdr_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr"
)

// shown is what a user sees of an incident, but for what says that it was touched.
func (s *side) shown(id string) string {
	s.t.Helper()
	i := s.incident(id)
	i.Version, i.Updated, i.LastModifier = 0, 0, security.Actor{}
	return fmt.Sprintf("%+v\nalerts %+v\nentities %v", i, sansVersions(must(s.AlertsOf(ctx, id))), len(must(s.Entities(ctx, id))))
}

func sansVersions(list []security.Alert) []security.Alert {
	for i := range list {
		list[i].Version = 0
	}
	return list
}

func TestUnmergeIsTheWayBack(t *testing.T) {
	for name, prepare := range map[string]func(s *side, a, b string){
		"plain": func(*side, string, string) {},
		"all from the source": func(s *side, a, b string) {
			s.update(b, xdr.Patch{Status: ptr(xdr.InProgress), Classification: ptr("truePositive"), Determination: ptr("malware"),
				AddTags: []string{"vip", "PILOT"}, DisplayName: ptr("Mine"), Severity: ptr(security.High), AddComments: []security.Comment{{Text: "look"}}}, ben)
			s.update(a, xdr.Patch{AddTags: []string{"pilot"}, DisplayName: ptr("Hers")}, ana)
		},
		"owner": func(s *side, a, b string) { // b stays
			s.update(b, xdr.Patch{AssignedTo: ptr("Ana"), Severity: ptr(security.Low)}, ana)
			s.update(a, xdr.Patch{Status: ptr(xdr.AwaitingAction), Severity: ptr(security.High)}, ana)
		},
		"a group owns both": func(s *side, a, b string) {
			group := &security.Owner{AssignedTo: "Tier 2", Type: "Group"}
			s.update(b, xdr.Patch{Owner: group}, ana)
		},
		"others were merged into both": func(s *side, a, b string) {
			c, d := s.one(alert("da3", 2, "host/pc3")), s.one(alert("da4", 3, "host/pc4"))
			must(s.Merge(ctx, []string{a, c}, "", ana))
			must(s.Merge(ctx, []string{b, d}, "", ana))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, a, b := pair(t)
			prepare(s, a, b)
			all := len(s.feed())
			before := map[string]string{}
			for _, i := range must(s.Incidents(ctx, xdr.Selection[xdr.Incident]{})).Items {
				before[i.ID] = s.shown(i.ID)
			}
			s.now += schema.Minute
			target := must(s.Merge(ctx, []string{a, b}, "one story", ana)).ID
			source := a
			if target == a {
				source = b
			}
			merged := s.incident(source)
			s.now += schema.Minute
			got, err := s.Unmerge(ctx, source, "two stories", ben)
			if err != nil || got.ID != source || got.RedirectID != "" || got.Version != merged.Version+1 || got.LastModifier != ben {
				t.Fatalf("%+v, %v", got, err)
			}
			for id, was := range before {
				if diff := cmp.Diff(was, s.shown(id)); diff != "" {
					t.Errorf("incident %s (-before +after):\n%s", id, diff)
				}
			}
			for id, deed := range map[string]string{source: "restored", target: "unmerged"} {
				i := s.incident(id)
				lines := must(s.Activities(ctx, id))
				if last := lines[len(lines)-1]; last.Deed != deed || last.Actor != ben || last.Version != i.Version || !strings.Contains(last.Text, "Reason: two stories.") {
					t.Errorf("incident %s: the last line is %+v", id, last)
				}
			}
			if stamp := must(s.End().Incident(ctx, source)).Stamps[port.FieldResolution]; stamp != (port.Stamp{Actor: ben, At: s.now}) {
				t.Errorf("status stamped %+v", stamp)
			}
			var order []string
			for _, c := range s.feed()[all:] {
				if c.Kind == xdr.KindIncident {
					order = append(order, c.ID)
				}
			}
			if n := slices.Index(order[2:], source); n < 0 || n > slices.Index(order[2:], target) && len(before) == 2 {
				t.Errorf("feed %v: incident %s should be told before incident %s loses its alerts", order, source, target)
			}
			if err := s.check(len(must(s.AlertsOf(ctx, a))) + len(must(s.AlertsOf(ctx, b)))); err != nil {
				t.Error(err)
			}
			if _, err := s.Unmerge(ctx, source, "", ben); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "isn't merged") {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

// TestUnmergeKeepsWhatCameSince: later alerts and later edits stay in the target.
func TestUnmergeKeepsWhatCameSince(t *testing.T) {
	s, a, b := pair(t)
	s.update(b, xdr.Patch{Severity: ptr(security.High), AddTags: []string{"vip", "x"}, Classification: ptr("truePositive")}, ben)
	s.update(b, xdr.Patch{Owner: &security.Owner{AssignedTo: "Tier 2", Type: "Group"}}, ben)
	must(s.Merge(ctx, []string{a, b}, "", ana))
	if got := s.one(alert("da3", 2, "host/pc2")); got != a {
		t.Fatalf("the alert came to %s", got)
	}
	s.update(a, xdr.Patch{AssignedTo: ptr("Ana"), AddTags: []string{"mine"}, RemoveTags: []string{"x"}, Severity: ptr(security.Low)}, ana)
	grown := alert("da2", 1, "host/pc2", "user/u")
	grown.Updated += schema.Hour
	s.take(grown)
	s.now += schema.Minute
	source := must(s.Unmerge(ctx, b, "", ana))
	target := s.incident(a)
	if !slices.Equal(source.AlertIDs, []string{"da2"}) || source.EntityCount != 2 || !slices.Equal(source.CustomTags, []string{"vip", "x"}) || source.Owner.AssignedTo != "Tier 2" {
		t.Errorf("source %+v", source)
	}
	if !slices.Equal(target.AlertIDs, []string{"da1", "da3"}) || !slices.Equal(target.CustomTags, []string{"mine"}) || target.Owner.UPN != "ana@lab.example" ||
		target.Severity != security.Low || target.Classification != "unknown" || len(target.MergedIDs) > 0 {
		t.Errorf("target %+v", target)
	}
	lines := must(s.Activities(ctx, a))
	if last := lines[len(lines)-1]; !strings.Contains(last.Text, "went with it: classification, tags.") {
		t.Errorf("%q", last.Text)
	}
	if err := s.check(3); err != nil {
		t.Error(err)
	}
	s.update(a, xdr.Patch{Status: ptr(xdr.Resolved)}, ana)
	if got := s.one(alert("da4", 3, "host/pc2")); got != b {
		t.Errorf("what is about the source's things goes to %s", got)
	}
}

// TestAResolvedTargetKeepsItsReason: what it was closed with is a decision of its own.
func TestAResolvedTargetKeepsItsReason(t *testing.T) {
	s, a, b := pair(t)
	s.update(b, xdr.Patch{Classification: ptr("truePositive")}, ben)
	must(s.Merge(ctx, []string{a, b}, "", ana))
	s.update(a, xdr.Patch{Status: ptr(xdr.Resolved)}, ana)
	must(s.Unmerge(ctx, b, "", ana))
	if i := s.incident(a); i.Status != xdr.Resolved || i.Classification != "truePositive" {
		t.Errorf("%+v", i)
	}
	if i := s.incident(b); i.Status != xdr.Active || i.Classification != "truePositive" {
		t.Errorf("%+v", i)
	}
}

// TestUnmergeInAnyOrder: what several merges brought goes when the last of
// those that brought it is parted.
func TestUnmergeInAnyOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}, {0, 2, 1}, {2, 0, 1}} {
		s, a, b := pair(t)
		c, d := s.one(alert("da3", 2, "host/pc3")), s.one(alert("da4", 3, "host/pc4"))
		group := &security.Owner{AssignedTo: "Tier 2", Type: "Group"}
		s.update(a, xdr.Patch{DisplayName: ptr("Hers"), Severity: ptr(security.Low), AddTags: []string{"own"}}, ana)
		s.update(b, xdr.Patch{Owner: group, AddTags: []string{"one", "both"}}, ana)
		s.update(c, xdr.Patch{Classification: ptr("truePositive"), AddTags: []string{"BOTH", "own"}}, ana)
		s.update(d, xdr.Patch{Owner: group, Classification: ptr("truePositive"), Severity: ptr(security.High)}, ana)
		before := map[string]string{}
		for _, id := range []string{a, b, c, d} {
			before[id] = s.shown(id)
		}
		must(s.Merge(ctx, []string{a, b, c}, "", ana))
		must(s.Merge(ctx, []string{a, d}, "", ana))
		sources := []string{b, c, d}
		for _, n := range order {
			s.now += schema.Minute
			must(s.Unmerge(ctx, sources[n], "", ana))
			i, left := s.incident(a), s.incident(a).MergedIDs
			has := func(id string) bool { return slices.Contains(left, id) }
			for tag, want := range map[string]bool{"own": true, "one": has(b), "both": has(b) || has(c)} {
				if slices.Contains(i.CustomTags, tag) != want {
					t.Errorf("%v, left %v: tags %v", order, left, i.CustomTags)
				}
			}
			if (i.Owner.AssignedTo != "") != (has(b) || has(d)) || (i.Classification == "truePositive") != (has(c) || has(d)) {
				t.Errorf("%v, left %v: %+v", order, left, i)
			}
			if err := s.check(4); err != nil {
				t.Fatal(err)
			}
		}
		for id, was := range before {
			if diff := cmp.Diff(was, s.shown(id)); diff != "" {
				t.Errorf("%v: incident %s (-before +after):\n%s", order, id, diff)
			}
		}
	}
}

func TestUnmergeRefuses(t *testing.T) {
	s, a, b := pair(t)
	c := s.one(alert("da3", 2, "host/pc3"))
	s.update(c, xdr.Patch{AssignedTo: ptr("Ana")}, ana)
	must(s.Merge(ctx, []string{a, b}, "", ana))
	must(s.Merge(ctx, []string{a, c}, "", ana)) // c stays
	feed := len(s.feed())
	for _, test := range []struct {
		id, reason string
		kind       fault.Kind
		says       string
	}{
		{"77", "", fault.NotFound, "no incident"},
		{c, "", fault.Conflict, "isn't merged into another"},
		{b, "", fault.Conflict, "was merged into incident 1, and that one into incident 3 since; un-merge incident 1 first"},
		{a, strings.Repeat("x", 30_001), fault.Invalid, "at most 30000"},
	} {
		_, err := s.Unmerge(ctx, test.id, test.reason, ana)
		kindOf(t, err, test.kind)
		if !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v doesn't say %q", err, test.says)
		}
	}
	if len(s.feed()) != feed {
		t.Error("something was changed")
	}
	must(s.Unmerge(ctx, a, "", ana))
	if i := s.incident(b); i.RedirectID != a {
		t.Errorf("redirects to %s", i.RedirectID)
	}
	must(s.Unmerge(ctx, b, "", ana))
	if err := s.check(3); err != nil {
		t.Error(err)
	}
}

// TestCorrelationLeavesApartWhatWasParted.
func TestCorrelationLeavesApartWhatWasParted(t *testing.T) {
	s, a, b := pair(t)
	s.one(bridge())
	if s.incident(b).RedirectID != a {
		t.Fatal("not merged")
	}
	must(s.Unmerge(ctx, b, "", ana))
	if _, err := s.MergeLink(ctx, b); !fault.Is(err, fault.NotFound) {
		t.Errorf("it still has a reason to be merged: %v", err)
	}
	more := bridge()
	more.ID = "da10"
	home := s.one(more)
	if s.incident(a).RedirectID != "" || s.incident(b).RedirectID != "" {
		t.Fatal("merged again")
	}
	if !slices.ContainsFunc(must(s.Activities(ctx, home)), func(l xdr.Activity) bool { return strings.Contains(l.Text, "somebody parted them") }) {
		t.Error("no line says why they stay apart")
	}
	must(s.Merge(ctx, []string{a, b}, "", ana))
}

// TestTheActivityOfASecondMergeIsToldOnce: what the first one copied isn't copied again.
func TestTheActivityOfASecondMergeIsToldOnce(t *testing.T) {
	s, a, b := pair(t)
	s.update(b, xdr.Patch{AddTags: []string{"vip"}, AddComments: []security.Comment{{Text: "look"}}}, ben)
	for range 3 {
		s.now += schema.Minute
		must(s.Merge(ctx, []string{a, b}, "", ana))
		s.now += schema.Minute
		must(s.Unmerge(ctx, b, "", ana))
	}
	times := 0
	for _, l := range must(s.Activities(ctx, a)) {
		if l.Deed == "tagsChanged" {
			times++
		}
	}
	if times != 1 {
		t.Errorf("the tags' change is told %d times", times)
	}
	if list := must(s.Comments(ctx, a)); len(list) != 1 || list[0].Origin != b {
		t.Errorf("comments %+v", list)
	}
}

// TestStatesOfAMergeThatWasTakenBackAreNotShown: nobody is given an incident that
// is redirected and says not where to.
func TestStatesOfAMergeThatWasTakenBackAreNotShown(t *testing.T) {
	s, a, b := pair(t)
	seen := s.incident(b).Version
	s.update(b, xdr.Patch{Status: ptr(xdr.InProgress)}, ana)
	must(s.Merge(ctx, []string{a, b}, "", ana))
	must(s.Unmerge(ctx, b, "", ana))
	s.update(b, xdr.Patch{AddTags: []string{"later"}}, ana)
	end := s.End().(interface {
		Since(context.Context, string, int64) (port.Incident, bool, error)
	})
	for latest := false; !latest; {
		var i port.Incident
		var err error
		if i, latest, err = end.Since(ctx, b, seen); err != nil || i.Resolution.Status != string(xdr.InProgress) {
			t.Fatalf("%+v, %v", i, err)
		}
		seen = i.Version
	}
}

// TestMergeThenUnmergeIsTheIdentity, whatever was done before.
func TestMergeThenUnmergeIsTheIdentity(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{side: newSide(t), alerts: map[string]bool{}, writes: map[string]port.Applied{}}
		for range rapid.IntRange(2, 12).Draw(rt, "steps") {
			rapid.SampledFrom([]func(*rapid.T){m.ingest, m.update, m.update, m.merge, m.unmerge}).Draw(rt, "step")(rt)
		}
		before := map[string]string{}
		for _, i := range must(m.Incidents(ctx, xdr.Selection[xdr.Incident]{Limit: 100})).Items {
			before[i.ID] = m.shown(i.ID)
		}
		source, two := m.id(rt), m.id(rt)
		target, err := m.Merge(ctx, []string{source, two}, "", ana)
		if err != nil {
			return
		}
		if target.ID == source {
			source = two
		}
		m.now += schema.Minute
		must(m.Unmerge(ctx, source, "", ana))
		for id, was := range before {
			if diff := cmp.Diff(was, m.shown(id)); diff != "" {
				rt.Fatalf("incident %s (-before +after):\n%s", id, diff)
			}
		}
	})
}
