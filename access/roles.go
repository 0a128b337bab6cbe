package access

import (
	"maps"
	"slices"
	"strings"

	"lockstep/fault"
)

// Action is what somebody wants to do, as thing/verb.
type Action = string

// The actions.
const (
	IncidentsRead   Action = "incidents/read"
	IncidentsWrite  Action = "incidents/write"
	AlertsRead      Action = "alerts/read"
	AlertsWrite     Action = "alerts/write"
	HuntingRun      Action = "hunting/run" // KQL over the XDR's tables or a workspace's
	RulesRead       Action = "rules/read"  // analytics, automation, tuning rules, watchlists, saved searches
	RulesWrite      Action = "rules/write"
	ConnectorRead   Action = "connector/read"
	ConnectorWrite  Action = "connector/write" // connect, disconnect, switches, onboarding
	WorkspacesRead  Action = "workspaces/read" // workspaces, tables, retention, usage
	WorkspacesWrite Action = "workspaces/write"
	IngestAlerts    Action = "ingest/alerts"
	IngestEvents    Action = "ingest/events"
	IngestRows      Action = "ingest/rows"
	HealthRead      Action = "health/read"
	AccessRead      Action = "access/read" // principals, grants, the audit log
	AccessWrite     Action = "access/write"
	ServerOperate   Action = "server/operate" // backup, check, stop
)

// Scopes. Any other scope is a workspace's id.
const (
	Everywhere = "*"   // of a grant: the XDR side, every workspace, the server itself
	XDR        = "xdr" // the XDR side; a question may also write it as ""
)

// side says where a role counts, whatever the scope it was granted for. A
// Graph permission, say, never opens a workspace.
type side int

const (
	bothSides side = iota
	xdrSide
	workspaceSide
)

// role is a named set of actions.
type role struct {
	side    side
	actions []Action
}

var (
	reader        = []Action{IncidentsRead, AlertsRead, HuntingRun, RulesRead, ConnectorRead, WorkspacesRead, HealthRead}
	responder     = append(slices.Clone(reader), IncidentsWrite, AlertsWrite)
	contributor   = append(slices.Clone(responder), RulesWrite, WorkspacesWrite)
	administrator = append(slices.Clone(contributor), ConnectorWrite, AccessRead)
	owner         = append(slices.Clone(administrator), AccessWrite, ServerOperate, IngestAlerts, IngestEvents, IngestRows)
)

// roles are all roles. The people's roles carry the names of their Azure and
// Entra models; applications have Graph's permissions, the older ones of the
// legacy API among them (Source: facts 10.1, 10.4, section 8's onboarding
// permissions).
var roles = map[string]role{
	"Reader":                 {bothSides, reader},
	"Responder":              {bothSides, responder},
	"Contributor":            {bothSides, contributor},
	"Security Administrator": {bothSides, administrator},
	"Owner":                  {bothSides, owner},

	"Log Analytics Reader":         {workspaceSide, []Action{HuntingRun, WorkspacesRead}},
	"Monitoring Metrics Publisher": {workspaceSide, []Action{IngestRows}},
	"Data Publisher":               {bothSides, []Action{IngestAlerts, IngestEvents, IngestRows}},

	"SecurityIncident.Read.All":      {xdrSide, []Action{IncidentsRead, AlertsRead}},
	"SecurityIncident.ReadWrite.All": {xdrSide, []Action{IncidentsRead, IncidentsWrite, AlertsRead}},
	"SecurityAlert.Read.All":         {xdrSide, []Action{AlertsRead}},
	"SecurityAlert.ReadWrite.All":    {xdrSide, []Action{AlertsRead, AlertsWrite}},
	"ThreatHunting.Read.All":         {xdrSide, []Action{HuntingRun}},
	"Incident.Read.All":              {xdrSide, []Action{IncidentsRead, AlertsRead}},
	"Incident.ReadWrite.All":         {xdrSide, []Action{IncidentsRead, IncidentsWrite, AlertsRead}},
	"AdvancedHunting.Read.All":       {xdrSide, []Action{HuntingRun}},
}

// wide are the actions on the server as a whole: only a grant for Everywhere
// allows them, or whoever owns one part could make themselves owner of all.
var wide = []Action{AccessRead, AccessWrite, ServerOperate}

// RoleNames lists the roles that can be granted, sorted.
func RoleNames() []string { return slices.Sorted(maps.Keys(roles)) }

// Allowed decides: whether the principal may do the action within the scope,
// which is XDR, "" for the same, or a workspace's id. What no grant allows is
// forbidden.
func Allowed(p Principal, action Action, scope string) bool {
	if p.Disabled || p.ID == "" {
		return false
	}
	if scope == "" {
		scope = XDR
	}
	return slices.ContainsFunc(p.Grants, func(g Grant) bool {
		r, known := roles[g.Role]
		if !known || !slices.Contains(r.actions, action) {
			return false
		}
		if slices.Contains(wide, action) {
			return g.Scope == Everywhere
		}
		return g.covers(r.side, scope)
	})
}

func (g Grant) covers(s side, scope string) bool {
	if scope == Everywhere { // no deed happens everywhere: ask for each place
		return false
	}
	if s == xdrSide && scope != XDR || s == workspaceSide && scope == XDR {
		return false
	}
	return g.Scope == Everywhere || strings.EqualFold(g.Scope, scope)
}

// check refuses a grant that could never allow anything.
func (g Grant) check() error {
	r, known := roles[g.Role]
	switch {
	case !known:
		return fault.At("role", "%q isn't a role; the roles are %s", g.Role, strings.Join(RoleNames(), ", "))
	case g.Scope == "":
		return fault.At("scope", "a grant of %s needs one: %q, %q or a workspace id", g.Role, Everywhere, XDR)
	case r.side == xdrSide && g.Scope != XDR && g.Scope != Everywhere:
		return fault.At("scope", "%s counts on the XDR side only: grant it for %q", g.Role, XDR)
	case r.side == workspaceSide && g.Scope == XDR:
		return fault.At("scope", "%s counts in workspaces only", g.Role)
	}
	return nil
}
