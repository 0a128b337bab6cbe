package portal

import (
	"context"
	"encoding/json"
	"math"
	"net/http"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/rows"
	"lockstep/schema"
)

// Queries runs and checks KQL for the hunting page. *query.Service satisfies it.
type Queries interface {
	Run(ctx context.Context, q query.Query) (*query.Result, error)
	Check(ctx context.Context, q query.Query) ([]query.Diagnostic, error)
}

// Result is a query's answer: one table, or several of a text with several.
type Result struct {
	Tables    []ResultTable `json:"tables"`
	Notes     []string      `json:"notes"` // what isn't there: rows cut at a limit
	ElapsedMS float64       `json:"elapsedMs"`
}

// ResultTable is a table of values: text, numbers, true/false, null; times as text,
// dynamic values as JSON, whole numbers that JavaScript can't hold as text.
type ResultTable struct {
	Name    string         `json:"name"`
	Columns []ResultColumn `json:"columns"`
	Rows    [][]any        `json:"rows"`
}

// ResultColumn is a column of a result; Type is its KQL name.
type ResultColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Diagnostic is something wrong, or odd, at a place of a query's text.
type Diagnostic struct {
	Start   int    `json:"start"`  // byte offset in the UTF-8 text
	Length  int    `json:"length"` // in bytes; 0 at the end of the text
	Line    int    `json:"line"`   // from 1
	Column  int    `json:"column"` // from 1, in characters
	Warning bool   `json:"warning"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func diagnostics(list []query.Diagnostic) []Diagnostic {
	out := make([]Diagnostic, 0, len(list))
	for _, d := range list {
		out = append(out, Diagnostic{Start: d.Start, Length: d.End - d.Start, Line: d.Line, Column: d.Col, Warning: d.Warning, Code: d.Code, Message: d.Message})
	}
	return out
}

// exact is the greatest whole number up to which JavaScript holds each.
const exact = 1<<53 - 1

// cell is a value as JSON can carry it without loss.
func cell(c *rows.Column, i int) any {
	switch v := c.Value(i).(type) {
	case nil, bool:
		return v
	case int64:
		if v > exact || v < -exact {
			return c.Print(i)
		}
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return c.Print(i)
		}
		return v
	case string:
		if c.Type == schema.Dynamic && json.Valid([]byte(v)) {
			return json.RawMessage(v)
		}
		return v
	}
	return c.Print(i)
}

func resultOf(r *query.Result) Result {
	out := Result{Notes: some(r.Warnings), ElapsedMS: float64(r.Stats.Duration.Microseconds()) / 1000}
	for _, t := range r.Tables() {
		out.Tables = append(out.Tables, tableOf(t))
	}
	return out
}

func tableOf(t query.Table) ResultTable {
	out := ResultTable{Name: t.Name, Columns: make([]ResultColumn, 0, len(t.Columns)), Rows: [][]any{}}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, ResultColumn{c.Name, c.Type.String()})
	}
	if t.Rows == nil {
		return out
	}
	for i := range t.Rows.N {
		row := make([]any, len(t.Rows.Columns))
		for j := range t.Rows.Columns {
			row[j] = cell(&t.Rows.Columns[j], i)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

type queryBody struct {
	Side      schema.Side `json:"side"`
	Workspace string      `json:"workspace"` // name or id
	Query     string      `json:"query"`
	Timespan  string      `json:"timespan"`
}

// question reads a query and sees that the person may ask that side.
func (p *Portal) question(r *http.Request, s session) (query.Query, error) {
	body, err := read[queryBody](r)
	if err != nil {
		return query.Query{}, err
	}
	if p.o.Queries == nil {
		return query.Query{}, missing("query engine")
	}
	q := query.Query{Side: body.Side, Text: body.Query, Principal: s.person.ObjectID}
	if q.From, q.To, err = query.ParseTimespan(body.Timespan, p.o.Now()); err != nil {
		return q, err
	}
	switch body.Side {
	case schema.XDR:
	case schema.Workspace:
		ws, err := p.workspaceNamed(r.Context(), body.Workspace)
		if err != nil {
			return q, err
		}
		q.Workspace = ws.ID
	default:
		return q, fault.At("side", "%q is not a side; there are xdr and workspace", body.Side)
	}
	if q.Text == "" {
		return q, fault.At("query", "there is no query")
	}
	return q, p.o.Access.Authorize(r.Context(), s.person, HuntingRun, q.Workspace)
}

func (p *Portal) query(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	q, err := p.question(r, s)
	if err != nil {
		return nil, err
	}
	result, err := p.o.Queries.Run(r.Context(), q)
	if err != nil {
		return nil, err
	}
	return resultOf(result), nil
}

// checked is the answer to a check.
type checked struct {
	Diagnostics []Diagnostic `json:"diagnostics"`
}

func (p *Portal) check(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	q, err := p.question(r, s)
	if err != nil {
		return nil, err
	}
	found, err := p.o.Queries.Check(r.Context(), q)
	if err != nil {
		return nil, err
	}
	return checked{diagnostics(found)}, nil
}

// TableView is a table in the hunting page's list.
type TableView struct {
	Name        string         `json:"name"`
	Component   string         `json:"component"`
	Description string         `json:"description"`
	Columns     []ResultColumn `json:"columns"`
}

func (p *Portal) tables(_ http.ResponseWriter, r *http.Request, _ session) (any, error) {
	side := schema.Side(r.URL.Query().Get("side"))
	if side != schema.XDR && side != schema.Workspace {
		return nil, fault.At("side", "%q is not a side; there are xdr and workspace", side)
	}
	out := []TableView{}
	for _, t := range schema.Default().Tables(side) {
		v := TableView{Name: t.Name, Component: t.Component, Description: t.Description, Columns: make([]ResultColumn, 0, len(t.Columns))}
		for _, c := range t.Columns {
			if !c.Hidden {
				v.Columns = append(v.Columns, ResultColumn{c.Name, c.Type.String()})
			}
		}
		out = append(out, v)
	}
	return out, nil
}
