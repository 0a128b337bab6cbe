package portal_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/portal"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/web"
	"lockstep/workspace"
	"lockstep/xdr"
)

// tenant is a whole small tenant behind the pages: the real two sides over
// the state in memory, and the little that stands for what isn't under test
// here: people with passwords, a copier in place of the connector, canned
// query results.
type tenant struct {
	*portal.Portal
	xdr        *xdr.Service
	workspaces *workspace.Service
	soc        workspace.Workspace
	access     *doorkeeper
	connector  *switchboard
	clock      *clock
}

type clock struct {
	mu  sync.Mutex
	now schema.Ticks
	run bool // moves with the wall clock (stories)
}

func (c *clock) Now() schema.Ticks {
	if c.run {
		return schema.At(time.Now())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += schema.Millisecond
	return c.now
}

func (c *clock) pass(d schema.Ticks) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += d
}

var (
	ada  = security.Owner{ObjectID: "aaaaaaaa-0000-4000-8000-000000000001", UPN: "ada@fabrikam.example", Email: "ada@fabrikam.example", AssignedTo: "Ada Lindqvist", Type: "User"}
	ben  = security.Owner{ObjectID: "aaaaaaaa-0000-4000-8000-000000000002", UPN: "ben@fabrikam.example", Email: "ben@fabrikam.example", AssignedTo: "Ben Okafor", Type: "User"}
	rita = security.Owner{ObjectID: "aaaaaaaa-0000-4000-8000-000000000003", UPN: "rita@fabrikam.example", AssignedTo: "Rita Reader", Type: "User"}
)

const password = "correct horse battery staple"

// doorkeeper knows ada (everything), ben (everything but the connector) and
// rita (reads the XDR side alone).
type doorkeeper struct{ tries int }

func (d *doorkeeper) SignIn(_ context.Context, user, pass string) (security.Owner, error) {
	d.tries++
	for _, o := range []security.Owner{ada, ben, rita} {
		if strings.EqualFold(o.UPN, user) && pass == password {
			return o, nil
		}
	}
	return security.Owner{}, fault.New(fault.Denied, "user name or password is wrong")
}

func (d *doorkeeper) Authorize(_ context.Context, o security.Owner, action portal.Action, scope string) error {
	switch {
	case o == ada:
		return nil
	case o == ben && action != portal.ConnectorWrite:
		return nil
	case o == rita && scope == "" && action == portal.IncidentsRead:
		return nil
	}
	return fault.New(fault.Denied, "%s may not %s here", o.AssignedTo, action)
}

func (d *doorkeeper) People(context.Context) ([]security.Owner, error) {
	return []security.Owner{ada, ben, rita}, nil
}

func (d *doorkeeper) Resolve(text string) (security.Owner, bool) {
	for _, o := range []security.Owner{ada, ben, rita} {
		if strings.EqualFold(text, o.UPN) || strings.EqualFold(text, o.ObjectID) || strings.EqualFold(text, o.AssignedTo) {
			return o, true
		}
	}
	return security.Owner{}, false
}

// switchboard remembers what the connector's page switches.
type switchboard struct {
	mu      sync.Mutex
	status  portal.ConnectorStatus
	actions []string
	now     func() schema.Ticks
}

func (s *switchboard) note(by security.Actor, format string, args ...any) {
	s.actions = append(s.actions, by.Name+" "+fmt.Sprintf(format, args...))
}

func (s *switchboard) Status(context.Context, string) (portal.ConnectorStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status, nil
}

func (s *switchboard) Connect(_ context.Context, _ string, c portal.ConnectorSettings, by security.Actor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(by, "connects %v", c.Tables)
	s.status.Connected, s.status.Since, s.status.By = true, s.now(), by.Name
	s.status.Incidents, s.status.Entities, s.status.Tables = c.Incidents, c.Entities, c.Tables
	if c.TurnOffCreationRules {
		s.status.Rules = []portal.RuleOff{{Name: "Create incidents based on Microsoft Defender for Endpoint", Product: "Microsoft Defender for Endpoint", At: s.now(), By: by.Name}}
	}
	return nil
}

func (s *switchboard) Disconnect(_ context.Context, _ string, by security.Actor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(by, "disconnects")
	s.status = portal.ConnectorStatus{Rules: s.status.Rules}
	return nil
}

func (s *switchboard) SetSwitch(_ context.Context, _, name string, on bool, by security.Actor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(by, "%s=%t", name, on)
	if name == portal.SwitchIncidents {
		s.status.Incidents = on
	} else {
		s.status.Entities = on
	}
	return nil
}

func (s *switchboard) SetStream(_ context.Context, _, table string, on bool, by security.Actor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(by, "%s=%t", table, on)
	kept := []string{}
	for _, t := range s.status.Tables {
		if t != table {
			kept = append(kept, t)
		}
	}
	if on {
		kept = append(kept, table)
	}
	s.status.Tables = kept
	return nil
}

func (s *switchboard) Explain(context.Context, string, string) ([]portal.StoryLine, error) {
	return []portal.StoryLine{{At: s.now(), Side: "workspace", Deed: "created", Reason: "the XDR incident has no parallel one yet"}}, nil
}

// oracle answers queries: one that names no table it knows is wrong.
type oracle struct{}

