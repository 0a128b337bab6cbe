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
	}
	if r := b.evaluateFurther(n, op, c); r != nil {
		return r
	}
	if _, ok := b.catalog.Plugin(op.Call.Func.Text); !ok {
		b.fail(op.Call.Func.Span, "KQL170", "there is no plugin '%s'", op.Call.Func.Text)
	}
	b.unsupported(op.At(), "the plugin "+op.Call.Func.Text)
	return nil
}

// bagUnpack makes columns of a bag's keys. Which there are shows only at run
// time; those that the rest of the query names are read from the bag.
func (b *binder) bagUnpack(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	b.want(op.Call, 1, 4)
	bag := b.scalar(op.Call.Args[0], c)
	prefix := ""
	for i, a := range op.Call.Args[1:] {
		named, ok := a.(*syntax.Named)
		if ok && named.Names[0].Text != "OutputColumnPrefix" && named.Names[0].Text != "column_prefix" {
			continue
		}
		if ok {
			a = named.X
		}
		if i == 0 || ok {
			prefix, _ = b.constant([]syntax.Expr{a}, 0, c.scope).(string)
		}
	}
	p := &plan.Project{Input: n}
	ref, _ := bag.(*plan.ColumnRef)
	for _, col := range n.Columns() {
		if ref == nil || col.ID != ref.ID {
			p.Items = append(p.Items, keep(col))
		}
	}
	if op.Schema != nil {
		declared := &plan.Project{Input: n}
		for _, col := range op.Schema.Columns {
			if in, ok := c.row.find(col.Name.Text); ok && (ref == nil || in.ID != ref.ID) {
				declared.Items = append(declared.Items, keep(in))
				continue
			}
			declared.Items = append(declared.Items, b.item(col.Name.Text, b.convert(b.get(op.At(), bag, &plan.Const{Typ: schema.String, Value: col.Name.Text}), col.Type)))
		}
		return declared
	}
	b.undeclaredColumns(op)
	p.Items = append(p.Items, b.item(open+prefix, b.convert(bag, schema.Dynamic)))
	return p
}

// undeclaredColumns warns that columns known only at run time show where they are named.
func (b *binder) undeclaredColumns(op *syntax.Evaluate) {
	b.add(syntax.Error{Span: op.At(), Code: "KQL904", Warning: true,
		Message: "which columns " + op.Call.Func.Text + " makes shows only at run time: name those you want after it, or declare them with ': (name:type, …)'"})
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
	if op.Schema != nil {
		p := &plan.Project{Input: outer}
		row := newRow(outer)
		for _, col := range op.Schema.Columns {
			if in, ok := row.find(col.Name.Text); ok {
				p.Items = append(p.Items, keep(in))
				continue
			}
			p.Items = append(p.Items, b.item(col.Name.Text, b.convert(b.get(op.At(), all.Ref(), &plan.Const{Typ: schema.String, Value: col.Name.Text}), col.Type)))
		}
		return p
	}
	b.undeclaredColumns(op)
	return outer
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
