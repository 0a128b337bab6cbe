package kqltest

import (
	"maps"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// path is the way from the answer down to a scan.
type path struct {
	// must are conditions over columns met on the way.
	must []plan.Expr
	// defs say what a column met on the way is made of.
	defs map[plan.ID]plan.Expr
	// copies is how many rows of a kind the query counts on.
	copies int
}

func (p path) with(x ...plan.Expr) path {
	p.must = append(append([]plan.Expr{}, p.must...), x...)
	return p
}

// defining gives a path that may be told more definitions.
func (p path) defining() path {
	p.defs = maps.Clone(p.defs)
	return p
}

// link stands for a value that several scans share; the k-th rows of all of
// them have the same one, or every row where it is fixed.
type link struct {
	key   int
	fixed bool
	vary  bool // each row has its own
	typ   schema.Type
}

func (l *link) Type() schema.Type { return l.typ }

func (f *filler) link(t schema.Type) *link {
	f.links++
	return &link{key: f.links, typ: t}
}

func equal(x, y plan.Expr) plan.Expr {
	return &plan.Call{Func: "eq", Args: []plan.Expr{x, y}, Typ: schema.Bool}
}

// walk goes down from a node to its scans.
func (f *filler) walk(n plan.Node, p path) {
	if f.seen[n]++; len(f.recipes) >= mostRecipes || f.seen[n] > 12 {
		return
	}
	plan.Exprs(n, func(x plan.Expr) { f.within(x, p) })
	switch n := n.(type) {
	case *plan.Scan:
		r := recipe{table: n.Table, path: p, columns: map[plan.ID]string{}}
		for i, c := range n.Cols {
			r.columns[c.ID] = n.Source[i]
		}
		f.add(r)
	case *plan.Scans:
		for i, t := range n.Tables {
			if i >= 4 {
				break
			}
			r := recipe{table: t, path: p, columns: map[plan.ID]string{}}
			for k, c := range n.Cols {
				r.columns[c.ID] = n.Source[k]
			}
			f.add(r)
		}
	case *plan.Filter:
		f.walk(n.Input, p.with(n.Predicate))
	case *plan.Project:
		p = p.defining()
		for _, it := range n.Items {
			if ref, ok := it.X.(*plan.ColumnRef); !ok || ref.ID != it.ID {
				p.defs[it.ID] = it.X
			}
		}
		f.walk(n.Input, p)
	case *plan.Aggregate:
		f.walk(n.Input, f.aggregated(n, p))
	case *plan.Join:
		f.join(n, p)
	case *plan.Union:
		for i, in := range n.Nodes {
			q := p.defining()
			for id, x := range n.From[i] {
				q.defs[id] = x
			}
			f.walk(in, q)
		}
	case *plan.Expand:
		p = p.defining()
		for _, it := range n.Items {
			p.defs[it.ID] = &plan.Call{Func: "get", Typ: schema.Dynamic, Args: []plan.Expr{it.X, &plan.Const{Typ: schema.Long, Value: int64(0)}}}
		}
		f.walk(n.Input, p)
	case *plan.Apply:
		inner := f.through(n.Sub, p)
		f.walk(n.Input, inner)
	case *plan.Ref:
		p = p.defining()
		for i, c := range n.Cols {
			for _, col := range n.Shared.Columns() {
				if col.ID == n.From[i] {
					p.defs[c.ID] = col.Ref()
				}
			}
		}
		f.walk(n.Shared.Input, p)
	default:
		for _, in := range n.Inputs() {
			f.walk(in, p)
		}
	}
}

func (f *filler) add(r recipe) {
	f.recipes = append(f.recipes, r)
	f.tables[r.table.Name] = r.table
}

// within walks the tables inside of an expression.
func (f *filler) within(x plan.Expr, p path) {
	plan.Walk(x, func(e plan.Expr) bool {
		fresh := path{defs: map[plan.ID]plan.Expr{}, copies: 1}
		switch e := e.(type) {
		case *plan.Scalar:
			f.walk(e.Node, fresh)
		case *plan.InTable:
			if _, known := f.members[e]; !known {
				l := f.link(schema.String)
				f.members[e] = l.key
				f.walk(e.Node, fresh.with(equal(e.Node.Columns()[0].Ref(), l)))
			}
		}
		return true
	})
}

// through carries conditions through the sub-query that runs for each row: its scan is the outer row.
func (f *filler) through(n plan.Node, p path) path {
	for {
		switch x := n.(type) {
		case *plan.Filter:
			p = p.with(x.Predicate)
		case *plan.Project:
			p = p.defining()
			for _, it := range x.Items {
				if ref, ok := it.X.(*plan.ColumnRef); !ok || ref.ID != it.ID {
					p.defs[it.ID] = it.X
				}
			}
		case *plan.Aggregate:
			copies := p.copies
			p = f.aggregated(x, p)
			p.copies = copies
		case *plan.Expand:
			p = p.defining()
			for _, it := range x.Items {
				p.defs[it.ID] = &plan.Call{Func: "get", Typ: schema.Dynamic, Args: []plan.Expr{it.X, &plan.Const{Typ: schema.Long, Value: int64(0)}}}
			}
		case *plan.Outer:
			return p
		}
		in := n.Inputs()
		if len(in) == 0 {
			return p
		}
		n = in[0]
	}
}

// aggregated says what groups ask of rows: as many as a count must come to,
// of one key, and the values that the aggregates are made of.
func (f *filler) aggregated(n *plan.Aggregate, p path) path {
	p = p.defining()
	for _, k := range n.Keys {
		if ref, ok := k.X.(*plan.ColumnRef); !ok || ref.ID != k.ID {
			p.defs[k.ID] = k.X
		}
	}
	counted := map[plan.ID]plan.Agg{}
	for _, a := range n.Aggs {
		counted[a.ID] = a
		switch {
		case a.Func == "arg_max" || a.Func == "arg_min":
			p.defs[a.ID] = a.Args[1]
		case strings.HasPrefix(a.Func, "make_") && len(a.Args) > 0:
			p.defs[a.ID] = &plan.Call{Func: "listof", Typ: schema.Dynamic, Args: a.Args[:1]}
		case len(a.Args) > 0 && a.Func != "dcount" && a.Func != "count_distinct":
			p.defs[a.ID] = a.Args[0]
		}
	}
	fixed := false
	for _, x := range p.must {
		plan.Walk(x, func(e plan.Expr) bool {
			c, ok := e.(*plan.Call)
			if !ok || len(c.Args) != 2 {
				return true
			}
			a, is := f.counts(c.Args[0], counted, p)
			k, number := c.Args[1].(*plan.Const)
			if !is || !number {
				return true
			}
			least, _ := number64(k.Value)
			if c.Func == "gt" {
				least++
			}
			if c.Func != "gt" && c.Func != "ge" && c.Func != "eq" {
				return true
			}
			p.copies = max(p.copies, int(min(max(least, 1), 40)))
			fixed = true
			if a.Where != nil {
				p = p.with(a.Where)
			}
			if (a.Func == "dcount" || a.Func == "count_distinct" || strings.HasPrefix(a.Func, "make_set")) && len(a.Args) > 0 {
				l := f.link(a.Args[0].Type())
				l.vary = true
				p = p.with(equal(a.Args[0], l))
			}
			return true
		})
	}
	if fixed {
		for _, k := range n.Keys {
			l := f.link(k.X.Type())
			l.fixed = true
			p = p.with(equal(k.X, l))
		}
	}
	return p
}

// counts finds the aggregate that an expression counts by: itself, or the length of a list.
func (f *filler) counts(x plan.Expr, counted map[plan.ID]plan.Agg, p path) (plan.Agg, bool) {
	for range 8 {
		switch e := x.(type) {
		case *plan.ColumnRef:
			if a, ok := counted[e.ID]; ok {
				return a, a.Func == "count" || a.Func == "dcount" || a.Func == "count_distinct" || strings.HasPrefix(a.Func, "make_")
			}
			if x = p.defs[e.ID]; x == nil {
				return plan.Agg{}, false
			}
		case *plan.Call:
			switch e.Func {
			case "array_length", "tolong", "toint", "toreal", "coalesce":
				x = e.Args[0]
			default:
				return plan.Agg{}, false
			}
		default:
			return plan.Agg{}, false
		}
	}
	return plan.Agg{}, false
}

// join gives both sides the same keys; the rows of an anti join find nothing on the other side.
func (f *filler) join(n *plan.Join, p path) {
	l, r := p.defining(), p.defining()
	for _, pair := range n.On {
		if !pair.Equal || strings.HasSuffix(n.Kind, "anti") {
			continue
		}
		if ref, ok := pair.Left.(*plan.ColumnRef); ok {
			r.defs[ref.ID] = pair.Right
		}
		if ref, ok := pair.Right.(*plan.ColumnRef); ok {
			l.defs[ref.ID] = pair.Left
		}
		k := f.link(pair.Left.Type())
		l, r = l.with(equal(pair.Left, k)), r.with(equal(pair.Right, k))
	}
	switch n.Kind {
	case "leftanti":
		r = path{defs: map[plan.ID]plan.Expr{}, copies: 1}
	case "rightanti":
		l = path{defs: map[plan.ID]plan.Expr{}, copies: 1}
	}
	f.walk(n.Left, l)
	f.walk(n.Right, r)
}

func number64(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), true
	}
	return 0, false
}
