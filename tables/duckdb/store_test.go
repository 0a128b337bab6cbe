package duckdb_test

import (
	"testing"

	"lockstep/schema"
	"lockstep/tables/duckdb"
	"lockstep/tables/tablestest"
)

func TestSuite(t *testing.T) {
	tablestest.Run(t, func(t testing.TB, folder string, clock func() schema.Ticks, sealAfter schema.Ticks) tablestest.Engine {
		return open(t, folder, duckdb.Options{Clock: clock, SealAfter: sealAfter})
	})
}
