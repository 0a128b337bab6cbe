// Package cell knows how one value of a query's answer is written in JSON. It
// leaves the answer around it to each API.
package cell

import (
	"bytes"
	"encoding/json"
	"math"

	"lockstep/rows"
	"lockstep/schema"
)

// Write writes row n of a column: a datetime in RFC 3339 with as many digits
// as it needs, a timespan as Kusto prints it, a real that JSON can't say as
// NaN, Infinity or -Infinity in quotes, a decimal as text. A dynamic value is
// its JSON, or with quoted its JSON as a text.
func Write(out *bytes.Buffer, c *rows.Column, n int, quoted bool) {
	switch v := c.Value(n).(type) {
	case nil:
		out.WriteString("null")
	case schema.Ticks:
		if c.Type == schema.TimeSpan {
			Text(out, rows.PrintSpan(v))
			return
		}
		Text(out, v.RFC3339())
	case float64:
		real(out, v)
	case string:
		if c.Type == schema.Dynamic && !quoted {
			out.WriteString(v)
			return
		}
		Text(out, v)
	default:
		text, _ := json.Marshal(v) // a bool or an int64: always has a JSON text
		out.Write(text)
	}
}

func real(out *bytes.Buffer, v float64) {
	switch {
	case math.IsNaN(v):
		out.WriteString(`"NaN"`)
	case math.IsInf(v, 1):
		out.WriteString(`"Infinity"`)
	case math.IsInf(v, -1):
		out.WriteString(`"-Infinity"`)
	default:
		text, _ := json.Marshal(v) // a finite real always has a JSON text
		out.Write(text)
	}
}

// Text writes a JSON string, with the characters of HTML as they are.
func Text(out *bytes.Buffer, text string) {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil { // a string always has a JSON text
		out.WriteString(`""`)
		return
	}
	out.Truncate(out.Len() - 1) // the encoder's newline
}
