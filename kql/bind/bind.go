// Package bind says what the names in a KQL text mean: tables, columns, let
// values and functions, built-in functions and their result types and names.
// It turns syntax into a plan, or says what is wrong with the words to mend
// it. It leaves how a plan is made faster, and how it is run, to others.
package bind

import (
	"fmt"
	"sort"

	"lockstep/kql/catalog"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// Environment is what names in a query can mean: values handed in, no I/O.
type Environment struct {
	// Tables finds a table by name.
	Tables func(name string) (*schema.Table, bool)
	// TableNames lists all names that a wildcard can mean; nil for none.
	TableNames func() []string
	// Elsewhere finds a table that the text names with its place, under a name of its own: nil
	// where the place lacks it. A reason says why the place can't be read; nil reads no place.
	Elsewhere func(p Place, table string) (t *schema.Table, reason string)
	// Watchlists finds a watchlist by its alias: its own columns and SearchKey,
	// _DTItemId, LastUpdatedTimeUTC, under the table name that a scan is to ask for. nil for none.
	Watchlists func(alias string) (*schema.Table, bool)
	// WatchlistNames gives the aliases of all watchlists, as they are written.
	WatchlistNames func() []string
	// External gives the table that data from other hosts will fill, under the name
	// that a scan is to ask for; nil: there are none, and a warning says so.
	External func(asked External) *schema.Table
	// Functions are saved functions by name.
	Functions map[string]Function
	// Places: the engine has a database of places for addresses.
	Places bool
	// Shapes remembers what wildcards came to, between compilations; nil for no memory.
	Shapes *Shapes
	// Unfolded are the columns that operators whose columns only rows can tell
	// (bag_unpack, pivot) make, by their number in the text; see Question.
	Unfolded map[int][]schema.Column
	// Now is the time that now() and ago() count from.
	Now schema.Ticks
	// Received names the hidden column of tables that says when a row was taken in; "" for none.
	Received string
	// Standard are columns that every workspace table has for those who name them.
	// They are asked of a scan under these names; a table's own column of the name stands.
	Standard []schema.Column
	// RowID names the hidden column of tables whose value no two rows share; "" for none.
	// It isn't read of watchlists and of what comes from outside.
	RowID string
	// From and To bound the time column of each table, To exclusive; 0 is open.
	From, To schema.Ticks
}

// Function is a saved function: KQL text with parameters.
type Function struct {
	Parameters string // as written between the brackets: "a:string, T:(*)"
	Body       string
}

// Result is one result table of a bound query.
type Result struct {
	Root   plan.Node
	Name   string // that the text gives the table; "" for none
	Render *syntax.Render
	Errors []syntax.Error // of the whole text
	// Tables is how many the text has.
	Tables int
	Limits Limits // of the whole text
	// Asks is the number, from 1, of the operator whose columns only rows can tell
	// and that the answer shows; 0 for none. See Question and Environment.Unfolded.
	Asks int
}

func newBinder(env Environment) *binder {
	return &binder{env: env, catalog: catalog.Default(), seen: map[string]bool{}, serialized: map[plan.Node]bool{}}
}

// Query binds a parsed text and gives its result table of a number, from 0. Root is nil
// when there is an error that is no warning. Plans of several tables share nodes:
// who wants another one binds the text again.
func Query(q *syntax.Query, env Environment, table int) Result {
	b := newBinder(env)
	top := &scope{names: map[string]*entity{}}
	answers := b.answers(q, top)
	for _, e := range b.unused(top) {
		b.safely(func() plan.Node { return e.table() })
	}
	r := Result{Tables: len(answers)}
	if table < len(answers) {
		r.Name, r.Render, r.Root = answers[table].name, answers[table].render, answers[table].node
		b.reveal(r.Root.Columns())
	}
	r.Errors, r.Asks, r.Limits = b.errors, b.unfolds.asked, b.limits
	for _, e := range b.errors {
		if !e.Warning {
			r.Root = nil
		}
	}
	return r
}

// most is how many operators a query may bind to.
const most = 20000

type binder struct {
	env     Environment
	catalog *catalog.Catalog
	errors  []syntax.Error
	seen    map[string]bool // errors reported: a let body is bound at each use
	last    plan.ID
	nodes   int
	depth   int
	shared  int
	group   int
	unknown map[plan.ID]bool // columns whose type nobody knows
	unnamed int              // how many columns got a number for a name
	render  *syntax.Render
	origin  *origin            // the saved function at hand; nil for the query's own text
	parsed  map[string]*entity // saved functions that were read
	graphs  bool               // the text makes one
	unfolds unfolds
	limits  Limits
	// serialized are the nodes whose rows the text gave an order
	serialized map[plan.Node]bool
	// quiet: errors only tell which tables of many a condition doesn't fit
	quiet bool
	// lastNode and lastRow remember rowFor's answer
	lastNode plan.Node
	lastRow  *row
}

// stop ends the binding of what contains an error; see safely.
type stop struct{}

func (b *binder) safely(f func() plan.Node) (n plan.Node) {
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(stop); !is {
				panic(r)
			}
			n = nil
		}
	}()
	return f()
}

