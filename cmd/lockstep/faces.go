package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"lockstep/access"
	"lockstep/api/arm"
	"lockstep/api/control"
	"lockstep/api/graph"
	"lockstep/api/identity"
	"lockstep/api/ingest"
	"lockstep/api/logs"
	"lockstep/fault"
	"lockstep/health"
	"lockstep/schema"
)

// authenticate admits callers with a bearer token for one of the audiences.
func (s *server) authenticate(accepted ...access.Audience) func(http.Handler, func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return func(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
		return identity.Bearer(s.access, next, fail, accepted...)
	}
}

// asOperator takes every caller for the operator: over the folder's socket.
func (s *server) asOperator(next http.Handler, _ func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(access.With(r.Context(), s.operator())))
	})
}

// handler is everything that is served over TLS.
func (s *server) handler() http.Handler {
	tokens := identity.New(identity.Options{
		Access: s.access, PublicURL: s.settings.PublicURL, Names: s.settings.Names, Now: s.now, NewID: newID, Failed: s.failed,
	})
	mux := http.NewServeMux()
	s.mountHealth(mux)
	mux.Handle("/ingest/", s.metrics.timed("ingest", s.ingestFace(s.authenticate(access.ForIngestion, access.ForLockstep))))
	if s.xdr != nil {
		g := s.metrics.timed("graph", s.graphFace())
		mux.Handle("/v1.0/", g)
		mux.Handle("/beta/", g)
	}
	if s.workspaces != nil {
		a := s.metrics.timed("arm", s.armFace())
		mux.Handle("/subscriptions/", a)
		mux.Handle("/v1/", s.metrics.timed("logs", s.logsFace()))
	}
	mux.Handle("/", s.metrics.timed("portal", s.portal))
	served := s.spoiled(mux)
	return lenient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tokens.Owns(r.URL.Path) {
			tokens.ServeHTTP(w, r)
			return
		}
		served.ServeHTTP(w, r)
	}))
}

// socketHandler is what the verbs reach over the folder's socket.
func (s *server) socketHandler() http.Handler {
	mux := http.NewServeMux()
	s.mountHealth(mux)
	mux.Handle("/ingest/", s.ingestFace(s.asOperator))
	mux.Handle("/control/", s.controlFace())
	return lenient(mux)
}

// mountHealth serves what platforms ask: alive, ready, figures.
func (s *server) mountHealth(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.ready(r.Context()); err != nil {
			s.log.Warn("not ready", "error", err)
			http.Error(w, "not ready: `lockstep health` and the server's log say why", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
	mux.Handle("GET /metrics", s.metrics.handler())
}

// ready reports whether state answers and no part keeps failing.
func (s *server) ready(ctx context.Context) error {
	if s.driver.health.Worst() == health.Failure {
		return fault.New(fault.Unavailable, "%s", s.driver.health.Findings()[0].Message)
	}
	if s.workspaces != nil {
		if _, err := s.workspaces.Workspaces(ctx); err != nil {
			return fmt.Errorf("read state: %w", err)
		}
	}
	if s.xdr != nil {
		if _, err := s.xdr.Feed(ctx, 0, 1); err != nil {
			return fmt.Errorf("read state: %w", err)
		}
	}
	return nil
}

func (s *server) ingestFace(authenticate func(http.Handler, func(http.ResponseWriter, *http.Request, error)) http.Handler) http.Handler {
	o := ingest.Options{
		Rows: s.tables, Schema: schema.Default(), Authenticate: authenticate, Authorize: s.access.AuthorizeRequest,
		Counted: s.metrics.counted, Failed: s.failed,
	}
	if s.xdr != nil {
		o.Alerts = s.xdr
	}
	if s.workspaces != nil {
		o.Workspaces = s.workspaces
	}
	return ingest.New(o)
}

func (s *server) graphFace() http.Handler {
	return graph.New(graph.Options{
		XDR: s.xdr, Queries: s.queries, TenantID: s.place.Tenant, PublicURL: s.settings.PublicURL, Now: s.now, NewID: newID,
		Authenticate: s.authenticate(access.ForGraph, access.ForSecurity, access.ForLockstep), Authorize: s.access.AuthorizeRequest, Failed: s.failed,
	})
}

func (s *server) armFace() http.Handler {
	o := arm.Options{
		Workspaces: s.workspaces, Watchlists: s.watchlists, Searches: s.searches,
		TenantID: s.place.Tenant, PublicURL: s.settings.PublicURL, Now: s.now, NewID: newID,
		Authenticate: s.authenticate(access.ForManagement, access.ForLockstep), Authorize: s.access.AuthorizeRequest, Failed: s.failed,
	}
	if s.connector != nil {
		o.Connector = s.connector
	}
	return arm.New(o)
}

func (s *server) logsFace() http.Handler {
	return logs.New(logs.Options{
		Workspaces: s.workspaces, Queries: s.queries, Now: s.now,
		Authenticate: s.authenticate(access.ForLogs, access.ForManagement, access.ForLockstep), Authorize: s.access.AuthorizeRequest, Failed: s.failed,
	})
}

func (s *server) controlFace() http.Handler {
	o := control.Options{
		Queries: s.queries, Quarantine: s.tables, Operator: s.operator(), Now: s.now, CA: s.certificate.Authority,
		Remote: s.remoteSpace, Settled: s.settled, Failed: s.failed, Token: s.token, Findings: s.driver.health.Findings,
	}
	if s.xdr != nil {
		o.XDR = s.xdr
	}
	if s.workspaces != nil {
		o.Workspaces, o.Watchlists, o.Searches = s.workspaces, s.watchlists, s.searches
	}
	if s.connector != nil {
		o.Connector = s.connector
	}
	return control.New(o)
}

// token gives an application's token to whoever operates the server.
func (s *server) token(ctx context.Context, audience, client string) (string, error) {
	if client == "" {
		first, err := access.ReadFirst(s.folder.Path(credentialsName))
		if err != nil {
			return "", fmt.Errorf("find the application made at first start: %w", err)
		}
		client = first.ClientID
	}
	p, err := s.application(client)
	if err != nil {
		return "", err
	}
	if audience == "" {
		audience = s.settings.PublicURL
	}
	t, err := s.access.Issue(ctx, p, strings.TrimSuffix(audience, "/.default"), "")
	return t.Text, err
}

// application finds an application by its client id.
func (s *server) application(client string) (access.Principal, error) {
	for _, p := range s.access.Principals() {
		if p.Kind == access.Application && strings.EqualFold(p.ClientID, client) {
			return p, nil
		}
	}
	return access.Principal{}, fault.New(fault.NotFound, "no application has the client id %q", client)
}
