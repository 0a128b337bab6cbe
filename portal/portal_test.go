package portal_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"lockstep/fault"
	"lockstep/portal"
	"lockstep/query"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr"
)

// browser is a client with cookies, as our pages are one.
type browser struct {
	t      testing.TB
	server *httptest.Server
	http   *http.Client
}

// open serves the tenant, over TLS as it is by default.
func open(t testing.TB, n *tenant) *browser {
	t.Helper()
	s := httptest.NewTLSServer(n)
	t.Cleanup(s.Close)
	t.Cleanup(n.Close)
	return &browser{t, s, client(t, s)}
}

func client(t testing.TB, s *httptest.Server) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Client()
	return &http.Client{Transport: c.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// another is a second browser at the same server.
func (b *browser) another() *browser { return &browser{b.t, b.server, client(b.t, b.server)} }

// do sends a request as our pages do; change may spoil it.
func (b *browser) do(method, path string, body any, change ...func(*http.Request)) *http.Response {
	b.t.Helper()
	var data []byte
	if text, ok := body.(string); ok {
		data = []byte(text)
	} else if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			b.t.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, b.server.URL+path, bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("X-Lockstep-Portal", "1")
	for _, f := range change {
		f(r)
	}
	resp, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// refusal is the code and message of an error answer.
type refusal struct {
	Error struct {
		Code, Message, Target string
		Diagnostics           []portal.Diagnostic
	}
}

// refused sends a request that must fail with a status and code, and gives the error.
func (b *browser) refused(status int, code, method, path string, body any, change ...func(*http.Request)) refusal {
	b.t.Helper()
	resp := b.do(method, path, body, change...)
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var f refusal
	if err := json.Unmarshal(data, &f); err != nil || resp.StatusCode != status || f.Error.Code != code {
		b.t.Fatalf("%s %s: %d %s; want %d %s", method, path, resp.StatusCode, data, status, code)
	}
	return f
}

// ask sends a request that must succeed and decodes the answer.
func ask[T any](b *browser, method, path string, body any) T {
	b.t.Helper()
	resp := b.do(method, path, body)
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var v T
	if resp.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, data)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		b.t.Fatalf("%s %s: %v in %s", method, path, err, data)
	}
	return v
}

func (b *browser) signIn(o security.Owner) portal.Me {
	b.t.Helper()
	return ask[portal.Me](b, "POST", "/portal/api/signin", map[string]string{"user": o.UPN, "password": password})
}

