package xdr_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/state/memory"
	"lockstep/state/sqlite"
	"lockstep/xdr"
)

// stores are the engines on which the end must hold.
func stores(t *testing.T, f func(t *testing.T, store state.Store)) {
	t.Run("memory", func(t *testing.T) { f(t, memory.New()) })
	t.Run("sqlite", func(t *testing.T) {
		store, err := sqlite.Open(filepath.Join(t.TempDir(), "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		f(t, store)
	})
}

func TestAWriteIsMadeOnce(t *testing.T) {
	stores(t, func(t *testing.T, store state.Store) {
		s := newSideOn(t, store)
		id := s.one(alert("da1", 0, "host/pc1"))
		s.now += schema.Hour
		earlier := s.now - schema.Minute
		w := port.Write{
			ID: "w1", Incident: id, IfVersion: 1, Actor: ana, At: earlier,
			Stamps:      map[port.Field]port.Stamp{port.FieldOwner: {Actor: ben, At: s.now + schema.Hour}},
			Notes:       []string{"Status Active, set by cid, lost."},
			Resolution:  &port.Resolution{Status: "resolved", Classification: "truePositive", Reason: "other", Comment: "done"},
			Owner:       &security.Owner{UPN: "ben@lab.example"},
			Severity:    ptr(security.Low),
			AddTags:     []string{"pilot"},
			AddComments: []security.Comment{{ID: "c1", Author: ben, Text: "hello", Created: earlier}},
		}
		applied, err := s.End().Apply(ctx, w)
		if err != nil {
			t.Fatal(err)
		}
		if want := (port.Applied{WriteID: "w1", Incident: id, Version: 2, At: s.now}); applied != want {
			t.Errorf("applied %+v, want %+v", applied, want)
		}
		s.open() // as after a crash
		if got, ok, err := s.End().Applied(ctx, "w1"); !ok || err != nil || got != applied {
			t.Errorf("Applied gives %+v, %v, %v", got, ok, err)
		}
		if _, ok, _ := s.End().Applied(ctx, "w2"); ok {
			t.Error("a write that was never made was applied")
		}
		s.update(id, xdr.Patch{Status: ptr(xdr.Active)}, ana) // a user reverts meanwhile
		feed := len(s.feed())
		if again, err := s.End().Apply(ctx, w); err != nil || again != applied {
			t.Errorf("again %+v, %v", again, err)
		}
		if len(s.feed()) != feed || s.incident(id).Status != xdr.Active {
			t.Error("the repeat changed something")
		}

		got, err := s.End().Incident(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if got.Owner.UPN != "ben@lab.example" || got.Severity != security.Low || !got.SeverityByHand || !slices.Equal(got.Tags, []string{"pilot"}) ||
			len(got.Comments) != 1 || got.Comments[0].ID != "c1" || got.Comments[0].Author != ben {
			t.Errorf("incident %+v", got)
		}
		want := map[port.Field]port.Stamp{
			port.FieldOwner:      {Actor: ben, At: s.now}, // never later than its receipt
			port.FieldResolution: {Actor: ana, At: s.now}, // reopened
			port.FieldSeverity:   {Actor: ana, At: earlier},
			port.FieldTags:       {Actor: ana, At: earlier},
			port.FieldComments:   {Actor: ana, At: earlier},
		}
		if d := cmp.Diff(want, got.Stamps); d != "" {
			t.Errorf("stamps (-want +got):\n%s", d)
		}
		if deeds := s.deeds(id, 2); !slices.Contains(deeds, "conflict") {
			t.Errorf("deeds %v", deeds)
		}
		if err := s.check(1); err != nil {
			t.Error(err)
		}
	})
}

func TestWritesThatAreNotTaken(t *testing.T) {
	s := newSide(t)
	a := s.one(alert("da1", 0, "host/pc1"))
	b := s.one(alert("da2", 0, "host/pc2"))
	must(s.Merge(ctx, []string{a, b}, "", ana))
	for name, test := range map[string]struct {
		w    port.Write
		kind fault.Kind
	}{
		"no id":       {port.Write{Incident: a}, fault.Invalid},
		"create":      {port.Write{ID: "w", Incident: "9", Create: true}, fault.Invalid},
		"content":     {port.Write{ID: "w", Incident: a, Content: &port.Content{}}, fault.Invalid},
		"unknown":     {port.Write{ID: "w", Incident: "77"}, fault.NotFound},
		"redirected":  {port.Write{ID: "w", Incident: b, AddTags: []string{"x"}}, fault.Conflict},
		"old version": {port.Write{ID: "w", Incident: a, IfVersion: 1, AddTags: []string{"x"}}, fault.Conflict},
		"redirecting": {port.Write{ID: "w", Incident: a, Resolution: &port.Resolution{Status: "redirected"}}, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.End().Apply(ctx, test.w)
			kindOf(t, err, test.kind)
			if _, ok, _ := s.End().Applied(ctx, test.w.ID); ok {
				t.Error("a refused write counts as applied")
			}
		})
	}
}

func TestAWriteThatChangesNothingMakesNoVersion(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	w := port.Write{ID: "w1", Incident: id, Actor: ana, Resolution: &port.Resolution{Status: "active"}, AddTags: []string{"x"}}
	must(s.End().Apply(ctx, w))
	w.ID = "w2"
	if applied := must(s.End().Apply(ctx, w)); applied.Version != 2 || s.incident(id).Version != 2 {
		t.Errorf("applied %+v", applied)
	}
}

func TestTagsAndCommentsAreSets(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	c := security.Comment{ID: "c1", Author: ana, Text: "hello"}
	must(s.End().Apply(ctx, port.Write{ID: "w1", Incident: id, Actor: sync, AddTags: []string{"a", "B"}, AddComments: []security.Comment{c, c}}))
	must(s.End().Apply(ctx, port.Write{ID: "w2", Incident: id, Actor: sync, AddTags: []string{"b"}, RemoveTags: []string{"A"}, AddComments: []security.Comment{c}}))
	got := must(s.End().Incident(ctx, id))
	if !slices.Equal(got.Tags, []string{"B"}) || len(got.Comments) != 1 || got.Version != 3 {
		t.Errorf("incident %+v", got)
	}
}

func TestTheEndShowsTheWholeStory(t *testing.T) {
	s := newSide(t)
	a := s.one(alert("da2", 0, "host/pc1"))
	b := s.one(alert("da1", 1, "host/pc2"))
	must(s.Merge(ctx, []string{a, b}, "", ana))
	got := must(s.End().Incident(ctx, a))
	c := got.Content
	if len(c.Alerts) != 2 || c.Alerts[0].ID != "da1" || c.URL != "https://localhost:8443/incidents/1?tid=t1" || c.Redirect != "" ||
		!slices.Equal(c.Products, []string{"Microsoft Defender Advanced Threat Protection"}) || got.Resolution != (port.Resolution{Status: "active"}) {
		t.Errorf("target %+v", got)
	}
	gone := must(s.End().Incident(ctx, b))
	if gone.Resolution.Status != "redirected" || gone.Content.Redirect != a || gone.Content.RedirectURL != s.URL(a) || len(gone.Content.Alerts) != 0 {
		t.Errorf("source %+v", gone)
	}
	if ids := must(s.End().IDs(ctx, "", 1)); !slices.Equal(ids, []string{a}) {
		t.Errorf("ids %v", ids)
	}
	if ids := must(s.End().IDs(ctx, a, 9)); !slices.Equal(ids, []string{b}) {
		t.Errorf("ids %v", ids)
	}
	hints := must(s.End().Changes(ctx, 0, 2))
	if len(hints) != 2 || hints[0].Seq != 1 || hints[1].Seq != 2 || hints[1].Incident != a || hints[1].Version != 1 {
		t.Errorf("hints %+v", hints)
	}
	if _, err := s.End().Incident(ctx, "77"); !fault.Is(err, fault.NotFound) {
		t.Errorf("error %v", err)
	}
}

func TestProjectGivesEachChangedAlertOnce(t *testing.T) {
	s := newSide(t)
	s.one(alert("da1", 0, "host/pc1"))
	s.one(alert("da2", 1, "host/pc2"))
	s.update("1", xdr.Patch{Status: ptr(xdr.Resolved)}, ana)
	list, last, err := s.Project(ctx, 0, 1000)
	if err != nil || len(list) != 2 || list[0].ID != "da1" || list[0].Version != 2 || last != int64(len(s.feed())) {
		t.Errorf("%d alerts up to %d, %v", len(list), last, err)
	}
	if list, again, err := s.Project(ctx, last, 1000); err != nil || len(list) != 0 || again != last {
		t.Errorf("%d alerts up to %d, %v", len(list), again, err)
	}
	if list, last, _ := s.Project(ctx, 0, 1); len(list) != 1 || last != 1 {
		t.Errorf("%d alerts up to %d", len(list), last)
	}
}

func TestNextForgetsWhatCorrelationCannotUse(t *testing.T) {
	s := newSide(t)
	first := s.one(alert("da1", 0, "host/pc1"))
	did, wake, err := s.Next(ctx, s.now)
	if err != nil || did || wake <= s.now {
		t.Fatalf("Next gives %v, %v, %v", did, wake, err)
	}
	if second := s.one(alert("da2", 1, "host/pc1")); second != first {
		t.Fatalf("went to %s", second)
	}
	s.now += 30 * schema.Day
	if did, wake, err = s.Next(ctx, s.now); err != nil || !did || wake <= s.now {
		t.Fatalf("Next gives %v, %v, %v", did, wake, err)
	}
	if third := s.one(alert("da3", 2, "host/pc1")); third == first {
		t.Error("nothing was forgotten")
	}
}

// TestAComputedSeverityIsNobodysEdit: a severity that follows from alerts is
// correlation's, so that a person's edit on the other side beats it.
func TestAComputedSeverityIsNobodysEdit(t *testing.T) {
	s := newSideOn(t, memory.New())
	first := alert("da1", 0, "host/pc1")
	first.Severity = security.Low
	id := s.one(first)
	s.now += schema.Hour
	second := alert("da2", 1, "host/pc1")
	second.Severity = security.High
	s.one(second)
	i, err := s.End().Incident(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if st := i.Stamps[port.FieldSeverity]; i.Severity != security.High || st.Actor.Kind != security.System || st.At != s.now {
		t.Errorf("severity %s, set by %+v", i.Severity, st)
	}
}
