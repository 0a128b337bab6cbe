package replay

import (
	"sort"

	"lockstep/schema"
	"lockstep/source"
)

// The defaults by which a recording is brought to the present.
const (
	Longest     = 14 * schema.Day  // what a replay should fit
	LongPause   = 12 * schema.Hour // pauses over this are shortened first
	marginFirst = 30 * schema.Day  // times up to this long before the recording belong to its clock
	marginLast  = 2 * schema.Day   // and up to this long after it
)

// Plan says where each point of a recording's time goes. All offsets are whole
// seconds, so that fractions stay as they are and order is kept exactly.
// A point in the middle of a shortened pause goes to the pause's middle;
// points far outside the recording (a file made years ago) stay.
type Plan struct {
	first, last schema.Ticks
	parts       []part
}

// part is a stretch that moves as one. Points after left and up to right lie
// in the pause before the next part, and go to middle.
type part struct {
	until       schema.Ticks // points before it move by offset
	right       schema.Ticks
	middle      schema.Ticks
	offset      schema.Ticks
	hasNextPart bool
}

// NewPlan plans a replay that ends at end. If the recording is longer than
// longest, pauses over 12 hours are shortened, all to the same length, so that
// it fits; if that isn't enough, shorter pauses are cut as well, down to a
// minute. A recording that still doesn't fit stays longer.
func NewPlan(o source.Outline, end, longest schema.Ticks) Plan {
	p := Plan{first: o.First, last: o.Last}
	limit := pauseLimit(o, longest)
	offset := floor(end - o.Last)
	parts := []part{{offset: offset}}
	for i := len(o.Pauses) - 1; i >= 0; i-- {
		pause := o.Pauses[i]
		length := pause.To - pause.From
		if length <= limit {
			continue
		}
		cut := -floor(limit - length) // whole seconds, rounded up
		before := offset + cut
		middle := -floor(-(pause.From + before + (length-cut)/2))
		parts = append(parts, part{until: middle - before, right: middle - offset, middle: middle, offset: before, hasNextPart: true})
		offset = before
	}
	for i := len(parts) - 1; i >= 0; i-- {
		p.parts = append(p.parts, parts[i])
	}
	return p
}

// floor cuts to whole seconds, downwards.
func floor(t schema.Ticks) schema.Ticks {
	rest := t % schema.Second
	if rest < 0 {
		rest += schema.Second
	}
	return t - rest
}

// pauseLimit is the length to which longer pauses are shortened.
func pauseLimit(o source.Outline, longest schema.Ticks) schema.Ticks {
	excess := o.Last - o.First - longest
	if excess <= 0 {
		return o.Last - o.First
	}
	var long []schema.Ticks
	for _, p := range o.Pauses {
		if p.To-p.From > schema.Minute {
			long = append(long, p.To-p.From)
		}
	}
	sort.Slice(long, func(i, j int) bool { return long[i] > long[j] })
	// The n longest pauses cut down to the length of the next one: how much is
	// won? The first n at which that is enough decides.
	var sum schema.Ticks
	for n, length := range long {
		sum += length
		next := schema.Minute
		if n+1 < len(long) {
			next = max(next, long[n+1])
		}
		if length > LongPause { // all pauses over 12 hours are cut together
			next = min(next, LongPause)
			if n+1 < len(long) && long[n+1] > LongPause {
				continue
			}
		}
		if won := sum - next*schema.Ticks(n+1); won >= excess {
			return max(schema.Minute, min((sum-excess)/schema.Ticks(n+1), LongPause))
		}
	}
	return schema.Minute
}

// At gives the place of a point, and whether it moves at all.
func (p Plan) At(t schema.Ticks) (schema.Ticks, bool) {
	if t < p.first-marginFirst || t > p.last+marginLast {
		return t, false
	}
	i := sort.Search(len(p.parts), func(i int) bool { return !p.parts[i].hasNextPart || t <= p.parts[i].right })
	q := p.parts[i]
	if q.hasNextPart && t >= q.until {
		return q.middle, true
	}
	return t + q.offset, true
}

// Span is the first and last point of the recording after the move.
func (p Plan) Span() (first, last schema.Ticks) {
	first, _ = p.At(p.first)
	last, _ = p.At(p.last)
	return first, last
}

// still reports whether nothing moves.
func (p Plan) still() bool { return len(p.parts) == 1 && p.parts[0].offset == 0 }
