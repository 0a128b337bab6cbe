package naive

import (
	"math"
	"slices"
	"sort"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// group is rows with one key.
type group struct {
	keys []any
	rows []at
}

func (e *evaluator) aggregate(n *plan.Aggregate) []row {
	in := e.node(n.Input)
	groups := map[string]*group{}
	var list []*group
	for i, r := range in {
		g := &group{}
		name := ""
		for _, k := range n.Keys {
			v := e.expr(k.X, at{r, in, i})
			g.keys = append(g.keys, v)
			name += identity(v) + "\x00"
		}
		if groups[name] == nil {
			groups[name] = g
			list = append(list, g)
		}
		groups[name].rows = append(groups[name].rows, at{r, in, i})
	}
	if len(n.Keys) == 0 && len(list) == 0 {
		list = []*group{{}}
	}
	var out []row
	for _, g := range list {
		made := row{}
		for i, k := range n.Keys {
			made[k.ID] = g.keys[i]
		}
		drawn := map[int][]at{} // by the aggregates' group: its rows in the order in which one is chosen
		for _, a := range n.Aggs {
			rows := g.rows
			switch a.Func {
			case "take_any", "arg_max", "arg_min": // of any rows, or of the equal ones, any
				if rows = drawn[a.Group]; rows == nil || a.Group == 0 {
					rows = e.shuffled(g.rows)
					drawn[a.Group] = rows
				}
			}
			v := e.single(a, rows)
			if v == nil {
				v = empty(a.Type)
			}
			made[a.ID] = v
		}
		out = append(out, made)
	}
	return e.disorder(out)
}

// shuffled gives rows in another order, whatever sorted them.
func (e *evaluator) shuffled(rows []at) []at {
	if e.choices != nil {
		rows = slices.Clone(rows)
		e.choices.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	return rows
}

// single computes one aggregate over a group.
func (e *evaluator) single(a plan.Agg, rows []at) any {
	var kept []at
	for _, r := range rows {
		if a.Where == nil || e.expr(a.Where, r) == true {
			kept = append(kept, r)
		}
	}
	switch a.Func {
	case "count":
		return int64(len(kept))
	case "arg_max", "arg_min":
		return e.extreme(a, kept)
	case "take_any":
		return e.any(a, kept)
	}
	var values []any // without nulls
	var all []any
	t := schema.Invalid
	if len(a.Args) > 0 {
		t = a.Args[0].Type()
		for _, r := range kept {
			v := e.expr(a.Args[0], r)
			all = append(all, v)
			if v != nil {
				values = append(values, v)
			}
		}
	}
	most := int64(1 << 20)
	if len(a.Args) > 1 && len(kept) > 0 {
		if n, ok := e.expr(a.Args[1], kept[0]).(int64); ok {
			most = n
		}
	}
	switch a.Func {
	case "sum":
		return sumOf(values, a.Type)
	case "avg":
		return average(values, t)
	case "min", "max":
		var best any
		for _, v := range values {
			if best == nil || (order(v, best) < 0) == (a.Func == "min") && order(v, best) != 0 {
				best = v
			}
			if f, ok := v.(float64); ok && math.IsNaN(f) {
				return v
			}
		}
		return best
	case "dcount", "count_distinct":
		seen := map[string]bool{}
		for _, v := range values {
			seen[identity(v)] = true
		}
		return int64(len(seen))
	case "make_set": // in any order
		set := made(values, t, most, true)
		if e.choices != nil {
			e.choices.Shuffle(len(set), func(i, j int) { set[i], set[j] = set[j], set[i] })
		}
		return set
	case "make_list":
		if t == schema.Dynamic {
			values = all
		}
		return made(values, t, most, false)
	case "make_list_with_nulls":
		out := []any{}
		for _, v := range all {
			out = append(out, convert(v, t, schema.Dynamic))
		}
		return out
	case "make_pairs":
		return made2(values)
	case "make_bag":
		out := newBag()
		for _, v := range values {
			b, ok := v.(*bag)
			if !ok {
				continue
			}
			for _, k := range b.keys {
				if _, have := out.values[k]; !have && int64(len(out.keys)) < most {
					out.set(k, b.values[k])
				}
			}
		}
		return out
	case "stdev", "stdevp", "variance", "variancep":
		return spread(values, a.Func)
	case "percentile":
		if len(values) == 0 {
			return nil
		}
		p, _ := e.expr(a.Args[1], at{}).(float64)
		sort.SliceStable(values, func(i, j int) bool { return order(values[i], values[j]) < 0 })
		i := int(math.Ceil(p/100*float64(len(values)))) - 1
		return values[min(max(i, 0), len(values)-1)]
	case "binary_all_or", "binary_all_and", "binary_all_xor":
		if len(values) == 0 {
			return nil
		}
		n := values[0].(int64)
		for _, v := range values[1:] {
			switch a.Func {
			case "binary_all_or":
				n |= v.(int64)
			case "binary_all_and":
				n &= v.(int64)
			default:
				n ^= v.(int64)
			}
		}
		return n
	}
	unknown("the aggregate " + a.Func)
	return nil
}

// made makes a list or a set: an array adds its elements, a null nothing to a set.
func made(values []any, t schema.Type, most int64, set bool) []any {
	out := []any{}
	add := func(v any) {
		if set && (v == nil || slices.ContainsFunc(out, func(have any) bool { return equalParts(have, v) })) || int64(len(out)) >= most {
			return
		}
		out = append(out, v)
	}
	for _, v := range values {
		v = convert(v, t, schema.Dynamic)
		if list, ok := v.([]any); ok {
			for _, x := range list {
				add(x)
			}
			continue
		}
		add(v)
	}
	return out
}

func made2(values []any) any { return append([]any{}, values...) }

// extreme takes the row with the greatest or least key; of equal ones some one, but for all results the same.
func (e *evaluator) extreme(a plan.Agg, rows []at) any {
	best := -1
	var most any
	for i, r := range rows {
		k := e.expr(a.Args[0], r)
		switch {
		case k == nil:
		case best < 0, order(k, most) < 0 && a.Func == "arg_min", order(k, most) > 0 && a.Func == "arg_max":
			if f, ok := most.(float64); ok && math.IsNaN(f) { // NaN is the least as well as the greatest
				continue
			}
			best, most = i, k
		case a.Func == "arg_min":
			if f, ok := k.(float64); ok && math.IsNaN(f) {
				if m, is := most.(float64); is && !math.IsNaN(m) {
					best, most = i, k
				}
			}
		}
	}
	if best < 0 {
		if len(rows) == 0 {
			return nil
		}
		best = 0
	}
	return e.expr(a.Args[1], rows[best])
}

// any takes a row's value: of a group that must come from one row, whatever it is; else the first that is something.
func (e *evaluator) any(a plan.Agg, rows []at) any {
	for _, r := range rows {
		if v := e.expr(a.Args[0], r); v != nil || a.Group != 0 {
			return v
		}
	}
	return nil
}

func sumOf(values []any, t schema.Type) any {
	var n int64
	var f float64
	for _, v := range values {
		switch v := v.(type) {
		case int64:
			n += v
		case float64:
			f += v
		case bool:
			if v {
				n++
			}
		default:
			unknown("a sum of texts")
		}
	}
	if t == schema.Real {
		return f + float64(n)
	}
	return n
}

func average(values []any, t schema.Type) any {
	if t == schema.Decimal {
		unknown("an average of decimals")
	}
	if len(values) == 0 {
		if t == schema.DateTime || t == schema.TimeSpan {
			return nil
		}
		return math.NaN()
	}
	sum := 0.0
	var whole int64
	for _, v := range values {
		if n, ok := v.(int64); ok {
			whole += n
			sum += float64(n)
		} else if f, ok := v.(float64); ok {
			sum += f
		}
	}
	if t == schema.DateTime || t == schema.TimeSpan {
		return int64(sum / float64(len(values)))
	}
	if t == schema.Long {
		return float64(whole) / float64(len(values))
	}
	return sum / float64(len(values))
}

func spread(values []any, name string) any {
	var list []float64
	for _, v := range values {
		f := v.(float64)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return math.NaN()
		}
		list = append(list, f)
	}
	n := float64(len(list))
	if n == 0 {
		return 0.0
	}
	mean, sum := 0.0, 0.0
	for i, f := range list { // equal values have a mean of the same value, whatever their number
		mean += (f - mean) / float64(i+1)
	}
	for _, f := range list {
		sum += (f - mean) * (f - mean)
	}
	if name == "stdev" || name == "variance" {
		if n--; n == 0 {
			return 0.0
		}
	}
	if name == "stdev" || name == "stdevp" {
		return math.Sqrt(sum / n)
	}
	return sum / n
}
