package graph

import (
	"encoding/json"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/shape"
)

// Alert is an alert resource as it is sent.
type Alert struct {
	Context            string                     `json:"@odata.context,omitempty"`
	Type               string                     `json:"@odata.type,omitempty"`
	ID                 string                     `json:"id"`
	ProviderAlertID    string                     `json:"providerAlertId"`
	IncidentID         *string                    `json:"incidentId"`
	Status             string                     `json:"status"`
	Severity           string                     `json:"severity"`
	Classification     string                     `json:"classification"`
	Determination      string                     `json:"determination"`
	ServiceSource      string                     `json:"serviceSource"`
	DetectionSource    string                     `json:"detectionSource"`
	ProductName        *string                    `json:"productName"`
	DetectorID         *string                    `json:"detectorId"`
	TenantID           *string                    `json:"tenantId"`
	Title              string                     `json:"title"`
	Description        *string                    `json:"description"`
	RecommendedActions *string                    `json:"recommendedActions"`
	Category           *string                    `json:"category"`
	AssignedTo         *string                    `json:"assignedTo"`
	AlertWebURL        *string                    `json:"alertWebUrl"`
	IncidentWebURL     *string                    `json:"incidentWebUrl"`
	ActorDisplayName   *string                    `json:"actorDisplayName"`
	ThreatDisplayName  *string                    `json:"threatDisplayName"`
	ThreatFamilyName   *string                    `json:"threatFamilyName"`
	MitreTechniques    []string                   `json:"mitreTechniques"`
	Created            *string                    `json:"createdDateTime"`
	Updated            *string                    `json:"lastUpdateDateTime"`
	Resolved           *string                    `json:"resolvedDateTime"`
	FirstActivity      *string                    `json:"firstActivityDateTime"`
	LastActivity       *string                    `json:"lastActivityDateTime"`
	SystemTags         []string                   `json:"systemTags"`
	AlertPolicyID      *string                    `json:"alertPolicyId"`
	InvestigationState string                     `json:"investigationState"`
	Comments           []Comment                  `json:"comments"`
	Evidence           []map[string]any           `json:"evidence"`
	AdditionalData     map[string]json.RawMessage `json:"additionalData"`
	CustomDetails      map[string]json.RawMessage `json:"customDetails"`
}

// EncodeAlert lays an alert out as this request sees it.
func EncodeAlert(a security.Alert, v View) Alert {
	out := Alert{
		Type: typePrefix + "alert", ID: a.ID, ProviderAlertID: a.ProviderID, IncidentID: nullable(a.IncidentID),
		Status:          v.value(security.AlertStatuses, string(a.Status), "unknown"),
		Severity:        v.value(security.Severities, string(a.Severity), "unknown"),
		Classification:  v.value(security.Classifications, a.Classification, "unknown"),
		Determination:   v.value(security.Determinations, a.Determination, "unknown"),
		ServiceSource:   v.service(a.ServiceSource),
		DetectionSource: v.detection(a.DetectionSource),
		DetectorID:      nullable(a.DetectorID), TenantID: nullable(v.TenantID),
		Title: a.Title, Description: nullable(a.Description), RecommendedActions: nullable(a.RecommendedActions),
		Category: nullable(a.Category), AssignedTo: nullable(a.AssignedTo),
		AlertWebURL: v.link("alerts", a.ID), IncidentWebURL: v.link("incidents", a.IncidentID),
		ActorDisplayName: nullable(a.ActorName), ThreatDisplayName: nullable(a.ThreatName), ThreatFamilyName: nullable(a.ThreatFamily),
		MitreTechniques: list(a.Techniques), SystemTags: list(a.SystemTags),
		Created: timeOrNull(a.Created), Updated: timeOrNull(a.Updated), Resolved: timeOrNull(a.Resolved),
		FirstActivity: timeOrNull(a.FirstActivity), LastActivity: timeOrNull(a.LastActivity),
		AlertPolicyID:      nullable(a.PolicyID),
		InvestigationState: v.value(security.InvestigationStates, a.InvestigationState, "unknown"),
		Comments:           EncodeComments(a.Comments), Evidence: []map[string]any{},
		AdditionalData: rawMap(a.Extended), CustomDetails: rawMap(a.CustomDetails),
	}
	if p, ok := security.ProductFor(a.ServiceSource, a.DetectionSource); ok {
		out.ProductName = nullable(p.Name)
	} else {
		out.ProductName = nullable(a.ProductName)
	}
	for _, ev := range a.Evidence {
		out.Evidence = append(out.Evidence, writeEvidence(ev, a.Created, v))
	}
	return out
}

// service is a service source as this request may see it.
func (v View) service(source string) string {
	p, ok := security.ProductOf(source)
	switch {
	case !ok:
		return "unknown"
	case p.Late && !v.Late:
		return future
	}
	return p.ServiceSource
}

func (v View) detection(source string) string {
	d, ok := security.DetectionNamed(source)
	switch {
	case !ok:
		return "unknown"
	case d.Late && !v.Late:
		return future
	}
	return d.Source
}

// link is the portal's page of a thing; null without a portal or an id.
func (v View) link(page, id string) *string {
	if v.Portal == "" || id == "" {
		return nil
	}
	return nullable(v.Portal + "/" + page + "/" + id + "?tid=" + v.TenantID)
}

