package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// checker runs items against a database with all declared tables.
type checker struct {
	tables  map[string]*schema.Table
	names   []string
	few     []string
	outside sync.Map // *schema.Table by name, of other hosts
	shapes  kql.Shapes
	workers int
	limit   time.Duration // for one query
	noRun   bool
	show    bool
	verbose func(format string, args ...any) // shows all of an item
}

func newChecker() *checker {
	c := &checker{tables: kqltest.Declared(), workers: 2, limit: time.Minute, verbose: func(string, ...any) {}}
	c.names, c.few = slices.Sorted(maps.Keys(c.tables)), few(c.tables)
	return c
}

func (c *checker) table(name string) (*schema.Table, bool) {
	if t, ok := c.tables[name]; ok {
		return t, true
	}
	t, ok := c.outside.Load(name)
	if !ok {
		return nil, false
	}
	return t.(*schema.Table), true
}

// external stands for other hosts: a table of the declared columns, filled as
// others are.
func (c *checker) external(asked kql.External) *schema.Table {
	name := outsidePrefix
	for _, column := range asked.Columns {
		name += " " + column.Name + ":" + column.Type.String()
	}
	t, _ := c.outside.LoadOrStore(name, schema.NewTable(name, schema.Workspace, asked.Columns))
	return t.(*schema.Table)
}

// outsidePrefix begins the names of tables that stand for other hosts; no text
// can name one.
const outsidePrefix = "(outside)"

// environment is what queries were recorded in: every table, whether it has rows or not.
func (c *checker) environment() kql.Environment {
	return kql.Environment{Shapes: &c.shapes, Tables: c.table, TableNames: func() []string { return c.names }, External: c.external, Now: now}
}

// wide is from how many tables on a wildcard's program is compiled anew over
// the tables that have rows before it runs, as the product does always.
const wide = 100

// bounded is the environment of the product: a wildcard means the tables that have rows.
func (c *checker) bounded() kql.Environment {
	env := c.environment()
	env.Shapes, env.TableNames = nil, func() []string { return c.few }
	return env
}

// slow is how long a compilation takes before it is timed again, since others
// may have had the processor.
const slow = 3 * time.Millisecond

// compile compiles with a guard: a panic is a failure like others. A slow
// compilation is timed five times and the shortest time taken.
func (c *checker) compile(text string, env kql.Environment) (p *kql.Program, why string, took time.Duration) {
	defer func() {
		if r := recover(); r != nil {
			p, why = nil, fmt.Sprint("panic: ", r)
		}
	}()
	start := time.Now()
	p, diags := kql.Compile(text, env)
	took = time.Since(start)
	for range 4 {
		if took < slow {
			break
		}
		start = time.Now()
		kql.Compile(text, env)
		took = min(took, time.Since(start))
	}
	for _, d := range diags {
		if d.Severity == kql.Error {
			return nil, fmt.Sprintf("%s at %d:%d: %s", d.Code, d.Line, d.Column, d.Message), took
		}
	}
	if n := len(p.Further); n > 0 { // the recorded columns are those of a text's last table
		p = p.Further[n-1]
	}
	return p, "", took
}

// job is one item on its way: compiled in turn, so that others' work doesn't
// count as its time, then run beside others.
type job struct {
	out     outcome
	text    string
	columns []schema.Column
	program *kql.Program // nil for one over very many tables: it is compiled anew over fewer
	// judge says at which stage the answer fails and why, or "", ""
	judge func(columns []schema.Column, rows [][]any) (stage, why string)
}

// prepare compiles a job; false when it ends there.
func (c *checker) prepare(j *job) bool {
	env := c.environment()
	j.program, j.out.Why, j.out.compile = c.compile(j.text, env)
	j.out.text = j.text
	if j.program == nil {
		j.out.Stage = "compile"
		return false
	}
	j.columns = j.program.Columns
	if len(j.program.Tables) > wide {
		j.program = nil
	}
	return true
}

