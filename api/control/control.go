// Package control is the face that the command line speaks to, over the
// socket in the data folder alone: whoever can open that socket operates the
// server. It knows routes and plain JSON; all deeds are the sides'.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"lockstep/access"
	"lockstep/connector"
	"lockstep/fault"
	"lockstep/health"
	"lockstep/query"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/tables"
	"lockstep/workspace"
	"lockstep/xdr"
)

// XDR is what the verbs ask of the XDR side.
type XDR interface {
	Incident(ctx context.Context, id string) (xdr.Incident, error)
	Resolve(ctx context.Context, id string) (string, error)
	AlertsOf(ctx context.Context, incident string) ([]security.Alert, error)
	Entities(ctx context.Context, incident string) ([]security.Entity, error)
	Activities(ctx context.Context, id string) ([]xdr.Activity, error)
	Merge(ctx context.Context, ids []string, reason string, by security.Actor) (xdr.Incident, error)
	Unmerge(ctx context.Context, id, reason string, by security.Actor) (xdr.Incident, error)
	URL(id string) string
}

// Workspaces is what the verbs ask of the workspace side.
type Workspaces interface {
	Workspaces(ctx context.Context) ([]workspace.Workspace, error)
	Workspace(ctx context.Context, idOrName string) (workspace.Workspace, error)
	Incident(ctx context.Context, ws, name string) (workspace.Incident, error)
	ByNumber(ctx context.Context, ws string, number int64) (workspace.Incident, error)
	ByProvider(ctx context.Context, ws, providerID string) (workspace.Incident, error)
	Alerts(ctx context.Context, ws, incident string) ([]security.Alert, error)
	Entities(ctx context.Context, ws, incident string) ([]security.Entity, error)
	Activities(ctx context.Context, ws, incident string) ([]workspace.Activity, error)
	URL(w workspace.Workspace, name string) string
}

// Connector is what the verbs ask of the connector.
type Connector interface {
	Connect(ctx context.Context, ws string, c connector.Settings, by security.Actor) (connector.Connection, error)
	Disconnect(ctx context.Context, ws string, by security.Actor) (connector.Connection, error)
	Connection(ctx context.Context, ws string) (connector.Connection, error)
	Tables(ctx context.Context, ws string) ([]string, error)
	SetStream(ctx context.Context, ws, table string, on bool, by security.Actor) (connector.Connection, error)
	Status(ctx context.Context, ws string) (connector.Status, error)
	Explain(ctx context.Context, ws, incident string) (connector.Story, error)
	Undo(ctx context.Context, ws, incident string, decision int64, by security.Actor) ([]connector.Undone, error)
	Verify(ctx context.Context, ws string) (connector.Verification, error)
}

// Queries runs queries.
type Queries interface {
	Run(ctx context.Context, q query.Query) (*query.Result, error)
}

// Quarantine lists the records that were refused.
type Quarantine interface {
	Quarantined(ctx context.Context, before int64, limit int) ([]tables.Quarantined, int64, error)
}

// Options are what the face needs; a side that this server doesn't play is nil.
type Options struct {
	XDR        XDR
	Workspaces Workspaces
	Remote     workspace.Workspace // of another server, which the XDR here is joined to; zero if there is none
	Watchlists Watchlists          // of the workspaces here
	Searches   Searches            // likewise
	Connector  Connector
	Queries    Queries
	Quarantine Quarantine
	Operator   access.Principal
	Now        func() schema.Ticks
	Token      func(ctx context.Context, audience, client string) (string, error)
	CA         func() []byte
	Settled    func(ctx context.Context) error // waits until nothing is left to do
	Findings   func() []health.Finding         // what is wrong now
	Failed     func(r *http.Request, err error)
}

type face struct{ Options }

// route is one verb's request. What serve gives is written as JSON.
type route struct {
	pattern string
	serve   func(f *face, r *http.Request) (any, error)
}

