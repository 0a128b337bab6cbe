// Package state knows what a transaction on durable state is: ordered keys in
// named buckets, typed tables with indexes over them, and append-only logs
// for feeds. The packages that own the data (xdr, workspace, connector,
// access) declare their tables with it; state/memory and state/sqlite hold
// them. It leaves the meaning of every record to its owner.
package state

import (
	"context"
	"iter"
)

// Store is the durable state of one server. There is one writer: updates run
// one after another in the order in which they were admitted.
type Store interface {
	// Update runs f in a transaction that can write. It returns after the
	// commit is durable; an error or panic of f, or a failed read, write or
	// commit, leaves no trace. f must not keep tx, call Update or View, or
	// have effects of its own: a store may run it again.
	Update(ctx context.Context, f func(tx Tx) error) error
	// View runs f on a snapshot of what was committed when it began.
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is a transaction. A read or write that fails for a reason of the store's
// makes the whole transaction fail with that reason, so none returns an error
// of its own; values read after such a failure are empty and never committed.
type Tx interface {
	// Get gives the value under a key; ok is false if there is none. The
	// value must not be changed.
	Get(bucket, key string) (value []byte, ok bool)
	// Put sets the value under a key. It keeps value: don't change it after.
	Put(bucket, key string, value []byte)
	// Delete removes a key; a missing one is no error.
	Delete(bucket, key string)
	// Scan gives the keys k with from ≤ k < to in byte order, or in the
	// opposite order if reverse; to == "" means no end. A write to the bucket
	// during a scan of it fails the transaction; reads and writes elsewhere
	// are free.
	Scan(bucket, from, to string, reverse bool) iter.Seq2[string, []byte]
}
