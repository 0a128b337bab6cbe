// Package statetest is the one suite that every state engine passes. It knows
// what a user of state.Store relies on; it leaves to each engine's own tests
// what only that engine has (files, locks, crashes).
package statetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/state"
)

// Run checks a store that open makes anew and closes with the test.
func Run(t *testing.T, open func(t *testing.T) state.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, state.Store)
	}{
		{"model", model},
		{"hostile keys and values", hostile},
		{"rollback", rollback},
		{"snapshot", snapshot},
		{"misuse", misuse},
		{"context", ended},
		{"table", table},
		{"log", log},
		{"concurrency", concurrency},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func update(t require, s state.Store, f func(tx state.Tx)) {
	t.Helper()
	err := s.Update(context.Background(), func(tx state.Tx) error { f(tx); return nil })
	if err != nil {
		t.Fatalf("update: %v", err)
	}
}

func view(t require, s state.Store, f func(tx state.Tx)) {
	t.Helper()
	err := s.View(context.Background(), func(tx state.Tx) error { f(tx); return nil })
	if err != nil {
		t.Fatalf("view: %v", err)
	}
}

// require is what *testing.T and *rapid.T share of what the suite needs.
type require interface {
	Helper()
	Fatalf(format string, args ...any)
}

// pair is one key with its value, as a scan gives it.
type pair struct{ Key, Value string }

func scan(tx state.Tx, bucket, from, to string, reverse bool) []pair {
	var out []pair
	for k, v := range tx.Scan(bucket, from, to, reverse) {
		out = append(out, pair{k, string(v)})
	}
	return out
}

// reference gives what a scan must give, by plain maps and sorting.
func reference(m map[string]string, from, to string, reverse bool) []pair {
	var out []pair
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if k >= from && (to == "" || k < to) {
			out = append(out, pair{k, m[k]})
		}
	}
	if reverse {
		slices.Reverse(out)
	}
	return out
}

// keys draws from few enough keys that operations meet, of many kinds.
func keys() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "\x00", "\x01", "a", "a\x00", "a\x00\x00", "a\x00b", "a\x01", "ab", "b", "\xff", "\xff\xff", "ÿ", "'; drop", "%"}),
		rapid.Custom(func(t *rapid.T) string { return state.Number(rapid.Int64Range(0, 300).Draw(t, "n")) }),
		rapid.StringN(0, 3, 8),
	)
}

var errWanted = errors.New("wanted")

// model runs random transactions on the store and on plain maps: every read in
// a transaction sees its own writes, and after it the store holds the maps' content.
func model(t *testing.T, s state.Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		buckets := []string{fmt.Sprintf("m%d", run), fmt.Sprintf("m%d/x", run)}
		committed := map[string]map[string]string{buckets[0]: {}, buckets[1]: {}}
		for range rapid.IntRange(1, 8).Draw(t, "transactions") {
			mine := map[string]map[string]string{}
			for b, m := range committed {
				mine[b] = maps.Clone(m)
			}
			fail := rapid.SampledFrom([]string{"", "", "", "error", "panic"}).Draw(t, "fail")
			n := rapid.SampledFrom([]int{1, 3, 40}).Draw(t, "n")
			err := s.Update(context.Background(), func(tx state.Tx) error {
				for range n {
					step(t, tx, rapid.SampledFrom(buckets).Draw(t, "bucket"), mine)
				}
				switch fail {
				case "error":
					return errWanted
				case "panic":
					panic(errWanted)
				}
				return nil
			})
			if fail == "" {
				if err != nil {
					t.Fatalf("update: %v", err)
				}
				committed = mine
			} else if !errors.Is(err, errWanted) {
				t.Fatalf("update gave %v, want the error of f", err)
			}
			from, to := keys().Draw(t, "from"), keys().Draw(t, "to")
			reverse := rapid.Bool().Draw(t, "reverse")
			view(t, s, func(tx state.Tx) {
				for _, b := range buckets {
					same(t, scan(tx, b, from, to, reverse), reference(committed[b], from, to, reverse))
					same(t, scan(tx, b, "", "", reverse), reference(committed[b], "", "", reverse))
				}
			})
		}
	})
}

