// Package plan is a bound query: typed operators over columns that are
// numbered across the whole query, so that two columns of one name can never
// be mistaken for each other. Package bind makes it, rewrite betters it, emit
// says it in an engine's language.
package plan

import "lockstep/schema"

// ID numbers a column within one compiled query.
type ID int

// Column is a column of a node's rows.
type Column struct {
	ID   ID
	Name string
	Type schema.Type
}

// Node is a tabular operator.
type Node interface {
	// Columns are the node's columns in order.
	Columns() []Column
	// Inputs are the nodes it reads.
	Inputs() []Node
}

// Item is an expression and the column that it makes.
type Item struct {
	Column
	X Expr
}

// Key is a sort key.
type Key struct {
	X          Expr
	Desc       bool
	NullsFirst bool
}

// Nodes.
type (
	// Scan reads a table. Source names the table's column for each column.
	Scan struct {
		Table  *schema.Table
		Number int // of the scan within the query
		Cols   []Column
		Source []string
		// RowID is a source whose value no other row of the table has; "" for none.
		RowID string
	}
	// Scans stacks whole tables, as union * does: a column stands for those of
	// its name and type, and is missing in tables that lack it. It is Union
	// without a node and a map for each of a thousand tables.
	Scans struct {
		Tables []*schema.Table
		Cols   []Column
		Source []string // the tables' own column for each; LabelSource for the table's name, BagSource for undeclared columns
		// Converted are the functions that make a table's column of another type the one wanted.
		Converted map[ID]string
		// Received is a source that every table has though it isn't declared; "" for none.
		Received string
		// From and To bound each table's time column, To exclusive; 0 is open.
		From, To schema.Ticks
	}
	// Values are literal rows.
	Values struct {
		Cols []Column
		Rows [][]Expr
	}
	// Series is range Column from … to … step ….
	Series struct {
		Column         Column
		From, To, Step Expr
	}
	// Project computes Items and drops all else.
	Project struct {
		Input Node
		Items []Item
		// Extends: it was written as an addition to the row.
		Extends bool
	}
	// Filter keeps rows where Predicate is true.
	Filter struct {
		Input     Node
		Predicate Expr
	}
	// Aggregate groups by Keys.
	Aggregate struct {
		Input Node
		Keys  []Item
		Aggs  []Agg
	}
	// Distinct keeps one of each row.
	Distinct struct{ Input Node }
	// Sort orders.
	Sort struct {
		Input Node
		Keys  []Key
	}
	// Limit keeps the first N rows, or a sample of N.
	Limit struct {
		Input  Node
		N      Expr
		Offset Expr
		Sample bool
	}
	// Join joins on equal key columns. Cols are what it gives, of both sides.
	Join struct {
		Kind        string // innerunique inner leftouter rightouter fullouter leftanti rightanti leftsemi rightsemi cross
		Left, Right Node
		On          []Pair
		Cols        []Column
	}
	// Union stacks. From[i] has the expression over input i for a column; a
	// column that is not in it is null there: wildcards make unions wide and sparse.
	Union struct {
		Nodes []Node
		Cols  []Column
		From  []map[ID]Expr
	}
	// Expand opens dynamic values into rows. Rows become as many as the longest has.
	Expand struct {
		Input Node
		Items []Expanded
		Index *Column // position of the element
		Limit Expr
		Cols  []Column
	}
	// Apply runs Sub for each row of Input; Sub reads it through Outer.
	Apply struct {
		Input, Sub Node
		Cols       []Column
	}
	// Fold walks the rows in order and carries values from each to the next: First
	// before the first row; then Next, over a row's columns and the values so far. Its
	// columns are the rows' own, State after the row, and Place, the row's number.
	Fold struct {
		Input       Node
		State       []Column
		First, Next []Expr
		Place       Column
	}
	// Outer is the one row that Apply runs Sub for.
	Outer struct{ Cols []Column }
	// Shared is a node that is computed once and read by Refs.
	Shared struct {
		Number int
		Input  Node
		// Once: the text asked for it (materialize).
		Once bool
	}
	// Ref reads a Shared under ids of its own.
	Ref struct {
		Shared *Shared
		Cols   []Column
		From   []ID // the shared node's column of each
	}
)

