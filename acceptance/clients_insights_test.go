package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	insights "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/securityinsights/armsecurityinsights/v2"
	"github.com/google/uuid"
)

func (c *customer) insights(t *testing.T) *insights.ClientFactory {
	t.Helper()
	f, err := insights.NewClientFactory(c.subscription, c.credential(t, c.secret), c.armOptions())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func ptr[T any](v T) *T { return &v }

// text gives what a client's optional text holds.
func text[T ~string](p *T) string {
	if p == nil {
		return ""
	}
	return string(*p)
}

// refused checks that a client got an error with a status and a code.
func refused(t *testing.T, what string, err error, status int, code string) {
	t.Helper()
	var failed *azcore.ResponseError
	if !errors.As(err, &failed) {
		t.Errorf("%s: %v, want a ResponseError", what, err)
		return
	}
	if failed.StatusCode != status || failed.ErrorCode != code {
		t.Errorf("%s: %d %s, want %d %s", what, failed.StatusCode, failed.ErrorCode, status, code)
	}
	body, _ := io.ReadAll(failed.RawResponse.Body)
	if !strings.Contains(string(body), `"code":"`+code+`"`) || !strings.Contains(string(body), `"message":"`) {
		t.Errorf("%s: body %s", what, body)
	}
}

// incidents lists incidents with a pager, and tells how many pages there were.
func (c *customer) incidents(ctx context.Context, t *testing.T, client *insights.IncidentsClient, o *insights.IncidentsClientListOptions) (out []*insights.Incident, pages int) {
	t.Helper()
	for pager := client.NewListPager(c.group, c.name, o); pager.More(); pages++ {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatalf("list incidents, page %d: %v", pages+1, err)
		}
		if o != nil && o.Top != nil && len(page.Value) > int(*o.Top) {
			t.Errorf("a page of %d incidents, want at most %d", len(page.Value), *o.Top)
		}
		out = append(out, page.Value...)
	}
	return out, pages
}

