package connector

import (
	"context"
	"fmt"
	"slices"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/state"
)

// deepestMerge bounds how far merges are followed. The XDR redirects to live
// incidents alone, so one step is enough.
const deepestMerge = 3

// agree brings one pair of incidents into agreement: it settles what was on
// its way, reads both sides, decides, and writes by intent, write, outcome.
// Conflict: an incident changed meanwhile, decide again.
func (r *runner) agree(ctx context.Context, it *item, now schema.Ticks, depth int) error {
	l, err := r.recall(ctx, it.key)
	if err != nil {
		return err
	}
	if l.Intent != nil {
		if l, err = r.recover(ctx, l); err != nil {
			return err
		}
	}
	x, err := r.xdr.end.Incident(ctx, it.key)
	if fault.Is(err, fault.NotFound) {
		return r.forgive(ctx, l) // gone from the XDR: the workspace keeps what it has
	}
	if err != nil {
		return fmt.Errorf("read incident %s of the XDR: %w", it.key, err)
	}
	if err := r.targetFirst(ctx, l, x, now, depth); err != nil {
		return err
	}
	w, err := r.partner(ctx, l)
	if err != nil {
		return err
	}
	plan := reconcile.Decide(reconcile.Input{
		XDR: x, Workspace: w, Base: l.Base, Name: l.Name, XDRCan: r.xdr.can, WorkspaceCan: r.workspaceCan(),
		Dictionary: Dictionary{}, Now: r.s.o.Now(),
	})
	if plan.Empty() {
		return r.forgive(ctx, l)
	}
	d := r.decision(l, it, x, w, plan)
	return r.carryOut(ctx, it, l, d, plan)
}

// recall reads what is remembered of a pair.
func (r *runner) recall(ctx context.Context, xdr string) (l link, err error) {
	err = r.s.o.Store.View(ctx, func(tx state.Tx) error {
		l = r.link(tx, xdr)
		return nil
	})
	if err != nil {
		err = &storeError{err}
	}
	return l, err
}

// forgive removes the hole of an incident that works again.
func (r *runner) forgive(ctx context.Context, l link) error {
	if l.Hole == nil {
		return nil
	}
	l.Hole = nil
	return r.store(ctx, func(tx state.Tx) { links.Put(tx, linkKey(r.ws, l.XDR), l) })
}

// targetFirst brings the incident that this one was merged into up to date
// before this one is emptied, so that no alert is missing in between.
func (r *runner) targetFirst(ctx context.Context, l link, x port.Incident, now schema.Ticks, depth int) error {
	target := x.Content.Redirect
	if target == "" || l.Base != nil && l.Base.Redirect == target || depth >= deepestMerge {
		return nil
	}
	it := &item{key: target, cause: CauseTarget}
	if waiting, ok := r.queue.items[target]; ok {
		it.hintAt = waiting.hintAt
	}
	if err := r.agree(ctx, it, now, depth+1); err != nil {
		return fmt.Errorf("bring incident %s up to date, into which %s was merged: %w", target, x.ID, err)
	}
	return nil
}

// partner reads the workspace incident; nil if there is none.
func (r *runner) partner(ctx context.Context, l link) (*port.Incident, error) {
	w, err := r.work.end.Incident(ctx, l.Name)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read incident %s of workspace %s: %w", l.Name, r.ws, err)
	}
	return &w, nil
}

func (r *runner) workspaceCan() port.Capabilities {
	can := r.work.can
	can.CreateAlerts = can.CreateAlerts && r.settings.Alerts
	return can
}

// decision is the journal's entry for a plan. Its writes get their ids here.
func (r *runner) decision(l link, it *item, x port.Incident, w *port.Incident, plan reconcile.Plan) Decision {
	d := Decision{
		Workspace: r.ws, XDR: l.XDR, Name: l.Name, Number: l.Decisions + 1, At: r.s.o.Now(), Cause: it.cause,
		SawXDR: seen(x), Base: l.Base, Reasons: plan.Reasons,
	}
	if w != nil {
		s := seen(*w)
		d.SawWork = &s
	}
	for _, step := range stepsOf(plan) {
		step.Write.ID = r.s.o.NewID()
		d.Writes = append(d.Writes, Sent{Side: step.side, WriteID: step.Write.ID, Incident: step.Write.Incident, Outcome: Pending})
	}
	return d
}

// sided is a step with the side it goes to.
type sided struct {
	*reconcile.Step
	side reconcile.Side
}

func stepsOf(p reconcile.Plan) (all []sided) {
	if p.XDR != nil {
		all = append(all, sided{p.XDR, reconcile.XDR})
	}
	if p.Workspace != nil {
		all = append(all, sided{p.Workspace, reconcile.Workspace})
	}
	return all
}

