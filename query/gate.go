package query

import (
	"context"
	"sync"
	"time"

	"lockstep/fault"
)

// gate lets so many queries run at once, and so many of one principal run or
// wait.
type gate struct {
	slots chan struct{}
	most  int

	mu     sync.Mutex
	inside map[string]int // by principal, those that run or wait
}

func newGate(slots, perPrincipal int) *gate {
	return &gate{slots: make(chan struct{}, slots), most: perPrincipal, inside: map[string]int{}}
}

// comeBack is what a refused caller is told to wait.
const comeBack = 5 * time.Second

// enter waits for a slot; leave must be called once.
func (g *gate) enter(ctx context.Context, principal string) (leave func(), err error) {
	g.mu.Lock()
	if g.inside[principal] >= g.most {
		g.mu.Unlock()
		return nil, fault.Later(comeBack, "%d queries of yours are under way; wait for one to end", g.most)
	}
	g.inside[principal]++
	g.mu.Unlock()
	out := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.inside[principal]--; g.inside[principal] == 0 {
			delete(g.inside, principal)
		}
	}
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots; out() }, nil
	case <-ctx.Done():
		out()
		return nil, ctx.Err()
	}
}
