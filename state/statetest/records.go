package statetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/state"
)

// record is something with keys that an attacker may choose.
type record struct {
	Status string
	Tags   []string
}

// table: indexes agree with the records after any history, whatever the bytes
// of keys and index keys.
func table(t *testing.T, s state.Store) {
	run := 0
	part := rapid.SampledFrom([]string{"", "a", "b", "a\x00", "\x00", "\x01", "\x02", "\x01\x01", "\x01\x02", "a\x01", "ab", "\uFFFD", "é", "\x7f"})
	rapid.Check(t, func(t *rapid.T) {
		run++
		tab := state.Table[record]{Name: fmt.Sprintf("t%d", run), Indexes: []state.Index[record]{
			{Name: "status", Keys: func(r record) []string { return []string{state.Join(r.Status, "x")} }},
			{Name: "tag", Keys: func(r record) []string {
				var out []string
				for _, tag := range r.Tags {
					out = append(out, state.Join(tag))
				}
				return out
			}},
		}}
		want := map[string]record{}
		for range rapid.IntRange(1, 5).Draw(t, "updates") {
			update(t, s, func(tx state.Tx) {
				for range rapid.IntRange(1, 6).Draw(t, "writes") {
					key := state.Join(rapid.SliceOfN(part, 1, 2).Draw(t, "key")...)
					if rapid.IntRange(0, 3).Draw(t, "remove") == 0 {
						tab.Delete(tx, key)
						delete(want, key)
						continue
					}
					r := record{Status: part.Draw(t, "status"), Tags: rapid.SliceOfNDistinct(part, 0, 2, clean).Draw(t, "tags")}
					tab.Put(tx, key, r)
					want[key] = r
				}
			})
			status, tag := part.Draw(t, "status"), part.Draw(t, "tag")
			view(t, s, func(tx state.Tx) { agree(t, tx, tab, want, status, tag) })
		}
	})
}

// agree compares what the table and its indexes give with plain records.
func agree(t *rapid.T, tx state.Tx, tab state.Table[record], want map[string]record, status, tag string) {
	var byStatus, byTag []string
	for key, r := range want {
		if clean(r.Status) == clean(status) {
			byStatus = append(byStatus, key)
		}
		if slices.ContainsFunc(r.Tags, func(g string) bool { return clean(g) == clean(tag) }) {
			byTag = append(byTag, key)
		}
	}
	slices.Sort(byStatus)
	slices.Sort(byTag)
	same(t, slices.Collect(tab.Keys(tx, "status", state.Prefix(status))), byStatus)
	var backwards []string
	for key, r := range tab.By(tx, "tag", state.Prefix(tag).Backwards()) {
		backwards = append(backwards, key)
		same(t, fmt.Sprintf("%q", r), fmt.Sprintf("%q", want[key]))
	}
	slices.Reverse(backwards)
	same(t, backwards, byTag)
	n := 0
	for key, r := range tab.Scan(tx, state.All()) {
		n++
		same(t, fmt.Sprintf("%q", r), fmt.Sprintf("%q", want[key]))
	}
	same(t, n, len(want))
}

// clean is what Join makes of a part, so that parts it can't tell apart count as one.
func clean(part string) string { return strings.ReplaceAll(part, "\x00", "\uFFFD") }

// log: numbers count from 1 without a gap, also over failed appends and after
// Forget, and any position a client may send is answered.
func log(t *testing.T, s state.Store) {
	feed := state.Log[string]{Name: "log"}
	for i := range 20 {
		_ = s.Update(t.Context(), func(tx state.Tx) error {
			feed.Append(tx, fmt.Sprint("lost ", i))
			return errWanted
		})
		update(t, s, func(tx state.Tx) {
			for j := range 2 {
				if n := feed.Append(tx, fmt.Sprint(i, j)); n != int64(2*i+j+1) {
					t.Fatalf("append gave %d, want %d", n, 2*i+j+1)
				}
			}
		})
	}
	numbers := func(tx state.Tx, seq int64, limit int) []int64 {
		var out []int64
		for _, e := range feed.After(tx, seq, limit) {
			out = append(out, e.Seq)
		}
		return out
	}
	view(t, s, func(tx state.Tx) {
		same(t, numbers(tx, 0, 3), []int64{1, 2, 3})
		same(t, numbers(tx, 38, 100), []int64{39, 40})
		same(t, numbers(tx, math.MinInt64, 1), []int64{1})
		same(t, len(numbers(tx, -1, 100)), 40)
		for _, at := range []int64{40, 41, math.MaxInt64 - 1, math.MaxInt64} {
			same(t, numbers(tx, at, 100), []int64(nil))
		}
		same(t, numbers(tx, 0, 0), []int64(nil))
		same(t, feed.After(tx, 39, 1), []state.Entry[string]{{Seq: 40, Record: "19 1"}})
	})
	update(t, s, func(tx state.Tx) { feed.Forget(tx, -5); feed.Forget(tx, 38) })
	view(t, s, func(tx state.Tx) { same(t, numbers(tx, 0, 100), []int64{39, 40}) })
	update(t, s, func(tx state.Tx) {
		feed.Forget(tx, math.MaxInt64)
		same(t, feed.Last(tx), int64(40))
		same(t, feed.Append(tx, "next"), int64(41))
	})
}
