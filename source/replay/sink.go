package replay

import (
	"context"
)

// Sink takes batches in, several at the same time. A body is JSON lines, one
// record each; an alert is {"shape":…,"alert":{…}}, its source.Shape and what it
// is in that shape. The key makes a batch known again: a batch sent twice under one
// key is stored once. An error of kind Unavailable or Throttled means that the
// same batch may succeed later; any other error ends the replay.
type Sink interface {
	Alerts(ctx context.Context, key string, body []byte) (Receipt, error)
	Events(ctx context.Context, key string, body []byte) (Receipt, error)
	Rows(ctx context.Context, workspace, table, key string, body []byte) (Receipt, error)
}

// Receipt is what became of a batch. Accepted, Repeats and Refused together are
// the records of the batch.
type Receipt struct {
	Accepted int64     `json:"accepted"`
	Repeats  int64     `json:"repeats"`
	Refused  []Refusal `json:"refused"`
	Repeat   bool      `json:"repeat"` // the whole batch had come before
}

// Refusal is a record that wasn't taken in.
type Refusal struct {
	Record int    `json:"record"` // its place in the batch, from 1
	Table  string `json:"table,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}
