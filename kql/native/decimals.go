package native

import (
	"math/big"
	"strconv"
	"strings"
)

// decimals are the functions of decimal values. A decimal is its text in one
// form, without zeros that say nothing: equal texts are equal values.
func decimals() []Function {
	fold := func(f func([]*big.Rat) *big.Rat) func([]any) any {
		return func(a []any) any {
			var list []*big.Rat
			for _, word := range strings.Split(str(a[0]), ",") {
				if r, ok := new(big.Rat).SetString(word); ok && !exponentTooLarge(word) {
					list = append(list, r)
				}
			}
			if r := f(list); r != nil {
				return ratText(r)
			}
			return nil
		}
	}
	sum := func(list []*big.Rat) *big.Rat {
		t := new(big.Rat)
		for _, r := range list {
			t.Add(t, r)
		}
		return t
	}
	one := func(f func(*big.Rat) any) func([]any) any {
		return func(a []any) any {
			r, ok := new(big.Rat).SetString(str(a[0]))
			if !ok || exponentTooLarge(str(a[0])) {
				return nil
			}
			return f(r)
		}
	}
	return []Function{
		{Name: "decimal_of", Params: types(tText), Least: 1, Result: tDec, Eval: func(a []any) any { return decimalOf(str(a[0])) }},
		{Name: "decimal", Params: types(tText, tDec, tDec), Least: 3, Result: tDec, Eval: func(a []any) any { return decimal(str(a[0]), str(a[1]), str(a[2])) }},
		{Name: "decimal_compare", Params: types(tDec, tDec), Least: 2, Result: tLong, Eval: func(a []any) any {
			x, ok1 := new(big.Rat).SetString(str(a[0]))
			y, ok2 := new(big.Rat).SetString(str(a[1]))
			if !ok1 || !ok2 {
				return nil
			}
			return int64(x.Cmp(y))
		}},
		{Name: "decimal_key", Params: types(tDec), Least: 1, Result: tText, Eval: one(func(r *big.Rat) any { return decimalKey(r) })},
		{Name: "decimal_value", Params: types(tText), Least: 1, Result: tDec, Eval: func(a []any) any { return decimalFrom(str(a[0])) }},
		{Name: "decimal_sum", Params: types(tText), Least: 1, Result: tDec, Eval: fold(sum)},
		{Name: "decimal_avg", Params: types(tText), Least: 1, Result: tDec, Eval: fold(func(list []*big.Rat) *big.Rat {
			if len(list) == 0 {
				return nil
			}
			return sum(list).Quo(sum(list), new(big.Rat).SetInt64(int64(len(list))))
		})},
		{Name: "decimal_abs", Params: types(tDec), Least: 1, Result: tDec, Eval: one(func(r *big.Rat) any { return ratText(r.Abs(r)) })},
		{Name: "decimal_sign", Params: types(tDec), Least: 1, Result: tReal, Eval: one(func(r *big.Rat) any { return float64(r.Sign()) })},
		{Name: "decimal_ceiling", Params: types(tDec), Least: 1, Result: tDec, Eval: one(func(r *big.Rat) any {
			n := new(big.Int).Div(new(big.Int).Neg(r.Num()), r.Denom())
			return n.Neg(n).String()
		})},
		{Name: "decimal_long", Params: types(tDec), Least: 1, Result: tLong, Eval: one(func(r *big.Rat) any {
			n := new(big.Int).Quo(r.Num(), r.Denom())
			if !n.IsInt64() {
				return nil
			}
			return n.Int64()
		})},
		{Name: "decimal_round", Params: types(tDec, tLong), Least: 1, Result: tDec, Eval: func(a []any) any {
			r, ok := new(big.Rat).SetString(str(a[0]))
			n := given(a, 1, 0)
			if !ok || n < -30 || n > 28 {
				return a[0]
			}
			if n >= 0 {
				return decimalOf(r.FloatString(int(n)))
			}
			p := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(-n), nil))
			rounded, _ := new(big.Rat).SetString(new(big.Rat).Quo(r, p).FloatString(0))
			return ratText(rounded.Mul(rounded, p))
		}},
	}
}

// Decimal gives the one form of a decimal's text.
func Decimal(text string) (string, bool) {
	s, ok := decimalOf(text).(string)
	return s, ok
}

// Digits of a key before and behind the point.
const keyWhole, keyPart = 60, 40

// decimalKey is a text that sorts as the decimal does: digits of fixed length,
// those of a negative one turned about.
func decimalKey(r *big.Rat) any {
	scaled := new(big.Int).Exp(big.NewInt(10), big.NewInt(keyPart), nil)
	n := new(big.Rat).Mul(r, new(big.Rat).SetInt(scaled))
	digits := new(big.Int).Quo(n.Num(), n.Denom())
	text := new(big.Int).Abs(digits).String()
	if len(text) > keyWhole+keyPart {
		return nil
	}
	text = strings.Repeat("0", keyWhole+keyPart-len(text)) + text
	if digits.Sign() < 0 {
		return "0" + complement(text)
	}
	return "1" + text
}

func complement(digits string) string {
	b := []byte(digits)
	for i := range b {
		b[i] = '9' - b[i] + '0'
	}
	return string(b)
}

func decimalFrom(key string) any {
	if len(key) != 1+keyWhole+keyPart || strings.Trim(key, "0123456789") != "" {
		return nil
	}
	digits, minus := key[1:], ""
	if key[0] == '0' {
		digits, minus = complement(digits), "-"
	}
	r, ok := new(big.Rat).SetString(minus + digits[:keyWhole] + "." + digits[keyWhole:])
	if !ok {
		return nil
	}
	return ratText(r)
}

// decimals are carried as text with at most 34 significant digits.
func decimalOf(s string) any {
	s = strings.TrimSpace(s)
	if len(s) > 60 {
		return nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || strings.ContainsAny(s, "/_xXpP") || exponentTooLarge(s) {
		return nil
	}
	return ratText(r)
}

func exponentTooLarge(s string) bool {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		return err != nil || n > 40 || n < -40
	}
	return false
}

func ratText(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	s := r.FloatString(28)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func decimal(op, x, y string) any {
	a, ok1 := new(big.Rat).SetString(x)
	b, ok2 := new(big.Rat).SetString(y)
	if !ok1 || !ok2 {
		return nil
	}
	switch op {
	case "+":
		return ratText(a.Add(a, b))
	case "-":
		return ratText(a.Sub(a, b))
	case "*":
		return ratText(a.Mul(a, b))
	}
	if b.Sign() == 0 || op == "bin" && b.Sign() < 0 {
		return nil
	}
	if op == "bin" { // the multiple of b at or below a
		q := new(big.Rat).Quo(a, b)
		n := new(big.Int).Div(q.Num(), q.Denom())
		return ratText(b.Mul(b, new(big.Rat).SetInt(n)))
	}
	if op == "/" {
		return ratText(a.Quo(a, b))
	}
	q := new(big.Rat).Quo(a, b)
	whole := new(big.Int).Quo(q.Num(), q.Denom())
	return ratText(a.Sub(a, b.Mul(b, new(big.Rat).SetInt(whole))))
}
