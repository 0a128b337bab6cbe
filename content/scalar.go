package content

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// places gives, for each byte of a scalar's value, the byte of the file that
// it was read from: block scalars are indented, folded ones lose their line
// breaks, quoted ones have escapes.
func (d *document) places(n *yaml.Node) func(offset int) int {
	start := d.offset(n.Line, n.Column)
	var at []int
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		body := strings.IndexByte(d.text[start:], '\n')
		if body < 0 {
			break
		}
		at = align(n.Value, d.text, start+body+1, noEscapes)
	case n.Style&yaml.DoubleQuotedStyle != 0:
		at = align(n.Value, d.text, start+1, backslash)
	case n.Style&yaml.SingleQuotedStyle != 0:
		at = align(n.Value, d.text, start+1, doubled)
	default:
		at = align(n.Value, d.text, start, noEscapes)
	}
	return func(offset int) int {
		if len(at) == 0 {
			return start
		}
		if offset < len(at) {
			return at[max(offset, 0)]
		}
		return at[len(at)-1]
	}
}

// escape reads one escaped character at the beginning of a text: how many
// bytes it takes there, and whether it stands for white space; 0 for none.
type escape func(text string) (size int, blank bool)

func noEscapes(string) (int, bool) { return 0, false }

func doubled(text string) (int, bool) {
	if strings.HasPrefix(text, "''") {
		return 2, false
	}
	return 0, false
}

// backslash reads the escapes of YAML and JSON between double quotes.
func backslash(text string) (int, bool) {
	if len(text) < 2 || text[0] != '\\' {
		return 0, false
	}
	switch text[1] {
	case 'n', 't', 'r', ' ', '\t', '\n', '\r', 'v', 'f':
		return 2, true
	case 'x':
		return min(4, len(text)), false
	case 'u':
		return min(6, len(text)), false
	case 'U':
		return min(10, len(text)), false
	}
	return 2, false
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// align walks a value and the text that it was read from side by side. Runs of
// white space match each other whatever their lengths; within equal runs the bytes do.
func align(value, text string, from int, escaped escape) []int {
	at := make([]int, 0, len(value)+1)
	blanks := func() (begin, end int) {
		begin = from
		for from < len(text) {
			if size, blank := escaped(text[from:]); size > 0 {
				if !blank {
					break
				}
				from += size
			} else if isBlank(text[from]) {
				from++
			} else {
				break
			}
		}
		return begin, from
	}
	for i := 0; i < len(value); {
		begin, end := blanks()
		run := i
		for i < len(value) && isBlank(value[i]) {
			i++
		}
		for j := run; j < i; j++ { // the last blanks are those before the next word
			at = append(at, max(begin, end-(i-j)))
		}
		if i >= len(value) {
			break
		}
		_, size := utf8.DecodeRuneInString(value[i:])
		took := size
		if n, _ := escaped(text[min(from, len(text)):]); n > 0 {
			took = n
		}
		for j := range size {
			if took == size {
				at = append(at, min(from+j, len(text)))
			} else {
				at = append(at, min(from, len(text)))
			}
		}
		i += size
		from = min(from+took, len(text))
	}
	return append(at, from)
}
