package native

import (
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

func texts() []Function {
	re := &expressions{m: map[string]*regexp.Regexp{}}
	return []Function{
		{Name: "has", Params: types(tText, tText, tBool, tBool, tBool), Least: 5, Result: tBool, Eval: func(a []any) any {
			return has(str(a[0]), str(a[1]), a[2] == true, a[3] == true, a[4] == true)
		}},
		{Name: "has_list", Params: types(tText, tText, tBool), Least: 3, Result: tBool, Eval: func(a []any) any { return hasList(str(a[0]), str(a[1]), a[2] == true) }},
		{Name: "has_any_index", Params: types(tText, tDyn), Least: 2, Result: tLong, Eval: func(a []any) any {
			list, _ := array(a[1])
			for i, w := range list {
				if has(str(a[0]), plain(w), true, true, true) {
					return int64(i)
				}
			}
			return int64(-1)
		}},
		{Name: "upper", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return strings.ToUpper(str(a[0])) }},
		{Name: "substring", Params: types(tText, tLong, tLong), Least: 2, Result: tText, Eval: substring},
		{Name: "indexof", Params: types(tText, tText, tLong, tLong, tLong), Least: 2, Result: tLong, Eval: indexOf},
		{Name: "indexof_regex", Params: types(tText, tText, tLong, tLong, tLong), Least: 2, Result: tLong, Eval: re.indexOfRegex},
		{Name: "replace_regex", Params: types(tText, tText, tText), Least: 3, Result: tText, Eval: func(a []any) any {
			re := re.compile(str(a[1]))
			if re == nil {
				return a[0]
			}
			return re.ReplaceAllString(str(a[0]), groups(str(a[2])))
		}},
		{Name: "replace_strings", Params: types(tText, tDyn, tDyn), Least: 3, Result: tText, Eval: replaceStrings},
		{Name: "extract", Params: types(tText, tLong, tText), Least: 3, Result: tText, Eval: func(a []any) any {
			re, n := re.compile(str(a[0])), int(num(a[1]))
			if re == nil || n < 0 || n > re.NumSubexp() {
				return ""
			}
			m := re.FindStringSubmatch(str(a[2]))
			if m == nil {
				return ""
			}
			return m[n]
		}},
		{Name: "extract_all", Params: types(tText, tText, tText), Least: 2, Result: tDyn, Eval: re.extractAll},
		{Name: "extractjson", Params: types(tText, tText), Least: 2, Result: tText, Eval: extractJSON},
		{Name: "split", Params: types(tText, tText, tLong), Least: 2, Result: tDyn, Eval: split},
		{Name: "countof", Params: types(tText, tText, tText), Least: 2, Result: tLong, Eval: re.countOf},
		{Name: "trim", Params: types(tText, tText), Least: 2, Result: tText, Eval: func(a []any) any { return re.trim(str(a[0]), str(a[1]), true, true) }},
		{Name: "trim_start", Params: types(tText, tText), Least: 2, Result: tText, Eval: func(a []any) any { return re.trim(str(a[0]), str(a[1]), true, false) }},
		{Name: "trim_end", Params: types(tText, tText), Least: 2, Result: tText, Eval: func(a []any) any { return re.trim(str(a[0]), str(a[1]), false, true) }},
		{Name: "translate", Params: types(tText, tText, tText), Least: 3, Result: tText, Eval: translate},
		{Name: "strrep", Params: types(tText, tLong, tText), Least: 2, Result: tText, Eval: func(a []any) any {
			n := min(max(num(a[1]), 0), 1024)
			parts := make([]string, n)
			for i := range parts {
				parts[i] = str(a[0])
			}
			sep := ""
			if len(a) > 2 {
				sep = str(a[2])
			}
			return strings.Join(parts, sep)
		}},
		{Name: "regex_quote", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return regexp.QuoteMeta(str(a[0])) }},
		{Name: "isascii", Params: types(tText), Least: 1, Result: tBool, Eval: func(a []any) any {
			return strings.IndexFunc(str(a[0]), func(r rune) bool { return r > 127 }) < 0
		}},
		{Name: "isutf8", Params: types(tText), Least: 1, Result: tBool, Eval: func(a []any) any { return utf8.ValidString(str(a[0])) }},
		{Name: "unicode_codepoints_from_string", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			out := []any{}
			for _, r := range str(a[0]) {
				out = append(out, int64(r))
			}
			return write(out)
		}},
		{Name: "unicode_codepoints_to_string", Variadic: tDyn, Result: tText, Eval: func(a []any) any {
			var b strings.Builder
			for _, v := range a {
				if list, ok := array(v); ok {
					for _, e := range list {
						b.WriteRune(rune(number(e)))
					}
				} else if x, ok := read(str(v)); ok {
					b.WriteRune(rune(number(x)))
				}
			}
			return b.String()
		}},
		{Name: "base64_decode_tostring", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any {
			if d, ok := decode64(str(a[0])); ok && utf8.Valid(d) {
				return string(d)
			}
			return ""
		}},
		{Name: "base64_decode_toarray", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			d, ok := decode64(str(a[0]))
			if !ok {
				return nil
			}
			out := make([]any, len(d))
			for i, c := range d {
				out[i] = int64(c)
			}
			return write(out)
		}},
		{Name: "base64_encode_fromarray", Params: types(tDyn), Least: 1, Result: tText, Eval: func(a []any) any {
			list, ok := array(a[0])
			if !ok {
				return ""
			}
			out := make([]byte, len(list))
			for i, v := range list {
				out[i] = byte(number(v))
			}
			return base64.StdEncoding.EncodeToString(out)
		}},
		{Name: "url_encode", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return escaped(str(a[0]), "+") }},
		{Name: "url_encode_component", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return escaped(str(a[0]), "%20") }},
		{Name: "url_decode", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any {
			if s, err := url.PathUnescape(str(a[0])); err == nil {
				return s
			}
			return a[0]
		}},
		{Name: "parse_csv", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			r := csv.NewReader(strings.NewReader(str(a[0])))
			r.LazyQuotes = true
			rec, err := r.Read()
			if err != nil {
				return write([]any{""})
			}
			out := make([]any, len(rec))
			for i, f := range rec {
				out[i] = f
			}
			return write(out)
		}},
		{Name: "parse_xml", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any { return parseXML(str(a[0])) }},
		{Name: "parse_command_line", Params: types(tText, tText), Least: 2, Result: tDyn, Eval: func(a []any) any {
			out := []any{}
			for _, p := range commandLine(str(a[0])) {
				out = append(out, p)
			}
			if len(out) == 0 {
				return nil
			}
			return write(out)
		}},
		{Name: "parse_kv", Params: types(tText, tText, tText, tText, tText, tText, tText, tText), Least: 8, Result: tText, Eval: keyValue},
		{Name: "parse_user_agent", Params: types(tText, tDyn), Least: 1, Result: tDyn, Eval: userAgent},
	}
}

