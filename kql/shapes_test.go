package kql_test

import (
	"testing"

	"lockstep/kql"
	"lockstep/schema"
)

// TestShapes: what is remembered of a wildcard's columns is not what an older
// catalogue had.
func TestShapes(t *testing.T) {
	var shapes kql.Shapes
	env := kql.Environment{Shapes: &shapes, TableNames: func() []string { return []string{"E1", "E2"} }}
	tables := map[string]*schema.Table{}
	env.Tables = func(n string) (*schema.Table, bool) { x, ok := tables[n]; return x, ok }
	for i, columns := range [][]schema.Column{
		{{Name: "A", Type: schema.String}}, {{Name: "A", Type: schema.String}, {Name: "B", Type: schema.Long}}, {{Name: "A", Type: schema.Long}},
	} {
		for _, n := range []string{"E1", "E2"} {
			tables[n] = schema.NewTable(n, schema.XDR, columns)
		}
		p, diags := kql.Compile("union E*", env)
		if p == nil {
			t.Fatal(diags)
		}
		if len(p.Columns) != len(columns) || p.Columns[0].Type != columns[0].Type {
			t.Errorf("catalogue %d: the union has columns %v, its tables %v", i, p.Columns, columns)
		}
	}
}
