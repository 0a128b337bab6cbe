package kql

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/kql/bind"
	"lockstep/kql/plan"
	"lockstep/schema"
)

// Tree is a plan as an explanation shows it: an operator, what it does, and
// what it reads.
type Tree struct {
	Operator string   `json:"operator"`         // filter, scan DeviceEvents, join inner …
	Does     []string `json:"does,omitempty"`   // conditions, items, keys: one a line, in the words of KQL
	Columns  []string `json:"columns"`          // of its rows
	Reads    []*Tree  `json:"reads,omitempty"`  // its inputs, in order
	Within   []*Tree  `json:"within,omitempty"` // tables inside its expressions
}

// Tree gives the rewritten plan that the statement was made of.
func (p *Program) Tree() *Tree {
	t := &teller{columns: map[plan.ID]string{}, told: map[*plan.Shared]bool{}}
	plan.Each(p.root, func(n plan.Node) {
		for _, c := range n.Columns() {
			t.columns[c.ID] = named(c)
		}
	})
	return t.tree(p.root)
}

// String draws the tree, an operator a line, inputs indented under what reads them.
func (t *Tree) String() string {
	var b strings.Builder
	t.draw(&b, "")
	return b.String()
}

func (t *Tree) draw(b *strings.Builder, indent string) {
	b.WriteString(indent + t.Operator)
	if len(t.Columns) > 0 {
		b.WriteString(" → " + someOf(t.Columns))
	}
	b.WriteByte('\n')
	for _, line := range t.Does {
		b.WriteString(indent + "  · " + line + "\n")
	}
	for _, in := range t.Within {
		b.WriteString(indent + "  within an expression:\n")
		in.draw(b, indent+"    ")
	}
	for _, in := range t.Reads {
		in.draw(b, indent+"  ")
	}
}

// someOf names the first columns of many.
func someOf(names []string) string {
	const most = 12
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}

// teller words a plan. Columns are known by name: the number that tells two of
// one name apart shows where a node reads both.
type teller struct {
	columns map[plan.ID]string
	twice   map[string]bool // names that several columns in sight have
	told    map[*plan.Shared]bool
}

func (t *teller) tree(n plan.Node) *Tree {
	if ref, ok := n.(*plan.Ref); ok {
		return t.ref(ref)
	}
	t.sight(n)
	out := &Tree{Columns: names(n.Columns())}
	out.Operator, out.Does = t.words(n)
	var inside []plan.Node
	plan.Exprs(n, func(x plan.Expr) { inside = append(inside, plan.Tables(x)...) })
	for _, in := range inside {
		out.Within = append(out.Within, t.tree(in))
	}
	for _, in := range n.Inputs() {
		out.Reads = append(out.Reads, t.tree(in))
	}
	return out
}

// ref shows a shared table in full where it is read first.
func (t *teller) ref(n *plan.Ref) *Tree {
	out := &Tree{Operator: "shared " + strconv.Itoa(n.Shared.Number), Columns: names(n.Cols)}
	if n.Shared.Once {
		out.Operator += " (computed once)"
	}
	if t.told[n.Shared] {
		out.Operator += ", as above"
		return out
	}
	t.told[n.Shared] = true
	out.Reads = []*Tree{t.tree(n.Shared.Input)}
	return out
}

// sight notes which names need their numbers in a node's expressions.
func (t *teller) sight(n plan.Node) {
	t.twice = map[string]bool{}
	seen := map[string]plan.ID{}
	for _, in := range n.Inputs() {
		for _, c := range in.Columns() {
			if id, ok := seen[c.Name]; ok && id != c.ID {
				t.twice[c.Name] = true
			}
			seen[c.Name] = c.ID
		}
	}
}

func names(columns []plan.Column) []string {
	out := make([]string, 0, len(columns))
	for _, c := range columns {
		if !strings.HasPrefix(c.Name, "\x00") {
			out = append(out, named(c))
		}
	}
	return out
}

// named gives a column's name; one that no text can name goes by its number.
func named(c plan.Column) string {
	if c.Name == "" {
		return "#" + strconv.Itoa(int(c.ID))
	}
	return c.Name
}

