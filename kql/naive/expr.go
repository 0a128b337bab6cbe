package naive

import (
	"math"
	"sync"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/schema"
)

// at is where an expression is evaluated: a row, and its place among others.
type at struct {
	row   row
	rows  []row
	place int
}

// expr gives an expression's value for a row.
func (e *evaluator) expr(x plan.Expr, a at) any {
	switch x := x.(type) {
	case *plan.ColumnRef:
		if v, ok := a.row[x.ID]; ok {
			return v
		}
		if v, ok := e.outer[x.ID]; ok {
			return v
		}
		unknown("a column from outside of its table")
	case *plan.Const:
		if x.Value == nil {
			return empty(x.Typ)
		}
		if x.Typ == schema.Dynamic {
			return readJSON(x.Value.(string))
		}
		return x.Value
	case *plan.Call:
		return e.call(x, a)
	case *plan.Window:
		return e.window(x, a)
	case *plan.Scalar:
		return e.scalar(x)
	case *plan.InTable:
		return e.inTable(x, a)
	}
	unknown("this expression")
	return nil
}

// scalar gives a table's first value, or all of them.
func (e *evaluator) scalar(x *plan.Scalar) any {
	v, ok := e.scalars[x]
	if ok {
		return v
	}
	rows := e.node(x.Node)
	id := x.Node.Columns()[0].ID
	switch {
	case x.List:
		list := []any{}
		for _, r := range rows {
			list = append(list, r[id])
		}
		v = list
	case len(rows) > 0:
		v = rows[0][id]
	default:
		v = empty(x.Typ)
	}
	e.scalars[x] = v
	return v
}

func (e *evaluator) inTable(x *plan.InTable, a at) any {
	set, ok := e.members[x]
	if !ok {
		set = map[string]bool{}
		id := x.Node.Columns()[0].ID
		for _, r := range e.node(x.Node) {
			set[folded(r[id], x.Fold)] = true
		}
		e.members[x] = set
	}
	v := e.expr(x.X, a)
	if x.X.Type() == schema.Bool && x.Node.Columns()[0].Type != schema.Bool {
		v = asNumber(v)
	}
	return v != nil && set[folded(v, x.Fold)]
}

func folded(v any, fold bool) string {
	if fold {
		return identity(lower(text(v)))
	}
	return identity(v)
}

// call evaluates a function. Conditions and choices see values one by one;
// all others get their arguments, and null where one is null if they are strict.
func (e *evaluator) call(c *plan.Call, a at) any {
	switch c.Func {
	case "and", "or": // true, false or unknown
		stop := c.Func == "or"
		var result any = !stop
		for _, x := range c.Args {
			switch e.expr(x, a) {
			case stop:
				return stop
			case nil:
				result = nil
			}
		}
		return result
	case "iff", "case":
		n := len(c.Args)
		for i := 0; i+1 < n; i += 2 {
			if e.expr(c.Args[i], a) == true {
				return e.expr(c.Args[i+1], a)
			}
		}
		return e.expr(c.Args[n-1], a)
	}
	args := make([]any, len(c.Args))
	null := false
	for i, x := range c.Args {
		args[i] = e.expr(x, a)
		null = null || args[i] == nil
	}
	if high, is := map[string]int{"lt": 1, "le": 1, "gt": 0, "ge": 0}[c.Func]; is && nan(args[high]) {
		return false // a null is no less than it either
	}
	f, ok := functions()[c.Func]
	if !ok {
		if borrowed()[c.Func] == "" {
			unknown("the function " + c.Func)
		}
		if c.Func == "hash" && c.Args[0].Type() != schema.String {
			unknown("a hash of what is no text")
		}
		return borrow(c, args)
	}
	if f.strict && null {
		return empty(c.Typ)
	}
	v := f.eval(call{c, args})
	if v == nil {
		return empty(c.Typ)
	}
	if t, ok := v.(int64); ok && c.Typ == schema.DateTime && (t < int64(schema.MinTicks) || t > int64(schema.MaxTicks)) {
		unknown("a time outside of the calendar")
	}
	if _, ok := v.(float64); ok && c.Typ != schema.Real && c.Typ != schema.Dynamic {
		unknown("a real as the result of " + c.Func)
	}
	return v
}

