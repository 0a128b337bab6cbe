package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/fault"
	"lockstep/source"
)

// window is how many chunks may be under way beside the one whose alerts are
// being sent: enough that the receiver always has rows to store, few enough
// that little is in memory and little is sent again after a crash.
const window = 2

// underWay is a chunk whose rows are being sent. stored closes when all of
// them are acknowledged, and not at all if one fails.
type underWay struct {
	*chunk
	stored chan struct{}
}

// begin sends the rows of chunks, several chunks at the same time: rows don't
// depend on one another.
func (r *run) begin(ctx context.Context, group *errgroup.Group, cut <-chan *chunk, begun chan<- *underWay) error {
	for c := range cut {
		if err := r.pace(ctx, c); err != nil {
			return err
		}
		u := &underWay{c, make(chan struct{})}
		select {
		case begun <- u:
		case <-ctx.Done():
			return ctx.Err()
		}
		group.Go(func() error { return r.sendRows(ctx, u) })
	}
	return nil
}

func (r *run) sendRows(ctx context.Context, u *underWay) error {
	group, inner := errgroup.WithContext(ctx)
	for n, b := range u.rows {
		group.Go(func() error { return r.insist(inner, b, b.key(r.key, u.chunk, n)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	close(u.stored)
	return nil
}

// finish takes chunks in their order: once a chunk's rows are stored it sends
// the chunk's alerts, one batch after another, and notes that all is done. So
// alerts arrive in their order, each after its rows, and a broken-off replay
// sends no more than one chunk's alerts again.
func (r *run) finish(ctx context.Context, begun <-chan *underWay) error {
	for u := range begun {
		select {
		case <-u.stored:
		case <-ctx.Done():
			return ctx.Err()
		}
		for n, b := range u.alerts {
			if err := r.insist(ctx, b, b.key(r.key, u.chunk, len(u.rows)+n)); err != nil {
				return err
			}
		}
		if err := r.note(u.chunk); err != nil {
			return err
		}
	}
	return nil
}

// note counts a chunk that is acknowledged whole, and remembers it.
func (r *run) note(c *chunk) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.state.Progress
	for _, b := range c.all() {
		r.count(b, p)
	}
	p.Time, p.Done = r.moved(c.end), c.to
	r.estimate(c, p)
	r.state.Position = c.to
	if err := r.state.save(r.State); err != nil {
		return err
	}
	if r.Report != nil {
		r.Report(*p)
	}
	return nil
}

// The pauses between two tries.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
)

// insist sends a batch until it is acknowledged, under the same key.
func (r *run) insist(ctx context.Context, b *batch, key string) error {
	pause, since := firstPause, r.Now()
	for {
		receipt, err := b.send(ctx, r.Sink, r.state.Workspace, key)
		if err == nil {
			b.receipt = receipt
			r.here()
			return nil
		}
		if !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Throttled) || ctx.Err() != nil {
			return err
		}
		if gone := r.Now().Sub(since); gone > r.Patience {
			return fmt.Errorf("the receiver has been away for %s: %w", gone.Round(time.Second), err)
		}
		r.away(err)
		if err := r.Wait(ctx, max(pause, wanted(err))); err != nil {
			return err
		}
		pause = min(2*pause, lastPause)
	}
}

// away notes that the receiver doesn't answer.
func (r *run) away(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Progress.Retries++
	r.state.Progress.Away = err.Error()
	if r.Report != nil {
		r.Report(r.state.Progress)
	}
}

// here notes that it does.
func (r *run) here() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Progress.Away = ""
}

// wanted is how long the receiver asked to be left alone.
func wanted(err error) time.Duration {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.RetryAfter
	}
	return 0
}

// count adds a receipt. Of a batch that had come before, the receiver may count
// nothing: then all of it are repeats.
func (r *run) count(b *batch, p *Progress) {
	receipt := b.receipt
	n := int64(len(b.refs))
	p.Sent += n
	p.Bytes += int64(len(b.body))
	switch b.kind {
	case source.Alert:
		p.Alerts += n
	case source.Event:
		p.Events += n
	case source.Row:
		p.Rows += n
	}
	refused := int64(len(receipt.Refused))
	if missing := n - receipt.Accepted - receipt.Repeats - refused; receipt.Repeat && missing > 0 {
		receipt.Repeats += missing
	}
	p.Accepted += receipt.Accepted
	p.Repeats += receipt.Repeats
	p.Refused += refused
	for _, refusal := range receipt.Refused {
		if r.Refused == nil || refusal.Record < 1 || refusal.Record > len(b.refs) {
			continue
		}
		from := b.refs[refusal.Record-1]
		r.Refused(Refused{File: from.file, Number: from.number, Refusal: refusal})
	}
}

// estimate tells the rate and the time that is left.
func (r *run) estimate(c *chunk, p *Progress) {
	if took := r.Now().Sub(r.began).Seconds(); took > 0 {
		p.Rate = float64(c.to-r.resumed) / took
	}
	switch {
	case r.Speed > 0 && r.plan != nil:
		_, last := r.plan.Span()
		p.Left = time.Duration(float64((last - p.Time).Duration()) / r.Speed)
	case p.Rate > 0:
		p.Left = time.Duration(float64(p.Total-c.to) / p.Rate * float64(time.Second))
	}
}