func substring(a []any) any {
	r := []rune(str(a[0]))
	start := num(a[1])
	if start < 0 {
		start += int64(len(r))
	}
	start = min(max(start, 0), int64(len(r)))
	n := given(a, 2, int64(len(r)))
	if n < 0 {
		return ""
	}
	return string(r[start:min(start+min(n, int64(len(r))), int64(len(r)))])
}

// window cuts s to start and length and gives the offset; ok is false outside.
func window(s []rune, a []any) (from, to int64, ok bool) {
	from = given(a, 2, 0)
	if from < 0 {
		from += int64(len(s))
	}
	if from < 0 || from > int64(len(s)) {
		return 0, 0, false
	}
	n := given(a, 3, -1)
	to = int64(len(s))
	if n >= 0 {
		to = min(from+min(n, int64(len(s))), int64(len(s)))
	}
	return from, to, true
}

// indexOf looks for the nth occurrence. Each search goes over length
// characters from its own start, which is behind the occurrence before. A
// negative occurrence, or a length below -1, has no answer.
// Source: Kusto, indexof: idx3 and idx8 of its example.
func indexOf(a []any) any {
	if given(a, 3, -1) < -1 || given(a, 4, 1) < 0 {
		return nil
	}
	s, word := []rune(str(a[0])), []rune(str(a[1]))
	from, to, ok := window(s, a)
	if !ok {
		return int64(-1)
	}
	length := to - from
	for nth := given(a, 4, 1); nth > 0; nth-- {
		i := strings.Index(string(s[from:to]), string(word))
		if i < 0 {
			return int64(-1)
		}
		at := from + int64(utf8.RuneCountInString(string(s[from:to])[:i]))
		if nth == 1 {
			return at
		}
		from = at + 1
		if from > int64(len(s)) {
			return int64(-1)
		}
		to = int64(len(s))
		if given(a, 3, -1) >= 0 {
			to = min(from+length, to)
		}
	}
	return int64(-1)
}

func replaceStrings(a []any) any {
	from, ok1 := array(a[1])
	to, ok2 := array(a[2])
	if !ok1 || !ok2 || len(from) != len(to) {
		return a[0]
	}
	pairs := make([]string, 0, 2*len(from))
	for i := range from {
		word, _ := from[i].(string)
		if word == "" {
			continue
		}
		rewrite, ok := to[i].(string)
		if !ok { // found, and kept as it is. Source: Kusto, replace_strings
			rewrite = word
		}
		pairs = append(pairs, word, rewrite)
	}
	return strings.NewReplacer(pairs...).Replace(str(a[0]))
}

func split(a []any) any {
	s, sep := str(a[0]), str(a[1])
	var parts []string
	if sep == "" {
		parts = []string{s}
	} else {
		parts = strings.Split(s, sep)
	}
	if len(a) > 2 {
		n := num(a[2])
		if n < 0 || n >= int64(len(parts)) {
			return nil
		}
		parts = parts[n : n+1]
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return write(out)
}

func translate(a []any) any {
	from, to := []rune(str(a[0])), []rune(str(a[1]))
	m := map[rune]rune{}
	for i, r := range from {
		if len(to) == 0 {
			m[r] = -1
			continue
		}
		m[r] = to[min(i, len(to)-1)]
	}
	return strings.Map(func(r rune) rune {
		if t, ok := m[r]; ok {
			return t
		}
		return r
	}, str(a[2]))
}

func decode64(s string) ([]byte, bool) {
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "", " ", "").Replace(s), "=")
	d, err := base64.RawStdEncoding.DecodeString(s)
	return d, err == nil
}

// escaped writes what isn't a letter, a digit or -_.~ by its bytes, in lower case.
func escaped(s, space string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			b.WriteString(space)
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}
