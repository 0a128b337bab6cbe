// Package tablestest is the suite that every engine of columnar rows passes:
// what the words of package tables promise. It leaves speed, crashes and files
// to each engine's own tests.
package tablestest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Engine is everything that an engine offers.
type Engine interface {
	Append(context.Context, tables.Append) (tables.Receipt, error)
	Position(reader string) (int64, bool)
	Positions() map[string]int64
	Arrival() int64
	Grants(ctx context.Context, workspace string) ([]tables.Grant, error)
	SetGrant(ctx context.Context, workspace, table string, on bool, now schema.Ticks) error
	SetRetention(tables.Retention)
	Quarantine(ctx context.Context, source string, refused []rows.Refusal) error
	Quarantined(ctx context.Context, before int64, limit int) ([]tables.Quarantined, int64, error)
	Snapshot(context.Context, tables.View) (tables.Snapshot, error)
	Stats(context.Context, tables.View) ([]tables.Stat, error)
	Read(ctx context.Context, home tables.Home, table string, after int64, limit int) (*rows.Batch, int64, error)
	Maintain(ctx context.Context, now schema.Ticks) error
	Close() error
}

// Open opens an engine in a folder, which may hold what an earlier one left.
// sealAfter is the age at which rows may be moved to colder storage; 0 never.
type Open func(t testing.TB, folder string, clock func() schema.Ticks, sealAfter schema.Ticks) Engine

// workspace is the one that the suite streams to.
const workspace = "b5e1a6b2-0000-4000-8000-000000000001"

// bench is one test's engine with the words to use it.
type bench struct {
	testing.TB
	Engine
	now schema.Ticks
	dec *rows.Decoder
}

func start(t testing.TB, open Open, folder string, sealAfter schema.Ticks) *bench {
	b := &bench{TB: t, now: Now}
	b.Engine = open(t, folder, func() schema.Ticks { return b.now }, sealAfter)
	b.dec = rows.NewDecoder(func(name string) (*schema.Table, bool) { return b.stored(schema.XDR, name) })
	return b
}

func (b *bench) stored(side schema.Side, name string) (*schema.Table, bool) {
	t, ok := schema.Default().Table(side, name)
	if !ok {
		return nil, false
	}
	return rows.Stored(t), true
}

// batch decodes hunting rows of a table, one JSON object per argument.
func (b *bench) batch(table string, properties ...string) []*rows.Batch {
	b.Helper()
	var text strings.Builder
	for _, p := range properties {
		fmt.Fprintf(&text, "{\"category\":\"AdvancedHunting-%s\",\"properties\":%s}\n", table, p)
	}
	batches, refused := b.dec.Records([]byte(text.String()))
	if len(refused) > 0 {
		b.Fatal(refused)
	}
	return batches
}

// own decodes rows of a workspace table.
func (b *bench) own(table string, fields ...string) []*rows.Batch {
	b.Helper()
	t, ok := b.stored(schema.Workspace, table)
	if !ok {
		b.Fatalf("no workspace table %s", table)
	}
	batches, refused := b.dec.Rows(t, []byte("["+strings.Join(fields, ",")+"]"))
	if len(refused) > 0 {
		b.Fatal(refused)
	}
	return batches
}

func (b *bench) append(a tables.Append) tables.Receipt {
	b.Helper()
	if a.Home == "" {
		a.Home = tables.XDRHome
	}
	r, err := b.Append(context.Background(), a)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (b *bench) xdr() tables.View { return tables.View{Side: schema.XDR, Now: b.now} }
func (b *bench) ws() tables.View {
	return tables.View{Side: schema.Workspace, Workspace: workspace, Now: b.now}
}

// list prints the columns of a table as a view shows them, a row per line, in
// order of arrival.
func (b *bench) list(view tables.View, table, columns string) string {
	b.Helper()
	n, err := b.Snapshot(context.Background(), view)
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	return b.read(n, view.Side, table, columns, tables.Range{})
}

func (b *bench) read(n tables.Snapshot, side schema.Side, table, columns string, in tables.Range) string {
	b.Helper()
	t, ok := schema.Default().Table(side, table)
	if !ok {
		b.Fatalf("no table %s", table)
	}
	names := strings.Fields(columns)
	result := make([]schema.Column, len(names))
	for i, name := range names {
		c, ok := t.Column(name)
		if !ok {
			b.Fatalf("table %s has no column %s", table, name)
		}
		result[i] = c
	}
	sql, args, err := n.Relation(t, append(names, tables.ArrivalColumn), in)
	if err != nil {
		b.Fatal(err)
	}
	// Plain SQL, which every engine's query accepts.
	found, err := n.Query(context.Background(), "SELECT * FROM "+sql+" AS r ORDER BY "+tables.ArrivalColumn, args,
		schema.NewTable("result", side, append(result, schema.Column{Name: tables.ArrivalColumn, Type: schema.Long})), tables.Limit{})
	if err != nil {
		b.Fatal(err)
	}
	var out []string
	for i := range found.Rows.N {
		var line []string
		for c := range names {
			line = append(line, found.Rows.Columns[c].Print(i))
		}
		out = append(out, strings.Join(line, "|"))
	}
	return strings.Join(out, "\n")
}

func (b *bench) want(got, want string) {
	b.Helper()
	if got != want {
		b.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
