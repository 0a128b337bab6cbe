// Package hunting knows the JSON of advanced hunting: alerts as AlertInfo and
// AlertEvidence rows, both ways, and the request and answer of
// runHuntingQuery and of the older hunting API. It leaves the queries to
// query and the tables to tables. Source: facts 10.1 and recorded rows.
package hunting

import (
	"bytes"
	"encoding/json"
	"strings"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/wire/cell"
)

// Request is the body of runHuntingQuery.
type Request struct {
	Query    string
	Timespan string // ISO 8601; "" for the default of 30 days
}

// DecodeRequest reads the body with its keys in any case.
func DecodeRequest(body []byte) (Request, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return Request{}, fault.New(fault.Invalid, "the body isn't a JSON object: %w", err)
	}
	var r Request
	for name, raw := range members {
		var into *string
		switch strings.ToLower(name) {
		case "query":
			into = &r.Query
		case "timespan":
			into = &r.Timespan
		default:
			continue
		}
		var text *string
		if err := json.Unmarshal(raw, &text); err != nil {
			return r, fault.At(name, "want a text")
		}
		if text != nil {
			*into = *text
		}
	}
	if strings.TrimSpace(r.Query) == "" {
		return r, fault.At("Query", "the request has none")
	}
	return r, nil
}

// typeNames are the names of column types in an answer. DateTime and String
// are published; the others follow the .NET names. Source: facts 10.1.
var typeNames = map[schema.Type]string{
	schema.Bool: "SByte", schema.Int: "Int32", schema.Long: "Int64", schema.Real: "Double", schema.Decimal: "SqlDecimal",
	schema.String: "String", schema.DateTime: "DateTime", schema.TimeSpan: "TimeSpan", schema.Guid: "Guid", schema.Dynamic: "Object",
}

// Column is a column of an answer.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Columns describes an answer's columns.
func Columns(columns []schema.Column) []Column {
	out := make([]Column, len(columns))
	for i, c := range columns {
		out[i] = Column{c.Name, typeNames[c.Type]}
	}
	return out
}

// Answer writes the body of runHuntingQuery's answer from a batch. context is
// the @odata.context, "" for none.
func Answer(context string, b *rows.Batch) []byte {
	var out bytes.Buffer
	out.WriteByte('{')
	if context != "" {
		out.WriteString(`"@odata.context":`)
		cell.Text(&out, context)
		out.WriteByte(',')
	}
	writeResults(&out, b, "schema", "results")
	out.WriteByte('}')
	return out.Bytes()
}

// OldAnswer writes the body of the older hunting API's answer:
// {"Stats":…,"Schema":[{"Name","Type"}],"Results":[…]}.
func OldAnswer(stats json.RawMessage, b *rows.Batch) []byte {
	var out bytes.Buffer
	out.WriteString(`{"Stats":`)
	if len(stats) == 0 {
		stats = json.RawMessage("{}")
	}
	out.Write(stats)
	out.WriteByte(',')
	writeResults(&out, b, "Schema", "Results")
	out.WriteByte('}')
	return out.Bytes()
}

func writeResults(out *bytes.Buffer, b *rows.Batch, schemaName, resultsName string) {
	name, kind := "name", "type"
	if schemaName == "Schema" {
		name, kind = "Name", "Type"
	}
	out.WriteString(`"` + schemaName + `":[`)
	for i, c := range b.Table.Columns {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`{"` + name + `":`)
		cell.Text(out, c.Name)
		out.WriteString(`,"` + kind + `":"` + typeNames[c.Type] + `"}`)
	}
	out.WriteString(`],"` + resultsName + `":[`)
	names := make([][]byte, len(b.Table.Columns))
	for i, c := range b.Table.Columns {
		var one bytes.Buffer
		cell.Text(&one, c.Name)
		names[i] = append(one.Bytes(), ':')
	}
	for n := range b.N {
		if n > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('{')
		for i := range b.Columns {
			if i > 0 {
				out.WriteByte(',')
			}
			out.Write(names[i])
			cell.Write(out, &b.Columns[i], n, false)
		}
		out.WriteByte('}')
	}
	out.WriteByte(']')
}
