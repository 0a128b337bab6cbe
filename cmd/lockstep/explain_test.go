package main

import (
	"strings"
	"testing"

	"lockstep/api/control"
	"lockstep/query"
	"lockstep/tables"
)

// TestExplanation is what `lockstep query --explain` prints: nothing in it drives a terminal.
func TestExplanation(t *testing.T) {
	got := explanation(&control.Explained{
		Plan:    &query.Plan{Operator: "filter", Does: []string{"Title == \"\x1b[2J\u202e\""}, Columns: []string{"Title"}, Reads: []*query.Plan{{Operator: "scan AlertInfo", Columns: []string{"Title"}}}},
		Stages:  []query.ExplainedStage{{Go: "kql_reduce", Reads: 1}, {SQL: "SELECT 1\nWHERE ? = ?", Args: []any{"\x1b[2J", 7}}},
		Scanned: []tables.Scanned{{Table: "AlertInfo", Rows: 12, Segments: 1}}, CompileMillis: 1.25, RunMillis: 30, Rows: 1,
	})
	want := `Plan
  filter → Title
    · Title == "�[2J�"
    scan AlertInfo → Title

Stages
  1. Go: kql_reduce over the rows of 1 table, called by the statement
  2. SQL, with 2 values
     SELECT 1
     WHERE ? = ?
     ?1 = "\x1b[2J"
     ?2 = 7

Read
  AlertInfo: 12 rows, 1 segment

Compiled in 1.25ms, ran in 30ms, gave 1 row
`
	if got != want || strings.Contains(got, "\x1b") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
