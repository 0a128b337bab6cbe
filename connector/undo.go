package connector

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/security"
)

// Undone is a value that Undo wrote back.
type Undone struct {
	Field port.Field
	Side  reconcile.Side // where it had been set, and is again
	Value string
	// Applied is the write that set it.
	Applied port.Applied
}

// Undo writes back what gave way in a decision, as a new edit by somebody on
// the side where it had been set; the synchronisation then brings it to the
// other side as any edit. NotFound if there is no such decision, Conflict if
// nothing gave way in it, or the side doesn't take the value now.
func (s *Service) Undo(ctx context.Context, ws, incident string, number int64, by security.Actor) ([]Undone, error) {
	journal, err := s.Journal(ctx, ws, incident)
	if err != nil {
		return nil, err
	}
	n := slices.IndexFunc(journal, func(d Decision) bool { return d.Number == number })
	if n < 0 {
		return nil, fault.New(fault.NotFound, "incident %q has no decision %d; its journal has %d", incident, number, len(journal))
	}
	back := journal[n].losers()
	if len(back) == 0 {
		return nil, fault.New(fault.Conflict, "nothing gave way in decision %d on incident %s", number, journal[n].XDR)
	}
	var all []Undone
	for i, u := range back {
		w := u.write
		w.ID, w.Actor, w.At = s.o.NewID(), by, s.o.Now()
		w.Notes = []string{fmt.Sprintf("%s set again: decision %d of the synchronisation was undone.", u.Value, number)}
		end := s.o.XDR
		if u.Side == reconcile.Workspace {
			end = s.o.Workspace(strings.ToLower(ws))
		}
		if back[i].Applied, err = end.Apply(ctx, w); err != nil {
			return all, fmt.Errorf("undo decision %d: set %s of incident %s on the %s again: %w", number, u.Field, w.Incident, u.Side, err)
		}
		all = append(all, back[i].Undone)
	}
	s.o.Changed()
	return all, nil
}

// loser is a value that gave way, with the write that sets it again.
type loser struct {
	Undone
	write port.Write
}

// losers are the values that gave way in a decision.
func (d Decision) losers() (all []loser) {
	for _, r := range d.Reasons {
		if r.Lost == "" {
			continue
		}
		l := loser{Undone: Undone{Field: r.Field, Side: reconcile.XDR, Value: r.Lost}, write: port.Write{Incident: d.XDR}}
		saw := d.SawXDR
		if r.From == reconcile.XDR {
			if d.SawWork == nil {
				continue
			}
			l.Side, l.write.Incident, saw = reconcile.Workspace, d.Name, *d.SawWork
		}
		switch r.Field {
		case port.FieldResolution:
			l.write.Resolution = &saw.Resolution
		case port.FieldOwner:
			l.write.Owner = &saw.Assigned
		case port.FieldSeverity:
			l.write.Severity = &saw.Severity
		default:
			continue
		}
		all = append(all, l)
	}
	return all
}

// Verification is what Verify found.
type Verification struct {
	Compared int
	Apart    []Apart  // pairs that don't agree
	Strays   []string // workspace incidents whose partner the XDR doesn't know
}

// Apart is a pair that doesn't agree, and what would bring it into agreement.
type Apart struct {
	XDR, Name string
	Reasons   []reconcile.Reason
}

// Verify compares all incidents of both sides of a connected workspace, and
// has those that don't agree be looked at next. Conflict if the workspace
// isn't connected.
func (s *Service) Verify(ctx context.Context, ws string) (v Verification, err error) {
	ws = strings.ToLower(ws)
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.refresh(ctx, s.o.Now()); err != nil {
		return v, fmt.Errorf("verify workspace %s: %w", ws, err)
	}
	r := s.runners[ws]
	if r == nil {
		return v, fault.New(fault.Conflict, "workspace %s isn't connected: there is nothing to compare", ws)
	}
	known := map[string]bool{}
	err = pages(ctx, r.xdr.end, func(id string) error {
		known[id] = true
		v.Compared++
		a, err := r.compare(ctx, id)
		if err == nil && a != nil {
			v.Apart = append(v.Apart, *a)
			r.queue.add(id, laneEdits, CauseVerify, 0)
		}
		return err
	})
	if err == nil {
		err = pages(ctx, r.work.end, func(name string) error {
			i, err := r.work.end.Incident(ctx, name)
			if err == nil && !known[i.Partner] {
				v.Strays = append(v.Strays, name)
			}
			return err
		})
	}
	if err != nil {
		return v, fmt.Errorf("verify workspace %s: %w", ws, err)
	}
	if len(v.Apart) > 0 {
		s.o.Changed()
	}
	return v, nil
}

// pages calls f with the id of every incident of an end.
func pages(ctx context.Context, end port.End, f func(id string) error) error {
	for after := ""; ; {
		ids, err := end.IDs(ctx, after, resyncAtOnce)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := f(id); err != nil {
				return err
			}
			after = id
		}
	}
}

// compare decides on a pair without doing anything; nil if it agrees.
func (r *runner) compare(ctx context.Context, id string) (*Apart, error) {
	l, err := r.recall(ctx, id)
	if err != nil {
		return nil, err
	}
	in, err := r.input(ctx, l)
	if err != nil {
		return nil, err
	}
	plan := reconcile.Decide(in)
	if plan.Empty() && l.Intent == nil {
		return nil, nil
	}
	return &Apart{XDR: id, Name: l.Name, Reasons: plan.Reasons}, nil
}

// input reads both sides of a pair for a decision.
func (r *runner) input(ctx context.Context, l link) (reconcile.Input, error) {
	x, err := r.incident(ctx, &r.xdr, l.XDR)
	if err != nil {
		return reconcile.Input{}, fmt.Errorf("read incident %s of the XDR: %w", l.XDR, err)
	}
	w, err := r.partner(ctx, l)
	return r.inputOf(l, x, w), err
}

func (r *runner) inputOf(l link, x port.Incident, w *port.Incident) reconcile.Input {
	return reconcile.Input{
		XDR: x, Workspace: w, Base: l.Base, Name: l.Name, XDRCan: r.xdr.can, WorkspaceCan: r.workspaceCan(),
		Dictionary: Dictionary{}, Now: r.s.o.Now(),
	}
}
