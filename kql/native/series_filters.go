package native

import (
	"encoding/json"
	"math"
	"sort"
	"strings"
)

// seriesFilters are the functions that smooth, fill and decompose a series.
// Source: the reference page of each.
func seriesFilters() []Function {
	return []Function{
		{Name: "series_fill_linear", Params: types(tDyn, tDyn, tBool, tDyn), Least: 1, Nulls: true, Result: tDyn, Eval: fillLinear},
		{Name: "series_fir", Params: types(tDyn, tDyn, tBool, tBool), Least: 2, Result: tDyn, Eval: fir},
		{Name: "series_iir", Params: types(tDyn, tDyn, tDyn), Least: 3, Result: tDyn, Eval: iir},
		{Name: "series_seasonal", Params: types(tDyn, tLong, tLong), Least: 1, Result: tDyn, Eval: func(a []any) any {
			y, ok := floats(a[0])
			if !ok || len(y) == 0 {
				return nil
			}
			learn := len(y) - int(min(max(given(a, 2, 0), 0), int64(len(y)-1)))
			return fromFloats(seasonal(y, period(y[:learn], given(a, 1, -1)), learn))
		}},
		{Name: "series_outliers", Params: types(tDyn, tText, tReal, tReal, tReal), Least: 1, Result: tDyn, Eval: func(a []any) any {
			y, ok := floats(a[0])
			if !ok {
				return nil
			}
			lo, hi := 10.0, 90.0
			if len(a) > 1 && strings.EqualFold(str(a[1]), "tukey") {
				lo, hi = 25, 75
			} else if len(a) > 4 {
				lo, hi = real(a[3]), real(a[4])
			}
			return fromFloats(outliers(y, y, lo, hi))
		}},
		{Name: "series_decompose", Params: types(tDyn, tLong, tText, tLong, tReal), Least: 1, Result: tDyn, Eval: func(a []any) any {
			y, ok := floats(a[0])
			if !ok || len(y) == 0 || len(a) > 4 && real(a[4]) < 0 {
				return nil
			}
			return decompose(y, given(a, 1, -1), textAt(a, 2, "avg"), given(a, 3, 0)).bag()
		}},
		{Name: "series_decompose_anomalies", Params: types(tDyn, tReal, tLong, tText, tLong, tText, tReal), Least: 1, Result: tDyn, Eval: anomalies},
		{Name: "series_decompose_forecast", Params: types(tDyn, tLong, tLong, tText, tReal), Least: 2, Result: tDyn, Eval: func(a []any) any {
			y, ok := floats(a[0])
			if !ok || len(y) == 0 {
				return nil
			}
			return decompose(y, given(a, 2, -1), textAt(a, 3, "linefit"), num(a[1])).bag()
		}},
		{Name: "series_fit_poly", Params: types(tDyn, tDyn, tLong), Least: 1, Result: tDyn, Eval: fitPoly},
	}
}

func textAt(a []any, i int, otherwise string) string {
	if i < len(a) && str(a[i]) != "" {
		return strings.ToLower(str(a[i]))
	}
	return otherwise
}

func numbers(list []float64) []any {
	out := make([]any, len(list))
	for i, f := range list {
		if !math.IsNaN(f) {
			out[i] = f
		}
	}
	return out
}

// fillLinear draws straight lines over missing values; whole numbers stay whole.
func fillLinear(a []any) any {
	list, ok := array(a[0])
	if !ok {
		return nil
	}
	var placeholder, constant any
	edges := true
	if len(a) > 1 {
		placeholder, _ = read(str(a[1]))
	}
	if len(a) > 2 && a[2] != nil {
		edges = a[2] == true
	}
	if len(a) > 3 {
		constant, _ = read(str(a[3]))
	}
	whole := true
	missing := make([]bool, len(list))
	have := []int{}
	for i, v := range list {
		missing[i] = v == nil || placeholder != nil && same(v, placeholder) || math.IsNaN(number(v))
		if missing[i] {
			continue
		}
		have = append(have, i)
		n, is := v.(json.Number)
		whole = whole && is && !strings.ContainsAny(string(n), ".eE")
	}
	if len(have) == 0 {
		for i := range list {
			if constant != nil {
				list[i] = constant
			}
		}
		return write(list)
	}
	for k := 1; k < len(have); k++ {
		from, to := have[k-1], have[k]
		x, y := number(list[from]), number(list[to])
		for i := from + 1; i < to; i++ {
			v := x + (y-x)*float64(i-from)/float64(to-from)
			list[i] = v
			if whole {
				list[i] = int64(math.Trunc(v))
			}
		}
	}
	for i := range list {
		if edges && missing[i] && i < have[0] {
			list[i] = list[have[0]]
		}
		if last := have[len(have)-1]; edges && missing[i] && i > last {
			list[i] = list[last]
		}
		if missing[i] && placeholder != nil && !edges && (i < have[0] || i > have[len(have)-1]) {
			list[i] = nil
		}
	}
	return write(list)
}

