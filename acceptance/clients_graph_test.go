package acceptance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	azureauth "github.com/microsoft/kiota-authentication-azure-go"
	kiotahttp "github.com/microsoft/kiota-http-go"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	graphcore "github.com/microsoftgraph/msgraph-sdk-go-core"
)

// graph is Graph's own client runtime, with all its middleware, at the server.
type graph struct {
	*graphcore.GraphRequestAdapterBase
	t   *testing.T
	ctx context.Context
}

// graphClient makes one that sends its token to the hosts named.
func (c *customer) graphClient(t *testing.T, hosts ...string) *graph {
	t.Helper()
	auth, err := azureauth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(c.credential(t, c.secret), []string{toGraph + "/.default"}, hosts)
	if err != nil {
		t.Fatal(err)
	}
	o := &graphcore.GraphClientOptions{GraphServiceVersion: "v1.0", GraphServiceLibraryVersion: "1.4.0"}
	client := &http.Client{Timeout: patience, Transport: kiotahttp.NewCustomTransportWithParentTransport(c.wire, graphcore.GetDefaultMiddlewaresWithOptions(o)...)}
	adapter, err := graphcore.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, *o, kiotajson.NewJsonParseNodeFactory(), kiotajson.NewJsonSerializationWriterFactory(), client)
	if err != nil {
		t.Fatal(err)
	}
	adapter.SetBaseUrl(c.house.base + "/v1.0")
	return &graph{adapter, t, within(t)}
}

// host is the server's name, as an allowed host.
func (c *customer) host(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(c.house.base)
	if err != nil {
		t.Fatal(err)
	}
	return u.Hostname()
}

// listing are the query options of the SDK's template of a list.
type listing struct {
	Filter, Orderby, Expand, Select string
	Top, Skip                       int32
	Count                           bool
}

// template is a list's address as the SDK writes it.
const template = "{+baseurl}/security/%s{?%%24count,%%24expand,%%24filter,%%24orderby,%%24select,%%24skip,%%24top}"

// request makes a request of a path with query options; nil for none.
func (g *graph) request(method kiota.HttpMethod, path string, l *listing) *kiota.RequestInformation {
	r := kiota.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(method, fmt.Sprintf(template, path), map[string]string{})
	r.Headers.Add("Accept", "application/json")
	if l == nil {
		return r
	}
	texts := map[string]string{"%24filter": l.Filter, "%24orderby": l.Orderby, "%24expand": l.Expand, "%24select": l.Select}
	for name, value := range texts {
		if value != "" {
			r.QueryParametersAny[name] = value
		}
	}
	if l.Top > 0 {
		r.QueryParametersAny["%24top"] = l.Top
	}
	if l.Skip > 0 {
		r.QueryParametersAny["%24skip"] = l.Skip
	}
	if l.Count {
		r.QueryParametersAny["%24count"] = true
	}
	return r
}

// errorsAs are the error models of the SDK's builders.
var errorsAs = kiota.ErrorMappings{"XXX": maker[gError]()}

// ask sends a request and reads the answer into a model.
func ask[T any, P interface {
	*T
	serialization.Parsable
}](g *graph, r *kiota.RequestInformation) (P, error) {
	got, err := g.Send(g.ctx, r, maker[T, P](), errorsAs)
	if err != nil || got == nil {
		return nil, err
	}
	return got.(P), nil
}

func get[T any, P interface {
	*T
	serialization.Parsable
}](g *graph, path string, l *listing) P {
	g.t.Helper()
	got, err := ask[T, P](g, g.request(kiota.GET, path, l))
	if err != nil {
		g.t.Fatalf("GET %s %+v: %v", path, l, err)
	}
	return got
}

// send sends a body, which the client compresses.
func send[T any, P interface {
	*T
	serialization.Parsable
}](g *graph, method kiota.HttpMethod, path string, body serialization.Parsable, headers ...string) (P, error) {
	g.t.Helper()
	r := g.request(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Headers.Add(headers[i], headers[i+1])
	}
	if err := r.SetContentFromParsable(g.ctx, g, "application/json", body); err != nil {
		g.t.Fatal(err)
	}
	return ask[T, P](g, r)
}

