// Package memory holds state in this process's memory: ordered trees that a
// transaction copies where it writes. Equal updates give equal state and equal
// scans, it has no clock and starts nothing, so the simulator runs on it. It
// leaves durability to state/sqlite; both pass state/statetest.
package memory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync/atomic"

	"lockstep/fault"
	"lockstep/state"
)

// Store is a state.Store in memory. Make one with New.
type Store struct {
	writer    chan struct{} // holds one token: whoever takes it writes
	committed atomic.Pointer[roots]
}

type roots = map[string]*node

var _ state.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	s := &Store{writer: make(chan struct{}, 1)}
	s.committed.Store(&roots{})
	s.writer <- struct{}{}
	return s
}

// Update runs f in a transaction that can write; see state.Store.
func (s *Store) Update(ctx context.Context, f func(state.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("state: update: %w", err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("state: update: %w", ctx.Err())
	case <-s.writer:
	}
	defer func() { s.writer <- struct{}{} }()
	t := &tx{base: *s.committed.Load(), changed: roots{}, edit: new(edit)}
	if err := t.run(f); err != nil {
		return err
	}
	if len(t.changed) > 0 {
		next := maps.Clone(t.base)
		maps.Copy(next, t.changed)
		s.committed.Store(&next)
	}
	return nil
}

// View runs f on a snapshot; see state.Store.
func (s *Store) View(ctx context.Context, f func(state.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("state: view: %w", err)
	}
	t := &tx{base: *s.committed.Load()}
	return t.run(f)
}

// tx is a transaction: committed trees, and those it changed; nil changed
// means that it can't write.
type tx struct {
	base, changed roots
	edit          *edit
	scans         state.Scans
	err           error
	ended         bool
}

func (t *tx) run(f func(state.Tx) error) error {
	defer func() { t.ended = true }()
	err := state.Run(t, f)
	if t.err != nil {
		return t.err // what f made of the empty values it read after that says nothing
	}
	return err
}

func (t *tx) bucket(name string) *node {
	if n, ok := t.changed[name]; ok {
		return n
	}
	return t.base[name]
}

// usable refuses a transaction that was kept past its end or has failed.
func (t *tx) usable() bool {
	if t.ended {
		panic(errors.New("state: a transaction was used after its end"))
	}
	return t.err == nil
}

func (t *tx) writable(bucket string) bool {
	if !t.usable() {
		return false
	}
	if t.changed == nil {
		t.err = fault.New(fault.Internal, "state: write to %q in a view", bucket)
		return false
	}
	t.err = t.scans.Forbid(bucket)
	return t.err == nil
}

func (t *tx) Get(bucket, key string) ([]byte, bool) {
	if !t.usable() {
		return nil, false
	}
	return t.bucket(bucket).get(key)
}

func (t *tx) Put(bucket, key string, value []byte) {
	if t.writable(bucket) {
		t.changed[bucket] = t.bucket(bucket).put(t.edit, key, value)
	}
}

func (t *tx) Delete(bucket, key string) {
	if t.writable(bucket) {
		t.changed[bucket] = t.bucket(bucket).delete(t.edit, key)
	}
}

func (t *tx) Scan(bucket, from, to string, reverse bool) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		if !t.usable() {
			return
		}
		defer t.scans.Begin(bucket)()
		t.bucket(bucket).scan(from, to, reverse, yield)
	}
}
