package bind

import (
	"encoding/json"
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// cautions are functions whose results a reader must know the limits of.
var cautions = map[string]struct{ code, message string }{
	"geo_info_from_ip_address":   {"KQL905", "there is no database of places for addresses here: 'geo_info_from_ip_address' gives null"},
	"series_decompose":           {"KQL906", "'series_decompose' finds the season by its published description: where none is given it may differ from the service's"},
	"series_decompose_anomalies": {"KQL906", "'series_decompose_anomalies' scores by its published description: scores and, without a given period, seasons may differ from the service's"},
	"series_decompose_forecast":  {"KQL906", "'series_decompose_forecast' finds the season by its published description: where none is given it may differ from the service's"},
	"series_outliers":            {"KQL906", "'series_outliers' scores by its published description: scores may differ from the service's"},
	"series_seasonal":            {"KQL906", "'series_seasonal' finds the season by its published description: where none is given it may differ from the service's"},
	"hash_combine":               {"KQL911", "'hash_combine' gives one number for equal arguments, but another than the service's, which doesn't say how it combines"},
	"hash_many":                  {"KQL911", "'hash_many' gives one number for equal arguments, but another than the service's, which doesn't say how it combines"},
	"series_periods_detect":      {"KQL906", "'series_periods_detect' looks for seasons by its published description: scores may differ from the service's"},
	"series_periods_validate":    {"KQL906", "'series_periods_validate' scores seasons by its published description: scores may differ from the service's"},
	"parse_user_agent":           {"KQL907", "'parse_user_agent' knows the common browsers and systems only: other texts give less than the service does"},
}

// caution warns of such a function, once a place.
func (b *binder) caution(x *syntax.Call, name string) {
	w, ok := cautions[name]
	if !ok || b.env.Places && w.code == "KQL905" {
		return
	}
	e := syntax.Error{Span: x.Func.Span, Code: w.code, Message: w.message, Warning: true}
	key := w.code + name + strconv.Itoa(x.Func.Span.Start)
	if !b.seen[key] {
		b.seen[key] = true
		b.add(e)
	}
}

// sortedArrays binds array_sort_asc and array_sort_desc of several arrays: a
// column for each, in the order of the first; nil for one array.
func (b *binder) sortedArrays(x *syntax.Call, c ctx) []output {
	var arrays []syntax.Expr
	for _, a := range x.Args {
		if v := b.scalar(a, c); v.Type() != schema.Bool {
			arrays = append(arrays, a)
		}
	}
	if len(arrays) == 0 {
		return nil
	}
	all := b.scalar(x, c)
	if len(arrays) == 1 {
		name, _ := b.nameOf(arrays[0], c)
		return []output{{name: name + "_sorted", x: all, single: true}}
	}
	var outs []output
	for i, a := range arrays {
		name, _ := b.nameOf(a, c)
		if name == "" {
			name = "array" + strconv.Itoa(i)
		}
		outs = append(outs, output{name: name + "_sorted", x: call("get", schema.Dynamic, all, &plan.Const{Typ: schema.Long, Value: int64(i)})})
	}
	return outs
}

// columnNamesOf: the names of a table's columns, as an array.
func (b *binder) columnNamesOf(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 1)
	if !b.isTable(x.Args[0], c.scope) {
		b.fail(x.Args[0].At(), "KQL103", "a table is expected here")
	}
	names := []any{}
	for _, col := range b.tabular(x.Args[0], c.scope).Columns() {
		if !hidden(col) {
			names = append(names, col.Name)
		}
	}
	text, err := json.Marshal(names)
	if err != nil {
		return plan.Null(schema.Dynamic)
	}
	return &plan.Const{Typ: schema.Dynamic, Value: string(text)}
}

// projectByNames keeps the columns that texts and arrays of texts name; *
// stands for any letters. A name that there is no column of is left out.
func (b *binder) projectByNames(n plan.Node, op *syntax.ProjectByNames, c ctx) plan.Node {
	p := &plan.Project{Input: n}
	taken := map[plan.ID]bool{}
	take := func(pattern string) {
		for _, col := range n.Columns() {
			if !taken[col.ID] && !hidden(col) && (col.Name == pattern || strings.Contains(pattern, "*") && wild(pattern, col.Name)) {
				taken[col.ID] = true
				p.Items = append(p.Items, keep(col))
			}
		}
	}
	for _, x := range op.Items {
		k, ok := Fold(b.scalar(x, ctx{scope: c.scope}), b.env.Now).(*plan.Const)
		if !ok {
			b.fail(x.At(), "KQL135", "project-by-names wants names that are known before the query runs")
		}
		text, _ := k.Value.(string)
		if k.Typ != schema.Dynamic {
			take(text)
			continue
		}
		for _, name := range textsIn(text) {
			take(name)
		}
	}
	return p
}