// graphIncidents lists, filters, orders, counts and pages incidents.
func (c *customer) graphIncidents(t *testing.T) {
	g := c.graphClient(t, c.host(t))
	first := get[gIncidents](g, "incidents", &listing{Top: 3, Count: true})
	if len(first.Value) != 3 || first.Next == nil || first.Count == nil || int(*first.Count) < 8 {
		t.Fatalf("the first page has %d incidents, next %v, count %v", len(first.Value), first.Next, first.Count)
	}
	if !strings.HasPrefix(*first.Next, c.house.base+"/v1.0/") {
		t.Errorf("the next link is %s", *first.Next)
	}
	walk, err := graphcore.NewPageIterator[*gIncident](first, g, maker[gIncidents]())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var times []time.Time
	if err := walk.Iterate(g.ctx, func(i *gIncident) bool {
		seen[i.ID] = true
		times = append(times, i.Created)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != int(*first.Count) || len(times) != len(seen) {
		t.Errorf("paging gave %d incidents, %d different, of %d", len(times), len(seen), *first.Count)
	}
	if !slices.IsSortedFunc(times, func(a, b time.Time) int { return b.Compare(a) }) {
		t.Errorf("incidents don't come newest first: %v", times)
	}

	all := get[gIncidents](g, "incidents", &listing{Expand: "alerts", Top: 100})
	alerts, evidence := 0, map[string]int{}
	for _, i := range all.Value {
		alerts += len(i.Alerts)
		if i.ID == "" || i.DisplayName == "" || i.Created.IsZero() || !strings.HasPrefix(i.WebURL, c.house.base+"/incidents/") {
			t.Errorf("incident %+v", i)
		}
		for _, a := range i.Alerts {
			if a.IncidentID != i.ID || a.Title == "" || a.First.IsZero() {
				t.Errorf("alert of incident %s: %+v", i.ID, a)
			}
			for _, e := range a.Evidence {
				evidence[strings.TrimPrefix(e.Type, "#microsoft.graph.security.")]++
			}
		}
	}
	if alerts != c.alerts {
		t.Errorf("the incidents hold %d alerts, want %d", alerts, c.alerts)
	}
	for _, kind := range []string{"userEvidence", "deviceEvidence", "ipEvidence", "urlEvidence", "fileEvidence", "processEvidence", "mailboxEvidence", "analyzedMessageEvidence", "cloudApplicationEvidence"} {
		if evidence[kind] == 0 {
			t.Errorf("no alert has %s, only %v", kind, evidence)
		}
	}

	// Filter, order, skip and select, paged: the next link must keep them.
	wide := &listing{Filter: "severity eq 'high' and status ne 'resolved' and createdDateTime ge " + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), Orderby: "displayName desc", Top: 2, Select: "id,displayName,severity"}
	page := get[gIncidents](g, "incidents", wide)
	var names []string
	walk, err = graphcore.NewPageIterator[*gIncident](page, g, maker[gIncidents]())
	if err != nil {
		t.Fatal(err)
	}
	if err := walk.Iterate(g.ctx, func(i *gIncident) bool {
		names = append(names, i.DisplayName)
		if i.Severity != "high" || i.Status != "" {
			t.Errorf("selected %+v", i)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, i := range all.Value {
		if i.Severity == "high" {
			want++
		}
	}
	if len(names) != want || want < 3 {
		t.Errorf("%d incidents are high, want %d by twos", len(names), want)
	}
	if !slices.IsSortedFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(b), strings.ToLower(a)) }) {
		t.Errorf("the incidents aren't in the order asked for: %v", names)
	}
	wide.Skip = 1
	if skipped := get[gIncidents](g, "incidents", wide); len(skipped.Value) == 0 || skipped.Value[0].DisplayName != names[1] {
		t.Errorf("skipping one gives %+v first, want %s", skipped.Value, names[1])
	}
	if one := get[gIncident](g, "incidents/"+all.Value[0].ID, nil); one.ID != all.Value[0].ID || len(one.Alerts) != 0 {
		t.Errorf("got incident %+v", one)
	}
	if of := get[gAlerts](g, "incidents/"+all.Value[0].ID+"/alerts", nil); len(of.Value) != len(all.Value[0].Alerts) {
		t.Errorf("incident %s has %d alerts, want %d", all.Value[0].ID, len(of.Value), len(all.Value[0].Alerts))
	}
}

// graphAlerts lists alerts of a product, and reads one with its evidence.
func (c *customer) graphAlerts(t *testing.T) {
	g := c.graphClient(t, c.host(t))
	all := get[gAlerts](g, "alerts_v2", &listing{Top: 1000, Count: true})
	if len(all.Value) != c.alerts || int(*all.Count) != c.alerts {
		t.Errorf("%d alerts, %d counted, want %d", len(all.Value), *all.Count, c.alerts)
	}
	endpoint := get[gAlerts](g, "alerts_v2", &listing{Filter: "serviceSource eq 'microsoftDefenderForEndpoint' and status eq 'new'", Orderby: "createdDateTime"})
	if len(endpoint.Value) < 7 {
		t.Errorf("%d alerts of Defender for Endpoint", len(endpoint.Value))
	}
	for _, a := range endpoint.Value {
		if a.ServiceSource != "microsoftDefenderForEndpoint" {
			t.Errorf("alert %s is of %s", a.ID, a.ServiceSource)
		}
	}
	one := get[gAlert](g, "alerts_v2/da-client-0", nil)
	if one.ID != "da-client-0" || len(one.Evidence) != 1 || one.Evidence[0].HostName != "pc-client-0" || one.Evidence[0].Verdict != "suspicious" || !slices.Equal(one.Evidence[0].Roles, []string{"attacked"}) {
		t.Errorf("alert %+v with evidence %+v", one, one.Evidence)
	}
	counted, err := g.SendPrimitive(g.ctx, g.request(kiota.GET, "alerts_v2/%24count", nil), "[]byte", errorsAs)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(counted.([]byte)); got != strconv.Itoa(c.alerts) {
		t.Errorf("$count is %q, want %d", got, c.alerts)
	}
}

// graphEdits changes and comments an incident and an alert; bodies go gzipped.
func (c *customer) graphEdits(t *testing.T) {
	g := c.graphClient(t, c.host(t))
	id := get[gAlert](g, "alerts_v2/da-client-1", nil).IncidentID
	before := get[gIncident](g, "incidents/"+id, nil)
	after, err := send[gIncident](g, kiota.PATCH, "incidents/"+id, gPatch{
		"@odata.type": "#microsoft.graph.security.incident", "status": "inProgress", "assignedTo": "ava@tailwind.example",
		"classification": "TruePositive", "determination": "malware", "customTags": []string{"client", "gzip"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if asked := c.wire.last(t, "/incidents/"+id); asked.header.Get("Content-Encoding") != "gzip" || asked.method != "PATCH" {
		t.Errorf("the client's PATCH went out with encoding %q", asked.header.Get("Content-Encoding"))
	}
	slices.Sort(after.CustomTags)
	if after.Status != "inProgress" || after.AssignedTo != "ava@tailwind.example" || after.Classification != "truePositive" || after.Determination != "malware" || !slices.Equal(after.CustomTags, []string{"client", "gzip"}) {
		t.Errorf("the changed incident is %+v", after)
	}
	if !after.Updated.After(before.Updated) || !after.Created.Equal(before.Created) {
		t.Errorf("updated %s after %s, created %s after %s", after.Updated, before.Updated, after.Created, before.Created)
	}
	if unassigned, err := send[gIncident](g, kiota.PATCH, "incidents/"+id, gPatch{"assignedTo": ""}); err != nil || unassigned.AssignedTo != "" {
		t.Errorf("unassign: %+v %v", unassigned, err)
	}
	for n, path := range []string{"incidents/" + id + "/comments", "alerts_v2/da-client-1/comments"} {
		list, err := send[gComments](g, kiota.POST, path, &gComment{Text: "seen <b>&\u2028"})
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		if len(list.Value) != 1 || list.Value[0].Text != "seen <b>&\u2028" || list.Value[0].By == "" || list.Value[0].Created.IsZero() {
			t.Errorf("comments of %s: %+v", path, list.Value)
		}
	}
	if one := get[gIncident](g, "incidents/"+id, nil); len(one.Comments) != 1 {
		t.Errorf("the incident has %d comments", len(one.Comments))
	}
	alert, err := send[gAlert](g, kiota.PATCH, "alerts_v2/da-client-1", gPatch{"status": "resolved", "classification": "falsePositive", "determination": "notMalicious", "assignedTo": "noah@tailwind.example"})
	if err != nil {
		t.Fatal(err)
	}
	if alert.Status != "resolved" || alert.AssignedTo != "noah@tailwind.example" {
		t.Errorf("the changed alert is %+v", alert)
	}

	// A member of an enum that is younger than the client's model shows only to
	// those who ask for it.
	if _, err := send[gIncident](g, kiota.PATCH, "incidents/"+id, gPatch{"status": "awaitingAction"}); err != nil {
		t.Fatal(err)
	}
	if plain := get[gIncident](g, "incidents/"+id, nil); plain.Status != "unknownFutureValue" {
		t.Errorf("a young status shows as %q to those who didn't ask for it", plain.Status)
	}
	r := g.request(kiota.GET, "incidents/"+id, nil)
	r.Headers.Add("Prefer", "include-unknown-enum-members")
	if asked, err := ask[gIncident](g, r); err != nil || asked.Status != "awaitingAction" {
		t.Errorf("a young status shows as %+v to those who ask for it: %v", asked, err)
	}
}

// graphHunting runs hunting queries by both spellings of the action.
func (c *customer) graphHunting(t *testing.T) {
	g := c.graphClient(t, c.host(t))
	for _, path := range []string{"runHuntingQuery", "microsoft.graph.security.runHuntingQuery"} {
		got, err := send[gHunt](g, kiota.POST, path, gPatch{"query": "AlertInfo | summarize Alerts = dcount(AlertId), Last = max(Timestamp) by ServiceSource | sort by Alerts desc", "timespan": "P2D"})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if asked := c.wire.last(t, path); asked.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s went out with encoding %q", path, asked.header.Get("Content-Encoding"))
		}
		if want := "ServiceSource String, Alerts Int64, Last DateTime"; got.columns() != want {
			t.Errorf("%s: columns %s, want %s", path, got.columns(), want)
		}
		sum := 0
		for _, r := range got.Results {
			n, _ := r.data["Alerts"].(*float64)
			if n == nil {
				t.Fatalf("%s: a row is %v", path, r.data)
			}
			sum += int(*n)
		}
		if sum != c.alerts {
			t.Errorf("%s: %d alerts in all, want %d", path, sum, c.alerts)
		}
	}
	if got, err := send[gHunt](g, kiota.POST, "runHuntingQuery", gPatch{"query": "AlertInfo | where Timestamp > ago(1d) | take 0"}); err != nil || len(got.Results) != 0 || len(got.Schema) < 5 {
		t.Errorf("an empty answer: %+v %v", got, err)
	}
	if got, err := send[gHunt](g, kiota.POST, "runHuntingQuery", gPatch{"query": "print a = 1; print b = 2, c = 3"}); err != nil || len(got.Results) != 1 || len(got.Schema) != 1 {
		t.Errorf("the first of two tables: %+v %v", got, err)
	}
}

// graphRefusals asks for what isn't there or isn't allowed: ODataErrors.
func (c *customer) graphRefusals(t *testing.T) {
	g := c.graphClient(t, c.host(t))
	refused := func(what string, err error, status int, code string) {
		t.Helper()
		var e *gError
		if !errors.As(err, &e) || e.Main == nil {
			t.Errorf("%s: %v, want an ODataError", what, err)
			return
		}
		if e.ResponseStatusCode != status || e.Main.Code != code || e.Main.Message == "" {
			t.Errorf("%s: %v, want %d %s", what, e, status, code)
		}
		if in := e.Main.Inner; in == nil || in.RequestID == "" || in.ClientRequestID == "" || in.Date.IsZero() {
			t.Errorf("%s: innerError %+v", what, e.Main.Inner)
		} else if sent := c.wire.last(t, "/v1.0/security").header.Get("client-request-id"); sent != "" && in.ClientRequestID != sent {
			t.Errorf("%s: client-request-id %s, want %s", what, in.ClientRequestID, sent)
		}
	}
	list := func(l *listing) error {
		_, err := ask[gIncidents](g, g.request(kiota.GET, "incidents", l))
		return err
	}
	_, err := ask[gIncident](g, g.request(kiota.GET, "incidents/424242", nil))
	refused("an incident that isn't there", err, http.StatusNotFound, "itemNotFound")
	_, err = ask[gAlert](g, g.request(kiota.GET, "alerts_v2/da-nowhere", nil))
	refused("an alert that isn't there", err, http.StatusNotFound, "itemNotFound")
	_, err = ask[gAlert](g, g.request(kiota.GET, "secureScores", nil))
	refused("a resource that isn't there", err, http.StatusNotFound, "itemNotFound")
	refused("half a filter", list(&listing{Filter: "severity eq"}), http.StatusBadRequest, "BadRequest")
	refused("a filter by no property", list(&listing{Filter: "colour eq 'red'"}), http.StatusBadRequest, "BadRequest")
	refused("an order by no property", list(&listing{Orderby: "colour"}), http.StatusBadRequest, "BadRequest")
	refused("too large a page", list(&listing{Top: 100000}), http.StatusBadRequest, "BadRequest")
	id := get[gAlert](g, "alerts_v2/da-client-2", nil).IncidentID
	_, err = send[gIncident](g, kiota.PATCH, "incidents/"+id, gPatch{"status": "sleeping"})
	refused("a status that isn't one", err, http.StatusBadRequest, "BadRequest")
	_, err = send[gIncident](g, kiota.PATCH, "incidents/"+id, gPatch{"status": "redirected"})
	refused("a redirection by hand", err, http.StatusBadRequest, "BadRequest")
	_, err = send[gHunt](g, kiota.POST, "runHuntingQuery", gPatch{"query": "AlertInfo | where"})
	refused("a query with a mistake", err, http.StatusBadRequest, "BadRequest")
	_, err = send[gHunt](g, kiota.POST, "runHuntingQuery", gPatch{"timespan": "P1D"})
	refused("no query", err, http.StatusBadRequest, "BadRequest")

	// Without our host among those allowed the client sends no token at all.
	_, err = ask[gIncidents](c.graphClient(t, "graph.microsoft.com"), g.request(kiota.GET, "incidents", nil))
	refused("a request without a token", err, http.StatusUnauthorized, "InvalidAuthenticationToken")
}
