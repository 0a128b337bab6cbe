package native

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
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

// expressions keeps the compiled regular expressions of the last queries.
type expressions struct {
	sync.RWMutex
	m map[string]*regexp.Regexp
}

// compile gives nil for what is no regular expression.
func (e *expressions) compile(pattern string) *regexp.Regexp {
	e.RLock()
	re, ok := e.m[pattern]
	e.RUnlock()
	if ok {
		return re
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		re = nil
	}
	e.Lock()
	defer e.Unlock()
	if len(e.m) > 1000 {
		clear(e.m)
	}
	e.m[pattern] = re
	return re
}

// groups turns \1 and $1 of a rewrite pattern into Go's ${1}.
func groups(rewrite string) string {
	var b strings.Builder
	for i := 0; i < len(rewrite); i++ {
		c := rewrite[i]
		switch {
		case c == '\\' && i+1 < len(rewrite) && rewrite[i+1] >= '0' && rewrite[i+1] <= '9':
			b.WriteString("${" + string(rewrite[i+1]) + "}")
			i++
		case c == '\\' && i+1 < len(rewrite) && rewrite[i+1] == '\\':
			b.WriteByte('\\')
			i++
		case c == '$' && i+1 < len(rewrite) && rewrite[i+1] >= '0' && rewrite[i+1] <= '9':
			b.WriteString("${" + string(rewrite[i+1]) + "}")
			i++
		case c == '$':
			b.WriteString("$$")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// has is the term rule: word stands in s between characters that are no
// letters or digits. fold ignores case (s is lower already then).
func has(s, word string, fold, before, after bool) bool {
	if fold {
		s, word = strings.ToLower(s), strings.ToLower(word)
	}
	if word == "" {
		return true
	}
	first, _ := utf8.DecodeRuneInString(word)
	last, _ := utf8.DecodeLastRuneInString(word)
	before, after = before && isAlnum(first), after && isAlnum(last)
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		i += from
		ok := true
		if before && i > 0 {
			r, _ := utf8.DecodeLastRuneInString(s[:i])
			ok = !isAlnum(r)
		}
		if end := i + len(word); ok && after && end < len(s) {
			r, _ := utf8.DecodeRuneInString(s[end:])
			ok = !isAlnum(r)
		}
		if ok {
			return true
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		from = i + n
	}
}

func isAlnum(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// hasList takes words joined by the unit separator.
func hasList(s, words string, all bool) bool {
	if words == "" {
		return all
	}
	for _, w := range strings.Split(words, "\x1f") {
		if has(s, w, true, true, true) != all {
			return !all
		}
	}
	return all
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

func indexOf(a []any) any {
	s, word := []rune(str(a[0])), str(a[1])
	from, to, ok := window(s, a)
	if !ok {
		return int64(-1)
	}
	text, offset := string(s[from:to]), from
	for nth := given(a, 4, 1); nth > 0; nth-- {
		i := strings.Index(text, word)
		if i < 0 {
			return int64(-1)
		}
		offset += int64(utf8.RuneCountInString(text[:i]))
		if nth == 1 {
			return offset
		}
		_, n := utf8.DecodeRuneInString(text[i:])
		if n == 0 {
			return int64(-1)
		}
		text, offset = text[i+n:], offset+1
	}
	return int64(-1)
}

func (e *expressions) indexOfRegex(a []any) any {
	s, re := []rune(str(a[0])), e.compile(str(a[1]))
	from, to, ok := window(s, a)
	if !ok || re == nil {
		return int64(-1)
	}
	text := string(s[from:to])
	all := re.FindAllStringIndex(text, -1)
	nth := given(a, 4, 1)
	if nth < 1 || nth > int64(len(all)) {
		return int64(-1)
	}
	return from + int64(utf8.RuneCountInString(text[:all[nth-1][0]]))
}

func replaceStrings(a []any) any {
	from, ok1 := array(a[1])
	to, ok2 := array(a[2])
	if !ok1 || !ok2 || len(from) != len(to) {
		return a[0]
	}
	pairs := make([]string, 0, 2*len(from))
	for i := range from {
		if w := plain(from[i]); w != "" {
			pairs = append(pairs, w, plain(to[i]))
		}
	}
	return strings.NewReplacer(pairs...).Replace(str(a[0]))
}

func (e *expressions) extractAll(a []any) any {
	re, text := e.compile(str(a[0])), str(a[len(a)-1])
	if re == nil {
		return nil
	}
	var want []int
	if len(a) == 3 {
		list, ok := array(a[1])
		if !ok {
			return nil
		}
		for _, v := range list {
			n := int(number(v))
			if s, ok := v.(string); ok {
				n = re.SubexpIndex(s)
			}
			if n >= 0 && n <= re.NumSubexp() {
				want = append(want, n)
			}
		}
	} else {
		for i := 1; i <= re.NumSubexp(); i++ {
			want = append(want, i)
		}
		if len(want) == 0 {
			want = []int{0}
		}
	}
	out := []any{}
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		if len(want) == 1 {
			out = append(out, m[want[0]])
			continue
		}
		row := []any{}
		for _, g := range want {
			row = append(row, m[g])
		}
		out = append(out, row)
	}
	if len(out) == 0 {
		return nil
	}
	return write(out)
}

var pathPart = regexp.MustCompile(`^(?:\.([A-Za-z_][\w-]*)|\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]|\[\s*(-?\d+)\s*\])`)

func extractJSON(a []any) any {
	path, text := str(a[0]), str(a[1])
	v, ok := read(text)
	rest, is := strings.CutPrefix(path, "$")
	if !ok || !is {
		return ""
	}
	for rest != "" {
		m := pathPart.FindStringSubmatch(rest)
		if m == nil {
			return ""
		}
		rest = rest[len(m[0]):]
		if m[4] != "" {
			list, ok := v.([]any)
			n, _ := toLong(m[4]).(int64)
			if n < 0 {
				n += int64(len(list))
			}
			if !ok || n < 0 || n >= int64(len(list)) {
				return ""
			}
			v = list[n]
			continue
		}
		o, ok := v.(*object)
		if !ok {
			return ""
		}
		v = o.vals[m[1]+m[2]+m[3]]
	}
	return plain(v)
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
			return write([]any{""})
		}
		parts = parts[n : n+1]
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return write(out)
}

func (e *expressions) countOf(a []any) any {
	s, word := str(a[0]), str(a[1])
	if len(a) > 2 && str(a[2]) == "regex" {
		re := e.compile(word)
		if re == nil {
			return int64(0)
		}
		return int64(len(re.FindAllStringIndex(s, -1)))
	}
	if word == "" {
		return int64(0)
	}
	n := int64(0)
	for {
		i := strings.Index(s, word)
		if i < 0 {
			return n
		}
		n++
		_, w := utf8.DecodeRuneInString(s[i:])
		s = s[i+w:]
	}
}

func (e *expressions) trim(pattern, s string, start, end bool) any {
	if start {
		if re := e.compile("^(?:" + pattern + ")"); re != nil {
			if m := re.FindString(s); m != "" {
				s = s[len(m):]
			}
		}
	}
	if end {
		if re := e.compile("(?:" + pattern + ")$"); re != nil {
			if m := re.FindStringIndex(s); m != nil {
				s = s[:m[0]]
			}
		}
	}
	return s
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

// parseXML gives a bag of an element: attributes with @, text as #text, repeated children as an array.
func parseXML(s string) any {
	d := xml.NewDecoder(strings.NewReader(s))
	d.Strict = false
	root := newObject()
	for {
		t, err := d.Token()
		if err != nil {
			break
		}
		if el, ok := t.(xml.StartElement); ok {
			v, ok := xmlElement(d, el, 0)
			if !ok {
				return nil
			}
			root.set(el.Name.Local, v)
			return write(root)
		}
	}
	return nil
}

func xmlElement(d *xml.Decoder, el xml.StartElement, depth int) (any, bool) {
	if depth > 100 {
		return nil, false
	}
	o := newObject()
	for _, a := range el.Attr {
		name := a.Name.Local
		if a.Name.Space == "xmlns" {
			name = "xmlns:" + name
		}
		o.set("@"+name, a.Value)
	}
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return nil, false
		}
		switch t := t.(type) {
		case xml.StartElement:
			v, ok := xmlElement(d, t, depth+1)
			if !ok {
				return nil, false
			}
			if old, ok := o.vals[t.Name.Local]; ok {
				if list, is := old.([]any); is {
					v = append(list, v)
				} else {
					v = []any{old, v}
				}
			}
			o.set(t.Name.Local, v)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			s := strings.TrimSpace(text.String())
			if len(o.keys) == 0 {
				if s == "" {
					return nil, true
				}
				return s, true
			}
			if s != "" {
				o.set("#text", s)
			}
			return o, true
		}
	}
}

// commandLine splits by the rules of Windows: blanks outside of quotes, \" is a quote.
func commandLine(s string) (out []string) {
	var b strings.Builder
	inQuote, started := false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			n := 0
			for i < len(s) && s[i] == '\\' {
				n++
				i++
			}
			started = true
			if i < len(s) && s[i] == '"' {
				b.WriteString(strings.Repeat(`\`, n/2))
				if n%2 == 1 {
					b.WriteByte('"')
				} else {
					inQuote = !inQuote
				}
				continue
			}
			b.WriteString(strings.Repeat(`\`, n))
			i--
		case c == '"':
			inQuote, started = !inQuote, true
		case (c == ' ' || c == '\t') && !inQuote:
			if started {
				out = append(out, b.String())
				b.Reset()
				started = false
			}
		default:
			b.WriteByte(c)
			started = true
		}
	}
	if started {
		out = append(out, b.String())
	}
	return out
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
