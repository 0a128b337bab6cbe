package portal

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// The shapes below are what our pages read; web/src/wire.ts mirrors them.
// Times are RFC 3339 in UTC, "" where there is none. Lists are never null.

// Person is somebody as pages show them.
type Person struct {
	ID   string `json:"id"`   // object id, "" when unknown
	UPN  string `json:"upn"`  // what a patch sends to assign to them
	Name string `json:"name"` // display name
}

func personOf(o security.Owner) Person {
	p := Person{ID: o.ObjectID, UPN: o.UPN, Name: o.AssignedTo}
	if p.UPN == "" {
		p.UPN = o.Text()
	}
	if p.Name == "" {
		p.Name = o.Text()
	}
	return p
}

// ownerOf is nil where nobody is assigned.
func ownerOf(o security.Owner) *Person {
	if o.IsZero() {
		return nil
	}
	p := personOf(o)
	return &p
}

// WorkspaceView is a workspace in a list.
type WorkspaceView struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	Primary       bool            `json:"primary"`
	Onboarded     bool            `json:"onboarded"`
	RetentionDays int             `json:"retentionDays"`
	ResourceID    string          `json:"resourceId"`
	May           map[Action]bool `json:"may"`
}

// Row is an incident in a queue, of either side. Status is in that side's own words.
type Row struct {
	ID             string            `json:"id"`     // in URLs: the XDR's number, or the workspace's GUID
	Number         string            `json:"number"` // as people say it
	Version        int64             `json:"version"`
	Title          string            `json:"title"`
	Severity       security.Severity `json:"severity"`
	Status         string            `json:"status"`
	Classification string            `json:"classification"` // "" when unset
	Reason         string            `json:"reason"`         // determination, or classification reason
	Owner          *Person           `json:"owner"`
	Tags           []string          `json:"tags"`
	SystemTags     []string          `json:"systemTags"`
	Created        schema.Ticks      `json:"created"`
	Updated        schema.Ticks      `json:"updated"`
	FirstActivity  schema.Ticks      `json:"firstActivity"`
	LastActivity   schema.Ticks      `json:"lastActivity"`
	Alerts         int               `json:"alerts"`     // all of them
	AlertsText     string            `json:"alertsText"` // as the queue shows it: "150+" where links are capped
	Entities       int               `json:"entities"`
	Products       []string          `json:"products"` // current names
	Tactics        []string          `json:"tactics"`
	Techniques     []string          `json:"techniques"`
	Provider       string            `json:"provider"`
	ProviderID     string            `json:"providerId"`
	Redirect       string            `json:"redirect"` // id (XDR) or number (workspace) it was merged into
}

// QueuePage is one page of a queue. Total counts all that match.
type QueuePage struct {
	Items []Row `json:"items"`
	Total int   `json:"total"`
	Skip  int   `json:"skip"`
}

// Detail is an incident's page.
type Detail struct {
	Row
	Description string         `json:"description"`
	Comment     string         `json:"comment"` // with the closing reason
	ETag        string         `json:"etag"`    // of the workspace side
	Modifier    string         `json:"modifier"`
	ClosedAt    schema.Ticks   `json:"closedAt"`
	AlertList   []AlertView    `json:"alertList"`
	EntityList  []EntityView   `json:"entityList"`
	Comments    []CommentView  `json:"comments"`
	Activity    []ActivityView `json:"activity"`
	Parallel    []Link         `json:"parallel"`
	// MergedInto is where the incident's content is now; the page of a merged
	// XDR incident leads there. MergedFrom are those merged into this one.
	MergedInto *Link           `json:"mergedInto"`
	MergedFrom []string        `json:"mergedFrom"`
	May        map[Action]bool `json:"may"`
}

// Link leads to an incident's page, on either side.
type Link struct {
	Side      schema.Side `json:"side"`
	Workspace string      `json:"workspace"` // name
	ID        string      `json:"id"`
	Number    string      `json:"number"`
	Path      string      `json:"path"`
}

// AlertView is an alert of an incident.
type AlertView struct {
	ID             string               `json:"id"`
	Title          string               `json:"title"`
	Description    string               `json:"description"`
	Severity       security.Severity    `json:"severity"`
	Status         security.AlertStatus `json:"status"`
	Category       string               `json:"category"`
	Product        string               `json:"product"`   // current name
	Detection      string               `json:"detection"` // the technology, as AlertInfo names it
	ProviderID     string               `json:"providerId"`
	SystemID       string               `json:"systemId"`
	Classification string               `json:"classification"`
	Determination  string               `json:"determination"`
	AssignedTo     string               `json:"assignedTo"`
	Tactics        []string             `json:"tactics"`
	Techniques     []string             `json:"techniques"`
	Created        schema.Ticks         `json:"created"`
	FirstActivity  schema.Ticks         `json:"firstActivity"`
	LastActivity   schema.Ticks         `json:"lastActivity"`
	Actions        string               `json:"actions"` // what the product recommends
	Link           string               `json:"link"`    // to the product's page: https only
	Evidence       int                  `json:"evidence"`
}

// EntityView is an entity of an incident with what its alerts say of it.
type EntityView struct {
	Kind        security.Kind `json:"kind"`
	Name        string        `json:"name"`
	Verdict     string        `json:"verdict"` // the worst that an alert gives
	Remediation string        `json:"remediation"`
	Roles       []string      `json:"roles"`
	Alerts      int           `json:"alerts"` // how many name it
	Fields      [][2]string   `json:"fields"` // in order of name
}

