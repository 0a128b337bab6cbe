package connector

import (
	"context"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
)

// together is an end that can make writes to several incidents in one
// transaction: all of them or none, each as Apply would make it.
type together interface {
	ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error)
}

// sendTogether makes the writes of those decisions that write to the workspace
// alone at once, if its end can do that, and gives the decisions that are still
// to be sent, one by one: their ids tell what was made meanwhile. If it isn't
// known whether they were made, a refusal of the repeat doesn't tell either.
func (r *runner) sendTogether(ctx context.Context, jobs []*job) (left []*job) {
	end, can := r.work.end.(together)
	if !can || !r.work.can.WriteIDs {
		return jobs
	}
	var at []*job
	for _, j := range jobs {
		if len(j.steps) == 1 && j.steps[0].side == reconcile.Workspace {
			at = append(at, j)
		} else {
			left = append(left, j)
		}
	}
	return append(left, r.sendBatch(ctx, end, at)...)
}

// sendBatch makes writes at once, and in halves where a batch fails because of
// one of them: each of the others is made, and the one is left alone.
func (r *runner) sendBatch(ctx context.Context, end together, jobs []*job) (left []*job) {
	if len(jobs) < 2 {
		return jobs
	}
	writes := make([]port.Write, len(jobs))
	for i, j := range jobs {
		writes[i] = j.steps[0].Write
	}
	made, err := order(&r.work, r.s.o.Now(), func() ([]port.Applied, error) { return end.ApplyAll(ctx, writes) })
	switch {
	case err == nil:
		for i, j := range jobs {
			r.made(j, 0, made[i])
		}
		return nil
	case !definite(err):
		for _, j := range jobs {
			j.unsure = true
		}
	}
	if !poisonous(err) && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
		return jobs // nobody is there, or wants rest: no batch fares better
	}
	half := len(jobs) / 2
	return append(r.sendBatch(ctx, end, jobs[:half]), r.sendBatch(ctx, end, jobs[half:])...)
}

// made notes that a decision's write was made.
func (r *runner) made(j *job, n int, a port.Applied) {
	sent := &j.d.Writes[n]
	sent.Outcome, sent.Version, sent.At = Made, a.Version, a.At
	r.measure(j.it, j.steps[n])
}
