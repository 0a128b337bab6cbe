package xdr

import (
	"lockstep/schema"
	"lockstep/state"
)

// How memories of entities are swept: so many keys at once, all of them once
// in a period.
const (
	sweepKeys   = 500
	sweepPeriod = 6 * schema.Hour
)

// sweeps says where the sweep stands: the key to go on from, and when it
// began or, with From "", when the next begins.
var sweeps = state.Table[sweep]{Name: "xdr/sweep"}

type sweep struct {
	From string       `json:"from"`
	At   schema.Ticks `json:"at"`
}

// sweep forgets memories that can't matter any more, a portion at a time.
func (s *Service) sweep(tx state.Tx, now schema.Ticks) (did bool, wakeAt schema.Ticks) {
	at, _ := sweeps.Get(tx, "memories")
	if at.From == "" && now < at.At {
		return false, at.At
	}
	var old []string
	seen, next := 0, ""
	for key, m := range memories.Scan(tx, state.Range{From: at.From}) {
		if seen++; seen > sweepKeys {
			next = key
			break
		}
		if m.At+s.correlator.Keep() < now {
			old = append(old, key)
		}
	}
	for _, key := range old {
		memories.Delete(tx, key)
	}
	at = sweep{From: next, At: now}
	if next == "" {
		at.At = now + sweepPeriod
	}
	sweeps.Put(tx, "memories", at)
	return len(old) > 0 || next != "", at.At
}
