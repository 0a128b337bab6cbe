package workspace

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// mirror takes over what the XDR owns. Alerts that changed by themselves go
// into the feed without a new version of the incident.
func (e *edit) mirror(c port.Content, by security.Actor) {
	i := e.incident()
	i.Title, i.Description = c.Title, e.shorten(c.Description)
	i.ProviderURL = c.URL
	if i.Created == 0 {
		i.Created = c.Created // the XDR's time, though it came here later (facts 3.1)
	}
	i.FirstActivity, i.LastActivity = c.FirstActivity, c.LastActivity
	i.Products, i.Tactics, i.Techniques = list(c.Products), list(c.Tactics), list(c.Techniques)
	e.hold(c.Alerts, by)
	e.follow(c, by)
	e.mark(c)
}

// shorten cuts a description to the service's limit; the whole stays with the
// XDR, and the text says so.
func (e *edit) shorten(text string) string {
	if utf8.RuneCountInString(text) <= MaxDescription {
		return text
	}
	const more = " … (longer in the XDR)"
	return string([]rune(text)[:MaxDescription-utf8.RuneCountInString(more)]) + more
}

// hold stores the incident's alerts in the workspace's form and links the
// first MaxAlerts of them, by the time they were made.
func (e *edit) hold(all []security.Alert, by security.Actor) {
	i := e.incident()
	held := make([]security.Alert, 0, len(all))
	for _, a := range all {
		a = workspaceForm(a)
		key := state.Join(e.ws.ID, a.SystemID)
		was, ok := alerts.Get(e.tx, key)
		if !ok || was.Version != a.Version || was.IncidentID != a.IncidentID {
			alerts.Put(e.tx, key, a)
			e.alerts = append(e.alerts, a)
		}
		held = append(held, a)
	}
	slices.SortFunc(held, func(a, b security.Alert) int {
		if a.Created != b.Created {
			return compare(a.Created, b.Created)
		}
		return strings.Compare(a.SystemID, b.SystemID)
	})
	ids := make([]string, len(held))
	for k, a := range held {
		ids[k] = a.SystemID
	}
	if e.exists {
		e.sayAlerts(e.rec.Alerts, ids, by)
	}
	e.rec.Alerts = ids
	i.AlertIDs = slices.Clone(ids[:min(len(ids), MaxAlerts)])
	i.AlertTotal = len(ids)
	i.EntityCount = len(entitiesOf(held))
}

func compare(a, b schema.Ticks) int {
	if a < b {
		return -1
	}
	return 1
}

func (e *edit) sayAlerts(before, after []string, by security.Actor) {
	came, went := without(after, before), without(before, after)
	if len(came) > 0 {
		e.say(by, "alertsAdded", "", strings.Join(came, ", "), "%s added.", counted(len(came), "alert"))
	}
	if len(went) > 0 {
		e.say(by, "alertsRemoved", strings.Join(went, ", "), "", "%s moved away.", counted(len(went), "alert"))
	}
}

// without gives the members of a list that another hasn't.
func without(these, those []string) []string {
	has := make(map[string]bool, len(those))
	for _, id := range those {
		has[id] = true
	}
	var out []string
	for _, id := range these {
		if !has[id] {
			out = append(out, id)
		}
	}
	return out
}

// workspaceForm is an alert as the workspace keeps it: with a system id and a
// severity of the four that it knows.
func workspaceForm(a security.Alert) security.Alert {
	if a.SystemID == "" {
		a.SystemID = security.SystemID(a.ID)
	}
	a.SystemID = strings.ToLower(a.SystemID)
	if !a.Severity.Known() {
		a.Severity = security.Informational
	}
	return a
}

// follow notes into which incident this one was merged, or that it was parted again.
func (e *edit) follow(c port.Content, by security.Actor) {
	i := e.incident()
	if c.Redirect == e.rec.Redirect && (c.Redirect == "" || i.MergedNumber != 0) {
		return
	}
	changed := c.Redirect != e.rec.Redirect
	e.rec.Redirect = c.Redirect
	i.MergedNumber, i.MergedURL = 0, ""
	if c.Redirect == "" {
		e.say(by, "unmerged", "", "", "Parted from the incident that it had been merged into.")
		return
	}
	for _, target := range incidents.By(e.tx, "provider", state.Prefix(e.ws.ID, c.Redirect)) {
		i.MergedNumber = target.Incident.Number
		i.MergedURL = e.s.URL(e.ws, target.Incident.Name)
		break
	}
	if changed {
		e.say(by, "merged", "", c.Redirect, "Merged into the XDR's incident %s.", c.Redirect)
	}
}

// mark sets the labels that the service assigns: the XDR's system tags, and Redirected.
func (e *edit) mark(c port.Content) {
	names := slices.Clone(c.SystemTags)
	if c.Redirect != "" {
		names = append(names, LabelRedirected)
	}
	var labels []Label
	assigned := map[string]bool{}
	for _, name := range names {
		if key := strings.ToLower(name); !assigned[key] {
			assigned[key] = true
			labels = append(labels, Label{Name: name, Type: LabelAutoAssigned})
		}
	}
	for _, l := range e.incident().Labels {
		if l.Type == LabelUser {
			labels = append(labels, l)
		}
	}
	e.incident().Labels = labels
}

// alertsOf reads alerts by their system ids; ids without an alert are passed over.
func alertsOf(tx state.Tx, ws string, ids []string) []security.Alert {
	all := make([]security.Alert, 0, len(ids))
	for _, id := range ids {
		if a, ok := alerts.Get(tx, state.Join(ws, strings.ToLower(id))); ok {
			all = append(all, a)
		}
	}
	return all
}

// entitiesOf is the union of what alerts are about.
func entitiesOf(all []security.Alert) []security.Entity {
	var mentions []security.Entity
	for _, a := range all {
		for _, ev := range a.Evidence {
			mentions = append(mentions, ev.Entity)
		}
	}
	return security.Union(mentions...)
}

// list is a copy that is never nil.
func list(of []string) []string { return append([]string{}, of...) }

// counted writes a number of things in words: 1 alert, 2 alerts.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
