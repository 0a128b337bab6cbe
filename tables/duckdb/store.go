// Package duckdb keeps columnar rows in one DuckDB file with one writer, and
// old ones in Parquet segments beside it, listed in a manifest in the file.
//
// It knows where a row lies, which view may see it, for how long, and how to
// read a view's tables in one snapshot. It leaves what rows mean to schema,
// what a query says to kql, and who may ask to the callers.
package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/tables"
)

// Options say how a store behaves.
type Options struct {
	// Epoch begins the arrival numbers: epoch·2⁴⁰ + n. It must be higher at
	// every start; 0 takes the store's own last one and one more.
	Epoch     int64
	Clock     func() schema.Ticks // required
	Retention tables.Retention    // zero days take the defaults, 30 and 90
	Memory    string              // DuckDB's memory_limit, for example "2GB"; "" leaves its default
	Threads   int                 // 0 leaves DuckDB's default
	Spill     string              // most that queries may spill to disk, for example "10GB"; "" leaves the default
	// SealAfter moves rows older than this into Parquet segments; 0 never does.
	SealAfter schema.Ticks
	// Functions are scalar functions that queries call by name; nil for those of KQL.
	Functions []Function
}

// Store is an open tables folder.
type Store struct {
	db      *database
	clock   func() schema.Ticks
	folder  string
	options Options

	queueing sync.Mutex
	queue    []*write

	writing sync.Mutex  // held over everything that changes the file
	writer  *connection // under writing
	arrival int64       // last number given; under writing

	knowing   sync.RWMutex // over what follows: what is committed, kept in memory
	layout    map[relationKey]*relation
	positions map[string]int64
	committed int64 // last arrival that readers see
	retention tables.Retention

	readers   pool
	functions *functions
	sealing   sync.Mutex // one Maintain at a time
	snapshots snapshots
}

const (
	fileName     = "tables.duckdb"
	segmentsName = "segments"
	spillName    = "spill"
	epochBits    = 40
)

// Open opens the tables in a folder, or makes them. One process may hold them.
func Open(folder string, o Options) (_ *Store, err error) {
	if o.Clock == nil {
		return nil, fault.New(fault.Internal, "open tables: no clock")
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("open tables: %w", err)
	}
	for _, dir := range []string{folder, filepath.Join(folder, segmentsName), filepath.Join(folder, spillName)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open tables: %w", err)
		}
	}
	s := &Store{folder: folder, options: o, clock: o.Clock, retention: withDefaults(o.Retention),
		layout: map[relationKey]*relation{}, positions: map[string]int64{}}
	path := filepath.Join(folder, fileName)
	if s.db, err = openDatabase(path); err != nil {
		if strings.Contains(err.Error(), "lock") {
			return nil, fault.New(fault.Unavailable, "open tables: another process holds %s: %w", fileName, err)
		}
		return nil, fmt.Errorf("open tables: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open tables: %w", err), s.Close())
		}
	}()
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, err
	}
	if s.writer, err = s.db.connect(); err != nil {
		return nil, err
	}
	s.readers.open = s.db.connect
	if o.Functions == nil {
		o.Functions = KQL()
	}
	if s.functions, err = registerFunctions(path, o.Functions); err != nil {
		return nil, err
	}
	if err := s.configure(); err != nil {
		return nil, err
	}
	if err := s.load(context.Background()); err != nil {
		return nil, err
	}
	return s, s.sweep(context.Background())
}

// configure sets the limits and then locks DuckDB down: no file but the
// segments, no extension, no further setting. Queries can't undo it.
func (s *Store) configure() error {
	settings := []string{
		"SET checkpoint_threshold = '256MB'",
		"SET temp_directory = " + quote(filepath.Join(s.folder, spillName)),
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET TimeZone = 'UTC'",
		// It ends in an internal error, and so in a database that is closed, over
		// sound statements: a sort, top-nested and make-series (the engine's 1.5.6).
		"SET disabled_optimizers = 'top_n_window_elimination'",
	}
	if s.options.Memory != "" {
		settings = append(settings, "SET memory_limit = "+quote(s.options.Memory))
	}
	if s.options.Threads > 0 {
		settings = append(settings, fmt.Sprintf("SET threads = %d", s.options.Threads))
	}
	if s.options.Spill != "" {
		settings = append(settings, "SET max_temp_directory_size = "+quote(s.options.Spill))
	}
	settings = append(settings,
		"SET allowed_directories = ["+quote(filepath.Join(s.folder, segmentsName)+"/")+"]",
		"SET enable_external_access = false",
		"SET lock_configuration = true")
	for _, sql := range settings {
		if _, err := s.writer.exec(context.Background(), sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// Close ends the store. What was acknowledged is on disk already.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.readers.close()
	if s.writer != nil {
		s.writer.close()
		s.writer = nil
	}
	err := s.functions.close()
	s.db.close()
	return err
}

// transaction runs change in one write transaction: all of it, or nothing.
// The caller holds writing.
func (s *Store) transaction(ctx context.Context, change func() error) error {
	if s.writer == nil {
		return fault.New(fault.Unavailable, "the tables are closed")
	}
	if _, err := s.writer.exec(ctx, "BEGIN TRANSACTION"); err != nil {
		return err
	}
	err := change()
	if err == nil {
		// A commit that has begun is not given up halfway.
		_, err = s.writer.exec(context.WithoutCancel(ctx), "COMMIT")
	}
	if err != nil {
		if _, undo := s.writer.exec(context.WithoutCancel(ctx), "ROLLBACK"); undo != nil && !strings.Contains(undo.Error(), "no transaction is active") {
			err = errors.Join(err, undo)
		}
	}
	return err
}

// SetRetention changes how long rows are kept and shown, from now on.
func (s *Store) SetRetention(r tables.Retention) {
	s.knowing.Lock()
	defer s.knowing.Unlock()
	s.retention = withDefaults(r)
}

// Arrival is the last arrival number that readers see.
func (s *Store) Arrival() int64 {
	s.knowing.RLock()
	defer s.knowing.RUnlock()
	return s.committed
}

// The days of the product. Source: facts 9.4.
const (
	xdrDays       = 30
	workspaceDays = 90
)

func withDefaults(r tables.Retention) tables.Retention {
	if r.XDRDays == 0 {
		r.XDRDays = xdrDays
	}
	if r.WorkspaceDays == 0 {
		r.WorkspaceDays = workspaceDays
	}
	return r
}

// days is how long a workspace shows rows of a table.
func days(r tables.Retention, workspace, table string) int {
	if n, ok := r.PerTable[workspace][table]; ok {
		return n
	}
	return r.WorkspaceDays
}

// quote makes a SQL text literal.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// ident makes a SQL name.
func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// pool keeps idle read connections.
type pool struct {
	mu     sync.Mutex
	idle   []*connection
	closed bool
	open   func() (*connection, error)
}

func (p *pool) get() (*connection, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, fault.New(fault.Unavailable, "the tables are closed")
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return p.open()
}

func (p *pool) put(c *connection) {
	const most = 8
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= most {
		c.close()
		return
	}
	p.idle = append(p.idle, c)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.close()
	}
	p.idle = nil
}
