// Command benchsync measures the two-way sync as an analyst's client sees it:
// edits and new incidents over the real HTTP APIs of a running server, and the
// time from each acknowledgement until the other side shows it. Beside it
// stands what a durable write costs on the same disk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

// options say how much to do.
type options struct {
	program   string
	incidents int
	rate      int
	time      time.Duration
	bursts    int
	burst     int
	p50, p99  time.Duration
	two       bool
}

// errMissed says that a limit was not met; the report has told it.
var errMissed = errors.New("a limit was not met")

func main() {
	o := options{}
	flag.StringVar(&o.program, "program", "bin/lockstep", "the built program")
	flag.IntVar(&o.incidents, "incidents", 2000, "incidents on both sides")
	flag.IntVar(&o.rate, "rate", 100, "edits a second, the sides by turns, one of five on one of ten incidents")
	flag.DurationVar(&o.time, "time", time.Minute, "how long to edit")
	flag.IntVar(&o.bursts, "bursts", 3, "how often many new incidents come at once")
	flag.IntVar(&o.burst, "burst", 1000, "how many they are")
	flag.DurationVar(&o.p50, "p50", 0, "fail if the median of all edits takes longer; 0 never fails")
	flag.DurationVar(&o.p99, "p99", 0, "fail if one of a hundred edits takes longer; 0 never fails")
	flag.BoolVar(&o.two, "two", false, "the two sides in two processes, joined over TLS")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchsync:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "benchsync-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	begin := func() (*server, error) { return serve(ctx, o.program, dir) }
	if o.two {
		begin = func() (*server, error) { return serveTwo(ctx, o.program, dir) }
	}
	s, err := begin()
	if err != nil {
		return err
	}
	defer s.stop()
	syncs, err := fsyncs(dir, 300)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "a durable write of 4 KiB on this disk: median %s, one of a hundred %s\n", short(at(syncs, 50)), short(at(syncs, 99)))
	w := &world{server: s}
	fmt.Fprintf(out, "%d incidents are made …\n", o.incidents)
	if _, err := w.grow(ctx, o.incidents); err != nil {
		return err
	}
	if err := w.learn(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d edits a second for %s …\n", o.rate, o.time)
	edits, err := w.edit(ctx, o.rate, o.time)
	if err != nil {
		return err
	}
	missing, err := w.missing(ctx, edits)
	if err != nil {
		return err
	}
	var bursts []time.Duration
	for range o.bursts {
		took, err := w.grow(ctx, o.burst)
		if err != nil {
			return err
		}
		bursts = append(bursts, took...)
	}
	return report(out, o, edits, missing, bursts)
}

// report prints what was measured, and fails where a limit is missed.
func report(out io.Writer, o options, edits []edit, missing int, bursts []time.Duration) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "from the acknowledgement to the other side\tcount\tmedian\t95 of 100\t99 of 100\tlongest")
	all := latencies(edits, "")
	for _, line := range []struct {
		name string
		list []time.Duration
	}{
		{"edits", all}, {"  made on the XDR", latencies(edits, onXDR)}, {"  made in the workspace", latencies(edits, onWorkspace)},
		{fmt.Sprintf("new incidents, %d at once", o.burst), bursts},
	} {
		slices.Sort(line.list)
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\n", line.name, len(line.list), short(at(line.list, 50)), short(at(line.list, 95)), short(at(line.list, 99)), short(at(line.list, 100)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "of %d edits %d have no row of their own in the history of SecurityIncident\n", len(edits), missing)
	var missed error
	for _, limit := range []struct {
		name      string
		got, most time.Duration
	}{{"median", at(all, 50), o.p50}, {"99 of 100", at(all, 99), o.p99}} {
		if limit.most > 0 && limit.got > limit.most {
			fmt.Fprintf(out, "MISSED: %s of all edits is %s, at most %s asked\n", limit.name, short(limit.got), short(limit.most))
			missed = errMissed
		}
	}
	return missed
}

// at gives a percentile of a sorted list.
func at(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

func short(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// fsyncs measures durable writes, sorted.
func fsyncs(dir string, n int) ([]time.Duration, error) {
	f, err := os.CreateTemp(dir, "durable-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	page, took := make([]byte, 4096), make([]time.Duration, 0, n)
	for range n {
		began := time.Now()
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took, nil
}
