package duckdb

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// write is an append on its way.
type write struct {
	tables.Append
	receipt tables.Receipt
	err     error
	done    bool
	parts   []part // what it adds, once its receipt is known
}

// part is rows of one batch with the numbers that they get.
type part struct {
	key      relationKey
	batch    *rows.Batch
	arrivals []int64
	hashes   []hash // per row, for tables with a natural key
}

// Appends that wait together share a transaction up to so many rows and appends.
const (
	groupRows   = 1 << 17
	groupWrites = 1000
)

// keyLimit is the longest key, in bytes.
const keyLimit = 1024

// Append writes all of a or nothing; what it wrote is on disk when it returns.
// Appends that wait for the writer at the same time share one transaction.
//
// A repeat changes nothing: by its Key it returns the first receipt, by its
// Positions an empty one, both with Repeat set. Rows whose natural key is
// known are counted and left out.
func (s *Store) Append(ctx context.Context, a tables.Append) (tables.Receipt, error) {
	if err := check(a); err != nil {
		return tables.Receipt{}, err
	}
	if err := ctx.Err(); err != nil {
		return tables.Receipt{}, err
	}
	w := &write{Append: a}
	s.queueing.Lock()
	s.queue = append(s.queue, w)
	s.queueing.Unlock()

	s.writing.Lock()
	defer s.writing.Unlock()
	for !w.done {
		s.commit(context.WithoutCancel(ctx), s.group())
	}
	return w.receipt, w.err
}

func check(a tables.Append) error {
	if a.Home == "" {
		return fault.New(fault.Invalid, "append: no home is named")
	}
	if len(a.Key) > keyLimit || !utf8.ValidString(a.Key) {
		return fault.New(fault.Invalid, "append: its key is longer than %d bytes, or isn't UTF-8", keyLimit)
	}
	for _, b := range a.Batches {
		for i := range b.Columns {
			if n := b.Columns[i].Len(); n != b.N {
				return fault.New(fault.Invalid, "append to %s: column %s has %d values in %d rows", b.Table.Name, b.Table.Columns[i].Name, n, b.N)
			}
		}
	}
	return nil
}

// group takes the next appends from the queue: at least one.
func (s *Store) group() []*write {
	s.queueing.Lock()
	defer s.queueing.Unlock()
	total, n := 0, 0
	for n < len(s.queue) && n < groupWrites && (n == 0 || total < groupRows) {
		for _, b := range s.queue[n].Batches {
			total += b.N
		}
		n++
	}
	group := s.queue[:n:n]
	s.queue = append([]*write(nil), s.queue[n:]...)
	return group
}

// commit writes a group in one transaction. When that fails each of the group
// is tried alone, so that only the one at fault fails.
func (s *Store) commit(ctx context.Context, group []*write) {
	err := s.commitAll(ctx, group)
	if err != nil && len(group) > 1 {
		for _, w := range group {
			s.commit(ctx, []*write{w})
		}
		return
	}
	for _, w := range group {
		w.done = true
		if err != nil {
			w.receipt, w.err = tables.Receipt{}, fmt.Errorf("append: %w", err)
		}
	}
}

func (s *Store) commitAll(ctx context.Context, group []*write) error {
	now := s.clock()
	positions := map[string]int64{} // as the group moves them
	known, err := s.receipts(ctx, group)
	if err != nil {
		return err
	}
	if err := s.makeRoom(ctx, group); err != nil {
		return err
	}
	keys := map[string]tables.Receipt{} // new ones
	seen := map[relationKey]map[hash]bool{}
	before := s.arrival
	for _, w := range group {
		w.parts, w.receipt, w.err = nil, tables.Receipt{}, nil
		if s.repeat(w, known, positions) {
			continue
		}
		if err := s.prepare(ctx, w, seen); err != nil {
			return err
		}
		w.receipt.At = now
		for _, p := range w.Positions {
			positions[p.Reader] = max(p.Value, positions[p.Reader])
		}
		if w.Key != "" {
			keys[scoped(w)], known[scoped(w)] = w.receipt, w.receipt
		}
	}
	if s.arrival == before && len(keys) == 0 && len(positions) == 0 {
		return nil
	}
	if err := s.transaction(ctx, func() error { return s.store(ctx, group, now, keys, positions) }); err != nil {
		return err
	}
	s.knowing.Lock()
	defer s.knowing.Unlock()
	s.committed = s.arrival
	for reader, value := range positions {
		s.positions[reader] = value
	}
	return nil
}

