package kqltest

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"lockstep/kql/emit"
	"lockstep/schema"
)

// Append makes the engine's tables hold rows until the next Load or Append, as
// Load does, but in tables of the engine: much faster where a table is wide.
// The function given back tells what went wrong while they were filled; it is
// to be asked after a run.
func (e *Engine) Append(data Data) (failed func() error) {
	var errs []error
	made := 0
	e.Rows = func(t *schema.Table, columns []string) string {
		rows := data[t.Name]
		if len(rows) == 0 {
			return ""
		}
		name := fmt.Sprintf("rows_%d", made)
		made++
		if err := e.fillTable(name, t, columns, rows); err != nil {
			errs = append(errs, fmt.Errorf("fill %s: %w", t.Name, err))
			return ""
		}
		return "(SELECT * FROM " + name + ")"
	}
	return func() error { return errors.Join(errs...) }
}

// fillTable makes a table of some columns of another's rows.
func (e *Engine) fillTable(name string, t *schema.Table, columns []string, rows [][]any) error {
	ctx := context.Background()
	var fields []string
	index := make([]int, len(columns))
	for i, c := range columns {
		index[i] = t.Index(c)
		fields = append(fields, fmt.Sprintf("x%d %s", i, emit.DuckDB{}.Physical(t.Columns[index[i]].Type)))
	}
	if len(columns) == 0 {
		fields = []string{"x0 BOOLEAN"}
	}
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TABLE "+name+" ("+strings.Join(fields, ", ")+")"); err != nil {
		return err
	}
	return conn.Raw(func(c any) error {
		a, err := duckdb.NewAppenderFromConn(c.(driver.Conn), "", name)
		if err != nil {
			return err
		}
		for _, row := range rows {
			values := make([]driver.Value, max(1, len(columns)))
			for i, x := range index {
				values[i] = physical(row[x], t.Columns[x].Type)
			}
			if err := a.AppendRow(values...); err != nil {
				return errors.Join(err, a.Close())
			}
		}
		return a.Close()
	})
}

// physical gives a value in the Go type that the engine's column takes.
func physical(v any, t schema.Type) driver.Value {
	switch v := v.(type) {
	case int64:
		switch t {
		case schema.Int:
			return int32(v)
		case schema.Real:
			return float64(v)
		}
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	}
	return v
}
