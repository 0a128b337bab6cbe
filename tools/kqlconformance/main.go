// Command kqlconformance measures the KQL compiler on recorded queries,
// documented examples and cases of a real engine: how many compile and run on a
// filled database with all tables, give the recorded columns, give rows, give the
// recorded rows, and are refused where the engine refuses. It leaves what the
// tables hold to package kqltest.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

const help = `Measure the KQL compiler on files of queries, examples and cases.

  go run ./tools/kqlconformance -queries F -examples F -cases F

Each file holds JSON lines, gzipped or plain; every flag may be left out. With
none of the three the files under LOCKSTEP_SHARED (default ../shared) are taken.

  -queries   {"id", "query", "scope", "result_columns": [{"name", "type"}]}
             compiles against all declared tables, runs on the filled database,
             has the columns as recorded: name, type and order
  -examples  {"id", "query", "strict", "ordered", "expected": {"columns", "rows", "values"}}
             of the documentation; those marked strict must give their rows
  -cases     the same with "authority"; those of authority kusto-emulator count,
             and those whose expected.error isn't null must be refused

It prints each failure with its reason, a line a scope, and last

  queries R/N columns C/R nonempty E/R examples P/M cases Q/K rejected S/T p99compile=… ms

where N is all queries, R those that compile and run, C those with the recorded
columns, E those that give rows, M the strict examples, K the strict cases, T the
cases that the engine refused. A compilation that takes longer than 3 ms is timed
five times and the shortest time taken: others may have had the processor.

Rows are compared as a multiset unless the text orders them: reals to 8 digits, on
pages to as many as the page shows; texts to the letter, on pages without spaces
at their ends; bags without the order of their keys; null and '' are one text.
An example's "header" "reordered" says that its page lists the columns in another
order, and a note "padded rows" that an empty row may stand for none.

Exit code: 0 at or above what the project promises, 1 below, 2 a file can't be read.

To look at one item: -id ID shows its text, its SQL and its rows.

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code, err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kqlconformance:", err)
	}
	os.Exit(code)
}

// options are the flags.
type options struct {
	queries, examples, cases string
	parts, only, json        string
	profile                  string
	show, sample, jobs       int
	noRun, empty             bool
	slow, limit              time.Duration
}

func parse(args []string, errOut io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("kqlconformance", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.Usage = func() { fmt.Fprint(errOut, help); f.PrintDefaults() }
	f.StringVar(&o.queries, "queries", "", "file of recorded queries")
	f.StringVar(&o.examples, "examples", "", "file of documented examples")
	f.StringVar(&o.cases, "cases", "", "file of recorded cases")
	f.StringVar(&o.parts, "part", "queries,examples,cases", "which of the three to measure")
	f.StringVar(&o.only, "id", "", "run one item and show all of it")
	f.StringVar(&o.json, "json", "", "write every outcome as JSON to this file")
	f.IntVar(&o.show, "show", 0, "print the so many most frequent reasons instead of each failure")
	f.IntVar(&o.sample, "sample", 1, "take one query of so many")
	f.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "how many run at a time")
	f.BoolVar(&o.noRun, "norun", false, "compile only")
	f.BoolVar(&o.empty, "empty", false, "name the queries that give no rows")
	f.StringVar(&o.profile, "cpuprofile", "", "write a profile of the processor's time to this file")
	f.DurationVar(&o.slow, "slow", 0, "name the items that take longer to compile")
	f.DurationVar(&o.limit, "limit", time.Minute, "longest time for one query")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag; files come with -queries, -examples and -cases", f.Arg(0))
	}
	if o.queries+o.examples+o.cases == "" {
		shared := os.Getenv("LOCKSTEP_SHARED")
		if shared == "" {
			shared = filepath.Join("..", "shared")
		}
		o.queries = filepath.Join(shared, "kql/queries.dev.jsonl.gz")
		o.examples = filepath.Join(shared, "kql/doc-examples.dev.jsonl.gz")
		o.cases = filepath.Join(shared, "kql/peer-tests.dev.jsonl.gz")
	}
	for _, p := range []struct {
		name string
		file *string
	}{{"queries", &o.queries}, {"examples", &o.examples}, {"cases", &o.cases}} {
		if !strings.Contains(","+o.parts+",", ","+p.name+",") {
			*p.file = ""
		}
	}
	return o, nil
}

// The exit codes, as the help lists them.
const (
	exitOK     = 0
	exitBelow  = 1
	exitFailed = 2
)

func run(ctx context.Context, args []string, out, errOut *os.File) (int, error) {
	o, err := parse(args, errOut)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK, nil
	}
	if err != nil {
		return exitFailed, err
	}
	jobs, err := o.items()
	if err != nil {
		return exitFailed, err
	}
	c := newChecker()
	c.workers, c.limit, c.noRun = max(1, o.jobs), o.limit, o.noRun
	if o.only != "" {
		c.show = true
		c.verbose = func(format string, args ...any) { fmt.Fprintf(out, format, args...) }
	}
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return exitFailed, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return exitFailed, err
		}
		defer pprof.StopCPUProfile()
	}
	r, err := c.measure(ctx, jobs, newProgress(errOut))
	if err != nil {
		return exitFailed, err
	}
	r.failures(out, o.show)
	r.remarks(out, o)
	if o.json != "" {
		if err := r.save(o.json); err != nil {
			return exitFailed, err
		}
	}
	below := r.below()
	for _, b := range below {
		fmt.Fprintln(errOut, "below:", b)
	}
	r.summary(out)
	if len(below) > 0 {
		return exitBelow, nil
	}
	return exitOK, nil
}

// items reads the files.
func (o options) items() ([]*job, error) {
	var jobs []*job
	queries, err := read[query](o.queries)
	if err != nil {
		return nil, err
	}
	for _, q := range sampled(queries, o.sample) {
		jobs = append(jobs, queryJob(q))
	}
	for _, part := range []struct{ name, file string }{{"example", o.examples}, {"case", o.cases}} {
		list, err := read[example](part.file)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if j := exampleJob(e, part.name); j != nil {
				jobs = append(jobs, j)
			}
		}
	}
	if o.only == "" {
		return jobs, nil
	}
	for _, j := range jobs {
		if j.out.ID == o.only {
			return []*job{j}, nil
		}
	}
	return nil, fmt.Errorf("no item %q that counts is in the files", o.only)
}

// measure compiles all jobs in turn, runs them, and adds up.
func (c *checker) measure(ctx context.Context, jobs []*job, p *progress) (*report, error) {
	var ready []*job
	p.begin("compiled", len(jobs))
	for _, j := range jobs {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		compiled := c.prepare(j)
		switch {
		case j.out.Part != "rejected":
			if compiled {
				ready = append(ready, j)
			}
		case compiled:
			j.out.Stage, j.out.Why = "accepted", "the engine refuses "+j.text
		default:
			j.out.Stage, j.out.Why = "", ""
		}
		p.step()
	}
	p.begin("ran", len(ready))
	if err := c.runAll(ctx, ready, p.step); err != nil {
		return nil, err
	}
	r := newReport()
	for _, j := range jobs {
		if j.out.Part == "query" {
			r.query(j.out)
		} else {
			r.example(j.out)
		}
	}
	r.finish()
	return r, nil
}

// remarks prints what was asked for beside the failures.
func (r *report) remarks(out io.Writer, o options) {
	for _, x := range r.Outcomes {
		if o.slow > 0 && x.compile > o.slow {
			fmt.Fprintf(out, "slow %s: %s\n", x.ID, x.compile.Round(10*time.Microsecond))
		}
		if o.empty && x.Part == "query" && x.Rows == 0 && (x.Stage == "" || x.Stage == "columns") {
			fmt.Fprintf(out, "empty %s\n", x.ID)
		}
	}
}