func step(t *rapid.T, tx state.Tx, bucket string, mine map[string]map[string]string) {
	m := mine[bucket]
	switch rapid.SampledFrom([]string{"put", "put", "put", "delete", "get", "scan", "part"}).Draw(t, "op") {
	case "put":
		k, v := keys().Draw(t, "key"), rapid.SampledFrom([]string{"", "\x00", "v", "\xff\xfe", string(make([]byte, 9000))}).Draw(t, "value")
		tx.Put(bucket, k, []byte(v))
		m[k] = v
	case "delete":
		k := keys().Draw(t, "key")
		tx.Delete(bucket, k)
		delete(m, k)
	case "get":
		k := keys().Draw(t, "key")
		got, ok := tx.Get(bucket, k)
		want, wantOK := m[k]
		if string(got) != want || ok != wantOK {
			t.Fatalf("get %q = %q, %v; want %q, %v", k, got, ok, want, wantOK)
		}
	case "scan":
		from, to, reverse := keys().Draw(t, "from"), keys().Draw(t, "to"), rapid.Bool().Draw(t, "reverse")
		same(t, scan(tx, bucket, from, to, reverse), reference(m, from, to, reverse))
	case "part": // a scan that is left early, with reads inside it
		want := reference(m, "", "", false)
		i := 0
		for k, v := range tx.Scan(bucket, "", "", false) {
			if got, ok := tx.Get(bucket, k); !ok || string(got) != string(v) || (pair{k, string(v)}) != want[i] {
				t.Fatalf("scan gave %q, get %q, want %q", v, got, want[i].Value)
			}
			if i++; i == 5 {
				break
			}
		}
	}
}

func same(t require, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("differs (-want +got):\n%s", cmp.Diff(want, got))
	}
}

func hostile(t *testing.T, s state.Store) {
	m := map[string]string{}
	for i := range 256 {
		for _, k := range []string{string([]byte{byte(i)}), string([]byte{'k', byte(i)}), string([]byte{byte(i), 0, 0xff})} {
			m[k] = k + "\x00\xff'"
		}
	}
	update(t, s, func(tx state.Tx) {
		for k, v := range m {
			tx.Put("hostile", k, []byte(v))
			tx.Put("hostile\x00'%", k, []byte("other bucket"))
		}
	})
	view(t, s, func(tx state.Tx) {
		for _, reverse := range []bool{false, true} {
			same(t, scan(tx, "hostile", "", "", reverse), reference(m, "", "", reverse))
			same(t, scan(tx, "hostile", "k\x00", "k\xff", reverse), reference(m, "k\x00", "k\xff", reverse))
		}
	})
}

