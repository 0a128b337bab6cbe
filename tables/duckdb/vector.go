package duckdb

import (
	"fmt"
	"math"
	"strings"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"lockstep/rows"
	"lockstep/schema"
)

// chunk is some rows of a result, column by column, in DuckDB's memory.
type chunk struct {
	n       int
	vectors []vector
}

// vector is one column of a chunk.
type vector struct {
	typ   bindings.Type
	data  unsafe.Pointer
	valid unsafe.Pointer // a bit per row; nil when no value is null
}

func (v *vector) null(i int) bool {
	return v.valid != nil && *(*uint64)(unsafe.Add(v.valid, i/64*8))>>(i%64)&1 == 0
}

func at[T any](v *vector, i int) T {
	var zero T
	return *(*T)(unsafe.Add(v.data, uintptr(i)*unsafe.Sizeof(zero)))
}

// text is DuckDB's string: 4 bytes of length, then up to 12 bytes in place or
// 4 bytes of prefix and a pointer. Source: duckdb_string_t in duckdb.h.
type text struct {
	length uint32
	place  [12]byte
}

const inPlace = 12

// borrowed gives a string of the chunk without copying it.
func (v *vector) borrowed(i int) string {
	t := (*text)(unsafe.Add(v.data, i*int(unsafe.Sizeof(text{}))))
	if t.length <= inPlace {
		return unsafe.String(&t.place[0], t.length)
	}
	return unsafe.String(*(**byte)(unsafe.Pointer(&t.place[4])), t.length)
}

// wide is a 128-bit integer, low half first.
type wide struct {
	low  uint64
	high int64
}

// long gives the nearest int64.
func (w wide) long() int64 {
	switch {
	case w.high > 0 || w.high == 0 && w.low > math.MaxInt64:
		return math.MaxInt64
	case w.high < -1 || w.high == -1 && w.low < 1<<63:
		return math.MinInt64
	}
	return int64(w.low)
}

func (w wide) real() float64 { return float64(w.high)*(1<<64) + float64(w.low) }

// int gives a value of any integer type, saturating those past 64 bits.
func (v *vector) int(i int) int64 {
	switch v.typ {
	case bindings.TypeBoolean, bindings.TypeUTinyInt:
		return int64(at[uint8](v, i))
	case bindings.TypeTinyInt:
		return int64(at[int8](v, i))
	case bindings.TypeSmallInt:
		return int64(at[int16](v, i))
	case bindings.TypeUSmallInt:
		return int64(at[uint16](v, i))
	case bindings.TypeInteger:
		return int64(at[int32](v, i))
	case bindings.TypeUInteger:
		return int64(at[uint32](v, i))
	case bindings.TypeUBigInt:
		return int64(min(at[uint64](v, i), math.MaxInt64))
	case bindings.TypeHugeInt:
		return at[wide](v, i).long()
	}
	return at[int64](v, i)
}

func (v *vector) integral() bool {
	switch v.typ {
	case bindings.TypeBoolean, bindings.TypeTinyInt, bindings.TypeSmallInt, bindings.TypeInteger, bindings.TypeBigInt, bindings.TypeHugeInt,
		bindings.TypeUTinyInt, bindings.TypeUSmallInt, bindings.TypeUInteger, bindings.TypeUBigInt:
		return true
	}
	return false
}

func (v *vector) real(i int) float64 {
	switch {
	case v.typ == bindings.TypeDouble:
		return at[float64](v, i)
	case v.typ == bindings.TypeFloat:
		return float64(at[float32](v, i))
	case v.typ == bindings.TypeHugeInt:
		return at[wide](v, i).real()
	}
	return float64(v.int(i))
}

func (v *vector) value(i int) (any, error) {
	switch {
	case v.typ == bindings.TypeSQLNull || v.null(i):
		return nil, nil
	case v.typ == bindings.TypeBoolean:
		return v.int(i) != 0, nil
	case v.integral():
		return v.int(i), nil
	case v.typ == bindings.TypeDouble || v.typ == bindings.TypeFloat:
		return v.real(i), nil
	case v.typ == bindings.TypeVarchar:
		return strings.Clone(v.borrowed(i)), nil
	}
	return nil, fmt.Errorf("no way to read DuckDB's type %d", v.typ)
}

// appendTo adds n values from row i on to a column of a batch and gives about how
// many bytes they take. The vector's type must suit the column's.
func (v *vector) appendTo(c *rows.Column, from, n int) (size int64, err error) {
	storage := rows.StorageOf(c.Type)
	if v.typ == bindings.TypeSQLNull {
		for range n {
			c.AppendNull()
		}
		return int64(n), nil
	}
	number := v.integral() || v.typ == bindings.TypeDouble || v.typ == bindings.TypeFloat
	if (storage == rows.Texts) != (v.typ == bindings.TypeVarchar) || storage != rows.Texts && !number || storage == rows.Ints && !v.integral() {
		return 0, fmt.Errorf("a %s column got DuckDB's type %d", c.Type, v.typ)
	}
	var block textBlock
	for i := from; i < from+n; i++ {
		switch {
		case v.null(i):
			c.AppendNull()
		case storage == rows.Ints:
			c.AppendInt(v.int(i))
		case storage == rows.Reals:
			c.AppendReal(v.real(i))
		default:
			s := v.borrowed(i)
			size += int64(len(s))
			c.AppendText(block.keep(s))
		}
	}
	return size + int64(n)*8, nil
}

// textBlock copies many small strings out of DuckDB's memory with few allocations.
type textBlock struct {
	b    []byte
	last string
}

func (t *textBlock) keep(s string) string {
	if s == "" || s == t.last {
		return t.last[:len(s)]
	}
	if cap(t.b)-len(t.b) < len(s) {
		t.b = make([]byte, 0, max(len(s), 16<<10))
	}
	at := len(t.b)
	t.b = append(t.b, s...)
	t.last = unsafe.String(&t.b[at], len(s)) // never written again
	return t.last
}

// physical is the DuckDB type that holds values of a column type.
func physical(t schema.Type) string {
	switch t {
	case schema.Bool:
		return "BOOLEAN"
	case schema.Int:
		return "INTEGER"
	case schema.Real:
		return "DOUBLE"
	case schema.Long, schema.DateTime, schema.TimeSpan:
		return "BIGINT"
	default:
		return "VARCHAR"
	}
}