func TestSignIn(t *testing.T) {
	n := newTenant(t, nil)
	b := open(t, n)
	b.refused(401, "signedOut", "GET", "/portal/api/me", nil)
	b.refused(403, "denied", "POST", "/portal/api/signin", map[string]string{"user": ada.UPN, "password": "wrong"})
	b.refused(400, "invalid", "POST", "/portal/api/signin", map[string]string{"user": ada.UPN})
	b.refused(400, "invalid", "POST", "/portal/api/signin", `{"user":`)

	resp := b.do("POST", "/portal/api/signin", map[string]string{"user": "ADA@fabrikam.example", "password": password})
	if len(resp.Cookies()) != 1 {
		t.Fatalf("%d cookies, want one", len(resp.Cookies()))
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || !strings.HasPrefix(c.Name, "__Host-") {
		t.Errorf("the session's cookie is %v", c)
	}
	me := ask[portal.Me](b, "GET", "/portal/api/me", nil)
	if me.Person.Name != "Ada Lindqvist" || me.Tenant != "Fabrikam" || !me.May[portal.ConnectorWrite] || len(me.Workspaces) != 1 {
		t.Errorf("me: %+v", me)
	}
	if resp := b.do("POST", "/portal/api/signout", nil); resp.StatusCode != 204 {
		t.Errorf("sign out: %d", resp.StatusCode)
	}
	// The token itself is worthless now, whoever kept it.
	b.refused(401, "signedOut", "GET", "/portal/api/me", nil, func(r *http.Request) { r.AddCookie(c) })
}

func TestPlainHTTPCookieAndHost(t *testing.T) {
	n := newTenant(t, func(o *portal.Options) { o.Hosts = []string{"soc.example"} })
	s := httptest.NewServer(n)
	defer s.Close()
	b := &browser{t, s, client(t, s)}
	resp := b.do("POST", "/portal/api/signin", map[string]string{"user": ada.UPN, "password": password})
	if c := resp.Cookies()[0]; c.Secure || !c.HttpOnly {
		t.Errorf("over plain HTTP the cookie is %v", c)
	}
	named := func(host string) func(*http.Request) { return func(r *http.Request) { r.Host = host } }
	for _, host := range []string{"evil.example", "evil.example:8080", "127.0.0.1.evil.example", "192.0.2.7"} {
		b.refused(403, "denied", "GET", "/portal/api/me", nil, named(host))
	}
	for _, host := range []string{"localhost:8080", "127.0.0.1", "[::1]:8080", "soc.example"} {
		if resp := b.do("GET", "/incidents", nil, named(host)); resp.StatusCode != 200 {
			t.Errorf("%s: %d", host, resp.StatusCode)
		}
	}
}

func TestForgedRequests(t *testing.T) {
	n := newTenant(t, nil)
	n.ingest(t, alert("a1", "First", security.High, host("h1", "")))
	b := open(t, n)
	b.signIn(ada)
	body := map[string]string{"text": "forged"}
	b.refused(403, "denied", "POST", "/portal/api/xdr/incidents/1/comment", body, func(r *http.Request) { r.Header.Del("X-Lockstep-Portal") })
	b.refused(403, "denied", "POST", "/portal/api/xdr/incidents/1/comment", body, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	b.refused(403, "denied", "POST", "/portal/api/xdr/incidents/1/comment", body, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
	b.refused(400, "invalid", "POST", "/portal/api/xdr/incidents/1/comment", map[string]string{"txet": "misspelt"})
	b.refused(400, "invalid", "POST", "/portal/api/xdr/incidents/1/comment", map[string]string{"text": strings.Repeat("x", 2<<20)})
	if d := ask[portal.Detail](b, "GET", "/portal/api/xdr/incidents/1", nil); len(d.Comments) != 0 {
		t.Errorf("a forged comment is there: %+v", d.Comments)
	}
}

func TestSessionsEnd(t *testing.T) {
	n := newTenant(t, func(o *portal.Options) { o.SessionIdle, o.SessionLife = time.Hour, 150*time.Minute })
	b := open(t, n)
	b.signIn(ada)
	for range 3 { // used often enough, it lives
		n.clock.pass(40 * schema.Minute)
		ask[portal.Me](b, "GET", "/portal/api/me", nil)
	}
	n.clock.pass(40 * schema.Minute) // but not for ever
	b.refused(401, "signedOut", "GET", "/portal/api/me", nil)
	b.signIn(ada)
	n.clock.pass(61 * schema.Minute)
	b.refused(401, "signedOut", "GET", "/portal/api/me", nil)
}

func TestWrongPasswordsAreSlowedDown(t *testing.T) {
	n := newTenant(t, nil)
	b := open(t, n)
	guess := map[string]string{"user": ada.UPN, "password": "guess"}
	for range 10 {
		b.refused(403, "denied", "POST", "/portal/api/signin", guess)
	}
	b.refused(429, "throttled", "POST", "/portal/api/signin", guess)
	if n.access.tries != 10 {
		t.Errorf("%d passwords were tried, want 10", n.access.tries)
	}
	b.signIn(ben) // another person isn't held up
	n.clock.pass(6 * schema.Minute)
	b.signIn(ada)
}

func TestAuthorization(t *testing.T) {
	n := newTenant(t, nil)
	n.ingest(t, alert("a1", "First", security.High, host("h1", "")))
	twin, err := n.workspaces.ByProvider(context.Background(), n.soc.ID, "1")
	if err != nil {
		t.Fatal(err)
	}
	everything := []struct{ method, path string }{
		{"GET", "/portal/api/xdr/incidents"}, {"GET", "/portal/api/xdr/incidents/1"},
		{"PATCH", "/portal/api/xdr/incidents/1"}, {"POST", "/portal/api/xdr/incidents/1/comment"}, {"POST", "/portal/api/xdr/merge"}, {"POST", "/portal/api/xdr/incidents/1/unmerge"},
		{"GET", "/portal/api/workspaces/fabrikam-soc/incidents"}, {"GET", "/portal/api/workspaces/fabrikam-soc/incidents/" + twin.Name},
		{"PATCH", "/portal/api/workspaces/fabrikam-soc/incidents/" + twin.Name}, {"POST", "/portal/api/workspaces/fabrikam-soc/incidents/" + twin.Name + "/comment"},
		{"GET", "/portal/api/workspaces/fabrikam-soc/connector"}, {"PUT", "/portal/api/workspaces/fabrikam-soc/connector"},
		{"PUT", "/portal/api/workspaces/fabrikam-soc/connector/tables/DeviceEvents"}, {"POST", "/portal/api/query"}, {"GET", "/portal/api/tables?side=xdr"},
		{"GET", "/portal/api/me"}, {"GET", "/portal/api/people"}, {"GET", "/portal/api/workspaces"}, {"GET", "/portal/api/live"},
	}
	b := open(t, n)
	for _, e := range everything {
		b.refused(401, "signedOut", e.method, e.path, nil)
	}
	me := b.signIn(rita) // reads the XDR's incidents, and nothing else
	if len(me.Workspaces) != 0 || me.May[portal.IncidentsWrite] {
		t.Errorf("rita: %+v", me)
	}
	for _, e := range everything[2:14] {
		b.refused(403, "denied", e.method, e.path, `{"side":"xdr","query":"x"}`)
	}
	d := ask[portal.Detail](b, "GET", "/portal/api/xdr/incidents/1", nil)
	if len(d.Parallel) != 0 || d.May[portal.IncidentsWrite] {
		t.Errorf("rita sees links to a workspace that she may not read: %+v", d.Parallel)
	}
	if d := ask[portal.Detail](b.as(ada), "GET", "/portal/api/xdr/incidents/1", nil); len(d.Parallel) != 1 || d.Parallel[0].Path != "/workspaces/fabrikam-soc/incidents/"+twin.Name {
		t.Errorf("ada's links: %+v", d.Parallel)
	}
}

func (b *browser) as(o security.Owner) *browser {
	b.t.Helper()
	other := b.another()
	other.signIn(o)
	return other
}

func TestHeaders(t *testing.T) {
	b := open(t, newTenant(t, nil))
	for _, path := range []string{"/incidents", "/portal/api/me", "/nowhere"} {
		h := b.do("GET", path, nil).Header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe-eval") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	// A real name is held to TLS; localhost isn't: that would bind every server on the machine.
	named := b.do("GET", "/incidents", nil, func(r *http.Request) { r.Host = "soc.example" })
	if named.Header.Get("Strict-Transport-Security") == "" {
		t.Error("a real host name isn't held to TLS")
	}
}

func TestPages(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("console.log(1)"))
	_ = z.Close()
	built := fstest.MapFS{"index.html": {Data: []byte("<title>Lockstep</title>")}, "assets/x-1.js.gz": {Data: zipped.Bytes()}, ".vite/manifest.json": {Data: []byte("{}")}, ".keep": {}}
	b := open(t, newTenant(t, func(o *portal.Options) { o.Dist = built }))
	for _, page := range []string{"/incidents", "/incidents/29?tid=t", "/workspaces/soc/incidents/00000000-0000-4000-8000-000000000001", "/connector", "/hunting", "/signin"} {
		resp := b.do("GET", page, nil)
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 200 || string(text) != "<title>Lockstep</title>" || resp.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %s", page, resp.StatusCode, text)
		}
	}
	for path, want := range map[string]int{"/": 302, "/assets/none.js": 404, "/.keep": 404, "/incidentsx": 404, "/..%2f..%2fetc/passwd": 404} {
		if resp := b.do("GET", path, nil); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	for _, coding := range []string{"gzip, br", "identity"} {
		resp := b.do("GET", "/assets/x-1.js", nil, func(r *http.Request) { r.Header.Set("Accept-Encoding", coding) })
		body := io.Reader(resp.Body)
		if coding != "identity" {
			if resp.Header.Get("Content-Encoding") != "gzip" {
				t.Errorf("with %s: %v", coding, resp.Header)
			}
			body, _ = gzip.NewReader(resp.Body)
		}
		text, err := io.ReadAll(body)
		if err != nil || string(text) != "console.log(1)" || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/javascript") {
			t.Errorf("with %s: %q %v %v", coding, text, resp.Header, err)
		}
	}
	b.refused(404, "notFound", "GET", "/portal/api/nothing", nil)

	empty := open(t, newTenant(t, func(o *portal.Options) { o.Dist = fstest.MapFS{".keep": {}} }))
	resp := empty.do("GET", "/incidents", nil)
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 503 || !strings.Contains(string(text), "make web") {
		t.Errorf("without a build: %d %s", resp.StatusCode, text)
	}
}

// failing answers every query with an error of our own.
type failing struct{ oracle }

func (failing) Run(context.Context, query.Query) (*query.Result, error) {
	return nil, errors.New("secret path and cause")
}

func TestErrorsOfOursAreNotShown(t *testing.T) {
	b := open(t, newTenant(t, func(o *portal.Options) { o.Queries = failing{}; o.Log = quiet() })).as(ada)
	f := b.refused(500, "internal", "POST", "/portal/api/query", map[string]string{"side": "xdr", "query": "x"})
	if strings.Contains(f.Error.Message, "secret") {
		t.Errorf("the cause is shown: %s", f.Error.Message)
	}
}

func TestLive(t *testing.T) {
	n := newTenant(t, nil)
	b := open(t, n).as(rita)
	resp := b.do("GET", "/portal/api/live", nil)
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("the stream's type is %q", kind)
	}
	events := bufio.NewScanner(resp.Body)
	next := func() (event, data string) {
		t.Helper()
		for events.Scan() {
			line := events.Text()
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				event = name
			}
			if text, ok := strings.CutPrefix(line, "data: "); ok {
				return event, text
			}
		}
		t.Fatalf("the stream ended: %v", events.Err())
		return "", ""
	}
	if event, _ := next(); event != "hello" {
		t.Fatalf("first came %s", event)
	}
	// Rita may not read the workspace, so she hears only of the XDR side.
	n.Notify(portal.Hint{Side: schema.Workspace, Workspace: n.soc.ID, Kind: "incident", ID: "secret"}, portal.Hint{Side: schema.XDR, Kind: "incident", ID: "7", Version: 3})
	event, data := next()
	var hint portal.Hint
	if err := json.Unmarshal([]byte(data), &hint); err != nil || event != "hint" || hint.ID != "7" || hint.Version != 3 {
		t.Errorf("heard %s %s", event, data)
	}
	// A change on the XDR side is told.
	n.ingest(t, alert("a1", "First", security.High, host("h1", "")))
	if event, data := next(); event != "hint" || !strings.Contains(data, `"id":"1"`) {
		t.Errorf("after an alert: %s %s", event, data)
	}
	n.Close()
	for events.Scan() {
	}
	if err := events.Err(); err != nil {
		t.Errorf("the stream broke rather than end: %v", err)
	}
}

