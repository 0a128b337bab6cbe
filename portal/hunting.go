package portal

import (
	"context"
	"net/http"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Queries runs and checks KQL for the hunting page.
type Queries interface {
	// Run gives the rows, or an error that is a *QueryError where the text is at fault.
	Run(ctx context.Context, q Query) (Result, error)
	// Check gives what is wrong with a query without running it; empty if nothing.
	Check(ctx context.Context, q Query) ([]Diagnostic, error)
}

// Query is a question to one side.
type Query struct {
	Side      schema.Side
	Workspace string // id; "" on the XDR side
	Text      string
	Timespan  string // ISO 8601 duration or interval that bounds event time; "" for none
	By        security.Owner
}

// Result is a table of values: text, numbers, true/false, null; times as
// RFC 3339 text, dynamic values as JSON.
type Result struct {
	Columns []ResultColumn `json:"columns"`
	Rows    [][]any        `json:"rows"`
	// Note says what isn't there: rows cut at the limit, a table without rows.
	Note      string  `json:"note"`
	ElapsedMS float64 `json:"elapsedMs"`
}

// ResultColumn is a column of a result; Type is its KQL name.
type ResultColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Diagnostic is something wrong in a query's text.
type Diagnostic struct {
	Start    int    `json:"start"`  // byte offset in the UTF-8 text
	Length   int    `json:"length"` // in bytes; 0 at the end of the text
	Line     int    `json:"line"`   // from 1
	Column   int    `json:"column"` // from 1, in characters
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

// QueryError is an error in a query's text, with where it is.
type QueryError struct {
	Diagnostics []Diagnostic
	Err         error // of kind fault.Invalid
}

func (e *QueryError) Error() string { return e.Err.Error() }

// Unwrap gives the error that carries the text and the kind.
func (e *QueryError) Unwrap() error { return e.Err }

type queryBody struct {
	Side      schema.Side `json:"side"`
	Workspace string      `json:"workspace"` // name or id
	Query     string      `json:"query"`
	Timespan  string      `json:"timespan"`
}

// question reads a query and sees that the person may ask that side.
func (p *Portal) question(r *http.Request, s session) (Query, error) {
	body, err := read[queryBody](r)
	if err != nil {
		return Query{}, err
	}
	if p.o.Queries == nil {
		return Query{}, missing("query engine")
	}
	q := Query{Side: body.Side, Text: body.Query, Timespan: body.Timespan, By: s.person}
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
	result.Columns, result.Rows = some(result.Columns), some(result.Rows)
	return result, nil
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
	return checked{some(found)}, nil
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
