package connector

import (
	"context"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
)

// together is an end that can make writes to several incidents in one
// transaction: all of them or none, each as Apply would make it.
type together interface {
	ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error)
}

// sendTogether makes the writes of those decisions that write to the workspace
// alone at once, if its end can do that, and gives the decisions that are still
// to be sent. Where one of the writes fails all are sent one by one: their ids
// tell what was made meanwhile. If it isn't known whether they were made, a
// refusal of the repeat doesn't tell either.
func (r *runner) sendTogether(ctx context.Context, jobs []*job) (left []*job) {
	end, can := r.work.end.(together)
	if !can || !r.work.can.WriteIDs {
		return jobs
	}
	var at []*job
	var writes []port.Write
	for _, j := range jobs {
		if len(j.steps) == 1 && j.steps[0].side == reconcile.Workspace {
			at, writes = append(at, j), append(writes, j.steps[0].Write)
		} else {
			left = append(left, j)
		}
	}
	if len(writes) < 2 {
		return jobs
	}
	made, err := order(&r.work, r.s.o.Now(), func() ([]port.Applied, error) { return end.ApplyAll(ctx, writes) })
	if err != nil {
		for _, j := range at {
			j.unsure = !definite(err)
		}
		return jobs
	}
	for i, j := range at {
		r.made(j, 0, made[i])
	}
	return left
}

// made notes that a decision's write was made.
func (r *runner) made(j *job, n int, a port.Applied) {
	sent := &j.d.Writes[n]
	sent.Outcome, sent.Version, sent.At = Made, a.Version, a.At
	r.measure(j.it, j.steps[n])
}
