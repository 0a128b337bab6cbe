package reconcile

import (
	"fmt"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
)

// believed makes a stamp usable: a time that isn't known, or later than the
// receipt, is the receipt. An unknown actor stays unknown.
func believed(st port.Stamp, receipt schema.Ticks) port.Stamp {
	if st.At == 0 || st.At > receipt {
		st.At = receipt
	}
	return st
}

// stamp has a step say who set a field.
func stamp(s *Step, f port.Field, st port.Stamp) {
	if s.Write.Stamps == nil {
		s.Write.Stamps = map[port.Field]port.Stamp{}
	}
	s.Write.Stamps[f] = st
}

// because notes why a field is as it is. The writes that carry the value get
// its stamp, the side whose value lost a note for its activity log.
func (d *decision) because(f port.Field, rule Rule, from Side, value, lost string) {
	r := Reason{Field: f, Rule: rule, From: from, Value: value, Lost: lost}
	step, won, gave := &d.w, d.xStamp(f), d.wStamp(f)
	if from == Workspace {
		step, won, gave = &d.x, d.wStamp(f), d.xStamp(f)
	}
	if from != "" {
		stamp(step, f, won)
		r.By = actorText(won.Actor)
	}
	if lost != "" {
		r.LostBy = actorText(gave.Actor)
		step.Write.Notes = append(step.Write.Notes,
			fmt.Sprintf("%s %s, set by %s, gave way to %s, set by %s on the other side: %s.", fieldNames[f], lost, r.LostBy, value, r.By, ruleTexts[rule]))
	}
	d.reasons = append(d.reasons, r)
}

func actorText(a security.Actor) string {
	switch {
	case a.Name != "":
		return a.Name
	case a.ID != "":
		return a.ID
	}
	return "somebody unknown"
}

var fieldNames = map[port.Field]string{
	port.FieldResolution: "Status and closing reason",
	port.FieldOwner:      "Owner",
	port.FieldSeverity:   "Severity",
	port.FieldTags:       "Tags",
	port.FieldComments:   "Comments",
	FieldContent:         "Content",
}

var ruleTexts = map[Rule]string{
	RuleCreated:    "the workspace had no incident for it",
	RuleOnlyChange: "the other side had not changed it",
	RuleAgree:      "both sides had come to the same",
	RulePerson:     "a person's edit beats automation's",
	RuleLater:      "of equal edits the later one holds",
	RuleXDR:        "of equal edits at the same time the XDR's holds",
	RuleMerged:     "a merge beats every other change of its source",
	RuleParted:     "it was parted again from the incident that it had been merged into",
	RuleBoth:       "members of both sides stay",
	RuleCarried:    "it went on to the incident that this one was merged into",
}

// String tells a reason as a sentence.
func (r Reason) String() string {
	text := fieldNames[r.Field]
	if r.Value != "" {
		text += ": " + r.Value
	}
	if r.From != "" {
		text += ", from the " + string(r.From)
	}
	if r.By != "" {
		text += ", by " + r.By
	}
	text += ", because " + ruleTexts[r.Rule]
	if r.Lost != "" {
		text += fmt.Sprintf("; %s by %s gave way", r.Lost, r.LostBy)
	}
	return text + "."
}
