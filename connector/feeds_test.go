package connector_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// The classes of failure that lie in how changes are found: pages, watermarks, feeds.

// server is an end as other servers are: it gives small pages, things happen
// between them, its feed counts in its own way, and some of it can't be read.
type server struct {
	port.End
	page    int    // entries of a page; 0: as many as asked for
	between func() // runs before each page

	mute, unlist bool // no feed, no list

	clock     bool         // its feed's positions are times
	unit      schema.Ticks // which it tells apart so finely
	inclusive bool         // it begins at the position

	poison string // every page with this incident fails
	paged  int
}

func (s *server) Capabilities() port.Capabilities {
	can := s.End.Capabilities()
	can.Feed = !s.clock
	return can
}

func (s *server) turn(limit int) int {
	s.paged++
	if s.between != nil {
		s.between()
	}
	if s.page > 0 {
		return min(limit, s.page)
	}
	return limit
}

func (s *server) Changes(ctx context.Context, after int64, limit int) ([]port.Hint, error) {
	limit = s.turn(limit)
	if s.mute {
		return nil, nil
	}
	from := after
	if s.clock {
		from = 0
	}
	all := must(s.End.Changes(ctx, from, 1<<20))
	if s.clock {
		for i := range all {
			all[i].Seq = int64(all[i].At - all[i].At%s.unit)
		}
		all = slices.DeleteFunc(all, func(h port.Hint) bool { return h.Seq < after || h.Seq == after && !s.inclusive })
	}
	all = all[:min(limit, len(all))]
	if s.poison != "" && slices.ContainsFunc(all, func(h port.Hint) bool { return h.Incident == s.poison }) {
		return nil, fault.New(fault.Internal, "500 on $expand")
	}
	return all, nil
}

func (s *server) IDs(ctx context.Context, after string, limit int) ([]string, error) {
	limit = s.turn(limit)
	if s.unlist {
		return nil, nil
	}
	ids := must(s.End.IDs(ctx, after, limit))
	if slices.Contains(ids, s.poison) {
		return nil, fault.New(fault.Internal, "500 on $expand")
	}
	return ids, nil
}

func (s *server) Incident(ctx context.Context, id string) (port.Incident, error) {
	if id == s.poison {
		return port.Incident{}, fault.New(fault.Internal, "500 on $expand")
	}
	return s.End.Incident(ctx, id)
}

func (s *server) ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error) {
	return s.End.(interface {
		ApplyAll(context.Context, []port.Write) ([]port.Applied, error)
	}).ApplyAll(ctx, writes)
}

// serve puts servers between the connector and both sides, before it starts.
func (w *world) serve() (x, y *server) {
	x, y = &server{End: w.x.End}, &server{End: w.w.End}
	w.x.End, w.w.End = x, y
	w.boot()
	return x, y
}

// agree fails unless all of these agree.
func (w *world) agree(ids []string) {
	w.t.Helper()
	for _, id := range ids {
		if d := w.differences(id); d != "" {
			w.t.Errorf("incident %s: %s", id, d)
		}
	}
}

// assign gives an incident an owner.
func (w *world) assign(id, owner string) {
	w.t.Helper()
	if err := w.patch(id, xdr.Patch{AssignedTo: &owner}, ann); err != nil {
		w.t.Fatal(err)
	}
}

