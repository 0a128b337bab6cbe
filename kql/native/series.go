package native

import "math"

func seriesFunctions() []Function {
	out := []Function{
		{Name: "series_sum", Params: types(tDyn), Least: 1, Result: tReal, Eval: func(a []any) any {
			list, ok := floats(a[0])
			if !ok {
				return nil
			}
			if len(list) == 0 {
				return nil
			}
			t := 0.0
			for _, f := range list {
				if !math.IsNaN(f) {
					t += f
				}
			}
			return t
		}},
		{Name: "series_place", Params: types(tDyn, tLong, tDyn), Least: 3, Nulls: true, Result: tDyn, Eval: func(a []any) any { return place(a[0], num(a[1]), a[2]) }},
		{Name: "series_fit_line", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any { return fitLine(a[0]) }},
		{Name: "series_fit_2lines", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any { return fitTwoLines(a[0], false) }},
		{Name: "series_fit_2lines_dynamic", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any { return fitTwoLines(a[0], true) }},
		{Name: "series_fit_line_dynamic", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any { return fitLine(a[0]) }},
		{Name: "series_stats", Params: types(tDyn, tBool), Least: 1, Result: tDyn, Eval: func(a []any) any { return stats(a[0]) }},
		{Name: "series_stats_dynamic", Params: types(tDyn, tBool), Least: 1, Result: tDyn, Eval: func(a []any) any { return stats(a[0]) }},
	}
	for name, f := range map[string]func(float64) float64{"series_abs": math.Abs, "series_ceiling": math.Ceil, "series_floor": math.Floor, "series_exp": math.Exp, "series_log": math.Log, "series_sin": math.Sin, "series_cos": math.Cos, "series_tan": math.Tan,
		"series_asin": math.Asin, "series_acos": math.Acos, "series_atan": math.Atan, "series_sign": sign} {
		out = append(out, Function{Name: name, Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			list, ok := floats(a[0])
			if !ok {
				return nil
			}
			for i := range list {
				list[i] = f(list[i])
			}
			return fromFloats(list)
		}})
	}
	for name, f := range map[string]func(x, y float64) float64{"series_add": func(x, y float64) float64 { return x + y }, "series_subtract": func(x, y float64) float64 { return x - y },
		"series_multiply": func(x, y float64) float64 { return x * y }, "series_divide": func(x, y float64) float64 { return x / y }, "series_pow": math.Pow} {
		out = append(out, Function{Name: name, Params: types(tDyn, tDyn), Least: 2, Result: tDyn, Eval: func(a []any) any { return pairwise(a[0], a[1], f) }})
	}
	for name, f := range map[string]func(x, y float64) bool{"series_greater": func(x, y float64) bool { return x > y }, "series_greater_equals": func(x, y float64) bool { return x >= y },
		"series_less": func(x, y float64) bool { return x < y }, "series_less_equals": func(x, y float64) bool { return x <= y },
		"series_equals": func(x, y float64) bool { return x == y }, "series_not_equals": func(x, y float64) bool { return x != y }} {
		out = append(out, Function{Name: name, Params: types(tDyn, tDyn), Least: 2, Result: tDyn, Eval: func(a []any) any { return compareSeries(a[0], a[1], f) }})
	}
	return append(out, []Function{
		{Name: "series_dot_product", Params: types(tDyn, tDyn), Least: 2, Result: tReal, Eval: func(a []any) any {
			list, ok := floats(pairwise(a[0], a[1], func(x, y float64) float64 { return x * y }))
			if !ok {
				return nil
			}
			return total(list)
		}},
		{Name: "series_magnitude", Params: types(tDyn), Least: 1, Result: tReal, Eval: func(a []any) any {
			list, ok := floats(a[0])
			if !ok {
				return nil
			}
			return magnitude(list)
		}},
		{Name: "series_product", Params: types(tDyn), Least: 1, Result: tReal, Eval: func(a []any) any {
			list, ok := floats(a[0])
			if !ok {
				return nil
			}
			p := 1.0
			for _, f := range list {
				p *= f
			}
			return p
		}},
		{Name: "series_cosine_similarity", Params: types(tDyn, tDyn, tReal, tReal), Least: 2, Result: tReal, Eval: func(a []any) any {
			x, ok1 := floats(a[0])
			y, ok2 := floats(a[1])
			if !ok1 || !ok2 || len(x) != len(y) {
				return nil
			}
			dot := 0.0
			for i := range x {
				dot += x[i] * y[i]
			}
			return dot / (magnitude(x) * magnitude(y))
		}},
		{Name: "series_pearson_correlation", Params: types(tDyn, tDyn), Least: 2, Result: tReal, Eval: func(a []any) any { return pearson(a[0], a[1]) }},
		{Name: "series_fill_const", Params: types(tDyn, tDyn, tDyn), Least: 2, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			fill, _ := read(str(a[1]))
			return fillSeries(a, 2, func(list []any, i int) any { return fill })
		}},
		{Name: "series_fill_forward", Params: types(tDyn, tDyn), Least: 1, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			return fillSeries(a, 1, func(list []any, i int) any {
				if i == 0 {
					return list[i]
				}
				return list[i-1]
			})
		}},
		{Name: "series_fill_backward", Params: types(tDyn, tDyn), Least: 1, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			return fillSeries(a, 1, func(list []any, i int) any {
				for _, v := range list[i+1:] {
					if !same(v, list[i]) {
						return v
					}
				}
				return list[i]
			})
		}},
	}...)
}

