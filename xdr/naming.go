package xdr

import (
	"lockstep/security"
)

// nameOf gives an incident's name from its alerts and their entities: what happened, on how many
// endpoints or to how many users, and whether several products say so.
// Source: facts 4.5, and the titles of recorded incidents.
func nameOf(p profile, c *cast) string { return p.subject() + c.scope() + p.sources() }

// subject is one alert's title as long as all have it; else the stages.
func (p profile) subject() string {
	if !p.SeveralOf {
		return p.Title
	}
	switch n := len(p.Stages); n {
	case 0:
		return "Multi-stage incident"
	case 1:
		return security.TacticTitle(p.Stages[0]) + " incident"
	default:
		return "Multi-stage incident involving " + security.TacticTitle(p.Stages[0]) + " & " + security.TacticTitle(p.Stages[n-1])
	}
}

// scope says how much is affected: endpoints if there are any, else users.
func (c *cast) scope() string {
	users := max(c.counts[security.Account], c.counts[security.Mailbox])
	switch hosts := c.counts[security.Host]; {
	case hosts > 1:
		return " on multiple endpoints"
	case hosts == 1:
		return " on one endpoint"
	case users > 1:
		return " involving multiple users"
	case users == 1:
		return " involving one user"
	}
	return ""
}

func (p profile) sources() string {
	if len(p.Products) > 1 {
		return " reported by multiple sources"
	}
	return ""
}
