package sample

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sort"

	"lockstep/schema"
)

// Truth is what belongs together in a sample: what a perfect correlation would
// find.
type Truth struct {
	Stories  []*Story  `json:"stories"`
	Noise    []*Story  `json:"noise"` // each an incident of its own, none of them an attack
	Patterns []Pattern `json:"patterns"`

	alerts []string
}

// Story is one attack, or one piece of noise: one incident.
type Story struct {
	Name      string       `json:"name"`
	Title     string       `json:"title"`
	About     string       `json:"about,omitempty"`
	Alerts    []string     `json:"alerts"`          // unified ids, in the order of being raised
	SystemIDs []string     `json:"systemAlertIds"`  // the same alerts, as SecurityAlert rows name them; who got another shape only makes its own
	Products  []string     `json:"products"`        // SecurityAlert.ProductName
	Severity  string       `json:"severity"`        // the highest
	Entities  []Named      `json:"entities"`        // who and what the alerts name
	First     schema.Ticks `json:"firstActivity"`   // of all alerts
	Last      schema.Ticks `json:"lastActivity"`    // of all alerts
	Tactics   []string     `json:"tactics"`         // the alerts' categories
	Steps     []string     `json:"steps,omitempty"` // what happened, in order
}

// Named is an entity by its kind and the name by which people know it.
type Named struct {
	Kind string `json:"kind"` // version-3 type: host, account, ip, url, file, process, …
	Name string `json:"name"`
}

// Pattern is something that detection rules can look for in the rows.
type Pattern struct {
	Name  string `json:"name"`
	Table string `json:"table"`
	Story string `json:"story"`
	About string `json:"about"`
	Rows  int    `json:"rows"`
}

var severityOrder = map[string]int{"informational": 1, "low": 2, "medium": 3, "high": 4}

func (s *Story) add(f *finding) {
	s.Alerts = append(s.Alerts, f.id)
	s.SystemIDs = append(s.SystemIDs, f.system)
	s.Products = insert(s.Products, f.product.productName)
	s.Tactics = insert(s.Tactics, f.category)
	if severityOrder[f.severity] > severityOrder[s.Severity] {
		s.Severity = f.severity
	}
	if s.First == 0 || f.first < s.First {
		s.First = f.first
	}
	s.Last = max(s.Last, f.last)
	for _, p := range f.evidence {
		s.mention(p)
	}
}

func insert(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// mention adds a piece's entity, once.
func (s *Story) mention(p piece) {
	var n Named
	switch {
	case p.device != nil:
		n = Named{"host", p.device.name}
	case p.person != nil:
		n = Named{"account", p.person.upn}
	case p.mailbox != nil:
		n = Named{"mailbox", p.mailbox.upn}
	case p.process != nil:
		n = Named{"process", fmt.Sprintf("%s %d %s", p.process.device.host, p.process.id, p.process.program.file)}
	case p.file != nil:
		n = Named{"file", p.file.path()}
	case p.mail != nil:
		n = Named{"mailMessage", p.mail.id() + " " + p.mail.recipient()}
	case p.app != nil:
		n = Named{"cloud-application", p.app.name}
	case p.oauth != nil:
		n = Named{"oauth-application", p.oauth.name}
	case p.signin != nil:
		n = Named{"cloud-logon-session", session(p.signin)}
	case p.ip != "":
		n = Named{"ip", p.ip}
	case p.url != "":
		n = Named{"url", p.url}
	default:
		n = Named{"registry-value", p.key[0] + `\` + p.key[1]}
	}
	if n.Name != "" && !slices.Contains(s.Entities, n) {
		s.Entities = append(s.Entities, n)
	}
}

// Incidents gives the alert ids of each incident: the attacks first.
func (t Truth) Incidents() [][]string {
	var out [][]string
	for _, s := range append(slices.Clone(t.Stories), t.Noise...) {
		out = append(out, s.Alerts)
	}
	return out
}

// AlertIDs gives all unified alert ids, sorted.
func (t Truth) AlertIDs() []string {
	var out []string
	for _, ids := range t.Incidents() {
		out = append(out, ids...)
	}
	sort.Strings(out)
	return out
}

// ReadTruth reads a truth.json that WriteFolder wrote.
func ReadTruth(path string) (Truth, error) {
	var t Truth
	data, err := os.ReadFile(path)
	if err != nil {
		return t, fmt.Errorf("read the sample's truth: %w", err)
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return t, fmt.Errorf("read the sample's truth %s: %w", path, err)
	}
	return t, nil
}
