package reconcile

import (
	"fmt"

	"lockstep/connector/port"
	"lockstep/security"
)

// decision is a Decide on its way: the writes as they grow.
type decision struct {
	in     Input
	base   *Base
	merged bool // the XDR incident was merged into another
	parted bool // it was, when both sides agreed last, and isn't any more

	agreed  Delta
	x, w    Step
	reasons []Reason
	carried port.Write // to the target of a merge
	carries Delta
}

// create plans the workspace incident from what the XDR has.
func (d *decision) create() {
	x, now := d.in.XDR, d.in.Now
	write := &d.w.Write
	write.Create, write.Partner = true, x.ID
	content := d.contentFor()
	digest := digestOf(content)
	write.Content = &content
	want := d.translate(Pair{})
	if want != (port.Resolution{Status: "New"}) {
		write.Resolution = &want
	}
	if !x.Owner.IsZero() {
		write.Owner = &x.Owner
	}
	write.AddTags, write.AddComments = x.Tags, x.Comments
	d.w.Settles = Delta{
		Resolution: &Pair{x.Resolution, want}, Owner: &x.Owner, Severity: &x.Severity,
		AddTags: x.Tags, Comments: ids(x.Comments), Content: &digest, Redirect: &x.Content.Redirect,
	}
	if d.merged {
		d.nameTarget()
	}
	for _, f := range []port.Field{port.FieldResolution, port.FieldOwner, port.FieldSeverity, port.FieldTags} {
		if st, ok := x.Stamps[f]; ok {
			stamp(&d.w, f, believed(st, now))
		}
	}
	d.reasons = append(d.reasons, Reason{Field: FieldContent, Rule: RuleCreated, From: XDR, Value: content.Title})
}

// resolution brings status and closing reason, one value, into agreement.
func (d *decision) resolution() {
	x, w := d.in.XDR.Resolution, d.in.Workspace.Resolution
	agreed := Pair{}
	xChanged, wChanged := true, true
	if d.base != nil {
		agreed = d.base.Resolution
		xChanged = x != agreed.XDR || d.base.Redirect != d.in.XDR.Content.Redirect
		wChanged = w != agreed.Workspace
	}
	if !xChanged && !wChanged {
		return
	}
	want := d.translate(agreed)
	toXDR := func() {
		back := d.in.Dictionary.ToXDR(w, x, agreed)
		d.x.Write.Resolution = &back
		d.x.Settles.Resolution = &Pair{back, w}
	}
	toWorkspace := func() {
		d.w.Write.Resolution = &want
		d.w.Settles.Resolution = &Pair{x, want}
	}
	switch {
	case want == w || !d.merged && d.in.Dictionary.ToXDR(w, x, agreed) == x:
		d.agreed.Resolution = &Pair{x, w}
		d.because(port.FieldResolution, RuleAgree, "", resolutionText(w), "")
	case d.merged:
		toWorkspace()
		lost := ""
		if wChanged {
			lost = resolutionText(w)
		}
		d.because(port.FieldResolution, RuleMerged, XDR, resolutionText(want), lost)
	case !wChanged:
		toWorkspace()
		rule := RuleOnlyChange
		if d.parted { // the workspace has it closed because of the merge alone
			rule = RuleParted
		}
		d.because(port.FieldResolution, rule, XDR, resolutionText(x), "")
	case !xChanged:
		toXDR()
		d.because(port.FieldResolution, RuleOnlyChange, Workspace, resolutionText(w), "")
	default:
		side, rule := d.winner(port.FieldResolution)
		if side == XDR {
			toWorkspace()
			d.because(port.FieldResolution, rule, XDR, resolutionText(x), resolutionText(w))
		} else {
			toXDR()
			d.because(port.FieldResolution, rule, Workspace, resolutionText(w), resolutionText(x))
		}
	}
}

// translate is the XDR's resolution in the workspace's words; of a merged
// incident the comment names the target.
func (d *decision) translate(agreed Pair) port.Resolution {
	want := d.in.Dictionary.ToWorkspace(d.in.XDR.Resolution, agreed)
	if d.merged {
		want.Comment = mergedText(d.in.XDR.Content)
	}
	return want
}

