package query

import (
	"lockstep/kql"
	"lockstep/schema"
	"lockstep/tables"
)

// Compile turns a text into a program, or says what is wrong with it: then a
// diagnostic is no warning, and the program is nil. KQL is the usual one.
type Compile func(text string, env Environment) (Program, []Diagnostic)

// Environment is what names in a text can mean.
type Environment struct {
	Tables     func(name string) (*schema.Table, bool)
	TableNames func() []string // all that a wildcard can mean
	// Elsewhere finds a table that the text names with its place: see kql.Environment.
	Elsewhere func(p kql.Place, table string) (t *schema.Table, reason string)
	Functions map[string]Function
	// RowID names the hidden column whose value no two rows share; "" where rows may show twice.
	RowID string
	// Watchlists and External give what a program reads beside stored tables.
	Watchlists func(alias string) (*schema.Table, bool)
	// WatchlistNames gives the aliases of those that the principal may read.
	WatchlistNames func() []string
	External       func(asked kql.External) *schema.Table
	Places         bool        // the engine knows places of addresses
	Shapes         *kql.Shapes // remembers what wildcards came to
	Now            schema.Ticks
	From, To       schema.Ticks
}

// Program is a compiled text.
type Program interface {
	Columns() []schema.Column
	Render() *Render
	// SQL gives the statement; relation says what stands for each table read.
	SQL(relation func(scan int, table string, columns []string) (sql string, args []any)) (text string, args []any)
}

// Several is a program of a text with several result tables, or of one that has a name.
type Several interface {
	// Name is what the text calls the program's own table; "" for nothing.
	Name() string
	// Further are the programs of the text's other tables.
	Further() []Program
}

// Limited is a program of a text that sets limits of its own.
type Limited interface{ Limits() kql.Limits }

// Asker is a program that may need rows to know its columns.
type Asker interface {
	// Question is what to run first: its one column's texts go to Answered. ok is false where nothing is open.
	Question() (ask Program, ok bool)
	// Answered is the program that knows; nil where a diagnostic is no warning.
	Answered(texts []string) (Program, []Diagnostic)
}

// KQL compiles by package kql.
func KQL(text string, env Environment) (Program, []Diagnostic) {
	functions := make(map[string]kql.Function, len(env.Functions))
	for name, f := range env.Functions {
		functions[name] = kql.Function(f)
	}
	p, found := kql.Compile(text, kql.Environment{
		Tables: env.Tables, TableNames: env.TableNames, Functions: functions, Watchlists: env.Watchlists, WatchlistNames: env.WatchlistNames, External: env.External,
		Elsewhere: env.Elsewhere, Shapes: env.Shapes, Places: env.Places, Now: env.Now, From: env.From, To: env.To, Standard: standardColumns(), Received: tables.ReceivedColumn, RowID: env.RowID,
	})
	return compiledOf(p, found)
}

func compiledOf(p *kql.Program, found kql.Diagnostics) (Program, []Diagnostic) {
	diagnostics := make([]Diagnostic, len(found))
	for i, d := range found {
		diagnostics[i] = Diagnostic{Start: d.Start, End: d.End, Code: d.Code, Message: d.Message, Warning: d.Severity == kql.Warning}
	}
	if p == nil {
		return nil, diagnostics
	}
	return compiled{p}, diagnostics
}

// compiled is a program of package kql.
type compiled struct{ *kql.Program }

func (c compiled) Columns() []schema.Column { return c.Program.Columns }

func (c compiled) Render() *Render { return (*Render)(c.Program.Render) }

func (c compiled) Limits() kql.Limits { return c.Program.Limits }

func (c compiled) Name() string { return c.Program.Name }

func (c compiled) Further() (out []Program) {
	for _, p := range c.Program.Further {
		out = append(out, compiled{p})
	}
	return out
}

func (c compiled) Question() (Program, bool) {
	ask, ok := c.Program.Question()
	return compiled{ask}, ok
}

func (c compiled) Answered(texts []string) (Program, []Diagnostic) {
	return compiledOf(c.Program.Answered(texts))
}
