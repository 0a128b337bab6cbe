package bind

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// tabular binds an expression that must be a table.
func (b *binder) tabular(x syntax.Expr, s *scope) plan.Node {
	b.count(x.At())
	switch x := unparen(x).(type) {
	case *syntax.Pipe:
		if x.Source == nil {
			b.fail(x.At(), "KQL102", "the pipeline has no source")
		}
		return b.pipe(b.tabular(x.Source, s), x.Ops, s)
	case *syntax.OperatorSource:
		return b.source(x, s)
	case *syntax.DataTable:
		return b.dataTable(x, s)
	case *syntax.External:
		return b.external(x, s)
	case *syntax.Ident:
		return b.named(x, s)
	case *syntax.Wildcard:
		return b.union([]plan.Node{}, &syntax.Union{Tables: []syntax.Expr{x}}, s)
	case *syntax.Call:
		return b.tableCall(x, s, nil)
	case *syntax.Bad:
		panic(stop{})
	case *syntax.Path:
		if e, call := s.patternOf(x.X); e != nil {
			return b.choose(e, call, x.Name.Text, s)
		}
		if isElsewhere(x) {
			return b.elsewhere(x, s)
		}
	}
	if lit, ok := unparen(x).(*syntax.Literal); ok && lit.Type == schema.String {
		b.fail(x.At(), "KQL103", "a table is expected here, not a text")
	}
	// a scalar query: one row, one column
	e := b.scalar(x, ctx{scope: s})
	c := b.column("print_0", e.Type())
	return &plan.Values{Cols: []plan.Column{c}, Rows: [][]plan.Expr{{e}}}
}

// named binds a name that must be a table.
func (b *binder) named(x *syntax.Ident, s *scope) plan.Node {
	if e, ok := s.find(x.Text); ok {
		switch {
		case e.broken:
			panic(stop{})
		case e.table != nil:
			return e.table()
		case e.lambda != nil:
			return b.tableCall(&syntax.Call{Span: x.At(), Func: x.Name}, s, nil)
		}
		if _, ok := b.env.Tables(x.Text); !ok && e.scalar != nil {
			c := b.column("print_0", e.scalar.Type())
			return &plan.Values{Cols: []plan.Column{c}, Rows: [][]plan.Expr{{e.scalar}}}
		}
	}
	if t, ok := b.env.Tables(x.Text); ok {
		return b.scan(t, b.env.RowID)
	}
	if f, ok := b.env.Functions[x.Text]; ok {
		return b.saved(x.Text, f, &syntax.Call{Span: x.At(), Func: x.Name}, s, nil)
	}
	if isService(x.Text) { // without brackets, as functions without parameters may be called
		return b.service(&syntax.Call{Span: x.At(), Func: x.Name}, s, nil)
	}
	b.unknownTable(x.Name, s)
	return nil
}

func (b *binder) unknownTable(name syntax.Name, s *scope) {
	names := s.all()
	if b.env.TableNames != nil {
		names = append(names, b.env.TableNames()...)
	}
	b.fail(name.Span, "KQL110", "there is no table, let name or function '%s'%s", name.Text, didYouMean(name.Text, names))
}

// optionAt is where an option's value stands, or the operator.
func optionAt(op syntax.Operator, options []syntax.Option, name string) syntax.Span {
	for _, o := range options {
		if o.Name.Text == name && o.Value != nil {
			return o.Value.At()
		}
	}
	return op.At()
}

// oneOf names the nearest of some words, or all.
func oneOf(word string, words []string) string {
	if near := didYouMean(word, words); near != "" {
		return near
	}
	sort.Strings(words)
	return "; want one of " + strings.Join(words, ", ")
}

