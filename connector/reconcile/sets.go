package reconcile

import (
	"strconv"
	"strings"

	"lockstep/connector/port"
	"lockstep/security"
)

// tags merges both sides' additions and removals since the base. Nothing can
// conflict: a tag is in the base or not, so no side adds what the other removes.
func (d *decision) tags() {
	x, w := d.in.XDR.Tags, d.in.Workspace.Tags
	var base []string
	if d.base != nil {
		base = d.base.Tags
	}
	xAdded, xRemoved := minus(x, base), minus(base, x)
	wAdded, wRemoved := minus(w, base), minus(base, w)
	d.agreed.AddTags = both(xAdded, wAdded)
	d.agreed.RemoveTags = both(xRemoved, wRemoved)

	addToW, removeFromW := minus(xAdded, w), both(xRemoved, w)
	addToX, removeFromX := minus(wAdded, x), both(wRemoved, x)
	if d.merged {
		// The source is emptied: what the workspace added to it goes to the target.
		d.carried.AddTags = addToX
		removeFromW = union(removeFromW, addToX)
		addToW = union(addToW, removeFromX)
		addToX, removeFromX = nil, nil
	}
	if len(addToW)+len(removeFromW) > 0 {
		d.w.Write.AddTags, d.w.Write.RemoveTags = addToW, removeFromW
		d.w.Settles.AddTags, d.w.Settles.RemoveTags = addToW, removeFromW
		d.because(port.FieldTags, d.setRule(), XDR, changesText(addToW, removeFromW), "")
	}
	if len(addToX)+len(removeFromX) > 0 {
		d.x.Write.AddTags, d.x.Write.RemoveTags = addToX, removeFromX
		d.x.Settles.AddTags, d.x.Settles.RemoveTags = addToX, removeFromX
		d.because(port.FieldTags, RuleBoth, Workspace, changesText(addToX, removeFromX), "")
	}
}

func (d *decision) setRule() Rule {
	if d.merged {
		return RuleMerged
	}
	return RuleBoth
}

func changesText(added, removed []string) string {
	var parts []string
	if len(added) > 0 {
		parts = append(parts, "added "+strings.Join(added, ", "))
	}
	if len(removed) > 0 {
		parts = append(parts, "removed "+strings.Join(removed, ", "))
	}
	return strings.Join(parts, "; ")
}

// comments sends each side what it hasn't had. A comment that both have had
// and one lacks was deleted there and stays so.
func (d *decision) comments() {
	x, w := d.in.XDR.Comments, d.in.Workspace.Comments
	var base []string
	if d.base != nil {
		base = d.base.Comments
	}
	toW := unheard(x, ids(w), base)
	toX := unheard(w, ids(x), base)
	if d.merged && d.base != nil {
		toX = unheard(toX, nil, d.base.Carried)
	}
	d.agreed.Comments = minus(both(ids(x), ids(w)), base)
	if len(toW) > 0 {
		d.w.Write.AddComments = append(d.w.Write.AddComments, toW...)
		d.w.Settles.Comments = append(d.w.Settles.Comments, ids(toW)...)
		d.because(port.FieldComments, RuleBoth, XDR, countText(toW), "")
	}
	if len(toX) == 0 {
		return
	}
	if d.merged {
		d.carry(toX)
		return
	}
	d.x.Write.AddComments = toX
	d.x.Settles.Comments = ids(toX)
	d.because(port.FieldComments, RuleBoth, Workspace, countText(toX), "")
}

func countText(c []security.Comment) string {
	if len(c) == 1 {
		return "1 comment"
	}
	return strconv.Itoa(len(c)) + " comments"
}

// carry has comments on a merged incident go to its target, marked with their
// origin; the source is closed to writes, and gets them if it is parted again.
func (d *decision) carry(comments []security.Comment) {
	for _, c := range comments {
		d.carries.Carried = append(d.carries.Carried, c.ID)
		d.carried.AddComments = append(d.carried.AddComments, c.Copied(d.in.XDR.ID))
	}
	d.reasons = append(d.reasons, Reason{Field: port.FieldComments, Rule: RuleCarried, From: Workspace, Value: countText(comments)})
}

// nameTarget has the workspace incident say in a comment into which incident
// it was merged. The comment is the workspace's alone.
func (d *decision) nameTarget() {
	c := security.Comment{
		ID:     security.DerivedID("merge comment", d.in.XDR.ID+"\x00"+d.in.XDR.Content.Redirect),
		Author: security.Actor{Kind: security.System, Name: MergeActor}, Text: mergedText(d.in.XDR.Content), Created: d.in.Now,
	}
	if WordForWord(d.in.XDRCan, d.in.WorkspaceCan) {
		c.ID = wordID(d.in.XDR.ID, c.Text, d.said(c.Text)+1)
	}
	d.w.Write.AddComments = append(d.w.Write.AddComments, c)
	d.w.Settles.Comments = append(d.w.Settles.Comments, c.ID)
}

// MergeActor is in whose name merges show in the workspace. Source: facts 4.3.
const MergeActor = "Microsoft Defender XDR - alert correlation"

func ids(comments []security.Comment) []string {
	out := make([]string, len(comments))
	for i, c := range comments {
		out[i] = c.ID
	}
	return out
}

// unheard are the comments whose ids are in neither list.
func unheard(comments []security.Comment, there, base []string) []security.Comment {
	known := keys(append(append([]string(nil), there...), base...))
	var out []security.Comment
	for _, c := range comments {
		if !known[strings.ToLower(c.ID)] {
			out = append(out, c)
		}
	}
	return out
}

// Sets of tags and ids ignore case; the first spelling stays.

func keys(of []string) map[string]bool {
	m := make(map[string]bool, len(of))
	for _, s := range of {
		m[strings.ToLower(s)] = true
	}
	return m
}

func minus(a, b []string) []string { return choose(a, b, false) }
func both(a, b []string) []string  { return choose(a, b, true) }

func choose(a, b []string, in bool) (out []string) {
	has := keys(b)
	for _, s := range a {
		if has[strings.ToLower(s)] == in {
			out = append(out, s)
		}
	}
	return out
}

func union(a, b []string) []string { return append(append([]string(nil), a...), minus(b, a)...) }
