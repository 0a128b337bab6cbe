package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/valyala/fastjson"

	"lockstep/schema"
	"lockstep/source"
)

// window is how many records of a file that isn't in order are looked at ahead
// to put them in order. A record that is later in the file than that keeps its
// place.
const window = 2048

// Read hands over the records of all files in the order of their times, from
// position from on. Files that a sample wrote are in order already; the others
// are put in order within a window.
func (f *Folder) Read(ctx context.Context, from int64, yield func(source.Record) error) error {
	heads := make(queue, 0, len(f.files))
	defer func() {
		for _, t := range heads {
			t.close()
		}
	}()
	for i := range f.files {
		t, err := f.open(i)
		if err != nil {
			return err
		}
		heads = append(heads, t)
		if more, err := t.advance(); err != nil {
			return err
		} else if !more {
			t.close()
			heads = heads[:len(heads)-1]
		}
	}
	heap.Init(&heads)
	for position := int64(0); len(heads) > 0; position++ {
		if position%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		t := heads[0]
		if position >= from {
			if err := yield(t.head); err != nil {
				return err
			}
		}
		more, err := t.advance()
		if err != nil {
			return err
		}
		if !more {
			t.close()
			heap.Pop(&heads)
			continue
		}
		heap.Fix(&heads, 0)
	}
	return nil
}

// Outline reads everything once: totals, span and pauses.
func (f *Folder) Outline(ctx context.Context) (source.Outline, error) {
	o := source.Outline{Tables: map[string]int64{}}
	type stretch struct{ first, last schema.Ticks }
	busy := map[schema.Ticks]stretch{} // by tenths of the shortest pause
	const unit = source.MinPause / 10
	err := f.Read(ctx, 0, func(r source.Record) error {
		o.Records++
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
		if r.Time == 0 {
			return nil // no time: see timeOf
		}
		s, ok := busy[r.Time/unit]
		if !ok {
			s = stretch{r.Time, r.Time}
		}
		busy[r.Time/unit] = stretch{min(s.first, r.Time), max(s.last, r.Time)}
		return nil
	})
	if err != nil {
		return o, fmt.Errorf("outline %s: %w", f.dir, err)
	}
	var stretches []stretch
	for _, s := range busy {
		stretches = append(stretches, s)
	}
	sort.Slice(stretches, func(i, j int) bool { return stretches[i].first < stretches[j].first })
	for i, s := range stretches {
		if i == 0 {
			o.First = s.first
		} else if s.first-o.Last >= source.MinPause {
			o.Pauses = append(o.Pauses, source.Pause{From: o.Last, To: s.first})
		}
		o.Last = s.last
	}
	return o, nil
}

// tape is one file being read.
type tape struct {
	recording
	order   int // among the files: decides between equal times
	file    *os.File
	lines   *bufio.Reader
	long    []byte // holds a line longer than the reader's buffer
	parser  fastjson.Parser
	number  int64
	last    schema.Ticks
	ahead   int
	waiting records // at most ahead records
	ended   bool
	head    source.Record
}

func (f *Folder) open(i int) (*tape, error) {
	t := &tape{recording: f.files[i], order: i, ahead: window}
	if f.whole {
		t.ahead = 1
	}
	var err error
	if t.file, err = os.Open(filepath.Join(f.dir, filepath.FromSlash(t.path))); err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	var content io.Reader = t.file
	if strings.HasSuffix(t.path, ".gz") {
		if content, err = gzip.NewReader(bufio.NewReaderSize(t.file, 64<<10)); err != nil {
			t.file.Close()
			return nil, fmt.Errorf("read recording %s: %w", t.path, err)
		}
	}
	t.lines = bufio.NewReaderSize(content, 64<<10)
	return t, nil
}

func (t *tape) close() { t.file.Close() }

// advance moves to the next record; false at the end.
func (t *tape) advance() (bool, error) {
	if t.ahead == 1 {
		r, err := t.next()
		if err == io.EOF {
			return false, nil
		}
		t.head = r
		return err == nil, err
	}
	for !t.ended && len(t.waiting) < t.ahead {
		r, err := t.next()
		if err == io.EOF {
			t.ended = true
			break
		}
		if err != nil {
			return false, err
		}
		r.Body = bytes.Clone(r.Body)
		heap.Push(&t.waiting, r)
	}
	if len(t.waiting) == 0 {
		return false, nil
	}
	t.head = heap.Pop(&t.waiting).(source.Record)
	return true, nil
}

