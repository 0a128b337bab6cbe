// Package coverage knows which words of the catalogue a text uses and which
// have a case whose answer is known: one of the published material, or one of
// our own in kql/testdata. It reads trees, never letters: a word within a string
// or a comment counts for nothing. It leaves running the cases to the tests of
// kql and to tools/kqlconformance, and the page to tools/docgen.
package coverage

import (
	"bytes"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"lockstep/kql/catalog"
	"lockstep/kql/syntax"
)

// The kinds of words.
const (
	Operator  = "operator"
	Function  = "function"
	Aggregate = "aggregate"
	Plugin    = "plugin"
)

// Kinds lists the kinds in the order of the page.
func Kinds() []string { return []string{Operator, Function, Aggregate, Plugin} }

// Word is a word of the catalogue.
type Word struct{ Kind, Name string }

// Words lists all words of the catalogue, by kind.
func Words() (out []Word) {
	for _, o := range catalog.Operators() {
		out = append(out, Word{Operator, o.Name})
	}
	c := catalog.Default()
	for _, list := range []struct {
		kind  string
		names []string
	}{{Function, c.Names(false)}, {Aggregate, c.Names(true)}, {Plugin, c.PluginNames()}} {
		for _, n := range list.names {
			out = append(out, Word{list.kind, n})
		}
	}
	return out
}

// Used gives the words of the catalogue that a text uses.
func Used(text string) map[Word]bool {
	q, _ := syntax.ParseQuery(text)
	u := &usage{words: map[Word]bool{}}
	u.walk(reflect.ValueOf(q), false)
	known := map[Word]bool{}
	for _, w := range Words() {
		known[w] = true
	}
	for w := range u.words {
		if !known[w] {
			delete(u.words, w)
		}
	}
	return u.words
}

type usage struct{ words map[Word]bool }

func (u *usage) add(kind, name string) { u.words[Word{kind, name}] = true }

// walk visits a tree; within aggregating operators a name that is an aggregate means it.
func (u *usage) walk(v reflect.Value, aggregating bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if v.CanInterface() {
			if op, ok := v.Interface().(syntax.Operator); ok {
				u.operator(op)
				aggregating = aggregates(op)
			}
			u.node(v.Interface(), aggregating)
			if e, ok := v.Interface().(*syntax.Evaluate); ok {
				for _, a := range e.Call.Args {
					u.walk(reflect.ValueOf(a), e.Call.Func.Text == "pivot")
				}
				return
			}
		}
		u.walk(v.Elem(), aggregating)
	case reflect.Interface:
		u.walk(v.Elem(), aggregating)
	case reflect.Struct:
		for i := range v.NumField() {
			u.walk(v.Field(i), aggregating)
		}
	case reflect.Slice:
		for i := range v.Len() {
			u.walk(v.Index(i), aggregating)
		}
	}
}

// aggregates tells whether an operator's calls are of aggregates.
func aggregates(op syntax.Operator) bool {
	switch op.(type) {
	case *syntax.Summarize, *syntax.MakeSeries, *syntax.TopNested:
		return true
	}
	return false
}

func (u *usage) operator(op syntax.Operator) {
	u.add(Operator, op.Keyword())
	switch op := op.(type) {
	case *syntax.Evaluate:
		u.add(Plugin, op.Call.Func.Text)
	case *syntax.Join:
		for _, o := range op.Options {
			if x, ok := o.Value.(*syntax.Ident); ok && o.Name.Text == "kind" {
				u.add(Operator, op.Keyword()+" kind="+x.Text)
			}
		}
	}
}

// node notes what is no tabular operator.
func (u *usage) node(n any, aggregating bool) {
	switch n := n.(type) {
	case *syntax.Let:
		u.add(Operator, "let")
	case *syntax.Set:
		u.add(Operator, "set")
	case *syntax.Declare:
		u.add(Operator, "declare query_parameters")
	case *syntax.Pattern:
		u.add(Operator, "declare pattern")
	case *syntax.DataTable:
		u.add(Operator, "datatable")
	case *syntax.External:
		u.add(Operator, "externaldata")
	case *syntax.Binary:
		u.add(Operator, n.Op)
	case *syntax.In:
		u.add(Operator, n.Op)
	case *syntax.Between:
		if n.Not {
			u.add(Operator, "!between")
		} else {
			u.add(Operator, "between")
		}
	case *syntax.Call:
		if n.Func.Text == "materialize" || n.Func.Text == "toscalar" {
			u.add(Operator, n.Func.Text)
		}
		if _, ok := catalog.Default().Aggregate(n.Func.Text); ok && aggregating {
			u.add(Aggregate, n.Func.Text)
		} else {
			u.add(Function, n.Func.Text)
		}
	}
}

// Cases gives, for each word that a case of our own uses, the file of the first
// such case. dir is kql/testdata: archives in which a query and its answer alternate.
func Cases(dir fs.FS) (map[Word]string, error) {
	out := map[Word]string{}
	files, err := fs.Glob(dir, "*.txtar")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := fs.ReadFile(dir, file)
		if err != nil {
			return nil, err
		}
		for _, query := range queries(data) {
			for w := range Used(query) {
				if out[w] == "" {
					out[w] = file
				}
			}
		}
	}
	return out, nil
}

// queries gives every other file of an archive, from the first on.
func queries(archive []byte) (out []string) {
	n := -1
	for line := range bytes.Lines(archive) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "-- ") && strings.HasSuffix(text, " --") {
			if n++; n%2 == 0 {
				out = append(out, "")
			}
		} else if n >= 0 && n%2 == 0 {
			out[len(out)-1] += string(line)
		}
	}
	return out
}

// The lists below kql/testdata of what verifies words beside our own cases: a
// line is kind, name and source with tabs between. No text of a case stands there.
const (
	VerifiedFile  = "verified.txt"  // the id of a published case
	ElsewhereFile = "elsewhere.txt" // the file of a test outside of kql
)

// Listed reads one of the lists.
func Listed(dir fs.FS, file string) (map[Word]string, error) {
	data, err := fs.ReadFile(dir, file)
	if err != nil {
		return nil, err
	}
	out := map[Word]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.SplitN(line, "\t", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("%s: %q is not kind, name and source", file, line)
		}
		out[Word{parts[0], parts[1]}] = parts[2]
	}
	return out, nil
}

// WriteVerified lays the file out.
func WriteVerified(verified map[Word]string) []byte {
	var b strings.Builder
	b.WriteString("# Words and the published case that verifies each: kind, name, id. Made by\n# go test ./tools/kqlconformance -run TestVerified -update\n")
	for _, w := range Words() {
		if id := verified[w]; id != "" {
			fmt.Fprintf(&b, "%s\t%s\t%s\n", w.Kind, w.Name, id)
		}
	}
	return []byte(b.String())
}

// Choose picks a case for each word that the texts of cases use: of the engine
// before the documentation, then the one that is named first.
func Choose(texts map[string]string) map[Word]string {
	out := map[Word]string{}
	ids := make([]string, 0, len(texts))
	for id := range texts {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		if x, y := Documented(a), Documented(b); x != y {
			if x {
				return 1
			}
			return -1
		}
		return strings.Compare(a, b)
	})
	for _, id := range ids {
		for w := range Used(texts[id]) {
			if out[w] == "" {
				out[w] = id
			}
		}
	}
	return out
}

// Documented tells whether an id names an example of the documentation rather
// than a recorded answer of the engine.
func Documented(id string) bool { return strings.HasPrefix(id, "doc-") }
