package emit

import (
	"slices"
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// aggregate groups. Aggregates of one Group come from one row: they are
// taken as a struct and opened above.
func (e *emitter) aggregate(n *plan.Aggregate) rel {
	in := e.node(n.Input)
	s := e.sel()
	e.order = in.order
	var items, keys []frag
	for _, k := range n.Keys {
		f := s.expr(k.X)
		items = append(items, f.and(text(" AS "+name(k.ID))))
		keys = append(keys, text(strconv.Itoa(len(items))))
	}
	var outer list
	for _, k := range n.Keys {
		outer.add(name(k.ID))
	}
	row, apart := rowOf(in.order)
	var counted plan.Expr
	if apart {
		if len(n.Keys) == 0 {
			in.sql, counted = e.evenWithout(n, in, row)
		}
		items = append(items, text(row.column))
		keys = append(keys, text(strconv.Itoa(len(items))))
		outer.add(row.column)
	}
	opened := false
	for i := 0; i < len(n.Aggs); i++ {
		a := n.Aggs[i]
		if counted != nil {
			a = countedOnly(a, counted)
		}
		if a.Group == 0 {
			items = append(items, e.single(s, a).and(text(" AS "+name(a.ID))))
			outer.add(name(a.ID))
			continue
		}
		opened = true
		group := []plan.Agg{a}
		for i+1 < len(n.Aggs) && n.Aggs[i+1].Group == a.Group {
			i++
			group = append(group, n.Aggs[i])
		}
		g := e.fresh("g")
		items = append(items, e.together(s, group).and(text(" AS "+g)))
		for k, m := range group {
			f := e.say("field of a row", text(g), text(strconv.Itoa(k)), text(strconv.Itoa(k+1))).text
			if m.Type == schema.String {
				f = "coalesce(" + f + ", '')"
			}
			outer.add(f, " AS ", name(m.ID))
		}
	}
	if len(items) == 0 {
		items = []frag{text("count(*) AS none")}
	}
	sql := text("SELECT ").and(join(", ", items)).and(text(" FROM ")).and(s.from(in.sql))
	if len(keys) > 0 {
		sql = sql.and(text(" GROUP BY ")).and(join(", ", keys))
	}
	if opened {
		sql = text("SELECT " + outer.or("none") + " FROM (").and(sql).and(text(")"))
	}
	if apart {
		return rel{sql: sql, order: []orderKey{row}}
	}
	return rel{sql: sql}
}

func keyColumns(n *plan.Aggregate) []plan.Column {
	out := make([]plan.Column, len(n.Keys))
	for i, k := range n.Keys {
		out[i] = k.Column
	}
	return out
}

// single says one aggregate.
func (e *emitter) single(s *sel, a plan.Agg) frag {
	args := make([]frag, len(a.Args))
	types := make([]schema.Type, len(a.Args))
	for i, x := range a.Args {
		args[i], types[i] = s.expr(x), x.Type()
	}
	condition := frag{}
	if a.Where != nil {
		condition = text(" FILTER (WHERE ").and(s.predicate(a.Where)).and(text(")"))
	}
	written := append([]schema.Type{}, types...)
	if (a.Func == "make_set" || a.Func == "make_list" || a.Func == "make_bag" || a.Func == "make_list_with_nulls") && types[0] != schema.Dynamic {
		args[0] = s.apply("todynamic", args[:1], types[:1], schema.Dynamic)
	}
	t, ok := e.dialect.Aggregate(a.Func, written, a.Type)
	if !ok {
		unsupported("the aggregate " + a.Func)
	}
	for i, f := range args {
		if !f.simple && uses(t, i) > 1 {
			args[i] = s.hoist(f)
		}
	}
	order := frag{}
	if len(e.order) > 0 {
		order = text(" ORDER BY " + orderList(e.order))
	}
	named := map[string]frag{"if": condition, "and": whereAnd(s, a.Where), "order": order}
	if strings.Contains(t, "{place}") {
		named["place"] = s.hoist(text("row_number() OVER (").and(order).and(text(")")))
	}
	f := expandTemplate(t, args, named)
	if a.Type == schema.String {
		f = text("coalesce(").and(f).and(text(", '')"))
	}
	return f
}

func whereAnd(s *sel, where plan.Expr) frag {
	if where == nil {
		return text("true")
	}
	return text("(").and(s.predicate(where)).and(text(")"))
}

// together says aggregates that must come from one row.
func (e *emitter) together(s *sel, group []plan.Agg) frag {
	var fields []frag
	for k, a := range group {
		x := a.Args[0]
		if a.Func != "take_any" {
			x = a.Args[1]
		}
		fields = append(fields, e.say("field", text(strconv.Itoa(k)), s.expr(x)))
	}
	row := s.hoist(e.say("row", fields...))
	if group[0].Func == "take_any" {
		return e.say("any row", row)
	}
	key := s.expr(group[0].Args[0])
	if group[0].Args[0].Type() == schema.Decimal {
		key = s.decimalKey(key)
	}
	key = s.hoist(key)
	if group[0].Func == "arg_max" && group[0].Args[0].Type() == schema.Real && e.says("key of arg_max") {
		key = s.hoist(e.say("key of arg_max", key))
	}
	if group[0].Func == "arg_min" && group[0].Args[0].Type() == schema.Real { // NaN is the least as well as the greatest
		key = s.hoist(text("CASE WHEN ").and(e.say("is nan", key)).and(text(" THEN ")).and(e.say("-infinity")).and(text(" ELSE ")).and(key).and(text(" END")))
	}
	return e.say("row of "+group[0].Func, row, key)
}

func (f frag) wrap(before, after string) frag { return text(before).and(f).and(text(after)) }

// join says each kind. Keys are computed on both sides first.
func (e *emitter) join(n *plan.Join) rel {
	left, right := e.node(n.Left), e.node(n.Right)
	var lk, rk, on []frag
	ls, rs := e.sel(), e.sel()
	keys := ""
	for i, p := range n.On {
		l, r := "lk"+strconv.Itoa(i), "rk"+strconv.Itoa(i)
		e.order = left.order
		lk = append(lk, ls.expr(p.Left).and(text(" AS "+l)))
		e.order = right.order
		rk = append(rk, rs.expr(p.Right).and(text(" AS "+r)))
		if p.Equal {
			on = append(on, text(l+" = "+r))
		} else {
			match := p.Match
			if match == "" {
				match = "ipv4_in"
			}
			on = append(on, e.sayAs("a join on addresses", "native", text(match), text(l+", "+r)))
		}
		if i > 0 {
			keys += ", "
		}
		keys += l
	}
	columns := "*"
	var one list
	if n.Kind == "innerunique" { // one row a key is kept, of it what is read
		var read list
		for _, c := range n.Left.Columns() {
			if slices.ContainsFunc(n.Cols, func(out plan.Column) bool { return out.ID == c.ID }) {
				read.add(name(c.ID))
				if e.says("first") {
					one.add(e.say("first", text(name(c.ID))).text + " AS " + name(c.ID))
				}
			}
		}
		columns = read.or("1 AS none")
		one.add(keys)
	}
	lsql := text("SELECT " + columns + ", ").and(join(", ", lk)).and(text(" FROM ")).and(ls.from(left.sql))
	rsql := text("SELECT *, ").and(join(", ", rk)).and(text(" FROM ")).and(rs.from(right.sql))
	kind := map[string]string{"inner": "INNER JOIN", "innerunique": "INNER JOIN", "leftouter": "LEFT JOIN", "rightouter": "RIGHT JOIN", "fullouter": "FULL JOIN"}[n.Kind]
	if kind == "" {
		kind = e.say(strings.TrimPrefix(strings.TrimPrefix(n.Kind, "left"), "right") + " join").text
	}
	switch {
	case n.Kind == "innerunique" && e.says("first"): // groups, of which the engine knows better how few they are
		lsql = text("SELECT " + one.String() + " FROM (").and(lsql).and(text(") GROUP BY " + keys))
	case n.Kind == "innerunique":
		lsql = text("SELECT DISTINCT ON (" + keys + ") * FROM (").and(lsql).and(text(")"))
	}
	out := rel{}
	if n.Kind == "rightanti" || n.Kind == "rightsemi" {
		lsql, rsql = rsql, lsql
		right, left = left, right
	}
	nullable := map[plan.ID]bool{}
	if n.Kind == "leftouter" || n.Kind == "fullouter" {
		for _, c := range n.Right.Columns() {
			nullable[c.ID] = true
		}
	}
	if n.Kind == "rightouter" || n.Kind == "fullouter" {
		for _, c := range n.Left.Columns() {
			nullable[c.ID] = true
		}
	}
	items := make([]frag, 0, len(n.Cols))
	for _, c := range n.Cols {
		if nullable[c.ID] && c.Type == schema.String {
			items = append(items, text("coalesce("+name(c.ID)+", '') AS "+name(c.ID)))
			continue
		}
		items = append(items, text(name(c.ID)))
	}
	if len(items) == 0 {
		items = []frag{text("1 AS none")}
	}
	l, r := e.fresh("l"), e.fresh("r")
	out.sql = text("SELECT ").and(join(", ", items)).and(text(" FROM (")).and(lsql).and(text(") AS " + l + " " + kind + " (")).and(rsql).and(text(") AS " + r + " ON ")).and(join(" AND ", on))
	return out
}
