package query_test

import (
	"fmt"
	"strings"
	"testing"

	"lockstep/query"
	"lockstep/schema"
)

// TestExplain: the plan, the statement with its values, and what was read.
func TestExplain(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL})
	r, err := s.Run(t.Context(), query.Query{Side: schema.XDR, Explain: true, Text: "DeviceEvents | where DeviceName has 'pc1' | join kind=inner DeviceInfo on DeviceName | project DeviceName"})
	if err != nil {
		t.Fatal(err)
	}
	e := r.Explained
	if e == nil || r.Rows.N != 1 {
		t.Fatalf("%+v", r)
	}
	if plan := e.Plan.String(); !strings.Contains(plan, "scan DeviceInfo") || !strings.Contains(plan, `DeviceName has "pc1"`) {
		t.Error(plan)
	}
	if len(e.Stages) != 1 || !strings.Contains(e.Stages[0].SQL, "SELECT") || strings.Contains(e.Stages[0].SQL, "pc1") || !strings.Contains(fmt.Sprint(e.Stages[0].Args), "pc1") {
		t.Errorf("%+v", e.Stages)
	}
	if got := fmt.Sprint(e.Scanned); got != "[{DeviceEvents 3 0} {DeviceInfo 3 0}]" {
		t.Error(got)
	}
	r, err = s.Run(t.Context(), query.Query{Side: schema.XDR, Explain: true, Text: "DeviceEvents | project d = DeviceName, t = 'pc9' | make-graph d --> t with_node_id = id | graph-match (a)-->(b) project a.id"})
	if err != nil {
		t.Fatal(err)
	}
	if e := r.Explained; len(e.Stages) < 2 || e.Stages[0].Go == "" || e.Stages[0].Reads == 0 {
		t.Errorf("a step in Go: %+v", e.Stages)
	}
	r, err = s.Run(t.Context(), query.Query{Side: schema.XDR, Text: "print 1"})
	if err != nil || r.Explained != nil {
		t.Errorf("explained though nobody asked: %+v, %v", r, err)
	}
}
