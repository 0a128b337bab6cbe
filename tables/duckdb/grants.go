package duckdb

import (
	"context"
	"fmt"

	"lockstep/schema"
	"lockstep/tables"
)

const selectGrants = "SELECT workspace, name, from_arrival, to_arrival, since, until FROM grants"

// grants reads grants within the connection's transaction.
func (c *connection) grants(ctx context.Context, sql string, args ...any) ([]tables.Grant, error) {
	found, err := c.all(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read grants: %w", err)
	}
	out := make([]tables.Grant, len(found))
	for i, f := range found {
		out[i] = tables.Grant{Workspace: f[0].(string), Table: f[1].(string), From: f[2].(int64), To: f[3].(int64),
			Since: schema.Ticks(f[4].(int64)), Until: schema.Ticks(f[5].(int64))}
	}
	return out, nil
}

// Grants lists what a workspace may read of the XDR's rows, oldest first.
func (s *Store) Grants(ctx context.Context, workspace string) ([]tables.Grant, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.writer.grants(ctx, selectGrants+" WHERE workspace = ? ORDER BY from_arrival, name", workspace)
}

// SetGrant turns the streaming of a table to a workspace on, from the next row
// on, or off, after the last one. To set what is set already changes nothing.
func (s *Store) SetGrant(ctx context.Context, workspace, table string, on bool, now schema.Ticks) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	open, err := s.writer.grants(ctx, selectGrants+" WHERE workspace = ? AND name = ? AND until = 0", workspace, table)
	if err != nil || on == (len(open) > 0) {
		return err
	}
	sql, args := "INSERT INTO grants VALUES (?, ?, ?, 0, ?, 0)", []any{workspace, table, s.arrival, int64(now)}
	if !on {
		sql = "UPDATE grants SET to_arrival = ?, until = ? WHERE workspace = ? AND name = ? AND until = 0"
		args = []any{s.arrival, int64(now), workspace, table}
	}
	if err := s.transaction(ctx, func() error { _, err := s.writer.exec(ctx, sql, args...); return err }); err != nil {
		return fmt.Errorf("grant %s to workspace %s: %w", table, workspace, err)
	}
	return nil
}