// call is a function with its arguments' values.
type call struct {
	*plan.Call
	args []any
}

func (c call) text(i int) string {
	if i >= len(c.args) {
		return ""
	}
	return text(c.args[i])
}

func (c call) long(i int, otherwise int64) int64 {
	if i < len(c.args) {
		switch v := c.args[i].(type) {
		case int64:
			return v
		case float64:
			return int64(v)
		}
	}
	return otherwise
}

func (c call) real(i int) float64 {
	f, _ := asReal(c.args[i]).(float64)
	return f
}

func (c call) kind(i int) schema.Type { return c.Args[i].Type() }

// dynamic gives an argument as a dynamic value.
func (c call) dynamic(i int) any { return convert(c.args[i], c.kind(i), schema.Dynamic) }

// function computes a value; strict ones give null where an argument is null.
type function struct {
	strict bool
	eval   func(call) any
}

var functions = sync.OnceValue(func() map[string]function {
	all := map[string]function{}
	for _, part := range []map[string]func(call) any{logic(), numbers(), textFunctions(), timeFunctions(), addresses()} {
		for name, f := range part {
			all[name] = function{true, f}
		}
	}
	for _, part := range []map[string]func(call) any{tolerant(), dynamics()} {
		for name, f := range part {
			all[name] = function{false, f}
		}
	}
	return all
})

// borrowed are the functions taken from package native, by the name that
// they have there: published algorithms, which a second writing would only copy.
var borrowed = sync.OnceValue(func() map[string]string {
	m := map[string]string{"geo_info_from_ip_address": "geo_info"}
	for _, f := range native.All() {
		for _, part := range []string{"series_", "geo_", "base64_decode", "base64_encode_from", "gzip_", "zlib_", "punycode_", "parse_", "url_", "welch", "beta_", "erf", "convert_", "unicode_", "format_", "ipv6_", "jaccard"} {
			if len(f.Name) >= len(part) && f.Name[:len(part)] == part {
				m[f.Name] = f.Name
			}
		}
	}
	for _, name := range []string{"hash", "tohex", "treepath", "datetime_utc_to_local", "datetime_local_to_utc", "translate", "extractjson", "has_any_index", "has_ipv4", "has_any_ipv4", "has_ipv4_prefix", "has_any_ipv4_prefix",
		"array_iff", "array_sort_asc", "array_sort_desc", "array_split", "array_shift_left", "array_shift_right", "array_rotate_left", "array_rotate_right", "zip", "replace_strings", "make_datetime", "make_timespan", "extract_all", "countof", "indexof_regex", "bag_zip", "bag_set_key", "repeat", "isascii", "isutf8", "ipv4_compare", "ipv4_netmask_suffix", "ipv4_range_to_cidr_list"} {
		m[name] = name
	}
	return m
})

// borrow calls a function of package native.
func borrow(c *plan.Call, args []any) any {
	f, ok := native.Find(borrowed()[c.Func])
	if !ok || f.Volatile {
		unknown("the function " + c.Func)
	}
	in := make([]any, len(args))
	for i, v := range args {
		want := f.Variadic
		if i < len(f.Params) {
			want = f.Params[i]
		}
		in[i] = lent(v, c.Args[i].Type(), want)
	}
	out := f.Call(in)
	if out == nil {
		return empty(c.Typ)
	}
	switch c.Typ {
	case schema.Dynamic:
		if s, ok := out.(string); ok {
			return readJSON(s)
		}
		return out
	case schema.Long, schema.Int:
		if r, ok := out.(float64); ok && !math.IsNaN(r) {
			return int64(r)
		}
	}
	return out
}

// lent makes a value one that package native takes.
func lent(v any, from, want schema.Type) any {
	if v == nil {
		return nil
	}
	if want == schema.Dynamic {
		return jsonText(convert(v, from, schema.Dynamic))
	}
	if from == schema.Dynamic {
		return jsonText(v)
	}
	switch want {
	case schema.Real:
		return asReal(v)
	case schema.Long:
		return asLong(v)
	case schema.String:
		if n, ok := v.(int64); ok {
			return asText(n, schema.Long)
		}
		return asText(v, from)
	}
	return v
}
