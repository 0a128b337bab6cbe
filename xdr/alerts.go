package xdr

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/state"
)

// AlertPatch is a change of an alert that somebody asks for: the fields that
// Graph lets clients set (facts 10.1). A nil field stays as it is.
type AlertPatch struct {
	Status         *security.AlertStatus
	Classification *string
	Determination  *string
	AssignedTo     *string // "" unassigns
	AddComments    []security.Comment
}

// alertFields are the fields of an alert that people set, by name.
var alertFields = []struct {
	name string
	of   func(*security.Alert) *string
}{
	{"status", func(a *security.Alert) *string { return (*string)(&a.Status) }},
	{"classification", func(a *security.Alert) *string { return &a.Classification }},
	{"determination", func(a *security.Alert) *string { return &a.Determination }},
	{"assignedTo", func(a *security.Alert) *string { return &a.AssignedTo }},
}

// setAlert sets one of the fields that people set, by hand: the source
// doesn't set it again. It reports whether the value is another one.
func (u *work) setAlert(r *heldAlert, field, value string) bool {
	for _, f := range alertFields {
		if at := f.of(&r.Alert); f.name == field && *at != value {
			*at = value
			byHand := map[string]bool{field: true}
			for k := range r.ByHand {
				byHand[k] = true
			}
			r.ByHand = byHand
			r.Alert.Updated = max(r.Alert.Updated, u.now)
			switch {
			case field == "status" && value == string(security.AlertResolved):
				r.Alert.Resolved = u.now
			case field == "status":
				r.Alert.Resolved = 0
			}
			u.touchAlert(r)
			return true
		}
	}
	return false
}

// Alert gives an alert.
func (s *Service) Alert(ctx context.Context, id string) (a security.Alert, err error) {
	err = s.view(ctx, func(u *work) error {
		r := u.alert(id)
		if r == nil {
			return notFound("alert", id)
		}
		a = r.Alert
		return nil
	})
	return a, err
}

// AlertsOf gives the alerts of an incident, oldest first; none for an
// incident that was merged away.
func (s *Service) AlertsOf(ctx context.Context, incident string) (list []security.Alert, err error) {
	err = s.view(ctx, func(u *work) error {
		h, err := u.known(incident)
		if err == nil {
			list = u.alertsOf(h)
		}
		return err
	})
	return list, err
}

func (u *work) alertsOf(h *held) []security.Alert {
	list := make([]security.Alert, 0, len(h.AlertIDs))
	for _, id := range h.AlertIDs {
		if r := u.alert(id); r != nil {
			list = append(list, r.Alert)
		}
	}
	slices.SortStableFunc(list, func(a, b security.Alert) int { return cmp.Compare(a.Created, b.Created) })
	return list
}

// Entities gives what an incident's alerts are about, each thing once.
func (s *Service) Entities(ctx context.Context, incident string) ([]security.Entity, error) {
	list, err := s.AlertsOf(ctx, incident)
	if err != nil {
		return nil, err
	}
	var all []security.Entity
	for _, a := range list {
		for _, e := range a.Evidence {
			all = append(all, e.Entity)
		}
	}
	return security.Union(all...), nil
}

// UpdateAlert changes an alert, and with it makes a version of its incident:
// who follows incidents sees it. A patch that changes nothing makes no version.
func (s *Service) UpdateAlert(ctx context.Context, id string, p AlertPatch, by security.Actor) (security.Alert, error) {
	var r *heldAlert
	err := s.change(ctx, func(u *work) error {
		if r = u.alert(id); r == nil {
			return notFound("alert", id)
		}
		values, err := p.values(r.Alert)
		if err != nil {
			return err
		}
		if err := u.commentAlert(r, p.AddComments, by); err != nil {
			return err
		}
		h, err := u.known(r.Alert.IncidentID)
		if err != nil {
			return err
		}
		for _, f := range alertFields {
			to, stated := values[f.name]
			if from := *f.of(&r.Alert); stated && u.setAlert(r, f.name, to) {
				u.note(h, Activity{Actor: by, Deed: "alert" + strings.ToUpper(f.name[:1]) + f.name[1:] + "Changed", From: from, To: to,
					Text: fmt.Sprintf("Alert %s: %s changed from %s to %s.", quote(r.Alert.Title), f.name, quote(from), quote(to))})
			}
		}
		if r.changed {
			u.touch(h, by)
		}
		return nil
	})
	if err != nil {
		return security.Alert{}, fmt.Errorf("update alert %s: %w", quote(id), err)
	}
	return r.Alert, nil
}

// CommentAlert adds a comment to an alert and gives all its comments.
func (s *Service) CommentAlert(ctx context.Context, id, text string, by security.Actor) ([]security.Comment, error) {
	a, err := s.UpdateAlert(ctx, id, AlertPatch{AddComments: []security.Comment{{Text: text}}}, by)
	return a.Comments, err
}

// values checks a patch and gives the fields that it states.
func (p AlertPatch) values(a security.Alert) (map[string]string, error) {
	values := map[string]string{}
	if p.Status != nil {
		status, ok := security.AlertStatuses.Parse(string(*p.Status))
		if !ok || status == unset {
			return nil, notOneOf("status", string(*p.Status), []string{string(security.AlertNew), string(security.AlertInProgress), string(security.AlertResolved)})
		}
		values["status"] = status
	}
	old := reason{orUnset(a.Classification), orUnset(a.Determination)}
	if p.Classification != nil || p.Determination != nil {
		why, err := parseReason(p.Classification, p.Determination, old)
		if err != nil {
			return nil, err
		}
		values["classification"], values["determination"] = why.classification, why.determination
	}
	if p.AssignedTo != nil {
		if utf8.RuneCountInString(*p.AssignedTo) > maxOwner {
			return nil, fault.At("assignedTo", "has more than %d characters", maxOwner)
		}
		values["assignedTo"] = strings.TrimSpace(*p.AssignedTo)
	}
	return values, nil
}

func (u *work) commentAlert(r *heldAlert, add []security.Comment, by security.Actor) error {
	for _, c := range add {
		if strings.TrimSpace(c.Text) == "" {
			return fault.At("comment", "is empty")
		}
		if n := utf8.RuneCountInString(c.Text); n > maxComment {
			return fault.At("comment", "has %d characters; at most %d are taken", n, maxComment)
		}
		if c.ID == "" {
			c.ID = security.DerivedID("xdr alert comment", state.Join(u.s.tenant, r.Alert.ID, state.Number(int64(len(r.Alert.Comments)))))
		}
		if c.Author == (security.Actor{}) {
			c.Author = by
		}
		if c.Created == 0 || c.Created > u.now {
			c.Created = u.now
		}
		if joined := joinComments(r.Alert.Comments, []security.Comment{c}); len(joined) > len(r.Alert.Comments) {
			r.Alert.Comments = slices.Clip(joined)
			r.Alert.Updated = max(r.Alert.Updated, u.now)
			u.touchAlert(r)
		}
	}
	return nil
}
