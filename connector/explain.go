package connector

import (
	"context"
	"fmt"
	"strings"

	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/state"
)

// Story tells why both sides of a pair are as they are.
type Story struct {
	XDR       string   // id
	Workspace string   // workspace id
	Name      string   // of the workspace incident
	Sentences []string // in the order of what happened; the last ones say how it stands
	Decisions []Decision
}

// Journal gives the decisions on one pair, oldest first. incident is the XDR's
// id or the name of the workspace incident. NotFound if the connector never
// saw it.
func (s *Service) Journal(ctx context.Context, ws, incident string) ([]Decision, error) {
	story, err := s.Explain(ctx, ws, incident)
	return story.Decisions, err
}

// Explain tells the story of one pair; see Journal for what incident may be.
func (s *Service) Explain(ctx context.Context, ws, incident string) (Story, error) {
	ws = strings.ToLower(ws)
	var l link
	var journal []Decision
	err := s.o.Store.View(ctx, func(tx state.Tx) error {
		var ok bool
		if l, ok = links.Get(tx, linkKey(ws, incident)); !ok {
			for _, l = range links.By(tx, "name", state.Prefix(ws, strings.ToLower(incident))) {
				ok = true
			}
		}
		if !ok {
			return fault.New(fault.NotFound, "the connector has never seen incident %q in workspace %s", incident, ws)
		}
		journal = nil
		for _, d := range decisions.Scan(tx, state.Prefix(ws, l.XDR)) {
			journal = append(journal, d)
		}
		return nil
	})
	if err != nil {
		return Story{}, fmt.Errorf("explain: %w", err)
	}
	story := Story{XDR: l.XDR, Workspace: ws, Name: l.Name, Decisions: journal}
	for _, d := range journal {
		story.Sentences = append(story.Sentences, d.sentences()...)
	}
	story.Sentences = append(story.Sentences, l.standing()...)
	return story, nil
}

// causeTexts tell what led to a decision.
var causeTexts = map[Cause]string{
	CauseXDR:       "the XDR's feed told of a change",
	CauseWorkspace: "the workspace's feed told of a change",
	CauseResync:    "all incidents were compared",
	CauseRetry:     "it was tried again",
	CauseRecovery:  "it had been left open",
	CauseTarget:    "another incident had been merged into it",
	CauseVerify:    "somebody had both sides compared",
}

// sentences tell one decision.
func (d Decision) sentences() []string {
	saw := fmt.Sprintf("the XDR had version %d (%s)", d.SawXDR.Version, d.SawXDR)
	if d.SawWork != nil {
		saw += fmt.Sprintf(", the workspace version %d (%s)", d.SawWork.Version, *d.SawWork)
	} else {
		saw += ", the workspace had no incident for it"
	}
	out := []string{fmt.Sprintf("%s: decision %d, because %s: %s.", d.At, d.Number, causeTexts[d.Cause], saw)}
	for _, r := range d.Reasons {
		out = append(out, "  "+r.String())
	}
	for _, w := range d.Writes {
		out = append(out, "  "+w.String())
	}
	return out
}

// String tells an incident as it was seen, in short.
func (s Seen) String() string {
	parts := []string{s.Resolution.Status}
	if s.Resolution.Classification != "" {
		parts = append(parts, strings.TrimSuffix(s.Resolution.Classification+"/"+s.Resolution.Reason, "/"))
	}
	owner := s.Owner
	if owner == "" {
		owner = "nobody"
	}
	parts = append(parts, string(s.Severity), "owner "+owner)
	if len(s.Tags) > 0 {
		parts = append(parts, "tags "+strings.Join(s.Tags, " "))
	}
	parts = append(parts, fmt.Sprintf("%d comments", s.Comments))
	if s.Redirect != "" {
		parts = append(parts, "merged into "+s.Redirect)
	}
	return strings.Join(parts, ", ")
}

// String tells what became of a write.
func (w Sent) String() string {
	to := fmt.Sprintf("Write to incident %s of the %s", w.Incident, w.Side)
	switch w.Outcome {
	case Made:
		return fmt.Sprintf("%s: made as version %d at %s.", to, w.Version, w.At)
	case Found:
		return fmt.Sprintf("%s: its answer was lost; it had been made as version %d at %s.", to, w.Version, w.At)
	case Refused:
		return fmt.Sprintf("%s: refused: %s.", to, w.Error)
	case Dropped:
		return to + ": it never arrived."
	case Unknown:
		return to + ": its answer was lost, and the side can't be asked whether it was made."
	}
	if w.Error != "" {
		return fmt.Sprintf("%s: no answer yet: %s.", to, w.Error)
	}
	return to + ": no answer yet."
}

// standing tells how a pair stands now.
func (l link) standing() []string {
	var out []string
	if l.Base != nil {
		out = append(out, "Agreed now: "+agreed(*l.Base)+".")
	}
	if l.Intent != nil {
		out = append(out, fmt.Sprintf("Decision %d is on its way.", l.Intent.Decision))
	}
	if l.Hole != nil {
		out = append(out, fmt.Sprintf("It has failed %d times since %s, the last time with: %s. It is tried again at %s.",
			l.Hole.Attempts, l.Hole.Since, l.Hole.Error, l.Hole.Next))
	}
	return out
}

// agreed tells what was agreed of each value, and of which nothing was yet.
func agreed(b reconcile.Base) string {
	status, severity, owner := "status not yet", "severity not yet", "owner not yet"
	if r := b.Resolution; r.Workspace.Status != "" {
		status = fmt.Sprintf("%s on the XDR and %s in the workspace", r.XDR.Status, r.Workspace.Status)
	}
	if b.Severity != "" {
		severity = "severity " + string(b.Severity)
	}
	if b.Owner != nil {
		owner = "owner nobody"
		if text := b.Owner.Text(); text != "" {
			owner = "owner " + text
		}
	}
	return strings.Join([]string{status, severity, owner}, ", ")
}
