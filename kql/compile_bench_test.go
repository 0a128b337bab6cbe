package kql_test

import (
	"testing"

	"lockstep/kql"
)

// BenchmarkCompile compiles the queries of testdata, one after the other: the
// figure is for all of them together.
func BenchmarkCompile(b *testing.B) {
	data, err := seeds()
	if err != nil {
		b.Fatal(err)
	}
	var queries []string
	for i, f := range parseArchive(data) {
		if i%2 == 0 {
			queries = append(queries, f.Data)
		}
	}
	env := environment()
	env.RowID = "_arrival"
	b.ReportAllocs()
	for b.Loop() {
		for _, q := range queries {
			if p, diags := kql.Compile(q, env); p == nil {
				b.Fatalf("%s\n%v", q, diags)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(queries)), "µs/query")
}
