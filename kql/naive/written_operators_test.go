package naive_test

import (
	"slices"
	"strings"

	"lockstep/schema"
)

// query writes a query over Left: functions and tables with names, a source, and what is done with its rows.
func (w *writer) query() string {
	text := `let f1 = (x:long, y:string = "q") { x + strlen(y) };
let f2 = (x:string) { strcat(toupper(x), "!") };
let rows = (n:long) { Right | where k >= n | project n, s };
`
	text += w.source()
	for range 1 + w.choose(5) {
		if len(w.columns) == 0 {
			break
		}
		text += "\n| " + w.operator()
	}
	return text
}

// source writes where the rows come from.
func (w *writer) source() string {
	w.columns = append([]schema.Column{}, writtenLeft.Columns...)
	switch w.choose(12) {
	case 1:
		return "let T = materialize(Left | " + w.operator() + ");\nT"
	case 2:
		return "let T = Left | " + w.operator() + ";\nT"
	case 3:
		w.columns = append(w.columns, schema.Column{Name: "n", Type: schema.Long}, schema.Column{Name: "src", Type: schema.String})
		return "union withsource=src " + w.of("", "kind=outer ", "isfuzzy=true ") + "Left, Right"
	case 4:
		w.columns = []schema.Column{{Name: "k", Type: schema.Long}, {Name: "s", Type: schema.String}, {Name: "j", Type: schema.Dynamic}}
		return "union kind=inner Left, Right"
	case 5:
		w.columns = []schema.Column{{Name: "x", Type: schema.Long}}
		return "range x from " + w.of("1 to 5 step 1", "5 to 1 step -2", "0 to -1 step 1") + "\n| extend s = strcat('v', x), t = now() - x * 1h, j = pack_array(x, x * 2)\n| project x, s, t, j" + w.with(schema.Column{Name: "s", Type: schema.String}, schema.Column{Name: "t", Type: schema.DateTime}, schema.Column{Name: "j", Type: schema.Dynamic})
	case 6:
		w.columns = []schema.Column{{Name: "n", Type: schema.Long}, {Name: "s", Type: schema.String}}
		return "rows(" + w.of("0", "1", "-10") + ")"
	}
	return "Left"
}

// with notes columns that a text gives, and writes nothing.
func (w *writer) with(columns ...schema.Column) string {
	w.columns = append(w.columns, columns...)
	return ""
}

// made notes a new column and gives its name.
func (w *writer) made(t schema.Type) string {
	n := w.name()
	w.with(schema.Column{Name: n, Type: t})
	return n
}

// drop forgets a column.
func (w *writer) drop(name string) {
	w.columns = slices.DeleteFunc(slices.Clone(w.columns), func(c schema.Column) bool { return c.Name == name })
}

func (w *writer) anyType() schema.Type { return writtenTypes[w.choose(len(writtenTypes))] }

