package emit

import (
	"slices"
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

func (e *emitter) node(n plan.Node) rel {
	switch n := n.(type) {
	case *plan.Scan:
		return e.scan(n)
	case *plan.Scans:
		return e.scanAll(n)
	case *plan.Values:
		return e.values(n)
	case *plan.Series:
		return e.series(n)
	case *plan.Project:
		return e.project(n)
	case *plan.Filter:
		in := e.placed(e.node(n.Input), n.Predicate)
		s := e.sel()
		e.order = in.order
		p := s.predicate(n.Predicate)
		if len(s.levels) == 0 {
			in.sql = text("SELECT * FROM (").and(in.sql).and(text(") WHERE ")).and(p)
			return in
		}
		cols := columnList(n.Columns(), in.order)
		in.sql = text("SELECT " + cols + " FROM ").and(s.from(in.sql)).and(text(" WHERE ")).and(p)
		return in
	case *plan.Aggregate:
		return e.aggregate(n)
	case *plan.Distinct:
		in := e.node(n.Input)
		var order []orderKey
		if row, ok := rowOf(in.order); ok {
			order = []orderKey{row}
		}
		return rel{sql: text("SELECT DISTINCT " + columnList(n.Columns(), order) + " FROM (").and(in.sql).and(text(")")), order: order}
	case *plan.Sort:
		return e.sort(n)
	case *plan.Limit:
		return e.limit(n)
	case *plan.Join:
		return e.join(n)
	case *plan.Union:
		return e.union(n)
	case *plan.Expand:
		return e.expand(n)
	case *plan.Apply:
		return e.apply(n)
	case *plan.Fold:
		return e.fold(n)
	case *plan.Stage:
		return e.stage(n)
	case *plan.Outer:
		if e.outer.rows != "" {
			return e.outerRows(n)
		}
		return rel{sql: text("SELECT " + columnList(n.Cols, nil))}
	case *plan.Ref:
		return e.ref(n)
	}
	unsupported("this operator")
	return rel{}
}

// columnList lists a node's columns and the hidden ones that keep its order.
func columnList(cols []plan.Column, order []orderKey) string {
	var out list
	for _, c := range cols {
		out.add(name(c.ID))
	}
	for _, k := range order {
		if k.hidden {
			out.add(k.column)
		}
	}
	return out.or("1 AS none")
}

// list writes texts with commas between; a wide table has thousands of columns.
type list struct{ strings.Builder }

func (l *list) add(parts ...string) {
	if l.Len() > 0 {
		l.WriteString(", ")
	}
	for _, p := range parts {
		l.WriteString(p)
	}
}

// or gives the list, or another text where it is empty.
func (l *list) or(otherwise string) string {
	if l.Len() == 0 {
		return otherwise
	}
	return l.String()
}

func (e *emitter) scan(n *plan.Scan) rel {
	i := len(e.scans)
	s := Scan{Table: n.Table.Name, Columns: n.Source}
	cols := columnList(n.Cols, nil)
	if len(n.Cols) == 0 { // a row is counted without its columns
		s.Columns = []string{n.Table.Columns[0].Name}
		cols = "none"
	}
	e.scans = append(e.scans, s)
	t := e.fresh("t")
	return rel{sql: text("SELECT * FROM " + scanMark + strconv.Itoa(i) + scanMark + " AS " + t + "(" + cols + ")")}
}

// values keeps the order in which rows were written.
func (e *emitter) values(n *plan.Values) rel {
	cols := columnList(n.Cols, nil)
	o := e.fresh("o")
	if len(n.Cols) == 0 {
		return rel{sql: text("SELECT 1 AS none WHERE false")}
	}
	if len(n.Rows) == 0 {
		var items []frag
		for _, c := range n.Cols {
			items = append(items, e.say("null", text(e.dialect.Physical(c.Type))).and(text(" AS "+name(c.ID))))
		}
		return rel{sql: text("SELECT ").and(join(", ", items)).and(text(" WHERE false"))}
	}
	single := len(n.Rows) == 1
	s := e.sel()
	var rows []frag
	for i, r := range n.Rows {
		cells := make([]frag, len(r), len(r)+1)
		for j, x := range r {
			f := s.expr(x)
			if single {
				f = f.and(text(" AS " + name(n.Cols[j].ID)))
			} else if _, ok := x.(*plan.Const); ok && i == 0 {
				f = text("CAST(").and(f).and(text(" AS " + e.dialect.Physical(n.Cols[j].Type) + ")"))
			}
			cells[j] = f
		}
		if !single {
			cells = append(cells, text(strconv.Itoa(i)))
		}
		rows = append(rows, join(", ", cells))
	}
	if single {
		if len(rows[0].text) == 0 {
			return rel{sql: text("SELECT 1 AS none")}
		}
		if len(s.levels) == 0 {
			return rel{sql: text("SELECT ").and(rows[0])}
		}
		return rel{sql: text("SELECT ").and(rows[0]).and(text(" FROM ")).and(s.from(text("SELECT 1 AS one")))}
	}
	if len(s.levels) > 0 {
		for i := range rows {
			rows[i] = text("SELECT ").and(rows[i])
		}
		all := join(" UNION ALL ", rows)
		return rel{sql: text("SELECT v.* FROM ").and(s.from(text("SELECT 1 AS one"))).and(text(" AS one, ")).and(e.say("rows that are computed", all)).and(text(" AS v(" + cols + ", " + o + ")")), order: []orderKey{{column: o, hidden: true}}}
	}
	body := join("), (", rows)
	return rel{sql: text("SELECT * FROM (VALUES (").and(body).and(text(")) AS v(" + cols + ", " + o + ")")), order: []orderKey{{column: o, hidden: true}}}
}

// series counts from … to … step …; the engine's range ends before its end.
func (e *emitter) series(n *plan.Series) rel {
	s := e.sel()
	from, to, step := s.hoist(s.expr(n.From)), s.hoist(s.expr(n.To)), s.hoist(s.expr(n.Step))
	c := name(n.Column.ID)
	steps := "steps of reals"
	value := textf("%s + i * %s", from.text, step.text)
	if n.Column.Type == schema.Long || n.Column.Type == schema.DateTime || n.Column.Type == schema.TimeSpan {
		steps = "steps"
	}
	count := e.say(steps, from, to, step)
	inner := text("SELECT ").and(e.say("count up", count)).and(text(" AS i, * FROM ")).and(s.from(text("SELECT 1 AS one")))
	return rel{sql: text("SELECT ").and(value).and(text(" AS " + c + ", i FROM (")).and(inner).and(text(")")), order: []orderKey{{column: "i", hidden: true}}}
}

// project computes items, and carries the columns that keep the order.
func (e *emitter) project(n *plan.Project) rel {
	exprs := make([]plan.Expr, len(n.Items))
	for i, it := range n.Items {
		exprs[i] = it.X
	}
	in := e.placed(e.node(n.Input), exprs...)
	s := e.sel()
	e.order = in.order
	var items []frag
	kept := map[string]bool{}
	for _, it := range n.Items {
		c := name(it.ID)
		if ref, ok := it.X.(*plan.ColumnRef); ok && ref.ID == it.ID {
			items = append(items, text(c))
			kept[c] = true
			continue
		}
		f := s.expr(it.X)
		items = append(items, f.and(text(" AS "+c)))
	}
	out := rel{sorted: in.sorted}
	for _, k := range in.order {
		if !kept[k.column] {
			k.hidden = true
			items = append(items, text(k.column))
			kept[k.column] = true
		} else if !k.hidden {
			k.hidden = false
		}
		out.order = append(out.order, k)
	}
	if len(items) == 0 {
		items = []frag{text("1 AS none")}
	}
	body := text("SELECT ").and(join(", ", items)).and(text(" FROM "))
	if len(s.levels) == 0 {
		out.sql = body.and(text("(")).and(in.sql).and(text(")"))
	} else {
		out.sql = body.and(s.from(in.sql))
	}
	return out
}

// placed numbers the rows in their order where a function looks at the rows
// around: rows that are equal in it would else stand in one order for one such
// function and in another for the next, or for the answer.
func (e *emitter) placed(in rel, exprs ...plan.Expr) rel {
	if !slices.ContainsFunc(exprs, plan.HasWindow) {
		return in
	}
	if _, each := rowOf(in.order); each || len(in.order) == 1 && in.order[0].hidden && !in.sorted {
		return in
	}
	order := ""
	if len(in.order) > 0 {
		order = "ORDER BY " + orderList(in.order)
	}
	o := e.fresh("o")
	in.sql = text("SELECT *, row_number() OVER (" + order + ") AS " + o + " FROM (").and(in.sql).and(text(")"))
	in.order = []orderKey{{column: o, hidden: true}}
	return in
}

func (e *emitter) sort(n *plan.Sort) rel {
	in := e.node(n.Input)
	s := e.sel()
	e.order = in.order
	var keys []orderKey
	var extra []frag
	cols := map[plan.ID]bool{}
	for _, c := range n.Columns() {
		cols[c.ID] = true
	}
	for _, k := range n.Keys {
		key := orderKey{desc: k.Desc, nullsFirst: k.NullsFirst}
		if k.X.Type() == schema.Real && e.says("nan in order") { // an engine that holds NaN for a null there
			first := orderKey{column: e.fresh("o"), desc: k.Desc, nullsFirst: k.NullsFirst, hidden: true}
			extra = append(extra, e.say("nan in order", s.expr(k.X)).and(text(" AS "+first.column)))
			keys = append(keys, first)
		}
		if ref, ok := k.X.(*plan.ColumnRef); ok && cols[ref.ID] && ref.Typ != schema.Decimal {
			key.column = name(ref.ID)
		} else {
			key.column, key.hidden = e.fresh("o"), true
			x := s.expr(k.X)
			if k.X.Type() == schema.Decimal {
				x = s.decimalKey(x)
			}
			extra = append(extra, x.and(text(" AS "+key.column)))
		}
		keys = append(keys, key)
	}
	keys = append(keys, in.order...) // equal rows stay as they were
	if len(extra) == 0 && len(s.levels) == 0 {
		return rel{sql: in.sql, order: keys, sorted: true}
	}
	sql := text("SELECT " + columnList(n.Columns(), in.order))
	if len(extra) > 0 {
		sql = sql.and(text(", ")).and(join(", ", extra))
	}
	return rel{sql: sql.and(text(" FROM ")).and(s.from(in.sql)), order: keys, sorted: true}
}

func (e *emitter) limit(n *plan.Limit) rel {
	in := e.node(n.Input)
	s := e.sel()
	f := s.expr(n.N)
	if k, ok := n.N.(*plan.Const); ok {
		v, _ := k.Value.(int64)
		f = text(strconv.FormatInt(max(v, 0), 10))
	} else {
		f = text("(SELECT greatest(0, coalesce(").and(f).and(text(", 0)) FROM ")).and(s.from(text("SELECT 1 AS one"))).and(text(")"))
	}
	order := in.orderBy()
	if row, ok := rowOf(in.order); ok {
		v, _ := n.N.(*plan.Const).Value.(int64)
		return limitEach(in, row, max(v, 0))
	}
	if n.Sample {
		order = text(" ORDER BY ").and(e.say("random"))
	}
	in.sql = text("SELECT * FROM (").and(in.sql).and(text(")")).and(order).and(text(" LIMIT ")).and(f)
	return in
}

func (e *emitter) ref(n *plan.Ref) rel {
	cte, ok := e.shared[n.Shared]
	if !ok {
		r := e.node(n.Shared.Input)
		cte = sharedRows{e.fresh("s"), r.order, r.sorted}
		e.shared[n.Shared] = cte
		f := e.define(text(cte.name+" AS MATERIALIZED (").and(r.sql).and(text(")")), false, n.Shared.Input)
		f.shared = append(f.shared, n.Shared)
	}
	var items list
	named := map[string]string{}
	for i, c := range n.Cols {
		items.add(name(n.From[i]), " AS ", name(c.ID))
		named[name(n.From[i])] = name(c.ID)
	}
	out := rel{sorted: cte.sorted}
	for _, k := range cte.order {
		if to, ok := named[k.column]; ok {
			k.column = to
		} else {
			o := e.fresh("o") // two readers of the rows may meet in a join
			items.add(k.column, " AS ", o)
			k.column, k.hidden = o, true
		}
		out.order = append(out.order, k)
	}
	out.sql = text("SELECT " + items.or("1 AS none") + " FROM " + cte.name)
	return out
}

// sharedRows are rows that a statement makes once, and their order.
type sharedRows struct {
	name   string
	order  []orderKey
	sorted bool
}

// apply runs the sub-query beside each row.
func (e *emitter) apply(n *plan.Apply) rel {
	if !e.says("lateral") {
		return e.apart(n)
	}
	in := e.node(n.Input)
	sub, with := e.beside(n.Input.Columns(), n.Sub)
	if len(sub.order) > 0 && len(in.order) == 0 { // the engine brings the sub-query's rows in any order
		o := e.fresh("o")
		in.sql = text("SELECT *, row_number() OVER () AS " + o + " FROM (").and(in.sql).and(text(")"))
		in.order = []orderKey{{column: o, hidden: true}}
	}
	order := orderOf(n, in.order, sub.order)
	cols := columnList(n.Cols, order)
	in.sql = text("SELECT " + cols + " FROM (").and(in.sql).and(text("), ")).and(e.say("lateral", with.and(e.lateral(n, sub))))
	in.order = order
	return in
}

// single tells whether a node gives one row as far as its form says.
func single(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Values:
		return len(n.Rows) == 1
	case *plan.Project:
		return single(n.Input)
	}
	return false
}

