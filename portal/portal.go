// Package portal serves our own pages: it signs people in and keeps their
// sessions, answers JSON shaped for the screens, sends hints of what changed
// while a page is open, and hands out the built pages of package web. It
// leaves every rule about incidents to xdr and workspace, synchronisation to
// connector, queries to query, and who may do what to access; it reaches all of
// them over the small interfaces declared here.
package portal

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// XDR is what the pages ask of the Defender side. *xdr.Service satisfies it.
type XDR interface {
	Incident(ctx context.Context, id string) (xdr.Incident, error)
	Resolve(ctx context.Context, id string) (string, error)
	Incidents(ctx context.Context, sel xdr.Selection[xdr.Incident]) (xdr.Page[xdr.Incident], error)
	Update(ctx context.Context, id string, p xdr.Patch, by security.Actor, ifVersion int64) (xdr.Incident, error)
	Comment(ctx context.Context, id, text string, by security.Actor) ([]security.Comment, error)
	Comments(ctx context.Context, id string) ([]security.Comment, error)
	Activities(ctx context.Context, id string) ([]xdr.Activity, error)
	Merge(ctx context.Context, ids []string, reason string, by security.Actor) (xdr.Incident, error)
	Unmerge(ctx context.Context, id, reason string, by security.Actor) (xdr.Incident, error)
	AlertsOf(ctx context.Context, incident string) ([]security.Alert, error)
	Entities(ctx context.Context, incident string) ([]security.Entity, error)
}

// Workspaces is what the pages ask of the Sentinel side. *workspace.Service
// satisfies it. A workspace is named by its id, except where said otherwise.
type Workspaces interface {
	Workspaces(ctx context.Context) ([]workspace.Workspace, error)
	Workspace(ctx context.Context, idOrName string) (workspace.Workspace, error)
	Incident(ctx context.Context, ws, name string) (workspace.Incident, error)
	ByNumber(ctx context.Context, ws string, number int64) (workspace.Incident, error)
	ByProvider(ctx context.Context, ws, providerID string) (workspace.Incident, error)
	Incidents(ctx context.Context, ws string, sel workspace.Selection) (workspace.Page, error)
	Put(ctx context.Context, ws, name string, p workspace.Put, by security.Actor, etag string) (workspace.Incident, bool, error)
	AddComment(ctx context.Context, ws, incident, id, text string, by security.Actor) (security.Comment, error)
	Comments(ctx context.Context, ws, incident string) ([]security.Comment, error)
	Alerts(ctx context.Context, ws, incident string) ([]security.Alert, error)
	Entities(ctx context.Context, ws, incident string) ([]security.Entity, error)
	Activities(ctx context.Context, ws, incident string) ([]workspace.Activity, error)
}

// People lists whom an incident can be assigned to.
type People interface {
	People(ctx context.Context) ([]security.Owner, error)
}

// Options are the parts that the pages stand on. Access, Now and NewID are
// required; where XDR, Workspaces, Connector or Queries is nil (this process
// doesn't play that role), the pages say so.
type Options struct {
	XDR        XDR
	Workspaces Workspaces
	Connector  Connector
	Queries    Queries
	People     People
	Access     Access

	Tenant string                  // shown in the page's head
	Dist   fs.FS                   // the built pages (web.Dist()); nil or empty: 503 with how to build them
	Now    func() schema.Ticks     // the clock
	NewID  func() string           // GUIDs, for comments
	Log    *slog.Logger            // nil: slog.Default()
	Hosts  []string                // host names beside localhost and loopback addresses that plain HTTP answers to
	Random func(into []byte) error // for session tokens; nil: crypto/rand

	SessionIdle time.Duration // a session unused for so long ends; 0: 8 hours
	SessionLife time.Duration // a session ends after so long at the latest; 0: 24 hours
	Heartbeat   time.Duration // of the live stream; 0: 20 seconds
}

// Portal is the handler of the pages and their JSON. Live hints come in
// through Notify.
type Portal struct {
	o        Options
	mux      *http.ServeMux
	sessions *sessions
	hub      *hub
	origin   *http.CrossOriginProtection
	pages    *pages
}

