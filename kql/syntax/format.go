package syntax

import "strings"

// Format lays a text out: one operator a line, indented by the brackets
// around it, one blank between words. Words and comments stay as they are, so that
// the result means the same. A text that can't be cut into tokens is given back as it is.
func Format(text string) string {
	tokens, errors := Tokens(text)
	if len(errors) > 0 {
		return text
	}
	f := formatter{text: text}
	at := 0
	for i, t := range tokens {
		f.gap(text[at:t.Start], i == 0)
		if t.Kind == EOF {
			break
		}
		f.token(t)
		at = t.End
	}
	return strings.TrimRight(f.out.String(), " \n") + "\n"
}

type formatter struct {
	text  string
	out   strings.Builder
	depth int
	blank bool // white space stood before the token at hand
	fresh bool // the output is at the beginning of a line
	next  bool // the next token begins a new line
}

// gap writes the comments between two tokens, each on its line.
func (f *formatter) gap(s string, first bool) {
	f.blank = s != ""
	f.fresh = f.fresh || first
	for line := range strings.Lines(s) {
		i := strings.Index(line, "//")
		if i < 0 {
			continue
		}
		if !f.fresh {
			if strings.TrimSpace(s[:strings.Index(s, "//")]) == "" && strings.Contains(s[:strings.Index(s, "//")], "\n") {
				f.newline()
			} else {
				f.out.WriteByte(' ')
			}
		}
		f.out.WriteString(strings.TrimRight(line[i:], " \t\r\n"))
		f.newline()
		f.next = false
	}
}

func (f *formatter) newline() {
	f.out.WriteByte('\n')
	f.fresh = true
}

func (f *formatter) token(t Token) {
	closing := t.Kind == Punct && (t.Text == ")" || t.Text == "]" || t.Text == "}")
	if closing && f.depth > 0 {
		f.depth--
	}
	pipe := t.Kind == Punct && t.Text == "|"
	switch {
	case f.fresh:
	case pipe || f.next:
		f.newline()
	case f.blank:
		f.out.WriteByte(' ')
	}
	if f.fresh {
		f.out.WriteString(strings.Repeat("    ", f.depth))
	}
	f.fresh, f.next = false, false
	f.out.WriteString(f.text[t.Start:t.End])
	if t.Kind == Punct {
		switch t.Text {
		case "(", "[", "{":
			f.depth++
		case ";":
			f.next = true
		}
	}
}
