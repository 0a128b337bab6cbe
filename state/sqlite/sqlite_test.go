package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"lockstep/fault"
	"lockstep/state"
	"lockstep/state/sqlite"
	"lockstep/state/statetest"
)

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	statetest.Run(t, func(t *testing.T) state.Store { return open(t, filepath.Join(t.TempDir(), "state.db")) })
}

var feed = state.Log[int]{Name: "feed"}

func appendOne(s state.Store, n int) (seq int64, err error) {
	err = s.Update(context.Background(), func(tx state.Tx) error {
		seq = feed.Append(tx, n)
		return nil
	})
	return seq, err
}

func numbers(t *testing.T, s state.Store) (out []int64) {
	t.Helper()
	err := s.View(context.Background(), func(tx state.Tx) error {
		for _, e := range feed.After(tx, 0, 1<<30) {
			out = append(out, e.Seq)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A server that is killed while it writes has lost nothing that it had
// acknowledged, and its feeds have no gaps.
func TestKilled(t *testing.T) {
	if path := os.Getenv("STATE_TEST_CHILD"); path != "" {
		writeUntilKilled(path)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	var last int64
	for range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "STATE_TEST_CHILD="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := int64(0)
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			seq, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				continue // the line was cut by the kill
			}
			acknowledged = max(acknowledged, seq)
			if n == 300 {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var ended *exec.ExitError
		if err := child.Wait(); !errors.As(err, &ended) || ended.Success() {
			t.Fatalf("the child ended with %v", err)
		}

		s := open(t, path)
		got := numbers(t, s)
		for i, n := range got {
			if n != int64(i+1) {
				t.Fatalf("record %d has number %d: a gap", i+1, n)
			}
		}
		err = s.View(t.Context(), func(tx state.Tx) error {
			for n := range int64(50) {
				if v, ok := tx.Get("ballast", state.Number(n)); !ok || len(v) != 30_000 {
					t.Errorf("ballast %d has %d bytes", n, len(v))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(got)) < acknowledged || acknowledged < last+300 {
			t.Fatalf("%d records after a kill; %d were acknowledged, %d before this child", len(got), acknowledged, last)
		}
		last = int64(len(got))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func writeUntilKilled(path string) {
	s, err := sqlite.Open(path)
	if err != nil {
		panic(err)
	}
	for range 8 {
		go func() {
			for n := 0; ; n++ {
				var seq int64
				err := s.Update(context.Background(), func(tx state.Tx) error {
					seq = feed.Append(tx, n)
					tx.Put("ballast", state.Number(seq%50), make([]byte, 30_000)) // so that the log is folded into the file meanwhile
					return nil
				})
				if err != nil {
					panic(err)
				}
				fmt.Println(seq)
			}
		}()
	}
	select {}
}

// Updates that wait together share a commit, each with its own outcome.
func TestGroup(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	wanted := errors.New("wanted")
	var all sync.WaitGroup
	admitted := make(chan struct{})
	for i := range 300 {
		all.Go(func() {
			err := s.Update(context.Background(), func(tx state.Tx) error {
				<-admitted
				feed.Append(tx, i)
				if i%3 == 0 {
					return wanted
				}
				return nil
			})
			if (i%3 == 0) != errors.Is(err, wanted) || i%3 != 0 && err != nil {
				t.Errorf("update %d gave %v", i, err)
			}
		})
	}
	close(admitted)
	all.Wait()
	if got := len(numbers(t, s)); got != 200 {
		t.Errorf("%d records, want 200", got)
	}
}

// Callers that give up while they wait never leave a group without a commit.
func TestGivingUp(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 100 {
				if _, err := appendOne(s, n); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 300 {
				ctx, cancel := context.WithCancel(context.Background())
				go cancel()
				_ = s.Update(ctx, func(tx state.Tx) error { tx.Put("x", "k", nil); return nil })
			}
		})
	}
	all.Wait()
	if got := len(numbers(t, s)); got != 400 {
		t.Errorf("%d records, want 400", got)
	}
}

func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "what?&#.db")
	s := open(t, path)
	if _, err := appendOne(s, 1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", filepath.Base(name), got, want)
		}
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	for range 3 {
		if _, err := appendOne(s, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := appendOne(s, 1); !fault.Is(err, fault.Unavailable) {
		t.Errorf("update after Close gave %v", err)
	}
	if err := s.View(t.Context(), func(state.Tx) error { return nil }); !fault.Is(err, fault.Unavailable) {
		t.Errorf("view after Close gave %v", err)
	}
	s = open(t, path)
	if n, err := appendOne(s, 1); n != 4 || err != nil {
		t.Errorf("append gave %d, %v; want 4", n, err)
	}
}

func TestNewerFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	err := s.Update(t.Context(), func(tx state.Tx) error { tx.Put("meta", "format", []byte("7")); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(path)
	if err == nil || !strings.Contains(err.Error(), "format 7") || !strings.Contains(err.Error(), path) {
		t.Errorf("a newer format gave %v", err)
	}
}

func TestNotState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that isn't state gave %v", err)
	}
}

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "state.db"))
	for range 3 {
		if _, err := appendOne(s, 1); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(dir, "backup", "state.db")
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if _, err := appendOne(s, 1); err != nil {
		t.Fatal(err)
	}
	if got := len(numbers(t, open(t, copied))); got != 3 {
		t.Errorf("the backup holds %d records, want 3", got)
	}
	if err := s.Backup(t.Context(), copied); err == nil {
		t.Error("a backup over an older one gave no error")
	}
}

// A failing engine is told, takes nobody's acknowledged work and leaves no half.
func TestFullDisk(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	if _, err := appendOne(s, 1); err != nil {
		t.Fatal(err)
	}
	sqlite.LimitPages(s, 40)
	err := s.Update(t.Context(), func(tx state.Tx) error {
		feed.Append(tx, 2)
		for i := range 100 {
			tx.Put("big", state.Number(int64(i)), make([]byte, 16<<10))
		}
		if v, ok := tx.Get("feed", state.Number(1)); ok || v != nil {
			t.Error("a read after the failure gave a value")
		}
		return nil
	})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "full") {
		t.Errorf("a full disk gave %v", err)
	}
	if n, err := appendOne(s, 3); n != 2 || err != nil {
		t.Errorf("append after that gave %d, %v; want 2", n, err)
	}
}

// When the engine fails under a group, each member that was acknowledged is
// there, each that wasn't is not, and the feed has no gap.
func TestFullDiskUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	if _, err := appendOne(s, -1); err != nil {
		t.Fatal(err)
	}
	sqlite.LimitPages(s, 200)
	var mu sync.Mutex
	acknowledged, failed := map[int]bool{-1: true}, 0
	var all sync.WaitGroup
	for w := range 16 {
		all.Go(func() {
			for i := range 20 {
				n := w*20 + i
				err := s.Update(context.Background(), func(tx state.Tx) error {
					feed.Append(tx, n)
					tx.Put("ballast", state.Number(int64(n)), make([]byte, 1000*(n%9)))
					return nil
				})
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[n] = true
				case fault.Is(err, fault.Unavailable):
					failed++
				default:
					t.Errorf("update gave %v", err)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if failed == 0 || len(acknowledged) < 2 {
		t.Fatalf("%d failed and %d were acknowledged: the disk wasn't full in the midst of it", failed, len(acknowledged))
	}
	check := func(s state.Store) {
		t.Helper()
		err := s.View(t.Context(), func(tx state.Tx) error {
			entries := feed.After(tx, 0, 1<<30)
			for i, e := range entries {
				if e.Seq != int64(i+1) || !acknowledged[e.Record] {
					t.Errorf("record %d has number %d; %d was acknowledged: %v", i, e.Seq, e.Record, acknowledged[e.Record])
				}
			}
			if len(entries) != len(acknowledged) {
				t.Errorf("%d records of %d acknowledged ones", len(entries), len(acknowledged))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check(open(t, path))
}

func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "state.db"))
			value := make([]byte, 1000)
			work := make(chan int)
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					for i := range work {
						err := s.Update(context.Background(), func(tx state.Tx) error {
							tx.Put("incident", state.Number(int64(i*7919%50_000)), value)
							feed.Append(tx, i)
							return nil
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			for i := 0; b.Loop(); i++ {
				work <- i
			}
			close(work)
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
		})
	}
}

func BenchmarkView(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	err := s.Update(context.Background(), func(tx state.Tx) error {
		for i := range 20_000 {
			tx.Put("incident", state.Number(int64(i)), make([]byte, 3000))
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]func(tx state.Tx, i int){
		"get": func(tx state.Tx, i int) { tx.Get("incident", state.Number(int64(i*7919%20_000))) },
		"scan50": func(tx state.Tx, i int) {
			n := 0
			for range tx.Scan("incident", state.Number(int64(i*7919%19_000)), "", false) {
				if n++; n == 50 {
					break
				}
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := s.View(context.Background(), func(tx state.Tx) error { f(tx, i); return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBulk(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	value := make([]byte, 1500)
	n := 0
	for b.Loop() {
		err := s.Update(context.Background(), func(tx state.Tx) error {
			for range 1000 {
				n++
				tx.Put("alert", state.Number(int64(n)), value)
				tx.Put("alert/byTime", state.Join(state.Number(int64(n)), state.Number(int64(n))), nil)
				tx.Get("alert", state.Number(int64(n/2)))
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