// armIncidents lists, filters, orders and reads incidents, their alerts,
// entities and relations.
func (c *customer) armIncidents(t *testing.T) {
	ctx, f := within(t), c.insights(t)
	client := f.NewIncidentsClient()
	all, _ := c.incidents(ctx, t, client, nil)
	if len(all) < 8 {
		t.Fatalf("the workspace has %d incidents", len(all))
	}
	paged, pages := c.incidents(ctx, t, client, &insights.IncidentsClientListOptions{Top: ptr[int32](3)})
	if want := (len(all) + 2) / 3; pages != want {
		t.Errorf("%d incidents by threes came in %d pages, want %d", len(all), pages, want)
	}
	for n, one := range []([]*insights.Incident){all, paged} {
		numbers := map[int32]bool{}
		for _, i := range one {
			numbers[*i.Properties.IncidentNumber] = true
		}
		if len(numbers) != len(all) {
			t.Errorf("list %d has %d different incidents of %d", n, len(numbers), len(all))
		}
	}

	byNumber := func(filter string) ([]*insights.Incident, int) {
		return c.incidents(ctx, t, client, &insights.IncidentsClientListOptions{
			Filter: ptr(filter), Orderby: ptr("properties/incidentNumber asc"), Top: ptr[int32](2)})
	}
	high, pages := byNumber("properties/severity eq 'High' and properties/status ne 'Closed'")
	want := 0
	for _, i := range all {
		if *i.Properties.Severity == insights.IncidentSeverityHigh && *i.Properties.Status != insights.IncidentStatusClosed {
			want++
		}
	}
	if len(high) != want || want < 3 || pages < 2 {
		t.Errorf("%d high incidents in %d pages, want %d by twos", len(high), pages, want)
	}
	if !slices.IsSortedFunc(high, func(a, b *insights.Incident) int {
		return int(*a.Properties.IncidentNumber - *b.Properties.IncidentNumber)
	}) {
		t.Error("the incidents aren't in the order asked for")
	}
	since, _ := byNumber("properties/createdTimeUtc ge 2020-01-01T00:00:00Z and startswith(properties/title, 'Client')")
	if len(since) == 0 {
		t.Error("no incident has a title that starts with Client")
	}

	kinds, relations := map[string]bool{}, 0
	for _, listed := range all {
		name := text(listed.Name)
		one, err := client.Get(ctx, c.group, c.name, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := one.Properties
		if text(one.Etag) != text(listed.Etag) || text(p.Title) == "" || p.CreatedTimeUTC == nil || p.AdditionalData == nil || text(p.ProviderName) != "Microsoft XDR" || !strings.HasPrefix(text(p.IncidentURL), c.house.base) {
			t.Errorf("incident %s: %+v", name, p)
		}
		if !strings.EqualFold(text(one.Type), "Microsoft.SecurityInsights/incidents") || !strings.HasPrefix(text(one.ID), c.resourceID) {
			t.Errorf("incident %s has type %s and id %s", name, text(one.Type), text(one.ID))
		}
		alerts, err := client.ListAlerts(ctx, c.group, c.name, name, nil)
		if err != nil {
			t.Fatalf("alerts of %s: %v", name, err)
		}
		merged := slices.ContainsFunc(p.Labels, func(l *insights.IncidentLabel) bool { return text(l.LabelName) == "Redirected" })
		if len(alerts.Value) != int(*p.AdditionalData.AlertsCount) || (len(alerts.Value) == 0) != merged {
			t.Errorf("incident %s lists %d alerts and counts %d; merged away: %v", name, len(alerts.Value), *p.AdditionalData.AlertsCount, merged)
		}
		for _, a := range alerts.Value {
			if text(a.Properties.AlertDisplayName) == "" || text(a.Properties.SystemAlertID) == "" || a.Properties.StartTimeUTC == nil || text(a.Kind) != "SecurityAlert" {
				t.Errorf("alert of %s: %+v", name, a.Properties)
			}
		}
		c.typed(ctx, t, client, name, kinds)
		for pager := f.NewIncidentRelationsClient().NewListPager(c.group, c.name, name, nil); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err != nil {
				t.Fatalf("relations of %s: %v", name, err)
			}
			for _, r := range page.Value {
				relations++
				if one, err := f.NewIncidentRelationsClient().Get(ctx, c.group, c.name, name, text(r.Name), nil); err != nil || text(one.Properties.RelatedResourceID) != text(r.Properties.RelatedResourceID) {
					t.Errorf("relation %s of %s: %+v %v", text(r.Name), name, one.Properties, err)
				}
				if text(r.Properties.RelatedResourceKind) != "SecurityAlert" || !strings.HasPrefix(text(r.Properties.RelatedResourceID), c.resourceID) {
					t.Errorf("relation of %s: %+v", name, r.Properties)
				}
			}
		}
		if marks, err := client.ListBookmarks(ctx, c.group, c.name, name, nil); err != nil || len(marks.Value) != 0 {
			t.Errorf("bookmarks of %s: %v %v", name, marks.Value, err)
		}
	}
	if relations != c.alerts {
		t.Errorf("%d relations to alerts, want %d", relations, c.alerts)
	}
	for _, kind := range []string{"Account", "Host", "IP", "URL", "File", "Process", "Mailbox", "MailMessage", "CloudApplication", "AzureResource"} {
		if !kinds["*armsecurityinsights."+kind+"Entity"] {
			t.Errorf("no entity arrived as a %sEntity, only %v", kind, kinds)
		}
	}
}

// typed checks that an incident's entities arrive as the client's own types,
// in the numbers that metaData tells, and notes the types.
func (c *customer) typed(ctx context.Context, t *testing.T, client *insights.IncidentsClient, name string, kinds map[string]bool) {
	t.Helper()
	got, err := client.ListEntities(ctx, c.group, c.name, name, nil)
	if err != nil {
		t.Errorf("entities of %s: %v", name, err)
		return
	}
	counts := map[string]int32{}
	for _, e := range got.Entities {
		kinds[fmt.Sprintf("%T", e)] = true
		base := e.GetEntity()
		counts[text(base.Kind)]++
		if text(base.ID) == "" || text(base.Name) == "" {
			t.Errorf("an entity of %s has no id: %+v", name, base)
		}
		switch e := e.(type) {
		case *insights.AccountEntity:
			if p := e.Properties; text(p.AccountName)+text(p.DisplayName)+text(p.UpnSuffix)+text(p.AADUserID)+text(p.Sid) == "" {
				t.Errorf("an account of %s has no name: %+v", name, p)
			}
		case *insights.HostEntity:
			if p := e.Properties; text(p.HostName)+text(p.NetBiosName)+text(p.AzureID) == "" {
				t.Errorf("a host of %s has no name: %+v", name, p)
			}
		case *insights.IPEntity:
			if text(e.Properties.Address) == "" {
				t.Errorf("an address of %s is empty", name)
			}
		}
	}
	for _, m := range got.MetaData {
		if counts[text(m.EntityKind)] != *m.Count {
			t.Errorf("metaData of %s counts %d of %s, there are %d", name, *m.Count, text(m.EntityKind), counts[text(m.EntityKind)])
		}
		delete(counts, text(m.EntityKind))
	}
	if len(counts) != 0 {
		t.Errorf("metaData of %s doesn't count %v", name, counts)
	}
}

