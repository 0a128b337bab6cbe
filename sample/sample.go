// Package sample knows an invented company and makes its telemetry: a
// fortnight of ordinary activity and nuisance alerts with three attacks in it,
// at any size from a demo to millions of rows, the same for the same seed and
// size. It knows what belongs together in it (Truth). It leaves sending to
// source/replay and reading of written samples to source/file.
//
// Nothing in it is recorded: people, hosts, hashes and texts are invented;
// shapes and proportions follow what published schemas and recordings show.
package sample

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"time"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/source"
)

// Options say which sample to make.
type Options struct {
	Seed uint64
	Rows int64     // rows of all tables together; at least MinRows, alerts come on top
	Days int       // how long it lasts; 0 = 14, at least 4
	End  time.Time // when it ends; the zero time = DefaultEnd. Replay moves it to now
}

// The bounds and defaults of Options.
const (
	MinRows     = 8_000
	DemoRows    = 30_000 // what a first look needs
	DefaultDays = 14
	MinDays     = 4
)

// DefaultEnd is when a sample ends that isn't given an end: a Friday evening.
func DefaultEnd() time.Time { return time.Date(2026, 1, 16, 18, 0, 0, 0, time.UTC) }

// Tenant is a sample: it holds the company and what was scripted, and makes
// ordinary rows while they are read.
type Tenant struct {
	options Options
	begin   schema.Ticks
	w       *world
	script  *script
	streams []stream
}

// stream is a table's ordinary rows.
type stream struct {
	table *table
	grid  *grid
	kind  uint64
	write func(w *world, l *line, i int64, t schema.Ticks, d dice)
}

// New makes a sample. The error is Invalid if an option is out of bounds.
func New(o Options) (*Tenant, error) {
	if o.Days == 0 {
		o.Days = DefaultDays
	}
	if o.End.IsZero() {
		o.End = DefaultEnd()
	}
	if o.Rows < MinRows {
		return nil, fault.New(fault.Invalid, "a sample has at least %d rows, not %d", MinRows, o.Rows)
	}
	if o.Days < MinDays {
		return nil, fault.New(fault.Invalid, "a sample lasts at least %d days, not %d", MinDays, o.Days)
	}
	t := &Tenant{options: o, w: newWorld(o.Seed)}
	t.begin = schema.At(o.End.UTC().Truncate(time.Second)) - schema.Ticks(o.Days)*schema.Day
	// Scripted rows are part of the size, and how many there are doesn't
	// depend on the ordinary ones that they refer to: write them once to count.
	t.spread(o.Rows)
	scripted := t.write().rows()
	t.spread(o.Rows - scripted)
	t.script = t.write()
	t.script.truth.seal()
	sort.SliceStable(t.script.records, func(i, j int) bool { return t.script.records[i].Time < t.script.records[j].Time })
	return t, nil
}

// spread lays out n ordinary rows over tables and hours.
func (t *Tenant) spread(n int64) {
	var parts, done, given int64
	for _, s := range shares {
		parts += s.parts
	}
	t.streams = nil
	for _, s := range shares {
		done += s.parts
		count := n*done/parts - given
		given += count
		g := newGrid(t.w.seed, s.table, t.begin, t.options.Days*24, count, s.rhythm, s.whole)
		t.w.grids[s.table] = g
		if count > 0 {
			t.streams = append(t.streams, stream{table: t.w.tables[s.table], grid: g, kind: label(s.table + " row"), write: writers[s.table]})
		}
	}
}

// write runs all scripts.
func (t *Tenant) write() *script {
	s := &script{w: t.w, begin: t.begin, span: schema.Ticks(t.options.Days) * schema.Day, tools: map[string]*program{}}
	s.phishing()
	s.ransomware()
	s.fraud()
	s.noise(int(min(max(t.options.Rows/400, 48), 2_000)))
	return s
}

func (s *script) rows() (n int64) {
	for i := range s.records {
		if s.records[i].Kind != source.Alert {
			n++
		}
	}
	return n
}

// Name tells this sample from others: seed, size, length and end.
func (t *Tenant) Name() string {
	o := t.options
	return fmt.Sprintf("sample-%d-%d-%d-%d", o.Seed, o.Rows, o.Days, o.End.Unix())
}

