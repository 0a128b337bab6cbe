package workspace_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/workspace"
)

var (
	ctx    = context.Background()
	start  = must(schema.ParseTicks("2026-01-05T10:00:00Z"))
	ann    = security.Actor{Kind: security.Person, Name: "ann@contoso.com"}
	bot    = security.Actor{Kind: security.Automation, Name: "playbook"}
	engine = security.Actor{Kind: security.System, Name: "XDR"}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// directory knows two people.
type directory map[string]security.Owner

func (d directory) Resolve(text string) (security.Owner, bool) {
	o, ok := d[strings.ToLower(text)]
	return o, ok
}

var (
	bob = security.Owner{ObjectID: "0b0b", UPN: "bob@contoso.com", Email: "bob@contoso.com", AssignedTo: "Bob Box", Type: "User"}
)

// fixture is a service with one workspace and a clock that stands.
type fixture struct {
	*workspace.Service
	t     *testing.T
	now   schema.Ticks
	ids   int
	woken int
	ws    workspace.Workspace
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, now: start}
	s, err := workspace.New(workspace.Options{
		Store: memory.New(), Now: func() schema.Ticks { return f.now },
		NewID:     func() string { f.ids++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", f.ids) },
		Directory: directory{"bob@contoso.com": bob, "0b0b": bob, "bob box": bob},
		PortalURL: "https://localhost:8443/", Changed: func() { f.woken++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Service = s
	f.ws = f.create("soc1", true)
	return f
}

func (f *fixture) create(name string, primary bool) workspace.Workspace {
	f.t.Helper()
	w, err := f.Create(ctx, workspace.Workspace{Name: name, SubscriptionID: "7e838342-601f-4552-9baf-0dfb300cf555", ResourceGroup: "rg", Primary: primary})
	if err != nil {
		f.t.Fatal(err)
	}
	return w
}

const native = "11111111-1111-4111-8111-111111111111"

func put() workspace.Put {
	return workspace.Put{Title: "Odd sign-in", Severity: security.Medium, Status: workspace.StatusNew}
}

func (f *fixture) put(name string, p workspace.Put) workspace.Incident {
	f.t.Helper()
	i, _, err := f.Put(ctx, f.ws.ID, name, p, ann, "")
	if err != nil {
		f.t.Fatal(err)
	}
	return i
}

func (f *fixture) deeds(name string) (deeds []string) {
	f.t.Helper()
	log, err := f.Activities(ctx, f.ws.ID, name)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, a := range log {
		deeds = append(deeds, fmt.Sprintf("%d %s", a.Version, a.Deed))
	}
	return deeds
}

func TestWorkspacesAreFoundAndKeptApart(t *testing.T) {
	f := newFixture(t)
	second := f.create("second", false)
	for _, key := range []string{second.ID, strings.ToUpper(second.ID), "SECOND"} {
		if got := must(f.Workspace(ctx, key)); got.ID != second.ID {
			t.Errorf("Workspace(%q) is %v", key, got)
		}
	}
	if got := must(f.ByPath(ctx, strings.ToUpper(second.SubscriptionID), "RG", "Second")); got.ID != second.ID {
		t.Errorf("ByPath gives %v", got)
	}
	if again := f.create("second", false); again.ID != second.ID {
		t.Errorf("making it again gives another one: %v", again)
	}
	if second.RetentionDays != 90 {
		t.Errorf("retention %d, want 90", second.RetentionDays)
	}
	_, err := f.Create(ctx, workspace.Workspace{Name: "third", SubscriptionID: second.SubscriptionID, ResourceGroup: "rg", Primary: true})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a second primary: %v", err)
	}
	first := f.put(native, put())
	if _, err := f.Incident(ctx, second.ID, native); !fault.Is(err, fault.NotFound) {
		t.Errorf("incident of another workspace: %v", err)
	}
	i, _, err := f.Put(ctx, second.ID, native, put(), ann, "")
	if err != nil || i.Number != 1 || first.Number != 1 {
		t.Errorf("numbers aren't counted by workspace: %d, %d, %v", first.Number, i.Number, err)
	}
}

func TestEveryEditIsOneVersionOneFeedEntryOneRow(t *testing.T) {
	f := newFixture(t)
	p := put()
	labels, owner := []string{"vip", "EMEA"}, security.Owner{UPN: "bob@contoso.com"}
	steps := []struct {
		name  string
		do    func()
		deeds []string
	}{
		{"made", func() { f.put(native, p) }, []string{"created"}},
		{"repeated", func() { f.put(native, p) }, nil},
		{"owner, labels, severity, status at once", func() {
			p.Owner, p.Labels, p.Severity, p.Status = &owner, &labels, security.High, workspace.StatusActive
			f.put(native, p)
		}, []string{"severityChanged", "statusChanged", "assigned", "labelAdded"}},
		{"owner and labels not stated stay", func() { p.Owner, p.Labels = nil, nil; f.put(native, p) }, nil},
		{"closed", func() {
			p.Status, p.Classification, p.ClassificationReason, p.ClassificationComment = workspace.StatusClosed, "BenignPositive", "SuspiciousButExpected", "pen test"
			f.put(native, p)
		}, []string{"closed"}},
		{"reopened, reason still stated", func() { p.Status = workspace.StatusActive; f.put(native, p) }, []string{"reopened"}},
		{"comment", func() { must(f.AddComment(ctx, f.ws.ID, native, "", "hello", ann)) }, []string{"commentAdded"}},
		{"title", func() { p.Title = "Odder sign-in"; f.put(native, p) }, []string{"titleChanged"}},
		{"unassigned", func() { p.Owner = &security.Owner{}; f.put(native, p) }, []string{"unassigned"}},
	}
	var version int64
	var want []string
	for _, step := range steps {
		f.now += schema.Second
		woken := f.woken
		step.do()
		if len(step.deeds) > 0 {
			version++
		}
		for _, d := range step.deeds {
			want = append(want, fmt.Sprintf("%d %s", version, d))
		}
		i := must(f.Incident(ctx, f.ws.ID, native))
		if i.Version != version || (f.woken > woken) != (len(step.deeds) > 0) {
			t.Errorf("%s: version %d, want %d; woken %d times", step.name, i.Version, version, f.woken-woken)
		}
		if step.name == "owner and labels not stated stay" && (i.Owner != bob || len(i.Labels) != 2) {
			t.Errorf("%s: %v %v", step.name, i.Owner, i.Labels)
		}
		if strings.HasPrefix(step.name, "reopened") && (i.Classification+i.ClassificationReason+i.ClassificationComment != "" || i.ClosedAt != 0) {
			t.Errorf("%s: still carries a closing reason: %+v", step.name, i)
		}
	}
	if diff := cmp.Diff(want, f.deeds(native)); diff != "" {
		t.Errorf("activity log (-want +got):\n%s", diff)
	}
	rows, next, err := f.History(ctx, 0, 100)
	if err != nil || len(rows) != int(version) || next != version {
		t.Fatalf("history has %d rows up to %d, want %d; %v", len(rows), next, version, err)
	}
	for k, row := range rows {
		if row.Version != int64(k+1) || k > 0 && row.Incident.Modified <= rows[k-1].Incident.Modified || len(row.Comments) != row.Incident.CommentCount {
			t.Errorf("row %d: version %d at %s with %d comments", k, row.Version, row.Incident.Modified, len(row.Comments))
		}
	}
}

func TestModifiedTimeRisesThoughTheClockStands(t *testing.T) {
	f := newFixture(t)
	a := f.put(native, put())
	p := put()
	p.Severity = security.High
	if b := f.put(native, p); b.Modified <= a.Modified || b.ETag == a.ETag {
		t.Errorf("%s %s, then %s %s", a.Modified, a.ETag, b.Modified, b.ETag)
	}
}

func TestAStaleETagIsAConflict(t *testing.T) {
	f := newFixture(t)
	first := f.put(native, put())
	p := put()
	p.Severity = security.High
	second, _, err := f.Put(ctx, f.ws.ID, native, p, ann, first.ETag)
	if err != nil {
		t.Fatal(err)
	}
	p.Severity = security.Low
	for etag, kind := range map[string]fault.Kind{first.ETag: fault.Conflict, `"x"`: fault.Conflict, second.ETag: "", "*": "", "": ""} {
		if kind == "" {
			continue
		}
		if _, _, err := f.Put(ctx, f.ws.ID, native, p, ann, etag); fault.KindOf(err) != kind {
			t.Errorf("etag %s: %v", etag, err)
		}
	}
	if _, _, err := f.Put(ctx, f.ws.ID, native, p, ann, "*"); err != nil {
		t.Error(err)
	}
	if _, _, err := f.Put(ctx, f.ws.ID, "22222222-2222-4222-8222-222222222222", p, ann, second.ETag); !fault.Is(err, fault.Conflict) {
		t.Errorf("etag of an incident that isn't there: %v", err)
	}
}

func TestClosingTakesOnlyValidReasons(t *testing.T) {
	classifications := []string{"", "Undetermined", "TruePositive", "BenignPositive", "FalsePositive", "truePositive", "Maybe"}
	reasons := []string{"", "SuspiciousActivity", "SuspiciousButExpected", "IncorrectAlertLogic", "InaccurateData", "Odd"}
	valid := map[string]bool{
		"Undetermined/": true, "TruePositive/SuspiciousActivity": true, "BenignPositive/SuspiciousButExpected": true,
		"FalsePositive/IncorrectAlertLogic": true, "FalsePositive/InaccurateData": true,
	}
	f := newFixture(t)
	for _, c := range classifications {
		for _, r := range reasons {
			p := put()
			p.Status, p.Classification, p.ClassificationReason = workspace.StatusClosed, c, r
			_, _, err := f.Put(ctx, f.ws.ID, native, p, ann, "")
			if valid[c+"/"+r] != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("close with %q/%q: %v", c, r, err)
			}
		}
	}
}

func TestLimitsAreRefusedByName(t *testing.T) {
	f := newFixture(t)
	long := func(n int) string { return strings.Repeat("ä", n) }
	labels := func(n int) *[]string {
		l := make([]string, n)
		for i := range l {
			l[i] = fmt.Sprint("l", i)
		}
		return &l
	}
	for _, c := range []struct {
		field  string
		change func(*workspace.Put)
	}{
		{"", func(p *workspace.Put) { p.Description = long(5000) }},
		{"description", func(p *workspace.Put) { p.Description = long(5001) }},
		{"title", func(p *workspace.Put) { p.Title = " " }},
		{"title", func(p *workspace.Put) { p.Title = long(501) }},
		{"severity", func(p *workspace.Put) { p.Severity = "" }},
		{"severity", func(p *workspace.Put) { p.Severity = "unknown" }},
		{"status", func(p *workspace.Put) { p.Status = "" }},
		{"status", func(p *workspace.Put) { p.Status = "Resolved" }},
		{"labels", func(p *workspace.Put) { p.Labels = &[]string{"a", " "} }},
		{"labels", func(p *workspace.Put) { p.Labels = labels(101) }},
		{"", func(p *workspace.Put) { p.Labels = labels(100) }},
		{"firstActivityTimeUtc", func(p *workspace.Put) { p.FirstActivity, p.LastActivity = 2, 1 }},
	} {
		p := put()
		c.change(&p)
		_, _, err := f.Put(ctx, f.ws.ID, native, p, ann, "")
		if c.field == "" && err != nil || c.field != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.field)) {
			t.Errorf("want a complaint about %q, got %v", c.field, err)
		}
	}
	if _, _, err := f.Put(ctx, f.ws.ID, "../etc", put(), ann, ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("hostile name: %v", err)
	}
}

