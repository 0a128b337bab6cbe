package history_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"lockstep/history"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/tables"
	"lockstep/tables/duckdb"
	"lockstep/wire/logs"
)

var ctx = context.Background()

const (
	one = "11111111-1111-4111-8111-111111111111" // workspaces
	two = "22222222-2222-4222-8222-222222222222"
)

// feeds is what both sides tell.
type feeds struct {
	alerts    []security.Alert
	snapshots []history.Snapshot
}

func (f *feeds) Project(_ context.Context, after int64, limit int) ([]security.Alert, int64, error) {
	end := min(int(after)+limit, len(f.alerts))
	return f.alerts[after:end], int64(end), nil
}

func (f *feeds) History(_ context.Context, after int64, limit int) ([]history.Snapshot, int64, error) {
	end := min(int(after)+limit, len(f.snapshots))
	return f.snapshots[after:end], int64(end), nil
}

// incident adds a version of an incident to a workspace's history.
func (f *feeds) incident(ws string, version int64) {
	f.snapshots = append(f.snapshots, history.Snapshot{Seq: int64(len(f.snapshots) + 1), Workspace: ws, Incident: &logs.Incident{
		TenantID: ws, Name: "n", Number: 1, Title: fmt.Sprintf("version %d", version), Severity: security.High, Status: "New",
		At: now + schema.Ticks(version), Modified: now + schema.Ticks(version), Created: now,
	}})
}

var now = func() schema.Ticks { t, _ := schema.ParseTicks("2026-03-02T08:00:00Z"); return t }()

func open(t *testing.T) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(t.TempDir(), duckdb.Options{Epoch: 1, Clock: func() schema.Ticks { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func drain(t *testing.T, s *history.Service) {
	t.Helper()
	for did := true; did; {
		var err error
		if did, _, err = s.Next(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
}

// rows counts a table's rows in a view.
func rows(t *testing.T, s *duckdb.Store, view tables.View, table string) int64 {
	t.Helper()
	view.Now = now
	stats, err := s.Stats(ctx, view)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range stats {
		if st.Table == table {
			return st.Rows
		}
	}
	return 0
}

// TestEveryVersionIsOneRow writes several versions in two workspaces, more
// than one batch holds, and runs again without news.
func TestEveryVersionIsOneRow(t *testing.T) {
	f, store := &feeds{}, open(t)
	for v := range int64(700) {
		f.incident(one, v)
		if v%7 == 0 {
			f.incident(two, v)
		}
	}
	s := &history.Service{Alerts: f, Snapshots: f, Rows: store, Schema: schema.Default()}
	drain(t, s)
	drain(t, s)
	for ws, want := range map[string]int64{one: 700, two: 100} {
		if got := rows(t, store, tables.View{Side: schema.Workspace, Workspace: ws}, "SecurityIncident"); got != want {
			t.Errorf("workspace %s has %d rows, want %d", ws, got, want)
		}
	}
}

// failing is a store whose nth append is refused, as if the process had ended there.
type failing struct {
	*duckdb.Store
	n *int
}

var errEnd = errors.New("the process ended")

func (f failing) Append(ctx context.Context, a tables.Append) (tables.Receipt, error) {
	if *f.n--; *f.n == 0 {
		return tables.Receipt{}, errEnd
	}
	return f.Store.Append(ctx, a)
}

// TestACrashAnywhereRepeatsAndSkipsNothing ends the process before each append
// in turn, adds news meanwhile, and starts again.
func TestACrashAnywhereRepeatsAndSkipsNothing(t *testing.T) {
	for crash := 1; crash <= 4; crash++ {
		f, store := &feeds{}, open(t)
		for v := range int64(3) {
			f.incident(one, v)
			f.incident(two, v)
		}
		f.alerts = []security.Alert{{ID: "da1", Title: "x", ServiceSource: "microsoftDefenderForEndpoint", Severity: security.Low, Created: now, LastActivity: now}}
		n := crash
		s := &history.Service{Alerts: f, Snapshots: f, Rows: failing{store, &n}, Schema: schema.Default()}
		var err error
		for did := true; did && err == nil; {
			did, _, err = s.Next(ctx, now)
		}
		if err != nil && !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
		f.incident(one, 3) // while it was away
		drain(t, &history.Service{Alerts: f, Snapshots: f, Rows: store, Schema: schema.Default()})
		for ws, want := range map[string]int64{one: 4, two: 3} {
			if got := rows(t, store, tables.View{Side: schema.Workspace, Workspace: ws}, "SecurityIncident"); got != want {
				t.Errorf("after a crash at append %d workspace %s has %d rows, want %d", crash, ws, got, want)
			}
		}
		if got := rows(t, store, tables.View{Side: schema.XDR}, "AlertInfo"); got != 1 {
			t.Errorf("after a crash at append %d there are %d AlertInfo rows, want 1", crash, got)
		}
	}
}
