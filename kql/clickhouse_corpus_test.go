package kql_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// TestClickHouseCorpus measures the dialect on the recorded queries and on the
// strict cases of the engine's emulator: how many it says, and that what it says runs and is right.
func TestClickHouseCorpus(t *testing.T) {
	duck, click := engines(t)
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../../shared"
	}
	queries, tables, err := kqltest.Corpus(shared)
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: the recorded queries are not here (%v); nothing of the corpus was checked", err)
	}
	env := environment()
	env.Tables = func(n string) (*schema.Table, bool) { x, ok := tables[n]; return x, ok }
	every := 100 // one of so many runs, on empty tables, and one of a tenth as many cases
	if d, err := time.ParseDuration(os.Getenv("LOCKSTEP_LONG")); err == nil && d >= 4*time.Minute {
		every = 10
	}
	lacks := map[string]int{}
	compiled, said, ran := 0, 0, 0
	for _, q := range queries {
		if p, _ := kql.Compile(q, env); p == nil {
			continue
		}
		compiled++
		p, diags := kql.CompileFor(q, env, kql.ClickHouse())
		if p == nil {
			lacks[strings.TrimSuffix(refusal(diags), " is not supported on ClickHouse")]++
			continue
		}
		if said++; said%every != 0 {
			continue
		}
		if _, err := click.Run(p, env.Tables, nil); err != nil {
			t.Errorf("%s\n%v", q, err)
		}
		ran++
	}
	t.Logf("did %d of %d recorded queries in ClickHouse's words, %d run", said, compiled, ran)
	t.Logf("what it lacks most: %s", most(lacks, 12))
	if said*100 < compiled*85 {
		t.Errorf("%d of %d recorded queries compile, want 85 of 100", said, compiled)
	}

	env = environment()
	strict, equal, ties, differs, refused := 0, 0, 0, 0, map[string]int{}
	err = kqltest.Lines(filepath.Join(shared, "kql/peer-tests.dev.jsonl.gz"), func(line []byte) error {
		var c struct {
			ID, Query, Authority string
			Strict               bool
			Expected             struct{ Error json.RawMessage }
		}
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		if !c.Strict || c.Authority != "kusto-emulator" || c.Expected.Error != nil {
			return nil
		}
		if strict++; strict%(every/10) != 0 {
			return nil
		}
		if p, diags := kql.CompileFor(c.Query, env, kql.ClickHouse()); p == nil {
			refused[strings.TrimSuffix(refusal(diags), " is not supported on ClickHouse")]++
		} else if d := differ(t, duck, click, c.Query, env, false); d == "" {
			equal++
		} else if d := differ(t, duck, click, c.Query, env, true); d == "" {
			ties++
		} else {
			differs++
			t.Logf("%s %s\n%s", c.ID, c.Query, d)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, k := range refused {
		n += k
	}
	all := equal + ties + differs + n
	t.Logf("did %d of %d strict cases of the emulator with DuckDB's rows, %d more but for an order that the query leaves open, %d other, %d refused", equal, all, ties, differs, n)
	if differs*100 > all {
		t.Errorf("%d of %d cases give other rows than on DuckDB, want at most 1 of 100", differs, all)
	}
	t.Logf("what they lack most: %s", most(refused, 12))
}

// most lists the largest counts.
func most(counts map[string]int, n int) string {
	var keys []string
	for k := range counts {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, k int) bool {
		if counts[keys[i]] != counts[keys[k]] {
			return counts[keys[i]] > counts[keys[k]]
		}
		return keys[i] < keys[k]
	})
	var out []string
	for _, k := range keys[:min(n, len(keys))] {
		out = append(out, k+" "+strconv.Itoa(counts[k]))
	}
	return strings.Join(out, ", ")
}
