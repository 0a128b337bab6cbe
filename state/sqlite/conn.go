package sqlite

import (
	"database/sql/driver"
	"errors"
	"io"
	"net/url"
	"strings"

	"modernc.org/sqlite"
)

// One table for all buckets. With a rowid beside a unique index, records of a
// few kilobytes are two to three times as fast to write and read as in a table
// WITHOUT ROWID, whose tree keeps large rows in overflow pages (measured with
// 3 kB records: 10 puts with 10 index entries 0.6 against 1.4 ms, a get 15
// against 37 µs); a table per bucket gains nothing.
const schema = `CREATE TABLE kv (bucket TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, UNIQUE (bucket, key))`

// settings of a connection, in order.
var (
	writing = []string{
		"PRAGMA busy_timeout = 10000",
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL", // a commit is on disk when it returns
		"PRAGMA wal_autocheckpoint = 2000",
		"PRAGMA journal_size_limit = 67108864",
		"PRAGMA cache_size = -65536",
		"PRAGMA temp_store = MEMORY", // where a savepoint keeps the pages it may restore
		"PRAGMA trusted_schema = OFF",
	}
	reading = []string{
		"PRAGMA busy_timeout = 10000",
		"PRAGMA query_only = ON",
		"PRAGMA cache_size = -8192",
		"PRAGMA trusted_schema = OFF",
	}
	copying = []string{"PRAGMA busy_timeout = 10000"}
)

// conn is one connection with its prepared statements. It isn't safe for
// concurrent use. It speaks to the driver directly: the pool of database/sql
// has nothing to do here.
type conn struct {
	c driver.Conn

	get, put, remove               driver.Stmt
	up, upTo, down, downTo         driver.Stmt
	begin, commit, rollback, touch driver.Stmt
	save, release, undo            driver.Stmt
}

func connect(path string, settings []string) (*conn, error) {
	name := url.URL{Scheme: "file", Path: path} // a plain name would be cut at a question mark
	c, err := (&sqlite.Driver{}).Open(name.String())
	if err != nil {
		return nil, err
	}
	out := &conn{c: c}
	for _, pragma := range settings {
		if err := out.exec(pragma); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return out, nil
}

func (c *conn) prepare() error {
	for _, s := range []struct {
		stmt *driver.Stmt
		text string
	}{
		{&c.get, "SELECT value FROM kv WHERE bucket = ? AND key = ?"},
		{&c.put, "INSERT INTO kv VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"},
		{&c.remove, "DELETE FROM kv WHERE bucket = ? AND key = ?"},
		{&c.up, "SELECT key, value FROM kv WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?"},
		{&c.upTo, "SELECT key, value FROM kv WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"},
		{&c.down, "SELECT key, value FROM kv WHERE bucket = ? AND key >= ? ORDER BY key DESC LIMIT ?"},
		{&c.downTo, "SELECT key, value FROM kv WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key DESC LIMIT ?"},
		{&c.begin, "BEGIN IMMEDIATE"},
		{&c.commit, "COMMIT"},
		{&c.rollback, "ROLLBACK"},
		{&c.touch, "BEGIN"},
		{&c.save, "SAVEPOINT member"},
		{&c.release, "RELEASE member"},
		{&c.undo, "ROLLBACK TO member"},
	} {
		stmt, err := c.c.Prepare(s.text)
		if err != nil {
			return err
		}
		*s.stmt = stmt
	}
	return nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range []driver.Stmt{c.get, c.put, c.remove, c.up, c.upTo, c.down, c.downTo,
		c.begin, c.commit, c.rollback, c.touch, c.save, c.release, c.undo} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, c.c.Close())...)
}

// run runs a prepared statement that gives no rows.
func (c *conn) run(stmt driver.Stmt, args ...driver.Value) error {
	_, err := stmt.Exec(args)
	return err
}

// beginView fixes the snapshot: SQLite does so at the first read, not at BEGIN.
func (c *conn) beginView() error {
	if err := c.run(c.touch); err != nil {
		return err
	}
	if _, _, err := c.lookup("meta", "format"); err != nil {
		return errors.Join(err, c.run(c.rollback))
	}
	return nil
}

func (c *conn) lookup(bucket, key string) (value []byte, ok bool, err error) {
	rows, err := c.get.Query([]driver.Value{bucket, []byte(key)})
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var row [1]driver.Value
	switch err := rows.Next(row[:]); {
	case errors.Is(err, io.EOF):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	value, _ = row[0].([]byte)
	return value, true, nil
}

type entry struct {
	key   string
	value []byte
}

// scan gives up to size entries of a range.
func (c *conn) scan(bucket, from, to string, reverse bool, size int) (page []entry, err error) {
	stmt, args := c.up, []driver.Value{bucket, []byte(from), int64(size)}
	if reverse {
		stmt = c.down
	}
	if to != "" {
		stmt, args = c.upTo, []driver.Value{bucket, []byte(from), []byte(to), int64(size)}
		if reverse {
			stmt = c.downTo
		}
	}
	rows, err := stmt.Query(args)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	page = make([]entry, 0, firstPage)
	for {
		var row [2]driver.Value
		switch err := rows.Next(row[:]); {
		case errors.Is(err, io.EOF):
			return page, nil
		case err != nil:
			return nil, err
		}
		key, _ := row[0].([]byte)
		value, _ := row[1].([]byte)
		page = append(page, entry{string(key), value})
	}
}

// exec runs a statement once.
func (c *conn) exec(text string, args ...driver.Value) error {
	_, err := c.query(text, args...)
	return err
}

// query runs a statement once and gives all its rows.
func (c *conn) query(text string, args ...driver.Value) (all [][]driver.Value, err error) {
	stmt, err := c.c.Prepare(text)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	rows, err := stmt.Query(args)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row := make([]driver.Value, len(rows.Columns()))
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, row)
	}
}

// copyTo writes what is committed now to an empty file.
func (c *conn) copyTo(path string) error {
	if strings.ContainsRune(path, 0) {
		return errors.New("a file name can't hold a zero byte")
	}
	return c.exec("VACUUM INTO ?", path)
}
