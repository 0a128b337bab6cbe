package access

import (
	"fmt"
	"strings"
)

// index finds principals by their names. It never changes once made.
type index struct {
	byID   map[string]Principal
	byName map[string]string     // UPN or client id → object id: what somebody signs in with, unique
	looser []map[string][]string // mail, alias, display name → object ids; several may share one
}

func newIndex(all []Principal) *index {
	x := &index{byID: map[string]Principal{}, byName: map[string]string{}, looser: []map[string][]string{{}, {}, {}}}
	for _, p := range all {
		id := fold(p.ID)
		x.byID[id] = p
		for _, name := range []string{p.UPN, p.ClientID} {
			if name != "" {
				x.byName[fold(name)] = id
			}
		}
		for i, names := range [][]string{{p.Mail}, p.Aliases, {p.Name}} {
			for _, name := range names {
				if name = fold(name); name != "" {
					x.looser[i][name] = append(x.looser[i][name], id)
				}
			}
		}
	}
	return x
}

// named finds the principal with an object id, UPN or client id.
func (x *index) named(name string) (Principal, bool) {
	name = fold(name)
	if p, ok := x.byID[name]; ok {
		return p, true
	}
	p, ok := x.byID[x.byName[name]]
	return p, ok
}

// resolve finds the one principal that a text names, by the strictest kind of
// name that fits. A name that two share names nobody.
func (x *index) resolve(text string) (Principal, bool) {
	if strings.TrimSpace(text) == "" {
		return Principal{}, false
	}
	if p, ok := x.named(text); ok {
		return p, true
	}
	for _, names := range x.looser {
		if ids := names[fold(text)]; len(ids) > 0 {
			return x.byID[ids[0]], len(ids) == 1
		}
	}
	return Principal{}, false
}

func compare(a, b string) int { return strings.Compare(fold(a), fold(b)) }

// summary is what a principal looks like in the audit log.
func (p Principal) summary() string {
	grants := make([]string, len(p.Grants))
	for i, g := range p.Grants {
		grants[i] = fmt.Sprintf("%s@%s", g.Role, g.Scope)
	}
	text := fmt.Sprintf("%s %q: %s", p.Kind, p.label(), strings.Join(grants, ", "))
	if p.Disabled {
		text += " (disabled)"
	}
	return text
}
