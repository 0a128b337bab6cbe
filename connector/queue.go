package connector

import (
	"container/heap"
	"slices"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/schema"
)

// lane is the order in which due work is taken.
type lane int

const (
	laneEdits  lane = iota // what somebody waits for
	laneNews               // new incidents, and alerts that came
	laneResync             // the comparison of all
)

// laneOf is the lane of a hint. The XDR's hints of alerts have no version, and
// a new incident has the first.
func laneOf(side reconcile.Side, h port.Hint) lane {
	if side == reconcile.XDR && h.Version <= 1 {
		return laneNews
	}
	return laneEdits
}

// item is one incident that has to be looked at. Hints for it coalesce while
// it waits.
type item struct {
	key      string // the XDR's id
	lane     lane
	due      schema.Ticks
	order    int64
	cause    Cause
	hintAt   schema.Ticks // when the oldest change that it stands for was made; 0: unknown
	attempts int
	done     bool
	more     bool // a later state of it waits to be seen
	index    int
}

// queue holds each incident at most once. Ready items come by lane, then in
// the order in which they were added; waiting ones become ready when due.
type queue struct {
	items   map[string]*item
	ready   items
	waiting items
	orders  int64
}

func newQueue() *queue {
	return &queue{items: map[string]*item{}, ready: items{less: byLane}, waiting: items{less: byDue}}
}

func (q *queue) size() int { return len(q.items) }

// add has an incident looked at. One that waits for a retry goes on waiting.
func (q *queue) add(key string, l lane, cause Cause, hintAt schema.Ticks) *item {
	it, there := q.items[key]
	if !there {
		q.orders++
		it = &item{key: key, lane: l, order: q.orders, cause: cause, hintAt: hintAt}
		q.items[key] = it
		heap.Push(&q.ready, it)
		return it
	}
	if hintAt != 0 && (it.hintAt == 0 || hintAt < it.hintAt) {
		it.hintAt = hintAt
	}
	if l < it.lane {
		it.lane = l
		it.cause = cause
		if it.index < q.ready.Len() && q.ready.list[it.index] == it {
			heap.Fix(&q.ready, it.index)
		}
	}
	return it
}

// take gives the next item that is due; nil if there is none.
func (q *queue) take(now schema.Ticks) *item {
	for q.waiting.Len() > 0 && q.waiting.list[0].due <= now {
		heap.Push(&q.ready, heap.Pop(&q.waiting))
	}
	if q.ready.Len() == 0 {
		return nil
	}
	return heap.Pop(&q.ready).(*item)
}

// finish removes an item that was taken.
func (q *queue) finish(it *item) {
	it.done = true
	delete(q.items, it.key)
}

// postpone has an item that was taken wait.
func (q *queue) postpone(it *item, until schema.Ticks) {
	it.due = until
	heap.Push(&q.waiting, it)
}

// idle reports whether nothing is due.
func (q *queue) idle(now schema.Ticks) bool {
	return q.ready.Len() == 0 && (q.waiting.Len() == 0 || q.waiting.list[0].due > now)
}

// nextDue is when the first waiting item is due, 0 if none waits.
func (q *queue) nextDue() schema.Ticks {
	if q.waiting.Len() == 0 {
		return 0
	}
	return q.waiting.list[0].due
}

// oldest is when the oldest change that waits was made, 0 if none is known.
func (q *queue) oldest() (at schema.Ticks) {
	for _, it := range q.items {
		if it.hintAt != 0 && (at == 0 || it.hintAt < at) {
			at = it.hintAt
		}
	}
	return at
}

// items is a heap.
type items struct {
	list []*item
	less func(a, b *item) bool
}

func byLane(a, b *item) bool {
	if a.lane != b.lane {
		return a.lane < b.lane
	}
	return a.order < b.order
}

func byDue(a, b *item) bool {
	if a.due != b.due {
		return a.due < b.due
	}
	return a.order < b.order
}

func (h *items) Len() int           { return len(h.list) }
func (h *items) Less(a, b int) bool { return h.less(h.list[a], h.list[b]) }
func (h *items) Swap(a, b int) {
	h.list[a], h.list[b] = h.list[b], h.list[a]
	h.list[a].index, h.list[b].index = a, b
}
func (h *items) Push(x any) {
	it := x.(*item)
	it.index = len(h.list)
	h.list = append(h.list, it)
}
func (h *items) Pop() any {
	last := h.list[len(h.list)-1]
	h.list[len(h.list)-1] = nil
	h.list = h.list[:len(h.list)-1]
	return last
}

// progress follows one feed: how far it was read, and up to where everything
// was dealt with.
type progress struct {
	read int64
	last []port.Hint // the page before
	open []mark
}

type mark struct {
	seq  int64
	item *item
}

// fresh leaves out of a page what the page before had: whether an end begins
// after a position or at it, and how finely its positions tell changes apart,
// nothing depends on.
func (p *progress) fresh(page []port.Hint) (fresh []port.Hint) {
	for _, h := range page {
		if h.Seq > p.read || !slices.Contains(p.last, h) {
			fresh = append(fresh, h)
		}
	}
	if len(fresh) > 0 {
		p.last = slices.Clone(page)
	}
	return fresh
}

// note says that a hint was read, and which item stands for it (nil: none). A
// page may come in any order.
func (p *progress) note(seq int64, it *item) {
	p.read = max(p.read, seq)
	if it == nil {
		return
	}
	at := len(p.open)
	for at > 0 && p.open[at-1].seq > seq {
		at--
	}
	p.open = slices.Insert(p.open, at, mark{seq, it})
}

// safe is the position from which a restart may go on.
func (p *progress) safe() int64 {
	for len(p.open) > 0 && p.open[0].item.done {
		p.open = p.open[1:]
	}
	if len(p.open) == 0 {
		p.open = nil
		return p.read
	}
	return p.open[0].seq - 1
}
