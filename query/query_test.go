package query_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
	"lockstep/tables/duckdb"
	"lockstep/tables/tablestest"
)

const workspace = "b5e1a6b2-0000-4000-8000-000000000001"

// program is what the test's language compiles to: "Table column", "all" for
// the names that a wildcard means, or "slow" for what never ends.
type program struct {
	columns []schema.Column
	table   string
	sql     string
}

func (p program) Columns() []schema.Column { return p.columns }
func (p program) Render() *query.Render    { return nil }
func (p program) SQL(relation func(int, string, []string) (string, []any)) (string, []any) {
	if p.table == "" {
		return p.sql, nil
	}
	sql, args := relation(0, p.table, []string{p.columns[0].Name})
	return "SELECT * FROM " + sql + " AS r ORDER BY 1", args
}

func compile(text string, env query.Environment) (query.Program, []query.Diagnostic) {
	switch text {
	case "all":
		var list []string
		for _, n := range env.TableNames() {
			list = append(list, n)
		}
		return program{columns: []schema.Column{{Name: "names", Type: schema.String}}, sql: "SELECT '" + strings.Join(list, " ") + "'"}, nil
	case "slow":
		return program{columns: []schema.Column{{Name: "n", Type: schema.Long}}, sql: "SELECT count(*) FROM range(1000000000) AS a(x), range(1000) AS b(y) WHERE x % 7 = y % 11"}, nil
	}
	name, column, _ := strings.Cut(text, " ")
	t, ok := env.Tables(name)
	if !ok {
		return nil, []query.Diagnostic{{Start: 0, End: len(name), Message: "no table " + name}}
	}
	c, ok := t.Column(column)
	if !ok {
		return nil, []query.Diagnostic{{Start: len(name) + 1, End: len(text), Message: "no column " + column}}
	}
	return program{columns: []schema.Column{c}, table: name}, []query.Diagnostic{{Message: "a remark", Warning: true}}
}

// serve makes a service over a store with some rows in it.
func serve(t *testing.T, o query.Options) (*query.Service, *duckdb.Store) {
	t.Helper()
	clock := func() schema.Ticks { return tablestest.Now }
	store, err := duckdb.Open(t.TempDir(), duckdb.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := context.Background()
	for _, table := range []string{"DeviceEvents", "DeviceInfo"} {
		if err := store.SetGrant(ctx, workspace, table, true, tablestest.Now); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	for _, table := range []string{"DeviceEvents", "DeviceInfo", "EmailEvents"} {
		for i := range 3 {
			fmt.Fprintf(&text, "{\"category\":\"AdvancedHunting-%s\",\"properties\":{\"Timestamp\":\"2026-01-05T0%d:00:00Z\",\"DeviceName\":\"pc%d\",\"Subject\":\"s\"}}\n", table, i+1, i)
		}
	}
	take(t, store, text.String())
	o.Tables, o.Clock = store, clock
	if o.Compile == nil {
		o.Compile = compile
	}
	return query.New(o), store
}

// events adds a late row to each of some tables.
func events(t *testing.T, store *duckdb.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		take(t, store, `{"category":"AdvancedHunting-`+name+`","properties":{"Timestamp":"2026-01-05T04:00:00Z","DeviceName":"late","Subject":"late"}}`)
	}
}

// take stores records of the XDR.
func take(t *testing.T, store *duckdb.Store, text string) {
	t.Helper()
	batches, refused := rows.NewDecoder(func(name string) (*schema.Table, bool) {
		t, ok := schema.Default().Table(schema.XDR, name)
		return rows.Stored(t), ok
	}).Records([]byte(text))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	if _, err := store.Append(t.Context(), tables.Append{Home: tables.XDRHome, Batches: batches}); err != nil {
		t.Fatal(err)
	}
}

func texts(r *query.Result) string {
	var out []string
	for i := range r.Rows.N {
		out = append(out, r.Rows.Columns[0].Print(i))
	}
	return strings.Join(out, " ")
}

func TestRun(t *testing.T) {
	s, store := serve(t, query.Options{})
	xdr := query.Query{Side: schema.XDR}
	ws := query.Query{Side: schema.Workspace, Workspace: workspace}
	seven := tablestest.Now - 8*schema.Hour
	for _, test := range []struct {
		name string
		q    query.Query
		text string
		edit func(*query.Query)
		want string
	}{
		{"the XDR's table", xdr, "DeviceEvents DeviceName", nil, "pc0 pc1 pc2"},
		{"the workspace's copy", ws, "DeviceEvents DeviceName", nil, "pc0 pc1 pc2"},
		{"a time range", xdr, "DeviceEvents DeviceName", func(q *query.Query) { q.From = seven }, "pc1 pc2"},
		{"from an arrival on", xdr, "DeviceEvents DeviceName", func(q *query.Query) { q.After = store.Arrival() - 8 }, "pc1 pc2"},
		{"a hunting table that isn't streamed has no rows in the workspace", ws, "EmailEvents Subject", nil, ""},
		{"nor has one that the workspace doesn't even list", ws, "DeviceTvmSoftwareInventory DeviceName", nil, ""},
		{"nor one that is only known by name", ws, "AACAudit TimeGenerated", nil, ""},
		{"a wildcard on the XDR side", xdr, "all", nil, "DeviceEvents DeviceInfo EmailEvents"},
		{"a wildcard in the workspace", ws, "all", nil, "DeviceEvents DeviceInfo"},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := test.q
			q.Text = test.text
			if test.edit != nil {
				test.edit(&q)
			}
			r, err := s.Run(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			if got := texts(r); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if r.Truncated || r.Arrival != store.Arrival() || r.Stats.Rows != r.Rows.N {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	s, _ := serve(t, query.Options{})
	_, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: "DeviceEvents\n Nope"})
	var wrong *query.SyntaxError
	if !errors.As(err, &wrong) || !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	list, err2 := s.Check(context.Background(), query.Query{Side: schema.XDR, Text: "DeviceEvents Nope"})
	want := []query.Diagnostic{{Start: 13, End: 17, Line: 1, Col: 14, Message: "no column Nope"}}
	if diff := cmp.Diff(want, list); diff != "" || err2 != nil {
		t.Error(diff, err2)
	}
	for _, q := range []query.Query{{Text: "all"}, {Text: "all", Side: schema.Workspace}, {Text: "all", Side: schema.XDR, Workspace: "w"},
		{Text: "all", Side: schema.XDR, MaxRows: -1}, {Text: "all", Side: schema.XDR, MaxBytes: -1}, {Text: "all", Side: schema.XDR, Timeout: -1}} {
		if _, err := s.Run(context.Background(), q); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: "slow", Timeout: 30 * time.Millisecond}); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "30ms") {
		t.Errorf("a query that takes too long: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, query.Query{Side: schema.XDR, Text: "slow"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled query: %v", err)
	}
	if _, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: "DeviceEvents DeviceName"}); err != nil {
		t.Errorf("after those: %v", err)
	}
}

