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

// maxParted is how many incidents one remembers to have been parted from.
const maxParted = 20

// seam is how a merge is taken back: what its source was, and what it changed
// in its target. There is one at most for each incident, as long as it is
// merged into another, and no larger than that incident.
type seam struct {
	Number     int64    `json:"number"` // rises from merge to merge
	Target     string   `json:"target"` // which may have been merged into another since
	Status     Status   `json:"status"` // of the source, and so on
	Alerts     []string `json:"alerts"`
	Merged     []string `json:"merged,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	SystemTags []string `json:"systemTags,omitempty"`

	Own        lent     `json:"own"`            // the source's values
	Before     lent     `json:"before"`         // the target's, without the merge
	After      lent     `json:"after"`          // and with it
	Gave       []string `json:"gave,omitempty"` // tags that the target hadn't
	GaveSystem []string `json:"gaveSystem,omitempty"`
}

// lent is what a merge may change in its target beside tags. A severity or
// name that wasn't set by hand is "".
type lent struct {
	Owner    security.Owner    `json:"owner,omitzero"`
	Closing  closing           `json:"closing"`
	Severity security.Severity `json:"severity,omitempty"`
	Name     string            `json:"name,omitempty"`
}

type closing struct {
	Classification string `json:"classification"`
	Determination  string `json:"determination"`
}

func lentOf(h *held) lent {
	l := lent{Owner: h.Owner, Closing: closing{h.Classification, h.Determination}}
	if h.SeverityByHand {
		l.Severity = h.Severity
	}
	if h.DisplayNameByHand {
		l.Name = h.DisplayName
	}
	return l
}

// seamOf is how the merge of source into target, not yet made, is taken back.
func (u *work) seamOf(target, source *held) seam {
	return seam{
		Number: u.number("merge"), Target: target.ID, Status: source.Status, Alerts: source.AlertIDs, Merged: source.MergedIDs,
		Tags: source.CustomTags, SystemTags: source.SystemTags, Own: lentOf(source), Before: lentOf(target),
		Gave: removeTags(source.CustomTags, target.CustomTags), GaveSystem: removeTags(source.SystemTags, target.SystemTags),
	}
}

// Unmerge parts an incident from the one that it was merged into: it is live
// again with the alerts, tags, owner, status and closing reason that it had. The
// other one loses these alerts, and what the merge had brought it unless
// somebody set that since; it keeps the alerts that came to it later, and the
// copies of comments. Correlation doesn't merge the two again.
func (s *Service) Unmerge(ctx context.Context, id, reason string, by security.Actor) (Incident, error) {
	var source *held
	err := s.change(ctx, func(u *work) error {
		if n := utf8.RuneCountInString(reason); n > maxComment {
			return fault.At("reason", "has %d characters; at most %d are taken", n, maxComment)
		}
		var k seam
		var err error
		if source, k, err = u.partable(id); err == nil {
			u.part(source, u.incident(k.Target), k, by, reason)
		}
		return err
	})
	if err != nil {
		return Incident{}, fmt.Errorf("un-merge incident %s: %w", quote(id), err)
	}
	return source.Incident, nil
}

// partable gives an incident that can be parted from the one that it was
// merged into, and how; or why it can't be.
func (u *work) partable(id string) (*held, seam, error) {
	h, err := u.known(id)
	if err != nil {
		return nil, seam{}, err
	}
	if h.RedirectID == "" {
		return nil, seam{}, fault.New(fault.Conflict, "incident %s isn't merged into another", id)
	}
	k, ok := seams.Get(u.tx, id)
	switch {
	case !ok:
		return nil, seam{}, fault.New(fault.Conflict, "incident %s was merged into incident %s before merges were kept so that they can be taken back", id, h.RedirectID)
	case k.Target != h.RedirectID:
		return nil, seam{}, fault.New(fault.Conflict, "incident %s was merged into incident %s, and that one into incident %s since; un-merge incident %s first", id, k.Target, h.RedirectID, k.Target)
	}
	for _, a := range k.Alerts {
		if r := u.alert(a); r == nil || r.Alert.IncidentID != k.Target {
			return nil, seam{}, fault.New(fault.Conflict, "alert %s, which came with incident %s, isn't in incident %s any more", quote(a), id, k.Target)
		}
	}
	return h, k, nil
}

// part takes a merge back.
func (u *work) part(source, target *held, k seam, by security.Actor, reason string) {
	u.touch(source, by) // told first: no alert is in neither of the two in between
	u.touch(target, by)
	st := port.Stamp{Actor: by, At: u.now}

	u.giveBack(source, target, k)
	source.RedirectID, source.MergedIDs, source.Status = "", k.Merged, k.Status
	gone := append(slices.Clone(k.Merged), source.ID)
	target.MergedIDs = slices.DeleteFunc(slices.Clone(target.MergedIDs), func(id string) bool { return slices.Contains(gone, id) })
	for _, id := range k.Merged {
		if h := u.incident(id); h != nil {
			h.RedirectID = source.ID
			u.touch(h, by)
		}
	}
	source.SystemTags = k.SystemTags
	u.stamp(source, port.FieldResolution, st)
	if len(k.Tags) > 0 {
		source.CustomTags = k.Tags
		u.stamp(source, port.FieldTags, st)
	}
	taken := u.takeBack(target, k, st)

	source.book.Parted = lastOf(append(without(source.book.Parted, target.ID), target.ID), maxParted)
	merges.Delete(u.tx, source.ID)
	seams.Delete(u.tx, source.ID)

	because, with := "", ""
	if reason != "" {
		because = " Reason: " + reason + "."
	}
	if len(taken) > 0 {
		with = " What it had brought went with it: " + strings.Join(taken, ", ") + "."
	}
	u.note(source, Activity{Actor: by, Deed: "restored", From: string(Redirected), To: string(source.Status),
		Text: fmt.Sprintf("Parted from incident %s again, as it was before the merge.%s", target.ID, because)})
	u.note(target, Activity{Actor: by, Deed: "unmerged", From: target.ID, To: source.ID,
		Text: fmt.Sprintf("Incident %s was parted from this one again.%s%s", source.ID, because, with)})
}

// giveBack moves the alerts that a merge brought from target to source.
func (u *work) giveBack(source, target *held, k seam) {
	for _, id := range k.Alerts {
		r := u.alert(id)
		r.Alert.IncidentID = source.ID
		u.touchAlert(r)
	}
	source.AlertIDs, target.AlertIDs = k.Alerts, without(target.AlertIDs, k.Alerts...)
	source.stale, target.stale = true, true
}

// takeBack takes from target what a merge had brought, unless somebody set it
// since, or another incident that is still merged into it brings it too. It
// names what it took.
func (u *work) takeBack(target *held, k seam, st port.Stamp) (taken []string) {
	rest := u.seamsOf(target)
	now := lentOf(target)
	if undone(&now.Owner, k, rest, func(l *lent) *security.Owner { return &l.Owner }) {
		target.Owner = now.Owner
		u.stamp(target, port.FieldOwner, st)
		taken = append(taken, "owner")
	}
	if undone(&now.Closing, k, rest, func(l *lent) *closing { return &l.Closing }) && target.Status != Resolved {
		target.Classification, target.Determination = now.Closing.Classification, now.Closing.Determination
		u.stamp(target, port.FieldResolution, st)
		taken = append(taken, "classification")
	}
	if undone(&now.Severity, k, rest, func(l *lent) *security.Severity { return &l.Severity }) {
		target.SeverityByHand = now.Severity != ""
		target.Severity = cmp.Or(now.Severity, target.Severity) // that of its alerts follows from these
		u.stamp(target, port.FieldSeverity, st)
		taken = append(taken, "severity")
	}
	if undone(&now.Name, k, rest, func(l *lent) *string { return &l.Name }) {
		target.DisplayName, target.DisplayNameByHand = cmp.Or(now.Name, target.DisplayName), now.Name != ""
		taken = append(taken, "name")
	}
	if tags := ungiven(target.CustomTags, k.Gave, rest, func(o *seam) (has []string, gave *[]string) { return o.Tags, &o.Gave }); len(tags) < len(target.CustomTags) {
		target.CustomTags = tags
		u.stamp(target, port.FieldTags, st)
		taken = append(taken, "tags")
	}
	target.SystemTags = ungiven(target.SystemTags, k.GaveSystem, rest, func(o *seam) (has []string, gave *[]string) { return o.SystemTags, &o.GaveSystem })
	for id, o := range rest {
		seams.Put(u.tx, id, *o)
	}
	return taken
}

// seamsOf are the seams of those that are merged into an incident, not by way of another.
func (u *work) seamsOf(target *held) map[string]*seam {
	all := map[string]*seam{}
	for _, id := range target.MergedIDs {
		if k, ok := seams.Get(u.tx, id); ok && k.Target == target.ID {
			all[id] = &k
		}
	}
	return all
}

// undone has a value of the target be what it was without a merge, and has the
// merges after it know that. It reports whether the value is another one.
func undone[T comparable](now *T, k seam, rest map[string]*seam, of func(*lent) *T) bool {
	before, after := *of(&k.Before), *of(&k.After)
	if before == after {
		return false
	}
	brought := false
	for _, o := range rest {
		own := *of(&o.Own) == after
		brought = brought || own
		if o.Number > k.Number && *of(&o.Before) == after {
			*of(&o.Before) = before
			if !own && *of(&o.After) == after {
				*of(&o.After) = before
			}
		}
	}
	if brought || *now != after {
		return false
	}
	*now = before
	return true
}

// ungiven is a set of tags without those that a merge gave. Those that another
// merged incident has too are from now on of its giving.
func ungiven(tags, gave []string, rest map[string]*seam, of func(*seam) (has []string, gave *[]string)) []string {
	for _, t := range gave {
		brought := false
		for _, o := range rest {
			if has, gives := of(o); hasTag(has, t) {
				*gives = addTags(*gives, []string{t})
				brought = true
			}
		}
		if !brought {
			tags = removeTags(tags, []string{t})
		}
	}
	return tags
}

// parted tells whether somebody parted two incidents, or some that were merged
// into them: correlation leaves them so.
func (u *work) parted(a, b *held) bool {
	for _, pair := range [][2]*held{{a, b}, {b, a}} {
		for _, id := range append([]string{pair[0].ID}, pair[0].MergedIDs...) {
			h := u.incident(id)
			if h != nil && slices.ContainsFunc(h.book.Parted, func(from string) bool { return u.live(from) == pair[1].ID }) {
				return true
			}
		}
	}
	return false
}

// without is a list without some texts.
func without(list []string, gone ...string) []string {
	out := map[string]bool{}
	for _, t := range gone {
		out[t] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(t string) bool { return out[t] })
}

// lastOf is the end of a list.
func lastOf(list []string, most int) []string { return list[max(0, len(list)-most):] }
