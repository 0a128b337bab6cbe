package xdr

import (
	"slices"
	"sort"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr/correlation"
)

// profile is what an incident's alerts say together. It grows by adding, so
// that an alert costs the same however many are there.
type profile struct {
	Things     []thing           `json:"things,omitempty"` // distinct entities
	Title      string            `json:"title"`            // of the first alert
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

// thing is an entity as a profile counts it: its kind and all its keys.
type thing struct {
	Kind security.Kind `json:"kind"`
	Keys []string      `json:"keys"`
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
	for _, e := range a.Evidence {
		if keys := e.Entity.Keys(); len(keys) > 0 {
			p.Things = unite(p.Things, thing{Kind: e.Entity.Kind, Keys: keys})
		}
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
	p.Stages = security.SortTactics(slices.Concat(p.Stages, q.Stages))
	p.Tactics = security.SortTactics(slices.Concat(p.Tactics, q.Tactics))
	p.Techniques = union(p.Techniques, q.Techniques)
	p.Products = union(p.Products, q.Products)
	p.Detectors = union(p.Detectors, q.Detectors)
	if q.First != 0 && (p.First == 0 || q.First < p.First) {
		p.First = q.First
	}
	p.Last = max(p.Last, q.Last)
	for _, t := range q.Things {
		p.Things = unite(p.Things, t)
	}
	return p
}

// unite adds a thing to distinct ones, making one of all that share a key.
func unite(things []thing, t thing) []thing {
	same := func(o thing) bool {
		return slices.ContainsFunc(o.Keys, func(k string) bool { return slices.Contains(t.Keys, k) })
	}
	at := slices.IndexFunc(things, same)
	if at < 0 {
		return append(slices.Clip(things), t)
	}
	out := slices.Clone(things[:at])
	for _, o := range things[at:] {
		if same(o) {
			t = thing{Kind: o.Kind, Keys: union(o.Keys, t.Keys)}
		} else {
			out = append(out, o)
		}
	}
	return append(out, t)
}

// union is the distinct texts of both, sorted.
func union(a, b []string) []string {
	out := slices.Concat(a, b)
	sort.Strings(out)
	return slices.Compact(out)
}

// count counts the distinct things of a kind.
func (p profile) count(kind security.Kind) (n int) {
	for _, t := range p.Things {
		if t.Kind == kind {
			n++
		}
	}
	return n
}

// standing is the incident as correlation sees it.
func (h *held) standing() correlation.Standing {
	return correlation.Standing{Open: h.Status != Resolved && h.Status != Redirected, Detectors: h.book.Profile.Detectors, Tactics: h.book.Profile.Tactics}
}

// derive sets what follows from the incident's alerts.
func (h *held) derive() {
	p := h.book.Profile
	h.Products, h.Tactics, h.Techniques = p.Products, p.Tactics, p.Techniques
	h.FirstActivity, h.LastActivity = p.First, p.Last
	h.EntityCount = len(p.Things)
	if !h.DisplayNameByHand {
		h.DisplayName = p.name()
	}
	if !h.SeverityByHand {
		h.Severity = p.Severity
	}
}

// remake makes the profile of an incident again from its alerts.
func (u *work) remake(h *held) {
	h.stale = false
	h.book.Profile = profile{}
	for _, id := range h.AlertIDs {
		if r := u.alert(id); r != nil {
			h.book.Profile = h.book.Profile.with(profileOf(r.Alert))
		}
	}
	h.derive()
}
