package security

import "strings"

// Enum is a published enumeration: the spelling of each value, the other
// spellings that are accepted, and which values a client sees only when it
// asks for those that were added after the enumeration was closed.
type Enum struct {
	Values  []string          // in the published spelling and order
	Late    []string          // those listed after unknownFutureValue (facts 1.4)
	Aliases map[string]string // folded other spelling → value
}

// Parse finds a value by its spelling or an alias, ignoring case, spaces,
// hyphens and underscores.
func (e Enum) Parse(text string) (string, bool) {
	f := fold(text)
	if f == "" {
		return "", false
	}
	for _, values := range [][]string{e.Values, e.Late} {
		for _, v := range values {
			if fold(v) == f {
				return v, true
			}
		}
	}
	v, ok := e.Aliases[f]
	return v, ok
}

// Or parses text and gives other when it isn't a value.
func (e Enum) Or(text, other string) string {
	if v, ok := e.Parse(text); ok {
		return v
	}
	return other
}

// Open reports whether a value is seen by clients that don't ask for late
// ones; a value that is not of the enumeration isn't.
func (e Enum) Open(value string) bool {
	for _, v := range e.Values {
		if v == value {
			return true
		}
	}
	return false
}

// fold is the text that two spellings of one word share.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '_':
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// The enumerations of alerts and evidence. Source: facts 1.4, 3.4 and 10.1
// (the published Graph SDK). Where documents and SDK disagree on a
// determination, the SDK's spelling is the value and the document's an alias.
var (
	Severities = Enum{
		Values:  []string{"unknown", "informational", "low", "medium", "high"},
		Aliases: map[string]string{"info": "informational", "critical": "high"},
	}
	AlertStatuses = Enum{
		Values:  []string{"unknown", "new", "inProgress", "resolved"},
		Aliases: map[string]string{"active": "new", "open": "new", "dismissed": "resolved", "closed": "resolved"},
	}
	Classifications = Enum{
		Values:  []string{"unknown", "falsePositive", "truePositive", "informationalExpectedActivity"},
		Aliases: map[string]string{"benignpositive": "informationalExpectedActivity", "undetermined": "unknown", "notset": "unknown"},
	}
	Determinations = Enum{
		Values: []string{"unknown", "apt", "malware", "securityPersonnel", "securityTesting", "unwantedSoftware", "other",
			"multiStagedAttack", "compromisedAccount", "phishing", "maliciousUserActivity", "notMalicious",
			"notEnoughDataToValidate", "confirmedActivity", "lineOfBusinessApplication"},
		Aliases: map[string]string{
			"compromiseduser": "compromisedAccount", "clean": "notMalicious", "insufficientdata": "notEnoughDataToValidate",
			"noenoughdatatovalidate": "notEnoughDataToValidate", "confirmeduseractivity": "confirmedActivity",
			"multistageattack": "multiStagedAttack", "notset": "unknown",
		},
	}
	InvestigationStates = Enum{
		Values: []string{"unknown", "terminated", "successfullyRemediated", "benign", "failed", "partiallyRemediated", "running",
			"pendingApproval", "pendingResource", "queued", "innerFailure", "preexistingAlert", "unsupportedOs",
			"unsupportedAlertType", "suppressedAlert", "partiallyInvestigated", "terminatedByUser", "terminatedBySystem"},
	}
	Verdicts = Enum{
		Values:  []string{"unknown", "suspicious", "malicious", "noThreatsFound"},
		Aliases: map[string]string{"clean": "noThreatsFound"},
	}
	RemediationStatuses = Enum{
		Values: []string{"none", "remediated", "prevented", "blocked", "notFound"},
		Late:   []string{"active", "pendingApproval", "declined", "unremediated", "running", "partiallyRemediated"},
	}
	EvidenceRoles = Enum{
		Values: []string{"unknown", "contextual", "scanned", "source", "destination", "created", "added", "compromised",
			"edited", "attacked", "attacker", "commandAndControl", "loaded", "suspicious", "policyViolator"},
	}
)

// ParseSeverity reads a severity in any shape's spelling; unknown for what isn't one.
func ParseSeverity(text string) Severity {
	return Severity(Severities.Or(text, string(SeverityUnknown)))
}

// Title is the severity as the workspace and the hunting tables spell it:
// High, Medium, Low, Informational; unknown counts as Informational, the
// lowest that these enumerations have.
func (s Severity) Title() string {
	if !s.Known() {
		s = Informational
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}