// New makes the portal's handler. The error says which required part is missing.
func New(o Options) (*Portal, error) {
	switch {
	case o.Access == nil:
		return nil, errors.New("portal: Options.Access is missing")
	case o.Now == nil:
		return nil, errors.New("portal: Options.Now is missing")
	case o.NewID == nil:
		return nil, errors.New("portal: Options.NewID is missing")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.SessionIdle == 0 {
		o.SessionIdle = 8 * time.Hour
	}
	if o.SessionLife == 0 {
		o.SessionLife = 24 * time.Hour
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 20 * time.Second
	}
	p := &Portal{
		o:        o,
		mux:      http.NewServeMux(),
		sessions: newSessions(o.Now, o.SessionIdle, o.SessionLife, o.Random),
		hub:      newHub(),
		origin:   http.NewCrossOriginProtection(),
		pages:    newPages(o.Dist),
	}
	p.routes()
	return p, nil
}

// routes is the table of everything that the portal answers.
func (p *Portal) routes() {
	const api = "/portal/api"
	for pattern, h := range map[string]handler{
		"POST " + api + "/signin":  p.signIn,
		"POST " + api + "/signout": p.signOut,
	} {
		p.mux.Handle(pattern, p.answering(h))
	}
	for pattern, r := range map[string]struct {
		action Action
		h      signedHandler
	}{
		"GET " + api + "/me":     {SignedIn, p.me},
		"GET " + api + "/people": {SignedIn, p.people},

		"GET " + api + "/xdr/incidents":               {IncidentsRead, p.xdrQueue},
		"GET " + api + "/xdr/incidents/{id}":          {IncidentsRead, p.xdrIncident},
		"PATCH " + api + "/xdr/incidents/{id}":        {IncidentsWrite, p.xdrPatch},
		"POST " + api + "/xdr/incidents/{id}/comment": {IncidentsWrite, p.xdrComment},
		"POST " + api + "/xdr/merge":                  {IncidentsWrite, p.xdrMerge},
		"POST " + api + "/xdr/incidents/{id}/unmerge": {IncidentsWrite, p.xdrUnmerge},

		"GET " + api + "/workspaces":                                  {SignedIn, p.workspaceList},
		"GET " + api + "/workspaces/{ws}/incidents":                   {IncidentsRead, p.workspaceQueue},
		"GET " + api + "/workspaces/{ws}/incidents/{name}":            {IncidentsRead, p.workspaceIncident},
		"PATCH " + api + "/workspaces/{ws}/incidents/{name}":          {IncidentsWrite, p.workspacePatch},
		"POST " + api + "/workspaces/{ws}/incidents/{name}/comment":   {IncidentsWrite, p.workspaceComment},
		"GET " + api + "/workspaces/{ws}/incidents/{name}/explain":    {IncidentsRead, p.explain},
		"GET " + api + "/workspaces/{ws}/connector":                   {ConnectorRead, p.connectorStatus},
		"PUT " + api + "/workspaces/{ws}/connector":                   {ConnectorWrite, p.connectorConnect},
		"DELETE " + api + "/workspaces/{ws}/connector":                {ConnectorWrite, p.connectorDisconnect},
		"PUT " + api + "/workspaces/{ws}/connector/switches/{switch}": {ConnectorWrite, p.connectorSwitch},
		"PUT " + api + "/workspaces/{ws}/connector/tables/{table}":    {ConnectorWrite, p.connectorTable},

		"POST " + api + "/query": {HuntingRun, p.query},
		"POST " + api + "/check": {HuntingRun, p.check},
		"GET " + api + "/tables": {HuntingRun, p.tables},
	} {
		p.mux.Handle(pattern, p.answering(p.signed(r.action, r.h)))
	}
	p.mux.HandleFunc("GET "+api+"/live", p.live)
	p.mux.Handle("/portal/", p.answering(p.unknown))
	p.mux.Handle("/", p.pages)
}

// ServeHTTP answers one request, after the checks that hold for all of them.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header(), r.TLS != nil && !loopback(hostname(r.Host)))
	if r.TLS == nil && !p.ownHost(r.Host) {
		// Another name that was made to point at this machine (DNS rebinding).
		p.fail(w, r, errForeignHost)
		return
	}
	if err := p.origin.Check(r); err != nil {
		p.fail(w, r, errForeignOrigin)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// Close ends the live streams, so that a server can shut down.
func (p *Portal) Close() { p.hub.close() }

// secure sets the headers of every answer. Styles must allow inline ones:
// the component library writes them at run time; scripts never. always: the
// host is to be asked over TLS alone from now on.
func secure(h http.Header, always bool) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "+
		"img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	if always { // not on localhost, where it would bind every other server on this machine too
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

// loopback reports whether a host name can only mean this machine.
func loopback(name string) bool {
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// ownHost reports whether a plain request's Host names this machine.
func (p *Portal) ownHost(host string) bool {
	name := hostname(host)
	return loopback(name) || slices.ContainsFunc(p.o.Hosts, func(h string) bool { return strings.EqualFold(name, h) })
}
