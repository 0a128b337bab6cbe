package simulation_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"lockstep/simulation"
)

// TestNothingIsLost runs histories from a fresh seed: a few, or with
// LOCKSTEP_LONG for as long as that says.
func TestNothingIsLost(t *testing.T) {
	ctx := context.Background()
	o := simulation.Options{Seed: uint64(time.Now().UnixNano()), Histories: 120}
	if d, err := time.ParseDuration(os.Getenv("LOCKSTEP_LONG")); err == nil {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, d)
		defer stop()
		o.Histories, o.Progress = 1<<30, os.Stdout
	}
	rep := simulation.RunAll(ctx, o)
	t.Logf("did %d histories, %d steps, %d edits from seed %d, %v", rep.Histories, rep.Steps, rep.Edits, o.Seed, rep.Counts)
	for _, rare := range rep.Rare() {
		t.Errorf("too rare to mean something: %s", rare)
	}
	for n, v := range rep.Violations {
		t.Errorf("go run ./tools/simulate -seed %d: history %d: %s", o.Seed, v.Plan.Number, v.Text)
		if n == 0 {
			t.Log(strings.Join(simulation.Tell(simulation.Shrink(v.Plan)), "\n"))
		}
	}
}

func TestOneSeedIsOneRun(t *testing.T) {
	run := func(workers int, seed uint64) simulation.Report {
		return simulation.RunAll(context.Background(), simulation.Options{Seed: seed, Histories: 12, Workers: workers})
	}
	one, two, three := run(1, 3), run(2, 3), run(2, 4)
	if one.String() != two.String() {
		t.Errorf("%s, then %s", one, two)
	}
	if one.Hash == three.Hash {
		t.Errorf("seeds 3 and 4 both come to %s", one)
	}
}
