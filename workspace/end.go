package workspace

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/security"
	"lockstep/state"
)

// end is one workspace as the connector sees it. Incidents are those that came
// from the XDR; native ones are not there.
type end struct {
	s  *Service
	ws string
}

// End gives a workspace, by its id, to the connector.
func (s *Service) End(ws string) port.End { return end{s, strings.ToLower(ws)} }

// Capabilities are all there.
func (end) Capabilities() port.Capabilities {
	return port.Capabilities{Conditional: true, Feed: true, FieldTimes: true, CommentIDs: true, CreateAlerts: true, WriteIDs: true}
}

// Changes gives hints of the workspace's incidents.
func (e end) Changes(ctx context.Context, after int64, limit int) (hints []port.Hint, err error) {
	err = e.s.o.Store.View(ctx, func(tx state.Tx) error {
		for _, entry := range feed.After(tx, after, limit) {
			c := entry.Record
			hint := port.Hint{Seq: entry.Seq, At: c.At, Version: c.Version}
			if c.Workspace == e.ws && c.Incident != nil && c.Incident.ProviderName == ProviderXDR {
				hint.Incident = c.ID
			}
			hints = append(hints, hint)
		}
		return nil
	})
	return hints, err
}

// IDs gives the names of the incidents that came from the XDR, in order.
func (e end) IDs(ctx context.Context, after string, limit int) (ids []string, err error) {
	err = e.s.o.Store.View(ctx, func(tx state.Tx) error {
		r := state.Prefix(e.ws)
		if after != "" {
			r.From = incidentKey(e.ws, after) + "\x00"
		}
		for _, rec := range incidents.Scan(tx, r) {
			if len(ids) == limit {
				return nil
			}
			if rec.Incident.ProviderName == ProviderXDR {
				ids = append(ids, rec.Incident.Name)
			}
		}
		return nil
	})
	return ids, err
}

// Incident gives an incident's present state. NotFound for a native one too.
func (e end) Incident(ctx context.Context, id string) (out port.Incident, err error) {
	native := false
	err = e.s.read(ctx, e.ws, id, func(tx state.Tx, w Workspace, r record) {
		native = r.Incident.ProviderName != ProviderXDR
		out = neutral(r, commentsOf(tx, w.ID, r.Incident.Name))
	})
	if err == nil && native {
		return port.Incident{}, fault.New(fault.NotFound, "incident %q of workspace %s doesn't take part in the synchronisation", id, e.ws)
	}
	return out, err
}

// neutral is an incident in the connector's form.
func neutral(r record, said []security.Comment) port.Incident {
	i := r.Incident
	return port.Incident{
		ID: i.Name, Version: i.Version, Partner: i.ProviderIncidentID,
		Resolution:     port.Resolution{Status: string(i.Status), Classification: i.Classification, Reason: i.ClassificationReason, Comment: i.ClassificationComment},
		Owner:          i.Owner,
		Severity:       i.Severity,
		SeverityByHand: i.SeverityByHand,
		Tags:           userLabels(i.Labels),
		Comments:       said,
		Stamps:         r.Stamps,
		Content: port.Content{
			Title: i.Title, Description: i.Description, Severity: i.Severity, URL: i.ProviderURL,
			Created: i.Created, Updated: i.Modified, FirstActivity: i.FirstActivity, LastActivity: i.LastActivity,
			Products: i.Products, Tactics: i.Tactics, Techniques: i.Techniques,
			Redirect: r.Redirect, RedirectURL: i.MergedURL, LastModifier: i.ModifiedBy,
		},
	}
}

// Applied tells what became of a write. The newest of each incident are remembered.
func (e end) Applied(ctx context.Context, writeID string) (a port.Applied, ok bool, err error) {
	err = e.s.o.Store.View(ctx, func(tx state.Tx) error {
		a, ok = applied(tx, e.ws, writeID)
		return nil
	})
	return a, ok, err
}

func applied(tx state.Tx, ws, writeID string) (port.Applied, bool) {
	for _, r := range incidents.By(tx, "write", state.Prefix(ws, writeID)) {
		for _, a := range r.Writes {
			if a.WriteID == writeID {
				return a, true
			}
		}
	}
	return port.Applied{}, false
}

// Apply makes one write of the connector; see port.End.
func (e end) Apply(ctx context.Context, w port.Write) (port.Applied, error) {
	made, err := e.ApplyAll(ctx, []port.Write{w})
	if err != nil {
		return port.Applied{}, err
	}
	return made[0], nil
}