// orderOf is the order of a sub-query's rows: the outer row's, then their own.
func orderOf(n *plan.Apply, outer, sub []orderKey) []orderKey {
	shown := map[string]bool{}
	for _, c := range n.Cols {
		shown[name(c.ID)] = true
	}
	var order []orderKey
	kept := map[string]bool{}
	for _, k := range append(append([]orderKey{}, outer...), sub...) {
		if k.hidden = !shown[k.column]; !kept[k.column] {
			order = append(order, k)
		}
		kept[k.column] = true
	}
	return order
}

// lateral gives only the sub-query's own columns: those it passes on from outside keep their outer name.
func (e *emitter) lateral(n *plan.Apply, sub rel) frag {
	return text("SELECT " + ownColumns(n, sub.order) + " FROM (").and(sub.sql).and(text(")"))
}

// ownColumns lists the columns of the sub-query and of its order that it doesn't pass on from outside.
func ownColumns(n *plan.Apply, order []orderKey) string {
	given := map[string]bool{}
	for _, c := range n.Input.Columns() {
		given[name(c.ID)] = true
	}
	var own list
	add := func(column string) {
		if !given[column] {
			own.add(column)
			given[column] = true
		}
	}
	for _, c := range n.Sub.Columns() {
		add(name(c.ID))
	}
	for _, k := range order {
		add(k.column)
	}
	return own.or("1 AS none")
}

