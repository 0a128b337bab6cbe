package arm

import (
	"encoding/json"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Incident is an incident resource.
type Incident = Resource[IncidentProperties]

// IncidentProperties are an incident's. Empty text and zero times are left
// out or null. Source: facts 3.5, 10.2.
type IncidentProperties struct {
	Title                 string         `json:"title"`
	Description           string         `json:"description,omitempty"`
	Severity              string         `json:"severity"`
	Status                string         `json:"status"`
	Classification        string         `json:"classification,omitempty"`
	ClassificationReason  string         `json:"classificationReason,omitempty"`
	ClassificationComment string         `json:"classificationComment,omitempty"`
	Owner                 Owner          `json:"owner"`
	Labels                []Label        `json:"labels"`
	FirstActivity         *Time          `json:"firstActivityTimeUtc,omitempty"`
	LastActivity          *Time          `json:"lastActivityTimeUtc,omitempty"`
	Modified              Time           `json:"lastModifiedTimeUtc"`
	Created               Time           `json:"createdTimeUtc"`
	Number                int64          `json:"incidentNumber"`
	AdditionalData        AdditionalData `json:"additionalData"`
	RuleIDs               Texts          `json:"relatedAnalyticRuleIds"`
	URL                   string         `json:"incidentUrl"`
	ProviderName          string         `json:"providerName"`
	ProviderIncidentID    string         `json:"providerIncidentId"`
}

// Label is a tag. Type is User or AutoAssigned.
type Label struct {
	Name string `json:"labelName"`
	Type string `json:"labelType,omitempty"`
}

// AdditionalData is what is counted and gathered of an incident's alerts.
type AdditionalData struct {
	Alerts       int    `json:"alertsCount"`
	Bookmarks    int    `json:"bookmarksCount"`
	Comments     int    `json:"commentsCount"`
	Products     Texts  `json:"alertProductNames"`
	Tactics      Texts  `json:"tactics"`
	Techniques   Texts  `json:"techniques"`
	ProviderURL  string `json:"providerIncidentUrl,omitempty"`
	MergedNumber string `json:"mergedIncidentNumber,omitempty"`
	MergedURL    string `json:"mergedIncidentUrl,omitempty"`
}

// OptionalTime is for a member that is left out when there is no time.
func OptionalTime(t schema.Ticks) *Time {
	if t == 0 {
		return nil
	}
	return &Time{t}
}

// Enumerations of incidents. Source: facts 3.4, 10.2.
var (
	Severities            = security.Enum{Values: []string{"High", "Medium", "Low", "Informational"}}
	Statuses              = security.Enum{Values: []string{"New", "Active", "Closed"}}
	Classifications       = security.Enum{Values: []string{"Undetermined", "TruePositive", "BenignPositive", "FalsePositive"}}
	ClassificationReasons = security.Enum{Values: []string{"SuspiciousActivity", "SuspiciousButExpected", "IncorrectAlertLogic", "InaccurateData"}}
	LabelTypes            = security.Enum{Values: []string{"User", "AutoAssigned"}}
	OwnerTypes            = security.Enum{Values: []string{"Unknown", "User", "Group"}}
	alertStatuses         = security.Enum{Values: []string{"New", "InProgress", "Resolved", "Dismissed", "Unknown"}}
)

// IncidentPut is the body of PUT …/incidents/{name}: the whole incident as a
// client states it. Enumerations are parsed; nil members weren't stated, and an
// owner or labels stated as null are nobody and none.
type IncidentPut struct {
	ETag                  string
	Title                 string
	Description           string
	Severity              security.Severity
	Status                string
	Classification        string
	ClassificationReason  string
	ClassificationComment string
	Owner                 *security.Owner
	Labels                *[]string
	FirstActivity         schema.Ticks
	LastActivity          schema.Ticks
}

type incidentPutBody struct {
	ETag       string `json:"etag"`
	Properties *struct {
		Title                 string        `json:"title"`
		Description           string        `json:"description"`
		Severity              string        `json:"severity"`
		Status                string        `json:"status"`
		Classification        string        `json:"classification"`
		ClassificationReason  string        `json:"classificationReason"`
		ClassificationComment string        `json:"classificationComment"`
		Owner                 said[Owner]   `json:"owner"`
		Labels                said[[]Label] `json:"labels"`
		FirstActivity         Time          `json:"firstActivityTimeUtc"`
		LastActivity          Time          `json:"lastActivityTimeUtc"`
	} `json:"properties"`
}

// said is a member that a body may have: null clears it, its absence leaves it.
type said[T any] struct {
	value T
	is    bool
}

func (s *said[T]) UnmarshalJSON(text []byte) error {
	s.is = true
	return json.Unmarshal(text, &s.value)
}

// DecodeIncidentPut reads the body of a PUT. A missing title, severity or
// status, a value outside its enumeration and a text over all limits are
// faults of kind Invalid that name the member; read-only members are left unread.
func DecodeIncidentPut(body []byte) (IncidentPut, error) {
	var in incidentPutBody
	if err := decode(body, &in); err != nil {
		return IncidentPut{}, err
	}
	if in.Properties == nil {
		return IncidentPut{}, fault.At("properties", "the body has none")
	}
	p := in.Properties
	out := IncidentPut{ETag: in.ETag, Title: p.Title, Description: p.Description, ClassificationComment: p.ClassificationComment,
		FirstActivity: p.FirstActivity.Ticks, LastActivity: p.LastActivity.Ticks}
	if p.Title == "" {
		return out, fault.At("properties.title", "an incident needs one")
	}
	var severity string
	for _, f := range []struct {
		name, text string
		enum       security.Enum
		needed     bool
		into       *string
	}{
		{"severity", p.Severity, Severities, true, &severity}, {"status", p.Status, Statuses, true, &out.Status},
		{"classification", p.Classification, Classifications, false, &out.Classification},
		{"classificationReason", p.ClassificationReason, ClassificationReasons, false, &out.ClassificationReason},
	} {
		value, ok := f.enum.Parse(f.text)
		if !ok && (f.needed || f.text != "") {
			return out, fault.At("properties."+f.name, "%q is none of %v", f.text, f.enum.Values)
		}
		*f.into = value
	}
	out.Severity = security.ParseSeverity(severity)
	if p.Owner.is {
		o := p.Owner.value.Decode()
		out.Owner = &o
	}
	if p.Labels.is {
		labels := make([]string, 0, len(p.Labels.value))
		for n, l := range p.Labels.value {
			if l.Name == "" {
				return out, fault.At("properties.labels", "label %d has no labelName", n)
			}
			labels = append(labels, l.Name)
		}
		out.Labels = &labels
	}
	return out, nil
}

// Comment is a comment resource.
type Comment = Resource[CommentProperties]

// CommentProperties are a comment's.
type CommentProperties struct {
	Message  string `json:"message"`
	Created  Time   `json:"createdTimeUtc"`
	Modified Time   `json:"lastModifiedTimeUtc"`
	Author   Client `json:"author"`
}

// EncodeComment lays a comment of an incident out.
func EncodeComment(s Scope, incident string, c security.Comment) Comment {
	out := New(s, CommentProperties{c.Text, At(c.Created), At(c.Created), EncodeClient(c.Author)}, "incidents", incident, "comments", c.ID)
	out.ETag = `"` + security.DerivedID("comment etag", c.ID) + `"`
	return out
}

// DecodeComment reads the body of PUT …/comments/{id}: its message, and a
// resource as a server sends it.
func DecodeComment(body []byte) (security.Comment, error) {
	var in Comment
	if err := decode(body, &in); err != nil {
		return security.Comment{}, err
	}
	if in.Properties.Message == "" {
		return security.Comment{}, fault.At("properties.message", "a comment needs one")
	}
	return security.Comment{ID: in.Name, Text: in.Properties.Message, Author: in.Properties.Author.Decode(), Created: in.Properties.Created.Ticks}, nil
}

// Relation is a relation resource: an alert or a bookmark of an incident.
type Relation = Resource[RelationProperties]

// RelationProperties are a relation's.
type RelationProperties struct {
	ID   string `json:"relatedResourceId"`
	Name string `json:"relatedResourceName,omitempty"`
	Type string `json:"relatedResourceType,omitempty"`
	Kind string `json:"relatedResourceKind,omitempty"`
}

// AlertRelation is the relation of an incident to one of its alerts.
func AlertRelation(s Scope, incident, systemAlertID string) Relation {
	out := New(s, RelationProperties{
		ID: s.ID("entities", systemAlertID), Name: systemAlertID, Type: Provider + "/entities", Kind: "SecurityAlert",
	}, "incidents", incident, "relations", incident+"_"+systemAlertID)
	out.ETag = `"` + security.DerivedID("relation etag", out.Name) + `"`
	return out
}

// DataConnector is the resource of kind MicrosoftThreatProtection.
type DataConnector = Resource[DataConnectorProperties]

// DataConnectorKind is the kind of the Defender XDR connector.
const DataConnectorKind = "MicrosoftThreatProtection"

// DataConnectorProperties are the connector's. Alerts and filters may be absent.
type DataConnectorProperties struct {
	TenantID  string `json:"tenantId"`
	DataTypes struct {
		Incidents State  `json:"incidents"`
		Alerts    *State `json:"alerts,omitempty"`
	} `json:"dataTypes"`
	Filtered *FilteredProviders `json:"filteredProviders,omitempty"`
}

// State switches a data type: Enabled or Disabled.
type State struct {
	State string `json:"state"`
}

// On reports whether the data type is switched on.
func (s State) On() bool { return s.State == "Enabled" || s.State == "enabled" }

// StateOf is a switch's state.
func StateOf(on bool) State {
	if on {
		return State{"Enabled"}
	}
	return State{"Disabled"}
}

// FilteredProviders names the products whose alerts alone are taken.
type FilteredProviders struct {
	Alerts []string `json:"alerts"`
}

// DecodeDataConnector reads the body of PUT …/dataConnectors/{id}. Another
// kind than MicrosoftThreatProtection is a fault of kind Invalid.
func DecodeDataConnector(body []byte) (DataConnector, error) {
	var in DataConnector
	if err := decode(body, &in); err != nil {
		return in, err
	}
	if in.Kind != DataConnectorKind {
		return in, fault.At("kind", "%q can't be connected here, %s can", in.Kind, DataConnectorKind)
	}
	return in, nil
}

func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fault.New(fault.Invalid, "the body isn't the JSON expected: %w", err)
	}
	return nil
}
