package ingest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/access"
	"lockstep/api/ingest"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/tables"
	"lockstep/workspace"
	"lockstep/xdr"
)

// stores takes what the face passes on.
type stores struct {
	alerts  []security.Alert
	appends []tables.Append
	aside   []rows.Refusal
}

func (s *stores) Ingest(_ context.Context, alerts []security.Alert) ([]xdr.Outcome, error) {
	var out []xdr.Outcome
	for _, a := range alerts {
		result := xdr.Created
		if a.Title == "again" {
			result = xdr.Repeat
		}
		out = append(out, xdr.Outcome{AlertID: a.ID, Result: result})
	}
	s.alerts = append(s.alerts, alerts...)
	return out, nil
}

func (s *stores) Append(_ context.Context, a tables.Append) (tables.Receipt, error) {
	s.appends = append(s.appends, a)
	r := tables.Receipt{Refused: a.Refused}
	for _, b := range a.Batches {
		r.Accepted += b.N
	}
	return r, nil
}

func (s *stores) Quarantine(_ context.Context, _ string, refused []rows.Refusal) error {
	s.aside = append(s.aside, refused...)
	return nil
}

func (s *stores) Workspace(_ context.Context, name string) (workspace.Workspace, error) {
	return workspace.Workspace{ID: "6f0c", Name: name}, nil
}

func face(s *stores) http.Handler {
	return ingest.New(ingest.Options{
		Alerts: s, Rows: s, Workspaces: s, Schema: schema.Default(),
		Authenticate: func(next http.Handler, _ func(http.ResponseWriter, *http.Request, error)) http.Handler { return next },
		Authorize:    func(context.Context, access.Action, string) error { return nil },
	})
}

func post(t *testing.T, h http.Handler, path, body string) (int, ingest.Answer, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader(body)))
	var a ingest.Answer
	_ = json.Unmarshal(w.Body.Bytes(), &a)
	return w.Code, a, w.Body.String()
}

// TestBadRecordsAreNamedAndKeptAside sends good and bad records together.
func TestBadRecordsAreNamedAndKeptAside(t *testing.T) {
	good := `{"time":"2026-03-02T08:00:00Z","category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-03-02T08:00:00Z","DeviceName":"pc-1"}}`
	cases := []struct{ name, path, body, reason string }{
		{"broken JSON", "/ingest/v1/events", `{"time":`, "JSON"},
		{"unknown table", "/ingest/v1/events", `{"category":"AdvancedHunting-NoSuchTable","properties":{}}`, "NoSuchTable"},
		{"wrong type", "/ingest/v1/events", `{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"yesterday"}}`, "Timestamp"},
		{"a field of 20 MB", "/ingest/v1/events", `{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-03-02T08:00:00Z","DeviceName":"` + strings.Repeat("x", 20<<20) + `"}}`, "DeviceName"},
		{"an alert that isn't one", "/ingest/v1/alerts?shape=securityalert", `[1]`, ""},
		{"an alert of no shape", "/ingest/v1/alerts?shape=mixed", `{"shape":"cef","alert":{}}`, "cef"},
		{"an alert within another", "/ingest/v1/alerts?shape=mixed", `{"shape":"mixed","alert":{}}`, "mixed"},
		{"an envelope without an alert", "/ingest/v1/alerts?shape=mixed", `{"shape":"graph"}`, ""},
		{"evidence without its alert", "/ingest/v1/alerts?shape=alertinfo", `{"EntityType":"User"}`, "AlertId"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &stores{}
			h := face(s)
			status, a, body := post(t, h, c.path, c.body)
			if status != http.StatusOK || len(a.Refused) != 1 || a.Refused[0].Record != 1 || a.Accepted != 0 {
				t.Fatalf("%d %s, want one record refused", status, body)
			}
			if !strings.Contains(a.Refused[0].Reason+a.Refused[0].Table+a.Refused[0].Field, c.reason) {
				t.Errorf("the reason %+v doesn't name %q", a.Refused[0], c.reason)
			}
			if len(s.aside) != 1 || len(s.aside[0].Body) > rows.BodyLimit {
				t.Errorf("kept aside %d records, want one of bounded size", len(s.aside))
			}
		})
	}
	s := &stores{}
	if _, a, body := post(t, face(s), "/ingest/v1/events", "{broken\n"+good+"\n"); a.Accepted != 1 || len(a.Refused) != 1 || a.Refused[0].Record != 1 {
		t.Errorf("good beside bad: %s, want one of each", body)
	}
}

