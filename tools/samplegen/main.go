// Command samplegen writes a sample tenant to a folder, for replay, benchmarks
// and for looking at:
//
//	go run ./tools/samplegen -rows 1000000 -out recording
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"lockstep/sample"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "samplegen:", err)
		os.Exit(1)
	}
}

func run() error {
	seed := flag.Uint64("seed", 1, "the same seed and size make the same sample")
	rows := flag.Int64("rows", sample.DemoRows, "rows of all tables together")
	days := flag.Int("days", sample.DefaultDays, "how many days it lasts")
	end := flag.String("end", "", "when it ends, as 2026-01-16T18:00:00Z (default: that; a replay moves it to now)")
	out := flag.String("out", "", "folder to write to (required)")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		return fmt.Errorf("name a folder with -out")
	}
	options := sample.Options{Seed: *seed, Rows: *rows, Days: *days}
	if *end != "" {
		t, err := time.Parse(time.RFC3339, *end)
		if err != nil {
			return fmt.Errorf("-end: %w", err)
		}
		options.End = t
	}
	tenant, err := sample.New(options)
	if err != nil {
		return err
	}
	began := time.Now()
	var written int64
	err = tenant.WriteFolder(*out, func(records int64) {
		written = records
		fmt.Fprintf(os.Stderr, "\r%d records", records)
	})
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return err
	}
	truth := tenant.Truth()
	fmt.Printf("%s: %d records in %s (%.0f a second), %d alerts in %d incidents, %d of them attacks\n", *out, written, time.Since(began).Round(time.Millisecond),
		float64(written)/time.Since(began).Seconds(), len(truth.AlertIDs()), len(truth.Incidents()), len(truth.Stories))
	return nil
}
