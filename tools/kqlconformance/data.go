package main

import (
	"context"
	"time"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// emptyData is a database whose tables have no rows.
type emptyData struct{}

func (emptyData) environment(env kql.Environment) kql.Environment {
	env.Now = schema.At(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	return env
}

func (emptyData) filled() []string { return []string{"DeviceEvents", "SecurityEvent"} }

func (emptyData) open() (database, error) {
	e, err := kqltest.Open()
	return emptyDatabase{e}, err
}

type emptyDatabase struct{ engine *kqltest.Engine }

func (d emptyDatabase) table(name string) (*schema.Table, bool) {
	t, ok := kqltest.Declared()[name]
	return t, ok
}
func (d emptyDatabase) run(ctx context.Context, p *kql.Program) ([][]any, error) {
	return d.engine.Run(ctx, p, d.table)
}
func (d emptyDatabase) sql(p *kql.Program) (string, []any) { return d.engine.SQL(p, d.table) }
func (d emptyDatabase) close() error                       { return d.engine.Close() }

func (d emptyDatabase) settle(ctx context.Context, p *kql.Program) (*kql.Program, error) {
	return d.engine.Settle(ctx, p, d.table)
}