// scoped makes a key that belongs to its home.
func scoped(w *write) string { return string(w.Home) + "/" + w.Key }

// receipts reads the receipts that the keys of a group have.
func (s *Store) receipts(ctx context.Context, group []*write) (map[string]tables.Receipt, error) {
	known := map[string]tables.Receipt{}
	var keys []any
	for _, w := range group {
		if w.Key != "" {
			keys = append(keys, scoped(w))
		}
	}
	if len(keys) == 0 {
		return known, nil
	}
	found, err := s.writer.all(ctx, "SELECT key, accepted, repeats, refused, arrival, received FROM receipts WHERE key IN (?"+strings.Repeat(", ?", len(keys)-1)+")", keys...)
	if err != nil {
		return nil, fmt.Errorf("look for receipts: %w", err)
	}
	for _, f := range found {
		known[f[0].(string)] = tables.Receipt{Accepted: int(f[1].(int64)), Repeats: int(f[2].(int64)), Refused: int(f[3].(int64)), Arrival: f[4].(int64), At: schema.Ticks(f[5].(int64))}
	}
	return known, nil
}

// repeat tells whether an append needs no writing, and sets its answer: it was
// committed before, by its key or by its positions, or is at odds with them.
func (s *Store) repeat(w *write, known map[string]tables.Receipt, positions map[string]int64) bool {
	if first, ok := known[scoped(w)]; ok && w.Key != "" {
		first.Repeat = true
		w.receipt = first
		return true
	}
	passed := 0
	s.knowing.RLock()
	defer s.knowing.RUnlock()
	for _, p := range w.Positions {
		value, known := positions[p.Reader]
		if !known {
			value, known = s.positions[p.Reader]
		}
		if known && p.Value <= value {
			passed++
		}
	}
	switch {
	case passed == 0:
		return false
	case passed == len(w.Positions):
		w.receipt = tables.Receipt{Refused: w.Refused, Repeat: true}
		return true
	}
	w.err = fault.New(fault.Conflict, "append: %d of its %d positions were passed before, so part of it may be a repeat", passed, len(w.Positions))
	return true
}

// prepare finds a write's relations, leaves out rows that are known, and gives
// the others their numbers.
func (s *Store) prepare(ctx context.Context, w *write, seen map[relationKey]map[hash]bool) error {
	for _, b := range w.Batches {
		if b.N == 0 {
			continue
		}
		r := s.relation(relationKey{w.Home, b.Table.Name})
		p := part{key: r.relationKey, batch: b}
		if key := keyColumns(b.Table); key != nil {
			var err error
			if seen[r.relationKey] == nil {
				seen[r.relationKey] = map[hash]bool{}
			}
			p.batch, p.hashes, err = s.fresh(ctx, r, b, key, seen[r.relationKey])
			if err != nil {
				return err
			}
			w.receipt.Repeats += b.N - p.batch.N
		}
		p.arrivals = make([]int64, p.batch.N)
		for i := range p.arrivals {
			s.arrival++
			p.arrivals[i] = s.arrival
		}
		if p.batch.N > 0 {
			w.parts = append(w.parts, p)
			w.receipt.Accepted += p.batch.N
			w.receipt.Arrival = s.arrival
		}
	}
	w.receipt.Refused = w.Refused
	return nil
}

// store is the inside of the transaction.
func (s *Store) store(ctx context.Context, group []*write, now schema.Ticks, keys map[string]tables.Receipt, positions map[string]int64) error {
	var order []relationKey
	parts := map[relationKey][]part{}
	for _, w := range group {
		for _, p := range w.parts {
			if parts[p.key] == nil {
				order = append(order, p.key)
			}
			parts[p.key] = append(parts[p.key], p)
		}
	}
	for _, key := range order {
		r := s.relation(key)
		if err := s.storeRows(r, parts[key], now); err != nil {
			return fmt.Errorf("store rows of %s: %w", r.name, err)
		}
		if err := s.storeHashes(r, parts[key], now); err != nil {
			return fmt.Errorf("store keys of %s: %w", r.name, err)
		}
	}
	if err := s.storeReceipts(keys); err != nil {
		return fmt.Errorf("store receipts: %w", err)
	}
	if len(positions) == 0 {
		return nil
	}
	var args []any
	for reader, value := range positions {
		args = append(args, reader, value)
	}
	_, err := s.writer.exec(ctx, "INSERT INTO positions VALUES (?, ?)"+strings.Repeat(", (?, ?)", len(positions)-1)+" ON CONFLICT (reader) DO UPDATE SET value = excluded.value", args...)
	if err != nil {
		return fmt.Errorf("store positions: %w", err)
	}
	return nil
}

