package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"lockstep/kql"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
	"lockstep/tables/duckdb"
)

// bench measures queries against SQL written by hand in one snapshot.
type bench struct {
	store  *duckdb.Store
	shapes kql.Shapes
}

func table(name string) (*schema.Table, bool) { return schema.Default().Table(schema.XDR, name) }

// names are those of the tables with rows.
func names() (out []string) {
	for _, a := range amounts {
		out = append(out, a.table)
	}
	return out
}

// compile makes the program of a query and the statement over the relations of a snapshot.
func (b *bench) compile(s tables.Snapshot, text string) (*kql.Program, string, []any, error) {
	p, found := kql.Compile(text, kql.Environment{Tables: table, TableNames: names, Shapes: &b.shapes, Now: now, Received: tables.ReceivedColumn, RowID: tables.RowColumn})
	if p == nil {
		return nil, "", nil, fmt.Errorf("%v", found)
	}
	var failed error
	statement, args := p.SQL(func(_ int, name string, columns []string) (string, []any) {
		t, _ := table(name)
		sql, args, err := s.Relation(t, columns, tables.Range{})
		if err != nil {
			failed = err
		}
		return sql, args
	})
	return p, statement, args, failed
}

// ours runs a query as the product does: from its text to its rows.
func (b *bench) ours(ctx context.Context, text string) (*rows.Batch, cost, error) {
	s, err := b.snapshot(ctx)
	if err != nil {
		return nil, cost{}, err
	}
	defer s.Close()
	stop := stopwatch()
	p, statement, args, err := b.compile(s, text)
	if err != nil {
		return nil, cost{}, err
	}
	r, err := s.Query(ctx, statement, args, schema.NewTable("Ours", schema.XDR, p.Columns), tables.Limit{})
	return r.Rows, stop(), err
}

// hand runs SQL that gives columns of the same types.
func (b *bench) hand(ctx context.Context, statement string, columns []schema.Column) (*rows.Batch, cost, error) {
	s, err := b.snapshot(ctx)
	if err != nil {
		return nil, cost{}, err
	}
	defer s.Close()
	stop := stopwatch()
	r, err := s.Query(ctx, statement, nil, schema.NewTable("Hand", schema.XDR, columns), tables.Limit{})
	return r.Rows, stop(), err
}

func (b *bench) snapshot(ctx context.Context) (tables.Snapshot, error) {
	return b.store.Snapshot(ctx, tables.View{Side: schema.XDR, Now: now})
}

// figures are what one pair came to.
type figures struct {
	rows       int
	ours, hand []cost
}

// cost is what a run took: on the clock, and of the processors.
type cost struct{ wall, work time.Duration }

// stopwatch gives what passed since it was made.
func stopwatch() func() cost {
	began, worked := time.Now(), work()
	return func() cost { return cost{time.Since(began), work() - worked} }
}

// work is what the process has had of the processors.
func work() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pair runs a query and its SQL by turns, who is first by turns too, after one
// run of both that must give the same rows.
func (b *bench) pair(ctx context.Context, q query, rounds int) (figures, error) {
	mine, _, err := b.ours(ctx, q.kql)
	if err != nil {
		return figures{}, fmt.Errorf("%s.kql: %w", q.name, err)
	}
	columns := mine.Table.Columns
	theirs, _, err := b.hand(ctx, q.sql, columns)
	if err != nil {
		return figures{}, fmt.Errorf("%s.sql: %w", q.name, err)
	}
	if err := same(mine, theirs); err != nil {
		return figures{}, fmt.Errorf("%s: %w", q.name, err)
	}
	f := figures{rows: mine.N}
	one := func(ours bool) error {
		if ours {
			_, d, err := b.ours(ctx, q.kql)
			f.ours = append(f.ours, d)
			return err
		}
		_, d, err := b.hand(ctx, q.sql, columns)
		f.hand = append(f.hand, d)
		return err
	}
	for i := range rounds {
		for _, ours := range []bool{i%2 == 0, i%2 != 0} {
			if err := one(ours); err != nil {
				return figures{}, fmt.Errorf("%s: %w", q.name, err)
			}
		}
	}
	return f, nil
}

// ratios are ours to hand, run by run, sorted: neighbours in time share the machine's mood.
func (f figures) ratios(of func(cost) time.Duration) []float64 {
	all := make([]float64, len(f.ours))
	for i := range all {
		all[i] = float64(of(f.ours[i])) / float64(of(f.hand[i]))
	}
	slices.Sort(all)
	return all
}

func wall(c cost) time.Duration { return c.wall }

func worked(c cost) time.Duration { return c.work }

func median(all []cost, of func(cost) time.Duration) time.Duration {
	sorted := make([]time.Duration, len(all))
	for i, c := range all {
		sorted[i] = of(c)
	}
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

func middle(sorted []float64) float64 { return sorted[len(sorted)/2] }

// same tells how two results differ as sets of rows.
func same(mine, theirs *rows.Batch) error {
	if mine.N != theirs.N {
		return fmt.Errorf("ours gives %d rows, the SQL %d", mine.N, theirs.N)
	}
	a, b := lines(mine), lines(theirs)
	for i := range a {
		if a[i] != b[i] {
			return fmt.Errorf("the rows differ: ours has\n%s\nthe SQL\n%s", a[i], b[i])
		}
	}
	return nil
}

func lines(b *rows.Batch) []string {
	out := make([]string, b.N)
	for i := range out {
		var line strings.Builder
		for c := range b.Columns {
			fmt.Fprint(&line, b.Columns[c].Value(i), "\t")
		}
		out[i] = line.String()
	}
	slices.Sort(out)
	return out
}
