package duckdb_test

import (
	"context"
	"fmt"
	"testing"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
	"lockstep/tables/duckdb"
	"lockstep/tables/tablestest"
)

// BenchmarkIngest measures JSON → durable rows at the width of
// DeviceProcessEvents (about 4 KB of JSON a row) in messages of 1 MB, one
// goroutine decoding while another appends some messages at a time.
func BenchmarkIngest(b *testing.B) {
	var messages [][]byte
	for i := range 40 {
		messages = append(messages, tablestest.ProcessEvents(int64(i), 250))
	}
	for _, together := range []int{8, 40, 480} {
		b.Run(fmt.Sprint(together*250), func(b *testing.B) {
			s := open(b, b.TempDir(), duckdb.Options{})
			b.SetBytes(int64(len(messages[0]) * together))
			b.ResetTimer()
			decoded := make(chan []*rows.Batch, 1)
			go func() {
				defer close(decoded)
				d := rows.NewDecoder(stored)
				for range b.N {
					var all []*rows.Batch
					for i := range together {
						batches, _ := d.Records(messages[i%len(messages)])
						all = append(all, batches...)
					}
					decoded <- all
				}
			}()
			n := 0
			for batches := range decoded {
				r, err := s.Append(context.Background(), tables.Append{Home: tables.XDRHome, Batches: batches,
					Positions: []tables.Position{{Reader: "bench", Value: int64(n + 1)}}})
				if err != nil {
					b.Fatal(err)
				}
				n += r.Accepted
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func stored(name string) (*schema.Table, bool) {
	t, ok := schema.Default().Table(schema.XDR, name)
	if !ok {
		return nil, false
	}
	return rows.Stored(t), true
}

func open(tb testing.TB, dir string, o duckdb.Options) *duckdb.Store {
	tb.Helper()
	if o.Clock == nil {
		o.Clock = func() schema.Ticks { return tablestest.Now }
	}
	if o.Functions == nil {
		o.Functions = []duckdb.Function{} // those of KQL take longer than most tests
	}
	s, err := duckdb.Open(dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// BenchmarkOpen measures how long a store with KQL's functions takes to open.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		s, err := duckdb.Open(dir, duckdb.Options{Clock: func() schema.Ticks { return tablestest.Now }})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
