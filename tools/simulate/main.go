// Command simulate runs both sides and the connector between them from a seed
// while everything goes wrong, and says whether anything was lost.
//
//	go run ./tools/simulate -seed 1 -histories 10000
//	go run ./tools/simulate -break list          the faults that can be planted
//	go run ./tools/simulate -break no-base       plants one: violations must show
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"lockstep/simulation"
)

func main() {
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of all that happens; a fresh one unless given")
	histories := flag.Int("histories", 1000, "how many histories to run; with -break 10000")
	steps := flag.Int("steps", simulation.DefaultSteps, "how many steps each history has")
	fault := flag.String("break", "", "plant this fault in the connector first; \"list\" prints their names")
	until := flag.Int("until", simulation.ManyViolations, "stop after so many violations")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := simulation.Options{Seed: *seed, Histories: *histories, Steps: *steps, Until: *until, Progress: os.Stdout}
	var err error
	switch *fault {
	case "":
		err = run(ctx, o)
	case "list":
		for _, f := range faults {
			fmt.Printf("%-24s %s\n", f.name, f.what)
		}
	default:
		if !given("histories") {
			o.Histories = 10_000
		}
		err = broken(ctx, *fault, o)
	}
	if err != nil {
		if !errors.Is(err, errTold) && !errors.As(err, new(*exec.ExitError)) {
			fmt.Fprintln(os.Stderr, "simulate:", err)
		}
		os.Exit(1)
	}
}

// errTold is a failure that the report, whose last line ends the output, has told already.
var errTold = errors.New("told by the report")

func given(name string) (is bool) {
	flag.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
}

// run runs histories and tells the first one that fails.
func run(ctx context.Context, o simulation.Options) error {
	fmt.Printf("seed %d\n", o.Seed)
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
	if len(rep.Violations)+len(rare) > 0 {
		return errTold
	}
	return nil
}

// broken runs this program compiled with a fault in it, until the first violation.
func broken(ctx context.Context, name string, o simulation.Options) error {
	n := slices.IndexFunc(faults, func(f planted) bool { return f.name == name })
	if n < 0 {
		return fmt.Errorf("no fault %q; -break list names them", name)
	}
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	root := filepath.Dir(string(bytes.TrimSpace(mod)))
	folder, err := os.MkdirTemp("", "lockstep-fault-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	overlay, err := faults[n].plant(root, folder)
	if err != nil {
		return err
	}
	fmt.Printf("planted %s: %s\n", name, faults[n].what)
	cmd := exec.CommandContext(ctx, "go", "run", "-overlay", overlay, "./tools/simulate", "-until", "1",
		"-seed", strconv.FormatUint(o.Seed, 10), "-histories", strconv.Itoa(o.Histories), "-steps", strconv.Itoa(o.Steps))
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, os.Stdout, os.Stderr
	return cmd.Run()
}