// TestLiveFallsBehind: a page that doesn't read is told to look anew, and nobody waits for it.
func TestLiveFallsBehind(t *testing.T) {
	n := newTenant(t, nil)
	b := open(t, n).as(ada)
	resp := b.do("GET", "/portal/api/live", nil)
	for i := range 50_000 { // more than socket buffers and the bounded queue hold together
		n.Notify(portal.Hint{Side: schema.XDR, Kind: "incident", ID: strings.Repeat("9", 200), Version: int64(i)})
	}
	events, resynced := bufio.NewScanner(resp.Body), false
	for events.Scan() && !resynced {
		resynced = events.Text() == "event: resync"
	}
	if !resynced {
		t.Error("hints were lost and the page wasn't told")
	}
}

func TestQueueFiltersSortsAndPages(t *testing.T) {
	n := newTenant(t, nil)
	for i, s := range []security.Severity{security.Low, security.High, security.Medium, security.High} {
		a := alert(string(rune('a'+i))+"1", "Story "+string(rune('A'+i)), s, host("host-"+string(rune('a'+i)), ""))
		n.ingest(t, a)
		n.clock.pass(schema.Hour)
	}
	by := security.Actor{Kind: security.Person, Name: ada.UPN}
	resolved, mine := xdr.Resolved, ada.UPN
	if _, err := n.xdr.Update(context.Background(), "2", xdr.Patch{AssignedTo: &mine, AddTags: []string{"VIP"}}, by, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := n.xdr.Update(context.Background(), "3", xdr.Patch{Status: &resolved}, by, 0); err != nil {
		t.Fatal(err)
	}
	n.settle(t)
	b := open(t, n).as(ada)
	for query, want := range map[string]string{
		"":                           "4 3 2 1",
		"sort=number":                "1 2 3 4",
		"sort=-severity":             "4 2 3 1",
		"sort=title":                 "1 2 3 4",
		"status=active,inProgress":   "4 2 1",
		"status=New&sort=number":     "", // the other side's word
		"severity=high":              "4 2",
		"owner=me":                   "2",
		"owner=none":                 "4 3 1",
		"owner=ada@fabrikam.example": "2",
		"tag=vip":                    "2",
		"q=story+c":                  "3",
		"q=%232":                     "2",
		"q=lindqvist":                "2",
		"q=endpoint&limit=2&skip=1":  "3 2",
		"since=2026-01-05T12:30:00Z": "4 3 2", // 3 and 2 were changed at the end
		"product=Microsoft+Defender": "",
		"product=" + url.QueryEscape("Microsoft Defender for Endpoint") + "&sort=-alerts": "4 3 2 1",
	} {
		page := ask[portal.QueuePage](b, "GET", "/portal/api/xdr/incidents?"+query, nil)
		got := []string{}
		for _, r := range page.Items {
			got = append(got, r.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q gives %v, want %s", query, got, want)
		}
		if !strings.Contains(query, "limit") && page.Total != len(got) {
			t.Errorf("%q counts %d, gives %d", query, page.Total, len(got))
		}
	}
	if f := b.refused(400, "invalid", "GET", "/portal/api/xdr/incidents?sort=colour", nil); f.Error.Target != "sort" || !strings.Contains(f.Error.Message, "severity") {
		t.Errorf("%+v", f)
	}
	b.refused(400, "invalid", "GET", "/portal/api/xdr/incidents?limit=100000", nil)
	ws := ask[portal.QueuePage](b, "GET", "/portal/api/workspaces/fabrikam-soc/incidents?severity=high&status=New&sort=number", nil)
	if ws.Total != 2 || ws.Items[0].Number != "2" || ws.Items[0].ProviderID != "2" {
		t.Errorf("the workspace's queue: %+v", ws)
	}
	b.refused(404, "notFound", "GET", "/portal/api/workspaces/no-such/incidents", nil)
}

func TestMissingRoles(t *testing.T) {
	n := newTenant(t, func(o *portal.Options) { o.XDR, o.Connector, o.Queries = nil, nil, nil })
	b := open(t, n).as(ada)
	b.refused(503, "unavailable", "GET", "/portal/api/xdr/incidents", nil)
	b.refused(503, "unavailable", "GET", "/portal/api/workspaces/fabrikam-soc/connector", nil)
	b.refused(503, "unavailable", "POST", "/portal/api/query", map[string]string{"side": "xdr", "query": "x"})
	if me := ask[portal.Me](b, "GET", "/portal/api/me", nil); me.Has.XDR || !me.Has.Workspace {
		t.Errorf("roles: %+v", me.Has)
	}
	if _, err := portal.New(portal.Options{}); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("a portal without access is made: %v", err)
	}
}
