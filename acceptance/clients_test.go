package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/monitor/query/azlogs"
)

// TestClients drives the vendor's own clients against a running server: they
// know nothing of it but its address, its CA and an application's secret.
// Source of the set-up of each: clients.md 1.
func TestClients(t *testing.T) {
	c := newCustomer(t)
	c.furnish()
	t.Run("azidentity", c.identity)
	t.Run("armsecurityinsights incidents", c.armIncidents)
	t.Run("armsecurityinsights edits", c.armEdits)
	t.Run("armsecurityinsights comments", c.armComments)
	t.Run("armsecurityinsights data connectors", c.armConnectors)
	t.Run("armsecurityinsights refusals", c.armRefusals)
	t.Run("azlogs", c.logs)
	t.Run("msgraph core incidents", c.graphIncidents)
	t.Run("msgraph core alerts", c.graphAlerts)
	t.Run("msgraph core edits", c.graphEdits)
	t.Run("msgraph core hunting", c.graphHunting)
	t.Run("msgraph core refusals", c.graphRefusals)
}

// patience bounds one client's whole dealings.
const patience = time.Minute

// customer is somebody with an application's secret and the vendor's clients.
type customer struct {
	house        *house
	wire         *recorder
	tenant       string
	id, secret   string
	subscription string // of the primary workspace
	group, name  string
	workspaceID  string
	resourceID   string
	alerts       int // sent to the server
}

// newCustomer starts a server and reads the application that it made for itself.
func newCustomer(t *testing.T) *customer {
	t.Helper()
	h := start(t)
	text, err := os.ReadFile(filepath.Join(h.dir, "credentials.json"))
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ Tenant, ClientID, ClientSecret string }
	if err := json.Unmarshal(text, &made); err != nil {
		t.Fatal(err)
	}
	path := h.workspacePath()
	parts := strings.Split(path, "/")
	if len(parts) != 9 {
		t.Fatalf("the primary workspace's path is %q", path)
	}
	next := h.client.Transport.(*http.Transport).Clone()
	next.ForceAttemptHTTP2 = true // as the clients' own transports do
	t.Cleanup(next.CloseIdleConnections)
	return &customer{
		house: h, wire: &recorder{next: next}, tenant: made.Tenant, id: made.ClientID, secret: made.ClientSecret,
		subscription: parts[2], group: parts[4], name: parts[8], workspaceID: h.workspaceID(), resourceID: path,
	}
}

// furnish sends an alert of every product, a run of like alerts on hosts of
// their own, and waits until all is in the workspace.
func (c *customer) furnish() {
	h := c.house
	h.t.Helper()
	bodies := productAlerts(h.t)
	now := time.Now()
	for n := range 7 {
		bodies = append(bodies, alert{fmt.Sprintf("da-client-%d", n), fmt.Sprintf("Client's alert %d", n), []string{"low", "medium", "high"}[n%3], fmt.Sprintf("pc-client-%d", n), "", now.Add(-time.Duration(n) * time.Minute)}.body())
	}
	got := deliver(h, bodies)
	if got.Accepted != len(bodies) {
		h.t.Fatalf("of %d alerts %d were accepted: %+v", len(bodies), got.Accepted, got.Refused)
	}
	c.alerts = len(bodies)
	h.settle()
}

// deliver sends alerts in the Graph shape over the ingest API.
func deliver(h *house, bodies []map[string]any) (got receipt) {
	h.t.Helper()
	h.must(toIngest, "POST", "/ingest/v1/alerts?shape=graph", bodies, &got)
	return got
}

// productAlerts gives the alerts of all products, with all kinds of evidence,
// that the wire shapes are tested with, as of yesterday.
func productAlerts(t testing.TB) (out []map[string]any) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "wire", "testdata", "alerts", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no alerts to send: %v", err)
	}
	yesterday := time.Now().Add(-24 * time.Hour).UTC().Format("2006-01-02T")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var fixture struct{ Graph map[string]any }
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "2026-01-05T", yesterday)), &fixture); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, fixture.Graph)
	}
	return out
}

// recorder passes requests on and keeps what was asked and answered.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []exchange
}

// exchange is one request with its answer's status.
type exchange struct {
	method, path, query string
	header              http.Header
	status, protocol    int
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.next.RoundTrip(req)
	if err == nil {
		r.mu.Lock()
		r.seen = append(r.seen, exchange{req.Method, req.URL.Path, req.URL.RawQuery, req.Header.Clone(), res.StatusCode, res.ProtoMajor})
		r.mu.Unlock()
	}
	return res, err
}

// matching gives the exchanges whose path holds a text, oldest first.
func (r *recorder) matching(path string) (out []exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.seen {
		if strings.Contains(e.path, path) {
			out = append(out, e)
		}
	}
	return out
}

// last gives the newest exchange whose path holds a text.
func (r *recorder) last(t *testing.T, path string) exchange {
	t.Helper()
	all := r.matching(path)
	if len(all) == 0 {
		t.Fatalf("nothing was asked of %s", path)
	}
	return all[len(all)-1]
}