// expand opens values: the engine's unnest fills shorter lists with nulls.
func (e *emitter) expand(n *plan.Expand) rel {
	in := e.node(n.Input)
	if len(in.order) > 0 { // the elements of equal rows stay together
		o := e.fresh("o")
		in.sql = text("SELECT *, row_number() OVER () AS " + o + " FROM (").and(in.sql).and(text(")"))
		in.order = append(append([]orderKey{}, in.order...), orderKey{column: o, hidden: true})
	}
	s := e.sel()
	e.order = in.order
	opened := map[plan.ID]bool{}
	var lists []frag
	for _, it := range n.Items {
		opened[it.ID] = true
		list := e.elements(it, s.hoist(s.expr(it.X)))
		if n.Limit != nil {
			list = e.say("first elements", list, s.expr(n.Limit))
		}
		lists = append(lists, s.hoist(list))
	}
	var inner []frag
	for _, c := range n.Input.Columns() { // the engine repeats for each element what stands here
		given := func(out plan.Column) bool { return out.ID == c.ID }
		ordering := func(k orderKey) bool { return k.column == name(c.ID) && !k.hidden }
		if slices.ContainsFunc(n.Cols, given) || slices.ContainsFunc(in.order, ordering) {
			inner = append(inner, text(name(c.ID)))
		}
	}
	for _, k := range in.order {
		if k.hidden {
			inner = append(inner, text(k.column))
		}
	}
	out := rel{sorted: in.sorted}
	longest := e.say("length", lists[0])
	for _, l := range lists[1:] {
		longest = longest.and(text(", ")).and(e.say("length", l)).wrap("greatest(", ")")
	}
	at := e.fresh("o")
	var beside []frag // what some engines say behind FROM
	opens := func(phrase string, list frag, as string) {
		inner = append(inner, e.say("open "+phrase, list, text(as)))
		if behind := "open " + phrase + " behind"; e.says(behind) {
			beside = append(beside, e.say(behind, list, text(as), longest))
		}
	}
	for i, it := range n.Items {
		opens("a list", lists[i], "e"+name(it.ID))
	}
	_, each := n.Input.(*plan.Outer)
	placed := len(in.order) > 0 || each || single(n.Input)
	if placed || n.Index != nil {
		opens("positions", longest, at)
	}
	from := text("SELECT ").and(join(", ", inner)).and(text(" FROM ")).and(s.from(in.sql))
	if len(beside) > 0 {
		from = from.and(text(" ARRAY JOIN ")).and(join(", ", beside))
	}
	var items []frag
	s2 := e.sel()
	fields := e.fields(n)
	for _, c := range n.Cols {
		f, field := fields[c.ID]
		switch {
		case field:
			items = append(items, f.and(text(" AS "+name(c.ID))))
		case n.Index != nil && c.ID == n.Index.ID:
			items = append(items, text(at+" AS "+name(c.ID)))
		case opened[c.ID]:
			raw := frag{text: "nullif(e" + name(c.ID) + ", 'null')"}
			if c.Type != schema.Dynamic {
				raw = s2.apply(conversionFor(c.Type), []frag{raw}, []schema.Type{schema.Dynamic}, c.Type)
			}
			items = append(items, raw.and(text(" AS "+name(c.ID))))
		default:
			items = append(items, text(name(c.ID)))
		}
	}
	have := map[string]bool{}
	for _, c := range n.Cols {
		have[name(c.ID)] = true
	}
	for _, k := range in.order {
		if k.hidden || !have[k.column] {
			k.hidden = true
			items = append(items, text(k.column))
			have[k.column] = true
		}
		out.order = append(out.order, k)
	}
	if placed {
		items = append(items, text(at))
		out.order = append(out.order, orderKey{column: at, hidden: true})
	}
	if len(items) == 0 {
		items = []frag{text("1 AS none")}
	}
	out.sql = text("SELECT ").and(join(", ", items)).and(text(" FROM ")).and(s2.from(from))
	return out
}

func conversionFor(t schema.Type) string {
	return map[schema.Type]string{schema.Bool: "tobool", schema.Int: "toint", schema.Long: "tolong", schema.Real: "toreal", schema.Decimal: "todecimal",
		schema.String: "tostring", schema.DateTime: "todatetime", schema.TimeSpan: "totimespan", schema.Guid: "toguid"}[t]
}
