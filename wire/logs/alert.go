package logs

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/shape"
)

// properties are the members of ExtendedProperties that an alert has fields
// for, most specific first. Source: facts 1.5 and recorded rows.
var properties = []struct {
	name string
	get  func(*security.Alert) *string
}{
	{"IncidentId", func(a *security.Alert) *string { return &a.IncidentID }},
	{"Category", func(a *security.Alert) *string { return &a.Category }},
	{"MicrosoftDefenderAtp.Category", func(a *security.Alert) *string { return &a.Category }},
	{"DetectionSource", func(a *security.Alert) *string { return &a.DetectionSource }},
	{"AssignedTo", func(a *security.Alert) *string { return &a.AssignedTo }},
	{"Determination", func(a *security.Alert) *string { return &a.Determination }},
	{"Classification", func(a *security.Alert) *string { return &a.Classification }},
	{"ThreatName", func(a *security.Alert) *string { return &a.ThreatName }},
	{"ThreatFamilyName", func(a *security.Alert) *string { return &a.ThreatFamily }},
	{"DetectorId", func(a *security.Alert) *string { return &a.DetectorID }},
	{"ActorName", func(a *security.Alert) *string { return &a.ActorName }},
	{"MicrosoftDefenderAtp.InvestigationState", func(a *security.Alert) *string { return &a.InvestigationState }},
	{"InvestigationState", func(a *security.Alert) *string { return &a.InvestigationState }},
}

// written are the properties that a row of ours carries: the names without a product's prefix (facts 1.5).
func written(name string) bool { return !strings.HasPrefix(name, "MicrosoftDefenderAtp.") }

// DecodeAlert reads a SecurityAlert row: intake shape securityalert. A column
// is text, number or null as the Log Analytics API and exports give it;
// Entities and ExtendedProperties may be JSON text or JSON.
func DecodeAlert(row []byte) (security.Alert, error) {
	columns, err := shape.Object(row)
	if err != nil {
		return security.Alert{}, err
	}
	return AlertOf(columns)
}

// AlertOf is DecodeAlert of a row already parsed.
func AlertOf(columns map[string]any) (security.Alert, error) {
	text := func(name string) string { return columnText(columns[name]) }
	a := security.Alert{
		ProviderID: either(text("VendorOriginalId"), text("SystemAlertId")), SystemID: strings.ToLower(text("SystemAlertId")),
		ProductName: text("ProductName"), ProviderName: text("ProviderName"), VendorName: text("VendorName"), Component: text("ProductComponentName"),
		AlertType: text("AlertType"), Title: either(text("DisplayName"), text("AlertName")), Description: text("Description"),
		Severity:          security.ParseSeverity(text("AlertSeverity")),
		Tactics:           security.ParseTactics(text("Tactics")),
		Techniques:        security.JoinTechniques(security.ParseTechniques(text("Techniques")), security.ParseTechniques(text("SubTechniques"))),
		Status:            security.AlertStatus(security.AlertStatuses.Or(text("Status"), string(security.AlertNew))),
		AlertLink:         text("AlertLink"),
		CompromisedEntity: text("CompromisedEntity"),
	}
	if a.Status == "unknown" {
		a.Status = security.AlertNew
	}
	if steps := text("RemediationSteps"); steps != "" {
		a.RecommendedActions = remediation(steps)
	}
	if err := readTimes(columns, &a); err != nil {
		return a, err
	}
	if text := text("ExtendedProperties"); strings.TrimSpace(text) != "" {
		members, err := shape.Object([]byte(text))
		if err != nil {
			return a, fault.At("ExtendedProperties", "%w", err)
		}
		ReadProperties(members, &a)
	}
	evidence, err := ReadEntities(text("Entities"))
	if err != nil {
		return a, fault.At("Entities", "%w", err)
	}
	a.Evidence = evidence
	if a.DetectionSource == "" {
		a.DetectionSource = detectionOf(text("ProductComponentName"), text("ProviderName"))
	}
	a.Complete()
	return a, nil
}

// detectionOf is the detection source of a row that doesn't state it: of the
// component (Scheduled Alerts), else of the provider's name behind ASI.
func detectionOf(component, provider string) string {
	for _, name := range []string{component, strings.TrimPrefix(provider, "ASI ")} {
		if d, ok := security.DetectionNamed(name); ok {
			return d.Source
		}
	}
	return ""
}

func readTimes(columns map[string]any, a *security.Alert) error {
	for _, c := range []struct {
		name string
		into *schema.Ticks
	}{{"TimeGenerated", &a.Updated}, {"StartTime", &a.FirstActivity}, {"EndTime", &a.LastActivity}, {"ProcessingEndTime", &a.Created}} {
		if err := c.into.UnmarshalText([]byte(columnText(columns[c.name]))); err != nil {
			return fault.At(c.name, "%w", err)
		}
	}
	if a.Created == 0 {
		a.Created = a.Updated
	}
	if a.Status == security.AlertResolved {
		a.Resolved = a.Updated
	}
	return nil
}

