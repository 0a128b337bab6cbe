package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// said is a comment that somebody made, on an incident of the XDR's id.
type said struct {
	incident, text string
	side           reconcile.Side
}

var severities = []security.Severity{security.Low, security.Medium, security.High}

func pick[T any](h *history, of []T) T { return of[h.r.IntN(len(of))] }

func ptr[T any](v T) *T { return &v }

// edit is one deed of somebody on one side.
func (h *history) edit() {
	by := pick(h, people)
	id := pick(h, h.known)
	switch n := h.r.IntN(17); {
	case n < 3:
		h.alert(pick(h, severities), fmt.Sprint("h", h.r.IntN(5)))
	case n < 4:
		h.merge(id, pick(h, h.known), by)
	case n < 10:
		h.editXDR(id, by)
	case n < 16:
		h.editWorkspace(id, by)
	default:
		h.unmerge(by)
	}
}

// noted runs a deed, counts the feed entries that it made, and has the ledger
// look at every incident that they speak of.
func (h *history) noted(by *security.Actor, deed func() (told string, err error)) {
	h.follow() // what the connector wrote is its own
	told, err := deed()
	if err != nil {
		return
	}
	h.edits++
	h.tell("%s", told)
	entries, touched := h.follow()
	h.written += entries
	for _, in := range touched {
		h.ledger.deed(in.side, must(h.ends(in.side).Incident(h.ctx, in.id)), by)
	}
}

// alert has a product raise an alert about a host.
func (h *history) alert(severity security.Severity, host string) {
	redirects := map[string]string{}
	for _, id := range h.known {
		redirects[id] = must(h.xdr.Incident(h.ctx, id)).RedirectID
	}
	h.noted(&correlation, func() (string, error) {
		h.alerts++
		now := h.clock(reconcile.XDR)
		e := security.Entity{Kind: security.Host}.With("hostName", host).With("dnsDomain", "lab.example")
		out, err := h.xdr.Ingest(h.ctx, []security.Alert{{
			ID: fmt.Sprintf("da%d", h.alerts), Title: fmt.Sprint("Detection ", h.alerts), ServiceSource: "microsoftDefenderForEndpoint", Severity: severity, Category: "Execution",
			Created: now, Updated: now, FirstActivity: now, LastActivity: now, AlertType: fmt.Sprint("type", h.alerts),
			Evidence: []security.Evidence{{Entity: e, Verdict: "suspicious"}},
		}})
		if err != nil || out[0].Incident == "" {
			panic(fmt.Sprint(out, err))
		}
		if !slices.Contains(h.known, out[0].Incident) {
			h.known = append(h.known, out[0].Incident)
		}
		for _, id := range h.known {
			if into := must(h.xdr.Incident(h.ctx, id)).RedirectID; into != "" && into != redirects[id] {
				h.stats["merges by rule"]++
				delete(h.before, id) // it may have got the alert first
				h.copied(id, into)
			}
		}
		return fmt.Sprintf("an alert of severity %s about %s comes to incident %s", severity, host, out[0].Incident), nil
	})
}

func (h *history) merge(one, two string, by security.Actor) {
	if one == two {
		return
	}
	before := map[string]string{}
	for _, id := range []string{one, two} {
		before[id] = whole(must(h.xdr.Incident(h.ctx, id)))
	}
	h.noted(nil, func() (string, error) {
		into, err := h.xdr.Merge(h.ctx, []string{one, two}, "", by)
		if err == nil {
			h.stats["merges"]++
			source := one
			if into.ID == one {
				source = two
			}
			h.before[source] = before[source]
			h.copied(source, into.ID)
		}
		return fmt.Sprintf("%s merges incidents %s and %s: %s stays", actorName(by), one, two, into.ID), err
	})
}

// copied notes that what was said on an incident, and on those that were
// merged into it, may be on another one from now on.
func (h *history) copied(source, target string) {
	if h.copies[target] == nil {
		h.copies[target] = map[string]bool{}
	}
	h.copies[target][source] = true
	for id := range h.copies[source] {
		h.copies[target][id] = true
	}
}

