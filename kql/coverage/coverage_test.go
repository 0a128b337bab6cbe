package coverage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/kql/coverage"
)

// TestUsed: a word counts where it is used, by what it means there.
func TestUsed(t *testing.T) {
	const text = `// tolower(x)
let f = (x:long) { x * 2 };
print s = "strlen(1) | where sort", h = hll_merge(dynamic([1]), dynamic([2]))
| join kind=leftanti (datatable(s:string)["summarize"]) on s
| summarize hll_merge(h), n = count() by bin(f(3), 2) | evaluate pivot(s, count_distinct(n)) | where s !has "x" and n !between (1 .. 2)`
	want := map[coverage.Word]bool{}
	for kind, names := range map[string][]string{
		coverage.Operator:  {"let", "print", "join", "join kind=leftanti", "datatable", "summarize", "evaluate", "where", "*", "!has", "and", "!between"},
		coverage.Function:  {"hll_merge", "bin"},
		coverage.Aggregate: {"hll_merge", "count", "count_distinct"},
		coverage.Plugin:    {"pivot"},
	} {
		for _, n := range names {
			want[coverage.Word{Kind: kind, Name: n}] = true
		}
	}
	if d := cmp.Diff(want, coverage.Used(text)); d != "" {
		t.Error(d)
	}
}
