package bind

import (
	"fmt"
	"slices"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

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
	in := b.through(op, op.X, b.searched(nodes, names, op.X, s), s, func(t plan.Node, c ctx) (plan.Node, plan.Expr) {
		f := &plan.Filter{Input: t, Predicate: b.searchFor(op.X, c, exact)}
		return f, f.Predicate
	}, func(t, f plan.Node, never bool) plan.Node {
		if op.Tables != nil || f != nil && (!never || takesAny(t)) {
			return t
		}
		return nil // of tables that nobody named, those without a row that fits don't show
	})
	return b.stack(in.nodes, in.names, "$table", false, in.shown...)
}

// searched is several tables as one condition sees them.
type searched struct {
	all   []plan.Node // before those were left out that the condition doesn't concern
	nodes []plan.Node
	names []string
	rows  []*row
	types map[string]schema.Type // of the columns that the condition names
}

// sifted is what a condition on several tables comes to.
type sifted struct {
	nodes []plan.Node // what may give rows; at least one
	names []string    // of their tables
	shown []plan.Node // whose columns show
}

// through binds a condition to each of several tables by the columns of all of
// them: what one lacks is null there. sift gives a table's rows that fit, and
// the condition; show the node whose columns show for a table, nil for none,
// where f is nil if the table can't be asked.
func (b *binder) through(op syntax.Operator, x syntax.Expr, of searched, s *scope, sift func(plan.Node, ctx) (plan.Node, plan.Expr), show func(t, f plan.Node, never bool) plan.Node) (out sifted) {
	var spare plan.Node // gives no rows: stands where no other table does
	var spareName string
	for i, t := range of.nodes {
		errors := len(b.errors)
		var predicate plan.Expr
		b.quiet = len(of.all) > 1
		f := b.safely(func() (n plan.Node) {
			n, predicate = sift(t, ctx{scope: s.lacking(of.rows[i], of.types), row: of.rows[i]})
			return n
		})
		b.quiet = false
		if f == nil { // what the predicate asks for can't be asked of this table
			if i == len(of.nodes)-1 && len(out.nodes) == 0 && spare == nil {
				b.whyNone(op, x, of.all, errors, s)
				panic(stop{})
			}
			b.errors = b.errors[:errors]
			if n := show(t, nil, true); n != nil {
				out.shown = append(out.shown, n)
			}
			continue
		}
		never := b.never(predicate)
		if n := show(t, f, never); n != nil {
			out.shown = append(out.shown, n)
		}
		if never {
			spare, spareName = f, of.names[i]
			continue
		}
		out.nodes, out.names = append(out.nodes, f), append(out.names, of.names[i])
	}
	if len(out.nodes) == 0 {
		out.nodes, out.names = []plan.Node{spare}, []string{spareName}
		if len(out.shown) == 0 {
			out.shown = out.nodes
		}
	}
	b.seen = map[string]bool{}
	return out
}

// searched gives tables with their rows as a search sees them, and the types
// of the columns that its predicate names. Of several tables those columns count
// that are declared; a name that nobody declared is a column of the tables
// that take any.
func (b *binder) searched(nodes []plan.Node, names []string, x syntax.Expr, s *scope) searched {
	types := map[string]schema.Type{}
	var rows []*row
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
	return searched{nodes, nodes, names, rows, types}
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
		inner.names[name] = &entity{scalar: absent(t), used: true}
	}
	return inner
}

