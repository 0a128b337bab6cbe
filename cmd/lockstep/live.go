package main

import (
	"context"
	"fmt"

	"lockstep/portal"
	"lockstep/schema"
)

// live tells open pages what changed, from both sides' feeds. Pages that
// weren't open then read the present state anyway, so it begins at the feeds' ends.
type live struct {
	server     *server
	portal     *portal.Portal
	xdr, works int64
}

// atOnce is how many entries of a feed are read at once.
const atOnce = 200

func (l *live) next(ctx context.Context, _ schema.Ticks) (did bool, wakeAt schema.Ticks, err error) {
	if l.server.xdr != nil {
		list, err := l.server.xdr.Feed(ctx, l.xdr, atOnce)
		if err != nil {
			return false, 0, fmt.Errorf("read the XDR's feed: %w", err)
		}
		for _, e := range list {
			l.xdr, did = e.Seq, true
			l.portal.Notify(portal.Hint{Side: schema.XDR, Kind: "incident", ID: e.Record.Incident, Version: e.Record.Version})
		}
	}
	if l.server.workspaces != nil {
		list, err := l.server.workspaces.Feed(ctx, l.works, atOnce)
		if err != nil {
			return did, 0, fmt.Errorf("read the workspaces' feed: %w", err)
		}
		for _, e := range list {
			l.works, did = e.Seq, true
			l.portal.Notify(portal.Hint{Side: schema.Workspace, Workspace: e.Record.Workspace, Kind: e.Record.Kind, ID: e.Record.ID, Version: e.Record.Version})
		}
	}
	return did, 0, nil
}
