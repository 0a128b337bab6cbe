package bind

import (
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// write binds a text of this package over the rows and values that its names
// stand for: operators that are others in short are said in KQL itself.
func (b *binder) write(at syntax.Span, text string, rows plan.Node, values map[string]plan.Expr) plan.Node {
	return b.writeWith(at, text, map[string]plan.Node{"rows": rows}, values)
}

// writeWith is write over several tables.
func (b *binder) writeWith(at syntax.Span, text string, tables map[string]plan.Node, values map[string]plan.Expr) plan.Node {
	q, errors := syntax.ParseQuery(text)
	if len(errors) > 0 {
		b.fail(at, "KQL199", "the query could not be understood: %s", errors[0].Message)
	}
	s := &scope{names: map[string]*entity{}}
	for name, rows := range tables {
		b.shared++
		shared := &plan.Shared{Number: b.shared, Input: rows}
		s.names[name] = &entity{used: true, table: func() plan.Node { return b.ref(shared) }}
	}
	for name, v := range values {
		s.names[name] = &entity{scalar: v}
	}
	return b.query(q, s)
}

// windowed are the plugins over an id, a time line and a window, as KQL over
// rows of columns id, t and the dimensions. {d} stands for ", " and the dimensions'
// names, {by} for the same without the comma. Parameters are the constants in order.
// Source: the reference pages of the plugins.
var windowed = map[string]struct {
	columns    []string
	parameters []string
	text       string
}{
	"activity_counts_metrics": {[]string{"id", "t"}, []string{"from", "upto", "step"}, `
let binned = rows | where t between (from .. upto) | extend Timestamp = bin_at(t, step, from);
let fresh = binned | summarize Timestamp = min(Timestamp) by id{d} | summarize new_dcount = count() by Timestamp{d};
binned | summarize ['count'] = count(), ['dcount'] = count_distinct(id) by Timestamp{d}
| join kind=leftouter fresh on Timestamp{d}
| extend new_dcount = coalesce(new_dcount, 0)
| sort by {by}Timestamp asc
| extend aggregated_dcount = row_cumsum(new_dcount, {changed})
| project Timestamp{d}, ['count'], ['dcount'], new_dcount, aggregated_dcount`},
	"sliding_window_counts": {[]string{"id", "t"}, []string{"from", "upto", "lookback", "step"}, `
rows | where t between ((from - lookback) .. upto)
| extend begins = bin_at(t, step, from)
| extend Timestamp = range(begins, begins + lookback - 1tick, step)
| mv-expand Timestamp to typeof(datetime)
| where Timestamp between (from .. upto)
| summarize Count = count(), Dcount = count_distinct(id) by Timestamp{d}
| project Timestamp{d}, Count, Dcount`},
	"activity_metrics": {[]string{"id", "t"}, []string{"from", "upto", "step"}, activityMetrics},
	"activity_engagement": {[]string{"id", "t"}, []string{"from", "upto", "inner", "outer"}, `
let near = rows | where t between ((from - outer) .. upto) | extend part = bin_at(t, inner, from);
let narrow = near | where t >= from | summarize dcount_activities_inner = count_distinct(id) by Timestamp = part{d};
let wide = near | extend Timestamp = range(part, part + outer - inner, inner) | mv-expand Timestamp to typeof(datetime) | where Timestamp between (from .. upto)
| summarize dcount_activities_outer = count_distinct(id) by Timestamp{d};
narrow | join kind=inner wide on Timestamp{d}
| project Timestamp, dcount_activities_inner, dcount_activities_outer, activity_ratio = todouble(dcount_activities_inner) / dcount_activities_outer{d}
| sort by {by}Timestamp asc`},
	"session_count": {[]string{"id", "t"}, []string{"from", "upto", "step", "lookback"}, `
rows | where t between ((from - lookback) .. upto) | sort by id asc, {by}t asc
| extend fresh = not(id == prev(id) and t - prev(t) <= lookback and not({changed}))
| where t >= from
| summarize count_sessions = countif(fresh) by Timestamp = bin_at(t, step, from){d}
| project Timestamp{d}, count_sessions
| sort by {by}Timestamp asc`},
	"active_users_count": {[]string{"id", "t"}, []string{"from", "upto", "lookback", "period", "least", "step"}, `
let active = rows | where t between ((from - lookback) .. upto) | extend part = bin_at(t, period, from);
active | where t between (from .. upto) | distinct id, t{d}
| join kind=inner (active | project id, part, seen = t{d}) on id{d}
| where seen <= t and seen > t - lookback
| summarize parts = count_distinct(part) by id, t{d}
| where parts >= least
| summarize ['dcount'] = count_distinct(id) by Timestamp = bin_at(t, step, from){d}
| project Timestamp{d}, ['dcount']`},
}

// activityMetrics: each window of time beside the one before it.
const activityMetrics = `
let binned = rows | where t between (from .. upto) | extend Timestamp = bin_at(t, step, from) | distinct id, Timestamp{d};
let earlier = binned | project id, Timestamp = Timestamp + step{d}, again = true;
let before = binned | summarize before = count() by Timestamp = Timestamp + step{d};
binned | join kind=leftouter earlier on id, Timestamp{d}
| summarize dcount_values = count(), back = countif(again) by Timestamp{d}
| join kind=leftouter before on Timestamp{d}
| extend rate = iff(isnull(before), real(nan), todouble(back) / before)
| project Timestamp, dcount_values, dcount_newvalues = dcount_values - back, retention_rate = rate, churn_rate = 1.0 - rate{d}
| sort by {by}Timestamp asc`

// newActivityMetrics: those first seen in one window, in each later one.
const newActivityMetrics = `
let binned = rows | where t between (from .. upto) | extend Timestamp = bin_at(t, step, from) | distinct id, Timestamp{d};
let begun = binned | join kind=leftanti known on id | summarize begun = min(Timestamp) by id{d};
let cohorts = begun | summarize size = count() by begun{d} | where isnull(only) or begun == only;
let seen = binned | join kind=inner begun on id{d} | project id, until = Timestamp, begun{d}, k = 1;
let retained = seen | summarize retained = count() by begun, until{d};
let grid = cohorts | extend until = range(from, upto, step) | mv-expand until to typeof(datetime) | where until >= begun | extend k = 1;
let fresh = grid | join kind=inner (seen | project who = begun, until{d}, k) on k, until{d}
| where who > begun or (until == begun and who == begun) | summarize fresh = count() by begun, until{d};
grid | join kind=leftouter fresh on begun, until{d} | join kind=leftouter retained on begun, until{d}
| extend fresh = coalesce(fresh, 0), retained = coalesce(retained, 0)
| project from_Timestamp = begun, to_Timestamp = until, dcount_new_values = fresh, dcount_retained_values = retained, dcount_churn_values = size - retained,
  retention_rate = todouble(retained) / size, churn_rate = todouble(size - retained) / size{d}
| sort by {by}from_Timestamp asc, to_Timestamp asc`

// evaluateWindowed binds one of them; nil for any other plugin.
func (b *binder) evaluateWindowed(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	w, ok := windowed[op.Call.Func.Text]
	if !ok {
		return nil
	}
	b.want(op.Call, len(w.columns)+len(w.parameters), 32)
	p := &plan.Project{Input: n}
	for i, name := range w.columns {
		p.Items = append(p.Items, b.item(name, b.scalar(op.Call.Args[i], c)))
	}
	dims := b.dimensions(p, op.Call.Args[len(w.columns)+len(w.parameters):], c)
	if t := p.Items[1].Type; t != schema.DateTime && !(t == schema.Long && op.Call.Func.Text == "session_count") {
		b.unsupported(op.At(), "the plugin "+op.Call.Func.Text+" over anything but a datetime")
	}
	values := map[string]plan.Expr{}
	for i, name := range w.parameters {
		values[name] = b.constantOf(op.Call.Args[len(w.columns)+i], c)
	}
	result := b.write(op.At(), withDimensions(w.text, dims), p, values)
	return b.rename(result, map[string]string{"Timestamp": b.columnName(op.Call.Args[1], c, "Timestamp")}, dims)
}

// dimensions adds a plugin's last columns to the rows, under names of their own.
func (b *binder) dimensions(p *plan.Project, args []syntax.Expr, c ctx) (names []string) {
	for _, a := range args {
		name, _ := b.nameOf(a, c)
		p.Items = append(p.Items, b.item("dim"+strconv.Itoa(len(names)), b.scalar(a, c)))
		names = append(names, name)
	}
	return names
}

func withDimensions(text string, dims []string) string {
	list, by, changed := "", "", ""
	for i := range dims {
		d := "dim" + strconv.Itoa(i)
		list += ", " + d
		by += d + " asc, "
		if i > 0 {
			changed += " or "
		}
		changed += d + " != prev(" + d + ")"
	}
	if changed == "" {
		changed = "false"
	}
	return strings.NewReplacer("{d}", list, "{by}", by, "{changed}", changed).Replace(text)
}

// rename gives columns and dimensions the names that the caller knows them by.
func (b *binder) rename(n plan.Node, names map[string]string, dims []string) plan.Node {
	p := &plan.Project{Input: n}
	for _, col := range n.Columns() {
		to := col.Name
		if name, ok := names[to]; ok {
			to = name
		}
		if i, err := strconv.Atoi(strings.TrimPrefix(to, "dim")); err == nil && strings.HasPrefix(to, "dim") && i < len(dims) {
			to = dims[i]
		}
		p.Items = append(p.Items, b.item(to, col.Ref()))
	}
	return p
}

func (b *binder) columnName(x syntax.Expr, c ctx, otherwise string) string {
	if name, ok := b.nameOf(x, c); ok && name != "" {
		return name
	}
	return otherwise
}

// constantOf binds a value that doesn't depend on rows.
func (b *binder) constantOf(x syntax.Expr, c ctx) plan.Expr {
	if n, ok := x.(*syntax.Named); ok {
		x = n.X
	}
	return Fold(b.scalar(x, ctx{scope: c.scope}), b.env.Now)
}

// rollingPercentile: evaluate rolling_percentile(value, percentile, index, bin, bins a window, dimensions…).
func (b *binder) rollingPercentile(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	args := op.Call.Args
	b.want(op.Call, 5, 32)
	p := &plan.Project{Input: n, Items: []plan.Item{b.item("value", b.scalar(args[0], c)), b.item("at", b.scalar(args[2], c))}}
	dims := b.dimensions(p, args[5:], c)
	percent, ok1 := b.constantOf(args[1], c).(*plan.Const)
	bins, ok2 := b.constantOf(args[4], c).(*plan.Const)
	size := b.constantOf(args[3], c)
	if !ok1 || !ok2 || percent.Value == nil || bins.Value == nil {
		b.fail(op.At(), "KQL136", "a percentile must be a constant")
	}
	text := `
let binned = rows | extend begins = bin(at, size);
let final = toscalar(binned | summarize max(begins));
binned | extend part = range(0, bins - 1, 1) | mv-expand part to typeof(long)
| extend stamp = begins + part * size | where stamp <= final
| summarize result = percentile(value, ` + constantText(percent) + `) by stamp{d}
| project stamp{d}, result`
	result := b.write(op.At(), withDimensions(text, dims), p, map[string]plan.Expr{"size": size, "bins": bins})
	name := "rolling_" + constantText(bins) + "_percentile_" + b.columnName(args[0], c, "value") + "_" + strings.ReplaceAll(constantText(percent), ".", "_")
	return b.rename(result, map[string]string{"stamp": b.columnName(args[2], c, "Index"), "result": name}, dims)
}

func constantText(k *plan.Const) string {
	switch v := k.Value.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return "0"
}

// rowsNear: evaluate rows_near(condition, rows before, rows after).
func (b *binder) rowsNear(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	b.want(op.Call, 2, 3)
	hit := b.item("\x01hit", b.condition(op.Call.Args[0], c))
	before := b.constantOf(op.Call.Args[1], c)
	after := before
	if len(op.Call.Args) > 2 {
		after = b.constantOf(op.Call.Args[2], c)
	}
	place := b.item("\x01place", &plan.Window{Func: "row_number", Typ: schema.Long})
	p := &plan.Project{Input: n, Items: append(keepAll(n.Columns()), hit, place)}
	b.serialized[p] = true
	b.shared++
	shared := &plan.Shared{Number: b.shared, Input: p}
	hits := b.ref(shared)
	near := &plan.Project{Input: &plan.Filter{Input: hits, Predicate: hits.Columns()[len(n.Columns())].Ref()}}
	at := hits.Columns()[len(n.Columns())+1].Ref()
	one := &plan.Const{Typ: schema.Long, Value: int64(1)}
	window := call("range", schema.Dynamic, call("sub", schema.Long, at, b.convert(before, schema.Long)), call("add", schema.Long, at, b.convert(after, schema.Long)), one)
	list := b.item("", window)
	near.Items = []plan.Item{list}
	opened := plan.Expanded{Column: b.column("", schema.Long), X: list.Ref()}
	places := &plan.Expand{Input: near, Items: []plan.Expanded{opened}, Cols: []plan.Column{list.Column, opened.Column}}
	only := &plan.Project{Input: places, Items: []plan.Item{keep(opened.Column)}}
	all := b.ref(shared)
	cols := all.Columns()
	kept := &plan.Filter{Input: all, Predicate: &plan.InTable{X: cols[len(cols)-1].Ref(), Node: only}}
	sorted := &plan.Sort{Input: kept, Keys: []plan.Key{{X: cols[len(cols)-1].Ref()}}}
	return &plan.Project{Input: sorted, Items: keepAll(cols[:len(cols)-2])}
}

// evaluateFurther binds the plugins of this file and of lookups; nil for any other.
func (b *binder) evaluateFurther(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	switch op.Call.Func.Text {
	case "rolling_percentile":
		return b.rollingPercentile(n, op, c)
	case "rows_near":
		return b.rowsNear(n, op, c)
	case "ipv6_lookup":
		return b.ipv6Lookup(n, op, c)
	case "geo_polygon_lookup":
		return b.geoLookup(n, op, c, "geo_near_polygon", false)
	case "geo_line_lookup":
		return b.geoLookup(n, op, c, "geo_near_line", true)
	case "new_activity_metrics":
		return b.newActivity(n, op, c)
	case "funnel_sequence_completion":
		return b.funnelCompletion(n, op, c)
	case "dcount_intersect":
		return b.dcountIntersect(n, op, c)
	case "narrow":
		b.want(op.Call, 0, 0)
		return b.narrow(n)
	}
	if r := b.clusters(n, op, c); r != nil {
		return r
	}
	return b.evaluateWindowed(n, op, c)
}