// fir is the moving sum of the last values, each by its coefficient.
func fir(a []any) any {
	x, ok1 := floats(a[0])
	f, ok2 := floats(a[1])
	if !ok1 || !ok2 || len(f) == 0 || len(f) > 1024 {
		return nil
	}
	sum, negative := 0.0, false
	for _, c := range f {
		sum += c
		negative = negative || c < 0
	}
	normalize := !negative
	if len(a) > 2 {
		normalize = a[2] == true
	}
	if normalize && negative {
		return nil
	}
	shift := 0
	if len(a) > 3 && a[3] == true {
		shift = len(f) / 2
	}
	out := make([]float64, len(x))
	for i := range x {
		for k, c := range f {
			if j := i + shift - k; j >= 0 && j < len(x) {
				out[i] += c * x[j]
			}
		}
		if normalize && sum != 0 {
			out[i] /= sum
		}
	}
	return fromFloats(out)
}

// iir is a filter that feeds back its own results.
func iir(a []any) any {
	x, ok1 := floats(a[0])
	num, ok2 := floats(a[1])
	den, ok3 := floats(a[2])
	if !ok1 || !ok2 || !ok3 || len(num) == 0 || len(den) == 0 || den[0] == 0 || len(num)+len(den) > 1024 {
		return nil
	}
	out := make([]float64, len(x))
	for i := range x {
		v := 0.0
		for k, c := range num {
			if i >= k {
				v += c * x[i-k]
			}
		}
		for k, c := range den[1:] {
			if i > k {
				v -= c * out[i-k-1]
			}
		}
		out[i] = v / den[0]
	}
	return fromFloats(out)
}

// period gives the length of the season: as asked for, or that at which the
// series resembles itself most; 0 for none.
func period(y []float64, asked int64) int {
	if asked >= 0 {
		if asked >= int64(len(y)) {
			return 0
		}
		return int(asked)
	}
	if found := detect(y, 0, math.Inf(1)); len(found) > 0 {
		return found[0].length
	}
	return 0
}

// seasonal repeats the median of each place in the season, learnt from the first values.
func seasonal(y []float64, period, learn int) []float64 {
	out := make([]float64, len(y))
	if period < 2 {
		return out
	}
	for phase := range period {
		var list []float64
		for i := phase; i < learn; i += period {
			if !math.IsNaN(y[i]) {
				list = append(list, y[i])
			}
		}
		m := quantile(list, 50)
		for i := phase; i < len(y); i += period {
			out[i] = m
		}
	}
	return out
}

// quantile interpolates between neighbours; NaN of nothing.
func quantile(list []float64, p float64) float64 {
	if len(list) == 0 || math.IsNaN(p) {
		return math.NaN()
	}
	s := append([]float64{}, list...)
	sort.Float64s(s)
	at := min(max(p, 0), 100) / 100 * float64(len(s)-1)
	i := int(at)
	if i+1 >= len(s) {
		return s[len(s)-1]
	}
	return s[i] + (s[i+1]-s[i])*(at-float64(i))
}

// outliers says how many ranges between two percentiles a value lies outside of them.
func outliers(y, learn []float64, lo, hi float64) []float64 {
	low, high := quantile(learn, lo), quantile(learn, hi)
	out := make([]float64, len(y))
	if math.IsNaN(high - low) {
		return out
	}
	width := max(high-low, 1e-10) // where most values are one, all others are far out
	for i, v := range y {
		switch {
		case v > high:
			out[i] = (v - high) / width
		case v < low:
			out[i] = (v - low) / width
		}
	}
	return out
}

// parts are what a series is made of.
type parts struct{ baseline, seasonal, trend, residual []float64 }

