package odata

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"lockstep/fault"
	"lockstep/schema"
)

// deepest is how far parentheses, not and lambdas may nest.
const deepest = 100

// parser reads one option from its start to its end.
type parser struct {
	option string
	text   string
	at     int // bytes read
	depth  int
}

// fault makes an error about the place that was reached, or about another one.
func (p *parser) fault(format string, args ...any) error { return p.faultAt(p.at, format, args...) }

func (p *parser) faultAt(at int, format string, args ...any) error {
	at = min(at, len(p.text))
	return fault.At(p.option, "at character %d: "+format, append([]any{utf8.RuneCountInString(p.text[:at]) + 1}, args...)...)
}

// found says what stands at the place that was reached, for an error.
func (p *parser) found() string {
	p.space()
	if p.at >= len(p.text) {
		return "the end"
	}
	return strconv.Quote(clip(p.text[p.at:]))
}

func (p *parser) end() error {
	if p.space(); p.at < len(p.text) {
		return p.fault("%s is left over", p.found())
	}
	return nil
}

func (p *parser) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// sign takes a punctuation mark if it comes next.
func (p *parser) sign(s string) bool {
	p.space()
	if strings.HasPrefix(p.text[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

// word takes a keyword, in lower case, if it comes next as a whole word.
func (p *parser) word(w string) bool {
	p.space()
	rest := p.text[p.at:]
	if len(rest) < len(w) || rest[:len(w)] != w || len(rest) > len(w) && isName(rest[len(w)], false) {
		return false
	}
	p.at += len(w)
	return true
}

func isName(c byte, first bool) bool {
	return c == '_' || c == '@' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 ||
		!first && (c == '.' || c == '-' || c >= '0' && c <= '9')
}

// name takes an identifier if one comes next.
func (p *parser) name() string {
	p.space()
	return p.segment()
}

// segment takes an identifier that begins right here.
func (p *parser) segment() string {
	start := p.at
	for p.at < len(p.text) && isName(p.text[p.at], p.at == start) {
		p.at++
	}
	return p.text[start:p.at]
}

// path takes names parted by slashes.
func (p *parser) path() (string, error) {
	first := p.name()
	if first == "" {
		return "", p.fault("a property name is wanted, not %s", p.found())
	}
	return p.pathFrom(first)
}

func (p *parser) pathFrom(first string) (string, error) {
	path := first
	for p.at < len(p.text) && p.text[p.at] == '/' {
		p.at++
		next := p.segment()
		if next == "" {
			return "", p.fault("a property name is wanted after %s/, not %s", clip(path), p.found())
		}
		path += "/" + next
	}
	return path, nil
}

// quoted takes the rest of a text whose opening quote was read; a doubled quote stands for one.
func (p *parser) quoted(start int) (string, error) {
	var out strings.Builder
	for {
		i := strings.IndexByte(p.text[p.at:], '\'')
		if i < 0 {
			return "", p.faultAt(start, "the text that begins here has no closing quote (a quote inside is written twice)")
		}
		out.WriteString(p.text[p.at : p.at+i])
		p.at += i + 1
		if p.at >= len(p.text) || p.text[p.at] != '\'' {
			return out.String(), nil
		}
		out.WriteByte('\'')
		p.at++
	}
}

// balanced takes everything up to the parenthesis that closes one already read.
func (p *parser) balanced() (string, error) {
	start, open := p.at, 1
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch c {
		case '\'':
			if _, err := p.quoted(p.at - 1); err != nil {
				return "", err
			}
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return p.text[start : p.at-1], nil
			}
		}
	}
	return "", p.faultAt(start-1, "the parenthesis that opens here isn't closed")
}

// split parts a text at a mark, but not inside quotes or parentheses.
func split(text string, mark byte) []string {
	var out []string
	start, open, quoted := 0, 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			open++
		case c == ')':
			open--
		case c == mark && open == 0:
			out = append(out, text[start:i])
			start = i + 1
		}
	}
	return append(out, text[start:])
}

// literal takes a value if one comes next: a text, number, time, GUID, true,
// false, null, or an enumeration member such as ns.severity'high', which is
// the text of its name.
func (p *parser) literal() (Literal, bool, error) {
	p.space()
	start := p.at
	if p.sign("'") {
		s, err := p.quoted(start)
		return Literal{s}, err == nil, err
	}
	end := start
	for end < len(p.text) && !strings.ContainsRune(" \t(),'/=;", rune(p.text[end])) {
		end++
	}
	word := p.text[start:end]
	switch word {
	case "null":
		p.at = end
		return Literal{nil}, true, nil
	case "true", "false":
		p.at = end
		return Literal{word == "true"}, true, nil
	case "":
		return Literal{}, false, nil
	}
	if end < len(p.text) && p.text[end] == '\'' && isName(word[0], true) {
		p.at = end + 1
		s, err := p.quoted(end)
		return Literal{s}, err == nil, err
	}
	if c := word[0]; c != '-' && c != '+' && (c < '0' || c > '9') && !isGUID(word) {
		return Literal{}, false, nil
	}
	v, ok := value(word)
	if !ok {
		return Literal{}, false, p.faultAt(start, "%q is no number, time or GUID (a text is written in single quotes)", clip(word))
	}
	p.at = end
	return Literal{v}, true, nil
}

// value reads a word that stands for a number, a time or a GUID.
func value(word string) (any, bool) {
	if isGUID(word) {
		return word, true
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n, true
	}
	if t, err := schema.ParseTicks(word); err == nil && len(word) >= len("2026-01-05") && word[4] == '-' {
		return t, true
	}
	if strings.Trim(word, "0123456789+-.eE") == "" {
		if f, err := strconv.ParseFloat(word, 64); err == nil {
			return f, true
		}
	}
	return nil, false
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') ||
			!dash && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}