// Sources of columns that tables don't have: the name of a row's table, and
// what Bag gives.
const (
	LabelSource = "\x00table"
	BagSource   = "\x00bag"
)

// Bag names the column of a table that may hold columns nobody declared.
func Bag(t *schema.Table) (schema.Column, bool) {
	if t.Name != "AzureDiagnostics" {
		return schema.Column{}, false
	}
	return t.Column("AdditionalFields")
}

// Pair is one equality of a join.
type Pair struct {
	Left, Right Expr
	Equal       bool
	// Match is the native function of both that says yes where they are not
	// compared for equality; "" for ipv4_in.
	Match string
}

// Expanded is one opened column.
type Expanded struct {
	Column
	X      Expr
	Arrays bool // bags become [key, value] instead of one-key bags
	// Fields are given instead of the element, where only they are read of it.
	Fields []Field
}

// Field is what an element that is an object has under a key, as a dynamic
// value or as its text; null or "" where it has none or is no object.
type Field struct {
	Column
	Key string
}

// Agg is an aggregate.
type Agg struct {
	Column
	Func  string
	Args  []Expr
	Where Expr // …if
	// Group numbers aggregates that must come from one row (arg_max); 0 for none.
	Group int
}

// Columns and Inputs of each node.
func (n *Scan) Columns() []Column     { return n.Cols }
func (n *Scans) Columns() []Column    { return n.Cols }
func (n *Values) Columns() []Column   { return n.Cols }
func (n *Series) Columns() []Column   { return []Column{n.Column} }
func (n *Project) Columns() []Column  { return columns(n.Items) }
func (n *Filter) Columns() []Column   { return n.Input.Columns() }
func (n *Distinct) Columns() []Column { return n.Input.Columns() }
func (n *Sort) Columns() []Column     { return n.Input.Columns() }
func (n *Limit) Columns() []Column    { return n.Input.Columns() }
func (n *Join) Columns() []Column     { return n.Cols }
func (n *Union) Columns() []Column    { return n.Cols }
func (n *Expand) Columns() []Column   { return n.Cols }
func (n *Apply) Columns() []Column    { return n.Cols }
func (n *Outer) Columns() []Column    { return n.Cols }
func (n *Fold) Columns() []Column {
	return append(append(append([]Column{}, n.Input.Columns()...), n.State...), n.Place)
}
func (n *Shared) Columns() []Column { return n.Input.Columns() }
func (n *Ref) Columns() []Column    { return n.Cols }
func (n *Aggregate) Columns() []Column {
	out := columns(n.Keys)
	for _, a := range n.Aggs {
		out = append(out, a.Column)
	}
	return out
}

func columns(items []Item) []Column {
	out := make([]Column, len(items), len(items)+4)
	for i, it := range items {
		out[i] = it.Column
	}
	return out
}

func (n *Scan) Inputs() []Node      { return nil }
func (n *Scans) Inputs() []Node     { return nil }
func (n *Values) Inputs() []Node    { return nil }
func (n *Series) Inputs() []Node    { return nil }
func (n *Project) Inputs() []Node   { return []Node{n.Input} }
func (n *Filter) Inputs() []Node    { return []Node{n.Input} }
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }
func (n *Distinct) Inputs() []Node  { return []Node{n.Input} }
func (n *Sort) Inputs() []Node      { return []Node{n.Input} }
func (n *Limit) Inputs() []Node     { return []Node{n.Input} }
func (n *Join) Inputs() []Node      { return []Node{n.Left, n.Right} }
func (n *Union) Inputs() []Node     { return n.Nodes }
func (n *Expand) Inputs() []Node    { return []Node{n.Input} }
func (n *Apply) Inputs() []Node     { return []Node{n.Input, n.Sub} }
func (n *Outer) Inputs() []Node     { return nil }
func (n *Fold) Inputs() []Node      { return []Node{n.Input} }
func (n *Shared) Inputs() []Node    { return []Node{n.Input} }
func (n *Ref) Inputs() []Node       { return []Node{n.Shared} }
