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
	case "narrow":
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
	p.Items = append(p.Items, b.item(open+prefix, b.convert(bag, schema.Dynamic)))
	return p
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