// armEdits makes, changes and deletes an incident of the workspace's own.
func (c *customer) armEdits(t *testing.T) {
	ctx, client := within(t), c.insights(t).NewIncidentsClient()
	name := uuid.NewString()
	incident := insights.Incident{Properties: &insights.IncidentProperties{
		Title: ptr("Made by a client"), Description: ptr("by hand"), Severity: ptr(insights.IncidentSeverityLow), Status: ptr(insights.IncidentStatusNew),
		Labels: []*insights.IncidentLabel{{LabelName: ptr("client")}}, Owner: &insights.IncidentOwnerInfo{UserPrincipalName: ptr("ava@tailwind.example")},
	}}
	made, err := client.CreateOrUpdate(ctx, c.group, c.name, name, incident, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status := c.wire.last(t, "/incidents/"+name).status; status != http.StatusCreated {
		t.Errorf("a new incident: %d, want 201", status)
	}
	p := made.Properties
	if text(made.Etag) == "" || text(made.Name) != name || p.IncidentNumber == nil || text(p.Owner.UserPrincipalName) != "ava@tailwind.example" || len(p.Labels) != 1 || text(p.Labels[0].LabelType) != "User" {
		t.Errorf("the new incident is %+v", p)
	}

	incident.Etag = made.Etag
	incident.Properties.Status = ptr(insights.IncidentStatusClosed)
	incident.Properties.Classification = ptr(insights.IncidentClassificationFalsePositive)
	incident.Properties.ClassificationReason = ptr(insights.IncidentClassificationReasonInaccurateData)
	incident.Properties.ClassificationComment = ptr("nothing there")
	closed, err := client.CreateOrUpdate(ctx, c.group, c.name, name, incident, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status := c.wire.last(t, "/incidents/"+name).status; status != http.StatusOK {
		t.Errorf("a known incident: %d, want 200", status)
	}
	if text(closed.Etag) == text(made.Etag) || *closed.Properties.Status != insights.IncidentStatusClosed || text(closed.Properties.ClassificationReason) != "InaccurateData" || *closed.Properties.IncidentNumber != *p.IncidentNumber {
		t.Errorf("the closed incident is %+v, etag %s after %s", closed.Properties, text(closed.Etag), text(made.Etag))
	}

	_, err = client.CreateOrUpdate(ctx, c.group, c.name, name, incident, nil) // with the etag before the last
	var failed *azcore.ResponseError
	if !errors.As(err, &failed) || failed.StatusCode != http.StatusConflict && failed.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("an edit of an older version: %v, want 409 or 412", err)
	}
	incident.Properties.Severity = ptr(insights.IncidentSeverity("Enormous"))
	incident.Etag = nil
	_, err = client.CreateOrUpdate(ctx, c.group, c.name, name, incident, nil)
	refused(t, "a severity that isn't one", err, http.StatusBadRequest, "BadRequest")
	_, err = client.CreateOrUpdate(ctx, c.group, c.name, name, insights.Incident{Properties: &insights.IncidentProperties{Severity: ptr(insights.IncidentSeverityLow), Status: ptr(insights.IncidentStatusNew)}}, nil)
	refused(t, "an incident without a title", err, http.StatusBadRequest, "BadRequest")

	for _, want := range []int{http.StatusOK, http.StatusNoContent} {
		if _, err := client.Delete(ctx, c.group, c.name, name, nil); err != nil {
			t.Fatal(err)
		}
		if status := c.wire.last(t, "/incidents/"+name).status; status != want {
			t.Errorf("delete: %d, want %d", status, want)
		}
	}
	_, err = client.Get(ctx, c.group, c.name, name, nil)
	refused(t, "a deleted incident", err, http.StatusNotFound, "NotFound")
}

// armComments writes, reads and deletes comments of a synchronised incident.
func (c *customer) armComments(t *testing.T) {
	ctx, f := within(t), c.insights(t)
	all, _ := c.incidents(ctx, t, f.NewIncidentsClient(), &insights.IncidentsClientListOptions{Filter: ptr("startswith(properties/title, 'Client')")})
	if len(all) == 0 {
		t.Fatal("there is no incident to comment")
	}
	incident, client, id := text(all[0].Name), f.NewIncidentCommentsClient(), uuid.NewString()
	message := "written <b>& by a client"
	for _, want := range []int{http.StatusCreated, http.StatusOK} { // the second is a repeat
		made, err := client.CreateOrUpdate(ctx, c.group, c.name, incident, id, insights.IncidentComment{Properties: &insights.IncidentCommentProperties{Message: &message}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status := c.wire.last(t, "/comments/"+id).status; status != want {
			t.Errorf("put a comment: %d, want %d", status, want)
		}
		if p := made.Properties; text(p.Message) != message || p.CreatedTimeUTC == nil || p.Author == nil || text(p.Author.Name) == "" || text(made.Name) != id {
			t.Errorf("the comment is %+v by %+v", p, p.Author)
		}
	}
	_, err := client.CreateOrUpdate(ctx, c.group, c.name, incident, id, insights.IncidentComment{Properties: &insights.IncidentCommentProperties{Message: ptr("another text")}}, nil)
	refused(t, "an edited comment", err, http.StatusConflict, "Conflict")
	one, err := client.Get(ctx, c.group, c.name, incident, id, nil)
	if err != nil || !strings.HasPrefix(text(one.Properties.Message), "written") {
		t.Errorf("get a comment: %v %v", one.Properties, err)
	}
	listed := 0
	for pager := client.NewListPager(c.group, c.name, incident, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		listed += len(page.Value)
	}
	if listed != 1 {
		t.Errorf("%d comments are listed, want 1", listed)
	}
	for _, want := range []int{http.StatusOK, http.StatusNoContent} {
		if _, err := client.Delete(ctx, c.group, c.name, incident, id, nil); err != nil {
			t.Fatal(err)
		}
		if status := c.wire.last(t, "/comments/"+id).status; status != want {
			t.Errorf("delete a comment: %d, want %d", status, want)
		}
	}
	_, err = client.Get(ctx, c.group, c.name, incident, id, nil)
	refused(t, "a deleted comment", err, http.StatusNotFound, "NotFound")
	_, err = client.CreateOrUpdate(ctx, c.group, c.name, incident, uuid.NewString(), insights.IncidentComment{Properties: &insights.IncidentCommentProperties{Message: ptr("")}}, nil)
	refused(t, "an empty comment", err, http.StatusBadRequest, "BadRequest")
}

// armConnectors disconnects the workspace and connects it again.
func (c *customer) armConnectors(t *testing.T) {
	ctx, client := within(t), c.insights(t).NewDataConnectorsClient()
	list := func() (out []*insights.MTPDataConnector) {
		t.Helper()
		for pager := client.NewListPager(c.group, c.name, nil); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range page.Value {
				k, ok := one.(*insights.MTPDataConnector)
				if !ok {
					t.Fatalf("a data connector arrived as a %T", one)
				}
				out = append(out, k)
			}
		}
		return out
	}
	have := list()
	if len(have) != 1 || text(have[0].Properties.DataTypes.Incidents.State) != "Enabled" || text(have[0].Properties.TenantID) != c.tenant {
		t.Fatalf("the server's first connector is %+v", have)
	}
	got, err := client.Get(ctx, c.group, c.name, text(have[0].Name), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := got.DataConnectorClassification.(*insights.MTPDataConnector); !ok {
		t.Errorf("the connector arrived as a %T", got.DataConnectorClassification)
	}
	for _, want := range []int{http.StatusOK, http.StatusNoContent} {
		if _, err := client.Delete(ctx, c.group, c.name, text(have[0].Name), nil); err != nil {
			t.Fatal(err)
		}
		if status := c.wire.last(t, "/dataConnectors/").status; status != want {
			t.Errorf("delete the connector: %d, want %d", status, want)
		}
	}
	if left := list(); len(left) != 0 {
		t.Errorf("a deleted connector is still listed: %+v", left)
	}
	_, err = client.Get(ctx, c.group, c.name, text(have[0].Name), nil)
	refused(t, "a deleted connector", err, http.StatusNotFound, "NotFound")

	name := uuid.NewString()
	wish := &insights.MTPDataConnector{Properties: &insights.MTPDataConnectorProperties{TenantID: &c.tenant, DataTypes: &insights.MTPDataConnectorDataTypes{
		Incidents: &insights.MTPDataConnectorDataTypesIncidents{State: ptr(insights.DataTypeStateEnabled)},
		Alerts:    &insights.MTPDataConnectorDataTypesAlerts{State: ptr(insights.DataTypeStateEnabled)},
	}}}
	for _, want := range []int{http.StatusCreated, http.StatusOK} {
		made, err := client.CreateOrUpdate(ctx, c.group, c.name, name, wish, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status := c.wire.last(t, "/dataConnectors/"+name).status; status != want {
			t.Errorf("put the connector: %d, want %d", status, want)
		}
		k, ok := made.DataConnectorClassification.(*insights.MTPDataConnector)
		if !ok || text(k.Name) != name || text(k.Properties.DataTypes.Alerts.State) != "Enabled" {
			t.Errorf("the made connector is %+v", made.DataConnectorClassification)
		}
	}
	wish.Properties.TenantID = ptr(uuid.NewString())
	_, err = client.CreateOrUpdate(ctx, c.group, c.name, name, wish, nil)
	refused(t, "a connector to another tenant", err, http.StatusBadRequest, "BadRequest")
	if have := list(); len(have) != 1 || text(have[0].Name) != name {
		t.Errorf("connectors %+v, want %s alone", have, name)
	}
}

// otherVersion asks with another api-version than the client's own; "" takes it away.
type otherVersion string

func (v otherVersion) Do(req *policy.Request) (*http.Response, error) {
	q := req.Raw().URL.Query()
	q.Del("api-version")
	if v != "" {
		q.Set("api-version", string(v))
	}
	req.Raw().URL.RawQuery = q.Encode()
	return req.Next()
}

// armRefusals asks for what isn't there, in versions that aren't ones and in
// all those that official clients send.
func (c *customer) armRefusals(t *testing.T) {
	ctx := within(t)
	with := func(v otherVersion) *insights.IncidentsClient {
		t.Helper()
		o := c.options()
		o.PerCallPolicies = []policy.Policy{v}
		client, err := insights.NewIncidentsClient(c.subscription, c.credential(t, c.secret), &arm.ClientOptions{ClientOptions: o, DisableRPRegistration: true})
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	client := c.insights(t).NewIncidentsClient()
	_, err := client.Get(ctx, c.group, c.name, uuid.NewString(), nil)
	refused(t, "an incident that isn't there", err, http.StatusNotFound, "NotFound")
	_, err = client.Get(ctx, c.group, "elsewhere", uuid.NewString(), nil)
	var failed *azcore.ResponseError
	if !errors.As(err, &failed) || failed.StatusCode != http.StatusNotFound || failed.ErrorCode != "ResourceNotFound" && failed.ErrorCode != "NotFound" {
		t.Errorf("a workspace that isn't there: %v, want 404", err)
	}
	_, err = client.NewListPager(c.group, c.name, &insights.IncidentsClientListOptions{Filter: ptr("properties/severity eq")}).NextPage(ctx)
	refused(t, "half a filter", err, http.StatusBadRequest, "BadRequest")
	_, err = client.NewListPager(c.group, c.name, &insights.IncidentsClientListOptions{Filter: ptr("properties/colour eq 'red'")}).NextPage(ctx)
	refused(t, "a filter by no property", err, http.StatusBadRequest, "BadRequest")
	_, err = client.NewListPager(c.group, c.name, &insights.IncidentsClientListOptions{Top: ptr[int32](0)}).NextPage(ctx)
	refused(t, "a page of nothing", err, http.StatusBadRequest, "BadRequest")
	_, err = client.NewListPager(c.group, c.name, &insights.IncidentsClientListOptions{SkipToken: ptr("nonsense")}).NextPage(ctx)
	refused(t, "a skip token that is none", err, http.StatusBadRequest, "BadRequest")

	_, err = with("").Get(ctx, c.group, c.name, uuid.NewString(), nil)
	refused(t, "no api-version", err, http.StatusBadRequest, "MissingApiVersionParameter")
	_, err = with("last-week").Get(ctx, c.group, c.name, uuid.NewString(), nil)
	refused(t, "a bad api-version", err, http.StatusBadRequest, "InvalidApiVersionParameter")
	for _, v := range []otherVersion{"2022-09-01-preview", "2022-10-01-preview", "2022-12-01-preview", "2023-11-01", "2024-03-01", "2024-09-01", "2025-06-01", "2025-09-01"} {
		if _, err := with(v).NewListPager(c.group, c.name, &insights.IncidentsClientListOptions{Top: ptr[int32](1)}).NextPage(ctx); err != nil {
			t.Errorf("api-version %s: %v", v, err)
		}
	}
}
