package naive_test

import (
	"fmt"
	"math"
	"strings"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// writer writes a query and its rows from a string of choices: when these end
// it takes the first and simplest of everything.
type writer struct {
	choices []byte
	depth   int
	columns []schema.Column // of the rows at hand
	fresh   int
}

// choose gives a number below n.
func (w *writer) choose(n int) int {
	if len(w.choices) == 0 || n < 2 {
		return 0
	}
	c := w.choices[0]
	w.choices = w.choices[1:]
	return int(c) % n
}

func (w *writer) of(list ...string) string { return list[w.choose(len(list))] }

var writtenTypes = []schema.Type{schema.Long, schema.String, schema.DateTime, schema.Bool, schema.Dynamic, schema.Real, schema.TimeSpan, schema.Int, schema.Guid}

var (
	writtenLeft  = schema.NewTable("Left", schema.XDR, []schema.Column{{Name: "k", Type: schema.Long}, {Name: "s", Type: schema.String}, {Name: "t", Type: schema.DateTime}, {Name: "b", Type: schema.Bool}, {Name: "j", Type: schema.Dynamic}, {Name: "r", Type: schema.Real}, {Name: "d", Type: schema.TimeSpan}, {Name: "i", Type: schema.Int}, {Name: "g", Type: schema.Guid}})
	writtenRight = schema.NewTable("Right", schema.XDR, []schema.Column{{Name: "k", Type: schema.Long}, {Name: "s", Type: schema.String}, {Name: "j", Type: schema.Dynamic}, {Name: "n", Type: schema.Long}})
)

func writtenEnvironment() kql.Environment {
	tables := map[string]*schema.Table{"Left": writtenLeft, "Right": writtenRight}
	return kql.Environment{Tables: func(n string) (*schema.Table, bool) { t, ok := tables[n]; return t, ok }, TableNames: func() []string { return []string{"Left", "Right"} }, Now: 639028584000000000}
}

// cells are stored values of each type: nulls, ties, edges.
var cells = map[schema.Type][]any{
	schema.Long:     {int64(1), int64(2), nil, int64(0), int64(-7), int64(math.MaxInt64), int64(math.MinInt64 + 1), int64(40)},
	schema.Int:      {int64(1), int64(2), nil, int64(-3), int64(math.MaxInt32), int64(0)},
	schema.Real:     {1.5, nil, -2.25, 0.0, math.NaN(), math.Inf(1), 1e300, 3.0},
	schema.String:   {"alpha", "", "Beta gamma", "alpha_beta", "ALPHA", "straße ÄÖ", "42", "-7.5", "true", `{"a":1,"b":["x",null]}`, "2026-10-31T11:00:00Z", "1.02:03:04", "x=1;y=two", "日本 alpha", "null", `a"b\c`, "10.0.0.5"},
	schema.Bool:     {true, false, nil},
	schema.DateTime: {int64(639028584000000000), int64(639028584000000000) - int64(schema.Hour), nil, int64(639028584000000000) - 36*int64(schema.Hour) - 1, int64(0), int64(630822816000000000)},
	schema.TimeSpan: {int64(schema.Hour), int64(schema.Second), nil, -int64(schema.Day) - 1, int64(0)},
	schema.Guid:     {"6f9619ff-8b86-d011-b42d-00c04fc964ff", nil, "00000000-0000-0000-0000-000000000001"},
	schema.Dynamic:  {`{"a":1,"b":"two"}`, nil, `[1,2,3]`, `["x","Alpha",null]`, `"text"`, `7`, `[]`, `{}`, `{"a":{"c":[true]},"b":null}`, `2.5`, `[[1],{"a":"z"}]`, `true`},
}

func (w *writer) data() kqltest.Data {
	data := kqltest.Data{}
	for _, t := range []*schema.Table{writtenLeft, writtenRight} {
		for range 1 + w.choose(7) {
			row := make([]any, len(t.Columns))
			for i, c := range t.Columns {
				row[i] = cells[c.Type][w.choose(len(cells[c.Type]))]
			}
			data[t.Name] = append(data[t.Name], row)
		}
	}
	return data
}

func (w *writer) name() string {
	w.fresh++
	return fmt.Sprintf("v%d", w.fresh)
}

// column names a column of a type, "" where there is none.
func (w *writer) column(t schema.Type) string {
	var names []string
	for _, c := range w.columns {
		if c.Type == t {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return w.of(names...)
}

// value writes an expression of a type.
func (w *writer) value(t schema.Type) string {
	w.depth++
	defer func() { w.depth-- }()
	c := w.column(t)
	if w.depth > 4 || c != "" && w.choose(3) == 0 {
		if c != "" {
			return c
		}
		return w.literal(t)
	}
	list := expressions[t]
	if n := w.choose(len(list) + 1); n < len(list) {
		return w.fill(list[n])
	}
	return w.literal(t)
}

var literals = map[schema.Type][]string{
	schema.Long: {"1", "0", "3", "-7", "long(null)", "100"}, schema.Int: {"int(1)", "int(null)"}, schema.Real: {"1.5", "0.0", "-2.25", "real(null)", "real(nan)"},
	schema.String: {`"alpha"`, `""`, `"a"`, `"Beta"`, `"gamma"`, `"x"`, `"straße"`, `"42"`, `"="`}, schema.Bool: {"true", "false", "bool(null)"},
	schema.DateTime: {"now()", "datetime(2026-10-31 11:00)", "ago(1d)", "datetime(null)"}, schema.TimeSpan: {"1h", "30m", "2d", "time(null)"},
	schema.Guid: {"guid(6f9619ff-8b86-d011-b42d-00c04fc964ff)"}, schema.Dynamic: {`dynamic({"a":1})`, `dynamic([1,"x"])`, "dynamic(null)", "dynamic([])"},
}

func (w *writer) literal(t schema.Type) string { return w.of(literals[t]...) }

// expressions by type: %l long, %s string, %t datetime, %b bool, %j dynamic, %r real, %d timespan, %i int, %g guid; %S a constant text.
var expressions = map[schema.Type][]string{
	schema.Long: {"(%l + %l)", "(%l - %l)", "(%l * %l)", "(%l / %l)", "(%l %% %l)", "strlen(%s)", "tolong(%s)", "tolong(%j)", "tolong(%r)", "tolong(%b)", "array_length(%j)", "datetime_diff('hour', %t, %t)", "datetime_diff('month', %t, %t)", "datetime_diff('week', %t, %t)",
		"iff(%b, %l, %l)", "case(%b, %l, %b, %l, %l)", "coalesce(%l, %l)", "bin(%l, 3)", "abs(%l)", "max_of(%l, %l)", "min_of(%l, %l)", "indexof(%s, %S)", "countof(%s, %S)", "tolong(%d)", "(-(%l))", "binary_and(%l, 6)"},
	schema.Int:  {"toint(%l)", "toint(%s)", "toint(%j)", "hourofday(%t)", "dayofmonth(%t)", "getmonth(%t)", "getyear(%t)", "dayofyear(%t)", "toint(%r)", "week_of_year(%t)"},
	schema.Real: {"(%r + %r)", "(%r - %l)", "(%r * %r)", "(%r / %r)", "toreal(%s)", "toreal(%j)", "toreal(%l)", "round(%r, 1)", "floor(%r, 1)", "bin(%r, 0.5)", "abs(%r)", "(%d / %d)", "iff(%b, %r, %r)", "max_of(%r, %r)", "min_of(%r, %r)", "coalesce(%r, %r)", "ceiling(%r)", "sqrt(%r)"},
	schema.String: {"strcat(%s, %S, %l)", "tolower(%s)", "toupper(%s)", "substring(%s, 1, 3)", "substring(%s, %l)", "tostring(%l)", "tostring(%r)", "tostring(%b)", "tostring(%t)", "tostring(%d)", "tostring(%j)", "tostring(%j.a)", "tostring(%j[0])", "tostring(%j[-1])", "tostring(%g)", "tostring(%i)",
		`extract("([a-z]+)", 1, %s)`, `extract("(\\d+)\\.?(\\d*)", 2, %s)`, "replace_string(%s, %S, %S)", `replace_regex(%s, "[aeiou]+", "<\\0>")`, "tostring(split(%s, %S)[0])", "iff(%b, %s, %s)", "case(%b, %s, %b, %s, %s)", "coalesce(%s, %s)", `trim("[a ]+", %s)`, "reverse(%s)", "strcat_array(%j, %S)", `strcat_delim("-", %s, %l, %s)`},
	schema.Bool: {"%l == %l", "%l < %l", "%s == %s", "%s has %S", "%s contains %S", "%s startswith %S", "%s endswith %S", "%s =~ %s", "%s !~ %S", "%s has_any (%S, %S)", "%s has_all (%S, %S)", "%s !has %S", "%s in (%S, %S, %S)", "%s in~ (%S, %S)", "%s !in (%S, %S)", "%s matches regex @\"^[a-z]+\"",
		"(%b and %b)", "(%b or %b)", "not(%b)", "isempty(%s)", "isnotempty(%s)", "isnull(%l)", "isnotnull(%t)", "isnull(%j)", "isempty(%j)", "isnotempty(%j.b)", "%t > %t", "%t between (%t .. %d)", "%l between (%l .. %l)", "%l in (1, 2, 3)", "%l !in (1, -7)", "%r >= %r", "%r != %r", "%r == %l", "%d < %d", "%b == %b", "%j.a == %l", "%j.b == %s", "%j.b has %S", "%j has %S", "%j == %S", "%g == %g", "%l != %l", "%t == %t", "%s != %s",
		"tobool(%s)", "tobool(%l)", "tobool(%j)", "set_has_element(%j, %l)", "%s in (%j)", "%s hasprefix %S", "%s has_cs %S", "%s contains_cs %S", "%j contains %S", "isnan(%r)", "%s > %s", "ipv4_is_private(%s)", "%s has_any (%j)", "%l in (%j)", "%s in ((Right | project s))", "%l !in ((Right | project k))", "%s in~ ((Right | project s))", "%s has_any ((Right | project s))"},
	schema.DateTime: {"(%t + %d)", "(%t - %d)", "bin(%t, 1h)", "bin(%t, %d)", "startofday(%t)", "startofweek(%t)", "startofmonth(%t)", "endofday(%t)", "todatetime(%s)", "iff(%b, %t, %t)", "coalesce(%t, %t)", "datetime_add('month', 1, %t)", "datetime_add('day', %l, %t)", "max_of(%t, %t)", "todatetime(%j)"},
	schema.TimeSpan: {"(%t - %t)", "(%d + %d)", "(%d - %d)", "totimespan(%s)", "(%d * 2)", "(%d / 2)", "iff(%b, %d, %d)", "bin(%d, 1m)", "dayofweek(%t)", "(%d * %r)"},
	schema.Guid:     {"toguid(%s)", "iff(%b, %g, %g)"},
	schema.Dynamic:  {"%j.a", "%j.b", "%j[0]", "%j[-1]", "%j[%l]", "%j[%s]", "parse_json(%s)", "todynamic(%s)", "bag_pack('a', %l, 'b', %s)", "pack_array(%l, %s, %r)", "split(%s, %S)", "split(%s, %S, 1)", "todynamic(%l)", "bag_keys(%j)", "array_concat(%j, %j)", "array_slice(%j, 0, 1)", "iff(%b, %j, %j)", "coalesce(%j, %j)", "set_union(%j, %j)", "set_difference(%j, %j)", "range(1, 3, 1)", "bag_merge(%j, %j)", "array_reverse(%j)", "extract_all('([a-z])', %s)", "pack_all()"},
}

var marks = map[byte]schema.Type{'l': schema.Long, 's': schema.String, 't': schema.DateTime, 'b': schema.Bool, 'j': schema.Dynamic, 'r': schema.Real, 'd': schema.TimeSpan, 'i': schema.Int, 'g': schema.Guid}

// fill writes the values that a template asks for.
func (w *writer) fill(template string) string {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			b.WriteByte(template[i])
			continue
		}
		i++
		switch c := template[i]; {
		case c == '%':
			b.WriteByte('%')
		case c == 'S':
			b.WriteString(w.literal(schema.String))
		case c == 'j' && i+1 < len(template) && (template[i+1] == '.' || template[i+1] == '['):
			if name := w.column(schema.Dynamic); name != "" {
				b.WriteString(name)
			} else {
				b.WriteString(`parse_json('{"a":1}')`)
			}
		default:
			b.WriteString(w.value(marks[c]))
		}
	}
	return b.String()
}

// query writes a query over Left.
func (w *writer) query() string {
	w.columns = append([]schema.Column{}, writtenLeft.Columns...)
	text := "Left"
	for range 1 + w.choose(5) {
		text += "\n| " + w.operator()
	}
	return text
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

func (w *writer) operator() string {
	switch w.choose(16) {
	case 1:
		t := w.anyType()
		x := w.value(t)
		n := w.name()
		w.columns = append(w.columns, schema.Column{Name: n, Type: t})
		return "extend " + n + " = " + x
	case 2:
		return w.summarize()
	case 3, 4:
		return w.join()
	case 5:
		if k := w.key(); k.Name != "" {
			w.columns = []schema.Column{k}
			return "distinct " + k.Name
		}
	case 6:
		if c := w.column(schema.Dynamic); c != "" {
			n := w.name()
			to, t := w.of("", " to typeof(string)", " to typeof(long)", " to typeof(real)"), schema.Dynamic
			for name, typ := range map[string]schema.Type{"string": schema.String, "long": schema.Long, "real": schema.Real} {
				if strings.Contains(to, name) {
					t = typ
				}
			}
			w.columns = append(w.columns, schema.Column{Name: n, Type: t})
			return "mv-expand " + n + " = " + c + to
		}
	case 7:
		k := w.key()
		if k.Name != "" {
			return "top " + w.of("2", "1", "5") + " by " + k.Name + w.of("", " asc", " desc nulls first", " asc nulls last")
		}
	case 8:
		var keys []string
		for range 1 + w.choose(2) {
			if k := w.key(); k.Name != "" {
				keys = append(keys, k.Name+w.of("", " asc", " desc nulls first", " asc nulls last"))
			}
		}
		if len(keys) > 0 {
			n := w.name()
			sort := "sort by " + strings.Join(keys, ", ")
			if w.choose(2) == 0 {
				return sort
			}
			f, t := w.of("row_number()", "prev(k1)", "next(k1)", "row_cumsum(k1)"), schema.Long
			if c := w.column(schema.Long); c != "" {
				f = strings.ReplaceAll(f, "k1", c)
			} else {
				f = "row_number()"
			}
			w.columns = append(w.columns, schema.Column{Name: n, Type: t})
			return sort + "\n| extend " + n + " = " + f
		}
	case 9:
		if c := w.column(schema.String); c != "" {
			a, b := w.name(), w.name()
			w.columns = append(w.columns, schema.Column{Name: a, Type: schema.String}, schema.Column{Name: b, Type: schema.String})
			return w.of("parse ", "parse-where ") + c + " with " + a + w.of(` "=" `, ` " " `, ` "a" `) + b
		}
	case 10:
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
	case 11:
		w.columns = append(w.columns, schema.Column{Name: "n", Type: schema.Long})
		for i, c := range w.columns[:len(w.columns)-1] {
			if c.Name == "n" {
				w.columns = append(w.columns[:i:i], w.columns[i+1:]...)
				break
			}
		}
		return "union (Right | project n)"
	case 12:
		if c := w.column(schema.Dynamic); c != "" {
			n := w.name()
			w.columns = append(w.columns, schema.Column{Name: n, Type: schema.Long})
			return "mv-apply " + n + " = " + c + " to typeof(long) on (" + w.of("where "+n+" > 1", "summarize "+n+" = sum("+n+")", "summarize "+n+" = count()", "top 1 by "+n, "extend "+n+" = "+n+" * 2") + ")"
		}
	case 13:
		k := w.key()
		if c := w.column(schema.DateTime); c != "" && k.Name != "" && c != k.Name {
			w.columns = []schema.Column{{Name: k.Name, Type: k.Type}, {Name: "c", Type: schema.Dynamic}}
			return "make-series c = count() default = 0 on " + c + " from ago(2d) to now() step 6h by " + k.Name + "\n| project " + k.Name + ", c"
		}
	}
	return "where " + w.value(schema.Bool)
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
