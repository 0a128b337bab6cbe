package xdr

import (
	"context"

	"lockstep/security"
)

// Project gives the alerts that changed after a position of the feed, as they
// are now, each once, and the position up to which that holds: what AlertInfo
// and AlertEvidence rows are made of. It reads at most limit entries of the
// feed; last is after when there are none.
func (s *Service) Project(ctx context.Context, after int64, limit int) (list []security.Alert, last int64, err error) {
	err = s.view(ctx, func(u *work) error {
		list, last = nil, after
		given := map[string]bool{}
		for _, e := range feed.After(u.tx, after, limit) {
			last = e.Seq
			if e.Record.Kind != KindAlert || given[e.Record.ID] {
				continue
			}
			given[e.Record.ID] = true
			if r := u.alert(e.Record.ID); r != nil {
				list = append(list, r.Alert)
			}
		}
		return nil
	})
	return list, last, err
}
