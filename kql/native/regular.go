package native

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// expressions keeps the compiled regular expressions of the last queries.
type expressions struct {
	sync.RWMutex
	m map[string]*regexp.Regexp
}

// Pattern makes \d, \s and \w mean every script's digits, blanks and letters,
// as the engine's expressions do. Where that can't be said (\W and \S inside
// of a class), or would make the expression too large, it stays as it is.
// Source: Kusto, regular expressions: Perl character classes are Unicode's.
//
// A group named as (?<name>…) is written (?P<name>…), which every RE2 reads.
func Pattern(p string) string {
	p = named(p)
	if !strings.ContainsAny(p, "dDsSwW") || !strings.Contains(p, "\\") || large.MatchString(p) {
		return p
	}
	var b strings.Builder
	class := 0 // where the class began
	inside := false
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case c == '\\' && i+1 < len(p):
			i++
			said, ok := scripts[p[i]]
			switch {
			case p[i] == 'Q': // literal text up to \E
				end := strings.Index(p[i:], "\\E")
				if end < 0 {
					end = len(p) - i
				}
				b.WriteString(p[i-1 : i+end])
				i += end - 1
			case !ok || inside && said.within == "":
				b.WriteString(p[i-1 : i+1])
			case inside:
				b.WriteString(said.within)
			default:
				b.WriteString(said.alone)
			}
			continue
		case c == '[' && !inside:
			inside, class = true, i
			if i+1 < len(p) && p[i+1] == '^' {
				class++
			}
		case c == '[' && i+1 < len(p) && p[i+1] == ':':
			if end := strings.Index(p[i:], ":]"); end > 0 {
				b.WriteString(p[i : i+end+2])
				i += end + 1
				continue
			}
		case c == ']' && inside && i > class+1:
			inside = false
		}
		b.WriteByte(c)
	}
	if _, err := regexp.Compile(b.String()); err != nil {
		return p
	}
	return b.String()
}

// named writes (?<name> as (?P<name>.
func named(p string) string {
	if !strings.Contains(p, "(?<") {
		return p
	}
	var b strings.Builder
	inside := false
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\\' && i+1 < len(p):
			b.WriteByte(p[i])
			i++
		case p[i] == '[':
			inside = true
		case p[i] == ']':
			inside = false
		case !inside && strings.HasPrefix(p[i:], "(?<") && i+3 < len(p) && p[i+3] != '=' && p[i+3] != '!':
			b.WriteString("(?P")
			i += 2
		}
		b.WriteByte(p[i])
	}
	return b.String()
}

// large expressions repeat a class very often.
var large = regexp.MustCompile(`\{\d*,?\d{3,}\}|\{\d*,?\d{2,}\}[^)]*\)\{\d`)

// scripts say a Perl class for every script, by itself and within a class.
var scripts = map[byte]struct{ alone, within string }{
	'd': {`\p{Nd}`, `\p{Nd}`}, 'D': {`\P{Nd}`, `\P{Nd}`},
	's': {`[\s\x{0b}\x{85}\p{Z}]`, `\s\x{0b}\x{85}\p{Z}`}, 'S': {`[^\s\x{0b}\x{85}\p{Z}]`, ``},
	'w': {`[\pL\pM\p{Nd}\p{Nl}\p{Pc}]`, `\pL\pM\p{Nd}\p{Nl}\p{Pc}`}, 'W': {`[^\pL\pM\p{Nd}\p{Nl}\p{Pc}]`, ``},
}

// compile gives nil for what is no regular expression.
func (e *expressions) compile(pattern string) *regexp.Regexp {
	e.RLock()
	re, ok := e.m[pattern]
	e.RUnlock()
	if ok {
		return re
	}
	re, err := regexp.Compile(Pattern(pattern))
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

func (e *expressions) indexOfRegex(a []any) any {
	if given(a, 2, 0) < 0 || given(a, 3, -1) < -1 || given(a, 4, 1) < 0 { // Source: Kusto, indexof_regex: no place is given
		return nil
	}
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
