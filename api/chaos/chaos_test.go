package chaos_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lockstep/api/chaos"
	"lockstep/fault"
)

// desk is a server with one incident that counts its changes.
type desk struct{ changes int }

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPatch {
		d.changes++
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"id":"1","status":"redirected","description":null,"lastUpdateDateTime":"2026-01-05T10:00:%02d.1234567Z","alerts":[]}`, d.changes%60)
}

// play sends requests to a server with a profile, and gives what came back.
func play(t *testing.T, profile string, seed uint64, requests int) (answers []string, counts chaos.Counts, made int) {
	t.Helper()
	p, err := chaos.Named(profile)
	if err != nil {
		t.Fatal(err)
	}
	now, d := time.Unix(1_700_000_000, 0), &desk{}
	door := chaos.New(p, seed, func() time.Time { return now })
	s := httptest.NewServer(door.Before(d))
	defer s.Close()
	for n := range requests {
		now = now.Add(100 * time.Millisecond)
		method := []string{"GET", "PATCH", "GET"}[n%3]
		q, _ := http.NewRequest(method, s.URL+"/v1.0/security/incidents/1?$expand=alerts&$skip=90&$top=20", nil)
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			answers = append(answers, "lost")
			continue
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		answers = append(answers, fmt.Sprint(method, res.StatusCode, res.Header.Get("Retry-After"), string(body)))
	}
	return answers, door.Counts(), d.changes
}

// TestEveryProfile: each does what its table says and nothing else, counts it,
// and does the same again from the same seed.
func TestEveryProfile(t *testing.T) {
	does := map[string][]chaos.Fault{
		"none": nil, "throttled": {chaos.Storm, chaos.Failure}, "expand": {chaos.Expand}, "ties": {chaos.Ties}, "stale": {chaos.Stale},
		"skip": {chaos.Skip}, "bare": {chaos.Bare}, "drift": {chaos.Drift}, "lost": {chaos.Lost},
		"all": {chaos.Storm, chaos.Failure, chaos.Expand, chaos.Skip},
	}
	for _, p := range chaos.Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			answers, counts, made := play(t, p.Name, 5, 300)
			want, ok := does[p.Name]
			if !ok {
				t.Fatal("the profile has no line in this test")
			}
			for _, f := range want {
				if counts.Faults[f] == 0 {
					t.Errorf("it never did %s: %v", f, counts.Faults)
				}
			}
			if p.Name != "all" && len(counts.Faults) != len(want) {
				t.Errorf("it did %v, want %v", counts.Faults, want)
			}
			if counts.Writes != made || counts.Requests != 300 {
				t.Errorf("it counted %d writes of %d and %d requests", counts.Writes, made, counts.Requests)
			}
			again, _, _ := play(t, p.Name, 5, 300)
			if diff := cmp.Diff(answers, again); diff != "" {
				t.Errorf("the same seed gave another answer:\n%s", diff)
			}
			for _, a := range answers {
				if p.Name == "ties" && strings.Contains(a, ".1234567") || p.Name == "bare" && strings.Contains(a, "alerts") || p.Name == "drift" && strings.Contains(a, "description") {
					t.Fatalf("%s left %s", p.Name, a)
				}
			}
		})
	}
	if _, err := chaos.Named("nonsense"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a profile that there isn't: %v", err)
	}
}

// TestTheRestBehaves: what isn't one of the published APIs is left alone, and
// the counts are served.
func TestTheRestBehaves(t *testing.T) {
	p, _ := chaos.Named("expand")
	h := chaos.New(p, 1, time.Now).Before(&desk{})
	for path, status := range map[string]int{"/healthz?$expand=x": 200, "/v1.0/security/incidents?$expand=x": 500, "/subscriptions/s?$expand=x": 500, chaos.Path: 200} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
		var c chaos.Counts
		if path == chaos.Path && (json.Unmarshal(w.Body.Bytes(), &c) != nil || c.Profile != "expand") {
			t.Errorf("counts: %s", w.Body)
		}
	}
}
