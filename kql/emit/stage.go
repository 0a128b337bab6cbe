package emit

import (
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// stage says a stage as a function of packages of rows: each input becomes one
// row, a list of its rows and the JSON text that the function reads; the answer, JSON
// of row numbers and values, becomes rows again. So a stage is a part of the
// one statement: it stands in joins and sub-queries and ends with it.
func (e *emitter) stage(n *plan.Stage) rel {
	if e.dialect.Name() != "" {
		unsupported("a step in Go (" + n.Func + ")")
	}
	var packed []frag
	args := []frag{param(n.Settings)}
	lists := make([]string, len(n.Reads))
	for i := range n.Reads {
		lists[i] = e.fresh("p")
		packed = append(packed, e.packRows(n, i, lists[i]))
		args = append(args, textf("'[' || coalesce(array_to_string(list_transform(%s, lambda x : x.j), ','), '') || ']'", lists[i]))
	}
	e.stages = append(e.stages, Stage{n.Func, len(n.Reads)})
	s := e.sel()
	e.order = nil
	for _, x := range n.Args {
		args = append(args, s.dynamic(x).wrap("coalesce(", ", 'null')"))
	}
	answer := e.fresh("a")
	decoded := join(", ", args).wrap("from_json(kql_"+n.Func+"(", "), "+e.answerShape(n)+") AS "+answer)
	from := text("SELECT 1 AS one")
	if len(packed) > 0 {
		from = text("SELECT * FROM (").and(join("), (", packed)).and(text(")"))
	}
	kept := strings.Join(lists, ", ")
	if kept != "" {
		kept += ", "
	}
	rows := text("SELECT " + kept).and(decoded).and(text(" FROM ")).and(s.from(from))
	at := e.fresh("o")
	opened := kept + "unnest(range(" + answer + ".n)) AS " + at
	for k := range n.Places {
		opened += ", unnest(" + answer + ".p" + strconv.Itoa(k) + ") AS " + answer + "p" + strconv.Itoa(k)
	}
	var items list
	seen := map[int]bool{}
	for i, c := range n.Cols {
		f := n.From[i]
		x := ""
		if f.Place >= 0 {
			x = lists[n.Places[f.Place]] + "[" + answer + "p" + strconv.Itoa(f.Place) + "]." + name(f.ID)
		} else {
			v := "v" + strconv.Itoa(f.Value)
			if x = answer + v; !seen[f.Value] {
				seen[f.Value] = true
				opened += ", unnest(" + answer + "." + v + ") AS " + x
			}
		}
		if c.Type == schema.String {
			x = "coalesce(" + x + ", '')"
		}
		items.add(x, " AS ", name(c.ID))
	}
	items.add(at)
	sql := text("SELECT " + items.String() + " FROM (SELECT " + opened + " FROM (").and(rows).and(text("))"))
	return rel{sql: sql, order: []orderKey{{column: at, hidden: true}}}
}

// packRows makes one row of input i: a list of its rows, with the columns that places bring and the JSON that the stage sees.
func (e *emitter) packRows(n *plan.Stage, i int, as string) frag {
	in := e.node(n.Reads[i].Node)
	s := e.sel()
	e.order = in.order
	parts := []frag{}
	for _, x := range n.Reads[i].Items {
		parts = append(parts, s.dynamic(x).wrap("coalesce(", ", 'null')"))
	}
	seen := "'[]'"
	row := text("j := " + seen)
	if len(parts) > 0 {
		row = join(" || ',' || ", parts).wrap("j := ('[' || ", " || ']')")
	}
	have := map[plan.ID]bool{}
	for _, f := range n.From {
		if f.Place >= 0 && n.Places[f.Place] == i && !have[f.ID] {
			have[f.ID] = true
			row = row.and(text(", " + name(f.ID) + " := " + name(f.ID)))
		}
	}
	order := ""
	if len(in.order) > 0 {
		order = " ORDER BY " + orderList(in.order)
	}
	return row.wrap("SELECT list(struct_pack(", ")"+order+") AS "+as+" FROM ").and(s.from(in.sql))
}

// answerShape is the form of a stage's answer: how many rows, and a list a place and a value.
func (e *emitter) answerShape(n *plan.Stage) string {
	var b strings.Builder
	b.WriteString(`'{"n":"BIGINT"`)
	for k := range n.Places {
		b.WriteString(`,"p` + strconv.Itoa(k) + `":["BIGINT"]`)
	}
	seen := map[int]bool{}
	for i, f := range n.From {
		if f.Place < 0 && !seen[f.Value] {
			seen[f.Value] = true
			b.WriteString(`,"v` + strconv.Itoa(f.Value) + `":["` + e.dialect.Physical(n.Cols[i].Type) + `"]`)
		}
	}
	b.WriteString("}'")
	return b.String()
}
