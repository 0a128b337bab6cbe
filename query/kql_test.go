package query_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/schema"
)

// The text goes all the way: compiled, bound to stored rows, run, printed.
func TestKQL(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL})
	ws := query.Query{Side: schema.Workspace, Workspace: workspace}
	xdr := query.Query{Side: schema.XDR}
	for _, test := range []struct {
		q          query.Query
		text, want string
	}{
		{xdr, "DeviceEvents | count", "3"},
		{xdr, "DeviceEvents | where DeviceName has 'pc1' | project DeviceName, Timestamp", "pc1|2026-01-05T02:00:00.0000000Z"},
		{ws, "DeviceEvents | where TimeGenerated > datetime(2026-01-05 01:30) | summarize n = count(), newest = max(Timestamp) by Type", "DeviceEvents|2|2026-01-05T03:00:00.0000000Z"},
		{xdr, "DeviceEvents | where Timestamp > ago(7h + 30m) | summarize make_set(DeviceName)", `["pc2"]`},
		{xdr, "union withsource=T Device* | summarize n = count() by T | sort by T asc", "DeviceEvents|3\nDeviceInfo|3"},
		{xdr, "DeviceEvents | join kind=inner (DeviceInfo | project DeviceName, At = Timestamp) on DeviceName | where At == Timestamp | count", "3"},
		{xdr, "print a = 1, b = 'x', c = dynamic({\"k\":[1]}), d = 1d, e = real(1.5)", "1|x|{\"k\":[1]}|1.00:00:00|1.5"},
		{xdr, "DeviceEvents | extend x = parse_json('{\"a\":{\"b\":7}}') | project x.a.b | take 1", "7"},
		{xdr, "DeviceEvents | project s = strcat_array(split(DeviceName, 'c'), '-') | sort by s asc | take 1", "p-0"},
		{xdr, "let T = materialize(DeviceEvents | where Timestamp > datetime(2026-01-05 01:30)); T | join kind=inner (T | project DeviceName) on DeviceName | count", "2"},
		{xdr, "DeviceEvents | project DeviceName, Timestamp | sort by Timestamp desc", "pc2|2026-01-05T03:00:00.0000000Z\npc1|2026-01-05T02:00:00.0000000Z\npc0|2026-01-05T01:00:00.0000000Z"},
		{xdr, "DeviceEvents | summarize sum(ReportId), avg(ReportId), dcount(DeviceName)", "0|NaN|3"},
		{xdr, "DeviceEvents | where DeviceName == 'pc1' | project b = bag_pack('host', DeviceName, 'n', 7) | evaluate bag_unpack(b)", "pc1|7"},
		{xdr, "DeviceEvents | project k = 'x', DeviceName | evaluate pivot(DeviceName, count(), k)", "x|1|1|1"},
		{xdr, "DeviceEvents | project d = DeviceName, t = 'pc9' | make-graph d --> t with_node_id = id | graph-match (a)-->(b) where a.id == 'pc1' project a.id, b.id", "pc1|pc9"},
		{ws, "EmailEvents | join kind=leftouter DeviceEvents on $left.Subject == $right.DeviceName | count", "0"},
	} {
		q := test.q
		q.Text = test.text
		r, err := s.Run(context.Background(), q)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		var lines []string
		for i := range r.Rows.N {
			var cells []string
			for c := range r.Rows.Columns {
				cells = append(cells, r.Rows.Columns[c].Print(i))
			}
			lines = append(lines, strings.Join(cells, "|"))
		}
		if got := strings.Join(lines, "\n"); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.text, got, test.want)
		}
	}
	xdr.Text = "DeviceEvents\n| where Nope == 1"
	_, err := s.Run(context.Background(), xdr)
	var wrong *query.SyntaxError
	if !errors.As(err, &wrong) || wrong.Diagnostics[0].Line != 2 || !strings.Contains(err.Error(), "Nope") {
		t.Errorf("got %v", err)
	}
	xdr.Text = "DeviceEvents | summarize count() by DeviceName | render piechart with (title=\"x\")"
	r, err := s.Run(context.Background(), xdr)
	if err != nil || r.Render == nil || r.Render.Kind != "piechart" || r.Render.Properties["title"] != "x" {
		t.Errorf("render: %+v, %v", r, err)
	}
}

// TestRefused: what a step in Go can't do is the query's fault, in its own words.
func TestRefused(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL})
	_, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: "range a from 1 to 40 step 1 | extend k = 1 | join kind=inner (range b from 1 to 40 step 1 | extend k = 1) on k | make-graph a --> b with_node_id = id | graph-match (x)-[e*4..5]->(y) project x.id"})
	if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "graph-match found more than") {
		t.Errorf("got %v", err)
	}
}

// TestNothingAsked: an empty text, a comment, definitions alone.
func TestNothingAsked(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL})
	for _, text := range []string{"", "  \n", "// nothing", "let x = 1;"} {
		_, err := s.Run(context.Background(), query.Query{Text: text, Side: schema.XDR})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v, want a fault of kind invalid", text, err)
		}
	}
}