// wild matches a name against a pattern with stars.
func wild(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// weighted binds percentilew, percentilesw and the variants that give an array.
func (b *binder) weighted(x *syntax.Call, c ctx) []output {
	fn := strings.TrimSuffix(x.Func.Text, "_array")
	first := 1
	if strings.HasSuffix(fn, "w") {
		first = 2
	}
	if len(x.Args) <= first {
		b.fail(x.At(), "KQL132", "the function '%s' wants a value and percentiles", x.Func.Text)
	}
	name, _ := b.nameOf(x.Args[0], c)
	var v, weight plan.Expr
	c.aggs.within(func() {
		if v = b.scalar(x.Args[0], c); first == 2 {
			weight = b.convert(b.scalar(x.Args[1], c), schema.Long)
		}
	})
	switch v.Type() {
	case schema.Dynamic:
		v = b.convert(v, schema.Real)
	case schema.Int:
		v = b.convert(v, schema.Long)
	}
	var points []float64
	for _, a := range x.Args[first:] {
		k, ok := b.constantOf(a, c).(*plan.Const)
		if !ok || k.Value == nil {
			b.fail(a.At(), "KQL136", "a percentile must be a constant")
		}
		switch p := k.Value.(type) {
		case int64:
			points = append(points, float64(p))
		case float64:
			points = append(points, p)
		case string:
			if f, err := strconv.ParseFloat(p, 64); err == nil {
				points = append(points, f)
			} else {
				points = append(points, numbersIn(p)...)
			}
		}
	}
	if len(points) == 0 {
		b.fail(x.At(), "KQL136", "a percentile must be a number")
	}
	var outs []output
	var list []plan.Expr
	for _, p := range points {
		agg := plan.Agg{Func: "percentile", Args: []plan.Expr{v, &plan.Const{Typ: schema.Real, Value: p}}}
		if weight != nil {
			agg = plan.Agg{Func: "percentilew", Args: []plan.Expr{v, weight, &plan.Const{Typ: schema.Real, Value: p}}}
		}
		ref := c.aggs.add(b, agg, v.Type())
		label := strings.ReplaceAll(strconv.FormatFloat(p, 'f', -1, 64), ".", "_")
		outs = append(outs, output{name: "percentile_" + name + "_" + label, x: ref})
		list = append(list, b.convert(ref, schema.Dynamic))
	}
	if strings.HasSuffix(x.Func.Text, "_array") {
		return []output{{name: "percentiles_" + name, x: call("pack_array", schema.Dynamic, list...)}}
	}
	return outs
}

// ingestionTime: when a row was taken in, which a stored row says in a hidden
// column; null for rows that were computed.
func (b *binder) ingestionTime(_ *syntax.Call, c ctx) plan.Expr {
	if c.row != nil {
		for _, col := range c.row.columns {
			if col.Name == open+b.env.Received && b.env.Received != "" {
				return col.Ref()
			}
		}
		for _, n := range []string{"TimeGenerated", "Timestamp"} {
			if col, ok := c.row.find(n); ok && col.Type == schema.DateTime {
				return col.Ref()
			}
		}
	}
	return plan.Null(schema.DateTime)
}

// textsIn and numbersIn read an array of texts or numbers.
func textsIn(text string) (out []string) {
	var list []any
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func numbersIn(text string) (out []float64) {
	if json.Unmarshal([]byte(text), &out) != nil {
		return nil
	}
	return out
}

// binAuto rounds by the size, from the point, that set statements give.
func (b *binder) binAuto(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 1)
	size, ok := c.scope.find("\x00query_bin_auto_size")
	if !ok {
		b.fail(x.At(), "KQL167", "bin_auto wants the size of a bin: put 'set query_bin_auto_size = 1h;' before the query")
	}
	v := b.scalar(x.Args[0], c)
	unit := v.Type()
	var at plan.Expr = &plan.Const{Typ: unit, Value: int64(0)}
	switch unit {
	case schema.DateTime:
		unit = schema.TimeSpan
	case schema.Real:
		at = &plan.Const{Typ: unit, Value: 0.0}
	case schema.Int, schema.Long, schema.TimeSpan:
	default:
		b.fail(x.At(), "KQL133", "the function 'bin_auto' can't round a %s value", unit)
	}
	if p, ok := c.scope.find("\x00query_bin_auto_at"); ok {
		at = b.convert(p.scalar, v.Type())
	}
	return call("bin_at", v.Type(), v, b.convert(size.scalar, unit), at)
}
