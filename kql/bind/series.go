package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// makeSeries groups by key and step, then lays each group's values out on the
// axis: pairs of [position, value], filled up with the default.
func (b *binder) makeSeries(n plan.Node, op *syntax.MakeSeries, c ctx) plan.Node {
	b.shared++
	shared := &plan.Shared{Number: b.shared, Input: n}
	in := b.ref(shared)
	c = ctx{scope: c.scope, row: newRow(in)}
	outs := b.outputs(op.On, c)
	t, axis := outs[0].x, outs[0].name
	step := b.scalar(op.Step, c)
	at := t.Type()
	if at == schema.Int {
		t, at = b.convert(t, schema.Long), schema.Long
	}
	b.axis(op.Step, t, t, step)
	unit := at
	if at == schema.DateTime {
		unit = schema.TimeSpan
	}
	step = Fold(b.convert(step, unit), b.env.Now)
	end := func(x syntax.Expr, fn string) plan.Expr {
		if x != nil {
			return Fold(b.convert(b.scalar(x, ctx{scope: c.scope}), at), b.env.Now)
		}
		r := b.ref(shared)
		v := b.outputs(op.On, ctx{scope: c.scope, row: newRow(r)})[0].x
		binned := call("bin", at, b.convert(v, at), step)
		return b.firstValue(&plan.Aggregate{Input: r, Aggs: []plan.Agg{{Column: b.column("v", at), Func: fn, Args: []plan.Expr{binned}}}})
	}
	from, to := end(op.From, "min"), end(op.To, "max")
	if op.To == nil {
		to = call("add", at, to, step)
	}
	position := func(v plan.Expr) plan.Expr {
		d := call("sub", unit, v, from)
		if at == schema.Real || at == schema.Decimal {
			return b.convert(call("floor", schema.Real, call("div", schema.Real, d, step)), schema.Long)
		}
		return call("div", schema.Long, b.convert(d, schema.Long), b.convert(step, schema.Long))
	}
	one := &plan.Const{Typ: schema.Long, Value: int64(1)}
	count := call("add", schema.Long, position(call("sub", at, to, tiny(at, unit))), one)
	within := conjunction([]plan.Expr{call("ge", schema.Bool, t, from), call("lt", schema.Bool, t, to)})

	names := b.newNames()
	inner := &plan.Aggregate{Input: &plan.Filter{Input: in, Predicate: within}}
	aggs := newAggregates()
	outer := &plan.Aggregate{}
	var keys []plan.Item
	for _, x := range op.By {
		for _, o := range b.outputs(x, c) {
			k := b.item(names.unique(o.name), o.x)
			inner.Keys = append(inner.Keys, k)
			keys = append(keys, keep(k.Column))
		}
	}
	place := b.item("", position(t))
	inner.Keys = append(inner.Keys, place)
	pairs := &plan.Project{Input: inner, Items: append([]plan.Item{}, keys...)}
	c.aggs = aggs
	result := &plan.Project{Input: outer, Items: append([]plan.Item{}, keys...)}
	for _, item := range op.Aggregates {
		o := b.outputs(item.X, c)[0]
		b.onlyAggregates(item.X, o.x, aggs)
		otherwise := plan.Expr(&plan.Const{Typ: schema.Long, Value: int64(0)})
		if item.Default != nil {
			otherwise = b.scalar(item.Default, ctx{scope: c.scope})
		}
		otherwise = b.convert(b.convert(otherwise, o.x.Type()), schema.Dynamic)
		pair := b.item("", call("pack_array", schema.Dynamic, place.Ref(), b.convert(o.x, schema.Dynamic)))
		pairs.Items = append(pairs.Items, pair)
		list := plan.Agg{Column: b.column("", schema.Dynamic), Func: "make_pairs", Args: []plan.Expr{pair.Ref()}}
		outer.Aggs = append(outer.Aggs, list)
		result.Items = append(result.Items, b.item(names.unique(o.name), call("series_place", schema.Dynamic, list.Ref(), count, otherwise)))
	}
	inner.Aggs = aggs.list
	outer.Input, outer.Keys = pairs, keys
	last := call("sub", schema.Long, count, one)
	length := call("mul", unit, b.convert(last, unit), step)
	if unit == schema.TimeSpan {
		length = call("scale", unit, step, b.convert(last, schema.Real))
	}
	// an axis without a point gives no series
	filled := &plan.Filter{Input: outer, Predicate: call("lt", schema.Bool, from, to)}
	result.Input = filled
	result.Items = append(result.Items, b.item(names.unique(axis), call("range", schema.Dynamic, from, call("add", at, from, length), step)))
	return result
}

// tiny is the least step before an end that is not reached.
func tiny(at, unit schema.Type) plan.Expr {
	if at == schema.Real {
		return &plan.Const{Typ: at, Value: 1e-9}
	}
	return &plan.Const{Typ: unit, Value: int64(1)}
}

