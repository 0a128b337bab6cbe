package xdr

import (
	"slices"
	"strings"

	"lockstep/fault"
	"lockstep/security"
)

// unset is what a classification or determination is when nobody set it.
const unset = "unknown"

// The kinds of entry in the change feed.
const (
	KindIncident = "incident"
	KindAlert    = "alert"
)

// statuses are the states that somebody can set. Source: facts 3.3.
var statuses = security.Enum{Values: []string{string(Active), string(InProgress), string(AwaitingAction), string(Resolved)}}

// determinations lists what may determine each classification; "unknown" fits
// all of them. Source: facts 3.4 (the legacy API's table in the spelling of
// the Graph SDK); apt and securityPersonnel are deprecated there and still taken.
var determinations = map[string][]string{
	"truePositive": {"multiStagedAttack", "maliciousUserActivity", "compromisedAccount", "malware", "phishing", "unwantedSoftware", "other",
		"apt", "securityPersonnel"},
	"informationalExpectedActivity": {"securityTesting", "lineOfBusinessApplication", "confirmedActivity", "other"},
	"falsePositive":                 {"notMalicious", "notEnoughDataToValidate", "other"},
	unset:                           {},
}

// fits tells whether a determination may go with a classification.
func fits(classification, determination string) bool {
	return determination == unset || slices.Contains(determinations[classification], determination)
}

// parseStatus reads a status that somebody sets.
func parseStatus(text Status) (Status, error) {
	if strings.EqualFold(string(text), string(Redirected)) {
		return "", fault.At("status", "redirected is set by a merge alone; merge the incidents instead")
	}
	value, ok := statuses.Parse(string(text))
	if !ok {
		return "", notOneOf("status", string(text), statuses.Values)
	}
	return Status(value), nil
}

// parseReason reads a classification and determination; nil stays as it is. A
// new classification that the old determination doesn't fit resets it.
func parseReason(classification, determination *string, old reason) (reason, error) {
	out := old
	if classification != nil {
		value, ok := security.Classifications.Parse(orUnset(*classification))
		if !ok {
			return out, notOneOf("classification", *classification, security.Classifications.Values)
		}
		out.classification = value
	}
	if determination == nil {
		if !fits(out.classification, out.determination) {
			out.determination = unset
		}
		return out, nil
	}
	value, ok := security.Determinations.Parse(orUnset(*determination))
	if !ok {
		return out, notOneOf("determination", *determination, security.Determinations.Values)
	}
	out.determination = value
	if !fits(out.classification, value) {
		if out.classification == unset {
			return out, fault.At("determination", "%s needs a classification: one of truePositive, falsePositive, informationalExpectedActivity", value)
		}
		return out, fault.At("determination", "%s doesn't fit the classification %s, which takes one of %s, %s", value, out.classification,
			strings.Join(determinations[out.classification], ", "), unset)
	}
	return out, nil
}

// reason is a classification with its determination.
type reason struct{ classification, determination string }

func orUnset(text string) string {
	if strings.TrimSpace(text) == "" {
		return unset
	}
	return text
}

func notOneOf(field, value string, values []string) error {
	return fault.At(field, "%s is not one of %s", quote(value), strings.Join(values, ", "))
}
