package sqlite

import (
	"context"
	"errors"
	"iter"

	"lockstep/fault"
	"lockstep/state"
)

// A scan reads pages of rows and holds no cursor between them, so that reads
// and writes inside the loop are free. Pages grow, for most scans want few rows.
const (
	firstPage = 16
	lastPage  = 512
)

// tx is a transaction on a connection.
type tx struct {
	ctx      context.Context
	c        *conn
	readOnly bool
	scans    state.Scans
	err      error // why the transaction can't commit
	broken   error // err, if it is the engine's
	ended    bool
}

func (t *tx) run(f func(state.Tx) error) error {
	defer func() { t.ended = true }()
	err := state.Run(t, f)
	if t.err != nil {
		return t.err // what f made of the empty values it read after that says nothing
	}
	return err
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
	if t.readOnly {
		t.err = fault.New(fault.Internal, "state: write to %q in a view", bucket)
		return false
	}
	t.err = t.scans.Forbid(bucket)
	return t.err == nil
}

func (t *tx) fail(deed, bucket string, err error) {
	t.broken = fault.New(fault.Unavailable, "state: %s %s: %w", deed, bucket, err)
	t.err = t.broken
}

func (t *tx) Get(bucket, key string) ([]byte, bool) {
	if !t.usable() {
		return nil, false
	}
	value, ok, err := t.c.lookup(bucket, key)
	if err != nil {
		t.fail("read", bucket, err)
		return nil, false
	}
	return value, ok
}

func (t *tx) Put(bucket, key string, value []byte) {
	if !t.writable(bucket) {
		return
	}
	if value == nil {
		value = []byte{}
	}
	if err := t.c.run(t.c.put, bucket, []byte(key), value); err != nil {
		t.fail("write", bucket, err)
	}
}

func (t *tx) Delete(bucket, key string) {
	if !t.writable(bucket) {
		return
	}
	if err := t.c.run(t.c.remove, bucket, []byte(key)); err != nil {
		t.fail("write", bucket, err)
	}
}

func (t *tx) Scan(bucket, from, to string, reverse bool) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		if !t.usable() {
			return
		}
		defer t.scans.Begin(bucket)()
		from, to := from, to
		for size := firstPage; ; size = min(2*size, lastPage) {
			page := t.page(bucket, from, to, reverse, size)
			for _, e := range page {
				if !t.usable() || !yield(e.key, e.value) {
					return
				}
			}
			if len(page) < size {
				return
			}
			last := page[len(page)-1].key
			if !reverse {
				from = last + "\x00" // the key right after
			} else if to = last; to == "" {
				return // nothing is before the empty key, and an empty end means none
			}
		}
	}
}

func (t *tx) page(bucket, from, to string, reverse bool, size int) []entry {
	if !t.usable() {
		return nil
	}
	if err := t.ctx.Err(); err != nil {
		t.err = err
		return nil
	}
	page, err := t.c.scan(bucket, from, to, reverse, size)
	if err != nil {
		t.fail("scan", bucket, err)
		return nil
	}
	return page
}
