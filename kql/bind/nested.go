package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// withOthers adds to the rows of top-nested those of what didn't make it to the
// top: of each level at which rows fall out, while that level or a later one
// has a name for the others. Levels from there on show that name and the aggregate
// over the rows that fell out; those without a name are empty. Where nothing falls
// out, no row is added. kept are the levels' best values, with those of the levels above.
// Source: Kusto, the top-nested operator, its example of "with others" in two of three levels.
func (b *binder) withOthers(rows *plan.Shared, kept []*plan.Shared, op *syntax.TopNested, c ctx) plan.Node {
	last := kept[len(kept)-1]
	nodes := []plan.Node{b.ref(last)}
	for i, l := range op.Levels {
		named := false
		for _, below := range op.Levels[i:] {
			named = named || below.Others != nil
		}
		if named && l.N != nil {
			nodes = append(nodes, b.others(i, rows, kept, op, c))
		}
	}
	if len(nodes) == 1 {
		return nodes[0]
	}
	u := &plan.Union{Nodes: nodes, From: make([]map[plan.ID]plan.Expr, len(nodes))}
	for i, col := range last.Columns() {
		out := b.column(col.Name, col.Type)
		u.Cols = append(u.Cols, out)
		for k, n := range nodes {
			if u.From[k] == nil {
				u.From[k] = map[plan.ID]plan.Expr{}
			}
			u.From[k][out.ID] = n.Columns()[i].Ref()
		}
	}
	return u
}

// others gives the rows of what falls out at a level, one for each path to it.
func (b *binder) others(level int, rows *plan.Shared, kept []*plan.Shared, op *syntax.TopNested, c ctx) plan.Node {
	agg := &plan.Aggregate{}
	var in plan.Node = b.ref(rows)
	row := newRow(in)
	if level > 0 {
		up := b.ref(kept[level-1])
		in = &plan.Join{Kind: "inner", Left: in, Right: up, On: paths(row, up, level), Cols: append(append([]plan.Column{}, in.Columns()...), up.Columns()...)}
		agg.Keys = keepAll(up.Columns())
	}
	top := b.ref(kept[level])
	agg.Input = &plan.Join{Kind: "leftanti", Left: in, Right: top, On: paths(row, top, level+1), Cols: in.Columns()}
	aggs := newAggregates()
	cols := kept[len(kept)-1].Columns()
	after := &plan.Project{Items: keepAll(columnsOf(agg.Keys))}
	for i := level; i < len(op.Levels); i++ {
		l := op.Levels[i]
		name, value := plan.Expr(plan.Null(cols[2*i].Type)), plan.Expr(plan.Null(cols[2*i+1].Type))
		if l.Others != nil {
			by := l.By
			if o, ok := by.(*syntax.Ordered); ok {
				by = o.X
			}
			name = b.constantOf(l.Others, c)
			value = b.outputs(by, ctx{scope: c.scope, row: row, aggs: aggs})[0].x
		}
		after.Items = append(after.Items, b.item("", b.convert(name, cols[2*i].Type)), b.item("", b.convert(value, cols[2*i+1].Type)))
	}
	count := aggs.add(b, plan.Agg{Func: "count"}, schema.Long)
	agg.Aggs = aggs.list
	after.Input = &plan.Filter{Input: agg, Predicate: call("gt", schema.Bool, count, whole(0))}
	return after
}

// paths pairs the values of a row's first levels with those of kept ones; a null is a value like others.
func paths(row *row, kept plan.Node, levels int) (on []plan.Pair) {
	for k := range levels {
		mine, _ := row.find("level#" + itoa(k))
		theirs := kept.Columns()[2*k]
		zero, ok := zeros[mine.Type]
		if !ok {
			on = append(on, plan.Pair{Left: mine.Ref(), Right: theirs.Ref(), Equal: true})
			continue
		}
		for _, of := range []func(plan.Column) plan.Expr{
			func(c plan.Column) plan.Expr { return call("isnull", schema.Bool, c.Ref()) },
			func(c plan.Column) plan.Expr {
				return call("coalesce", c.Type, c.Ref(), &plan.Const{Typ: c.Type, Value: zero})
			},
		} {
			on = append(on, plan.Pair{Left: of(mine), Right: of(theirs), Equal: true})
		}
	}
	return on
}

// zeros are values of the types that can be null.
var zeros = map[schema.Type]any{schema.Bool: false, schema.Int: int64(0), schema.Long: int64(0), schema.Real: 0.0, schema.Decimal: "0", schema.DateTime: int64(0), schema.TimeSpan: int64(0),
	schema.Guid: "00000000-0000-0000-0000-000000000000"}

func columnsOf(items []plan.Item) (out []plan.Column) {
	for _, it := range items {
		out = append(out, it.Column)
	}
	return out
}
