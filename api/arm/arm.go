// Package arm is the face with Azure Resource Manager's
// Microsoft.SecurityInsights API: incidents of a workspace's queue, their
// comments, alerts, entities and relations, watchlists, and the data
// connector; and with the saved searches of Microsoft.OperationalInsights. It
// knows routes, query options, etags and status codes; the JSON is wire/arm's,
// every rule is the workspace's or the connector's. Source: facts 10.2.
package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"lockstep/access"
	"lockstep/connector"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	wire "lockstep/wire/arm"
	"lockstep/workspace"
)

// Workspaces is what the face asks of the workspace side.
type Workspaces interface {
	ByPath(ctx context.Context, subscription, group, name string) (workspace.Workspace, error)
	Incident(ctx context.Context, ws, name string) (workspace.Incident, error)
	Incidents(ctx context.Context, ws string, sel workspace.Selection) (workspace.Page, error)
	Put(ctx context.Context, ws, name string, p workspace.Put, by security.Actor, etag string) (workspace.Incident, bool, error)
	Delete(ctx context.Context, ws, name string, by security.Actor) error
	AddComment(ctx context.Context, ws, incident, id, text string, by security.Actor) (security.Comment, error)
	Comments(ctx context.Context, ws, incident string) ([]security.Comment, error)
	Comment(ctx context.Context, ws, incident, id string) (security.Comment, error)
	DeleteComment(ctx context.Context, ws, incident, id string, by security.Actor) error
	Alerts(ctx context.Context, ws, incident string) ([]security.Alert, error)
	Entities(ctx context.Context, ws, incident string) ([]security.Entity, error)
	URL(w workspace.Workspace, name string) string
}

// Connector is what the face asks of the connector; nil where only the
// workspace runs.
type Connector interface {
	Connect(ctx context.Context, ws string, c connector.Settings, by security.Actor) (connector.Connection, error)
	Disconnect(ctx context.Context, ws string, by security.Actor) (connector.Connection, error)
	Connection(ctx context.Context, ws string) (connector.Connection, error)
}

// Options are what the face needs.
type Options struct {
	Workspaces Workspaces
	Watchlists Watchlists
	Searches   Searches
	Connector  Connector
	TenantID   string
	PublicURL  string // base of absolute links
	Now        func() schema.Ticks
	NewID      func() string // request ids
	// Authenticate puts the caller into the request's context, or has fail answer.
	Authenticate func(next http.Handler, fail func(w http.ResponseWriter, r *http.Request, err error)) http.Handler
	// Authorize decides whether the caller in the context may do an action.
	Authorize func(ctx context.Context, action access.Action, scope string) error
	// Failed is told of our own failures, once each, for the log.
	Failed func(r *http.Request, err error)
}

type face struct{ Options }

// routes is the table of the operations.
var routes = []route{
	{"GET", "incidents", access.IncidentsRead, (*face).listIncidents},
	{"GET", "incidents/{incident}", access.IncidentsRead, (*face).getIncident},
	{"PUT", "incidents/{incident}", access.IncidentsWrite, (*face).putIncident},
	{"DELETE", "incidents/{incident}", access.IncidentsWrite, (*face).deleteIncident},
	{"POST", "incidents/{incident}/alerts", access.AlertsRead, (*face).incidentAlerts},
	{"POST", "incidents/{incident}/entities", access.AlertsRead, (*face).incidentEntities},
	{"POST", "incidents/{incident}/bookmarks", access.IncidentsRead, (*face).incidentBookmarks},
	{"GET", "incidents/{incident}/relations", access.IncidentsRead, (*face).incidentRelations},
	{"GET", "incidents/{incident}/relations/{relation}", access.IncidentsRead, (*face).incidentRelation},
	{"GET", "incidents/{incident}/comments", access.IncidentsRead, (*face).listComments},
	{"GET", "incidents/{incident}/comments/{comment}", access.IncidentsRead, (*face).getComment},
	{"PUT", "incidents/{incident}/comments/{comment}", access.IncidentsWrite, (*face).putComment},
	{"DELETE", "incidents/{incident}/comments/{comment}", access.IncidentsWrite, (*face).deleteComment},
	{"GET", "dataConnectors", access.ConnectorRead, (*face).listConnectors},
	{"GET", "dataConnectors/{connector}", access.ConnectorRead, (*face).getConnector},
	{"PUT", "dataConnectors/{connector}", access.ConnectorWrite, (*face).putConnector},
	{"DELETE", "dataConnectors/{connector}", access.ConnectorWrite, (*face).deleteConnector},
	{"GET", "watchlists", access.RulesRead, (*face).listWatchlists},
	{"GET", "watchlists/{alias}", access.RulesRead, (*face).getWatchlist},
	{"PUT", "watchlists/{alias}", access.RulesWrite, (*face).putWatchlist},
	{"DELETE", "watchlists/{alias}", access.RulesWrite, (*face).deleteWatchlist},
	{"GET", "watchlists/{alias}/watchlistItems", access.RulesRead, (*face).listWatchlistItems},
	{"GET", "watchlists/{alias}/watchlistItems/{item}", access.RulesRead, (*face).getWatchlistItem},
	{"PUT", "watchlists/{alias}/watchlistItems/{item}", access.RulesWrite, (*face).putWatchlistItem},
	{"DELETE", "watchlists/{alias}/watchlistItems/{item}", access.RulesWrite, (*face).deleteWatchlistItem},
}

// ownRoutes are the operations of the workspace itself, under Microsoft.OperationalInsights.
var ownRoutes = []route{
	{"GET", "savedSearches", access.RulesRead, (*face).listSearches},
	{"GET", "savedSearches/{search}", access.RulesRead, (*face).getSearch},
	{"PUT", "savedSearches/{search}", access.RulesWrite, (*face).putSearch},
	{"DELETE", "savedSearches/{search}", access.RulesWrite, (*face).deleteSearch},
}

