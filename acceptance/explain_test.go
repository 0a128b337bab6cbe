package acceptance

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestExplain asks the running server, over the folder's socket, how an answer
// comes about: the plan, the statement with its values, and the rows read.
func TestExplain(t *testing.T) {
	h := start(t)
	for n := range 3 {
		h.deliver("DeviceEvents", n)
	}
	h.deliver("DeviceInfo", 1)
	const text = "DeviceEvents | where DeviceName == 'devicename 1' | join kind=inner DeviceInfo on DeviceName | project DeviceName"
	out := h.run("query", "--explain", text)
	for _, want := range []string{"Plan\n", "scan DeviceEvents", `DeviceName == "devicename 1"`, "Stages\n", "1. SQL, with", `= "devicename 1"`, "Read\n  DeviceEvents: 3 rows, 0 segments\n  DeviceInfo: 1 row, 0 segments\n", "gave 1 row\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if sql := regexp.MustCompile(`(?s)Stages\n(.*?)\?1 =`).FindStringSubmatch(out); sql == nil || strings.Contains(sql[1], "devicename 1") {
		t.Errorf("a value stands in the statement:\n%s", out)
	}
	var got struct {
		Plan    struct{ Operator string }
		Stages  []struct{ SQL string }
		Scanned []struct {
			Table string
			Rows  int
		}
		Rows int
	}
	if err := json.Unmarshal([]byte(h.run("query", "--explain", "-o", "json", text)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Plan.Operator == "" || len(got.Stages) == 0 || got.Stages[0].SQL == "" || len(got.Scanned) != 2 || got.Scanned[0].Rows != 3 || got.Rows != 1 {
		t.Errorf("as an object: %+v", got)
	}
	if out, err := h.try("query", "--explain", "DeviceEvents | where Nope == 1"); err == nil || !strings.Contains(err.Error(), "line 1, column 22") {
		t.Errorf("a query that means nothing: %s, %v", out, err)
	}
}
