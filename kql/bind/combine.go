package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// joinKinds by the names that a text may use.
var joinKinds = map[string]string{
	"innerunique": "innerunique", "inner": "inner", "leftouter": "leftouter", "rightouter": "rightouter", "fullouter": "fullouter",
	"leftanti": "leftanti", "anti": "leftanti", "leftantisemi": "leftanti", "rightanti": "rightanti", "rightantisemi": "rightanti",
	"leftsemi": "leftsemi", "rightsemi": "rightsemi",
}

func (b *binder) join(n plan.Node, op *syntax.Join, c ctx) plan.Node {
	lookup := op.Word == "lookup"
	kind, otherwise := "", "innerunique"
	if lookup {
		otherwise = "leftouter"
	}
	written := word(op.Options, "kind", otherwise)
	if kind = joinKinds[written]; kind == "" {
		b.fail(optionAt(op, op.Options, "kind"), "KQL150", "'%s' is not a kind of join%s", written, oneOf(written, keysOf(joinKinds)))
	}
	if lookup && kind != "leftouter" && kind != "inner" {
		b.fail(optionAt(op, op.Options, "kind"), "KQL150", "'%s' is not a kind of lookup; want one of inner, leftouter", written)
	}
	right := b.tabular(op.Right, c.scope)
	j := &plan.Join{Kind: kind, Left: n, Right: right}
	lc := ctx{scope: c.scope, row: c.row}
	rc := ctx{scope: c.scope, row: newRow(right)}
	both := ctx{scope: c.scope, row: c.row, right: rc.row}
	keys := map[plan.ID]bool{}
	for _, x := range op.On {
		for _, part := range flatten(x, "and") {
			p := b.joinPair(part, lc, rc, both)
			if r, ok := p.Right.(*plan.ColumnRef); ok {
				keys[r.ID] = true
			}
			j.On = append(j.On, p)
		}
	}
	if len(op.On) == 0 {
		b.fail(op.At(), "KQL151", "the %s has no on: it says which columns must be equal", op.Word)
	}
	b.joinColumns(j, keys, lookup)
	return j
}

