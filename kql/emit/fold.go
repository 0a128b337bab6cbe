package emit

import (
	"lockstep/kql/plan"
	"lockstep/schema"
)

// fold walks the rows one by one, by a recursion that joins the row with the
// next number to the values carried so far.
func (e *emitter) fold(n *plan.Fold) rel {
	if !e.says("recursion") {
		unsupported("scan")
	}
	in := e.node(n.Input)
	place := name(n.Place.ID)
	rows, walk := e.fresh("m"), e.fresh("m")
	input := columnList(n.Input.Columns(), nil)
	order := ""
	if len(in.order) > 0 {
		order = "ORDER BY " + orderList(in.order)
	}
	e.define(text(rows+" AS MATERIALIZED (SELECT "+input+", row_number() OVER ("+order+") AS "+place+" FROM (").and(in.sql).and(text("))")), true, n)
	first, next := text(e.say("recursion").text+place), text(place)
	start, s := e.sel(), e.sel()
	e.order = nil
	states := ""
	for i, col := range n.State {
		id := name(col.ID)
		physical := e.dialect.Physical(col.Type)
		first = first.and(text(", CAST(")).and(start.expr(n.First[i])).and(text(" AS " + physical + ") AS " + id))
		x := text("CAST(").and(s.expr(n.Next[i])).and(text(" AS " + physical + ")"))
		if col.Type == schema.String {
			x = x.wrap("coalesce(", ", '')")
		}
		next = next.and(text(", ")).and(x)
		states += ", " + walk + "." + id
	}
	seed := text("SELECT ").and(first).and(text(" FROM ")).and(start.from(text("SELECT 1 AS one")))
	inputs := ""
	for _, c := range n.Input.Columns() {
		inputs += ", " + rows + "." + name(c.ID)
	}
	joined := text("SELECT " + rows + "." + place + inputs + states + " FROM " + walk + " JOIN " + rows + " ON " + rows + "." + place + " = " + walk + "." + place + " + 1")
	step := text("SELECT ").and(next).and(text(" FROM ")).and(s.from(joined))
	e.define(text(walk+" AS (").and(seed).and(text(" UNION ALL ")).and(step).and(text(")")), true, n)
	all := text("SELECT " + rows + "." + place + inputs + states + " FROM " + walk + " JOIN " + rows + " USING (" + place + ")")
	return rel{sql: all, order: []orderKey{{column: place}}}
}
