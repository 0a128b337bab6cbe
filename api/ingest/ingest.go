// Package ingest is the face through which alerts, hunting events and
// workspace rows come in. It knows bodies, keys and receipts; what an alert
// means is the XDR's, what a row means is rows'. Nothing that was sent is lost
// in silence: what can't be taken is answered, counted and kept aside.
package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"lockstep/access"
	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/tables"
	"lockstep/workspace"
	"lockstep/xdr"
)

// MaxBody is the most bytes of one delivery, inflated. Larger ones are
// refused whole with the advice to send less at once.
const MaxBody = 64 << 20

// Alerts takes alerts in. The XDR satisfies it.
type Alerts interface {
	Ingest(ctx context.Context, alerts []security.Alert) ([]xdr.Outcome, error)
}

// Rows stores rows and what was refused. The tables engine satisfies it.
type Rows interface {
	Append(ctx context.Context, a tables.Append) (tables.Receipt, error)
	Quarantine(ctx context.Context, key string, refused []rows.Refusal) error
}

// Workspaces finds a workspace by id or name.
type Workspaces interface {
	Workspace(ctx context.Context, idOrName string) (workspace.Workspace, error)
}

// Options are what the face needs. Alerts and Events are nil on a server that
// isn't the XDR, Workspaces on one that isn't the workspace.
type Options struct {
	Alerts     Alerts
	Rows       Rows
	Workspaces Workspaces
	Schema     *schema.Catalog
	// Authenticate puts the caller into the request's context, or has fail answer.
	Authenticate func(next http.Handler, fail func(w http.ResponseWriter, r *http.Request, err error)) http.Handler
	// Authorize decides whether the caller in the context may do an action.
	Authorize func(ctx context.Context, action access.Action, scope string) error
	// Counted is told what became of records, for metrics; may be nil.
	Counted func(kind string, accepted, repeats, refused int)
	// Failed is told of our own failures, once each, for the log.
	Failed func(r *http.Request, err error)
}

// Answer is what every delivery gets back.
type Answer struct {
	Accepted int       `json:"accepted"`
	Repeats  int       `json:"repeats"`
	Refused  []Refusal `json:"refused"`
	Repeat   bool      `json:"repeat"` // the whole delivery came before, with these numbers
}

// Refusal says which record wasn't taken, and why.
type Refusal struct {
	Record int    `json:"record"` // from 1, in the order sent
	Table  string `json:"table,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

// New makes the face: POST /ingest/v1/alerts, /ingest/v1/events and
// /ingest/v1/workspaces/{workspace}/tables/{table}.
func New(o Options) http.Handler {
	f := &face{o, newDesk(o.Schema)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ingest/v1/alerts", f.handle("alerts", f.alerts))
	mux.HandleFunc("POST /ingest/v1/events", f.handle("events", f.events))
	mux.HandleFunc("POST /ingest/v1/workspaces/{workspace}/tables/{table}", f.handle("rows", f.rows))
	return f.Authenticate(mux, f.fail)
}

type face struct {
	Options
	desk *desk
}

// handle reads a delivery, lets take deal with it, which keeps nothing of the
// body, and writes the answer.
func (f *face) handle(kind string, take func(r *http.Request, body []byte) (Answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := f.deliver(r, take)
		if err != nil {
			f.fail(w, r, err)
			return
		}
		if f.Counted != nil && !answer.Repeat {
			f.Counted(kind, answer.Accepted, answer.Repeats, len(answer.Refused))
		}
		write(w, http.StatusOK, answer)
	}
}

func (f *face) deliver(r *http.Request, take func(r *http.Request, body []byte) (Answer, error)) (Answer, error) {
	body, release, err := f.desk.body(r)
	if err != nil {
		return Answer{}, err
	}
	defer release()
	return take(r, body)
}

// key is what recognises a delivery: the client's name for it together with
// what was sent, "" if it gave no name. The same name for another body is
// another delivery, so that a client's mistake loses nothing.
func key(r *http.Request, body []byte) string {
	name := r.Header.Get("Idempotency-Key")
	if name == "" {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(name), name)
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

func (f *face) events(r *http.Request, body []byte) (Answer, error) {
	if f.Alerts == nil {
		return Answer{}, fault.New(fault.NotFound, "this server isn't the XDR side: hunting events go to the one that is")
	}
	if err := f.Authorize(r.Context(), access.IngestEvents, access.XDR); err != nil {
		return Answer{}, err
	}
	batches, refused := f.desk.decode(body, func(c *clerk) ([]*rows.Batch, []rows.Refusal) { return c.events.Records(body) })
	return f.append(r, tables.XDRHome, key(r, body), batches, refused)
}

func (f *face) rows(r *http.Request, body []byte) (Answer, error) {
	if f.Workspaces == nil {
		return Answer{}, fault.New(fault.NotFound, "this server has no workspaces: it is the XDR side")
	}
	ws, err := f.Workspaces.Workspace(r.Context(), r.PathValue("workspace"))
	if err != nil {
		return Answer{}, err
	}
	if err := f.Authorize(r.Context(), access.IngestRows, ws.ID); err != nil {
		return Answer{}, err
	}
	name := r.PathValue("table")
	table, ok := f.Schema.Table(schema.Workspace, name)
	if !ok {
		if table, ok = f.Schema.Fallback(name); !ok {
			return Answer{}, fault.New(fault.NotFound, "workspace %s has no table %q", ws.Name, name)
		}
	}
	table = f.desk.keep(table)
	batches, refused := f.desk.decode(body, func(c *clerk) ([]*rows.Batch, []rows.Refusal) { return c.rows.Rows(table, body) })
	return f.append(r, tables.Home(ws.ID), key(r, body), batches, refused)
}

// append stores what was read and keeps aside what was not.
func (f *face) append(r *http.Request, home tables.Home, key string, batches []*rows.Batch, refused []rows.Refusal) (Answer, error) {
	receipt, err := f.Rows.Append(r.Context(), tables.Append{Home: home, Batches: batches, Key: key, Refused: len(refused)})
	if err != nil {
		return Answer{}, fmt.Errorf("store rows: %w", err)
	}
	if len(refused) > 0 && !receipt.Repeat {
		if err := f.Rows.Quarantine(r.Context(), key, refused); err != nil {
			return Answer{}, fmt.Errorf("keep refused records aside: %w", err)
		}
	}
	answer := Answer{Accepted: receipt.Accepted, Repeats: receipt.Repeats, Repeat: receipt.Repeat, Refused: []Refusal{}}
	for _, x := range refused {
		answer.Refused = append(answer.Refused, Refusal{Record: x.Record, Table: x.Table, Field: x.Field, Reason: x.Reason})
	}
	return answer, nil
}

// statuses maps the kinds of error to HTTP.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Denied: http.StatusForbidden, fault.Throttled: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable,
}

func (f *face) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, ok := statuses[fault.KindOf(err)]
	message := err.Error()
	if !ok {
		status, message = http.StatusInternalServerError, "an internal error; the server's log has it"
		if f.Failed != nil && !errors.Is(err, context.Canceled) {
			f.Failed(r, err)
		}
	}
	if errors.Is(err, access.ErrUnauthenticated) {
		status = http.StatusUnauthorized
	}
	var e *fault.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(e.RetryAfter.Seconds()+0.999)))
	}
	write(w, status, map[string]any{"error": map[string]string{"code": string(fault.KindOf(err)), "message": message}})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
