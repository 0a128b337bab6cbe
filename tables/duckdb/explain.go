package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"lockstep/fault"
	"lockstep/tables"
)

// Explain runs SQL and tells what it read instead of its rows. The statement
// is a query, as Query takes it; its values stay parameters.
func (n *snapshot) Explain(ctx context.Context, sql string, args []any) ([]tables.Scanned, error) {
	found, err := n.c.all(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM ("+sql+"\n)", args...)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 || len(found[0]) != 2 {
		return nil, fault.New(fault.Internal, "the engine explains a query in %d rows", len(found))
	}
	text, _ := found[0][1].(string)
	var root profile
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		return nil, fmt.Errorf("read the engine's explanation: %w", err)
	}
	names := n.stored()
	var out []tables.Scanned
	root.each(func(p *profile) {
		one, ok := p.scanned(names)
		if !ok {
			return
		}
		if i := slices.IndexFunc(out, func(s tables.Scanned) bool { return s.Table == one.Table }); i >= 0 {
			out[i].Rows += one.Rows
			out[i].Segments += one.Segments
			return
		}
		out = append(out, one)
	})
	slices.SortFunc(out, func(a, b tables.Scanned) int { return strings.Compare(a.Table, b.Table) })
	return out, nil
}

// stored gives the names of tables by the names under which their rows lie:
// hot tables and the files of segments.
func (n *snapshot) stored() map[string]string {
	out := map[string]string{}
	byID := map[int64]string{}
	for key, r := range n.layout {
		out[r.table()], byID[r.id] = key.name, key.name
	}
	for id, list := range n.segments {
		for _, s := range list {
			out[s.file] = byID[id]
		}
	}
	for t, name := range n.loaded {
		out[name] = t.Name
	}
	return out
}

// profile is an operator of the engine, as EXPLAIN ANALYZE tells of it.
type profile struct {
	Scanned int64 `json:"operator_rows_scanned"`
	Info    struct {
		Table string `json:"Table"`
		Files string `json:"Filename(s)"`
		Read  string `json:"Total Files Read"`
	} `json:"extra_info"`
	Children []profile `json:"children"`
}

func (p *profile) each(visit func(*profile)) {
	visit(p)
	for i := range p.Children {
		p.Children[i].each(visit)
	}
}

// scanned tells which table an operator reads; ok is false if none.
func (p *profile) scanned(names map[string]string) (s tables.Scanned, ok bool) {
	switch {
	case p.Info.Table != "":
		s.Table, ok = names[p.Info.Table[strings.LastIndexByte(p.Info.Table, '.')+1:]]
	case p.Info.Files != "":
		first, _, _ := strings.Cut(p.Info.Files, ",")
		s.Table, ok = names[filepath.Base(strings.TrimSpace(first))]
		_, _ = fmt.Sscan(p.Info.Read, &s.Segments) // a version that doesn't say it shows none
	}
	s.Rows = p.Scanned
	return s, ok
}