// ReadProperties fills an alert from the members of ExtendedProperties, which
// it takes out as far as the alert has fields for them, and keeps the rest.
func ReadProperties(members map[string]any, a *security.Alert) {
	for _, p := range properties {
		if value := columnText(members[p.name]); value != "" && *p.get(a) == "" {
			*p.get(a) = value
		}
		delete(members, p.name)
	}
	if known := security.ParseTechniques(columnText(members["MitreTechniques"])); len(known) > 0 {
		a.Techniques = known
	}
	delete(members, "MitreTechniques")
	if details, err := shape.Object([]byte(columnText(members["Custom Details"]))); err == nil {
		a.CustomDetails = shape.Map(details)
		delete(members, "Custom Details")
	}
	for name, v := range members {
		if v == nil {
			delete(members, name)
		}
	}
	a.Extended = shape.Map(members)
	a.DetectionSource = security.DetectionSource(a.DetectionSource)
	if a.DetectionSource == "unknown" {
		a.DetectionSource = ""
	}
	a.Classification = security.Classifications.Or(a.Classification, "unknown")
	a.Determination = security.Determinations.Or(a.Determination, "unknown")
	a.InvestigationState = security.InvestigationStates.Or(a.InvestigationState, "")
}

// remediation is the steps as one text: the column holds a JSON array of them.
func remediation(text string) string {
	list, err := shape.Array([]byte(text))
	if err != nil {
		return text
	}
	return strings.Join(texts(list), "\n")
}

// Origin says where a row comes from, beside the alert.
type Origin struct {
	TenantID       string
	SubscriptionID string
	ResourceGroup  string
	At             schema.Ticks // TimeGenerated: when this row was made
	AlertLink      string       // when the alert has none
}

// AlertRow lays an alert out as a SecurityAlert row: values by column, ready
// for rows. Times are texts of seven fractional digits, dynamic values JSON
// texts. Source: facts 3.7 and recorded rows.
func AlertRow(a security.Alert, o Origin) (map[string]any, error) {
	entities, err := WriteEntities(a.Evidence)
	if err != nil {
		return nil, fault.New(fault.Internal, "lay out the entities of alert %s: %w", a.ID, err)
	}
	properties, err := WriteProperties(a)
	if err != nil {
		return nil, err
	}
	extended, err := shape.JSON(properties)
	if err != nil {
		return nil, fault.New(fault.Internal, "lay out the properties of alert %s: %w", a.ID, err)
	}
	techniques, subs := security.SplitTechniques(a.Techniques)
	tactics := "Unknown"
	if len(a.Tactics) > 0 {
		tactics = strings.Join(a.Tactics, ", ")
	}
	row := map[string]any{
		"TenantId": o.TenantID, "TimeGenerated": o.At.String(), "DisplayName": a.Title, "AlertName": a.Title,
		"AlertSeverity": a.Severity.Title(), "Description": a.Description, "ProviderName": a.ProviderName, "VendorName": a.VendorName,
		"VendorOriginalId": a.ProviderID, "SystemAlertId": a.SystemID, "AlertType": a.AlertType, "IsIncident": false,
		"StartTime": a.FirstActivity.String(), "EndTime": a.LastActivity.String(), "ProcessingEndTime": a.Created.String(),
		"RemediationSteps": jsonList(a.RecommendedActions), "ExtendedProperties": extended, "Entities": entities,
		"SourceSystem": "Detection", "WorkspaceSubscriptionId": o.SubscriptionID, "WorkspaceResourceGroup": o.ResourceGroup,
		"ProductName": a.ProductName, "ProductComponentName": component(a), "AlertLink": either(a.AlertLink, o.AlertLink),
		"Status": upper(string(a.Status)), "CompromisedEntity": a.Compromised(), "Tactics": tactics,
		"Techniques": jsonTexts(techniques), "SubTechniques": jsonTexts(subs), "Type": "SecurityAlert",
	}
	return row, nil
}

// component is the part of the product that made the alert; for the
// workspace's own alerts, the kind of rule, as recorded rows have it.
func component(a security.Alert) string {
	if d, ok := security.DetectionNamed(a.DetectionSource); ok && a.Component == "" && a.ServiceSource == "microsoftSentinel" {
		return d.Hunting
	}
	return a.Component
}

// WriteProperties gives the members of ExtendedProperties: what the alert has
// no column for.
func WriteProperties(a security.Alert) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for name, v := range a.Extended {
		out[name] = v
	}
	put := func(name string, value string) error {
		text, err := shape.JSON(value)
		if err != nil {
			return fault.New(fault.Internal, "lay out property %s of alert %s: %w", name, a.ID, err)
		}
		out[name] = json.RawMessage(text)
		return nil
	}
	for _, p := range properties {
		value := *p.get(&a)
		if !written(p.name) || value == "" || value == "unknown" {
			continue
		}
		if err := put(p.name, value); err != nil {
			return nil, err
		}
	}
	if len(a.Techniques) > 0 {
		if err := put("MitreTechniques", strings.Join(a.Techniques, ";")); err != nil {
			return nil, err
		}
	}
	if len(a.CustomDetails) == 0 {
		return out, nil
	}
	details, err := shape.JSON(a.CustomDetails)
	if err != nil {
		return nil, fault.New(fault.Internal, "lay out the custom details of alert %s: %w", a.ID, err)
	}
	return out, put("Custom Details", details)
}

// jsonTexts is a list as a column carries it: JSON text, "" for none.
func jsonTexts(list []string) string {
	if len(list) == 0 {
		return ""
	}
	text, err := shape.JSON(list)
	if err != nil {
		return ""
	}
	return text
}

func jsonList(one string) string {
	if one == "" {
		return ""
	}
	return jsonTexts([]string{one})
}

// columnText is a column's value as text: a dynamic value as its JSON.
func columnText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	text, err := shape.JSON(v)
	if err != nil {
		return ""
	}
	return text
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func decimal(n int) string { return strconv.Itoa(n) }

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
