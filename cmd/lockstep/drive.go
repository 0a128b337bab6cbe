package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"lockstep/health"
	"lockstep/schema"
)

// next is the work of one part: it does what is due, says whether it did
// anything, and when it wants to be called again (0: only when woken).
type next func(ctx context.Context, now schema.Ticks) (did bool, wakeAt schema.Ticks, err error)

// driver calls the parts' Next when a feed says so or their time has come.
// The parts themselves hold no timer and start no goroutine.
type driver struct {
	now    func() schema.Ticks
	log    *slog.Logger
	health *health.Registry
	parts  map[string]*driven
	wait   sync.WaitGroup
	wakes  atomic.Int64 // how often wake was called
}

type driven struct {
	next next
	kick chan struct{} // holds at most one wake-up
	idle atomic.Int64  // wakes up to which the part had nothing left to do
}

func newDriver(now func() schema.Ticks, log *slog.Logger) *driver {
	return &driver{now: now, log: log, health: health.New(now), parts: map[string]*driven{}}
}

// add registers a part under the name that the log uses.
func (d *driver) add(name string, n next) {
	d.parts[name] = &driven{next: n, kick: make(chan struct{}, 1)}
}

// wake calls every part soon. It never blocks.
func (d *driver) wake() {
	d.wakes.Add(1)
	for _, p := range d.parts {
		select {
		case p.kick <- struct{}{}:
		default:
		}
	}
}

// run starts a goroutine a part; stop waits for them after ctx has ended.
func (d *driver) run(ctx context.Context) {
	for name, p := range d.parts {
		d.wait.Go(func() { d.drive(ctx, name, p) })
	}
}

func (d *driver) stop() { d.wait.Wait() }

// Pauses of the driver.
const (
	pauseAfterError = time.Second           // before a part that failed is called again
	pauseForOthers  = 50 * time.Millisecond // before another server's answer is looked for again
	longestPause    = 30 * time.Second      // a part is called at least this often, in case a hint was lost
)

// settled waits until every part has found nothing left to do since the last
// change.
func (d *driver) settled(ctx context.Context) error {
	d.wake()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		idle, wakes := true, d.wakes.Load()
		for _, p := range d.parts {
			idle = idle && p.idle.Load() >= wakes
		}
		if idle {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// settled waits until nothing is left to do, with what another server has been
// asked for after the call began. An error if that one doesn't answer.
func (s *server) settled(ctx context.Context) error {
	if s.connector == nil {
		return s.driver.settled(ctx)
	}
	s.connector.Ask()
	for {
		if err := s.driver.settled(ctx); err != nil {
			return err
		}
		pending, err := s.connector.Pending()
		if err != nil || !pending {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pauseForOthers):
		}
	}
}

func (d *driver) drive(ctx context.Context, name string, p *driven) {
	for ctx.Err() == nil {
		wakes := d.wakes.Load()
		did, wakeAt, err := p.next(ctx, d.now())
		if ctx.Err() != nil {
			return
		}
		d.health.Check(name, health.Failure, err)
		pause := longestPause
		switch {
		case err != nil:
			d.log.Error("part failed", "part", name, "error", err)
			pause = pauseAfterError
		case did:
			continue
		default:
			p.idle.Store(wakes)
			if wakeAt != 0 {
				pause = min(pause, max(0, (wakeAt-d.now()).Duration()))
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-p.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
}