// words says what a node is and does.
func (t *teller) words(n plan.Node) (operator string, does []string) {
	switch n := n.(type) {
	case *plan.Scan:
		return "scan " + n.Table.Name, nil
	case *plan.Scans:
		tables := make([]string, len(n.Tables))
		for i, table := range n.Tables {
			tables[i] = table.Name
		}
		return "scan " + counted(len(tables), "table"), append([]string{someOf(tables)}, bounds(n.From, n.To)...)
	case *plan.Values:
		return "values, " + counted(len(n.Rows), "row"), nil
	case *plan.Series:
		return "range", []string{t.expr(n.From) + " to " + t.expr(n.To) + " step " + t.expr(n.Step)}
	case *plan.Project:
		return "project", t.items(n.Items)
	case *plan.Filter:
		return "filter", t.conditions(n.Predicate)
	case *plan.Aggregate:
		return "aggregate", t.aggregate(n)
	case *plan.Distinct:
		return "distinct", nil
	case *plan.Sort:
		return "sort", t.keys(n.Keys)
	case *plan.Limit:
		return t.limit(n), nil
	case *plan.Join:
		return "join " + n.Kind, t.pairs(n.On)
	case *plan.Union:
		return "union of " + counted(len(n.Nodes), "input"), nil
	case *plan.Expand:
		for _, it := range n.Items {
			does = append(does, it.Name+" = each of "+t.expr(it.X))
		}
		return "expand", does
	case *plan.Apply:
		return "apply to each row", nil
	case *plan.Outer:
		return "the row at hand", nil
	case *plan.Fold:
		for i, c := range n.State {
			does = append(does, named(c)+" = "+t.expr(n.Next[i])+", first "+t.expr(n.First[i]))
		}
		return "fold over the rows in order", does
	case *plan.Stage:
		return "step in Go: " + n.Func, nil
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", n), "*plan.")), nil
}

func bounds(from, to schema.Ticks) (out []string) {
	if from != 0 {
		out = append(out, "from "+from.String())
	}
	if to != 0 {
		out = append(out, "before "+to.String())
	}
	return out
}

func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}

// items gives what is computed; a column that is kept says nothing.
func (t *teller) items(items []plan.Item) (out []string) {
	for _, it := range items {
		if ref, ok := it.X.(*plan.ColumnRef); ok && t.columns[ref.ID] == named(it.Column) || strings.HasPrefix(it.Name, "\x00") {
			continue
		}
		out = append(out, named(it.Column)+" = "+t.expr(it.X))
	}
	return out
}

func (t *teller) conditions(x plan.Expr) []string {
	if and, ok := x.(*plan.Call); ok && and.Func == "and" {
		var out []string
		for _, a := range and.Args {
			out = append(out, t.conditions(a)...)
		}
		return out
	}
	return []string{t.expr(x)}
}

func (t *teller) aggregate(n *plan.Aggregate) (out []string) {
	for _, a := range n.Aggs {
		line := named(a.Column) + " = " + a.Func + "(" + t.list(a.Args) + ")"
		if a.Where != nil {
			line += " where " + t.expr(a.Where)
		}
		out = append(out, line)
	}
	for _, k := range n.Keys {
		if x := t.expr(k.X); x != k.Name {
			out = append(out, "by "+named(k.Column)+" = "+x)
		} else {
			out = append(out, "by "+x)
		}
	}
	return out
}

func (t *teller) keys(keys []plan.Key) (out []string) {
	for _, k := range keys {
		line := t.expr(k.X)
		if k.Desc {
			line += " desc"
		} else {
			line += " asc"
		}
		if k.NullsFirst != !k.Desc { // the language's own place of nulls
			line += map[bool]string{true: " nulls first", false: " nulls last"}[k.NullsFirst]
		}
		out = append(out, line)
	}
	return out
}

func (t *teller) limit(n *plan.Limit) string {
	out := "first " + t.expr(n.N)
	if n.Sample {
		out = "sample of " + t.expr(n.N)
	}
	if n.Offset != nil {
		out += " after " + t.expr(n.Offset)
	}
	return out
}

