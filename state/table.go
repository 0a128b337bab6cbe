package state

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Table is a bucket of records of one type with secondary indexes. Its owner
// declares it once as a value and passes transactions to its methods.
type Table[T any] struct {
	Name    string
	Indexes []Index[T]
}

// Index finds records by something other than their key. Keys gives the index
// keys of a record: none, one or several. Key parts are joined with Join.
type Index[T any] struct {
	Name string
	Keys func(T) []string
}

// separator joins the parts of a key. It sorts before every character of a
// part, so that all keys of one prefix stand together.
const separator = "\x00"

// Join makes one key of parts. A part must not hold a zero byte; one that
// does (hostile input) has it replaced.
func Join(parts ...string) string {
	for i, p := range parts {
		if strings.Contains(p, separator) {
			parts = slices.Clone(parts)
			parts[i] = strings.ReplaceAll(p, separator, "\uFFFD")
		}
	}
	return strings.Join(parts, separator)
}

// Split undoes Join.
func Split(key string) []string { return strings.Split(key, separator) }

// Number writes a number as a key part of fixed width, so that keys sort as
// the numbers do. It panics on a negative number, whose key would sort wrongly.
func Number(n int64) string {
	if n < 0 {
		panic(fmt.Errorf("state: %d can't be a key: it is negative", n))
	}
	return fmt.Sprintf("%019d", n)
}

// Range is a range of keys: From ≤ key < To, all from From on if To is "".
type Range struct {
	From, To string
	Reverse  bool
}

// All is the range of every key.
func All() Range { return Range{} }

// Prefix is the range of keys that begin with the given parts; without any,
// of every key.
func Prefix(parts ...string) Range {
	if len(parts) == 0 {
		return All()
	}
	p := Join(parts...) + separator
	return Range{From: p, To: p[:len(p)-1] + "\x01"}
}

// Backwards is the same range from its end.
func (r Range) Backwards() Range { r.Reverse = true; return r }

// Get gives the record under a key.
func (t Table[T]) Get(tx Tx, key string) (record T, ok bool) {
	data, ok := tx.Get(t.Name, key)
	if !ok {
		return record, false
	}
	return t.decode(key, data), true
}

// Put stores a record under a key and moves its index entries.
func (t Table[T]) Put(tx Tx, key string, record T) {
	data, err := encode(record)
	if err != nil {
		panic(fmt.Errorf("state: encode %s %q: %w", t.Name, key, err)) // a record type that can't be encoded is a defect
	}
	if len(t.Indexes) > 0 {
		old, had := t.Get(tx, key)
		for _, ix := range t.Indexes {
			var before []string
			if had {
				before = ix.Keys(old)
			}
			t.reindex(tx, ix, key, before, ix.Keys(record))
		}
	}
	tx.Put(t.Name, key, data)
}

// Delete removes a record and its index entries.
func (t Table[T]) Delete(tx Tx, key string) {
	if len(t.Indexes) > 0 {
		if old, had := t.Get(tx, key); had {
			for _, ix := range t.Indexes {
				t.reindex(tx, ix, key, ix.Keys(old), nil)
			}
		}
	}
	tx.Delete(t.Name, key)
}

// Scan gives the records of a range of keys.
func (t Table[T]) Scan(tx Tx, r Range) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for key, data := range tx.Scan(t.Name, r.From, r.To, r.Reverse) {
			if !yield(key, t.decode(key, data)) {
				return
			}
		}
	}
}

// By gives the records that an index holds for a range of index keys, in the
// index's order, as (record key, record). A record with several index keys in
// the range comes once for each.
func (t Table[T]) By(tx Tx, index string, r Range) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for entry := range tx.Scan(t.Name+"/"+index, r.From, r.To, r.Reverse) {
			key := keyOf(entry)
			record, ok := t.Get(tx, key)
			if !ok {
				continue
			}
			if !yield(key, record) {
				return
			}
		}
	}
}

// Keys gives the record keys that an index holds for a range, without reading the records.
func (t Table[T]) Keys(tx Tx, index string, r Range) iter.Seq[string] {
	return func(yield func(string) bool) {
		for entry := range tx.Scan(t.Name+"/"+index, r.From, r.To, r.Reverse) {
			if !yield(keyOf(entry)) {
				return
			}
		}
	}
}

// An index entry is the index key, a separator and the record key. In the
// record key the separator and the escaping byte are written as two bytes, in
// a way that keeps byte order, so that the entry's last separator parts the
// two whatever bytes a hostile key holds.
const (
	escape           = "\x01"
	escapedSeparator = escape + "\x01" // a separator
	escapedEscape    = escape + "\x02" // an escape
)

func entryOf(indexKey, key string) string {
	if strings.ContainsAny(key, separator+escape) {
		key = strings.NewReplacer(separator, escapedSeparator, escape, escapedEscape).Replace(key)
	}
	return indexKey + separator + key
}

func keyOf(entry string) string {
	key := entry[strings.LastIndex(entry, separator)+1:]
	if strings.Contains(key, escape) {
		key = strings.NewReplacer(escapedSeparator, separator, escapedEscape, escape).Replace(key)
	}
	return key
}

func (t Table[T]) reindex(tx Tx, ix Index[T], key string, before, after []string) {
	bucket := t.Name + "/" + ix.Name
	for _, k := range before {
		if !slices.Contains(after, k) {
			tx.Delete(bucket, entryOf(k, key))
		}
	}
	for _, k := range after {
		if !slices.Contains(before, k) {
			tx.Put(bucket, entryOf(k, key), []byte{})
		}
	}
}

func (t Table[T]) decode(key string, data []byte) (record T) {
	if err := decode(data, &record); err != nil {
		panic(fmt.Errorf("state: decode %s %q: %w", t.Name, key, err)) // Store turns it into a failed transaction
	}
	return record
}
