package syntax_test

import (
	"strings"
	"testing"

	"lockstep/kql/syntax"
)

// FuzzLex: the words of any text stand in order within it, none is empty, and
// what lies between two of them is blanks and comments.
func FuzzLex(f *testing.F) {
	for _, s := range []string{"T | where a has 'b'", "print @'\\', h\"x\", ```a\nb```", "1d.5h 0x1F 1e-3 1.5.6", "// only\nT", "a!~b !in~ (c)", "'\\", "\xff\xfe\x00", "datetime(2026-01-01", "['a b'].c[\"d\"]", "é¼ 𝒳", "/* x */", "--1", "dynamic({\"a\":'b'})"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens, errs := syntax.Tokens(text)
		at := 0
		for i, token := range tokens {
			if token.Kind == syntax.EOF {
				continue
			}
			if token.Start < at || token.End <= token.Start || token.End > len(text) {
				t.Fatalf("word %d stands at %d to %d, after %d, in a text of %d", i, token.Start, token.End, at, len(text))
			}
			if between := strings.TrimSpace(text[at:token.Start]); len(errs) == 0 && between != "" && !strings.HasPrefix(between, "//") {
				t.Fatalf("%q before word %d belongs to nothing", between, i)
			}
			at = token.End
		}
		for _, e := range errs {
			if e.Start < 0 || e.End > len(text) || e.Start > e.End {
				t.Fatalf("error %v outside of a text of %d", e, len(text))
			}
		}
	})
}
