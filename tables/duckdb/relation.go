package duckdb

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Relation gives the SELECT of a table as the view shows it. Its values are
// all ours (numbers, ids, names quoted), so it takes no parameters.
func (n *snapshot) Relation(t *schema.Table, columns []string, in tables.Range) (string, []any, error) {
	wanted, err := resolve(t, columns)
	if err != nil {
		return "", nil, err
	}
	if name, ok := n.loaded[t]; ok {
		return loadedRelation(name, t, wanted, columns), nil, nil
	}
	var selects []string
	for _, view := range n.views(in.Workspace) {
		selects = append(selects, view.selects(t, wanted, columns, in)...)
	}
	if len(selects) == 0 {
		selects = []string{nothing(wanted, columns)}
	}
	return "(" + strings.Join(selects, " UNION ALL ") + ")", nil, nil
}

// views gives the snapshot as each single workspace shows it, or the XDR. workspace
// is another one than the snapshot's; "" for its own and those that it shows too.
func (n *snapshot) views(workspace string) []*snapshot {
	ids := []string{workspace}
	if workspace == "" {
		ids = append([]string{n.view.Workspace}, n.view.Further...)
	}
	out := make([]*snapshot, len(ids))
	for i, id := range ids {
		one := *n
		one.view = tables.View{Side: n.view.Side, Workspace: id, Now: n.view.Now}
		if workspace != "" {
			one.view.Side = schema.Workspace
		}
		out[i] = &one
	}
	return out
}

// selects reads a table of a single workspace's view, or of the XDR's.
func (n *snapshot) selects(t *schema.Table, wanted []schema.Column, columns []string, in tables.Range) (out []string) {
	parts := n.parts(t)
	for _, part := range parts {
		row := tables.ArrivalColumn
		if len(parts) == 1 && len(n.segments[part.id]) == 0 { // one table of the engine, which numbers its rows without reading any
			row = "rowid"
		}
		where := append([]string{part.where}, narrow(t, in)...)
		for _, from := range n.places(part.relation, in, t.Time != "") {
			list := make([]string, len(wanted))
			for i, c := range wanted {
				value := row
				if !c.Hidden || c.Name != tables.RowColumn {
					value = n.expression(part.relation, from, t, c)
				}
				list[i] = value + " AS " + ident(columns[i])
			}
			if len(list) == 0 {
				list = []string{"1"}
			}
			out = append(out, "SELECT "+strings.Join(list, ", ")+" FROM "+from.sql+" WHERE "+strings.Join(where, " AND "))
		}
	}
	return out
}

// resolve finds the columns asked for, with the types of the view.
func resolve(t *schema.Table, columns []string) ([]schema.Column, error) {
	out := make([]schema.Column, len(columns))
	for i, name := range columns {
		if j := slices.IndexFunc(tables.HiddenColumns(), func(c schema.Column) bool { return c.Name == name }); j >= 0 {
			out[i] = tables.HiddenColumns()[j]
			continue
		}
		c, ok := t.Column(name)
		if !ok {
			return nil, fault.New(fault.Invalid, "table %s has no column %q", t.Name, name)
		}
		out[i] = c
	}
	return out, nil
}

// nothing selects no rows.
func nothing(wanted []schema.Column, names []string) string {
	list := make([]string, len(wanted))
	for i, c := range wanted {
		list[i] = missing(c.Type) + " AS " + ident(names[i])
	}
	if len(list) == 0 {
		list = []string{"1"}
	}
	return "SELECT " + strings.Join(list, ", ") + " WHERE false"
}

// visible is a relation, as far as a view shows it.
type visible struct {
	*relation
	where string
}

// parts gives the relations that a table of the view is made of, each with the
// condition under which its rows are seen: retention, and for a workspace that
// reads the XDR's rows its grants.
func (n *snapshot) parts(t *schema.Table) []visible {
	return n.shows(n.view, t.Name)
}

// kept is the condition of retention. Where all rows are younger it is none: to
// look at each row's time costs a quarter of what a quick query does.
//
// The relation's oldest time is read within the transaction, and rows are
// stored after it was lowered: no row that the snapshot sees is older.
func (n *snapshot) kept(r *relation, days int) string {
	if after := n.view.Now - schema.Ticks(days)*schema.Day; len(n.segments[r.id]) > 0 || schema.Ticks(r.oldest.Load()) < after {
		return since(n.view.Now, days)
	}
	return "true"
}

// shows gives the relations that a table of a view is made of.
func (n *snapshot) shows(view tables.View, table string) []visible {
	shared := n.layout[relationKey{tables.XDRHome, table}]
	if view.Side == schema.XDR {
		if shared == nil {
			return nil
		}
		return []visible{{shared, n.kept(shared, n.retention.XDRDays)}}
	}
	keep := days(n.retention, view.Workspace, table)
	var out []visible
	if grants := n.grants[view.Workspace][table]; shared != nil && len(grants) > 0 {
		out = append(out, visible{shared, n.kept(shared, keep) + " AND " + granted(grants)})
	}
	if own := n.layout[relationKey{tables.Home(view.Workspace), table}]; own != nil {
		out = append(out, visible{own, n.kept(own, keep)})
	}
	return out
}

