// Package logs is the face with the Log Analytics query API: query by
// workspace id or resource path, and batch. It knows routes, preferences and
// the API's errors; the JSON is wire/logs', the answers are query's. Source:
// facts 10.3.
package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"lockstep/access"
	"lockstep/fault"
	"lockstep/query"
	"lockstep/schema"
	wire "lockstep/wire/logs"
	"lockstep/workspace"
)

// Workspaces finds a workspace. workspace.Service satisfies it.
type Workspaces interface {
	Workspace(ctx context.Context, idOrName string) (workspace.Workspace, error)
	ByPath(ctx context.Context, subscription, group, name string) (workspace.Workspace, error)
}

// Queries runs queries. query.Service satisfies it.
type Queries interface {
	Run(ctx context.Context, q query.Query) (*query.Result, error)
}

// Options are what the face needs.
type Options struct {
	Workspaces Workspaces
	Queries    Queries
	Now        func() schema.Ticks
	// Authenticate puts the caller into the request's context, or has fail answer.
	Authenticate func(next http.Handler, fail func(w http.ResponseWriter, r *http.Request, err error)) http.Handler
	// Authorize decides whether the caller in the context may do an action.
	Authorize func(ctx context.Context, action access.Action, scope string) error
	// Failed is told of our own failures, once each, for the log.
	Failed func(r *http.Request, err error)
}

type face struct{ Options }

// maxBody is the most bytes of a request's body; most of a batch's requests.
const (
	maxBody  = 2 << 20
	maxBatch = 100
)

// New makes the face. Clients disagree on whether the version stands in the
// endpoint that they are given, so /v1/v1 is served too (Source: clients.md).
func New(o Options) http.Handler {
	f := &face{o}
	return f.Authenticate(http.HandlerFunc(f.serve), f.fail)
}

func (f *face) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/v1"), "/v1")
	if strings.EqualFold(path, "/$batch") && r.Method == http.MethodPost {
		f.batch(w, r)
		return
	}
	status, body, err := f.answer(r, path)
	if err != nil {
		f.fail(w, r, err)
		return
	}
	write(w, status, body)
}

// answer deals with one query, by itself or of a batch.
func (f *face) answer(r *http.Request, path string) (int, []byte, error) {
	w, err := f.workspace(r.Context(), path)
	if err != nil {
		return 0, nil, err
	}
	if err := f.Authorize(r.Context(), access.HuntingRun, w.ID); err != nil {
		return 0, nil, err
	}
	request, err := requestOf(r)
	if err != nil {
		return 0, nil, err
	}
	further, err := f.further(r.Context(), w, request.Workspaces)
	if err != nil {
		return 0, nil, err
	}
	prefer := preferences(r.Header.Values("Prefer"))
	from, to, err := query.ParseTimespan(request.Timespan, f.Now())
	if err != nil {
		return 0, nil, err
	}
	caller, _ := access.From(r.Context()) // Authorize has refused requests without one
	result, err := f.Queries.Run(r.Context(), query.Query{
		Text: request.Query, Side: schema.Workspace, Workspace: w.ID, Further: further, From: from, To: to, Timeout: prefer.wait, Principal: caller.ID,
	})
	if err != nil {
		return 0, nil, err
	}
	body, err := encode(result, prefer)
	return http.StatusOK, body, err
}

// workspace finds the workspace that a path names: workspaces/{id}/query or
// {resource path}/query, whatever the case.
func (f *face) workspace(ctx context.Context, path string) (workspace.Workspace, error) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	folded := strings.Split(strings.ToLower(strings.Trim(path, "/")), "/")
	switch {
	case len(parts) == 3 && folded[0] == "workspaces" && folded[2] == "query":
		return f.Workspaces.Workspace(ctx, parts[1])
	case len(parts) == 9 && folded[0] == "subscriptions" && folded[2] == "resourcegroups" && folded[6] == "workspaces" && folded[8] == "query":
		return f.Workspaces.ByPath(ctx, parts[1], parts[3], parts[7])
	}
	return workspace.Workspace{}, fault.New(fault.NotFound, "no such path: want /v1/workspaces/{id}/query")
}

