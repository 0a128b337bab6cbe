// Command benchkql measures what KQL costs over the best SQL that one would
// write by hand for the same rows: each construct over ten million rows in the
// product's own tables, query and SQL by turns in one process.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"lockstep/schema"
	"lockstep/tables"
	"lockstep/tables/duckdb"
)

//go:embed queries
var files embed.FS

// query is a query and the SQL beside it.
type query struct{ name, kql, sql string }

// order is the order of the constructs in the table.
var order = []string{"has", "has-often", "contains", "regex", "arg-max", "arg-max-all", "dcount", "bin", "innerunique", "mv-expand", "json-path", "top-100", "top-100-has", "make-series", "union-five"}

func queries() ([]query, error) {
	var out []query
	for _, name := range order {
		q := query{name: name}
		for ext, into := range map[string]*string{".kql": &q.kql, ".sql": &q.sql} {
			data, err := files.ReadFile(path.Join("queries", name+ext))
			if err != nil {
				return nil, err
			}
			*into = strings.TrimRight(strings.TrimSpace(string(data)), ";")
		}
		out = append(out, q)
	}
	return out, nil
}

func main() {
	o := options{}
	flag.IntVar(&o.rows, "rows", 10_000_000, "rows of the large tables")
	flag.IntVar(&o.rounds, "rounds", 9, "how often each is measured")
	flag.Float64Var(&o.most, "max", 0, "fail where a ratio is above this; 0 never fails")
	flag.StringVar(&o.only, "only", "", "measure these alone, separated by commas")
	flag.StringVar(&o.data, "data", "", "keep the tables in this folder, and use those that are there; \"\" for a folder that is removed")
	flag.BoolVar(&o.explain, "explain", false, "print our statement and both plans instead of measuring")
	flag.IntVar(&o.threads, "threads", 0, "threads of the engine; 0 for its own choice")
	flag.Parse()
	if err := run(context.Background(), o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchkql:", err)
		os.Exit(1)
	}
}

type options struct {
	rows, rounds, threads int
	most                  float64
	only, data            string
	explain               bool
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	list, err := queries()
	if err != nil {
		return err
	}
	if o.data == "" {
		if o.data, err = os.MkdirTemp("", "benchkql"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.data)) }()
	}
	began := time.Now()
	if err := fill(ctx, o.data, o.rows); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	fmt.Fprintf(out, "%d rows, ready after %s\n", o.rows, time.Since(began).Round(time.Second))
	store, err := duckdb.Open(o.data, duckdb.Options{Clock: clock, Threads: o.threads})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	b := &bench{store: store}
	if o.explain {
		return b.explain(ctx, chosen(list, o.only), out)
	}
	return b.table(ctx, chosen(list, o.only), o, out)
}

func chosen(list []query, only string) (out []query) {
	for _, q := range list {
		if only == "" || strings.Contains(","+only+",", ","+q.name+",") {
			out = append(out, q)
		}
	}
	return out
}

// table measures and prints a line a construct.
func (b *bench) table(ctx context.Context, list []query, o options, out io.Writer) error {
	fmt.Fprintf(out, "%-14s %8s %10s %10s %7s   %-14s %s\n", "construct", "rows", "ours", "by hand", "ratio", "from … to", "ratio of processor time")
	var above []string
	for _, q := range list {
		f, err := b.pair(ctx, q, o.rounds)
		if err != nil {
			return err
		}
		all := f.ratios(wall)
		ratio := middle(all)
		fmt.Fprintf(out, "%-14s %8d %8.1fms %8.1fms %7.2f   %.2f … %.2f    %.2f\n", q.name, f.rows, ms(median(f.ours, wall)), ms(median(f.hand, wall)), ratio, all[0], all[len(all)-1], middle(f.ratios(worked)))
		if o.most > 0 && ratio > o.most {
			above = append(above, q.name)
		}
	}
	if len(above) > 0 {
		return fmt.Errorf("above %.2f: %s", o.most, strings.Join(above, ", "))
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// explain prints how both are run.
func (b *bench) explain(ctx context.Context, list []query, out io.Writer) error {
	plan := []schema.Column{{Name: "Key", Type: schema.String}, {Name: "Value", Type: schema.String}}
	for _, q := range list {
		s, err := b.snapshot(ctx)
		if err != nil {
			return err
		}
		_, statement, args, err := b.compile(s, q.kql)
		if err == nil {
			fmt.Fprintf(out, "== %s\n%s\n%q\n", q.name, statement, args)
			for _, e := range []struct {
				sql  string
				args []any
			}{{statement, args}, {q.sql, nil}} {
				r, failed := s.Query(ctx, "EXPLAIN ANALYZE "+e.sql, e.args, schema.NewTable("Plan", schema.XDR, plan), tables.Limit{})
				if err = errors.Join(err, failed); failed == nil {
					fmt.Fprintln(out, r.Rows.Columns[1].Texts[0])
				}
			}
		}
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	return nil
}
