package connector

import (
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// link is what is remembered of one pair of incidents.
type link struct {
	Workspace string          `json:"workspace"`
	XDR       string          `json:"xdr"`
	Name      string          `json:"name"`           // of the workspace incident
	Base      *reconcile.Base `json:"base,omitempty"` // nil: nothing was ever agreed
	Intent    *intent         `json:"intent,omitempty"`
	Hole      *Hole           `json:"hole,omitempty"`
	Decisions int64           `json:"decisions"`      // so far
	Seen      int64           `json:"seen,omitempty"` // version of the XDR's incident that was decided on last
}

// incidentOn is the pair's incident on a side.
func (l link) incidentOn(s reconcile.Side) string {
	if s == reconcile.XDR {
		return l.XDR
	}
	return l.Name
}

// intent is a decision whose writes are on their way. It is durable before the
// first of them is sent, so that after a crash each can be asked after by its
// id (DESIGN, writes across the connector).
type intent struct {
	Decision int64     `json:"decision"`
	Steps    []pending `json:"steps"`
}

// pending is one write on its way, and what is agreed once it was made.
type pending struct {
	Side    reconcile.Side  `json:"side"`
	WriteID string          `json:"writeId"`
	Settles reconcile.Delta `json:"settles"`
}

// Hole is an incident that keeps failing, or a part of a feed or list that
// can't be read: it is left out and tried again now and then.
type Hole struct {
	XDR      string       `json:"xdr"`             // "" if it isn't known which incident
	Where    string       `json:"where,omitempty"` // the part of a feed or list, in words
	Since    schema.Ticks `json:"since"`
	Attempts int          `json:"attempts"`
	Next     schema.Ticks `json:"next"`
	Error    string       `json:"error"`
}

// Decision is an entry of the journal: what was seen, what was decided, why,
// and what became of it.
type Decision struct {
	Workspace string             `json:"workspace"`
	XDR       string             `json:"xdr"`
	Name      string             `json:"name"`
	Number    int64              `json:"number"` // counts from 1 for each pair
	At        schema.Ticks       `json:"at"`
	Cause     Cause              `json:"cause"`
	SawXDR    Seen               `json:"sawXdr"`
	SawWork   *Seen              `json:"sawWorkspace,omitempty"` // nil: there was no incident
	Base      *reconcile.Base    `json:"base,omitempty"`         // as agreed before
	Reasons   []reconcile.Reason `json:"reasons,omitempty"`
	Writes    []Sent             `json:"writes,omitempty"`
}

// Cause is what led to a decision.
type Cause string

// The causes.
const (
	CauseXDR       Cause = "xdr"       // the XDR's feed
	CauseWorkspace Cause = "workspace" // the workspace's feed
	CauseResync    Cause = "resync"    // the comparison of all
	CauseRetry     Cause = "retry"     // it failed before, or the incident changed meanwhile
	CauseRecovery  Cause = "recovery"  // it was on its way when the process ended, or is a hole
	CauseTarget    Cause = "target"    // another one was merged into it
	CauseVerify    Cause = "verify"    // somebody had both sides compared
)

// Seen is an incident as a decision saw it.
type Seen struct {
	Version    int64             `json:"version"`
	Resolution port.Resolution   `json:"resolution"`
	Owner      string            `json:"owner,omitempty"`
	Assigned   security.Owner    `json:"assigned,omitzero"` // the owner with all that is known of him
	Severity   security.Severity `json:"severity"`
	Tags       []string          `json:"tags,omitempty"`
	Comments   int               `json:"comments"`
	Alerts     int               `json:"alerts"`
	Redirect   string            `json:"redirect,omitempty"`
}

func seen(i port.Incident) Seen {
	return Seen{
		Version: i.Version, Resolution: i.Resolution, Owner: i.Owner.Text(), Assigned: i.Owner, Severity: i.Severity, Tags: i.Tags,
		Comments: len(i.Comments), Alerts: len(i.Content.Alerts), Redirect: i.Content.Redirect,
	}
}

// Sent is one write of a decision.
type Sent struct {
	Side     reconcile.Side `json:"side"`
	WriteID  string         `json:"writeId"`
	Incident string         `json:"incident"`
	Outcome  Outcome        `json:"outcome"`
	Version  int64          `json:"version,omitempty"` // made by it
	At       schema.Ticks   `json:"at,omitempty"`
	Error    string         `json:"error,omitempty"`
}

// Outcome is what became of a write.
type Outcome string

// The outcomes.
const (
	Pending Outcome = "pending" // sent, no answer yet
	Made    Outcome = "made"
	Found   Outcome = "found"   // made, as it turned out when the answer was lost
	Refused Outcome = "refused" // the incident had changed, or the side doesn't take it
	Dropped Outcome = "dropped" // never arrived
	Unknown Outcome = "unknown" // its answer was lost, and the side can't be asked
)

// position is how far both feeds were followed: every hint up to it was dealt with.
type position struct {
	XDR       int64 `json:"xdr"`
	Workspace int64 `json:"workspace"`
	Gaps      []gap `json:"gaps,omitempty"`
}

// The tables of this package. Keys begin with the workspace's id.
var (
	connections = state.Table[Connection]{Name: "connector/connections"}
	positions   = state.Table[position]{Name: "connector/positions"}
	decisions   = state.Table[Decision]{Name: "connector/decisions"}

	links = state.Table[link]{Name: "connector/links", Indexes: []state.Index[link]{
		{Name: "name", Keys: func(l link) []string { return []string{state.Join(l.Workspace, l.Name)} }},
		{Name: "open", Keys: func(l link) []string {
			if l.Intent == nil && l.Hole == nil {
				return nil
			}
			return []string{l.Workspace}
		}},
		{Name: "hole", Keys: func(l link) []string {
			if l.Hole == nil {
				return nil
			}
			return []string{l.Workspace}
		}},
	}}
)

func linkKey(ws, xdr string) string { return state.Join(ws, xdr) }

func decisionKey(ws, xdr string, n int64) string { return state.Join(ws, xdr, state.Number(n)) }

// nameOf is the name of the workspace incident for one of the XDR's.
func (s *Service) nameOf(ws, xdr string) string {
	return security.DerivedID("workspace incident", state.Join(s.o.TenantID, ws, xdr))
}