// TestT1PagesOverAMovingSet reads feed and list in pages of three while
// incidents are added and changed between any two of them.
func TestT1PagesOverAMovingSet(t *testing.T) {
	for name, by := range map[string]func(x, y *server){
		"feed": func(x, _ *server) { x.unlist = true },
		"list": func(x, _ *server) { x.mute = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var ids []string
			for n := range 20 {
				ids = append(ids, w.ingest(security.Low, fmt.Sprint("h", n)))
			}
			x, y := w.serve()
			by(x, y)
			x.page, y.page = 3, 3
			n := 0
			x.between = func() {
				if n++; n > 40 || n%2 == 0 { // a feed that grows faster than it is read has no end
					return
				}
				w.now += schema.Millisecond
				if n%4 == 1 {
					ids = append(ids, w.ingest(security.Low, fmt.Sprint("new", n)))
				}
				w.assign(ids[(n*7)%len(ids)], fmt.Sprint("owner", n))
			}
			w.connect()
			w.settle()
			if name == "list" { // one that was changed after its page is found by the next comparison
				w.now += schema.Hour
				w.settle()
			}
			if n < 20 || len(ids) < 25 {
				t.Fatalf("only %d pages, %d incidents", n, len(ids))
			}
			w.agree(ids)
		})
	}
	t.Run("lists of the sides", func(t *testing.T) {
		w := newWorld(t)
		w.connect()
		start := map[string]bool{}
		for n := range 20 {
			start[w.ingest(security.Low, fmt.Sprint("h", n))] = true
		}
		w.settle()
		moves := 0
		move := func() {
			moves++
			w.now += schema.Millisecond
			w.assign(w.ingest(security.Low, fmt.Sprint("new", moves)), "ann")
			w.assign(fmt.Sprint(1+moves), "bob")
			w.settle()
		}
		onXDR, inWork := map[string]int{}, map[string]int{}
		for sel := (xdr.Selection[xdr.Incident]{Limit: 3}); ; {
			page := must(w.xdr.Incidents(ctx, sel))
			for _, i := range page.Items {
				onXDR[i.ID]++
			}
			if sel.Before = page.Next; sel.Before == "" {
				break
			}
			move()
		}
		for sel := (workspace.Selection{Limit: 3}); ; {
			page := must(w.work.Incidents(ctx, w.ws, sel))
			for _, i := range page.Items {
				inWork[i.ProviderIncidentID]++
			}
			if sel.Before = page.Next; sel.Before == 0 {
				break
			}
			move()
		}
		for id := range start {
			if onXDR[id] != 1 || inWork[id] != 1 {
				t.Errorf("incident %s was listed %d times by the XDR, %d times by the workspace", id, onXDR[id], inWork[id])
			}
		}
	})
}

