// Package kql compiles the Kusto query language: text → syntax → bind → plan
// → rewrite → emit. It knows the language whole and no engine beside its
// dialects in emit; it does no I/O. It leaves running a program, permissions
// and limits to package query.
package kql

import (
	"fmt"
	"maps"
	"sort"
	"strings"

	"lockstep/kql/bind"
	"lockstep/kql/emit"
	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/kql/rewrite"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// Environment is what names in a query can mean: values handed in, no I/O.
type Environment = bind.Environment

// Place is where a text says that a table is: workspace('x').T.
type Place = bind.Place

// Limits are what a text's set statements ask of who runs it.
type Limits = bind.Limits

// Shapes remembers what wildcards over tables came to, between compilations.
type Shapes = bind.Shapes

// CheckFunction says what keeps a saved function from being read, and where;
// "" if nothing does. What its names mean shows when it is called.
func CheckFunction(f Function) string {
	lambda, errors := bind.ParseFunction(f)
	if lambda != nil {
		return ""
	}
	d := diagnose(f.Body, errors)[0]
	if d.Code == "KQL117" {
		return d.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", d.Line, d.Column, d.Message)
}

// External is data that a query asks other hosts for.
type External = bind.External

// Function is a saved function: parameters and body as text.
type Function = bind.Function

// NativeFunction is a function that an engine must have registered, as
// "kql_" and its name, before it runs a program; see NativeFunctions.
type NativeFunction = native.Function

// NativeFunctions lists what an engine registers once per connection.
func NativeFunctions() []NativeFunction { return native.All() }

// Refused gives what a step of a program in Go said when it could not go on (a
// bound was reached, or rows that it can't read), of the engine's error.
func Refused(err error) (message string, ok bool) { return native.Refused(err) }

// Severity says whether a diagnostic keeps the query from running.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is something to say about a text. Start and End are byte
// offsets, Line and Column count from 1.
type Diagnostic struct {
	Severity   Severity
	Code       string
	Message    string
	Start, End int
	Line       int
	Column     int
}

// Diagnostics are in the order of the text.
type Diagnostics []Diagnostic

// HasError tells whether one of them keeps the query from running.
func (d Diagnostics) HasError() bool {
	for _, x := range d {
		if x.Severity == Error {
			return true
		}
	}
	return false
}

// Program is a compiled query: stages to run in order, the last one's rows
// are the answer. Of a text with several result tables it is the first.
type Program struct {
	// Name is what the text calls the table, with as or in fork; "" for none.
	Name string
	// Further are the programs of the text's other result tables, in their order.
	// Each is whole: what they have in common is computed for each.
	Further []*Program
	// Columns are the names and types of the answer, as KQL gives them. Rows
	// have the physical types of the schema in this order: bool BOOLEAN, int INTEGER,
	// long BIGINT, real DOUBLE, decimal VARCHAR, string VARCHAR (never null), datetime and
	// timespan BIGINT ticks, guid VARCHAR, dynamic VARCHAR of minified JSON or null.
	Columns []schema.Column
	// Tables are the names of the tables read, each once, sorted.
	Tables []string
	// Scans are the references to tables, in the order of the placeholders.
	Scans []Scan
	// Stages are what runs: the steps in Go, in the order in which their rows are
	// ready, and last the statement.
	Stages []Stage
	// Render is the visualisation asked for, or nil.
	Render *Render
	// Sorted tells that the text orders the answer.
	Sorted bool
	// Limits are those that the text sets itself.
	Limits Limits

	query *emit.Query
	root  plan.Node
	// what it was compiled of, for one that asks
	text    string
	env     Environment
	dialect Dialect
	asks    int
	number  int // of the result table within the text, from 0
}

// Question is a program whose rows tell which columns this program's answer
// has: those that bag_unpack or pivot make of what rows hold, where nobody declared
// them. Run it and hand the texts of its one column to Answered. ok is false where
// nothing is open; the program can be run as it is in any case, and shows then
// the columns that its text names.
func (p *Program) Question() (ask *Program, ok bool) {
	if p.asks == 0 {
		return nil, false
	}
	q, _ := syntax.ParseQuery(p.text)
	bound := bind.Question(q, p.env, p.asks)
	if bound.Root == nil {
		return nil, false
	}
	root := rewrite.Plan(bound.Root, p.env.Now)
	query, err := emit.Emit(root, []schema.Column{{Name: "column", Type: schema.Dynamic}}, p.dialect)
	if err != nil {
		return nil, false
	}
	ask = program(query, nil)
	ask.root = root
	return ask, true
}

// Answered compiles the text again, with what Question's rows told. The
// program may ask once more. It is nil when a diagnostic is an error: a name that the
// rows gave may stand beside a column of that name.
func (p *Program) Answered(texts []string) (*Program, Diagnostics) {
	env := p.env
	env.Unfolded = maps.Clone(env.Unfolded)
	if env.Unfolded == nil {
		env.Unfolded = map[int][]schema.Column{}
	}
	columns, all := bind.Unfold(texts)
	env.Unfolded[p.asks] = columns
	next, _, found := compile(p.text, env, p.dialect, p.number)
	if next != nil {
		next.Further = p.Further
	}
	if all > len(columns) {
		found = append(found, Diagnostic{Severity: Warning, Code: "KQL913", Message: fmt.Sprintf("rows hold %d names for columns: the first %d show", all, len(columns))})
	}
	return next, found
}

// Scan is one reference to a table and the columns that are read of it.
type Scan struct {
	Table       string
	Columns     []string
	Placeholder string // the name under which SQL asks for it: its number as text
}

// Stage is one step of a program, as an explanation shows it. Steps in Go are
// functions of package native that the statement calls over all rows at hand; they are
// part of it: its snapshot, its parameters and its end are theirs. See docs/adr/0005.
type Stage struct {
	// Go is the name of the function, kql_… in the statement; "" for the statement itself.
	Go string
	// Reads is from how many tables the function sees rows.
	Reads int
}

// Render is what the render operator asks for.
type Render struct {
	Kind       string
	Properties map[string]string
}

// SQL gives the statement and its parameters. relation is asked for each
// scan, in order of the text: it gives a bracketed SELECT that yields the columns in
// the order asked for, whatever it calls them, and that select's own parameters.
func (p *Program) SQL(relation func(scan int, table string, columns []string) (sql string, args []any)) (text string, args []any) {
	return p.query.SQL(relation)
}

// Dialect is how an engine's SQL is spelt.
type Dialect = emit.Dialect

// DuckDB is the dialect of the product's own engine.
func DuckDB() Dialect { return emit.DuckDB{} }

// ClickHouse is a dialect of a core of the language; see its docs.
func ClickHouse() Dialect { return emit.ClickHouse{} }

// Compile compiles a text for the product's own engine. The program is nil when a diagnostic is an error.
func Compile(text string, env Environment) (*Program, Diagnostics) {
	return CompileFor(text, env, DuckDB())
}

// CompileFor compiles a text for an engine. What its dialect lacks is an error of code KQL910 that names it.
func CompileFor(text string, env Environment, d Dialect) (*Program, Diagnostics) {
	p, tables, found := compile(text, env, d, 0)
	for i := 1; i < tables && p != nil; i++ {
		next, _, more := compile(text, env, d, i)
		if next == nil {
			return nil, more
		}
		p.Further = append(p.Further, next)
	}
	return p, found
}

// compile compiles one of a text's result tables, and tells how many there are.
func compile(text string, env Environment, d Dialect, number int) (p *Program, tables int, found Diagnostics) {
	if env.Tables == nil {
		env.Tables = func(string) (*schema.Table, bool) { return nil, false }
	}
	q, errors := syntax.ParseQuery(text)
	if fatal(errors) {
		return nil, 0, diagnose(text, errors)
	}
	bound := bind.Query(q, env, number)
	errors = append(errors, bound.Errors...)
	if bound.Root == nil {
		if !fatal(errors) {
			errors = append(errors, syntax.Error{Code: "KQL199", Message: "the query could not be understood"})
		}
		return nil, 0, diagnose(text, errors)
	}
	root, columns := bind.Visible(bound.Root)
	root = rewrite.Plan(root, env.Now)
	query, err := emit.Emit(root, columns, d)
	if err != nil {
		code := "KQL900"
		if d.Name() != "" {
			code = "KQL910"
		}
		errors = append(errors, syntax.Error{Span: syntax.Span{End: len(text)}, Code: code, Message: err.Error()})
		return nil, 0, diagnose(text, errors)
	}
	p = program(query, bound.Render)
	p.text, p.env, p.dialect, p.asks, p.root = text, env, d, bound.Asks, root
	p.Name, p.number, p.Limits = bound.Name, number, bound.Limits
	return p, bound.Tables, diagnose(text, errors)
}

func program(q *emit.Query, render *syntax.Render) *Program {
	p := &Program{Columns: q.Columns, Sorted: q.Sorted, query: q}
	seen := map[string]bool{}
	for i, s := range q.Scans {
		p.Scans = append(p.Scans, Scan{Table: s.Table, Columns: s.Columns, Placeholder: emit.Placeholder(i)})
		if !seen[s.Table] {
			seen[s.Table] = true
			p.Tables = append(p.Tables, s.Table)
		}
	}
	sort.Strings(p.Tables)
	for _, g := range q.Stages {
		p.Stages = append(p.Stages, Stage{Go: g.Func, Reads: g.Reads})
	}
	p.Stages = append(p.Stages, Stage{})
	if render != nil {
		p.Render = &Render{Kind: render.Kind, Properties: map[string]string{}}
		for _, o := range render.Options {
			p.Render.Properties[o.Name.Text] = optionText(o.Value)
		}
	}
	return p
}

func optionText(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Ident:
		return x.Text
	case *syntax.Literal:
		if s, ok := x.Value.(string); ok {
			return s
		}
		if b, ok := x.Value.(bool); ok && b {
			return "true"
		}
	}
	return ""
}

func fatal(errors []syntax.Error) bool {
	for _, e := range errors {
		if !e.Warning {
			return true
		}
	}
	return false
}

// diagnose gives errors their lines and columns.
func diagnose(text string, errors []syntax.Error) Diagnostics {
	sort.SliceStable(errors, func(i, j int) bool { return errors[i].Start < errors[j].Start })
	var out Diagnostics
	for _, e := range errors {
		start, end := min(max(e.Start, 0), len(text)), min(max(e.End, 0), len(text))
		d := Diagnostic{Code: e.Code, Message: e.Message, Start: start, End: max(start, end)}
		if e.Warning {
			d.Severity = Warning
		}
		before := text[:start]
		d.Line = 1 + strings.Count(before, "\n")
		d.Column = start - strings.LastIndexByte(before, '\n')
		out = append(out, d)
	}
	return out
}

// Format lays a text out without changing its words: one operator a line.
func Format(text string) string { return syntax.Format(text) }
