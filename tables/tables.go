// Package tables knows the words in which columnar rows are written, granted,
// kept and read: appends with positions, receipts, grants, retentions, and the
// relation that a query reads. An engine (tables/duckdb) satisfies the small
// interfaces that users declare with these words; tables/tablestest is the one
// suite for all engines. It leaves rows' meaning to schema and to their owners.
package tables

import (
	"lockstep/rows"
	"lockstep/schema"
)

// Home is where rows are stored once: XDRHome for hunting rows of the XDR
// side, or a workspace's id (lower-case GUID) for rows of its own.
type Home string

// XDRHome is the home of hunting rows.
const XDRHome Home = "xdr"

// Append is one all-or-nothing write. Batches may be of several tables; all go
// to one home. It is durable when the engine's Append returns.
type Append struct {
	Home    Home
	Batches []*rows.Batch
	// Key recognises a repeat of the whole append for at least 24 hours: a
	// client's Idempotency-Key, or source and offsets. "" means no such key. A
	// repeat changes nothing and returns the first receipt with Repeat set.
	Key string
	// Positions are stored in the same transaction: how far each partition of
	// a source, or a projection of a feed, has come.
	Positions []Position
	// Refused counts records of the same delivery that didn't become rows;
	// stored with the key so that a repeat answers the same numbers.
	Refused int
}

// Position is how far a reader has come in something ordered. Value must
// never go down; an append with a Value ≤ the stored one is a repeat.
type Position struct {
	Reader string // for example "eventhub/insights/3" or "history/xdr"
	Value  int64
}

// Receipt says what became of an append.
type Receipt struct {
	Accepted int          // rows stored
	Repeats  int          // rows recognised by their table's natural key (schema.Table.Key) and not stored again
	Refused  int          // as given
	Repeat   bool         // the whole append was a repeat; numbers are those of the first time
	Arrival  int64        // arrival number of the last row stored, 0 if none
	At       schema.Ticks // receipt time
}

// Grant lets a workspace read rows of the XDR's home in the interval of
// arrivals From < arrival ≤ To; To is 0 while the stream is on.
type Grant struct {
	Workspace string
	Table     string
	From, To  int64
	Since     schema.Ticks // when it began
	Until     schema.Ticks // when it ended; 0 while on
}

// View is what one principal's query may see.
type View struct {
	Side      schema.Side
	Workspace string       // id; only for schema.Workspace
	Further   []string     // ids of workspaces whose rows it shows too; a row that is in two shows twice
	Now       schema.Ticks // rows older than the retention at this time aren't there
}

// Retention says how long rows of a table are kept, by event time.
type Retention struct {
	XDRDays       int // hunting tables on the XDR side: 30
	WorkspaceDays int // default of workspace tables: 90
	// PerTable overrides WorkspaceDays: workspace id → table → days (4–730, total up to 4383).
	PerTable map[string]map[string]int
}

// Stat is one table of a view, for pages and health.
type Stat struct {
	Table    string
	Rows     int64        // visible rows
	Newest   schema.Ticks // newest event time
	Received schema.Ticks // when the newest row arrived
	Bytes    int64        // bytes as billed: string form, see facts 9.6
}