func TestComments(t *testing.T) {
	f := newFixture(t)
	f.put(native, put())
	const id = "33333333-3333-4333-8333-333333333333"
	for k := range 2 {
		if _, err := f.AddComment(ctx, f.ws.ID, native, id, "first", ann); err != nil {
			t.Fatalf("time %d: %v", k, err)
		}
	}
	if _, err := f.AddComment(ctx, f.ws.ID, native, id, "changed", ann); !fault.Is(err, fault.Conflict) {
		t.Errorf("another text: %v", err)
	}
	for _, text := range []string{"", "  ", strings.Repeat("x", 30001)} {
		if _, err := f.AddComment(ctx, f.ws.ID, native, "", text, ann); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d characters: %v", len(text), err)
		}
	}
	for k := 1; k < 100; k++ {
		must(f.AddComment(ctx, f.ws.ID, native, "", strings.Repeat("ö", 10), ann))
	}
	if _, err := f.AddComment(ctx, f.ws.ID, native, "", "one too many", ann); !fault.Is(err, fault.Invalid) {
		t.Errorf("comment 101: %v", err)
	}
	if err := f.DeleteComment(ctx, f.ws.ID, native, id, ann); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Comment(ctx, f.ws.ID, native, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("deleted comment: %v", err)
	}
	if i := must(f.Incident(ctx, f.ws.ID, native)); i.CommentCount != 99 || i.Version != 102 {
		t.Errorf("%d comments, version %d", i.CommentCount, i.Version)
	}
}

