package connector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/state"
)

// Bounds of one call of Next, for each workspace.
const (
	hintsAtOnce   = 500   // read of each feed
	itemsAtOnce   = 32    // incidents brought into agreement
	resyncAtOnce  = 100   // ids read by the comparison of all
	longestQueue  = 20000 // beyond, feeds wait
	quarantine    = 5     // attempts after which an incident is a hole
	shortestRetry = 200 * schema.Millisecond
	longestRetry  = 10 * schema.Minute
	positionsLag  = 1000 // feed entries that a restart may read again
)

// runner synchronises one workspace. All but its figures belongs to whoever
// holds the service's turn.
type runner struct {
	s        *Service
	ws       string
	settings Settings
	xdr      feeder
	work     feeder
	queue    *queue
	taken    []*item // by this call, not dealt with yet
	batch    []*job  // decided, not carried out yet
	stored   position
	resync   resync
	gaps     []gap

	mu       sync.Mutex // guards figures
	figures  figures
	creation histogram
	edit     histogram
}

// feeder is one end with how far its feed was followed.
type feeder struct {
	side     reconcile.Side
	end      port.End
	can      port.Capabilities
	pace     pace
	progress progress
	window   window
	poll     schema.Ticks // when an end that has to be polled is asked again
	asked    bool         // it has to be polled, and hasn't answered since somebody asked for that
	refused  int          // how often it failed to since then
}

// resync is the comparison of all incidents.
type resync struct {
	due    schema.Ticks
	after  string
	on     bool
	window window
}

// compareFrom begins a comparison at a time.
func compareFrom(due schema.Ticks) resync {
	return resync{due: due, window: newWindow(resyncAtOnce)}
}

// figures are what Status tells of a runner.
type figures struct {
	received map[string]schema.Ticks
	failures map[string]int64
	errors   map[string]string
	resynced schema.Ticks
}

// start makes the runner of a connection: it goes on where the last one
// stopped, with what was on its way and the holes first, and compares all.
func (s *Service) start(ctx context.Context, k Connection, now schema.Ticks) (*runner, error) {
	r := &runner{
		s: s, ws: k.Workspace, settings: k.Settings, queue: newQueue(), resync: compareFrom(now),
		xdr:     feeder{side: reconcile.XDR, end: s.o.XDR},
		work:    feeder{side: reconcile.Workspace, end: s.o.Workspace(k.Workspace)},
		figures: figures{received: map[string]schema.Ticks{}, failures: map[string]int64{}, errors: map[string]string{}},
	}
	for _, f := range []*feeder{&r.xdr, &r.work} {
		f.can = f.end.Capabilities()
		f.window = newWindow(hintsAtOnce)
		f.pace = newPace(f.can.PerMinute, now)
		f.asked = f.can.PollEvery > 0
	}
	err := s.o.Store.View(ctx, func(tx state.Tx) error {
		r.stored, _ = positions.Get(tx, r.ws)
		r.xdr.progress.read, r.work.progress.read, r.gaps = r.stored.XDR, r.stored.Workspace, r.stored.Gaps
		for _, l := range links.By(tx, "open", state.Prefix(r.ws)) {
			r.queue.add(l.XDR, laneEdits, CauseRecovery, 0)
		}
		return nil
	})
	return r, err
}

// next does a bounded part of what is due.
func (r *runner) next(ctx context.Context, now schema.Ticks) (did bool, wakeAt schema.Ticks, err error) {
	for _, f := range []*feeder{&r.xdr, &r.work} {
		more, err := r.follow(ctx, f, now)
		if err != nil {
			return did, 0, err
		}
		did = did || more
	}
	for range itemsAtOnce {
		if now < r.xdr.pace.until || now < r.work.pace.until {
			break // an end asked for rest: every item needs both
		}
		it := r.queue.take(now)
		if it == nil {
			break
		}
		did = true
		if err := r.look(ctx, it, now); err != nil {
			return did, 0, r.abandon(now, err)
		}
	}
	if err := r.flush(ctx, now); err != nil {
		return did, 0, r.abandon(now, err)
	}
	if err := r.fill(ctx, now); err != nil {
		return did, 0, err
	}
	if r.queue.idle(now) {
		more, err := r.compareAll(ctx, now)
		if err != nil {
			return did, 0, err
		}
		did = did || more
		if err := r.keepPositions(ctx); err != nil {
			return did, 0, err
		}
	}
	return did, r.wake(now), nil
}

