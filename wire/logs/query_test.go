package logs_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/wire/logs"
)

// every is a batch with a column of every type: a row of values, a row of nulls.
func every() *rows.Batch {
	t := schema.NewTable("PrimaryResult", schema.Workspace, []schema.Column{
		{Name: "b", Type: schema.Bool}, {Name: "i", Type: schema.Int}, {Name: "l", Type: schema.Long}, {Name: "r", Type: schema.Real},
		{Name: "d", Type: schema.Decimal}, {Name: "s", Type: schema.String}, {Name: "t", Type: schema.DateTime}, {Name: "p", Type: schema.TimeSpan},
		{Name: "g", Type: schema.Guid}, {Name: "y", Type: schema.Dynamic}, {Name: "n", Type: schema.Real},
	})
	b := rows.New(t, 2)
	b.Columns[0].AppendInt(1)
	b.Columns[1].AppendInt(-7)
	b.Columns[2].AppendInt(math.MaxInt64)
	b.Columns[3].AppendReal(0.1)
	b.Columns[4].AppendText("1.50")
	b.Columns[5].AppendText(`<a> "b" & ` + "\u2028")
	b.Columns[6].AppendInt(int64(schema.At(schema.Ticks(639_000_000_012_345_600).Time())))
	b.Columns[7].AppendInt(int64(schema.Day + schema.Second/2))
	b.Columns[8].AppendText("5e6f0000-0000-4000-8000-000000000001")
	b.Columns[9].AppendText(`{"a":[1,"<"]}`)
	b.Columns[10].AppendReal(math.NaN())
	for i := range b.Columns {
		b.Columns[i].AppendNull()
	}
	b.N = 2
	return b
}

func TestAnswer(t *testing.T) {
	severity := 2
	text, err := logs.Answer{
		Tables:     []logs.Table{{Name: "PrimaryResult", Rows: every()}},
		Statistics: json.RawMessage(`{"query":{"executionTime":0.1}}`),
		Error: &logs.Error{Code: logs.PartialCode, Message: "some rows are missing", Details: []logs.Error{{Code: "x", Message: "y", Severity: &severity}},
			Inner: &logs.Error{Code: "SyntaxError", Message: "m", Inner: &logs.Error{Code: "SYN0002", Message: "n", Line: 1, Pos: 4, Token: "|"}}},
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"tables":[{"name":"PrimaryResult","columns":[{"name":"b","type":"bool"},{"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"r","type":"real"},` +
		`{"name":"d","type":"decimal"},{"name":"s","type":"string"},{"name":"t","type":"datetime"},{"name":"p","type":"timespan"},{"name":"g","type":"guid"},{"name":"y","type":"dynamic"},{"name":"n","type":"real"}],` +
		`"rows":[[true,-7,9223372036854775807,0.1,"1.50","<a> \"b\" & \u2028","2025-11-29T08:00:01.23456Z","1.00:00:00.5000000","5e6f0000-0000-4000-8000-000000000001","{\"a\":[1,\"<\"]}","NaN"],` +
		`[null,null,null,null,null,"",null,null,null,null,null]]}],"statistics":{"query":{"executionTime":0.1}},` +
		`"error":{"code":"PartialError","message":"some rows are missing","details":[{"code":"x","message":"y","severity":2}],"innererror":{"code":"SyntaxError","message":"m","innererror":{"code":"SYN0002","message":"n","line":1,"pos":4,"token":"|"}}}}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	if !json.Valid(text) {
		t.Error("the answer isn't JSON")
	}
	if _, err := (logs.Answer{Render: json.RawMessage(`{`)}).Encode(); err == nil {
		t.Error("a broken part goes out")
	}
}

func TestRequest(t *testing.T) {
	r, err := logs.DecodeRequest([]byte(`{"query":"T | take 1","timespan":null,"workspaces":null}`))
	if err != nil || r.Query != "T | take 1" || r.Timespan != "" {
		t.Errorf("%+v, %v", r, err)
	}
	for _, body := range []string{``, `{}`, `[]`, `{"query":7}`} {
		if _, err := logs.DecodeRequest([]byte(body)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