func (oracle) Run(_ context.Context, q portal.Query) (portal.Result, error) {
	if i := strings.Index(q.Text, "Nope"); i >= 0 {
		line := strings.Count(q.Text[:i], "\n") + 1
		return portal.Result{}, &portal.QueryError{
			Diagnostics: []portal.Diagnostic{{Start: i, Length: 4, Line: line, Column: i - strings.LastIndex(q.Text[:i], "\n"), Severity: "error", Message: "there is no table Nope; did you mean NetworkEvents?"}},
			Err:         fault.New(fault.Invalid, "there is no table Nope"),
		}
	}
	out := portal.Result{Columns: []portal.ResultColumn{{Name: "Timestamp", Type: "datetime"}, {Name: "DeviceName", Type: "string"}, {Name: "count_", Type: "long"}, {Name: "Extra", Type: "dynamic"}}, ElapsedMS: 12.4}
	for i := range 500 {
		out.Rows = append(out.Rows, []any{"2026-01-05T10:00:00Z", fmt.Sprintf("dev-%03d.fabrikam.example", i), 500 - i, map[string]any{"side": q.Side, "n": i}})
	}
	return out, nil
}

func (oracle) Check(context.Context, portal.Query) ([]portal.Diagnostic, error) { return nil, nil }

// newTenant makes the tenant with no incidents in it.
func newTenant(t testing.TB, change func(*portal.Options)) *tenant {
	t.Helper()
	ctx := context.Background()
	store := memory.New()
	n := &tenant{access: &doorkeeper{}, clock: &clock{now: schema.At(time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC))}}
	n.clock.run = *story != ""
	ids, mu := 0, sync.Mutex{}
	newID := func() string {
		mu.Lock()
		defer mu.Unlock()
		ids++
		return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids)
	}
	var err error
	seen, heard := int64(0), sync.Mutex{}
	n.xdr, err = xdr.New(xdr.Options{Store: store, Now: n.clock.Now, Directory: n.access, PortalURL: "https://localhost:8443", TenantID: "t", Changed: func() {
		heard.Lock()
		defer heard.Unlock()
		changes, err := n.xdr.Feed(ctx, seen, 1000)
		if err != nil || n.Portal == nil {
			return
		}
		for _, c := range changes {
			seen = c.Seq
			n.Notify(portal.Hint{Side: schema.XDR, Kind: c.Record.Kind, ID: c.Record.Incident, Version: c.Record.Version})
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if n.workspaces, err = workspace.New(workspace.Options{Store: store, Now: n.clock.Now, NewID: newID, Directory: n.access, PortalURL: "https://localhost:8443"}); err != nil {
		t.Fatal(err)
	}
	n.soc, err = n.workspaces.Create(ctx, workspace.Workspace{Name: "fabrikam-soc", SubscriptionID: "11111111-1111-4111-8111-111111111111", ResourceGroup: "soc", Primary: true})
	if err != nil {
		t.Fatal(err)
	}
	n.connector = &switchboard{now: n.clock.Now}
	o := portal.Options{XDR: n.xdr, Workspaces: n.workspaces, Connector: n.connector, Queries: oracle{}, People: n.access, Access: n.access,
		Tenant: "Fabrikam", Dist: fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>Lockstep</title>")}}, Now: n.clock.Now, NewID: newID}
	if change != nil {
		change(&o)
	}
	if n.Portal, err = portal.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// ingest takes alerts in and copies every incident to the workspace.
func (n *tenant) ingest(t testing.TB, alerts ...security.Alert) []xdr.Outcome {
	t.Helper()
	for i := range alerts {
		alerts[i].Complete()
	}
	out, err := n.xdr.Ingest(context.Background(), alerts)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		if o.Incident == "" {
			t.Fatalf("alert %s: %s", o.AlertID, o.Reason)
		}
	}
	n.mirror(t)
	return out
}

// mirror stands in for the connector: it copies content and resolution to the workspace.
func (n *tenant) mirror(t testing.TB) {
	t.Helper()
	ctx := context.Background()
	from, to := n.xdr.End(), n.workspaces.End(n.soc.ID)
	ids, err := from.IDs(ctx, "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		i, err := from.Incident(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		w := port.Write{ID: fmt.Sprintf("%s/%d", id, i.Version), Incident: security.DerivedID("story", id), Create: true, Partner: id,
			Actor: i.Content.LastModifier, At: n.clock.Now(), Owner: &i.Owner, Content: &i.Content}
		if i.Content.Redirect != "" {
			w.Resolution = &port.Resolution{Status: "Closed", Classification: "Undetermined"}
		}
		if _, err := to.Apply(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
}

func alert(id, title string, severity security.Severity, evidence ...security.Evidence) security.Alert {
	at := schema.At(time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC))
	return security.Alert{ID: id, ProviderID: id, Title: title, Description: "What was seen: " + title, Severity: severity, ServiceSource: "microsoftDefenderForEndpoint",
		Category: "Execution", Tactics: []string{"Execution"}, Techniques: []string{"T1059"}, Status: security.AlertNew,
		Created: at, Updated: at, FirstActivity: at, LastActivity: at + schema.Minute, Evidence: evidence}
}

func host(name, verdict string) security.Evidence {
	return security.Evidence{Entity: security.Entity{Kind: security.Host}.With("hostName", name).With("dnsDomain", "fabrikam.example"), Verdict: verdict}
}

// story serves the tenant for a browser: go test ./portal -run TestStory -story 127.0.0.1:8090
var story = flag.String("story", "", "address on which TestStory serves a sample tenant until it is stopped")

func TestStory(t *testing.T) {
	if *story == "" {
		t.Skip("-story ADDRESS serves a sample tenant for looking at the pages")
	}
	n := newTenant(t, func(o *portal.Options) { o.Dist = web.Dist() })
	n.sample(t)
	t.Logf("http://%s: sign in as %s with %q", *story, ada.UPN, password)
	t.Fatal(http.ListenAndServe(*story, n))
}