// wake is when something is due again: at once while items are ready.
func (r *runner) wake(now schema.Ticks) schema.Ticks {
	if rest := max(r.xdr.pace.until, r.work.pace.until); rest > now {
		return rest
	}
	if !r.queue.idle(now) || r.resync.on && now >= r.resync.window.until {
		return now
	}
	wake := max(r.resync.due, r.resync.window.until)
	for _, at := range []schema.Ticks{r.queue.nextDue(), r.xdr.window.until, r.work.window.until, r.xdr.poll, r.work.poll} {
		if at > now && at < wake {
			wake = at
		}
	}
	for _, g := range r.gaps {
		wake = min(wake, max(g.Next, now+1))
	}
	return wake
}

// follow reads hints of one feed into the queue.
func (r *runner) follow(ctx context.Context, f *feeder, now schema.Ticks) (did bool, err error) {
	if now < max(f.window.until, f.pace.until, f.poll) || r.queue.size() >= longestQueue {
		return false, nil
	}
	hints, err := r.changes(ctx, f, f.progress.read, f.window.size)
	if err != nil {
		return r.missed(ctx, f, now, err)
	}
	if len(hints) < f.window.size {
		f.poll, f.asked = now+f.can.PollEvery, false
	}
	r.came(&f.window)
	hints = f.progress.fresh(hints)
	return len(hints) > 0, r.heed(ctx, f, hints)
}

// missed deals with a page of a feed that failed: the feed rests, and a smaller
// page is read next. If a page of one keeps failing it is stepped over.
func (r *runner) missed(ctx context.Context, f *feeder, now schema.Ticks, cause error) (did bool, err error) {
	f.refused++
	if f.window.stuck(cause) {
		to, ok, err := r.stepOver(ctx, string(f.side), f.progress.read, cause, now, func(after int64) error {
			_, err := r.changes(ctx, f, after, 1)
			return err
		})
		if ok {
			r.failed(string(f.side)+" feed", cause)
			f.progress.read = to
			r.came(&f.window)
			return true, r.keep(ctx)
		}
		if err != nil {
			cause = err
		}
	}
	return false, r.rest(ctx, &f.window, string(f.side)+" feed", now, fmt.Errorf("read the feed: %w", cause))
}

// heed has the incidents looked at of which hints tell.
func (r *runner) heed(ctx context.Context, f *feeder, hints []port.Hint) error {
	cause := CauseXDR
	if f.side == reconcile.Workspace {
		cause = CauseWorkspace
	}
	keys, err := r.keysOf(ctx, f, hints)
	if err != nil {
		return err
	}
	for i, h := range hints {
		var it *item
		if keys[i] != "" {
			it = r.queue.add(keys[i], laneOf(f.side, h), cause, h.At)
		}
		f.progress.note(h.Seq, it)
	}
	return nil
}

