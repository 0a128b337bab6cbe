// Package query runs KQL as a job: it lets it in, binds its names to the tables
// that the caller may read, runs it in one snapshot within limits of time,
// rows and bytes, and says what was cut. It leaves the language to kql, the
// rows to an engine of tables, and who may read what to access.
package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"lockstep/kql"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Query is a question to one side.
type Query struct {
	Text      string
	Side      schema.Side
	Workspace string // id; only for schema.Workspace
	// Further are ids of workspaces whose rows the tables show too, as if they were one.
	Further []string

	// Event times that count: From ≤ time < To; 0 is open. They bound every
	// table that has a time column, beside what the text says.
	From, To schema.Ticks
	// Arrivals that count: After < arrival ≤ UpTo; 0 is open. For who reads on
	// from where it was.
	After, UpTo int64

	// Limits; 0 takes the service's own, which is also the most.
	MaxRows  int
	MaxBytes int64
	Timeout  time.Duration

	// Explain asks for an Explanation beside the rows; the statement runs twice.
	Explain bool

	// Principal is who asks: the key of permissions and of admission; "" is the
	// server itself, which no quota holds.
	Principal string
}

// Result is the answer to a query: its first table, and the others of a text
// with several, in their order.
type Result struct {
	Table
	Further  []Table
	Warnings []string // one sentence each
	Stats    Stats
	Arrival  int64 // the last arrival that the query saw
}

// Table is a result table.
type Table struct {
	Name      string // as the text calls it, else PrimaryResult of its place
	Columns   []schema.Column
	Rows      *rows.Batch
	Truncated bool         // a limit cut the rows; the result's Warnings say which
	Render    *Render      // nil when the text doesn't end in render
	Explained *Explanation // nil unless asked for
}

// Tables are the result's tables in their order; the first is the result's own.
func (r *Result) Tables() []Table { return append([]Table{r.Table}, r.Further...) }

// PrimaryResult names the result table of a place, from 0: PrimaryResult,
// PrimaryResult_1, …, as clients of the Log Analytics API report the names.
func PrimaryResult(place int) string {
	if place == 0 {
		return "PrimaryResult"
	}
	return "PrimaryResult_" + strconv.Itoa(place)
}

// Plan is a query's plan as an explanation shows it; its String draws it.
type Plan = kql.Tree

// Explanation is how a query was answered.
type Explanation struct {
	Plan    *Plan            `json:"plan"`
	Stages  []ExplainedStage `json:"stages"` // in the order in which they run
	Scanned []tables.Scanned `json:"scanned"`
	Compile time.Duration    `json:"compile"` // nanoseconds, of the text as far as it was known
	Run     time.Duration    `json:"run"`     // nanoseconds, until the last row, without explaining
}

// ExplainedStage is a step: the statement, or a function in Go that it calls
// over all rows of so many tables at once.
type ExplainedStage struct {
	SQL   string `json:"sql,omitempty"`
	Args  []any  `json:"args,omitempty"` // what stands for the statement's parameters, in order
	Go    string `json:"go,omitempty"`
	Reads int    `json:"reads,omitempty"`
}

// Stats is what a query cost.
type Stats struct {
	Duration time.Duration // from admission to the last row
	Waited   time.Duration // for admission
	Rows     int           // of all result tables
	Tables   []string      // those that were read
}

// Render is how the text wants its result drawn.
type Render struct {
	Kind       string            // timechart, barchart, …
	Properties map[string]string // title, xcolumn, …
}

// Diagnostic is something wrong, or odd, at a place of a text.
type Diagnostic struct {
	Start, End int // bytes of the text
	Line, Col  int // of Start, from 1; columns count characters
	Code       string
	Message    string
	Warning    bool // the text has a meaning all the same
}

// SyntaxError says why a text means nothing. Its kind is fault.Invalid.
type SyntaxError struct {
	Diagnostics []Diagnostic
}

func (e *SyntaxError) Error() string {
	for _, d := range e.Diagnostics {
		if !d.Warning {
			return fmt.Sprintf("the query is wrong at line %d, column %d: %s", d.Line, d.Col, d.Message)
		}
	}
	return "the query is wrong"
}

// place fills in lines and columns.
func place(text string, list []Diagnostic) []Diagnostic {
	for i := range list {
		before := text[:min(max(list[i].Start, 0), len(text))]
		list[i].Line = strings.Count(before, "\n") + 1
		list[i].Col = len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	}
	return list
}
