package duckdb

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// formatVersion is the layout of the file; a newer one is refused.
const formatVersion = 1

// bookkeeping are the tables that the store keeps beside the rows.
var bookkeeping = []string{
	"CREATE TABLE IF NOT EXISTS house (format BIGINT NOT NULL, epoch BIGINT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS relations (id BIGINT NOT NULL, home VARCHAR NOT NULL, name VARCHAR NOT NULL, timed VARCHAR NOT NULL)",
	"CREATE TABLE IF NOT EXISTS fields (relation BIGINT NOT NULL, ordinal BIGINT NOT NULL, name VARCHAR NOT NULL, type VARCHAR NOT NULL)",
	"CREATE TABLE IF NOT EXISTS positions (reader VARCHAR PRIMARY KEY, value BIGINT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS receipts (key VARCHAR PRIMARY KEY, accepted BIGINT NOT NULL, repeats BIGINT NOT NULL, refused BIGINT NOT NULL, arrival BIGINT NOT NULL, received BIGINT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS grants (workspace VARCHAR NOT NULL, name VARCHAR NOT NULL, from_arrival BIGINT NOT NULL, to_arrival BIGINT NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL)",
	"CREATE SEQUENCE IF NOT EXISTS quarantine_id",
	"CREATE TABLE IF NOT EXISTS quarantine (id BIGINT NOT NULL DEFAULT nextval('quarantine_id'), received BIGINT NOT NULL, source VARCHAR NOT NULL, record BIGINT NOT NULL, name VARCHAR NOT NULL, field VARCHAR NOT NULL, reason VARCHAR NOT NULL, body VARCHAR NOT NULL)",
	"CREATE TABLE IF NOT EXISTS segments (file VARCHAR NOT NULL, relation BIGINT NOT NULL, fields BIGINT NOT NULL, amount BIGINT NOT NULL, bytes BIGINT NOT NULL, from_event BIGINT NOT NULL, to_event BIGINT NOT NULL, from_arrival BIGINT NOT NULL, to_arrival BIGINT NOT NULL)",
}

// relationKey names the rows of a table in a home.
type relationKey struct {
	home tables.Home
	name string
}

// relation is the physical table of a key. It is never changed: a grown one
// replaces it.
type relation struct {
	relationKey
	id     int64
	time   string  // the column that gives the event time; "" when none does
	keyed  bool    // it has a table of natural keys
	fields []field // by ordinal
	// oldest is a time before which no row of the table is. It may be earlier than
	// need be: it is lowered before rows are stored, and raised by a start alone.
	oldest *atomic.Int64
}

// field is a physical column. Its SQL name is c and its ordinal, because DuckDB
// ignores case and tables have columns that differ in nothing else.
type field struct {
	ordinal int
	name    string
	typ     schema.Type
}

func (r *relation) table() string { return fmt.Sprintf("r%d", r.id) }
func (r *relation) keys() string  { return fmt.Sprintf("k%d", r.id) }
func (f field) column() string    { return fmt.Sprintf("c%d", f.ordinal) }

// The hidden columns of every physical table, before its fields. _size is the
// row's size as billed.
var hidden = []string{tables.ArrivalColumn, tables.EventColumn, tables.ReceivedColumn, sizeColumn}

const sizeColumn = "_size"

// field finds the newest physical column with a name and type.
func (r *relation) field(name string, typ schema.Type) int {
	for i := len(r.fields) - 1; i >= 0; i-- {
		if r.fields[i].name == name && r.fields[i].typ == typ {
			return i
		}
	}
	return -1
}

// source finds the column that a view's column shows: by name and type, by
// name, ignoring case, or as the other name of the time column.
func (r *relation) source(name string, typ schema.Type) (field, bool) {
	if i := r.field(name, typ); i >= 0 {
		return r.fields[i], true
	}
	matches := []func(string) bool{
		func(n string) bool { return n == name },
		func(n string) bool { return strings.EqualFold(n, name) },
	}
	if strings.EqualFold(name, "TimeGenerated") || strings.EqualFold(name, "Timestamp") {
		matches = append(matches, func(n string) bool { return n == r.time })
	}
	for _, match := range matches {
		for i := len(r.fields) - 1; i >= 0; i-- {
			if match(r.fields[i].name) {
				return r.fields[i], true
			}
		}
	}
	return field{}, false
}