// keysOf gives the XDR's id of each hint's incident, "" where there is none.
func (r *runner) keysOf(ctx context.Context, f *feeder, hints []port.Hint) ([]string, error) {
	keys := make([]string, len(hints))
	if f.side == reconcile.XDR {
		for i, h := range hints {
			keys[i] = h.Incident
		}
		return keys, nil
	}
	err := r.s.o.Store.View(ctx, func(tx state.Tx) error {
		for i, h := range hints {
			if h.Incident == "" {
				continue
			}
			for _, l := range links.By(tx, "name", state.Prefix(r.ws, h.Incident)) {
				keys[i] = l.XDR
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, h := range hints {
		if h.Incident == "" || keys[i] != "" {
			continue
		}
		// An incident that the connector doesn't remember: it says itself whose
		// partner it is. If it can't be read now, the comparison of all finds it.
		if inc, err := r.incident(ctx, f, h.Incident); err == nil {
			keys[i] = inc.Partner
		} else if !fault.Is(err, fault.NotFound) {
			r.failed(incidentsType, err)
		}
	}
	return keys, nil
}

// incident reads an incident of an end.
func (r *runner) incident(ctx context.Context, f *feeder, id string) (port.Incident, error) {
	return ask(f, r.s.o.Now(), func() (port.Incident, error) { return f.end.Incident(ctx, id) })
}

// rest has a failing feed or list wait. An error of the context ends the call instead.
func (r *runner) rest(ctx context.Context, w *window, what string, now schema.Ticks, err error) error {
	if ctx.Err() != nil {
		return err
	}
	w.failed(now+r.delay(w.attempts+1, err), err)
	r.failed(what, err)
	if w.attempts == worthTelling {
		r.s.o.Reached(r.endOf(w), err)
	}
	return nil
}

// worthTelling is how often an end can't be read in a row before it is told of.
const worthTelling = 3

// endOf names the end that is read through a window.
func (r *runner) endOf(w *window) string {
	if w == &r.work.window {
		return string(reconcile.Workspace) + " " + r.ws
	}
	return string(reconcile.XDR)
}

// came notes that a page came.
func (r *runner) came(w *window) {
	if w.attempts >= worthTelling {
		r.s.o.Reached(r.endOf(w), nil)
	}
	w.came()
}

// delay is how long to wait after a failure: twice as long each time, with
// jitter, never less than the other side asks for.
func (r *runner) delay(attempts int, err error) schema.Ticks {
	d := min(shortestRetry<<min(attempts-1, 20), longestRetry)
	d = d/2 + schema.Ticks(r.s.rand.Int64N(int64(d)))
	var f *fault.Error
	if errors.As(err, &f) {
		d = max(d, schema.Span(f.RetryAfter))
	}
	return d
}

// look decides on one incident; what is to be written waits in the batch.
func (r *runner) look(ctx context.Context, it *item, now schema.Ticks) error {
	r.taken = append(r.taken, it)
	j, err := r.prepare(ctx, it, now, 0)
	if j != nil {
		r.batch = append(r.batch, j)
		return nil
	}
	return r.done(ctx, it, now, err)
}

// flush carries out what waits in the batch.
func (r *runner) flush(ctx context.Context, now schema.Ticks) error {
	jobs := r.batch
	r.batch = nil
	if len(jobs) == 0 {
		return nil
	}
	if err := r.carryOut(ctx, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := r.done(ctx, j.it, now, j.err); err != nil {
			return err
		}
	}
	return nil
}

// abandon gives the items that were taken and not dealt with back to the queue.
func (r *runner) abandon(now schema.Ticks, err error) error {
	for _, it := range r.taken {
		r.queue.postpone(it, now)
	}
	r.taken, r.batch = nil, nil
	return err
}

// done decides what becomes of an item that was looked at with an error or
// none. It gives the errors that end the call.
func (r *runner) done(ctx context.Context, it *item, now schema.Ticks, err error) error {
	if ctx.Err() != nil || errors.As(err, new(*storeError)) {
		return err
	}
	r.taken = slices.DeleteFunc(r.taken, func(t *item) bool { return t == it })
	if err == nil {
		r.queue.finish(it)
		if it.more {
			r.queue.add(it.key, it.lane, it.cause, it.hintAt)
		}
		return nil
	}
	if fault.Is(err, fault.Throttled) { // not the item's fault
		r.queue.postpone(it, now+r.delay(1, err))
		return nil
	}
	it.attempts++
	it.cause = CauseRetry
	until := now + r.delay(it.attempts, err)
	if !fault.Is(err, fault.Conflict) {
		r.failed(incidentsType, err)
	} else if it.attempts < quarantine {
		until = now // it only changed meanwhile
	}
	if it.attempts >= quarantine {
		if err := r.dig(ctx, it, until, err, now); err != nil {
			r.queue.postpone(it, until)
			return err
		}
		it.done = true // the hole is durable: the feed's position need not wait for it
	}
	r.queue.postpone(it, until)
	return nil
}

// dig makes or updates the hole of an incident that keeps failing.
func (r *runner) dig(ctx context.Context, it *item, until schema.Ticks, cause error, now schema.Ticks) error {
	return r.store(ctx, func(tx state.Tx) {
		l := r.link(tx, it.key)
		if l.Hole == nil {
			l.Hole = &Hole{XDR: it.key, Since: now}
		}
		l.Hole.Attempts, l.Hole.Next, l.Hole.Error = it.attempts, until, cause.Error()
		links.Put(tx, linkKey(r.ws, it.key), l)
	})
}

// link gives what is remembered of a pair, or a new one.
func (r *runner) link(tx state.Tx, xdr string) link {
	l, ok := links.Get(tx, linkKey(r.ws, xdr))
	if !ok {
		l = link{Workspace: r.ws, XDR: xdr, Name: r.s.nameOf(r.ws, xdr)}
	}
	return l
}

// storeError is a failure of the connector's own store.
type storeError struct{ error }

func (e *storeError) Unwrap() error { return e.error }

// store makes one transaction of the connector's own, with the feeds' positions in it.
func (r *runner) store(ctx context.Context, f func(tx state.Tx)) error {
	at := position{XDR: r.xdr.progress.safe(), Workspace: r.work.progress.safe(), Gaps: slices.Clone(r.gaps)}
	err := r.s.o.Store.Update(ctx, func(tx state.Tx) error {
		f(tx)
		positions.Put(tx, r.ws, at)
		return nil
	})
	if err != nil {
		return &storeError{err}
	}
	r.stored = at
	return nil
}

// keepPositions stores the positions when they are far ahead of the stored ones.
func (r *runner) keepPositions(ctx context.Context) error {
	if r.xdr.progress.safe()-r.stored.XDR < positionsLag && r.work.progress.safe()-r.stored.Workspace < positionsLag {
		return nil
	}
	return r.keep(ctx)
}

// keep stores the positions.
func (r *runner) keep(ctx context.Context) error { return r.store(ctx, func(state.Tx) {}) }

// compareAll has all incidents looked at, a page at a time: hints may have been missed.
func (r *runner) compareAll(ctx context.Context, now schema.Ticks) (did bool, err error) {
	if now < max(r.resync.due, r.resync.window.until, r.xdr.pace.until) {
		return false, nil
	}
	if to, there := r.gapAt(list, numberOf(r.resync.after)); there {
		r.resync.after = idOf(to)
	}
	ids, err := r.page(ctx, r.resync.after, r.resync.window.size)
	if err != nil {
		return r.unlisted(ctx, now, err)
	}
	r.came(&r.resync.window)
	if n := len(ids); n > 0 && ids[n-1] == r.resync.after {
		ids = nil // an end that gives the last one again
	}
	r.resync.on = len(ids) > 0
	for _, id := range ids {
		r.queue.add(id, laneResync, CauseResync, 0)
		r.resync.after = id
	}
	if len(ids) == 0 {
		r.resync = compareFrom(now + r.resyncEvery())
		r.mu.Lock()
		r.figures.resynced = now
		r.mu.Unlock()
	}
	return len(ids) > 0, nil
}

// unlisted deals with a page of the list of all that failed, as missed does
// with one of a feed. Only ids that are numbers can be stepped over.
func (r *runner) unlisted(ctx context.Context, now schema.Ticks, cause error) (did bool, err error) {
	if from := numberOf(r.resync.after); from >= 0 && r.resync.window.stuck(cause) {
		to, ok, err := r.stepOver(ctx, list, from, cause, now, func(after int64) error {
			_, err := r.page(ctx, idOf(after), 1)
			return err
		})
		if ok {
			r.failed(incidentsType, cause)
			r.resync.after = idOf(to)
			r.came(&r.resync.window)
			return true, r.keep(ctx)
		}
		if err != nil {
			cause = err
		}
	}
	return false, r.rest(ctx, &r.resync.window, string(reconcile.XDR)+" feed", now, fmt.Errorf("list incidents: %w", cause))
}

// idOf is the id of a number, as numberOf reads it.
func idOf(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// numberOf reads an id that is a number; 0 for "", -1 for others.
func numberOf(id string) int64 {
	if id == "" {
		return 0
	}
	if n, err := strconv.ParseInt(id, 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

func (r *runner) resyncEvery() schema.Ticks {
	switch {
	case r.s.o.ResyncEvery > 0:
		return r.s.o.ResyncEvery
	case r.xdr.can.Feed && r.work.can.Feed:
		return schema.Hour
	}
	return 5 * schema.Minute
}

// failed counts a failure of a data type or feed.
func (r *runner) failed(what string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.figures.failures[what]++
	r.figures.errors[what] = err.Error()
}

// received notes that data of a type came.
func (r *runner) received(what string, at schema.Ticks) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.figures.received[what] = at
}
