package connector

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/schema"
)

// list is where gaps of the comparison of all are, beside the sides' feeds.
const list = "list"

// lonely is how often one entry alone must fail before it is stepped over.
const lonely = 2

// farthest is how far past an entry that can't be read another one is looked
// for: feeds of other servers may count time.
const farthest = int64(1) << 40

// window is how a feed or list is read: how many entries are asked for at
// once, and when. Of a page that fails as a whole, because of one entry or of
// its size, half is asked for the next time; it doubles again while pages come.
type window struct {
	size, most int
	attempts   int          // failed in a row
	alone      int          // of them for one entry, by its own fault
	until      schema.Ticks // rests after a failure
}

func newWindow(most int) window { return window{size: most, most: most} }

func (w *window) came() { *w = window{size: min(w.most, 2*w.size), most: w.most} }

func (w *window) failed(until schema.Ticks, err error) {
	if w.size > 1 || !poisonous(err) {
		w.alone = 0
	} else {
		w.alone++
	}
	w.size = max(1, w.size/2)
	w.attempts++
	w.until = until
}

// stuck reports whether a page of one entry keeps failing because of that entry.
func (w *window) stuck(err error) bool {
	return w.size == 1 && w.alone >= lonely && poisonous(err)
}

// gap is a part of a feed or of the list of all that can't be read, stepped
// over for what follows it: the entries after From, up to To. It is a hole,
// shown and tried again now and then.
type gap struct {
	Of       string       `json:"of"` // a side's feed, or list
	From     int64        `json:"from"`
	To       int64        `json:"to"`
	Since    schema.Ticks `json:"since"`
	Attempts int          `json:"attempts"`
	Next     schema.Ticks `json:"next"`
	Error    string       `json:"error"`
}

// hole is how a gap shows.
func (g gap) hole() Hole {
	where := fmt.Sprintf("entries %d to %d of the %s feed", g.From+1, g.To, g.Of)
	if g.Of == list {
		where = fmt.Sprintf("ids %d to %d of the list of incidents", g.From+1, g.To)
	}
	return Hole{Where: where, Since: g.Since, Attempts: g.Attempts, Next: g.Next, Error: g.Error}
}

// poisonous reports whether an error may be due to what was asked for: the
// server is there, and asking for something else may succeed.
func poisonous(err error) bool { return fault.Is(err, fault.Internal) || fault.Is(err, fault.Invalid) }

// stepOver finds the first position after one at which a page of one entry can
// be read again, and leaves a gap before it. ok is false if there is none: then
// it isn't an entry that fails.
func (r *runner) stepOver(ctx context.Context, of string, from int64, cause error, now schema.Ticks, read func(after int64) error) (to int64, ok bool, err error) {
	to, ok, err = past(from, read)
	if err != nil || !ok {
		return 0, false, err
	}
	r.gaps = append(r.gaps, gap{Of: of, From: from, To: to, Since: now, Attempts: quarantine, Next: now + r.delay(quarantine, cause), Error: cause.Error()})
	return to, true, nil
}

// past looks farther and farther, then for the nearest position that works.
func past(from int64, read func(after int64) error) (to int64, ok bool, err error) {
	works := func(at int64) bool {
		if err == nil {
			if failed := read(at); failed == nil {
				return true
			} else if !poisonous(failed) {
				err = failed
			}
		}
		return false
	}
	step := int64(1)
	for ; !works(from + step); step *= 2 {
		if err != nil || step >= farthest {
			return 0, false, err
		}
	}
	low, high := from+step/2, from+step
	for high-low > 1 && err == nil {
		if middle := low + (high-low)/2; works(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high, err == nil, err
}

// gapAt gives the end of the gap that begins at a position.
func (r *runner) gapAt(of string, from int64) (to int64, there bool) {
	n := slices.IndexFunc(r.gaps, func(g gap) bool { return g.Of == of && g.From == from })
	if n < 0 {
		return 0, false
	}
	return r.gaps[n].To, true
}

// fill tries gaps again that are due.
func (r *runner) fill(ctx context.Context, now schema.Ticks) error {
	tried := false
	for n := range r.gaps {
		g := &r.gaps[n]
		if g.Next > now {
			continue
		}
		tried = true
		for err := error(nil); err == nil && g.From < g.To; {
			err = r.readGap(ctx, g, now)
			switch {
			case ctx.Err() != nil:
				return err
			case fault.Is(err, fault.Throttled): // not the entry's fault
				g.Next = now + r.delay(1, err)
			case err != nil:
				g.Attempts++
				g.Next, g.Error = now+r.delay(g.Attempts, err), err.Error()
			}
		}
	}
	if !tried {
		return nil
	}
	r.gaps = slices.DeleteFunc(r.gaps, func(g gap) bool { return g.From >= g.To })
	return r.keep(ctx)
}

// readGap reads the next entry of a gap.
func (r *runner) readGap(ctx context.Context, g *gap, now schema.Ticks) error {
	if g.Of == list {
		ids, err := r.page(ctx, idOf(g.From), 1)
		if err != nil {
			return err
		}
		g.From = g.To
		if len(ids) > 0 {
			g.From, _ = strconv.ParseInt(ids[0], 10, 64) // a gap is made of numbers alone
			r.queue.add(ids[0], laneResync, CauseResync, 0)
		}
		return nil
	}
	f := r.feeder(reconcile.Side(g.Of))
	hints, err := r.changes(ctx, f, g.From, 1)
	if err != nil {
		return err
	}
	g.From = g.To
	if len(hints) > 0 && hints[0].Seq <= g.To {
		g.From = hints[0].Seq
		return r.heed(ctx, f, hints)
	}
	return nil
}

// changes reads a page of a feed.
func (r *runner) changes(ctx context.Context, f *feeder, after int64, limit int) ([]port.Hint, error) {
	return ask(f, r.s.o.Now(), func() ([]port.Hint, error) { return f.end.Changes(ctx, after, limit) })
}

// page reads a page of the list of all.
func (r *runner) page(ctx context.Context, after string, limit int) ([]string, error) {
	return ask(&r.xdr, r.s.o.Now(), func() ([]string, error) { return r.xdr.end.IDs(ctx, after, limit) })
}
