package acceptance

import (
	"encoding/json"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"time"
)

// xdrIncident is an incident as the Graph API shows it.
type xdrIncident struct {
	ID, DisplayName, Description, Status, Severity, Classification, Determination string
	AssignedTo, RedirectIncidentID, IncidentWebURL                                string
	CustomTags, SystemTags                                                        []string
	CreatedDateTime, LastUpdateDateTime                                           time.Time
	Comments                                                                      []struct{ Comment, CreatedByDisplayName string }
	Alerts                                                                        []struct {
		ID, Title, Severity, Status, AssignedTo string
		FirstActivityDateTime                   time.Time
		LastActivityDateTime                    time.Time
		MitreTechniques                         []string
		ProductName                             string
		Evidence                                []map[string]any
	}
}

func (i xdrIncident) alertIDs() []string {
	ids := []string{}
	for _, a := range i.Alerts {
		ids = append(ids, a.ID)
	}
	sort.Strings(ids)
	return ids
}

// wsIncident is an incident as the ARM API shows it.
type wsIncident struct {
	Name, ID, ETag string
	Properties     struct {
		Title, Description, Severity, Status                        string
		Classification, ClassificationReason, ClassificationComment string
		ProviderName, ProviderIncidentID                            string
		IncidentURL                                                 string
		IncidentNumber                                              int
		FirstActivityTimeUTC, LastActivityTimeUTC                   time.Time
		CreatedTimeUTC, LastModifiedTimeUTC                         time.Time
		Labels                                                      []struct{ LabelName, LabelType string }
		Owner                                                       struct{ ObjectID, Email, AssignedTo, UserPrincipalName *string }
		AdditionalData                                              struct {
			AlertsCount                               int
			AlertProductNames, Tactics, Techniques    []string
			ProviderIncidentURL, MergedIncidentNumber string
			MergedIncidentURL                         string
		}
	}
}

func (i wsIncident) labels() string {
	var names []string
	for _, l := range i.Properties.Labels {
		names = append(names, l.LabelName)
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}

func (i wsIncident) owner() string {
	for _, p := range []*string{i.Properties.Owner.UserPrincipalName, i.Properties.Owner.Email, i.Properties.Owner.AssignedTo} {
		if p != nil && *p != "" {
			return *p
		}
	}
	return ""
}

// wsAlert is an alert of a workspace incident.
type wsAlert struct {
	Name, Kind string
	Properties struct {
		SystemAlertID, ProviderAlertID, AlertDisplayName, Severity, Status, ProductName string
	}
}

// workspacePath gives the ARM path of the primary workspace, as the program tells it.
func (h *house) workspacePath() string {
	h.t.Helper()
	var list []struct {
		Name, ResourceID, ID string
		Primary              bool
	}
	if err := json.Unmarshal([]byte(h.run("sync", "workspaces", "-o", "json")), &list); err != nil {
		h.t.Fatal(err)
	}
	for _, w := range list {
		if w.Primary {
			return w.ResourceID
		}
	}
	h.t.Fatalf("no primary workspace among %v", list)
	return ""
}

const armVersion = "api-version=2025-07-01-preview"

// insights gives the path of something under Microsoft.SecurityInsights.
func (h *house) insights(rest string) string {
	join := "?"
	if strings.Contains(rest, "?") {
		join = "&"
	}
	return h.workspacePath() + "/providers/Microsoft.SecurityInsights/" + rest + join + armVersion
}

// xdrIncidents lists all incidents of the XDR side, following next links.
func (h *house) xdrIncidents(expand bool) map[string]xdrIncident {
	h.t.Helper()
	next := "/v1.0/security/incidents?$top=50"
	if expand {
		next += "&$expand=alerts"
	}
	out := map[string]xdrIncident{}
	for next != "" {
		var page struct {
			Value []xdrIncident
			Next  string `json:"@odata.nextLink"`
		}
		h.must(toGraph, "GET", next, nil, &page)
		for _, i := range page.Value {
			out[i.ID] = i
		}
		next = page.Next
	}
	return out
}

// wsIncidents lists all incidents of the workspace by the XDR's id.
func (h *house) wsIncidents() map[string]wsIncident {
	h.t.Helper()
	next := h.insights("incidents?$top=100")
	out := map[string]wsIncident{}
	for next != "" {
		var page struct {
			Value    []wsIncident
			NextLink string
		}
		h.must(toARM, "GET", next, nil, &page)
		for _, i := range page.Value {
			out[i.Properties.ProviderIncidentID] = i
		}
		next = page.NextLink
	}
	return out
}

func (h *house) xdrIncident(id string) (i xdrIncident) {
	h.t.Helper()
	h.must(toGraph, "GET", "/v1.0/security/incidents/"+url.PathEscape(id)+"?$expand=alerts", nil, &i)
	return i
}

func (h *house) wsAlerts(name string) []wsAlert {
	h.t.Helper()
	var page struct{ Value []wsAlert }
	h.must(toARM, "POST", h.insights("incidents/"+name+"/alerts"), nil, &page)
	return page.Value
}

// query runs KQL on a side over its published API and gives the rows as text.
func (h *house) query(side, text string) ([][]string, error) {
	if side == "xdr" {
		a, err := h.call(toGraph, "POST", "/v1.0/security/runHuntingQuery", map[string]string{"Query": text})
		if err != nil {
			return nil, err
		}
		var got struct {
			Schema  []struct{ Name, Type string }
			Results []map[string]any
		}
		if a.status != 200 {
			return nil, fmt.Errorf("%d %s", a.status, a.body)
		}
		if err := json.Unmarshal(a.body, &got); err != nil {
			return nil, err
		}
		out := [][]string{}
		for _, r := range got.Results {
			var line []string
			for _, c := range got.Schema {
				line = append(line, show(r[c.Name]))
			}
			out = append(out, line)
		}
		return out, nil
	}
	a, err := h.call(toLogs, "POST", "/v1/workspaces/"+h.workspaceID()+"/query", map[string]string{"query": text})
	if err != nil {
		return nil, err
	}
	if a.status != 200 {
		return nil, fmt.Errorf("%d %s", a.status, a.body)
	}
	var got struct {
		Tables []struct{ Rows [][]any }
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		return nil, err
	}
	out := [][]string{}
	for _, r := range got.Tables[0].Rows {
		var line []string
		for _, c := range r {
			line = append(line, show(c))
		}
		out = append(out, line)
	}
	return out, nil
}

func show(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.6f", v), ".000000")
	default:
		text, _ := json.Marshal(v)
		return string(text)
	}
}

// workspaceID gives the primary workspace's id.
func (h *house) workspaceID() string {
	h.t.Helper()
	var list []struct {
		ID      string
		Primary bool
	}
	if err := json.Unmarshal([]byte(h.run("sync", "workspaces", "-o", "json")), &list); err != nil {
		h.t.Fatal(err)
	}
	for _, w := range list {
		if w.Primary {
			return w.ID
		}
	}
	h.t.Fatal("no primary workspace")
	return ""
}

// rows runs a query that has to succeed.
func (h *house) rows(side, text string) [][]string {
	h.t.Helper()
	got, err := h.query(side, text)
	if err != nil {
		h.t.Fatalf("query the %s side: %s: %v", side, text, err)
	}
	return got
}
