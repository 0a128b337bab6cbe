package rows

import (
	"strings"
	"unsafe"

	"github.com/valyala/fastjson"

	"lockstep/schema"
)

// The columns that a stored table has beside those that its side shows.
const (
	// Extra holds, as one JSON object, the fields that no column takes.
	Extra = "_Extra"
	// MachineGroup comes with every streamed event although hardly a hunting
	// table shows it. Source: facts 9.1.
	MachineGroup = "MachineGroup"
)

// computed are the workspace columns that the server derives: a value sent for
// one is dropped. Source: facts 9.3.
var computed = map[string]bool{"TenantId": true, "Type": true, "_BilledSize": true, "_IsBillable": true, "_ItemId": true, "_TimeReceived": true}

// Computed tells whether a workspace column is derived by the server.
func Computed(t *schema.Table, column string) bool {
	return t.Side == schema.Workspace && computed[column]
}

// Stored gives the table as its rows are kept: without the columns that the
// server derives, with MachineGroup for hunting tables, and with Extra.
func Stored(t *schema.Table) *schema.Table {
	columns := make([]schema.Column, 0, len(t.Columns)+2)
	group := t.Side != schema.XDR
	for _, c := range t.Columns {
		if Computed(t, c.Name) || c.Name == Extra {
			continue
		}
		group = group || c.Name == MachineGroup
		columns = append(columns, c)
	}
	if !group {
		columns = append(columns, schema.Column{Name: MachineGroup, Type: schema.String})
	}
	columns = append(columns, schema.Column{Name: Extra, Type: schema.Dynamic})
	s := schema.NewTable(t.Name, t.Side, columns)
	s.Component, s.Key = t.Component, t.Key
	return s
}

// plan is how rows of one table are read: which column takes a field, and the
// batch under way.
type plan struct {
	table  *schema.Table
	fields map[string]int // field name → column, or one of the two below
	order  []slot         // the fields of the last record, in its order
	extra  int            // column of Extra, or -1
	batch  *Batch
	clean  bool     // the text under way is UTF-8 throughout
	last   []string // by column: the last text, to share repeated ones
	seen   []bool   // by column, in the row under way
	arena  arena
	more   []byte   // the Extra object of the row under way
	buffer []byte   // for one value's JSON
	names  []string // its unknown fields
}

type slot struct {
	name   string
	column int
}

// A field that has no column.
const (
	unknownField = -1
	droppedField = -2
)

func newPlan(t *schema.Table) *plan {
	p := &plan{table: t, fields: make(map[string]int, len(t.Columns)), extra: -1, seen: make([]bool, len(t.Columns)), last: make([]string, len(t.Columns))}
	for i, c := range t.Columns {
		p.fields[c.Name] = i
		if c.Name == Extra {
			p.extra = i
		}
	}
	return p
}

// firstRows is the room that a batch begins with.
const firstRows = 64

func (p *plan) start() { p.batch = New(p.table, firstRows) }

func (p *plan) take() *Batch {
	b := p.batch
	p.batch, p.arena = nil, arena{}
	clear(p.last)
	return b
}

// column finds the column that takes a field: by exact name, else ignoring case.
func (p *plan) column(name []byte) slot {
	if i, ok := p.fields[string(name)]; ok {
		return slot{string(name), i}
	}
	s := slot{string(name), unknownField}
	for i, c := range p.table.Columns {
		if strings.EqualFold(c.Name, s.name) && c.Name != Extra {
			s.column = i
			break
		}
	}
	if s.column == unknownField && Computed(p.table, s.name) {
		s.column = droppedField
	}
	const most = 4096 // names come from outside: remember only so many
	if len(p.fields) < most {
		p.fields[s.name] = s.column
	}
	return s
}