func (b *binder) report(at syntax.Span, code, format string, args ...any) {
	e := syntax.Error{Span: at, Code: code, Message: fmt.Sprintf(format, args...)}
	key := fmt.Sprint(e)
	if b.origin != nil {
		key += b.origin.name
	}
	if !b.seen[key] {
		b.seen[key] = true
		b.add(e)
	}
}

func (b *binder) fail(at syntax.Span, code, format string, args ...any) {
	b.report(at, code, format, args...)
	panic(stop{})
}

func (b *binder) unsupported(at syntax.Span, what string) {
	b.fail(at, "KQL900", "%s is not supported yet", what)
}

func (b *binder) column(name string, t schema.Type) plan.Column {
	b.last++
	return plan.Column{ID: b.last, Name: name, Type: t}
}

func (b *binder) item(name string, x plan.Expr) plan.Item {
	it := plan.Item{Column: b.column(name, x.Type()), X: x}
	if b.untyped(x) {
		b.unknown[it.ID] = true
	}
	return it
}

// keep passes a column on under its own id.
func keep(c plan.Column) plan.Item { return plan.Item{Column: c, X: c.Ref()} }

func keepAll(cols []plan.Column) []plan.Item {
	items := make([]plan.Item, len(cols), len(cols)+4)
	for i, c := range cols {
		items[i] = keep(c)
	}
	return items
}

// count guards against texts that grow without bound when let names are used over and over.
func (b *binder) count(at syntax.Span) {
	if b.nodes++; b.nodes > most {
		b.fail(at, "KQL190", "the query is too large: its let statements come to more than %d operators", most)
	}
}

func (b *binder) enter(at syntax.Span) func() {
	if b.depth++; b.depth > 400 {
		b.depth = 0
		b.fail(at, "KQL191", "functions and let statements call each other too deeply")
	}
	return func() { b.depth-- }
}

// query binds statements and gives the table of the last expression.
func (b *binder) query(q *syntax.Query, s *scope) plan.Node {
	var result plan.Node
	for i, st := range q.Statements {
		x, ok := st.(*syntax.Expression)
		if !ok {
			b.statement(st, s)
			continue
		}
		if i < len(q.Statements)-1 {
			if _, more := q.Statements[len(q.Statements)-1].(*syntax.Expression); more && result == nil {
				b.safely(func() plan.Node { return b.tabular(x.X, s) })
				continue
			}
		}
		result = b.tabular(x.X, s)
	}
	if result == nil {
		return b.nothing(q)
	}
	return result
}

// statement binds one that gives no table.
func (b *binder) statement(st syntax.Statement, s *scope) {
	switch st := st.(type) {
	case *syntax.Let:
		b.let(st, s)
	case *syntax.Declare:
		b.declare(st, s)
	case *syntax.Pattern:
		s.names[st.Name.Text] = &entity{pattern: st, scope: s.snapshot()}
	case *syntax.Set:
		b.set(st, s)
	}
}

