package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says what a token is.
type Kind uint8

// The kinds of token.
const (
	EOF    Kind = iota
	Word        // identifier or keyword
	Number      // integer or real
	Span_       // timespan literal: 1d, 2.5h
	String      // any string literal; Text is its value
	Punct       // operator or punctuation
)

// Token is one token. Text is the value of a string, else as written.
type Token struct {
	Kind  Kind
	Start int
	End   int
	Text  string
}

// Tokens cuts a text into tokens, the last one EOF. Comments and spaces go.
// Everything that is no token is reported and left out.
func Tokens(text string) ([]Token, []Error) {
	l := lexer{text: text}
	out := make([]Token, 0, len(text)/4+1)
	for {
		t := l.next()
		out = append(out, t)
		if t.Kind == EOF {
			return out, l.errors
		}
	}
}

type lexer struct {
	text   string
	at     int
	errors []Error
}

func (l *lexer) errorf(start, end int, code, message string) {
	l.errors = append(l.errors, Error{Span: Span{start, end}, Code: code, Message: message})
}

func (l *lexer) skipBlank() {
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			l.at++
		case c == '/' && strings.HasPrefix(l.text[l.at:], "//"):
			if i := strings.IndexByte(l.text[l.at:], '\n'); i >= 0 {
				l.at += i + 1
			} else {
				l.at = len(l.text)
			}
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(l.text[l.at:])
			if !unicode.IsSpace(r) && r != '\ufeff' && r != '\u200b' {
				return
			}
			l.at += n
		default:
			return
		}
	}
}

func (l *lexer) next() Token {
	for {
		l.skipBlank()
		if l.at >= len(l.text) {
			return Token{EOF, len(l.text), len(l.text), ""}
		}
		start, c := l.at, l.text[l.at]
		switch {
		case c == '"' || c == '\'':
			return l.quoted(start, false)
		case (c == 'h' || c == 'H' || c == '@') && l.stringPrefix() > 0:
			n := l.stringPrefix()
			verbatim := l.text[l.at+n-1] == '@'
			l.at += n
			return l.quoted(start, verbatim)
		case strings.HasPrefix(l.text[l.at:], "```") || strings.HasPrefix(l.text[l.at:], "~~~"):
			return l.fenced(start)
		case isWordStart(l.text[l.at:]):
			l.word()
			return Token{Word, start, l.at, l.text[start:l.at]}
		case isDigit(c):
			return l.number(start)
		}
		for _, p := range puncts {
			if strings.HasPrefix(l.text[l.at:], p) {
				l.at += len(p)
				return Token{Punct, start, l.at, p}
			}
		}
		if strings.HasPrefix(l.text[l.at:], "&") {
			l.at += len(l.text[l.at:]) - len(strings.TrimLeft(l.text[l.at:], "&"))
			l.errorf(start, l.at, "KQL001", quote(l.text[start:l.at])+" is no operator: conditions are joined by 'and'")
			continue
		}
		_, n := utf8.DecodeRuneInString(l.text[l.at:])
		l.at += n
		l.errorf(start, l.at, "KQL001", "the character "+quote(l.text[start:l.at])+" can't stand here")
	}
}

// stringPrefix gives the length of h, @ or h@ before a quote, else 0.
func (l *lexer) stringPrefix() int {
	rest := l.text[l.at:]
	n := 0
	if rest[0] == 'h' || rest[0] == 'H' {
		n++
	}
	if n < len(rest) && rest[n] == '@' {
		n++
	}
	if n > 0 && n < len(rest) && (rest[n] == '"' || rest[n] == '\'') {
		return n
	}
	return 0
}

