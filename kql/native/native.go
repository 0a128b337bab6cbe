// Package native holds the functions of KQL that SQL can't say, in Go: values
// in, a value out, total on every input. An engine registers them under
// "kql_" and their name. It leaves the choice between SQL and Go to emit.
//
// Values are nil, bool, int64, float64 or string, as the physical types of
// the schema have them: a dynamic is JSON text, a datetime or timespan ticks.
package native

import (
	"context"
	"sync"

	"lockstep/schema"
)

// Function is one function with its physical signature.
type Function struct {
	Name     string
	Params   []schema.Type
	Least    int         // arguments that must be given; the rest may be left out
	Variadic schema.Type // further arguments of this type; 0 for none
	Result   schema.Type
	Nulls    bool // Eval sees nulls; otherwise one makes the result null
	Volatile bool // equal arguments may give different results
	Eval     func(args []any) any
	// Run is a stage's: it can fail, and ends when the query does. nil for all that go value by value.
	Run func(ctx context.Context, args []any) (any, error)
}

// All lists the functions. The slice must not be changed.
func All() []Function { return all() }

var all = sync.OnceValue(func() []Function {
	var out []Function
	for _, part := range [][]Function{conversions(), texts(), times(), network(), values(), arrays(), seriesFunctions(), geography(), encodings(), statistics(), seriesFilters(), stages(), hashes(), decimals(), sketches(), shapes(), seasons()} {
		out = append(out, part...)
	}
	return out
})

var byName = sync.OnceValue(func() map[string]*Function {
	m := map[string]*Function{}
	list := all()
	for i := range list {
		m[list[i].Name] = &list[i]
	}
	return m
})

// Find gives a function by name.
func Find(name string) (*Function, bool) { f, ok := byName()[name]; return f, ok }

// Call runs a function as an engine does. A fault inside gives null: one
// row must not end the process that every query runs in.
func (f *Function) Call(args []any) (result any) {
	defer func() {
		if recover() != nil {
			result = nil
		}
	}()
	if !f.Nulls {
		for _, a := range args {
			if a == nil {
				return nil
			}
		}
	}
	if f.Run != nil {
		v, err := f.Run(context.Background(), args)
		if err != nil {
			return nil
		}
		return v
	}
	return f.Eval(args)
}

// Short names of types for the tables.
const (
	tBool = schema.Bool
	tLong = schema.Long
	tReal = schema.Real
	tText = schema.String
	tTime = schema.DateTime
	tSpan = schema.TimeSpan
	tGuid = schema.Guid
	tDyn  = schema.Dynamic
	tDec  = schema.Decimal
)

func types(t ...schema.Type) []schema.Type { return t }

func str(a any) string { s, _ := a.(string); return s }

func num(a any) int64 {
	switch v := a.(type) {
	case int64:
		return v
	case int32:
		return int64(v)
	case float64:
		return int64(v)
	}
	return 0
}

func real(a any) float64 {
	switch v := a.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return 0
}

// given gives argument i or a default.
func given(args []any, i int, otherwise int64) int64 {
	if i < len(args) && args[i] != nil {
		return num(args[i])
	}
	return otherwise
}
