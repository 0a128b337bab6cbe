package xdr

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/security"
)

// Limits of what people write. Source: facts 5.1 for comment and description.
const (
	maxComment     = 30_000
	maxDescription = 5_000
	maxName        = 1_000
	maxOwner       = 512
	maxTag         = 256
	maxTags        = 200
)

// Update changes an incident: one version, one feed entry, a line in the
// activity log for each field. ifVersion, unless 0, is the version the change
// was made against. A patch that changes nothing makes no version.
func (s *Service) Update(ctx context.Context, id string, p Patch, by security.Actor, ifVersion int64) (Incident, error) {
	var h *held
	err := s.change(ctx, func(u *work) (err error) {
		if h, err = u.editable(id, ifVersion); err != nil {
			return err
		}
		return u.apply(h, p, author{by: by})
	})
	if err != nil {
		return Incident{}, fmt.Errorf("update incident %s: %w", quote(id), err)
	}
	return h.Incident, nil
}

// Comment adds a comment and gives all comments.
func (s *Service) Comment(ctx context.Context, id, text string, by security.Actor) ([]security.Comment, error) {
	if _, err := s.Update(ctx, id, Patch{AddComments: []security.Comment{{Text: text}}}, by, 0); err != nil {
		return nil, err
	}
	return s.Comments(ctx, id)
}

// author says who makes a change: by, unless a field was set by somebody else.
type author struct {
	by     security.Actor
	stamps func(port.Field) port.Stamp // nil: by, now
}

func (a author) of(f port.Field, u *work) port.Stamp {
	if a.stamps == nil {
		return port.Stamp{Actor: a.by, At: u.now}
	}
	st := a.stamps(f)
	if st.At == 0 || st.At > u.now { // never later than its receipt
		st.At = u.now
	}
	return st
}

// apply makes a patch's changes to an incident. On an error the transaction
// must fail: some of them may be made.
func (u *work) apply(h *held, p Patch, a author) error {
	for _, part := range []func(*held, Patch, author) error{u.setTexts, u.setSeverity, u.setOwner, u.setResolution, u.setTags, u.addComments} {
		if err := part(h, p, a); err != nil {
			return err
		}
	}
	return nil
}

// record notes that a field changed, in words, and who did it.
func (u *work) record(h *held, f port.Field, a author, deed, from, to, text string) {
	st := a.of(f, u)
	u.touch(h, a.by)
	if f != "" {
		u.stamp(h, f, st)
	}
	u.note(h, Activity{Actor: st.Actor, At: st.At, Deed: deed, From: from, To: to, Text: text})
}

func (u *work) setTexts(h *held, p Patch, a author) error {
	if p.DisplayName != nil {
		name := strings.TrimSpace(*p.DisplayName)
		if utf8.RuneCountInString(name) > maxName {
			return fault.At("displayName", "has more than %d characters", maxName)
		}
		byHand := name != "" // an empty one gives the name back to us
		if !byHand {
			name = nameOf(h.book.Profile, u.cast(h))
		}
		if name != h.DisplayName {
			u.record(h, "", a, "displayNameChanged", h.DisplayName, name, fmt.Sprintf("Name changed from %s to %s.", quote(h.DisplayName), quote(name)))
			h.DisplayName, h.DisplayNameByHand = name, byHand
		}
	}
	if p.Description != nil && *p.Description != h.Description {
		if utf8.RuneCountInString(*p.Description) > maxDescription {
			return fault.At("description", "has more than %d characters", maxDescription)
		}
		u.record(h, "", a, "descriptionChanged", "", "", "Description changed.")
		h.Description = *p.Description
	}
	return nil
}

func (u *work) setSeverity(h *held, p Patch, a author) error {
	if p.Severity == nil {
		return nil
	}
	value, ok := security.Severities.Parse(string(*p.Severity))
	if severity := security.Severity(value); !ok || !severity.Known() {
		return notOneOf("severity", string(*p.Severity), []string{string(security.Informational), string(security.Low), string(security.Medium), string(security.High)})
	} else if severity != h.Severity {
		u.record(h, port.FieldSeverity, a, "severityChanged", string(h.Severity), value, fmt.Sprintf("Severity changed from %s to %s.", h.Severity, value))
		h.Severity, h.SeverityByHand = severity, true
	}
	return nil
}

// setOwner assigns the incident, and its alerts with it, resolved ones too.
func (u *work) setOwner(h *held, p Patch, a author) error {
	owner, err := u.s.owner(p)
	if err != nil || owner == nil || *owner == h.Owner {
		return err
	}
	from, to := h.Owner.Text(), owner.Text()
	text := fmt.Sprintf("Assigned to %s.", quote(to))
	if owner.IsZero() {
		text = fmt.Sprintf("No longer assigned to %s.", quote(from))
	}
	u.record(h, port.FieldOwner, a, "ownerChanged", from, to, text)
	h.Owner = *owner
	for _, id := range h.AlertIDs {
		r := u.alert(id)
		if r != nil && r.Alert.AssignedTo != to && (!owner.IsZero() || r.Alert.AssignedTo == from) {
			u.setAlert(r, "assignedTo", to)
		}
	}
	return nil
}

