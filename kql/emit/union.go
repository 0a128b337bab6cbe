package emit

import (
	"slices"
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// stack collects the SELECTs of a union. A column that an input lacks is
// written as a null, or left out where most are missing: then the engine
// matches columns by name, and texts get their "" once, above.
type stack struct {
	e      *emitter
	cols   []plan.Column
	sparse bool
	text   strings.Builder
	args   []any
	inputs int
}

// stackOf begins a union of inputs that together have so many of its cells.
func (e *emitter) stackOf(cols []plan.Column, inputs, cells int) *stack {
	return &stack{e: e, cols: cols, sparse: e.says("union by name") && inputs > 8 && cells*4 < len(cols)*inputs}
}

// add stacks one input: its columns, frag with empty text for one that it lacks.
// has are the positions of those that it doesn't lack, ascending: of the
// thousands of columns of a wildcard a table has a few.
func (u *stack) add(items []frag, has []int, from frag) {
	if u.inputs > 0 {
		u.text.WriteString(" UNION ALL ")
		if u.sparse {
			u.text.WriteString(u.e.say("union by name").text)
		}
	}
	u.text.WriteString("SELECT ")
	first := true
	write := func(i int, f frag) {
		if !first {
			u.text.WriteString(", ")
		}
		first = false
		u.text.WriteString(f.text)
		u.text.WriteString(" AS c")
		u.text.WriteString(strconv.Itoa(int(u.cols[i].ID)))
		u.args = append(u.args, f.args...)
	}
	if u.sparse && u.inputs > 0 {
		for _, i := range has {
			write(i, items[i])
		}
	} else {
		for i, c := range u.cols {
			f := items[i]
			if f.text == "" {
				f.text = u.missing(c.Type)
			}
			write(i, f)
		}
	}
	if len(u.cols) == 0 {
		u.text.WriteString("1 AS none")
	} else if first {
		u.text.WriteString("NULL AS c" + strconv.Itoa(int(u.cols[0].ID)))
	}
	u.text.WriteString(" FROM ")
	u.text.WriteString(from.text)
	u.args = append(u.args, from.args...)
	u.inputs++
}

func (u *stack) missing(t schema.Type) string {
	if t == schema.String && !u.sparse {
		return "''"
	}
	return u.e.say("null", text(u.e.dialect.Physical(t))).text
}

func (u *stack) rel() rel {
	f := frag{text: u.text.String(), args: u.args}
	if !u.sparse {
		return rel{sql: f}
	}
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range u.cols {
		if i > 0 {
			b.WriteString(", ")
		}
		if n := name(c.ID); c.Type == schema.String {
			b.WriteString("coalesce(" + n + ", '') AS " + n)
		} else {
			b.WriteString(n)
		}
	}
	b.WriteString(" FROM (")
	return rel{sql: f.wrap(b.String(), ")")}
}

func (e *emitter) union(n *plan.Union) rel {
	cells := 0
	for _, from := range n.From {
		cells += len(from)
	}
	u := e.stackOf(n.Cols, len(n.Nodes), cells)
	items := make([]frag, len(n.Cols))
	place := make(map[plan.ID]int, len(n.Cols))
	for k, c := range n.Cols {
		place[c.ID] = k
	}
	var has []int
	for i, in := range n.Nodes {
		r := e.node(in)
		s := e.sel()
		e.order = r.order
		has = has[:0]
		for id, x := range n.From[i] {
			if k, ok := place[id]; ok && x != nil {
				has = append(has, k)
			}
		}
		slices.Sort(has)
		for _, k := range has {
			items[k] = s.expr(n.From[i][n.Cols[k].ID])
		}
		u.add(items, has, s.from(r.sql))
		for _, k := range has {
			items[k] = frag{}
		}
	}
	return u.rel()
}

// scanAll stacks whole tables.
func (e *emitter) scanAll(n *plan.Scans) rel {
	cells := 0
	for _, t := range n.Tables {
		cells += min(len(t.Columns), len(n.Cols))
	}
	u := e.stackOf(n.Cols, len(n.Tables), cells)
	items := make([]frag, len(n.Cols))
	place := make(map[string][]int, len(n.Cols))
	for i, s := range n.Source {
		place[s] = append(place[s], i)
	}
	wide := len(n.Cols) > 64
	var has []int
	set := func(i int, f frag) {
		items[i] = f
		has = append(has, i)
	}
	for _, t := range n.Tables {
		s := e.sel()
		scan := Scan{Table: t.Name}
		var names strings.Builder
		read := func(column string) string {
			x := "x" + strconv.Itoa(len(scan.Columns))
			if len(scan.Columns) > 0 {
				names.WriteString(", ")
			}
			names.WriteString(x)
			scan.Columns = append(scan.Columns, column)
			return x
		}
		take := func(c schema.Column) {
			x := ""
			for _, i := range place[c.Name] {
				same, convert := n.Cols[i].Type == c.Type, n.Converted[n.Cols[i].ID]
				if !same && convert == "" {
					continue
				}
				if x == "" {
					x = read(c.Name)
				}
				if f := text(x); same {
					set(i, f)
				} else {
					set(i, s.apply(convert, []frag{f}, []schema.Type{c.Type}, n.Cols[i].Type))
				}
			}
		}
		if wide {
			for _, c := range t.Columns {
				take(c)
			}
		} else {
			for i, s := range n.Source {
				if c, ok := t.Column(s); ok && c.Name == s && items[i].text == "" {
					take(c)
				}
			}
		}
		for _, i := range place[plan.LabelSource] {
			set(i, param(t.Name))
		}
		if n.Received != "" {
			for _, i := range place[n.Received] {
				set(i, text(read(n.Received)))
			}
		}
		for _, i := range place[plan.BagSource] {
			if bag, ok := plan.Bag(t); ok {
				f := text(read(bag.Name))
				if bag.Type != schema.Dynamic {
					f = u.e.say("dynamic of a text", f)
				}
				set(i, f)
			}
		}
		where := ""
		if c, ok := t.Column(t.Time); ok && c.Type == schema.DateTime && t.Time != "" && (n.From != 0 || n.To != 0) {
			x := read(c.Name)
			var parts []string
			if n.From != 0 {
				parts = append(parts, x+" >= "+strconv.FormatInt(int64(n.From), 10))
			}
			if n.To != 0 {
				parts = append(parts, x+" < "+strconv.FormatInt(int64(n.To), 10))
			}
			where = " WHERE " + strings.Join(parts, " AND ")
		}
		if len(scan.Columns) == 0 { // a row is counted without its columns
			read(t.Columns[0].Name)
		}
		slices.Sort(has)
		has = slices.Compact(has)
		from := text(scanMark + strconv.Itoa(len(e.scans)) + scanMark + " AS t(" + names.String() + ")" + where)
		if len(s.levels) > 0 {
			from = s.from(text("SELECT * FROM ").and(from))
		}
		u.add(items, has, from)
		for _, i := range has {
			items[i] = frag{}
		}
		has = has[:0]
		e.scans = append(e.scans, scan)
	}
	return u.rel()
}