// unmerge parts one of the incidents that were merged into others. What it had
// before must be there again.
func (h *history) unmerge(by security.Actor) {
	var gone []string
	for _, id := range h.known {
		if must(h.xdr.Incident(h.ctx, id)).RedirectID != "" {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return
	}
	id := pick(h, gone)
	from := must(h.xdr.Incident(h.ctx, id)).RedirectID
	h.noted(nil, func() (string, error) {
		i, err := h.xdr.Unmerge(h.ctx, id, "", by)
		if err != nil { // its target was merged, too
			return "", err
		}
		h.stats["un-merges"]++
		h.parted[id] = true
		if is, was := whole(i), h.before[id]; is != was && was != "" {
			h.fail("incident %s was %s before it was merged, and is %s after it was parted again", id, was, is)
		}
		return fmt.Sprintf("%s parts incident %s from %s", actorName(by), id, from), nil
	})
}

// whole is what an incident must be again when a merge of it is taken back.
// Its alerts may have grown, and with them what follows from these.
func whole(i xdr.Incident) string {
	return fmt.Sprint(i.Status, " ", i.Classification, "/", i.Determination, " ", i.Owner.Text(), " ", i.CustomTags, " ", i.SystemTags, " ", i.AlertIDs, " ", i.MergedIDs, " ", i.DisplayName)
}

func actorName(a security.Actor) string {
	if a.Name == "" {
		return "somebody unknown"
	}
	return a.Name
}

// words is what somebody says: often what others said too.
func (h *history) words() string {
	if h.r.IntN(2) == 0 {
		return pick(h, []string{"checked", "looks benign"})
	}
	return fmt.Sprint("note ", h.edits)
}

// newOwner is mostly somebody new, sometimes nobody, as when an edit is taken back.
func (h *history) newOwner() string {
	if h.r.IntN(3) == 0 {
		return ""
	}
	return "u" + strconv.Itoa(h.r.IntN(6))
}

func (h *history) editXDR(id string, by security.Actor) {
	var p xdr.Patch
	text := ""
	switch h.r.IntN(9) {
	case 0, 6, 7:
		p.AssignedTo = ptr(h.newOwner())
		text = fmt.Sprintf("owner %q", *p.AssignedTo)
	case 1, 8:
		p.Status = ptr(pick(h, []xdr.Status{xdr.Active, xdr.InProgress, xdr.AwaitingAction}))
		text = "status " + string(*p.Status)
	case 2:
		p.Status, p.Classification = ptr(xdr.Resolved), ptr(pick(h, []string{"truePositive", "falsePositive", "informationalExpectedActivity", "unknown"}))
		p.ResolvingComment = ptr(fmt.Sprint("because ", h.edits))
		text = "resolved as " + *p.Classification
	case 3:
		p.AddTags, p.RemoveTags = []string{pick(h, tags)}, []string{strings.ToUpper(pick(h, tags))}
		text = fmt.Sprintf("tags +%v -%v", p.AddTags, p.RemoveTags)
	case 4:
		p.AddComments = []security.Comment{{Text: h.words(), Author: by}}
		text = fmt.Sprintf("says %q", p.AddComments[0].Text)
	case 5:
		p.Severity = ptr(pick(h, severities))
		text = "severity " + string(*p.Severity)
	}
	h.noted(&by, func() (string, error) {
		_, err := h.xdr.Update(h.ctx, id, p, by, 0)
		if err == nil {
			for _, c := range p.AddComments {
				h.said = append(h.said, said{id, c.Text, reconcile.XDR})
			}
		}
		return fmt.Sprintf("%s on incident %s of the XDR: %s", actorName(by), id, text), err
	})
}

func (h *history) editWorkspace(id string, by security.Actor) {
	i, err := h.work.ByProvider(h.ctx, h.ws, id)
	if err != nil {
		return
	}
	kind := h.r.IntN(9) % 7
	if kind == 4 {
		h.noted(&by, func() (string, error) {
			text := h.words()
			_, err := h.work.AddComment(h.ctx, h.ws, i.Name, "", text, by)
			if err == nil {
				h.said = append(h.said, said{id, text, reconcile.Workspace})
			}
			return fmt.Sprintf("%s on incident %s of the workspace: says %q", actorName(by), id, text), err
		})
		return
	}
	h.put(i, by, func(p *workspace.Put) string {
		switch kind {
		case 0, 6:
			name := h.newOwner()
			p.Owner = &security.Owner{AssignedTo: name}
			return fmt.Sprintf("owner %q", name)
		case 1:
			p.Status = pick(h, []workspace.Status{workspace.StatusNew, workspace.StatusActive})
			return "status " + string(p.Status)
		case 2:
			reason := pick(h, [][2]string{{"Undetermined", ""}, {"TruePositive", "SuspiciousActivity"}, {"BenignPositive", "SuspiciousButExpected"}, {"FalsePositive", "IncorrectAlertLogic"}, {"FalsePositive", "InaccurateData"}})
			p.Status, p.Classification, p.ClassificationReason, p.ClassificationComment = workspace.StatusClosed, reason[0], reason[1], fmt.Sprint("since ", h.edits)
			return "closed as " + reason[0]
		case 3:
			add, gone := strings.ToUpper(pick(h, tags)), pick(h, tags)
			labels := slices.DeleteFunc(append(*p.Labels, add), func(l string) bool { return strings.EqualFold(l, gone) })
			p.Labels = &labels
			return fmt.Sprintf("labels +%s -%s", add, gone)
		default:
			p.Severity = pick(h, severities)
			return "severity " + string(p.Severity)
		}
	})
}

// put changes a workspace incident as a client does: writes all of it.
func (h *history) put(i workspace.Incident, by security.Actor, change func(*workspace.Put) string) {
	p := workspace.Put{Title: i.Title, Description: i.Description, Severity: i.Severity, Status: i.Status,
		Classification: i.Classification, ClassificationReason: i.ClassificationReason, ClassificationComment: i.ClassificationComment}
	labels := []string{}
	for _, l := range i.Labels {
		labels = append(labels, l.Name)
	}
	p.Labels = &labels
	text := change(&p)
	h.noted(&by, func() (string, error) {
		_, _, err := h.work.Put(h.ctx, h.ws, i.Name, p, by, i.ETag)
		return fmt.Sprintf("%s on incident %s of the workspace: %s", actorName(by), i.ProviderIncidentID, text), err
	})
}

// revert has somebody take back, before the connector knows that it was made,
// what a write set.
func (h *history) revert(s reconcile.Side, w port.Write) {
	if w.Owner == nil || w.Owner.IsZero() || h.calm || h.r.IntN(3) == 0 {
		return
	}
	h.stats["reverts"]++
	if s == reconcile.XDR {
		h.noted(&ann, func() (string, error) {
			_, err := h.xdr.Update(h.ctx, w.Incident, xdr.Patch{AssignedTo: ptr("")}, ann, 0)
			return fmt.Sprintf("%s on incident %s of the XDR: takes the owner back", ann.Name, w.Incident), err
		})
		return
	}
	h.put(must(h.work.Incident(h.ctx, h.ws, w.Incident)), ann, func(p *workspace.Put) string {
		p.Owner = &security.Owner{}
		return "takes the owner back"
	})
}

// step is one kind of thing that happens, and how often of all.
type step struct {
	weight int
	do     func(*history)
}

var steps = []step{
	{8, (*history).next},
	{1, (*history).turn},
	{1, func(h *history) { h.stats["crashes"]++; h.tell("the connector's process is killed"); h.boot() }},
	{1, func(h *history) {
		l := pick(h, []*line{h.x, h.w})
		l.downUntil = h.now + schema.Ticks(h.r.Int64N(int64(10*schema.Minute)))
		h.stats["outages"]++
		h.tell("the line to the %s is down until %s", l.side, l.downUntil)
	}},
	{1, func(h *history) {
		l := pick(h, []*line{h.x, h.x, h.w})
		if l.poison = ""; h.r.IntN(3) > 0 && !h.plan.Mute["poison"] {
			l.poison = pick(h, h.known)
			if i, err := h.work.ByProvider(h.ctx, h.ws, l.poison); err == nil && l == h.w && h.r.IntN(2) == 0 {
				l.poison = i.Name
			}
			h.stats["poison"]++
		}
		h.tell("the %s can't deal with incident %q", l.side, l.poison)
	}},
	{1, func(h *history) {
		if !h.nature.unlist && h.r.IntN(3) == 0 && !h.plan.Mute["switches"] {
			h.turnAlerts(h.bare)
		}
		h.look()
	}},
	{11, (*history).edit},
}