// alertIn is an alert resource as it is read: any member may be missing.
type alertIn struct {
	ID                 string         `json:"id"`
	ProviderAlertID    string         `json:"providerAlertId"`
	IncidentID         string         `json:"incidentId"`
	Status             string         `json:"status"`
	Severity           string         `json:"severity"`
	Classification     string         `json:"classification"`
	Determination      string         `json:"determination"`
	ServiceSource      string         `json:"serviceSource"`
	DetectionSource    string         `json:"detectionSource"`
	ProductName        string         `json:"productName"`
	DetectorID         string         `json:"detectorId"`
	Title              string         `json:"title"`
	Description        string         `json:"description"`
	RecommendedActions string         `json:"recommendedActions"`
	Category           string         `json:"category"`
	AssignedTo         string         `json:"assignedTo"`
	AlertWebURL        string         `json:"alertWebUrl"`
	ActorDisplayName   string         `json:"actorDisplayName"`
	ThreatDisplayName  string         `json:"threatDisplayName"`
	ThreatFamilyName   string         `json:"threatFamilyName"`
	MitreTechniques    []string       `json:"mitreTechniques"`
	Created            string         `json:"createdDateTime"`
	Updated            string         `json:"lastUpdateDateTime"`
	Resolved           string         `json:"resolvedDateTime"`
	FirstActivity      string         `json:"firstActivityDateTime"`
	LastActivity       string         `json:"lastActivityDateTime"`
	SystemTags         []string       `json:"systemTags"`
	AlertPolicyID      string         `json:"alertPolicyId"`
	InvestigationState string         `json:"investigationState"`
	Comments           []commentIn    `json:"comments"`
	Evidence           []any          `json:"evidence"`
	AdditionalData     map[string]any `json:"additionalData"`
	CustomDetails      map[string]any `json:"customDetails"`
}

// DecodeAlert reads an alert resource: intake shape graph. A time that isn't
// one, a body that isn't an alert and evidence beyond all bounds are faults of
// kind Invalid.
func DecodeAlert(body []byte) (security.Alert, error) {
	var in alertIn
	if err := decode(body, &in); err != nil {
		return security.Alert{}, err
	}
	return in.alert()
}

func (in alertIn) alert() (security.Alert, error) {
	a := security.Alert{
		ID: in.ID, ProviderID: in.ProviderAlertID, IncidentID: in.IncidentID,
		DetectorID: in.DetectorID, AlertType: in.DetectorID, PolicyID: in.AlertPolicyID,
		Title: in.Title, Description: in.Description, Category: in.Category,
		Severity:       security.ParseSeverity(in.Severity),
		Techniques:     security.ParseTechniques(in.MitreTechniques...),
		Status:         security.AlertStatus(security.AlertStatuses.Or(in.Status, string(security.AlertNew))),
		Classification: security.Classifications.Or(in.Classification, "unknown"),
		Determination:  security.Determinations.Or(in.Determination, "unknown"),
		AssignedTo:     in.AssignedTo, Comments: decodeComments(in.Comments), SystemTags: in.SystemTags,
		InvestigationState: security.InvestigationStates.Or(in.InvestigationState, ""),
		RecommendedActions: in.RecommendedActions, ActorName: in.ActorDisplayName,
		ThreatName: in.ThreatDisplayName, ThreatFamily: in.ThreatFamilyName, AlertLink: in.AlertWebURL,
		Extended: shape.Map(withoutType(in.AdditionalData)), CustomDetails: shape.Map(withoutType(in.CustomDetails)),
	}
	if in.InvestigationState == "unknown" {
		a.InvestigationState = ""
	}
	if a.Status == "unknown" {
		a.Status = security.AlertNew
	}
	for _, t := range []struct {
		name, text string
		into       *schema.Ticks
	}{
		{"createdDateTime", in.Created, &a.Created}, {"lastUpdateDateTime", in.Updated, &a.Updated}, {"resolvedDateTime", in.Resolved, &a.Resolved},
		{"firstActivityDateTime", in.FirstActivity, &a.FirstActivity}, {"lastActivityDateTime", in.LastActivity, &a.LastActivity},
	} {
		if err := t.into.UnmarshalText([]byte(t.text)); err != nil {
			return security.Alert{}, fault.At(t.name, "%w", err)
		}
	}
	for _, name := range []string{in.ServiceSource, in.ProductName} {
		if p, ok := security.ProductNamed(name); ok && a.ServiceSource == "" {
			a.ServiceSource = p.ServiceSource
		}
	}
	a.DetectionSource = security.DetectionSource(in.DetectionSource)
	if p, ok := security.ProductOf(a.ServiceSource); ok && a.ID != "" {
		// providerAlertId may repeat the unified id; then the product's own is in it.
		if a.ProviderID == "" || a.ProviderID == a.ID {
			a.ProviderID = security.OwnID(p, a.ID)
		}
	}
	r := shape.NewReader(dialect, nil)
	for _, one := range in.Evidence {
		object, ok := one.(map[string]any)
		if !ok {
			continue
		}
		if ev, ok := readEvidence(r, object); ok {
			a.Evidence = append(a.Evidence, ev)
		}
	}
	if err := r.Err(); err != nil {
		return security.Alert{}, fault.At("evidence", "%w", err)
	}
	a.Complete()
	return a, nil
}

// withoutType drops the annotations of an open-typed object.
func withoutType(m map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range m {
		if !strings.Contains(name, "@odata.") {
			out[name] = v
		}
	}
	return out
}