// ApplyAll makes writes in one transaction: all of them or none.
func (e end) ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error) {
	made, ids := make([]port.Applied, len(writes)), make([]string, len(writes))
	for i, w := range writes {
		if w.ID == "" || !incidentName.MatchString(w.Incident) {
			return nil, fault.New(fault.Invalid, "a write needs an id and an incident, not %q and %q", w.ID, w.Incident)
		}
		ids[i] = e.s.o.NewID()
	}
	grew := false
	err := e.s.o.Store.Update(ctx, func(tx state.Tx) error {
		ws, err := known(tx, e.ws)
		if err != nil {
			return err
		}
		grew = false
		for i, w := range writes {
			more := false
			if made[i], more, err = e.apply(tx, ws, w, ids[i]); err != nil {
				return fmt.Errorf("write to incident %s: %w", w.Incident, err)
			}
			grew = grew || more
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if grew {
		e.s.o.Changed()
	}
	return made, nil
}

// apply makes a write in a transaction, and tells whether the feed grew.
func (e end) apply(tx state.Tx, ws Workspace, w port.Write, newID string) (made port.Applied, grew bool, err error) {
	if made, repeat := applied(tx, ws.ID, w.ID); repeat {
		return made, false, nil
	}
	ed := e.s.begin(tx, ws, w.Incident, newID, w.Actor)
	if err := ed.take(w); err != nil {
		return made, false, err
	}
	made = ed.remember(w.ID)
	return made, ed.commit(), nil
}

// remember notes the write with the version it makes.
func (e *edit) remember(writeID string) port.Applied {
	a := port.Applied{WriteID: writeID, Incident: e.incident().Name, Version: e.incident().Version, At: e.now}
	if e.changed() {
		a.Version++
	}
	writes := append(slices.Clone(e.rec.Writes), a)
	e.rec.Writes = writes[max(0, len(writes)-rememberedWrites):]
	return a
}

// take makes the changes of a write.
func (e *edit) take(w port.Write) error {
	if err := e.admit(w); err != nil {
		return err
	}
	if c := w.Content; c != nil {
		e.mirror(*c, c.LastModifier)
	}
	if w.Severity != nil {
		sev := *w.Severity
		if !sev.Known() {
			sev = security.Informational // the workspace has no unknown (facts 3.5)
		}
		e.rate(sev, w.Stamp(port.FieldSeverity))
	}
	if r := w.Resolution; r != nil {
		if err := checkResolution(*r); err != nil {
			return err
		}
		e.resolve(Status(r.Status), r.Classification, r.Reason, r.Comment, w.Stamp(port.FieldResolution))
	}
	if w.Owner != nil {
		e.assign(*w.Owner, w.Stamp(port.FieldOwner))
	}
	e.label(w.AddTags, w.RemoveTags, w.Stamp(port.FieldTags))
	for _, c := range w.AddComments {
		e.comment(c)
	}
	for _, note := range w.Notes {
		e.say(w.Actor, "superseded", "", "", "%s", note)
	}
	return nil
}

// admit checks what a write is about: an incident that is there and as the
// writer saw it, or one to be made.
func (e *edit) admit(w port.Write) error {
	i := e.incident()
	switch {
	case !e.exists && !w.Create:
		return fault.New(fault.NotFound, "there is no incident %q in workspace %q", w.Incident, e.ws.Name)
	case !e.exists && w.Content == nil:
		return fault.At("content", "is required to make an incident")
	case e.exists && i.ProviderName != ProviderXDR:
		return fault.New(fault.Conflict, "incident %q was made in workspace %q and is not synchronised", w.Incident, e.ws.Name)
	case e.exists && w.IfVersion != 0 && w.IfVersion != i.Version:
		return fault.New(fault.Conflict, "incident %d has version %d, not %d", i.Number, i.Version, w.IfVersion)
	case e.exists:
		return nil
	}
	if w.Partner == "" {
		return fault.At("partner", "is required to make an incident")
	}
	for _, other := range incidents.By(e.tx, "provider", state.Prefix(e.ws.ID, w.Partner)) {
		return fault.New(fault.Conflict, "incident %d already stands for the XDR's incident %s", other.Incident.Number, w.Partner)
	}
	e.number()
	i.ProviderName, i.ProviderIncidentID = ProviderXDR, w.Partner
	i.Status, i.Severity = StatusNew, w.Content.Severity
	if !i.Severity.Known() {
		i.Severity = security.Informational
	}
	e.say(w.Actor, "created", "", w.Partner, "Incident created from the XDR's incident %s.", w.Partner)
	return nil
}

func checkResolution(r port.Resolution) error {
	switch Status(r.Status) {
	case StatusNew, StatusActive:
		return nil
	case StatusClosed:
		return checkClosing(r.Classification, r.Reason)
	}
	return fault.At("status", "%q is none of New, Active, Closed", r.Status)
}
