package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// evaluate binds a plugin.
func (b *binder) evaluate(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	switch op.Call.Func.Text {
	case "bag_unpack":
		return b.bagUnpack(n, op, c)
	case "ipv4_lookup":
		return b.ipv4Lookup(n, op, c)
	case "pivot":
		return b.pivot(n, op, c)
	case "preview":
		b.fail(op.At(), "KQL194", "preview gives several tables: it can only stand at the end of the query")
	}
	if r := b.evaluateFurther(n, op, c); r != nil {
		return r
	}
	if _, ok := b.catalog.Plugin(op.Call.Func.Text); !ok {
		b.fail(op.Call.Func.Span, "KQL170", "there is no plugin '%s'%s", op.Call.Func.Text, didYouMean(op.Call.Func.Text, b.catalog.PluginNames()))
	}
	b.unsupported(op.At(), "the plugin "+op.Call.Func.Text)
	return nil
}

// pivot turns a column's values into columns of an aggregate. Those that the
// rest of the query names are read from a bag of all.
func (b *binder) pivot(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	b.want(op.Call, 1, 64)
	over, ok := b.scalar(op.Call.Args[0], c).(*plan.ColumnRef)
	if !ok {
		b.fail(op.Call.Args[0].At(), "KQL141", "a column's name is expected here")
	}
	aggs := newAggregates()
	value := plan.Expr(nil)
	if len(op.Call.Args) > 1 {
		value = b.outputs(op.Call.Args[1], ctx{scope: c.scope, row: c.row, aggs: aggs})[0].x
		b.onlyAggregates(op.Call.Args[1], value, aggs)
	} else {
		value = aggs.add(b, plan.Agg{Func: "count"}, schema.Long)
	}
	used := map[plan.ID]bool{over.ID: true}
	for _, a := range aggs.list {
		for _, x := range a.Args {
			plan.Walk(x, func(e plan.Expr) bool {
				if r, ok := e.(*plan.ColumnRef); ok {
					used[r.ID] = true
				}
				return true
			})
		}
	}
	var keys []plan.Item
	if len(op.Call.Args) > 2 {
		for _, a := range op.Call.Args[2:] {
			for _, col := range b.selected(a, c, true) {
				keys = append(keys, keep(col))
			}
		}
	} else {
		for _, col := range n.Columns() {
			if !used[col.ID] && !hidden(col) {
				keys = append(keys, keep(col))
			}
		}
	}
	label := b.item("", b.convert(over, schema.String))
	inner := &plan.Aggregate{Input: n, Keys: append(append([]plan.Item{}, keys...), label), Aggs: aggs.list}
	one := b.item("", call("bag_pack", schema.Dynamic, label.Ref(), b.convert(value, schema.Dynamic)))
	bags := &plan.Project{Input: inner, Items: append(append([]plan.Item{}, keys...), one)}
	all := plan.Agg{Column: b.column(open, schema.Dynamic), Func: "make_bag", Args: []plan.Expr{one.Ref()}}
	outer := &plan.Aggregate{Input: bags, Keys: keys, Aggs: []plan.Agg{all}}
	cell := func(name string, t schema.Type) plan.Expr {
		x := b.convert(b.get(op.At(), all.Ref(), text(name)), t)
		if zero, ok := zeroes[lastAggregate(op.Call)]; ok && numeric(t) {
			return call("coalesce", t, x, b.convert(whole(zero), t))
		}
		return x
	}
	p := &plan.Project{Input: outer}
	row := newRow(outer)
	if op.Schema != nil {
		for _, col := range op.Schema.Columns {
			if in, ok := row.find(col.Name.Text); ok {
				p.Items = append(p.Items, keep(in))
				continue
			}
			p.Items = append(p.Items, b.item(col.Name.Text, cell(col.Name.Text, col.Type)))
		}
		return p
	}
	columns, known := b.unfold(op, all.Column, func() plan.Node {
		list := b.item("", call("pack_array", schema.Dynamic, label.Ref(), text("")))
		return &plan.Distinct{Input: &plan.Project{Input: inner, Items: []plan.Item{list}}}
	})
	if !known {
		return outer
	}
	names := b.newNames()
	for _, k := range keys {
		names.taken[k.Name] = true
		p.Items = append(p.Items, keep(k.Column))
	}
	for _, col := range columns {
		p.Items = append(p.Items, b.item(names.unique(col.Name), cell(col.Name, value.Type())))
	}
	p.Items = append(p.Items, keep(all.Column))
	return p
}

// zeroes are what pivot's cells hold where no row was, by aggregate; null elsewhere.
var zeroes = map[string]int64{"count": 0, "countif": 0, "sum": 0, "sumif": 0, "dcount": 0, "dcountif": 0}

// lastAggregate names the aggregate of a pivot: count where none is written.
func lastAggregate(x *syntax.Call) string {
	if len(x.Args) < 2 {
		return "count"
	}
	return calleeOf(x.Args[1])
}

func (b *binder) ipv4Lookup(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	b.want(op.Call, 3, 10)
	table := b.tabular(op.Call.Args[0], c.scope)
	ip := b.convert(b.scalar(op.Call.Args[1], c), schema.String)
	key := b.convert(b.scalar(op.Call.Args[2], ctx{scope: c.scope, row: newRow(table)}), schema.String)
	j := &plan.Join{Kind: "inner", Left: n, Right: table, On: []plan.Pair{{Left: ip, Right: key}}}
	if len(op.Call.Args) > 3 {
		last := op.Call.Args[len(op.Call.Args)-1]
		if named, ok := last.(*syntax.Named); ok {
			last = named.X
		}
		if v, ok := b.constant([]syntax.Expr{last}, 0, c.scope).(bool); ok && v {
			j.Kind = "leftouter"
		}
	}
	b.joinColumns(j, nil, false)
	return j
}
