package portal

import (
	"slices"
	"sort"
	"strings"

	"lockstep/security"
)

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// verdicts in rising order of concern (Graph evidenceVerdict).
var verdicts = []string{"", "unknown", "noThreatsFound", "suspicious", "malicious"}

// flatten lists an entity's fields and, one level down, those of its parts.
func flatten(e security.Entity) [][2]string {
	out := [][2]string{}
	for _, f := range sortedKeys(e.Fields) {
		out = append(out, [2]string{f, e.Fields[f]})
	}
	for _, part := range sortedKeys(e.Parts) {
		for _, inner := range e.Parts[part] {
			for _, f := range sortedKeys(inner.Fields) {
				out = append(out, [2]string{part + "." + f, inner.Fields[f]})
			}
		}
	}
	return out
}

// mention is what alerts say of an entity.
type mention struct {
	alerts      int
	verdict     int
	remediation string
	roles       []string
}

// entityViews joins an incident's entities with what its alerts say of them:
// the worst verdict, the remediation and the roles, and how many name them.
func entityViews(entities []security.Entity, alerts []security.Alert) []EntityView {
	known := map[string]int{} // identity key → index
	for i, e := range entities {
		for _, key := range e.Keys() {
			known[key] = i
		}
	}
	said := make([]mention, len(entities))
	for _, a := range alerts {
		counted := map[int]bool{}
		for _, ev := range a.Evidence {
			i, ok := indexOf(known, ev.Entity)
			if !ok {
				continue
			}
			if !counted[i] {
				counted[i] = true
				said[i].alerts++
			}
			said[i].add(ev)
		}
	}
	out := make([]EntityView, 0, len(entities))
	for i, e := range entities {
		m := said[i]
		out = append(out, EntityView{Kind: e.Kind, Name: e.Name(), Fields: flatten(e),
			Verdict: verdicts[m.verdict], Remediation: m.remediation, Roles: some(m.roles), Alerts: m.alerts})
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Kind != out[j].Kind {
			return out[i].Kind < out[j].Kind
		}
		return strings.ToLower(out[i].Name) < strings.ToLower(out[j].Name)
	})
	return out
}

func indexOf(known map[string]int, e security.Entity) (int, bool) {
	for _, key := range e.Keys() {
		if i, ok := known[key]; ok {
			return i, true
		}
	}
	return 0, false
}

func (m *mention) add(ev security.Evidence) {
	m.verdict = max(m.verdict, slices.Index(verdicts, ev.Verdict))
	if ev.RemediationStatus != "" && ev.RemediationStatus != "none" {
		m.remediation = ev.RemediationStatus
	}
	for _, role := range append(slices.Clone(ev.Roles), ev.DetailedRoles...) {
		if role != "" && !slices.Contains(m.roles, role) {
			m.roles = append(m.roles, role)
		}
	}
}
