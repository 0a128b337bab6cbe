package rows

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/valyala/fastjson"

	"lockstep/schema"
)

func tooLong(n int) error {
	return fmt.Errorf("holds %d bytes or more, the limit is %d", n, TextLimit)
}

// set adds one JSON value to a column, by the column's type.
func (p *plan) set(column int, v *fastjson.Value) error {
	c := &p.batch.Columns[column]
	t := v.Type()
	if t == fastjson.TypeNull {
		c.AppendNull()
		return nil
	}
	if t == fastjson.TypeString {
		return p.setText(c, column, v.GetStringBytes())
	}
	switch c.Type {
	case schema.String, schema.Dynamic:
		text := p.marshal(v)
		if len(text) > TextLimit {
			return tooLong(len(text))
		}
		c.AppendText(p.text(column, text))
		return nil
	}
	switch t {
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return setBool(c, t == fastjson.TypeTrue)
	case fastjson.TypeNumber:
		return setNumber(c, p.marshal(v))
	}
	return mismatch(c.Type, kind(v))
}

// marshal gives a value's JSON in a buffer that the next call reuses.
func (p *plan) marshal(v *fastjson.Value) []byte {
	p.buffer = appendJSON(p.buffer[:0], v, TextLimit+1)
	return p.buffer
}

// setText adds a JSON string, which for most types stands for what it spells.
func (p *plan) setText(c *Column, column int, b []byte) error {
	if len(b) > TextLimit {
		return tooLong(len(b))
	}
	if c.Type == schema.String {
		if !p.clean && !utf8.Valid(b) {
			b = bytes.ToValidUTF8(b, []byte("\uFFFD"))
		}
		c.AppendText(p.text(column, b))
		return nil
	}
	if len(b) == 0 {
		c.AppendNull() // an empty string is how many sources spell "no value"
		return nil
	}
	switch c.Type {
	case schema.Dynamic:
		text := Dynamic(b)
		switch {
		case text == nil:
			c.AppendNull()
		case len(text) > TextLimit:
			return tooLong(len(text))
		default:
			c.AppendText(p.text(column, text))
		}
		return nil
	case schema.DateTime:
		at, err := parseTime(b)
		if err != nil {
			return fmt.Errorf("%s", clip(err.Error()))
		}
		c.AppendInt(int64(at))
		return nil
	case schema.TimeSpan:
		span, ok := ParseSpan(view(b))
		if !ok {
			return fmt.Errorf("%q is not a timespan (want for example 1.02:03:04.5)", clip(string(b)))
		}
		c.AppendInt(int64(span))
		return nil
	case schema.Guid:
		id, ok := ParseGuid(view(b))
		if !ok {
			return fmt.Errorf("%q is not a guid", clip(string(b)))
		}
		c.AppendText(p.text(column, []byte(id)))
		return nil
	case schema.Bool:
		switch strings.ToLower(string(cut(b, 8))) {
		case "true", "1":
			return setBool(c, true)
		case "false", "0":
			return setBool(c, false)
		}
		return mismatch(c.Type, strconv.Quote(clip(string(b))))
	}
	if c.Type != schema.Real && c.Type != schema.Decimal {
		switch string(cut(b, 6)) { // flags that one product sends as text
		case "true", "True":
			return setBool(c, true)
		case "false", "False":
			return setBool(c, false)
		}
	}
	return setNumber(c, bytes.TrimSpace(b))
}

func setBool(c *Column, v bool) error {
	switch c.Type {
	case schema.Bool, schema.Int, schema.Long:
		n := int64(0)
		if v {
			n = 1
		}
		c.AppendInt(n)
		return nil
	}
	return mismatch(c.Type, strconv.FormatBool(v))
}

// setNumber adds a number spelt in text.
func setNumber(c *Column, b []byte) error {
	switch c.Type {
	case schema.Int, schema.Long, schema.Bool:
		n, ok := parseInt(b)
		if !ok {
			return mismatch(c.Type, clip(string(b)))
		}
		if c.Type == schema.Int && (n < math.MinInt32 || n > math.MaxInt32) {
			return fmt.Errorf("%d does not fit int, which has 32 bits", n)
		}
		if c.Type == schema.Bool && n != 0 && n != 1 {
			return mismatch(c.Type, clip(string(b)))
		}
		c.AppendInt(n)
		return nil
	case schema.Real:
		f, err := strconv.ParseFloat(view(b), 64)
		if err != nil && !math.IsInf(f, 0) {
			return mismatch(c.Type, clip(string(b)))
		}
		c.AppendReal(f)
		return nil
	case schema.Decimal:
		if !number(b) {
			return mismatch(c.Type, clip(string(b)))
		}
		c.AppendText(string(b))
		return nil
	case schema.TimeSpan:
		n, ok := parseInt(b)
		if !ok {
			return mismatch(c.Type, clip(string(b)))
		}
		c.AppendInt(n)
		return nil
	}
	return mismatch(c.Type, "the number "+clip(string(b)))
}

func mismatch(t schema.Type, got string) error { return fmt.Errorf("want %s, got %s", t, got) }

// parseInt reads an integer, also one written as 5.0 or 1e3.
func parseInt(b []byte) (int64, bool) {
	if n, err := strconv.ParseInt(view(b), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(view(b), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 || !number(b) || !bytes.ContainsAny(b, ".eE") {
		return 0, false
	}
	return int64(f), true
}

// view reads bytes as a string without copying; for calls that don't keep it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func kind(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeObject:
		return "an object"
	case fastjson.TypeArray:
		return "an array"
	case fastjson.TypeString:
		return "a string"
	case fastjson.TypeNumber:
		return "a number"
	case fastjson.TypeNull:
		return "null"
	}
	return "a bool"
}

// ParseGuid reads a guid in its usual spellings (hyphens or not, braces or
// not, any case) and gives it lower-case with hyphens.
func ParseGuid(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) == 38 && (s[0] == '{' || s[0] == '(') {
		s = s[1:37]
	}
	if len(s) == 32 {
		s = s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
	}
	if len(s) != 36 {
		return "", false
	}
	out := make([]byte, 36)
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return "", false
			}
		case c >= 'A' && c <= 'F':
			c += 'a' - 'A'
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
		default:
			return "", false
		}
		out[i] = c
	}
	return string(out), true
}
