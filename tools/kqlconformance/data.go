package main

import (
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// database is an engine with all declared tables, filled for one program at a
// time with rows made from the text's own literals; see kqltest.Fill.
type database struct {
	engine *kqltest.Engine
	tables func(string) (*schema.Table, bool)
	failed func() error // what went wrong while tables were filled
}

// now is what now() is while texts are measured.
var now = schema.At(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))

func openDatabase(tables func(string) (*schema.Table, bool)) (*database, error) {
	e, err := kqltest.Open()
	return &database{engine: e, tables: tables}, err
}

// fill gives the tables that a text names their rows. Rows for one text don't
// depend on what ran before.
func (d *database) fill(text string, env kql.Environment) {
	h := fnv.New64a()
	h.Write([]byte(text))
	d.failed = d.engine.Append(kqltest.Fill(text, env, h.Sum64()))
}

func (d *database) run(ctx context.Context, p *kql.Program) ([][]any, error) {
	rows, err := d.engine.Run(ctx, p, d.tables)
	return rows, errors.Join(d.failed(), err)
}

// settle gives the program that knows the columns which only rows can tell.
func (d *database) settle(ctx context.Context, p *kql.Program) (*kql.Program, error) {
	return d.engine.Settle(ctx, p, d.tables)
}

func (d *database) sql(p *kql.Program) (string, []any) { return d.engine.SQL(p, d.tables) }

func (d *database) close() error { return d.engine.Close() }

// few are the tables that a wildcard means when a program over very many runs:
// the product binds it to the tables that have rows.
func few(tables map[string]*schema.Table) []string {
	var out []string
	for i, name := range slices.Sorted(maps.Keys(tables)) {
		if i%40 == 0 {
			out = append(out, name)
		}
	}
	for _, name := range []string{"DeviceEvents", "DeviceProcessEvents", "DeviceNetworkEvents", "EmailEvents", "AlertInfo", "SecurityEvent", "SecurityAlert", "SigninLogs", "AuditLogs", "Usage", "Heartbeat", "AzureDiagnostics"} {
		if tables[name] != nil {
			out = append(out, name)
		}
	}
	return out
}