// options points a client of azcore at the server.
func (c *customer) options() policy.ClientOptions {
	return policy.ClientOptions{
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: c.house.base,
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: c.house.base, Audience: toARM},
				azlogs.ServiceName:    {Endpoint: c.house.base, Audience: toLogs},
			},
		},
		Transport: &http.Client{Transport: c.wire, Timeout: patience},
		Retry:     policy.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond},
	}
}

func (c *customer) credential(t *testing.T, secret string) azcore.TokenCredential {
	t.Helper()
	got, err := azidentity.NewClientSecretCredential(c.tenant, c.id, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: c.options(), DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *customer) armOptions() *arm.ClientOptions {
	return &arm.ClientOptions{ClientOptions: c.options(), DisableRPRegistration: true}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// identity gets tokens as azidentity does: once for each resource, then from
// its memory; a wrong secret is an AuthenticationFailedError.
func (c *customer) identity(t *testing.T) {
	ctx, right := within(t), c.credential(t, c.secret)
	for _, resource := range []string{toGraph, toARM, toLogs, toIngest + "/"} {
		before := len(c.wire.matching("/oauth2/v2.0/token"))
		scopes := policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}, EnableCAE: resource == toGraph}
		first, err := right.GetToken(ctx, scopes)
		if err != nil {
			t.Fatalf("token for %s: %v", resource, err)
		}
		if left := time.Until(first.ExpiresOn); left < 5*time.Minute {
			t.Errorf("the token for %s expires in %s", resource, left)
		}
		again, err := right.GetToken(ctx, scopes)
		if err != nil || again.Token != first.Token {
			t.Errorf("the second token for %s isn't the first: %v", resource, err)
		}
		if asked := len(c.wire.matching("/oauth2/v2.0/token")) - before; asked != 1 {
			t.Errorf("%d token requests for %s, want 1", asked, resource)
		}
	}
	if got := c.wire.matching("/.well-known/openid-configuration"); len(got) == 0 {
		t.Error("azidentity asked for no discovery document")
	} else if got[0].protocol != 2 {
		t.Errorf("the server spoke HTTP/%d", got[0].protocol)
	}

	refused := func(what string, cred azcore.TokenCredential, scope, number string, status int) {
		t.Helper()
		_, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
		var failed *azidentity.AuthenticationFailedError
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v, want an AuthenticationFailedError", what, err)
			return
		}
		if failed.RawResponse == nil || failed.RawResponse.StatusCode != status {
			t.Errorf("%s: response %v, want status %d", what, failed.RawResponse, status)
			return
		}
		body, _ := io.ReadAll(failed.RawResponse.Body)
		if !strings.Contains(err.Error()+string(body), "AADSTS"+number) {
			t.Errorf("%s: %v, want AADSTS%s", what, err, number)
		}
		if strings.Contains(err.Error(), c.secret) {
			t.Errorf("%s: the error has the secret in it", what)
		}
	}
	refused("a wrong secret", c.credential(t, "wrong"), toARM+"/.default", "7000215", http.StatusUnauthorized)
	refused("an unknown resource", right, "https://elsewhere.example/.default", "500011", http.StatusBadRequest)

	// A token for one API is refused by another.
	token, err := right.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{toLogs + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(ctx, "GET", c.house.base+"/v1.0/security/incidents", nil)
	req.Header.Set("Authorization", "Bearer "+token.Token)
	res, err := c.house.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("a token for %s on Graph: %d %q, want 401 with a challenge", toLogs, res.StatusCode, res.Header.Get("WWW-Authenticate"))
	}
}