// nothing is the answer to a text without a query.
func (b *binder) nothing(q *syntax.Query) plan.Node {
	var at syntax.Span
	if n := len(q.Statements); n > 0 {
		at = q.Statements[n-1].At()
	}
	b.add(syntax.Error{Span: at, Code: "KQL100", Message: "there is no query: the text ends after its let statements", Warning: true})
	return &plan.Values{}
}

func (b *binder) declare(d *syntax.Declare, s *scope) {
	for _, p := range d.Params {
		if p.Default == nil {
			b.report(p.Name.Span, "KQL101", "the query parameter '%s' has no value and no default", p.Name.Text)
			continue
		}
		s.names[p.Name.Text] = &entity{scalar: b.convert(b.scalar(p.Default, ctx{scope: s}), p.Type)}
	}
}

func (b *binder) let(l *syntax.Let, s *scope) {
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(stop); !is {
				panic(r)
			}
			s.names[l.Name.Text] = &entity{broken: true}
		}
	}()
	x := unparen(l.X)
	if s.own[l.Name.Text] {
		b.report(l.Name.Span, "KQL119", "the name '%s' has a meaning already", l.Name.Text)
	}
	s.declare(l.Name.Text)
	if f, ok := x.(*syntax.Lambda); ok {
		s.names[l.Name.Text] = &entity{lambda: f, scope: s.snapshot()}
		return
	}
	inner := s.snapshot()
	if call, ok := x.(*syntax.Call); ok && call.Func.Text == "materialize" && len(call.Args) == 1 {
		s.names[l.Name.Text] = b.materialized(call, inner)
		return
	}
	if b.isTable(x, s) {
		e := &entity{order: len(s.names)}
		e.table = func() plan.Node {
			defer b.enter(l.Name.Span)()
			defer b.again(e)()
			return b.tabular(x, inner)
		}
		s.names[l.Name.Text] = e
		return
	}
	s.names[l.Name.Text] = &entity{scalar: b.scalar(x, ctx{scope: inner})}
}

// again gives the unnamed columns of a let table the same names at each use.
func (b *binder) again(e *entity) (after func()) {
	if !e.used {
		e.used, e.unnamed = true, b.unnamed
		return func() {}
	}
	now := b.unnamed
	b.unnamed = e.unnamed
	return func() { b.unnamed = now }
}

// materialized binds the argument once; each use reads the same rows.
func (b *binder) materialized(call *syntax.Call, s *scope) *entity {
	b.shared++
	shared := &plan.Shared{Number: b.shared, Input: b.tabular(call.Args[0], s), Once: true}
	return &entity{used: true, table: func() plan.Node { return b.ref(shared) }}
}

func (b *binder) ref(shared *plan.Shared) plan.Node {
	r := &plan.Ref{Shared: shared}
	for _, c := range shared.Columns() {
		r.Cols = append(r.Cols, b.column(c.Name, c.Type))
		r.From = append(r.From, c.ID)
		b.unfolds.pass(c, r.Cols[len(r.Cols)-1])
		if b.unknown[c.ID] {
			b.unknown[r.Cols[len(r.Cols)-1].ID] = true
		}
	}
	return r
}

// unused gives the tabular let names that nothing read, in order: their errors count all the same.
func (b *binder) unused(s *scope) []*entity {
	var out []*entity
	for _, e := range s.names {
		if e.table != nil && !e.used {
			out = append(out, e)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].order < out[j].order })
	return out
}

// scope is the names that let statements and parameters give a meaning.
type scope struct {
	parent *scope
	names  map[string]*entity
	own    map[string]bool // names that let statements of this scope gave
}

func (s *scope) declare(name string) {
	if s.own == nil {
		s.own = map[string]bool{}
	}
	s.own[name] = true
}

// entity is one meaning; exactly one of scalar, table, lambda is set.
type entity struct {
	scalar  plan.Expr
	table   func() plan.Node
	lambda  *syntax.Lambda
	pattern *syntax.Pattern
	scope   *scope // where the lambda was written
	broken  bool   // its own error was reported
	used    bool
	unnamed int // how many columns had a number for a name where it was used first
	order   int
}

