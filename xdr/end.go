package xdr

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// End gives the side as the connector sees it.
func (s *Service) End() port.End { return end{s} }

type end struct{ s *Service }

var _ port.End = end{}

// Capabilities: in process, all of them.
func (e end) Capabilities() port.Capabilities {
	return port.Capabilities{Conditional: true, Feed: true, FieldTimes: true, CommentIDs: true, CreateAlerts: true, WriteIDs: true}
}

// Changes gives hints of the feed. An alert's change is a hint to its
// incident; its Version is 0 then, as the incident's may be the same as before.
func (e end) Changes(ctx context.Context, after int64, limit int) ([]port.Hint, error) {
	entries, err := e.s.Feed(ctx, after, limit)
	hints := make([]port.Hint, 0, len(entries))
	for _, entry := range entries {
		c := entry.Record
		h := port.Hint{Seq: entry.Seq, Incident: c.Incident, At: c.At}
		if c.Kind == KindIncident {
			h.Version = c.Version
		}
		hints = append(hints, h)
	}
	return hints, err
}

// IDs gives the ids of all incidents in the order in which they were made.
func (e end) IDs(ctx context.Context, after string, limit int) (ids []string, err error) {
	from := ""
	if after != "" {
		if from = incidentKey(after); from == "" {
			return nil, fault.At("after", "%s is not the id of an incident", quote(after))
		}
		from += "\x00" // the next key
	}
	err = e.s.view(ctx, func(u *work) error {
		ids = nil
		for _, inc := range incidents.Scan(u.tx, state.Range{From: from}) {
			if len(ids) == limit {
				break
			}
			ids = append(ids, inc.ID)
		}
		return nil
	})
	return ids, err
}

// Incident gives an incident with all its alerts.
func (e end) Incident(ctx context.Context, id string) (out port.Incident, err error) {
	err = e.s.view(ctx, func(u *work) error {
		h, err := u.known(id)
		if err != nil {
			return err
		}
		out = u.shown(h)
		return nil
	})
	return out, err
}

// shown is an incident as the connector sees it.
func (u *work) shown(h *held) port.Incident {
	v := standingOf(h.Incident)
	return port.Incident{
		ID: h.ID, Version: h.Version, Resolution: v.Resolution, Owner: v.Owner, Severity: v.Severity, SeverityByHand: v.SeverityByHand,
		Tags: v.Tags, Comments: u.comments(h.ID), Stamps: maps.Clone(h.book.Stamps), Content: u.content(h),
	}
}

// content is what the workspace mirrors of an incident.
func (u *work) content(h *held) port.Content {
	c := port.Content{
		Title: h.DisplayName, Description: h.Description, Severity: h.Severity, URL: u.s.URL(h.ID),
		Created: h.Created, Updated: h.Updated, FirstActivity: h.FirstActivity, LastActivity: h.LastActivity,
		Tactics: h.Tactics, Techniques: h.Techniques, SystemTags: h.SystemTags,
		Alerts: u.alertsOf(h), Redirect: h.RedirectID, LastModifier: h.LastModifier,
	}
	slices.SortFunc(c.Alerts, func(a, b security.Alert) int { return strings.Compare(a.ID, b.ID) })
	for _, source := range h.Products {
		c.Products = append(c.Products, legacyName(source))
	}
	if h.RedirectID != "" {
		c.RedirectURL = u.s.URL(h.RedirectID)
	}
	return c
}

// legacyName is a product as SecurityAlert.ProductName and alertProductNames
// have it (facts 1.3).
func legacyName(serviceSource string) string {
	if p, ok := security.ProductOf(serviceSource); ok {
		return p.LegacyName
	}
	return serviceSource
}

func ifSet(value string) string {
	if value == unset {
		return ""
	}
	return value
}

// Apply makes one write, once.
func (e end) Apply(ctx context.Context, w port.Write) (applied port.Applied, err error) {
	if err := check(w); err != nil {
		return applied, err
	}
	err = e.s.change(ctx, func(u *work) error {
		if done, ok := writes.Get(u.tx, w.ID); ok {
			applied = done
			return nil
		}
		h, err := u.editable(w.Incident, w.IfVersion)
		if err != nil {
			return err
		}
		if err := u.apply(h, patchOf(w), author{by: w.Actor, stamps: w.Stamp}); err != nil {
			return err
		}
		for _, text := range w.Notes {
			u.note(h, Activity{Actor: w.Actor, Deed: "conflict", Text: text})
		}
		version := h.Version
		if h.changed {
			version++ // that flush gives it
		}
		applied = port.Applied{WriteID: w.ID, Incident: h.ID, Version: version, At: u.now}
		writes.Put(u.tx, w.ID, applied)
		return nil
	})
	if err != nil {
		return port.Applied{}, fmt.Errorf("apply write %s to incident %s: %w", quote(w.ID), quote(w.Incident), err)
	}
	return applied, nil
}

// check refuses writes that this side never takes.
func check(w port.Write) error {
	switch {
	case w.ID == "":
		return fault.At("id", "is missing: a write is known again by it")
	case w.Create:
		return fault.At("create", "incidents of the XDR are made by its own correlation alone")
	case w.Content != nil:
		return fault.At("content", "belongs to the XDR and is not written from outside")
	}
	return nil
}

// patchOf is a write as a change of the incident. A resolution is one whole
// value: its unset parts become unset; the dictionary between the sides is the
// connector's.
func patchOf(w port.Write) Patch {
	p := Patch{Owner: w.Owner, Severity: w.Severity, AddTags: w.AddTags, RemoveTags: w.RemoveTags, AddComments: w.AddComments}
	r := w.Resolution
	if r == nil {
		return p
	}
	if status := Status(r.Status); r.Status != "" {
		p.Status = &status
	}
	p.Classification, p.Determination, p.ResolvingComment = &r.Classification, &r.Reason, &r.Comment
	return p
}

// Applied tells what became of a write.
func (e end) Applied(ctx context.Context, writeID string) (applied port.Applied, ok bool, err error) {
	err = e.s.view(ctx, func(u *work) error {
		applied, ok = writes.Get(u.tx, writeID)
		return nil
	})
	return applied, ok, err
}

// Next does what is due: it forgets what correlation can't use any more. The
// side has nothing else that waits for a time.
func (s *Service) Next(ctx context.Context, now schema.Ticks) (did bool, wakeAt schema.Ticks, err error) {
	err = s.store.Update(ctx, func(tx state.Tx) error {
		did, wakeAt = s.sweep(tx, now)
		return nil
	})
	if err != nil {
		return false, 0, fmt.Errorf("forget old entities: %w", err)
	}
	return did, wakeAt, nil
}
