package connector_test

import (
	"context"
	"fmt"
	"testing"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/state/memory"
	"lockstep/workspace"
	"lockstep/xdr"
)

// Tests named T1 to T24 are named after the classes of failure that integrations
// of this kind have (sync-failures.md); each holds our answer to one. Those of
// feeds and pages are in feeds_test.go, of what crosses in values_test.go, of the
// dictionary in dictionary_test.go, of pace in pace_test.go; T4, T14 and T23 are
// in connector_test.go too, T24 in reconcile/words_test.go too.

// ending is a store whose process ends around its n-th commit.
type ending struct {
	state.Store
	left  int  // commits until then
	after bool // the commit is made
	dead  bool
}

func (e *ending) Update(ctx context.Context, f func(state.Tx) error) error {
	if e.dead {
		return errCrash
	}
	if e.left--; e.left != 0 {
		return e.Store.Update(ctx, f)
	}
	e.dead = true
	if e.after {
		if err := e.Store.Update(ctx, f); err != nil {
			return err
		}
	}
	return errCrash
}

// TestT6TheProcessEndsAtEachStep plays one story as often as it has commits,
// and ends the process before and after each of them. Somebody takes an edit
// back where the process ended after it had crossed.
func TestT6TheProcessEndsAtEachStep(t *testing.T) {
	for name, unlist := range map[string]bool{"feeds and lists": false, "feeds alone": true} {
		t.Run(name, func(t *testing.T) { endAtEachStep(t, unlist) })
	}
}

func endAtEachStep(t *testing.T, unlist bool) {
	for step := 1; ; step++ {
		reached := false
		for _, after := range []bool{false, true} {
			e := &ending{Store: memory.New(), left: step, after: after}
			w := newWorldOn(t, memory.New(), e)
			x, y := w.serve()
			x.unlist, y.unlist = unlist, unlist
			three, reverted := "", false
			restart := func() {
				e.dead, reached = false, true
				w.x.poison = ""
				w.now += schema.Second
				if three != "" && w.parallel(three).Owner.Text() == "carl" && !reverted {
					reverted = true
					if err := w.put(three, bob, func(p *workspace.Put) { p.Owner = &security.Owner{} }); err != nil {
						t.Fatal(err)
					}
				}
				w.boot()
			}
			again := func() { // as whoever restarts a process that ended
				for {
					did, _, err := w.sync.Next(ctx, w.now)
					if err != nil && !e.dead {
						t.Fatal(err)
					}
					if e.dead {
						restart()
					} else if !did {
						return
					}
				}
			}
			for {
				if _, err := w.sync.Connect(ctx, w.ws, settings, ann); err == nil {
					break
				}
				restart()
			}
			one, two, late := w.ingest(security.Low, "h1"), w.ingest(security.Low, "h2"), w.ingest(security.Low, "h3")
			again()
			three = late
			w.x.poison = three // it waits while the others are dealt with
			status := xdr.Resolved
			edits := []error{
				w.patch(one, xdr.Patch{Status: &status, AddComments: []security.Comment{{Text: "done", Author: ann}}}, ann),
				w.put(two, bob, func(p *workspace.Put) { p.Owner = &security.Owner{AssignedTo: "bob"} }),
				w.patch(two, xdr.Patch{AssignedTo: ptr("ann")}, bot),
				w.patch(three, xdr.Patch{AssignedTo: ptr("carl")}, ann),
			}
			for _, err := range edits {
				if err != nil {
					t.Fatal(err)
				}
			}
			again()
			w.x.poison = ""
			w.now += schema.Minute
			again()
			want := map[bool]string{true: "", false: "carl"}[reverted]
			if owner := w.parallel(three).Owner.Text(); owner != want {
				t.Errorf("commit %d, made: %t: the owner that was taken back (%t) is %q", step, after, reverted, owner)
			}
			for _, id := range []string{one, two, three} {
				if d := w.differences(id); d != "" {
					t.Errorf("commit %d, made: %t: incident %s: %s", step, after, id, d)
				}
			}
			if owner := w.parallel(two).Owner.Text(); owner != "bob" {
				t.Errorf("commit %d, made: %t: bob's edit gave way to %q", step, after, owner)
			}
			if n := len(must(w.work.Comments(ctx, w.ws, w.parallel(one).Name))); n != 1 {
				t.Errorf("commit %d, made: %t: %d comments", step, after, n)
			}
		}
		if !reached {
			if step < 5 {
				t.Errorf("only %d commits", step-1)
			}
			return
		}
	}
}

