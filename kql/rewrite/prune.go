package rewrite

import (
	"lockstep/kql/plan"
	"lockstep/schema"
)

// pruneColumns drops what nobody reads: a scan of a table with sixty columns
// reads the five that the query names.
func pruneColumns(root plan.Node, _ schema.Ticks) plan.Node {
	p := &pruner{shared: map[*plan.Shared]ids{}}
	need := ids{}
	for _, c := range root.Columns() {
		need[c.ID] = true
	}
	p.node(root, need)
	// what is shared is read by refs anywhere: the later it was made, the earlier it is pruned
	for len(p.queue) > 0 {
		last := 0
		for i, s := range p.queue {
			if s.Number > p.queue[last].Number {
				last = i
			}
		}
		s := p.queue[last]
		p.queue = append(p.queue[:last], p.queue[last+1:]...)
		p.node(s.Input, p.shared[s])
	}
	return root
}

type ids map[plan.ID]bool

func (s ids) with(list ...plan.Expr) ids {
	for _, x := range list {
		plan.Walk(x, func(e plan.Expr) bool {
			if r, ok := e.(*plan.ColumnRef); ok {
				s[r.ID] = true
			}
			return true
		})
	}
	return s
}

func (s ids) copy() ids {
	out := make(ids, len(s))
	for k := range s {
		out[k] = true
	}
	return out
}

type pruner struct {
	shared map[*plan.Shared]ids
	queue  []*plan.Shared
}

// tables prunes the tables inside expressions: all their columns are read.
func (p *pruner) tables(list ...plan.Expr) {
	for _, x := range list {
		for _, n := range plan.Tables(x) {
			need := ids{}
			if cols := n.Columns(); len(cols) > 0 {
				need[cols[0].ID] = true
			}
			p.node(n, need)
		}
	}
}

func (p *pruner) node(n plan.Node, need ids) {
	switch n := n.(type) {
	case *plan.Scan:
		cols, source := n.Cols[:0:0], n.Source[:0:0]
		for i, c := range n.Cols {
			if need[c.ID] {
				cols, source = append(cols, c), append(source, n.Source[i])
			}
		}
		n.Cols, n.Source = cols, source
	case *plan.Scans:
		cols, source := n.Cols[:0:0], n.Source[:0:0]
		for i, c := range n.Cols {
			if need[c.ID] {
				cols, source = append(cols, c), append(source, n.Source[i])
			}
		}
		n.Cols, n.Source = cols, source
	case *plan.Project:
		items := n.Items[:0:0]
		below := ids{}
		for _, it := range n.Items {
			if need[it.ID] {
				items = append(items, it)
				below.with(it.X)
				p.tables(it.X)
			}
		}
		n.Items = items
		p.node(n.Input, below)
	case *plan.Filter:
		p.tables(n.Predicate)
		p.node(n.Input, need.copy().with(n.Predicate))
	case *plan.Aggregate:
		below := ids{}
		for _, k := range n.Keys {
			below.with(k.X)
			p.tables(k.X)
		}
		aggs := n.Aggs[:0:0]
		for _, a := range n.Aggs {
			if need[a.ID] {
				aggs = append(aggs, a)
				below.with(a.Args...).with(a.Where)
				p.tables(append(append([]plan.Expr{}, a.Args...), a.Where)...)
			}
		}
		n.Aggs = aggs
		p.node(n.Input, below)
	case *plan.Distinct:
		all := ids{}
		for _, c := range n.Columns() {
			all[c.ID] = true
		}
		p.node(n.Input, all)
	case *plan.Sort:
		below := need.copy()
		for _, k := range n.Keys {
			below.with(k.X)
			p.tables(k.X)
		}
		p.node(n.Input, below)
	case *plan.Fold:
		below := need.copy()
		for i := range n.Next {
			below.with(n.First[i], n.Next[i])
			p.tables(n.First[i], n.Next[i])
		}
		p.node(n.Input, below)
	case *plan.Stage:
		p.stage(n, need)
	case *plan.Limit:
		p.tables(n.N)
		p.node(n.Input, need)
	case *plan.Join:
		below := need.copy()
		for _, on := range n.On {
			below.with(on.Left, on.Right)
			p.tables(on.Left, on.Right)
		}
		n.Cols = only(n.Cols, need)
		p.node(n.Left, below)
		p.node(n.Right, below)
	case *plan.Union:
		p.union(n, need)
	case *plan.Expand:
		below := need.copy()
		for _, it := range n.Items {
			below.with(it.X)
			p.tables(it.X)
		}
		n.Cols = only(n.Cols, need)
		p.node(n.Input, below)
	case *plan.Apply:
		n.Cols = only(n.Cols, need)
		below := need.copy()
		plan.Each(n.Sub, func(m plan.Node) {
			plan.Exprs(m, func(x plan.Expr) { below.with(x) })
			if o, ok := m.(*plan.Outer); ok {
				_ = o
			}
		})
		p.node(n.Sub, below)
		p.node(n.Input, below)
	case *plan.Outer:
		n.Cols = only(n.Cols, need)
	case *plan.Ref:
		set, ok := p.shared[n.Shared]
		if !ok {
			set = ids{}
			p.shared[n.Shared] = set
			p.queue = append(p.queue, n.Shared)
		}
		cols, from := n.Cols[:0:0], n.From[:0:0]
		for i, c := range n.Cols {
			if need[c.ID] {
				cols, from = append(cols, c), append(from, n.From[i])
				set[n.From[i]] = true
			}
		}
		n.Cols, n.From = cols, from
	case *plan.Values:
		for _, r := range n.Rows {
			p.tables(r...)
		}
	case *plan.Series:
		p.tables(n.From, n.To, n.Step)
	}
}

func only(cols []plan.Column, need ids) []plan.Column {
	out := cols[:0:0]
	for _, c := range cols {
		if need[c.ID] {
			out = append(out, c)
		}
	}
	return out
}

func (p *pruner) union(n *plan.Union, need ids) {
	n.Cols = only(n.Cols, need)
	for i, in := range n.Nodes {
		below := ids{}
		for id, x := range n.From[i] {
			if need[id] {
				below.with(x)
			} else {
				delete(n.From[i], id)
			}
		}
		p.node(in, below)
	}
}

// stage reads what it sees of its inputs and the columns that places bring.
func (p *pruner) stage(n *plan.Stage, need ids) {
	cols, from := n.Cols[:0:0], n.From[:0:0]
	for i, c := range n.Cols {
		if need[c.ID] {
			cols, from = append(cols, c), append(from, n.From[i])
		}
	}
	n.Cols, n.From = cols, from
	p.tables(n.Args...)
	for i, in := range n.Reads {
		p.tables(in.Items...)
		below := ids{}.with(in.Items...)
		for _, f := range from {
			if f.Place >= 0 && n.Places[f.Place] == i {
				below[f.ID] = true
			}
		}
		p.node(in.Node, below)
	}
}
