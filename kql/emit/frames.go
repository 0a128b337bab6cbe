package emit

import "lockstep/kql/plan"

// frame is the tables that a SELECT names before it begins (WITH). The
// statement has one; a sub-query that runs beside each row has its own, for those that read that row.
type frame struct {
	ctes      []frag
	recursive bool // a table refers to itself
	outer     map[plan.ID]bool
	shared    []*plan.Shared
	scalars   []*plan.Scalar
}

// define names a table made of nodes and expressions, in the innermost frame whose rows they read.
func (e *emitter) define(cte frag, recursive bool, made ...plan.Node) *frame {
	f := e.frameOf(made...)
	f.ctes = append(f.ctes, cte)
	f.recursive = f.recursive || recursive
	return f
}

func (e *emitter) frameOf(made ...plan.Node) *frame {
	for i := len(e.frames) - 1; i > 0; i-- {
		for _, n := range made {
			if reads(n, e.frames[i].outer) {
				return e.frames[i]
			}
		}
	}
	return e.frames[0]
}

// reads tells whether a node reads one of these columns from outside.
func reads(n plan.Node, outer map[plan.ID]bool) (found bool) {
	plan.Each(n, func(n plan.Node) {
		if o, ok := n.(*plan.Outer); ok {
			for _, c := range o.Cols {
				found = found || outer[c.ID]
			}
		}
		plan.Exprs(n, func(x plan.Expr) {
			plan.Walk(x, func(x plan.Expr) bool {
				if ref, ok := x.(*plan.ColumnRef); ok {
					found = found || outer[ref.ID]
				}
				return !found
			})
		})
	})
	return found
}

// beside emits a node that reads these columns of the row beside it.
func (e *emitter) beside(cols []plan.Column, n plan.Node) (r rel, with frag) {
	f := &frame{outer: map[plan.ID]bool{}}
	for _, c := range cols {
		f.outer[c.ID] = true
	}
	e.frames = append(e.frames, f)
	r = e.node(n)
	e.frames = e.frames[:len(e.frames)-1]
	for _, s := range f.shared {
		delete(e.shared, s)
	}
	for _, s := range f.scalars {
		delete(e.scalars, s)
	}
	return r, f.with()
}

// with says a frame's tables before a SELECT.
func (f *frame) with() frag {
	if len(f.ctes) == 0 {
		return frag{}
	}
	word := "WITH "
	if f.recursive {
		word = "WITH RECURSIVE "
	}
	return text(word).and(join(", ", f.ctes)).and(text(" "))
}
