package syntax_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/kql/kqltest"
	"lockstep/kql/syntax"
)

// TestFormatIsTheIdentity: what is laid out anew parses to the same tree, has
// the same comments, and laid out again stays as it is. Over all cases of the
// tests, and over the recorded queries where they are at hand.
func TestFormatIsTheIdentity(t *testing.T) {
	var texts []string
	files, _ := filepath.Glob("../testdata/*.txtar")
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(data), "\n-- ")[1:] {
			if head, body, ok := strings.Cut(part, "--\n"); ok && !strings.HasSuffix(strings.TrimSpace(head), ".rows") {
				texts = append(texts, body)
			}
		}
	}
	if len(texts) < 50 {
		t.Fatalf("%d texts", len(texts))
	}
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	if recorded, _, err := kqltest.Corpus(shared); err == nil {
		texts = append(texts, recorded...)
	} else {
		t.Logf("LOCKSTEP_SHARED: the recorded queries are not here (%v); only the tests' own were laid out", err)
	}
	bad := 0
	for _, text := range texts {
		before, errs := syntax.ParseQuery(text)
		if len(errs) > 0 {
			continue
		}
		once := syntax.Format(text)
		after, _ := syntax.ParseQuery(once)
		if a, b := tree(before), tree(after); a != b {
			t.Errorf("%s\nbecame\n%s\n%s", text, once, cmp.Diff(a, b))
			bad++
		}
		if a, b := comments(text), comments(once); a != b {
			t.Errorf("the comments of\n%s\nbecame\n%s", text, once)
			bad++
		}
		if twice := syntax.Format(once); twice != once {
			t.Errorf("laid out twice it changes:\n%s", cmp.Diff(once, twice))
			bad++
		}
		if bad > 5 {
			t.Fatal("and so on")
		}
	}
}

// tree writes a tree without the places of its nodes.
func tree(q *syntax.Query) string {
	var b strings.Builder
	write(&b, reflect.ValueOf(q))
	return b.String()
}

var span = reflect.TypeFor[syntax.Span]()

func write(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil\n")
			return
		}
		write(b, v.Elem())
	case reflect.Struct:
		if v.Type() == span {
			return
		}
		b.WriteString(v.Type().Name() + "{\n")
		for i := range v.NumField() {
			b.WriteString(v.Type().Field(i).Name + ":")
			write(b, v.Field(i))
		}
		b.WriteString("}\n")
	case reflect.Slice:
		b.WriteString("[\n")
		for i := range v.Len() {
			write(b, v.Index(i))
		}
		b.WriteString("]\n")
	default:
		fmt.Fprintln(b, v)
	}
}

// comments gives a text's comments in order.
func comments(text string) string {
	tokens, _ := syntax.Tokens(text)
	var b strings.Builder
	at := 0
	for _, t := range tokens {
		for line := range strings.Lines(text[at:t.Start]) {
			if i := strings.Index(line, "//"); i >= 0 {
				b.WriteString(strings.TrimSpace(line[i:]) + "\n")
			}
		}
		at = t.End
	}
	return b.String()
}
