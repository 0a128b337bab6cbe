package kqltest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// TestDeclaredIsWhatWasRecorded: the declarations made from the product's own
// schema are those that the recorded queries were bound against.
func TestDeclaredIsWhatWasRecorded(t *testing.T) {
	got := kqltest.Declared()
	if len(got) < 900 {
		t.Fatalf("%d tables", len(got))
	}
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	want, err := kqltest.Tables(filepath.Join(shared, "tools/kql-oracle/schema/merged.json"))
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: the recorded declarations are not here (%v); only that ours can be read was checked", err)
	}
	columns := func(m map[string]*schema.Table) map[string][]schema.Column {
		out := map[string][]schema.Column{}
		for n, x := range m {
			out[n] = x.Columns
		}
		return out
	}
	if d := cmp.Diff(columns(want), columns(got)); d != "" {
		t.Error(d)
	}
}
