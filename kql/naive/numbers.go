package naive

import (
	"math"
	"math/bits"

	"lockstep/schema"
)

// numbers are arithmetic: whole numbers wrap, divide towards zero, and have no quotient by zero.
func numbers() map[string]func(call) any {
	unary := func(f func(float64) float64) func(call) any { return func(c call) any { return f(c.real(0)) } }
	whole := func(f func(a, b int64) any) func(call) any {
		return func(c call) any { return f(c.long(0, 0), c.long(1, 0)) }
	}
	return map[string]func(call) any{
		"add": arithmetic(func(a, b int64) any { return a + b }, func(a, b float64) float64 { return a + b }),
		"sub": arithmetic(func(a, b int64) any { return a - b }, func(a, b float64) float64 { return a - b }),
		"mul": arithmetic(func(a, b int64) any { return a * b }, func(a, b float64) float64 { return a * b }),
		"div": arithmetic(func(a, b int64) any {
			if b == 0 {
				return nil
			}
			return a / b
		}, func(a, b float64) float64 { return a / b }),
		"mod": arithmetic(func(a, b int64) any {
			if b == 0 {
				return nil
			}
			m := a % b
			if m < 0 { // a rest is never negative
				m += max(b, -b)
			}
			return m
		}, func(a, b float64) float64 {
			b = math.Abs(b)
			return math.Mod(math.Mod(a, b)+b, b)
		}),
		"neg": func(c call) any {
			if f, ok := c.args[0].(float64); ok {
				return -f
			}
			return -c.long(0, 0)
		},
		"abs": func(c call) any {
			if f, ok := c.args[0].(float64); ok {
				return math.Abs(f)
			}
			return max(c.long(0, 0), -c.long(0, 0))
		},
		"ticks":  func(c call) any { return c.real(0) },
		"scale":  func(c call) any { return asLong(math.Round(c.real(0) * c.real(1))) },
		"shrink": func(c call) any { return asLong(math.Round(c.real(0) / c.real(1))) },
		"floor":  unary(math.Floor), "exp": unary(math.Exp), "exp2": unary(math.Exp2), "sqrt": unary(math.Sqrt),
		"sin": unary(math.Sin), "cos": unary(math.Cos), "tan": unary(math.Tan), "asin": unary(math.Asin), "acos": unary(math.Acos), "atan": unary(math.Atan), "cot": unary(func(f float64) float64 { return 1 / math.Tan(f) }),
		"exp10": unary(func(f float64) float64 { return math.Pow(10, f) }), "degrees": unary(func(f float64) float64 { return f / math.Pi * 180 }), "radians": unary(func(f float64) float64 { return f / 180 * math.Pi }),
		"log": logarithm(math.Log), "log2": logarithm(math.Log2), "log10": logarithm(math.Log10),
		"pi": func(call) any { return math.Pi }, "gamma": unary(math.Gamma), "loggamma": unary(func(f float64) float64 { v, _ := math.Lgamma(f); return v }),
		"ceiling": func(c call) any {
			if f, ok := c.args[0].(float64); ok {
				return math.Ceil(f)
			}
			return c.args[0]
		},
		"sign": func(c call) any {
			switch f := c.real(0); {
			case f > 0:
				return 1.0
			case f < 0:
				return -1.0
			}
			return 0.0
		},
		"pow": func(c call) any { return math.Pow(c.real(0), c.real(1)) }, "atan2": func(c call) any { return math.Atan2(c.real(0), c.real(1)) },
		"round": func(c call) any {
			by := math.Pow(10, float64(c.long(1, 0)))
			return math.Round(c.real(0)*by) / by
		},
		"isnan": func(c call) any { return math.IsNaN(c.real(0)) }, "isinf": func(c call) any { return math.IsInf(c.real(0), 0) },
		"isfinite":   func(c call) any { return !math.IsInf(c.real(0), 0) && !math.IsNaN(c.real(0)) },
		"binary_and": whole(func(a, b int64) any { return a & b }), "binary_or": whole(func(a, b int64) any { return a | b }), "binary_xor": whole(func(a, b int64) any { return a ^ b }),
		"binary_not": whole(func(a, _ int64) any { return ^a }), "bitset_count_ones": whole(func(a, _ int64) any { return int64(bits.OnesCount64(uint64(a))) }),
		"binary_shift_left": whole(shift(func(a int64, n uint) int64 { return a << n })), "binary_shift_right": whole(shift(func(a int64, n uint) int64 { return a >> n })),
		"bin":    bin,
		"bin_at": binAt,
		"range":  rangeOf,
	}
}

