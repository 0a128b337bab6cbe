package control

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"strings"

	"lockstep/connector"
	"lockstep/fault"
	"lockstep/query"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
	"lockstep/workspace"
)

// Workspace is a workspace as the verbs print it.
type Workspace struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	ResourceID string `json:"resourceId"`
	Primary    bool   `json:"primary"`
	Onboarded  bool   `json:"onboarded"`
	Connected  bool   `json:"connected"`
}

func (f *face) workspaces(r *http.Request) (any, error) {
	list, err := f.known(r)
	if err != nil {
		return nil, err
	}
	out := []Workspace{}
	for _, w := range list {
		one := Workspace{ID: w.ID, Name: w.Name, ResourceID: w.ResourceID(), Primary: w.Primary, Onboarded: w.Onboarded}
		if f.Connector != nil {
			k, err := f.Connector.Connection(r.Context(), w.ID)
			if err != nil {
				return nil, err
			}
			one.Connected = k.Connected
		}
		out = append(out, one)
	}
	return out, nil
}

// known lists the workspaces that are here, or the one of another server.
func (f *face) known(r *http.Request) ([]workspace.Workspace, error) {
	switch {
	case f.Workspaces != nil:
		return f.Workspaces.Workspaces(r.Context())
	case f.Remote.ID != "":
		return []workspace.Workspace{f.Remote}, nil
	}
	return nil, nil
}

// joined finds the workspace that a request names where there is a connector,
// and says where that is when it isn't here.
func (f *face) joined(r *http.Request, name string) (workspace.Workspace, error) {
	if f.Connector == nil {
		return workspace.Workspace{}, fault.New(fault.NotFound, "this server has no connector: it runs where both sides can be reached")
	}
	if f.Workspaces != nil {
		return f.primary(r, name)
	}
	if name != "" && !strings.EqualFold(name, f.Remote.ID) && !strings.EqualFold(name, f.Remote.Name) {
		return workspace.Workspace{}, fault.New(fault.NotFound, "this server is joined to workspace %s alone, not to %q", f.Remote.Name, name)
	}
	return f.Remote, nil
}

// ConnectRequest is what `lockstep connect` asks for.
type ConnectRequest struct {
	Workspace            string   `json:"workspace"`
	Incidents            bool     `json:"incidents"`
	Entities             bool     `json:"entities"`
	Tables               []string `json:"tables"` // null: those that streamed before, else all
	TurnOffCreationRules bool     `json:"turnOffCreationRules"`
}

func (f *face) connect(r *http.Request) (any, error) {
	var q ConnectRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	w, err := f.joined(r, q.Workspace)
	if err != nil {
		return nil, err
	}
	if q.Tables == nil {
		if q.Tables, err = f.Connector.Tables(r.Context(), w.ID); err != nil {
			return nil, err
		}
	}
	return f.Connector.Connect(r.Context(), w.ID, connector.Settings{
		Incidents: q.Incidents, Alerts: q.Incidents, Entities: q.Entities, Tables: q.Tables, TurnOffCreationRules: q.TurnOffCreationRules,
	}, f.actor())
}

func (f *face) disconnect(r *http.Request) (any, error) {
	var q struct {
		Workspace string `json:"workspace"`
	}
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	w, err := f.joined(r, q.Workspace)
	if err != nil {
		return nil, err
	}
	return f.Connector.Disconnect(r.Context(), w.ID, f.actor())
}

// StreamRequest switches the streaming of a table.
type StreamRequest struct {
	Workspace string `json:"workspace"`
	Table     string `json:"table"`
	On        bool   `json:"on"`
}

func (f *face) stream(r *http.Request) (any, error) {
	var q StreamRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	w, err := f.joined(r, q.Workspace)
	if err != nil {
		return nil, err
	}
	return f.Connector.SetStream(r.Context(), w.ID, q.Table, q.On, f.actor())
}

// Milliseconds of a length of time.
func millis(t schema.Ticks) float64 { return float64(t) / float64(schema.Millisecond) }

// Status is how a workspace's connection fares, as the verbs print it. Times
// are text, lengths milliseconds.
type Status struct {
	Workspace string       `json:"workspace"`
	Connected bool         `json:"connected"`
	Since     string       `json:"since"`
	Entities  bool         `json:"entities"`
	RulesOff  []string     `json:"rulesOff"`
	Waiting   int          `json:"waiting"`
	Behind    float64      `json:"behindMs"`
	Creation  Latency      `json:"creation"` // from an incident's creation to being visible in the workspace
	Edit      Latency      `json:"edit"`     // of other changes, either way
	Types     []TypeStatus `json:"types"`
	Holes     []Hole       `json:"holes"`
	Ends      []End        `json:"ends"`   // those that are other servers
	Unread    []Unread     `json:"unread"` // ends whose feed can't be read at the moment
}

