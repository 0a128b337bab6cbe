package workspace

import (
	"strings"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// record is what is stored of an incident beside the incident itself.
type record struct {
	Incident Incident                  `json:"incident"`
	Stamps   map[port.Field]port.Stamp `json:"stamps,omitempty"`
	// Alerts are the system ids of all alerts, earliest first; the incident links the first MaxAlerts.
	Alerts   []string       `json:"alerts,omitempty"`
	Redirect string         `json:"redirect,omitempty"` // provider's id of the incident it was merged into
	Writes   []port.Applied `json:"writes,omitempty"`   // the newest writes of the connector
	Lines    int64          `json:"lines"`              // activity lines so far
	Comments int64          `json:"comments"`           // comments so far, deleted ones too
}

// rememberedWrites is how many of the connector's writes an incident
// remembers. The connector has at most one outstanding at a time.
const rememberedWrites = 16

// The tables of this package. Keys begin with the workspace's id.
var (
	workspaces = state.Table[Workspace]{Name: "workspace/workspaces"}

	incidents = state.Table[record]{Name: "workspace/incidents", Indexes: []state.Index[record]{
		{Name: "number", Keys: func(r record) []string {
			return []string{state.Join(r.Incident.Workspace, state.Number(r.Incident.Number))}
		}},
		{Name: "provider", Keys: func(r record) []string {
			if r.Incident.ProviderName != ProviderXDR {
				return nil
			}
			return []string{state.Join(r.Incident.Workspace, r.Incident.ProviderIncidentID)}
		}},
		{Name: "write", Keys: func(r record) []string {
			keys := make([]string, len(r.Writes))
			for i, w := range r.Writes {
				keys[i] = state.Join(r.Incident.Workspace, w.WriteID)
			}
			return keys
		}},
	}}

	// comments and activities are keyed by workspace, incident and a number
	// that rises within the incident.
	comments   = state.Table[security.Comment]{Name: "workspace/comments"}
	activities = state.Table[Activity]{Name: "workspace/activities"}

	// alerts are keyed by workspace and system id, each stored once.
	alerts = state.Table[security.Alert]{Name: "workspace/alerts"}

	// numbers holds the newest incident number of each workspace.
	numbers = state.Table[int64]{Name: "workspace/numbers"}

	feed = state.Log[Change]{Name: "workspace/feed"}
)

// incidentKey is the key of an incident. Names ignore case, as ARM's do.
func incidentKey(ws, name string) string { return state.Join(ws, strings.ToLower(name)) }

// lineKey is the key of something that is numbered within an incident.
func lineKey(ws, name string, n int64) string {
	return state.Join(ws, strings.ToLower(name), state.Number(n))
}

func linesOf(ws, name string) state.Range { return state.Prefix(ws, strings.ToLower(name)) }

// stamp notes who set a field and when; a time after the receipt is not believed.
func (r *record) stamp(f port.Field, by security.Actor, at, receipt schema.Ticks) {
	if at == 0 || at > receipt {
		at = receipt
	}
	if r.Stamps == nil {
		r.Stamps = map[port.Field]port.Stamp{}
	}
	r.Stamps[f] = port.Stamp{Actor: by, At: at}
}
