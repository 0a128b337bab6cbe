// Package reconcile knows how two parallel incidents are brought into
// agreement: given both as they are, what was last agreed and what the sides
// can do, it says what to write where, why, and what is agreed then. It reads
// no clock and no store and does no I/O. It leaves reading, writing once,
// retrying and remembering to connector, and the vocabularies of status and
// closing reason to the Dictionary that it is given.
package reconcile

import (
	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
)

// Side is one of the two that are kept in step.
type Side string

// The sides.
const (
	XDR       Side = "xdr"
	Workspace Side = "workspace"
)

// Pair is one status and closing reason in both vocabularies, each exactly as
// that side has it.
type Pair struct {
	XDR       port.Resolution `json:"xdr"`
	Workspace port.Resolution `json:"workspace"`
}

// Dictionary translates status and closing reason. It is total in both
// directions, and a value that went over and back is what it was.
type Dictionary interface {
	// ToWorkspace gives the workspace's words for the XDR's. agreed is the pair
	// last agreed on; the zero Pair if there is none.
	ToWorkspace(x port.Resolution, agreed Pair) port.Resolution
	// ToXDR gives the XDR's words for the workspace's. present is what the XDR
	// has now: finer distinctions of its own are kept where they fit.
	ToXDR(w, present port.Resolution, agreed Pair) port.Resolution
}

// Base is what both sides last agreed on, field by field: of two writes of a
// first decision one may have been lost. No pair has a status "" and no
// incident a severity "": these mean that nothing was agreed yet.
type Base struct {
	Resolution Pair              `json:"resolution"`
	Owner      *security.Owner   `json:"owner,omitempty"` // nil: nothing was agreed yet, which isn't nobody
	Severity   security.Severity `json:"severity"`
	Tags       []string          `json:"tags,omitempty"`
	Comments   []string          `json:"comments,omitempty"` // ids that both have had
	Carried    []string          `json:"carried,omitempty"`  // ids that went to where it is merged into
	Content    string            `json:"content"`            // digest of what the workspace was given
	Redirect   string            `json:"redirect,omitempty"`
}

// Input is all that a decision depends on.
type Input struct {
	XDR       port.Incident
	Workspace *port.Incident // nil: there is none yet
	Base      *Base          // nil: nothing was ever agreed
	Name      string         // id of the workspace incident to make

	XDRCan, WorkspaceCan port.Capabilities
	Dictionary           Dictionary
	Now                  schema.Ticks // receipt: no edit counts as later
}

// Plan is what to do: at most one write to each side, or none.
type Plan struct {
	Agreed    Delta // agreed without any write
	XDR       *Step
	Workspace *Step
	Reasons   []Reason
}

// Step is a write, and what is agreed once it was made. The write has no id yet.
type Step struct {
	Write   port.Write
	Settles Delta
}

// Delta is a change of the base. Absent parts stay.
type Delta struct {
	Resolution *Pair              `json:"resolution,omitempty"`
	Owner      *security.Owner    `json:"owner,omitempty"`
	Severity   *security.Severity `json:"severity,omitempty"`
	AddTags    []string           `json:"addTags,omitempty"`
	RemoveTags []string           `json:"removeTags,omitempty"`
	Comments   []string           `json:"comments,omitempty"`
	Carried    []string           `json:"carried,omitempty"`
	Content    *string            `json:"content,omitempty"`
	Redirect   *string            `json:"redirect,omitempty"`
}

// Reason says why a field is as it is after the decision.
type Reason struct {
	Field port.Field `json:"field"`
	Rule  Rule       `json:"rule"`
	From  Side       `json:"from,omitempty"` // whose value holds
	Value string     `json:"value,omitempty"`
	By    string     `json:"by,omitempty"`
	// Lost is the value of the other side that gave way, with who had set it.
	Lost   string `json:"lost,omitempty"`
	LostBy string `json:"lostBy,omitempty"`
}

// Rule is why a value holds.
type Rule string

