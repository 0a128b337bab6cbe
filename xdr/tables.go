package xdr

import (
	"strconv"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/xdr/correlation"
)

// The tables of this side in the state. Incidents are keyed by their number,
// so that keys sort as they were made.
var (
	incidents = state.Table[Incident]{Name: "xdr/incidents"}
	books     = state.Table[book]{Name: "xdr/books"}
	casts     = state.Table[[]thing]{Name: "xdr/casts"}
	alerts    = state.Table[alertRecord]{Name: "xdr/alerts", Indexes: []state.Index[alertRecord]{
		{Name: "created", Keys: func(r alertRecord) []string { return []string{state.Number(int64(r.Alert.Created))} }},
	}}
	comments = state.Table[commentRecord]{Name: "xdr/comments", Indexes: []state.Index[commentRecord]{
		{Name: "id", Keys: func(c commentRecord) []string {
			return []string{state.Join(incidentKey(c.Incident), c.Comment.ID)}
		}},
	}}
	activities = state.Table[Activity]{Name: "xdr/activities"}
	memories   = state.Table[memoryRecord]{Name: "xdr/memories"}
	pasts      = state.Table[standing]{Name: "xdr/pasts"}          // by incident and number
	merges     = state.Table[correlation.Link]{Name: "xdr/merges"} // by source incident
	seams      = state.Table[seam]{Name: "xdr/seams"}              // by source incident
	refusals   = state.Table[string]{Name: "xdr/refusals"}         // reasons by pair of incidents
	writes     = state.Table[port.Applied]{Name: "xdr/writes"}     // by WriteID
	counters   = state.Table[int64]{Name: "xdr/counters"}          // numbers given out
	feed       = state.Log[Change]{Name: "xdr/feed"}
)

// alertRecord is an alert as kept.
type alertRecord struct {
	Alert  security.Alert   `json:"alert"`
	Seen   []string         `json:"seen"`           // fingerprints of what the source sent, newest last
	Source schema.Ticks     `json:"source"`         // Updated of the source's newest version
	ByHand map[string]bool  `json:"hand,omitempty"` // fields that were set here: the source doesn't set them again
	Link   correlation.Link `json:"link"`           // why it was put where it was put first
}

// memoryRecord is what correlation remembers of a key, and when it was added to.
type memoryRecord struct {
	correlation.Memory
	At schema.Ticks `json:"at"`
}

// book is what is kept of an incident beside what everybody sees.
type book struct {
	Profile    profile                   `json:"profile"`
	Comments   int64                     `json:"comments,omitempty"`
	Activities int64                     `json:"activities,omitempty"`
	Pasts      int64                     `json:"pasts,omitempty"`
	Stamps     map[port.Field]port.Stamp `json:"stamps,omitempty"`
	Parted     []string                  `json:"parted,omitempty"` // incidents from which it was parted
}

// commentRecord is a comment of an incident.
type commentRecord struct {
	Incident string           `json:"incident"`
	Comment  security.Comment `json:"comment"`
}

// incidentKey is the key of an incident's id; "" for what can't be one.
func incidentKey(id string) string {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != id {
		return ""
	}
	return state.Number(n)
}