func (t *teller) pairs(on []plan.Pair) (out []string) {
	for _, p := range on {
		op := " == "
		if p.Match != "" {
			op = " " + p.Match + " "
		}
		out = append(out, t.expr(p.Left)+op+t.expr(p.Right))
	}
	return out
}

func (t *teller) list(args []plan.Expr) string {
	out := make([]string, 0, len(args))
	for _, a := range args[:min(len(args), mostParts)] {
		out = append(out, t.expr(a))
	}
	if more := len(args) - len(out); more > 0 {
		out = append(out, "… "+strconv.Itoa(more)+" more")
	}
	return strings.Join(out, ", ")
}

// mostParts is how many parts of a long expression show: an analyst's list of
// indicators, or a search of every column.
const mostParts = 12

// infix are the calls that stand between their arguments, by the plan's names.
var infix = map[string]string{
	"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "and": "and", "or": "or", "=~": "=~",
	"has": "has", "has_cs": "has_cs", "hasprefix": "hasprefix", "hasprefix_cs": "hasprefix_cs", "hassuffix": "hassuffix", "hassuffix_cs": "hassuffix_cs",
	"contains": "contains", "contains_cs": "contains_cs", "startswith": "startswith", "startswith_cs": "startswith_cs", "endswith": "endswith", "endswith_cs": "endswith_cs",
	"matches regex": "matches regex",
}

// expr writes an expression in the words of KQL.
func (t *teller) expr(x plan.Expr) string {
	switch x := x.(type) {
	case nil:
		return ""
	case *plan.ColumnRef:
		name := strings.TrimPrefix(t.columns[x.ID], "\x00")
		if t.twice[t.columns[x.ID]] {
			name += "#" + strconv.Itoa(int(x.ID))
		}
		return name
	case *plan.Const:
		return constant(x)
	case *plan.Call:
		return t.call(x)
	case *plan.Window:
		return x.Func + "(" + t.list(x.Args) + ")"
	case *plan.Scalar:
		if x.List {
			return "the list of a table"
		}
		return "toscalar(a table)"
	case *plan.InTable:
		return t.expr(x.X) + map[bool]string{true: " in~ ", false: " in "}[x.Fold] + "(a table)"
	}
	return fmt.Sprintf("%T", x)
}

func (t *teller) call(x *plan.Call) string {
	op, ok := infix[x.Func]
	switch {
	case ok && len(x.Args) > 1:
		args := x.Args[:min(len(x.Args), mostParts)]
		parts := make([]string, len(args))
		for i, a := range args {
			parts[i] = t.expr(a)
			if inner, is := a.(*plan.Call); is && infix[inner.Func] != "" {
				parts[i] = "(" + parts[i] + ")"
			}
		}
		if more := len(x.Args) - len(args); more > 0 {
			parts = append(parts, "… "+strconv.Itoa(more)+" more")
		}
		return strings.Join(parts, " "+op+" ")
	case x.Func == "get" && len(x.Args) == 2:
		return t.expr(x.Args[0]) + "[" + t.expr(x.Args[1]) + "]"
	case (x.Func == "in" || x.Func == "in~" || x.Func == "has_any" || x.Func == "has_all") && len(x.Args) > 1:
		return t.expr(x.Args[0]) + " " + x.Func + " (" + t.list(x.Args[1:]) + ")"
	}
	return x.Func + "(" + t.list(x.Args) + ")"
}

// constant writes a value as a text would; a long one is cut, and says so.
func constant(c *plan.Const) string {
	switch v := c.Value.(type) {
	case nil:
		return c.Typ.String() + "(null)"
	case string:
		if c.Typ == schema.String {
			return shortened(strconv.Quote(v))
		}
		return c.Typ.String() + "(" + shortened(v) + ")"
	case int64:
		switch c.Typ {
		case schema.DateTime:
			return "datetime(" + schema.Ticks(v).String() + ")"
		case schema.TimeSpan:
			return "timespan(" + bind.FormatTimespan(schema.Ticks(v)) + ")"
		}
	}
	return fmt.Sprint(c.Value)
}

func shortened(s string) string {
	const most = 200
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + fmt.Sprintf("… (%d characters)", len(runes))
}