// TestT2TiesAtTheWatermark: three pages of changes with one time, on either side.
func TestT2TiesAtTheWatermark(t *testing.T) {
	w := newWorld(t)
	x, y := w.serve()
	x.page, y.page, x.unlist = 5, 5, true
	w.connect()
	var ids []string
	for n := range 15 {
		ids = append(ids, w.ingest(security.Low, fmt.Sprint("h", n)))
	}
	w.settle()
	w.agree(ids)
	w.now += schema.Second
	for _, id := range ids {
		w.assign(id, "ann")
	}
	w.settle()
	w.agree(ids)
	w.now += schema.Second
	for _, id := range ids {
		if err := w.put(id, bob, func(p *workspace.Put) { p.Status = workspace.StatusActive }); err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	w.agree(ids)
	if page := must(w.work.Incidents(ctx, w.ws, workspace.Selection{Count: true})); page.Total != len(ids) {
		t.Errorf("%d incidents of %d", page.Total, len(ids))
	}
}

// TestT3FeedsThatCountInTheirOwnWay: positions may be exact times or whole
// seconds, and a page begin after the position or at it. Nothing is skipped
// for longer than until the next comparison, and nothing read for ever.
func TestT3FeedsThatCountInTheirOwnWay(t *testing.T) {
	for _, unit := range []schema.Ticks{1, schema.Second} {
		for _, inclusive := range []bool{false, true} {
			t.Run(fmt.Sprintf("unit %s, inclusive %t", unit.Duration(), inclusive), func(t *testing.T) {
				w := newWorld(t)
				x, y := w.serve()
				for _, s := range []*server{x, y} {
					s.clock, s.unit, s.inclusive = true, unit, inclusive
				}
				w.resync = -1 // as often as the ends' feeds need it
				w.boot()
				w.connect()
				var ids []string
				for n := range 12 {
					ids = append(ids, w.ingest(security.Low, fmt.Sprint("h", n)))
					if n%3 == 2 {
						w.settle() // fails if it is never at rest
					}
					w.now += 300 * schema.Millisecond
					w.assign(ids[n/2], fmt.Sprint("owner", n))
				}
				w.settle()
				if unit == 1 || inclusive {
					w.agree(ids)
				}
				w.now += 5 * schema.Minute
				w.settle()
				w.agree(ids)
				before := x.paged + y.paged
				for range 10 {
					w.settle()
				}
				if n := x.paged + y.paged - before; n > 20 {
					t.Errorf("%d pages are read where nothing happens", n)
				}
				if made := len(w.w.made); made > len(ids)+12 {
					t.Errorf("%d writes", made)
				}
			})
		}
	}
}

// TestT4APoisonousEntryOfAPage: every page that holds one incident fails as a
// whole. The others arrive, it is a hole, and the hole closes.
func TestT4APoisonousEntryOfAPage(t *testing.T) {
	for name, by := range map[string]func(x *server){
		"feed": func(x *server) { x.unlist = true }, "feed, the first one": func(x *server) { x.unlist = true },
		"list": func(x *server) { x.mute = true }, "list, the first one": func(x *server) { x.mute = true },
		"both": func(x *server) {},
	} {
		t.Run(name, func(t *testing.T) {
			name, first := strings.CutSuffix(name, ", the first one")
			w := newWorld(t)
			var ids []string
			for n := range 30 {
				ids = append(ids, w.ingest(security.Low, fmt.Sprint("h", n)))
			}
			bad := ids[13]
			if first {
				bad = ids[0]
			}
			x, _ := w.serve()
			by(x)
			x.poison = bad
			w.connect()
			wait := func(minutes int) {
				for range 30 * minutes {
					w.settle()
					w.now += 2 * schema.Second
				}
			}
			wait(30)
			good := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == bad })
			w.agree(good)
			holes := must(w.sync.Status(ctx, w.ws)).Holes
			if name != "both" && (len(holes) != 1 || holes[0].XDR != "" || !strings.Contains(holes[0].Error, "$expand") || !strings.Contains(holes[0].Where, bad+" to "+bad) && name == "list") {
				t.Errorf("holes: %+v", holes)
			}
			if len(holes) == 0 {
				t.Error("no hole shows")
			}
			late := w.ingest(security.Low, "late")
			if name == "list" {
				wait(60)
			} else {
				wait(1)
			}
			w.agree([]string{late})

			w.boot() // the hole is remembered
			w.settle()
			if holes := must(w.sync.Status(ctx, w.ws)).Holes; len(holes) == 0 {
				t.Error("the hole is forgotten")
			}
			x.poison = ""
			wait(15)
			w.agree(ids)
			if holes := must(w.sync.Status(ctx, w.ws)).Holes; len(holes) != 0 {
				t.Errorf("the hole stays: %+v", holes)
			}
		})
	}
}

// TestT4APoisonousWriteOfABatch: a batch fails because of one of its writes;
// it is halved until that one is alone.
func TestT4APoisonousWriteOfABatch(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for n := range 32 {
		ids = append(ids, w.ingest(security.Low, fmt.Sprint("h", n)))
	}
	bad, batches, singles := ids[20], 0, 0
	p := &choosy{End: w.w.End, refuses: func(writes []port.Write) bool {
		if len(writes) == 1 {
			singles++
		} else {
			batches++
		}
		return bad != "" && slices.ContainsFunc(writes, func(w port.Write) bool { return w.Partner == bad })
	}}
	w.w.End = p
	w.connect()
	w.settle()
	w.agree(slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == bad }))
	if batches == 0 || batches > 16 || singles > 4 {
		t.Errorf("%d batches, %d single writes", batches, singles)
	}
	for range 20 {
		w.now += schema.Minute
		w.settle()
	}
	if holes := must(w.sync.Status(ctx, w.ws)).Holes; len(holes) != 1 || holes[0].XDR != bad {
		t.Errorf("holes: %+v", holes)
	}
	bad = ""
	w.quiet()
	w.agree(ids)
	if holes := must(w.sync.Status(ctx, w.ws)).Holes; len(holes) != 0 {
		t.Errorf("the hole stays: %+v", holes)
	}
}

