package arm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"lockstep/access"
	"lockstep/api/arm"
	"lockstep/connector"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/workspace"
	"lockstep/workspace/searches"
	"lockstep/workspace/watchlists"
)

const base = "https://localhost:8443"

// connections is a connector that holds one workspace's settings.
type connections struct{ is connector.Connection }

func (c *connections) Connect(_ context.Context, ws string, s connector.Settings, _ security.Actor) (connector.Connection, error) {
	c.is = connector.Connection{Workspace: ws, Connected: true, Settings: s}
	return c.is, nil
}

func (c *connections) Disconnect(context.Context, string, security.Actor) (connector.Connection, error) {
	c.is.Connected = false
	return c.is, nil
}

func (c *connections) Connection(context.Context, string) (connector.Connection, error) {
	if c.is.Workspace == "" {
		return c.is, fault.New(fault.NotFound, "never connected")
	}
	return c.is, nil
}

// house is the face over a workspace with three incidents, the first of which
// has five comments.
type house struct {
	http.Handler
	t         *testing.T
	connector *connections
	at        string // the path of Microsoft.SecurityInsights
}

func serve(t *testing.T) *house {
	t.Helper()
	ctx, ids := context.Background(), 0
	id := func() string { ids++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids) }
	clock := func() schema.Ticks { return 639_000_000_000_000_000 }
	store := memory.New()
	side, err := workspace.New(workspace.Options{Store: store, Now: clock, NewID: id, PortalURL: base})
	if err != nil {
		t.Fatal(err)
	}
	w, err := side.Create(ctx, workspace.Workspace{Name: "soc1", SubscriptionID: id(), ResourceGroup: "rg", Primary: true})
	if err != nil {
		t.Fatal(err)
	}
	by := security.Actor{Kind: security.Person, Name: "ann@lab.example"}
	for n := range 3 {
		name := fmt.Sprintf("10000000-0000-4000-8000-%012d", n)
		if _, _, err := side.Put(ctx, w.ID, name, workspace.Put{Title: "T", Severity: security.High, Status: workspace.StatusNew}, by, ""); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 5 {
		if _, err := side.AddComment(ctx, w.ID, first, fmt.Sprintf("20000000-0000-4000-8000-%012d", n), "text", by); err != nil {
			t.Fatal(err)
		}
	}
	k := &connections{}
	return &house{arm.New(arm.Options{
		Workspaces: side, Connector: k, Watchlists: watchlists.New(watchlists.Options{Store: store, Now: clock, NewID: id}), Searches: searches.New(searches.Options{Store: store, Now: clock}), TenantID: "t", PublicURL: base, Now: clock, NewID: id,
		Authenticate: func(next http.Handler, _ func(http.ResponseWriter, *http.Request, error)) http.Handler { return next },
		Authorize:    func(context.Context, access.Action, string) error { return nil },
	}), t, k, w.ResourceID() + "/providers/Microsoft.SecurityInsights/"}
}

const first = "10000000-0000-4000-8000-000000000000"

type answer struct {
	Name     string
	Value    []struct{ Name string }
	NextLink string
	Error    struct{ Code, Message string }
}

// ask makes a request of something under Microsoft.SecurityInsights, or of a next link.
func (h *house) ask(method, path, query, body string) (int, answer) {
	h.t.Helper()
	target := strings.TrimPrefix(path, base)
	if target == path {
		target = h.at + path + "?api-version=2025-09-01&" + url.PathEscape(query)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		h.t.Fatalf("%s %s: %v in %s", method, target, err, w.Body)
	}
	return w.Code, a
}

// TestPagesEnd walks the lists by pages of several sizes: all come once, and
// no next link leads to nothing.
func TestPagesEnd(t *testing.T) {
	h := serve(t)
	for _, c := range []struct {
		path, query string
		want        int
	}{{"incidents", "", 3}, {"incidents", "&$orderby=properties/title", 3}, {"incidents/" + first + "/comments", "", 5}} {
		for size := 1; size <= 6; size++ {
			seen, path := map[string]bool{}, c.path
			for pages := 0; path != ""; pages++ {
				status, a := h.ask("GET", path, fmt.Sprintf("$top=%d%s", size, c.query), "")
				if status != 200 || len(a.Value) == 0 || len(a.Value) > size || pages > 5 {
					t.Fatalf("%s by %d, page %d: %d %+v", c.path, size, pages, status, a)
				}
				for _, one := range a.Value {
					seen[one.Name] = true
				}
				path = a.NextLink
			}
			if len(seen) != c.want {
				t.Errorf("%s%s by %d: %d of %d", c.path, c.query, size, len(seen), c.want)
			}
		}
	}
}

// TestNothingIsLeftOutInSilence asks for what isn't offered: each is refused
// by its name.
func TestNothingIsLeftOutInSilence(t *testing.T) {
	h := serve(t)
	comments := "incidents/" + first + "/comments"
	for _, c := range []struct{ path, query, says string }{
		{"incidents", "$skip=2", "$skip"}, {"incidents", "$count=true", "$count"}, {"incidents", "$select=name", "$select"},
		{"incidents", "$Expand=comments", "$Expand"}, {"incidents", "$search=x", "$search"}, {"incidents", "$top=0", "$top"},
		{comments, "$skip=2", "$skip"}, {comments, "$filter=name eq 'x'", "$filter"}, {comments, "$skipToken=x", "$skipToken"}, {comments, "$top=1001", "$top"},
	} {
		status, a := h.ask("GET", c.path, c.query, "")
		if status != http.StatusBadRequest || a.Error.Code != "BadRequest" || !strings.HasPrefix(a.Error.Message, c.says) {
			t.Errorf("%s?%s: %d %+v, want it refused for its %s", c.path, c.query, status, a, c.says)
		}
	}
	put := `{"kind":"MicrosoftThreatProtection","properties":{"tenantId":"t","dataTypes":{"incidents":{"state":"Enabled"}},"filteredProviders":{"alerts":%s}}}`
	status, a := h.ask("PUT", "dataConnectors/k", "", fmt.Sprintf(put, `["microsoftDefenderForIdentity"]`))
	if status != http.StatusBadRequest || !strings.HasPrefix(a.Error.Message, "properties.filteredProviders") || h.connector.is.Connected {
		t.Errorf("a connector of one product: %d %+v, connected %v", status, a, h.connector.is.Connected)
	}
	if status, a := h.ask("PUT", "dataConnectors/k", "", fmt.Sprintf(put, "[]")); status != http.StatusCreated || a.Name != "k" || !h.connector.is.Connected {
		t.Errorf("a connector of all products: %d %+v", status, a)
	}
}
