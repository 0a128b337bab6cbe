package chdb_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"lockstep/kql/kqltest/chdb"
)

func open(t *testing.T) *chdb.Engine {
	t.Helper()
	e, err := chdb.Open()
	if errors.Is(err, chdb.ErrMissing) {
		t.Skipf("%v; nothing was tested on ClickHouse", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestParameters: a value comes back as it went in, whatever it looks like.
func TestParameters(t *testing.T) {
	e := open(t)
	for _, v := range []string{"", "plain", `back\slash \N \'`, "tab\tline\r\nend", "quote ' \" `", "é 漢 🙂", "{p1:String}", "a\x00b", "\b\f\v"} {
		out, err := e.Query("SELECT {p0:String} FORMAT JSONCompactEachRow", map[string]string{"p0": v})
		if err != nil {
			t.Errorf("%q: %v", v, err)
			continue
		}
		var row []string
		if err := json.Unmarshal([]byte(out), &row); err != nil || len(row) != 1 || row[0] != v {
			t.Errorf("%q came back as %q (%v)", v, row, err)
		}
	}
}

// TestFault: what the engine refuses is an error with its words, and the next statement runs.
func TestFault(t *testing.T) {
	e := open(t)
	if _, err := e.Query("SELECT nothing FROM nowhere", nil); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
	if out, err := e.Query("SELECT 1, 'x'", nil); err != nil || strings.TrimSpace(out) != `[1, "x"]` {
		t.Errorf("got %q, %v", out, err)
	}
}
