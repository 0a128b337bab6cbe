package plan

import "lockstep/schema"

// Expr is a typed scalar expression.
type Expr interface {
	Type() schema.Type
}

// Expressions.
type (
	// ColumnRef reads a column.
	ColumnRef struct {
		ID  ID
		Typ schema.Type
	}
	// Const is a constant. Value: nil for null, bool, int64 (int, long, datetime,
	// timespan), float64, string (string, guid, decimal, and dynamic as minified JSON).
	Const struct {
		Typ   schema.Type
		Value any
	}
	// Call is a function or operator by its canonical name, arguments converted
	// to what it takes.
	Call struct {
		Func string
		Args []Expr
		Typ  schema.Type
	}
	// Window is a function of a row's neighbours: row_number, prev, next, row_cumsum….
	Window struct {
		Func string
		Args []Expr
		Typ  schema.Type
	}
	// Scalar is the first value of a table's first column, null if it has no row.
	Scalar struct {
		Node Node
		Typ  schema.Type
		// List: all values, as a dynamic array.
		List bool
	}
	// InTable tells whether X is among the first column of Node.
	InTable struct {
		X    Expr
		Node Node
		Fold bool // case-insensitive
	}
)

func (e *ColumnRef) Type() schema.Type { return e.Typ }
func (e *Const) Type() schema.Type     { return e.Typ }
func (e *Call) Type() schema.Type      { return e.Typ }
func (e *Window) Type() schema.Type    { return e.Typ }
func (e *Scalar) Type() schema.Type    { return e.Typ }
func (e *InTable) Type() schema.Type   { return schema.Bool }

// Ref makes a reference to a column.
func (c Column) Ref() *ColumnRef { return &ColumnRef{c.ID, c.Type} }

// Null is a constant without a value; of string it is "".
func Null(t schema.Type) *Const {
	if t == schema.String {
		return &Const{t, ""}
	}
	return &Const{t, nil}
}

// Walk visits x and its parts; it goes no deeper where visit gives false.
// Tables inside are not entered.
func Walk(x Expr, visit func(Expr) bool) {
	if x == nil || !visit(x) {
		return
	}
	switch x := x.(type) {
	case *Call:
		for _, a := range x.Args {
			Walk(a, visit)
		}
	case *Window:
		for _, a := range x.Args {
			Walk(a, visit)
		}
	case *InTable:
		Walk(x.X, visit)
	}
}

// Tables gives the nodes inside an expression.
func Tables(x Expr) []Node {
	var out []Node
	Walk(x, func(e Expr) bool {
		switch e := e.(type) {
		case *Scalar:
			out = append(out, e.Node)
		case *InTable:
			out = append(out, e.Node)
		}
		return true
	})
	return out
}

// Map rebuilds x bottom up.
func Map(x Expr, f func(Expr) Expr) Expr {
	switch e := x.(type) {
	case nil:
		return nil
	case *Call:
		x = &Call{e.Func, mapAll(e.Args, f), e.Typ}
	case *Window:
		x = &Window{e.Func, mapAll(e.Args, f), e.Typ}
	case *InTable:
		x = &InTable{Map(e.X, f), e.Node, e.Fold}
	}
	return f(x)
}

func mapAll(in []Expr, f func(Expr) Expr) []Expr {
	out := make([]Expr, len(in))
	for i, a := range in {
		out[i] = Map(a, f)
	}
	return out
}
