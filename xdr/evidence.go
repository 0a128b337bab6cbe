package xdr

import (
	"encoding/json"
	"slices"

	"lockstep/security"
)

// joinEvidence adds what newer mentions say to older ones. Mentions of one
// thing become one; the newer verdict and remediation stand. What names
// nothing stays as it is said, once.
func joinEvidence(older, newer []security.Evidence) []security.Evidence {
	out := make([]security.Evidence, 0, len(older)+len(newer))
	at := map[string]int{}    // where the thing with a key stands in out
	said := map[string]bool{} // what names nothing
	for _, e := range slices.Concat(older, newer) {
		keys := e.Entity.Keys()
		i := len(out)
		for _, k := range keys {
			if j, ok := at[k]; ok {
				i = min(i, j)
			}
		}
		switch {
		case i < len(out):
			out[i] = joinedEvidence(out[i], e)
		case len(keys) > 0 || !said[text(e)]:
			out = append(out, e)
			if len(keys) == 0 {
				said[text(e)] = true
			}
		}
		for _, k := range keys {
			at[k] = i
		}
	}
	return out
}

// text is everything that a mention says.
func text(e security.Evidence) string {
	out, err := json.Marshal(e)
	if err != nil {
		return "" // intake refuses what can't be written
	}
	return string(out)
}

func joinedEvidence(old, e security.Evidence) security.Evidence {
	if both := security.Union(old.Entity, e.Entity); len(both) == 1 {
		e.Entity = both[0]
	}
	if old.Created != 0 && (e.Created == 0 || old.Created < e.Created) {
		e.Created = old.Created
	}
	if e.Verdict == "" {
		e.Verdict = old.Verdict
	}
	if e.RemediationStatus == "" {
		e.RemediationStatus, e.RemediationDetail = old.RemediationStatus, old.RemediationDetail
	}
	e.Roles = keepOrder(old.Roles, e.Roles)
	e.DetailedRoles = keepOrder(old.DetailedRoles, e.DetailedRoles)
	e.Tags = keepOrder(old.Tags, e.Tags)
	return e
}

// keepOrder is the distinct texts of both, in the order of their first mention.
func keepOrder(a, b []string) []string {
	out := slices.Clone(a)
	for _, t := range b {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}
