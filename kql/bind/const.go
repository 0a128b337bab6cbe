package bind

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// JSON writes a dynamic literal as minified JSON; nil for null. Datetimes and
// timespans become text, as the engine's own JSON has them.
func JSON(v syntax.Value) any {
	if v == nil {
		return nil
	}
	var b strings.Builder
	writeJSON(&b, v)
	return b.String()
}

func writeJSON(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(FormatReal(v, true))
	case string:
		writeText(b, v)
	case syntax.Moment:
		writeText(b, schema.Ticks(v).String())
	case syntax.Length:
		writeText(b, FormatTimespan(schema.Ticks(v)))
	case []syntax.Value:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, e)
		}
		b.WriteByte(']')
	case syntax.Bag:
		b.WriteByte('{')
		seen := map[string]bool{}
		first := true
		for _, m := range v {
			if seen[m.Key] {
				continue
			}
			seen[m.Key] = true
			if !first {
				b.WriteByte(',')
			}
			first = false
			writeText(b, m.Key)
			b.WriteByte(':')
			writeJSON(b, m.Value)
		}
		b.WriteByte('}')
	}
}

func writeText(b *strings.Builder, s string) {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(strings.ToValidUTF8(s, "\ufffd")); err == nil {
		b.WriteString(strings.TrimSuffix(out.String(), "\n"))
	}
}

// FormatReal prints a real as KQL does: shortest digits that read back; in
// JSON a whole number keeps ".0".
func FormatReal(f float64, inJSON bool) string {
	switch {
	case math.IsNaN(f):
		if inJSON {
			return `"NaN"`
		}
		return "NaN"
	case math.IsInf(f, 1):
		if inJSON {
			return `"Infinity"`
		}
		return "inf"
	case math.IsInf(f, -1):
		if inJSON {
			return `"-Infinity"`
		}
		return "-inf"
	}
	return native.RealText(f, inJSON)
}

// FormatTimespan prints [-][d.]hh:mm:ss[.fffffff].
func FormatTimespan(t schema.Ticks) string {
	var b strings.Builder
	if t < 0 {
		b.WriteByte('-')
	}
	u := uint64(t)
	if t < 0 {
		u = -u
	}
	if d := u / uint64(schema.Day); d > 0 {
		b.WriteString(strconv.FormatUint(d, 10) + ".")
	}
	two := func(n uint64) string { return string([]byte{'0' + byte(n/10), '0' + byte(n%10)}) }
	b.WriteString(two(u/uint64(schema.Hour)%24) + ":" + two(u/uint64(schema.Minute)%60) + ":" + two(u/uint64(schema.Second)%60))
	if f := u % uint64(schema.Second); f > 0 {
		s := strconv.FormatUint(f+uint64(schema.Second), 10)
		b.WriteString("." + s[1:])
	}
	return b.String()
}

// elements gives the constants of a constant array.
func elements(k *plan.Const) ([]plan.Expr, bool) {
	text, ok := k.Value.(string)
	if !ok || !strings.HasPrefix(text, "[") {
		return nil, false
	}
	var raw []json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil, false
	}
	out := make([]plan.Expr, len(raw))
	for i, r := range raw {
		out[i] = fromJSON(string(r))
	}
	return out, true
}

// fromJSON gives a JSON value as a constant of the type that it shows.
func fromJSON(text string) *plan.Const {
	switch {
	case text == "null":
		return &plan.Const{Typ: schema.Dynamic}
	case text == "true" || text == "false":
		return &plan.Const{Typ: schema.Bool, Value: text == "true"}
	case text[0] == '"':
		var s string
		if json.Unmarshal([]byte(text), &s) == nil {
			return &plan.Const{Typ: schema.String, Value: s}
		}
	case text[0] == '-' || text[0] >= '0' && text[0] <= '9':
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return &plan.Const{Typ: schema.Long, Value: n}
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return &plan.Const{Typ: schema.Real, Value: f}
		}
	}
	return &plan.Const{Typ: schema.Dynamic, Value: text}
}

