package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"lockstep/access"
	"lockstep/api/graph"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/xdr"
)

const base = "https://localhost:8443"

// serve is the face over an XDR with five incidents of one alert each.
func serve(t *testing.T) http.Handler {
	t.Helper()
	now := schema.Ticks(639_000_000_000_000_000)
	clock := func() schema.Ticks { now += 10_000_000; return now }
	side, err := xdr.New(xdr.Options{Store: memory.New(), Now: clock, PortalURL: base, TenantID: "t"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		_, err := side.Ingest(context.Background(), []security.Alert{{
			ID: fmt.Sprintf("da%d", n), ProviderID: fmt.Sprint(n), Title: fmt.Sprintf("Alert %d", n), Severity: security.High, Status: security.AlertNew,
			ServiceSource: "microsoftDefenderForEndpoint", DetectionSource: "microsoftDefenderForEndpoint", Category: "Execution",
			Created: now, FirstActivity: now, LastActivity: now,
			Evidence: []security.Evidence{{Entity: security.Entity{Kind: security.Host, Fields: map[string]string{"hostName": fmt.Sprintf("pc%d", n)}}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return graph.New(graph.Options{
		XDR: side, TenantID: "t", PublicURL: base, Now: clock, NewID: func() string { return "id" },
		Authenticate: func(next http.Handler, _ func(http.ResponseWriter, *http.Request, error)) http.Handler { return next },
		Authorize:    func(context.Context, access.Action, string) error { return nil },
	})
}

// page is an answer: a collection, or an error.
type page struct {
	Value []map[string]any
	Next  string `json:"@odata.nextLink"`
	Count *int   `json:"@odata.count"`
	Error struct{ Code, Message string }
}

func get(t *testing.T, h http.Handler, path string) (int, page) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	var p page
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s: %v in %s", path, err, w.Body)
	}
	return w.Code, p
}

// ask writes a path's query as clients send it.
func ask(path, query string) string {
	return path + "?" + strings.ReplaceAll(url.PathEscape(query), "+", "%2B")
}

// TestPagesEnd walks every list by pages of several sizes, in its own order
// and in one asked for: all come once, and no next link leads to nothing.
func TestPagesEnd(t *testing.T) {
	h := serve(t)
	for _, path := range []string{"/v1.0/security/incidents", "/v1.0/security/alerts_v2"} {
		for _, order := range []string{"", "&$orderby=createdDateTime", "&$orderby=severity desc"} {
			for size := 1; size <= 6; size++ {
				seen := map[any]bool{}
				next := ask(path, fmt.Sprintf("$top=%d%s", size, order))
				for pages := 0; next != ""; pages++ {
					status, p := get(t, h, next)
					if status != 200 || len(p.Value) == 0 || len(p.Value) > size || pages > 5 {
						t.Fatalf("%s, page %d: %d with %d, %v", next, pages, status, len(p.Value), p.Error)
					}
					for _, one := range p.Value {
						seen[one["id"]] = true
					}
					next = strings.TrimPrefix(p.Next, base)
				}
				if len(seen) != 5 {
					t.Errorf("%s by %d%s: %d of 5", path, size, order, len(seen))
				}
			}
		}
	}
}

// TestNothingIsAskedFor takes pages of nothing, which still count.
func TestNothingIsAskedFor(t *testing.T) {
	status, p := get(t, serve(t), ask("/v1.0/security/incidents", "$top=0&$count=true"))
	if status != 200 || p.Value == nil || len(p.Value) != 0 || p.Next != "" || p.Count == nil || *p.Count != 5 {
		t.Errorf("%d %+v", status, p)
	}
}

// TestSelect narrows the properties: those named and those expanded stay.
func TestSelect(t *testing.T) {
	h := serve(t)
	for query, want := range map[string]string{
		"$select=status,displayName":          "displayName id status",
		"$select=status&$expand=alerts":       "alerts id status",
		"$select=STATUS":                      "id status",
		"$select=alerts":                      "id",
		"$top=1&$select=id,status&$count=yes": "400 $count",
		"$select=colour":                      "400 $select",
	} {
		status, p := get(t, h, ask("/v1.0/security/incidents", query))
		got := fmt.Sprint(status, " ", strings.SplitN(p.Error.Message, ":", 2)[0])
		if status == 200 {
			names := []string{}
			for name := range p.Value[0] {
				if !strings.HasPrefix(name, "@") {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			got = strings.Join(names, " ")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if _, p := get(t, h, ask("/v1.0/security/incidents", "$select=*")); len(p.Value[0]) < 15 {
		t.Errorf("$select=* leaves %v", p.Value[0])
	}
}

// TestNothingIsLeftOutInSilence asks for what isn't offered: each is refused
// by the option's name.
func TestNothingIsLeftOutInSilence(t *testing.T) {
	h := serve(t)
	for path, option := range map[string]string{
		ask("/v1.0/security/incidents", `$search="x"`):               "$search",
		ask("/v1.0/security/incidents", "$expand=comments"):          "$expand",
		ask("/v1.0/security/incidents", "$expand=alerts,owner"):      "$expand",
		ask("/v1.0/security/incidents", "$expand=alerts($top=1)"):    "$expand",
		ask("/v1.0/security/incidents/1", "$expand=comments"):        "$expand",
		ask("/v1.0/security/alerts_v2", "$expand=incident"):          "$expand",
		ask("/v1.0/security/alerts_v2/da1", "$expand=evidence"):      "$expand",
		ask("/v1.0/security/incidents", "$filter=colour eq 'red'"):   "$filter",
		ask("/v1.0/security/incidents", "$orderby=colour"):           "$orderby",
		ask("/v1.0/security/incidents/1/alerts", "$filter=x eq 1"):   "$filter",
		ask("/v1.0/security/incidents", "$deltatoken=1"):             "$deltatoken",
		ask("/v1.0/security/incidents", "$skiptoken=1&$skiptoken=2"): "$skiptoken",
		ask("/beta/security/incidents", "$top=1001"):                 "$top",
	} {
		status, p := get(t, h, path)
		if status != http.StatusBadRequest || p.Error.Code != "BadRequest" || !strings.HasPrefix(p.Error.Message, option+":") {
			t.Errorf("%s: %d %+v, want it refused for its %s", path, status, p.Error, option)
		}
	}
}
