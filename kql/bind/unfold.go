package bind

import (
	"encoding/json"
	"sort"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// unfolds keeps count of the operators whose columns only rows can tell. Such
// an operator leaves a hidden column with a bag: what the rest of the query names is
// read from it. Where the rest shows all columns there are, that isn't enough: then the
// query asks, its rows answer which there are, and it is bound once more.
type unfolds struct {
	count    int
	open     map[plan.ID]int // hidden columns, by the operator's number
	asked    int             // the first that is shown whole
	question int             // the operator to ask about; 0 for none
	node     plan.Node       // the question
}

// pass makes a copy of a hidden column one too.
func (u *unfolds) pass(from, to plan.Column) {
	if n, ok := u.open[from.ID]; ok {
		u.open[to.ID] = n
	}
}

// reveal notes that all of these columns count, named or not.
func (b *binder) reveal(cols []plan.Column) {
	if len(b.unfolds.open) == 0 {
		return
	}
	for _, col := range cols {
		if n, ok := b.unfolds.open[col.ID]; ok && (b.unfolds.asked == 0 || n < b.unfolds.asked) {
			b.unfolds.asked = n
		}
	}
}

// unfold gives the columns that an operator makes, if they are known. question makes the table that tells: rows
// of one dynamic value, [name, type].
func (b *binder) unfold(op *syntax.Evaluate, bag plan.Column, question func() plan.Node) (columns []schema.Column, known bool) {
	u := &b.unfolds
	u.count++
	number := u.count
	if columns, known = b.env.Unfolded[number]; known {
		return columns, true
	}
	if u.open == nil {
		u.open = map[plan.ID]int{}
	}
	u.open[bag.ID] = number
	if number == u.question && u.node == nil {
		u.node = question()
	}
	b.errors = append(b.errors, syntax.Error{Span: op.At(), Code: "KQL904", Warning: true,
		Message: "which columns " + op.Call.Func.Text + " makes shows only at run time: the query runs faster when they are declared with ': (name:type, …)'"})
	return nil, false
}

// Question binds the table that tells which columns operator number makes:
// rows of one dynamic value. Root is nil where the text has no such operator.
func Question(q *syntax.Query, env Environment, number int) Result {
	b := newBinder(env)
	b.unfolds.question = number
	top := &scope{names: map[string]*entity{}}
	b.answers(q, top)
	return Result{Root: b.unfolds.node, Errors: b.errors}
}

// mostUnfolded is how many columns an operator may make of what rows hold.
const mostUnfolded = 2000

// Unfold reads the answer to a question: the columns in their order, and how many there would be.
func Unfold(answers []string) (columns []schema.Column, all int) {
	types := map[string]schema.Type{}
	for _, a := range answers {
		var pair []string
		if json.Unmarshal([]byte(a), &pair) != nil || len(pair) != 2 {
			continue
		}
		t, ok := schema.ParseType(pair[1])
		if !ok {
			t = schema.Dynamic
		}
		if have, ok := types[pair[0]]; ok && have != t {
			t = schema.Dynamic
		}
		types[pair[0]] = t
	}
	for name, t := range types {
		columns = append(columns, schema.Column{Name: name, Type: t})
	}
	sort.Slice(columns, func(i, j int) bool { return columns[i].Name < columns[j].Name })
	return columns[:min(len(columns), mostUnfolded)], len(columns)
}

// bagUnpack makes columns of a bag's keys.
// Source: Kusto, the bag_unpack plugin.
func (b *binder) bagUnpack(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	b.want(op.Call, 1, 4)
	bag := b.scalar(op.Call.Args[0], c)
	if bag.Type() == schema.String {
		bag = call("parse_json", schema.Dynamic, bag)
	}
	prefix, conflict, ignored := b.unpackSettings(op, c)
	ref, _ := b.scalar(op.Call.Args[0], c).(*plan.ColumnRef)
	get := func(key string, t schema.Type) plan.Expr { return b.convert(b.get(op.At(), bag, text(key)), t) }
	if op.Schema != nil {
		return b.unpackDeclared(n, op, ref, prefix, get)
	}
	open := b.item(open+prefix, b.convert(bag, schema.Dynamic))
	columns, known := b.unfold(op, open.Column, func() plan.Node {
		pairs := b.item("", call("bag_shape", schema.Dynamic, b.convert(bag, schema.Dynamic)))
		one := plan.Expanded{Column: b.column("", schema.Dynamic), X: pairs.Ref()}
		rows := &plan.Expand{Input: &plan.Project{Input: n, Items: []plan.Item{pairs}}, Items: []plan.Expanded{one}, Cols: []plan.Column{one.Column}}
		return &plan.Distinct{Input: &plan.Filter{Input: rows, Predicate: call("isnotnull", schema.Bool, one.Ref())}}
	})
	p := &plan.Project{Input: n}
	made := map[string]schema.Column{}
	var fresh []schema.Column
	if known {
		for _, col := range columns {
			if !ignored[col.Name] {
				made[prefix+col.Name] = col
				fresh = append(fresh, col)
			}
		}
	}
	for _, col := range n.Columns() {
		key, clash := made[col.Name]
		switch {
		case ref != nil && col.ID == ref.ID && clash: // the bag's own column may keep its name
			p.Items = append(p.Items, b.item(col.Name, get(key.Name, key.Type)))
			delete(made, col.Name)
		case ref != nil && col.ID == ref.ID:
		case clash && conflict == "replace_source":
		case clash && conflict == "keep_source":
			p.Items = append(p.Items, keep(col))
			delete(made, col.Name)
		case clash:
			b.fail(op.At(), "KQL168", "bag_unpack would make a second column '%s': say columnsConflict='replace_source' or 'keep_source', or give a prefix", col.Name)
		default:
			p.Items = append(p.Items, keep(col))
		}
	}
	for _, col := range fresh {
		if _, ok := made[prefix+col.Name]; ok {
			p.Items = append(p.Items, b.item(prefix+col.Name, get(col.Name, col.Type)))
		}
	}
	p.Items = append(p.Items, open)
	return p
}

// unpackSettings reads the arguments after the bag, by place or by name.
func (b *binder) unpackSettings(op *syntax.Evaluate, c ctx) (prefix, conflict string, ignored map[string]bool) {
	names := []string{"OutputColumnPrefix", "columnsConflict", "ignoredProperties"}
	conflict, ignored = "error", map[string]bool{}
	for i, a := range op.Call.Args[1:] {
		name := names[i]
		if named, ok := a.(*syntax.Named); ok {
			name, a = named.Names[0].Text, named.X
		}
		k, ok := b.constantOf(a, c).(*plan.Const)
		if !ok {
			b.fail(a.At(), "KQL135", "bag_unpack wants settings that are known before the query runs")
		}
		value, _ := k.Value.(string)
		switch name {
		case "OutputColumnPrefix", "column_prefix":
			prefix = value
		case "columnsConflict", "columns_conflict":
			if value != "error" && value != "replace_source" && value != "keep_source" {
				b.fail(a.At(), "KQL169", "'%s' is no way to treat a column that is there already: error, replace_source or keep_source is", value)
			}
			conflict = value
		case "ignoredProperties", "ignored_properties":
			for _, key := range textsIn(value) {
				ignored[key] = true
			}
		}
	}
	return prefix, conflict, ignored
}

// unpackDeclared gives the declared columns: of the rows, or of the bag. A leading * keeps all others.
func (b *binder) unpackDeclared(n plan.Node, op *syntax.Evaluate, ref *plan.ColumnRef, prefix string, get func(string, schema.Type) plan.Expr) plan.Node {
	p := &plan.Project{Input: n}
	row := newRow(n)
	declared := map[string]bool{}
	for _, col := range op.Schema.Columns {
		declared[col.Name.Text] = true
	}
	if op.Schema.Rest {
		for _, col := range n.Columns() {
			if (ref == nil || col.ID != ref.ID) && !declared[col.Name] && !hidden(col) {
				p.Items = append(p.Items, keep(col))
			}
		}
	}
	for _, col := range op.Schema.Columns {
		if in, ok := row.find(col.Name.Text); ok && (ref == nil || in.ID != ref.ID) {
			p.Items = append(p.Items, keep(in))
			continue
		}
		key := col.Name.Text
		if len(key) > len(prefix) && key[:len(prefix)] == prefix {
			key = key[len(prefix):]
		}
		p.Items = append(p.Items, b.item(col.Name.Text, get(key, col.Type)))
	}
	return p
}
