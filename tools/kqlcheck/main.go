// Command kqlcheck measures the KQL compiler on recorded queries, documented
// examples and cases of a real engine: how many compile, run on empty
// tables, give the recorded columns and the recorded rows.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kqlcheck:", err)
		os.Exit(1)
	}
}

type checker struct {
	engine  *kqltest.Engine
	shapes  kql.Shapes
	tables  map[string]*schema.Table
	names   []string
	show    int
	only    string
	noRun   bool
	sample  int
	reasons map[string]*reason
	slow    time.Duration
	compile []time.Duration
}

type reason struct {
	n       int
	example string
}

func run() error {
	shared := flag.String("shared", "../shared", "folder of the reference material")
	show := flag.Int("show", 25, "how many reasons of failure to show")
	part := flag.String("part", "queries,examples,cases", "what to measure")
	only := flag.String("id", "", "run one item and show all of it")
	noRun := flag.Bool("norun", false, "compile only")
	sample := flag.Int("sample", 1, "take one query of so many")
	slow := flag.Duration("slow", 0, "name the items that take longer to compile")
	flag.Parse()
	c := &checker{slow: *slow, show: *show, only: *only, noRun: *noRun, sample: *sample}
	if err := c.load(filepath.Join(*shared, "tools/kql-oracle/schema/merged.json")); err != nil {
		return err
	}
	var err error
	if c.engine, err = kqltest.Open(); err != nil {
		return err
	}
	defer c.engine.Close()
	for _, p := range strings.Split(*part, ",") {
		c.reasons = map[string]*reason{}
		switch p {
		case "queries":
			err = c.queries(filepath.Join(*shared, "kql/queries.dev.jsonl.gz"))
		case "examples":
			err = c.cases(filepath.Join(*shared, "kql/doc-examples.dev.jsonl.gz"), "examples")
		case "cases":
			err = c.cases(filepath.Join(*shared, "kql/peer-tests.dev.jsonl.gz"), "cases")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) load(file string) error {
	var err error
	if c.tables, err = kqltest.Tables(file); err != nil {
		return err
	}
	for name := range c.tables {
		c.names = append(c.names, name)
	}
	sort.Strings(c.names)
	return nil
}

func (c *checker) table(name string) (*schema.Table, bool) { t, ok := c.tables[name]; return t, ok }

func (c *checker) environment() kql.Environment {
	return kql.Environment{Shapes: &c.shapes, Tables: c.table, TableNames: func() []string { return c.names }, Now: schema.At(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))}
}

// mostTables bounds what a wildcard means when a query runs: package query
// hands in the tables that have rows, which are few.
const mostTables = 100

func (c *checker) bounded() kql.Environment {
	env := c.environment()
	var names []string
	for i := 0; i < len(c.names); i += len(c.names)/(mostTables/2) + 1 {
		names = append(names, c.names[i])
	}
	for _, n := range []string{"DeviceEvents", "SecurityEvent", "SigninLogs", "EmailEvents", "Usage", "AzureDiagnostics"} {
		if _, ok := c.tables[n]; ok {
			names = append(names, n)
		}
	}
	env.TableNames = func() []string { return names }
	return env
}

func (c *checker) failed(kind, why, id, query string) {
	if c.only != "" {
		fmt.Printf("%s: %s\n%s\n", kind, why, query)
	}
	key := kind + ": " + why
	if len(key) > 170 && c.show < 100 {
		key = key[:170]
	}
	r := c.reasons[key]
	if r == nil {
		r = &reason{example: id}
		c.reasons[key] = r
	}
	r.n++
}

func (c *checker) report() {
	var keys []string
	for k := range c.reasons {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := c.reasons[keys[i]], c.reasons[keys[j]]
		return a.n > b.n || a.n == b.n && keys[i] < keys[j]
	})
	for i, k := range keys {
		if i >= c.show {
			break
		}
		fmt.Printf("%5d  %s  [%s]\n", c.reasons[k].n, strings.ReplaceAll(k, "\n", " "), c.reasons[k].example)
	}
}

// compileOne compiles with a guard: a panic is a failure like others.
func (c *checker) compileOne(id, query string) (p *kql.Program, why string) {
	defer func() {
		if r := recover(); r != nil {
			p, why = nil, fmt.Sprint("panic: ", r)
			if c.only != "" {
				panic(r)
			}
		}
	}()
	start := time.Now()
	p, diags := kql.Compile(query, c.environment())
	took := time.Since(start)
	if took > 5*time.Millisecond { // others may have had the processor: the better of two counts
		start = time.Now()
		kql.Compile(query, c.environment())
		took = min(took, time.Since(start))
	}
	c.compile = append(c.compile, took)
	if c.slow > 0 && took > c.slow {
		fmt.Printf("slow %v %s\n", took.Round(time.Millisecond), id)
	}
	for _, d := range diags {
		if d.Severity == kql.Error {
			return nil, d.Code + " " + d.Message
		}
	}
	return p, ""
}

type counts struct{ all, compiled, ran, columns int }

