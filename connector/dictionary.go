package connector

import (
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
)

// Dictionary translates status and closing reason between the two sides. It
// is total: words that it doesn't know are taken for an open, untouched incident
// and for an unset closing reason.
// Source: facts 3.3, 3.4; DESIGN, decisions.
type Dictionary struct{}

// Words of the sides that the rules below speak of.
const (
	xdrResolved   = "resolved"
	xdrRedirected = "redirected"
	closed        = "Closed"
)

// states pairs the states. Of several lines with one word the first
// translates it; the others are kept as they are where they were.
var states = []struct{ xdr, workspace string }{
	{"active", "New"},
	{"inProgress", "Active"},
	{"awaitingAction", "Active"},
	{xdrResolved, closed},
	{xdrRedirected, closed},
}

// closings pairs the closing reasons. Of several lines with one XDR
// classification, whatever its determination, the first translates it. A line's
// determination is what a closing in the workspace gives to an incident that
// had none.
var closings = []struct{ classification, determination, workspaceClassification, workspaceReason string }{
	{"truePositive", "other", "TruePositive", "SuspiciousActivity"},
	{"falsePositive", "notMalicious", "FalsePositive", "InaccurateData"},
	{"falsePositive", "other", "FalsePositive", "IncorrectAlertLogic"},
	{"informationalExpectedActivity", "confirmedActivity", "BenignPositive", "SuspiciousButExpected"},
	{"", "", "Undetermined", ""},
}

// ToWorkspace gives New, Active or Closed, and with Closed a pair that the
// workspace takes. The workspace's own reason stays while the XDR's pair is the
// one that was agreed with it: IncorrectAlertLogic survives.
func (Dictionary) ToWorkspace(x port.Resolution, agreed reconcile.Pair) port.Resolution {
	status := states[0].workspace
	for _, s := range states {
		if s.xdr == x.Status {
			status = s.workspace
			break
		}
	}
	if status != closed {
		return port.Resolution{Status: status}
	}
	w := port.Resolution{Status: closed, Comment: x.Comment}
	if x.Status == xdrRedirected {
		x.Classification, x.Reason = "", ""
	}
	w.Classification, w.Reason = toWorkspaceReason(x.Classification)
	if agreed.Workspace.Status == closed && agreed.XDR.Status == x.Status &&
		agreed.XDR.Classification == x.Classification && agreed.XDR.Reason == x.Reason {
		w.Classification, w.Reason = agreed.Workspace.Classification, agreed.Workspace.Reason
	}
	return w
}

func toWorkspaceReason(classification string) (workspaceClassification, reason string) {
	for _, c := range closings {
		if c.classification == classification {
			return c.workspaceClassification, c.workspaceReason
		}
	}
	return toWorkspaceReason("")
}

// ToXDR never gives redirected. A state or a determination of the XDR that
// means the same to the workspace stays: awaitingAction, and each
// determination of the classification. A classification on an incident that
// stays open is left as it is; reopening clears it.
func (d Dictionary) ToXDR(w, present port.Resolution, agreed reconcile.Pair) port.Resolution {
	status := stateFor(w.Status, present.Status)
	if status != xdrResolved {
		x := port.Resolution{Status: status}
		if present.Status != xdrResolved && present.Status != xdrRedirected {
			x.Classification, x.Reason, x.Comment = present.Classification, present.Reason, present.Comment
		}
		return x
	}
	x := port.Resolution{Status: xdrResolved, Comment: w.Comment}
	x.Classification, x.Reason = toXDRReason(w.Classification, w.Reason)
	as := port.Resolution{Status: xdrResolved, Classification: present.Classification, Reason: present.Reason}
	if said := d.ToWorkspace(as, agreed); said.Classification == w.Classification && said.Reason == w.Reason &&
		present.Status != xdrRedirected && (present.Reason != "" || present.Status == xdrResolved) {
		x.Classification, x.Reason = present.Classification, present.Reason
	}
	return x
}

func stateFor(workspace, present string) string {
	first := ""
	for _, s := range states {
		switch {
		case s.workspace != workspace || s.xdr == xdrRedirected:
		case s.xdr == present:
			return present
		case first == "":
			first = s.xdr
		}
	}
	if first == "" {
		return states[0].xdr
	}
	return first
}

func toXDRReason(classification, reason string) (string, string) {
	for _, c := range closings {
		if c.workspaceClassification == classification && c.workspaceReason == reason {
			return c.classification, c.determination
		}
	}
	return "", ""
}