// runAll runs prepared jobs with one database a worker.
func (c *checker) runAll(ctx context.Context, jobs []*job, step func()) error {
	var next atomic.Int64
	var group sync.WaitGroup
	failed := make([]error, c.workers)
	for w := range c.workers {
		group.Add(1)
		go func() {
			defer group.Done()
			db, err := openDatabase(c.table)
			if err != nil {
				failed[w] = err
				return
			}
			defer func() { failed[w] = db.close() }()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(jobs) {
					return
				}
				c.runOne(ctx, db, jobs[i])
				step()
			}
		}()
	}
	group.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *checker) runOne(ctx context.Context, db *database, j *job) {
	defer func() {
		if r := recover(); r != nil {
			j.out.Stage, j.out.Why = "run", fmt.Sprint("panic: ", r)
		}
	}()
	p, env := j.program, c.environment()
	if p == nil {
		var why string
		env = c.bounded()
		if p, why, _ = c.compile(j.text, env); p == nil {
			j.out.Stage, j.out.Why = "run", "over the tables with rows: "+why
			return
		}
	}
	db.fill(j.text, env)
	if !c.noRun && j.out.Part != "query" { // a query's recorded columns are those known before it runs
		settled, err := db.settle(ctx, p)
		if err != nil {
			j.out.Stage, j.out.Why = "run", err.Error()
			return
		}
		p, j.columns = settled, settled.Columns
	}
	if c.show {
		text, args := db.sql(p)
		c.verbose("%s\n%s\n%v\n", j.text, text, args)
	}
	var rows [][]any
	if !c.noRun {
		ctx, cancel := context.WithTimeout(ctx, c.limit)
		defer cancel()
		var err error
		if rows, err = db.run(ctx, p); err != nil {
			j.out.Stage, j.out.Why = "run", err.Error()
			return
		}
	}
	j.out.Rows = len(rows)
	if c.show {
		c.verbose("%s\n", table(p.Columns, rows))
	}
	j.out.Stage, j.out.Why = j.judge(j.columns, rows)
	j.program = nil // let the memory go
}

// table writes the first rows for people.
func table(columns []schema.Column, rows [][]any) string {
	var b strings.Builder
	c := comparison{}
	for _, x := range columns {
		c.types = append(c.types, x.Type)
		fmt.Fprintf(&b, "%s:%s ", x.Name, x.Type)
	}
	for _, r := range rows[:min(20, len(rows))] {
		b.WriteString("\n" + c.text(r))
	}
	fmt.Fprintf(&b, "\n%d rows", len(rows))
	return b.String()
}

// queryJob measures a recorded query.
func queryJob(q query) *job {
	j := &job{text: q.Query, out: outcome{Part: "query", ID: q.ID, Scope: q.Scope}}
	j.judge = func(columns []schema.Column, _ [][]any) (string, string) {
		if why := differColumns(q, columns); why != "" {
			return "columns", why
		}
		j.out.columned = true
		return "", ""
	}
	return j
}

// exampleJob measures a text with its answer; nil if nothing is promised of it.
func exampleJob(e example, part string) *job {
	if part == "case" && e.Authority != emulator {
		return nil
	}
	if e.Expected.Error != nil {
		return &job{text: e.Query, out: outcome{Part: "rejected", ID: e.ID}}
	}
	if !e.Strict {
		return nil
	}
	return &job{text: e.Query, out: outcome{Part: part, ID: e.ID}, judge: func(columns []schema.Column, rows [][]any) (string, string) {
		if why := differRows(e, columns, rows); why != "" {
			return "rows", why
		}
		return "", ""
	}}
}

// sampled takes one of so many.
func sampled[T any](items []T, one int) []T {
	if one <= 1 {
		return items
	}
	var out []T
	for chunk := range slices.Chunk(items, one) {
		out = append(out, chunk[len(chunk)-1])
	}
	return out
}
