package native

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// object is a JSON object in its written order.
type object struct {
	keys []string
	vals map[string]any
}

func newObject() *object { return &object{vals: map[string]any{}} }

func (o *object) set(k string, v any) {
	if _, ok := o.vals[k]; !ok {
		o.keys = append(o.keys, k)
	}
	o.vals[k] = v
}

// read reads JSON text: nil, bool, json.Number, string, []any, *object.
func read(text string) (any, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := readValue(d)
	return v, err == nil
}

func readValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		o := newObject()
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			key, _ := k.(string)
			o.set(key, v)
		}
		_, err = d.Token()
		return o, err
	}
	return t, nil
}

// write gives JSON text; nil stays nil, so that a dynamic null is null.
func write(v any) any {
	if v == nil {
		return nil
	}
	var b strings.Builder
	put(&b, v)
	return b.String()
}

func put(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case json.Number:
		b.WriteString(string(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case int:
		b.WriteString(strconv.Itoa(v))
	case float64:
		b.WriteString(realText(v, true))
	case string:
		b.WriteString(quoteText(v))
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			put(b, e)
		}
		b.WriteByte(']')
	case *object:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quoteText(k))
			b.WriteByte(':')
			put(b, v.vals[k])
		}
		b.WriteByte('}')
	}
}

func quoteText(s string) string {
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x80 || c < 0x20: // control characters and other scripts, as the standard library writes them
			return quoteAny(s)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

func quoteAny(s string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(strings.ToValidUTF8(s, "\ufffd")) != nil {
		return `""`
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// parseJSON minifies JSON; what is none becomes a JSON text of itself.
func parseJSON(text string) any {
	if text == "" {
		return nil
	}
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return quoteText(text)
	}
	if s := out.String(); s != "null" {
		return s
	}
	return nil
}

// array gives the elements of a JSON array; ok is false for anything else.
func array(a any) ([]any, bool) {
	text, ok := a.(string)
	if !ok || !strings.HasPrefix(text, "[") {
		return nil, false
	}
	v, ok := read(text)
	list, is := v.([]any)
	return list, ok && is
}

func bag(a any) (*object, bool) {
	text, ok := a.(string)
	if !ok || !strings.HasPrefix(text, "{") {
		return nil, false
	}
	v, ok := read(text)
	o, is := v.(*object)
	return o, ok && is
}

// plain gives a JSON value as text: a string bare, all else as JSON.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return str(write(v))
}

// floats reads an array of numbers; what is no number is NaN.
func floats(a any) ([]float64, bool) {
	list, ok := array(a)
	if !ok {
		return nil, false
	}
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = number(v)
	}
	return out, true
}

func number(v any) float64 {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err == nil {
			return f
		}
	case string:
		switch v {
		case "Infinity":
			return math.Inf(1)
		case "-Infinity":
			return math.Inf(-1)
		}
	case bool:
		if v {
			return 1
		}
		return 0
	}
	return math.NaN()
}

func fromFloats(list []float64) any {
	out := make([]any, len(list))
	for i, f := range list {
		if math.IsNaN(f) {
			out[i] = nil
			continue
		}
		out[i] = f
	}
	return write(out)
}

// same tells whether two JSON values are equal.
func same(a, b any) bool {
	if x, ok := a.(json.Number); ok {
		if y, ok := b.(json.Number); ok {
			return x == y || number(x) == number(y)
		}
	}
	return str(write(a)) == str(write(b)) && (a == nil) == (b == nil)
}

// realText prints a real: the shortest digits that read back.
func realText(f float64, inJSON bool) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		s := map[bool]string{true: "Infinity", false: "-Infinity"}[f > 0]
		if math.IsNaN(f) {
			s = "NaN"
		}
		switch {
		case inJSON:
			return `"` + s + `"`
		case s == "Infinity":
			return "inf"
		case s == "-Infinity":
			return "-inf"
		}
		return s
	}
	return RealText(f, inJSON)
}
