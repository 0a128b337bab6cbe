// Package xdr is the Defender side: it takes alerts in, keeps them with their
// evidence, puts each into exactly one incident by correlation, names and
// merges incidents, lets people work on them, and tells what changed in a
// feed. It leaves wire shapes to wire and the faces, hunting rows to tables,
// the workspace to connector, and time, ids and durability to those who make
// it. It starts no goroutine and holds no timer.
package xdr

import (
	"lockstep/schema"
	"lockstep/security"
)

// Status is an incident's state in the XDR's words (Graph incidentStatus).
type Status string

// The states. Redirected is set by a merge alone.
const (
	Active         Status = "active"
	InProgress     Status = "inProgress"
	AwaitingAction Status = "awaitingAction"
	Resolved       Status = "resolved"
	Redirected     Status = "redirected"
)

// Incident is a story of one or more alerts. Classification and determination
// are Graph enum values, "unknown" when unset.
type Incident struct {
	ID      string `json:"id"` // a number in decimal, rising
	Version int64  `json:"version"`

	DisplayName       string            `json:"displayName"`
	DisplayNameByHand bool              `json:"displayNameByHand,omitempty"`
	Description       string            `json:"description"`
	Severity          security.Severity `json:"severity"`
	SeverityByHand    bool              `json:"severityByHand,omitempty"`
	Status            Status            `json:"status"`
	Classification    string            `json:"classification"`
	Determination     string            `json:"determination"`
	ResolvingComment  string            `json:"resolvingComment,omitempty"`
	Owner             security.Owner    `json:"owner"`
	CustomTags        []string          `json:"customTags,omitempty"`
	SystemTags        []string          `json:"systemTags,omitempty"`

	Created       schema.Ticks   `json:"created"`
	Updated       schema.Ticks   `json:"updated"`
	FirstActivity schema.Ticks   `json:"firstActivity"`
	LastActivity  schema.Ticks   `json:"lastActivity"`
	ResolvedAt    schema.Ticks   `json:"resolvedAt,omitempty"`
	LastModifier  security.Actor `json:"lastModifier"`

	AlertIDs    []string `json:"alertIds"`
	Products    []string `json:"products"` // service sources
	Tactics     []string `json:"tactics"`  // in kill-chain order
	Techniques  []string `json:"techniques"`
	EntityCount int      `json:"entityCount"`

	RedirectID string   `json:"redirectId,omitempty"` // where it was merged into; always a live incident
	MergedIDs  []string `json:"mergedIds,omitempty"`  // those merged into it
}

// Activity is one line of an incident's activity log.
type Activity struct {
	Incident string         `json:"incident"`
	Version  int64          `json:"version"`
	At       schema.Ticks   `json:"at"`
	Actor    security.Actor `json:"actor"`
	Deed     string         `json:"deed"` // for example statusChanged, alertAdded, merged, commented, refused
	From     string         `json:"from,omitempty"`
	To       string         `json:"to,omitempty"`
	Text     string         `json:"text"`             // the whole, as a sentence
	Origin   string         `json:"origin,omitempty"` // incident it was copied from by a merge
}

// Patch is a change that somebody asks for. A nil field stays as it is.
type Patch struct {
	Status           *Status
	Classification   *string
	Determination    *string
	ResolvingComment *string
	AssignedTo       *string         // UPN, mail, name or object id; "" unassigns
	Owner            *security.Owner // instead of AssignedTo, when already resolved
	Severity         *security.Severity
	DisplayName      *string
	Description      *string
	CustomTags       *[]string // the whole set
	AddTags          []string
	RemoveTags       []string
	AddComments      []security.Comment // ids empty: given here
}

// Selection selects incidents or alerts for a list. Match may be nil.
type Selection[T any] struct {
	Match func(T) bool
	// Before and Limit page through the list, newest first: ids strictly
	// before Before ("" from the newest on); Limit 0 means 50.
	Before string
	Limit  int
	Skip   int
	Less   func(a, b T) bool // another order than newest first; then paging is by Skip
	Count  bool              // fill Page.Total, which reads all; with Less it is filled anyway
}

// Page is one page of a list. Total counts all that match, -1 if it wasn't asked for.
type Page[T any] struct {
	Items []T
	Next  string // Before of the next page; "" at the end
	Total int
}

// Change is an entry of the XDR's change feed.
type Change struct {
	Kind     string       `json:"kind"` // incident or alert
	ID       string       `json:"id"`
	Version  int64        `json:"version"`
	Incident string       `json:"incident"` // for an alert, the incident that holds it
	At       schema.Ticks `json:"at"`
}
