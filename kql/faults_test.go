package kql_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/kql"
	"lockstep/kql/bind"
	"lockstep/kql/kqltest"
	"lockstep/kql/naive"
	"lockstep/kql/syntax"
)

// faults are mistakes that an emitter could make, as changes to what it says.
var faults = []struct{ name, from, to string }{
	{"nulls sort first in descending order", "DESC NULLS LAST", "DESC NULLS FIRST"},
	{"nulls sort last in ascending order", "ASC NULLS FIRST", "ASC NULLS LAST"},
	{"descending order is forgotten", " DESC", " ASC"},
	{"a null is not compared", "IS NOT DISTINCT FROM", "="},
	{"two nulls are equal", "IS NULL THEN NULL", "IS NULL THEN true"},
	{"innerunique keeps every left row", "SELECT DISTINCT ON (lk0) *", "SELECT *"},
	{"an anti join keeps the rows that match", "ANTI JOIN", "SEMI JOIN"},
	{"an outer join loses rows", "LEFT JOIN", "INNER JOIN"},
	{"a text from an outer join is null", "coalesce(c", "nullif(c"},
	{"a term is any part of a text", "(?:^|[^", "(?:|[^"},
	{"case counts in has", "lower(", "upper("},
	{"NaN is equal to itself", "WHEN isnan(", "WHEN NOT isnan("},
	{"NaN is greater than all", "AND NOT isnan(", "AND true OR isnan("},
	{"a sum that wraps is one off", " - 9223372036854775808::HUGEINT", " - 9223372036854775807::HUGEINT"},
	{"an empty list gives no row", "[NULL::VARCHAR]", "[]::VARCHAR[]"},
	{"integers divide to reals", "//", "/"},
	{"union drops equal rows", "UNION ALL", "UNION"},
	{"a limit takes one row less", " LIMIT 2", " LIMIT 1"},
	{"count counts groups", "count(*)", "count(DISTINCT 1)"},
	{"positions begin at one", "unnest(range(", "unnest(range(1, 1 + "},
	{"distinct keeps all", "SELECT DISTINCT c", "SELECT c"},
	{"a condition is any of its parts", " AND ", " OR "},
}

// TestFaults: each planted mistake makes some case of testdata fail.
func TestFaults(t *testing.T) {
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	type program struct {
		compiled *kql.Program
		want     string
	}
	var programs []program
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a := parseArchive(data)
		for i := 0; i+1 < len(a); i += 2 {
			_, rows, _ := strings.Cut(a[i+1].Data, "\n")
			programs = append(programs, program{compile(t, a[i].Data), rows})
		}
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			for _, p := range programs {
				text, args := engine.SQL(p.compiled, environment().Tables)
				for i, x := range args { // what a user's words become is the emitter's too
					if s, ok := x.(string); ok {
						args[i] = strings.ReplaceAll(s, f.from, f.to)
					}
				}
				broken := strings.ReplaceAll(text, f.from, f.to)
				rows, err := engine.Statement(context.Background(), broken, args, len(p.compiled.Columns))
				if err == nil && cells(rows) != p.want { // an error of the engine would be noticed anyway
					return
				}
			}
			t.Errorf("no case notices %q written for %q", f.to, f.from)
		})
	}
}

// TestFaultsCompared: the planted mistakes are seen without any written
// answer too, by comparing with the evaluator of package naive.
func TestFaultsCompared(t *testing.T) {
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	data, err := seeds()
	if err != nil {
		t.Fatal(err)
	}
	var queries []string
	for i, file := range parseArchive(data) {
		if i%2 == 0 {
			queries = append(queries, file.Data)
		}
	}
	queries = append(queries, `Events | where DeviceName has "alpha" or LogonId > 5 | summarize n = count(), s = sum(LogonId), m = max(Timestamp) by DeviceName | sort by n desc`,
		`Events | join kind=leftouter (Events | where LogonId > 3 | project LogonId, other = DeviceName) on LogonId | project DeviceName, other`,
		`Events | mv-expand AdditionalFields | project DeviceName, AdditionalFields`)
	caught := 0
	for _, f := range faults {
		if by := caughtBy(t, engine, queries, f.from, f.to); by != "" {
			caught++
		} else {
			t.Logf("the comparison doesn't notice %q", f.name)
		}
	}
	t.Logf("%d of %d planted mistakes are caught by the comparison", caught, len(faults))
	if caught < 20 {
		t.Errorf("%d mistakes are caught by the comparison, want 20", caught)
	}
}

// caughtBy gives the first query whose rows show a mistake, "" for none.
func caughtBy(t *testing.T, engine *kqltest.Engine, queries []string, from, to string) string {
	for n, text := range queries {
		p, _ := kql.Compile(text, environment())
		if p == nil {
			continue
		}
		data := kqltest.Fill(text, environment(), uint64(n))
		engine.Load(data)
		sql, args := engine.SQL(p, environment().Tables)
		broken := strings.ReplaceAll(sql, from, to)
		changed := broken != sql
		for i, x := range args {
			if s, ok := x.(string); ok {
				args[i] = strings.ReplaceAll(s, from, to)
				changed = changed || args[i] != s
			}
		}
		if !changed {
			continue
		}
		rows, err := engine.Statement(context.Background(), broken, args, len(p.Columns))
		if err != nil {
			continue // noticed anyway
		}
		v, err := naive.Compare(p.Columns, p.Sorted, rows, func(choice int) ([][]any, error) {
			q, _ := syntax.ParseQuery(text)
			root, _ := bind.Visible(bind.Query(q, environment(), 0).Root)
			var choices *rand.Rand
			if choice > 0 {
				choices = rand.New(rand.NewPCG(uint64(choice), 5))
			}
			return naive.Run(root, naive.Tables(data), choices)
		})
		if err == nil && v.Difference != "" {
			return text
		}
	}
	return ""
}
