// Package replay knows how to send a recording: it moves its times so that it
// ends now, cuts it into batches, sends them at a pace or as fast as the
// receiver takes them, tries again when the receiver is away, and goes on where
// it was broken off, so that nothing is lost and nothing comes twice. It leaves
// reading to a source.Source and taking in to a Sink.
package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/source"
)

// Options say what is replayed, where to, and how.
type Options struct {
	Source    source.Source
	Sink      Sink
	Workspace string // that takes the workspace rows, by name or id

	// Speed is how many recorded seconds pass in one; 0 = as fast as it goes.
	Speed float64
	// AsRecorded keeps all times. Otherwise the recording ends now and pauses
	// are shortened so that it lasts at most 14 days (Plan).
	AsRecorded bool
	// End is where the recording's end goes; the zero time = now.
	End time.Time
	// BatchRecords and BatchBytes bound the chunks in which records are sent, a
	// few at the same time; 0 = 16,000 records and 24 MiB. A larger record goes alone.
	BatchRecords int
	BatchBytes   int
	// State is a file that remembers a broken-off replay; "" = none. It is
	// removed when all is sent. A state of the same source is gone on from, with
	// the times and batches that it began with.
	State string
	// Patience is how long a receiver may stay away; 0 = 10 minutes.
	Patience time.Duration

	Report  func(Progress) // after each chunk; may be nil
	Refused func(Refused)  // for each refused record; may be nil

	// Now and Wait are the clock; nil = the machine's.
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
}

// Progress is how far a replay is.
type Progress struct {
	Total int64 `json:"total"` // records of the recording
	Done  int64 `json:"done"`  // of them, acknowledged

	// Sent counts as Done does. Accepted, Repeats and Refused make it up;
	// Alerts, Events and Rows as well.
	Sent     int64 `json:"sent"`
	Accepted int64 `json:"accepted"`
	Repeats  int64 `json:"repeats"`
	Refused  int64 `json:"refused"`
	Alerts   int64 `json:"alerts"`
	Events   int64 `json:"events"`
	Rows     int64 `json:"rows"`
	Bytes    int64 `json:"bytes"`
	Retries  int64 `json:"retries"` // batches that had to be sent again

	Time schema.Ticks  `json:"time"`           // of the last record sent, moved
	Rate float64       `json:"-"`              // records a second, in this run
	Left time.Duration `json:"-"`              // estimated
	Away string        `json:"away,omitempty"` // why the receiver isn't answering, "" when it is
}

// Refused is a record that the receiver refused.
type Refused struct {
	File   string // in the source
	Number int64  // in the file, from 0
	Refusal
}

// run is one replay at work.
type run struct {
	Options
	mu      sync.Mutex // over the state's progress, and over Report and Refused
	state   state
	plan    *Plan
	key     string // of this recording, before what tells its batches apart
	began   time.Time
	resumed int64        // position at which this run began
	first   schema.Ticks // recorded time at which this run began
}

// Run replays a recording to its end. The error wraps the sink's, the source's,
// or ctx's; the state file, if there is one, then allows to go on.
func Run(ctx context.Context, o Options) (Progress, error) {
	r := run{Options: o}
	if err := r.prepare(ctx); err != nil {
		return r.state.Progress, fmt.Errorf("replay %s: %w", o.Source.Name(), err)
	}
	cut, begun := make(chan *chunk), make(chan *underWay, window)
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(cut)
		return r.read(inner, cut)
	})
	group.Go(func() error {
		defer close(begun)
		return r.begin(inner, group, cut, begun)
	})
	group.Go(func() error { return r.finish(inner, begun) })
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return r.state.Progress, fmt.Errorf("replay %s, after %d of %d records: %w", o.Source.Name(), r.state.Progress.Done, r.state.Progress.Total, err)
	}
	if o.State != "" {
		if err := os.Remove(o.State); err != nil && !os.IsNotExist(err) {
			return r.state.Progress, fmt.Errorf("replay %s: all is sent, but its state stays: %w", o.Source.Name(), err)
		}
	}
	return r.state.Progress, nil
}

func (r *run) prepare(ctx context.Context) error {
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Wait == nil {
		r.Wait = wait
	}
	if r.Patience == 0 {
		r.Patience = 10 * time.Minute
	}
	if r.Speed < 0 {
		return fault.At("speed", "a speed isn't negative")
	}
	outline, err := r.Source.Outline(ctx)
	if err != nil {
		return err
	}
	kept, err := loadState(r.State, r.Source.Name())
	if err != nil {
		return err
	}
	if kept != nil {
		r.state = *kept
	} else {
		end := r.End
		if end.IsZero() {
			end = r.Now()
		}
		r.state = state{Format: 1, Source: r.Source.Name(), Workspace: r.Workspace, AsRecorded: r.AsRecorded, End: schema.At(end.UTC()), Size: r.size()}
	}
	r.state.Progress.Total = outline.Records
	if !r.state.AsRecorded {
		plan := NewPlan(outline, r.state.End, Longest)
		r.plan = &plan
	}
	r.key, r.began, r.resumed = r.name(), r.Now(), r.state.Position
	return r.state.save(r.State)
}

// beat is how much time passes between two chunks of a paced replay.
const beat = 200 * time.Millisecond

func (r *run) size() size {
	s := size{Records: 16_000, Bytes: 24 << 20} // what a transaction costs a store whatever is in it is lost in so many
	if r.BatchRecords > 0 {
		s.Records = r.BatchRecords
	}
	if r.BatchBytes > 0 {
		s.Bytes = r.BatchBytes
	}
	if r.Speed > 0 {
		s.Span = schema.Ticks(float64(schema.Span(beat)) * r.Speed)
	}
	return s
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// read cuts the rest of the recording into chunks.
func (r *run) read(ctx context.Context, chunks chan<- *chunk) error {
	c := cutter{size: r.state.Size, plan: r.plan}
	hand := func() error {
		select {
		case chunks <- c.take():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	position := r.state.Position
	err := r.Source.Read(ctx, position, func(record source.Record) error {
		if c.full(&record) {
			if err := hand(); err != nil {
				return err
			}
		}
		c.add(position, &record)
		position++
		return nil
	})
	if err != nil || c.chunk.to == c.chunk.from {
		return err
	}
	return hand()
}

// moved is a recorded time as it is sent.
func (r *run) moved(t schema.Ticks) schema.Ticks {
	if r.plan == nil {
		return t
	}
	to, _ := r.plan.At(t)
	return to
}

// pace waits until a chunk is due.
func (r *run) pace(ctx context.Context, c *chunk) error {
	if r.first == 0 {
		r.first = r.moved(c.begin)
	}
	if r.Speed == 0 {
		return nil
	}
	due := r.began.Add(time.Duration(float64((r.moved(c.end) - r.first).Duration()) / r.Speed))
	if early := due.Sub(r.Now()); early > 0 {
		return r.Wait(ctx, early)
	}
	return nil
}

// name tells this replay's batches from those of others of the same recording.
func (r *run) name() string {
	end := "as-recorded"
	if !r.state.AsRecorded {
		end = fmt.Sprint(int64(r.state.End))
	}
	name := r.state.Source + "/" + end + "/" + r.state.Workspace
	if len(name) > 120 { // receivers keep 200 bytes of a key
		sum := sha256.Sum256([]byte(name))
		return hex.EncodeToString(sum[:16])
	}
	return name
}
