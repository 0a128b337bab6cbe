package duckdb

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"lockstep/rows"
	"lockstep/schema"
)

// appender adds whole columns to one table within the connection's transaction.
type appender struct {
	a     bindings.Appender
	types []bindings.LogicalType
	chunk bindings.DataChunk
	heap  heap
}

// chunkRows is how many rows DuckDB takes at a time.
var chunkRows = int(bindings.VectorSize())

func (c *connection) appender(table string) (*appender, error) { return c.appenderIn("", table) }

// appenderIn appends to a table of a catalogue; "" is the file's own.
func (c *connection) appenderIn(catalog, table string) (*appender, error) {
	var a appender
	if bindings.AppenderCreateExt(c.c, catalog, "main", table, &a.a) == bindings.StateError {
		err := errors.New(bindings.AppenderError(a.a))
		bindings.AppenderDestroy(&a.a)
		return nil, fmt.Errorf("append to %s: %w", table, err)
	}
	for i := range bindings.AppenderColumnCount(a.a) {
		a.types = append(a.types, bindings.AppenderColumnType(a.a, i))
	}
	a.chunk = bindings.CreateDataChunk(a.types)
	return &a, nil
}

// source gives the values of one physical column: a batch's column, numbers,
// or, when both are nil, nothing (” for text).
type source struct {
	column *rows.Column
	ints   []int64
	text   bool // the physical column is text that is never null
}

// append adds rows; there is a source per physical column, in order.
func (a *appender) append(sources []source, n int) error {
	if len(sources) != len(a.types) {
		return fmt.Errorf("the table has %d columns, %d are given", len(a.types), len(sources))
	}
	for from := 0; from < n; from += chunkRows {
		m := min(chunkRows, n-from)
		bindings.DataChunkReset(a.chunk)
		bindings.DataChunkSetSize(a.chunk, bindings.IdxT(m))
		a.heap.reset()
		for i := range sources {
			a.fill(bindings.DataChunkGetVector(a.chunk, bindings.IdxT(i)), &sources[i], from, m)
		}
		if bindings.AppendDataChunk(a.a, a.chunk) == bindings.StateError {
			return errors.New(bindings.AppenderError(a.a))
		}
	}
	return nil
}

// close hands over what is buffered and frees the appender.
func (a *appender) close() (err error) {
	if bindings.AppenderFlush(a.a) == bindings.StateError {
		err = errors.New(bindings.AppenderError(a.a))
		bindings.AppenderClear(a.a)
	}
	a.free()
	return err
}

// free drops what is buffered: after an error.
func (a *appender) free() {
	bindings.DestroyDataChunk(&a.chunk)
	a.heap.pins.Unpin()
	for i := range a.types {
		bindings.DestroyLogicalType(&a.types[i])
	}
	bindings.AppenderDestroy(&a.a)
}

func (a *appender) fill(v bindings.Vector, s *source, from, n int) {
	data := bindings.VectorGetData(v)
	switch {
	case s.ints != nil:
		copy(unsafe.Slice((*int64)(data), n), s.ints[from:from+n])
		return
	case s.column == nil && s.text:
		clear(unsafe.Slice((*text)(data), n))
		return
	case s.column == nil:
		nulls(v, nil, n)
		return
	}
	c := s.column
	switch c.Type {
	case schema.Bool:
		out := unsafe.Slice((*bool)(data), n)
		for i, x := range c.Ints[from : from+n] {
			out[i] = x != 0
		}
	case schema.Int:
		out := unsafe.Slice((*int32)(data), n)
		for i, x := range c.Ints[from : from+n] {
			out[i] = int32(x)
		}
	case schema.Long, schema.DateTime, schema.TimeSpan:
		copy(unsafe.Slice((*int64)(data), n), c.Ints[from:from+n])
	case schema.Real:
		copy(unsafe.Slice((*float64)(data), n), c.Reals[from:from+n])
	default:
		a.heap.fill(unsafe.Slice((*text)(data), n), c.Texts[from:from+n])
	}
	if c.Null != nil && c.Type != schema.String {
		nulls(v, c.Null[from:from+n], n)
	}
}

// heap holds the long strings of the chunk under way. Its blocks are pinned:
// DuckDB reads them by address until it has copied the chunk.
type heap struct {
	block []byte
	pins  runtime.Pinner
}

func (h *heap) reset() {
	h.pins.Unpin()
	if h.block = h.block[:0]; cap(h.block) > 0 {
		h.pins.Pin(&h.block[:1][0])
	}
}

// add copies a string and gives its address.
func (h *heap) add(s string) uintptr {
	const size = 1 << 20
	if cap(h.block)-len(h.block) < len(s) {
		h.block = make([]byte, 0, max(size, len(s)))
		h.pins.Pin(&h.block[:1][0])
	}
	at := len(h.block)
	h.block = append(h.block, s...)
	return uintptr(unsafe.Pointer(&h.block[at]))
}

// fill writes strings as DuckDB lays them out: see text.
func (h *heap) fill(out []text, in []string) {
	for i, s := range in {
		if !utf8.ValidString(s) { // DuckDB trusts what it is given here
			s = strings.ToValidUTF8(s, "\uFFFD")
		}
		t := text{length: uint32(len(s))}
		copy(t.place[:], s)
		if len(s) > inPlace {
			*(*uintptr)(unsafe.Pointer(&t.place[4])) = h.add(s)
		}
		out[i] = t
	}
}

// nulls marks rows without a value; all of them when which is nil.
func nulls(v bindings.Vector, which []bool, n int) {
	var bits []uint64
	for i := range n {
		if which != nil && !which[i] {
			continue
		}
		if bits == nil {
			bindings.VectorEnsureValidityWritable(v)
			bits = unsafe.Slice((*uint64)(bindings.VectorGetValidity(v)), (n+63)/64)
		}
		bits[i/64] &^= 1 << (i % 64)
	}
}
