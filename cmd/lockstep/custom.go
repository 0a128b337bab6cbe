package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"lockstep/egress"
	"lockstep/fault"
	"lockstep/query"
	"lockstep/query/external"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/workspace"
	"lockstep/workspace/searches"
	"lockstep/workspace/watchlists"
)

// custom is what people made in a workspace, as queries see it.
type custom struct {
	watchlists *watchlists.Service
	searches   *searches.Service
}

// Tables gives the table Watchlist: its rows are the lists themselves.
func (c custom) Tables(_ context.Context, side schema.Side, ws string) (map[string]query.Relation, error) {
	t, ok := schema.Default().Table(schema.Workspace, "Watchlist")
	if side != schema.Workspace || !ok {
		return nil, nil
	}
	return map[string]query.Relation{t.Name: {Table: t, Rows: func(ctx context.Context) (*rows.Batch, error) { return c.watchlists.History(ctx, ws, t) }}}, nil
}

// Functions gives the saved searches that are functions.
func (c custom) Functions(ctx context.Context, side schema.Side, ws string) (map[string]query.Function, error) {
	if side != schema.Workspace {
		return nil, nil
	}
	list, err := c.searches.Functions(ctx, ws)
	out := make(map[string]query.Function, len(list))
	for name, one := range list {
		out[name] = query.Function{Parameters: one.Parameters, Body: one.Query}
	}
	return out, err
}

// Watchlists gives the lists by their aliases.
func (c custom) Watchlists(ctx context.Context, side schema.Side, ws string) (map[string]query.Relation, error) {
	if side != schema.Workspace {
		return nil, nil
	}
	list, err := c.watchlists.Lists(ctx, ws)
	out := make(map[string]query.Relation, len(list))
	for _, w := range list {
		t := w.Table()
		out[strings.ToLower(w.Alias)] = query.Relation{Alias: w.Alias, Table: t, Rows: func(ctx context.Context) (*rows.Batch, error) { return c.watchlists.Rows(ctx, w, t) }}
	}
	return out, err
}

// external says what queries may reach: nothing, unless hosts are set.
func (s *server) external() (external.Options, error) {
	if len(s.settings.QueryHosts) == 0 {
		return external.Options{}, nil
	}
	within, err := s.settings.ranges()
	if err != nil {
		return external.Options{}, err
	}
	client, err := egress.New(egress.Options{Allow: s.settings.QueryHosts, Within: within, Timeout: s.settings.QueryTimeout})
	if err != nil {
		return external.Options{}, fmt.Errorf("%s: %w", external.Setting, err)
	}
	return external.Options{Client: client}, nil
}

// ranges reads the ranges of addresses that queries may reach although they aren't public.
func (s Settings) ranges() ([]netip.Prefix, error) { return prefixes("query_ranges", s.QueryRanges) }

// prefixes reads the ranges of addresses of a setting.
func prefixes(setting string, texts []string) (out []netip.Prefix, err error) {
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.At(setting, "%q is no range of addresses such as 10.1.2.0/24", text)
		}
		out = append(out, p)
	}
	return out, nil
}

// workspaceID finds a workspace by what a query calls it: id, name or resource id.
func (s *server) workspaceID(ctx context.Context, name string) (string, error) {
	find := s.workspaces.Workspace
	if parts := strings.Split(strings.Trim(name, "/"), "/"); len(parts) == 8 && strings.EqualFold(parts[6], "workspaces") {
		find = func(ctx context.Context, _ string) (workspace.Workspace, error) {
			return s.workspaces.ByPath(ctx, parts[1], parts[3], parts[7])
		}
	}
	w, err := find(ctx, name)
	return w.ID, err
}
