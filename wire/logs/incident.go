package logs

import (
	"encoding/json"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/shape"
)

// Incident is one version of a workspace's incident, as its row of
// SecurityIncident shows it. Empty text and zero times are null in the row.
type Incident struct {
	TenantID              string
	At                    schema.Ticks // TimeGenerated: when this version was made
	Name                  string       // GUID
	Number                int64
	Title                 string
	Description           string
	Severity              security.Severity
	Status                string
	Classification        string
	ClassificationReason  string
	ClassificationComment string
	Owner                 security.Owner
	ProviderName          string
	ProviderIncidentID    string
	ProviderURL           string
	URL                   string
	FirstActivity         schema.Ticks
	LastActivity          schema.Ticks
	FirstModified         schema.Ticks
	Modified              schema.Ticks
	Created               schema.Ticks
	Closed                schema.Ticks
	ModifiedBy            string
	AlertIDs              []string
	AlertTotal            int // alertsCount; 0 means as many as AlertIDs
	BookmarkIDs           []string
	RuleIDs               []string
	Comments              []security.Comment
	Labels                []Label
	Tasks                 []Task
	Products              []string // legacy names
	Tactics               []string
	Techniques            []string
	MergedNumber          string
	MergedURL             string
}

// Label is a tag as a row carries it.
type Label struct {
	Name string `json:"labelName"`
	Type string `json:"labelType"`
}

// Task is a task of an incident.
type Task struct {
	ID, Title, Description       string
	Status                       string // New or Completed
	Created, Modified, Completed schema.Ticks
	CreatedBy, ModifiedBy        security.Actor
}

