package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lockstep/schema"
)

func conversions() []Function {
	return []Function{
		{Name: "real_text", Params: types(tReal), Least: 1, Result: tText, Eval: func(a []any) any { return realText(real(a[0]), false) }},
		{Name: "real_json", Params: types(tReal), Least: 1, Result: tDyn, Eval: func(a []any) any { return realText(real(a[0]), true) }},
		{Name: "datetime_text", Params: types(tTime), Least: 1, Result: tText, Eval: func(a []any) any { return schema.Ticks(num(a[0])).String() }},
		{Name: "timespan_text", Params: types(tSpan), Least: 1, Result: tText, Eval: func(a []any) any { return spanText(num(a[0])) }},
		{Name: "long", Params: types(tText), Least: 1, Result: tLong, Eval: func(a []any) any { return toLong(str(a[0])) }},
		{Name: "real", Params: types(tText), Least: 1, Result: tReal, Eval: func(a []any) any { return toReal(str(a[0])) }},
		{Name: "bool", Params: types(tText), Least: 1, Result: tBool, Eval: func(a []any) any { return toBool(str(a[0])) }},
		{Name: "datetime", Params: types(tText), Least: 1, Result: tTime, Eval: func(a []any) any { return toDatetime(str(a[0])) }},
		{Name: "timespan", Params: types(tText), Least: 1, Result: tSpan, Eval: func(a []any) any { return toTimespan(str(a[0])) }},
		{Name: "guid", Params: types(tText), Least: 1, Result: tGuid, Eval: func(a []any) any {
			if g, ok := parseGuid(str(a[0])); ok {
				return g
			}
			return nil
		}},
		{Name: "parse_json", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any { return parseJSON(str(a[0])) }},
		{Name: "gettype", Params: types(tDyn), Least: 1, Nulls: true, Result: tText, Eval: func(a []any) any { return typeName(a[0]) }},
		{Name: "tohex", Params: types(tLong, tLong), Least: 1, Result: tText, Eval: func(a []any) any {
			return fmt.Sprintf("%0*x", min(max(given(a, 1, 1), 0), 64), uint64(num(a[0])))
		}},
		{Name: "round", Params: types(tReal, tLong), Least: 1, Result: tReal, Eval: func(a []any) any { return round(real(a[0]), given(a, 1, 0)) }},
		{Name: "rand", Params: types(tReal), Least: 0, Volatile: true, Result: tReal, Eval: func(a []any) any { return random(a) }},
		{Name: "wrap", Params: types(tText, tLong, tLong), Least: 3, Result: tLong, Eval: func(a []any) any {
			switch str(a[0]) {
			case "+":
				return num(a[1]) + num(a[2])
			case "-":
				return num(a[1]) - num(a[2])
			}
			return num(a[1]) * num(a[2])
		}},
		{Name: "shift", Params: types(tLong, tLong), Least: 2, Result: tLong, Eval: func(a []any) any {
			n := num(a[1])
			switch {
			case n >= 64 || n <= -64:
				return int64(0)
			case n < 0:
				return num(a[0]) >> -n
			}
			return num(a[0]) << n
		}},
	}
}

// round rounds half away from zero, as the engine does.
func round(f float64, digits int64) any {
	if digits > 15 || digits < -15 {
		return f
	}
	p := math.Pow(10, float64(digits))
	r := math.Round(f*p) / p
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return f
	}
	return r
}

func toLong(s string) any {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if h, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		if n, err := strconv.ParseUint(h, 16, 64); err == nil {
			return int64(n)
		}
		return nil
	}
	switch strings.ToLower(s) {
	case "true":
		return int64(1)
	case "false":
		return int64(0)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f > -9.2e18 && f < 9.2e18 {
		return int64(f)
	}
	return nil
}

func toReal(s string) any {
	s = strings.TrimSpace(s)
	f, err := strconv.ParseFloat(s, 64)
	tooLarge := errors.Is(err, strconv.ErrRange) // the number is infinite then, or zero
	if (err == nil || tooLarge) && !strings.ContainsAny(s, "_pPxX") && strings.TrimLeft(s, "+-") != "INF" {
		return f
	}
	switch strings.ToLower(s) {
	case "true":
		return 1.0
	case "false":
		return 0.0
	}
	return nil
}

func toBool(s string) any {
	switch strings.ToLower(s) {
	case "true":
		return true
	case "false":
		return false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n != 0
	}
	return nil
}

func parseGuid(text string) (string, bool) {
	hex := strings.ToLower(strings.NewReplacer("-", "", "{", "", "}", "", "(", "", ")", "").Replace(strings.TrimSpace(text)))
	if len(hex) != 32 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", false
	}
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:], true
}

func typeName(a any) any {
	text, ok := a.(string)
	if !ok {
		return "null"
	}
	v, ok := read(text)
	if !ok {
		return "string"
	}
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case string:
		return "string"
	case []any:
		return "array"
	case *object:
		return "dictionary"
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			return "double"
		}
	}
	return "long"
}

func spanText(n int64) string {
	var b strings.Builder
	u := uint64(n)
	if n < 0 {
		b.WriteByte('-')
		u = -u
	}
	if d := u / uint64(schema.Day); d > 0 {
		fmt.Fprintf(&b, "%d.", d)
	}
	fmt.Fprintf(&b, "%02d:%02d:%02d", u/uint64(schema.Hour)%24, u/uint64(schema.Minute)%60, u/uint64(schema.Second)%60)
	if f := u % uint64(schema.Second); f > 0 {
		fmt.Fprintf(&b, ".%07d", f)
	}
	return b.String()
}

// inRange gives a time as datetime, null outside of years 1 to 9999.
func inRange(t time.Time) any {
	if y := t.Year(); y < 1 || y > 9999 {
		return nil
	}
	return int64(schema.At(t))
}
