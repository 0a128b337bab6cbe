package simulation

import (
	"context"
	"math/rand/v2"
	"slices"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/schema"
)

// nature is what a history keeps from its beginning to its end: what the ends
// can do, and how their clocks go.
type nature struct {
	name    string
	lacks   map[reconcile.Side][]string // capabilities that an end hasn't
	unlist  bool                        // lists are empty: the feeds alone must do
	unheard bool                        // hints never come: the lists alone must do
	single  bool                        // the workspace takes one write at a time
	minute  int                         // requests that each end takes in one; 0: any number

	skew   map[reconcile.Side]schema.Ticks
	coarse bool // the sides' clocks know whole seconds alone
}

// remote is what the published APIs can't do.
var remote = []string{"conditional writes", "feed", "field times", "write ids"}

// natures are the mixes of what ends can do. The first is that of one process.
var natures = []nature{
	{name: "in process"},
	{name: "in process, one write at a time", single: true},
	{name: "by the feeds alone", unlist: true},
	{name: "by the lists alone", unheard: true},
	{name: "remote XDR", minute: 50, lacks: map[reconcile.Side][]string{reconcile.XDR: remote}},
	{name: "remote workspace", single: true, lacks: map[reconcile.Side][]string{reconcile.Workspace: {"feed", "field times", "write ids", "alerts"}}},
	{name: "both remote", single: true, minute: 150, lacks: map[reconcile.Side][]string{reconcile.XDR: remote, reconcile.Workspace: {"feed", "field times", "write ids"}}},
	{name: "no conditional writes", lacks: map[reconcile.Side][]string{reconcile.XDR: {"conditional writes"}, reconcile.Workspace: {"conditional writes"}}},
	{name: "no field times", lacks: map[reconcile.Side][]string{reconcile.XDR: {"field times"}}},
	{name: "no comment ids in the workspace", lacks: map[reconcile.Side][]string{reconcile.Workspace: {"comment ids"}}},
	{name: "no comment ids on the XDR, nor write ids", lacks: map[reconcile.Side][]string{reconcile.XDR: {"comment ids", "write ids"}}},
	{name: "no comment ids", single: true, lacks: map[reconcile.Side][]string{reconcile.XDR: {"comment ids"}, reconcile.Workspace: {"comment ids", "feed"}}},
	{name: "no write ids", lacks: map[reconcile.Side][]string{reconcile.Workspace: {"write ids"}}},
}

// drawNature chooses: half of all histories are in process.
func drawNature(r *rand.Rand) nature {
	n := natures[0]
	if r.IntN(2) == 0 {
		n = natures[r.IntN(len(natures))]
	}
	n.skew = map[reconcile.Side]schema.Ticks{}
	if r.IntN(2) == 0 {
		for _, s := range []reconcile.Side{reconcile.XDR, reconcile.Workspace} {
			n.skew[s] = schema.Ticks(r.Int64N(int64(30*schema.Minute))) - 15*schema.Minute
		}
	}
	n.coarse = r.IntN(3) == 0
	if n.feeds() && r.IntN(4) == 0 { // what was read of a feed must be dealt with, before its position is kept (I8)
		n.unlist = true
	}
	return n
}

// feeds reports whether both feeds tell of every change.
func (n nature) feeds() bool {
	for _, lacks := range n.lacks {
		if slices.Contains(lacks, "feed") {
			return false
		}
	}
	return !n.unheard
}

// can is what an end of this nature says it can do.
func (n nature) can(s reconcile.Side, all port.Capabilities) port.Capabilities {
	all.PerMinute = n.minute
	for _, what := range n.lacks[s] {
		switch what {
		case "conditional writes":
			all.Conditional = false
		case "feed":
			all.Feed = false
		case "field times":
			all.FieldTimes = false
		case "write ids":
			all.WriteIDs = false
		case "alerts":
			all.CreateAlerts = false
		case "comment ids":
			all.CommentIDs = false
		}
	}
	return all
}

// whole reports whether both ends can do all that keeps every edit.
func (n nature) whole() bool { return len(n.lacks) == 0 }

// lineOf is the workspace's line as the connector gets it.
func (n nature) lineOf(l *line) port.End {
	if n.single {
		return l
	}
	return wide{l}
}

// wide is a line that takes several writes in one transaction.
type wide struct{ *line }

// ApplyAll is in one piece: all writes are made or none, and so is the answer.
func (w wide) ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error) {
	return w.line.applyAll(ctx, writes)
}

// telling reports whether comments can be told apart by their ids.
func (n nature) telling() bool {
	for _, lacks := range n.lacks {
		if slices.Contains(lacks, "comment ids") {
			return false
		}
	}
	return true
}