// logs queries the workspace as azlogs does, by id, by resource, in a batch.
func (c *customer) logs(t *testing.T) {
	ctx := within(t)
	client, err := azlogs.NewClient(c.credential(t, c.secret), &azlogs.ClientOptions{ClientOptions: c.options()})
	if err != nil {
		t.Fatal(err)
	}
	yes, wait := true, 60
	all := &azlogs.QueryOptions{Statistics: &yes, Visualization: &yes, Wait: &wait}
	text := func(s string) *string { return &s }
	day := azlogs.NewTimeInterval(time.Now().Add(-48*time.Hour), time.Now().Add(time.Hour))

	got, err := client.QueryWorkspace(ctx, c.workspaceID, azlogs.QueryBody{Query: text("SecurityAlert | summarize Alerts = dcount(SystemAlertId)"), Timespan: &day}, &azlogs.QueryWorkspaceOptions{Options: all})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Tables) != 1 || *got.Tables[0].Name != "PrimaryResult" || len(got.Tables[0].Rows) != 1 || got.Tables[0].Rows[0][0] != float64(c.alerts) || *got.Tables[0].Columns[0].Type != azlogs.ColumnTypeLong {
		t.Errorf("count of alerts: %+v, want %d as a long", got.Tables, c.alerts)
	}
	var statistics struct{ Query map[string]any }
	if err := json.Unmarshal(got.Statistics, &statistics); err != nil || statistics.Query["executionTime"] == nil {
		t.Errorf("statistics %s: %v", got.Statistics, err)
	}
	if asked := c.wire.last(t, "/query").header.Get("Prefer"); !strings.Contains(asked, "include-statistics=true") {
		t.Errorf("azlogs preferred %q", asked)
	}

	types := "print b=true, d=datetime(2026-01-02T03:04:05.1234567Z), n=decimal(1.5), o=dynamic({\"a\":[1]}), g=guid(5e6f0000-0000-4000-8000-00000000000f), i=int(7), l=long(8), r=1.25, s='x', t=1h | render table"
	got, err = client.QueryWorkspace(ctx, c.workspaceID, azlogs.QueryBody{Query: &types}, &azlogs.QueryWorkspaceOptions{Options: all})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, column := range got.Tables[0].Columns {
		kinds = append(kinds, *column.Name+" "+string(*column.Type))
	}
	if want := "b bool, d datetime, n decimal, o dynamic, g guid, i int, l long, r real, s string, t timespan"; strings.Join(kinds, ", ") != want {
		t.Errorf("columns %v, want %s", kinds, want)
	}
	row, _ := json.Marshal(got.Tables[0].Rows[0])
	if want := `[true,"2026-01-02T03:04:05.1234567Z","1.5","{\"a\":[1]}","5e6f0000-0000-4000-8000-00000000000f",7,8,1.25,"x","01:00:00"]`; string(row) != want {
		t.Errorf("row %s, want %s", row, want)
	}
	if !strings.Contains(string(got.Visualization), `"visualization":"table"`) {
		t.Errorf("render %s", got.Visualization)
	}

	resource, err := client.QueryResource(ctx, c.resourceID, azlogs.QueryBody{Query: text("SecurityIncident | summarize by IncidentNumber | count")}, nil)
	if err != nil {
		t.Errorf("query by resource: %v", err)
	} else if n, _ := resource.Tables[0].Rows[0][0].(float64); n < 2 {
		t.Errorf("incidents by resource: %v", resource.Tables[0].Rows)
	}

	var failed *azcore.ResponseError
	_, err = client.QueryWorkspace(ctx, c.workspaceID, azlogs.QueryBody{Query: text("SecurityAlert | where | count")}, nil)
	if !errors.As(err, &failed) || failed.StatusCode != http.StatusBadRequest || failed.ErrorCode != "BadArgumentError" {
		t.Fatalf("a query with a mistake: %v, want 400 BadArgumentError", err)
	}
	var why struct {
		Error struct {
			InnerError struct {
				Code       string
				InnerError struct {
					Code, Message string
					Line, Pos     int
				}
			}
		}
	}
	body, _ := io.ReadAll(failed.RawResponse.Body)
	if err := json.Unmarshal(body, &why); err != nil {
		t.Fatal(err)
	}
	if inner := why.Error.InnerError; inner.Code != "SyntaxError" || inner.InnerError.Code != "SYN0002" || inner.InnerError.Line != 1 || inner.InnerError.Pos == 0 || inner.InnerError.Message == "" {
		t.Errorf("innererror of a query with a mistake: %s", body)
	}
	if _, err = client.QueryWorkspace(ctx, c.workspaceID, azlogs.QueryBody{Query: text("NoSuchTable | count")}, nil); !errors.As(err, &failed) || failed.StatusCode != http.StatusBadRequest {
		t.Errorf("a query of a table that isn't there: %v, want 400", err)
	}
	if _, err = client.QueryWorkspace(ctx, "00000000-0000-4000-8000-000000000000", azlogs.QueryBody{Query: text("print 1")}, nil); !errors.As(err, &failed) || failed.StatusCode != http.StatusNotFound {
		t.Errorf("a query of a workspace that isn't there: %v, want 404", err)
	}

	if _, err = client.QueryWorkspace(ctx, c.workspaceID, azlogs.QueryBody{Query: text("print 1"), AdditionalWorkspaces: []string{"elsewhere"}}, nil); !errors.As(err, &failed) || failed.StatusCode != http.StatusBadRequest {
		t.Errorf("a query of a further workspace: %v, want 400", err)
	}

	batch, err := client.QueryBatch(ctx, azlogs.BatchRequest{Requests: []azlogs.BatchQueryRequest{
		{ID: text("one"), WorkspaceID: &c.workspaceID, Body: &azlogs.QueryBody{Query: text("print x = 1")}, Headers: map[string]*string{"prefer": text("include-statistics=true")}},
		{ID: text("two"), WorkspaceID: &c.workspaceID, Body: &azlogs.QueryBody{Query: text("print | |")}},
	}}, nil)
	if err != nil {
		t.Fatalf("batch: %v", err)
	}
	answers := map[string]azlogs.BatchQueryResponse{}
	for _, r := range batch.Responses {
		answers[*r.ID] = r
	}
	one, two := answers["one"], answers["two"]
	if one.Status == nil || *one.Status != 200 || len(one.Body.Tables) != 1 || one.Body.Tables[0].Rows[0][0] != float64(1) || len(one.Body.Statistics) == 0 {
		t.Errorf("first of the batch: %+v", one)
	}
	if two.Status == nil || *two.Status != 400 || two.Body.Error == nil || two.Body.Error.Code != "BadArgumentError" {
		t.Errorf("second of the batch: %+v", two)
	}
}