// load makes the bookkeeping tables if need be and reads them.
func (s *Store) load(ctx context.Context) error {
	c := s.writer
	for _, sql := range bookkeeping {
		if _, err := c.exec(ctx, sql); err != nil {
			return fmt.Errorf("make the bookkeeping: %w", err)
		}
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	byID := map[int64]*relation{}
	found, err := c.all(ctx, "SELECT id, home, name, timed FROM relations")
	if err != nil {
		return err
	}
	for _, f := range found {
		r := &relation{relationKey: relationKey{tables.Home(f[1].(string)), f[2].(string)}, id: f[0].(int64), time: f[3].(string), oldest: &atomic.Int64{}}
		s.layout[r.relationKey], byID[r.id] = r, r
	}
	for _, r := range byID {
		if found, err = c.all(ctx, fmt.Sprintf("SELECT coalesce(min(%s), %d) FROM %s", tables.EventColumn, math.MaxInt64, r.table())); err != nil {
			return fmt.Errorf("the oldest row of %s: %w", r.name, err)
		}
		r.oldest.Store(found[0][0].(int64))
	}
	if found, err = c.all(ctx, "SELECT r.id FROM relations r JOIN duckdb_tables() t ON t.table_name = 'k' || r.id"); err != nil {
		return err
	}
	for _, f := range found {
		byID[f[0].(int64)].keyed = true
	}
	if found, err = c.all(ctx, "SELECT relation, ordinal, name, type FROM fields ORDER BY relation, ordinal"); err != nil {
		return err
	}
	for _, f := range found {
		typ, ok := schema.ParseType(f[3].(string))
		if !ok {
			return fmt.Errorf("column %s has the unknown type %q", f[2], f[3])
		}
		r := byID[f[0].(int64)]
		r.fields = append(r.fields, field{int(f[1].(int64)), f[2].(string), typ})
	}
	if found, err = c.all(ctx, "SELECT reader, value FROM positions"); err != nil {
		return err
	}
	for _, f := range found {
		s.positions[f[0].(string)] = f[1].(int64)
	}
	return nil
}

// begin checks the format and starts a new epoch of arrival numbers.
func (s *Store) begin(ctx context.Context) error {
	found, err := s.writer.all(ctx, "SELECT format, epoch FROM house")
	if err != nil {
		return err
	}
	epoch := s.options.Epoch
	sql := "UPDATE house SET format = ?, epoch = ?"
	if len(found) == 0 {
		sql = "INSERT INTO house VALUES (?, ?)"
		epoch = max(epoch, 1)
	} else {
		format, last := found[0][0].(int64), found[0][1].(int64)
		if format > formatVersion {
			return fault.New(fault.Conflict, "the tables have format %d, this program knows up to %d: use a newer one", format, formatVersion)
		}
		if epoch == 0 {
			epoch = last + 1
		}
		if epoch <= last {
			return fault.New(fault.Conflict, "epoch %d was used already (the last was %d): arrival numbers would repeat", epoch, last)
		}
	}
	if epoch >= 1<<(63-epochBits) {
		return fault.New(fault.Invalid, "epoch %d is too high", epoch)
	}
	if _, err := s.writer.exec(ctx, sql, formatVersion, epoch); err != nil {
		return err
	}
	s.arrival = epoch << epochBits
	s.committed = s.arrival
	return nil
}

// relation gives the relation of a key, nil if there is none.
func (s *Store) relation(key relationKey) *relation {
	s.knowing.RLock()
	defer s.knowing.RUnlock()
	return s.layout[key]
}

// makeRoom sees that there is a relation with all columns for every batch of a
// group, making what is missing in one transaction of its own. The caller
// holds writing.
func (s *Store) makeRoom(ctx context.Context, group []*write) error {
	var grown []growth
	latest := map[relationKey]*relation{}
	for _, w := range group {
		for _, b := range w.Batches {
			key := relationKey{w.Home, b.Table.Name}
			old := latest[key]
			if old == nil {
				old = s.relation(key)
			}
			if next := grow(old, key, b.Table); b.N > 0 && next != old {
				grown = append(grown, growth{old, next})
				latest[key] = next
			}
		}
	}
	if len(grown) == 0 {
		return nil
	}
	if err := s.transaction(ctx, func() error { return s.build(ctx, grown) }); err != nil {
		return err
	}
	s.knowing.Lock()
	defer s.knowing.Unlock()
	for key, r := range latest {
		s.layout[key] = r
	}
	return nil
}

// growth is a relation before, nil if it is new, and after.
type growth struct{ old, next *relation }

// grow gives a relation with room for all of a table's columns: itself, if it has.
func grow(r *relation, key relationKey, t *schema.Table) *relation {
	grown := &relation{relationKey: key, time: t.Time, oldest: &atomic.Int64{}}
	grown.oldest.Store(math.MaxInt64)
	if r != nil {
		*grown = *r
		grown.fields = r.fields[:len(r.fields):len(r.fields)]
	}
	grown.keyed = grown.keyed || keyColumns(t) != nil
	for _, c := range t.Columns {
		if !rows.Computed(t, c.Name) && grown.field(c.Name, c.Type) < 0 {
			grown.fields = append(grown.fields, field{len(grown.fields), c.Name, c.Type})
		}
	}
	if r != nil && len(r.fields) == len(grown.fields) && r.keyed == grown.keyed {
		return r
	}
	return grown
}

// build makes and alters tables, and lists them.
func (s *Store) build(ctx context.Context, grown []growth) error {
	found, err := s.writer.all(ctx, "SELECT coalesce(max(id), 0) FROM relations")
	if err != nil {
		return err
	}
	last := found[0][0].(int64)
	var news listing
	for _, g := range grown {
		from := 0
		if g.old != nil {
			g.next.id, from = g.old.id, len(g.old.fields)
			err = s.alter(ctx, g.next, from)
		} else {
			last++
			g.next.id = last
			err = s.make(ctx, g.next)
			news.relation(g.next)
		}
		if err == nil && g.next.keyed && (g.old == nil || !g.old.keyed) {
			_, err = s.writer.exec(ctx, "CREATE TABLE "+g.next.keys()+" (high BIGINT NOT NULL, low BIGINT NOT NULL, event BIGINT NOT NULL)")
		}
		if err != nil {
			return fmt.Errorf("make room for %s: %w", g.next.name, err)
		}
		news.fields(g.next, from)
	}
	return news.store(s)
}

func (s *Store) make(ctx context.Context, r *relation) error {
	columns := make([]string, 0, len(r.fields)+len(hidden))
	for _, h := range hidden {
		columns = append(columns, h+" BIGINT")
	}
	for _, f := range r.fields {
		columns = append(columns, f.column()+" "+physical(f.typ))
	}
	_, err := s.writer.exec(ctx, "CREATE TABLE "+r.table()+" ("+strings.Join(columns, ", ")+")")
	return err
}

func (s *Store) alter(ctx context.Context, r *relation, from int) error {
	for _, f := range r.fields[from:] {
		sql := "ALTER TABLE " + r.table() + " ADD COLUMN " + f.column() + " " + physical(f.typ)
		if f.typ == schema.String {
			sql += " DEFAULT ''"
		}
		if _, err := s.writer.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// listing is what the bookkeeping's relations and fields get.
type listing struct {
	ids                 []int64
	homes, names, times rows.Column
	of, ordinals        []int64
	columns, types      rows.Column
}

func (l *listing) relation(r *relation) {
	l.ids = append(l.ids, r.id)
	l.homes.AppendText(string(r.home))
	l.names.AppendText(r.name)
	l.times.AppendText(r.time)
}

func (l *listing) fields(r *relation, from int) {
	for _, f := range r.fields[from:] {
		l.of, l.ordinals = append(l.of, r.id), append(l.ordinals, int64(f.ordinal))
		l.columns.AppendText(f.name)
		l.types.AppendText(f.typ.String())
	}
}

func (l *listing) store(s *Store) error {
	for _, c := range []*rows.Column{&l.homes, &l.names, &l.times, &l.columns, &l.types} {
		c.Type = schema.String
	}
	if n := len(l.ids); n > 0 {
		if err := s.fill("relations", []source{{ints: l.ids}, {column: &l.homes}, {column: &l.names}, {column: &l.times}}, n); err != nil {
			return err
		}
	}
	if n := len(l.of); n > 0 {
		return s.fill("fields", []source{{ints: l.of}, {ints: l.ordinals}, {column: &l.columns}, {column: &l.types}}, n)
	}
	return nil
}
