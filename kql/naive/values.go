package naive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lockstep/kql/native"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// bag is a dynamic object, its keys in their order.
type bag struct {
	keys   []string
	values map[string]any
}

func newBag() *bag { return &bag{values: map[string]any{}} }

func (b *bag) set(k string, v any) {
	if _, have := b.values[k]; !have {
		b.keys = append(b.keys, k)
	}
	b.values[k] = v
}

// readJSON reads a dynamic; a text that is no JSON is a text.
func readJSON(s string) any {
	if s == "" {
		return nil
	}
	if !json.Valid([]byte(s)) {
		return s
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	return readPart(d)
}

func readPart(d *json.Decoder) any {
	t, err := d.Token()
	if err != nil {
		return nil
	}
	switch t {
	case json.Delim('['):
		out := []any{}
		for d.More() {
			out = append(out, readPart(d))
		}
		_, _ = d.Token() // the text is valid
		return out
	case json.Delim('{'):
		b := newBag()
		for d.More() {
			k, _ := readPart(d).(string)
			b.set(k, readPart(d))
		}
		_, _ = d.Token()
		return b
	}
	return t
}

// jsonText writes a dynamic.
func jsonText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return realText(v, true)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = jsonText(x)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case *bag:
		parts := make([]string, len(v.keys))
		for i, k := range v.keys {
			parts[i] = jsonText(k) + ":" + jsonText(v.values[k])
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// realText: the shortest digits that read back.
func realText(f float64, quoted bool) string {
	s := ""
	switch {
	case math.IsNaN(f):
		s = "NaN"
	case math.IsInf(f, 1):
		s = "Infinity"
	case math.IsInf(f, -1):
		s = "-Infinity"
	case f != 0 && (math.Abs(f) < 1e-5 || math.Abs(f) >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	default:
		if quoted {
			if s = strconv.FormatFloat(f, 'f', -1, 64); !strings.Contains(s, ".") {
				s += ".0"
			}
			return s
		}
		return native.RealText(f, false) // the engine's own choice of digits
	}
	if quoted {
		return `"` + s + `"`
	}
	return map[string]string{"NaN": s, "Infinity": "inf", "-Infinity": "-inf"}[s]
}

// timeText: yyyy-MM-ddTHH:mm:ss.fffffffZ.
func timeText(t int64) string {
	return time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(t/int64(schema.Day))).Format("2006-01-02") +
		fmt.Sprintf("T%02d:%02d:%02d.%07dZ", t/int64(schema.Hour)%24, t/int64(schema.Minute)%60, t/int64(schema.Second)%60, t%int64(schema.Second))
}

// spanText: [-][d.]hh:mm:ss[.fffffff].
func spanText(t int64) string {
	sign, n := "", uint64(t)
	if t < 0 {
		sign, n = "-", -n
	}
	day, second := uint64(schema.Day), uint64(schema.Second)
	s := fmt.Sprintf("%02d:%02d:%02d", n%day/uint64(schema.Hour), n/uint64(schema.Minute)%60, n/second%60)
	if d := n / day; d > 0 {
		s = fmt.Sprintf("%d.%s", d, s)
	}
	if f := n % second; f > 0 {
		s += fmt.Sprintf(".%07d", f)
	}
	return sign + s
}

// text is the text of a value that is one already.
func text(v any) string { s, _ := v.(string); return s }

// identity tells values apart: equal values have equal texts.
func identity(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case float64:
		if v == 0 {
			v = 0 // zero has no sign
		}
		return "r" + strconv.FormatFloat(v, 'g', -1, 64)
	case int64:
		return "i" + strconv.FormatInt(v, 10)
	case string:
		return "s" + v
	case bool:
		return "b" + strconv.FormatBool(v)
	}
	return "d" + jsonText(v)
}

// order compares two values of one type that are no nulls; NaN is the greatest.
func order(a, b any) int {
	switch a := a.(type) {
	case int64:
		return compare(a, b.(int64))
	case float64:
		b := b.(float64)
		switch {
		case math.IsNaN(a) && math.IsNaN(b):
			return 0
		case math.IsNaN(a):
			return 1
		case math.IsNaN(b):
			return -1
		}
		return compare(a, b)
	case string:
		return strings.Compare(a, text(b))
	case bool:
		switch {
		case a == b.(bool):
			return 0
		case a:
			return 1
		}
		return -1
	}
	return strings.Compare(jsonText(a), jsonText(b))
}

func compare[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// convert makes a value of one type one of another; what can't be is null.
func convert(v any, from, to schema.Type) any {
	if from == to {
		return v
	}
	if v == nil {
		return empty(to)
	}
	if to == schema.Dynamic {
		return asDynamic(v, from)
	}
	if from == schema.Dynamic {
		if n, ok := v.(json.Number); ok && to != schema.String {
			return fromNumber(n, to)
		}
		v, from = asText(v, from), schema.String
		if to == schema.String {
			return v
		}
	}
	switch to {
	case schema.String:
		return asText(v, from)
	case schema.Bool:
		return asBool(v)
	case schema.Long:
		return asLong(v)
	case schema.Int:
		n, ok := asLong(v).(int64)
		if from == schema.TimeSpan && ok {
			return int64(int32(n))
		}
		if !ok || n != int64(int32(n)) || from == schema.DateTime {
			return nil
		}
		return n
	case schema.Real:
		return asReal(v)
	case schema.DateTime:
		if s, ok := v.(string); ok {
			t, err := syntax.ParseDateTime(s)
			if err != nil {
				return nil
			}
			return int64(t)
		}
		n, ok := asLong(v).(int64)
		if !ok || n < int64(schema.MinTicks) || n > int64(schema.MaxTicks) {
			return nil
		}
		return n
	case schema.TimeSpan:
		if s, ok := v.(string); ok {
			t, ok := syntax.ParseTimespan(s)
			if !ok {
				return nil
			}
			return int64(t)
		}
		return asLong(v)
	case schema.Guid:
		if s, ok := v.(string); ok {
			return guid(s)
		}
		return nil
	}
	unknown("a conversion to " + to.String())
	return nil
}

// fromNumber converts a number inside of a dynamic.
func fromNumber(n json.Number, to schema.Type) any {
	if i, err := n.Int64(); err == nil {
		switch to {
		case schema.Int:
			return int64(int32(i)) // the low bits
		case schema.DateTime, schema.TimeSpan, schema.Guid:
			return convert(string(n), schema.String, to)
		}
		return convert(i, schema.Long, to)
	}
	f, err := n.Float64()
	if err != nil {
		return nil
	}
	switch to {
	case schema.DateTime, schema.TimeSpan, schema.Guid:
		return convert(string(n), schema.String, to)
	case schema.Long:
		if f > 9e18 {
			return int64(math.MaxInt64)
		} else if f < -9e18 {
			return int64(math.MinInt64)
		}
	case schema.Int:
		if f > math.MaxInt32 {
			return int64(math.MaxInt32)
		} else if f < math.MinInt32 {
			return int64(math.MinInt32)
		}
	case schema.Bool:
		return nil // a real inside of a dynamic is neither
	}
	return convert(f, schema.Real, to)
}

func asDynamic(v any, from schema.Type) any {
	switch from {
	case schema.DateTime:
		return timeText(v.(int64))
	case schema.TimeSpan:
		return spanText(v.(int64))
	}
	switch v := v.(type) {
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return strings.Trim(realText(v, true), `"`)
		}
		return json.Number(realText(v, false))
	}
	return v
}

func asText(v any, from schema.Type) string {
	switch from {
	case schema.DateTime:
		return timeText(v.(int64))
	case schema.TimeSpan:
		return spanText(v.(int64))
	case schema.Dynamic:
		if s, ok := v.(string); ok {
			return s
		}
		return jsonText(v)
	}
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return realText(v, false)
	}
	return ""
}

