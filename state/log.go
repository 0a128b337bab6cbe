package state

import (
	"fmt"
	"math"
	"strconv"
)

// Log is an append-only sequence of records: a change feed, a journal. Each
// record gets the next number of its log, from 1 on, in the transaction that
// appends it: ordered by commit, unique, without gaps.
type Log[T any] struct{ Name string }

// Append adds a record and gives its number.
func (l Log[T]) Append(tx Tx, record T) int64 { return l.AppendAll(tx, record) }

// AppendAll adds records in their order and gives the number of the last.
func (l Log[T]) AppendAll(tx Tx, records ...T) int64 {
	n := l.Last(tx)
	if len(records) == 0 {
		return n
	}
	for _, record := range records {
		data, err := encode(record)
		if err != nil {
			panic(fmt.Errorf("state: encode %s: %w", l.Name, err))
		}
		n++
		tx.Put(l.Name, Number(n), data)
	}
	tx.Put(l.Name+"/last", "", []byte(strconv.FormatInt(n, 10)))
	return n
}

// Last gives the number of the newest record, 0 if there never was one.
func (l Log[T]) Last(tx Tx) int64 {
	data, ok := tx.Get(l.Name+"/last", "")
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil {
		panic(fmt.Errorf("state: decode last number of %s: %w", l.Name, err))
	}
	return n
}

// Entry is a record of a log with its number.
type Entry[T any] struct {
	Seq    int64
	Record T
}

// After gives up to limit records whose number is greater than seq, oldest first.
func (l Log[T]) After(tx Tx, seq int64, limit int) []Entry[T] {
	if limit <= 0 || seq == math.MaxInt64 {
		return nil
	}
	var out []Entry[T]
	for key, data := range tx.Scan(l.Name, Number(max(seq+1, 0)), "", false) {
		n, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			panic(fmt.Errorf("state: key of %s: %w", l.Name, err))
		}
		e := Entry[T]{Seq: n}
		if err := decode(data, &e.Record); err != nil {
			panic(fmt.Errorf("state: decode %s %d: %w", l.Name, n, err))
		}
		out = append(out, e)
		if len(out) == limit {
			break
		}
	}
	return out
}

// Forget removes the records up to and including seq; numbers aren't used again.
func (l Log[T]) Forget(tx Tx, seq int64) {
	end := ""
	if seq < math.MaxInt64 {
		end = Number(max(seq+1, 0))
	}
	var old []string
	for key := range tx.Scan(l.Name, "", end, false) {
		old = append(old, key)
	}
	for _, key := range old {
		tx.Delete(l.Name, key)
	}
}
