// Package access knows who may do what: people and applications, their roles
// and scopes, their passwords, secrets and tokens, and the audit of all that.
// Every decision is made in Allowed. It leaves sessions, cookies and wire
// shapes to the faces.
package access

import (
	"strings"

	"lockstep/security"
)

// Kind is what sort of principal one is.
type Kind string

// The kinds.
const (
	Person      Kind = "person"
	Group       Kind = "group"       // can own incidents, can't sign in
	Application Kind = "application" // signs in with its client id and a secret
	Operator    Kind = "operator"    // whoever reaches the server's socket in the data folder
)

// Principal is somebody who can be allowed something, or can own an incident.
// It holds no secret.
type Principal struct {
	ID       string   `json:"id"` // object id
	Kind     Kind     `json:"kind"`
	ClientID string   `json:"clientId,omitempty"` // of an application: the id it signs in with
	UPN      string   `json:"upn,omitempty"`      // of a person: the name they sign in with
	Mail     string   `json:"mail,omitempty"`
	Name     string   `json:"name"` // display name
	Aliases  []string `json:"aliases,omitempty"`
	Grants   []Grant  `json:"grants,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
}

// Grant gives a role within a scope.
type Grant struct {
	Role  string `json:"role"`
	Scope string `json:"scope"`
}

// Actor is the principal as the author of changes.
func (p Principal) Actor() security.Actor {
	kind := security.Person
	if p.Kind == Application {
		kind = security.Automation
	}
	return security.Actor{Kind: kind, ID: p.ID, Name: p.label()}
}

// Owner is the principal as somebody to whom an incident is assigned.
func (p Principal) Owner() security.Owner {
	kind := "User"
	if p.Kind == Group {
		kind = "Group"
	}
	return security.Owner{ObjectID: p.ID, Email: p.Mail, AssignedTo: p.Name, UPN: p.UPN, Type: kind}
}

// label is the name by which the audit and activity logs call the principal.
func (p Principal) label() string {
	if p.UPN != "" {
		return p.UPN
	}
	return p.Name
}

// roles gives the names of the principal's roles, for a token.
func (p Principal) roles() []string {
	var out []string
	seen := map[string]bool{}
	for _, g := range p.Grants {
		if !seen[g.Role] {
			seen[g.Role] = true
			out = append(out, g.Role)
		}
	}
	return out
}

// fold is the form in which names are compared.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
