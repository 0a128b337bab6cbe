package xdr

import (
	"slices"
	"sort"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr/correlation"
)

// profile is what an incident's alerts say together. It grows by adding, so
// that an alert costs the same however many are there.
type profile struct {
	Title      string            `json:"title"` // of the first alert
	SeveralOf  bool              `json:"severalOf,omitempty"`
	Severity   security.Severity `json:"severity"`
	Stages     []string          `json:"stages,omitempty"`     // each alert's main tactic
	Tactics    []string          `json:"tactics,omitempty"`    // all, in kill-chain order
	Techniques []string          `json:"techniques,omitempty"` // sorted
	Products   []string          `json:"products,omitempty"`   // service sources, sorted
	Detectors  []string          `json:"detectors,omitempty"`
	First      schema.Ticks      `json:"first,omitempty"`
	Last       schema.Ticks      `json:"last,omitempty"`
}

// profileOf is the profile of one alert.
func profileOf(a security.Alert) profile {
	p := profile{
		Title: a.Title, Severity: a.Severity,
		Tactics: security.SortTactics(a.Tactics), Techniques: slices.Sorted(slices.Values(a.Techniques)),
		Products: []string{a.ServiceSource}, Detectors: []string{correlation.Detector(a)},
		First: a.FirstActivity, Last: a.LastActivity,
	}
	if tactic, ok := security.Tactic(a.Category); ok {
		p.Stages = []string{tactic}
	} else if len(p.Tactics) > 0 {
		p.Stages = p.Tactics[:1]
	}
	return p
}

// with is both profiles together. The receiver's first alert stays the first.
func (p profile) with(q profile) profile {
	if p.Title == "" && len(p.Detectors) == 0 {
		return q
	}
	p.SeveralOf = p.SeveralOf || q.SeveralOf || p.Title != q.Title
	if q.Severity.Above(p.Severity) {
		p.Severity = q.Severity
	}
	p.Stages = stages(p.Stages, q.Stages)
	p.Tactics = stages(p.Tactics, q.Tactics)
	p.Techniques = union(p.Techniques, q.Techniques)
	p.Products = union(p.Products, q.Products)
	p.Detectors = union(p.Detectors, q.Detectors)
	if q.First != 0 && (p.First == 0 || q.First < p.First) {
		p.First = q.First
	}
	p.Last = max(p.Last, q.Last)
	return p
}

// stages is the distinct tactics of both in kill-chain order.
func stages(a, b []string) []string {
	if within(b, a) {
		return a
	}
	return security.SortTactics(slices.Concat(a, b))
}

// within tells whether b has every text of a.
func within(a, b []string) bool {
	return !slices.ContainsFunc(a, func(t string) bool { return !slices.Contains(b, t) })
}

// union is the distinct texts of both, sorted; a is.
func union(a, b []string) []string {
	if within(b, a) {
		return a
	}
	out := slices.Concat(a, b)
	sort.Strings(out)
	return slices.Compact(out)
}

// standing is the incident as correlation sees it.
func (h *held) standing() correlation.Standing {
	return correlation.Standing{Incident: h.ID, Open: h.Status != Resolved && h.Status != Redirected, Detectors: h.book.Profile.Detectors, Tactics: h.book.Profile.Tactics}
}

// derive sets what follows from an incident's alerts.
func (u *work) derive(h *held) {
	p, cast := h.book.Profile, u.cast(h)
	h.Products, h.Tactics, h.Techniques = p.Products, p.Tactics, p.Techniques
	h.FirstActivity, h.LastActivity = p.First, p.Last
	h.EntityCount = cast.size()
	if !h.DisplayNameByHand {
		h.DisplayName = nameOf(p, cast)
	}
	if !h.SeverityByHand && h.Severity != p.Severity {
		h.Severity = p.Severity
		u.stamp(h, port.FieldSeverity, port.Stamp{Actor: correlationActor, At: u.now})
	}
}

// learn adds an alert to what an incident's alerts say together.
func (u *work) learn(h *held, a security.Alert) {
	h.book.Profile = h.book.Profile.with(profileOf(a))
	u.cast(h).addAlert(a)
	u.derive(h)
}

// remake makes the profile and cast of an incident again from its alerts.
func (u *work) remake(h *held) {
	h.stale = false
	h.book.Profile, h.cast = profile{}, newCast(nil)
	h.cast.changed = true
	for _, id := range h.AlertIDs {
		if r := u.alert(id); r != nil {
			h.book.Profile = h.book.Profile.with(profileOf(r.Alert))
			h.cast.addAlert(r.Alert)
		}
	}
	u.derive(h)
}