// puncts, longest first.
var puncts = []string{
	"!=", "!~", "==", "=~", "<=", ">=", "<>", "=>", "..", "--", "-->", "<--",
	"|", ";", ",", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "%", "<", ">", "=", "!", ":", ".", "$", "~", "@", "?", "#", "\\",
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(s string) bool {
	c := s[0]
	if c < utf8.RuneSelf {
		return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}

func (l *lexer) word() {
	for l.at < len(l.text) && (isDigit(l.text[l.at]) || isWordStart(l.text[l.at:])) {
		_, n := utf8.DecodeRuneInString(l.text[l.at:])
		l.at += n
	}
}

func (l *lexer) number(start int) Token {
	if strings.HasPrefix(l.text[l.at:], "0x") || strings.HasPrefix(l.text[l.at:], "0X") {
		l.at += 2
		l.word()
		return Token{Number, start, l.at, l.text[start:l.at]}
	}
	l.digits()
	if l.at+1 < len(l.text) && l.text[l.at] == '.' && isDigit(l.text[l.at+1]) {
		l.at++
		l.digits()
	} else if l.at < len(l.text) && l.text[l.at] == '.' && !strings.HasPrefix(l.text[l.at:], "..") &&
		(l.at+1 == len(l.text) || !isWordStart(l.text[l.at+1:])) {
		l.at++ // 1.
	}
	if l.at < len(l.text) && (l.text[l.at] == 'e' || l.text[l.at] == 'E') {
		end := l.at + 1
		if end < len(l.text) && (l.text[end] == '+' || l.text[end] == '-') {
			end++
		}
		if end < len(l.text) && isDigit(l.text[end]) {
			l.at = end
			l.digits()
			return Token{Number, start, l.at, l.text[start:l.at]}
		}
	}
	if l.at < len(l.text) && isWordStart(l.text[l.at:]) {
		from := l.at
		l.word()
		if _, ok := spanUnits[strings.ToLower(l.text[from:l.at])]; ok {
			return Token{Span_, start, l.at, l.text[start:l.at]}
		}
		return Token{Word, start, l.at, l.text[start:l.at]} // a name may begin with a digit
	}
	return Token{Number, start, l.at, l.text[start:l.at]}
}

func (l *lexer) digits() {
	for l.at < len(l.text) && isDigit(l.text[l.at]) {
		l.at++
	}
}

// fenced reads ```…``` and ~~~…~~~, which have no escapes.
func (l *lexer) fenced(start int) Token {
	fence := l.text[l.at : l.at+3]
	l.at += 3
	body := l.at
	if i := strings.Index(l.text[l.at:], fence); i >= 0 {
		l.at += i + 3
		return Token{String, start, l.at, l.text[body : l.at-3]}
	}
	l.at = len(l.text)
	l.errorf(start, l.at, "KQL002", "the string has no end: "+fence+" is missing")
	return Token{String, start, l.at, l.text[body:]}
}

// quoted reads a string at its opening quote.
func (l *lexer) quoted(start int, verbatim bool) Token {
	q := l.text[l.at]
	l.at++
	var b strings.Builder
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == q && verbatim && l.at+1 < len(l.text) && l.text[l.at+1] == q:
			b.WriteByte(q)
			l.at += 2
		case c == q:
			l.at++
			return Token{String, start, l.at, b.String()}
		case c == '\n' || c == '\r':
			l.errorf(start, l.at, "KQL002", "the string has no end on this line: "+string(q)+" is missing")
			return Token{String, start, l.at, b.String()}
		case c == '\\' && !verbatim:
			l.escape(&b)
		default:
			b.WriteByte(c)
			l.at++
		}
	}
	l.errorf(start, l.at, "KQL002", "the string has no end: "+string(q)+" is missing")
	return Token{String, start, l.at, b.String()}
}

// escapes of one character.
var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '\\': '\\', '"': '"', '\'': '\'', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v'}

func (l *lexer) escape(b *strings.Builder) {
	start := l.at
	l.at++
	if l.at >= len(l.text) {
		return
	}
	c := l.text[l.at]
	l.at++
	if c >= '0' && c <= '7' { // up to three octal digits, of one byte
		r := rune(c - '0')
		for n := 1; n < 3 && l.at < len(l.text) && l.text[l.at] >= '0' && l.text[l.at] <= '7' && r < 32; n++ {
			r = r<<3 | rune(l.text[l.at]-'0')
			l.at++
		}
		b.WriteRune(r)
		return
	}
	width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if width > 0 && l.at+width <= len(l.text) {
		var r rune
		ok := true
		for _, d := range []byte(l.text[l.at : l.at+width]) {
			v := strings.IndexByte("0123456789abcdef", d|0x20)
			if isDigit(d) {
				v = int(d - '0')
			}
			if v < 0 {
				ok = false
				break
			}
			r = r<<4 | rune(v)
		}
		if ok {
			l.at += width
			b.WriteRune(r)
			return
		}
	}
	if e, ok := escapes[c]; ok {
		b.WriteByte(e)
		return
	}
	l.errorf(start, l.at, "KQL003", `\`+string(c)+` is no escape: write \\ for a backslash, or @ before the string`)
	b.WriteByte(c)
}

func quote(s string) string { return "'" + s + "'" }
