package replay

import (
	"context"
	"fmt"

	"lockstep/schema"
	"lockstep/source"
)

// chunk is a run of consecutive records, cut by what they are alone, so that
// the same recording is cut in the same places every time.
type chunk struct {
	from, to   int64 // positions of the first record and of the one after the last
	begin, end schema.Ticks
	rows       []*batch // events, and rows by table: in any order, at the same time
	alerts     []*batch // after all rows, one after another
}

// all are the chunk's batches; their places in it are part of their keys.
func (c *chunk) all() []*batch { return append(c.rows[:len(c.rows):len(c.rows)], c.alerts...) }

// batch is what one request carries: events, the rows of one table, or alerts.
type batch struct {
	kind  source.Kind
	table string
	body  []byte
	refs  []ref

	receipt Receipt // once it is acknowledged
}

// ref names the record in its source that a line comes from.
type ref struct {
	file   string
	number int64
}

// size bounds a chunk.
type size struct {
	Records int          `json:"records"`
	Bytes   int          `json:"bytes"`
	Span    schema.Ticks `json:"span"` // of recorded time; 0 = any
}

// cutter gathers records into chunks. Events and rows of a chunk go first, one
// request a table; its alerts after them in their order, so that an alert finds
// its events and an update follows what it updates.
type cutter struct {
	size  size
	plan  *Plan // nil = as recorded
	bytes int
	chunk chunk
	room  int // bytes that the events of the last chunk took
}

// full reports whether the chunk must be sent before r joins it.
func (c *cutter) full(r *source.Record) bool {
	n := c.chunk.to - c.chunk.from
	return n > 0 && (n >= int64(c.size.Records) || c.bytes+len(r.Body) > c.size.Bytes || c.size.Span > 0 && r.Time-c.chunk.begin >= c.size.Span)
}

// add puts the record at a position into the chunk.
func (c *cutter) add(position int64, r *source.Record) {
	if c.chunk.to == c.chunk.from {
		c.chunk.from, c.chunk.to, c.chunk.begin = position, position, r.Time
	}
	c.chunk.to++
	c.chunk.end = r.Time
	c.bytes += len(r.Body)
	b := c.batch(r)
	if r.Kind == source.Alert {
		b.body = fmt.Appendf(b.body, `{"shape":%q,"alert":`, r.Shape)
		b.body = append(c.move(b.body, r.Body), '}')
	} else {
		b.body = c.move(b.body, r.Body)
	}
	b.body = append(b.body, '\n')
	b.refs = append(b.refs, ref{r.File, r.Number})
}

// move appends a record's body with its times moved.
func (c *cutter) move(dst, body []byte) []byte {
	if c.plan == nil {
		return append(dst, body...)
	}
	return c.plan.AppendShifted(dst, body)
}

// alertsAtOnce is how many alerts go in one request. The receiver takes them in
// one transaction, during which the incidents that they make can't be seen.
const alertsAtOnce = 32

// batch finds the batch that a record belongs to.
func (c *cutter) batch(r *source.Record) *batch {
	if r.Kind == source.Alert { // only the last batch of alerts: they stay in order
		if n := len(c.chunk.alerts); n > 0 && len(c.chunk.alerts[n-1].refs) < alertsAtOnce {
			return c.chunk.alerts[n-1]
		}
		b := &batch{kind: r.Kind}
		c.chunk.alerts = append(c.chunk.alerts, b)
		return b
	}
	table := r.Table
	if r.Kind == source.Event {
		table = "" // all tables in one request: the envelope names them
	}
	for _, b := range c.chunk.rows {
		if b.kind == r.Kind && b.table == table {
			return b
		}
	}
	b := &batch{kind: r.Kind, table: table}
	if r.Kind == source.Event {
		b.body = make([]byte, 0, c.room+c.room/8)
	}
	c.chunk.rows = append(c.chunk.rows, b)
	return b
}

// take gives the chunk and begins a new one.
func (c *cutter) take() *chunk {
	full := c.chunk
	for _, b := range full.rows {
		if b.kind == source.Event {
			c.room = len(b.body)
		}
	}
	c.chunk, c.bytes = chunk{}, 0
	return &full
}

// key names a batch: the run of this recording, the records, and the place
// among the chunk's requests.
func (b *batch) key(run string, c *chunk, n int) string {
	return fmt.Sprintf("%s/%d-%d/%d", run, c.from, c.to-1, n)
}

// send hands a batch to the sink.
func (b *batch) send(ctx context.Context, sink Sink, workspace, key string) (Receipt, error) {
	switch b.kind {
	case source.Alert:
		return sink.Alerts(ctx, key, b.body)
	case source.Row:
		return sink.Rows(ctx, workspace, b.table, key, b.body)
	default:
		return sink.Events(ctx, key, b.body)
	}
}