var routes = []route{
	{"GET /control/v1/server", (*face).server},
	{"GET /control/v1/health", (*face).health},
	{"GET /control/v1/ca", (*face).ca},
	{"POST /control/v1/token", (*face).token},
	{"POST /control/v1/query", (*face).query},
	{"GET /control/v1/workspaces", (*face).workspaces},
	{"POST /control/v1/connect", (*face).connect},
	{"POST /control/v1/disconnect", (*face).disconnect},
	{"POST /control/v1/stream", (*face).stream},
	{"GET /control/v1/sync/status", (*face).status},
	{"GET /control/v1/sync/explain", (*face).explain},
	{"POST /control/v1/sync/undo", (*face).undo},
	{"POST /control/v1/sync/verify", (*face).verify},
	{"POST /control/v1/sync/wait", (*face).wait},
	{"GET /control/v1/incidents/{id}", (*face).incident},
	{"POST /control/v1/incidents/merge", (*face).merge},
	{"POST /control/v1/incidents/{id}/unmerge", (*face).unmerge},
	{"GET /control/v1/quarantine", (*face).quarantine},
	{"GET /control/v1/watchlists", (*face).listWatchlists},
	{"GET /control/v1/watchlists/{alias}", (*face).showWatchlist},
	{"PUT /control/v1/watchlists/{alias}", (*face).importWatchlist},
	{"DELETE /control/v1/watchlists/{alias}", (*face).deleteWatchlist},
	{"GET /control/v1/functions", (*face).listFunctions},
	{"GET /control/v1/functions/{name}", (*face).showFunction},
	{"PUT /control/v1/functions/{name}", (*face).saveFunction},
	{"DELETE /control/v1/functions/{name}", (*face).deleteFunction},
}

// New makes the face under /control/v1.
func New(o Options) http.Handler {
	f := &face{o}
	mux := http.NewServeMux()
	for _, rt := range routes {
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := rt.serve(f, r)
			if err != nil {
				f.fail(w, r, err)
				return
			}
			if raw, ok := answer.([]byte); ok {
				_, _ = w.Write(raw)
				return
			}
			write(w, http.StatusOK, answer)
		})
	}
	return mux
}

func (f *face) actor() security.Actor { return f.Operator.Actor() }

// decode reads a request's JSON; an unknown member is refused, for the verbs
// and the server are one program.
func decode(r *http.Request, into any) error { return decodeUpTo(r, into, 16<<20) }

// decodeUpTo is decode of a request of so many bytes at most.
func decodeUpTo(r *http.Request, into any, most int64) error {
	d := json.NewDecoder(io.LimitReader(r.Body, most))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.New(fault.Invalid, "read the request: %w", err)
	}
	return nil
}

// Server says which sides a server plays.
type Server struct {
	XDR       bool `json:"xdr"`
	Workspace bool `json:"workspace"`
}

func (f *face) server(*http.Request) (any, error) {
	return Server{XDR: f.XDR != nil, Workspace: f.Workspaces != nil}, nil
}

func (f *face) health(*http.Request) (any, error) { return f.Findings(), nil }

func (f *face) ca(*http.Request) (any, error) { return f.CA(), nil }

// TokenRequest asks for a token of the local application.
type TokenRequest struct {
	Audience string `json:"audience"`
	Client   string `json:"client"` // client id; "" is the application made at first start
}

func (f *face) token(r *http.Request) (any, error) {
	var q TokenRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	token, err := f.Token(r.Context(), q.Audience, q.Client)
	return map[string]string{"accessToken": token}, err
}

func (f *face) wait(r *http.Request) (any, error) {
	return map[string]bool{"settled": true}, f.Settled(r.Context())
}

func (f *face) quarantine(r *http.Request) (any, error) {
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	list, total, err := f.Quarantine.Quarantined(r.Context(), before, 100)
	return map[string]any{"total": total, "records": list}, err
}

// fail answers an error with its kind, by which the verb picks its exit code.
func (f *face) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	if kind == fault.Internal && f.Failed != nil && !errors.Is(err, context.Canceled) {
		f.Failed(r, err)
	}
	write(w, statuses[kind], map[string]any{"error": map[string]string{"code": string(kind), "message": err.Error()}})
}

// statuses maps the kinds of error to HTTP. The operator sees causes too.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.Denied: http.StatusForbidden,
	fault.Throttled: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable, fault.Internal: http.StatusInternalServerError,
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body)
}
