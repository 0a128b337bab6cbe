package query

import (
	"context"
	"fmt"
	"strings"

	"lockstep/fault"
	"lockstep/kql"
	"lockstep/schema"
	"lockstep/tables"
)

// elsewhere knows the tables that a text names with their place.
type elsewhere struct {
	ctx    context.Context
	o      *Options
	q      Query
	tables map[string]foreign // by the name under which the program scans them
}

// foreign is a table of another workspace of this server.
type foreign struct {
	*schema.Table
	workspace string
	as        *schema.Table // under the name of the scan
}

// view is what a query's snapshot shows.
func (q Query) view(now schema.Ticks) tables.View {
	return tables.View{Side: q.Side, Workspace: q.Workspace, Further: q.Further, Now: now}
}

// allow asks for a table of every workspace that the query reads.
func (s *Service) allow(ctx context.Context, q Query, table string) error {
	for _, workspace := range append([]string{q.Workspace}, q.Further...) {
		if err := s.o.Allow(ctx, q.Principal, q.Side, workspace, table); err != nil {
			return err
		}
	}
	return nil
}

// foreign finds workspace('x').T. The query's own workspace by any of its names
// is as if it weren't named; of another the principal must be allowed to read T.
func (n *names) foreign(p kql.Place, table string) (*schema.Table, string) {
	e := n.elsewhere
	if !strings.EqualFold(p.Kind, "workspace") || e.o.Workspaces == nil {
		return nil, "this server knows no such place"
	}
	id, err := e.o.Workspaces(e.ctx, p.Name)
	if fault.Is(err, fault.NotFound) {
		return nil, "no workspace of this server has that name"
	}
	if err != nil {
		n.deny(fmt.Errorf("find workspace %s: %w", p.Name, err))
		return nil, "it could not be looked for"
	}
	if id == n.q.Workspace && len(n.q.Further) == 0 {
		t, _ := n.table(table)
		return t, ""
	}
	if err := e.o.Allow(e.ctx, n.q.Principal, schema.Workspace, id, table); err != nil {
		n.deny(fault.New(fault.Denied, "read table %s of %s: %w", table, p, err))
		return nil, "you may not read it"
	}
	if e.o.Custom != nil {
		theirs, err := e.o.Custom.Tables(e.ctx, schema.Workspace, id)
		if err != nil {
			n.deny(fmt.Errorf("find custom tables of %s: %w", p, err))
			return nil, "its tables could not be looked for"
		}
		if own, ok := theirs[table]; ok && own.Rows != nil {
			return nil, table + " is read in its own workspace only"
		}
	}
	t, ok := stored(n.catalog, schema.Workspace, table)
	if !ok {
		return nil, ""
	}
	as := *t
	as.Name = "workspace('" + id + "')." + t.Name
	if known, ok := e.tables[as.Name]; ok {
		return known.as, ""
	}
	e.tables[as.Name] = foreign{t, id, &as}
	return &as, ""
}
