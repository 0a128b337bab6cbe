package native

import (
	"regexp"
	"strings"
	"unicode"
)

// keyValue gives the text that belongs to a key: a text holding pairs, the key,
// then the settings pair delimiter, key-value delimiter, quotes (one or two
// characters), escape, "true" for greedy, and a regular expression of two groups.
// Source: Kusto, the parse-kv operator.
func keyValue(a []any) any {
	s, key := str(a[0]), str(a[1])
	k := kv{pair: str(a[2]), mid: str(a[3]), quotes: []rune(str(a[4])), escape: str(a[5])}
	switch {
	case str(a[7]) != "":
		re, err := regexp.Compile(str(a[7]))
		if err != nil || re.NumSubexp() < 2 {
			return ""
		}
		for _, m := range re.FindAllStringSubmatch(s, 10_000) {
			if m[1] == key {
				return m[2]
			}
		}
		return ""
	case k.mid == "" || k.pair == "":
		return k.loose([]rune(s), key)
	case str(a[6]) == "true":
		return k.greedy(s, key)
	}
	return k.exact(s, key)
}

type kv struct {
	pair, mid string
	quotes    []rune
	escape    string
}

// quoted reads a quoted text; ok is false where s doesn't begin with a quote.
func (k kv) quoted(s []rune) (text string, n int, ok bool) {
	if len(k.quotes) == 0 || len(s) == 0 || s[0] != k.quotes[0] {
		return "", 0, false
	}
	end := k.quotes[len(k.quotes)-1]
	escape := []rune(k.escape)
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case len(escape) == 1 && s[i] == escape[0] && i+1 < len(s):
			i++
			b.WriteRune(s[i])
		case s[i] == end:
			return b.String(), i + 1, true
		default:
			b.WriteRune(s[i])
		}
	}
	return b.String(), len(s), true
}

// exact reads pair by pair. Where blanks part the pairs, those around the mark
// between a key and its value part nothing.
func (k kv) exact(s, key string) any {
	if strings.TrimSpace(k.pair) == "" && len(k.quotes) == 0 {
		parts := strings.Split(s, k.mid)
		for i := range parts {
			if i > 0 {
				parts[i] = strings.TrimLeft(parts[i], k.pair)
			}
			if i < len(parts)-1 {
				parts[i] = strings.TrimRight(parts[i], k.pair)
			}
		}
		s = strings.Join(parts, k.mid)
	}
	for s != "" {
		i := strings.Index(s, k.mid)
		if i < 0 {
			return ""
		}
		name := s[:i]
		if p := strings.LastIndex(name, k.pair); p >= 0 {
			name = name[p+len(k.pair):]
		}
		name = strings.TrimSpace(name)
		if r := []rune(name); len(k.quotes) > 0 && len(r) > 1 && r[0] == k.quotes[0] {
			name, _, _ = k.quoted(r)
		}
		s = s[i+len(k.mid):]
		var v string
		trimmed := []rune(strings.TrimLeft(s, " "))
		if text, n, ok := k.quoted(trimmed); ok {
			v, s = text, string(trimmed[n:])
			if p := strings.Index(s, k.pair); p >= 0 {
				s = s[p+len(k.pair):]
			}
		} else if p := strings.Index(s, k.pair); p >= 0 {
			v, s = strings.TrimSpace(s[:p]), s[p+len(k.pair):]
		} else {
			v, s = strings.TrimSpace(s), ""
		}
		if name == key {
			return v
		}
	}
	return ""
}

// greedy lets a value go on until the next key.
func (k kv) greedy(s, key string) any {
	value, name := "", ""
	for {
		i := strings.Index(s, k.mid)
		part := s
		if i >= 0 {
			part = s[:i]
		}
		next := part
		value = ""
		if p := strings.LastIndex(part, k.pair); p >= 0 && i >= 0 {
			value, next = part[:p], part[p+len(k.pair):]
		} else if i < 0 {
			value = part
		}
		if name == key && name != "" {
			v := strings.TrimSpace(value)
			if text, _, ok := k.quoted([]rune(v)); ok {
				return text
			}
			return v
		}
		if i < 0 {
			return ""
		}
		name, s = strings.TrimSpace(next), s[i+len(k.mid):]
	}
}

// loose takes any character that is no letter, digit or underscore for a
// delimiter: a key's value is the word after it.
func (k kv) loose(s []rune, key string) any {
	letter := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	found := false
	for i := 0; i < len(s); {
		if text, n, ok := k.quoted(s[i:]); ok {
			if found {
				return text
			}
			i += n
			continue
		}
		if !letter(s[i]) {
			i++
			continue
		}
		from := i
		for i < len(s) && letter(s[i]) {
			i++
		}
		word := string(s[from:i])
		if found {
			return word
		}
		found = word == key
	}
	return ""
}
