package kql_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/kql"
)

const treesFile = "testdata/trees.txt"

// TestTrees compares plans as text with what they were when somebody read
// them. In the file a query is followed by its plan, indented.
func TestTrees(t *testing.T) {
	data, err := os.ReadFile(treesFile)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(data), "\n\n")
	var got strings.Builder
	got.WriteString(head + "\n")
	for block := range strings.SplitSeq(strings.TrimSpace(body), "\n\n") {
		query, _, _ := strings.Cut(block, "\n")
		p, found := kql.Compile(query, errorsEnvironment())
		if p == nil {
			t.Fatalf("%s: %v", query, found)
		}
		got.WriteString("\n" + query + "\n")
		for line := range strings.Lines(p.Tree().String()) {
			got.WriteString("    " + line)
		}
	}
	if *update {
		if err := os.WriteFile(treesFile, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(data), got.String()); d != "" {
		t.Error(d)
	}
}