// snapshot is the scope as it is now: later let statements don't show in it.
func (s *scope) snapshot() *scope {
	names := make(map[string]*entity, len(s.names))
	for n, e := range s.names {
		names[n] = e
	}
	return &scope{parent: s.parent, names: names}
}

func (s *scope) child() *scope { return &scope{parent: s, names: map[string]*entity{}} }

func (s *scope) find(name string) (*entity, bool) {
	for ; s != nil; s = s.parent {
		if e, ok := s.names[name]; ok {
			return e, true
		}
	}
	return nil, false
}

func (s *scope) all() []string {
	var out []string
	for ; s != nil; s = s.parent {
		for n := range s.names {
			out = append(out, n)
		}
	}
	return out
}

func unparen(x syntax.Expr) syntax.Expr {
	for {
		p, ok := x.(*syntax.Paren)
		if !ok {
			return x
		}
		x = p.X
	}
}

// isTable tells whether an expression is tabular, by its form and the names in it.
func (b *binder) isTable(x syntax.Expr, s *scope) bool {
	switch x := unparen(x).(type) {
	case *syntax.Pipe, *syntax.OperatorSource, *syntax.DataTable, *syntax.External, *syntax.Wildcard:
		return true
	case *syntax.Ident:
		if e, ok := s.find(x.Text); ok {
			return e.table != nil || e.lambda != nil && b.lambdaIsTable(e)
		}
		_, ok := b.env.Tables(x.Text)
		if !ok {
			_, ok = b.env.Functions[x.Text]
		}
		return ok
	case *syntax.Call:
		if e, _ := s.patternOf(x); e != nil {
			return true
		}
		if e, ok := s.find(x.Func.Text); ok && e.lambda != nil {
			return b.lambdaIsTable(e)
		}
		switch x.Func.Text {
		case "materialize", "table", "view", "totable":
			return true
		}
		if isService(x.Func.Text) {
			return true
		}
		f, ok := b.env.Functions[x.Func.Text]
		return ok && b.lambdaIsTable(b.savedLambda(x.Func.Text, f, x))
	case *syntax.Path:
		if e, _ := s.patternOf(x.X); e != nil {
			return true
		}
		return isElsewhere(x)
	}
	return false
}

func calleeOf(x syntax.Expr) string {
	if c, ok := unparen(x).(*syntax.Call); ok {
		return c.Func.Text
	}
	return ""
}

func (b *binder) lambdaIsTable(e *entity) bool {
	body := e.lambda.Body
	if len(body.Statements) == 0 {
		return false
	}
	last, ok := body.Statements[len(body.Statements)-1].(*syntax.Expression)
	if !ok {
		return false
	}
	inner := e.scope.child()
	for _, p := range e.lambda.Params {
		if p.Tabular {
			inner.names[p.Name.Text] = &entity{table: func() plan.Node { return nil }}
		} else {
			inner.names[p.Name.Text] = &entity{scalar: plan.Null(p.Type)}
		}
	}
	for _, st := range body.Statements {
		l, ok := st.(*syntax.Let)
		if !ok {
			continue
		}
		switch f := l.X.(type) {
		case *syntax.Lambda:
			inner.names[l.Name.Text] = &entity{lambda: f, scope: inner}
		default:
			if b.isTable(l.X, inner) {
				inner.names[l.Name.Text] = &entity{table: func() plan.Node { return nil }}
			} else {
				inner.names[l.Name.Text] = &entity{scalar: plan.Null(schema.Dynamic)}
			}
		}
	}
	return b.isTable(last.X, inner)
}

// Visible drops the hidden columns from an answer.
func Visible(n plan.Node) (plan.Node, []schema.Column) {
	p := &plan.Project{Input: n}
	var cols []schema.Column
	for _, c := range n.Columns() {
		if !hidden(c) {
			p.Items = append(p.Items, keep(c))
			cols = append(cols, schema.Column{Name: c.Name, Type: c.Type})
		}
	}
	return p, cols
}
