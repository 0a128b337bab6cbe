package duckdb

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Read gives up to limit stored rows of a table in a home whose arrival
// follows after, in order of arrival, and the arrival of the last one (after
// itself when there is none). Its table has the columns as they are stored.
func (s *Store) Read(ctx context.Context, home tables.Home, table string, after int64, limit int) (*rows.Batch, int64, error) {
	n, err := s.snapshot(ctx, tables.View{})
	if err != nil {
		return nil, after, err
	}
	defer n.Close()
	r := n.layout[relationKey{home, table}]
	if r == nil {
		return rows.New(schema.NewTable(table, sideOf(home), nil), 0), after, nil
	}
	t := r.stored()
	result := schema.NewTable(table, t.Side, append([]schema.Column{{Name: tables.ArrivalColumn, Type: schema.Long}}, t.Columns...))
	in := tables.Range{After: after, UpTo: n.arrival}
	var selects []string
	for _, from := range n.places(r, in, false) {
		list := []string{tables.ArrivalColumn}
		for _, f := range r.fields {
			if f.ordinal < from.fields {
				list = append(list, f.column())
			} else {
				list = append(list, missing(f.typ))
			}
		}
		selects = append(selects, "SELECT "+strings.Join(list, ", ")+" FROM "+from.sql+" WHERE "+strings.Join(narrow(t, in), " AND "))
	}
	sql := strings.Join(selects, " UNION ALL ") + fmt.Sprintf(" ORDER BY 1 LIMIT %d", limit)
	found, err := n.c.read(ctx, sql, nil, result, tables.Limit{})
	if err != nil {
		return nil, after, fmt.Errorf("read %s after %d: %w", table, after, err)
	}
	b := found.Rows
	if b.N > 0 {
		after = b.Columns[0].Ints[b.N-1]
	}
	return &rows.Batch{Table: t, Columns: b.Columns[1:], N: b.N}, after, nil
}

func sideOf(home tables.Home) schema.Side {
	if home == tables.XDRHome {
		return schema.XDR
	}
	return schema.Workspace
}

// stored gives the relation as a table. Of columns that share a name only the
// newest keeps it; the others show their type in theirs.
func (r *relation) stored() *schema.Table {
	columns := make([]schema.Column, len(r.fields))
	taken := map[string]bool{}
	for i := len(r.fields) - 1; i >= 0; i-- {
		f := r.fields[i]
		columns[i] = schema.Column{Name: f.name, Type: f.typ}
		if taken[f.name] {
			columns[i].Name += "_" + f.typ.String()
		}
		taken[f.name] = true
	}
	t := schema.NewTable(r.name, sideOf(r.home), columns)
	t.Time = r.time
	if known, ok := schema.Default().Table(t.Side, r.name); ok {
		t.Key = known.Key
	}
	return t
}

// Stats counts what a view shows, table by table, in order of name. Tables
// without visible rows are left out.
func (s *Store) Stats(ctx context.Context, view tables.View) ([]tables.Stat, error) {
	n, err := s.snapshot(ctx, view)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	names := map[string]bool{}
	for key := range n.layout {
		names[key.name] = true
	}
	var out []tables.Stat
	for name := range names {
		stat := tables.Stat{Table: name}
		for _, part := range n.shows(view, name) {
			for _, from := range n.places(part.relation, tables.Range{}, false) {
				found, err := n.c.all(ctx, "SELECT count(*), max(_event), max(_received), CAST(coalesce(sum(_size), 0) AS BIGINT) FROM "+from.sql+" WHERE "+part.where)
				if err != nil {
					return nil, fmt.Errorf("count %s: %w", name, err)
				}
				f := found[0]
				if f[0].(int64) == 0 {
					continue
				}
				stat.Rows += f[0].(int64)
				stat.Newest = max(stat.Newest, schema.Ticks(f[1].(int64)))
				stat.Received = max(stat.Received, schema.Ticks(f[2].(int64)))
				stat.Bytes += f[3].(int64)
			}
		}
		if stat.Rows > 0 {
			out = append(out, stat)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Table < out[j].Table })
	return out, nil
}
