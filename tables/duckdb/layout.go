package duckdb

import (
	"context"
	"fmt"
	"strings"

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
		r := &relation{relationKey: relationKey{tables.Home(f[1].(string)), f[2].(string)}, id: f[0].(int64), time: f[3].(string)}
		s.layout[r.relationKey], byID[r.id] = r, r
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

// ensure gives the relation of a batch's table with all its columns, making
// what is missing in a transaction of its own. The caller holds writing.
func (s *Store) ensure(ctx context.Context, home tables.Home, t *schema.Table) (*relation, error) {
	key := relationKey{home, t.Name}
	s.knowing.RLock()
	r := s.layout[key]
	s.knowing.RUnlock()
	grown := &relation{relationKey: key, time: t.Time}
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
		return r, nil
	}
	err := s.transaction(ctx, func() error {
		if r == nil {
			if err := s.make(ctx, grown); err != nil {
				return err
			}
		} else if err := s.grow(ctx, grown, len(r.fields)); err != nil {
			return err
		}
		if !grown.keyed || r != nil && r.keyed {
			return nil
		}
		_, err := s.writer.exec(ctx, "CREATE TABLE "+grown.keys()+" (high BIGINT NOT NULL, low BIGINT NOT NULL, event BIGINT NOT NULL)")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make room for %s: %w", t.Name, err)
	}
	s.knowing.Lock()
	defer s.knowing.Unlock()
	s.layout[key] = grown
	return grown, nil
}

func (s *Store) make(ctx context.Context, r *relation) error {
	found, err := s.writer.all(ctx, "SELECT coalesce(max(id), 0) + 1 FROM relations")
	if err != nil {
		return err
	}
	r.id = found[0][0].(int64)
	columns := make([]string, 0, len(r.fields)+len(hidden))
	for _, h := range hidden {
		columns = append(columns, h+" BIGINT")
	}
	for _, f := range r.fields {
		columns = append(columns, f.column()+" "+physical(f.typ))
	}
	if _, err := s.writer.exec(ctx, "CREATE TABLE "+r.table()+" ("+strings.Join(columns, ", ")+")"); err != nil {
		return err
	}
	if _, err := s.writer.exec(ctx, "INSERT INTO relations VALUES (?, ?, ?, ?)", r.id, string(r.home), r.name, r.time); err != nil {
		return err
	}
	return s.list(ctx, r, 0)
}

func (s *Store) grow(ctx context.Context, r *relation, from int) error {
	for _, f := range r.fields[from:] {
		sql := "ALTER TABLE " + r.table() + " ADD COLUMN " + f.column() + " " + physical(f.typ)
		if f.typ == schema.String {
			sql += " DEFAULT ''"
		}
		if _, err := s.writer.exec(ctx, sql); err != nil {
			return err
		}
	}
	return s.list(ctx, r, from)
}

func (s *Store) list(ctx context.Context, r *relation, from int) error {
	for _, f := range r.fields[from:] {
		if _, err := s.writer.exec(ctx, "INSERT INTO fields VALUES (?, ?, ?, ?)", r.id, f.ordinal, f.name, f.typ.String()); err != nil {
			return err
		}
	}
	return nil
}
