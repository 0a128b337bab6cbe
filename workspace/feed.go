package workspace

import (
	"context"

	"lockstep/security"
	"lockstep/state"
)

// The kinds of a feed's entries.
const (
	KindIncident = "incident"
	KindAlert    = "alert"
)

// Feed gives up to limit changes of all workspaces after a position, oldest
// first: ordered by commit, unique, without gaps. Every version of an incident
// has one entry.
func (s *Service) Feed(ctx context.Context, after int64, limit int) (changes []state.Entry[Change], err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		changes = feed.After(tx, after, limit)
		return nil
	})
	return changes, err
}

// Snapshot is one record of the history: an incident or an alert as it was at
// one version, from which a SecurityIncident or SecurityAlert row is made.
type Snapshot struct {
	Seq       int64 // position in the feed
	Workspace Workspace
	Version   int64
	Incident  *Incident
	Comments  []security.Comment // of the incident at that version; ones deleted since are missing
	Alert     *security.Alert
}

// History gives up to limit snapshots of the feed's entries after a position,
// oldest first, and the position to go on from: it moves past entries that
// leave no row.
func (s *Service) History(ctx context.Context, after int64, limit int) (all []Snapshot, next int64, err error) {
	next = after
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		for _, entry := range feed.After(tx, after, limit) {
			next = entry.Seq
			c := entry.Record
			w, ok := workspaces.Get(tx, c.Workspace)
			if !ok || c.Incident == nil && c.Alert == nil {
				continue
			}
			snap := Snapshot{Seq: entry.Seq, Workspace: w, Version: c.Version, Incident: c.Incident, Alert: c.Alert}
			if c.Incident != nil && c.Incident.CommentCount > 0 {
				for _, comment := range commentsOf(tx, w.ID, c.Incident.Name) {
					if comment.Created <= c.Incident.Modified && len(snap.Comments) < c.Incident.CommentCount {
						snap.Comments = append(snap.Comments, comment)
					}
				}
			}
			all = append(all, snap)
		}
		return nil
	})
	return all, next, err
}

// Forget removes feed entries up to a position that every reader has passed.
func (s *Service) Forget(ctx context.Context, upTo int64) error {
	return s.o.Store.Update(ctx, func(tx state.Tx) error {
		feed.Forget(tx, upTo)
		return nil
	})
}
