package syntax_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/kql/syntax"
	"lockstep/schema"
)

func TestSpanLiterals(t *testing.T) {
	for text, want := range map[string]schema.Ticks{"1d": schema.Day, "2.5h": 150 * schema.Minute, "100ms": 100 * schema.Millisecond, "3tick": 3, "1microsecond": schema.Microsecond, "7days": 7 * schema.Day} {
		got, ok := syntax.ParseSpanLiteral(text)
		if !ok || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, ok, want)
		}
	}
}

func TestTimespans(t *testing.T) {
	for text, want := range map[string]schema.Ticks{"1.02:03:04.5": schema.Day + 2*schema.Hour + 3*schema.Minute + 4*schema.Second + 500*schema.Millisecond, "-00:00:01": -schema.Second, "12:30": 12*schema.Hour + 30*schema.Minute, "2": 2 * schema.Day} {
		got, ok := syntax.ParseTimespan(text)
		if !ok || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, ok, want)
		}
	}
	for _, bad := range []string{"", "25:00:00", "x", "1:2:3:4:5"} {
		if got, ok := syntax.ParseTimespan(bad); ok {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

// TestStrings: the ways to write a text.
func TestStrings(t *testing.T) {
	for text, want := range map[string]string{`"a\tb"`: "a\tb", `@'C:\x'`: `C:\x`, `@"say ""hi"""`: `say "hi"`, `h'secret'`: "secret", "```two\nlines```": "two\nlines", `"a" 'b'`: "ab", `'\u00e9'`: "é"} {
		q, errs := syntax.ParseQuery("print " + text)
		if len(errs) > 0 {
			t.Errorf("%s: %v", text, errs)
			continue
		}
		op := q.Statements[0].(*syntax.Expression).X.(*syntax.OperatorSource).Op.(*syntax.Project)
		if d := cmp.Diff(want, op.Items[0].(*syntax.Literal).Value); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

// FuzzParse: any text parses to a tree whose spans lie within the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"T | where a has 'b' and (c !in~ ('d') or e between (1 .. 2))", "let f = (a:string, b:long=1) { T | where x == a }; f('x')", "T | make-series count() on t step 1d", "print @'", "T|join kind=inner(X)on $left.a==$right.b", "\xff\xfe", "T | project-away *a*, b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, errs := syntax.ParseQuery(text)
		for _, s := range q.Statements {
			if at := s.At(); at.Start < 0 || at.End > len(text) || at.Start > at.End {
				t.Fatalf("span %v of a text of %d", at, len(text))
			}
		}
		for _, e := range errs {
			if e.Start < 0 || e.End > len(text) {
				t.Fatalf("error %v outside of a text of %d", e, len(text))
			}
		}
	})
}

func TestFormat(t *testing.T) {
	in := "let a =   1; // one\nT|where x==a\n// why\n|  join kind=inner (U|take 1) on k"
	want := "let a = 1; // one\nT\n|where x==a\n// why\n| join kind=inner (U\n    |take 1) on k\n"
	if d := cmp.Diff(want, syntax.Format(in)); d != "" {
		t.Error(d)
	}
}

// FuzzFormat: the words stay the same, and a second time changes nothing.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{"T | where a == 1 // x\n| take 1", "let f = () { T\n| take 1 };\nf", "print '//' // c", "a;b;c", "//\n|x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before, errs := syntax.Tokens(text)
		if len(errs) > 0 {
			return
		}
		once := syntax.Format(text)
		after, _ := syntax.Tokens(once)
		if len(before) != len(after) {
			t.Fatalf("%d words became %d: %q", len(before), len(after), once)
		}
		for i := range before {
			if before[i].Kind != after[i].Kind || before[i].Text != after[i].Text {
				t.Fatalf("word %q became %q", before[i].Text, after[i].Text)
			}
		}
		if twice := syntax.Format(once); twice != once {
			t.Fatalf("not stable: %q then %q", once, twice)
		}
	})
}