func (s *Store) storeReceipts(keys map[string]tables.Receipt) error {
	if len(keys) == 0 {
		return nil
	}
	names := rows.Column{Type: schema.String}
	var ints [5][]int64
	for key, r := range keys {
		names.AppendText(key)
		for i, v := range [...]int64{int64(r.Accepted), int64(r.Repeats), int64(r.Refused), r.Arrival, int64(r.At)} {
			ints[i] = append(ints[i], v)
		}
	}
	sources := []source{{column: &names}}
	for _, list := range ints {
		sources = append(sources, source{ints: list})
	}
	return s.fill("receipts", sources, len(keys))
}

// fill adds rows to one table within the transaction.
func (s *Store) fill(table string, sources []source, n int) error {
	a, err := s.writer.appender(table)
	if err != nil {
		return err
	}
	if err := a.append(sources, n); err != nil {
		a.free()
		return err
	}
	return a.close()
}

func (s *Store) storeRows(r *relation, parts []part, now schema.Ticks) error {
	a, err := s.writer.appender(r.table())
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := a.append(r.sources(p, now), p.batch.N); err != nil {
			a.free()
			return err
		}
	}
	return a.close()
}

// sources lays a part's columns out as the physical table has them.
func (r *relation) sources(p part, now schema.Ticks) []source {
	n := p.batch.N
	received := make([]int64, n)
	for i := range received {
		received[i] = int64(now)
	}
	events := r.events(p.batch, now)
	for _, at := range events {
		if at < r.oldest.Load() { // before the commit that shows the rows
			r.oldest.Store(at)
		}
	}
	out := make([]source, len(hidden)+len(r.fields))
	out[0], out[1], out[2], out[3] = source{ints: p.arrivals}, source{ints: events}, source{ints: received}, source{ints: sizes(p.batch)}
	for i, f := range r.fields {
		out[len(hidden)+i].text = f.typ == schema.String
	}
	for i, c := range p.batch.Table.Columns {
		if at := r.field(c.Name, c.Type); at >= 0 {
			out[len(hidden)+at].column = &p.batch.Columns[i]
		}
	}
	return out
}

// events gives each row's event time, which is its receipt where it has none.
func (r *relation) events(b *rows.Batch, now schema.Ticks) []int64 {
	out := make([]int64, b.N)
	var from *rows.Column
	if i := b.Table.Index(r.time); r.time != "" && i >= 0 && b.Table.Columns[i].Type == schema.DateTime {
		from = &b.Columns[i]
	}
	for i := range out {
		if out[i] = int64(now); from != nil && !from.IsNull(i) {
			out[i] = from.Ints[i]
		}
	}
	return out
}

// sizes gives each row's size as billed: the bytes of a text form of its
// columns. Source: facts 9.6.
func sizes(b *rows.Batch) []int64 {
	out := make([]int64, b.N)
	for i := range b.Columns {
		c := &b.Columns[i]
		if rows.StorageOf(c.Type) == rows.Texts {
			for r, t := range c.Texts {
				out[r] += int64(len(t))
			}
			continue
		}
		width := textWidth[c.Type]
		for r := range out {
			if !c.IsNull(r) {
				out[r] += width
			}
		}
	}
	return out
}

// textWidth is about how many bytes a value takes as text.
var textWidth = map[schema.Type]int64{schema.Bool: 5, schema.Int: 5, schema.Long: 8, schema.Real: 8, schema.DateTime: 28, schema.TimeSpan: 16}

// Position is how far a reader has come; false when it never stored one.
func (s *Store) Position(reader string) (int64, bool) {
	s.knowing.RLock()
	defer s.knowing.RUnlock()
	v, ok := s.positions[reader]
	return v, ok
}

// Positions gives all positions by reader.
func (s *Store) Positions() map[string]int64 {
	s.knowing.RLock()
	defer s.knowing.RUnlock()
	out := make(map[string]int64, len(s.positions))
	for r, v := range s.positions {
		out[r] = v
	}
	return out
}
