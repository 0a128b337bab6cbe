package file

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"lockstep/fault"
	"lockstep/schema"
)

// History is what the real services made of a recorded tenant: its incidents
// with their states and alerts. It is the truth to set beside ours.
type History struct {
	Incidents []Recorded
}

// Recorded is one incident as the recorded workspace had it.
type Recorded struct {
	Number     string       `json:"sentinelIncidentNumber"` // in the workspace
	ProviderID string       `json:"providerIncidentId"`     // on the XDR side
	Name       string       `json:"incidentName"`           // GUID
	Title      string       `json:"finalTitle"`
	Created    schema.Ticks `json:"createdTime"`
	Alerts     []string     `json:"finalAlertIds"` // SecurityAlert.SystemAlertId
	Redirected bool         `json:"redirected"`    // merged into another one
	States     []State      `json:"history"`
}

// State is one state of a recorded incident.
type State struct {
	At             schema.Ticks `json:"lastModifiedTime"`
	Status         string       `json:"status"`
	Severity       string       `json:"severity"`
	Classification string       `json:"classification"`
	ModifiedBy     string       `json:"modifiedBy"`
	Title          string       `json:"title"`
	Alerts         []string     `json:"alertIds"`
	Labels         []string     `json:"labels"`
}

// History reads the incidents that were recorded beside the rows
// (alpine/ground_truth_incidents.json). The error is NotFound if there are none.
func (f *Folder) History() (History, error) {
	var h History
	name := filepath.Join(f.dir, "alpine", "ground_truth_incidents.json")
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return h, fault.New(fault.NotFound, "read recorded incidents: %s has none", f.dir)
	}
	if err == nil {
		err = json.Unmarshal(data, &h.Incidents)
	}
	if err != nil {
		return h, fmt.Errorf("read recorded incidents %s: %w", name, err)
	}
	return h, nil
}

// Incident finds an incident by its number in the workspace.
func (h History) Incident(number string) (Recorded, bool) {
	for _, r := range h.Incidents {
		if r.Number == number {
			return r, true
		}
	}
	return Recorded{}, false
}

// Absorbed lists the numbers of the incidents that were merged into r: those
// redirected whose alerts ended up in it.
func (h History) Absorbed(r Recorded) (numbers []string) {
	for _, other := range h.Incidents {
		if other.Redirected && other.Number != r.Number && slices.ContainsFunc(other.States, func(s State) bool {
			return slices.ContainsFunc(s.Alerts, func(id string) bool { return slices.Contains(r.Alerts, id) })
		}) {
			numbers = append(numbers, other.Number)
		}
	}
	return numbers
}