// TestT7TheWholeFeedTwiceMakesNothingNew has a connector that forgot all begin again.
func TestT7TheWholeFeedTwiceMakesNothingNew(t *testing.T) {
	w := newWorld(t)
	w.connect()
	ids := []string{w.ingest(security.Low, "h1"), w.ingest(security.High, "h2")}
	w.settle()
	if err := w.patch(ids[0], xdr.Patch{AssignedTo: ptr("ann"), AddComments: []security.Comment{{Text: "seen", Author: ann}}, AddTags: []string{"vip"}}, ann); err != nil {
		t.Fatal(err)
	}
	w.settle()
	before := []workspace.Incident{w.parallel(ids[0]), w.parallel(ids[1])}
	w.own = &mortal{Store: memory.New()}
	w.boot()
	w.connect()
	w.quiet()
	if page := must(w.work.Incidents(ctx, w.ws, workspace.Selection{Count: true})); page.Total != len(ids) {
		t.Errorf("%d incidents", page.Total)
	}
	if holes := must(w.sync.Status(ctx, w.ws)).Holes; len(holes) > 0 {
		t.Errorf("holes: %+v", holes)
	}
	for n, id := range ids {
		if now := w.parallel(id); now.Version != before[n].Version || now.Number != before[n].Number {
			t.Errorf("incident %s went from version %d to %d", id, before[n].Version, now.Version)
		}
		if d := w.differences(id); d != "" {
			t.Error(d)
		}
	}
}

// TestT8NoEcho counts writes: one for each edit, none for what came back.
func TestT8NoEcho(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Low, "h1")
	w.quiet()
	count := func() int { return len(w.x.made) + len(w.w.made) }
	for n := range 20 {
		before := count()
		w.now += schema.Second
		var err error
		if n%2 == 0 {
			err = w.patch(id, xdr.Patch{AddTags: []string{fmt.Sprint("x", n)}}, ann)
		} else {
			err = w.put(id, bob, func(p *workspace.Put) { *p.Labels = append(*p.Labels, fmt.Sprint("w", n)) })
		}
		if err != nil {
			t.Fatal(err)
		}
		w.quiet()
		if made := count() - before; made != 1 {
			t.Errorf("edit %d made %d writes", n, made)
		}
	}
}

// TestT9AWriteChangesOnlyWhatItSpeaksOf, on either side.
func TestT9AWriteChangesOnlyWhatItSpeaksOf(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Low, "h1")
	if err := w.patch(id, xdr.Patch{AssignedTo: ptr("ann"), AddTags: []string{"vip"}}, ann); err != nil {
		t.Fatal(err)
	}
	w.settle()
	severity := security.High
	for name, end := range map[string]port.End{"XDR": w.xdr.End(), "workspace": w.work.End(w.ws)} {
		on := id
		if name == "workspace" {
			on = w.parallel(id).Name
		}
		before := must(end.Incident(ctx, on))
		if _, err := end.Apply(ctx, port.Write{ID: "only " + name, Incident: on, Actor: bob, At: w.now, Severity: &severity}); err != nil {
			t.Fatal(err)
		}
		after := must(end.Incident(ctx, on))
		if after.Severity != severity || after.Owner != before.Owner || after.Resolution != before.Resolution || fmt.Sprint(after.Tags, after.Comments) != fmt.Sprint(before.Tags, before.Comments) {
			t.Errorf("%s: from %+v to %+v", name, before, after)
		}
	}
}

// TestT24CommentsAreEventsOfTheirOwn: the same words twice are two comments,
// and one deleted on one side stays on the other and doesn't come back.
func TestT24CommentsAreEventsOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Low, "h1")
	w.settle()
	name := w.parallel(id).Name
	for range 2 {
		if _, err := w.xdr.Comment(ctx, id, "looks benign", ann); err != nil {
			t.Fatal(err)
		}
	}
	mine := must(w.work.AddComment(ctx, w.ws, name, "", "looks benign", bob))
	w.quiet()
	if x, y := len(must(w.xdr.Comments(ctx, id))), len(must(w.work.Comments(ctx, w.ws, name))); x != 3 || y != 3 {
		t.Errorf("%d on the XDR, %d in the workspace, want 3", x, y)
	}
	if err := w.work.DeleteComment(ctx, w.ws, name, mine.ID, bob); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if x, y := len(must(w.xdr.Comments(ctx, id))), len(must(w.work.Comments(ctx, w.ws, name))); x != 3 || y != 2 {
		t.Errorf("after a deletion %d on the XDR, %d in the workspace", x, y)
	}
}
