package graph

import (
	"bytes"
	"encoding/json"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Incident is an incident in Graph's words, which the face fills from its
// side's. Empty text is null on the wire.
type Incident struct {
	ID                 string
	DisplayName        string
	Description        string
	Summary            string
	WebURL             string
	RedirectIncidentID string
	Status             string // incidentStatus
	Severity           security.Severity
	Classification     string
	Determination      string
	ResolvingComment   string
	AssignedTo         string
	LastModifiedBy     string
	CustomTags         []string
	SystemTags         []string
	Comments           []security.Comment
	Created            schema.Ticks
	Updated            schema.Ticks
	Alerts             []security.Alert
	Expanded           bool // send Alerts: $expand=alerts
}

// IncidentStatuses are the states of an incident. Source: facts 3.3.
var IncidentStatuses = security.Enum{
	Values: []string{"active", "resolved", "inProgress", "redirected"}, Late: []string{"awaitingAction"},
	Aliases: map[string]string{"new": "active", "closed": "resolved"},
}

// IncidentBody is an incident resource as it is sent.
type IncidentBody struct {
	Context            string    `json:"@odata.context,omitempty"`
	Type               string    `json:"@odata.type,omitempty"`
	ID                 string    `json:"id"`
	TenantID           *string   `json:"tenantId"`
	Status             string    `json:"status"`
	IncidentWebURL     *string   `json:"incidentWebUrl"`
	RedirectIncidentID *string   `json:"redirectIncidentId"`
	DisplayName        *string   `json:"displayName"`
	Created            string    `json:"createdDateTime"`
	Updated            string    `json:"lastUpdateDateTime"`
	AssignedTo         *string   `json:"assignedTo"`
	Classification     string    `json:"classification"`
	Determination      string    `json:"determination"`
	Severity           string    `json:"severity"`
	CustomTags         []string  `json:"customTags"`
	SystemTags         []string  `json:"systemTags"`
	Description        *string   `json:"description"`
	LastModifiedBy     *string   `json:"lastModifiedBy"`
	ResolvingComment   *string   `json:"resolvingComment"`
	Summary            *string   `json:"summary"`
	Comments           []Comment `json:"comments"`
	Alerts             *[]Alert  `json:"alerts,omitempty"`
}

// EncodeIncident lays an incident out as this request sees it.
func EncodeIncident(i Incident, v View) IncidentBody {
	out := IncidentBody{
		Type: typePrefix + "incident", ID: i.ID, TenantID: nullable(v.TenantID),
		Status:         v.value(IncidentStatuses, i.Status, "active"),
		IncidentWebURL: nullable(i.WebURL), RedirectIncidentID: nullable(i.RedirectIncidentID), DisplayName: nullable(i.DisplayName),
		Created: i.Created.String(), Updated: i.Updated.String(), AssignedTo: nullable(i.AssignedTo),
		Classification: v.value(security.Classifications, i.Classification, "unknown"),
		Determination:  v.value(security.Determinations, i.Determination, "unknown"),
		Severity:       v.value(security.Severities, string(i.Severity), "unknown"),
		CustomTags:     list(i.CustomTags), SystemTags: list(i.SystemTags), Description: nullable(i.Description),
		LastModifiedBy: nullable(i.LastModifiedBy), ResolvingComment: nullable(i.ResolvingComment), Summary: nullable(i.Summary),
		Comments: EncodeComments(i.Comments),
	}
	if i.WebURL == "" {
		out.IncidentWebURL = v.link("incidents", i.ID)
	}
	if i.Expanded {
		alerts := make([]Alert, len(i.Alerts))
		for n, a := range i.Alerts {
			alerts[n] = EncodeAlert(a, v)
		}
		out.Alerts = &alerts
	}
	return out
}

// incidentIn is an incident resource as it is read.
type incidentIn struct {
	ID                 string      `json:"id"`
	Status             string      `json:"status"`
	IncidentWebURL     string      `json:"incidentWebUrl"`
	RedirectIncidentID string      `json:"redirectIncidentId"`
	DisplayName        string      `json:"displayName"`
	Created            string      `json:"createdDateTime"`
	Updated            string      `json:"lastUpdateDateTime"`
	AssignedTo         string      `json:"assignedTo"`
	Classification     string      `json:"classification"`
	Determination      string      `json:"determination"`
	Severity           string      `json:"severity"`
	CustomTags         []string    `json:"customTags"`
	OldTags            []string    `json:"tags"`
	SystemTags         []string    `json:"systemTags"`
	Description        string      `json:"description"`
	LastModifiedBy     string      `json:"lastModifiedBy"`
	ResolvingComment   string      `json:"resolvingComment"`
	Summary            string      `json:"summary"`
	Comments           []commentIn `json:"comments"`
	Alerts             *[]alertIn  `json:"alerts"`
}

// DecodeIncident reads an incident resource, with its alerts when it was expanded.
func DecodeIncident(body []byte) (Incident, error) {
	var in incidentIn
	if err := decode(body, &in); err != nil {
		return Incident{}, err
	}
	out := Incident{
		ID: in.ID, DisplayName: in.DisplayName, Description: in.Description, Summary: in.Summary, WebURL: in.IncidentWebURL,
		RedirectIncidentID: in.RedirectIncidentID, Status: IncidentStatuses.Or(in.Status, in.Status), Severity: security.ParseSeverity(in.Severity),
		Classification: security.Classifications.Or(in.Classification, "unknown"), Determination: security.Determinations.Or(in.Determination, "unknown"),
		ResolvingComment: in.ResolvingComment, AssignedTo: in.AssignedTo, LastModifiedBy: in.LastModifiedBy,
		CustomTags: append(in.CustomTags, in.OldTags...), SystemTags: in.SystemTags, Comments: decodeComments(in.Comments),
		Expanded: in.Alerts != nil,
	}
	if err := out.Created.UnmarshalText([]byte(in.Created)); err != nil {
		return Incident{}, fault.At("createdDateTime", "%w", err)
	}
	if err := out.Updated.UnmarshalText([]byte(in.Updated)); err != nil {
		return Incident{}, fault.At("lastUpdateDateTime", "%w", err)
	}
	if in.Alerts != nil {
		for n, one := range *in.Alerts {
			a, err := one.alert()
			if err != nil {
				return Incident{}, fault.New(fault.Invalid, "alerts[%d]: %w", n, err)
			}
			out.Alerts = append(out.Alerts, a)
		}
	}
	return out, nil
}

// Patch is the body of a PATCH of an incident or an alert. A nil field wasn't
// stated. Enumerations are parsed: a value is one of theirs.
type Patch struct {
	Status           *string
	Severity         *string
	Classification   *string
	Determination    *string
	AssignedTo       *string // "" unassigns: null on the wire
	DisplayName      *string
	Description      *string
	Summary          *string
	ResolvingComment *string
	CustomTags       *[]string
}

// DecodeIncidentPatch reads the body of PATCH /security/incidents/{id}. A
// value outside its enumeration is a fault of kind Invalid that names the
// member; members that can't be changed are left unread.
func DecodeIncidentPatch(body []byte) (Patch, error) { return decodePatch(body, IncidentStatuses) }

// DecodeAlertPatch reads the body of PATCH /security/alerts_v2/{id}.
func DecodeAlertPatch(body []byte) (Patch, error) { return decodePatch(body, security.AlertStatuses) }

func decodePatch(body []byte, statuses security.Enum) (Patch, error) {
	var members map[string]json.RawMessage
	if err := decode(body, &members); err != nil {
		return Patch{}, err
	}
	var p Patch
	for _, f := range []struct {
		name string
		into **string
		enum *security.Enum
	}{
		{"status", &p.Status, &statuses}, {"severity", &p.Severity, &security.Severities},
		{"classification", &p.Classification, &security.Classifications}, {"determination", &p.Determination, &security.Determinations},
		{"assignedTo", &p.AssignedTo, nil}, {"displayName", &p.DisplayName, nil}, {"description", &p.Description, nil},
		{"summary", &p.Summary, nil}, {"resolvingComment", &p.ResolvingComment, nil},
	} {
		raw, stated := members[f.name]
		if !stated {
			continue
		}
		var text *string
		if err := json.Unmarshal(raw, &text); err != nil {
			return Patch{}, fault.At(f.name, "want a text, got %s", shorten(raw))
		}
		if text == nil {
			if f.enum != nil {
				continue // null leaves an enumeration as it is
			}
			text = new(string)
		}
		if f.enum != nil {
			value, ok := f.enum.Parse(*text)
			if !ok {
				return Patch{}, fault.At(f.name, "%q is none of %v", *text, append(f.enum.Values, f.enum.Late...))
			}
			text = &value
		}
		*f.into = text
	}
	if raw, stated := members["customTags"]; stated {
		tags := []string{}
		if err := json.Unmarshal(raw, &tags); err != nil {
			return Patch{}, fault.At("customTags", "want a list of texts, got %s", shorten(raw))
		}
		p.CustomTags = &tags
	}
	return p, nil
}

func shorten(raw json.RawMessage) string {
	if len(raw) > 40 {
		return string(raw[:40]) + "…"
	}
	return string(raw)
}

// decode reads a body, keeping numbers as they are written.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return fault.New(fault.Invalid, "the body isn't the JSON expected: %w", err)
	}
	return nil
}
