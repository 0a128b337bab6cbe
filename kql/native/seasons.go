package native

import (
	"math"
	"math/cmplx"
	"sort"
)

// seasons are the functions that look for what repeats in a series.
// Source: Kusto, series_periods_detect, series_periods_validate, series_fft, series_ifft.
func seasons() []Function {
	pair := func(first, second string, x, y []any) any {
		o := newObject()
		o.set(first, x)
		o.set(second, y)
		return write(o)
	}
	transform := func(back bool) func([]any) any {
		return func(a []any) any {
			re, ok := floats(a[0])
			if !ok || len(re) > 1<<20 {
				return nil
			}
			im := make([]float64, len(re))
			if len(a) > 1 {
				if im, ok = floats(a[1]); !ok || len(im) != len(re) {
					return nil
				}
			}
			z := make([]complex128, len(re))
			for i := range z {
				z[i] = complex(re[i], im[i])
			}
			z = fourier(z, back)
			for i := range z {
				re[i], im[i] = realPart(z[i]), imag(z[i])
			}
			return pair("real", "imag", numbers(re), numbers(im))
		}
	}
	return []Function{
		{Name: "series_fft", Params: types(tDyn, tDyn), Least: 1, Result: tDyn, Eval: transform(false)},
		{Name: "series_ifft", Params: types(tDyn, tDyn), Least: 1, Result: tDyn, Eval: transform(true)},
		{Name: "series_periods_detect", Params: types(tDyn, tReal, tReal, tLong), Least: 4, Result: tDyn, Eval: func(a []any) any {
			y, ok := floats(a[0])
			n := num(a[3])
			if !ok || n < 1 || n > 1000 {
				return nil
			}
			periods, scores := make([]any, n), make([]any, n)
			for i := range periods {
				periods[i], scores[i] = 0.0, 0.0
			}
			for i, p := range detect(y, real(a[1]), real(a[2])) {
				if i < len(periods) {
					periods[i], scores[i] = float64(p.length), p.score
				}
			}
			return pair("periods", "scores", periods, scores)
		}},
		{Name: "series_periods_validate", Params: types(tDyn), Least: 1, Variadic: tDyn, Result: tDyn, Eval: func(a []any) any {
			y, ok := floats(a[0])
			if !ok {
				return nil
			}
			l := likeness(y)
			periods, scores := []any{}, []any{}
			for _, x := range a[1:] {
				v, _ := read(str(x))
				p := number(v)
				periods = append(periods, p)
				scores = append(scores, l.score(int(math.Round(p))))
			}
			return pair("periods", "scores", periods, scores)
		}},
	}
}

// alike says for each lag how much a series resembles itself shifted by it.
type alike []float64

// likeness computes the lags up to half the series, and no more than 2,000.
func likeness(y []float64) alike {
	n := len(y)
	if n < 8 || n > 20_000 {
		return nil
	}
	mean := total(y) / float64(n)
	out := make(alike, min(n/2, 2000)+1)
	for lag := range out {
		sum := 0.0
		for i := 0; i+lag < n; i++ {
			sum += (y[i] - mean) * (y[i+lag] - mean)
		}
		out[lag] = sum / float64(n-lag)
	}
	first := out[0]
	for lag := range out {
		if out[lag] /= first; math.IsNaN(out[lag]) {
			return nil
		}
	}
	return out
}

// score is how surely a length is a season: the least likeness at it and its
// multiples, 0 where the likeness has no peak there.
func (l alike) score(p int) float64 {
	if p < 4 || p+1 >= len(l) || l[p] <= l[p-1] || l[p] < l[p+1] {
		return 0
	}
	least := 1.0
	for k := p; k < len(l); k += p {
		least = min(least, l[k])
	}
	return max(least, 0)
}

type season struct {
	length int
	score  float64
}

// detect lists the seasons, the surest first. A multiple of one is none.
func detect(y []float64, lo, hi float64) (out []season) {
	l := likeness(y)
	var all []season
	for p := range l {
		if s := l.score(p); s > 0.65 && float64(p) >= lo && float64(p) <= hi {
			all = append(all, season{p, s})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].score > all[j].score+0.01 })
next:
	for _, s := range all {
		for _, have := range out {
			if s.length%have.length == 0 {
				continue next
			}
		}
		out = append(out, s)
	}
	return out
}

// fourier transforms any number of values: by halves where they are a power
// of two, else by Bluestein's convolution. back gives the inverse.
func fourier(z []complex128, back bool) []complex128 {
	n := len(z)
	sign := -1.0
	if back {
		sign = 1
	}
	out := append([]complex128{}, z...)
	if n&(n-1) == 0 {
		halves(out, sign)
	} else {
		m := 1
		for m < 2*n {
			m *= 2
		}
		chirp := make([]complex128, n)
		a, b := make([]complex128, m), make([]complex128, m)
		for i := range n {
			chirp[i] = cmplx.Rect(1, sign*math.Pi*float64(i*i%(2*n))/float64(n))
			a[i] = z[i] * chirp[i]
			b[i] = cmplx.Conj(chirp[i])
			if i > 0 {
				b[m-i] = b[i]
			}
		}
		halves(a, -1)
		halves(b, -1)
		for i := range a {
			a[i] *= b[i]
		}
		halves(a, 1)
		for i := range out {
			out[i] = a[i] / complex(float64(m), 0) * chirp[i]
		}
	}
	if back && n > 0 {
		for i := range out {
			out[i] /= complex(float64(n), 0)
		}
	}
	return out
}

// halves is the transform of a power of two values, in place.
func halves(z []complex128, sign float64) {
	n := len(z)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			z[i], z[j] = z[j], z[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		for k := range size / 2 {
			w := cmplx.Rect(1, sign*2*math.Pi*float64(k)/float64(size))
			for i := k; i < n; i += size {
				odd := z[i+size/2] * w
				z[i], z[i+size/2] = z[i]+odd, z[i]-odd
			}
		}
	}
}

// realPart: the name real is that of an argument's value here.
func realPart(z complex128) float64 { return imag(z * 1i) }
