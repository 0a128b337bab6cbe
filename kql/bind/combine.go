package bind

import (
	"fmt"
	"slices"
	"strings"

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
	if lookup {
		return j
	}
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

// search looks for words in every column of tables.
func (b *binder) search(n plan.Node, op *syntax.Search, s *scope) plan.Node {
	exact := b.chosen(op, op.Options, "kind", "default", "default", "case_insensitive", "case_sensitive") == "case_sensitive"
	var nodes []plan.Node
	var names []string
	switch {
	case n != nil:
		f := &plan.Filter{Input: n, Predicate: b.searchFor(op.X, ctx{scope: s, row: newRow(n)}, exact)}
		return b.stack([]plan.Node{f}, []string{"search_arg0"}, "$table", false)
	case op.Tables != nil:
		nodes, names = b.tablesOf(op.Tables, s, false)
	default:
		if w, ok := unparen(op.X).(*syntax.Wildcard); ok && w.Pattern == "*" {
			if n := b.scans("*", "$table", s); n != nil {
				return n
			}
		}
		nodes, names = b.tablesOf([]syntax.Expr{&syntax.Wildcard{Span: op.At(), Pattern: "*"}}, s, true)
	}
	if len(nodes) == 0 {
		b.fail(op.At(), "KQL153", "there is no table to search")
	}
	var shown, kept []plan.Node
	var keptNames []string
	var spare plan.Node // gives no rows: stands where no other table does
	var spareName string
	rows, types := b.searched(nodes, op.X, s)
	for i, t := range nodes {
		errors := len(b.errors)
		b.quiet = len(nodes) > 1
		f := b.safely(func() plan.Node {
			c := ctx{scope: s.lacking(rows[i], types), row: rows[i]}
			return &plan.Filter{Input: t, Predicate: b.searchFor(op.X, c, exact)}
		})
		b.quiet = false
		if f == nil { // what the predicate asks for can't be asked of this table
			if i == len(nodes)-1 && len(kept) == 0 && spare == nil {
				b.whyNone(op, op.X, nodes, errors, s)
				panic(stop{})
			}
			b.errors = b.errors[:errors]
			if op.Tables != nil {
				shown = append(shown, t)
			}
			continue
		}
		never := b.never(f.(*plan.Filter).Predicate)
		if op.Tables != nil || !never || takesAny(t) { // of tables that nobody named, those without a row that fits don't show
			shown = append(shown, t)
		}
		if never {
			spare, spareName = f, names[i]
			continue
		}
		kept, keptNames = append(kept, f), append(keptNames, names[i])
	}
	if len(kept) == 0 {
		kept, keptNames = []plan.Node{spare}, []string{spareName}
		if len(shown) == 0 {
			shown = kept
		}
	}
	b.seen = map[string]bool{}
	return b.stack(kept, keptNames, "$table", false, shown...)
}

// searched gives the rows of tables as a search sees them, and the types of
// the columns that its predicate names. Of several tables those columns count
// that are declared; a name that nobody declared is a column of the tables
// that take any.
func (b *binder) searched(nodes []plan.Node, x syntax.Expr, s *scope) (rows []*row, types map[string]schema.Type) {
	types = map[string]schema.Type{}
	wanted := namesIn(x)
	for _, t := range nodes {
		r := newRow(t)
		if len(nodes) > 1 {
			r = declared(r)
		}
		rows = append(rows, r)
		for _, name := range wanted {
			if _, known := types[name]; known {
				continue
			}
			if c, ok := r.find(name); ok {
				types[name] = c.Type
			}
		}
	}
	for _, name := range wanted {
		if _, ok := s.find(name); ok || types[name] != 0 {
			continue
		}
		for i, t := range nodes {
			full := newRow(t)
			if found, ok := full.undeclared(name); ok {
				rows[i], types[name] = full, found.Type()
			}
		}
	}
	return rows, types
}

// lacking is a scope in which the columns that a table hasn't, but another one
// of the search has, are null: a search is over the columns of all its tables.
func (s *scope) lacking(r *row, types map[string]schema.Type) *scope {
	inner := s
	for name, t := range types {
		if _, ok := r.find(name); ok {
			continue
		}
		if inner == s {
			inner = s.child()
		}
		null := &plan.Const{Typ: t}
		if t == schema.String {
			null.Value = ""
		}
		inner.names[name] = &entity{scalar: null, used: true}
	}
	return inner
}

// takesAny tells that a table's rows have columns that nobody declared.
func takesAny(n plan.Node) bool {
	return slices.ContainsFunc(n.Columns(), func(c plan.Column) bool { return c.Name == open })
}

// never tells that a predicate is true of no row, whatever it holds.
func (b *binder) never(x plan.Expr) bool {
	if c, ok := x.(*plan.Call); ok && c.Func == "and" {
		return b.never(c.Args[0]) || b.never(c.Args[1])
	}
	k, ok := Fold(x, b.env.Now).(*plan.Const)
	return ok && k.Value != true
}

// declared is a row without the columns that nobody declared.
func declared(r *row) *row {
	var cols []plan.Column
	for _, c := range r.columns {
		if !hidden(c) {
			cols = append(cols, c)
		}
	}
	return rowOf(cols)
}

// searchFor binds a search predicate: a bare text is looked for in every column.
func (b *binder) searchFor(x syntax.Expr, c ctx, exact bool) plan.Expr {
	switch x := unparen(x).(type) {
	case *syntax.Wildcard:
		if x.Pattern == "*" {
			return &plan.Const{Typ: schema.Bool, Value: true}
		}
	case *syntax.Binary:
		switch x.Op {
		case "and", "or":
			left := b.searchFor(x.X, c, exact)
			if b.quiet && x.Op == "and" && b.never(left) {
				return left
			}
			return call(x.Op, schema.Bool, left, b.searchFor(x.Y, c, exact))
		}
		if isStar(x.X) {
			return b.anyColumn(c, func(col *syntax.Ident) plan.Expr {
				return b.scalar(&syntax.Binary{Span: x.Span, Op: x.Op, X: col, Y: x.Y}, c)
			})
		}
	case *syntax.In:
		if isStar(x.X) {
			return b.anyColumn(c, func(col *syntax.Ident) plan.Expr {
				return b.scalar(&syntax.In{Span: x.Span, Op: x.Op, X: col, List: x.List}, c)
			})
		}
		if b.quiet && !strings.HasPrefix(x.Op, "!") { // what a table lacks is in no list: a sub-query need not be read for each table
			if k, ok := b.scalar(x.X, c).(*plan.Const); ok && (k.Value == nil || k.Value == "") {
				return &plan.Const{Typ: schema.Bool, Value: false}
			}
		}
	case *syntax.Call:
		if x.Func.Text == "not" && len(x.Args) == 1 {
			return call("not", schema.Bool, b.searchFor(x.Args[0], c, exact))
		}
	case *syntax.Literal, *syntax.Ident:
		v := b.scalar(x, c)
		k, ok := Fold(v, b.env.Now).(*plan.Const)
		if !ok || v.Type() == schema.Bool {
			break
		}
		text, ok := b.convert(k, schema.String).(*plan.Const)
		if !ok {
			break
		}
		return b.anyText(c, text.Value.(string), exact)
	}
	return b.condition(x, c)
}

// anyText: the text as a term in any column; * at an end means any prefix or suffix.
func (b *binder) anyText(c ctx, text string, exact bool) plan.Expr {
	b.reveal(c.row.columns)
	op := "has"
	front, back := len(text) > 1 && text[0] == '*', len(text) > 1 && text[len(text)-1] == '*'
	switch {
	case text == "*":
		return &plan.Const{Typ: schema.Bool, Value: true}
	case front && back:
		op, text = "contains", text[1:len(text)-1]
	case front:
		op, text = "hassuffix", text[1:]
	case back:
		op, text = "hasprefix", text[:len(text)-1]
	}
	numbers := op == "has"
	if exact {
		op += "_cs"
	}
	// the texts of a row stand beside each other with a character between that ends a term
	parts := []plan.Expr{&plan.Const{Typ: schema.String, Value: "\x1f"}}
	for _, col := range c.row.columns {
		if col.Type == schema.String || col.Type == schema.Dynamic || col.Type == schema.Guid || numbers && (col.Type == schema.Int || col.Type == schema.Long) {
			parts = append(parts, b.convert(col.Ref(), schema.String))
		}
	}
	if len(parts) == 1 {
		return &plan.Const{Typ: schema.Bool, Value: false}
	}
	return call(op, schema.Bool, call("strcat_delim", schema.String, parts...), &plan.Const{Typ: schema.String, Value: text})
}

func (b *binder) anyColumn(c ctx, f func(*syntax.Ident) plan.Expr) plan.Expr {
	b.reveal(c.row.columns)
	var parts []plan.Expr
	for _, col := range c.row.columns {
		if col.Type == schema.String || col.Type == schema.Dynamic {
			parts = append(parts, f(&syntax.Ident{Name: syntax.Name{Text: col.Name, Quoted: true}}))
		}
	}
	if len(parts) == 0 {
		return &plan.Const{Typ: schema.Bool, Value: false}
	}
	return call("or", schema.Bool, parts...)
}

// find is search that gives named columns, or those of all tables and the rest packed.
func (b *binder) find(op *syntax.Find, s *scope) plan.Node {
	list, all := op.Tables, op.Tables == nil
	if all {
		list = []syntax.Expr{&syntax.Wildcard{Span: op.At(), Pattern: "*"}}
	}
	nodes, names := b.tablesOf(list, s, all)
	source := word(op.Options, "withsource", "source_")
	common := map[string]int{}
	for _, n := range nodes {
		for _, col := range n.Columns() {
			common[col.Name+"\x00"+col.Type.String()]++
		}
	}
	named := map[string]bool{} // columns that the condition names are given too, behind those of all tables
	for _, n := range nodes {
		row := newRow(n)
		for _, name := range namesIn(op.X) {
			if col, ok := row.find(name); ok {
				named[col.Name] = true
			}
		}
	}
	for _, x := range op.Items {
		b.someTableHas(x, nodes)
	}
	var stacked []plan.Node
	var kept []string
	for i, n := range nodes {
		errors := len(b.errors)
		b.quiet = len(nodes) > 1
		f := b.safely(func() plan.Node { return b.findIn(n, op, s, common, len(nodes), named) })
		b.quiet = false
		if f == nil {
			if i == len(nodes)-1 && len(stacked) == 0 {
				b.whyNone(op, op.X, nodes, errors, s)
				panic(stop{})
			}
			b.errors = b.errors[:errors]
			continue
		}
		stacked, kept = append(stacked, f), append(kept, names[i])
	}
	if len(stacked) == 0 {
		b.fail(op.At(), "KQL153", "there is no table to search")
	}
	return b.stack(stacked, kept, source, false)
}

// whyNone says why no table fits a condition, of which errors were noted since then.
func (b *binder) whyNone(op syntax.Operator, x syntax.Expr, nodes []plan.Node, errors int, s *scope) {
	if len(nodes) > 1 { // what one of the tables lacks another may have
		b.errors = slices.DeleteFunc(b.errors, func(e syntax.Error) bool { return e.Code == "KQL120" && strings.HasPrefix(e.Message, "no table has") })
		b.seen = map[string]bool{}
		b.noSuchColumn(x, nodes, s)
	}
	for _, e := range b.errors[min(errors, len(b.errors)):] {
		if !e.Warning {
			return
		}
	}
	b.add(syntax.Error{Span: op.At(), Code: "KQL159", Message: fmt.Sprintf("none of the %s has all columns that the condition names", times(len(nodes), "table"))})
}

// someTableHas refuses a column to give that no table has.
func (b *binder) someTableHas(x syntax.Expr, nodes []plan.Node) {
	id, ok := x.(*syntax.Ident)
	if !ok || len(nodes) == 0 {
		return
	}
	var all []string
	for _, n := range nodes {
		row := newRow(n)
		if _, found := row.find(id.Text); found {
			return
		}
		all = append(all, row.names()...)
	}
	b.fail(x.At(), "KQL120", "no table has a column '%s'%s", id.Text, didYouMean(id.Text, all))
}

// noSuchColumn reports the names of a condition that are a column of no table.
func (b *binder) noSuchColumn(x syntax.Expr, nodes []plan.Node, s *scope) {
	var all []string
	for _, n := range nodes {
		all = append(all, newRow(n).names()...)
	}
	for _, name := range namesIn(x) {
		if _, let := s.find(name); !let && !slices.Contains(all, name) {
			b.report(x.At(), "KQL120", "no table has a column '%s'%s", name, didYouMean(name, all))
		}
	}
}

func (b *binder) findIn(n plan.Node, op *syntax.Find, s *scope, common map[string]int, tables int, named map[string]bool) plan.Node {
	c := ctx{scope: s, row: newRow(n)}
	f := &plan.Filter{Input: n, Predicate: b.searchFor(op.X, c, false)}
	p := &plan.Project{Input: f}
	if op.Items != nil {
		for _, x := range op.Items {
			if cl, ok := x.(*syntax.Call); ok && cl.Func.Text == "pack" {
				p.Items = append(p.Items, b.item("pack_", b.packAll(&syntax.Call{}, c)))
				continue
			}
			name, _ := b.nameOf(x, c)
			if id, ok := x.(*syntax.Ident); ok {
				if _, found := c.row.find(id.Text); !found {
					continue
				}
			}
			p.Items = append(p.Items, b.item(name, b.scalar(x, c)))
		}
		return p
	}
	var rest []plan.Expr
	var behind []plan.Item
	for _, col := range n.Columns() {
		if hidden(col) {
			continue
		}
		if common[col.Name+"\x00"+col.Type.String()] == tables {
			p.Items = append(p.Items, keep(col))
			continue
		}
		if named[col.Name] {
			behind = append(behind, keep(col))
			continue
		}
		rest = append(rest, &plan.Const{Typ: schema.String, Value: col.Name}, b.convert(col.Ref(), schema.Dynamic))
	}
	p.Items = append(p.Items, behind...)
	p.Items = append(p.Items, b.item("pack_", call("bag_pack", schema.Dynamic, rest...)))
	return p
}

// namesIn lists the names that a condition uses.
func namesIn(x syntax.Expr) (out []string) {
	switch x := x.(type) {
	case *syntax.Ident:
		return []string{x.Text}
	case *syntax.Paren:
		return namesIn(x.X)
	case *syntax.Binary:
		return append(namesIn(x.X), namesIn(x.Y)...)
	case *syntax.In:
		return namesIn(x.X)
	case *syntax.Between:
		return namesIn(x.X)
	case *syntax.Call:
		for _, a := range x.Args {
			out = append(out, namesIn(a)...)
		}
	case *syntax.Path:
		return namesIn(x.X)
	case *syntax.Index:
		return namesIn(x.X)
	}
	return out
}