// next reads one line. A line without a readable time takes that of the one
// before it, so that its refusal stands where it belongs.
func (t *tape) next() (source.Record, error) {
	for {
		body, err := t.line()
		if err != nil {
			return source.Record{}, err
		}
		r := source.Record{Kind: t.kind, Shape: t.shape, Table: t.table, Body: body, File: t.path, Number: t.number}
		t.number++
		if len(body) == 0 {
			continue
		}
		if t.divided {
			r.Kind, r.Shape, r.Table = t.divide(body)
		}
		if r.Time = t.timeOf(&r); r.Time == 0 {
			r.Time = t.last
		}
		t.last = r.Time
		return r, nil
	}
}

// line reads up to the next line feed, whatever its length.
func (t *tape) line() ([]byte, error) {
	part, err := t.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		t.long = append(t.long[:0], part...)
		for errors.Is(err, bufio.ErrBufferFull) {
			part, err = t.lines.ReadSlice('\n')
			t.long = append(t.long, part...)
		}
		part = t.long
	}
	if err != nil && (err != io.EOF || len(part) == 0) {
		if err != io.EOF {
			err = fmt.Errorf("read recording %s, record %d: %w", t.path, t.number, err)
		}
		return nil, err
	}
	return bytes.TrimRight(part, "\r\n"), nil
}

// ownProduct is the ProductName of alerts that a workspace's own rules raised.
// Source: facts 1.3.
const ownProduct = "Azure Sentinel"

// divide tells alerts of the XDR products from those of workspace rules.
func (t *tape) divide(body []byte) (source.Kind, source.Shape, string) {
	v, err := t.parser.ParseBytes(body)
	if err == nil && string(v.GetStringBytes("ProductName")) == ownProduct {
		return source.Row, "", "SecurityAlert"
	}
	return source.Alert, source.SecurityAlert, ""
}

// clocks are the fields that say when a record was published, by kind and
// shape, best first.
var clocks = map[source.Kind]map[source.Shape][]string{
	source.Event: {"": {"time"}},
	source.Row:   {"": {"TimeGenerated", "timestamp"}},
	source.Alert: {source.Graph: {"lastUpdateDateTime", "createdDateTime"}, source.SecurityAlert: {"TimeGenerated", "ProcessingEndTime"}},
}

// timeOf finds when a record was published; 0 if it doesn't say.
func (t *tape) timeOf(r *source.Record) schema.Ticks {
	if n := r.Number; n < int64(len(t.times)) {
		return t.times[n]
	}
	if at, ok := quickTime(r.Body); ok {
		return at
	}
	v, err := t.parser.ParseBytes(r.Body)
	if err != nil {
		return 0
	}
	if r.Shape == source.AlertInfo {
		v = v.Get("records", "0")
		return ticks(v.GetStringBytes("time"))
	}
	for _, name := range clocks[r.Kind][r.Shape] {
		if at := ticks(v.GetStringBytes(name)); at != 0 {
			return at
		}
	}
	return 0
}

func ticks(text []byte) schema.Ticks {
	at, err := schema.ParseTicks(string(text))
	if err != nil {
		return 0
	}
	return at
}

// quickTime reads the time of a record that begins with it, as nearly all do.
func quickTime(body []byte) (schema.Ticks, bool) {
	for _, name := range []string{`{"time":`, `{"TimeGenerated":`} {
		rest, ok := bytes.CutPrefix(body, []byte(name))
		if !ok {
			continue
		}
		rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " "), []byte(`"`))
		end := bytes.IndexByte(rest, '"')
		if !ok || end < 0 {
			return 0, false
		}
		at := ticks(rest[:end])
		return at, at != 0
	}
	return 0, false
}

// queue orders tapes by their heads.
type queue []*tape

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].head.Time != q[j].head.Time {
		return q[i].head.Time < q[j].head.Time
	}
	return q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*tape)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// records orders the records of one file.
type records []source.Record

func (q records) Len() int { return len(q) }
func (q records) Less(i, j int) bool {
	if q[i].Time != q[j].Time {
		return q[i].Time < q[j].Time
	}
	return q[i].Number < q[j].Number
}
func (q records) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *records) Push(x any)   { *q = append(*q, x.(source.Record)) }
func (q *records) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = source.Record{}
	*q = old[:len(old)-1]
	return last
}