// read adds one row's values. On an error, which is about the field named, the
// row is half there: rollback takes it out.
func (p *plan) read(fields *fastjson.Object) (field string, err error) {
	clear(p.seen)
	p.more, p.names = p.more[:0], p.names[:0]
	i := 0
	fields.Visit(func(key []byte, v *fastjson.Value) {
		if err != nil {
			return
		}
		var s slot
		if i < len(p.order) && p.order[i].name == string(key) {
			s = p.order[i]
		} else {
			s = p.column(key)
			if i < len(p.order) {
				p.order[i] = s
			} else if i < 4*len(p.seen) {
				p.order = append(p.order, s)
			}
		}
		i++
		switch {
		case s.column == unknownField:
			err = p.keep(s.name, v)
		case s.column == droppedField || p.seen[s.column]:
		case p.table.Columns[s.column].Name == Extra:
			err = p.merge(v)
		default:
			p.seen[s.column] = true
			err = p.set(s.column, v)
		}
		if err != nil {
			field = clip(s.name)
		}
	})
	if err != nil {
		return field, err
	}
	if p.extra >= 0 && len(p.more) > 0 {
		p.more = append(p.more, '}')
		if len(p.more) > TextLimit {
			return Extra, tooLong(len(p.more))
		}
		p.seen[p.extra] = true
		p.batch.Columns[p.extra].AppendText(p.arena.text(p.more))
	}
	for c, seen := range p.seen {
		if !seen {
			p.batch.Columns[c].AppendNull()
		}
	}
	return "", nil
}

// keep adds an unknown field to the row's Extra.
func (p *plan) keep(name string, v *fastjson.Value) error {
	p.names = append(p.names, name)
	if p.extra < 0 {
		return nil
	}
	if n := len(p.more); n == 0 {
		p.more = append(p.more, '{')
	} else {
		p.more = append(p.more, ',')
	}
	p.more = append(appendQuoted(p.more, name), ':')
	before := len(p.more)
	p.more = appendJSON(p.more, v, before+TextLimit+1)
	if n := len(p.more) - before; n > TextLimit {
		return tooLong(n)
	}
	return nil
}

// merge reads an Extra object that a record already has: rows on their way
// from one Lockstep to another.
func (p *plan) merge(v *fastjson.Value) (err error) {
	if v.Type() == fastjson.TypeString {
		if v, err = fastjson.ParseBytes(v.GetStringBytes()); err != nil {
			return nil // not an object: nothing to keep
		}
	}
	if o, _ := v.Object(); o != nil {
		o.Visit(func(key []byte, v *fastjson.Value) {
			if err == nil {
				err = p.keep(string(key), v)
			}
		})
	}
	return err
}

func (p *plan) commit(unknown map[string]map[string]int) {
	p.batch.N++
	for _, name := range p.names {
		const most = 1000 // per table: names come from outside
		counts := unknown[p.table.Name]
		if counts == nil {
			counts = map[string]int{}
			unknown[p.table.Name] = counts
		}
		if _, ok := counts[name]; ok || len(counts) < most {
			counts[name]++
		}
	}
}

func (p *plan) rollback() { p.batch.truncate(p.batch.N) }

// text makes a lasting string of bytes that the parser will reuse, sharing the
// column's last one if it is the same.
func (p *plan) text(column int, b []byte) string {
	if p.last[column] == string(b) {
		return p.last[column]
	}
	s := p.arena.text(b)
	p.last[column] = s
	return s
}

// arena holds the texts of a batch in few large blocks.
type arena struct{ block []byte }

func (a *arena) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	const size = 256 << 10
	if len(b) > size/4 {
		return string(b)
	}
	if cap(a.block)-len(a.block) < len(b) {
		a.block = make([]byte, 0, size)
	}
	at := len(a.block)
	a.block = append(a.block, b...)
	return unsafe.String(&a.block[at], len(b)) // never written again
}

// truncate drops the rows from n on.
func (b *Batch) truncate(n int) {
	for i := range b.Columns {
		c := &b.Columns[i]
		c.Ints, c.Reals, c.Texts = cut(c.Ints, n), cut(c.Reals, n), cut(c.Texts, n)
		c.Null = cut(c.Null, n)
	}
	b.N = n
}

func cut[T any](s []T, n int) []T {
	if len(s) > n {
		return s[:n]
	}
	return s
}