// owner reads whom a patch assigns; nil if it doesn't say.
func (s *Service) owner(p Patch) (*security.Owner, error) {
	switch {
	case p.Owner != nil:
		return p.Owner, nil
	case p.AssignedTo == nil:
		return nil, nil
	}
	text := strings.TrimSpace(*p.AssignedTo)
	if utf8.RuneCountInString(text) > maxOwner {
		return nil, fault.At("assignedTo", "has more than %d characters", maxOwner)
	}
	if text != "" && s.directory != nil {
		if owner, ok := s.directory.Resolve(text); ok {
			return &owner, nil
		}
	}
	return &security.Owner{AssignedTo: text}, nil // an unknown one is kept as written
}

// setResolution sets status and closing reason, which are one value.
func (u *work) setResolution(h *held, p Patch, a author) error {
	status := h.Status
	if p.Status != nil {
		var err error
		if status, err = parseStatus(*p.Status); err != nil {
			return err
		}
	}
	old := reason{h.Classification, h.Determination}
	comment := h.ResolvingComment
	if h.Status == Resolved && status != Resolved { // reopening clears the closing reason
		old, comment = reason{unset, unset}, ""
	}
	why, err := parseReason(p.Classification, p.Determination, old)
	if err != nil {
		return err
	}
	if p.ResolvingComment != nil {
		comment = *p.ResolvingComment
		if n := utf8.RuneCountInString(comment); n > maxComment {
			return fault.At("resolvingComment", "has %d characters; at most %d are taken", n, maxComment)
		}
	}
	before := h.Status
	for _, f := range []struct {
		deed, words string
		value       *string
		to          string
	}{
		{"statusChanged", "Status", (*string)(&h.Status), string(status)},
		{"classificationChanged", "Classification", &h.Classification, why.classification},
		{"determinationChanged", "Determination", &h.Determination, why.determination},
		{"resolvingCommentChanged", "Resolving comment", &h.ResolvingComment, comment},
	} {
		if *f.value != f.to {
			u.record(h, port.FieldResolution, a, f.deed, *f.value, f.to, fmt.Sprintf("%s changed from %s to %s.", f.words, quote(*f.value), quote(f.to)))
			*f.value = f.to
		}
	}
	switch {
	case before != Resolved && status == Resolved:
		h.ResolvedAt = u.now
		u.resolveAlerts(h, why)
	case before == Resolved && status != Resolved:
		h.ResolvedAt = 0
	}
	return nil
}

// resolveAlerts resolves the open alerts of a resolved incident, for the same reason.
func (u *work) resolveAlerts(h *held, why reason) {
	for _, r := range u.openAlerts(h) {
		u.setAlert(r, "status", string(security.AlertResolved))
		if why.classification != unset {
			u.setAlert(r, "classification", why.classification)
			u.setAlert(r, "determination", why.determination)
		}
	}
}

func (u *work) openAlerts(h *held) (list []*heldAlert) {
	for _, id := range h.AlertIDs {
		if r := u.alert(id); r != nil && r.Alert.Status != security.AlertResolved {
			list = append(list, r)
		}
	}
	return list
}

// setTags sets, adds and removes custom tags; case doesn't make another tag.
func (u *work) setTags(h *held, p Patch, a author) error {
	tags := h.CustomTags
	if p.CustomTags != nil {
		tags = addTags(nil, *p.CustomTags)
	}
	tags = addTags(tags, p.AddTags)
	tags = removeTags(tags, p.RemoveTags)
	if sameTags(tags, h.CustomTags) {
		return nil
	}
	if len(tags) > maxTags {
		return fault.At("customTags", "%d tags; at most %d are taken", len(tags), maxTags)
	}
	for _, t := range tags {
		if utf8.RuneCountInString(t) > maxTag {
			return fault.At("customTags", "tag %s has more than %d characters", quote(t), maxTag)
		}
	}
	from, to := strings.Join(h.CustomTags, ", "), strings.Join(tags, ", ")
	u.record(h, port.FieldTags, a, "tagsChanged", from, to, fmt.Sprintf("Tags changed from %s to %s.", quote(from), quote(to)))
	h.CustomTags = tags
	return nil
}

// addTags adds tags that aren't there in any case; the first spelling stays.
func addTags(tags, add []string) []string {
	out := slices.Clone(tags)
	for _, t := range add {
		if t = strings.TrimSpace(t); t != "" && !hasTag(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func removeTags(tags, remove []string) []string {
	if len(remove) == 0 {
		return tags
	}
	return slices.DeleteFunc(slices.Clone(tags), func(t string) bool { return hasTag(remove, t) })
}

func hasTag(tags []string, tag string) bool {
	return slices.ContainsFunc(tags, func(t string) bool { return strings.EqualFold(strings.TrimSpace(t), tag) })
}

// sameTags tells whether two sets hold the same tags; a set that only spells
// them otherwise changes nothing.
func sameTags(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(t string) bool { return !hasTag(b, t) })
}

func (u *work) addComments(h *held, p Patch, a author) error {
	for _, c := range p.AddComments {
		if strings.TrimSpace(c.Text) == "" {
			return fault.At("comment", "is empty")
		}
		if n := utf8.RuneCountInString(c.Text); n > maxComment {
			return fault.At("comment", "has %d characters; at most %d are taken", n, maxComment)
		}
		st := a.of(port.FieldComments, u)
		c.Author = cmp.Or(c.Author, st.Actor)
		c.Created = min(cmp.Or(c.Created, st.At), u.now)
		if u.addComment(h, c) {
			u.record(h, port.FieldComments, a, "commented", "", "", "Comment added.")
		}
	}
	return nil
}
