package duckdb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// snapshot is a read transaction on a connection of its own.
type snapshot struct {
	store     *Store
	c         *connection
	view      tables.View
	layout    map[relationKey]*relation
	grants    map[string]map[string][]tables.Grant // by workspace and table
	segments  map[int64][]segment                  // by relation
	retention tables.Retention
	arrival   int64
	number    int64
	loaded    map[*schema.Table]string // rows from outside, by their table
	closed    bool
}

// Snapshot looks at a view as it is now.
func (s *Store) Snapshot(ctx context.Context, view tables.View) (tables.Snapshot, error) {
	return s.snapshot(ctx, view)
}

func (s *Store) snapshot(ctx context.Context, view tables.View) (_ *snapshot, err error) {
	c, err := s.readers.get()
	if err != nil {
		return nil, err
	}
	n := &snapshot{store: s, c: c, view: view, grants: map[string]map[string][]tables.Grant{}}
	n.number = s.snapshots.open()
	defer func() {
		if err != nil {
			n.Close()
			err = fmt.Errorf("take a snapshot: %w", err)
		}
	}()
	// First what only grows, from memory; then the rest within the transaction:
	// so every relation known here is there, and arrival is committed.
	n.layout, n.retention, n.arrival = s.known()
	if _, err := c.exec(ctx, "BEGIN TRANSACTION READ ONLY"); err != nil {
		return nil, err
	}
	if n.segments, err = c.segments(ctx); err != nil {
		return nil, err
	}
	grants, err := c.grants(ctx, selectGrants+" ORDER BY from_arrival")
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		if n.grants[g.Workspace] == nil {
			n.grants[g.Workspace] = map[string][]tables.Grant{}
		}
		n.grants[g.Workspace][g.Table] = append(n.grants[g.Workspace][g.Table], g)
	}
	return n, nil
}

func (s *Store) known() (map[relationKey]*relation, tables.Retention, int64) {
	s.knowing.RLock()
	defer s.knowing.RUnlock()
	layout := make(map[relationKey]*relation, len(s.layout))
	for k, r := range s.layout {
		layout[k] = r
	}
	return layout, s.retention, s.committed
}

func (n *snapshot) Arrival() int64 { return n.arrival }

// Tables names what the view has relations of.
func (n *snapshot) Tables() []string {
	seen := map[string]bool{}
	for _, one := range n.views("") {
		for key := range n.layout {
			if !seen[key.name] && len(n.shows(one.view, key.name)) > 0 {
				seen[key.name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Close ends the transaction.
func (n *snapshot) Close() error {
	if n.closed {
		return nil
	}
	n.closed = true
	_, err := n.c.exec(context.Background(), "ROLLBACK")
	if err != nil { // never leave a connection in a transaction to the next user
		n.c.close()
	} else {
		n.store.readers.put(n.c)
	}
	n.store.snapshots.close(n.number)
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		return nil
	}
	return err
}

// Query runs SQL in the snapshot.
func (n *snapshot) Query(ctx context.Context, sql string, args []any, result *schema.Table, most tables.Limit) (tables.Result, error) {
	if most.Rows > 0 {
		sql = "SELECT * FROM (" + sql + "\n) LIMIT " + strconv.Itoa(most.Rows+1)
	}
	return n.c.read(ctx, sql, args, result, most)
}

// read runs SQL and reads its result into a batch, as far as the limits let.
func (c *connection) read(ctx context.Context, sql string, args []any, result *schema.Table, most tables.Limit) (tables.Result, error) {
	cur, err := c.query(ctx, sql, args...)
	if err != nil {
		return tables.Result{}, err
	}
	defer cur.close()
	if len(cur.types) != len(result.Columns) {
		return tables.Result{}, fmt.Errorf("the result has %d columns, %d were announced", len(cur.types), len(result.Columns))
	}
	out := tables.Result{Rows: rows.New(result, 0)}
	for {
		ch, err := cur.next()
		if ch == nil || err != nil {
			return out, err
		}
		// A chunk may be far larger than what is left: take it in pieces.
		for from := 0; from < ch.n; {
			take := min(ch.n-from, 256)
			if most.Rows > 0 && out.Rows.N+take > most.Rows {
				take, out.Truncated = most.Rows-out.Rows.N, true
			}
			for i := range ch.vectors {
				added, err := ch.vectors[i].appendTo(&out.Rows.Columns[i], from, take)
				if err != nil {
					return tables.Result{}, fmt.Errorf("column %s: %w", result.Columns[i].Name, err)
				}
				out.Bytes += added
			}
			out.Rows.N += take
			from += take
			if most.Bytes > 0 && out.Bytes > most.Bytes && !out.Truncated {
				out.Truncated = true
			}
			if out.Truncated {
				return out, nil
			}
		}
	}
}

// snapshots knows which snapshots are open, so that a segment's file outlives
// the last one that may read it.
type snapshots struct {
	mu   sync.Mutex
	last int64
	live map[int64]bool
}

func (s *snapshots) open() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		s.live = map[int64]bool{}
	}
	s.last++
	s.live[s.last] = true
	return s.last
}

func (s *snapshots) close(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, n)
}

// mark gives a point in the order of snapshots; over tells when all snapshots
// before it have ended.
func (s *snapshots) mark() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *snapshots) over(mark int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.live {
		if n <= mark {
			return false
		}
	}
	return true
}
