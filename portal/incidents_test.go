package portal_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/portal"
	"lockstep/schema"
	"lockstep/security"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

const xdrIncidents = "/portal/api/xdr/incidents/"

// twin is the API path of the workspace incident that mirrors an XDR incident.
func (n *tenant) twin(t testing.TB, id string) string {
	t.Helper()
	i, err := n.workspaces.ByProvider(context.Background(), n.soc.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return "/portal/api/workspaces/fabrikam-soc/incidents/" + i.Name
}

func TestWorkOnAnXDRIncident(t *testing.T) {
	n := newTenant(t, nil)
	n.ingest(t, alert("a1", "<script>alert(1)</script>", security.High, host("h1", "suspicious"), host("h2", "")),
		alert("a2", "Second", security.Low, host("h1", "malicious")))
	b := open(t, n).as(ada)
	d := ask[portal.Detail](b, "GET", xdrIncidents+"1", nil)
	if len(d.AlertList) != 2 || len(d.EntityList) != 2 || len(d.Activity) == 0 || d.Owner != nil || d.Provider != "Defender XDR" {
		t.Fatalf("the incident: %+v", d)
	}
	if e := d.EntityList[0]; e.Name != "h1" || e.Verdict != "malicious" || e.Alerts != 2 {
		t.Errorf("an entity carries the worst verdict and its alerts: %+v", e)
	}
	if !slices.ContainsFunc(d.AlertList, func(a portal.AlertView) bool { return a.Title == "<script>alert(1)</script>" }) {
		t.Error("hostile text must come through as it is; the page shows it as text")
	}

	d = ask[portal.Detail](b, "PATCH", xdrIncidents+"1", map[string]any{"version": d.Version, "owner": ben.UPN, "tags": []string{"VIP"}, "severity": "medium"})
	if d.Owner == nil || d.Owner.Name != ben.AssignedTo || d.Tags[0] != "VIP" || d.Severity != security.Medium {
		t.Errorf("after the change: %+v", d.Row)
	}
	seen := d.Version
	d = ask[portal.Detail](b, "PATCH", xdrIncidents+"1", map[string]any{"version": seen, "status": "resolved", "classification": "truePositive", "reason": "phishing", "comment": "mail purged"})
	if d.Status != "resolved" || d.Classification != "truePositive" || d.Reason != "phishing" || d.Comment != "mail purged" || d.AlertList[0].Status != security.AlertResolved {
		t.Errorf("after resolving: %+v", d)
	}
	b.refused(409, "conflict", "PATCH", xdrIncidents+"1", map[string]any{"version": seen, "status": "active"})
	b.refused(400, "invalid", "PATCH", xdrIncidents+"1", map[string]any{"severity": "terrible"})
	b.refused(400, "invalid", "PATCH", xdrIncidents+"1", map[string]any{"status": "redirected"})
	b.refused(404, "notFound", "GET", xdrIncidents+"999", nil)

	d = ask[portal.Detail](b, "POST", xdrIncidents+"1/comment", map[string]string{"text": "seen"})
	if len(d.Comments) != 1 || d.Comments[0].Text != "seen" || d.Comments[0].Author != ada.UPN || d.Comments[0].Kind != "person" {
		t.Errorf("comments: %+v", d.Comments)
	}
	if d.Activity[0].At < d.Activity[len(d.Activity)-1].At {
		t.Error("activity comes newest first")
	}
	// Ben, signed in beside, is the author of what he does.
	if d := ask[portal.Detail](b.as(ben), "POST", xdrIncidents+"1/comment", map[string]string{"text": "me too"}); d.Comments[0].Author != ben.UPN {
		t.Errorf("comments: %+v", d.Comments)
	}
}

func TestMergeLeadsToTheTarget(t *testing.T) {
	n := newTenant(t, nil)
	for _, id := range []string{"a", "b", "c"} {
		n.ingest(t, alert(id+"1", "Story "+id, security.High, host("host-"+id, "")))
		n.clock.pass(schema.Hour)
	}
	b := open(t, n).as(ada)
	ask[portal.Detail](b, "PATCH", xdrIncidents+"2", map[string]any{"owner": ada.UPN})
	made := ask[struct{ Target, Path string }](b, "POST", "/portal/api/xdr/merge", map[string]any{"ids": []string{"1", "2"}, "reason": "one story"})
	if made.Target != "2" || made.Path != "/incidents/2" {
		t.Fatalf("merged into %+v; the one with an owner stays", made)
	}
	n.settle(t)
	source := ask[portal.Detail](b, "GET", xdrIncidents+"1", nil)
	if source.MergedInto == nil || source.MergedInto.Path != "/incidents/2" {
		t.Errorf("the source leads to %+v", source.MergedInto)
	}
	target := ask[portal.Detail](b, "GET", xdrIncidents+"2", nil)
	if !slices.Equal(target.MergedFrom, []string{"1"}) || len(target.AlertList) != 2 {
		t.Errorf("the target: %+v", target)
	}
	if page := ask[portal.QueuePage](b, "GET", "/portal/api/xdr/incidents", nil); page.Total != 2 {
		t.Errorf("the queue still shows a merged one: %+v", page)
	}
	if page := ask[portal.QueuePage](b, "GET", "/portal/api/xdr/incidents?status=redirected", nil); page.Total != 1 || page.Items[0].Redirect != "2" {
		t.Errorf("merged ones: %+v", page)
	}
	// On the workspace side the source stays, closed, and names the target's parallel incident.
	twin := ask[portal.Detail](b, "GET", n.twin(t, "1"), nil)
	want := strings.TrimPrefix(n.twin(t, "2"), "/portal/api")
	if twin.MergedInto == nil || twin.MergedInto.Path != want || twin.Status != "Closed" {
		t.Errorf("the workspace's source leads to %+v, want %s", twin.MergedInto, want)
	}
	if len(twin.Parallel) != 1 || twin.Parallel[0].Path != "/incidents/1" {
		t.Errorf("its parallel one: %+v", twin.Parallel)
	}
	// A guard's reason is shown.
	ask[portal.Detail](b, "PATCH", xdrIncidents+"3", map[string]any{"status": "resolved"})
	if f := b.refused(409, "conflict", "POST", "/portal/api/xdr/merge", map[string]any{"ids": []string{"2", "3"}, "reason": "x"}); !strings.Contains(f.Error.Message, "resolved") {
		t.Errorf("the refusal says %q", f.Error.Message)
	}
	b.refused(400, "invalid", "POST", "/portal/api/xdr/merge", map[string]any{"ids": []string{"2"}, "reason": "x"})
	// And back.
	source = ask[portal.Detail](b, "POST", xdrIncidents+"1/unmerge", map[string]any{"reason": "two stories"})
	if source.MergedInto != nil || source.Status != "active" || len(source.AlertList) != 1 {
		t.Errorf("parted: %+v", source)
	}
	n.settle(t)
	if twin := ask[portal.Detail](b, "GET", n.twin(t, "1"), nil); twin.MergedInto != nil || twin.Status != "New" || len(twin.AlertList) != 1 {
		t.Errorf("the workspace's: %+v", twin)
	}
	if f := b.refused(409, "conflict", "POST", xdrIncidents+"1/unmerge", map[string]any{"reason": ""}); !strings.Contains(f.Error.Message, "isn't merged") {
		t.Errorf("the refusal says %q", f.Error.Message)
	}
}

func TestWorkOnAWorkspaceIncident(t *testing.T) {
	n := newTenant(t, nil)
	n.ingest(t, alert("a1", "First", security.High, host("h1", "")))
	b := open(t, n).as(ada)
	path := n.twin(t, "1")
	d := ask[portal.Detail](b, "GET", path, nil)
	if d.Status != "New" || d.Provider != "Microsoft XDR" || len(d.Parallel) != 1 || d.Parallel[0].Path != "/incidents/1" || len(d.AlertList) != 1 || len(d.EntityList) != 1 {
		t.Fatalf("the incident: %+v", d)
	}
	seen := d.ETag
	d = ask[portal.Detail](b, "PATCH", path, map[string]any{"etag": seen, "owner": ben.UPN, "tags": []string{"VIP"}})
	if d.Owner == nil || d.Owner.ID != ben.ObjectID || !slices.Equal(d.Tags, []string{"VIP"}) || d.Status != "New" || d.Title == "" {
		t.Errorf("after the change: %+v", d.Row)
	}
	b.refused(409, "conflict", "PATCH", path, map[string]any{"etag": seen, "status": "Active"})
	d = ask[portal.Detail](b, "PATCH", path, map[string]any{"status": "Closed", "classification": "FalsePositive", "reason": "IncorrectAlertLogic", "comment": "noise"})
	if d.Status != "Closed" || d.Classification != "FalsePositive" || d.Reason != "IncorrectAlertLogic" || d.Comment != "noise" || d.Owner == nil {
		t.Errorf("after closing: %+v", d)
	}
	d = ask[portal.Detail](b, "PATCH", path, map[string]any{"status": "Active", "owner": ""})
	if d.Status != "Active" || d.Classification != "" || d.Comment != "" || d.Owner != nil || !slices.Equal(d.Tags, []string{"VIP"}) {
		t.Errorf("reopened and given back: %+v", d)
	}
	d = ask[portal.Detail](b, "POST", path+"/comment", map[string]string{"text": "seen"})
	if len(d.Comments) != 1 || d.Comments[0].Author != ada.UPN {
		t.Errorf("comments: %+v", d.Comments)
	}
}

func TestAlertsOverTheCap(t *testing.T) {
	for _, count := range []int{149, 150, 151} {
		n := newTenant(t, nil)
		var alerts []security.Alert
		for i := range count {
			alerts = append(alerts, alert(fmt.Sprintf("a%d", i), "Same", security.High, host("h1", "")))
		}
		n.ingest(t, alerts...)
		b := open(t, n).as(ada)
		want := fmt.Sprint(count)
		if d := ask[portal.Detail](b, "GET", xdrIncidents+"1", nil); d.AlertsText != want || len(d.AlertList) != count {
			t.Errorf("%d alerts: the XDR shows %s and %d", count, d.AlertsText, len(d.AlertList))
		}
		shown := count
		if count > 150 {
			want, shown = "150+", 150
		}
		if d := ask[portal.Detail](b, "GET", n.twin(t, "1"), nil); d.AlertsText != want || len(d.AlertList) != shown || d.Alerts != count {
			t.Errorf("%d alerts: the workspace shows %s and %d of %d", count, d.AlertsText, len(d.AlertList), d.Alerts)
		}
	}
}

func TestConnectorPage(t *testing.T) {
	n := newTenant(t, nil)
	b := open(t, n).as(ada)
	const path = "/portal/api/workspaces/fabrikam-soc/connector"
	page := ask[portal.ConnectorPage](b, "DELETE", path, nil)
	if page.Connected || len(page.Streams) != 21 || page.Workspace != "fabrikam-soc" || !page.May || len(page.RulesOff) != 0 {
		t.Fatalf("before: %+v", page)
	}
	b.refused(409, "conflict", "PUT", path+"/switches/entities", map[string]bool{"on": true})
	b.refused(409, "conflict", "PUT", path+"/tables/DeviceEvents", map[string]bool{"on": true})
	page = ask[portal.ConnectorPage](b, "PUT", path, map[string]bool{"incidents": true, "turnOffCreationRules": true})
	if !page.Connected || !page.Incidents || page.Entities || len(page.RulesOff) != 1 || page.By != ada.UPN || page.Since == 0 {
		t.Errorf("connected: %+v", page)
	}
	ask[portal.ConnectorPage](b, "PUT", path+"/switches/entities", map[string]bool{"on": true})
	ask[portal.ConnectorPage](b, "PUT", path+"/tables/DeviceEvents", map[string]bool{"on": true})
	page = ask[portal.ConnectorPage](b, "PUT", path+"/tables/EmailEvents", map[string]bool{"on": true})
	on := []string{}
	for _, s := range page.Streams {
		if s.On {
			on = append(on, s.Table)
		}
	}
	if !page.Entities || !slices.Equal(on, []string{"DeviceEvents", "EmailEvents"}) || len(n.streams.grants) != 2 {
		t.Errorf("switched on: %v, entities %t, grants %v", on, page.Entities, n.streams.grants)
	}
	b.refused(404, "notFound", "PUT", path+"/tables/DeviceTvmSoftwareInventory", map[string]bool{"on": true})
	b.refused(404, "notFound", "PUT", path+"/switches/everything", map[string]bool{"on": true})

	n.ingest(t, alert("a1", "First", security.High, host("h1", "")))
	page = ask[portal.ConnectorPage](b, "GET", path, nil)
	if page.Latency.Count != 1 || page.Latency.P99 <= 0 || page.Health[0].LastReceived == 0 {
		t.Errorf("after an incident crossed: %+v", page)
	}
	story := ask[portal.Story](b, "GET", n.twin(t, "1")+"/explain", nil)
	if len(story.Sentences) == 0 {
		t.Error("the connector doesn't tell what it did")
	}
	b.refused(404, "notFound", "GET", "/portal/api/workspaces/fabrikam-soc/incidents/none/explain", nil)

	if page = ask[portal.ConnectorPage](b, "DELETE", path, nil); page.Connected || len(page.RulesOff) != 1 {
		t.Errorf("disconnected: %+v; the rules stay off", page)
	}
	if page := ask[portal.ConnectorPage](b.as(ben), "GET", path, nil); page.May {
		t.Error("ben is offered switches that he may not use")
	}
}

func TestHunting(t *testing.T) {
	b := open(t, newTenant(t, nil)).as(ada)
	r := ask[portal.Result](b, "POST", "/portal/api/query", map[string]string{"side": "workspace", "workspace": "fabrikam-soc", "query": "DeviceEvents", "timespan": "P1D"})
	first := r.Tables[0]
	if len(r.Tables) != 1 || len(first.Rows) != 500 || first.Columns[0].Type != "datetime" || len(r.Notes) != 1 || r.ElapsedMS != 12.4 {
		t.Errorf("%d tables, %d rows of %v, notes %v", len(r.Tables), len(first.Rows), first.Columns, r.Notes)
	}
	// Nothing is lost on the way: a number beyond JavaScript's comes as text, one within as a number.
	want := []any{"2026-01-05T10:00:00.0000000Z", "dev-000.fabrikam.example", "1152921504606846976", map[string]any{"n": 0.0}, "Infinity", nil}
	if diff := cmp.Diff(want, first.Rows[0]); diff != "" {
		t.Error(diff)
	}
	if got := first.Rows[59][2]; got != 2.0 {
		t.Errorf("2 comes as %v", got)
	}
	f := b.refused(400, "invalid", "POST", "/portal/api/query", map[string]string{"side": "xdr", "query": "DeviceEvents\n| Nope"})
	wrong := []portal.Diagnostic{{Start: 15, Length: 4, Line: 2, Column: 3, Code: "KQL", Message: "there is no operator Nope"}}
	if diff := cmp.Diff(wrong, f.Error.Diagnostics); diff != "" {
		t.Error(diff)
	}
	found := ask[struct{ Diagnostics []portal.Diagnostic }](b, "POST", "/portal/api/check", map[string]string{"side": "xdr", "query": "DeviceEvents\n| Nope"})
	if diff := cmp.Diff(wrong, found.Diagnostics); diff != "" {
		t.Error(diff)
	}
	for _, body := range []map[string]string{{"side": "moon", "query": "x"}, {"side": "xdr"}, {"side": "xdr", "query": "x", "timespan": "soon"}} {
		b.refused(400, "invalid", "POST", "/portal/api/query", body)
	}
	tables := ask[[]portal.TableView](b, "GET", "/portal/api/tables?side=xdr", nil)
	if len(tables) < 60 || len(tables[0].Columns) == 0 {
		t.Errorf("%d tables", len(tables))
	}
}