// Fold computes what is constant in x as far as that is simple; else it gives x.
func Fold(x plan.Expr, now schema.Ticks) plan.Expr {
	c, ok := x.(*plan.Call)
	if !ok {
		return x
	}
	args := make([]*plan.Const, len(c.Args))
	for i, a := range c.Args {
		k, ok := Fold(a, now).(*plan.Const)
		if !ok {
			return x
		}
		args[i] = k
	}
	switch c.Func {
	case "now":
		offset := int64(0)
		if len(args) == 1 {
			offset, _ = args[0].Value.(int64)
		}
		return &plan.Const{Typ: schema.DateTime, Value: int64(now) + offset}
	case "ago":
		if n, ok := args[0].Value.(int64); ok {
			return &plan.Const{Typ: schema.DateTime, Value: int64(now) - n}
		}
	case "neg":
		switch v := args[0].Value.(type) {
		case int64:
			return &plan.Const{Typ: c.Typ, Value: -v}
		case float64:
			return &plan.Const{Typ: c.Typ, Value: -v}
		}
	case "add", "sub", "mul", "div":
		return foldArithmetic(c, args)
	case "scale":
		if n, ok := args[0].Value.(int64); ok && len(args) == 2 {
			if f, ok := args[1].Value.(float64); ok && math.Abs(float64(n)*f) < 1<<53 {
				return &plan.Const{Typ: c.Typ, Value: int64(math.Round(float64(n) * f))}
			}
		}
	case "strcat":
		s := ""
		for _, a := range args {
			v, ok := a.Value.(string)
			if !ok {
				return x
			}
			s += v
		}
		return &plan.Const{Typ: schema.String, Value: s}
	case "tolong", "toint", "toreal", "tostring", "todynamic", "totimespan", "todatetime", "tobool", "toguid", "todecimal":
		if k, ok := constantAs(args[0], c.Typ); ok {
			return k
		}
	case "parse_json":
		if s, ok := args[0].Value.(string); ok && args[0].Typ == schema.String && json.Valid([]byte(s)) {
			var out strings.Builder
			var v json.RawMessage = json.RawMessage(s)
			if strings.TrimSpace(s) == "null" {
				return plan.Null(schema.Dynamic)
			}
			if compact, err := json.Marshal(v); err == nil && !strings.ContainsAny(s, "<>&\u2028\u2029") {
				out.Write(compact)
				return &plan.Const{Typ: schema.Dynamic, Value: out.String()}
			}
		}
	case "pack_array":
		var out strings.Builder
		out.WriteByte('[')
		for i, a := range args {
			if i > 0 {
				out.WriteByte(',')
			}
			k, ok := constantAs(a, schema.Dynamic)
			if !ok {
				return x
			}
			if s, ok := k.Value.(string); ok {
				out.WriteString(s)
			} else {
				out.WriteString("null")
			}
		}
		return &plan.Const{Typ: schema.Dynamic, Value: out.String() + "]"}
	}
	return x
}

func foldArithmetic(c *plan.Call, args []*plan.Const) plan.Expr {
	if a, ok := args[0].Value.(int64); ok {
		if b, ok := args[1].Value.(int64); ok && c.Typ != schema.Real {
			switch c.Func {
			case "add":
				if s := a + b; (s > a) == (b > 0) {
					return &plan.Const{Typ: c.Typ, Value: s}
				}
			case "sub":
				if s := a - b; (s < a) == (b > 0) {
					return &plan.Const{Typ: c.Typ, Value: s}
				}
			case "mul":
				if a == 0 || (a*b)/a == b && !(a == -1 && b == math.MinInt64) {
					return &plan.Const{Typ: c.Typ, Value: a * b}
				}
			}
		}
	}
	if a, ok := args[0].Value.(int64); ok && c.Func == "div" {
		if b, ok := args[1].Value.(int64); ok && c.Typ == schema.Long && b > 0 {
			return &plan.Const{Typ: c.Typ, Value: a / b}
		}
	}
	if a, ok := args[0].Value.(float64); ok {
		if b, ok := args[1].Value.(float64); ok && c.Typ == schema.Real {
			v := map[string]float64{"add": a + b, "sub": a - b, "mul": a * b, "div": a / b}[c.Func]
			return &plan.Const{Typ: c.Typ, Value: v}
		}
	}
	return c
}