func sign(f float64) float64 {
	switch {
	case f > 0:
		return 1
	case f < 0:
		return -1
	}
	return f
}

func total(list []float64) float64 {
	t := 0.0
	for _, f := range list {
		t += f
	}
	return t
}

func magnitude(list []float64) float64 {
	t := 0.0
	for _, f := range list {
		t += f * f
	}
	return math.Sqrt(t)
}

func compareSeries(a, b any, f func(x, y float64) bool) any {
	x, ok1 := floats(a)
	y, ok2 := floats(b)
	n := max(len(x), len(y))
	if !ok1 && !ok2 {
		return nil
	}
	out := make([]any, n)
	at := func(list []float64, ok bool, one any, i int) (float64, bool) {
		if !ok {
			v, _ := read(str(one))
			return number(v), true
		}
		if i < len(list) {
			return list[i], !math.IsNaN(list[i])
		}
		return 0, false
	}
	for i := range out {
		l, has1 := at(x, ok1, a, i)
		r, has2 := at(y, ok2, b, i)
		if has1 && has2 {
			out[i] = f(l, r)
		}
	}
	return write(out)
}

func pearson(a, b any) any {
	x, ok1 := floats(a)
	y, ok2 := floats(b)
	if !ok1 || !ok2 || len(x) != len(y) || len(x) == 0 {
		return nil
	}
	mx, my := total(x)/float64(len(x)), total(y)/float64(len(y))
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}

// fillSeries replaces missing values (null, or the placeholder that argument at names) from left to right.
func fillSeries(a []any, at int, f func(list []any, i int) any) any {
	list, ok := array(a[0])
	if !ok {
		return nil
	}
	var missing any
	if len(a) > at {
		missing, _ = read(str(a[at]))
	}
	for i, v := range list {
		if v == nil && missing == nil || v != nil && missing != nil && same(v, missing) {
			list[i] = f(list, i)
		}
	}
	return write(list)
}

func pairwise(a, b any, f func(x, y float64) float64) any {
	x, ok1 := floats(a)
	y, ok2 := floats(b)
	if !ok1 && !ok2 {
		return nil
	}
	n := max(len(x), len(y))
	at := func(list []float64, ok bool, one any, i int) float64 {
		if !ok {
			v, _ := read(str(one))
			return number(v)
		}
		if i < len(list) {
			return list[i]
		}
		return math.NaN()
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = f(at(x, ok1, a, i), at(y, ok2, b, i))
	}
	return fromFloats(out)
}

// line is a least squares line through y, and how well it fits.
type line struct {
	slope, start, rsquare, variance, rvariance float64
}

func fit(y []float64) line {
	n := float64(len(y))
	var sx, sy, sxx, sxy float64
	for i, v := range y {
		x := float64(i)
		sx, sy, sxx, sxy = sx+x, sy+v, sxx+x*x, sxy+x*v
	}
	var l line
	if d := n*sxx - sx*sx; d != 0 {
		l.slope = (n*sxy - sx*sy) / d
	}
	l.start = (sy - l.slope*sx) / n
	for i, v := range y {
		l.variance += (v - sy/n) * (v - sy/n) / max(n-1, 1)
		l.rvariance += (v - l.at(i)) * (v - l.at(i)) / max(n-1, 1)
	}
	if l.variance > 0 {
		l.rsquare = 1 - l.rvariance/l.variance
	}
	return l
}

