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
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/xdr/correlation"
)

// Limits of merges. Source: facts 4.4 and the design's decisions.
const (
	maxMergedAtOnce   = 5 // by hand
	maxMergedAlerts   = 500
	maxMergedEntities = 500
	maxMergedSpan     = 14 * schema.Day
	maxMergesAnHour   = 20 // by rule: whoever can raise alerts must not be able to bury incidents
)

// RedirectedTag is the system tag of an incident that was merged into another.
const RedirectedTag = "Redirected"

// Merge makes one incident of two to five. Which one stays is decided here:
// one that a person owns, else the oldest. The reason goes to the activity log.
func (s *Service) Merge(ctx context.Context, ids []string, reason string, by security.Actor) (Incident, error) {
	var target *held
	err := s.change(ctx, func(u *work) error {
		list, err := u.mergeable(ids, reason)
		if err != nil {
			return err
		}
		target = list[0]
		for _, h := range list[1:] {
			target, h = direction(target, h)
		}
		for _, h := range list {
			if h != target {
				u.merge(target, h, by, reason)
			}
		}
		return nil
	})
	if err != nil {
		return Incident{}, fmt.Errorf("merge incidents %s: %w", strings.Join(ids[:min(len(ids), 2*maxMergedAtOnce)], ", "), err)
	}
	return target.Incident, nil
}

// mergeable gives the incidents of a merge by hand, or why it can't be.
func (u *work) mergeable(ids []string, reason string) (list []*held, err error) {
	if n := utf8.RuneCountInString(reason); n > maxComment {
		return nil, fault.At("reason", "has %d characters; at most %d are taken", n, maxComment)
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return nil, fault.At("ids", "incident %s is named twice", quote(id))
		}
	}
	if len(ids) < 2 || len(ids) > maxMergedAtOnce {
		return nil, fault.At("ids", "2 to %d incidents can be merged at once, not %d", maxMergedAtOnce, len(ids))
	}
	for _, id := range ids {
		h, err := u.editable(id, 0)
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	for i, a := range list {
		for _, b := range list[:i] {
			if why := differences(b, a); len(why) > 0 {
				return nil, fault.New(fault.Conflict, "incidents %s and %s can't be merged: %s", b.ID, a.ID, strings.Join(why, "; "))
			}
		}
	}
	return list, nil
}

// differences says why two incidents can't be one, whoever asks.
// Source: facts 4.4.
func differences(a, b *held) (why []string) {
	for _, h := range []*held{a, b} {
		if h.Status == Resolved {
			why = append(why, fmt.Sprintf("incident %s is resolved", h.ID))
		}
	}
	if !a.Owner.IsZero() && !b.Owner.IsZero() && !a.Owner.Same(b.Owner) {
		why = append(why, fmt.Sprintf("they are assigned to different people, %s and %s", quote(a.Owner.Text()), quote(b.Owner.Text())))
	}
	if a.Classification != unset && b.Classification != unset && a.Classification != b.Classification {
		why = append(why, fmt.Sprintf("their classifications differ, %s and %s", a.Classification, b.Classification))
	}
	if a.Determination != unset && b.Determination != unset && a.Determination != b.Determination {
		why = append(why, fmt.Sprintf("their determinations differ, %s and %s", a.Determination, b.Determination))
	}
	return why
}

// guards says why correlation must not merge two incidents by itself.
func (u *work) guards(target, source *held) []string {
	why := differences(target, source)
	if u.parted(target, source) {
		why = append(why, "somebody parted them")
	}
	if n := len(target.AlertIDs) + len(source.AlertIDs); n > maxMergedAlerts {
		why = append(why, fmt.Sprintf("together they would have %d alerts, more than %d", n, maxMergedAlerts))
	}
	if a, b := u.cast(target), u.cast(source); a.size()+b.size() > maxMergedEntities {
		if n := together(a, b); n > maxMergedEntities {
			why = append(why, fmt.Sprintf("together they would have %d entities, more than %d", n, maxMergedEntities))
		}
	}
	a, b := target.book.Profile, source.book.Profile
	if span := max(a.Last, b.Last) - min(a.First, b.First); span > maxMergedSpan {
		why = append(why, fmt.Sprintf("together they would span %d days, more than %d", span/schema.Day, maxMergedSpan/schema.Day))
	}
	return why
}

// direction tells which of two incidents stays and which goes.
func direction(a, b *held) (target, source *held) {
	if personal(a) != personal(b) {
		if personal(b) {
			return b, a
		}
		return a, b
	}
	if older(b, a) {
		return b, a
	}
	return a, b
}

// personal tells whether a person owns the incident.
func personal(h *held) bool { return !h.Owner.IsZero() && !strings.EqualFold(h.Owner.Type, "Group") }

func older(a, b *held) bool { return incidentKey(a.ID) < incidentKey(b.ID) }

// connect merges incidents that an alert of h showed to be the same story, as
// far as the guards allow, and gives the one that stays. How often it does is
// counted by the hour of the alerts' activity, so that a replay of the past
// decides as the past did.
func (u *work) connect(h *held, r *heldAlert, found []correlation.Link) *held {
	hour := state.Join("merges", state.Number(int64(r.Alert.LastActivity/schema.Hour)))
	for _, link := range found {
		other := u.incident(u.live(link.Incident))
		if other == nil || other == h {
			continue
		}
		target, source := direction(h, other)
		why := u.guards(target, source)
		if n, _ := counters.Get(u.tx, hour); n >= maxMergesAnHour {
			why = append(why, fmt.Sprintf("correlation merged %d incidents within the hour already", n))
		}
		if len(why) > 0 {
			u.refuse(h, other, strings.Join(why, "; "))
			continue
		}
		u.merge(target, source, correlationActor, fmt.Sprintf("alert %s is evidence for both", quote(link.Alert)))
		merges.Put(u.tx, source.ID, link)
		u.number(hour)
		h = target
	}
	return h
}

