package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lockstep/schema"
	"lockstep/tables"
)

// receiptsKept is how long a repeat by key is recognised; the contract is 24 h.
const receiptsKept = 48 * schema.Hour

// Maintain does what is due: it deletes rows, keys and receipts that nobody
// keeps, moves old rows into segments, writes the log into the file and unlinks
// segments that no snapshot reads any more. It may run beside everything else.
func (s *Store) Maintain(ctx context.Context, now schema.Ticks) error {
	s.sealing.Lock()
	defer s.sealing.Unlock()
	steps := []struct {
		deed string
		do   func(context.Context, schema.Ticks) error
	}{
		{"expire rows", s.expire},
		{"expire receipts", s.expireReceipts},
		{"expire the quarantine", s.expireQuarantine},
		{"seal rows", s.seal},
		{"write the log into the file", s.checkpoint},
		{"sweep segments", func(ctx context.Context, _ schema.Ticks) error { return s.sweep(ctx) }},
	}
	for _, step := range steps {
		if err := step.do(ctx, now); err != nil {
			return fmt.Errorf("maintain the tables: %s: %w", step.deed, err)
		}
	}
	return nil
}

// kept gives the condition under which some view keeps a relation's rows, and
// the time before which none does.
func kept(r *relation, retention tables.Retention, grants []tables.Grant, now schema.Ticks) (where string, oldest schema.Ticks) {
	if r.home != tables.XDRHome {
		n := days(retention, string(r.home), r.name)
		return since(now, n), now - schema.Ticks(n)*schema.Day
	}
	where, oldest = since(now, retention.XDRDays), now-schema.Ticks(retention.XDRDays)*schema.Day
	for _, g := range grants {
		if g.Table != r.name {
			continue
		}
		n := days(retention, g.Workspace, r.name)
		where += " OR (" + since(now, n) + " AND " + granted([]tables.Grant{g}) + ")"
		oldest = min(oldest, now-schema.Ticks(n)*schema.Day)
	}
	return where, oldest
}

func (s *Store) expire(ctx context.Context, now schema.Ticks) error {
	layout, retention, _ := s.known()
	s.writing.Lock()
	defer s.writing.Unlock()
	grants, err := s.writer.grants(ctx, selectGrants)
	if err != nil {
		return err
	}
	return s.transaction(ctx, func() error {
		for _, r := range layout {
			where, oldest := kept(r, retention, grants, now)
			deletes := []string{
				"DELETE FROM " + r.table() + " WHERE NOT (" + where + ")",
				fmt.Sprintf("DELETE FROM segments WHERE relation = %d AND to_event < %d", r.id, oldest),
			}
			if r.keyed {
				deletes = append(deletes, fmt.Sprintf("DELETE FROM %s WHERE event < %d", r.keys(), oldest))
			}
			for _, sql := range deletes {
				if _, err := s.writer.exec(ctx, sql); err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
			}
		}
		return nil
	})
}

func (s *Store) expireReceipts(ctx context.Context, now schema.Ticks) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.writer.exec(ctx, "DELETE FROM receipts WHERE received < ?", int64(now-receiptsKept))
	return err
}

func (s *Store) checkpoint(ctx context.Context, _ schema.Ticks) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.writer.exec(ctx, "CHECKPOINT")
	if err != nil && strings.Contains(err.Error(), "other") { // readers or a write are under way: the next time then
		return nil
	}
	return err
}

