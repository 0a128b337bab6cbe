package query_test

import (
	"context"
	"testing"

	"lockstep/query"
	"lockstep/schema"
	"lockstep/tables/duckdb"
	"lockstep/tables/tablestest"
)

// TestPlaces: the place of an address comes from the operator's database, and
// a warning says when there is none.
func TestPlaces(t *testing.T) {
	lookup := func(address string) string {
		if address == "81.2.69.7" {
			return `{"country":"Norway"}`
		}
		return ""
	}
	const text = "print a = tostring(geo_info_from_ip_address('81.2.69.7').country), b = isnull(geo_info_from_ip_address('x'))"
	for functions, want := range map[bool]string{true: "Norway|true", false: "|true"} {
		clock := func() schema.Ticks { return tablestest.Now }
		o := duckdb.Options{Clock: clock}
		if functions {
			o.Functions = duckdb.GeoInfo(duckdb.KQL(), lookup)
		}
		store, err := duckdb.Open(t.TempDir(), o)
		if err != nil {
			t.Fatal(err)
		}
		s := query.New(query.Options{Tables: store, Clock: clock, Places: functions})
		r, err := s.Run(context.Background(), query.Query{Text: text, Side: schema.XDR})
		if err != nil || printed(r) != want || (len(r.Warnings) == 0) != functions {
			t.Errorf("with a database: %v: %v %v", functions, r, err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}
