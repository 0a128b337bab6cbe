package main

import (
	"context"
	"slices"

	"lockstep/access"
	"lockstep/security"
)

// pagePeople lists those to whom an incident can be assigned.
type pagePeople struct{ *access.Service }

func (p pagePeople) People(context.Context) ([]security.Owner, error) {
	var out []security.Owner
	for _, one := range p.Principals() {
		if !one.Disabled && slices.Contains([]access.Kind{access.Person, access.Group}, one.Kind) {
			out = append(out, one.Owner())
		}
	}
	return out, nil
}
