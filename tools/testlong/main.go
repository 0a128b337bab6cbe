// Command testlong runs the tests that take as long as they are given: long
// simulations, fuzzers, kills, browsers, vendors' clients. The time is shared
// out among the parts by weight; each prints how much it did.
//
//	go run ./tools/testlong -time 15m          all parts
//	go run ./tools/testlong -part browser      one part, for as long as it asks
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// part is one kind of long test.
type part struct {
	name   string
	what   string
	weight int           // share of the whole time
	whole  time.Duration // how long it takes when run alone
	run    func(ctx context.Context, d time.Duration) (did string, err error)
}

func main() {
	total := flag.Duration("time", time.Hour, "time for all parts together")
	only := flag.String("part", "", "run this part alone, for as long as it asks")
	list := flag.Bool("list", false, "print the parts")
	flag.Parse()
	if *list {
		for _, p := range parts() {
			fmt.Printf("  %-12s %s\n", p.name, p.what)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *total, *only); err != nil {
		fmt.Fprintln(os.Stderr, "testlong:", err)
		os.Exit(1)
	}
}

// run runs the parts and prints one line for each, and the closing count.
func run(ctx context.Context, total time.Duration, only string) error {
	chosen, weights := parts(), 0
	if only != "" {
		chosen = nil
		for _, p := range parts() {
			if p.name == only {
				chosen = []part{p}
			}
		}
		if chosen == nil {
			return fmt.Errorf("no part %q; -list names them", only)
		}
	}
	for _, p := range chosen {
		weights += p.weight
	}
	failed := 0
	for _, p := range chosen {
		share := total * time.Duration(p.weight) / time.Duration(weights)
		if only != "" {
			share = p.whole
		}
		fmt.Printf("── %s: %s (%s)\n", p.name, p.what, share.Round(time.Second))
		began := time.Now()
		did, err := p.run(ctx, share)
		took := time.Since(began).Round(time.Second)
		if err != nil {
			failed++
			fmt.Printf("── %s FAILED after %s: %v\n", p.name, took, err)
			continue
		}
		fmt.Printf("── %s passed in %s: %s\n", p.name, took, did)
	}
	fmt.Printf("%d passed, %d failed\n", len(chosen)-failed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d parts failed", failed, len(chosen))
	}
	return nil
}

// goTest runs go test with LOCKSTEP_LONG set to the part's time, so that tests
// that can go on for longer do.
func goTest(ctx context.Context, d time.Duration, args ...string) (string, error) {
	args = append([]string{"test", "-count=1", "-timeout", (2*d + 10*time.Minute).String()}, args...)
	return tail(ctx, d, exec.CommandContext(ctx, "go", args...))
}

// tail runs a command, shows what it prints, and gives its last line that says
// how much was done (what a test logs that begins with "did ").
func tail(ctx context.Context, d time.Duration, cmd *exec.Cmd) (string, error) {
	var lines collector
	cmd.Env = append(os.Environ(), "LOCKSTEP_LONG="+d.String())
	cmd.Stdout, cmd.Stderr = &lines, &lines
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return lines.did(), nil
}

// collector passes output on and remembers what was said to be done.
type collector struct {
	rest string
	said []string
}

func (c *collector) Write(p []byte) (int, error) {
	_, _ = os.Stdout.Write(p)
	c.rest += string(p)
	for {
		line, rest, ok := strings.Cut(c.rest, "\n")
		if !ok {
			return len(p), nil
		}
		c.rest = rest
		if _, did, ok := strings.Cut(line, ": did "); ok {
			c.said = append(c.said, did[:min(len(did), 200)])
		}
	}
}

func (c *collector) did() string {
	if len(c.said) == 0 {
		return "no figure given"
	}
	return strings.Join(c.said, "; ")
}