// sweep unlinks the files that the manifest doesn't list: those of expired
// segments, once no snapshot can read them, and those of seals that a crash
// cut short.
func (s *Store) sweep(ctx context.Context) error {
	mark := s.snapshots.mark()
	dir := filepath.Join(s.folder, segmentsName)
	entries, err := os.ReadDir(dir) // before the manifest: a file made meanwhile isn't seen
	if err != nil {
		return err
	}
	s.writing.Lock()
	bySegment, err := s.writer.segments(ctx)
	s.writing.Unlock()
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, list := range bySegment {
		for _, seg := range list {
			listed[seg.file] = true
		}
	}
	if !s.snapshots.over(mark) {
		return nil // an older snapshot may still read any of them
	}
	for _, e := range entries {
		if !listed[e.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// sealRows is how many rows a segment holds at most.
const sealRows = 1 << 20

// seal moves rows whose event day is over for SealAfter into segments, one per
// table and day (and more when a day is large or rows come late).
func (s *Store) seal(ctx context.Context, now schema.Ticks) error {
	if s.options.SealAfter <= 0 {
		return nil
	}
	layout, _, upTo := s.known()
	before := (now - s.options.SealAfter) / schema.Day * schema.Day
	for _, r := range layout {
		for {
			more, err := s.sealDay(ctx, r, before, upTo)
			if err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// sealDay seals the oldest day of a relation that is before a point; false
// when there is none. Writing the file holds nobody up: only the change of the
// manifest does.
func (s *Store) sealDay(ctx context.Context, r *relation, before schema.Ticks, upTo int64) (bool, error) {
	c, err := s.readers.get()
	if err != nil {
		return false, err
	}
	defer s.readers.put(c)
	oldest, err := c.all(ctx, "SELECT min(_event) FROM "+r.table()+" WHERE _event < ? AND _arrival <= ?", int64(before), upTo)
	if err != nil || oldest[0][0] == nil {
		return false, err
	}
	day := schema.Ticks(oldest[0][0].(int64)) / schema.Day
	rowsOfDay := fmt.Sprintf("_event >= %d AND _event < %d AND _arrival <= %d", day*schema.Day, min((day+1)*schema.Day, before), upTo)
	last, err := c.all(ctx, fmt.Sprintf("SELECT max(_arrival) FROM (SELECT _arrival FROM %s WHERE %s ORDER BY _arrival LIMIT %d)", r.table(), rowsOfDay, sealRows))
	if err != nil {
		return false, err
	}
	rowsOfDay += fmt.Sprintf(" AND _arrival <= %d", last[0][0].(int64))
	found, err := c.all(ctx, "SELECT count(*), min(_event), max(_event), min(_arrival), max(_arrival) FROM "+r.table()+" WHERE "+rowsOfDay)
	if err != nil {
		return false, err
	}
	f := found[0]
	seg := segment{relation: r.id, fields: len(r.fields), rows: f[0].(int64), fromEvent: f[1].(int64), toEvent: f[2].(int64), fromArrival: f[3].(int64), toArrival: f[4].(int64)}
	seg.file = fmt.Sprintf("%d-%s-%d.parquet", r.id, (day * schema.Day).Time().Format(time.DateOnly), seg.toArrival)
	path := filepath.Join(s.folder, segmentsName, seg.file)
	columns := append([]string(nil), hidden...)
	for _, f := range r.fields {
		columns = append(columns, f.column())
	}
	copySQL := fmt.Sprintf("COPY (SELECT %s FROM %s WHERE %s ORDER BY _event, _arrival) TO %s (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)",
		strings.Join(columns, ", "), r.table(), rowsOfDay, quote(path))
	if _, err := c.exec(ctx, copySQL); err != nil {
		return false, err
	}
	if seg.bytes, err = settle(path); err != nil {
		return false, err
	}
	return true, s.adopt(ctx, r, seg, rowsOfDay)
}

// settle makes a file and its name durable.
func settle(path string) (size int64, err error) {
	for _, p := range []string{path, filepath.Dir(path)} {
		f, err := os.Open(p)
		if err != nil {
			return 0, err
		}
		if p == path {
			if info, err := f.Stat(); err == nil {
				size = info.Size()
			}
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// adopt lists a segment and deletes the hot rows that it holds, in one
// transaction; it refuses when their number isn't the same any more.
func (s *Store) adopt(ctx context.Context, r *relation, seg segment, rowsOfDay string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.transaction(ctx, func() error {
		gone, err := s.writer.exec(ctx, "DELETE FROM "+r.table()+" WHERE "+rowsOfDay)
		if err != nil {
			return err
		}
		if gone != seg.rows {
			return fmt.Errorf("segment %s holds %d rows, the table %d", seg.file, seg.rows, gone)
		}
		_, err = s.writer.exec(ctx, "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			seg.file, seg.relation, seg.fields, seg.rows, seg.bytes, seg.fromEvent, seg.toEvent, seg.fromArrival, seg.toArrival)
		return err
	})
}
