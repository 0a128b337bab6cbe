package naive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/kql/naive"
)

// same writes a query from choices and compares both answers. It gives what
// came of it: "equal", "refused", "open" or "unknown".
func same(t *testing.T, engine *kqltest.Engine, choices []byte) string {
	w := &writer{choices: choices}
	text := w.query()
	data := w.data()
	env := writtenEnvironment()
	p, diags := kql.Compile(text, env)
	if p == nil {
		if diags[0].Code == "KQL900" {
			return "refused"
		}
		return "refused " + diags[0].Code + " " + diags[0].Message + "\n" + text
	}
	engine.Load(data)
	rows, err := engine.Run(context.Background(), p, env.Tables)
	if err != nil {
		t.Errorf("%v\n%s", err, text)
		return "error"
	}
	v, err := naive.Compare(p.Columns, p.Sorted, rows, asking(text, env, data))
	if u := (*naive.Unknown)(nil); errors.As(err, &u) {
		return "unknown " + u.What
	} else if err != nil {
		t.Error(err)
	}
	if v.Difference != "" {
		t.Errorf("%s\n%s\nLeft:  %v\nRight: %v", v.Difference, text, data["Left"], data["Right"])
		return "different"
	}
	if v.Open != "" {
		return "open"
	}
	return "equal"
}

// TestSame: the SQL and the evaluator agree on random queries over random
// rows; LOCKSTEP_KQL_RANDOM says on how many, LOCKSTEP_LONG for how long.
func TestSame(t *testing.T) {
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	counts := map[string]int{}
	n := 300
	var until time.Time // zero: all of them
	if d, err := time.ParseDuration(os.Getenv("LOCKSTEP_LONG")); err == nil {
		n, until = 20_000, time.Now().Add(d)
	}
	if more, err := strconv.Atoi(os.Getenv("LOCKSTEP_KQL_RANDOM")); err == nil {
		n = more
	}
	for i := range n {
		if !until.IsZero() && time.Now().After(until) {
			break
		}
		rng := rand.New(rand.NewPCG(uint64(i), 17))
		choices := make([]byte, 20+rng.IntN(200))
		for k := range choices {
			choices[k] = byte(rng.Uint32())
		}
		counts[same(t, engine, choices)]++
		if t.Failed() && counts["different"]+counts["error"] > 25 {
			break
		}
	}
	t.Log(fmt.Sprint("did random queries:\n", table(counts)))
}

// FuzzSame looks for a query that the SQL and the evaluator answer differently.
func FuzzSame(f *testing.F) {
	engine, err := kqltest.Open()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = engine.Close() })
	f.Add([]byte{})
	f.Add([]byte("summarize by the key, then join and expand"))
	f.Fuzz(func(t *testing.T, choices []byte) { same(t, engine, choices) })
}
