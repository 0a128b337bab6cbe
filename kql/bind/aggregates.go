package bind

import (
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// aggregates collects the aggregates of a summarize.
type aggregates struct {
	list   []plan.Agg
	inside bool // binding an aggregate's arguments: none may stand in there
	by     map[plan.ID]bool
	made   map[plan.ID]bool // the columns of list
}

func newAggregates() *aggregates {
	return &aggregates{by: map[plan.ID]bool{}, made: map[plan.ID]bool{}}
}

// output is a column that an item of an operator gives.
type output struct {
	name     string
	declared bool // the name was written, or is a column's own
	single   bool // the only output of an expression without a name
	source   plan.ID
	x        plan.Expr
}

// outputs binds one item of extend, project, summarize…: one column, or several for tuples.
func (b *binder) outputs(x syntax.Expr, c ctx) []output {
	if n, ok := x.(*syntax.Named); ok {
		for _, name := range n.Names {
			b.checkName(name)
		}
		outs := b.multiple(n.X, c)
		if _, tuple := tuples[calleeOf(n.X)]; tuple && len(n.Names) == 1 && len(outs) > 0 {
			outs = outs[:1] // one name takes the first value alone, as the engine answers
		}
		if outs == nil {
			v := b.scalar(n.X, c)
			if len(n.Names) == 1 {
				return []output{{name: n.Names[0].Text, declared: true, x: v}}
			}
			for i, name := range n.Names { // (a, b) = array
				outs = append(outs, output{name: name.Text, declared: true, x: b.get(n.At(), v, &plan.Const{Typ: schema.Long, Value: int64(i)})})
			}
			return outs
		}
		for i, name := range n.Names {
			if i < len(outs) {
				outs[i].name, outs[i].declared = name.Text, true
			}
		}
		return outs
	}
	if outs := b.multiple(x, c); outs != nil {
		return outs
	}
	v := b.scalar(x, c)
	name, _ := b.nameOf(x, c)
	o := output{name: name, x: v, single: true}
	if ref, ok := v.(*plan.ColumnRef); ok {
		o.source = ref.ID
	}
	if _, ok := unparen(x).(*syntax.Ident); ok {
		o.declared = true
	}
	return []output{o}
}

// severalAggregates give several columns: a name given to the first may be one that is there.
var severalAggregates = map[string]bool{"arg_max": true, "arg_min": true, "argmax": true, "argmin": true, "take_any": true, "any": true,
	"percentile": true, "percentiles": true, "percentilew": true, "percentilesw": true, "percentiles_array": true, "percentilesw_array": true}

// multiple binds a call that gives several columns; nil for any other expression.
func (b *binder) multiple(x syntax.Expr, c ctx) []output {
	call, ok := unparen(x).(*syntax.Call)
	if !ok {
		return nil
	}
	if c.aggs != nil && !c.aggs.inside {
		switch call.Func.Text {
		case "arg_max", "arg_min", "argmax", "argmin":
			return b.argExtreme(call, c)
		case "take_any", "any":
			if len(call.Args) > 1 || len(call.Args) == 1 && isStar(call.Args[0]) || call.Func.Text == "take_any" {
				return b.takeAny(call, c)
			}
		case "percentiles", "percentile":
			return b.percentiles(call, c)
		case "percentilew", "percentilesw", "percentiles_array", "percentilesw_array":
			return b.weighted(call, c)
		}
		return nil
	}
	if strings.HasPrefix(call.Func.Text, "array_sort_") {
		return b.sortedArrays(call, c)
	}
	if fields, ok := tuples[call.Func.Text]; ok && len(call.Args) > 0 {
		return b.tuple(call, fields, c)
	}
	return nil
}

func isStar(x syntax.Expr) bool {
	w, ok := x.(*syntax.Wildcard)
	return ok && w.Pattern == "*"
}

// tuples are the functions that give several columns: name and type of each.
// Source: the reference pages of the series functions.
var tuples = map[string][]schema.Column{
	"series_fit_line": {{Name: "rsquare", Type: schema.Real}, {Name: "slope", Type: schema.Real}, {Name: "variance", Type: schema.Real}, {Name: "rvariance", Type: schema.Real}, {Name: "interception", Type: schema.Real}, {Name: "line_fit", Type: schema.Dynamic}},
	"series_fit_2lines": {{Name: "rsquare", Type: schema.Real}, {Name: "split_idx", Type: schema.Long}, {Name: "variance", Type: schema.Real}, {Name: "rvariance", Type: schema.Real}, {Name: "line_fit", Type: schema.Dynamic},
		{Name: "right_rsquare", Type: schema.Real}, {Name: "right_slope", Type: schema.Real}, {Name: "right_interception", Type: schema.Real}, {Name: "right_variance", Type: schema.Real}, {Name: "right_rvariance", Type: schema.Real},
		{Name: "left_rsquare", Type: schema.Real}, {Name: "left_slope", Type: schema.Real}, {Name: "left_interception", Type: schema.Real}, {Name: "left_variance", Type: schema.Real}, {Name: "left_rvariance", Type: schema.Real}},
	"series_stats":               {{Name: "min", Type: schema.Real}, {Name: "min_idx", Type: schema.Long}, {Name: "max", Type: schema.Real}, {Name: "max_idx", Type: schema.Long}, {Name: "avg", Type: schema.Real}, {Name: "stdev", Type: schema.Real}, {Name: "variance", Type: schema.Real}},
	"series_decompose":           {{Name: "baseline", Type: schema.Dynamic}, {Name: "seasonal", Type: schema.Dynamic}, {Name: "trend", Type: schema.Dynamic}, {Name: "residual", Type: schema.Dynamic}},
	"series_decompose_anomalies": {{Name: "ad_flag", Type: schema.Dynamic}, {Name: "ad_score", Type: schema.Dynamic}, {Name: "baseline", Type: schema.Dynamic}},
	"series_fit_poly":            {{Name: "rsquare", Type: schema.Real}, {Name: "coefficients", Type: schema.Dynamic}, {Name: "variance", Type: schema.Real}, {Name: "rvariance", Type: schema.Real}, {Name: "poly_fit", Type: schema.Dynamic}},
	"series_decompose_forecast":  {{Name: "baseline", Type: schema.Dynamic}, {Name: "seasonal", Type: schema.Dynamic}, {Name: "trend", Type: schema.Dynamic}, {Name: "residual", Type: schema.Dynamic}},
	"series_periods_detect":      {{Name: "periods", Type: schema.Dynamic}, {Name: "scores", Type: schema.Dynamic}},
	"series_periods_validate":    {{Name: "periods", Type: schema.Dynamic}, {Name: "scores", Type: schema.Dynamic}},
	"series_fft":                 {{Name: "real", Type: schema.Dynamic}, {Name: "imag", Type: schema.Dynamic}},
	"series_ifft":                {{Name: "real", Type: schema.Dynamic}, {Name: "imag", Type: schema.Dynamic}},
}

// tuple reads each field from the bag that the function gives.
func (b *binder) tuple(x *syntax.Call, fields []schema.Column, c ctx) []output {
	f, _ := b.catalog.Function(x.Func.Text)
	args := make([]plan.Expr, len(x.Args))
	for i, a := range x.Args {
		args[i] = b.scalar(a, c)
	}
	bag := b.builtin(x, f, x.Func.Text, args)
	name, _ := b.nameOf(x.Args[0], c)
	var outs []output
	for _, field := range fields {
		v := b.convert(call("get", schema.Dynamic, bag, &plan.Const{Typ: schema.String, Value: field.Name}), field.Type)
		outs = append(outs, output{name: x.Func.Text + "_" + name + "_" + field.Name, x: v})
	}
	return outs
}

// add puts an aggregate into the collection and gives a reference to it.
func (a *aggregates) add(b *binder, agg plan.Agg, t schema.Type) plan.Expr {
	agg.Column = b.column("", t)
	a.list = append(a.list, agg)
	if a.made == nil {
		a.made = map[plan.ID]bool{}
	}
	a.made[agg.ID] = true
	return agg.Ref()
}

func (a *aggregates) within(f func()) {
	was := a.inside
	a.inside = true
	f()
	a.inside = was
}

// alias gives aggregates their one name; suffix if means a condition as last argument.
var aggregateNames = map[string]string{
	"makeset": "make_set", "makelist": "make_list", "make_dictionary": "make_bag", "anyif": "take_any", "take_anyif": "take_any", "any": "take_any",
	"countif": "count", "sumif": "sum", "avgif": "avg", "minif": "min", "maxif": "max", "dcountif": "dcount", "make_set_if": "make_set", "make_list_if": "make_list",
	"make_bag_if": "make_bag", "stdevif": "stdev", "varianceif": "variance", "variancepif": "variancep", "hll_if": "hll", "count_distinctif": "count_distinct",
	"merge_tdigest": "tdigest_merge", "covarianceif": "covariance", "covariancepif": "covariancep",
}

// conditional tells which argument is the condition of an …if aggregate; -1 for none.
func conditional(name string) int {
	switch name {
	case "countif":
		return 0
	case "covarianceif", "covariancepif":
		return 2
	case "sumif", "avgif", "minif", "maxif", "dcountif", "make_set_if", "make_list_if", "make_bag_if", "stdevif", "varianceif", "variancepif", "hll_if", "count_distinctif", "take_anyif", "anyif":
		return 1
	}
	return -1
}

func (b *binder) aggregateCall(x *syntax.Call, c ctx) plan.Expr {
	name := x.Func.Text
	f, _ := b.catalog.Aggregate(name)
	switch name {
	case "arg_max", "arg_min", "argmax", "argmin":
		return b.argExtreme(x, c)[0].x
	case "take_any":
		return b.takeAny(x, c)[0].x
	case "percentile", "percentiles":
		return b.percentiles(x, c)[0].x
	case "percentilew", "percentilesw", "percentiles_array", "percentilesw_array":
		return b.weighted(x, c)[0].x
	}
	var args []plan.Expr
	var where plan.Expr
	at := conditional(name)
	if name == "count" && len(x.Args) == 1 { // an old form of countif; any other argument counts for nothing
		if isStar(x.Args[0]) || !b.isCondition(x.Args[0], c) {
			x = &syntax.Call{Span: x.Span, Func: x.Func}
		} else {
			at = 0
		}
	}
	c.aggs.within(func() {
		for i, a := range x.Args {
			if i == at {
				where = b.condition(a, c)
				continue
			}
			args = append(args, b.scalar(a, c))
		}
	})
	all := args
	if where != nil {
		all = append(append(append([]plan.Expr{}, args[:min(at, len(args))]...), where), args[min(at, len(args)):]...)
	}
	sig := b.signature(x, f, name, all)
	t := b.resultType(sig, name, all)
	for i := range args {
		k := i
		if where != nil && i >= at {
			k++
		}
		args[i] = b.argument(args[i], sig.Param(k, len(all)))
	}
	if to := aggregateNames[name]; to != "" {
		name = to
	}
	switch name {
	case "sum":
		if t == schema.Dynamic {
			t = schema.Real
		}
		args[0] = b.convert(args[0], t)
	case "avg", "stdev", "stdevp", "variance", "variancep", "covariance", "covariancep":
		whole := args[0].Type() == schema.Long || args[0].Type() == schema.Int
		if (t == schema.Real || args[0].Type() == schema.Dynamic) && !(name == "avg" && whole) {
			for i := range args {
				args[i] = b.convert(args[i], schema.Real)
			}
		}
	case "binary_all_and", "binary_all_or", "binary_all_xor":
		if t == schema.Real || t == schema.Decimal || t == schema.Dynamic {
			args[0] = b.convert(args[0], schema.Long)
			return b.convert(c.aggs.add(b, plan.Agg{Func: name, Args: args, Where: where}, schema.Long), t)
		}
	case "tdigest", "merge_tdigest", "tdigest_merge", "hll", "hll_merge", "buildschema":
		t = schema.Dynamic
	}
	return c.aggs.add(b, plan.Agg{Func: name, Args: args, Where: where}, t)
}

// expanded gives the arguments with * replaced by the row's columns that are not used yet.
func (b *binder) expanded(args []syntax.Expr, c ctx, used map[plan.ID]bool) (outs []output) {
	star := false
	for _, a := range args {
		star = star || isStar(a)
	}
	for _, a := range args {
		if isStar(a) {
			b.reveal(c.row.columns)
			for _, col := range c.row.columns {
				if !used[col.ID] && !c.aggs.by[col.ID] {
					used[col.ID] = true
					outs = append(outs, output{name: col.Name, source: col.ID, x: col.Ref()})
				}
			}
			continue
		}
		name, ok := b.nameOf(a, c)
		if n, is := a.(*syntax.Named); is {
			name, ok, a = n.Names[0].Text, true, n.X
		}
		var v plan.Expr
		c.aggs.within(func() { v = b.scalar(a, c) })
		o := output{name: name, x: v, declared: ok}
		if ref, is := v.(*plan.ColumnRef); is {
			if star && (used[ref.ID] || c.aggs.by[ref.ID]) {
				continue
			}
			used[ref.ID] = true
			o.source = ref.ID
		}
		outs = append(outs, o)
	}
	return outs
}

// argExtreme binds arg_max and arg_min: the row with the largest or smallest first argument.
func (b *binder) argExtreme(x *syntax.Call, c ctx) []output {
	if len(x.Args) == 0 {
		b.fail(x.At(), "KQL132", "the function '%s' wants the value to order by, and what to return", x.Func.Text)
	}
	kind := "arg_max"
	prefix := "max"
	if x.Func.Text == "arg_min" || x.Func.Text == "argmin" {
		kind, prefix = "arg_min", "min"
	}
	var key plan.Expr
	c.aggs.within(func() { key = b.scalar(x.Args[0], c) })
	primary, named := b.nameOf(x.Args[0], c)
	used := map[plan.ID]bool{}
	first := output{name: primary, x: key}
	if !named {
		first.name = prefix + "_"
	}
	if ref, ok := key.(*plan.ColumnRef); ok {
		used[ref.ID] = true
	}
	b.group++
	outs := []output{first}
	rest := b.expanded(x.Args[1:], c, used)
	for i := range rest {
		unnamed := rest[i].name == ""
		if unnamed {
			rest[i].name = prefix + "_" + primary + "_arg" + itoa(i+1)
		}
		if old := x.Func.Text == "argmax" || x.Func.Text == "argmin"; old && !unnamed {
			rest[i].name = prefix + "_" + primary + "_" + rest[i].name
		}
	}
	if x.Func.Text == "argmax" || x.Func.Text == "argmin" {
		outs[0].name = prefix + "_" + primary
	}
	outs = append(outs, rest...)
	for i := range outs {
		outs[i].x = c.aggs.add(b, plan.Agg{Func: kind, Args: []plan.Expr{key, outs[i].x}, Group: b.group}, outs[i].x.Type())
	}
	return outs
}

func (b *binder) takeAny(x *syntax.Call, c ctx) []output {
	prefix := ""
	if x.Func.Text == "any" {
		prefix = "any_"
	}
	outs := b.expanded(x.Args, c, map[plan.ID]bool{})
	b.group++
	for i := range outs {
		if outs[i].name == "" {
			outs[i].name = "any_arg" + itoa(i)
		} else {
			outs[i].name = prefix + outs[i].name
		}
		outs[i].x = c.aggs.add(b, plan.Agg{Func: "take_any", Args: []plan.Expr{outs[i].x}, Group: b.group}, outs[i].x.Type())
	}
	if len(outs) == 0 {
		b.fail(x.At(), "KQL132", "the function '%s' wants what to take", x.Func.Text)
	}
	return outs
}

func (b *binder) percentiles(x *syntax.Call, c ctx) []output {
	if len(x.Args) < 2 {
		b.fail(x.At(), "KQL132", "the function '%s' wants a value and percentiles", x.Func.Text)
	}
	name, _ := b.nameOf(x.Args[0], c)
	var v plan.Expr
	c.aggs.within(func() { v = b.scalar(x.Args[0], c) })
	if v.Type() == schema.Dynamic {
		v = b.convert(v, schema.Real)
	}
	if v.Type() == schema.Int {
		v = b.convert(v, schema.Long)
	}
	t := v.Type()
	var outs []output
	for i := range x.Args[1:] {
		p := b.scalar(x.Args[i+1], ctx{scope: c.scope})
		k, ok := Fold(p, b.env.Now).(*plan.Const)
		if !ok {
			b.fail(x.Args[i+1].At(), "KQL136", "a percentile must be a constant")
		}
		if !numeric(k.Typ) {
			b.fail(x.Args[i+1].At(), "KQL136", "a percentile is a number, not a %s", k.Typ)
		}
		if text, ok := k.Value.(string); ok { // a decimal
			f, _ := strconv.ParseFloat(text, 64)
			k = &plan.Const{Typ: schema.Real, Value: f}
		}
		label := ""
		var at float64
		switch n := k.Value.(type) {
		case int64:
			label, at = strconv.FormatInt(n, 10), float64(n)
		case float64:
			label, at = strconv.FormatFloat(n, 'f', -1, 64), n
		}
		for j := range label {
			if label[j] == '.' {
				label = label[:j] + "_" + label[j+1:]
			}
		}
		ref := c.aggs.add(b, plan.Agg{Func: "percentile", Args: []plan.Expr{v, &plan.Const{Typ: schema.Real, Value: at}}}, t)
		outs = append(outs, output{name: "percentile_" + name + "_" + label, x: ref})
	}
	return outs
}

// isCondition tells whether an aggregate's argument is true or false.
func (b *binder) isCondition(x syntax.Expr, c ctx) (yes bool) {
	c.aggs.within(func() { yes = b.scalar(x, c).Type() == schema.Bool })
	return yes
}
