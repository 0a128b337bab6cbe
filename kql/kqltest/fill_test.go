package kqltest_test

import (
	"context"
	"fmt"
	"os"
	"sort"
	"testing"
	"time"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// corpusEnvironment is every table of the reference material; wildcards mean a few of them.
func corpusEnvironment(tables map[string]*schema.Table) kql.Environment {
	var names []string
	for _, n := range []string{"DeviceEvents", "DeviceProcessEvents", "SecurityEvent", "SigninLogs", "EmailEvents", "Usage", "Heartbeat", "AzureDiagnostics"} {
		if _, ok := tables[n]; ok {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return kql.Environment{
		Tables:     func(n string) (*schema.Table, bool) { t, ok := tables[n]; return t, ok },
		TableNames: func() []string { return names },
		Now:        schema.At(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)),
	}
}

// TestFill: rows made for a query let the query find some, and are the same each time.
func TestFill(t *testing.T) {
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	queries, tables, err := kqltest.Corpus(shared)
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: the recorded queries are not here (%v); nothing of the generator was checked", err)
	}
	env := corpusEnvironment(tables)
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	ran, found := 0, 0
	for i := 0; i < len(queries); i += 60 {
		p, _ := kql.Compile(queries[i], env)
		if p == nil {
			continue
		}
		data := kqltest.Fill(queries[i], env, uint64(i))
		if fmt.Sprint(data) != fmt.Sprint(kqltest.Fill(queries[i], env, uint64(i))) {
			t.Errorf("query %d: other rows at the second time", i)
		}
		engine.Load(data)
		rows, err := engine.Run(context.Background(), p, env.Tables)
		if err != nil {
			t.Errorf("query %d: %v", i, err)
			continue
		}
		ran++
		if len(rows) > 0 {
			found++
		}
	}
	t.Logf("%d of %d queries find rows", found, ran)
	if found*100 < ran*60 {
		t.Errorf("%d of %d queries find rows, want 60 of 100", found, ran)
	}
}
