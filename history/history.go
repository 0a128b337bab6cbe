// Package history writes what happened as rows: SecurityIncident and
// SecurityAlert in each workspace, AlertInfo and AlertEvidence on the XDR
// side. The rows are a projection of the two change feeds: the position in the
// feed is stored in the rows' own transaction, so a crash repeats nothing and
// skips nothing. It leaves the feeds to the sides, the shapes of the rows to
// wire, and storing them to tables. It starts no goroutine and holds no timer.
package history

import (
	"context"
	"encoding/json"
	"fmt"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/tables"
	"lockstep/wire/hunting"
	"lockstep/wire/logs"
)

// Alerts tells which alerts of the XDR changed after a position of its feed.
type Alerts interface {
	Project(ctx context.Context, after int64, limit int) (list []security.Alert, last int64, err error)
}

// Snapshots tells each state that incidents and alerts of workspaces had after
// a position of the workspaces' feed, oldest first, and the position up to
// which that holds.
type Snapshots interface {
	History(ctx context.Context, after int64, limit int) (all []Snapshot, next int64, err error)
}

// Snapshot is an incident or an alert as of one entry of the feed.
type Snapshot struct {
	Seq       int64
	Workspace string         // id: the rows' home
	Incident  *logs.Incident // or
	Alert     *security.Alert
	Origin    logs.Origin // of an alert
}

// Rows stores rows with positions. The tables engine satisfies it.
type Rows interface {
	Append(ctx context.Context, a tables.Append) (tables.Receipt, error)
	Position(reader string) (int64, bool)
}

// Service writes the rows. Alerts or Snapshots is nil on a server that doesn't
// play that side.
type Service struct {
	Alerts    Alerts
	Snapshots Snapshots
	Rows      Rows
	Schema    *schema.Catalog
}

// The readers under which positions are stored.
const (
	xdrReader       = "history/xdr"
	workspaceReader = "history/workspace"
)

// batch is how many entries of a feed are read at once.
const batch = 500

// Next writes the rows of what both feeds hold beyond the stored positions.
func (s *Service) Next(ctx context.Context, _ schema.Ticks) (did bool, wakeAt schema.Ticks, err error) {
	if s.Alerts != nil {
		if did, err = s.writeAlerts(ctx); err != nil {
			return did, 0, fmt.Errorf("write alert history: %w", err)
		}
	}
	if s.Snapshots != nil {
		more, err := s.writeSnapshots(ctx)
		did = did || more
		if err != nil {
			return did, 0, fmt.Errorf("write workspace history: %w", err)
		}
	}
	return did, 0, nil
}

// writeAlerts writes AlertInfo and AlertEvidence rows. An alert has one row of
// its own and one for each piece of evidence, known again by their natural
// keys: what streamed in as rows already isn't written twice.
func (s *Service) writeAlerts(ctx context.Context) (bool, error) {
	after, _ := s.Rows.Position(xdrReader)
	list, last, err := s.Alerts.Project(ctx, after, batch)
	if err != nil || last == after {
		return false, err
	}
	w := s.writer(schema.XDR)
	for _, a := range list {
		w.add("AlertInfo", hunting.InfoRow(a))
		evidence, err := hunting.EvidenceRows(a)
		if err != nil {
			return false, fmt.Errorf("alert %s: %w", a.ID, err)
		}
		for _, row := range evidence {
			w.add("AlertEvidence", row)
		}
	}
	batches, err := w.batches()
	if err != nil {
		return false, err
	}
	_, err = s.Rows.Append(ctx, tables.Append{Home: tables.XDRHome, Batches: batches, Positions: []tables.Position{{Reader: xdrReader, Value: last}}})
	return true, err
}