// New makes the face under /subscriptions/….
func New(o Options) http.Handler {
	f := &face{o}
	return f.Authenticate(http.HandlerFunc(f.serve), f.fail)
}

// codes of errors that are the protocol's own, before any rule is asked.
var (
	errNoVersion  = errors.New("MissingApiVersionParameter")
	errBadVersion = errors.New("InvalidApiVersionParameter")
)

func (f *face) serve(w http.ResponseWriter, r *http.Request) {
	if err := f.dispatch(w, r); err != nil {
		f.fail(w, r, err)
	}
}

func (f *face) dispatch(w http.ResponseWriter, r *http.Request) error {
	parts, offered, provider := prefix.FindStringSubmatch(r.URL.Path), routes, wire.Provider
	if parts == nil {
		parts, offered, provider = ownPrefix.FindStringSubmatch(r.URL.Path), ownRoutes, wire.InsightsProvider
	}
	if parts == nil {
		return fault.New(fault.NotFound, "no resource at %s: want …/workspaces/{name}/providers/Microsoft.SecurityInsights/…", r.URL.Path)
	}
	switch v := r.URL.Query().Get("api-version"); {
	case v == "":
		return fault.New(fault.Invalid, "%w: the api-version query parameter is required, for example 2025-09-01", errNoVersion)
	case !version.MatchString(v):
		return fault.New(fault.Invalid, "%w: %q is no api-version; want for example 2025-09-01", errBadVersion, v)
	}
	ws, err := f.Workspaces.ByPath(r.Context(), parts[1], parts[2], parts[3])
	if err != nil {
		return err
	}
	known := false
	for _, rt := range offered {
		params, ok := match(rt.pattern, parts[4])
		if !ok {
			continue
		}
		known = true
		if rt.method != r.Method {
			continue
		}
		if err := f.Authorize(r.Context(), rt.action, ws.ID); err != nil {
			return err
		}
		return rt.serve(f, &call{w: w, Request: r, workspace: ws, params: params})
	}
	if known {
		return fault.New(fault.Invalid, "%w: %s isn't an operation of %s", errMethod, r.Method, parts[4])
	}
	return fault.New(fault.NotFound, "%s has no resource type at %q", provider, parts[4])
}

var errMethod = errors.New("MethodNotAllowed")

// actor is the author of what the request changes.
func (c *call) actor() security.Actor {
	p, _ := access.From(c.Context()) // Authorize has refused requests without one
	return p.Actor()
}

// scope is the ARM path under which resources of the call stand.
func (c *call) scope() wire.Scope {
	return wire.Scope{
		Workspace: c.workspace.ResourceID(), WorkspaceID: c.workspace.ID,
		SubscriptionID: c.workspace.SubscriptionID, ResourceGroup: c.workspace.ResourceGroup,
	}
}

// maxBody is the most bytes of a request's body.
const maxBody = 8 << 20 // a watchlist of 3.8 MB, escaped (Source: facts 5.1)

func (c *call) body() ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, maxBody+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "read the body: %w", err)
	}
	if len(body) > maxBody {
		return nil, fault.New(fault.Invalid, "the body is over %d MiB", maxBody>>20)
	}
	return body, nil
}

func (c *call) write(status int, body any) error {
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	c.w.WriteHeader(status)
	if body == nil {
		return nil
	}
	e := json.NewEncoder(c.w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // the client is gone, or the connection shows it
	return nil
}

// failure is how a kind of error shows on the wire.
type failure struct {
	status int
	code   string
}

var failures = map[fault.Kind]failure{
	fault.Invalid:     {http.StatusBadRequest, "BadRequest"},
	fault.NotFound:    {http.StatusNotFound, "NotFound"},
	fault.Conflict:    {http.StatusConflict, "Conflict"},
	fault.Denied:      {http.StatusForbidden, "AuthorizationFailed"},
	fault.Throttled:   {http.StatusTooManyRequests, "TooManyRequests"},
	fault.Unavailable: {http.StatusServiceUnavailable, "ServiceUnavailable"},
}

// special errors have codes of their own.
var special = []struct {
	err error
	failure
}{
	{access.ErrUnauthenticated, failure{http.StatusUnauthorized, "AuthenticationFailed"}},
	{errNoVersion, failure{http.StatusBadRequest, "MissingApiVersionParameter"}},
	{errBadVersion, failure{http.StatusBadRequest, "InvalidApiVersionParameter"}},
	{errMethod, failure{http.StatusMethodNotAllowed, "MethodNotAllowed"}},
}

// fail answers an error in ARM's shape.
func (f *face) fail(w http.ResponseWriter, r *http.Request, err error) {
	shown, ok := failures[fault.KindOf(err)]
	message := err.Error()
	if !ok {
		shown, message = failure{http.StatusInternalServerError, "InternalServerError"}, "An internal error; the server's log has it."
		if f.Failed != nil && !errors.Is(err, context.Canceled) {
			f.Failed(r, err)
		}
	}
	for _, s := range special {
		if errors.Is(err, s.err) {
			shown = s.failure
			message = strings.TrimPrefix(message, s.err.Error()+": ")
		}
	}
	var e *fault.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(e.RetryAfter.Seconds()+0.999)))
	}
	w.Header().Set("x-ms-error-code", shown.code)
	w.Header().Set("x-ms-request-id", f.NewID())
	c := &call{w: w, Request: r}
	_ = c.write(shown.status, wire.Failure(shown.code, message))
}
