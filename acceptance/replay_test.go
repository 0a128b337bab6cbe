package acceptance

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// replayed is what `lockstep replay -o json` prints.
type replayed struct{ Total, Done, Sent, Accepted, Repeats, Refused, Alerts, Events, Rows int64 }

func (h *house) replay(args ...string) (got replayed) {
	h.t.Helper()
	out := h.run(append([]string{"replay", "-o", "json"}, args...)...)
	if i := strings.Index(out, "{"); i >= 0 {
		out = out[i:]
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		h.t.Fatalf("lockstep replay printed %q: %v", out, err)
	}
	return got
}

// watch polls the workspace's newest incidents and notes when each XDR
// incident was first seen there, as a client sees it.
type watch struct {
	mu   sync.Mutex
	took map[string]time.Duration
	stop chan struct{}
	done chan struct{}
}

func (h *house) watch() *watch {
	w := &watch{took: map[string]time.Duration{}, stop: make(chan struct{}), done: make(chan struct{})}
	path := h.insights("incidents?$top=50")
	h.token(toARM)
	go func() {
		defer close(w.done)
		for {
			select {
			case <-w.stop:
				return
			default:
			}
			a, err := h.call(toARM, "GET", path, nil)
			seen := time.Now()
			var page struct{ Value []wsIncident }
			if err != nil || a.status != 200 || json.Unmarshal(a.body, &page) != nil {
				continue
			}
			w.mu.Lock()
			for _, i := range page.Value {
				id := i.Properties.ProviderIncidentID
				if _, known := w.took[id]; !known {
					w.took[id] = seen.Sub(i.Properties.CreatedTimeUTC)
				}
			}
			w.mu.Unlock()
		}
	}()
	return w
}

// quantiles ends the watch and gives p50 and p99 of creation → visible.
func (w *watch) quantiles() (n int, p50, p99 time.Duration) {
	close(w.stop)
	<-w.done
	var all []time.Duration
	for _, d := range w.took {
		all = append(all, d)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0, 0, 0
	}
	return len(all), all[len(all)/2], all[(len(all)*99+99)/100-1]
}

// syncStatus is what `lockstep sync status -o json` prints.
type syncStatus struct {
	Connected bool
	Waiting   int
	Creation  struct {
		Count    int64
		P50, P99 float64
	}
	Types []struct {
		Name string
		On   bool
		Rows int64
	}
	Holes []any
}

func (h *house) status() (got syncStatus) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.run("sync", "status", "-o", "json")), &got); err != nil {
		h.t.Fatal(err)
	}
	return got
}

// TestSampleCrosses replays the sample tenant and compares the two sides over
// their APIs.
func TestSampleCrosses(t *testing.T) {
	h := start(t)
	h.run("connect")
	w := h.watch()
	got := h.replay("--rows", "20000")
	n, p50, p99 := w.quantiles()
	if got.Done != got.Total || got.Accepted+got.Repeats+got.Refused != got.Sent || got.Refused != 0 {
		t.Errorf("the replay came to %+v, want all sent and none refused", got)
	}
	h.agree()
	st := h.status()
	t.Logf("did %d records; creation → visible as a client sees it: p50 %s, p99 %s of %d; as sync status prints it: p50 %.1f ms, p99 %.1f ms of %d",
		got.Sent, p50, p99, n, st.Creation.P50, st.Creation.P99, st.Creation.Count)
	if st.Waiting != 0 || len(st.Holes) != 0 {
		t.Errorf("%d incidents wait and %d have holes after the replay", st.Waiting, len(st.Holes))
	}
	if long() > 0 && p99 > time.Second {
		t.Errorf("p99 of creation → visible is %s, want at most 1 s", p99)
	}
	for _, ty := range st.Types {
		if ty.Rows == 0 {
			t.Errorf("no rows of %s reached the workspace", ty.Name)
		}
	}
	again := h.replay("--rows", "20000", "--restart")
	if again.Refused != 0 {
		t.Errorf("the second replay came to %+v", again)
	}
}

// story is the recorded main story: the system ids of the alerts that the real
// service put into workspace incident 55.
func story(t *testing.T, dir string) []string {
	t.Helper()
	var incidents []struct {
		SentinelIncidentNumber string
		FinalAlertIDs          []string
	}
	read(t, dir+"/alpine/ground_truth_incidents.json", &incidents)
	for _, i := range incidents {
		if i.SentinelIncidentNumber == "55" {
			return i.FinalAlertIDs
		}
	}
	t.Fatal("the truth has no incident 55")
	return nil
}

// TestRecordedStory replays the recorded tenant, completes its main story by
// merging what is missing, and reads it through ARM.
func TestRecordedStory(t *testing.T) {
	dir := shared(t)
	h := start(t)
	h.run("connect")
	got := h.replay(dir)
	if got.Refused != 0 || got.Accepted+got.Repeats != got.Sent || got.Done != got.Total {
		t.Errorf("the recording came to %+v, want all taken", got)
	}
	h.agree()

	want := map[string]bool{}
	for _, id := range story(t, dir) {
		want[strings.ToLower(id)] = true
	}
	holds := map[string][]string{} // XDR incident → the story's alerts in it
	held := 0
	for id, i := range h.wsIncidents() {
		for _, a := range h.wsAlerts(i.Name) {
			if want[strings.ToLower(a.Properties.SystemAlertID)] {
				holds[id] = append(holds[id], a.Properties.SystemAlertID)
				held++
			}
		}
	}
	main := ""
	for id, list := range holds {
		if main == "" || len(list) > len(holds[main]) {
			main = id
		}
	}
	t.Logf("did the main story: %d of its %d alerts are there, %d of them in incident %s, the rest in %d others", held, len(want), len(holds[main]), main, len(holds)-1)
	if held < 27 {
		t.Fatalf("only %d of the story's alerts arrived", held)
	}
	for id := range holds {
		if id != main {
			h.run("incident", "merge", main, id)
			if live := h.live(main); live != main {
				main = live
			}
		}
	}
	h.settle()

	x := h.xdrIncident(main)
	ws := h.wsIncidents()[main]
	linked := map[string]bool{}
	for _, a := range h.wsAlerts(ws.Name) {
		linked[strings.ToLower(a.Properties.SystemAlertID)] = true
	}
	for id := range want {
		if !linked[id] && held == len(want) {
			t.Errorf("alert %s of the story isn't in the workspace incident", id)
		}
	}
	if len(linked) != len(x.Alerts) {
		t.Errorf("the workspace links %d alerts, the XDR holds %d", len(linked), len(x.Alerts))
	}
	h.filled(ws, x)
	h.typed(ws)
}

