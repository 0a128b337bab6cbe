package bind

import (
	"math/bits"
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// newActivity: evaluate new_activity_metrics(id, time, start, end, window, [cohort], [dimensions…], [those known before]).
// Source: Kusto, the new_activity_metrics plugin.
func (b *binder) newActivity(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	args := op.Call.Args
	b.want(op.Call, 5, 32)
	p := &plan.Project{Input: n, Items: []plan.Item{b.item("id", b.scalar(args[0], c)), b.item("t", b.scalar(args[1], c))}}
	if p.Items[1].Type != schema.DateTime {
		b.unsupported(op.At(), "the plugin new_activity_metrics over anything but a datetime")
	}
	values := map[string]plan.Expr{"from": b.constantOf(args[2], c), "upto": b.constantOf(args[3], c), "step": b.constantOf(args[4], c), "only": plan.Null(schema.DateTime)}
	rest := args[5:]
	known := plan.Node(&plan.Values{Cols: []plan.Column{b.column("id", p.Items[0].Type)}})
	if len(rest) > 0 && b.isTable(rest[len(rest)-1], c.scope) {
		table := b.tabular(rest[len(rest)-1], c.scope)
		name, _ := b.nameOf(args[0], c)
		col, ok := newRow(table).find(name)
		if !ok {
			col = b.columnsOf(table)[0]
		}
		known = &plan.Project{Input: table, Items: []plan.Item{b.item("id", b.convert(col.Ref(), p.Items[0].Type))}}
		rest = rest[:len(rest)-1]
	}
	if len(rest) > 0 {
		if _, isColumn := b.scalar(rest[0], c).(*plan.ColumnRef); !isColumn {
			values["only"] = b.convert(b.constantOf(rest[0], c), schema.DateTime)
			rest = rest[1:]
		}
	}
	dims := b.dimensions(p, rest, c)
	result := b.writeWith(op.At(), withDimensions(newActivityMetrics, dims), map[string]plan.Node{"rows": p, "known": known}, values)
	time := b.columnName(args[1], c, "Timestamp")
	return b.rename(result, map[string]string{"from_Timestamp": "from_" + time, "to_Timestamp": "to_" + time}, dims)
}

// dcountIntersect: how many values are in the first sketch, in the first two, and so on: by
// how many are in each union of them.
// Source: Kusto, the dcount_intersect plugin.
func (b *binder) dcountIntersect(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	b.want(op.Call, 1, 6)
	items := keepAll(n.Columns())
	names := b.newNames(n.Columns()...)
	var parts []string
	s := &scope{parent: c.scope, names: map[string]*entity{}}
	for i, a := range op.Call.Args {
		name := "sketch" + strconv.Itoa(i)
		s.names[name] = &entity{scalar: b.convert(b.scalar(a, c), schema.Dynamic)}
		parts = append(parts, name)
		q, errors := syntax.ParseQuery("print " + intersection(parts))
		if len(errors) > 0 {
			b.fail(op.At(), "KQL199", "the plugin could not be understood: %s", errors[0].Message)
		}
		printed := q.Statements[0].(*syntax.Expression).X.(*syntax.OperatorSource).Op.(*syntax.Project)
		items = append(items, b.item(names.unique("s"+strconv.Itoa(i)), b.scalar(printed.Items[0], ctx{scope: s})))
	}
	return &plan.Project{Input: n, Items: items}
}

// intersection says how many are in all of the sketches, by inclusion and exclusion.
func intersection(parts []string) string {
	out := ""
	for set := 1; set < 1<<len(parts); set++ {
		var chosen []string
		for i, p := range parts {
			if set>>i&1 == 1 {
				chosen = append(chosen, p)
			}
		}
		union := chosen[0]
		if len(chosen) > 1 {
			union = "hll_merge(" + strings.Join(chosen, ", ") + ")"
		}
		sign := " + "
		if bits.OnesCount(uint(set))%2 == 0 {
			sign = " - "
		}
		out += sign + "dcount_hll(" + union + ")"
	}
	return out
}

// narrow gives each cell a row of its own.
// Source: Kusto, the narrow plugin.
func (b *binder) narrow(n plan.Node) plan.Node {
	b.reveal(n.Columns())
	number := b.item("Row", call("sub", schema.Long, &plan.Window{Func: "row_number", Typ: schema.Long}, whole(1)))
	var cells []plan.Expr
	for _, col := range n.Columns() {
		if !hidden(col) {
			cells = append(cells, call("pack_array", schema.Dynamic, text(col.Name), b.convert(col.Ref(), schema.String)))
		}
	}
	list := b.item("", call("pack_array", schema.Dynamic, cells...))
	packed := &plan.Project{Input: n, Items: []plan.Item{number, list}}
	cell := plan.Expanded{Column: b.column("", schema.Dynamic), X: list.Ref()}
	rows := &plan.Expand{Input: packed, Items: []plan.Expanded{cell}, Cols: []plan.Column{number.Column, list.Column, cell.Column}}
	part := func(i int64) plan.Expr {
		return b.convert(call("get", schema.Dynamic, cell.Ref(), whole(i)), schema.String)
	}
	return &plan.Project{Input: rows, Items: []plan.Item{keep(number.Column), b.item("Column", part(0)), b.item("Value", part(1))}}
}
