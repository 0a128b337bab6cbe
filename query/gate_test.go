package query

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lockstep/fault"
	"lockstep/schema"
)

// at is a quarter of an hour's beginning, and a bit.
const at = 42_600_000*quarter + 20*schema.Second

func gateOf(o Options) (g *gate, now *schema.Ticks) {
	now = new(schema.Ticks)
	*now = at
	o.Clock = func() schema.Ticks { return *now }
	return New(o).gate, now
}

// refused sees that a query is refused for so long, for a reason.
func refused(t *testing.T, g *gate, principal string, wait time.Duration, reason string) {
	t.Helper()
	leave, err := g.enter(t.Context(), principal)
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Throttled || f.RetryAfter != wait || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %+v, want a refusal for %s that names %s", err, wait, reason)
	}
	if leave != nil {
		leave()
	}
}

// admitted sees that a query is let in at once, and gives how it leaves.
func admitted(t *testing.T, g *gate, principal string) (leave func()) {
	t.Helper()
	leave, err := g.enter(t.Context(), principal)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

// TestRate: so many queries of one principal begin in a minute, and the next
// minute begins anew; others, and the server itself, have nothing to do with it.
func TestRate(t *testing.T) {
	g, now := gateOf(Options{PerMinute: 3})
	for range 3 {
		admitted(t, g, "ann")()
	}
	for range 2 {
		refused(t, g, "ann", 40*time.Second, "query_rate")
	}
	admitted(t, g, "bob")()
	for range 9 {
		admitted(t, g, "")()
	}
	*now += 40*schema.Second - 1
	refused(t, g, "ann", 100*time.Nanosecond, "query_rate")
	*now++
	for range 3 {
		admitted(t, g, "ann")()
	}
	refused(t, g, "ann", time.Minute, "query_rate")
}

// TestBudget: one principal's queries run so long in a quarter of an hour.
// One that goes on into the next is charged there.
func TestBudget(t *testing.T) {
	g, now := gateOf(Options{Budget: 2 * time.Minute})
	run := func(principal string, took schema.Ticks) {
		leave := admitted(t, g, principal)
		*now += took
		leave()
	}
	run("ann", schema.Minute)
	one, two := admitted(t, g, "ann"), admitted(t, g, "ann")
	*now += 31 * schema.Second
	one()
	two()
	refused(t, g, "ann", 13*time.Minute+9*time.Second, "ran for 2m2s")
	run("bob", 3*schema.Minute)
	refused(t, g, "bob", 10*time.Minute+9*time.Second, "query_budget")
	*now += 10*schema.Minute + 9*schema.Second
	run("bob", 0)
	long := admitted(t, g, "ann")
	*now += quarter + 3*schema.Minute
	long()
	refused(t, g, "ann", 12*time.Minute, "query_budget")
	*now += quarter
	admitted(t, g, "bob")()
	if len(g.accounts) != 1 {
		t.Errorf("%d principals are remembered, one used something in this quarter", len(g.accounts))
	}
}

// TestPlaces: with all places taken queries wait; a place that is free goes to
// whoever has the fewest running, then in order of coming. One that gives up
// is not counted any more.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := gateOf(Options{Concurrent: 2, PerPrincipal: 4})
		var order []string
		wait := func(ctx context.Context, principal, name string) {
			go func() {
				leave, err := g.enter(ctx, principal)
				if err != nil {
					order = append(order, name+" gave up")
					return
				}
				order = append(order, name)
				leave()
			}()
			synctest.Wait()
		}
		first, second := admitted(t, g, "ann"), admitted(t, g, "ann")
		ctx, cancel := context.WithCancel(t.Context())
		wait(ctx, "ann", "ann 3")
		wait(t.Context(), "ann", "ann 4")
		refused(t, g, "ann", comeBack, "query_inside")
		wait(t.Context(), "bob", "bob")
		cancel()
		synctest.Wait()
		wait(t.Context(), "ann", "ann 5")
		first()
		synctest.Wait()
		second()
		if got := strings.Join(order, ", "); got != "ann 3 gave up, bob, ann 4, ann 5" {
			t.Error(got)
		}
		if a := g.accounts["ann"]; a.running+a.waiting+g.running+len(g.waiting) != 0 {
			t.Errorf("after all: %+v, %d run, %d wait", a, g.running, len(g.waiting))
		}
	})
}