func asBool(v any) any {
	switch v := v.(type) {
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		if strings.EqualFold(v, "true") || strings.EqualFold(v, "false") {
			return strings.EqualFold(v, "true")
		}
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n != 0
		}
	}
	return nil
}

func asLong(v any) any {
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case int64:
		return v
	case float64:
		if math.IsNaN(v) || v >= math.MaxInt64 || v < math.MinInt64 {
			return nil
		}
		return int64(v)
	case string:
		s := strings.ToLower(strings.TrimSpace(v))
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		if hex, ok := strings.CutPrefix(s, "0x"); ok {
			n, err := strconv.ParseUint(hex, 16, 64)
			if err != nil {
				return nil
			}
			return int64(n)
		}
		switch s {
		case "true":
			return int64(1)
		case "false":
			return int64(0)
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return asLong(f)
		}
	}
	return nil
}

func asReal(v any) any {
	switch v := v.(type) {
	case bool:
		if v {
			return 1.0
		}
		return 0.0
	case int64:
		return float64(v)
	case float64:
		return v
	case string:
		s := strings.ToLower(strings.TrimSpace(v))
		switch s {
		case "true":
			return 1.0
		case "false":
			return 0.0
		}
		// INF in capitals is no number to the engine; what is too large is infinite.
		f, err := strconv.ParseFloat(s, 64)
		if (err == nil || errors.Is(err, strconv.ErrRange)) && !strings.ContainsAny(s, "xp_") && strings.TrimLeft(strings.TrimSpace(v), "+-") != "INF" {
			return f
		}
	}
	return nil
}

func guid(s string) any {
	s = strings.ToLower(strings.Trim(strings.TrimSpace(s), "{}()"))
	digits := strings.ReplaceAll(s, "-", "")
	if len(digits) != 32 || strings.Trim(digits, "0123456789abcdef") != "" {
		return nil
	}
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}
