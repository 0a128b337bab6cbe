package native

import (
	"strconv"
	"strings"
)

// placeNumbers is place for pairs whose values are plain numbers, as nearly all
// are: they needn't be read as JSON. ok is false for any other text.
func placeNumbers(pairs string, n int64, otherwise string) (out string, ok bool) {
	rest, ok := strings.CutPrefix(pairs, "[")
	if !ok || otherwise != "null" && !plainNumber(otherwise) {
		return "", false
	}
	values := make([]string, n)
	for rest != "]" {
		pair, after, found := strings.Cut(rest, "]")
		if rest = after; rest != "]" {
			var more bool
			if rest, more = strings.CutPrefix(after, ","); !more || !strings.HasPrefix(rest, "[") {
				return "", false
			}
		}
		pair, opened := strings.CutPrefix(pair, "[")
		at, value, comma := strings.Cut(pair, ",")
		i, err := strconv.ParseInt(at, 10, 64)
		if !found || !opened || !comma || err != nil || value != "null" && !plainNumber(value) {
			return "", false
		}
		if i >= 0 && i < n {
			values[i] = value
		}
	}
	var b strings.Builder
	b.Grow(int(n)*(len(otherwise)+3) + 2)
	b.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		if v == "" {
			v = otherwise
		}
		b.WriteString(v)
	}
	b.WriteByte(']')
	return b.String(), true
}

// plainNumber tells whether s is digits, with a sign and a fraction perhaps.
func plainNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, dotted := strings.Cut(s, ".")
	digits := func(s string) bool {
		for i := range len(s) {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		}
		return s != ""
	}
	return digits(whole) && len(s) < 16 && (!dotted || digits(fraction)) && (len(whole) == 1 || whole[0] != '0')
}
