package duckdb_test

import (
	"context"
	"fmt"
	"sync/atomic"
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

// BenchmarkSmallAppends measures appends of one row with a key, as clients
// send them, one by one and sixteen at a time.
func BenchmarkSmallAppends(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := open(b, b.TempDir(), duckdb.Options{})
			batches, _ := rows.NewDecoder(stored).Records([]byte(`{"category":"AdvancedHunting-DeviceEvents","properties":{"DeviceName":"pc"}}`))
			var n atomic.Int64
			b.SetParallelism(writers)
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := s.Append(context.Background(), tables.Append{Home: tables.XDRHome, Batches: batches, Key: fmt.Sprint(n.Add(1))}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkSnapshot measures what every query pays: a snapshot, one relation,
// one row.
func BenchmarkSnapshot(b *testing.B) {
	s := open(b, b.TempDir(), duckdb.Options{})
	batches, _ := rows.NewDecoder(stored).Records(tablestest.ProcessEvents(1, 250))
	if _, err := s.Append(context.Background(), tables.Append{Home: tables.XDRHome, Batches: batches}); err != nil {
		b.Fatal(err)
	}
	table, _ := schema.Default().Table(schema.XDR, "DeviceProcessEvents")
	for b.Loop() {
		n, err := s.Snapshot(context.Background(), tables.View{Side: schema.XDR, Now: tablestest.Now})
		if err != nil {
			b.Fatal(err)
		}
		sql, args, err := n.Relation(table, []string{"DeviceName"}, tables.Range{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := n.Query(context.Background(), "SELECT min(\"DeviceName\") FROM "+sql+" AS r", args, one, tables.Limit{}); err != nil {
			b.Fatal(err)
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
