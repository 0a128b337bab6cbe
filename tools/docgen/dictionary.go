package main

import (
	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// dictionaryPage is the dictionary between the two sides, asked word by word.
func dictionaryPage() (string, error) {
	var dictionary connector.Dictionary
	var nothing reconcile.Pair // nothing was agreed before
	d := begin("Status and closing reason on both sides", "`connector.Dictionary`")
	d.line("\nStatus and closing reason cross as one value, never mixed. What a side had natively comes back unchanged from a round trip: the tables")
	d.line("say what an incident gets that had nothing of the kind before.")

	d.section("Status, XDR to workspace", "")
	d.head("XDR", "workspace")
	for _, s := range []xdr.Status{xdr.Active, xdr.InProgress, xdr.AwaitingAction, xdr.Resolved, xdr.Redirected} {
		d.row(code(string(s)), code(dictionary.ToWorkspace(port.Resolution{Status: string(s)}, nothing).Status))
	}
	d.line("\n`redirected` is a merged incident: it closes as `Undetermined`, with the label `Redirected` and a comment that names the target. No client sets it.")

	d.section("Status, workspace to XDR", "An `awaitingAction` stays while the workspace says `Active`.")
	d.head("workspace", "XDR")
	for _, s := range []workspace.Status{workspace.StatusNew, workspace.StatusActive, workspace.StatusClosed} {
		d.row(code(string(s)), code(dictionary.ToXDR(port.Resolution{Status: string(s)}, port.Resolution{Status: string(xdr.Active)}, nothing).Status))
	}

	d.section("Closing reason, XDR to workspace", "The determination doesn't matter here; it stays on the XDR side.")
	d.head("XDR classification", "workspace classification", "workspace reason")
	for _, c := range security.Classifications.Values {
		w := dictionary.ToWorkspace(port.Resolution{Status: string(xdr.Resolved), Classification: reasonOf(c)}, nothing)
		d.row(code(c), code(w.Classification), code(w.Reason))
	}

	d.section("Closing reason, workspace to XDR", "A determination that the XDR incident had, and that fits, stays; otherwise it gets this one.")
	d.head("workspace classification", "workspace reason", "XDR classification", "XDR determination")
	for _, w := range []struct{ classification, reason string }{
		{workspace.TruePositive, "SuspiciousActivity"}, {workspace.BenignPositive, "SuspiciousButExpected"},
		{workspace.FalsePositive, "IncorrectAlertLogic"}, {workspace.FalsePositive, "InaccurateData"}, {workspace.Undetermined, ""},
	} {
		x := dictionary.ToXDR(port.Resolution{Status: string(workspace.StatusClosed), Classification: w.classification, Reason: w.reason},
			port.Resolution{Status: string(xdr.Active)}, nothing)
		d.row(code(w.classification), code(w.reason), code(orUnknown(x.Classification)), code(x.Reason))
	}
	d.line("\nReopening, on either side, clears the closing reason on both. A classification on an open XDR incident stays there and crosses on closing.")
	return d.String(), nil
}

// reasonOf gives the port's word for a classification: "" is unset.
func reasonOf(classification string) string {
	if classification == unknown {
		return ""
	}
	return classification
}

func orUnknown(classification string) string {
	if classification == "" {
		return unknown
	}
	return classification
}

// unknown is the XDR's word for a reason that nobody set.
const unknown = "unknown"
