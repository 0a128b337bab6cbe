package state

import (
	"fmt"
	"runtime/debug"
	"slices"
)

// Run calls f with tx for a store and gives f's error. A panic of f becomes an
// error: a record that can't be decoded fails its transaction, not the
// server. Panics that carry no error of their own come with their stack.
func Run(tx Tx, f func(Tx) error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case interface{ RuntimeError() }:
			err = fmt.Errorf("state: panic in a transaction: %v\n%s", p, debug.Stack())
		case error:
			err = p
		default:
			err = fmt.Errorf("state: panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return f(tx)
}

// Scans is the set of buckets that a transaction is scanning now. A store
// holds one per transaction to refuse writes that would disturb a scan, which
// engines would otherwise answer each in its own way.
type Scans struct{ open []string }

// Begin notes a scan of a bucket; the caller calls the result when it ends.
func (s *Scans) Begin(bucket string) (end func()) {
	s.open = append(s.open, bucket)
	return func() {
		i := slices.Index(s.open, bucket)
		s.open = slices.Delete(s.open, i, i+1)
	}
}

// Forbid gives an error if the bucket is being scanned.
func (s *Scans) Forbid(bucket string) error {
	if len(s.open) > 0 && slices.Contains(s.open, bucket) {
		return fmt.Errorf("state: write to %q during a scan of it", bucket)
	}
	return nil
}
