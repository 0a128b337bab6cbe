package kqltest

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"lockstep/kql/native"
	"lockstep/schema"
)

// demand is a condition on one value: op is a comparison or a text operator of KQL.
type demand struct {
	op  string
	v   any
	not bool
}

// met tells, roughly, whether a value meets a demand.
func (d demand) met(v any, t schema.Type) bool {
	yes := false
	switch text := textOf(v); strings.TrimSuffix(d.op, "_cs") {
	case "some":
		return v != nil && v != ""
	case "long":
		n, _ := number64(d.v)
		return int64(len(text)) >= n
	case "eq", "lt", "le", "gt", "ge":
		w, ok := coerce(d.v, t)
		if !ok {
			return false
		}
		yes = ordered(d.op, v, w)
	case "=~":
		yes = strings.EqualFold(text, textOf(d.v))
	case "contains":
		yes = strings.Contains(strings.ToLower(text), strings.ToLower(textOf(d.v)))
	case "startswith":
		yes = strings.HasPrefix(strings.ToLower(text), strings.ToLower(textOf(d.v)))
	case "endswith":
		yes = strings.HasSuffix(strings.ToLower(text), strings.ToLower(textOf(d.v)))
	case "matches regex":
		re, err := regexp.Compile(textOf(d.v))
		yes = err == nil && re.MatchString(text)
	case "has", "hasprefix", "hassuffix":
		yes = hasTerm(strings.ToLower(text), strings.ToLower(textOf(d.v)), d.op)
	}
	return yes != d.not
}

func hasTerm(text, word, op string) bool {
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 || word == "" {
			return false
		}
		i += at
		before := strings.LastIndexFunc(text[:i], func(rune) bool { return true })
		left := before < 0 || !letter([]rune(text[before:i])[0])
		right := i+len(word) >= len(text) || !letter([]rune(text[i+len(word):])[0])
		if (left || op == "hassuffix") && (right || op == "hasprefix") {
			return true
		}
		at = i + len(word)
	}
}

func ordered(op string, v, w any) bool {
	c := 0
	switch a := v.(type) {
	case int64:
		b, ok := w.(int64)
		if !ok {
			return false
		}
		c = compareOf(a, b)
	case float64:
		b, ok := w.(float64)
		if !ok {
			return false
		}
		c = compareOf(a, b)
	case string:
		c = strings.Compare(a, textOf(w))
	case bool:
		if v != w {
			c = 1
		}
	default:
		return false
	}
	switch op {
	case "eq":
		return c == 0
	case "lt":
		return c < 0
	case "le":
		return c <= 0
	case "gt":
		return c > 0
	}
	return c >= 0
}

func compareOf[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func realOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// coerce brings a literal into a column's type.
func coerce(v any, t schema.Type) (any, bool) {
	call := func(name string, x any) (any, bool) {
		f, _ := native.Find(name)
		out := f.Call([]any{x})
		return out, out != nil
	}
	switch t {
	case schema.Int, schema.Long, schema.DateTime, schema.TimeSpan:
		switch v := v.(type) {
		case int64:
			return v, true
		case float64:
			return int64(v), true
		case bool:
			return map[bool]int64{true: 1}[v], true
		case string:
			return call(map[schema.Type]string{schema.DateTime: "datetime", schema.TimeSpan: "timespan"}[t]+map[bool]string{true: "long"}[t == schema.Int || t == schema.Long], v)
		}
	case schema.Real:
		switch v := v.(type) {
		case int64:
			return float64(v), true
		case float64:
			return v, true
		case string:
			return call("real", v)
		}
	case schema.Bool:
		switch v := v.(type) {
		case bool:
			return v, true
		case int64:
			return v != 0, true
		case string:
			return call("bool", v)
		}
	case schema.Guid:
		return call("guid", textOf(v))
	case schema.Decimal:
		return textOf(v), true
	case schema.String:
		if b, ok := v.(bool); ok {
			return map[bool]string{true: "True", false: "False"}[b], true
		}
		return textOf(v), true
	}
	return nil, false
}
