// Package rows knows a batch of typed columns, how a JSON record becomes one
// row of it by a table's schema, and why a record was refused. It leaves where
// rows come from to sources and where they go to tables.
package rows

import (
	"lockstep/schema"
)

// Batch is rows of one table, column by column.
type Batch struct {
	Table   *schema.Table
	Columns []Column // as Table.Columns, in order
	N       int      // rows
}

// Column is one column of a batch. One of the slices holds the values, by type:
//
//	bool, int, long, datetime, timespan → Ints (bool as 0 and 1; times in ticks)
//	real                                → Reals
//	string, guid, decimal, dynamic      → Texts (dynamic as minified JSON)
//
// Null marks the rows without a value; nil when no row lacks one. A string is never null.
type Column struct {
	Type  schema.Type
	Ints  []int64
	Reals []float64
	Texts []string
	Null  []bool
}

// Storage says which slice of a Column holds a type's values.
type Storage uint8

// The storages.
const (
	Ints Storage = iota
	Reals
	Texts
)

// StorageOf gives the slice that holds values of a type.
func StorageOf(t schema.Type) Storage {
	switch t {
	case schema.Real:
		return Reals
	case schema.String, schema.Guid, schema.Decimal, schema.Dynamic:
		return Texts
	default:
		return Ints
	}
}

// New makes an empty batch of a table with room for n rows.
func New(t *schema.Table, n int) *Batch {
	b := &Batch{Table: t, Columns: make([]Column, len(t.Columns))}
	for i, c := range t.Columns {
		b.Columns[i].Type = c.Type
		switch StorageOf(c.Type) {
		case Ints:
			b.Columns[i].Ints = make([]int64, 0, n)
		case Reals:
			b.Columns[i].Reals = make([]float64, 0, n)
		case Texts:
			b.Columns[i].Texts = make([]string, 0, n)
		}
	}
	return b
}

// Len is the number of values in the column.
func (c *Column) Len() int { return len(c.Ints) + len(c.Reals) + len(c.Texts) }

// IsNull reports whether row i lacks a value.
func (c *Column) IsNull(i int) bool { return c.Null != nil && c.Null[i] }

// AppendNull adds a row without a value; to a string column, "".
func (c *Column) AppendNull() {
	switch StorageOf(c.Type) {
	case Ints:
		c.Ints = append(c.Ints, 0)
	case Reals:
		c.Reals = append(c.Reals, 0)
	case Texts:
		c.Texts = append(c.Texts, "")
	}
	if c.Type == schema.String {
		if c.Null != nil {
			c.Null = append(c.Null, false)
		}
		return
	}
	if c.Null == nil {
		c.Null = make([]bool, c.Len()-1, cap(c.Ints)+cap(c.Reals)+cap(c.Texts))
	}
	c.Null = append(c.Null, true)
}

// AppendInt, AppendReal and AppendText add a value of the column's storage.
func (c *Column) AppendInt(v int64) { c.Ints = append(c.Ints, v); c.present() }

// AppendReal adds a value to a real column.
func (c *Column) AppendReal(v float64) { c.Reals = append(c.Reals, v); c.present() }

// AppendText adds a value to a string, guid, decimal or dynamic column.
func (c *Column) AppendText(v string) { c.Texts = append(c.Texts, v); c.present() }

func (c *Column) present() {
	if c.Null != nil {
		c.Null = append(c.Null, false)
	}
}

// Value gives row i as bool, int64, float64, string, schema.Ticks, or nil.
func (c *Column) Value(i int) any {
	if c.IsNull(i) {
		return nil
	}
	switch c.Type {
	case schema.Bool:
		return c.Ints[i] != 0
	case schema.DateTime, schema.TimeSpan:
		return schema.Ticks(c.Ints[i])
	case schema.Int, schema.Long:
		return c.Ints[i]
	case schema.Real:
		return c.Reals[i]
	default:
		return c.Texts[i]
	}
}

// Pick gives the rows at the given places, in that order, as a batch of their own.
func (b *Batch) Pick(places []int) *Batch {
	out := New(b.Table, len(places))
	for i := range b.Columns {
		from, to := &b.Columns[i], &out.Columns[i]
		for _, at := range places {
			to.AppendFrom(from, at)
		}
	}
	out.N = len(places)
	return out
}

// AppendFrom adds row i of a column of the same type.
func (c *Column) AppendFrom(from *Column, i int) {
	switch {
	case from.IsNull(i):
		c.AppendNull()
	case len(from.Ints) > 0:
		c.AppendInt(from.Ints[i])
	case len(from.Reals) > 0:
		c.AppendReal(from.Reals[i])
	default:
		c.AppendText(from.Texts[i])
	}
}