// topNested binds a chain of levels: the best values of the first, within
// each those of the next. A level's rows are those of the level before.
func (b *binder) topNested(n plan.Node, op *syntax.TopNested, c ctx) plan.Node {
	var at []plan.Item
	for i, l := range op.Levels {
		at = append(at, b.item("level#"+itoa(i), b.outputs(l.X, c)[0].x))
	}
	b.shared++
	rows := &plan.Shared{Number: b.shared, Input: &plan.Project{Input: n, Items: append(keepAll(n.Columns()), at...)}}
	var above *plan.Shared
	var result plan.Node
	var kept []*plan.Shared
	names := b.newNames()
	for i, l := range op.Levels {
		r := b.ref(rows)
		var in plan.Node = r
		row := newRow(r)
		agg := &plan.Aggregate{}
		if above != nil {
			up := b.ref(above)
			in = &plan.Join{Kind: "inner", Left: r, Right: up, On: paths(row, up, i), Cols: append(append([]plan.Column{}, r.Columns()...), up.Columns()...)}
			agg.Keys = keepAll(up.Columns())
		}
		var parents []plan.Expr
		for _, k := range agg.Keys {
			parents = append(parents, k.Ref())
		}
		mine, _ := row.find("level#" + itoa(i))
		name := b.outputs(l.X, c)[0].name
		key := b.item(names.unique(name), mine.Ref())
		agg.Input, agg.Keys = in, append(agg.Keys, key)
		aggs := newAggregates()
		by, ascending := l.By, false
		if o, ok := by.(*syntax.Ordered); ok {
			by, ascending = o.X, o.Asc
		}
		o := b.outputs(by, ctx{scope: c.scope, row: row, aggs: aggs})[0]
		b.onlyAggregates(by, o.x, aggs)
		agg.Aggs = aggs.list
		label := "aggregated_" + name
		if namedIn(by) {
			label = o.name
		}
		value := b.item(names.unique(label), o.x)
		p := &plan.Project{Input: agg, Items: append(keepAll(agg.Columns()[:len(agg.Keys)]), value)}
		result = p
		if l.N != nil {
			rank := b.item("", &plan.Window{Func: "rank_within", Typ: schema.Long, Args: append([]plan.Expr{value.Ref(), &plan.Const{Typ: schema.Bool, Value: !ascending}}, parents...)})
			ranked := &plan.Project{Input: p, Items: append(keepAll(p.Columns()), rank)}
			best := &plan.Filter{Input: ranked, Predicate: call("le", schema.Bool, rank.Ref(), b.whole(l.N, c.scope, "top-nested"))}
			result = &plan.Project{Input: best, Items: keepAll(p.Columns())}
		}
		b.shared++
		above = &plan.Shared{Number: b.shared, Input: result}
		kept = append(kept, above)
	}
	return b.withOthers(rows, kept, op, c)
}

func (b *binder) topHitters(n plan.Node, op *syntax.TopHitters, c ctx) plan.Node {
	name, _ := b.nameOf(op.X, c)
	counted := plan.Agg{Func: "count", Column: b.column("approximate_count_"+name, schema.Long)}
	if op.By != nil {
		by, _ := b.nameOf(op.By, c)
		v := b.scalar(op.By, c)
		if !numeric(v.Type()) && v.Type() != schema.Dynamic {
			b.fail(op.By.At(), "KQL133", "top-hitters sums numbers, not a %s", v.Type())
		}
		counted = plan.Agg{Func: "sum", Args: []plan.Expr{v}, Column: b.column("approximate_sum_"+by, v.Type())}
	}
	agg := &plan.Aggregate{Input: n, Keys: []plan.Item{b.item(name, b.scalar(op.X, c))}, Aggs: []plan.Agg{counted}}
	sorted := &plan.Sort{Input: agg, Keys: []plan.Key{{X: counted.Ref(), Desc: true}}}
	return &plan.Limit{Input: sorted, N: b.whole(op.N, c.scope, op.Keyword())}
}

// partition runs a sub-query for each value of a column.
func (b *binder) partition(n plan.Node, op *syntax.Partition, c ctx) plan.Node {
	pipe, ok := op.Sub.(*syntax.Pipe)
	own := !ok || pipe.Source != nil // { T | … }: a table of its own, where the column's name is the value
	b.shared++
	shared := &plan.Shared{Number: b.shared, Input: n}
	key, isColumn := b.scalar(op.By, c).(*plan.ColumnRef)
	if !isColumn {
		b.fail(op.By.At(), "KQL141", "a column's name is expected here")
	}
	left := b.ref(shared).(*plan.Ref)
	keep := func(r *plan.Ref) plan.Column {
		for i, id := range r.From {
			if id == key.ID {
				return r.Cols[i]
			}
		}
		return r.Cols[0]
	}
	values := &plan.Distinct{Input: &plan.Project{Input: left, Items: []plan.Item{b.item("", keep(left).Ref())}}}
	value := values.Columns()[0]
	if own {
		inner := c.scope.child()
		if id, ok := op.By.(*syntax.Ident); ok {
			inner.names[id.Text] = &entity{scalar: value.Ref()}
		}
		sub := b.tabular(op.Sub, inner)
		return &plan.Apply{Input: values, Sub: sub, Cols: sub.Columns()}
	}
	right := b.ref(shared).(*plan.Ref)
	mine := &plan.Filter{Input: right, Predicate: call("same", schema.Bool, keep(right).Ref(), value.Ref())}
	sub := b.pipe(mine, pipe.Ops, c.scope)
	return &plan.Apply{Input: values, Sub: sub, Cols: sub.Columns()}
}
