// Package kqltest runs compiled programs on an in-process DuckDB: for the
// tests of kql and for tools that measure it. No part of the product imports it.
package kqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"lockstep/kql"
	"lockstep/kql/emit"
	"lockstep/schema"
)

// Engine is a database with the functions of kql registered and no tables:
// every scan is empty unless Rows says otherwise.
type Engine struct {
	db *sql.DB
	// Rows gives a table's rows: a bracketed SELECT of these columns; nil for empty tables.
	Rows func(table *schema.Table, columns []string) string
}

// Open makes an engine in memory.
func Open() (*Engine, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := Register(db); err != nil {
		return nil, err
	}
	if _, err := db.Exec("SET threads = 1; SET disabled_optimizers = 'top_n_window_elimination'"); err != nil { // as tables/duckdb has it
		return nil, err
	}
	return &Engine{db: db}, nil
}

// Close ends the engine.
func (e *Engine) Close() error { return e.db.Close() }

// Register makes the functions of kql known to a database.
func Register(db *sql.DB) error {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, f := range kql.NativeFunctions() {
		if err := register(conn, f); err != nil {
			return fmt.Errorf("register %s: %w", f.Name, err)
		}
	}
	return nil
}

var engineTypes = map[schema.Type]duckdb.Type{schema.Bool: duckdb.TYPE_BOOLEAN, schema.Int: duckdb.TYPE_INTEGER, schema.Long: duckdb.TYPE_BIGINT, schema.DateTime: duckdb.TYPE_BIGINT,
	schema.TimeSpan: duckdb.TYPE_BIGINT, schema.Real: duckdb.TYPE_DOUBLE}

func info(t schema.Type) (duckdb.TypeInfo, error) {
	et, ok := engineTypes[t]
	if !ok {
		et = duckdb.TYPE_VARCHAR
	}
	return duckdb.NewTypeInfo(et)
}

func register(conn *sql.Conn, f kql.NativeFunction) error {
	if f.Variadic != schema.Invalid {
		u, err := udf(f, len(f.Params))
		if err != nil {
			return err
		}
		return duckdb.RegisterScalarUDF(conn, "kql_"+f.Name, u)
	}
	var set []duckdb.ScalarFunc
	for n := f.Least; n <= len(f.Params); n++ {
		u, err := udf(f, n)
		if err != nil {
			return err
		}
		set = append(set, u)
	}
	return duckdb.RegisterScalarUDFSet(conn, "kql_"+f.Name, set...)
}

type scalarUDF struct {
	config duckdb.ScalarFuncConfig
	f      kql.NativeFunction
}

func (u scalarUDF) Config() duckdb.ScalarFuncConfig { return u.config }

func (u scalarUDF) Executor() duckdb.ScalarFuncExecutor {
	f := u.f
	if f.Run != nil {
		return duckdb.ScalarFuncExecutor{RowContextExecutor: func(ctx context.Context, values []driver.Value) (any, error) {
			return f.Run(ctx, arguments(values))
		}}
	}
	return duckdb.ScalarFuncExecutor{RowExecutor: func(values []driver.Value) (any, error) {
		return f.Call(arguments(values)), nil
	}}
}

func arguments(values []driver.Value) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}

func udf(f kql.NativeFunction, n int) (duckdb.ScalarFunc, error) {
	u := scalarUDF{f: f, config: duckdb.ScalarFuncConfig{Volatile: f.Volatile, SpecialNullHandling: true}}
	for _, t := range f.Params[:n] {
		i, err := info(t)
		if err != nil {
			return nil, err
		}
		u.config.InputTypeInfos = append(u.config.InputTypeInfos, i)
	}
	if f.Variadic != schema.Invalid {
		i, err := info(f.Variadic)
		if err != nil {
			return nil, err
		}
		u.config.VariadicTypeInfo = i
	}
	r, err := info(f.Result)
	u.config.ResultTypeInfo = r
	return u, err
}

// Run runs a program; rows come in the physical types of the schema.
func (e *Engine) Run(ctx context.Context, p *kql.Program, tables func(string) (*schema.Table, bool)) ([][]any, error) {
	text, args := e.SQL(p, tables)
	return e.Statement(ctx, text, args, len(p.Columns))
}

// Settle asks what a program asks, until it knows its columns.
func (e *Engine) Settle(ctx context.Context, p *kql.Program, tables func(string) (*schema.Table, bool)) (*kql.Program, error) {
	for {
		ask, ok := p.Question()
		if !ok {
			return p, nil
		}
		rows, err := e.Run(ctx, ask, tables)
		if err != nil {
			return nil, err
		}
		texts := make([]string, len(rows))
		for i, r := range rows {
			texts[i], _ = r[0].(string)
		}
		next, found := p.Answered(texts)
		if next == nil {
			return nil, fmt.Errorf("%v", found)
		}
		p = next
	}
}

// Statement runs a statement that gives so many columns.
func (e *Engine) Statement(ctx context.Context, text string, args []any, columns int) ([][]any, error) {
	rows, err := e.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]any
	for rows.Next() {
		row := make([]any, max(1, columns))
		ptrs := make([]any, len(row))
		for i := range row {
			ptrs[i] = &row[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return nil, err
		}
		out = append(out, row[:columns])
	}
	return out, rows.Err()
}

// SQL gives the statement that Run runs.
func (e *Engine) SQL(p *kql.Program, tables func(string) (*schema.Table, bool)) (string, []any) {
	return p.SQL(func(_ int, name string, columns []string) (string, []any) {
		t, _ := tables(name)
		if e.Rows != nil {
			if s := e.Rows(t, columns); s != "" {
				return s, nil
			}
		}
		var items []string
		for i, c := range columns {
			col, _ := t.Column(c)
			items = append(items, fmt.Sprintf("NULL::%s AS x%d", emit.DuckDB{}.Physical(col.Type), i))
		}
		return "(SELECT " + strings.Join(items, ", ") + " WHERE false)", nil
	})
}