// shift: by the rest of 64, and never by a negative number.
func shift(f func(a int64, n uint) int64) func(a, b int64) any {
	return func(a, b int64) any {
		if b < 0 {
			return nil
		}
		return f(a, uint(b)%64)
	}
}

// logarithm: a negative number has none.
func logarithm(f func(float64) float64) func(call) any {
	return func(c call) any {
		if c.real(0) < 0 {
			return nil
		}
		return f(c.real(0))
	}
}

func arithmetic(whole func(a, b int64) any, reals func(a, b float64) float64) func(call) any {
	return func(c call) any {
		if c.Typ == schema.Decimal {
			unknown("arithmetic of decimals")
		}
		a, ok1 := c.args[0].(int64)
		b, ok2 := c.args[1].(int64)
		if ok1 && ok2 && c.Typ != schema.Real {
			return whole(a, b)
		}
		return reals(c.real(0), c.real(1))
	}
}

// bin rounds down to a multiple of the size.
func bin(c call) any {
	if c.Typ == schema.Real {
		v, size := c.real(0), c.real(1)
		if size == 0 {
			return nil
		}
		return math.Floor(v/size) * size
	}
	v, size := c.long(0, 0), c.long(1, 0)
	if size <= 0 {
		return nil
	}
	rest := v % size
	if rest < 0 {
		rest += size
	}
	if v-rest > v { // it would lie before the first number
		return nil
	}
	return v - rest
}

func binAt(c call) any {
	if c.Typ == schema.Real {
		v, size, from := c.real(0), c.real(1), c.real(2)
		return from + math.Floor((v-from)/size)*size
	}
	v, size, from := c.long(0, 0), c.long(1, 0), c.long(2, 0)
	if size <= 0 {
		return nil
	}
	rest := (v - from) % size
	if rest < 0 {
		rest += size
	}
	return v - rest
}

// rangeOf lists from … to … step …, at most as many as a dynamic holds.
func rangeOf(c call) any {
	out := []any{}
	const most = 1 << 20
	if c.kind(0) == schema.DateTime || c.kind(0) == schema.TimeSpan {
		otherwise := int64(schema.Hour)
		for t, step := c.long(0, 0), c.long(2, otherwise); step != 0 && (step > 0 && t <= c.long(1, 0) || step < 0 && t >= c.long(1, 0)) && len(out) < most; t += step {
			out = append(out, convert(t, c.kind(0), schema.Dynamic))
		}
		return out
	}
	reals := false
	for i := range c.args {
		reals = reals || c.kind(i) == schema.Real
	}
	if reals {
		step := 1.0
		if len(c.args) > 2 {
			step = c.real(2)
		}
		for i := 0.0; step != 0 && len(out) < most; i++ {
			v := c.real(0) + i*step
			if step > 0 && v > c.real(1) || step < 0 && v < c.real(1) {
				break
			}
			out = append(out, convert(v, schema.Real, schema.Dynamic))
		}
		return out
	}
	for v, step := c.long(0, 0), c.long(2, 1); step != 0 && (step > 0 && v <= c.long(1, 0) || step < 0 && v >= c.long(1, 0)) && len(out) < most; v += step {
		out = append(out, convert(v, schema.Long, schema.Dynamic))
	}
	return out
}
