package simulation

import (
	"context"
	"fmt"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/workspace"
	"lockstep/xdr"
)

// Who takes part. The last one is somebody unknown, who counts as a person.
var (
	ann    = security.Actor{Kind: security.Person, Name: "ann@lab.example"}
	bob    = security.Actor{Kind: security.Person, Name: "bob@lab.example"}
	bot    = security.Actor{Kind: security.Automation, Name: "playbook"}
	people = []security.Actor{ann, bob, bot, {}}

	correlation = security.Actor{Kind: security.System, Name: "Microsoft Defender XDR - alert correlation"}
)

// The day on which every history begins: 2026-01-05T10:00:00Z.
const epoch schema.Ticks = 639032040000000000

const day = 24 * schema.Hour

// world is both sides, the connector between them, and the lines and the disk
// that can fail.
type world struct {
	ctx  context.Context
	now  schema.Ticks // of the connector; the sides' clocks differ by their skew
	ids  int
	xdr  *xdr.Service
	work *workspace.Service
	ws   string
	disk *disk // of the connector
	sync *connector.Service
	x, w *line
}

// clock is a side's own clock.
func (h *history) clock(s reconcile.Side) schema.Ticks {
	now := h.now + h.nature.skew[s]
	if h.nature.coarse {
		now -= now % schema.Second
	}
	return now
}

func (h *history) newID() string {
	h.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", h.ids)
}

// build makes both sides and starts the connector.
func (h *history) build() {
	h.ctx, h.now = context.Background(), epoch
	store := memory.New()
	h.xdr = must(xdr.New(xdr.Options{Store: store, Now: func() schema.Ticks { return h.clock(reconcile.XDR) }, PortalURL: "https://localhost:8443", TenantID: "t1"}))
	h.work = must(workspace.New(workspace.Options{Store: store, Now: func() schema.Ticks { return h.clock(reconcile.Workspace) }, NewID: h.newID, PortalURL: "https://localhost:8443"}))
	made := must(h.work.Create(h.ctx, workspace.Workspace{ID: "e34d562e-ef12-4c4e-9bc0-7c6ae357c015", Name: "soc1", SubscriptionID: "7e838342-601f-4552-9baf-0dfb300cf555", ResourceGroup: "rg"}))
	h.ws = made.ID
	h.disk = &disk{Store: memory.New(), h: h}
	h.x = &line{End: h.xdr.End(), side: reconcile.XDR, h: h, made: map[string]bool{}}
	h.w = &line{End: h.work.End(h.ws), side: reconcile.Workspace, h: h, made: map[string]bool{}}
	h.boot()
}

// boot starts the connector over its disk, as a restart does. The ledger is told
// what the last process had on its way.
func (h *history) boot() {
	h.disk.dead = false
	for _, id := range h.known {
		if journal, err := h.sync.Journal(h.ctx, h.ws, id); err == nil && len(journal) > 0 {
			h.ledger.left(journal[len(journal)-1])
		}
	}
	h.sync = must(connector.New(connector.Options{
		Store: h.disk, Now: func() schema.Ticks { return h.now }, NewID: h.newID,
		XDR: h.x, Workspace: func(string) port.End { return h.nature.lineOf(h.w) },
		TenantID: "t1", Seed: 1,
	}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
