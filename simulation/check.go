package simulation

import (
	"fmt"
	"slices"
	"strings"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// closings are the closing reasons that the workspace takes (facts 3.4).
var closings = []string{"Undetermined/", "TruePositive/SuspiciousActivity", "BenignPositive/SuspiciousButExpected", "FalsePositive/IncorrectAlertLogic", "FalsePositive/InaccurateData"}

// states pairs the states, and classes the classifications, as the design decides.
var (
	states  = map[string]string{"active": "New", "inProgress": "Active", "awaitingAction": "Active", "resolved": "Closed", "redirected": "Closed"}
	classes = map[string]string{"": "Undetermined", "truePositive": "TruePositive", "falsePositive": "FalsePositive", "informationalExpectedActivity": "BenignPositive"}
)

// check looks whether all that must hold at rest does.
func (h *history) check() {
	onXDR, inWork := map[string]port.Incident{}, map[string]port.Incident{}
	for _, id := range h.known {
		x := must(h.x.End.Incident(h.ctx, id))
		i, err := h.work.ByProvider(h.ctx, h.ws, id)
		if err != nil {
			h.fail("incident %s: the workspace has none for it", id)
			return
		}
		w := must(h.w.End.Incident(h.ctx, i.Name))
		onXDR[id], inWork[id] = x, w
		h.compare(id, x, w, i)
		h.feedTellsAll(id, i)
	}
	if page := must(h.work.Incidents(h.ctx, h.ws, workspace.Selection{Limit: 1000})); len(page.Items) != len(h.known) {
		h.fail("%d incidents in the workspace, %d on the XDR", len(page.Items), len(h.known))
	}
	h.checkAlerts(onXDR)
	h.checkComments(onXDR, inWork)
	h.checkJournal()
	if v, err := h.sync.Verify(h.ctx, h.ws); err == nil && len(v.Apart)+len(v.Strays) > 0 {
		h.fail("all is at rest, and the connector finds apart: %+v", v)
	}
	if st := must(h.sync.Status(h.ctx, h.ws)); len(st.Holes) > 0 {
		h.fail("all has healed, and holes stay: %+v", st.Holes)
	}
	// I6: a write answers an entry that somebody made, or an alert that changed
	// because its incident was closed or assigned by a write.
	h.follow()
	if writes := int64(len(h.x.made) + len(h.w.made)); h.nature.whole() && writes > h.written+h.echoable {
		h.fail("%d writes for %d changes and %d of alerts", writes, h.written, h.echoable)
	}
}

// compare looks at one pair: I3, I5, I7.
func (h *history) compare(id string, x, w port.Incident, i workspace.Incident) {
	say := func(what string, a, b any) {
		if a, b := fmt.Sprint(a), fmt.Sprint(b); a != b {
			h.fail("incident %s: %s: %s on the XDR, %s in the workspace", id, what, a, b)
		}
	}
	say("owner", x.Owner.Text(), w.Owner.Text())
	say("severity", x.Severity, w.Severity)
	say("tags", folded(x.Tags), folded(w.Tags))
	say("status", states[x.Resolution.Status], w.Resolution.Status)
	if h.nature.can(reconcile.Workspace, h.w.End.Capabilities()).CreateAlerts {
		var there []string
		for _, a := range must(h.work.Alerts(h.ctx, h.ws, i.Name)) {
			there = append(there, a.ID)
			if a.IncidentID != id {
				h.fail("alert %s is in the workspace's incident for %s and says %s", a.ID, id, a.IncidentID)
			}
		}
		say("alerts", idsOf(x.Content.Alerts), folded(there))
	}
	say("title", x.Content.Title, w.Content.Title)
	if w.Resolution.Status == "Closed" && !slices.Contains(closings, w.Resolution.Classification+"/"+w.Resolution.Reason) {
		h.fail("incident %s: closed as %s/%s, which the workspace doesn't take", id, w.Resolution.Classification, w.Resolution.Reason)
	}
	if target := x.Content.Redirect; target != "" {
		if live := must(h.xdr.Incident(h.ctx, target)); live.RedirectID != "" || live.Status == xdr.Redirected {
			h.fail("incident %s was merged into %s, which doesn't live", id, target)
		}
		if t, err := h.work.ByProvider(h.ctx, h.ws, target); err != nil || i.MergedNumber != t.Number {
			h.fail("incident %s was merged into %s, its parallel one into number %d", id, target, i.MergedNumber)
		}
		return
	}
	if w.Resolution.Status == "Closed" {
		say("classification", classes[x.Resolution.Classification], w.Resolution.Classification)
		say("comment on closing", x.Resolution.Comment, w.Resolution.Comment)
		back := connector.Dictionary{}.ToXDR(w.Resolution, x.Resolution, reconcile.Pair{XDR: x.Resolution, Workspace: w.Resolution})
		say("closing reason", x.Resolution, back)
	}
	p := h.ledger.pair(id)
	for _, f := range fields {
		if is, knew := viewOf(x)[f].text, p.now.x[f].text; is != knew {
			h.fail("incident %s: %s is %q on the XDR and nobody set that; it was %q", id, f, is, knew)
		}
		if is, knew := viewOf(w)[f].text, p.now.w[f].text; is != knew {
			h.fail("incident %s: %s is %q in the workspace and nobody set that; it was %q", id, f, is, knew)
		}
	}
}

func idsOf(alerts []security.Alert) []string {
	var ids []string
	for _, a := range alerts {
		ids = append(ids, a.ID)
	}
	return folded(ids)
}

func folded(list []string) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, strings.ToLower(s))
	}
	slices.Sort(out)
	return out
}