// CommentView is a comment as pages show it.
type CommentView struct {
	ID      string       `json:"id"`
	Author  string       `json:"author"`
	Kind    string       `json:"kind"` // person, automation, system
	Text    string       `json:"text"`
	Created schema.Ticks `json:"created"`
	Origin  string       `json:"origin"` // incident a merge copied it from
}

// ActivityView is a line of the activity log.
type ActivityView struct {
	At      schema.Ticks `json:"at"`
	Version int64        `json:"version"`
	Actor   string       `json:"actor"`
	Kind    string       `json:"kind"`
	Deed    string       `json:"deed"`
	Text    string       `json:"text"`
	From    string       `json:"from"`
	To      string       `json:"to"`
	Origin  string       `json:"origin"`
}

// unset turns the value that stands for "not set" on either side into "".
func unset(value string) string {
	switch strings.ToLower(value) {
	case "unknown", "undetermined":
		return ""
	}
	return value
}

// some makes a list that is never null in JSON.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// currentProducts gives products' current names for any of their names.
func currentProducts(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		if p, ok := security.ProductNamed(n); ok {
			n = p.Name
		}
		if n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func xdrRow(i xdr.Incident) Row {
	return Row{
		ID: i.ID, Number: i.ID, Version: i.Version, Title: i.DisplayName, Severity: i.Severity, Status: string(i.Status),
		Classification: unset(i.Classification), Reason: unset(i.Determination), Owner: ownerOf(i.Owner),
		Tags: some(i.CustomTags), SystemTags: some(i.SystemTags),
		Created: i.Created, Updated: i.Updated, FirstActivity: i.FirstActivity, LastActivity: i.LastActivity,
		Alerts: len(i.AlertIDs), AlertsText: strconv.Itoa(len(i.AlertIDs)), Entities: i.EntityCount,
		Products: currentProducts(i.Products), Tactics: some(i.Tactics), Techniques: some(i.Techniques),
		Provider: "Defender XDR", ProviderID: i.ID, Redirect: i.RedirectID,
	}
}

func workspaceRow(i workspace.Incident) Row {
	r := Row{
		ID: i.Name, Number: strconv.FormatInt(i.Number, 10), Version: i.Version, Title: i.Title, Severity: i.Severity, Status: string(i.Status),
		Classification: i.Classification, Reason: i.ClassificationReason, Owner: ownerOf(i.Owner), Tags: []string{}, SystemTags: []string{},
		Created: i.Created, Updated: i.Modified, FirstActivity: i.FirstActivity, LastActivity: i.LastActivity,
		Alerts: max(i.AlertTotal, len(i.AlertIDs)), Entities: i.EntityCount,
		Products: currentProducts(i.Products), Tactics: some(i.Tactics), Techniques: some(i.Techniques),
		Provider: i.ProviderName, ProviderID: i.ProviderIncidentID,
	}
	r.AlertsText = strconv.Itoa(r.Alerts)
	if r.Alerts > workspace.MaxAlerts {
		r.AlertsText = strconv.Itoa(workspace.MaxAlerts) + "+"
	}
	for _, l := range i.Labels {
		if l.Type == "AutoAssigned" {
			r.SystemTags = append(r.SystemTags, l.Name)
		} else {
			r.Tags = append(r.Tags, l.Name)
		}
	}
	if i.MergedNumber != 0 {
		r.Redirect = strconv.FormatInt(i.MergedNumber, 10)
	}
	return r
}

func alertView(a security.Alert) AlertView {
	v := AlertView{
		ID: a.ID, Title: a.Title, Description: a.Description, Severity: a.Severity, Status: a.Status, Category: a.Category,
		Detection: a.DetectionSource, ProviderID: a.ProviderID, SystemID: a.SystemID,
		Classification: unset(a.Classification), Determination: unset(a.Determination), AssignedTo: a.AssignedTo,
		Tactics: some(a.Tactics), Techniques: some(a.Techniques), Created: a.Created, FirstActivity: a.FirstActivity, LastActivity: a.LastActivity,
		Actions: a.RecommendedActions, Evidence: len(a.Evidence), Product: a.ProductName,
	}
	if d, ok := security.DetectionNamed(a.DetectionSource); ok && d.Hunting != "" {
		v.Detection = d.Hunting
	}
	if p, ok := security.ProductOf(a.ServiceSource); ok {
		v.Product = p.Name
	} else if p, ok := security.ProductNamed(a.ProductName); ok {
		v.Product = p.Name
	}
	// A link comes from outside; one that could run a script is no link.
	if strings.HasPrefix(strings.ToLower(a.AlertLink), "https://") {
		v.Link = a.AlertLink
	}
	return v
}

func alertViews(alerts []security.Alert) []AlertView {
	out := make([]AlertView, 0, len(alerts))
	for _, a := range alerts {
		out = append(out, alertView(a))
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].FirstActivity > out[j].FirstActivity })
	return out
}

func commentViews(list []security.Comment) []CommentView {
	out := make([]CommentView, 0, len(list))
	for _, c := range list {
		out = append(out, CommentView{ID: c.ID, Author: c.Author.Name, Kind: string(c.Author.Kind), Text: c.Text, Created: c.Created, Origin: c.Origin})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Created > out[j].Created })
	return out
}

// newestFirst orders activity lines; those of one moment keep their reverse order.
func newestFirst(list []ActivityView) []ActivityView {
	slices.Reverse(list)
	sort.SliceStable(list, func(i, j int) bool { return list[i].At > list[j].At })
	return list
}
