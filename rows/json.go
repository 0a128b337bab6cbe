package rows

import (
	"math"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// appendJSON adds a value's minified JSON, always valid, and stops early once
// dst is longer than limit: who asks must look at the length.
func appendJSON(dst []byte, v *fastjson.Value, limit int) []byte {
	if len(dst) > limit {
		return dst
	}
	switch v.Type() {
	case fastjson.TypeObject:
		dst = append(dst, '{')
		first := true
		v.GetObject().Visit(func(key []byte, v *fastjson.Value) {
			if len(dst) > limit {
				return
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(appendQuoted(dst, view(key)), ':')
			dst = appendJSON(dst, v, limit)
		})
		return append(dst, '}')
	case fastjson.TypeArray:
		dst = append(dst, '[')
		for i, v := range v.GetArray() {
			if len(dst) > limit {
				break
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, v, limit)
		}
		return append(dst, ']')
	case fastjson.TypeString:
		b := v.GetStringBytes()
		if len(dst)+len(b) > limit {
			b = b[:max(limit-len(dst)+1, 0)]
		}
		return appendQuoted(dst, view(b))
	case fastjson.TypeNumber:
		at := len(dst)
		dst = v.MarshalTo(dst)
		if !number(dst[at:]) {
			dst = append(dst[:at], "null"...) // NaN and the like, which the parser lets pass
		}
		return dst
	default:
		return v.MarshalTo(dst)
	}
}

// plain marks the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\'
	}
	return t
}()

const hexDigits = "0123456789abcdef"

// appendQuoted adds a JSON string. What isn't UTF-8 becomes U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if size = n; r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		switch {
		case c >= utf8.RuneSelf:
			dst = append(dst, "\uFFFD"...)
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i += size
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

// Quote gives a text as a JSON string.
func Quote(s string) string { return string(appendQuoted(make([]byte, 0, len(s)+2), s)) }

// Dynamic gives what a text is worth in a dynamic column: the JSON that it
// holds, minified; nil for JSON null and for no text at all; else the text as
// a JSON string.
func Dynamic(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if !maybeJSON(b) || fastjson.ValidateBytes(b) != nil {
		return appendQuoted(make([]byte, 0, len(b)+2), view(b))
	}
	v, err := fastjson.ParseBytes(b)
	if err != nil {
		return appendQuoted(make([]byte, 0, len(b)+2), view(b))
	}
	if v.Type() == fastjson.TypeNull {
		return nil
	}
	return appendJSON(make([]byte, 0, len(b)), v, math.MaxInt)
}

// maybeJSON spares most plain texts the look at all of it.
func maybeJSON(b []byte) bool {
	for _, c := range b {
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c == '{' || c == '[' || c == '"' || c == '-' || c == 't' || c == 'f' || c == 'n' || c >= '0' && c <= '9':
			return true
		default:
			return false
		}
	}
	return false
}

// number tells whether the text is a number as JSON spells it.
func number(b []byte) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(b) && b[i] == '.' {
		if i++; !digits() {
			return false
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(b)
}
