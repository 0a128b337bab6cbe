package connector

import (
	"context"
	"fmt"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/schema"
)

// recounting is an end that can tell the states that an incident had since a
// version, so that each of them is seen on the other side: the first one, and
// whether it is the present one.
type recounting interface {
	Since(ctx context.Context, id string, after int64) (i port.Incident, latest bool, err error)
}

// present is a version after which there is none.
const present int64 = 1<<63 - 1

// sight is a pair as it is decided on.
type sight struct {
	x      port.Incident
	w      *port.Incident // nil: there is none
	plan   reconcile.Plan
	latest bool // x is the present state
}

// goneError says that the XDR doesn't have an incident any more.
type goneError struct{ error }

// see reads both sides and decides. It takes the XDR's incident as it was after
// its next edit that the workspace hasn't seen: no state in between is left
// out of the workspace's history. Where the workspace has an edit of its own
// that goes back, only the present counts.
func (r *runner) see(ctx context.Context, l link, now schema.Ticks, depth int) (s sight, err error) {
	after := present
	if l.Base != nil && l.Seen > 0 {
		after = l.Seen
	}
	for {
		s.x, s.latest, err = r.since(ctx, l.XDR, after)
		if fault.Is(err, fault.NotFound) {
			return s, &goneError{err}
		}
		if err != nil {
			return s, fmt.Errorf("read incident %s of the XDR: %w", l.XDR, err)
		}
		if err = r.targetFirst(ctx, l, s.x, now, depth); err != nil {
			return s, err
		}
		if s.w, err = r.partner(ctx, l); err != nil {
			return s, err
		}
		s.plan = reconcile.Decide(r.inputOf(l, s.x, s.w))
		switch {
		case s.latest || s.plan.XDR == nil && !s.plan.Empty():
			return s, nil
		case s.plan.XDR != nil:
			after = present
		default:
			after = s.x.Version
		}
	}
}

// since reads an incident of the XDR as it was after its first edit since a version.
func (r *runner) since(ctx context.Context, id string, after int64) (x port.Incident, latest bool, err error) {
	end, can := r.xdr.end.(recounting)
	if !can || !r.xdr.can.Conditional || after == present {
		x, err = r.incident(ctx, &r.xdr, id)
		return x, true, err
	}
	x, err = ask(&r.xdr, r.s.o.Now(), func() (port.Incident, error) {
		var x port.Incident
		x, latest, err = end.Since(ctx, id, after)
		return x, err
	})
	return x, latest, err
}
