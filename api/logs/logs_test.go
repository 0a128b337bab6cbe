package logs_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lockstep/access"
	"lockstep/api/logs"
	"lockstep/fault"
	"lockstep/query"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/workspace"
)

// here has two workspaces, and answers a query that has a meaning with no rows.
type here struct {
	asked     []query.Query
	forbidden string // a workspace that the caller may not query
}

var two = workspace.Workspace{ID: "5e6f0000-0000-4000-8000-0000000000f2", Name: "branch", SubscriptionID: "s", ResourceGroup: "g"}

var one = workspace.Workspace{ID: "5e6f0000-0000-4000-8000-00000000000f", Name: "soc", SubscriptionID: "s", ResourceGroup: "g"}

func (h *here) Workspace(_ context.Context, name string) (workspace.Workspace, error) {
	for _, w := range []workspace.Workspace{one, two} {
		if name == w.ID || name == w.Name {
			return w, nil
		}
	}
	return workspace.Workspace{}, fault.New(fault.NotFound, "no workspace %q", name)
}

func (h *here) ByPath(ctx context.Context, _, _, name string) (workspace.Workspace, error) {
	return h.Workspace(ctx, name)
}

func (h *here) Run(_ context.Context, q query.Query) (*query.Result, error) {
	h.asked = append(h.asked, q)
	program, found := query.KQL(q.Text, query.Environment{})
	if len(found) > 0 {
		return nil, fault.New(fault.Invalid, "%w", &query.SyntaxError{Diagnostics: found})
	}
	r := &query.Result{Table: query.Table{Rows: &rows.Batch{Table: &schema.Table{}}}}
	for range program.(query.Several).Further() {
		r.Further = append(r.Further, r.Table)
	}
	return r, nil
}

// TestSeveralTables: a text with several result tables is answered with each, named by its place.
func TestSeveralTables(t *testing.T) {
	status, answer := post(t, &here{}, "/v1/workspaces/soc/query", `{"query":"print 1 | as One; print 2 | fork Two = (count) (take 1)"}`)
	var got struct{ Tables []struct{ Name string } }
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatal(err)
	}
	want := []struct{ Name string }{{"PrimaryResult"}, {"PrimaryResult_1"}, {"PrimaryResult_2"}}
	if d := cmp.Diff(want, got.Tables); status != http.StatusOK || d != "" {
		t.Errorf("%d %s", status, d)
	}
}

// post asks the face with a body.
func post(t *testing.T, h *here, path, body string) (status int, answer string) {
	t.Helper()
	return send(h, httptest.NewRequest("POST", path, strings.NewReader(body)))
}

func send(h *here, r *http.Request) (status int, answer string) {
	f := logs.New(logs.Options{
		Workspaces: h, Queries: h, Now: func() schema.Ticks { return 639_000_000_000_000_000 },
		Authenticate: func(next http.Handler, _ func(http.ResponseWriter, *http.Request, error)) http.Handler { return next },
		Authorize: func(_ context.Context, _ access.Action, scope string) error {
			if scope == h.forbidden {
				return fault.New(fault.Denied, "not yours")
			}
			return nil
		},
	})
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestWait: Prefer's wait is the time that the query gets, 600 seconds at most; what is no such number asks for none.
func TestWait(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 0, "wait=60": time.Minute, "include-statistics=true, Wait=5": 5 * time.Second, "wait=3600": 10 * time.Minute, "wait=-1": 0, "wait=long": 0,
	} {
		h := &here{}
		r := httptest.NewRequest("POST", "/v1/workspaces/soc/query", strings.NewReader(`{"query":"print 1"}`))
		r.Header.Set("Prefer", header)
		if status, answer := send(h, r); status != http.StatusOK || len(h.asked) != 1 || h.asked[0].Timeout != want {
			t.Errorf("%q: %d %s, asked %+v, want a time of %s", header, status, answer, h.asked, want)
		}
	}
}

// TestMistakesAreNested sends queries that mean nothing: text that can't be
// parsed is a SyntaxError with the code that clients know, a name that isn't
// there a SemanticError.
func TestMistakesAreNested(t *testing.T) {
	for text, want := range map[string]struct{ kind, code string }{
		"print |":     {"SyntaxError", "SYN0002"},
		"print 'open": {"SyntaxError", "SYN0002"},
		"Nope":        {"SemanticError", "KQL110"},
	} {
		body, _ := json.Marshal(map[string]string{"query": text})
		status, answer := post(t, &here{}, "/v1/workspaces/soc/query", string(body))
		var got struct {
			Error struct {
				Code       string
				InnerError struct {
					Code       string
					InnerError struct{ Code, Message string }
				}
			}
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Fatal(err)
		}
		inner := got.Error.InnerError
		if status != http.StatusBadRequest || got.Error.Code != "BadArgumentError" || inner.Code != want.kind || inner.InnerError.Code != want.code || inner.InnerError.Message == "" {
			t.Errorf("%s: %d %s, want %v", text, status, answer, want)
		}
	}
}

// TestFurtherWorkspaces names more workspaces than the one asked: each is
// found and read too, once, and one that isn't there is refused.
func TestFurtherWorkspaces(t *testing.T) {
	h := &here{}
	status, answer := post(t, h, "/v1/workspaces/soc/query", `{"query":"print x = 1","workspaces":["elsewhere"]}`)
	if status != http.StatusBadRequest || !strings.Contains(answer, `\"elsewhere\"`) || len(h.asked) != 0 {
		t.Errorf("one that isn't there: %d %s after %v", status, answer, h.asked)
	}
	status, answer = post(t, h, "/v1/workspaces/soc/query", `{"query":"print x = 1","workspaces":["branch","`+two.ID+`","`+two.ResourceID()+`","soc"]}`)
	if status != http.StatusOK || len(h.asked) != 1 || len(h.asked[0].Further) != 1 || h.asked[0].Further[0] != two.ID {
		t.Errorf("another workspace by all its names: %d %s, asked %+v", status, answer, h.asked)
	}
	h.forbidden = two.ID
	if status, answer := post(t, h, "/v1/workspaces/soc/query", `{"query":"print x = 1","workspaces":["branch"]}`); status != http.StatusForbidden || len(h.asked) != 1 {
		t.Errorf("one that the caller may not query: %d %s", status, answer)
	}
	for _, same := range []string{one.ID, one.Name, one.ResourceID()} {
		if status, answer := post(t, h, "/v1/workspaces/soc/query", `{"query":"print x = 1","workspaces":["`+same+`"]}`); status != http.StatusOK {
			t.Errorf("the workspace itself as %s: %d %s", same, status, answer)
		}
	}
	if status, answer := post(t, h, "/v1/workspaces/soc/query", `{"query":"print x = 1","timespan":null,"workspaces":null}`); status != http.StatusOK {
		t.Errorf("null members: %d %s", status, answer)
	}
}