// Unread is an end whose feed can't be read.
type Unread struct {
	Side  string `json:"side"`
	Error string `json:"error"`
	Next  string `json:"next"` // when it is tried again
}

// End is a side that is another server, and what it can't do.
type End struct {
	Side   string   `json:"side"`
	Where  string   `json:"where"`
	Cannot []string `json:"cannot"`
}

// Latency is how long changes took, in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Most  float64 `json:"most"`
}

// TypeStatus is the health of one data type.
type TypeStatus struct {
	Name      string  `json:"name"`
	Component string  `json:"component"`
	On        bool    `json:"on"`
	Received  string  `json:"received"` // when the newest came
	Newest    string  `json:"newest"`   // event time of the newest
	Rows      int64   `json:"rows"`
	Lag       float64 `json:"lagMs"`
	Failures  int64   `json:"failures"`
	LastError string  `json:"lastError"`
}

// Hole is an incident that keeps failing.
type Hole struct {
	Incident string `json:"incident"`
	Since    string `json:"since"`
	Attempts int    `json:"attempts"`
	Error    string `json:"error"`
}

func (f *face) status(r *http.Request) (any, error) {
	w, err := f.joined(r, r.URL.Query().Get("workspace"))
	if err != nil {
		return nil, err
	}
	st, err := f.Connector.Status(r.Context(), w.ID)
	if err != nil {
		return nil, err
	}
	k := st.Connection
	out := Status{
		Workspace: w.Name, Connected: k.Connected, Since: text(k.Since), Entities: k.Settings.Entities, RulesOff: k.RulesOff,
		Waiting: st.Waiting, Behind: millis(st.Behind), Creation: latency(st.Creation), Edit: latency(st.Edit),
	}
	for _, t := range st.Types {
		out.Types = append(out.Types, TypeStatus{
			Name: t.Name, Component: t.Component, On: t.On, Received: text(t.LastReceived), Newest: text(t.Newest), Rows: t.Rows,
			Lag: millis(t.Lag), Failures: t.Failures, LastError: t.LastError,
		})
	}
	for _, e := range st.Ends {
		if e.Where != "" {
			out.Ends = append(out.Ends, End{e.Side, e.Where, e.Cannot})
		}
	}
	for _, f := range st.Feeds {
		if f.Failing {
			out.Unread = append(out.Unread, Unread{f.Side, f.LastError, text(f.RestsTill)})
		}
	}
	for _, h := range st.Holes {
		out.Holes = append(out.Holes, Hole{cmp.Or(h.XDR, h.Where), text(h.Since), h.Attempts, h.Error})
	}
	return out, nil
}

func text(t schema.Ticks) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

func latency(l connector.Latency) Latency {
	return Latency{l.Count, millis(l.P50), millis(l.P99), millis(l.Greatest)}
}

