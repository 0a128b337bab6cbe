package state_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/state"
)

// Keys that are joined sort by their parts, and a prefix holds just the keys
// that begin with its parts.
func TestKeys(t *testing.T) {
	part := rapid.OneOf(rapid.StringN(0, 3, 6), rapid.SampledFrom([]string{"", "a", "\x01", "a\x01", "\xff", "é"}))
	parts := rapid.SliceOfN(part, 1, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		for _, one := range [][]string{a, b} {
			for i, p := range one {
				one[i] = strings.ReplaceAll(p, "\x00", "")
			}
			if got := state.Split(state.Join(one...)); !slices.Equal(got, one) {
				t.Fatalf("%q came back as %q", one, got)
			}
		}
		if got, want := strings.Compare(state.Join(a...), state.Join(b...)), slices.Compare(a, b); got != want {
			t.Fatalf("%q and %q compare as %d, their parts as %d", a, b, got, want)
		}
		r, key := state.Prefix(a...), state.Join(b...)
		inside := key >= r.From && (r.To == "" || key < r.To)
		if want := len(b) > len(a) && slices.Equal(b[:len(a)], a); inside != want {
			t.Fatalf("%q under prefix %q: %v, want %v", b, a, inside, want)
		}
	})
	if state.Prefix() != state.All() {
		t.Error("no prefix isn't all")
	}
	if got := state.Join("a\x00b", "c"); len(state.Split(got)) != 2 {
		t.Errorf("a zero byte parts a key: %q", got)
	}
}

func TestNumber(t *testing.T) {
	last := ""
	for _, n := range []int64{0, 1, 9, 10, 1 << 40, 1<<63 - 1} {
		key := state.Number(n)
		if key <= last || len(key) != 19 {
			t.Errorf("%d is %q after %q", n, key, last)
		}
		last = key
	}
	if err := state.Run(nil, func(state.Tx) error { state.Number(-1); return nil }); err == nil {
		t.Error("a negative number became a key")
	}
}

func TestRun(t *testing.T) {
	wanted := errors.New("wanted")
	for name, f := range map[string]func(state.Tx) error{
		"error": func(state.Tx) error { return wanted }, "panic": func(state.Tx) error { panic(wanted) },
	} {
		if err := state.Run(nil, f); !errors.Is(err, wanted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := state.Run(nil, func(state.Tx) error { var m map[string]int; m["x"] = 1; return nil })
	if err == nil || !strings.Contains(err.Error(), "state_test.go") {
		t.Errorf("a defect doesn't say where it is: %v", err)
	}
}
