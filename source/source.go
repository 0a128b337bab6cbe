// Package source knows what a source of a tenant's telemetry hands over: a
// record with its kind, its place and its time, and the outline of a whole
// recording. It leaves where records come from to the packages below it
// (source/file) and to sample, and what becomes of them to whoever reads.
package source

import (
	"context"

	"lockstep/schema"
)

// Kind says to which intake a record belongs.
type Kind string

// The kinds.
const (
	Alert Kind = "alert" // a product's alert, in one of the three shapes
	Event Kind = "event" // a row of an advanced hunting table, as an Event Hub record
	Row   Kind = "row"   // a flat row of a workspace table
)

// Shape is the published form of an alert.
type Shape string

// The shapes. A body of shape AlertInfo is one Event Hub message,
// {"records":[…]}, with the AlertInfo record first and its AlertEvidence
// records behind it, so that an alert is never parted from its evidence.
const (
	Graph         Shape = "graph"         // Graph alert resource with typed evidence
	AlertInfo     Shape = "alertinfo"     // AlertInfo and AlertEvidence rows
	SecurityAlert Shape = "securityalert" // SecurityAlert row with version-3 entities
)

// Record is one thing that a source hands over.
type Record struct {
	Kind  Kind
	Shape Shape        // alerts only
	Table string       // events and rows: the table; alerts: ""
	Time  schema.Ticks // when the product published it: the order of replay
	Body  []byte       // one JSON object on one line; valid until the reader's function returns
	// File and Number name the record in its source: Number counts from 0
	// within the file, and is the same at every reading. Refusals cite them.
	File   string
	Number int64
}

// Outline is what is known of a recording as a whole.
type Outline struct {
	Records int64 // all of them
	Alerts  int64
	Events  int64
	Rows    int64
	Tables  map[string]int64 // events and rows by table
	First   schema.Ticks     // earliest time; 0 when there are no records
	Last    schema.Ticks     // latest time
	Pauses  []Pause          // stretches of at least MinPause without a record, in order
}

// Pause is a stretch of a recording in which nothing happened: From is the
// last record before it, To the first one after.
type Pause struct{ From, To schema.Ticks }

// MinPause is the shortest stretch that an Outline lists as a pause.
const MinPause = 10 * schema.Minute

// Source gives the records of a recording in the order of their times, the
// same ones in the same order at every reading.
type Source interface {
	// Name tells recordings apart: the same name means the same records.
	Name() string
	// Outline gives totals and pauses. It may have to read everything once.
	Outline(ctx context.Context) (Outline, error)
	// Read hands over the records from position from on (0 = all), until
	// yield or ctx ends it.
	Read(ctx context.Context, from int64, yield func(Record) error) error
}
