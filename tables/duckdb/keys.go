package duckdb

import (
	"context"
	"strconv"
	"strings"

	"lockstep/rows"
	"lockstep/schema"
)

// hash stands for a row's natural key.
type hash struct{ high, low int64 }

// keyColumns gives the positions of a table's natural key; nil when it has
// none, or not all of it.
func keyColumns(t *schema.Table) []int {
	var out []int
	for _, name := range t.Key {
		i := t.Index(name)
		if i < 0 {
			return nil
		}
		out = append(out, i)
	}
	return out
}

// fresh leaves out the rows whose key is stored, or was seen earlier in the
// group. Rows with an empty key are never taken for repeats.
func (s *Store) fresh(ctx context.Context, r *relation, b *rows.Batch, key []int, seen map[hash]bool) (*rows.Batch, []hash, error) {
	hashes := make([]hash, 0, b.N)
	b.EachHash(key, func(_ int, hi, lo uint64) { hashes = append(hashes, hash{int64(hi), int64(lo)}) })
	known, err := s.stored(ctx, r, hashes)
	if err != nil {
		return nil, nil, err
	}
	keep := make([]int, 0, b.N)
	for i, h := range hashes {
		if empty(b, key, i) {
			keep = append(keep, i)
			continue
		}
		if !known[h] && !seen[h] {
			keep = append(keep, i)
			seen[h] = true
		}
	}
	if len(keep) == b.N {
		return b, hashes, nil
	}
	kept := make([]hash, len(keep))
	for n, i := range keep {
		kept[n] = hashes[i]
	}
	return b.Pick(keep), kept, nil
}

func empty(b *rows.Batch, key []int, row int) bool {
	for _, c := range key {
		if b.Columns[c].Print(row) != "" {
			return false
		}
	}
	return true
}

// stored asks which of the hashes the relation has.
func (s *Store) stored(ctx context.Context, r *relation, hashes []hash) (map[hash]bool, error) {
	const most = 2000 // per statement
	known := map[hash]bool{}
	for from := 0; from < len(hashes); from += most {
		var sql strings.Builder
		sql.WriteString("SELECT high, low FROM " + r.keys() + " WHERE low IN (")
		for i, h := range hashes[from:min(from+most, len(hashes))] {
			if i > 0 {
				sql.WriteByte(',')
			}
			sql.WriteString(strconv.FormatInt(h.low, 10))
		}
		sql.WriteByte(')')
		found, err := s.writer.all(ctx, sql.String())
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			known[hash{f[0].(int64), f[1].(int64)}] = true
		}
	}
	return known, nil
}

func (s *Store) storeHashes(r *relation, parts []part, now schema.Ticks) error {
	var high, low, event []int64
	for _, p := range parts {
		if p.hashes == nil {
			continue
		}
		event = append(event, r.events(p.batch, now)...)
		for _, h := range p.hashes {
			high, low = append(high, h.high), append(low, h.low)
		}
	}
	if len(high) == 0 {
		return nil
	}
	return s.fill(r.keys(), []source{{ints: high}, {ints: low}, {ints: event}}, len(high))
}
