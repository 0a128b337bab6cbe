package logs_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

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
		compare(t, a, again)
	})
	t.Logf("%d rows, %d entities, %d of which name nothing", rows, entities, unkeyed)
}
