package connector

import (
	"lockstep/fault"
)

// Ask has the ends that have to be polled be asked for what changed at the next
// call of Next, whenever that was due. An end that asked for rest gets it.
func (s *Service) Ask() {
	s.turn.Lock()
	defer s.turn.Unlock()
	for _, r := range s.runners {
		for _, f := range []*feeder{&r.xdr, &r.work} {
			if f.can.PollEvery > 0 {
				f.poll, f.window.until = 0, 0
				f.asked, f.refused = true, 0
			}
		}
	}
}

// Pending reports whether something is left that Next will do by itself before
// long: an end that hasn't answered since it was asked last, or an incident
// that waits, be it for a retry. Incidents that keep failing are left out.
// Unavailable if an end failed to answer several times.
func (s *Service) Pending() (bool, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	pending := false
	for _, r := range s.inOrder() {
		for _, f := range []*feeder{&r.xdr, &r.work} {
			if f.asked && f.refused >= worthTelling {
				r.mu.Lock()
				cause := r.figures.errors[string(f.side)+" feed"]
				r.mu.Unlock()
				return true, fault.New(fault.Unavailable, "the %s can't be asked what changed there: %s", f.side, cause)
			}
			pending = pending || f.asked
		}
		for _, it := range r.queue.items {
			pending = pending || !it.done
		}
	}
	return pending, nil
}