// Truth gives what belongs together.
func (t *Tenant) Truth() Truth { return t.script.truth }

// TenantID and WorkspaceID are the ids that the rows carry.
func (t *Tenant) TenantID() string { return t.w.company.tenantID }

// WorkspaceID is the id that workspace rows carry as their TenantId.
func (t *Tenant) WorkspaceID() string { return t.w.company.workspaceID }

// Records hands over all records in the order of their times. A record's body
// is valid until yield returns.
func (t *Tenant) Records(yield func(source.Record) error) error {
	return t.Read(context.Background(), 0, yield)
}

// Outline counts the records. A sample has no pauses.
func (t *Tenant) Outline(context.Context) (source.Outline, error) {
	o := source.Outline{Tables: map[string]int64{}}
	note := func(first, last schema.Ticks) {
		if o.First == 0 || first < o.First {
			o.First = first
		}
		o.Last = max(o.Last, last)
	}
	for _, s := range t.streams {
		o.Tables[s.table.name] += s.grid.len()
		if s.table.event {
			o.Events += s.grid.len()
		} else {
			o.Rows += s.grid.len()
		}
		note(s.grid.at(0), s.grid.at(s.grid.len()-1))
	}
	for i := range t.script.records {
		r := &t.script.records[i]
		switch r.Kind {
		case source.Alert:
			o.Alerts++
		case source.Event:
			o.Events++
			o.Tables[r.Table]++
		case source.Row:
			o.Rows++
			o.Tables[r.Table]++
		}
		note(r.Time, r.Time)
	}
	o.Records = o.Alerts + o.Events + o.Rows
	return o, nil
}

// cursor is a stream with the row that is next.
type cursor struct {
	stream
	next int64
	time schema.Ticks
}

// Read merges the ordinary rows of all tables and the scripted records by
// time, and hands them over from position from on.
func (t *Tenant) Read(ctx context.Context, from int64, yield func(source.Record) error) error {
	cursors := make([]cursor, len(t.streams))
	for i, s := range t.streams {
		cursors[i] = cursor{stream: s, time: s.grid.at(0)}
	}
	scripted := t.script.records
	numbers := map[string]int64{}
	var l line
	for position := int64(0); ; position++ {
		if position%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		best := -1
		for i := range cursors {
			if best < 0 || cursors[i].time < cursors[best].time {
				best = i
			}
		}
		var r source.Record
		switch {
		case len(scripted) > 0 && (best < 0 || scripted[0].Time <= cursors[best].time):
			r, scripted = scripted[0], scripted[1:]
		case best >= 0:
			c := &cursors[best]
			r = source.Record{Kind: source.Row, Table: c.table.name, Time: c.time}
			if c.table.event {
				r.Kind = source.Event
			}
			if position >= from {
				r.Body = t.body(&l, c)
			}
			if c.next++; c.next < c.grid.len() {
				c.time = c.grid.at(c.next)
			} else {
				cursors = append(cursors[:best], cursors[best+1:]...)
			}
		default:
			return nil
		}
		r.File = fileOf(r)
		r.Number = numbers[r.File]
		numbers[r.File]++
		if position >= from {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
}

func (t *Tenant) body(l *line, c *cursor) []byte {
	if c.table.event {
		l.event(c.table, c.time)
	} else {
		l.row(c.table, c.time)
	}
	c.write(t.w, l, c.next, c.time, start(t.w.seed, c.kind, c.next))
	return l.end(c.table)
}

// fileOf is where a record lies in a written sample.
func fileOf(r source.Record) string {
	switch r.Kind {
	case source.Alert:
		return "alerts/" + string(r.Shape) + ".ndjson.gz"
	case source.Row:
		return "sentinel/" + r.Table + ".ndjson.gz"
	default:
		return "defender/" + r.Table + ".ndjson.gz"
	}
}

func (t *Truth) seal() {
	for _, s := range append(append([]*Story{}, t.Stories...), t.Noise...) {
		sort.Strings(s.Tactics)
		sort.Strings(s.Products)
	}
	for i, s := range t.Noise {
		s.Name = "noise " + strconv.Itoa(i+1)
	}
}
