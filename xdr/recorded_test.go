package xdr_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lockstep/security"
	"lockstep/wire/logs"
)

// shared is the folder of recorded data, which is no part of the repository.
func shared(t *testing.T) string {
	t.Helper()
	dir := cmp.Or(os.Getenv("LOCKSTEP_SHARED"), filepath.Join("..", "..", "shared"))
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		t.Skipf("LOCKSTEP_SHARED: the recorded tenant isn't at %s; correlation is not compared with it", dir)
	}
	return dir
}

// recordedAlerts are the alerts of the recorded tenant's integrated products,
// each in its last version, in the order in which they were made.
func recordedAlerts(t *testing.T, dir string) []security.Alert {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "data", "sentinel", "SecurityAlert.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]security.Alert{}
	for r := bufio.NewReader(z); ; {
		line, err := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			a, err := logs.DecodeAlert(line)
			if err != nil {
				t.Fatal(err)
			}
			if a.Complete(); a.ServiceSource != "microsoftSentinel" && a.ServiceSource != "microsoftDefenderForCloud" {
				last[a.SystemID] = a
			}
		}
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	var list []security.Alert
	for _, a := range last {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b security.Alert) int {
		return cmp.Or(cmp.Compare(a.FirstActivity, b.FirstActivity), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// TestTheRecordedStoryComesTogether replays the recorded tenant's alerts and
// looks for its main attack: alerts of five products that the real service
// put into one incident.
func TestTheRecordedStoryComesTogether(t *testing.T) {
	dir := shared(t)
	list := recordedAlerts(t, dir)
	truth := recordedIncident(t, dir, "55")
	s := newSide(t)
	s.take(list...)
	if err := s.check(len(list)); err != nil {
		t.Error(err)
	}
	in := map[string]int{}
	of := map[string]string{}
	for _, a := range list {
		got, err := s.Alert(ctx, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		of[a.SystemID] = got.IncidentID
		if slices.Contains(truth, a.SystemID) {
			in[got.IncidentID]++
		}
	}
	main, most, all := "", 0, 0
	for id, n := range in {
		all += n
		if n > most {
			main, most = id, n
		}
	}
	inc := s.incident(main)
	t.Logf("%d alerts; the story's %d are in %d incidents, %d of them in one of %d alerts: %q", len(list), all, len(in), most, len(inc.AlertIDs), inc.DisplayName)
	if most*10 < all*8 {
		t.Errorf("only %d of the story's %d alerts came together", most, all)
	}
	if len(inc.Products) < 4 {
		t.Errorf("products %v", inc.Products)
	}
	if testing.Verbose() {
		for _, a := range list {
			if slices.Contains(truth, a.SystemID) != (of[a.SystemID] == main) {
				t.Logf("differs: %s in %s: %s %q", a.FirstActivity, of[a.SystemID], a.ServiceSource, a.Title)
			}
		}
	}
}

// recordedIncident gives the alerts of a recorded incident by its number.
func recordedIncident(t *testing.T, dir, number string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "data", "alpine", "ground_truth_incidents.json"))
	if err != nil {
		t.Fatal(err)
	}
	var incidents []struct {
		Number string   `json:"sentinelIncidentNumber"`
		Alerts []string `json:"finalAlertIds"`
	}
	if err := json.Unmarshal(data, &incidents); err != nil {
		t.Fatal(err)
	}
	for _, inc := range incidents {
		if inc.Number == number {
			for i, id := range inc.Alerts {
				inc.Alerts[i] = strings.ToLower(id)
			}
			return inc.Alerts
		}
	}
	t.Fatalf("no recorded incident %s", number)
	return nil
}