func (l line) at(i int) float64 { return l.start + l.slope*float64(i) }

func fitLine(a any) any {
	y, ok := floats(a)
	if !ok || len(y) < 2 {
		return nil
	}
	l := fit(y)
	points := make([]any, len(y))
	for i := range y {
		points[i] = l.at(i)
	}
	o := newObject()
	o.set("rsquare", l.rsquare)
	o.set("slope", l.slope)
	o.set("variance", l.variance)
	o.set("rvariance", l.rvariance)
	o.set("interception", l.start-l.slope) // the first point is at 1. Source: Kusto, series_fit_line: its example
	o.set("line_fit", points)
	return write(o)
}

// fitTwoLines finds the split whose two lines leave the least variance.
// Nested, each side is a bag of its own. Source: Kusto, series_fit_2lines, series_fit_2lines_dynamic.
func fitTwoLines(a any, nested bool) any {
	y, ok := floats(a)
	if !ok || len(y) < 4 || len(y) > 20_000 {
		return nil
	}
	whole := fit(y)
	best, split := math.Inf(1), 0
	for k := 2; k <= len(y)-2 && len(y) <= 2000; k++ {
		l, r := fit(y[:k]), fit(y[k:])
		if v := (l.rvariance*float64(k-1) + r.rvariance*float64(len(y)-k-1)) / float64(len(y)-1); v < best {
			best, split = v, k
		}
	}
	if split == 0 {
		return nil
	}
	left, right := fit(y[:split]), fit(y[split:])
	points := make([]any, len(y))
	for i := range y {
		if i < split {
			points[i] = left.at(i)
		} else {
			points[i] = right.at(i - split)
		}
	}
	rsquare := 0.0
	if whole.variance > 0 {
		rsquare = 1 - best/whole.variance
	}
	o := newObject()
	o.set("rsquare", rsquare)
	o.set("split_idx", int64(split))
	o.set("variance", whole.variance)
	o.set("rvariance", best)
	o.set("line_fit", points)
	for _, side := range []struct {
		name string
		line
	}{{"right", right}, {"left", left}} {
		into, before := o, side.name+"_"
		if nested {
			into, before = newObject(), ""
			o.set(side.name, into)
		}
		into.set(before+"rsquare", side.rsquare)
		into.set(before+"slope", side.slope)
		into.set(before+"interception", side.start)
		into.set(before+"variance", side.variance)
		into.set(before+"rvariance", side.rvariance)
	}
	return write(o)
}

func stats(a any) any {
	y, ok := floats(a)
	if !ok || len(y) == 0 {
		return nil
	}
	lo, hi := 0, 0
	sum := 0.0
	for i, v := range y {
		if v < y[lo] {
			lo = i
		}
		if v > y[hi] {
			hi = i
		}
		sum += v
	}
	mean := sum / float64(len(y))
	ss := 0.0
	for _, v := range y {
		ss += (v - mean) * (v - mean)
	}
	variance := 0.0
	if len(y) > 1 {
		variance = ss / float64(len(y)-1)
	}
	o := newObject()
	o.set("min", y[lo])
	o.set("min_idx", int64(lo))
	o.set("max", y[hi])
	o.set("max_idx", int64(hi))
	o.set("avg", mean)
	o.set("stdev", math.Sqrt(variance))
	o.set("variance", variance)
	o.set("sum", sum)
	o.set("len", int64(len(y)))
	return write(o)
}

// place lays [position, value] pairs out in an array of n, the rest being the default.
func place(pairs any, n int64, otherwise any) any {
	if placed, ok := placeNumbers(str(pairs), min(max(n, 0), 1_000_000), str(otherwise)); ok {
		return placed
	}
	list, _ := array(pairs)
	fill, _ := read(str(otherwise))
	out := make([]any, min(max(n, 0), 1_000_000))
	for i := range out {
		out[i] = fill
	}
	for _, p := range list {
		pair, ok := p.([]any)
		if !ok || len(pair) != 2 {
			continue
		}
		if i, ok := asInt(pair[0]); ok && i >= 0 && i < int64(len(out)) {
			out[i] = pair[1]
		}
	}
	return write(out)
}
