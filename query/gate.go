package query

import (
	"context"
	"slices"
	"sync"
	"time"

	"lockstep/fault"
	"lockstep/schema"
)

// gate lets so many queries run at once, and keeps one principal from taking
// what is there for all: by how many run or wait, how many begin in a minute,
// and how long they run in a quarter of an hour. Source: facts 5.2, where
// either service refuses by number of requests and by running time, with 429.
type gate struct {
	clock  func() schema.Ticks
	slots  int // queries that run at once
	inside int // of one principal, running and waiting
	rate   int // of one principal, begun in a minute
	budget time.Duration

	mu       sync.Mutex
	running  int
	waiting  []*waiter           // in order of coming
	accounts map[string]*account // by principal
	quarter  schema.Ticks        // beginning of the one in which accounts were last swept
}

// The periods for which quotas hold: whole ones of the clock, so that who was
// refused knows when the next one begins.
const (
	minute  = schema.Minute
	quarter = 15 * schema.Minute
)

// account is what a principal has used.
type account struct {
	running int
	waiting int
	minute  schema.Ticks // the one that begun counts in
	begun   int
	quarter schema.Ticks // the one that ran counts in
	ran     time.Duration
}

// waiter is a query that is to run; let is closed when it may.
type waiter struct {
	account *account
	let     chan struct{}
}

func newGate(o Options) *gate {
	return &gate{clock: o.Clock, slots: o.Concurrent, inside: o.PerPrincipal, rate: o.PerMinute, budget: o.Budget, accounts: map[string]*account{}}
}

// comeBack is what a refused caller is told to wait for queries of its own to end.
const comeBack = 5 * time.Second

// enter waits for a slot; leave must be called once. The empty principal is
// the server itself, which no quota holds.
func (g *gate) enter(ctx context.Context, principal string) (leave func(), err error) {
	g.mu.Lock()
	now := g.clock()
	g.sweep(now)
	a := g.accounts[principal]
	if a == nil {
		a = &account{}
	}
	if principal != "" {
		if err := g.refuse(a, now); err != nil {
			g.mu.Unlock()
			return nil, err
		}
	}
	g.accounts[principal] = a
	w := &waiter{a, make(chan struct{})}
	a.begun++
	a.waiting++
	g.waiting = append(g.waiting, w)
	g.call()
	g.mu.Unlock()
	select {
	case <-w.let:
		began := g.clock()
		return func() { g.leave(a, began) }, nil
	case <-ctx.Done():
		g.giveUp(w)
		return nil, ctx.Err()
	}
}

// refuse says why a principal's next query isn't let in now; nil if it is.
func (g *gate) refuse(a *account, now schema.Ticks) error {
	if a.running+a.waiting >= g.inside {
		return fault.Later(comeBack, "%d queries of yours are under way, as many as this server takes of one principal (its setting query_inside); wait for one to end", g.inside)
	}
	if begins := now - now%minute; a.minute != begins {
		a.minute, a.begun = begins, 0
	}
	if begins := now - now%quarter; a.quarter != begins {
		a.quarter, a.ran = begins, 0
	}
	if a.begun >= g.rate {
		return fault.Later(rest(now, minute), "you began %d queries within this minute, as many as this server takes of one principal (its setting query_rate)", g.rate)
	}
	if a.ran >= g.budget {
		return fault.Later(rest(now, quarter), "your queries ran for %s within this quarter of an hour, and this server gives %s to one principal (its setting query_budget)", a.ran.Round(time.Second), g.budget)
	}
	return nil
}

// rest is how long a period of the clock still lasts.
func rest(now, period schema.Ticks) time.Duration { return (period - now%period).Duration() }

// sweep forgets, once a quarter, who used nothing in it.
func (g *gate) sweep(now schema.Ticks) {
	begins := now - now%quarter
	if g.quarter == begins {
		return
	}
	g.quarter = begins
	for principal, a := range g.accounts {
		if a.running+a.waiting == 0 && a.quarter != begins {
			delete(g.accounts, principal)
		}
	}
}

// call lets in who waits while there are slots: of the principal with the
// fewest running first, then in order of coming.
func (g *gate) call() {
	for g.running < g.slots && len(g.waiting) > 0 {
		next := 0
		for i, w := range g.waiting {
			if w.account.running < g.waiting[next].account.running {
				next = i
			}
		}
		w := g.waiting[next]
		g.waiting = slices.Delete(g.waiting, next, next+1)
		w.account.waiting--
		w.account.running++
		g.running++
		close(w.let)
	}
}

// leave gives a slot back and charges its time.
func (g *gate) leave(a *account, began schema.Ticks) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock()
	if begins := now - now%quarter; a.quarter != begins {
		a.quarter, a.ran = begins, 0
	}
	a.ran += (now - began).Duration()
	a.running--
	g.running--
	g.call()
}

// giveUp takes back a query that won't wait any longer.
func (g *gate) giveUp(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, w); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		w.account.waiting--
		return
	}
	w.account.running-- // it was let in meanwhile
	g.running--
	g.call()
}
