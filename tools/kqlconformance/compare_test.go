package main

import (
	"testing"

	"lockstep/schema"
)

// TestPages: a page may list the columns in another order, show no row as an
// empty one, and round what stands in arrays; nothing else is let pass.
func TestPages(t *testing.T) {
	ab := []schema.Column{{Name: "a", Type: schema.Long}, {Name: "b", Type: schema.Dynamic}}
	row := []any{int64(1), "[0.8412,2.0]"}
	page := func(header string, notes, columns []string, values ...[]any) (e example) {
		e.Header, e.Notes = header, notes
		e.Expected.Columns, e.Expected.Values = columns, values
		return e
	}
	turned := []string{"b", "a"}
	for name, c := range map[string]struct {
		e     example
		rows  [][]any
		equal bool
	}{
		"reordered":            {page("reordered", nil, turned, []any{"[0.84,2.0]", "1"}), [][]any{row}, true},
		"another order unsaid": {page("exact", nil, turned, []any{"[0.84,2.0]", "1"}), [][]any{row}, false},
		"another rounding":     {page("exact", nil, []string{"a", "b"}, []any{"1", "[0.85,2.0]"}), [][]any{row}, false},
		"no row, padded":       {page("exact", []string{"padded rows"}, []string{"a", "b"}, []any{nil, ""}), nil, true},
		"no row, unsaid":       {page("exact", nil, []string{"a", "b"}, []any{nil, ""}), nil, false},
	} {
		if why := differRows(c.e, ab, c.rows); (why == "") != c.equal {
			t.Errorf("%s: %q", name, why)
		}
	}
}
