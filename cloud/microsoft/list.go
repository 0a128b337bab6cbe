package microsoft

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
)

// entry is a line of a list of incidents.
type entry struct {
	id               string
	created, updated schema.Ticks
	values           uint64 // digest of the line
	strange          bool   // doesn't take part in the synchronisation
}

// by is the time that a list is followed by.
type by int

const (
	created by = iota
	updated
)

func (e entry) stamp(b by) schema.Ticks {
	if b == created {
		return e.created
	}
	return e.updated
}

// catalog is an API's list of incidents. first gives the path of the page of
// those whose time is from or later, oldest first if the API can order; read
// gives a page and the path of the next, "" at the end.
type catalog interface {
	first(b by, from schema.Ticks, top int, ordered bool) string
	read(ctx context.Context, path string) (page []entry, next string, err error)
}

// walk follows a catalog by a time, in steps that a set on the move can't
// spoil: each page begins at the last stamp of the one before it, never at an
// offset, but for more lines of one stamp than a page holds. It gives at least
// want lines that are wanted, or all there are, complete to the last stamp; in
// order of stamp and id. Source: sync-failures S1, S2.
func walk(ctx context.Context, c catalog, b by, from schema.Ticks, want, top int, wanted func(entry) bool) ([]entry, error) {
	g := gathered{b: b, wanted: wanted, lines: map[string]entry{}}
	for at := from; ; at = g.last {
		g.last = at
		next, err := g.step(ctx, c, at, top)
		switch {
		case errors.Is(err, errUnordered):
			return unordered(ctx, c, b, from, top, wanted)
		case err != nil:
			return nil, err
		case next == "":
			return g.inOrder(schema.MaxTicks), nil
		}
		if len(g.lines) >= want {
			if complete := g.inOrder(g.last); len(complete) > 0 {
				return complete, nil
			}
		}
	}
}

// largestPage is the most lines that either API gives at once. Source: facts 5.1.
const largestPage = 1000

// errUnordered says that a catalog doesn't order its list.
var errUnordered = errors.New("the list isn't in the order asked for")

// gathered are the lines of a walk so far.
type gathered struct {
	b      by
	wanted func(entry) bool
	lines  map[string]entry
	last   schema.Ticks // greatest stamp
}

// step reads the lines from a stamp on until there is a later one, and tells
// where the list goes on.
func (g *gathered) step(ctx context.Context, c catalog, at schema.Ticks, top int) (next string, err error) {
	page, next, err := c.read(ctx, c.first(g.b, at, top, true))
	if fault.Is(err, fault.Invalid) {
		return "", fmt.Errorf("%w: %w", errUnordered, err)
	}
	for {
		if err != nil {
			return "", err
		}
		if !slices.IsSortedFunc(page, func(x, y entry) int { return cmp.Compare(x.stamp(g.b), y.stamp(g.b)) }) {
			return "", errUnordered
		}
		g.take(page)
		if next == "" || g.last > at {
			return next, nil
		}
		page, next, err = c.read(ctx, next)
		if fault.Is(err, fault.Invalid) && top < largestPage { // the API bounds how far offsets go
			top = largestPage
			page, next, err = c.read(ctx, c.first(g.b, at, top, true))
		}
	}
}

func (g *gathered) take(page []entry) {
	for _, e := range page {
		g.last = max(g.last, e.stamp(g.b))
		if !e.strange && g.wanted(e) {
			g.lines[e.id] = e
		}
	}
}

// unordered is the walk of a catalog that can't order: all pages at once.
func unordered(ctx context.Context, c catalog, b by, from schema.Ticks, top int, wanted func(entry) bool) ([]entry, error) {
	g := gathered{b: b, wanted: wanted, lines: map[string]entry{}}
	for path := c.first(b, from, top, false); path != ""; {
		page, next, err := c.read(ctx, path)
		if err != nil {
			return nil, err
		}
		g.take(page)
		path = next
	}
	return g.inOrder(schema.MaxTicks), nil
}

