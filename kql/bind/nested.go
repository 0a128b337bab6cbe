package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// withOthers adds to the best values of a level one row: the aggregate over all
// rows whose value isn't among them. Where no such row is, none is added.
// Source: Kusto, the top-nested operator, "with others".
func (b *binder) withOthers(best plan.Node, rows *plan.Shared, l syntax.NestedLevel, c ctx) plan.Node {
	b.shared++
	top := &plan.Shared{Number: b.shared, Input: best}
	all, among := b.ref(rows), b.ref(top)
	row := newRow(all)
	value, _ := row.find("level#0")
	rest := &plan.Join{Kind: "leftanti", Left: all, Right: among, Cols: all.Columns(),
		On: []plan.Pair{{Left: value.Ref(), Right: among.Columns()[0].Ref(), Equal: true}}}
	by := l.By
	if o, ok := by.(*syntax.Ordered); ok {
		by = o.X
	}
	aggs := newAggregates()
	x := b.outputs(by, ctx{scope: c.scope, row: row, aggs: aggs})[0].x
	count := aggs.add(b, plan.Agg{Func: "count"}, schema.Long)
	agg := &plan.Aggregate{Input: rest, Aggs: aggs.list}
	some := &plan.Filter{Input: agg, Predicate: call("gt", schema.Bool, count, whole(0))}
	cols := best.Columns()
	name := b.convert(b.constantOf(l.Others, c), cols[0].Type)
	others := &plan.Project{Input: some, Items: []plan.Item{b.item("", name), b.item("", b.convert(x, cols[1].Type))}}
	shown := b.ref(top)
	u := &plan.Union{Nodes: []plan.Node{shown, others}, From: []map[plan.ID]plan.Expr{{}, {}}}
	for i, col := range cols {
		out := b.column(col.Name, col.Type)
		u.Cols = append(u.Cols, out)
		u.From[0][out.ID], u.From[1][out.ID] = shown.Columns()[i].Ref(), others.Items[i].Ref()
	}
	return u
}
