package duckdb

import (
	"context"
	"fmt"
	"strings"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Quarantine keeps refused records of a source to look at later.
func (s *Store) Quarantine(ctx context.Context, source string, refused []rows.Refusal) error {
	if len(refused) == 0 {
		return nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	now := int64(s.clock())
	err := s.transaction(ctx, func() error {
		for _, r := range refused {
			body := string(r.Body)
			_, err := s.writer.exec(ctx, "INSERT INTO quarantine (received, source, record, name, field, reason, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
				now, source, r.Record, clean(r.Table), clean(r.Field), clean(r.Reason), clean(body))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("quarantine %d records of %s: %w", len(refused), source, err)
	}
	return nil
}

// Quarantined lists refused records, newest first, from before an id (0 for
// the newest), and how many there are in all.
func (s *Store) Quarantined(ctx context.Context, before int64, limit int) (list []tables.Quarantined, total int64, err error) {
	c, err := s.readers.get()
	if err != nil {
		return nil, 0, err
	}
	defer s.readers.put(c)
	if before <= 0 {
		before = 1<<63 - 1
	}
	found, err := c.all(ctx, "SELECT id, received, source, record, name, field, reason, body FROM quarantine WHERE id < ? ORDER BY id DESC LIMIT ?", before, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list the quarantine: %w", err)
	}
	for _, f := range found {
		list = append(list, tables.Quarantined{ID: f[0].(int64), At: schema.Ticks(f[1].(int64)), Source: f[2].(string),
			Refusal: rows.Refusal{Record: int(f[3].(int64)), Table: f[4].(string), Field: f[5].(string), Reason: f[6].(string), Body: []byte(f[7].(string))}})
	}
	count, err := c.all(ctx, "SELECT count(*) FROM quarantine")
	if err != nil {
		return nil, 0, fmt.Errorf("count the quarantine: %w", err)
	}
	return list, count[0][0].(int64), nil
}

// The quarantine keeps refused records so long, and the newest so many.
const (
	quarantineKept = 30 * schema.Day
	quarantineMost = 10_000
)

func (s *Store) expireQuarantine(ctx context.Context, now schema.Ticks) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.writer.exec(ctx, "DELETE FROM quarantine WHERE received < ? OR id <= (SELECT max(id) FROM quarantine) - ?", int64(now-quarantineKept), quarantineMost)
	return err
}

// clean makes text that came from outside fit to store.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