// inOrder gives the lines with a stamp before an end in order of stamp and id.
func (g *gathered) inOrder(end schema.Ticks) (out []entry) {
	for _, e := range g.lines {
		if e.stamp(g.b) < end {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(x, y entry) int { return cmp.Or(cmp.Compare(x.stamp(g.b), y.stamp(g.b)), cmp.Compare(x.id, y.id)) })
	return out
}

// census gives the ids of all incidents in pages, in order of creation. It
// remembers nothing but when the last one of a page was made.
type census struct {
	mu    sync.Mutex
	stamp map[string]schema.Ticks
}

// someTies is how many lines more than wanted a page has, since those of its
// last stamp may be incomplete.
const someTies = 16

// page gives the ids after one; made tells when an incident was made.
func (s *census) page(ctx context.Context, c catalog, after string, limit, top int, made func(id string) (schema.Ticks, error)) ([]string, error) {
	from, err := s.from(after, made)
	if err != nil {
		return nil, err
	}
	later := func(e entry) bool { return after == "" || e.created > from || e.created == from && e.id > after }
	lines, err := walk(ctx, c, created, from, limit, max(min(top, limit+someTies), 2), later)
	if err != nil {
		return nil, err
	}
	lines = lines[:min(limit, len(lines))]
	ids := make([]string, len(lines))
	for i, e := range lines {
		ids[i] = e.id
	}
	if n := len(lines); n > 0 {
		s.mu.Lock()
		if len(s.stamp) > 16 || s.stamp == nil { // a few pages are under way at most
			s.stamp = map[string]schema.Ticks{}
		}
		s.stamp[lines[n-1].id] = lines[n-1].created
		s.mu.Unlock()
	}
	return ids, nil
}

func (s *census) from(after string, made func(id string) (schema.Ticks, error)) (schema.Ticks, error) {
	if after == "" {
		return 0, nil
	}
	s.mu.Lock()
	at, ok := s.stamp[after]
	s.mu.Unlock()
	if ok {
		return at, nil
	}
	return made(after)
}

// watch makes hints of a catalog that is polled: those incidents whose stamp
// or line is new since the last poll. The position of a hint is its stamp.
type watch struct {
	short schema.Ticks // how far each poll goes back

	mu     sync.Mutex
	began  schema.Ticks
	wide   schema.Ticks // when the last wide poll was
	newest schema.Ticks // stamp
	moved  schema.Ticks // when the newest stamp became it, by our clock
	hinted map[string]hinted
}

// hinted is a line that was told. again is when it is told once more: a stamp
// of whole seconds may hide a second change, and a replica that lags may show
// the state before one under the same stamp.
type hinted struct {
	updated schema.Ticks
	values  uint64
	again   schema.Ticks
}

// hints polls. now is our clock's, which may differ from the server's by the
// quarter of an hour that the wide overlap covers.
func (w *watch) hints(ctx context.Context, c catalog, after int64, limit, top int, now schema.Ticks, saw func(entry)) ([]port.Hint, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began == 0 {
		w.began, w.hinted = now, map[string]hinted{}
	}
	from, wide := w.from(schema.Ticks(after), now), now >= w.wide+wideEvery
	if wide {
		from = schema.Ticks(after) - wideOverlap
	}
	if after == 0 {
		from = w.began - wideOverlap
	}
	lines, err := walk(ctx, c, updated, max(from, 0), limit, min(top, limit+someTies), func(e entry) bool { return w.news(e, now) })
	if err != nil {
		return nil, err
	}
	if wide && len(lines) < limit {
		w.wide = now
		w.forget(from)
	}
	hints := make([]port.Hint, 0, len(lines))
	for _, e := range lines {
		saw(e)
		h := hinted{updated: e.updated, values: e.values}
		if was := w.hinted[e.id]; e.updated%schema.Second == 0 && (was.updated != e.updated || was.values != e.values) {
			h.again = now + 2*schema.Second
		}
		w.hinted[e.id] = h
		hints = append(hints, port.Hint{Seq: int64(e.updated), Incident: e.id, At: e.updated})
	}
	return hints, nil
}

// from is where a poll begins. Once the newest stamp has stood for the overlap
// what lagged behind it has come.
func (w *watch) from(newest, now schema.Ticks) schema.Ticks {
	if newest != w.newest {
		w.newest, w.moved = newest, now
	}
	if now > w.moved+w.short {
		return newest
	}
	return newest - w.short
}

func (w *watch) news(e entry, now schema.Ticks) bool {
	was, ok := w.hinted[e.id]
	return !ok || was.updated != e.updated || was.values != e.values || was.again != 0 && now >= was.again
}

// forget drops what no poll reaches any more.
func (w *watch) forget(before schema.Ticks) {
	for id, h := range w.hinted {
		if h.updated < before-wideOverlap {
			delete(w.hinted, id)
		}
	}
}
