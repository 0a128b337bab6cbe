package duckdb_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
	"lockstep/tables/duckdb"
	"lockstep/tables/tablestest"
)

var one = schema.NewTable("r", schema.XDR, []schema.Column{{Name: "v", Type: schema.String}})

// SQL, should any ever be smuggled in, reads no file, attaches nothing, and
// changes neither settings nor rows.
func TestLockedDown(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, duckdb.Options{})
	secret := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	segments := filepath.Join(dir, "segments")
	for _, sql := range []string{
		"SELECT content FROM read_text('" + secret + "')",
		"SELECT content FROM read_text('" + segments + "/../../" + filepath.Base(filepath.Dir(secret)) + "/secret.txt')",
		"SELECT content FROM read_text('/etc/passwd')",
		"SELECT * FROM '" + secret + "'",
		"SELECT * FROM glob('/etc/*')",
		"ATTACH '" + filepath.Join(dir, "other.db") + "' AS other",
		"COPY (SELECT 1) TO '" + filepath.Join(dir, "out.csv") + "'",
		"INSTALL httpfs", "LOAD httpfs",
		"SET memory_limit = '100GB'", "SET enable_external_access = true", "RESET lock_configuration",
		"INSERT INTO positions VALUES ('x', 1)", "DROP TABLE positions", "CREATE TABLE more (x INT)",
	} {
		n, err := s.Snapshot(context.Background(), tables.View{Side: schema.XDR, Now: tablestest.Now})
		if err != nil {
			t.Fatal(err)
		}
		if found, err := n.Query(context.Background(), sql, nil, one, tables.Limit{}); err == nil {
			t.Errorf("%s: allowed, %d rows", sql, found.Rows.N)
		}
		_ = n.Close()
	}
}

func TestOpenRefuses(t *testing.T) {
	clock := func() schema.Ticks { return tablestest.Now }
	dir := t.TempDir()
	s, err := duckdb.Open(dir, duckdb.Options{Epoch: 5, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Arrival() >> 40; got != 5 {
		t.Errorf("epoch %d", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	if _, err := duckdb.Open(dir, duckdb.Options{Epoch: 5, Clock: clock}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "epoch 5") {
		t.Errorf("an epoch that was used: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "tables.duckdb"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// What a seal that was cut short left behind is swept when the store opens.
func TestOrphansAreSwept(t *testing.T) {
	dir := t.TempDir()
	orphan := filepath.Join(dir, "segments", "1-2026-01-01-1.parquet")
	if err := os.MkdirAll(filepath.Dir(orphan), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(orphan, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, duckdb.Options{})
	if _, err := os.Stat(orphan); !os.IsNotExist(err) {
		t.Errorf("the orphan is still there: %v", err)
	}
}

func TestFunctions(t *testing.T) {
	s := open(t, t.TempDir(), duckdb.Options{Functions: []duckdb.Function{{Name: "shout", Parameters: []schema.Type{schema.String, schema.Long}, Result: schema.String,
		Call: func(args []any) any {
			text, ok := args[0].(string)
			if !ok {
				return nil
			}
			n, _ := args[1].(int64)
			return strings.ToUpper(text) + strings.Repeat("!", int(n))
		}}}})
	n, err := s.Snapshot(context.Background(), tables.View{Side: schema.XDR, Now: tablestest.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	found, err := n.Query(context.Background(), "SELECT shout(x, y) FROM (VALUES ('a', 1::BIGINT), (NULL, 2), ('b', NULL)) v(x, y)", nil, one, tables.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(found.Rows.Columns[0].Texts, " "); got != "A!  B" {
		t.Errorf("got %q", got)
	}
}

// An expired segment's file outlives the snapshots that may read it.
func TestSegmentsOutliveSnapshots(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, dir, duckdb.Options{SealAfter: schema.Hour})
	batches, _ := rows.NewDecoder(stored).Records([]byte(`{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-01-03T10:00:00Z","DeviceName":"pc"}}`))
	if _, err := s.Append(ctx, tables.Append{Home: tables.XDRHome, Batches: batches}); err != nil {
		t.Fatal(err)
	}
	maintain := func(at schema.Ticks, files int) {
		t.Helper()
		if err := s.Maintain(ctx, at); err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(filepath.Join(dir, "segments", "*.parquet"))
		if err != nil || len(found) != files {
			t.Errorf("%d segments, want %d (%v)", len(found), files, err)
		}
	}
	maintain(tablestest.Now, 1)
	n, err := s.Snapshot(ctx, tables.View{Side: schema.XDR, Now: tablestest.Now})
	if err != nil {
		t.Fatal(err)
	}
	maintain(tablestest.Now+100*schema.Day, 1)
	table, _ := schema.Default().Table(schema.XDR, "DeviceEvents")
	sql, args, err := n.Relation(table, []string{"DeviceName"}, tables.Range{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := n.Query(ctx, "SELECT * FROM "+sql+" AS r", args, one, tables.Limit{})
	if err != nil || found.Rows.N != 1 {
		t.Fatalf("the snapshot reads %+v, %v", found, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	maintain(tablestest.Now+100*schema.Day, 0)
}