// The rules.
const (
	RuleCreated    Rule = "created"    // there was no workspace incident
	RuleOnlyChange Rule = "onlyChange" // the other side hadn't changed it
	RuleAgree      Rule = "agree"      // both had come to the same
	RulePerson     Rule = "person"     // a person's edit beats automation's
	RuleLater      Rule = "later"      // the later edit of equals
	RuleXDR        Rule = "xdr"        // equals at the same time: the XDR's
	RuleMerged     Rule = "merged"     // a merge beats every other change of its source
	RuleParted     Rule = "parted"     // a merge was taken back: it is again as the XDR has it
	RuleBoth       Rule = "both"       // sets are merged: both sides' members stay
	RuleCarried    Rule = "carried"    // went on to the incident it was merged into
)

// FieldContent is the name under which reasons speak of what the XDR owns.
const FieldContent port.Field = "content"

// Settle gives the base with a delta made.
func (b Base) Settle(d Delta) Base {
	if d.Resolution != nil {
		b.Resolution = *d.Resolution
	}
	if d.Owner != nil {
		b.Owner = d.Owner
	}
	if d.Severity != nil {
		b.Severity = *d.Severity
	}
	if len(d.AddTags)+len(d.RemoveTags) > 0 {
		b.Tags = union(minus(b.Tags, d.RemoveTags), d.AddTags)
	}
	if len(d.Comments) > 0 {
		b.Comments = union(b.Comments, d.Comments)
	}
	if len(d.Carried) > 0 {
		b.Carried = union(b.Carried, d.Carried)
	}
	if d.Content != nil {
		b.Content = *d.Content
	}
	if d.Redirect != nil {
		if b.Redirect = *d.Redirect; b.Redirect == "" {
			b.Carried = nil
		}
	}
	return b
}

// Shown is the part of a delta that an incident of a side shows: what is
// agreed if it isn't known whether the write that settles the delta was made.
// What the other side owns isn't shown: then it isn't known any more what the
// workspace has of it, and it is written again.
func (d Delta) Shown(s Side, i port.Incident) (shown Delta) {
	if p := d.Resolution; p != nil {
		if s == Workspace && p.Workspace == i.Resolution || s == XDR && p.XDR == canonical(i).Resolution {
			shown.Resolution = p
		}
	}
	if d.Owner != nil && d.Owner.Same(i.Owner) {
		shown.Owner = d.Owner
	}
	if d.Severity != nil && *d.Severity == i.Severity {
		shown.Severity = d.Severity
	}
	shown.AddTags, shown.RemoveTags = both(d.AddTags, i.Tags), minus(d.RemoveTags, i.Tags)
	shown.Comments = both(d.Comments, ids(i.Comments))
	if d.Content != nil {
		shown.Content = new(string)
	}
	return shown
}

// Empty reports whether a delta changes nothing.
func (d Delta) Empty() bool {
	return d.Resolution == nil && d.Owner == nil && d.Severity == nil && d.Content == nil && d.Redirect == nil &&
		len(d.AddTags)+len(d.RemoveTags)+len(d.Comments)+len(d.Carried) == 0
}

// Empty reports whether nothing is to be done or noted: both sides agree as they did.
func (p Plan) Empty() bool { return p.XDR == nil && p.Workspace == nil && p.Agreed.Empty() }

// Decide compares both sides with what was agreed. It is level-triggered: it
// depends on present states alone, whatever led to them.
func Decide(in Input) Plan {
	in.XDR = canonical(in.XDR)
	in.byWords()
	d := &decision{in: in, merged: in.XDR.Content.Redirect != ""}
	if in.Workspace == nil {
		d.create()
	} else {
		d.base = in.Base
		d.parted = !d.merged && in.Base != nil && in.Base.Redirect != ""
		d.resolution()
		d.owner()
		d.severity()
		d.tags()
		d.comments()
		d.content()
	}
	return d.plan()
}

// canonical has an XDR incident say the same thing in one way alone: an unset
// value is "", and a severity is one that the workspace knows.
func canonical(x port.Incident) port.Incident {
	x.Resolution.Classification = set(x.Resolution.Classification)
	x.Resolution.Reason = set(x.Resolution.Reason)
	if !x.Severity.Known() {
		x.Severity = security.Informational // facts 3.5: unknown has no counterpart
	}
	return x
}

func set(value string) string {
	if value == "unknown" {
		return ""
	}
	return value
}
