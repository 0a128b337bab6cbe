package duckdb_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
	"lockstep/tables/duckdb"
	"lockstep/tables/tablestest"
)

// crashFolder tells the test binary, run as a child, to write until killed.
const crashFolder = "LOCKSTEP_CRASH_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashFolder); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// message makes the n-th delivery: its rows, its key and its position all
// follow from n.
func message(d *rows.Decoder, n int64) tables.Append {
	var text strings.Builder
	for i := range n%40 + 1 {
		fmt.Fprintf(&text, "{\"category\":\"AdvancedHunting-DeviceEvents\",\"properties\":{\"DeviceName\":\"%d\",\"ReportId\":%d}}\n", n, i)
	}
	fmt.Fprintf(&text, "{\"category\":\"AdvancedHunting-AlertInfo\",\"properties\":{\"AlertId\":\"%d\"}}\n", n)
	batches, _ := d.Records([]byte(text.String()))
	return tables.Append{Home: tables.XDRHome, Batches: batches, Key: fmt.Sprint("message ", n), Positions: []tables.Position{{Reader: "hub/0", Value: n}}}
}

// writeUntilKilled appends on from the stored position and prints each
// position once its append is acknowledged. Now and then it maintains.
func writeUntilKilled(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
	}
	s, err := duckdb.Open(dir, duckdb.Options{Clock: func() schema.Ticks { return tablestest.Now }, SealAfter: schema.Hour, Functions: []duckdb.Function{}})
	fail(err)
	d := rows.NewDecoder(stored)
	n, _ := s.Position("hub/0")
	for n++; ; n++ {
		_, err := s.Append(context.Background(), message(d, n))
		fail(err)
		fmt.Println(n)
		if n%7 == 0 {
			fail(s.Maintain(context.Background(), tablestest.Now+schema.Day))
		}
	}
}

func TestKilledAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		acknowledged := runAndKill(t, dir, 3+random.IntN(25), time.Duration(random.IntN(3000))*time.Microsecond)
		s, err := duckdb.Open(dir, duckdb.Options{Clock: func() schema.Ticks { return tablestest.Now }, Functions: []duckdb.Function{}})
		if err != nil {
			t.Fatal(err)
		}
		position, _ := s.Position("hub/0")
		if position < acknowledged {
			t.Errorf("message %d was acknowledged, the position is %d", acknowledged, position)
		}
		check(t, s, position)
		d := rows.NewDecoder(stored)
		for _, n := range []int64{position, max(position-5, 1)} { // sent again: known by key, by position, and by alert id
			for _, strip := range []func(*tables.Append){func(*tables.Append) {}, func(a *tables.Append) { a.Key = "" }, func(a *tables.Append) { a.Positions = nil }} {
				again := message(d, n)
				strip(&again)
				if r, err := s.Append(context.Background(), again); err != nil || !r.Repeat {
					t.Errorf("message %d again: %+v, %v", n, r, err)
				}
			}
		}
		check(t, s, position)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// check compares the rows with what the position says that they are.
func check(t *testing.T, s *duckdb.Store, position int64) {
	t.Helper()
	got, want := map[string]rows.Sum{}, map[string]rows.Sum{}
	d := rows.NewDecoder(stored)
	for n := int64(1); n <= position; n++ {
		for _, b := range message(d, n).Batches {
			want[b.Table.Name] = want[b.Table.Name].Add(b.Hash())
		}
	}
	for name := range want {
		b, _, err := s.Read(context.Background(), tables.XDRHome, name, 0, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if got[name] = b.Hash(); got[name] != want[name] {
			t.Errorf("%s at position %d: %d rows, want %d", name, position, got[name].Rows, want[name].Rows)
		}
	}
}

// runAndKill runs a child until it has acknowledged some messages, kills it a
// moment later and gives the last that it acknowledged.
func runAndKill(t *testing.T, dir string, after int, moment time.Duration) (last int64) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		n, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			rest, _ := io.ReadAll(out)
			t.Fatalf("the child says %s %s", lines.Text(), rest)
		}
		last = n
		if i == after {
			time.AfterFunc(moment, func() { _ = child.Process.Kill() })
		}
	}
	_ = child.Wait() // killed
	return last
}
