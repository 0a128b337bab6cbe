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

// TestReach: one who may read some tables sees only these, whatever names
// them: wildcards and searches leave the others out, a name is refused.
func TestReach(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL, Custom: custom{functions: saved}, Allow: func(_ context.Context, principal string, _ schema.Side, _, table string) error {
		if principal == "ann" || table == "DeviceInfo" {
			return nil
		}
		return errors.New("not yours")
	}})
	run := func(principal string, side schema.Side, text string) (*query.Result, error) {
		q := query.Query{Side: side, Principal: principal, Text: text}
		if side == schema.Workspace {
			q.Workspace = workspace
		}
		return s.Run(t.Context(), q)
	}
	for text, want := range map[string][2]string{ // what ann sees, and bob
		"union withsource=T * | summarize n = count() by T | sort by T asc":               {"DeviceEvents|3\nDeviceInfo|3\nEmailEvents|3", "DeviceInfo|3"},
		"union withsource=T Device* | distinct T | sort by T asc":                         {"DeviceEvents\nDeviceInfo", "DeviceInfo"},
		"search 'pc1' | summarize n = count() by $table | sort by $table asc":             {"DeviceEvents|1\nDeviceInfo|1", "DeviceInfo|1"},
		"search in (Device*) 'pc1' | distinct $table | sort by $table asc":                {"DeviceEvents\nDeviceInfo", "DeviceInfo"},
		"find where DeviceName == 'pc1' | distinct source_ | sort by source_ asc":         {"DeviceEvents\nDeviceInfo", "DeviceInfo"},
		"DeviceInfo | where DeviceName in ((union Device* | project DeviceName)) | count": {"3", "3"},
		"let all = union Device*; all | count":                                            {"6", "3"},
	} {
		for i, principal := range []string{"ann", "bob"} {
			if r, err := run(principal, schema.XDR, text); err != nil || printed(r) != want[i] {
				t.Errorf("%s by %s: %v\ngot  %s\nwant %s", text, principal, err, printed(r), want[i])
			}
		}
	}
	for _, text := range []string{
		"DeviceEvents", "DeviceInfo | join kind=inner DeviceEvents on DeviceName", "union DeviceInfo, DeviceEvents", "union isfuzzy=true DeviceInfo, DeviceEvents",
		"search in (DeviceEvents) 'pc1'", "find in (DeviceEvents) where DeviceName == 'x'", "print toscalar(DeviceEvents | count)", "table('DeviceEvents') | count",
		"DeviceInfo | where DeviceName in ((DeviceEvents | project DeviceName))", "let f = (n:long) { DeviceEvents | take n }; f(1)", "let unused = DeviceEvents; DeviceInfo",
		"DeviceInfo | lookup (DeviceEvents) on DeviceName", "DeviceInfo | take 0 | union (DeviceEvents | take 0)",
	} {
		if _, err := run("bob", schema.XDR, text); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "DeviceEvents") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := run("bob", schema.Workspace, "Events | count"); !fault.Is(err, fault.Denied) { // a saved function reads for its caller
		t.Errorf("within a saved function: %v", err)
	}
}
