package query

import (
	"context"
	"fmt"
	"time"

	"lockstep/fault"
	"lockstep/kql"
	"lockstep/query/external"
	"lockstep/schema"
	"lockstep/tables"
)

// Tables is where rows are: an engine of package tables.
type Tables interface {
	Snapshot(ctx context.Context, view tables.View) (tables.Snapshot, error)
}

// Custom knows the tables, saved functions and watchlists that people made, by
// name; watchlists by alias in lower case, with the columns that
// _GetWatchlist gives. Without Rows a table's rows are stored ones.
type Custom interface {
	Watchlists(ctx context.Context, side schema.Side, workspace string) (map[string]Relation, error)
	Tables(ctx context.Context, side schema.Side, workspace string) (map[string]Relation, error)
	Functions(ctx context.Context, side schema.Side, workspace string) (map[string]Function, error)
}

// Function is a saved function: KQL text with parameters.
type Function struct {
	Parameters string // as written between the brackets: "a:string, T:(*)"
	Body       string
}

// Allow decides whether a principal may read a table; nil if so, else an error
// of kind fault.Denied.
type Allow func(ctx context.Context, principal string, side schema.Side, workspace, table string) error

// Options make a service. Zero limits take the defaults.
type Options struct {
	Tables  Tables
	Compile Compile // nil for KQL
	Clock   func() schema.Ticks
	Allow   Allow  // nil allows all: for tools that open a folder of their own
	Custom  Custom // nil for none
	// Workspaces finds the id of a workspace by what a text calls it: id, name or resource
	// id. fault.NotFound if there is none. nil: texts name no other workspace.
	Workspaces func(ctx context.Context, name string) (id string, err error)
	// External bounds what queries fetch of other hosts; without a client, nothing.
	External external.Options
	Places   bool // Tables know the places of addresses: their function kql_geo_info

	MaxRows      int           // default and most per query: 100,000
	MaxBytes     int64         // 64 MB
	Timeout      time.Duration // 3 minutes
	Concurrent   int           // queries that run at once: 4
	PerPrincipal int           // of one principal, running and waiting: 15
	PerMinute    int           // of one principal, begun within a minute: 400
	Budget       time.Duration // how long those of one principal may run within a quarter of an hour: 30 minutes
}

// The limits that are not given. Source: the published limits of advanced
// hunting (rows, time, a quota of running time in cycles of 15 minutes by the
// size of the tenant) and of the Log Analytics query API (200 queries in 30
// seconds for each user): facts 5.2.
const (
	defaultRows         = 100_000
	defaultBytes        = 64 << 20
	defaultTimeout      = 3 * time.Minute
	defaultConcurrent   = 4
	defaultPerPrincipal = 15
	defaultPerMinute    = 400
	defaultBudget       = 30 * time.Minute
)

// Service runs queries.
type Service struct {
	o        Options
	gate     *gate
	external *external.Fetcher
	shapes   kql.Shapes
}

// New makes a service.
func New(o Options) *Service {
	defaults(&o.MaxRows, defaultRows)
	defaults(&o.MaxBytes, defaultBytes)
	defaults(&o.Timeout, defaultTimeout)
	defaults(&o.Concurrent, defaultConcurrent)
	defaults(&o.PerPrincipal, defaultPerPrincipal)
	defaults(&o.PerMinute, defaultPerMinute)
	defaults(&o.Budget, defaultBudget)
	if o.Compile == nil {
		o.Compile = KQL
	}
	if o.Allow == nil {
		o.Allow = func(context.Context, string, schema.Side, string, string) error { return nil }
	}
	return &Service{o: o, gate: newGate(o), external: external.New(o.External)}
}

func defaults[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// limit gives what is asked for, within the service's own limit.
func limit[T int | int64 | time.Duration](asked, most T) T {
	if asked <= 0 {
		return most
	}
	return min(asked, most)
}

// Run answers a query. A text that means nothing gives a *SyntaxError; too
// many at once, too often or for too long fault.Throttled; a table that the principal may not read
// fault.Denied; one that takes too long fault.Unavailable.
func (s *Service) Run(ctx context.Context, q Query) (*Result, error) {
	if q.Side != schema.XDR && q.Side != schema.Workspace || (q.Side == schema.Workspace) == (q.Workspace == "") {
		return nil, fault.New(fault.Invalid, "a query names the XDR, or the workspace with its id")
	}
	if q.Side == schema.XDR && len(q.Further) > 0 {
		return nil, fault.New(fault.Invalid, "a query of the XDR reads no workspaces")
	}
	if q.MaxRows < 0 || q.MaxBytes < 0 || q.Timeout < 0 || q.From < 0 || q.To < 0 {
		return nil, fault.New(fault.Invalid, "a limit or a time is below zero")
	}
	asked := s.o.Clock()
	timeout := limit(q.Timeout, s.o.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	leave, err := s.gate.enter(ctx, q.Principal)
	if err != nil {
		return nil, explain(ctx, err, timeout)
	}
	defer leave()
	began := s.o.Clock()
	r, err := s.run(ctx, q, began)
	if err != nil {
		return nil, explain(ctx, err, timeout)
	}
	if q.MaxRows > s.o.MaxRows {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d rows were asked for, more than the %d that this server gives to a query (its setting query_rows).", q.MaxRows, s.o.MaxRows))
	}
	r.Stats.Waited = (began - asked).Duration()
	r.Stats.Duration = (s.o.Clock() - began).Duration()
	return r, nil
}

// Check gives what is wrong with a text without running it; empty if nothing.
func (s *Service) Check(ctx context.Context, q Query) ([]Diagnostic, error) {
	snapshot, err := s.o.Tables.Snapshot(ctx, q.view(s.o.Clock()))
	if err != nil {
		return nil, fmt.Errorf("check a query: %w", err)
	}
	defer snapshot.Close()
	n, err := s.names(ctx, q, snapshot)
	if err != nil {
		return nil, fmt.Errorf("check a query: %w", err)
	}
	_, diagnostics := s.o.Compile(q.Text, n.environment(s.o.Clock()))
	return place(q.Text, diagnostics), nil
}

func (s *Service) run(ctx context.Context, q Query, now schema.Ticks) (_ *Result, err error) {
	snapshot, err := s.o.Tables.Snapshot(ctx, q.view(now))
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := snapshot.Close(); err == nil && e != nil {
			err = e
		}
	}()
	n, err := s.names(ctx, q, snapshot)
	if err != nil {
		return nil, err
	}
	began := s.o.Clock()
	program, diagnostics := s.o.Compile(q.Text, n.environment(now))
	compiled := s.o.Clock() - began
	if n.denied != nil {
		return nil, n.denied
	}
	r := &Result{Arrival: snapshot.Arrival()}
	for _, d := range place(q.Text, diagnostics) {
		if !d.Warning {
			return nil, fault.New(fault.Invalid, "%w", &SyntaxError{diagnostics})
		}
		r.Warnings = append(r.Warnings, d.Message)
	}
	if err := s.readWithin(ctx, q, snapshot, program, n, r); err != nil {
		return nil, err
	}
	for _, t := range r.Tables() {
		if t.Explained != nil {
			t.Explained.Compile = compiled.Duration()
		}
	}
	return r, nil
}
