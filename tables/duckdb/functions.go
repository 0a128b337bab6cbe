package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	duck "github.com/duckdb/duckdb-go/v2"

	"lockstep/schema"
)

// Function is a scalar function that SQL calls by name. Call gets bool, int64,
// float64, string or nil per parameter, by type (int32 for int), and gives one
// of them, nil for null. It must be total, and safe for several goroutines.
type Function struct {
	Name       string
	Parameters []schema.Type
	Result     schema.Type
	Call       func(args []any) any
	// Volatile functions are called for every row even when their arguments
	// are constant.
	Volatile bool
}

// functions keeps the driver's handle, to which functions belong, open.
type functions struct{ db *sql.DB }

func registerFunctions(path string, list []Function) (_ *functions, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	connector, err := duck.NewConnector(path+"?storage_compatibility_version=latest", nil)
	if err != nil {
		return nil, fmt.Errorf("register functions: %w", err)
	}
	f := &functions{sql.OpenDB(connector)}
	c, err := f.db.Conn(context.Background())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("register functions: %w", err), f.close())
	}
	defer c.Close()
	for _, fn := range list {
		s, err := newScalar(fn)
		if err == nil {
			err = duck.RegisterScalarUDF(c, fn.Name, s)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("register function %s: %w", fn.Name, err), f.close())
		}
	}
	return f, nil
}

func (f *functions) close() error {
	if f == nil {
		return nil
	}
	return f.db.Close()
}

// scalar presents a Function as the driver wants it.
type scalar struct {
	Function
	in  []duck.TypeInfo
	out duck.TypeInfo
}

func newScalar(f Function) (*scalar, error) {
	s := &scalar{Function: f}
	for _, p := range f.Parameters {
		t, err := duck.NewTypeInfo(driverTypes[physical(p)])
		if err != nil {
			return nil, err
		}
		s.in = append(s.in, t)
	}
	var err error
	s.out, err = duck.NewTypeInfo(driverTypes[physical(f.Result)])
	return s, err
}

var driverTypes = map[string]duck.Type{"BOOLEAN": duck.TYPE_BOOLEAN, "INTEGER": duck.TYPE_INTEGER, "BIGINT": duck.TYPE_BIGINT,
	"DOUBLE": duck.TYPE_DOUBLE, "VARCHAR": duck.TYPE_VARCHAR}

// Config and Executor make scalar a duck.ScalarFunc.
func (s *scalar) Config() duck.ScalarFuncConfig {
	return duck.ScalarFuncConfig{InputTypeInfos: s.in, ResultTypeInfo: s.out, Volatile: s.Volatile, SpecialNullHandling: true}
}

// Executor gives the row function.
func (s *scalar) Executor() duck.ScalarFuncExecutor {
	return duck.ScalarFuncExecutor{RowExecutor: func(values []driver.Value) (any, error) {
		args := make([]any, len(values))
		for i, v := range values {
			args[i] = v
		}
		return s.Call(args), nil
	}}
}
