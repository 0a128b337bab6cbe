// Package correlation decides where an alert belongs: in an incident that is
// there, in a new one, and whether it shows that two incidents are one story.
// It is pure: values in, values out, the same values for the same input. It
// leaves to xdr what an incident is, which merges are allowed, and where the
// memory of entities is kept.
//
// The rule is bounded evidence linking. Every thing that an alert names is a
// piece of evidence for the incidents in which that thing was seen last; its
// weight falls with time and with the number of other assets that the thing
// was seen with, and a thing seen with too many is no evidence at all. The
// degree is counted over assets, never over incidents, so that a large
// incident can't make a busy thing look quiet.
// Source: reference/correlation.md 4.3.
package correlation

import (
	"lockstep/schema"
	"lockstep/security"
)

// Sight is what correlation uses of one alert.
type Sight struct {
	Alert       string       // its id
	Detector    string       // what raised it, to know the same detection again
	Tactics     []string     // ARM spelling, in kill-chain order
	First, Last schema.Ticks // its activity, by event time
	Pieces      []Piece      // strongest first
}

// Piece is one thing that an alert names, under every key that it is known by.
type Piece struct {
	Kind  security.Kind // or Detection
	Keys  []string
	Asset bool // a host or user: counts as a peer of what is seen with it
}

// Detection is the kind of the piece that stands for what raised the alert:
// a rare detection on two machines within minutes is evidence too.
const Detection security.Kind = "Detection"

// Keys lists the keys of all pieces, whose memory the decision needs.
func (s Sight) Keys() []string {
	var keys []string
	for _, p := range s.Pieces {
		keys = append(keys, p.Keys...)
	}
	return keys
}

// Neighbourhood is what is known around one alert.
type Neighbourhood struct {
	// Home is the incident that holds the alert already, when it is looked at
	// again because it grew; else "".
	Home string
	// Memories holds the memory of each key of the sight that has one.
	Memories map[string]Memory
	// Standing gives an incident that a memory names, or the one that it was
	// merged into; ok is false if there is none. It is asked only for
	// incidents for which there is evidence.
	Standing func(incident string) (s Standing, ok bool)
}

// Standing is an incident as correlation sees it.
type Standing struct {
	Incident  string // its id
	Open      bool   // false: it is resolved and takes no more alerts (facts 3.8)
	Detectors []string
	Tactics   []string // in kill-chain order
}

// Verdict is where an alert goes.
type Verdict struct {
	Join   string // incident to join; "" for a new one
	Link   Link   // the evidence for it
	Merges []Link // further incidents that the alert shows to be the same story, best first
}

// Link is the record of one decision: enough to explain it, to compute its
// score again, and to undo it.
type Link struct {
	Alert    string  `json:"alert"`
	Incident string  `json:"incident"` // the incident linked to; "" when the alert stands alone
	Via      []Via   `json:"via,omitempty"`
	Context  float64 `json:"context,omitempty"` // factor for same detector, next stage, or neither
	Score    float64 `json:"score"`
	Rule     string  `json:"rule"` // rule and version of its parameters
}

// Via is one piece of evidence of a link.
type Via struct {
	Key    string        `json:"key"`
	Kind   security.Kind `json:"kind"`
	Degree int           `json:"degree"` // distinct assets seen with it lately
	Gap    int64         `json:"gap"`    // ticks between the activities
	Weight float64       `json:"weight"`
}

// Memory is what is kept of one key: where it was seen last, and with whom.
type Memory struct {
	Visits []Visit `json:"v"` // oldest first
	Peers  []Peer  `json:"p,omitempty"`
}

// Visit is an incident in which a key was seen, and when.
type Visit struct {
	Incident string `json:"i"`
	First    int64  `json:"f"` // ticks, event time
	Last     int64  `json:"l"`
}

// Peer is an asset seen together with a key. It is known by digests of all
// its keys, for one alert names it by some and the next by others.
type Peer struct {
	Keys []uint32 `json:"k"`
	Seen int64    `json:"s"` // ticks, event time
}

// visit adds a visit at the end, joined with an earlier one of the same incident.
func visit(visits []Visit, v Visit) []Visit {
	out := make([]Visit, 0, len(visits)+1)
	for _, old := range visits {
		if old.Incident != v.Incident {
			out = append(out, old)
			continue
		}
		v.First, v.Last = min(v.First, old.First), max(v.Last, old.Last)
	}
	return append(out, v)
}