func rollback(t *testing.T, s state.Store) {
	update(t, s, func(tx state.Tx) { tx.Put("b", "k", []byte("before")) })
	type odd struct{ s string }
	for name, f := range map[string]func() error{
		"error":         func() error { return errWanted },
		"panic":         func() error { panic(errWanted) },
		"panic, text":   func() error { panic("text") },
		"panic, struct": func() error { panic(odd{"x"}) },
		"nil map":       func() error { var m map[string]int; m["x"]++; return nil },
	} {
		err := s.Update(context.Background(), func(tx state.Tx) error {
			tx.Put("b", "k", []byte("after"))
			tx.Put("b", "new", []byte("after"))
			tx.Put("other", "new", []byte("after"))
			tx.Delete("b", "k")
			return f()
		})
		if err == nil {
			t.Errorf("%s: the update gave no error", name)
		}
		view(t, s, func(tx state.Tx) {
			same(t, scan(tx, "b", "", "", false), []pair{{"k", "before"}})
			same(t, scan(tx, "other", "", "", false), []pair(nil))
		})
	}

	done := make(chan struct{})
	go func() { // as a test that calls FailNow inside f does
		defer close(done)
		s.Update(context.Background(), func(tx state.Tx) error {
			tx.Put("b", "k", []byte("after"))
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	update(t, s, func(tx state.Tx) {
		same(t, scan(tx, "b", "", "", false), []pair{{"k", "before"}})
	})

	corrupt := state.Table[struct{ N int }]{Name: "corrupt"}
	update(t, s, func(tx state.Tx) { tx.Put("corrupt", "k", []byte("{")) })
	for name, do := range map[string]func(context.Context, func(state.Tx) error) error{"update": s.Update, "view": s.View} {
		err := do(context.Background(), func(tx state.Tx) error { corrupt.Get(tx, "k"); return nil })
		if err == nil {
			t.Errorf("%s: reading a corrupt record gave no error", name)
		}
	}
}

// snapshot: a view doesn't see what is committed while it runs.
func snapshot(t *testing.T, s state.Store) {
	update(t, s, func(tx state.Tx) {
		for i := range 1000 {
			tx.Put("b", state.Number(int64(i)), []byte("old"))
		}
	})
	view(t, s, func(old state.Tx) {
		update(t, s, func(tx state.Tx) {
			for i := range 2000 {
				tx.Put("b", state.Number(int64(i)), []byte("new"))
			}
			tx.Delete("b", state.Number(7))
			tx.Put("c", "k", []byte("new"))
		})
		view(t, s, func(now state.Tx) {
			if got := len(scan(now, "b", "", "", false)); got != 1999 {
				t.Errorf("a view begun after the commit sees %d keys, want 1999", got)
			}
		})
		n := 0
		for k, v := range old.Scan("b", "", "", false) {
			if string(v) != "old" {
				t.Fatalf("%s is %q in a view begun before the commit", k, v)
			}
			n++
		}
		if _, ok := old.Get("c", "k"); ok || n != 1000 {
			t.Errorf("a view begun before the commit sees %d keys, want 1000, and c/k: %v", n, ok)
		}
	})
}

func misuse(t *testing.T, s state.Store) {
	ctx := context.Background()
	update(t, s, func(tx state.Tx) { tx.Put("b", "k", []byte("v")) })
	for name, f := range map[string]func(state.Tx){
		"put":    func(tx state.Tx) { tx.Put("b", "k", []byte("x")) },
		"delete": func(tx state.Tx) { tx.Delete("b", "k") },
	} {
		if err := s.View(ctx, func(tx state.Tx) error { f(tx); return nil }); err == nil {
			t.Errorf("%s in a view gave no error", name)
		}
		err := s.Update(ctx, func(tx state.Tx) error {
			for range tx.Scan("b", "", "", false) {
				tx.Put("other", "k", []byte("free")) // allowed
				f(tx)
			}
			return nil
		})
		if err == nil {
			t.Errorf("%s during a scan of the bucket gave no error", name)
		}
		err = s.Update(ctx, func(tx state.Tx) error {
			for range tx.Scan("b", "", "", false) {
				break
			}
			f(tx)
			return errWanted
		})
		if !errors.Is(err, errWanted) {
			t.Errorf("%s after a scan gave %v", name, err)
		}
	}
	for name, do := range map[string]func(context.Context, func(state.Tx) error) error{"update": s.Update, "view": s.View} {
		var kept state.Tx
		if err := do(ctx, func(tx state.Tx) error { kept = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		err := state.Run(kept, func(tx state.Tx) error { tx.Get("b", "k"); return nil })
		if err == nil {
			t.Errorf("%s: a transaction kept past its end could be read", name)
		}
	}
	view(t, s, func(tx state.Tx) {
		same(t, scan(tx, "b", "", "", false), []pair{{"k", "v"}})
		same(t, scan(tx, "other", "", "", false), []pair(nil))
	})
}

// ended: nothing runs for a caller who has already gone.
func ended(t *testing.T, s state.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, do := range map[string]func(context.Context, func(state.Tx) error) error{"update": s.Update, "view": s.View} {
		err := do(ctx, func(state.Tx) error { t.Errorf("%s: f ran", name); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s gave %v, want context.Canceled", name, err)
		}
	}
	// A caller who goes while waiting behind another one leaves nothing and holds up nobody.
	ctx, cancel = context.WithCancel(context.Background())
	gone := make(chan error)
	update(t, s, func(tx state.Tx) {
		started := make(chan struct{})
		go func() {
			close(started)
			gone <- s.Update(ctx, func(tx state.Tx) error { tx.Put("b", "k", nil); return nil })
		}()
		<-started
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("waiting update gave %v, want context.Canceled", err)
		}
	})
	update(t, s, func(tx state.Tx) { same(t, scan(tx, "b", "", "", false), []pair(nil)) })
}

// concurrency: no increment is lost, no reader sees half a transaction, a
// failing caller takes nobody along.
func concurrency(t *testing.T, s state.Store) {
	const writers, each = 8, 25
	feed := state.Log[int]{Name: "feed"}
	counter := state.Table[int]{Name: "counter"}
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				err := s.Update(context.Background(), func(tx state.Tx) error {
					n, _ := counter.Get(tx, "a")
					counter.Put(tx, "a", n+1)
					feed.Append(tx, w)
					if i%5 == 4 {
						return errWanted
					}
					counter.Put(tx, "b", n+1)
					return nil
				})
				if (i%5 == 4) != errors.Is(err, errWanted) || i%5 != 4 && err != nil {
					t.Errorf("update gave %v", err)
				}
			}
		})
	}
	for range 2 {
		reading.Go(func() {
			last := 0
			for {
				view(t, s, func(tx state.Tx) {
					a, _ := counter.Get(tx, "a")
					b, _ := counter.Get(tx, "b")
					if n := len(feed.After(tx, 0, 1<<30)); a != b || a < last || n != a {
						t.Errorf("a view sees a=%d b=%d feed=%d after a=%d", a, b, n, last)
					}
					last = a
				})
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	view(t, s, func(tx state.Tx) {
		if got, _ := counter.Get(tx, "a"); got != writers*each*4/5 {
			t.Errorf("counted %d, want %d", got, writers*each*4/5)
		}
	})
}
