package simulation

import (
	"context"
	"fmt"
	"slices"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

var errLine = fault.New(fault.Unavailable, "no answer")

// line is an end over a network on which everything goes wrong.
type line struct {
	port.End
	side      reconcile.Side
	h         *history
	made      map[string]bool // ids of the writes that were made
	downUntil schema.Ticks
	poison    string // an incident with which nothing works, nor with a page that has it
}

// poisoned is the failure of what holds the poisonous incident.
func (l *line) poisoned(what string, ids ...string) error {
	if l.poison == "" || !slices.Contains(ids, l.poison) {
		return nil
	}
	l.h.stats["poisoned "+what]++
	return fault.New(fault.Internal, "500 on incident %s", l.poison)
}

// Capabilities are those of the history's nature.
func (l *line) Capabilities() port.Capabilities { return l.h.nature.can(l.side, l.End.Capabilities()) }

// down reports whether nothing comes through.
func (l *line) down() bool { return l.h.now < l.downUntil }

// Changes gives hints that may be lost, doubled, in disorder, late, or none at all.
func (l *line) Changes(ctx context.Context, after int64, limit int) ([]port.Hint, error) {
	if l.down() || l.h.goes("feed down", 40) {
		return nil, errLine
	}
	if !l.Capabilities().Feed {
		return nil, nil
	}
	hints, err := l.End.Changes(ctx, after, limit)
	if len(hints) == 0 || err != nil {
		return hints, err
	}
	for _, h := range hints {
		if err := l.poisoned("feed", h.Incident); err != nil {
			return nil, err
		}
	}
	if !l.h.nature.unlist && (l.h.nature.unheard || l.h.goes("hints lost", 12)) {
		for i := range hints {
			hints[i].Incident = ""
		}
	}
	if l.h.goes("hints late", 10) { // a page ends early
		hints = hints[:1+l.h.r.IntN(len(hints))]
	}
	if l.h.goes("hints doubled", 10) {
		hints = append(slices.Clone(hints), hints...)
		slices.SortStableFunc(hints, func(a, b port.Hint) int { return int(a.Seq - b.Seq) })
	}
	if l.h.goes("hints reordered", 10) {
		hints = slices.Clone(hints)
		l.h.r.Shuffle(len(hints), func(a, b int) { hints[a], hints[b] = hints[b], hints[a] })
	}
	return hints, nil
}

// IDs gives pages that may fail or be short.
func (l *line) IDs(ctx context.Context, after string, limit int) ([]string, error) {
	if l.down() || l.h.goes("list failed", 15) {
		return nil, fault.New(fault.Internal, "500")
	}
	if l.h.nature.unlist {
		return nil, nil
	}
	if l.h.goes("short page", 5) {
		limit = 1
	}
	ids, err := l.End.IDs(ctx, after, limit)
	if bad := l.poisoned("list", ids...); bad != nil {
		return nil, bad
	}
	return ids, err
}

// Incident may fail to be read. The ledger is told what the connector saw.
func (l *line) Incident(ctx context.Context, id string) (port.Incident, error) {
	if l.down() || l.h.goes("read failed", 40) {
		return port.Incident{}, errLine
	}
	if err := l.poisoned("read", id); err != nil {
		return port.Incident{}, err
	}
	i, err := l.End.Incident(ctx, id)
	if !l.Capabilities().FieldTimes {
		i.Stamps = nil
	}
	i = l.shown(i)
	if err == nil {
		l.h.ledger.read(l.side, i)
	}
	return i, err
}

// shown is an incident as the end shows it: one that keeps no ids of comments
// has its own, which mean nothing here.
func (l *line) shown(i port.Incident) port.Incident {
	if !l.Capabilities().CommentIDs {
		i.Comments = slices.Clone(i.Comments)
		for n := range i.Comments {
			i.Comments[n].ID = security.DerivedID("comment of "+string(l.side), i.Comments[n].ID)
		}
	}
	return i
}

// Since gives an earlier state, if the end keeps them. The ledger is told what
// the connector saw.
func (l *line) Since(ctx context.Context, id string, after int64) (port.Incident, bool, error) {
	end, can := l.End.(interface {
		Since(ctx context.Context, id string, after int64) (port.Incident, bool, error)
	})
	if !can || !l.Capabilities().FieldTimes {
		i, err := l.Incident(ctx, id)
		return i, true, err
	}
	if l.down() || l.h.goes("read failed", 40) {
		return port.Incident{}, false, errLine
	}
	i, latest, err := end.Since(ctx, id, after)
	i = l.shown(i)
	if err == nil {
		l.h.ledger.read(l.side, i)
		if !latest {
			l.h.stats["earlier states"]++
		}
	}
	return i, latest, err
}

// Applied tells what became of a write, if the question arrives.
func (l *line) Applied(ctx context.Context, id string) (port.Applied, bool, error) {
	if l.down() || l.h.goes("question lost", 20) {
		return port.Applied{}, false, errLine
	}
	return l.End.Applied(ctx, id)
}

// Apply makes a write.
func (l *line) Apply(ctx context.Context, w port.Write) (port.Applied, error) {
	made, err := l.send([]port.Write{w}, func() ([]port.Applied, error) {
		a, err := l.End.Apply(ctx, l.own(w))
		return []port.Applied{a}, err
	})
	if err != nil {
		return port.Applied{}, err
	}
	return made[0], nil
}

func (l *line) applyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error) {
	return l.send(writes, func() ([]port.Applied, error) {
		return l.End.(interface {
			ApplyAll(context.Context, []port.Write) ([]port.Applied, error)
		}).ApplyAll(ctx, l.owned(writes))
	})
}

