package duckdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
	driver "github.com/duckdb/duckdb-go/v2"
)

// database is an open DuckDB file. It speaks DuckDB's C interface directly:
// whole columns go in and out without a Go value per cell.
type database struct{ db bindings.Database }

func openDatabase(path string) (*database, error) {
	var config bindings.Config
	if bindings.CreateConfig(&config) == bindings.StateError {
		return nil, errors.New("make a DuckDB configuration")
	}
	defer bindings.DestroyConfig(&config)
	for _, option := range [][2]string{{"duckdb_api", "go"}, {"storage_compatibility_version", "latest"}} {
		if bindings.SetConfig(config, option[0], option[1]) == bindings.StateError {
			return nil, fmt.Errorf("set DuckDB's %s to %s", option[0], option[1])
		}
	}
	var d database
	var message string
	// The driver's own cache, so that its scalar functions see the same instance.
	if bindings.GetOrCreateFromCache(driver.GetInstanceCache(), path, &d.db, config, &message) == bindings.StateError {
		bindings.Close(&d.db)
		return nil, errors.New(message)
	}
	return &d, nil
}

func (d *database) close() { bindings.Close(&d.db) }

func (d *database) connect() (*connection, error) {
	var c connection
	if bindings.Connect(d.db, &c.c) == bindings.StateError {
		return nil, errors.New("connect to DuckDB")
	}
	return &c, nil
}

// connection runs one statement at a time.
type connection struct{ c bindings.Connection }

func (c *connection) close() { bindings.Disconnect(&c.c) }

// watch interrupts what the connection runs once ctx ends. stop ends the
// watching; no interrupt comes after it has returned.
func (c *connection) watch(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		again := time.NewTicker(10 * time.Millisecond) // one that comes before the statement starts is lost
		defer again.Stop()
		for {
			bindings.Interrupt(c.c)
			select {
			case <-done:
				return
			case <-again.C:
			}
		}
	}()
	return func() { close(done); <-over }
}

// exec runs one statement to its end and gives how many rows it changed.
func (c *connection) exec(ctx context.Context, sql string, args ...any) (changed int64, err error) {
	cur, err := c.query(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	defer cur.close()
	changed = int64(bindings.RowsChanged(&cur.res))
	for {
		ch, err := cur.next()
		if err != nil {
			return 0, err
		}
		if ch == nil {
			return changed, nil
		}
		if changed == 0 && len(ch.vectors) == 1 && ch.vectors[0].typ == bindings.TypeBigInt && ch.n == 1 {
			changed = ch.vectors[0].int(0) // a streamed INSERT or DELETE answers its count as a row
		}
	}
}

// cursor is a result being read.
type cursor struct {
	ctx   context.Context
	stmt  bindings.PreparedStatement
	res   bindings.Result
	stop  func()
	types []bindings.Type
	names []string
	chunk bindings.DataChunk
}

// query starts one statement; its result streams, so memory stays bounded.
func (c *connection) query(ctx context.Context, sql string, args ...any) (_ *cursor, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cur := &cursor{ctx: ctx, stop: c.watch(ctx)}
	defer func() {
		if err != nil {
			cur.close()
		}
	}()
	if bindings.Prepare(c.c, sql, &cur.stmt) == bindings.StateError {
		return nil, cur.failed(bindings.PrepareError(cur.stmt))
	}
	for i, a := range args {
		if err := bind(cur.stmt, bindings.IdxT(i+1), a); err != nil {
			return nil, err
		}
	}
	var pending bindings.PendingResult
	state := bindings.PendingPreparedStreaming(cur.stmt, &pending)
	defer bindings.DestroyPending(&pending)
	if state == bindings.StateError {
		return nil, cur.failed(bindings.PendingError(pending))
	}
	if bindings.ExecutePending(pending, &cur.res) == bindings.StateError {
		return nil, cur.failed(bindings.ResultError(&cur.res))
	}
	n := bindings.ColumnCount(&cur.res)
	for i := range n {
		cur.types = append(cur.types, bindings.ColumnType(&cur.res, i))
		cur.names = append(cur.names, bindings.ColumnName(&cur.res, i))
	}
	return cur, nil
}

// failed makes the error of a statement; a cancelled one says so.
func (cur *cursor) failed(message string) error {
	if err := cur.ctx.Err(); err != nil {
		return err
	}
	return errors.New(message)
}

// next gives the next chunk, valid until the one after it; nil at the end.
func (cur *cursor) next() (*chunk, error) {
	cur.drop()
	if err := cur.ctx.Err(); err != nil {
		return nil, err
	}
	cur.chunk = bindings.FetchChunk(cur.res)
	if cur.chunk.Ptr == nil {
		if message := bindings.ResultError(&cur.res); message != "" {
			return nil, cur.failed(message)
		}
		return nil, nil
	}
	ch := &chunk{n: int(bindings.DataChunkGetSize(cur.chunk)), vectors: make([]vector, len(cur.types))}
	for i, typ := range cur.types {
		v := bindings.DataChunkGetVector(cur.chunk, bindings.IdxT(i))
		ch.vectors[i] = vector{typ: typ, data: bindings.VectorGetData(v), valid: bindings.VectorGetValidity(v)}
	}
	return ch, nil
}

func (cur *cursor) drop() {
	if cur.chunk.Ptr != nil {
		bindings.DestroyDataChunk(&cur.chunk)
		cur.chunk.Ptr = nil
	}
}

func (cur *cursor) close() {
	cur.drop()
	bindings.DestroyResult(&cur.res)
	bindings.DestroyPrepare(&cur.stmt)
	cur.stop()
}

func bind(stmt bindings.PreparedStatement, i bindings.IdxT, value any) error {
	var state bindings.State
	switch v := value.(type) {
	case nil:
		state = bindings.BindNull(stmt, i)
	case bool:
		state = bindings.BindBoolean(stmt, i, v)
	case int:
		state = bindings.BindInt64(stmt, i, int64(v))
	case int32:
		state = bindings.BindInt32(stmt, i, v)
	case int64:
		state = bindings.BindInt64(stmt, i, v)
	case float64:
		state = bindings.BindDouble(stmt, i, v)
	case string:
		state = bindings.BindVarcharLength(stmt, i, v, bindings.IdxT(len(v)))
	default:
		return fmt.Errorf("parameter %d: no way to pass a %T", i, value)
	}
	if state == bindings.StateError {
		return fmt.Errorf("pass parameter %d (%T): %s", i, value, bindings.PrepareError(stmt))
	}
	return nil
}

// all reads a small result whole: a row is one value per column, as int64,
// float64, bool, string or nil.
func (c *connection) all(ctx context.Context, sql string, args ...any) ([][]any, error) {
	cur, err := c.query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer cur.close()
	var out [][]any
	for {
		ch, err := cur.next()
		if ch == nil || err != nil {
			return out, err
		}
		for i := range ch.n {
			row := make([]any, len(ch.vectors))
			for j := range ch.vectors {
				if row[j], err = ch.vectors[j].value(i); err != nil {
					return nil, fmt.Errorf("column %s: %w", cur.names[j], err)
				}
			}
			out = append(out, row)
		}
	}
}