// decompose takes off the trend, then the season; the last test points are not learnt from.
func decompose(y []float64, asked int64, trend string, test int64) parts {
	learn := len(y) - int(min(max(test, 0), int64(len(y)-1)))
	p := parts{trend: make([]float64, len(y)), residual: make([]float64, len(y)), baseline: make([]float64, len(y))}
	line := line{}
	switch trend {
	case "linefit":
		line = fit(y[:learn])
	case "avg":
		line.start = total(y[:learn]) / float64(learn)
	}
	flat := make([]float64, len(y))
	for i := range y {
		p.trend[i] = line.at(i)
		flat[i] = y[i] - p.trend[i]
	}
	p.seasonal = seasonal(flat, period(flat[:learn], asked), learn)
	for i := range y {
		p.baseline[i] = p.trend[i] + p.seasonal[i]
		p.residual[i] = y[i] - p.baseline[i]
	}
	return p
}

func (p parts) bag() any {
	o := newObject()
	o.set("baseline", numbers(p.baseline))
	o.set("seasonal", numbers(p.seasonal))
	o.set("trend", numbers(p.trend))
	o.set("residual", numbers(p.residual))
	return write(o)
}

// anomalies flags the residuals beyond the threshold.
func anomalies(a []any) any {
	y, ok := floats(a[0])
	if !ok || len(y) == 0 {
		return nil
	}
	threshold := 1.5
	if len(a) > 1 {
		threshold = real(a[1])
	}
	test := given(a, 4, 0)
	lo, hi := 10.0, 90.0
	if textAt(a, 5, "ctukey") == "tukey" {
		lo, hi = 25, 75
	}
	p := decompose(y, given(a, 2, -1), textAt(a, 3, "avg"), test)
	learn := len(y) - int(min(max(test, 0), int64(len(y)-1)))
	score := outliers(p.residual, p.residual[:learn], lo, hi)
	flags := make([]any, len(y))
	for i, s := range score {
		flags[i] = int64(0)
		if math.Abs(s) > threshold {
			flags[i] = int64(sign(s))
		}
	}
	o := newObject()
	o.set("ad_flag", flags)
	o.set("ad_score", numbers(score))
	o.set("baseline", numbers(p.baseline))
	return write(o)
}

// fitPoly fits a polynomial by least squares; coefficients from the constant up.
func fitPoly(a []any) any {
	y, ok := floats(a[0])
	if !ok {
		return nil
	}
	x := make([]float64, len(y))
	for i := range x {
		x[i] = float64(i)
	}
	if len(a) > 1 {
		if x, ok = floats(a[1]); !ok {
			return nil
		}
	}
	degree := given(a, 2, 5)
	n := int(degree) + 1
	if len(x) != len(y) || degree < 1 || degree > 5 || len(y) < n {
		return nil
	}
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n+1)
	}
	for k := range x {
		for i := range n {
			for j := range n {
				m[i][j] += math.Pow(x[k], float64(i+j))
			}
			m[i][n] += y[k] * math.Pow(x[k], float64(i))
		}
	}
	c, ok := solve(m)
	if !ok {
		return nil
	}
	mean := total(y) / float64(len(y))
	fitted := make([]float64, len(y))
	var variance, rest float64
	for k := range x {
		for i := n - 1; i >= 0; i-- {
			fitted[k] = fitted[k]*x[k] + c[i]
		}
		variance += (y[k] - mean) * (y[k] - mean) / float64(len(y))
		rest += (y[k] - fitted[k]) * (y[k] - fitted[k]) / float64(len(y))
	}
	o := newObject()
	rsquare := 0.0
	if variance > 0 {
		rsquare = 1 - rest/variance
	}
	o.set("rsquare", rsquare)
	o.set("coefficients", numbers(c))
	o.set("variance", variance)
	o.set("rvariance", rest)
	o.set("poly_fit", numbers(fitted))
	return write(o)
}

// solve is elimination with pivots over the rows of a matrix and its right side.
func solve(m [][]float64) ([]float64, bool) {
	n := len(m)
	for i := range n {
		best := i
		for k := i + 1; k < n; k++ {
			if math.Abs(m[k][i]) > math.Abs(m[best][i]) {
				best = k
			}
		}
		m[i], m[best] = m[best], m[i]
		if m[i][i] == 0 || math.IsNaN(m[i][i]) {
			return nil, false
		}
		for k := range n {
			if k == i {
				continue
			}
			f := m[k][i] / m[i][i]
			for j := i; j <= n; j++ {
				m[k][j] -= f * m[i][j]
			}
		}
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = m[i][n] / m[i][i]
	}
	return out, true
}
