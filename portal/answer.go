package portal

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"lockstep/fault"
	"lockstep/query"
)

// handler answers with a value to be written as JSON, or with an error.
// A nil value is 204.
type handler func(w http.ResponseWriter, r *http.Request) (any, error)

var (
	errForeignHost   = fault.New(fault.Denied, "this server doesn't answer to that host name; open it as localhost")
	errForeignOrigin = fault.New(fault.Denied, "a page of another origin may not do this")
	errNoHeader      = fault.New(fault.Denied, "the header %s is missing: only the portal's own pages may do this", ownHeader)
)

// ownHeader is sent by our pages with everything that changes something. A
// form or a link of another site can't send it.
const ownHeader = "X-Lockstep-Portal"

// maxBody bounds what a page may send: a comment of 30,000 characters or a long query.
const maxBody = 1 << 20

// answering writes what a handler gives.
func (p *Portal) answering(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get(ownHeader) == "" {
			p.fail(w, r, errNoHeader)
			return
		}
		value, err := h(w, r)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		if value == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		p.write(w, r, http.StatusOK, value)
	})
}

func (p *Portal) write(w http.ResponseWriter, r *http.Request, status int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that went away is no error of ours
}

// statuses translates kinds of error; a kind that isn't here is 500.
var statuses = map[fault.Kind]int{
	fault.Invalid:     http.StatusBadRequest,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Denied:      http.StatusForbidden,
	fault.Throttled:   http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable,
}

// signedOut is the code of an answer to somebody whom we don't know (yet, or any more).
const signedOut = "signedOut"

var errSignedOut = errors.New("sign in first")

// failure is the body of every error.
type failure struct {
	Error failureDetail `json:"error"`
}

type failureDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target,omitempty"` // field at fault
	// Diagnostics locate what is wrong in a query.
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
}

// fail writes an error: by its kind, in its own words, unless it is ours.
func (p *Portal) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errSignedOut) {
		p.write(w, r, http.StatusUnauthorized, failure{failureDetail{Code: signedOut, Message: err.Error()}})
		return
	}
	kind := fault.KindOf(err)
	d := failureDetail{Code: string(kind), Message: err.Error()}
	var f *fault.Error
	if errors.As(err, &f) {
		d.Target = f.Target
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
		}
	}
	var q *query.SyntaxError
	if errors.As(err, &q) {
		kind, d.Code, d.Diagnostics = fault.Invalid, string(fault.Invalid), diagnostics(q.Diagnostics)
	}
	status, ok := statuses[kind]
	if !ok {
		if r.Context().Err() == nil {
			p.o.Log.Error("portal request failed", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("error", err))
		}
		status, d = http.StatusInternalServerError, failureDetail{Code: string(fault.Internal), Message: "Something went wrong on the server; its log says what."}
	}
	p.write(w, r, status, failure{d})
}

// read decodes a request's JSON body; a field that isn't known is an error,
// because it is one of ours misspelt.
func read[T any](r *http.Request) (T, error) {
	var v T
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fault.New(fault.Invalid, "the request's body can't be read: %w", err)
	}
	return v, nil
}

func (p *Portal) unknown(_ http.ResponseWriter, r *http.Request) (any, error) {
	return nil, fault.New(fault.NotFound, "%s %s is no part of the portal", r.Method, r.URL.Path)
}

// missing is the answer where a part isn't in this process.
func missing(part string) error {
	return fault.New(fault.Unavailable, "this server doesn't run the %s", part)
}
