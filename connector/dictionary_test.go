package connector_test

import (
	"slices"
	"testing"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
)

var dictionary connector.Dictionary

// xdrWords are all that an XDR can say of status and closing reason; the last
// of each are words that nobody knows yet.
func xdrWords() (all []port.Resolution) {
	for _, status := range []string{"active", "inProgress", "awaitingAction", "resolved", "redirected", "unknownFutureValue"} {
		for _, classification := range []string{"", "truePositive", "falsePositive", "informationalExpectedActivity", "unknownFutureValue"} {
			for _, determination := range []string{"", "other", "malware", "notMalicious", "confirmedActivity", "securityTesting", "notEnoughDataToValidate"} {
				for _, comment := range []string{"", "seen"} {
					all = append(all, port.Resolution{Status: status, Classification: classification, Reason: determination, Comment: comment})
				}
			}
		}
	}
	return all
}

// workspaceWords are all that a workspace can say.
func workspaceWords() (all []port.Resolution) {
	all = []port.Resolution{{Status: "New"}, {Status: "Active"}}
	for _, pair := range [][2]string{{"Undetermined", ""}, {"TruePositive", "SuspiciousActivity"}, {"BenignPositive", "SuspiciousButExpected"},
		{"FalsePositive", "IncorrectAlertLogic"}, {"FalsePositive", "InaccurateData"}} {
		for _, comment := range []string{"", "seen"} {
			all = append(all, port.Resolution{Status: "Closed", Classification: pair[0], Reason: pair[1], Comment: comment})
		}
	}
	return all
}

func TestT11EveryXDRWordIsTranslatedAndComesBack(t *testing.T) {
	words := workspaceWords()
	for _, x := range xdrWords() {
		w := dictionary.ToWorkspace(x, reconcile.Pair{})
		if !slices.Contains(words, w) {
			t.Errorf("%+v becomes %+v, which the workspace doesn't know", x, w)
		}
		if x.Status == "redirected" || x.Status == "unknownFutureValue" {
			continue
		}
		if back := dictionary.ToXDR(w, x, reconcile.Pair{XDR: x, Workspace: w}); back != x {
			t.Errorf("%+v becomes %+v and comes back as %+v", x, w, back)
		}
	}
}

func TestT11EveryWorkspaceWordIsTranslatedAndComesBack(t *testing.T) {
	for _, w := range workspaceWords() {
		for _, present := range append(xdrWords(), port.Resolution{}) {
			x := dictionary.ToXDR(w, present, reconcile.Pair{})
			if x.Status == "redirected" {
				t.Errorf("%+v over %+v redirects", w, present)
			}
			if back := dictionary.ToWorkspace(x, reconcile.Pair{XDR: x, Workspace: w}); back != w {
				t.Errorf("%+v over %+v becomes %+v and comes back as %+v", w, present, x, back)
			}
		}
	}
}

func TestTranslations(t *testing.T) {
	res := func(status, c, r string) port.Resolution {
		return port.Resolution{Status: status, Classification: c, Reason: r}
	}
	for _, c := range []struct {
		name          string
		w, present, x port.Resolution
		agreed        reconcile.Pair
	}{
		{"true positive of one that had no determination", res("Closed", "TruePositive", "SuspiciousActivity"), res("active", "", ""), res("resolved", "truePositive", "other"), reconcile.Pair{}},
		{"true positive of one that had", res("Closed", "TruePositive", "SuspiciousActivity"), res("active", "truePositive", "malware"), res("resolved", "truePositive", "malware"), reconcile.Pair{}},
		{"classified, not determined", res("Closed", "TruePositive", "SuspiciousActivity"), res("active", "truePositive", ""), res("resolved", "truePositive", "other"), reconcile.Pair{}},
		{"another classification than the XDR had", res("Closed", "FalsePositive", "InaccurateData"), res("active", "truePositive", "malware"), res("resolved", "falsePositive", "notMalicious"), reconcile.Pair{}},
		{"incorrect logic", res("Closed", "FalsePositive", "IncorrectAlertLogic"), res("inProgress", "", ""), res("resolved", "falsePositive", "other"), reconcile.Pair{}},
		{"benign", res("Closed", "BenignPositive", "SuspiciousButExpected"), res("active", "", ""), res("resolved", "informationalExpectedActivity", "confirmedActivity"), reconcile.Pair{}},
		{"undetermined", res("Closed", "Undetermined", ""), res("active", "truePositive", "malware"), res("resolved", "", ""), reconcile.Pair{}},
		{"from incorrect logic to inaccurate data", res("Closed", "FalsePositive", "InaccurateData"), res("resolved", "falsePositive", "other"), res("resolved", "falsePositive", "notMalicious"),
			reconcile.Pair{XDR: res("resolved", "falsePositive", "other"), Workspace: res("Closed", "FalsePositive", "IncorrectAlertLogic")}},
		{"reopened", res("Active", "", ""), res("resolved", "truePositive", "malware"), res("inProgress", "", ""), reconcile.Pair{}},
		{"an open one's classification stays", res("Active", "", ""), res("active", "truePositive", "malware"), res("inProgress", "truePositive", "malware"), reconcile.Pair{}},
		{"awaiting stays", res("Active", "", ""), res("awaitingAction", "", ""), res("awaitingAction", "", ""), reconcile.Pair{}},
	} {
		if got := dictionary.ToXDR(c.w, c.present, c.agreed); got != c.x {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
