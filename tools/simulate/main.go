// Command simulate runs both sides and the connector between them from a seed
// while everything goes wrong, and says whether anything was lost.
//
//	go run ./tools/simulate -seed 1 -histories 10000
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"lockstep/simulation"
)

func main() {
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of all that happens; a fresh one unless given")
	histories := flag.Int("histories", 1000, "how many histories to run")
	steps := flag.Int("steps", simulation.DefaultSteps, "how many steps each history has")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("seed %d\n", *seed)
	if !run(ctx, simulation.Options{Seed: *seed, Histories: *histories, Steps: *steps, Progress: os.Stdout}) {
		os.Exit(1)
	}
}

// run runs histories, tells the first one that fails, and reports whether none did.
func run(ctx context.Context, o simulation.Options) bool {
	rep := simulation.RunAll(ctx, o)
	if len(rep.Violations) > 0 {
		for _, line := range simulation.Tell(simulation.Shrink(rep.Violations[0].Plan)) {
			fmt.Println(line)
		}
		for _, v := range rep.Violations {
			fmt.Printf("history %d: %s\n", v.Plan.Number, v.Text)
		}
	}
	rare := rep.Rare()
	for _, what := range rare {
		fmt.Printf("too rare to mean something: %s\n", what)
	}
	fmt.Println(rep)
	return len(rep.Violations) == 0 && len(rare) == 0
}
