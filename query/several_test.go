package query_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/schema"
)

// tablesOf writes a result's tables: name, columns and cells.
func tablesOf(r *query.Result) (out []string) {
	for _, t := range r.Tables() {
		line := t.Name + ":"
		for _, c := range t.Columns {
			line += " " + c.Name
		}
		for i := range t.Rows.N {
			line += ";"
			for c := range t.Rows.Columns {
				line += " " + t.Rows.Columns[c].Print(i)
			}
		}
		out = append(out, line)
	}
	return out
}

// TestSeveral: a text with several tables answers each, in one snapshot, under the name that it gives.
func TestSeveral(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL, Allow: func(_ context.Context, _ string, _ schema.Side, _, table string) error {
		if table == "EmailEvents" {
			return fault.New(fault.Denied, "not yours")
		}
		return nil
	}})
	q := query.Query{Side: schema.XDR, Text: `
		DeviceEvents | sort by DeviceName asc | project DeviceName | fork (take 1) Last = (where DeviceName == "pc2") (count | as All);
		print b = dynamic({"k": 1}) | evaluate bag_unpack(b);
		DeviceInfo | count | as Info | render card`}
	r, err := s.Run(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"PrimaryResult: DeviceName; pc0", "Last: DeviceName; pc2", "All: Count; 3", "PrimaryResult_3: k; 1", "Info: Count; 3"}
	if d := cmp.Diff(want, tablesOf(r)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"DeviceEvents", "DeviceInfo"}, r.Stats.Tables); d != "" || r.Stats.Rows != 5 {
		t.Errorf("cost %+v %s", r.Stats, d)
	}
	if r.Render != nil || r.Further[3].Render == nil || r.Further[3].Render.Kind != "card" {
		t.Errorf("renders %+v %+v", r.Render, r.Further[3].Render)
	}
	q.Text = "DeviceInfo | count; DeviceInfo | fork (count) (count); EmailEvents | count"
	if _, err := s.Run(context.Background(), q); !fault.Is(err, fault.Denied) {
		t.Errorf("a table that isn't the asker's, in the last statement: %v", err)
	}
	q.Text = "DeviceInfo | count; DeviceInfo | nope"
	if _, err := s.Run(context.Background(), q); !fault.Is(err, fault.Invalid) {
		t.Errorf("a mistake in the second statement: %v", err)
	}
	q.Text, q.Explain = "DeviceInfo | count; DeviceEvents | count", true
	if r, err = s.Run(context.Background(), q); err != nil || r.Explained == nil || r.Further[0].Explained == nil || r.Further[0].Explained.Scanned[0].Table != "DeviceEvents" {
		t.Errorf("explained: %+v, %v", r, err)
	}
}

// TestSeveralWithinLimits: each table keeps the limit of rows, all together that of bytes.
func TestSeveralWithinLimits(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL, MaxRows: 300, MaxBytes: 4000})
	text := strings.Repeat(`range x from 1 to 400 step 1 | as T; `, 2) + "print done = 1"
	r, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(r.Rows.N, r.Truncated, r.Further[0].Rows.N < 300, r.Further[0].Truncated, r.Further[1].Rows.N)
	if got != "300 true true true 1" || len(r.Warnings) < 2 || !strings.Contains(r.Warnings[0], `"T" was cut at 300 rows.`) || !strings.Contains(r.Warnings[1], "larger than 4000 bytes") {
		t.Errorf("%s %q", got, r.Warnings)
	}
	_, err = s.Run(context.Background(), query.Query{Side: schema.XDR, Text: strings.Repeat("print 1;", 65)})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("65 tables: %v", err)
	}
}