// times counts a thing in words.
func times(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func didYouMean(word string, names []string) string {
	if near := syntax.Nearest(word, names); near != "" && near != word {
		return "; did you mean '" + near + "'?"
	}
	return ""
}

// scan reads a table within the time range of the request.
func (b *binder) scan(t *schema.Table, rowID string) plan.Node {
	n := &plan.Scan{Table: t, RowID: rowID}
	var time plan.Column
	for _, c := range t.Columns {
		col := b.column(c.Name, c.Type)
		n.Cols = append(n.Cols, col)
		n.Source = append(n.Source, c.Name)
		if c.Name == t.Time {
			time = col
		}
	}
	if b.env.Received != "" {
		n.Cols = append(n.Cols, b.column(open+b.env.Received, schema.DateTime))
		n.Source = append(n.Source, b.env.Received)
	}
	if rowID != "" {
		b.standard(n, t)
	}
	if bag, ok := plan.Bag(t); ok {
		return b.ranged(b.openUp(n, bag.Name), time)
	}
	return b.ranged(n, time)
}

// openUp lets columns be named that a table doesn't declare: they are read
// from one of its dynamic columns, or are null.
func (b *binder) openUp(n plan.Node, from string) plan.Node {
	p := &plan.Project{Input: n, Items: keepAll(n.Columns())}
	bag := plan.Expr(plan.Null(schema.Dynamic))
	for _, c := range n.Columns() {
		if c.Name == from {
			bag = b.convert(c.Ref(), schema.Dynamic)
		}
	}
	p.Items = append(p.Items, b.item(open, bag))
	return p
}

// ranged keeps the rows within the time range of the request.
func (b *binder) ranged(n plan.Node, time plan.Column) plan.Node {
	if time.ID == 0 || time.Type != schema.DateTime {
		return n
	}
	var parts []plan.Expr
	if b.env.From != 0 {
		parts = append(parts, call("ge", schema.Bool, time.Ref(), ticks(schema.DateTime, b.env.From)))
	}
	if b.env.To != 0 {
		parts = append(parts, call("lt", schema.Bool, time.Ref(), ticks(schema.DateTime, b.env.To)))
	}
	if len(parts) == 0 {
		return n
	}
	return &plan.Filter{Input: n, Predicate: conjunction(parts)}
}

func ticks(t schema.Type, v schema.Ticks) plan.Expr { return &plan.Const{Typ: t, Value: int64(v)} }

func call(f string, t schema.Type, args ...plan.Expr) *plan.Call {
	return &plan.Call{Func: f, Args: args, Typ: t}
}

func conjunction(parts []plan.Expr) plan.Expr {
	if len(parts) == 1 {
		return parts[0]
	}
	return call("and", schema.Bool, parts...)
}

func (b *binder) dataTable(d *syntax.DataTable, s *scope) plan.Node {
	n := &plan.Values{}
	b.declColumns(d.Columns, func(name string, t schema.Type) { n.Cols = append(n.Cols, b.column(name, t)) })
	if len(n.Cols) == 0 || len(d.Values)%len(n.Cols) != 0 {
		b.fail(d.At(), "KQL104", "the datatable has %s and %s: the last row is not full", times(len(n.Cols), "column"), times(len(d.Values), "value"))
	}
	for i := 0; i < len(d.Values); i += len(n.Cols) {
		row := make([]plan.Expr, len(n.Cols))
		for j := range row {
			if op, ok := d.Values[i+j].(*syntax.Binary); ok {
				b.fail(op.At(), "KQL107", "a datatable holds constants, not calculations")
			}
			v := b.scalar(d.Values[i+j], ctx{scope: s})
			b.fits(d.Values[i+j], v, n.Cols[j])
			row[j] = b.convert(v, n.Cols[j].Type)
		}
		n.Rows = append(n.Rows, row)
	}
	return n
}

func (b *binder) declColumns(decls []syntax.ColumnDecl, add func(string, schema.Type)) {
	seen := map[string]bool{}
	for _, c := range decls {
		if seen[c.Name.Text] {
			b.fail(c.Name.Span, "KQL105", "the column '%s' is declared twice", c.Name.Text)
		}
		seen[c.Name.Text] = true
		add(c.Name.Text, c.Type)
	}
}

// tableCall binds a call that gives a table; piped is the table before | invoke.
func (b *binder) tableCall(x *syntax.Call, s *scope, piped plan.Node) plan.Node {
	defer b.enter(x.At())()
	b.noPlace(x, s)
	name := x.Func.Text
	if e, ok := s.find(name); ok {
		if e.broken {
			panic(stop{})
		}
		if e.pattern != nil {
			return b.choose(e, x, "", s)
		}
		if e.lambda != nil {
			return b.apply(name, e.lambda, e.scope, x, s, piped)
		}
		if e.table != nil && len(x.Args) == 0 {
			return e.table()
		}
	}
	switch name {
	case "materialize":
		if len(x.Args) == 1 {
			return b.materialized(x, s).table()
		}
	case "table":
		if lit, ok := b.constant(x.Args, 0, s).(string); ok {
			return b.named(&syntax.Ident{Name: syntax.Name{Span: x.At(), Text: lit}}, s)
		}
	case "view":
		if len(x.Args) == 1 {
			return b.tabular(x.Args[0], s)
		}
	}
	if f, ok := b.env.Functions[name]; ok {
		return b.saved(name, f, x, s, piped)
	}
	if isService(name) {
		return b.service(x, s, piped)
	}
	b.fail(x.Func.Span, "KQL111", "there is no tabular function '%s'%s", name, didYouMean(name, s.all()))
	return nil
}

// constant gives the value of argument i if it is a constant.
func (b *binder) constant(args []syntax.Expr, i int, s *scope) any {
	if i >= len(args) {
		return nil
	}
	if c, ok := Fold(b.scalar(args[i], ctx{scope: s}), b.env.Now).(*plan.Const); ok {
		return c.Value
	}
	return nil
}

// apply binds a function's body with its parameters bound to the arguments.
func (b *binder) apply(name string, f *syntax.Lambda, written *scope, x *syntax.Call, s *scope, piped plan.Node) plan.Node {
	inner := b.bindParams(name, f, written, x, ctx{scope: s}, piped)
	now := b.unnamed
	b.unnamed = 0
	defer func() { b.unnamed = now }()
	return b.query(f.Body, inner)
}

func (b *binder) bindParams(name string, f *syntax.Lambda, written *scope, x *syntax.Call, c ctx, piped plan.Node) *scope {
	inner := written.child()
	args := x.Args
	params := f.Params
	if piped != nil && len(params) > 0 && params[0].Tabular {
		b.shared++
		shared := &plan.Shared{Number: b.shared, Input: piped}
		inner.names[params[0].Name.Text] = &entity{used: true, table: func() plan.Node { return b.ref(shared) }}
		params = params[1:]
	}
	given := map[string]syntax.Expr{}
	for i, a := range args {
		if n, ok := a.(*syntax.Named); ok && len(n.Names) == 1 {
			given[n.Names[0].Text] = n.X
			continue
		}
		if i >= len(params) {
			b.fail(a.At(), "KQL113", "the function '%s' takes %s", name, times(len(params), "argument"))
		}
		given[params[i].Name.Text] = a
	}
	for _, p := range params {
		a, ok := given[p.Name.Text]
		switch {
		case !ok && p.Default == nil:
			b.fail(x.At(), "KQL114", "the function '%s' needs a value for '%s'", name, p.Name.Text)
		case p.Tabular:
			arg, scope, from, p := a, c.scope, b.origin, p
			inner.names[p.Name.Text] = &entity{used: true, table: func() plan.Node {
				defer b.reading(from)()
				n := b.tabular(arg, scope)
				b.hasColumns(arg.At(), n, p)
				return n
			}}
		case !ok:
			inner.names[p.Name.Text] = &entity{scalar: b.convert(b.scalar(p.Default, ctx{scope: written}), p.Type)}
		default:
			inner.names[p.Name.Text] = &entity{scalar: b.convert(b.scalar(a, c), p.Type)}
		}
	}
	return inner
}

// source binds an operator that starts a pipeline.
func (b *binder) source(x *syntax.OperatorSource, s *scope) plan.Node {
	switch op := x.Op.(type) {
	case *syntax.Project: // print
		return b.print(op, s)
	case *syntax.Range:
		return b.rangeOp(op, s)
	case *syntax.Union:
		return b.union(nil, op, s)
	case *syntax.Search:
		return b.search(nil, op, s)
	case *syntax.Find:
		return b.find(op, s)
	case *syntax.Evaluate:
		if name := op.Call.Func.Text; name == "http_request" || name == "http_request_post" {
			return b.request(op.Call, s)
		}
	}
	b.fail(x.At(), "KQL106", "'%s' can't start a query: it needs a table before it", x.Op.Keyword())
	return nil
}

func (b *binder) print(op *syntax.Project, s *scope) plan.Node {
	n := &plan.Values{Rows: [][]plan.Expr{nil}}
	names := b.newNames()
	for i, x := range op.Items {
		for _, e := range b.outputs(x, ctx{scope: s}) {
			name := e.name
			if _, isNamed := x.(*syntax.Named); isNamed && names.taken[name] {
				b.fail(x.At(), "KQL140", "the column '%s' is given twice", name)
			}
			if _, isLet := unparen(x).(*syntax.Ident); isLet || !e.declared && (name == "" || e.single) {
				name = "print_" + itoa(i)
			}
			n.Cols = append(n.Cols, b.column(names.unique(name), e.x.Type()))
			n.Rows[0] = append(n.Rows[0], e.x)
		}
	}
	return n
}

func (b *binder) rangeOp(op *syntax.Range, s *scope) plan.Node {
	from, to, step := b.scalar(op.From, ctx{scope: s}), b.scalar(op.To, ctx{scope: s}), b.scalar(op.Step, ctx{scope: s})
	b.axis(op.Step, from, to, step)
	t := from.Type()
	if t == schema.Int {
		t = schema.Long
	}
	if t == schema.Long && (to.Type() == schema.Real || step.Type() == schema.Real) {
		t = schema.Real
	}
	st := t
	if t == schema.DateTime {
		st = schema.TimeSpan
	}
	return &plan.Series{Column: b.column(op.Name.Text, t), From: b.convert(from, t), To: b.convert(to, t), Step: b.convert(step, st)}
}

// tablesOf gives the tables that a list with wildcards means, and their names.
func (b *binder) tablesOf(list []syntax.Expr, s *scope, fuzzy bool) (nodes []plan.Node, names []string) {
	for i, x := range list {
		if w, ok := unparen(x).(*syntax.Wildcard); ok {
			found := b.matching(w.Pattern, s)
			views := s.views(w.Pattern)
			if len(found)+len(views) == 0 && !fuzzy {
				b.report(w.At(), "KQL115", "no table has a name like '%s'", w.Pattern)
			}
			for _, n := range found {
				t, ok := b.env.Tables(n)
				if !ok {
					continue
				}
				nodes, names = append(nodes, b.scan(t, b.env.RowID)), append(names, n)
			}
			for _, v := range views {
				nodes, names = append(nodes, b.named(&syntax.Ident{Name: syntax.Name{Span: w.At(), Text: v}}, s)), append(names, v)
			}
			continue
		}
		errors, seen := len(b.errors), b.seen
		n := b.safely(func() plan.Node { return b.tabular(x, s) })
		if n == nil {
			if fuzzy && b.unresolvedOnly(errors) {
				b.errors, b.seen = b.errors[:errors], seen
				continue
			}
			panic(stop{})
		}
		name := "union_arg" + itoa(i)
		if id, ok := unparen(x).(*syntax.Ident); ok {
			if e, isLet := s.find(id.Text); !isLet || e.lambda != nil && e.lambda.View {
				name = id.Text
			}
		}
		nodes, names = append(nodes, n), append(names, name)
	}
	return nodes, names
}

// unresolvedOnly tells whether the errors from n on are only tables that don't exist: isfuzzy forgives those.
func (b *binder) unresolvedOnly(n int) bool {
	for _, e := range b.errors[n:] {
		if !e.Warning && e.Code != "KQL110" && e.Code != "KQL111" {
			return false
		}
	}
	return true
}

func (b *binder) matching(pattern string, s *scope) []string {
	var out []string
	if b.env.TableNames == nil {
		return nil
	}
	for _, n := range b.env.TableNames() {
		if pattern == "*" {
			out = append(out, n)
			continue
		}
		if ok, _ := path.Match(pattern, n); ok {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}

// views lists the let functions without parameters that say they are views: wildcards mean them too.
func (s *scope) views(pattern string) (out []string) {
	for at := s; at != nil; at = at.parent {
		for name, e := range at.names {
			if e.lambda != nil && e.lambda.View && len(e.lambda.Params) == 0 && matches(pattern, name) {
				out = append(out, name)
			}
		}
	}
	sort.Strings(out)
	return slices.Compact(out)
}

func matches(pattern, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(strings.ReplaceAll(pattern, `\`, `\\`), "[", `\[`), name)
	return ok && err == nil
}