func TestListsPageAndSort(t *testing.T) {
	f := newFixture(t)
	for k := 1; k <= 7; k++ {
		p := put()
		p.Title = fmt.Sprint("t", (k*3)%7)
		f.put(fmt.Sprintf("44444444-4444-4444-8444-%012d", k), p)
	}
	var seen []int64
	before := int64(0)
	for {
		page := must(f.Incidents(ctx, f.ws.ID, workspace.Selection{Limit: 3, Before: before, Count: true}))
		if page.Total != 7 {
			t.Errorf("total %d", page.Total)
		}
		for _, i := range page.Items {
			seen = append(seen, i.Number)
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	if diff := cmp.Diff([]int64{7, 6, 5, 4, 3, 2, 1}, seen); diff != "" {
		t.Error(diff)
	}
	page := must(f.Incidents(ctx, f.ws.ID, workspace.Selection{
		Less: func(a, b workspace.Incident) bool { return a.Title < b.Title }, Limit: 2, Skip: 1,
		Match: func(i workspace.Incident) bool { return i.Title != "t0" },
	}))
	if len(page.Items) != 2 || page.Items[0].Title != "t2" || page.Next != 3 || page.Total != -1 {
		t.Errorf("%+v", page)
	}
}

// alertsUpTo makes n alerts, each with a host of its own and one address in common.
func alertsUpTo(n int) []security.Alert {
	var all []security.Alert
	for k := range n {
		all = append(all, security.Alert{
			ID: fmt.Sprintf("da%d", k), Version: 1, IncidentID: "29", Title: "x", Severity: security.High,
			Created: start - schema.Ticks(k)*schema.Second,
			Evidence: []security.Evidence{
				{Entity: security.Entity{Kind: security.Host, Fields: map[string]string{"hostName": fmt.Sprint("h", k), "dnsDomain": "contoso.com"}}},
				{Entity: security.Entity{Kind: security.IP, Fields: map[string]string{"address": "203.0.113.7"}}},
			},
		})
	}
	return all
}

const mirrored = "55555555-5555-4555-8555-555555555555"

func creation(n int) port.Write {
	return port.Write{
		ID: "w1", Incident: mirrored, Create: true, Partner: "29", Actor: engine,
		Content: &port.Content{Title: "Multi-stage incident", Severity: security.High, URL: "https://localhost:8443/incidents/29",
			Created: start - schema.Hour, Alerts: alertsUpTo(n), SystemTags: []string{"Ransomware"}, LastModifier: engine},
	}
}

func (f *fixture) apply(w port.Write) port.Applied {
	f.t.Helper()
	a, err := f.End(f.ws.ID).Apply(ctx, w)
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

// Writes that come together are made together, each as it would be alone, or
// none of them is: the connector then sends them one by one.
func TestWritesAreMadeTogetherOrNotAtAll(t *testing.T) {
	f := newFixture(t)
	end := f.End(f.ws.ID).(interface {
		ApplyAll(context.Context, []port.Write) ([]port.Applied, error)
	})
	one, two := creation(1), creation(2)
	two.ID, two.Incident, two.Partner = "w2", "3c9c0ba4-2a2f-4d33-9d3f-0c6cd5d0a5a1", "30"
	wrong := creation(1)
	wrong.ID, wrong.Incident, wrong.Partner = "w3", "77e60dd1-7e5c-4b0d-8f39-2d8a3f6b3b21", one.Partner // that has its incident
	if _, err := end.ApplyAll(ctx, []port.Write{one, two, wrong}); !fault.Is(err, fault.Conflict) {
		t.Errorf("two incidents for one of the XDR: %v", err)
	}
	if _, err := f.Incident(ctx, f.ws.ID, mirrored); !fault.Is(err, fault.NotFound) {
		t.Errorf("part of the writes was made: %v", err)
	}
	first := must(end.ApplyAll(ctx, []port.Write{one, two}))
	again := must(end.ApplyAll(ctx, []port.Write{two, one}))
	if d := cmp.Diff([]port.Applied{first[1], first[0]}, again); d != "" || first[0] != f.apply(one) {
		t.Errorf("sent again (-first +again):\n%s", d)
	}
	for n, w := range []port.Write{one, two} {
		if i := must(f.Incident(ctx, f.ws.ID, w.Incident)); i.Number != int64(n+1) || i.ProviderIncidentID != w.Partner || i.Version != 1 {
			t.Errorf("write %s made %+v", w.ID, i)
		}
	}
}

func TestAWriteIsMadeOnce(t *testing.T) {
	f := newFixture(t)
	end := f.End(f.ws.ID)
	first := f.apply(creation(1))
	if again := f.apply(creation(1)); again != first || first.Version != 1 {
		t.Errorf("%+v, then %+v", first, again)
	}
	if a, ok, err := end.Applied(ctx, "w1"); !ok || a != first || err != nil {
		t.Errorf("Applied: %v %v %v", a, ok, err)
	}
	if _, ok, _ := end.Applied(ctx, "w2"); ok {
		t.Error("w2 was never applied")
	}
	sev := security.Low
	w := port.Write{ID: "w2", Incident: mirrored, IfVersion: 7, Severity: &sev}
	if _, err := end.Apply(ctx, w); !fault.Is(err, fault.Conflict) {
		t.Errorf("stale version: %v", err)
	}
	if _, ok, _ := end.Applied(ctx, "w2"); ok {
		t.Error("w2 was refused")
	}
	w.IfVersion = 1
	if a := f.apply(w); a.Version != 2 {
		t.Errorf("version %d", a.Version)
	}
	i := must(f.ByProvider(ctx, f.ws.ID, "29"))
	if i.Name != mirrored || i.Number != 1 || i.ProviderName != "Microsoft XDR" || i.Created != start-schema.Hour || i.Severity != security.Low {
		t.Errorf("%+v", i)
	}
}

func TestTheViewOfAlertsIsCappedAndSaysSo(t *testing.T) {
	for _, n := range []int{0, 149, 150, 151, 400} {
		f := newFixture(t)
		f.apply(creation(n))
		i := must(f.Incident(ctx, f.ws.ID, mirrored))
		linked := must(f.Alerts(ctx, f.ws.ID, mirrored))
		entities := must(f.Entities(ctx, f.ws.ID, mirrored))
		want := n + 1
		if n == 0 {
			want = 0
		}
		if i.AlertTotal != n || len(linked) != min(n, 150) || len(i.AlertIDs) != len(linked) || len(entities) != want || i.EntityCount != want {
			t.Errorf("%d alerts: total %d, %d linked, %d entities", n, i.AlertTotal, len(linked), len(entities))
		}
		if n == 400 && linked[0].ID != "da399" {
			t.Errorf("the first one linked is %s, not the earliest", linked[0].ID)
		}
	}
}

func TestAnAlertsChangeAloneMakesNoVersionOfTheIncident(t *testing.T) {
	f := newFixture(t)
	w := creation(2)
	f.apply(w)
	w.ID, w.Content.Alerts[0].Version, w.Content.Alerts[0].Status = "w2", 2, security.AlertResolved
	if a := f.apply(w); a.Version != 1 {
		t.Errorf("version %d", a.Version)
	}
	rows, _, _ := f.History(ctx, 0, 100)
	var got []string
	for _, r := range rows {
		if r.Alert != nil {
			got = append(got, fmt.Sprintf("%s %d", r.Alert.ID, r.Version))
		} else {
			got = append(got, fmt.Sprintf("incident %d", r.Version))
		}
	}
	if diff := cmp.Diff([]string{"da0 1", "da1 1", "incident 1", "da0 2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheXDROwnsIsAcceptedAndNotStored(t *testing.T) {
	f := newFixture(t)
	f.apply(creation(1))
	p := put()
	labels := []string{"Ransomware", "mine"}
	p.Title, p.Severity, p.Status, p.Labels = "My title", security.High, workspace.StatusActive, &labels
	i := f.put(mirrored, p)
	if i.Title != "Multi-stage incident" || i.Status != workspace.StatusActive || i.Version != 2 {
		t.Errorf("%+v", i)
	}
	if diff := cmp.Diff([]workspace.Label{{Name: "Ransomware", Type: "AutoAssigned"}, {Name: "mine", Type: "User"}}, i.Labels); diff != "" {
		t.Error(diff)
	}
	f.put(mirrored, p)
	if diff := cmp.Diff([]string{"1 created", "2 notStored", "2 statusChanged", "2 labelAdded", "2 notStored"}, f.deeds(mirrored)); diff != "" {
		t.Error(diff)
	}
	if err := f.Delete(ctx, f.ws.ID, mirrored, ann); !fault.Is(err, fault.Conflict) {
		t.Errorf("delete: %v", err)
	}
}

func TestMergedIncidentIsClosedLabelledAndLinked(t *testing.T) {
	f := newFixture(t)
	f.apply(creation(1))
	source := creation(0)
	source.ID, source.Incident, source.Partner = "w2", "66666666-6666-4666-8666-666666666666", "30"
	f.apply(source)
	source.ID, source.Content.Redirect = "w3", "29"
	source.Resolution = &port.Resolution{Status: "Closed", Classification: "Undetermined", Comment: "Merged into 29."}
	f.apply(source)
	i := must(f.Incident(ctx, f.ws.ID, source.Incident))
	if i.Status != workspace.StatusClosed || i.MergedNumber != 1 || i.MergedURL != "https://localhost:8443/workspaces/soc1/incidents/"+mirrored ||
		i.Labels[len(i.Labels)-1] != (workspace.Label{Name: "Redirected", Type: "AutoAssigned"}) || i.Version != 2 {
		t.Errorf("%+v", i)
	}
	if _, _, err := f.Put(ctx, f.ws.ID, source.Incident, put(), ann, ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("opening a merged incident: %v", err)
	}
	source.ID, source.Content.Redirect, source.Resolution = "w4", "", &port.Resolution{Status: "New"}
	f.apply(source)
	i = must(f.Incident(ctx, f.ws.ID, source.Incident))
	if i.Status != workspace.StatusNew || i.MergedNumber != 0 || i.MergedURL != "" || len(i.Labels) != 1 {
		t.Errorf("after parting: %+v", i)
	}
}

func TestTheConnectorSeesOnlyWhatCameFromTheXDR(t *testing.T) {
	f := newFixture(t)
	f.put(native, put())
	f.apply(creation(1))
	end := f.End(f.ws.ID)
	if ids := must(end.IDs(ctx, "", 10)); !cmp.Equal(ids, []string{mirrored}) {
		t.Errorf("ids %v", ids)
	}
	if ids := must(end.IDs(ctx, mirrored, 10)); len(ids) != 0 {
		t.Errorf("ids after the last: %v", ids)
	}
	if _, err := end.Incident(ctx, native); !fault.Is(err, fault.NotFound) {
		t.Errorf("native incident: %v", err)
	}
	var hints []string
	for _, h := range must(end.Changes(ctx, 0, 10)) {
		hints = append(hints, fmt.Sprint(h.Seq, h.Incident))
	}
	if diff := cmp.Diff([]string{"1", "2", "3" + mirrored}, hints); diff != "" {
		t.Error(diff)
	}
}

func TestStampsTellWhoAndWhen(t *testing.T) {
	f := newFixture(t)
	w := creation(1)
	w.At, w.Owner = start+schema.Hour, &security.Owner{UPN: "bob@contoso.com"} // in the future: not believed
	w.AddTags, w.Stamps = []string{"t"}, map[port.Field]port.Stamp{port.FieldTags: {Actor: bot, At: start - schema.Hour}}
	w.Notes = []string{"Status New by ann gave way."}
	f.apply(w)
	i := must(f.End(f.ws.ID).Incident(ctx, mirrored))
	want := map[port.Field]port.Stamp{port.FieldOwner: {Actor: engine, At: start}, port.FieldTags: {Actor: bot, At: start - schema.Hour}}
	if diff := cmp.Diff(want, i.Stamps); diff != "" {
		t.Error(diff)
	}
	if i.Owner != bob || i.Partner != "29" || !cmp.Equal(i.Tags, []string{"t"}) {
		t.Errorf("%+v", i)
	}
	if !strings.Contains(strings.Join(f.deeds(mirrored), ","), "superseded") {
		t.Error("the note is missing from the activity log")
	}
}
