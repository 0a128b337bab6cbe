package reconcile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"lockstep/connector/port"
	"lockstep/security"
)

// content has the workspace mirror what the XDR owns, when that changed.
func (d *decision) content() {
	content := d.contentFor()
	digest := digestOf(content)
	was := Base{}
	if d.base != nil {
		was = *d.base
	}
	if digest == was.Content {
		return
	}
	d.w.Write.Content = &content
	d.w.Settles.Content = &digest
	d.w.Settles.Redirect = &content.Redirect
	rule := RuleOnlyChange
	switch {
	case d.parted:
		rule = RuleParted
	case content.Redirect != was.Redirect:
		rule = RuleMerged
		d.nameTarget()
	}
	d.reasons = append(d.reasons, Reason{Field: FieldContent, Rule: rule, From: XDR})
}

// contentFor is the content that the workspace can take.
func (d *decision) contentFor() port.Content {
	c := d.in.XDR.Content
	c.Severity = d.in.XDR.Severity
	if !d.in.WorkspaceCan.CreateAlerts {
		c.Alerts = nil
	}
	return c
}

// digestOf tells contents apart. What changes with every edit (severity, last
// update, last modifier) is left out, and an alert counts by id and version,
// so that our own writes to the XDR don't look like news from there.
func digestOf(c port.Content) string {
	type alert struct {
		ID      string
		Version int64
	}
	alerts := make([]alert, len(c.Alerts))
	for i, a := range c.Alerts {
		alerts[i] = alert{a.ID, a.Version}
	}
	c.Alerts, c.Severity, c.Updated, c.LastModifier = nil, "", 0, security.Actor{}
	data, err := json.Marshal(struct {
		Content port.Content
		Alerts  []alert
	}{c, alerts})
	if err != nil {
		panic(err) // plain strings and numbers can be encoded
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// plan puts the writes together.
func (d *decision) plan() Plan {
	p := Plan{Agreed: d.agreed, Reasons: d.reasons}
	if wanted(d.w) {
		d.address(&d.w, d.in.Name, d.workspaceVersion(), d.in.WorkspaceCan, d.in.XDR.Content.LastModifier)
		p.Workspace = &d.w
	}
	switch {
	case wanted(d.x):
		d.address(&d.x, d.in.XDR.ID, d.in.XDR.Version, d.in.XDRCan, d.in.Workspace.Content.LastModifier)
		p.XDR = &d.x
	case len(d.carried.AddTags)+len(d.carried.AddComments) > 0:
		carried := Step{Write: d.carried, Settles: d.carries}
		d.address(&carried, d.in.XDR.Content.Redirect, 0, d.in.XDRCan, d.in.Workspace.Content.LastModifier)
		p.XDR = &carried
	}
	return p
}

func wanted(s Step) bool {
	w := s.Write
	return w.Resolution != nil || w.Owner != nil || w.Severity != nil || w.Content != nil ||
		len(w.AddTags)+len(w.RemoveTags)+len(w.AddComments) > 0
}

func (d *decision) workspaceVersion() int64 {
	if d.in.Workspace == nil {
		return 0
	}
	return d.in.Workspace.Version
}

// leading is the order in which a write's fields give it its actor.
var leading = []port.Field{port.FieldResolution, port.FieldOwner, port.FieldSeverity, port.FieldTags, port.FieldComments}

// address completes a write: to which incident, against which version, for
// whom. Content alone needs no version: nobody else writes it.
func (d *decision) address(s *Step, incident string, version int64, can port.Capabilities, otherwise security.Actor) {
	w := &s.Write
	w.Incident, w.Actor, w.At = incident, otherwise, d.in.Now
	if d.in.Workspace != nil && w.Content != nil {
		w.Partner = d.in.XDR.ID
	}
	for _, f := range leading {
		if st, ok := w.Stamps[f]; ok {
			w.Actor, w.At = st.Actor, st.At
			break
		}
	}
	onlyContent := w.Content != nil && w.Resolution == nil && w.Owner == nil && w.Severity == nil &&
		len(w.AddTags)+len(w.RemoveTags)+len(w.AddComments) == 0
	if can.Conditional && !w.Create && !onlyContent {
		w.IfVersion = version
	}
}
