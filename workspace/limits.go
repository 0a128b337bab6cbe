package workspace

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"lockstep/fault"
	"lockstep/security"
)

// Limits of the service. Source: facts 5.1. The two on labels are our own
// guard; none is published.
const (
	MaxComments      = 100    // comments of an incident; those that the connector brings count, but aren't refused
	MaxCommentLength = 30_000 // characters of a comment
	MaxDescription   = 5_000  // characters of a description
	MaxTitle         = 500    // characters of a title; our own guard
	MaxLabels        = 100
	MaxLabelLength   = 200
)

// Names of an incident's provider (facts 3.5).
const (
	ProviderNative = "Azure Sentinel"
	ProviderXDR    = "Microsoft XDR"
)

// LabelRedirected marks an incident that was merged into another (facts 4.3).
const LabelRedirected = "Redirected"

// The kinds of label (ARM labelType).
const (
	LabelUser         = "User"
	LabelAutoAssigned = "AutoAssigned"
)

// Closing classifications (ARM IncidentClassification).
const (
	Undetermined   = "Undetermined"
	TruePositive   = "TruePositive"
	BenignPositive = "BenignPositive"
	FalsePositive  = "FalsePositive"
)

// closingReasons are the reasons that each classification goes with.
// Undetermined goes with none. Source: facts 3.4, sync-failures S12.
var closingReasons = map[string][]string{
	Undetermined:   {""},
	TruePositive:   {"SuspiciousActivity"},
	BenignPositive: {"SuspiciousButExpected"},
	FalsePositive:  {"IncorrectAlertLogic", "InaccurateData"},
}

var (
	resourceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$`)
	groupName    = regexp.MustCompile(`^[A-Za-z0-9._()-]{1,90}$`)
	incidentName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
)

// checkClosing tells whether a closing reason is one that the service takes.
func checkClosing(classification, reason string) error {
	reasons, ok := closingReasons[classification]
	switch {
	case classification == "":
		return fault.At("classification", "is required to close an incident: Undetermined, TruePositive, BenignPositive or FalsePositive")
	case !ok:
		return fault.At("classification", "%q is none of Undetermined, TruePositive, BenignPositive, FalsePositive", classification)
	case slices.Contains(reasons, reason):
		return nil
	case reasons[0] == "":
		return fault.At("classificationReason", "%q doesn't go with %s, which takes no reason", reason, classification)
	case reason == "":
		return fault.At("classificationReason", "is required with %s: %s", classification, strings.Join(reasons, " or "))
	}
	return fault.At("classificationReason", "%q doesn't go with %s; want %s", reason, classification, strings.Join(reasons, " or "))
}

// check tells what of a stated incident the service refuses.
func (p Put) check() error {
	if strings.TrimSpace(p.Title) == "" {
		return fault.At("title", "is required")
	}
	if n := utf8.RuneCountInString(p.Title); n > MaxTitle {
		return fault.At("title", "has %d characters; %d at most", n, MaxTitle)
	}
	if n := utf8.RuneCountInString(p.Description); n > MaxDescription {
		return fault.At("description", "has %d characters; %d at most", n, MaxDescription)
	}
	if !p.Severity.Known() {
		return fault.At("severity", "%q is none of high, medium, low, informational", p.Severity)
	}
	switch p.Status {
	case StatusClosed:
		if err := checkClosing(p.Classification, p.ClassificationReason); err != nil {
			return err
		}
		if n := utf8.RuneCountInString(p.ClassificationComment); n > MaxCommentLength {
			return fault.At("classificationComment", "has %d characters; %d at most", n, MaxCommentLength)
		}
	case StatusNew, StatusActive:
	case "":
		return fault.At("status", "is required: New, Active or Closed")
	default:
		return fault.At("status", "%q is none of New, Active, Closed", p.Status)
	}
	if p.FirstActivity != 0 && p.LastActivity != 0 && p.FirstActivity > p.LastActivity {
		return fault.At("firstActivityTimeUtc", "%s is after lastActivityTimeUtc %s", p.FirstActivity, p.LastActivity)
	}
	if p.Labels != nil {
		return checkLabels(*p.Labels)
	}
	return nil
}

func checkLabels(names []string) error {
	if len(names) > MaxLabels {
		return fault.At("labels", "are %d; %d at most", len(names), MaxLabels)
	}
	for _, name := range names {
		if strings.TrimSpace(name) == "" {
			return fault.At("labels", "a label without a name")
		}
		if n := utf8.RuneCountInString(name); n > MaxLabelLength {
			return fault.At("labels", "a label has %d characters; %d at most", n, MaxLabelLength)
		}
	}
	return nil
}

func checkComment(text string) error {
	if strings.TrimSpace(text) == "" {
		return fault.At("message", "is required")
	}
	if n := utf8.RuneCountInString(text); n > MaxCommentLength {
		return fault.At("message", "has %d characters; %d at most", n, MaxCommentLength)
	}
	return nil
}

// userLabels are the names of the labels that people set.
func userLabels(labels []Label) []string {
	var names []string
	for _, l := range labels {
		if l.Type == LabelUser {
			names = append(names, l.Name)
		}
	}
	return names
}

// person reports whether an actor counts as a person: an unknown one does.
func person(a security.Actor) bool { return a.Kind == security.Person || a.Kind == "" }
