package connector_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/sqlite"
	"lockstep/xdr"
)

// BenchmarkEdit measures one edit of the XDR on disk until it is in the
// workspace, without the edit itself.
func BenchmarkEdit(b *testing.B) {
	w := onDisk(b)
	ids := make([]string, 50)
	for n := range ids {
		ids[n] = w.ingest(security.Low, "h"+strconv.Itoa(n))
	}
	w.settle()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		w.now += schema.Second
		if err := w.patch(ids[n%len(ids)], xdr.Patch{AssignedTo: ptr("u" + strconv.Itoa(n))}, ann); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		w.settle()
	}
}

// BenchmarkBurst measures a thousand new incidents on disk until all are in the workspace.
func BenchmarkBurst(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := onDisk(b)
		for n := range 1000 {
			w.ingest(security.Low, "h"+strconv.Itoa(n))
		}
		b.StartTimer()
		w.settle()
	}
}

func onDisk(b *testing.B) *world {
	open := func(name string) *sqlite.Store {
		s, err := sqlite.Open(filepath.Join(b.TempDir(), name))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		return s
	}
	store := open("state.db")
	w := newWorldOn(b, store, store)
	w.connect()
	w.settle()
	return w
}