// feedTellsAll replays an incident's part of the workspace's feed: I9.
func (h *history) feedTellsAll(id string, i workspace.Incident) {
	if h.replayed == nil {
		h.replayed = map[string]workspace.Incident{}
		versions := map[string]int64{}
		for _, e := range must(h.work.Feed(h.ctx, 0, 1<<20)) {
			c := e.Record
			if c.Incident == nil {
				continue
			}
			if c.Version != versions[c.ID]+1 {
				h.fail("the workspace's feed goes from version %d of %s to %d", versions[c.ID], c.ID, c.Version)
			}
			versions[c.ID] = c.Version
			h.replayed[c.ID] = *c.Incident
		}
		seen := map[string]int64{}
		for _, e := range must(h.xdr.Feed(h.ctx, 0, 1<<20)) {
			if c := e.Record; c.Kind == xdr.KindIncident {
				if c.Version != seen[c.ID]+1 {
					h.fail("the XDR's feed goes from version %d of incident %s to %d", seen[c.ID], c.ID, c.Version)
				}
				seen[c.ID] = c.Version
			}
		}
		for _, id := range h.known {
			if v := must(h.xdr.Incident(h.ctx, id)).Version; v != seen[id] {
				h.fail("incident %s of the XDR has version %d, its feed ends with %d", id, v, seen[id])
			}
		}
	}
	if last := h.replayed[i.Name]; fmt.Sprint(last) != fmt.Sprint(i) {
		h.fail("incident %s: the workspace's feed ends with %+v, it is %+v", id, last, i)
	}
}

// checkAlerts: each alert is in one live incident, and none is missing (I1, I2).
func (h *history) checkAlerts(onXDR map[string]port.Incident) {
	in := map[string]string{}
	for id, x := range onXDR {
		if x.Content.Redirect != "" && len(x.Content.Alerts) > 0 {
			h.fail("incident %s was merged away and has %d alerts", id, len(x.Content.Alerts))
		}
		for _, a := range x.Content.Alerts {
			if before, twice := in[a.ID]; twice {
				h.fail("alert %s is in incidents %s and %s", a.ID, before, id)
			}
			in[a.ID] = id
			if a.IncidentID != id {
				h.fail("alert %s is in incident %s and says %s", a.ID, id, a.IncidentID)
			}
		}
	}
	if len(in) != h.alerts {
		h.fail("%d alerts in incidents, %d came", len(in), h.alerts)
	}
}

// checkComments: each comment is where it was made, or where that was merged
// into, on both sides, as often as it was said. Where that was parted again,
// copies stay. Where ends can't tell the same words apart it is there as often
// on either side as on the other.
func (h *history) checkComments(onXDR, inWork map[string]port.Incident) {
	said := map[string]map[string]int{} // by incident and text
	for _, s := range h.said {
		if said[s.incident] == nil {
			said[s.incident] = map[string]int{}
		}
		said[s.incident][s.text]++
	}
	for id, x := range onXDR {
		if x.Content.Redirect != "" {
			continue
		}
		least, most := map[string]int{}, map[string]int{}
		for other, texts := range said {
			for text, n := range texts {
				here := onXDR[other].Content.Redirect == id
				if other == id || here {
					least[text] += n
				}
				if other == id || here || h.copies[id][other] {
					most[text] += n
				}
			}
		}
		for _, s := range h.said { // it may have stayed where it was carried between two merges
			if s.side == reconcile.Workspace && s.incident != id && onXDR[s.incident].Content.Redirect == id && h.parted[s.incident] {
				least[s.text]--
			}
		}
		there := two[map[string]int]{count(x.Comments), count(inWork[id].Comments)}
		for text := range most {
			if a, b := there.x[text], there.w[text]; a != b {
				h.fail("comment %q is on incident %s %d times on the XDR, and %d times in the workspace", text, id, a, b)
			} else if least, most := h.bounds(least[text], most[text], len(h.parted) > 0); a < least || a > most {
				h.fail("comment %q was made %d to %d times on incident %s, and is there %d times", text, least, most, id, a)
			}
		}
	}
	for _, s := range h.said {
		found := false
		for id, x := range onXDR {
			found = found || x.Content.Redirect == "" && count(x.Comments)[s.text] > 0 && (s.incident == id || h.copies[id][s.incident])
		}
		if !found {
			h.fail("comment %q was made on incident %s, and is on no live one", s.text, s.incident)
		}
	}
}

func count(comments []security.Comment) map[string]int {
	n := map[string]int{}
	for _, c := range comments {
		n[c.Text]++
	}
	return n
}

// bounds is how often a comment may be there: the same words on both sides may
// be one comment where ids aren't kept, and a copy another.
func (h *history) bounds(least, most int, parted bool) (int, int) {
	switch {
	case h.nature.telling():
		return least, most
	case parted:
		return min(1, least), 10 * most
	}
	return min(1, least), most
}

// checkJournal: every value that gave way is in the journal (I4).
func (h *history) checkJournal() {
	lost := 0
	for _, id := range h.known {
		journal := must(h.sync.Journal(h.ctx, h.ws, id))
		for n, d := range journal {
			if d.Number != int64(n)+1 {
				h.fail("incident %s: decision %d stands at place %d of its journal", id, d.Number, n+1)
			}
			for _, r := range d.Reasons {
				if r.Lost != "" {
					lost++
				}
			}
			for _, w := range d.Writes {
				if w.Outcome == connector.Pending {
					h.fail("incident %s: decision %d is still on its way", id, d.Number)
				}
			}
		}
	}
	if lost < h.stats["conflicts"] {
		h.fail("%d values gave way, the journal knows of %d", h.stats["conflicts"], lost)
	}
}
