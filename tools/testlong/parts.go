package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// parts is the table of the long tests.
func parts() []part {
	return []part{
		{"kills", "kill -9 during a replay and under edits of both sides; nothing acknowledged is missing", 4, 15 * time.Minute,
			func(ctx context.Context, d time.Duration) (string, error) {
				return goTest(ctx, d, "-v", "-run", "TestKill", "./acceptance")
			}},
		{"simulate", "two sides, the connector, crashes and lost answers from random seeds", 3, 10 * time.Minute,
			func(ctx context.Context, d time.Duration) (string, error) {
				return goTest(ctx, d, "-v", "-run", "TestNothingIsLost", "./simulation")
			}},
		{"faults", "known mistakes planted in the connector: the simulation finds each", 2, 12 * time.Minute,
			func(ctx context.Context, d time.Duration) (string, error) {
				return goTest(ctx, d, "-v", "-run", "TestEveryFaultIsFound", "./tools/simulate")
			}},
		{"mutants", "small changes to connector/reconcile: its tests notice nine of ten", 1, 5 * time.Minute,
			func(ctx context.Context, d time.Duration) (string, error) {
				return tail(ctx, d, exec.CommandContext(ctx, "go", "run", "./tools/mutate"))
			}},
		{"fuzz", "every fuzzer of the module in turn", 4, 20 * time.Minute, fuzz},
		{"kql", "the emitted SQL against a naive evaluator: every recorded query, and random ones", 2, 15 * time.Minute,
			func(ctx context.Context, d time.Duration) (string, error) {
				return goTest(ctx, d, "-v", "-run", "TestCorpus|TestExamples|TestSame", "./kql/naive")
			}},
		{"race", "the state, access and connector tests under the race detector", 2, 5 * time.Minute,
			func(ctx context.Context, d time.Duration) (string, error) {
				return goTest(ctx, d, "-race", "./state/...", "./access/...", "./connector/...", "./query/...")
			}},
		{"clients", "vendors' own clients against a running server", 1, 5 * time.Minute,
			func(ctx context.Context, d time.Duration) (string, error) {
				return goTest(ctx, d, "-v", "-run", "TestClients", "./acceptance")
			}},
		{"clickhouse", "the KQL dialect of ClickHouse on its engine, beside DuckDB", 1, 5 * time.Minute, clickhouse},
		{"browser", "the pages in a real Chromium", 1, 5 * time.Minute, browser},
	}
}

// fuzzer matches the declaration of a fuzz target.
var fuzzer = regexp.MustCompile(`^func (Fuzz\w+)\(`)

// fuzz finds every fuzz target and gives each an equal share of the time.
func fuzz(ctx context.Context, d time.Duration) (string, error) {
	type target struct{ dir, name string }
	var targets []target
	err := filepath.WalkDir(".", func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == "node_modules" || strings.HasPrefix(e.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if m := fuzzer.FindStringSubmatch(lines.Text()); m != nil {
				targets = append(targets, target{"./" + filepath.Dir(path), m[1]})
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(targets) == 0 {
		return "", errors.New("no fuzz target found")
	}
	each := max(d/time.Duration(len(targets)), 5*time.Second)
	for _, t := range targets {
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", each.Round(time.Second).String(), t.dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			if strings.Contains(string(out), "context deadline exceeded") && !strings.Contains(string(out), "Failing input") {
				continue // the engine's own deadline at the end of its time is not a finding
			}
			return "", fmt.Errorf("%s in %s: %w\n%s", t.name, t.dir, err, out)
		}
	}
	return fmt.Sprintf("%d fuzzers, %s each", len(targets), each.Round(time.Second)), nil
}

// browser drives the portal's pages in Chromium.
func browser(ctx context.Context, d time.Duration) (string, error) {
	if err := exec.CommandContext(ctx, "./tools/need", "chromium").Run(); err != nil {
		return "", errors.New("no Chromium: apt-get install chromium")
	}
	return goTest(ctx, d, "-v", "-run", "TestBrowser", "./acceptance")
}

// clickhouse installs ClickHouse's engine and compares its answers with DuckDB's.
func clickhouse(ctx context.Context, d time.Duration) (string, error) {
	if out, err := exec.CommandContext(ctx, "make", "clickhouse").CombinedOutput(); err != nil {
		return "", fmt.Errorf("install ClickHouse's engine: %w\n%s", err, out)
	}
	return goTest(ctx, d, "-v", "-run", "TestClickHouse|TestParameters|TestFault", "./kql", "./kql/kqltest/chdb")
}