// writeSnapshots writes a SecurityIncident row for every version of an
// incident, and a SecurityAlert row for every version of an alert.
func (s *Service) writeSnapshots(ctx context.Context) (bool, error) {
	after, _ := s.Rows.Position(workspaceReader)
	list, next, err := s.Snapshots.History(ctx, after, batch)
	if err != nil || next == after {
		return false, err
	}
	homes, order := map[string]*writer{}, []string{}
	positions := map[string]int64{}
	for _, snap := range list {
		id := snap.Workspace
		if done, _ := s.Rows.Position(workspaceReader + "/" + id); done >= snap.Seq {
			continue // written before a crash that kept the common position behind
		}
		if homes[id] == nil {
			homes[id] = s.writer(schema.Workspace)
			order = append(order, id)
		}
		if err := homes[id].addSnapshot(snap); err != nil {
			return false, err
		}
		positions[id] = snap.Seq
	}
	common := tables.Position{Reader: workspaceReader, Value: next}
	if len(order) == 0 {
		_, err = s.Rows.Append(ctx, tables.Append{Home: tables.XDRHome, Positions: []tables.Position{common}})
		return true, err
	}
	for i, id := range order {
		at := []tables.Position{{Reader: workspaceReader + "/" + id, Value: positions[id]}}
		if i == len(order)-1 {
			at = append(at, common)
		}
		if err := s.appendHome(ctx, id, homes[id], at); err != nil {
			return false, err
		}
	}
	return true, nil
}

// appendHome writes one workspace's rows with a position of its own, for one
// append reaches one home: after a crash between two homes the common position,
// which comes with the last, is behind, and the home that has the rows knows it.
func (s *Service) appendHome(ctx context.Context, id string, w *writer, at []tables.Position) error {
	batches, err := w.batches()
	if err != nil {
		return err
	}
	_, err = s.Rows.Append(ctx, tables.Append{Home: tables.Home(id), Batches: batches, Positions: at})
	return err
}

// writer collects rows of one home by table.
type writer struct {
	side   schema.Side
	schema *schema.Catalog
	order  []string
	bodies map[string][]byte
	failed error
}

func (s *Service) writer(side schema.Side) *writer {
	return &writer{side: side, schema: s.Schema, bodies: map[string][]byte{}}
}

// addSnapshot adds the row of one version of an incident or an alert.
func (w *writer) addSnapshot(snap Snapshot) error {
	switch {
	case snap.Incident != nil:
		row, err := logs.IncidentRow(*snap.Incident)
		if err != nil {
			return fmt.Errorf("incident %s: %w", snap.Incident.Name, err)
		}
		w.add("SecurityIncident", row)
	case snap.Alert != nil:
		row, err := logs.AlertRow(*snap.Alert, snap.Origin)
		if err != nil {
			return fmt.Errorf("alert %s: %w", snap.Alert.ID, err)
		}
		w.add("SecurityAlert", row)
	}
	return nil
}

// add adds a row, given as its columns' values.
func (w *writer) add(table string, row map[string]any) {
	text, err := json.Marshal(row)
	if err != nil && w.failed == nil {
		w.failed = fmt.Errorf("row of %s: %w", table, err)
		return
	}
	if w.bodies[table] == nil {
		w.order = append(w.order, table)
	}
	w.bodies[table] = append(append(w.bodies[table], text...), '\n')
}

// batches turns what was added into columns. A row of ours that the schema
// refuses is a defect, not a loss to pass over.
func (w *writer) batches() ([]*rows.Batch, error) {
	if w.failed != nil {
		return nil, w.failed
	}
	var out []*rows.Batch
	for _, name := range w.order {
		table, ok := w.schema.Table(w.side, name)
		if !ok {
			return nil, fault.New(fault.Internal, "the schema has no table %s", name)
		}
		got, refused := rows.NewDecoder(nil).Rows(rows.Stored(table), w.bodies[name])
		if len(refused) > 0 {
			return nil, fault.New(fault.Internal, "history row refused: %s", refused[0])
		}
		out = append(out, got...)
	}
	return out, nil
}