func since(now schema.Ticks, days int) string {
	return fmt.Sprintf("%s >= %d", tables.EventColumn, now-schema.Ticks(days)*schema.Day)
}

func granted(grants []tables.Grant) string {
	out := make([]string, len(grants))
	for i, g := range grants {
		out[i] = fmt.Sprintf("%s > %d", tables.ArrivalColumn, g.From)
		if g.Until != 0 {
			out[i] = fmt.Sprintf("(%s AND %s <= %d)", out[i], tables.ArrivalColumn, g.To)
		}
	}
	return "(" + strings.Join(out, " OR ") + ")"
}

// narrow turns a range into conditions.
func narrow(t *schema.Table, in tables.Range) (out []string) {
	if t.Time != "" && in.From != 0 {
		out = append(out, fmt.Sprintf("%s >= %d", tables.EventColumn, in.From))
	}
	if t.Time != "" && in.To != 0 {
		out = append(out, fmt.Sprintf("%s < %d", tables.EventColumn, in.To))
	}
	if in.After != 0 {
		out = append(out, fmt.Sprintf("%s > %d", tables.ArrivalColumn, in.After))
	}
	if in.UpTo != 0 {
		out = append(out, fmt.Sprintf("%s <= %d", tables.ArrivalColumn, in.UpTo))
	}
	return out
}

// place is where rows of a relation lie: the hot table, or segments that have
// the same columns.
type place struct {
	sql    string
	fields int // how many of the relation's fields it has
}

// places lists hot rows first, then segments, newest first: so that "the newest
// N rows" are found without reading all. Segments out of range aren't listed.
func (n *snapshot) places(r *relation, in tables.Range, timed bool) []place {
	out := []place{{r.table(), len(r.fields)}}
	var files []string
	fields := 0
	flush := func() {
		if len(files) > 0 {
			out = append(out, place{"read_parquet([" + strings.Join(files, ", ") + "])", fields})
			files = nil
		}
	}
	for _, s := range n.segments[r.id] {
		if timed && (in.From != 0 && s.toEvent < int64(in.From) || in.To != 0 && s.fromEvent >= int64(in.To)) ||
			in.After != 0 && s.toArrival <= in.After || in.UpTo != 0 && s.fromArrival > in.UpTo {
			continue
		}
		if s.fields != fields {
			flush()
			fields = s.fields
		}
		files = append(files, quote(filepath.Join(n.store.folder, segmentsName, s.file)))
	}
	flush()
	return out
}

// expression gives a column of the view over a place of a relation.
func (n *snapshot) expression(r *relation, from place, t *schema.Table, c schema.Column) string {
	if c.Hidden && slices.Contains(hidden, c.Name) {
		return c.Name
	}
	if rows.Computed(t, c.Name) {
		return n.computed(t, c)
	}
	f, ok := r.source(c.Name, c.Type)
	if !ok || f.ordinal >= from.fields {
		if t.Side == schema.Workspace && c.Name == "SourceSystem" && r.home == tables.XDRHome {
			return quote(sourceSystem)
		}
		return missing(c.Type)
	}
	value := convert(f.column(), f.typ, c.Type)
	switch streamed := t.Side == schema.Workspace && r.home == tables.XDRHome; {
	case c.Type == schema.DateTime && f.name != r.time && slices.Contains(timeTwins, c.Name):
		// A table with both time columns and a record with one of them: each stands for the other.
		if at, ok := r.source(r.time, schema.DateTime); ok && at.typ == schema.DateTime && at.ordinal < from.fields {
			value = "COALESCE(" + value + ", " + at.column() + ")"
		}
	case streamed && c.Name == "SourceSystem":
		value = "COALESCE(NULLIF(" + value + ", ''), " + quote(sourceSystem) + ")"
	}
	return value
}

// timeTwins are the two names of a row's time. Source: facts 9.3.
var timeTwins = []string{"Timestamp", "TimeGenerated"}

// sourceSystem is what workspace copies of streamed rows name as their source.
const sourceSystem = "Microsoft Defender XDR"

// computed gives the columns that the server derives. Source: facts 9.3, 9.6.
func (n *snapshot) computed(t *schema.Table, c schema.Column) string {
	free := schema.Default().Free(t.Name)
	switch c.Name {
	case "TenantId":
		return quote(n.view.Workspace)
	case "Type":
		return quote(t.Name)
	case "_TimeReceived":
		return tables.ReceivedColumn
	case "_ItemId":
		return "CAST(" + tables.ArrivalColumn + " AS VARCHAR)"
	case "_BilledSize":
		return "CAST(" + sizeColumn + " AS DOUBLE)"
	case "_IsBillable":
		if free {
			return "'false'"
		}
		return "'true'"
	}
	return missing(c.Type)
}
