// Package workspace is the Sentinel side: workspaces, each with its incident
// queue in its own vocabulary, its alerts, comments, labels and owners, the
// service's limits, and a feed of what changed, from which the history tables
// are projected. It leaves the XDR to connector, rows to tables, wire shapes
// to the faces. It starts no goroutine and holds no timer.
package workspace

import (
	"lockstep/schema"
	"lockstep/security"
)

// Workspace is one workspace of the tenant.
type Workspace struct {
	ID             string `json:"id"`   // GUID; customerId of the query API
	Name           string `json:"name"` // of the resource
	SubscriptionID string `json:"subscriptionId"`
	ResourceGroup  string `json:"resourceGroup"`
	Primary        bool   `json:"primary"`
	Onboarded      bool   `json:"onboarded"` // to the unified platform
	RetentionDays  int    `json:"retentionDays"`
}

// ResourceID is the workspace's ARM path, beginning with /subscriptions/.
func (w Workspace) ResourceID() string {
	return "/subscriptions/" + w.SubscriptionID + "/resourceGroups/" + w.ResourceGroup +
		"/providers/Microsoft.OperationalInsights/workspaces/" + w.Name
}

// Status is an incident's state in the workspace's words (ARM IncidentStatus).
type Status string

// The states.
const (
	StatusNew    Status = "New"
	StatusActive Status = "Active"
	StatusClosed Status = "Closed"
)

// Incident is an incident of a workspace's queue.
type Incident struct {
	Workspace string `json:"workspace"` // workspace id
	Name      string `json:"name"`      // GUID; UUIDv5 of the provider's id for synchronised ones
	Number    int64  `json:"number"`    // sequential in the workspace
	Version   int64  `json:"version"`
	ETag      string `json:"etag"` // quoted GUID, another one each version

	Title                 string            `json:"title"`
	Description           string            `json:"description"`
	Severity              security.Severity `json:"severity"`
	SeverityByHand        bool              `json:"severityByHand,omitempty"`
	Status                Status            `json:"status"`
	Classification        string            `json:"classification,omitempty"`
	ClassificationReason  string            `json:"classificationReason,omitempty"`
	ClassificationComment string            `json:"classificationComment,omitempty"`
	Owner                 security.Owner    `json:"owner"`
	Labels                []Label           `json:"labels,omitempty"`

	Created       schema.Ticks   `json:"created"`
	Modified      schema.Ticks   `json:"modified"`
	FirstModified schema.Ticks   `json:"firstModified,omitempty"`
	ClosedAt      schema.Ticks   `json:"closedAt,omitempty"`
	FirstActivity schema.Ticks   `json:"firstActivity"`
	LastActivity  schema.Ticks   `json:"lastActivity"`
	ModifiedBy    security.Actor `json:"modifiedBy"`

	ProviderName       string   `json:"providerName"` // "Azure Sentinel" or "Microsoft XDR"
	ProviderIncidentID string   `json:"providerIncidentId"`
	ProviderURL        string   `json:"providerUrl,omitempty"`
	AlertIDs           []string `json:"alertIds"`   // SystemAlertIds shown: at most MaxAlerts
	AlertTotal         int      `json:"alertTotal"` // all of them; over MaxAlerts the page shows 150+
	EntityCount        int      `json:"entityCount"`
	Products           []string `json:"products"` // alertProductNames
	Tactics            []string `json:"tactics"`
	Techniques         []string `json:"techniques"`
	RuleIDs            []string `json:"ruleIds,omitempty"`
	CommentCount       int      `json:"commentCount"`
	MergedNumber       int64    `json:"mergedNumber,omitempty"` // number of the incident it was merged into
	MergedURL          string   `json:"mergedUrl,omitempty"`
}

// Label is a tag of an incident.
type Label struct {
	Name string `json:"name"`
	Type string `json:"type"` // User or AutoAssigned
}

// MaxAlerts is the number of alerts that a workspace incident links (facts 5.1).
const MaxAlerts = 150

// Put is the whole incident as a client states it (ARM PUT). Title, severity
// and status are required; what the XDR owns is accepted and not stored.
type Put struct {
	Title, Description    string
	Severity              security.Severity
	Status                Status
	Classification        string
	ClassificationReason  string
	ClassificationComment string
	Owner                 *security.Owner // nil: not stated, stays
	Labels                *[]string       // nil: not stated, stays
	FirstActivity         schema.Ticks
	LastActivity          schema.Ticks
}

// Change is an entry of a workspace's change feed. A deleted incident has no
// snapshot.
type Change struct {
	Workspace string       `json:"workspace"`
	Kind      string       `json:"kind"` // incident or alert
	ID        string       `json:"id"`   // incident name, or system alert id
	Version   int64        `json:"version"`
	At        schema.Ticks `json:"at"`
	// Snapshot is the record as of this version, so that history rows can be
	// made later without losing a state in between.
	Incident *Incident       `json:"incident,omitempty"`
	Alert    *security.Alert `json:"alert,omitempty"`
}

// Activity is one line of an incident's activity log.
type Activity struct {
	Incident string         `json:"incident"`
	Version  int64          `json:"version"`
	At       schema.Ticks   `json:"at"`
	Actor    security.Actor `json:"actor"`
	Deed     string         `json:"deed"`
	From     string         `json:"from,omitempty"`
	To       string         `json:"to,omitempty"`
	Text     string         `json:"text"`
}
