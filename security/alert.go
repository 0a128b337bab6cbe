// Package security knows the words both sides share: alert, evidence, entity
// and its identity, severity, owner, actor, comment, products and tactics. It
// leaves incidents to the two sides, whose vocabularies differ, and JSON
// shapes to wire.
package security

import (
	"encoding/json"

	"lockstep/schema"
)

// Alert is one detection by one product, independent of the shape it came in.
// Vocabulary is that of Graph alert resources; see wire for the other names.
type Alert struct {
	ID         string `json:"id"`         // unified id with the product's prefix (facts 1.2): the natural key
	ProviderID string `json:"providerId"` // id in the product; SecurityAlert.VendorOriginalId
	SystemID   string `json:"systemId"`   // GUID in the workspace; SecurityAlert.SystemAlertId
	IncidentID string `json:"incidentId"` // XDR incident that holds it
	Version    int64  `json:"version"`    // raised by every change

	ServiceSource   string `json:"serviceSource"`   // Graph enum (facts 1.4); key of the products table
	DetectionSource string `json:"detectionSource"` // Graph enum
	ProductName     string `json:"productName"`     // legacy name as SecurityAlert has it (facts 1.3)
	ProviderName    string `json:"providerName"`    // SecurityAlert.ProviderName
	VendorName      string `json:"vendorName"`
	Component       string `json:"component,omitempty"` // SecurityAlert.ProductComponentName
	AlertType       string `json:"alertType"`           // the kind of detection: rule id, detector type
	DetectorID      string `json:"detectorId,omitempty"`
	PolicyID        string `json:"policyId,omitempty"`

	Title       string   `json:"title"`
	Description string   `json:"description"`
	Category    string   `json:"category"`
	Severity    Severity `json:"severity"`
	Tactics     []string `json:"tactics"`    // ARM spelling: InitialAccess
	Techniques  []string `json:"techniques"` // T1059, T1059.001

	Status         AlertStatus `json:"status"`
	Classification string      `json:"classification"` // Graph enum; "unknown" when unset
	Determination  string      `json:"determination"`
	AssignedTo     string      `json:"assignedTo"` // as written: UPN or name; "" when nobody
	Comments       []Comment   `json:"comments,omitempty"`
	SystemTags     []string    `json:"systemTags,omitempty"`

	Created       schema.Ticks `json:"created"`       // when the product made it (TimeGenerated)
	Updated       schema.Ticks `json:"updated"`       // last change, by the product or here
	FirstActivity schema.Ticks `json:"firstActivity"` // StartTime
	LastActivity  schema.Ticks `json:"lastActivity"`  // EndTime
	Resolved      schema.Ticks `json:"resolved,omitempty"`

	InvestigationState string `json:"investigationState,omitempty"`
	RecommendedActions string `json:"recommendedActions,omitempty"`
	ActorName          string `json:"actorName,omitempty"`
	ThreatName         string `json:"threatName,omitempty"`
	ThreatFamily       string `json:"threatFamily,omitempty"`
	CompromisedEntity  string `json:"compromisedEntity,omitempty"`
	AlertLink          string `json:"alertLink,omitempty"`

	Evidence []Evidence `json:"evidence"`

	// Extended holds what the source carried beside the fields above
	// (ExtendedProperties, additionalData), under its own names.
	Extended      map[string]json.RawMessage `json:"extended,omitempty"`
	CustomDetails map[string]json.RawMessage `json:"customDetails,omitempty"`
}

// Evidence is an entity and its part in the alert.
type Evidence struct {
	Entity            Entity       `json:"entity"`
	Created           schema.Ticks `json:"created,omitempty"`
	Verdict           string       `json:"verdict,omitempty"`           // Graph enum; facts 10.1
	RemediationStatus string       `json:"remediationStatus,omitempty"` // Graph enum
	RemediationDetail string       `json:"remediationDetail,omitempty"`
	Roles             []string     `json:"roles,omitempty"`
	DetailedRoles     []string     `json:"detailedRoles,omitempty"`
	Tags              []string     `json:"tags,omitempty"`
}

// AlertStatus is an alert's state in Graph's words.
type AlertStatus string

// The states of an alert.
const (
	AlertNew        AlertStatus = "new"
	AlertInProgress AlertStatus = "inProgress"
	AlertResolved   AlertStatus = "resolved"
)

// Severity is a severity in Graph's words; the workspace capitalises them.
type Severity string

// The severities.
const (
	SeverityUnknown Severity = "unknown"
	Informational   Severity = "informational"
	Low             Severity = "low"
	Medium          Severity = "medium"
	High            Severity = "high"
)

// severityRank orders severities.
var severityRank = map[Severity]int{Informational: 1, Low: 2, Medium: 3, High: 4}

// Above reports whether s is higher than other; unknown is below all.
func (s Severity) Above(other Severity) bool { return severityRank[s] > severityRank[other] }

// Known reports whether s is one of the four that a product assigns.
func (s Severity) Known() bool { return severityRank[s] > 0 }

// Comment is a remark by somebody. Comments are never changed, only added.
type Comment struct {
	ID      string       `json:"id"`     // GUID, the same on both sides
	Origin  string       `json:"origin"` // incident id where it was written first, for copies made by a merge; else ""
	Author  Actor        `json:"author"`
	Text    string       `json:"text"` // at most 30,000 characters (facts 5.1)
	Created schema.Ticks `json:"created"`
}

// Copied is a comment as a merge copies it from an incident: with where it was
// written, and with an id that is the same wherever it is copied to from there.
func (c Comment) Copied(from string) Comment {
	if c.Origin == "" {
		c.Origin, c.ID = from, DerivedID("merged comment", from+"\x00"+c.ID)
	}
	return c
}

// ActorKind says what sort of actor made a change.
type ActorKind string

// The kinds of actor. An unknown actor counts as a person.
const (
	Person     ActorKind = "person"
	Automation ActorKind = "automation" // rules, playbooks, applications acting by themselves
	System     ActorKind = "system"     // our own correlation and synchronisation
)

// Actor is who made a change.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id,omitempty"` // object id
	Name string    `json:"name"`         // UPN, application name, or the system part's name
}

// Owner is to whom an incident is assigned. An unknown name is kept in
// AssignedTo as written, with the rest empty. The zero Owner is nobody.
type Owner struct {
	ObjectID   string `json:"objectId,omitempty"`
	Email      string `json:"email,omitempty"`
	AssignedTo string `json:"assignedTo,omitempty"` // display name
	UPN        string `json:"upn,omitempty"`
	Type       string `json:"type,omitempty"` // User, Group, Unknown
}

// IsZero reports whether nobody is assigned.
func (o Owner) IsZero() bool { return o == Owner{} }

// Text is the owner as Graph's assignedTo shows it: UPN, else mail, else name.
func (o Owner) Text() string {
	for _, t := range []string{o.UPN, o.Email, o.AssignedTo} {
		if t != "" {
			return t
		}
	}
	return ""
}

// nobody reports whether nothing says who the owner is.
func (o Owner) nobody() bool { return o.ObjectID == "" && o.Text() == "" }

// Same reports whether two owners are the same person, by the best id that both have.
func (o Owner) Same(other Owner) bool {
	if o.nobody() || other.nobody() {
		return o.nobody() == other.nobody()
	}
	if o.ObjectID != "" && other.ObjectID != "" {
		return equalFold(o.ObjectID, other.ObjectID)
	}
	if o.UPN != "" && other.UPN != "" {
		return equalFold(o.UPN, other.UPN)
	}
	return equalFold(o.Text(), other.Text())
}