func keysOf[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// joinPair reads a (both sides have it), or $left.a == $right.b.
func (b *binder) joinPair(x syntax.Expr, left, right, both ctx) plan.Pair {
	x = unparen(x)
	if id, ok := x.(*syntax.Ident); ok {
		return b.samePair(b.name(id, ctx{scope: &scope{}, row: left.row}), b.name(id, ctx{scope: &scope{}, row: right.row}))
	}
	if eq, ok := x.(*syntax.Binary); ok && eq.Op == "==" {
		l, r := b.side(eq.X), b.side(eq.Y)
		if l == "$right" || r == "$left" {
			eq = &syntax.Binary{Span: eq.Span, Op: "==", X: eq.Y, Y: eq.X}
			l, r = r, l
		}
		if l == "$left" && r == "$right" {
			return b.samePair(b.scalar(eq.X, left), b.scalar(eq.Y, ctx{scope: right.scope, row: right.row, right: right.row}))
		}
	}
	b.fail(x.At(), "KQL152", "a join condition is a column's name or $left.a == $right.b")
	return plan.Pair{}
}

func (b *binder) side(x syntax.Expr) string {
	if p, ok := unparen(x).(*syntax.Path); ok {
		if id, ok := p.X.(*syntax.Ident); ok && (id.Text == "$left" || id.Text == "$right") {
			return id.Text
		}
	}
	return ""
}

// samePair gives both sides of an equality one type.
func (b *binder) samePair(l, r plan.Expr) plan.Pair {
	lt, rt := l.Type(), r.Type()
	switch {
	case lt == rt && lt != schema.Dynamic:
	case numeric(lt) && numeric(rt):
		w := wider(lt, rt)
		l, r = b.convert(l, w), b.convert(r, w)
	default:
		l, r = b.convert(l, schema.String), b.convert(r, schema.String)
	}
	return plan.Pair{Left: l, Right: r, Equal: true}
}

// joinColumns names what a join gives: left columns, then right ones, a
// name that is taken getting the next free number.
func (b *binder) joinColumns(j *plan.Join, rightKeys map[plan.ID]bool, lookup bool) {
	switch j.Kind {
	case "leftanti", "leftsemi":
		j.Cols = j.Left.Columns()
		return
	case "rightanti", "rightsemi":
		j.Cols = j.Right.Columns()
		return
	}
	names := b.newNames(j.Left.Columns()...)
	j.Cols = append(j.Cols, j.Left.Columns()...)
	var rest []plan.Column
	for _, col := range j.Right.Columns() {
		if !(lookup && rightKeys[col.ID]) {
			rest = append(rest, col)
		}
	}
	taken := b.newNames(append(append([]plan.Column{}, j.Left.Columns()...), rest...)...)
	for _, col := range rest {
		switch {
		case hidden(col):
		case names.taken[col.Name]:
			col.Name = taken.unique(col.Name)
			names.taken[col.Name] = true
		default:
			names.taken[col.Name] = true
		}
		j.Cols = append(j.Cols, col)
	}
}

// union stacks tables, matching columns by name; one name with several types
// becomes one column a type, unless the first two tables agree; see typedName.
func (b *binder) union(nodes []plan.Node, op *syntax.Union, s *scope) plan.Node {
	fuzzy := b.chosen(op, op.Options, "isfuzzy", "false", "true", "false") == "true"
	inner := b.chosen(op, op.Options, "kind", "outer", "inner", "outer") == "inner"
	if len(nodes) == 0 && len(op.Tables) == 1 && !inner {
		if w, ok := unparen(op.Tables[0]).(*syntax.Wildcard); ok {
			if n := b.scans(w.Pattern, word(op.Options, "withsource", ""), s); n != nil {
				return n
			}
		}
	}
	more, moreNames := b.tablesOf(op.Tables, s, fuzzy)
	labels := []string{}
	for range nodes {
		labels = append(labels, "union_arg0")
	}
	nodes, labels = append(nodes, more...), append(labels, moreNames...)
	if len(nodes) == 0 {
		if fuzzy {
			return &plan.Values{Cols: []plan.Column{b.column("Column1", schema.String)}}
		}
		b.fail(op.At(), "KQL153", "the union has no table")
	}
	return b.stack(nodes, labels, word(op.Options, "withsource", ""), inner)
}

// stack puts the rows of tables above each other, column to column by name and type.
// shown, if any are given, are the tables whose columns the union has: nodes and
// those that are known to give no rows.
func (b *binder) stack(nodes []plan.Node, labels []string, source string, inner bool, shown ...plan.Node) *plan.Union {
	if len(shown) == 0 {
		shown = nodes
	}
	u := &plan.Union{Nodes: nodes, From: make([]map[plan.ID]plan.Expr, len(nodes))}
	for i := range nodes {
		u.From[i] = map[plan.ID]plan.Expr{}
	}
	if source != "" {
		label := b.column(source, schema.String)
		u.Cols = append(u.Cols, label)
		for i := range nodes {
			u.From[i][label.ID] = &plan.Const{Typ: schema.String, Value: labels[i]}
		}
	}
	type slot struct {
		types []schema.Type
		seen  int
		one   bool // the first two are of one type
	}
	var order []string
	slots := map[string]*slot{}
	for _, n := range shown {
		b.reveal(n.Columns())
		for _, col := range n.Columns() {
			sl := slots[col.Name]
			if sl == nil {
				sl = &slot{}
				slots[col.Name] = sl
				order = append(order, col.Name)
			}
			sl.seen++
			known := false
			for _, t := range sl.types {
				known = known || t == col.Type
			}
			if !known {
				sl.types = append(sl.types, col.Type)
			}
			sl.one = sl.one || sl.seen == 2 && len(sl.types) == 1
		}
	}
	type slotKey struct {
		name string
		typ  schema.Type
	}
	made := map[slotKey]plan.ID{}
	merged := map[string]plan.Column{}
	for _, name := range order {
		sl := slots[name]
		if inner && (sl.seen < len(nodes) || len(sl.types) > 1) || name == source {
			continue
		}
		if sl.one && len(sl.types) > 1 {
			col := b.column(name, sl.types[0])
			u.Cols = append(u.Cols, col)
			merged[name] = col
			for _, t := range sl.types {
				own := b.column(typedName(name, t), t)
				u.Cols = append(u.Cols, own)
				made[slotKey{name, t}] = own.ID
			}
			continue
		}
		for _, t := range sl.types {
			out := name
			if len(sl.types) > 1 {
				out = name + "_" + t.String()
				if _, taken := slots[out]; taken {
					out += "1"
				}
			}
			col := b.column(out, t)
			u.Cols = append(u.Cols, col)
			made[slotKey{name, t}] = col.ID
		}
	}
	for i, n := range nodes {
		for _, col := range n.Columns() {
			if id, ok := made[slotKey{col.Name, col.Type}]; ok {
				u.From[i][id] = col.Ref()
			}
			if one, ok := merged[col.Name]; ok {
				u.From[i][one.ID] = b.convert(col.Ref(), one.Type)
			}
		}
	}
	return u
}

// typedName is the hidden name under which the values of one type can be read
// of a column that several types were made one: x_long. Tables whose columns
// of a name are of several types give a column a type, but where the first two
// agree one column of theirs: what the published binder says. Nothing is lost
// by it: the others' values are made values of that type.
func typedName(name string, t schema.Type) string {
	return open + standardMark + name + "_" + t.String()
}
