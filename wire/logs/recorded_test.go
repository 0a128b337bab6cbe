package logs_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/logs"
)

// shared opens a recorded file, line by line; the test is skipped where the
// reference material isn't.
func shared(t *testing.T, path string, line func([]byte)) {
	t.Helper()
	root := os.Getenv("LOCKSTEP_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(root, path))
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: no recorded rows here, so nothing is checked against them: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(z); ; {
		s.Buffer(nil, 16<<20)
		for s.Scan() {
			line(s.Bytes())
		}
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		return
	}
}

// TestRecordedAlerts reads every recorded SecurityAlert row, writes it again
// and reads that: nothing that the row carries is lost.
func TestRecordedAlerts(t *testing.T) {
	rows, entities, unkeyed := 0, 0, 0
	shared(t, "data/sentinel/SecurityAlert.ndjson.gz", func(line []byte) {
		rows++
		a, err := logs.DecodeAlert(line)
		if err != nil {
			t.Fatalf("row %d: %v", rows, err)
		}
		if a.ServiceSource == "unknown" || a.DetectionSource == "unknown" || a.Severity == security.SeverityUnknown || a.Title == "" || a.ID == "" || a.Created == 0 || a.FirstActivity == 0 {
			t.Errorf("row %d: %s: service %s, detection %s, severity %s, created %d", rows, a.ID, a.ServiceSource, a.DetectionSource, a.Severity, a.Created)
		}
		for _, ev := range a.Evidence {
			entities++
			if len(ev.Entity.Keys()) == 0 {
				unkeyed++
			}
		}
		row, err := logs.AlertRow(a, logs.Origin{At: a.Updated})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		again, err := logs.DecodeAlert(text)
		if err != nil {
			t.Fatalf("row %d written and read: %v", rows, err)
		}
		a.CompromisedEntity = a.Compromised() // the row names it even where the source didn't
		compare(t, a, again)
	})
	t.Logf("%d rows, %d entities, %d of which name nothing", rows, entities, unkeyed)
}

// TestRecordedIncidents reads every recorded SecurityIncident row and writes it
// again: the same columns with the same values.
func TestRecordedIncidents(t *testing.T) {
	rows := 0
	shared(t, "data/sentinel/SecurityIncident.ndjson.gz", func(line []byte) {
		rows++
		in, err := logs.ReadIncident(line)
		if err != nil {
			t.Fatalf("row %d: %v", rows, err)
		}
		out, err := logs.IncidentRow(in)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		for name, recorded := range want {
			if diff := cmp.Diff(plain(t, name, recorded), plain(t, name, out[name])); diff != "" {
				t.Errorf("row %d, %s (-recorded +written):\n%s", rows, name, diff)
			}
		}
		if len(out) != len(want) {
			t.Errorf("row %d has %d columns, want %d", rows, len(out), len(want))
		}
	})
	t.Logf("%d rows", rows)
}

// plain gives a column's value in one form: dynamic values parsed, times in ticks.
func plain(t *testing.T, name string, v any) any {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	text, ok := v.(string)
	if !ok {
		return times(v)
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		var inner any
		if err := json.Unmarshal([]byte(text), &inner); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return times(inner)
	}
	return times(text)
}

// times replaces every text that is a time by its ticks.
func times(v any) any {
	switch v := v.(type) {
	case string:
		if at, err := schema.ParseTicks(v); err == nil && len(v) > 10 {
			return at
		}
	case []any:
		for i := range v {
			v[i] = times(v[i])
		}
	case map[string]any:
		if _, isComment := v["message"]; isComment {
			delete(v, "lastModifiedTimeUtc") // a comment of ours is never changed
		}
		for name := range v {
			v[name] = times(v[name])
		}
	}
	return v
}