// carryOut makes a plan's writes: intent, writes, outcome. Each of the three is
// durable before the next. What is agreed without a write goes with the intent.
func (r *runner) carryOut(ctx context.Context, it *item, l link, d Decision, plan reconcile.Plan) error {
	l.Decisions = d.Number
	if l.Base != nil || !plan.Agreed.Empty() {
		l.Base = settled(l.Base, plan.Agreed)
	}
	steps := stepsOf(plan)
	if len(steps) > 0 {
		l.Intent = &intent{Decision: d.Number}
		for _, s := range steps {
			l.Intent.Steps = append(l.Intent.Steps, pending{Side: s.side, WriteID: s.Write.ID, Settles: s.Settles})
		}
	} else {
		l.Hole = nil
	}
	if err := r.record(ctx, l, d); err != nil || len(steps) == 0 {
		return err
	}
	var failure error
	for n, s := range steps {
		made, err := r.feeder(s.side).end.Apply(ctx, s.Write)
		sent := &d.Writes[n]
		switch {
		case err == nil:
			sent.Outcome, sent.Version, sent.At = Made, made.Version, made.At
			r.measure(it, s)
		case definite(err):
			sent.Outcome, sent.Error = Refused, err.Error()
		default:
			sent.Error = err.Error() // still pending: it may have been made
		}
		if err != nil && (failure == nil || fault.Is(failure, fault.Conflict)) {
			failure = fmt.Errorf("write to incident %s of the %s: %w", s.Write.Incident, s.side, err)
		}
	}
	l = conclude(l, d)
	if failure == nil {
		l.Hole = nil
	}
	if err := r.record(ctx, l, d); err != nil {
		return err
	}
	return failure
}

// definite reports whether an error says that the write was not made.
func definite(err error) bool {
	switch fault.KindOf(err) {
	case fault.Conflict, fault.Invalid, fault.NotFound, fault.Denied, fault.Throttled:
		return true
	}
	return false
}

// conclude settles the base by the writes that were made, and ends the intent
// unless one of them is still unknown.
func conclude(l link, d Decision) link {
	var open []pending
	for _, step := range l.Intent.Steps {
		n := slices.IndexFunc(d.Writes, func(s Sent) bool { return s.WriteID == step.WriteID })
		switch d.Writes[n].Outcome {
		case Made, Found:
			l.Base = settled(l.Base, step.Settles)
		case Pending:
			open = append(open, step)
		}
	}
	if len(open) == 0 {
		l.Intent = nil
	} else {
		l.Intent = &intent{Decision: l.Intent.Decision, Steps: open}
	}
	return l
}

// settled is a base with a delta made.
func settled(b *reconcile.Base, d reconcile.Delta) *reconcile.Base {
	base := reconcile.Base{}
	if b != nil {
		base = *b
	}
	base = base.Settle(d)
	return &base
}

// recover asks the sides what became of writes whose answer was lost.
func (r *runner) recover(ctx context.Context, l link) (link, error) {
	var d Decision
	err := r.s.o.Store.View(ctx, func(tx state.Tx) error {
		d, _ = decisions.Get(tx, decisionKey(r.ws, l.XDR, l.Intent.Decision))
		return nil
	})
	if err != nil {
		return l, &storeError{err}
	}
	for n := range d.Writes {
		sent := &d.Writes[n]
		if sent.Outcome != Pending {
			continue
		}
		f := r.feeder(sent.Side)
		if !f.can.WriteIDs { // it can't be asked: what it shows then decides
			sent.Outcome = Dropped
			continue
		}
		made, ok, err := f.end.Applied(ctx, sent.WriteID)
		switch {
		case err != nil:
			return l, fmt.Errorf("ask the %s what became of write %s: %w", sent.Side, sent.WriteID, err)
		case ok:
			sent.Outcome, sent.Version, sent.At, sent.Error = Found, made.Version, made.At, ""
		default:
			sent.Outcome = Dropped
		}
	}
	l = conclude(l, d)
	return l, r.record(ctx, l, d)
}

// record stores what is remembered of a pair with a journal entry.
func (r *runner) record(ctx context.Context, l link, d Decision) error {
	return r.store(ctx, func(tx state.Tx) {
		links.Put(tx, linkKey(r.ws, l.XDR), l)
		decisions.Put(tx, decisionKey(r.ws, l.XDR, d.Number), d)
	})
}

func (r *runner) feeder(side reconcile.Side) *feeder {
	if side == reconcile.XDR {
		return &r.xdr
	}
	return &r.work
}

// measure counts how long a change took to be visible on the other side.
func (r *runner) measure(it *item, s sided) {
	now := r.s.o.Now()
	if s.side == reconcile.Workspace {
		r.received(incidentsType, now)
		if c := s.Write.Content; c != nil && len(c.Alerts) > 0 {
			r.received(alertsType, now)
		}
	}
	if it.hintAt == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Write.Create {
		r.creation.add(now - it.hintAt)
	} else {
		r.edit.add(now - it.hintAt)
	}
}