// TestDeliveriesOfAnyForm sends one alert as a line, an array and an envelope.
func TestDeliveriesOfAnyForm(t *testing.T) {
	alert := `{"@odata.type":"#microsoft.graph.security.alert","id":"da1","title":"once","severity":"high","serviceSource":"microsoftDefenderForEndpoint","createdDateTime":"2026-03-02T08:00:00Z","evidence":[]}`
	again := strings.Replace(strings.Replace(alert, "once", "again", 1), "da1", "da2", 1)
	for _, body := range []string{alert + "\n" + again, "[" + alert + "," + again + "]", `{"value":[` + alert + "," + again + "]}"} {
		s := &stores{}
		if status, a, text := post(t, face(s), "/ingest/v1/alerts?shape=graph", body); status != 200 || a.Accepted != 1 || a.Repeats != 1 {
			t.Errorf("%.40s…: %d %s, want one accepted, one repeat", body, status, text)
		}
	}
	rows := `{"records":[{"category":"AdvancedHunting-AlertInfo","properties":{"AlertId":"da3","Title":"rows","Timestamp":"2026-03-02T08:00:00Z"}},{"category":"AdvancedHunting-AlertEvidence","properties":{"AlertId":"da3","EntityType":"User","AccountName":"ada"}}]}`
	mixed := fmt.Sprintf(`{"shape":"graph","alert":%s}`+"\n{broken\n"+`{"shape":"alertinfo","alert":%s}`+"\n"+`{"shape":"Graph","alert":%s}`+"\n", alert, rows, again)
	s := &stores{}
	if status, a, text := post(t, face(s), "/ingest/v1/alerts?shape=mixed", mixed); status != 200 || a.Accepted != 2 || a.Repeats != 1 || len(a.Refused) != 1 || a.Refused[0].Record != 2 {
		t.Errorf("mixed shapes: %d %s, want two accepted, one repeat and the second line refused", status, text)
	}
	var ids []string
	for _, a := range s.alerts {
		ids = append(ids, a.ID)
	}
	if d := cmp.Diff([]string{"da1", "da3", "da2"}, ids); d != "" {
		t.Errorf("order of mixed shapes (-want +got):\n%s", d)
	}
	if status, _, text := post(t, face(&stores{}), "/ingest/v1/alerts?shape=cef", alert); status != 400 || !strings.Contains(text, "graph") {
		t.Errorf("an unknown shape: %d %s, want 400 that names those there are", status, text)
	}
}

// TestAKeyNamesOneBody: the same Idempotency-Key for other records is another
// delivery, and a key's end counts too.
func TestAKeyNamesOneBody(t *testing.T) {
	s := &stores{}
	h := face(s)
	send := func(key, device string) string {
		t.Helper()
		body := `{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-03-02T08:00:00Z","DeviceName":"` + device + `"}}`
		r := httptest.NewRequest("POST", "/ingest/v1/events", strings.NewReader(body))
		r.Header.Set("Idempotency-Key", key)
		h.ServeHTTP(httptest.NewRecorder(), r)
		return s.appends[len(s.appends)-1].Key
	}
	long := strings.Repeat("k", 300)
	first := send("batch-17", "a")
	if send("batch-17", "a") != first {
		t.Error("the same delivery isn't known again")
	}
	if send("batch-17", "b") == first {
		t.Error("other records under the same key pass for a repeat: they would be lost")
	}
	if send(long+"1", "a") == send(long+"2", "a") {
		t.Error("long keys that differ at their end are one")
	}
}
