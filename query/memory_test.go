package query_test

import (
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/schema"
	"lockstep/tables/duckdb"
	"lockstep/tables/tablestest"
)

// TestMemory: what doesn't fit in memory goes to disk; where that has no room
// either the query is refused in words, and the next one is answered.
func TestMemory(t *testing.T) {
	const large = "range x from 1 to 1000000 step 1 | extend s = strcat(x, ' is a text that takes its room in memory') | sort by s desc | serialize n = row_number() | where n in (1, 1000000) | project s"
	clock := func() schema.Ticks { return tablestest.Now }
	for _, test := range []struct{ spill, want string }{
		{"4GB", "999999 is a text that takes its room in memory\n1 is a text that takes its room in memory"},
		{"1MB", ""},
	} {
		store, err := duckdb.Open(t.TempDir(), duckdb.Options{Clock: clock, Memory: "64MB", Spill: test.spill})
		if err != nil {
			t.Fatal(err)
		}
		s := query.New(query.Options{Tables: store, Clock: clock})
		r, err := s.Run(t.Context(), query.Query{Side: schema.XDR, Text: large})
		switch {
		case test.want != "" && (err != nil || printed(r) != test.want):
			t.Errorf("with %s of disk: %v, %v", test.spill, r, err)
		case test.want == "" && (!fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "more memory than the server gives")):
			t.Errorf("with %s of disk: %v, %v", test.spill, r, err)
		}
		if r, err = s.Run(t.Context(), query.Query{Side: schema.XDR, Text: "range x from 1 to 10 step 1 | summarize sum(x)"}); err != nil || printed(r) != "55" {
			t.Errorf("afterwards: %v, %v", r, err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}
