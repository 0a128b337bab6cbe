package naive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"lockstep/kql"
	"lockstep/kql/bind"
	"lockstep/kql/kqltest"
	"lockstep/kql/naive"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// planOf binds a text: the plan as bound, no rule of rewrite has seen it.
func planOf(text string, env kql.Environment) plan.Node {
	q, _ := syntax.ParseQuery(text)
	bound := bind.Query(q, env, 0)
	if bound.Root == nil {
		return nil
	}
	root, _ := bind.Visible(bound.Root)
	return root
}

// asking gives Compare the answers of a text over data.
func asking(text string, env kql.Environment, data kqltest.Data) func(int) ([][]any, error) {
	root := planOf(text, env)
	return func(choice int) ([][]any, error) {
		var choices *rand.Rand
		if choice > 0 {
			choices = rand.New(rand.NewPCG(uint64(choice), 11))
		}
		return naive.Run(root, naive.Tables(data), choices)
	}
}

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

// TestCorpus compares the emitted SQL with the evaluator over recorded
// queries and rows made for each.
func TestCorpus(t *testing.T) {
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	queries, tables, err := kqltest.Corpus(shared)
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: the recorded queries are not here (%v); nothing of the corpus was compared", err)
	}
	compareAll(t, corpusEnvironment(tables), every(queries, step(61)))
}

// step is how many queries a test goes on for each that it takes: the long
// tests take every one, LOCKSTEP_KQL_STEP says otherwise.
func step(otherwise int) int {
	if os.Getenv("LOCKSTEP_LONG") != "" {
		otherwise = 1
	}
	if n, err := strconv.Atoi(os.Getenv("LOCKSTEP_KQL_STEP")); err == nil {
		return n
	}
	return otherwise
}

type numbered struct {
	n    int
	text string
}

func every(queries []string, step int) (out []numbered) {
	for i := 0; i < len(queries); i += step {
		out = append(out, numbered{i, queries[i]})
	}
	return out
}

// TestExamples compares both over the queries of documented examples and of a real engine's cases.
func TestExamples(t *testing.T) {
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	var queries []string
	for _, file := range []string{"kql/peer-tests.dev.jsonl.gz", "kql/doc-examples.dev.jsonl.gz"} {
		err := kqltest.Lines(filepath.Join(shared, file), func(line []byte) error {
			var q struct{ Query string }
			if err := json.Unmarshal(line, &q); err != nil {
				return err
			}
			queries = append(queries, q.Query)
			return nil
		})
		if err != nil {
			t.Skipf("LOCKSTEP_SHARED: the recorded cases are not here (%v); nothing of them was compared", err)
		}
	}
	_, tables, err := kqltest.Corpus(shared)
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: the recorded tables are not here (%v); no case was compared", err)
	}
	compareAll(t, corpusEnvironment(tables), every(queries, step(17)))
}

// compareAll runs each query on the engine and by the evaluator.
func compareAll(t *testing.T, env kql.Environment, queries []numbered) {
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	compared, equal, withRows, different := 0, 0, 0, 0
	not := map[string]int{}
	var until time.Time // zero: all of them
	if d, err := time.ParseDuration(os.Getenv("LOCKSTEP_LONG")); err == nil {
		until = time.Now().Add(d)
	}
	for i, q := range queries {
		if !until.IsZero() && time.Now().After(until) {
			t.Logf("the time was over after %d of %d queries", i, len(queries))
			break
		}
		p, _ := kql.Compile(q.text, env)
		if p == nil {
			not["refused by the compiler"]++
			continue
		}
		data := kqltest.Fill(q.text, env, uint64(q.n))
		engine.Load(data)
		rows, err := engine.Run(context.Background(), p, env.Tables)
		if err != nil {
			t.Errorf("query %d: %v\n%s", q.n, err, q.text)
			continue
		}
		v, err := naive.Compare(p.Columns, p.Sorted, rows, asking(q.text, env, data))
		if u := (*naive.Unknown)(nil); errors.As(err, &u) {
			not[u.What+" is not written"]++
			continue
		}
		if v.Open != "" {
			not["left open by the language: "+v.Open]++
		}
		compared++
		if len(rows) > 0 {
			withRows++
		}
		if v.Difference == "" {
			equal++
		} else if different++; different <= 60 {
			t.Errorf("query %d: %s\n%s", q.n, v.Difference, q.text)
		}
	}
	t.Logf("did %d of %d queries (%d of them give rows), %d equal; of these, or beside them\n%s", compared, len(queries), withRows, equal, table(not))
}

func table(counts map[string]int) string {
	var lines []string
	for k, n := range counts {
		lines = append(lines, fmt.Sprintf("%6d %s", n, k))
	}
	sort.Sort(sort.Reverse(sort.StringSlice(lines)))
	return strings.Join(lines, "\n")
}