// constantAs converts a constant; false where only the engine can say.
func constantAs(k *plan.Const, t schema.Type) (*plan.Const, bool) {
	if k.Typ == t {
		return k, true
	}
	if k.Value == nil {
		return plan.Null(t), true
	}
	switch v := k.Value.(type) {
	case int64:
		switch {
		case k.Typ == schema.Int || k.Typ == schema.Long:
			switch t {
			case schema.Long:
				return &plan.Const{Typ: t, Value: v}, true
			case schema.Int:
				return &plan.Const{Typ: t, Value: v}, v == int64(int32(v))
			case schema.Real:
				return &plan.Const{Typ: t, Value: float64(v)}, true
			case schema.String, schema.Dynamic, schema.Decimal:
				return &plan.Const{Typ: t, Value: strconv.FormatInt(v, 10)}, true
			case schema.Bool:
				return &plan.Const{Typ: t, Value: v != 0}, true
			}
		case k.Typ == schema.DateTime && t == schema.String:
			return &plan.Const{Typ: t, Value: schema.Ticks(v).String()}, true
		case k.Typ == schema.TimeSpan && t == schema.String:
			return &plan.Const{Typ: t, Value: FormatTimespan(schema.Ticks(v))}, true
		case t == schema.Dynamic:
			var b strings.Builder
			if k.Typ == schema.DateTime {
				writeText(&b, schema.Ticks(v).String())
			} else {
				writeText(&b, FormatTimespan(schema.Ticks(v)))
			}
			return &plan.Const{Typ: t, Value: b.String()}, true
		case t == schema.Long:
			return &plan.Const{Typ: t, Value: v}, true
		}
	case float64:
		switch t {
		case schema.Long:
			if v >= math.MinInt64 && v < math.MaxInt64 {
				return &plan.Const{Typ: t, Value: int64(v)}, true
			}
		case schema.Dynamic:
			return &plan.Const{Typ: t, Value: FormatReal(v, true)}, true
		case schema.String:
			return &plan.Const{Typ: t, Value: FormatReal(v, false)}, true
		}
	case bool:
		switch t {
		case schema.Dynamic:
			return &plan.Const{Typ: t, Value: strconv.FormatBool(v)}, true
		case schema.String:
			return &plan.Const{Typ: t, Value: map[bool]string{true: "True", false: "False"}[v]}, true
		case schema.Long, schema.Int:
			if v {
				return &plan.Const{Typ: t, Value: int64(1)}, true
			}
			return &plan.Const{Typ: t, Value: int64(0)}, true
		}
	case string:
		return textAs(k, v, t)
	}
	return nil, false
}

func textAs(k *plan.Const, v string, t schema.Type) (*plan.Const, bool) {
	if k.Typ == schema.Dynamic {
		inner := fromJSON(v)
		if inner.Typ == schema.Bool && t == schema.String {
			return &plan.Const{Typ: t, Value: v}, true
		}
		if inner.Typ != schema.Dynamic {
			return constantAs(inner, t)
		}
		if t == schema.String {
			return &plan.Const{Typ: t, Value: v}, true
		}
		return nil, false
	}
	if k.Typ == schema.Decimal || k.Typ == schema.Guid {
		if t == schema.String {
			return &plan.Const{Typ: t, Value: v}, true
		}
		return nil, false
	}
	switch t {
	case schema.Dynamic:
		var b strings.Builder
		writeText(&b, v)
		return &plan.Const{Typ: t, Value: b.String()}, true
	case schema.DateTime:
		if d, err := syntax.ParseDateTime(v); err == nil {
			return &plan.Const{Typ: t, Value: int64(d)}, true
		}
		return plan.Null(t), true
	case schema.TimeSpan:
		if d, ok := syntax.ParseTimespan(v); ok {
			return &plan.Const{Typ: t, Value: int64(d)}, true
		}
		return plan.Null(t), true
	case schema.Long, schema.Int:
		if n, ok := syntax.ParseInteger(v); ok && (t == schema.Long || n == int64(int32(n))) {
			return &plan.Const{Typ: t, Value: n}, true
		}
	case schema.Guid:
		if g, ok := syntax.ParseGuid(v); ok {
			return &plan.Const{Typ: t, Value: g}, true
		}
		return plan.Null(t), true
	}
	return nil, false
}