func TestLimits(t *testing.T) {
	s, _ := serve(t, query.Options{MaxRows: 2})
	for asked, want := range map[int]int{0: 2, 1: 1, 99: 2} {
		r, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: "DeviceEvents DeviceName", MaxRows: asked})
		if err != nil {
			t.Fatal(err)
		}
		said := 2
		if asked > 2 {
			said++
		}
		if r.Rows.N != want || !r.Truncated || len(r.Warnings) != said || asked > 2 && !strings.HasPrefix(r.Warnings[2], "99 rows were asked for, more than the 2 ") || !strings.Contains(r.Warnings[1], fmt.Sprintf("cut at %d rows", want)) {
			t.Errorf("asked for %d: %d rows, %v", asked, r.Rows.N, r.Warnings)
		}
	}
}

func TestPermission(t *testing.T) {
	s, _ := serve(t, query.Options{Allow: func(_ context.Context, principal string, _ schema.Side, _, table string) error {
		if principal == "ann" || table == "DeviceInfo" {
			return nil
		}
		return errors.New("your role lacks it")
	}})
	run := func(principal, text string) (*query.Result, error) {
		return s.Run(context.Background(), query.Query{Side: schema.XDR, Text: text, Principal: principal})
	}
	if _, err := run("ann", "DeviceEvents DeviceName"); err != nil {
		t.Error(err)
	}
	if _, err := run("bob", "DeviceEvents DeviceName"); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "DeviceEvents") {
		t.Errorf("got %v", err)
	}
	if r, err := run("bob", "all"); err != nil || texts(r) != "DeviceInfo" {
		t.Errorf("a wildcard: %v, %v", r, err)
	}
}

func TestAdmission(t *testing.T) {
	entered, release := make(chan struct{}, 8), make(chan struct{})
	s, _ := serve(t, query.Options{Concurrent: 1, PerPrincipal: 2, Compile: func(text string, env query.Environment) (query.Program, []query.Diagnostic) {
		if text == "hold" {
			entered <- struct{}{}
			<-release
			text = "all"
		}
		return compile(text, env)
	}})
	var wait sync.WaitGroup
	run := func(ctx context.Context, principal, text string) error {
		_, err := s.Run(ctx, query.Query{Side: schema.XDR, Text: text, Principal: principal})
		return err
	}
	wait.Go(func() {
		if err := run(context.Background(), "ann", "hold"); err != nil {
			t.Error(err)
		}
	})
	<-entered
	waiting, cancel := context.WithCancel(context.Background())
	gone := make(chan error)
	go func() {
		err := run(waiting, "ann", "all")
		for fault.Is(err, fault.Throttled) { // the third came first
			err = run(waiting, "ann", "all")
		}
		gone <- err
	}()
	for { // until the second is counted, a third is let in to wait too
		ctx, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
		err := run(ctx, "ann", "all")
		stop()
		var f *fault.Error
		if errors.As(err, &f) && f.Kind == fault.Throttled {
			if f.RetryAfter <= 0 {
				t.Error("it isn't said when to come back")
			}
			break
		}
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up waiting got %v", err)
	}
	wait.Go(func() {
		if err := run(context.Background(), "bob", "all"); err != nil {
			t.Error(err)
		}
	})
	close(release)
	wait.Wait()
}