type query struct {
	ID            string `json:"id"`
	Query         string `json:"query"`
	Scope         string `json:"scope"`
	ResultColumns []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"result_columns"`
}

func (c *checker) queries(file string) error {
	scopes := map[string]*counts{}
	total := &counts{}
	seen := 0
	err := kqltest.Lines(file, func(line []byte) error {
		var q query
		if seen++; seen%c.sample != 0 {
			return nil
		}
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		if c.only != "" && q.ID != c.only {
			return nil
		}
		if scopes[q.Scope] == nil {
			scopes[q.Scope] = &counts{}
		}
		for _, n := range []*counts{scopes[q.Scope], total} {
			n.all++
		}
		p, why := c.compileOne(q.ID, q.Query)
		if p == nil {
			c.failed("compile", why, q.ID, q.Query)
			return nil
		}
		bump(scopes[q.Scope], total, func(n *counts) { n.compiled++ })
		if !c.noRun {
			run := p
			if len(p.Tables) > mostTables { // a wildcard: run it over some of the tables
				if run, _ = kql.Compile(q.Query, c.bounded()); run == nil {
					run = p
				}
			}
			if err := c.runOne(run); err != nil {
				c.failed("run", err.Error(), q.ID, q.Query)
				return nil
			}
		}
		bump(scopes[q.Scope], total, func(n *counts) { n.ran++ })
		if diff := differ(q, p.Columns); diff != "" {
			c.failed("columns", diff, q.ID, q.Query)
			return nil
		}
		bump(scopes[q.Scope], total, func(n *counts) { n.columns++ })
		return nil
	})
	c.report()
	for _, s := range []string{"xdr", "xdr+core", "sentinel", "other", "no-table", "service-function-only"} {
		if n := scopes[s]; n != nil {
			fmt.Printf("%-22s compiled %d/%d ran %d columns %d\n", s, n.compiled, n.all, n.ran, n.columns)
		}
	}
	sort.Slice(c.compile, func(i, j int) bool { return c.compile[i] < c.compile[j] })
	if n := len(c.compile); n > 0 {
		fmt.Printf("queries compiled %d/%d (%.1f %%) ran %d (%.1f %%) columns %d (%.1f %% of run) p50 %v p99 %v\n", total.compiled, total.all, percent(total.compiled, total.all), total.ran, percent(total.ran, total.all), total.columns, percent(total.columns, total.ran),
			c.compile[n/2].Round(time.Microsecond), c.compile[n*99/100].Round(time.Microsecond))
	}
	return err
}

func bump(a, b *counts, f func(*counts)) { f(a); f(b) }

func percent(a, b int) float64 { return 100 * float64(a) / float64(max(b, 1)) }

func (c *checker) runOne(p *kql.Program) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if c.only != "" {
		text, args := c.engine.SQL(p, c.table)
		fmt.Println(text, args)
	}
	_, err := c.engine.Run(ctx, p, c.table)
	return err
}

// differ says how columns differ from the recorded ones.
func differ(q query, got []schema.Column) string {
	want := q.ResultColumns
	if q.ResultColumns == nil {
		return ""
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%d columns, want %d", len(got), len(want))
	}
	for i, w := range want {
		if w.Name != got[i].Name {
			return fmt.Sprintf("column %d is %q, want %q", i, got[i].Name, w.Name)
		}
		if w.Type != got[i].Type.String() && w.Type != "unknown" {
			return fmt.Sprintf("type of a column is %s, want %s", got[i].Type, w.Type)
		}
	}
	return ""
}

type example struct {
	ID        string `json:"id"`
	Query     string `json:"query"`
	Authority string `json:"authority"`
	Strict    bool   `json:"strict"`
	Ordered   bool   `json:"ordered"`
	Expected  struct {
		Error     any      `json:"error"`
		Columns   []string `json:"columns"`
		Rows      [][]any  `json:"rows"`
		Values    [][]any  `json:"values"`
		RowCount  int      `json:"row_count"`
		Truncated bool     `json:"truncated"`
	} `json:"expected"`
}

func (c *checker) cases(file, label string) error {
	strict, equal, rejects, rejected := 0, 0, 0, 0
	err := kqltest.Lines(file, func(line []byte) error {
		var e example
		d := json.NewDecoder(strings.NewReader(string(line)))
		d.UseNumber()
		if err := d.Decode(&e); err != nil {
			return err
		}
		if c.only != "" && e.ID != c.only || e.Authority == "peer-implementation" {
			return nil
		}
		if e.Expected.Error != nil {
			rejects++
			if p, _ := c.compileOne(e.ID, e.Query); p == nil {
				rejected++
			} else {
				c.failed("accepted", e.Query, e.ID, e.Query)
			}
			return nil
		}
		if !e.Strict {
			return nil
		}
		strict++
		p, why := c.compileOne(e.ID, e.Query)
		if p == nil {
			c.failed("compile", why, e.ID, e.Query)
			return nil
		}
		if c.only != "" {
			fmt.Println(c.engine.SQL(p, c.table))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		p, err := c.engine.Settle(ctx, p, c.table)
		if err != nil {
			c.failed("ask", err.Error(), e.ID, e.Query)
			return nil
		}
		rows, err := c.engine.Run(ctx, p, c.table)
		if err != nil {
			c.failed("run", err.Error(), e.ID, e.Query)
			return nil
		}
		if diff := compare(e, p.Columns, rows); diff != "" {
			c.failed("rows", diff, e.ID, e.Query)
			return nil
		}
		equal++
		return nil
	})
	c.report()
	fmt.Printf("%s strict equal %d/%d (%.1f %%) rejected %d/%d\n", label, equal, strict, percent(equal, strict), rejected, rejects)
	return err
}
