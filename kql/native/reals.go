package native

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// RealText prints a finite real: as few digits as read back, a whole number
// with ".0". Of several such numbers tostring takes the largest, as the engine
// does (0.1 + 0.2 is 0.30000000000000007); JSON has the nearest.
func RealText(f float64, inJSON bool) string {
	s := strconv.FormatFloat(f, 'e', -1, 64)
	if !inJSON && strings.IndexByte(s, 'e') > 16 {
		s = largest(f, s)
	}
	if a := math.Abs(f); a == 0 || a < 1e16 && a >= 1e-5 {
		s = plainDigits(s)
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// largest gives the greatest decimal with as many digits as s that reads back as f.
func largest(f float64, s string) string {
	a := math.Abs(f)
	if a < 1e-300 || a > 1e300 {
		return s
	}
	next := math.Nextafter(a, math.Inf(1))
	end := new(big.Float).SetPrec(2200).SetFloat64(a)
	end.Add(end, new(big.Float).SetFloat64(next)).Quo(end, big.NewFloat(2))
	text := end.Text('e', 60)
	mantissa, exponent, _ := strings.Cut(s, "e")
	m, e, _ := strings.Cut(text, "e")
	length := len(strings.TrimPrefix(mantissa, "-"))
	if e != exponent || len(m) < length {
		return s
	}
	out := m[:length] + "e" + e
	if back, err := strconv.ParseFloat(out, 64); err != nil || back != a {
		return s
	}
	if f < 0 {
		out = "-" + out
	}
	return out
}

// plainDigits writes d.ddde±xx without an exponent.
func plainDigits(s string) string {
	mantissa, exponent, _ := strings.Cut(s, "e")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		return s
	}
	digits, minus := strings.CutPrefix(mantissa, "-")
	sign := ""
	if minus {
		sign = "-"
	}
	digits = strings.Replace(digits, ".", "", 1)
	point := e + 1
	switch {
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return sign + digits + strings.Repeat("0", point-len(digits))
	}
	return sign + digits[:point] + "." + digits[point:]
}