// key names a column that can be grouped and joined by.
func (w *writer) key() schema.Column {
	var list []schema.Column
	for _, c := range w.columns {
		if c.Type != schema.Dynamic && c.Type != schema.Real {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return schema.Column{}
	}
	return list[w.choose(len(list))]
}

// operators are those the writer knows; each gives "" where the columns don't allow it.
var operators = []func(*writer) string{
	func(w *writer) string { return "where " + w.value(schema.Bool) },
	(*writer).extend, (*writer).extend, (*writer).summarize, (*writer).summarize, (*writer).join, (*writer).join,
	(*writer).distinct, (*writer).expand, (*writer).top, (*writer).sort, (*writer).parse, (*writer).project, (*writer).union, (*writer).apply,
	(*writer).series, (*writer).lookup, (*writer).topNested, (*writer).topHitters, (*writer).partition, (*writer).keyValues, (*writer).columnsOf, (*writer).window, (*writer).scan, (*writer).joinSelf, (*writer).few,
}

func (w *writer) operator() string {
	if text := operators[w.choose(len(operators))](w); text != "" {
		return text
	}
	return "where " + w.value(schema.Bool)
}

func (w *writer) extend() string {
	t := w.anyType()
	x := w.value(t)
	return "extend " + w.made(t) + " = " + x
}

func (w *writer) distinct() string {
	if w.choose(5) == 4 {
		return "distinct *"
	}
	k, l := w.key(), w.key()
	switch {
	case k.Name == "":
		return ""
	case k.Name != l.Name && w.choose(2) == 1:
		w.columns = []schema.Column{k, l}
		return "distinct " + k.Name + ", " + l.Name
	}
	w.columns = []schema.Column{k}
	return "distinct " + k.Name
}

// opened is the type of what mv-expand gives, and how it is written.
func (w *writer) opened() (string, schema.Type) {
	to := w.of("", " to typeof(string)", " to typeof(long)", " to typeof(real)", " to typeof(datetime)", " to typeof(bool)")
	return to, map[string]schema.Type{"": schema.Dynamic, " to typeof(string)": schema.String, " to typeof(long)": schema.Long, " to typeof(real)": schema.Real, " to typeof(datetime)": schema.DateTime, " to typeof(bool)": schema.Bool}[to]
}

func (w *writer) expand() string {
	c := w.column(schema.Dynamic)
	if c == "" {
		return ""
	}
	to, t := w.opened()
	how := ""
	switch w.choose(6) {
	case 4:
		how = "bagexpansion=array "
	case 5:
		how = "with_itemindex=" + w.made(schema.Long) + " "
	}
	items := ""
	if d := w.column(schema.Dynamic); w.choose(4) == 3 {
		items = ", " + w.made(schema.Dynamic) + " = " + d
	}
	return "mv-expand " + how + w.made(t) + " = " + c + to + items + w.of("", "", "", " limit 2")
}

func (w *writer) top() string {
	k := w.key()
	if k.Name == "" {
		return ""
	}
	return "top " + w.of("2", "1", "5") + " by " + k.Name + w.of("", " asc", " desc nulls first", " asc nulls last")
}

func (w *writer) sort() string {
	var keys []string
	for range 1 + w.choose(2) {
		if k := w.key(); k.Name != "" {
			keys = append(keys, k.Name+w.of("", " asc", " desc nulls first", " asc nulls last"))
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return "sort by " + strings.Join(keys, ", ")
}

// window sorts by every key, so that few rows are equal, and looks at the rows around.
func (w *writer) window() string {
	var keys []string
	for _, c := range w.columns {
		if c.Type != schema.Dynamic {
			keys = append(keys, c.Name+w.of("", " asc"))
		}
	}
	l, s, t, b := w.column(schema.Long), w.column(schema.String), w.column(schema.DateTime), w.value(schema.Bool)
	if l == "" || len(keys) == 0 {
		return ""
	}
	forms := []struct {
		text string
		t    schema.Type
	}{{"row_number()", schema.Long}, {"prev(L)", schema.Long}, {"next(L)", schema.Long}, {"row_cumsum(L)", schema.Long}, {"row_number(5, B)", schema.Long}, {"prev(L, 2, -1)", schema.Long}, {"next(L, 2)", schema.Long}, {"row_cumsum(L, B)", schema.Long}, {"row_rank_dense(L)", schema.Long}, {"row_rank_min(L)", schema.Long}, {"row_rank_dense(L, B)", schema.Long}}
	if s != "" {
		forms = append(forms, struct {
			text string
			t    schema.Type
		}{"prev(S, 1)", schema.String}, struct {
			text string
			t    schema.Type
		}{"strcat(S, next(S))", schema.String})
	}
	if t != "" {
		forms = append(forms, struct {
			text string
			t    schema.Type
		}{"row_window_session(T, 12h, 2h, B)", schema.DateTime}, struct {
			text string
			t    schema.Type
		}{"T - prev(T)", schema.TimeSpan})
	}
	f := forms[w.choose(len(forms))]
	text := strings.NewReplacer("L", l, "S", s, "T", t, "B", b).Replace(f.text)
	return "sort by " + strings.Join(keys, ", ") + "\n| extend " + w.made(f.t) + " = " + text
}

func (w *writer) parse() string {
	c := w.column(schema.String)
	if c == "" {
		return ""
	}
	verb := w.of("parse ", "parse-where ")
	switch w.choose(5) {
	case 1:
		return verb + c + " with * " + w.of(`"="`, `"a"`, `"."`) + " " + w.made(schema.Long) + ":long " + w.of(`";" *`, `*`, `" " *`)
	case 2:
		return verb + "kind=regex " + c + ` with "[a-z]*" ` + w.made(schema.String) + w.of(` "[ =]"`, ` "e"`) + " *"
	case 3:
		return verb + "kind=relaxed " + c + " with " + w.made(schema.Real) + `:real "." ` + w.made(schema.Long) + ":long"
	}
	return verb + c + " with " + w.made(schema.String) + w.of(` "=" `, ` " " `, ` "a" `) + w.made(schema.String)
}

func (w *writer) keyValues() string {
	c := w.column(schema.String)
	if c == "" {
		return ""
	}
	a, b := w.made(schema.String), w.made(schema.String)
	return "parse-kv " + c + " as (x:string, y:string) with (pair_delimiter=';', kv_delimiter='=')\n| project-rename " + a + " = x, " + b + " = y"
}

func (w *writer) project() string {
	var items []string
	var kept []schema.Column
	for range 1 + w.choose(3) {
		t := w.anyType()
		x := w.value(t)
		n := w.name()
		kept = append(kept, schema.Column{Name: n, Type: t})
		items = append(items, n+" = "+x)
	}
	w.columns = kept
	return "project " + strings.Join(items, ", ")
}

// columnsOf moves, renames and removes columns.
func (w *writer) columnsOf() string {
	c := w.columns[w.choose(len(w.columns))]
	switch w.choose(4) {
	case 1:
		if len(w.columns) > 1 {
			w.drop(c.Name)
			return "project-away " + c.Name
		}
	case 2:
		w.drop(c.Name)
		return "project-rename " + w.made(c.Type) + " = " + c.Name
	case 3:
		w.columns = []schema.Column{c}
		return "project-keep " + c.Name
	}
	return "project-reorder " + c.Name + ", *"
}

func (w *writer) union() string {
	switch w.choose(4) {
	case 1:
		l, s := w.column(schema.Long), w.column(schema.String)
		if l == "" || s == "" {
			return ""
		}
		w.columns = []schema.Column{{Name: l, Type: schema.Long}, {Name: s, Type: schema.String}}
		return "union kind=inner (Right | project " + l + " = n, " + s + " = s)"
	case 2:
		s := w.column(schema.String)
		if s == "" {
			return ""
		}
		return "union withsource=" + w.made(schema.String) + " (Right | where isnotempty(s) | project " + s + " = s), (rows(0) | project " + s + " = s)"
	}
	w.drop("n")
	w.with(schema.Column{Name: "n", Type: schema.Long})
	return "union (Right | project n)"
}

func (w *writer) apply() string {
	c := w.column(schema.Dynamic)
	if c == "" {
		return ""
	}
	if w.choose(3) == 2 {
		n, m := w.name(), w.name()
		w.with(schema.Column{Name: m, Type: schema.Dynamic})
		return "mv-apply " + n + " = " + c + " to typeof(string) on (" + w.of("where "+n+" has 'x'", "distinct "+n, "order by "+n+" asc") + " | summarize " + m + " = make_list(" + n + "))"
	}
	n := w.made(schema.Long)
	return "mv-apply " + n + " = " + c + " to typeof(long) on (" + w.of("where "+n+" > 1", "summarize "+n+" = sum("+n+")", "summarize "+n+" = count()", "top 1 by "+n, "extend "+n+" = "+n+" * 2") + ")"
}

func (w *writer) series() string {
	k := w.key()
	c := w.column(schema.DateTime)
	if c == "" || k.Name == "" || c == k.Name {
		return ""
	}
	agg, l := "count()", w.column(schema.Long)
	if l != "" && l != k.Name {
		agg = w.of("count()", "sum("+l+")", "max("+l+")", "countif("+l+" > 0)", "dcount("+l+")", "avg("+l+")")
	}
	w.columns = []schema.Column{{Name: k.Name, Type: k.Type}, {Name: "c", Type: schema.Dynamic}, {Name: "ts", Type: schema.Dynamic}}
	return "make-series c = " + agg + " default = " + w.of("0", "-1", "long(null)") + " on " + c + w.of(" from ago(2d) to now() step 6h", " from datetime(2026-10-31) to datetime(2026-11-02) step 1d", " in range(ago(1d), now(), 6h)") + " by " + k.Name + "\n| project " + k.Name + ", c, ts = " + c
}

func (w *writer) lookup() string {
	k := w.key()
	on := map[schema.Type]string{schema.Long: "k", schema.String: "s"}[k.Type]
	if on == "" {
		return ""
	}
	a := w.name()
	return "lookup " + w.of("", "kind=inner ") + "(Right | project " + a + " = " + on + ", " + w.made(schema.Long) + " = n) on $left." + k.Name + " == $right." + a
}

// joinSelf joins the rows with another table on columns of the same name.
func (w *writer) joinSelf() string {
	if !slices.Contains(w.columns, schema.Column{Name: "k", Type: schema.Long}) || !slices.Contains(w.columns, schema.Column{Name: "s", Type: schema.String}) {
		return ""
	}
	n := w.name()
	on := w.of("k", "s", "k, s", "$left.k == $right.n")
	text := "join " + w.of("", "kind=inner ", "kind=leftouter ", "kind=fullouter ") + "(" + w.of("Right", "Right | where n > 0", "Left | extend n = k | project k, s, j, n") + ") on " + on
	w.columns = []schema.Column{{Name: "k", Type: schema.Long}, {Name: "s", Type: schema.String}, {Name: n, Type: schema.Long}, {Name: n + "s", Type: schema.String}}
	return "project k, s\n| " + text + "\n| project k, s, " + n + " = n, " + n + "s = s1"
}

func (w *writer) topNested() string {
	k, l := w.key(), w.key()
	if k.Name == "" || k.Name == l.Name {
		return ""
	}
	a, b := w.name(), w.name()
	w.columns = []schema.Column{k, {Name: a, Type: schema.Long}, l, {Name: b, Type: schema.Long}}
	return "top-nested " + w.of("2", "1") + " of " + k.Name + " by " + a + " = count(), top-nested " + w.of("1", "2") + " of " + l.Name + " by " + b + " = count()"
}

func (w *writer) topHitters() string {
	k := w.key()
	if k.Name == "" {
		return ""
	}
	n := w.name()
	w.columns = []schema.Column{k, {Name: n, Type: schema.Long}}
	return "top-hitters 2 of " + k.Name + "\n| project-rename " + n + " = approximate_count_" + k.Name
}

func (w *writer) partition() string {
	k, l := w.key(), w.key()
	if k.Name == "" || l.Name == "" {
		return ""
	}
	how := w.of("", "hint.strategy=native ", "hint.strategy=shuffle ")
	switch w.choose(3) {
	case 1:
		n := w.name()
		w.columns = []schema.Column{{Name: n, Type: schema.Long}}
		return "partition " + how + "by " + k.Name + " (summarize " + n + " = count())"
	case 2:
		n := w.name()
		w.columns = []schema.Column{l, {Name: n, Type: schema.Long}}
		return "partition " + how + "by " + k.Name + " (summarize " + n + " = dcount(" + k.Name + ") by " + l.Name + ")"
	}
	return "partition " + how + "by " + k.Name + " (top 1 by " + l.Name + ")"
}

// scan walks the rows in a whole order.
func (w *writer) scan() string {
	var keys []string
	for _, c := range w.columns {
		if c.Type != schema.Dynamic {
			keys = append(keys, c.Name+" asc")
		}
	}
	l := w.column(schema.Long)
	if l == "" {
		return ""
	}
	b, n := w.value(schema.Bool), w.made(schema.Long)
	return "sort by " + strings.Join(keys, ", ") + "\n| scan declare (" + n + ": long = 0) with (step one: " + w.of("true", b) + " => " + n + " = " + w.of(l+" + one."+n, "one."+n+" + 1", "iff(isnull(one."+n+"), 0, one."+n+") + 1") + ";)"
}

// few gives a part of the rows or their number.
func (w *writer) few() string {
	switch w.choose(5) {
	case 1:
		w.columns = []schema.Column{{Name: "Count", Type: schema.Long}}
		return "count"
	case 2:
		return "take " + w.of("3", "0", "100")
	case 3:
		w.columns = []schema.Column{{Name: "ColumnName", Type: schema.String}, {Name: "ColumnType", Type: schema.String}}
		return "getschema\n| project ColumnName, ColumnType"
	case 4:
		return "as X\n| serialize"
	}
	return "where * has " + w.literal(schema.String)
}

func (w *writer) summarize() string {
	var kept []schema.Column
	var aggs, keys []string
	add := func(template string, t schema.Type) {
		n := w.name()
		aggs = append(aggs, n+" = "+w.fill(template))
		kept = append(kept, schema.Column{Name: n, Type: t})
	}
	for range 1 + w.choose(2) {
		all := []struct {
			template string
			t        schema.Type
		}{{"count()", schema.Long}, {"countif(%b)", schema.Long}, {"sum(%l)", schema.Long}, {"min(%t)", schema.DateTime}, {"max(%s)", schema.String}, {"max(%l)", schema.Long}, {"min(%r)", schema.Real}, {"dcount(%s)", schema.Long}, {"dcountif(%l, %b)", schema.Long}, {"make_set(%s)", schema.Dynamic}, {"make_list(%l)", schema.Dynamic},
			{"avg(%l)", schema.Real}, {"sumif(%l, %b)", schema.Long}, {"percentile(%l, 50)", schema.Long}, {"make_set(%j)", schema.Dynamic}, {"make_set_if(%s, %b)", schema.Dynamic}, {"make_list(%j)", schema.Dynamic}, {"make_bag(%j)", schema.Dynamic}, {"max(%d)", schema.TimeSpan}, {"sum(%d)", schema.TimeSpan}, {"avg(%r)", schema.Real}, {"stdev(%l)", schema.Real}, {"minif(%l, %b)", schema.Long}, {"count_distinct(%l)", schema.Long}, {"sum(%r)", schema.Real}, {"take_any(%s)", schema.String}}
		a := all[w.choose(len(all))]
		add(a.template, a.t)
	}
	if k := w.key(); k.Name != "" && w.choose(4) != 3 {
		keys = append(keys, k.Name)
		kept = append(kept, k)
	}
	if w.choose(4) == 1 {
		t := w.anyType()
		n := w.name()
		keys = append(keys, n+" = "+w.value(t))
		kept = append(kept, schema.Column{Name: n, Type: t})
	}
	if w.choose(5) == 1 {
		if c := w.column(schema.Long); c != "" && len(keys) > 0 {
			if s := w.column(schema.String); s != "" && s != keys[0] && c != keys[0] {
				n, m := w.name(), w.name()
				aggs = append(aggs, "("+n+", "+m+") = "+w.of("arg_max(", "arg_min(")+c+", "+s+")")
				kept = append(kept, schema.Column{Name: n, Type: schema.Long}, schema.Column{Name: m, Type: schema.String})
			}
		}
	}
	w.columns = kept
	text := "summarize " + strings.Join(aggs, ", ")
	if len(keys) > 0 {
		text += " by " + strings.Join(keys, ", ")
	}
	return text
}

func (w *writer) join() string {
	k := w.key()
	kind := w.of("inner", "leftouter", "innerunique", "leftanti", "leftsemi", "rightouter", "fullouter", "rightanti", "rightsemi")
	on := map[schema.Type]string{schema.Long: "k", schema.String: "s"}[k.Type]
	if on == "" {
		return "where " + w.value(schema.Bool)
	}
	a, b := w.name(), w.name()
	right := "(Right | project " + a + " = " + on + ", " + b + " = n)"
	text := "join kind=" + kind + " " + right + " on $left." + k.Name + " == $right." + a
	added := []schema.Column{{Name: a, Type: k.Type}, {Name: b, Type: schema.Long}}
	switch {
	case strings.HasPrefix(kind, "right") && kind != "rightouter":
		w.columns = added
	case kind != "leftanti" && kind != "leftsemi":
		w.columns = append(w.columns, added...)
	}
	return text
}
