package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	duck "github.com/duckdb/duckdb-go/v2"

	"lockstep/kql/native"
	"lockstep/schema"
)

// Function is a scalar function that SQL calls by name. Call gets bool, int64,
// float64, string or nil per parameter, by type (int32 for int), and gives one
// of them, nil for null. It must be total, and safe for several goroutines.
type Function struct {
	Name       string
	Parameters []schema.Type
	Optional   int         // how many of the last parameters a call may leave out
	Variadic   schema.Type // type of any further arguments; 0 for none
	Result     schema.Type
	Call       func(args []any) any
	// Run is there instead of Call's answer where a call may fail or take long: it ends when ctx does.
	Run func(ctx context.Context, args []any) (any, error)
	// Volatile functions are called for every row even when their arguments
	// are constant.
	Volatile bool
}

// KQL gives the functions that programs of package kql call.
func KQL() []Function {
	var out []Function
	for _, f := range native.All() {
		g := Function{Name: "kql_" + f.Name, Parameters: f.Params, Variadic: f.Variadic, Result: f.Result, Call: f.Call, Run: f.Run, Volatile: f.Volatile}
		if f.Variadic == schema.Invalid {
			g.Optional = len(f.Params) - f.Least
		}
		out = append(out, g)
	}
	return out
}

// GeoInfo has KQL's function for the place of an address answered by lookup,
// which gives a JSON object, "" for none.
func GeoInfo(list []Function, lookup func(address string) string) []Function {
	out := slices.Clone(list)
	for i := range out {
		if out[i].Name != "kql_geo_info" {
			continue
		}
		out[i].Call = func(args []any) any {
			text, _ := args[0].(string)
			if found := lookup(text); found != "" {
				return found
			}
			return nil
		}
	}
	return out
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
		set, err := fn.set()
		if err == nil {
			err = duck.RegisterScalarUDFSet(c, fn.Name, set...)
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

// scalar presents a Function with one number of arguments as the driver wants it.
type scalar struct {
	call   func([]any) any
	run    func(context.Context, []any) (any, error)
	config duck.ScalarFuncConfig
}

// set makes one scalar for each number of arguments.
func (f Function) set() (set []duck.ScalarFunc, err error) {
	for n := len(f.Parameters) - f.Optional; n <= len(f.Parameters); n++ {
		s := &scalar{call: f.Call, run: f.Run, config: duck.ScalarFuncConfig{Volatile: f.Volatile, SpecialNullHandling: true}}
		for _, p := range f.Parameters[:n] {
			t, err := driverType(p)
			if err != nil {
				return nil, err
			}
			s.config.InputTypeInfos = append(s.config.InputTypeInfos, t)
		}
		if f.Variadic != schema.Invalid {
			if s.config.VariadicTypeInfo, err = driverType(f.Variadic); err != nil {
				return nil, err
			}
		}
		if s.config.ResultTypeInfo, err = driverType(f.Result); err != nil {
			return nil, err
		}
		set = append(set, s)
	}
	return set, nil
}

func driverType(t schema.Type) (duck.TypeInfo, error) {
	return duck.NewTypeInfo(driverTypes[physical(t)])
}

var driverTypes = map[string]duck.Type{"BOOLEAN": duck.TYPE_BOOLEAN, "INTEGER": duck.TYPE_INTEGER, "BIGINT": duck.TYPE_BIGINT,
	"DOUBLE": duck.TYPE_DOUBLE, "VARCHAR": duck.TYPE_VARCHAR}

// Config describes the function to the driver.
func (s *scalar) Config() duck.ScalarFuncConfig { return s.config }

// Executor gives the driver what it runs per row.
func (s *scalar) Executor() duck.ScalarFuncExecutor {
	if s.run != nil {
		return duck.ScalarFuncExecutor{RowContextExecutor: func(ctx context.Context, values []driver.Value) (any, error) {
			return s.run(ctx, arguments(values))
		}}
	}
	return duck.ScalarFuncExecutor{RowExecutor: func(values []driver.Value) (any, error) {
		return s.call(arguments(values)), nil
	}}
}

func arguments(values []driver.Value) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}
