package emit

import (
	"strconv"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// numbered is a table of rows with their numbers, for which a sub-query runs.
type numbered struct{ rows, number string }

// apart says a sub-query for each row where an engine can't run one beside a
// row: the rows are numbered, the sub-query runs once over all of them and keeps with
// what it makes the number of the row that it is for, and is joined to the rows by it.
func (e *emitter) apart(n *plan.Apply) rel {
	standsApart(n.Sub)
	in := e.node(n.Input)
	rows := numbered{e.fresh("m"), e.fresh("n")}
	order := ""
	if len(in.order) > 0 {
		order = "ORDER BY " + orderList(in.order)
	}
	e.define(text(rows.rows+" AS MATERIALIZED (SELECT *, row_number() OVER ("+order+") AS "+rows.number+" FROM (").and(in.sql).and(text("))")), false, n.Input)
	around := e.outer
	e.outer = rows
	sub := e.node(n.Sub)
	e.outer = around
	var within []orderKey // the order of a sub-query's own rows
	for _, k := range sub.order {
		if k.of == "" {
			within = append(within, k)
		}
	}
	own := ownColumns(n, within)
	if len(within) > 0 && len(in.order) == 0 {
		in.order = []orderKey{{column: rows.number, hidden: true}}
	}
	in.order = orderOf(n, in.order, within)
	cols := columnList(n.Cols, in.order)
	in.sql = text("SELECT " + cols + " FROM (SELECT * FROM " + rows.rows + ") AS " + e.fresh("l") + " INNER JOIN (SELECT " + own + ", " + rows.number + " AS of_" + rows.number + " FROM (").and(sub.sql).
		and(text(")) AS " + e.fresh("r") + " ON " + rows.number + " = of_" + rows.number))
	return in
}

// standsApart refuses what would mix the rows of two sub-queries.
func standsApart(n plan.Node) {
	plan.Exprs(n, func(x plan.Expr) {
		if plan.HasWindow(x) {
			unsupported("a function of the rows around inside of mv-apply")
		}
		for _, t := range plan.Tables(x) {
			plan.Each(t, func(inner plan.Node) {
				if _, ok := inner.(*plan.Outer); ok {
					unsupported("a table inside of mv-apply that reads the row")
				}
			})
		}
	})
	switch n := n.(type) {
	case *plan.Outer:
		return
	case *plan.Limit:
		if _, ok := n.N.(*plan.Const); !ok || n.Sample {
			unsupported("a number of rows that is computed inside of mv-apply")
		}
	case *plan.Project, *plan.Filter, *plan.Aggregate, *plan.Sort, *plan.Expand, *plan.Distinct:
	default:
		unsupported("a sub-query for each row (mv-apply, partition) that reads other tables")
	}
	standsApart(n.Inputs()[0])
}

// outerRows are the rows that a sub-query that stands apart begins with.
func (e *emitter) outerRows(n *plan.Outer) rel {
	key := orderKey{column: e.outer.number, hidden: true, of: e.outer.rows}
	return rel{sql: text("SELECT " + columnList(n.Cols, []orderKey{key}) + " FROM " + e.outer.rows), order: []orderKey{key}}
}

// rowOf gives the key that says for which row a sub-query's row is.
func rowOf(order []orderKey) (key orderKey, ok bool) {
	for _, k := range order {
		if k.of != "" {
			return k, true
		}
	}
	return orderKey{}, false
}

// evenWithout adds for each numbered row one that is not counted, since an
// aggregate without keys gives a row where it sees none. It gives the flag of the rows that count.
func (e *emitter) evenWithout(n *plan.Aggregate, in rel, row orderKey) (frag, plan.Expr) {
	e.names++
	flag := plan.Column{ID: plan.ID(1<<30 + e.names), Type: schema.Bool}
	var nothing list
	for _, c := range n.Input.Columns() {
		nothing.add(e.say("null", text(e.dialect.Physical(c.Type))).text, " AS ", name(c.ID))
	}
	for _, k := range in.order {
		switch {
		case k.of != "":
			nothing.add(k.column)
		case k.hidden:
			nothing.add("NULL AS ", k.column)
		}
	}
	all := text("SELECT " + columnList(n.Input.Columns(), in.order) + ", true AS " + name(flag.ID) + " FROM (").and(in.sql).
		and(text(") UNION ALL SELECT " + nothing.or("1 AS none") + ", false AS " + name(flag.ID) + " FROM " + row.of))
	return all, flag.Ref()
}

// countedOnly adds a condition to an aggregate.
func countedOnly(a plan.Agg, flag plan.Expr) plan.Agg {
	if a.Group != 0 {
		unsupported("the aggregate " + a.Func + " without keys inside of mv-apply")
	}
	if a.Where != nil {
		flag = &plan.Call{Func: "and", Args: []plan.Expr{a.Where, flag}, Typ: schema.Bool}
	}
	a.Where = flag
	return a
}

// limitEach keeps the first rows of each sub-query.
func limitEach(in rel, row orderKey, n int64) rel {
	in.sql = text("SELECT * FROM (").and(in.sql).and(text(")")).and(in.orderBy()).and(text(" LIMIT " + strconv.FormatInt(n, 10) + " BY " + row.column))
	return in
}