// live follows an incident's redirects.
func (h *house) live(id string) string {
	for {
		i := h.xdrIncident(id)
		if i.RedirectIncidentID == "" {
			return id
		}
		id = i.RedirectIncidentID
	}
}

// filled checks that a workspace incident carries what the XDR's has.
func (h *house) filled(ws wsIncident, x xdrIncident) {
	h.t.Helper()
	p := ws.Properties
	var first, last time.Time
	products, techniques := map[string]bool{}, map[string]bool{}
	for _, a := range x.Alerts {
		if first.IsZero() || a.FirstActivityDateTime.Before(first) {
			first = a.FirstActivityDateTime
		}
		if a.LastActivityDateTime.After(last) {
			last = a.LastActivityDateTime
		}
		products[a.ProductName] = true
		for _, t := range a.MitreTechniques {
			techniques[t] = true
		}
	}
	if p.Title != x.DisplayName || p.Description == "" || p.Description != x.Description {
		h.t.Errorf("title %q, description %q; the XDR has %q, %q", p.Title, p.Description, x.DisplayName, x.Description)
	}
	if !p.FirstActivityTimeUTC.Equal(first) || !p.LastActivityTimeUTC.Equal(last) {
		h.t.Errorf("activity from %s to %s, the alerts' is from %s to %s", p.FirstActivityTimeUTC, p.LastActivityTimeUTC, first, last)
	}
	if len(p.AdditionalData.AlertProductNames) != len(products) || len(p.AdditionalData.Tactics) == 0 || len(p.AdditionalData.Techniques) == 0 {
		h.t.Errorf("products %v of %v, tactics %v, techniques %v", p.AdditionalData.AlertProductNames, keys(products), p.AdditionalData.Tactics, p.AdditionalData.Techniques)
	}
	if p.AdditionalData.ProviderIncidentURL != x.IncidentWebURL || !strings.Contains(p.IncidentURL, ws.Name) {
		h.t.Errorf("links %q and %q, want %q and one that holds %s", p.AdditionalData.ProviderIncidentURL, p.IncidentURL, x.IncidentWebURL, ws.Name)
	}
	if p.ProviderName != "Microsoft XDR" || p.ProviderIncidentID != x.ID {
		h.t.Errorf("provider %q %q", p.ProviderName, p.ProviderIncidentID)
	}
}

// typed checks that an incident's entities are of known kinds, without doubles.
func (h *house) typed(ws wsIncident) {
	h.t.Helper()
	var got struct {
		Entities []struct {
			ID, Name, Kind string
			Properties     map[string]any
		}
		MetaData []struct {
			EntityKind string
			Count      int
		}
	}
	h.must(toARM, "POST", h.insights("incidents/"+ws.Name+"/entities"), nil, &got)
	names, counts := map[string]bool{}, map[string]int{}
	for _, e := range got.Entities {
		if names[e.Name] {
			h.t.Errorf("entity %s (%s) stands twice", e.Name, e.Kind)
		}
		names[e.Name] = true
		counts[e.Kind]++
		if e.Kind == "" || len(e.Properties) == 0 {
			h.t.Errorf("entity %s has kind %q and %d properties", e.Name, e.Kind, len(e.Properties))
		}
	}
	if len(names) == 0 {
		h.t.Error("the incident has no entities")
	}
	h.t.Logf("entities: %v", counts)
}

func keys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// TestDeepLinks follows the links of both sides to pages of the portal.
func TestDeepLinks(t *testing.T) {
	h := start(t)
	h.send(alert{"da-link-1", "One", "low", "pc-link", "", time.Now()}, alert{"da-link-2", "Two", "low", "pc-other", "", time.Now()})
	id := h.incidentOf("da-link-1")
	ws := h.parallel(id, "a new incident crosses", anyState)
	for _, link := range []string{ws.Properties.AdditionalData.ProviderIncidentURL, ws.Properties.IncidentURL} {
		if !strings.HasPrefix(link, h.base) {
			t.Errorf("link %q doesn't begin with %s", link, h.base)
			continue
		}
		a, err := h.call(toGraph, "GET", link, nil, "Accept", "text/html")
		if err != nil || a.status != 200 && a.status != 503 {
			t.Errorf("GET %s: %v %d", link, err, a.status)
		}
	}
	if want := fmt.Sprintf("%s/incidents/%s", h.base, id); !strings.HasPrefix(ws.Properties.AdditionalData.ProviderIncidentURL, want) {
		t.Errorf("providerIncidentUrl %q, want %s…", ws.Properties.AdditionalData.ProviderIncidentURL, want)
	}
}
