package security

import (
	"regexp"
	"sort"
	"strings"
)

// tactics in kill-chain order, in the ARM spelling. Source: facts 10.2, AttackTactic.
var tactics = []string{
	"PreAttack", "Reconnaissance", "ResourceDevelopment", "InitialAccess", "Execution", "Persistence", "PrivilegeEscalation",
	"DefenseEvasion", "CredentialAccess", "Discovery", "LateralMovement", "Collection", "CommandAndControl", "Exfiltration",
	"Impact", "ImpairProcessControl", "InhibitResponseFunction",
}

// tacticTitles are the names that incident titles use where they differ from
// the split spelling. Source: facts 4.5.
var tacticTitles = map[string]string{"PreAttack": "Pre-attack", "CommandAndControl": "Command and control"}

// Tactics lists all tactics in kill-chain order.
func Tactics() []string { return append([]string(nil), tactics...) }

// Tactic reads a tactic, or an alert category that is one, in any spelling.
func Tactic(text string) (string, bool) {
	f := fold(text)
	for _, t := range tactics {
		if f != "" && fold(t) == f {
			return t, true
		}
	}
	if f == "commandandcontrol(c2)" || f == "c2" || f == "commandcontrol" {
		return "CommandAndControl", true
	}
	return "", false
}

// TacticTitle is a tactic as a title says it: "Initial access".
func TacticTitle(tactic string) string {
	if t, ok := tacticTitles[tactic]; ok {
		return t
	}
	var b strings.Builder
	for i, r := range tactic {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// ParseTactics reads a list of tactics separated by commas; what isn't one is left out.
func ParseTactics(text string) []string {
	var out []string
	for _, part := range strings.Split(text, ",") {
		if t, ok := Tactic(strings.TrimSpace(part)); ok {
			out = append(out, t)
		}
	}
	return SortTactics(out)
}

// SortTactics puts tactics in kill-chain order, each once; unknown ones stand last.
func SortTactics(list []string) []string {
	rank := make(map[string]int, len(tactics))
	for i, t := range tactics {
		rank[t] = i + 1
	}
	out := unique(list)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := rank[out[i]], rank[out[j]]
		if a == 0 || b == 0 {
			return a != 0 || b == 0 && out[i] < out[j]
		}
		return a < b
	})
	return out
}

// technique finds technique ids in a text such as "Scheduled Task/Job (T1053)".
var technique = regexp.MustCompile(`(?i)\bT[0-9]{4}(?:\.[0-9]{3})?\b`)

// ParseTechniques reads the technique ids in texts, sorted, each once.
func ParseTechniques(texts ...string) []string {
	var out []string
	for _, text := range texts {
		for _, id := range technique.FindAllString(text, -1) {
			out = append(out, strings.ToUpper(id))
		}
	}
	out = unique(out)
	sort.Strings(out)
	return out
}

// SplitTechniques separates techniques from sub-techniques as SecurityAlert
// does: the parent of every sub-technique is among the techniques.
func SplitTechniques(ids []string) (techniques, subs []string) {
	for _, id := range ids {
		parent, _, sub := strings.Cut(id, ".")
		techniques = append(techniques, parent)
		if sub {
			subs = append(subs, id)
		}
	}
	techniques, subs = unique(techniques), unique(subs)
	sort.Strings(techniques)
	sort.Strings(subs)
	return techniques, subs
}

// JoinTechniques is SplitTechniques' inverse as far as there is one: a
// technique that has a sub-technique in the list stands for it alone.
func JoinTechniques(techniques, subs []string) []string {
	covered := map[string]bool{}
	for _, s := range subs {
		parent, _, _ := strings.Cut(s, ".")
		covered[parent] = true
	}
	out := append([]string(nil), subs...)
	for _, t := range techniques {
		if !covered[t] {
			out = append(out, t)
		}
	}
	out = unique(out)
	sort.Strings(out)
	return out
}

func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	var out []string
	for _, v := range list {
		if v != "" && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
