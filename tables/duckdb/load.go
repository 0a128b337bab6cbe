package duckdb

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Load puts rows from outside into a temporary table of the snapshot's
// transaction, which ends with it.
func (n *snapshot) Load(ctx context.Context, b *rows.Batch) (err error) {
	name := "loaded" + strconv.Itoa(len(n.loaded))
	columns := make([]string, len(b.Columns), len(b.Columns)+1)
	sources := make([]source, len(b.Columns), len(b.Columns)+1)
	for i := range b.Columns {
		columns[i] = loadedColumn(i) + " " + physical(b.Columns[i].Type)
		sources[i] = source{column: &b.Columns[i]}
	}
	if len(columns) == 0 { // an engine's table has a column
		columns, sources = append(columns, "none BIGINT"), append(sources, source{})
	}
	if _, err := n.c.exec(ctx, "CREATE TEMP TABLE "+name+" ("+strings.Join(columns, ", ")+")"); err != nil {
		return fmt.Errorf("load rows of %s: %w", b.Table.Name, err)
	}
	a, err := n.c.appenderIn("temp", name)
	if err != nil {
		return fmt.Errorf("load rows of %s: %w", b.Table.Name, err)
	}
	if err := a.append(sources, b.N); err != nil {
		a.free()
		return fmt.Errorf("load rows of %s: %w", b.Table.Name, err)
	}
	if err := a.close(); err != nil {
		return fmt.Errorf("load rows of %s: %w", b.Table.Name, err)
	}
	if n.loaded == nil {
		n.loaded = map[*schema.Table]string{}
	}
	n.loaded[b.Table] = "temp." + name
	return nil
}

func loadedColumn(i int) string { return "v" + strconv.Itoa(i) }

// loadedRelation selects columns of loaded rows. Of the hidden columns
// of stored rows they have an arrival and a row, both the number of the row.
func loadedRelation(name string, t *schema.Table, wanted []schema.Column, columns []string) string {
	list := make([]string, len(wanted))
	for i, c := range wanted {
		list[i] = missing(c.Type)
		if c.Hidden && (c.Name == tables.ArrivalColumn || c.Name == tables.RowColumn) { // tells rows apart
			list[i] = "rowid"
		}
		for j := range t.Columns {
			if t.Columns[j].Name == c.Name {
				list[i] = loadedColumn(j)
			}
		}
		list[i] += " AS " + ident(columns[i])
	}
	if len(list) == 0 {
		list = []string{"1"}
	}
	return "(SELECT " + strings.Join(list, ", ") + " FROM " + name + ")"
}