func mergedText(c port.Content) string {
	return fmt.Sprintf("Merged into incident %s of the XDR.", c.Redirect)
}

func resolutionText(r port.Resolution) string {
	text := r.Status
	if r.Classification != "" {
		text += ", " + r.Classification
		if r.Reason != "" {
			text += "/" + r.Reason
		}
	}
	if r.Comment != "" {
		text += fmt.Sprintf(" (%q)", r.Comment)
	}
	return text
}

// owner brings the assignment into agreement.
func (d *decision) owner() {
	x, w := d.in.XDR.Owner, d.in.Workspace.Owner
	differs := func(o security.Owner) bool { return d.base == nil || d.base.Owner == nil || !o.Same(*d.base.Owner) }
	d.value(port.FieldOwner, differs(x), differs(w), x.Same(w), ownerText(x), ownerText(w), settle{
		agree:       func() { d.agreed.Owner = &x },
		toWorkspace: func() { d.w.Write.Owner, d.w.Settles.Owner = &x, &x },
		toXDR:       func() { d.x.Write.Owner, d.x.Settles.Owner = &w, &w },
	})
}

func ownerText(o security.Owner) string {
	if text := o.Text(); text != "" {
		return text
	}
	if o.ObjectID != "" {
		return o.ObjectID
	}
	return "nobody"
}

// severity brings the severity into agreement.
func (d *decision) severity() {
	x, w := d.in.XDR.Severity, d.in.Workspace.Severity
	var was security.Severity
	if d.base != nil {
		was = d.base.Severity
	}
	d.value(port.FieldSeverity, x != was, w != was, x == w, string(x), string(w), settle{
		agree:       func() { d.agreed.Severity = &x },
		toWorkspace: func() { d.w.Write.Severity, d.w.Settles.Severity = &x, &x },
		toXDR:       func() { d.x.Write.Severity, d.x.Settles.Severity = &w, &w },
	})
}

// settle are the three ways in which a value can be settled.
type settle struct{ agree, toWorkspace, toXDR func() }

// value decides a plain value: who changed it alone has it his way, both by
// the conflict rule.
func (d *decision) value(f port.Field, xChanged, wChanged, same bool, x, w string, s settle) {
	switch {
	case !xChanged && !wChanged:
	case same:
		s.agree()
		d.because(f, RuleAgree, "", x, "")
	case !wChanged:
		s.toWorkspace()
		d.because(f, RuleOnlyChange, XDR, x, "")
	case d.merged:
		s.toWorkspace()
		d.because(f, RuleMerged, XDR, x, w)
	case !xChanged:
		s.toXDR()
		d.because(f, RuleOnlyChange, Workspace, w, "")
	default:
		side, rule := d.winner(f)
		if side == XDR {
			s.toWorkspace()
			d.because(f, rule, XDR, x, w)
		} else {
			s.toXDR()
			d.because(f, rule, Workspace, w, x)
		}
	}
}

// winner decides a conflict. Source: DESIGN, decisions.
func (d *decision) winner(f port.Field) (Side, Rule) {
	x, w := d.xStamp(f), d.wStamp(f)
	switch {
	case person(x.Actor) && !person(w.Actor):
		return XDR, RulePerson
	case person(w.Actor) && !person(x.Actor):
		return Workspace, RulePerson
	case w.At > x.At:
		return Workspace, RuleLater
	case x.At > w.At:
		return XDR, RuleLater
	}
	return XDR, RuleXDR
}

// person reports whether an actor is a person; an unknown one counts as one.
func person(a security.Actor) bool {
	return a.Kind != security.Automation && a.Kind != security.System
}

func (d *decision) xStamp(f port.Field) port.Stamp {
	return believed(d.in.XDR.Stamps[f], d.in.Now)
}

func (d *decision) wStamp(f port.Field) port.Stamp {
	return believed(d.in.Workspace.Stamps[f], d.in.Now)
}