// absent is the value of a column that a table hasn't.
func absent(t schema.Type) *plan.Const {
	if t == schema.String {
		return &plan.Const{Typ: t, Value: ""}
	}
	return &plan.Const{Typ: t}
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

// find is search that gives named columns, or those of all tables and the rest
// packed. Source: the operator's page: a table that has none of the columns
// that the condition names is left out, and what another one lacks is null.
func (b *binder) find(op *syntax.Find, s *scope) plan.Node {
	list, all := op.Tables, op.Tables == nil
	if all {
		list = []syntax.Expr{&syntax.Wildcard{Span: op.At(), Pattern: "*"}}
	}
	nodes, names := b.tablesOf(list, s, all)
	if len(nodes) == 0 {
		b.fail(op.At(), "KQL153", "there is no table to search")
	}
	for _, x := range op.Items {
		b.someTableHas(x, nodes)
	}
	of := b.searched(nodes, names, op.X, s).concerned()
	give := givesOf(op, of)
	in := b.through(op, op.X, of, s, func(t plan.Node, c ctx) (plan.Node, plan.Expr) {
		f := &plan.Filter{Input: t, Predicate: b.searchFor(op.X, c, false)}
		if op.Items == nil {
			return b.smart(f, c, give), f.Predicate
		}
		return b.chosenOf(f, op.Items, s), f.Predicate
	}, func(_, f plan.Node, _ bool) plan.Node { return f })
	return b.stack(in.nodes, in.names, word(op.Options, "withsource", "source_"), false, in.shown...)
}

// gives is what find gives of each table where the text doesn't say it: the
// columns that all have, then those that the condition names, in its order,
// and the rest, if there is one, packed. Source: the official binder.
type gives struct {
	common map[string]bool
	named  []string
	types  map[string]schema.Type // of named
	packs  bool
}

func givesOf(op *syntax.Find, of searched) gives {
	g := gives{common: map[string]bool{}, types: of.types}
	count := map[string]int{}
	for _, n := range of.nodes {
		for _, col := range n.Columns() {
			if !hidden(col) {
				count[col.Name]++
			}
		}
	}
	for name, n := range count {
		g.common[name] = n == len(of.nodes)
	}
	for _, name := range namesIn(op.X) {
		if of.types[name] != 0 && !g.common[name] && !slices.Contains(g.named, name) {
			g.named = append(g.named, name)
		}
	}
	for name := range count {
		g.packs = g.packs || !g.common[name] && !slices.Contains(g.named, name)
	}
	return g
}

// concerned leaves the tables that have one of the columns that the condition
// names. One that names none concerns all.
func (of searched) concerned() searched {
	if len(of.types) == 0 {
		return of
	}
	left := searched{all: of.all, types: of.types}
	for i, row := range of.rows {
		for name := range of.types {
			_, ok := row.find(name)
			if !ok {
				_, ok = row.undeclared(name)
			}
			if ok {
				left.nodes, left.names, left.rows = append(left.nodes, of.nodes[i]), append(left.names, of.names[i]), append(left.rows, row)
				break
			}
		}
	}
	return left
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
	b.add(syntax.Error{Span: op.At(), Code: "KQL159", Message: fmt.Sprintf("none of the %s can be asked what the condition asks", times(len(nodes), "table"))})
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

// smart gives of a table's rows what find gives where the text doesn't say it.
func (b *binder) smart(n plan.Node, c ctx, give gives) plan.Node {
	p := &plan.Project{Input: n}
	var rest []plan.Expr
	for _, col := range n.Columns() {
		switch {
		case hidden(col) || slices.Contains(give.named, col.Name):
		case give.common[col.Name]:
			p.Items = append(p.Items, keep(col))
		default:
			rest = append(rest, &plan.Const{Typ: schema.String, Value: col.Name}, b.convert(col.Ref(), schema.Dynamic))
		}
	}
	for _, name := range give.named {
		if col, ok := c.row.find(name); ok {
			p.Items = append(p.Items, keep(col))
		} else if x, ok := c.row.undeclared(name); ok {
			p.Items = append(p.Items, b.item(name, x))
		} else {
			p.Items = append(p.Items, b.item(name, absent(give.types[name])))
		}
	}
	if give.packs {
		p.Items = append(p.Items, b.item("pack_", call("bag_pack", schema.Dynamic, rest...)))
	}
	return p
}

// chosenOf gives of a table's rows the columns that the text asks for, as far
// as the table has them.
func (b *binder) chosenOf(n plan.Node, items []syntax.Expr, s *scope) plan.Node {
	c := ctx{scope: s, row: newRow(n)}
	p := &plan.Project{Input: n}
	for _, x := range items {
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
