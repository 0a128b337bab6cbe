// Command mutate measures how much of a package its tests hold: it makes small
// changes to comparisons, branches and assignments, one at a time, and counts
// how many of them make a test fail. All changes are compiled into one program
// that is told by its environment which of them to make.
//
//	go run ./tools/mutate -package ./connector/reconcile -tests ./connector/reconcile,./connector -least 90
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	pkg := flag.String("package", "./connector/reconcile", "the package to change")
	tests := flag.String("tests", "./connector/reconcile,./connector", "the packages whose tests must notice, quickest first")
	least := flag.Float64("least", 90, "per cent of the changes that must be noticed")
	list := flag.Bool("list", false, "print the changes, make none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *pkg, strings.Split(*tests, ","), *least, *list); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// run changes the package, runs the tests against every change, and prints
// those that nobody noticed, and last how many were noticed.
func run(ctx context.Context, pkg string, tests []string, least float64, list bool) error {
	folder, err := os.MkdirTemp("", "lockstep-mutate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	mutants, overlay, err := mutate(pkg, folder)
	if err != nil {
		return err
	}
	if list {
		for _, m := range mutants {
			fmt.Println(m)
		}
		return nil
	}
	suites, err := compile(ctx, tests, overlay, folder)
	if err != nil {
		return err
	}
	for _, s := range suites {
		if out, failed := s.fails(ctx, -1); failed {
			return fmt.Errorf("the tests of %s fail without a change: %s", s.pkg, out)
		}
	}
	alive := try(ctx, mutants, suites)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, m := range alive {
		fmt.Println("not noticed:", m)
	}
	rate := 100 * float64(len(mutants)-len(alive)) / float64(len(mutants))
	fmt.Printf("%s: did kill %d of %d mutants, %.1f %%\n", pkg, len(mutants)-len(alive), len(mutants), rate)
	if rate < least {
		return fmt.Errorf("less than %g %%", least)
	}
	return nil
}

// suite is a package's tests, compiled with the changes.
type suite struct{ pkg, binary string }

func compile(ctx context.Context, tests []string, overlay, folder string) (all []suite, err error) {
	for n, pkg := range tests {
		s := suite{pkg, filepath.Join(folder, "test"+strconv.Itoa(n))}
		out, err := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", s.binary, pkg).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("compile the tests of %s: %w\n%s", pkg, err, out)
		}
		all = append(all, s)
	}
	return all, nil
}

// longest is how long a suite may run: a change may make it endless.
const longest = 60 * time.Second

// fails runs the tests with one change made; -1 for none.
func (s suite) fails(ctx context.Context, mutant int) (out string, failed bool) {
	ctx, stop := context.WithTimeout(ctx, longest)
	defer stop()
	cmd := exec.CommandContext(ctx, s.binary, "-test.failfast")
	cmd.Dir = s.pkg
	cmd.Env = append(os.Environ(), environment+"="+strconv.Itoa(mutant))
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	return string(text), errors.As(err, &exit)
}

// try gives the mutants that no suite noticed.
func try(ctx context.Context, mutants []mutant, suites []suite) (alive []mutant) {
	lives := make([]bool, len(mutants))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := range next {
				lives[n] = true
				for _, s := range suites {
					if _, failed := s.fails(ctx, n); failed {
						lives[n] = false
						break
					}
				}
			}
		})
	}
	for n := range mutants {
		next <- n
	}
	close(next)
	wg.Wait()
	for n, m := range mutants {
		if lives[n] {
			alive = append(alive, m)
		}
	}
	return alive
}