// further finds the other workspaces whose rows a query wants, by id, name or
// resource id: each once, and each one that the caller may query.
func (f *face) further(ctx context.Context, w workspace.Workspace, names []string) (ids []string, err error) {
	for _, name := range names {
		other, err := f.named(ctx, name)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.At("workspaces", "%w", err)
		}
		if err != nil {
			return nil, err
		}
		if other.ID == w.ID || slices.Contains(ids, other.ID) {
			continue
		}
		if err := f.Authorize(ctx, access.HuntingRun, other.ID); err != nil {
			return nil, err
		}
		ids = append(ids, other.ID)
	}
	return ids, nil
}

// named finds a workspace by id, name or resource id.
func (f *face) named(ctx context.Context, name string) (workspace.Workspace, error) {
	parts := strings.Split(strings.Trim(name, "/"), "/")
	if len(parts) == 8 && strings.EqualFold(parts[0], "subscriptions") && strings.EqualFold(parts[6], "workspaces") {
		return f.Workspaces.ByPath(ctx, parts[1], parts[3], parts[7])
	}
	return f.Workspaces.Workspace(ctx, name)
}

// requestOf reads a query from the body, or from the URL of a GET.
func requestOf(r *http.Request) (wire.Request, error) {
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		if q.Get("query") == "" {
			return wire.Request{}, fault.At("query", "the request has none")
		}
		return wire.Request{Query: q.Get("query"), Timespan: q.Get("timespan")}, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return wire.Request{}, fault.New(fault.Invalid, "read the body: %w", err)
	}
	if len(body) > maxBody {
		return wire.Request{}, fault.New(fault.Invalid, "the body is over %d MiB", maxBody>>20)
	}
	return wire.DecodeRequest(body)
}

// preference is what the Prefer header asks for.
type preference struct {
	statistics, render bool
	wait               time.Duration
}

