package query

import "lockstep/schema"

// Compile turns a text into a program, or says what is wrong with it: then a
// diagnostic is no warning, and the program is nil. kql is what satisfies it.
type Compile func(text string, env Environment) (Program, []Diagnostic)

// Environment is what names in a text can mean.
type Environment struct {
	Tables     func(name string) (*schema.Table, bool)
	TableNames func() []string // all that a wildcard can mean
	Functions  map[string]Function
	Now        schema.Ticks
	From, To   schema.Ticks
}

// Program is a compiled text.
type Program interface {
	Columns() []schema.Column
	Render() *Render
	// SQL gives the statement; relation says what stands for each table read.
	SQL(relation func(scan int, table string, columns []string) (sql string, args []any)) (text string, args []any)
}
