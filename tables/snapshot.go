package tables

import (
	"context"

	"lockstep/rows"
	"lockstep/schema"
)

// Hidden columns that a relation gives beside those of its table.
const (
	ArrivalColumn  = "_arrival"  // long: the row's arrival number
	EventColumn    = "_event"    // datetime: the row's event time; its receipt where it has none
	RowColumn      = "_row"      // long: tells rows of a table apart within one snapshot, and means nothing else
	ReceivedColumn = "_received" // datetime: when the server took the row in (KQL's ingestion_time)
)

// HiddenColumns are the columns above, in order.
func HiddenColumns() []schema.Column {
	return []schema.Column{
		{Name: ArrivalColumn, Type: schema.Long, Hidden: true},
		{Name: EventColumn, Type: schema.DateTime, Hidden: true},
		{Name: ReceivedColumn, Type: schema.DateTime, Hidden: true},
		{Name: RowColumn, Type: schema.Long, Hidden: true},
	}
}

// Snapshot is one look at a view: whatever is written meanwhile, all reading
// through it sees the same rows. It serves one goroutine and must be closed.
// After an error, or a query that was cancelled, nothing more can be read.
type Snapshot interface {
	// Relation gives a parenthesised SELECT of a table as the view shows it:
	// the columns asked for, under these names and in this order. table is as
	// its side declares it. A table without rows gives an empty relation; a
	// column that neither the table nor HiddenColumns has is an error.
	Relation(table *schema.Table, columns []string, in Range) (sql string, args []any, err error)
	// Load lends the snapshot rows from outside: Relation of the batch's table
	// (this very value) reads them from then on.
	Load(ctx context.Context, b *rows.Batch) error
	// Query runs SQL over relations and reads its result as rows of the table
	// given, whose columns name the types.
	Query(ctx context.Context, sql string, args []any, result *schema.Table, most Limit) (Result, error)
	// Explain runs SQL as Query does and tells what it read, by table in order of name.
	Explain(ctx context.Context, sql string, args []any) ([]Scanned, error)
	// Tables names the tables of which the view may have rows, sorted.
	Tables() []string
	// Arrival is the arrival number of the last row that was committed when
	// the snapshot was taken: it sees that one and all before.
	Arrival() int64
	Close() error
}

// Scanned is what a statement read of a table: rows before its conditions, as
// the engine counts them, and how many segments were opened.
type Scanned struct {
	Table    string `json:"table"`
	Rows     int64  `json:"rows"`
	Segments int    `json:"segments"`
}

// Range narrows what a relation gives. The zero Range is everything.
type Range struct {
	From, To schema.Ticks // event time: From ≤ event < To; 0 = open. Without effect on tables that have no time column.
	After    int64        // arrival > After
	UpTo     int64        // arrival ≤ UpTo; 0 = open
	// Workspace shows the table as another workspace does, by its id; "" as the view does.
	Workspace string
}

// Limit bounds a result; a zero is no bound.
type Limit struct {
	Rows  int
	Bytes int64 // as the batch holds them
}

// Result is what a query found; Truncated when a limit cut it.
type Result struct {
	Rows      *rows.Batch
	Bytes     int64 // as the limit counts them
	Truncated bool
}

// Quarantined is a refused record that is kept to look at.
type Quarantined struct {
	ID     int64
	At     schema.Ticks
	Source string // who sent it
	rows.Refusal
}
