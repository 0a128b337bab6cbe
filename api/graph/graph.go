// Package graph is the face with Microsoft Graph's security API (v1.0):
// incidents, alerts_v2, comments and hunting. It knows routes, query options
// and status codes; the JSON is wire/graph's and wire/hunting's, every rule is
// the XDR's. Source: facts 10.1.
package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"lockstep/access"
	"lockstep/fault"
	"lockstep/query"
	"lockstep/schema"
	"lockstep/security"
	wire "lockstep/wire/graph"
	"lockstep/xdr"
)

// maxBody is the most bytes of a request's body.
const maxBody = 4 << 20

// XDR is what the face asks of the XDR side.
type XDR interface {
	Incident(ctx context.Context, id string) (xdr.Incident, error)
	Incidents(ctx context.Context, sel xdr.Selection[xdr.Incident]) (xdr.Page[xdr.Incident], error)
	Update(ctx context.Context, id string, p xdr.Patch, by security.Actor, ifVersion int64) (xdr.Incident, error)
	Comment(ctx context.Context, id, text string, by security.Actor) ([]security.Comment, error)
	Comments(ctx context.Context, id string) ([]security.Comment, error)
	AlertsOf(ctx context.Context, incident string) ([]security.Alert, error)
	Alert(ctx context.Context, id string) (security.Alert, error)
	Alerts(ctx context.Context, sel xdr.Selection[security.Alert]) (xdr.Page[security.Alert], error)
	UpdateAlert(ctx context.Context, id string, p xdr.AlertPatch, by security.Actor) (security.Alert, error)
	CommentAlert(ctx context.Context, id, text string, by security.Actor) ([]security.Comment, error)
	URL(id string) string
}

// Queries runs hunting queries. query.Service satisfies it.
type Queries interface {
	Run(ctx context.Context, q query.Query) (*query.Result, error)
}

// Options are what the face needs.
type Options struct {
	XDR       XDR
	Queries   Queries
	TenantID  string
	PublicURL string // base of absolute links: https://localhost:8443
	Now       func() schema.Ticks
	NewID     func() string // request ids
	// Authenticate puts the caller into the request's context, or has fail answer.
	Authenticate func(next http.Handler, fail func(w http.ResponseWriter, r *http.Request, err error)) http.Handler
	// Authorize decides whether the caller in the context may do an action.
	Authorize func(ctx context.Context, action access.Action, scope string) error
	// Failed is told of our own failures, once each, for the log.
	Failed func(r *http.Request, err error)
}

// route is one operation.
type route struct {
	pattern string
	action  access.Action
	serve   func(f *face, w http.ResponseWriter, r *http.Request) error
}

// routes is the table of the operations, relative to /v1.0/security. Both
// spellings of the hunting action are served (Source: clients.md 0.6).
var routes = []route{
	{"GET /incidents", access.IncidentsRead, (*face).listIncidents},
	{"GET /incidents/$count", access.IncidentsRead, (*face).countIncidents},
	{"GET /incidents/{id}", access.IncidentsRead, (*face).getIncident},
	{"PATCH /incidents/{id}", access.IncidentsWrite, (*face).patchIncident},
	{"GET /incidents/{id}/alerts", access.AlertsRead, (*face).incidentAlerts},
	{"GET /incidents/{id}/alerts/$count", access.AlertsRead, (*face).countIncidentAlerts},
	{"GET /incidents/{id}/comments", access.IncidentsRead, (*face).incidentComments},
	{"POST /incidents/{id}/comments", access.IncidentsWrite, (*face).commentIncident},
	{"GET /alerts_v2", access.AlertsRead, (*face).listAlerts},
	{"GET /alerts_v2/$count", access.AlertsRead, (*face).countAlerts},
	{"GET /alerts_v2/{id}", access.AlertsRead, (*face).getAlert},
	{"PATCH /alerts_v2/{id}", access.AlertsWrite, (*face).patchAlert},
	{"POST /alerts_v2/{id}/comments", access.AlertsWrite, (*face).commentAlert},
	{"POST /runHuntingQuery", access.HuntingRun, (*face).hunt},
	{"POST /microsoft.graph.security.runHuntingQuery", access.HuntingRun, (*face).hunt},
}

type face struct{ Options }

// New makes the face under /v1.0/security and /beta/security.
func New(o Options) http.Handler {
	f := &face{o}
	mux := http.NewServeMux()
	for _, base := range []string{"/v1.0/security", "/beta/security"} {
		for _, rt := range routes {
			method, path, _ := strings.Cut(rt.pattern, " ")
			mux.HandleFunc(method+" "+base+path, f.handle(rt))
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		f.fail(w, r, fault.New(fault.NotFound, "no resource at %s %s", r.Method, r.URL.Path))
	})
	return f.Authenticate(mux, f.fail)
}

// actor is the author of what the request changes.
func actor(r *http.Request) security.Actor {
	p, _ := access.From(r.Context()) // Authorize has refused requests without one
	return p.Actor()
}

func (f *face) handle(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := f.Authorize(r.Context(), rt.action, access.XDR); err != nil {
			f.fail(w, r, err)
			return
		}
		if err := rt.serve(f, w, r); err != nil {
			f.fail(w, r, err)
		}
	}
}

// view is how this request sees the resources.
func (f *face) view(r *http.Request) wire.View {
	v := wire.View{TenantID: f.TenantID, Portal: f.PublicURL}
	for _, prefer := range r.Header.Values("Prefer") {
		v.Late = v.Late || strings.Contains(strings.ToLower(prefer), wire.PreferLate)
	}
	return v
}

func read(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "read the body: %w", err)
	}
	if len(body) > maxBody {
		return nil, fault.New(fault.Invalid, "the body is over %d MiB", maxBody>>20)
	}
	return body, nil
}

func write(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // the client is gone, or the connection shows it
	return nil
}

// failure is how a kind of error shows on the wire. Source: facts 10.1.
type failure struct {
	status int
	code   string
}

var failures = map[fault.Kind]failure{
	fault.Invalid:     {http.StatusBadRequest, "BadRequest"},
	fault.NotFound:    {http.StatusNotFound, "itemNotFound"},
	fault.Conflict:    {http.StatusConflict, "resourceModified"},
	fault.Denied:      {http.StatusForbidden, "accessDenied"},
	fault.Throttled:   {http.StatusTooManyRequests, "TooManyRequests"},
	fault.Unavailable: {http.StatusServiceUnavailable, "serviceNotAvailable"},
}

// fail answers an error in Graph's shape.
func (f *face) fail(w http.ResponseWriter, r *http.Request, err error) {
	shown, ok := failures[fault.KindOf(err)]
	message := err.Error()
	if !ok {
		shown, message = failure{http.StatusInternalServerError, "generalException"}, "An internal error; the server's log has it under this request-id."
		if f.Failed != nil && !errors.Is(err, context.Canceled) {
			f.Failed(r, err)
		}
	}
	if errors.Is(err, access.ErrUnauthenticated) {
		shown = failure{http.StatusUnauthorized, "InvalidAuthenticationToken"}
	}
	var e *fault.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(e.RetryAfter.Seconds()+0.999)))
	}
	id := f.NewID()
	w.Header().Set("request-id", id)
	client := r.Header.Get("client-request-id")
	if client == "" {
		client = id
	}
	_ = write(w, shown.status, wire.Failure(shown.code, message, id, client, f.Now()))
}