// task is a task as a row carries it.
type task struct {
	ID          string       `json:"taskId"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Status      string       `json:"status"`
	Created     schema.Ticks `json:"createdTimeUtc"`
	Modified    schema.Ticks `json:"lastModifiedTimeUtc"`
	Completed   schema.Ticks `json:"lastCompletedTimeUtc,omitempty"`
	CreatedBy   author       `json:"createdBy"`
	ModifiedBy  author       `json:"lastModifiedBy"`
}

// owner is an incident's owner or a comment's author, with null for what isn't known.
type owner struct {
	ObjectID   *string `json:"objectId"`
	Email      *string `json:"email"`
	AssignedTo *string `json:"assignedTo"`
	UPN        *string `json:"userPrincipalName"`
}

type author struct {
	ObjectID *string `json:"objectId"`
	Email    *string `json:"email"`
	Name     *string `json:"name"`
	UPN      *string `json:"userPrincipalName"`
}

// authorOf writes who commented: somebody the directory knows with the parts
// of the UPN, anybody else by name alone, as recorded rows do.
func authorOf(a security.Actor) author {
	user, _, isUPN := strings.Cut(a.Name, "@")
	if a.ID == "" || !isUPN {
		return author{ObjectID: pointer(a.ID), Name: pointer(a.Name)}
	}
	return author{ObjectID: pointer(a.ID), Email: pointer(a.Name), Name: pointer(user), UPN: pointer(a.Name)}
}

func (a author) actor() security.Actor {
	return security.Actor{Kind: security.Person, ID: value(a.ObjectID), Name: either(value(a.UPN), value(a.Name))}
}

type comment struct {
	Message  string `json:"message"`
	Created  string `json:"createdTimeUtc"`
	Modified string `json:"lastModifiedTimeUtc"`
	Author   author `json:"author"`
}

type additional struct {
	Alerts       int      `json:"alertsCount"`
	Bookmarks    int      `json:"bookmarksCount"`
	Comments     int      `json:"commentsCount"`
	Products     []string `json:"alertProductNames"`
	Tactics      []string `json:"tactics"`
	Techniques   []string `json:"techniques"`
	ProviderURL  string   `json:"providerIncidentUrl,omitempty"`
	MergedNumber string   `json:"mergedIncidentNumber,omitempty"`
	MergedURL    string   `json:"mergedIncidentUrl,omitempty"`
}

// IncidentRow lays a version out as a SecurityIncident row: values by column,
// ready for rows. Times are texts, dynamic values JSON texts, an owner nobody
// knows is written under assignedTo. Source: facts 3.6 and recorded rows.
func IncidentRow(i Incident) (map[string]any, error) {
	row := map[string]any{
		"TenantId": i.TenantID, "TimeGenerated": i.At.String(), "IncidentName": i.Name, "IncidentNumber": i.Number,
		"Title": i.Title, "Description": orNull(i.Description), "Severity": i.Severity.Title(), "Status": i.Status,
		"Classification": orNull(i.Classification), "ClassificationComment": orNull(i.ClassificationComment), "ClassificationReason": orNull(i.ClassificationReason),
		"ProviderName": i.ProviderName, "ProviderIncidentId": i.ProviderIncidentID, "IncidentUrl": i.URL, "ModifiedBy": i.ModifiedBy,
		"FirstActivityTime": timeOrNull(i.FirstActivity), "LastActivityTime": timeOrNull(i.LastActivity),
		"FirstModifiedTime": timeOrNull(i.FirstModified), "LastModifiedTime": timeOrNull(i.Modified),
		"CreatedTime": timeOrNull(i.Created), "ClosedTime": timeOrNull(i.Closed),
		"SourceSystem": "Azure", "Type": "SecurityIncident",
	}
	comments := make([]comment, len(i.Comments))
	for n, c := range i.Comments {
		comments[n] = comment{c.Text, c.Created.String(), c.Created.String(), authorOf(c.Author)}
	}
	tasks := make([]task, len(i.Tasks))
	for n, t := range i.Tasks {
		tasks[n] = task{t.ID, t.Title, t.Description, t.Status, t.Created, t.Modified, t.Completed, authorOf(t.CreatedBy), authorOf(t.ModifiedBy)}
	}
	alerts := i.AlertTotal
	if alerts == 0 {
		alerts = len(i.AlertIDs)
	}
	for _, d := range []struct {
		column string
		value  any
	}{
		{"Owner", owner{pointer(i.Owner.ObjectID), pointer(i.Owner.Email), pointer(i.Owner.AssignedTo), pointer(i.Owner.UPN)}},
		{"RelatedAnalyticRuleIds", filled(i.RuleIDs)}, {"AlertIds", filled(i.AlertIDs)}, {"BookmarkIds", filled(i.BookmarkIDs)},
		{"Comments", comments}, {"Tasks", tasks}, {"Labels", append([]Label{}, i.Labels...)},
		{"AdditionalData", additional{alerts, len(i.BookmarkIDs), len(i.Comments), filled(i.Products), filled(i.Tactics), filled(i.Techniques), i.ProviderURL, i.MergedNumber, i.MergedURL}},
	} {
		text, err := shape.JSON(d.value)
		if err != nil {
			return nil, fault.New(fault.Internal, "lay out %s of incident %s: %w", d.column, i.Name, err)
		}
		row[d.column] = text
	}
	return row, nil
}

// ReadIncident reads a SecurityIncident row, as a check against recorded rows
// and as what a client of a real workspace sees. Dynamic values may be JSON
// texts or JSON.
func ReadIncident(row []byte) (Incident, error) {
	columns, err := shape.Object(row)
	if err != nil {
		return Incident{}, err
	}
	text := func(name string) string { return columnText(columns[name]) }
	i := Incident{
		TenantID: text("TenantId"), Name: text("IncidentName"), Title: text("Title"), Description: text("Description"),
		Severity: security.ParseSeverity(text("Severity")), Status: text("Status"), Classification: text("Classification"),
		ClassificationReason: text("ClassificationReason"), ClassificationComment: text("ClassificationComment"),
		ProviderName: text("ProviderName"), ProviderIncidentID: text("ProviderIncidentId"), URL: text("IncidentUrl"), ModifiedBy: text("ModifiedBy"),
	}
	for _, c := range []struct {
		name string
		into *schema.Ticks
	}{
		{"TimeGenerated", &i.At}, {"FirstActivityTime", &i.FirstActivity}, {"LastActivityTime", &i.LastActivity}, {"FirstModifiedTime", &i.FirstModified},
		{"LastModifiedTime", &i.Modified}, {"CreatedTime", &i.Created}, {"ClosedTime", &i.Closed},
	} {
		if err := c.into.UnmarshalText([]byte(text(c.name))); err != nil {
			return i, fault.At(c.name, "%w", err)
		}
	}
	var who owner
	var notes []comment
	var tasks []task
	var data additional
	for _, d := range []struct {
		name string
		into any
	}{
		{"IncidentNumber", &i.Number}, {"Owner", &who}, {"RelatedAnalyticRuleIds", &i.RuleIDs}, {"AlertIds", &i.AlertIDs}, {"BookmarkIds", &i.BookmarkIDs},
		{"Comments", &notes}, {"Tasks", &tasks}, {"Labels", &i.Labels}, {"AdditionalData", &data},
	} {
		if value := text(d.name); strings.TrimSpace(value) != "" {
			if err := json.Unmarshal([]byte(value), d.into); err != nil {
				return i, fault.At(d.name, "%w", err)
			}
		}
	}
	i.Owner = security.Owner{ObjectID: value(who.ObjectID), Email: value(who.Email), AssignedTo: value(who.AssignedTo), UPN: value(who.UPN)}
	for _, c := range notes {
		note := security.Comment{Text: c.Message, Author: c.Author.actor()}
		if err := note.Created.UnmarshalText([]byte(c.Created)); err != nil {
			return i, fault.At("Comments", "%w", err)
		}
		i.Comments = append(i.Comments, note)
	}
	for _, t := range tasks {
		i.Tasks = append(i.Tasks, Task{t.ID, t.Title, t.Description, t.Status, t.Created, t.Modified, t.Completed, t.CreatedBy.actor(), t.ModifiedBy.actor()})
	}
	i.Products, i.Tactics, i.Techniques, i.ProviderURL = data.Products, data.Tactics, data.Techniques, data.ProviderURL
	i.AlertTotal, i.MergedNumber, i.MergedURL = data.Alerts, data.MergedNumber, data.MergedURL
	return i, nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func timeOrNull(t schema.Ticks) any {
	if t == 0 {
		return nil
	}
	return t.String()
}

func pointer(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
