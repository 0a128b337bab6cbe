package connector

import (
	"context"
	"errors"
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

// job is a decision on one pair that waits to be carried out.
type job struct {
	it    *item
	l     link
	d     Decision
	steps []sided

	unsure bool  // its write was sent before, without an answer
	err    error // what went wrong with its writes
}

// prepare settles what was on its way for a pair, reads both sides and
// decides. It gives nil if nothing is to be done.
func (r *runner) prepare(ctx context.Context, it *item, now schema.Ticks, depth int) (*job, error) {
	it.more = false
	l, err := r.recall(ctx, it.key)
	if err != nil {
		return nil, err
	}
	if l.Intent != nil {
		if l, err = r.recover(ctx, l); err != nil {
			return nil, err
		}
	}
	s, err := r.see(ctx, l, now, depth)
	if gone := (*goneError)(nil); errors.As(err, &gone) {
		return nil, r.forgive(ctx, l) // gone from the XDR: the workspace keeps what it has
	}
	if err != nil {
		return nil, err
	}
	if s.plan.Empty() {
		return nil, r.forgive(ctx, l)
	}
	d := r.decision(l, it, s.x, s.w, s.plan)
	l.Decisions = d.Number
	if s.latest {
		l.Seen = s.x.Version
	}
	if l.Base != nil || !s.plan.Agreed.Empty() {
		l.Base = settled(l.Base, s.plan.Agreed)
	}
	it.more = !s.latest
	return &job{it: it, l: l, d: d, steps: stepsOf(s.plan)}, nil
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
	if err := r.flush(ctx, now); err != nil { // the target may wait there
		return err
	}
	it := &item{key: target, cause: CauseTarget}
	if waiting, ok := r.queue.items[target]; ok {
		it.hintAt = waiting.hintAt
	}
	j, err := r.prepare(ctx, it, now, depth+1)
	if err == nil && j != nil {
		if err = r.carryOut(ctx, []*job{j}); err == nil {
			err = j.err
		}
	}
	if it.more {
		r.queue.add(target, laneEdits, CauseTarget, it.hintAt)
	}
	if err != nil {
		return fmt.Errorf("bring incident %s up to date, into which %s was merged: %w", target, x.ID, err)
	}
	return nil
}

// partner reads the workspace incident; nil if there is none.
func (r *runner) partner(ctx context.Context, l link) (*port.Incident, error) {
	w, err := r.incident(ctx, &r.work, l.Name)
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

// carryOut makes the writes of several decisions: all intents, the writes, all
// outcomes. Each of the three is durable before the next. What is agreed
// without a write goes with the intents. Its error is one of the own store;
// what went wrong with a job's writes is in the job.
func (r *runner) carryOut(ctx context.Context, jobs []*job) error {
	var writing []*job
	for _, j := range jobs {
		if len(j.steps) == 0 {
			j.l.Hole, j.l.Seen = nil, max(j.l.Seen, j.d.SawXDR.Version)
			continue
		}
		writing = append(writing, j)
		j.l.Intent = &intent{Decision: j.d.Number}
		for _, s := range j.steps {
			j.l.Intent.Steps = append(j.l.Intent.Steps, pending{Side: s.side, WriteID: s.Write.ID, Settles: s.Settles})
		}
	}
	if err := r.record(ctx, jobs...); err != nil || len(writing) == 0 {
		return err
	}
	for _, j := range r.sendTogether(ctx, writing) {
		r.send(ctx, j)
	}
	for _, j := range writing {
		j.l = conclude(j.l, j.d)
		if j.err == nil {
			j.l.Hole = nil
		}
	}
	return r.record(ctx, writing...)
}

// send makes the writes of one decision and notes what became of each.
func (r *runner) send(ctx context.Context, j *job) {
	for n, s := range j.steps {
		f := r.feeder(s.side)
		made, err := order(f, r.s.o.Now(), func() (port.Applied, error) { return f.end.Apply(ctx, s.Write) })
		sent := &j.d.Writes[n]
		switch {
		case err == nil:
			r.made(j, n, made)
		case definite(err) && !j.unsure:
			sent.Outcome, sent.Error = Refused, err.Error()
		default:
			sent.Error = err.Error() // still pending: it may have been made
		}
		if err != nil && (j.err == nil || fault.Is(j.err, fault.Conflict)) {
			j.err = fmt.Errorf("write to incident %s of the %s: %w", s.Write.Incident, s.side, err)
		}
	}
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
	if !slices.ContainsFunc(d.Writes, func(s Sent) bool { return s.Outcome != Made && s.Outcome != Found }) {
		l.Seen = max(l.Seen, d.SawXDR.Version)
	}
	for _, step := range l.Intent.Steps {
		n := slices.IndexFunc(d.Writes, func(s Sent) bool { return s.WriteID == step.WriteID })
		switch d.Writes[n].Outcome {
		case Made, Found:
			l.Base = settled(l.Base, step.Settles)
			if step.Side == reconcile.XDR {
				l.Seen = max(l.Seen, d.Writes[n].Version) // made on condition of the version before
			}
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
		if !f.can.WriteIDs {
			if err := r.infer(ctx, f, &l, d, sent); err != nil {
				return l, err
			}
			continue
		}
		ok := false
		made, err := ask(f, r.s.o.Now(), func() (a port.Applied, err error) {
			a, ok, err = f.end.Applied(ctx, sent.WriteID)
			return a, err
		})
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
	return l, r.record(ctx, &job{l: l, d: d})
}

// infer settles what can be known of a write to an end that can't be asked
// after it. An incident that is there was made by the write that makes it.
// Else a value that is as the write has it is agreed, whoever set it; of the
// others nobody knows.
func (r *runner) infer(ctx context.Context, f *feeder, l *link, d Decision, sent *Sent) error {
	present, err := r.incident(ctx, f, sent.Incident)
	if fault.Is(err, fault.NotFound) {
		sent.Outcome = Dropped
		return nil
	}
	if err != nil {
		return fmt.Errorf("look what became of write %s to the %s: %w", sent.WriteID, sent.Side, err)
	}
	if sent.Side == reconcile.Workspace && d.SawWork == nil {
		sent.Outcome, sent.Version, sent.Error = Found, present.Version, ""
		return nil
	}
	sent.Outcome = Unknown
	if reconcile.WordForWord(r.xdr.can, r.work.can) {
		present.Comments = reconcile.ByWords(l.XDR, present.Comments)
	}
	if n := slices.IndexFunc(l.Intent.Steps, func(p pending) bool { return p.WriteID == sent.WriteID }); n >= 0 && sent.Incident == l.incidentOn(sent.Side) {
		l.Base = settled(l.Base, l.Intent.Steps[n].Settles.Shown(sent.Side, present))
	}
	return nil
}

// record stores what is remembered of pairs, each with a journal entry.
func (r *runner) record(ctx context.Context, jobs ...*job) error {
	return r.store(ctx, func(tx state.Tx) {
		for _, j := range jobs {
			links.Put(tx, linkKey(r.ws, j.l.XDR), j.l)
			decisions.Put(tx, decisionKey(r.ws, j.l.XDR, j.d.Number), j.d)
		}
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