// refuse notes, once, why two related incidents stay apart.
func (u *work) refuse(h, other *held, why string) {
	pair := state.Join(h.ID, other.ID)
	if before, ok := refusals.Get(u.tx, pair); ok && before == why {
		return
	}
	refusals.Put(u.tx, pair, why)
	u.note(h, Activity{Actor: correlationActor, Deed: "refused", To: other.ID, Text: fmt.Sprintf("Related to incident %s, not merged: %s.", other.ID, why)})
}

// merge empties source into target and redirects it there, with all that was
// merged into source before, so that every redirect leads to a live incident.
func (u *work) merge(target, source *held, by security.Actor, reason string) {
	u.touch(target, by)
	u.touch(source, by)
	back := u.seamOf(target, source)
	u.copyHistory(target, source)
	u.moveAlerts(target, source)
	u.inherit(target, source, by)
	back.After = lentOf(target)
	seams.Put(u.tx, source.ID, back)

	target.MergedIDs = append(target.MergedIDs, source.ID)
	for _, id := range source.MergedIDs {
		if h := u.incident(id); h != nil {
			h.RedirectID = target.ID
			u.touch(h, by)
		}
		target.MergedIDs = append(target.MergedIDs, id)
	}
	source.RedirectID, source.MergedIDs = target.ID, nil
	from := source.Status
	source.Status = Redirected
	source.SystemTags = keepOrder(source.SystemTags, []string{RedirectedTag})
	u.stamp(source, port.FieldResolution, port.Stamp{Actor: by, At: u.now})

	because := ""
	if reason != "" {
		because = " Reason: " + reason
	}
	u.note(target, Activity{Actor: by, Deed: "merged", From: source.ID, To: target.ID, Text: fmt.Sprintf("Incident %s was merged into this one.%s", source.ID, because)})
	u.note(source, Activity{Actor: by, Deed: "redirected", From: string(from), To: target.ID, Text: fmt.Sprintf("The incident was merged into incident %s.%s", target.ID, because)})
}

// moveAlerts moves alerts, and with them entities, from source to target.
func (u *work) moveAlerts(target, source *held) {
	for _, id := range source.AlertIDs {
		if r := u.alert(id); r != nil {
			r.Alert.IncidentID = target.ID
			u.touchAlert(r)
		}
	}
	first, second := target, source
	if older(source, target) {
		first, second = source, target
	}
	target.AlertIDs = slices.Concat(first.AlertIDs, second.AlertIDs)
	target.book.Profile = first.book.Profile.with(second.book.Profile)
	target.stale = target.stale || source.stale
	for _, t := range u.cast(source).list() {
		u.cast(target).add(t)
	}
	source.AlertIDs, source.book.Profile, source.stale = nil, profile{}, false
	source.cast = newCast(nil)
	source.cast.changed = true
	source.EntityCount = 0
}

// inherit gives target what source had and target hasn't: owner, closing
// reason, tags, a higher severity. A name set by hand doesn't survive (facts 4.3).
func (u *work) inherit(target, source *held, by security.Actor) {
	st := port.Stamp{Actor: by, At: u.now}
	if target.Owner.IsZero() && !source.Owner.IsZero() {
		target.Owner = source.Owner
		u.stamp(target, port.FieldOwner, cmp.Or(source.book.Stamps[port.FieldOwner], st))
	}
	if target.Classification == unset {
		target.Classification = source.Classification
	}
	if target.Determination == unset && fits(target.Classification, source.Determination) {
		target.Determination = source.Determination
	}
	if len(source.CustomTags) > 0 {
		target.CustomTags = addTags(target.CustomTags, source.CustomTags)
		source.CustomTags = nil
		u.stamp(target, port.FieldTags, st)
		u.stamp(source, port.FieldTags, st)
	}
	target.SystemTags = keepOrder(target.SystemTags, source.SystemTags)
	target.DisplayNameByHand = false
	if source.Severity.Above(target.Severity) && (target.SeverityByHand || source.SeverityByHand) {
		target.Severity, target.SeverityByHand = source.Severity, source.SeverityByHand
		u.stamp(target, port.FieldSeverity, st)
	}
	u.derive(target)
}

// copyHistory copies comments and activity lines, marked with their origin,
// unless target has them: from a merge that was taken back, or as its own.
func (u *work) copyHistory(target, source *held) {
	for _, c := range u.comments(source.ID) {
		if c = c.Copied(source.ID); c.Origin != target.ID && u.addComment(target, c) {
			u.stamp(target, port.FieldComments, port.Stamp{Actor: c.Author, At: c.Created})
		}
	}
	there := map[Activity]bool{}
	for _, line := range append(u.activities(target.ID), target.lines...) {
		line.Version = 0
		there[line] = true
	}
	for _, line := range append(u.activities(source.ID), source.lines...) {
		line.Origin, line.Incident, line.Version = cmp.Or(line.Origin, source.ID), target.ID, 0
		if line.Origin != target.ID && !there[line] {
			u.note(target, line)
		}
	}
}