// preferences reads Prefer headers: include-statistics=true, include-render=true, wait=N.
func preferences(headers []string) (p preference) {
	for _, part := range strings.Split(strings.Join(headers, ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToLower(name) {
		case "include-statistics":
			p.statistics = strings.EqualFold(value, "true")
		case "include-render":
			p.render = strings.EqualFold(value, "true")
		case "wait":
			if n, err := strconv.Atoi(value); err == nil && n > 0 {
				p.wait = time.Duration(min(n, 600)) * time.Second
			}
		}
	}
	return p
}

// encode writes an answer: its tables are named by their places, whatever the
// text calls them, and of several renders the first counts.
func encode(r *query.Result, p preference) ([]byte, error) {
	var answer wire.Answer
	var render *query.Render
	truncated := false
	for i, t := range r.Tables() {
		answer.Tables = append(answer.Tables, wire.Table{Name: query.PrimaryResult(i), Rows: t.Rows})
		if render == nil {
			render = t.Render
		}
		truncated = truncated || t.Truncated
	}
	if p.statistics {
		counts := []map[string]any{}
		for _, t := range r.Tables() {
			counts = append(counts, map[string]any{"tableRowCount": t.Rows.N})
		}
		answer.Statistics, _ = json.Marshal(map[string]any{"query": map[string]any{
			"executionTime": r.Stats.Duration.Seconds(), "resourceUsage": map[string]any{}, "datasetStatistics": counts,
		}})
	}
	if p.render && render != nil {
		members := map[string]any{"visualization": render.Kind}
		for k, v := range render.Properties {
			members[k] = v
		}
		answer.Render, _ = json.Marshal(members)
	}
	if truncated {
		answer.Error = &wire.Error{Code: wire.PartialCode, Message: "The result isn't complete: " + strings.Join(r.Warnings, " ")}
	}
	return answer.Encode()
}

// batched is one request of a batch, and its answer.
type batched struct {
	ID        json.RawMessage `json:"id"`
	Workspace string          `json:"workspace"`
	Headers   json.RawMessage `json:"headers,omitempty"`
	Body      json.RawMessage `json:"body"`
	Path      string          `json:"path,omitempty"`
	Method    string          `json:"method,omitempty"`
}

// batch answers POST /v1/$batch: each request by itself, whatever the others give.
func (f *face) batch(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Requests []batched `json:"requests"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 4*maxBody)).Decode(&in); err != nil {
		f.fail(w, r, fault.New(fault.Invalid, "read the batch: %w", err))
		return
	}
	if len(in.Requests) > maxBatch {
		f.fail(w, r, fault.New(fault.Invalid, "a batch has at most %d requests", maxBatch))
		return
	}
	type answered struct {
		ID      json.RawMessage   `json:"id"`
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	}
	out := struct {
		Responses []answered `json:"responses"`
	}{[]answered{}}
	for _, q := range in.Requests {
		one := r.Clone(r.Context())
		one.Method, one.Body = http.MethodPost, io.NopCloser(bytes.NewReader(q.Body))
		one.Header = headersOf(q.Headers)
		status, body, err := f.answer(one, "/workspaces/"+q.Workspace+"/query")
		if err != nil {
			status, body = f.failure(r, err)
		}
		out.Responses = append(out.Responses, answered{q.ID, status, map[string]string{"Content-Type": "application/json; charset=utf-8"}, body})
	}
	body, _ := json.Marshal(out)
	write(w, http.StatusOK, body)
}

func headersOf(raw json.RawMessage) http.Header {
	var texts map[string]string
	_ = json.Unmarshal(raw, &texts) // headers of another form ask for nothing
	h := http.Header{}
	for k, v := range texts {
		h.Set(k, v)
	}
	return h
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// shown is how a kind of error shows on the wire. Source: facts 10.3.
type shown struct {
	status int
	code   string
}

var failures = map[fault.Kind]shown{
	fault.Invalid:     {http.StatusBadRequest, "BadArgumentError"},
	fault.NotFound:    {http.StatusNotFound, "PathNotFoundError"},
	fault.Denied:      {http.StatusForbidden, "InsufficientAccessError"},
	fault.Throttled:   {http.StatusTooManyRequests, "ThrottledError"},
	fault.Unavailable: {http.StatusGatewayTimeout, "GatewayTimeout"},
}

// failure gives the status and body of an error.
func (f *face) failure(r *http.Request, err error) (int, []byte) {
	s, ok := failures[fault.KindOf(err)]
	body := wire.ErrorBody{Error: wire.Error{Code: s.code, Message: err.Error()}}
	var syntax *query.SyntaxError
	switch {
	case !ok:
		s = shown{http.StatusInternalServerError, "InternalServerError"}
		body.Error = wire.Error{Code: s.code, Message: "An internal error; the server's log has it."}
		if f.Failed != nil && !errors.Is(err, context.Canceled) {
			f.Failed(r, err)
		}
	case errors.Is(err, access.ErrUnauthenticated):
		s = shown{http.StatusUnauthorized, "AuthorizationRequiredError"}
		body.Error.Code = s.code
	case errors.As(err, &syntax):
		body.Error = syntaxError(syntax)
	}
	text, _ := json.Marshal(body)
	return s.status, text
}

// parsing begins the codes of mistakes that the compiler's parser finds;
// clients know all of them by one published code (Source: clients.md 5, check 15).
const (
	parsing    = "KQL0"
	syntaxCode = "SYN0002"
)

// syntaxError nests a query's mistakes as the service does: an argument error
// around SyntaxError or SemanticError around the first mistake with its place.
func syntaxError(e *query.SyntaxError) wire.Error {
	first := e.Diagnostics[0]
	for _, d := range e.Diagnostics {
		if !d.Warning {
			first = d
			break
		}
	}
	kind, code := "SemanticError", first.Code
	if strings.HasPrefix(first.Code, parsing) {
		kind, code = "SyntaxError", syntaxCode
	}
	return wire.Error{
		Code: "BadArgumentError", Message: "The request had some invalid properties: " + e.Error(),
		Inner: &wire.Error{Code: kind, Message: e.Error(), Inner: &wire.Error{Code: code, Message: first.Message, Line: first.Line, Pos: first.Col}},
	}
}

func (f *face) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, body := f.failure(r, err)
	var e *fault.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(e.RetryAfter.Seconds()+0.999)))
	}
	write(w, status, body)
}
