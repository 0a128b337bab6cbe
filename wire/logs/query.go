package logs

import (
	"bytes"
	"encoding/json"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/wire/cell"
)

// Request is the body of a query of the Log Analytics API.
type Request struct {
	Query      string   `json:"query"`
	Timespan   string   `json:"timespan"`   // ISO 8601; "" for none
	Workspaces []string `json:"workspaces"` // further ones, by name or id
}

// DecodeRequest reads the body of POST …/query; null members are unset.
func DecodeRequest(body []byte) (Request, error) {
	var r Request
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fault.New(fault.Invalid, "the body isn't the JSON expected: %w", err)
	}
	if r.Query == "" {
		return r, fault.At("query", "the request has none")
	}
	return r, nil
}

// Error is an error of the Log Analytics API, nested from general to
// particular: BadArgumentError, its InnerError SyntaxError, its SYN0002.
type Error struct {
	Code     string  `json:"code"`
	Message  string  `json:"message"`
	Severity *int    `json:"severity,omitempty"`
	Line     int     `json:"line,omitempty"`
	Pos      int     `json:"pos,omitempty"`
	Token    string  `json:"token,omitempty"`
	Details  []Error `json:"details,omitempty"`
	Inner    *Error  `json:"innererror,omitempty"`
}

// ErrorBody is what a failed query answers.
type ErrorBody struct {
	Error Error `json:"error"`
}

// PartialCode is the code of an error beside results that aren't all.
const PartialCode = "PartialError"

// Table is one result: its name (PrimaryResult) and rows.
type Table struct {
	Name string
	Rows *rows.Batch
}

// Answer is the body of a query's answer.
type Answer struct {
	Tables     []Table
	Statistics json.RawMessage // with Prefer: include-statistics=true
	Render     json.RawMessage // with Prefer: include-render=true
	Error      *Error          // a partial failure
}

// Encode writes the answer's body; cells as cell.Write does, a dynamic value
// as text, which is what the published clients parse. Source: facts 10.3.
func (a Answer) Encode() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(`{"tables":[`)
	for i, t := range a.Tables {
		if i > 0 {
			out.WriteByte(',')
		}
		writeTable(&out, t)
	}
	out.WriteByte(']')
	for _, part := range []struct {
		name string
		text json.RawMessage
	}{{"statistics", a.Statistics}, {"render", a.Render}} {
		if len(part.text) == 0 {
			continue
		}
		if !json.Valid(part.text) {
			return nil, fault.New(fault.Internal, "%s of the answer isn't JSON", part.name)
		}
		out.WriteString(`,"` + part.name + `":`)
		out.Write(part.text)
	}
	if a.Error != nil {
		text, err := json.Marshal(a.Error)
		if err != nil {
			return nil, fault.New(fault.Internal, "lay out the answer's error: %w", err)
		}
		out.WriteString(`,"error":`)
		out.Write(text)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func writeTable(out *bytes.Buffer, t Table) {
	out.WriteString(`{"name":`)
	cell.Text(out, t.Name)
	out.WriteString(`,"columns":[`)
	for i, c := range t.Rows.Table.Columns {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`{"name":`)
		cell.Text(out, c.Name)
		out.WriteString(`,"type":"` + c.Type.String() + `"}`)
	}
	out.WriteString(`],"rows":[`)
	for n := range t.Rows.N {
		if n > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('[')
		for i := range t.Rows.Columns {
			if i > 0 {
				out.WriteByte(',')
			}
			cell.Write(out, &t.Rows.Columns[i], n, true)
		}
		out.WriteByte(']')
	}
	out.WriteString(`]}`)
}
