package query

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/fault"
	"lockstep/kql"
	"lockstep/schema"
	"lockstep/tables"
)

// names is what a query's names mean to its principal.
type names struct {
	q         Query
	catalog   *schema.Catalog
	custom    map[string]Relation
	functions map[string]Function
	filled    []string // tables of the view that have rows
	allow     func(table string) error
	denied    error // the first refusal of a table that the text names
	elsewhere *elsewhere

	watchlists map[string]Relation // by alias in lower case
	outside    *outside
	places     bool
	shapes     *kql.Shapes
}

func (s *Service) names(ctx context.Context, q Query, snapshot tables.Snapshot) (*names, error) {
	n := &names{q: q, catalog: schema.Default(), filled: snapshot.Tables(), outside: newOutside(s.external), places: s.o.Places, shapes: &s.shapes,
		elsewhere: &elsewhere{ctx: ctx, o: &s.o, q: q, tables: map[string]foreign{}},
		allow:     func(table string) error { return s.allow(ctx, q, table) }}
	if s.o.Custom == nil {
		return n, nil
	}
	var err error
	if n.custom, err = s.o.Custom.Tables(ctx, q.Side, q.Workspace); err != nil {
		return nil, fmt.Errorf("find custom tables: %w", err)
	}
	if n.functions, err = s.o.Custom.Functions(ctx, q.Side, q.Workspace); err != nil {
		return nil, fmt.Errorf("find saved functions: %w", err)
	}
	if n.watchlists, err = s.o.Custom.Watchlists(ctx, q.Side, q.Workspace); err != nil {
		return nil, fmt.Errorf("find watchlists: %w", err)
	}
	return n, nil
}

func (n *names) environment(now schema.Ticks) Environment {
	rowID := tables.RowColumn
	if len(n.q.Further) > 0 { // a streamed row shows once in each workspace
		rowID = ""
	}
	return Environment{Elsewhere: n.foreign, RowID: rowID, Tables: n.table, TableNames: n.all, Functions: n.functions, Watchlists: n.watchlist, WatchlistNames: n.watchlistNames, External: n.outside.external,
		Shapes: n.shapes, Places: n.places, Now: now, From: n.q.From, To: n.q.To}
}

// table finds a table that the text names.
func (n *names) table(name string) (*schema.Table, bool) {
	t, ok := n.find(name)
	if !ok {
		return nil, false
	}
	if own, ok := n.custom[name]; ok && own.Rows != nil {
		if len(n.q.Further) > 0 {
			n.deny(fault.New(fault.Invalid, "%s can be read of one workspace at a time", name))
		}
		n.outside.add(own)
	}
	return t, n.permitted(t.Name)
}

// permitted tells whether the principal may read a table that the text names;
// a refusal is the query's.
func (n *names) permitted(table string) bool {
	err := n.allow(table)
	if err != nil {
		n.deny(fault.New(fault.Denied, "read table %s: %w", table, err))
	}
	return err == nil
}

// deny notes why the query can't be run, the first reason of several.
func (n *names) deny(err error) {
	if n.denied == nil {
		n.denied = err
	}
}

// relation finds what a scan of the program reads.
func (n *names) relation(name string) (*schema.Table, bool) {
	if given, ok := n.outside.relations[name]; ok {
		return given.Table, true
	}
	t, ok := n.find(name)
	if !ok {
		return nil, false
	}
	return withStandard(t), true
}

// find looks in turn among custom tables, the side's own, and those that
// queries name although they have no rows here.
func (n *names) find(name string) (*schema.Table, bool) {
	if own, ok := n.custom[name]; ok {
		return own.Table, true
	}
	return stored(n.catalog, n.q.Side, name)
}

// stored finds a table of the published schema.
func stored(catalog *schema.Catalog, side schema.Side, name string) (*schema.Table, bool) {
	if t, ok := catalog.Table(side, name); ok {
		return t, true
	}
	if side != schema.Workspace {
		return nil, false
	}
	if t, ok := catalog.Fallback(name); ok {
		return t, true
	}
	if t, ok := catalog.Table(schema.XDR, name); ok {
		return asWorkspace(t), true
	}
	return nil, false
}

// asWorkspace shows a hunting table that isn't streamed as its workspace copy
// would look, so that queries over it mean something and find nothing.
func asWorkspace(t *schema.Table) *schema.Table {
	columns := slices.Clone(t.Columns)
	if _, ok := t.Column("TimeGenerated"); !ok || !hasColumn(columns, "TimeGenerated") {
		columns = append(columns, schema.Column{Name: "TimeGenerated", Type: schema.DateTime})
	}
	for _, c := range []schema.Column{{Name: "TenantId", Type: schema.String}, {Name: "Type", Type: schema.String}, {Name: "SourceSystem", Type: schema.String}} {
		if !hasColumn(columns, c.Name) {
			columns = append(columns, c)
		}
	}
	return schema.NewTable(t.Name, schema.Workspace, columns)
}

func hasColumn(columns []schema.Column, name string) bool {
	return slices.ContainsFunc(columns, func(c schema.Column) bool { return strings.EqualFold(c.Name, name) })
}

// all names the tables that a wildcard means: those with rows that the
// principal may read.
func (n *names) all() []string {
	var out []string
	names := slices.Clone(n.filled)
	for name := range n.custom {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if _, ok := n.find(name); ok && n.allow(name) == nil {
			out = append(out, name)
		}
	}
	return out
}