// choosy is an end that fails with some writes, and with all that come with them.
type choosy struct {
	port.End
	refuses func([]port.Write) bool
}

func (c *choosy) Apply(ctx context.Context, w port.Write) (port.Applied, error) {
	if c.refuses([]port.Write{w}) {
		return port.Applied{}, fault.New(fault.Internal, "500")
	}
	return c.End.Apply(ctx, w)
}

func (c *choosy) ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error) {
	if c.refuses(writes) {
		return nil, fault.New(fault.Internal, "500")
	}
	return c.End.(interface {
		ApplyAll(context.Context, []port.Write) ([]port.Applied, error)
	}).ApplyAll(ctx, writes)
}

// TestT5ChangesOfOldIncidentsArrive: what is watched is change, not creation.
func TestT5ChangesOfOldIncidentsArrive(t *testing.T) {
	w := newWorld(t)
	x, _ := w.serve()
	x.unlist = true
	w.connect()
	id := w.ingest(security.Low, "h1")
	w.settle()
	for _, change := range []func() error{
		func() error { w.assign(id, "ann"); return nil },
		func() error { return w.patch(id, xdr.Patch{Status: ptr(xdr.InProgress)}, ann) },
		func() error {
			a := w.alert("later", security.High, "h1")
			a.AlertType = "type1"
			w.send(a)
			return nil
		},
		func() error { // a new version of an alert that is there
			a := w.alert("later", security.High, "h1", "h2")
			a.AlertType, a.Updated = "type1", w.now
			w.send(a)
			return nil
		},
		func() error {
			return w.put(id, bob, func(p *workspace.Put) {
				p.Status, p.Classification, p.ClassificationReason = workspace.StatusClosed, "TruePositive", "SuspiciousActivity"
			})
		},
	} {
		w.now += 20 * schema.Day
		if err := change(); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.agree([]string{id})
	}
	if i := w.parallel(id); i.AlertTotal < 1 || i.Status != workspace.StatusClosed || i.Owner.Text() != "ann" {
		t.Errorf("%+v", i)
	}
}

// TestT15EveryTransitionIsThereWithinASecond: changes at a rate of a thousand a
// second, each pushed; a write takes its time. The history of the
// workspace has every state that anybody set.
func TestT15EveryTransitionIsThereWithinASecond(t *testing.T) {
	w := newWorld(t)
	w.connect()
	var ids []string
	for n := range 40 {
		ids = append(ids, w.ingest(security.Low, fmt.Sprint("h", n)))
	}
	w.settle()
	w.boot() // figures of the edits alone
	w.settle()
	w.w.before = func(port.Write) { w.now += 300 * schema.Microsecond }
	want := map[string][]string{}
	for n := range 400 {
		w.now = max(w.now, epoch+schema.Ticks(n)*schema.Millisecond)
		id, status, parallel := ids[n%len(ids)], xdr.InProgress, "Active"
		if n/len(ids)%2 == 1 {
			status, parallel = xdr.Active, "New"
		}
		w.woken = false
		if err := w.patch(id, xdr.Patch{Status: &status}, ann); err != nil {
			t.Fatal(err)
		}
		want[id] = append(want[id], parallel)
		if w.woken {
			if _, _, err := w.sync.Next(ctx, w.now); err != nil {
				t.Fatal(err)
			}
		}
	}
	st := must(w.sync.Status(ctx, w.ws))
	if st.Edit.Count < 400 || st.Edit.P99 > schema.Second || st.Edit.Greatest > schema.Second {
		t.Errorf("%+v", st.Edit)
	}
	got := map[string][]string{}
	all, _ := must2(w.work.History(ctx, 0, 1<<20))
	for _, snap := range all {
		if i := snap.Incident; i != nil && i.Version > 1 {
			got[i.ProviderIncidentID] = append(got[i.ProviderIncidentID], string(i.Status))
		}
	}
	for _, id := range ids {
		if !slices.Equal(got[id], want[id]) {
			t.Errorf("incident %s went through %v, its history has %v", id, want[id], got[id])
		}
	}
}