func (f *face) explain(r *http.Request) (any, error) {
	q := r.URL.Query()
	w, err := f.joined(r, q.Get("workspace"))
	if err != nil {
		return nil, err
	}
	story, err := f.Connector.Explain(r.Context(), w.ID, q.Get("incident"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"xdr": story.XDR, "workspace": w.Name, "name": story.Name, "story": story.Sentences, "decisions": story.Decisions}, nil
}

// UndoRequest asks for what gave way in a decision to be set again.
type UndoRequest struct {
	Workspace string `json:"workspace"`
	Incident  string `json:"incident"`
	Decision  int64  `json:"decision"`
}

// Undone is a value that was set again.
type Undone struct {
	Side  string `json:"side"`
	Field string `json:"field"`
	Value string `json:"value"`
}

func (f *face) undo(r *http.Request) (any, error) {
	var in UndoRequest
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	w, err := f.joined(r, in.Workspace)
	if err != nil {
		return nil, err
	}
	undone, err := f.Connector.Undo(r.Context(), w.ID, in.Incident, in.Decision, f.actor())
	if err != nil {
		return nil, err
	}
	out := []Undone{}
	for _, u := range undone {
		out = append(out, Undone{string(u.Side), string(u.Field), u.Value})
	}
	return out, nil
}

// VerifyRequest asks for both sides of a workspace to be compared.
type VerifyRequest struct {
	Workspace string `json:"workspace"`
}

// Verification is what the comparison found. Apart are pairs that don't agree,
// with why each field isn't alike; they are looked at next.
type Verification struct {
	Compared int      `json:"compared"`
	Apart    []Apart  `json:"apart"`
	Strays   []string `json:"strays"` // workspace incidents whose partner the XDR doesn't know
}

// Apart is a pair that doesn't agree.
type Apart struct {
	Incident string   `json:"incident"`
	Name     string   `json:"name"`
	Reasons  []string `json:"reasons"`
}

func (f *face) verify(r *http.Request) (any, error) {
	var in VerifyRequest
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	w, err := f.joined(r, in.Workspace)
	if err != nil {
		return nil, err
	}
	v, err := f.Connector.Verify(r.Context(), w.ID)
	if err != nil {
		return nil, err
	}
	out := Verification{Compared: v.Compared, Apart: []Apart{}, Strays: append([]string{}, v.Strays...)}
	for _, a := range v.Apart {
		apart := Apart{Incident: a.XDR, Name: a.Name, Reasons: []string{}}
		for _, reason := range a.Reasons {
			apart.Reasons = append(apart.Reasons, reason.String())
		}
		out.Apart = append(out.Apart, apart)
	}
	return out, nil
}

// QueryRequest asks for a query.
type QueryRequest struct {
	Side      schema.Side `json:"side"`
	Workspace string      `json:"workspace"`
	Query     string      `json:"query"`
	Timespan  string      `json:"timespan"`
	Limit     int         `json:"limit"`
	Explain   bool        `json:"explain"` // an explanation in place of the rows
}

// QueryAnswer is a query's answer: a table, or several of a text with several.
type QueryAnswer struct {
	Tables   []QueryTable `json:"tables"`
	Warnings []string     `json:"warnings"`
	Millis   float64      `json:"millis"`
}

// QueryTable is one result table: cells are JSON values, times text.
type QueryTable struct {
	Name      string          `json:"name"`
	Columns   []schema.Column `json:"columns"`
	Rows      [][]any         `json:"rows"`
	Truncated bool            `json:"truncated"`
	Explained *Explained      `json:"explained,omitempty"`
}

// Explained tells how a query was answered: the plan, the steps with their
// SQL and its values, what was read of which table, and how long it took.
type Explained struct {
	Plan          *query.Plan            `json:"plan"`
	Stages        []query.ExplainedStage `json:"stages"`
	Scanned       []tables.Scanned       `json:"scanned"`
	CompileMillis float64                `json:"compileMillis"`
	RunMillis     float64                `json:"runMillis"`
	Rows          int                    `json:"rows"`
}

// explained puts an explanation into an answer.
func explained(e *query.Explanation, rows int) *Explained {
	out := &Explained{Plan: e.Plan, Stages: e.Stages, Scanned: e.Scanned, Rows: rows,
		CompileMillis: e.Compile.Seconds() * 1000, RunMillis: e.Run.Seconds() * 1000}
	for _, stage := range out.Stages {
		for i, a := range stage.Args {
			if f, ok := a.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) { // JSON has no such numbers
				stage.Args[i] = fmt.Sprint(f)
			}
		}
	}
	return out
}

func (f *face) query(r *http.Request) (any, error) {
	var in QueryRequest
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	q := query.Query{Text: in.Query, Side: in.Side, MaxRows: in.Limit, Explain: in.Explain, Principal: f.Operator.ID}
	switch in.Side {
	case schema.XDR:
	case schema.Workspace:
		w, err := f.primary(r, in.Workspace)
		if err != nil {
			return nil, err
		}
		q.Workspace = w.ID
	default:
		return nil, fault.At("side", "%q is neither xdr nor workspace", in.Side)
	}
	var err error
	if q.From, q.To, err = query.ParseTimespan(in.Timespan, f.Now()); err != nil {
		return nil, err
	}
	result, err := f.Queries.Run(r.Context(), q)
	if err != nil {
		return nil, err
	}
	out := QueryAnswer{Warnings: result.Warnings, Millis: result.Stats.Duration.Seconds() * 1000}
	for _, t := range result.Tables() {
		out.Tables = append(out.Tables, tableOf(t))
	}
	return out, nil
}

// tableOf is a result table, or its explanation in place of the rows.
func tableOf(t query.Table) QueryTable {
	out := QueryTable{Name: t.Name, Columns: t.Columns, Rows: [][]any{}, Truncated: t.Truncated}
	if t.Explained != nil {
		out.Explained = explained(t.Explained, t.Rows.N)
		return out
	}
	for n := range t.Rows.N {
		line := make([]any, len(t.Rows.Columns))
		for c := range t.Rows.Columns {
			line[c] = cell(&t.Rows.Columns[c], n)
		}
		out.Rows = append(out.Rows, line)
	}
	return out
}

// cell gives one value as the verbs print it: numbers and truths as they are,
// the rest as text.
func cell(c *rows.Column, n int) any {
	switch v := c.Value(n).(type) {
	case nil, bool, int64:
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return c.Print(n)
		}
		return v
	default:
		return c.Print(n)
	}
}
