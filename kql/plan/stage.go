package plan

// Stage computes rows in Go from all rows of its inputs at once: what SQL
// can't say. The stage sees its inputs' Items and Args; it answers with places,
// numbers of input rows, and values of its own. Rows never leave the engine:
// a place brings the columns of the input row that it numbers.
type Stage struct {
	// Func is the stage's name among those of package native.
	Func  string
	Reads []StageInput
	// Settings is what the stage does, as JSON; Args are values beside it.
	Settings string
	Args     []Expr
	// Places are the answer's row numbers: the input that each numbers.
	Places []int
	Cols   []Column
	From   []StageFrom // of each of Cols
}

// StageInput is a table and what of its rows the stage sees, as JSON.
type StageInput struct {
	Node  Node
	Items []Expr
}

// StageFrom says where a column comes from: place Place's row, its column ID; or
// the stage's own value number Value, where Place is negative.
type StageFrom struct {
	Place int
	ID    ID
	Value int
}

// Columns are those that the stage gives.
func (n *Stage) Columns() []Column { return n.Cols }

// Inputs are the tables whose rows the stage sees.
func (n *Stage) Inputs() []Node {
	out := make([]Node, len(n.Reads))
	for i, r := range n.Reads {
		out[i] = r.Node
	}
	return out
}