// own is a write as the end takes it: one that keeps no ids gives comments its own.
func (l *line) own(w port.Write) port.Write {
	if !l.Capabilities().CommentIDs {
		w.AddComments = slices.Clone(w.AddComments)
		for n := range w.AddComments {
			w.AddComments[n].ID = security.DerivedID("comment", fmt.Sprint(w.ID, " ", n))
		}
	}
	return w
}

func (l *line) owned(writes []port.Write) []port.Write {
	out := make([]port.Write, len(writes))
	for n, w := range writes {
		out[n] = l.own(w)
	}
	return out
}

// refusals are what a server may answer without looking at a write.
var refusals = []struct {
	name string
	one  int // in so many
	err  error
}{
	{"write lost", 16, errLine},
	{"429", 25, fault.Later(1e9, "too many requests")},
	{"500 before", 40, fault.New(fault.Internal, "500")},
	{"409", 60, fault.New(fault.Conflict, "busy")},
}

// send carries writes over and the answer back. Somebody may be faster, the
// process may end on either way, and the answer may be lost.
func (l *line) send(writes []port.Write, apply func() ([]port.Applied, error)) ([]port.Applied, error) {
	if l.h.disk.dead {
		return nil, errCrash // nobody is there to send it
	}
	for _, w := range writes {
		l.h.endless(w)
		if !l.Capabilities().Conditional && w.IfVersion != 0 {
			l.h.fail("a condition on a write to the %s, which doesn't know any", l.side)
		}
		l.h.ledger.sent(l.side, w)
		if l.h.goes("edits before a write", 5) {
			l.h.edit()
		}
	}
	if l.h.goes("crash before write", 25) {
		l.h.disk.dead = true
		return nil, errCrash
	}
	if l.down() {
		return nil, errLine
	}
	for _, r := range refusals {
		if l.h.goes(r.name, r.one) {
			return nil, r.err
		}
	}
	for _, w := range writes {
		if err := l.poisoned("write", w.Incident, w.Partner); err != nil {
			return nil, err
		}
	}
	made, err := apply()
	if err != nil {
		if fault.Is(err, fault.Conflict) {
			l.h.stats["412s"]++
		}
		l.h.tell("the %s refuses: %v", l.side, err)
		return nil, err
	}
	for i, w := range writes {
		if l.made[w.ID] {
			continue // a repeat
		}
		l.made[w.ID] = true
		l.h.tell("the connector writes to incident %s of the %s, version %d: %s", w.Incident, l.side, made[i].Version, writeText(w))
		l.h.ledger.write(l.side, w)
	}
	crash := l.h.goes("crash after write", 25)
	if !crash && !l.h.goes("answer lost", 12) {
		return made, nil
	}
	for _, w := range writes {
		l.h.revert(l.side, w)
	}
	if crash {
		l.h.disk.dead = true
		return nil, errCrash
	}
	return nil, errLine
}

// A history's edits come to one or two writes a step; these are far more.
const manyWrites, manyOfStep = 1_000, 20

// endless ends a history in which each write makes others, ever more of them.
func (h *history) endless(w port.Write) {
	if h.writes += 1 + len(w.AddComments); h.writes > manyWrites+manyOfStep*len(h.plan.Steps) {
		h.fail("%d edits came to %d writes and comments, and it goes on", h.edits, h.writes)
		panic("endless")
	}
}

// writeText tells a write in short.
func writeText(w port.Write) string {
	text := ""
	if w.Create {
		text += " (new)"
	}
	if w.Resolution != nil {
		text += fmt.Sprintf(" status %s %s/%s %q", w.Resolution.Status, w.Resolution.Classification, w.Resolution.Reason, w.Resolution.Comment)
	}
	if w.Owner != nil {
		text += fmt.Sprintf(" owner %q", w.Owner.Text())
	}
	if w.Severity != nil {
		text += " severity " + string(*w.Severity)
	}
	if len(w.AddTags)+len(w.RemoveTags) > 0 {
		text += fmt.Sprintf(" tags +%v -%v", w.AddTags, w.RemoveTags)
	}
	for _, c := range w.AddComments {
		text += fmt.Sprintf(" comment %q", c.Text)
	}
	if w.Content != nil {
		text += fmt.Sprintf(" content (%d alerts, merged into %q)", len(w.Content.Alerts), w.Content.Redirect)
	}
	return text
}
