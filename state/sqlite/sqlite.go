// Package sqlite holds state in one SQLite file: write-ahead log, every commit
// flushed to disk before it is acknowledged, one writer whose concurrent
// updates share a commit, readers on snapshots of their own. It leaves the
// data folder, its lock and its backups' schedule to others.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"lockstep/fault"
	"lockstep/state"
)

// Format is the number of the layout that this package writes. A file with a
// higher one was written by a newer Lockstep and is refused.
const Format = 1

// readers is how many views run at once; more wait for one to end.
const readers = 16

// Store is a state.Store in a file. Make one with Open.
type Store struct {
	path   string
	writer *conn
	queue  queue
	group  *group // updates that ran and wait for their common commit; guarded by the queue's turn

	idle   chan *conn // readers; nil stands for one not opened yet
	closed chan struct{}
	close  sync.Once
}

var _ state.Store = (*Store)(nil)

// Open opens the file or makes it, with mode 0600 in a folder with mode 0700.
// The caller sees to it that no other process writes the file.
func Open(path string) (*Store, error) {
	s, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open state %s: %w", path, err)
	}
	return s, nil
}

func open(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	w, err := connect(path, writing)
	if err != nil {
		return nil, err
	}
	if err := w.format(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if err := w.prepare(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	s := &Store{path: path, writer: w, idle: make(chan *conn, readers), closed: make(chan struct{})}
	for range readers {
		s.idle <- nil
	}
	return s, nil
}

// create makes the file before SQLite does, which would ask the umask only;
// its side files take the file's mode.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return os.Chmod(path, 0o600)
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close()) // the name itself must outlive a power cut
}

// format makes the layout in an empty file and refuses a file of a newer one.
func (c *conn) format() error {
	tables, err := c.query("SELECT name FROM sqlite_schema WHERE name = 'kv'")
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return errors.Join(c.exec("BEGIN IMMEDIATE"), c.exec(schema),
			c.exec("INSERT INTO kv VALUES ('meta', CAST('format' AS BLOB), CAST(? AS BLOB))", strconv.Itoa(Format)), c.exec("COMMIT"))
	}
	rows, err := c.query("SELECT value FROM kv WHERE bucket = 'meta' AND key = CAST('format' AS BLOB)")
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return errors.New("it has no format number: it isn't state of a Lockstep")
	}
	text, _ := rows[0][0].([]byte)
	n, err := strconv.Atoi(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("its format number %q can't be read", text)
	case n > Format:
		return fault.New(fault.Conflict, "it has format %d and this Lockstep knows formats up to %d: start the newer Lockstep that wrote it", n, Format)
	}
	return nil
}

// Close waits for the running update, then ends the store: calls after it
// fail, views that still run may end.
func (s *Store) Close() error {
	var err error
	s.close.Do(func() {
		if err = s.queue.take(context.Background()); err != nil {
			return
		}
		s.commitGroup()
		close(s.closed)
		s.queue.pass()
		for range readers {
			if c := <-s.idle; c != nil {
				err = errors.Join(err, c.close())
			}
		}
		err = errors.Join(err, s.writer.close()) // last, so that it folds the log into the file
	})
	return err
}

func (s *Store) isClosed() error {
	select {
	case <-s.closed:
		return fault.New(fault.Unavailable, "state is closed")
	default:
		return nil
	}
}

// View runs f on a snapshot of what was committed when it began; see state.Store.
func (s *Store) View(ctx context.Context, f func(state.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("state: view: %w", err)
	}
	var c *conn
	select {
	case <-ctx.Done():
		return fmt.Errorf("state: view: %w", ctx.Err())
	case <-s.closed:
		return s.isClosed()
	case c = <-s.idle:
	}
	defer func() { s.idle <- c }()
	if err := s.isClosed(); err != nil {
		return err
	}
	if c == nil {
		if c, err = s.reader(); err != nil {
			return fault.New(fault.Unavailable, "state: open a reader: %w", err)
		}
	}
	if err := c.beginView(); err != nil {
		return fault.New(fault.Unavailable, "state: begin a view: %w", err)
	}
	defer func() {
		if e := c.run(c.rollback); e != nil { // a reader that can't be reset isn't used again
			err = errors.Join(err, e, c.close())
			c = nil
		}
	}()
	t := &tx{ctx: ctx, c: c, readOnly: true}
	return t.run(f)
}

func (s *Store) reader() (*conn, error) {
	c, err := connect(s.path, reading)
	if err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// Backup writes a consistent copy of the state to a new file at path, with
// mode 0600, while updates go on.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.isClosed(); err != nil {
		return err
	}
	if err := create(path); err != nil {
		return fmt.Errorf("back up state to %s: %w", path, err)
	}
	c, err := connect(s.path, copying)
	if err == nil {
		err = errors.Join(c.copyTo(path), c.close())
	}
	if err != nil {
		return fmt.Errorf("back up state to %s: %w", path, err)
	}
	return nil
}
