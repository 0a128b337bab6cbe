package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// arguments sorts a plugin's arguments into those by place and those by name.
func arguments(list []syntax.Expr, names ...string) (placed []syntax.Expr, named map[string]syntax.Expr) {
	named = map[string]syntax.Expr{}
next:
	for _, a := range list {
		if n, ok := a.(*syntax.Named); ok {
			for _, name := range names {
				if n.Names[0].Text == name {
					named[name] = n.X
					continue next
				}
			}
		}
		placed = append(placed, a)
	}
	return placed, named
}

// lookupBy joins a lookup table where a match function says yes; unmatched rows
// stay where the caller says so.
func (b *binder) lookupBy(n, table plan.Node, left, right plan.Expr, match string, unmatched bool) plan.Node {
	j := &plan.Join{Kind: "inner", Left: n, Right: table, On: []plan.Pair{{Left: left, Right: right, Match: match}}}
	if unmatched {
		j.Kind = "leftouter"
	}
	b.joinColumns(j, nil, false)
	return j
}

func (b *binder) isTrue(x syntax.Expr, c ctx) bool {
	if x == nil {
		return false
	}
	v, _ := b.constant([]syntax.Expr{x}, 0, c.scope).(bool)
	return v
}

func (b *binder) ipv6Lookup(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	args, named := arguments(op.Call.Args, "return_unmatched")
	b.want(&syntax.Call{Span: op.Call.Span, Func: op.Call.Func, Args: args}, 3, 4)
	table := b.tabular(args[0], c.scope)
	ip := b.convert(b.scalar(args[1], c), schema.String)
	key := b.convert(b.scalar(args[2], ctx{scope: c.scope, row: newRow(table)}), schema.String)
	unmatched := b.isTrue(named["return_unmatched"], c)
	if len(args) > 3 {
		unmatched = b.isTrue(args[3], c)
	}
	joined := b.lookupBy(n, table, ip, key, "ipv6_in", unmatched)
	p := &plan.Project{Input: joined} // the lookup table's columns come first
	own := len(n.Columns())
	for _, col := range append(append([]plan.Column{}, joined.Columns()[own:]...), joined.Columns()[:own]...) {
		p.Items = append(p.Items, keep(col))
	}
	return p
}

// geoLookup binds geo_polygon_lookup and geo_line_lookup: rows whose point is
// in, or near, a shape of the lookup table.
func (b *binder) geoLookup(n plan.Node, op *syntax.Evaluate, c ctx, match string, radius bool) plan.Node {
	args, named := arguments(op.Call.Args, "radius", "return_unmatched", "lookup_area_radius", "return_lookup_key")
	b.want(&syntax.Call{Span: op.Call.Span, Func: op.Call.Func, Args: args}, 4, 8)
	for i, name := range []string{"radius", "return_unmatched", "lookup_area_radius", "return_lookup_key"} {
		if len(args) > 4+i {
			named[name] = args[4+i]
		}
	}
	if radius && named["radius"] == nil {
		b.fail(op.At(), "KQL132", "the plugin '%s' wants a radius in metres", op.Call.Func.Text)
	}
	table := b.tabular(args[0], c.scope)
	shape := b.convert(b.scalar(args[1], ctx{scope: c.scope, row: newRow(table)}), schema.Dynamic)
	metres := plan.Expr(&plan.Const{Typ: schema.Real, Value: float64(0)})
	if x := named["radius"]; x != nil {
		metres = b.convert(b.constantOf(x, c), schema.Real)
	}
	number := func(x plan.Expr) plan.Expr { return b.convert(b.convert(x, schema.Real), schema.Dynamic) }
	point := call("pack_array", schema.Dynamic, number(b.scalar(args[2], c)), number(b.scalar(args[3], c)), number(metres))
	joined := b.lookupBy(n, table, point, shape, match, b.isTrue(named["return_unmatched"], c))
	if ref, ok := shape.(*plan.ColumnRef); ok && !b.isTrue(named["return_lookup_key"], c) {
		return b.without(joined, ref.ID)
	}
	return joined
}

func (b *binder) without(n plan.Node, id plan.ID) plan.Node {
	p := &plan.Project{Input: n}
	for _, col := range n.Columns() {
		if col.ID != id {
			p.Items = append(p.Items, keep(col))
		}
	}
	return p
}
