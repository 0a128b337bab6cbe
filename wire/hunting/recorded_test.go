package hunting_test

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/security"
	"lockstep/wire/hunting"
	"lockstep/wire/logs"
)

// shared reads a recorded file, line by line; the test is skipped where the
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
	s := bufio.NewScanner(z)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		line(s.Bytes())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// recorded gives the recorded bundles and the alerts of the SecurityAlert rows, the last of each.
func recorded(t *testing.T) ([]hunting.Bundle, map[string]security.Alert) {
	var rows []hunting.Row
	for _, table := range []string{"AlertInfo", "AlertEvidence"} {
		shared(t, "data/defender/"+table+".ndjson.gz", func(line []byte) {
			row, err := hunting.ParseRow(line)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		})
	}
	bundles, stray := hunting.Group(rows)
	if len(stray) > 0 {
		t.Errorf("%d rows without an alert", len(stray))
	}
	alerts := map[string]security.Alert{}
	shared(t, "data/sentinel/SecurityAlert.ndjson.gz", func(line []byte) {
		a, err := logs.DecodeAlert(line)
		if err != nil {
			t.Fatal(err)
		}
		if last, ok := alerts[a.ID]; !ok || a.Updated >= last.Updated {
			alerts[a.ID] = a
		}
	})
	return bundles, alerts
}

// TestRecordedIDsAgree: an alert recorded in both shapes has one id, product,
// detection source, severity, category and its techniques.
func TestRecordedIDsAgree(t *testing.T) {
	bundles, alerts := recorded(t)
	same, infos, techniques := 0, 0, 0
	for _, b := range bundles {
		a, err := hunting.DecodeAlert(b)
		if err != nil {
			t.Fatalf("%s: %v", a.ID, err)
		}
		if b.Info == nil {
			continue
		}
		infos++
		other, ok := alerts[a.ID]
		if !ok {
			continue
		}
		same++
		if a.ServiceSource != other.ServiceSource || a.DetectionSource != other.DetectionSource || a.Severity != other.Severity ||
			a.ProductName != other.ProductName || a.ProviderName != other.ProviderName || a.ProviderID != other.ProviderID || a.Title != other.Title ||
			other.Category != "" && a.Category != other.Category {
			t.Errorf("%s: hunting says %s %s %s %s %q, the workspace %s %s %s %s %q", a.ID, a.ServiceSource, a.DetectionSource, a.Severity, a.ProviderID, a.Category,
				other.ServiceSource, other.DetectionSource, other.Severity, other.ProviderID, other.Category)
		}
		if strings.Join(a.Techniques, " ") == strings.Join(other.Techniques, " ") {
			techniques++
		}
	}
	if same < 120 {
		t.Errorf("%d of %d alerts found in both shapes, want at least 120", same, infos)
	}
	t.Logf("%d of %d alerts in both shapes; techniques equal in %d", same, infos, techniques)
}

// TestRecordedEvidenceAgrees measures how often a recorded AlertEvidence row
// and the one projected from the SecurityAlert row of the same alert are known
// as the same: by the table's key, and as entities.
func TestRecordedEvidenceAgrees(t *testing.T) {
	bundles, alerts := recorded(t)
	type tally struct{ rows, key, entity int }
	by := map[string]*tally{}
	total, itself := tally{}, 0
	for _, b := range bundles {
		from, err := hunting.DecodeAlert(b)
		if err != nil {
			t.Fatal(err)
		}
		own, err := hunting.EvidenceRows(from)
		if err != nil {
			t.Fatal(err)
		}
		ownKeys := keys(own)
		other, both := alerts[from.ID]
		projected, err := hunting.EvidenceRows(other)
		if err != nil {
			t.Fatal(err)
		}
		projectedKeys := keys(projected)
		for i, row := range b.Evidence {
			if ownKeys[hunting.EvidenceKey(row)] {
				itself++
			}
			if !both {
				continue
			}
			kind := row.Text("EntityType")
			if by[kind] == nil {
				by[kind] = &tally{}
			}
			for _, n := range []*tally{by[kind], &total} {
				n.rows++
				if projectedKeys[hunting.EvidenceKey(row)] {
					n.key++
				}
				for _, ev := range other.Evidence {
					if security.Same(ev.Entity, from.Evidence[i].Entity) {
						n.entity++
						break
					}
				}
			}
		}
	}
	t.Logf("%d rows read and written again have their own key", itself)
	t.Logf("of %d rows whose alert has a SecurityAlert row, %d have the projected row's key, %d name a thing that it names", total.rows, total.key, total.entity)
	if total.key < 340 || total.entity < 370 || itself < 590 {
		t.Error("fewer than the 340 by key, 370 as entities and 590 of their own that were measured")
	}
	for kind, n := range by {
		t.Logf("  %-18s %4d rows, %4d by key, %4d as entities", kind, n.rows, n.key, n.entity)
	}
}

func keys(rows []hunting.Row) map[string]bool {
	out := map[string]bool{}
	for _, r := range rows {
		out[hunting.EvidenceKey(r)] = true
	}
	return out
}
