package portal_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"lockstep/connector"
	"lockstep/fault"
	"lockstep/portal"
	"lockstep/query"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/tables"
	"lockstep/web"
	"lockstep/workspace"
	"lockstep/xdr"
)

// tenant is a whole small tenant behind the pages: the real two sides and
// connector over the state in memory, and the little that stands for what isn't under test
// here: people with passwords, streams without rows, canned query results.
type tenant struct {
	*portal.Portal
	xdr        *xdr.Service
	workspaces *workspace.Service
	soc        workspace.Workspace
	access     *doorkeeper
	connector  *connector.Service
	streams    *switched
	clock      *clock

	heard                   sync.Mutex
	seenXDR, seenWorkspaces int64
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

func (d *doorkeeper) Allowed(o security.Owner, action portal.Action, scope string) bool {
	return d.Authorize(context.Background(), o, action, scope) == nil
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

// switched stands for the tables' engine: it remembers which streams are on.
type switched struct {
	mu     sync.Mutex
	grants []tables.Grant
	rows   map[string]tables.Stat
}

func (s *switched) SetGrant(_ context.Context, ws, table string, on bool, now schema.Ticks) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, g := range s.grants {
		if g.Workspace == ws && g.Table == table && g.Until == 0 {
			if !on {
				s.grants[i].Until = now
			}
			return nil
		}
	}
	if on {
		s.grants = append(s.grants, tables.Grant{Workspace: ws, Table: table, Since: now})
	}
	return nil
}

func (s *switched) Grants(context.Context, string) ([]tables.Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]tables.Grant(nil), s.grants...), nil
}

func (s *switched) Stats(context.Context, tables.View) ([]tables.Stat, error) {
	var out []tables.Stat
	for _, stat := range s.rows {
		out = append(out, stat)
	}
	return out, nil
}

// ruleBook has one creation rule, on until it is turned off.
type ruleBook struct{ off bool }

func (r *ruleBook) TurnOff(context.Context, string, security.Actor) ([]string, error) {
	if r.off {
		return nil, nil
	}
	r.off = true
	return []string{"Create incidents based on Microsoft Defender for Endpoint alerts"}, nil
}

// oracle answers every query alike, except one with Nope in it, which is wrong there.
type oracle struct{}

func (oracle) Run(_ context.Context, q query.Query) (*query.Result, error) {
	if i := strings.Index(q.Text, "Nope"); i >= 0 {
		line := strings.Count(q.Text[:i], "\n") + 1
		return nil, &query.SyntaxError{Diagnostics: []query.Diagnostic{{Start: i, End: i + 4, Line: line, Col: i - strings.LastIndex(q.Text[:i], "\n"), Code: "KQL", Message: "there is no operator Nope"}}}
	}
	columns := []schema.Column{{Name: "Timestamp", Type: schema.DateTime}, {Name: "DeviceName", Type: schema.String}, {Name: "count_", Type: schema.Long},
		{Name: "Extra", Type: schema.Dynamic}, {Name: "Share", Type: schema.Real}, {Name: "Took", Type: schema.TimeSpan}}
	b := rows.New(schema.NewTable("result", q.Side, columns), 500)
	for i := range 500 {
		b.Columns[0].AppendInt(int64(schema.At(time.Date(2026, 1, 5, 10, 0, i, 0, time.UTC))))
		b.Columns[1].AppendText(fmt.Sprintf("dev-%03d.fabrikam.example", i))
		b.Columns[2].AppendInt(int64(1<<60) >> (i % 60))
		b.Columns[3].AppendText(fmt.Sprintf(`{"n":%d}`, i))
		b.Columns[4].AppendReal(math.Inf(1))
		b.Columns[5].AppendNull()
		b.N++
	}
	return &query.Result{Table: query.Table{Name: "PrimaryResult", Columns: columns, Rows: b}, Warnings: []string{"only the first 500 rows are shown"}, Stats: query.Stats{Duration: 12400 * time.Microsecond, Rows: 500}}, nil
}

func (oracle) Check(_ context.Context, q query.Query) ([]query.Diagnostic, error) {
	_, err := oracle{}.Run(context.Background(), q)
	var wrong *query.SyntaxError
	if errors.As(err, &wrong) {
		return wrong.Diagnostics, nil
	}
	return nil, nil
}

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
	changed := func() {
		if n.Portal != nil {
			n.tell(t)
		}
	}
	const address = "https://localhost:8443"
	if n.xdr, err = xdr.New(xdr.Options{Store: store, Now: n.clock.Now, Directory: n.access, PortalURL: address, TenantID: "t", Changed: changed}); err != nil {
		t.Fatal(err)
	}
	if n.workspaces, err = workspace.New(workspace.Options{Store: store, Now: n.clock.Now, NewID: newID, Directory: n.access, PortalURL: address, Changed: changed}); err != nil {
		t.Fatal(err)
	}
	n.soc, err = n.workspaces.Create(ctx, workspace.Workspace{Name: "fabrikam-soc", SubscriptionID: "11111111-1111-4111-8111-111111111111", ResourceGroup: "soc", Primary: true})
	if err != nil {
		t.Fatal(err)
	}
	n.streams = &switched{rows: map[string]tables.Stat{}}
	n.connector, err = connector.New(connector.Options{Store: store, Now: n.clock.Now, NewID: newID, XDR: n.xdr.End(), Workspace: n.workspaces.End,
		Streams: n.streams, Rules: &ruleBook{}, TenantID: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.connector.Connect(ctx, n.soc.ID, connector.Settings{Incidents: true, Alerts: true, Entities: true}, person(ada)); err != nil {
		t.Fatal(err)
	}
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

func person(o security.Owner) security.Actor {
	return security.Actor{Kind: security.Person, ID: o.ObjectID, Name: o.UPN}
}

// tell passes what the feeds have on to open pages, as the server's wiring does.
func (n *tenant) tell(t testing.TB) {
	n.heard.Lock()
	defer n.heard.Unlock()
	ctx := context.Background()
	ofXDR, err := n.xdr.Feed(ctx, n.seenXDR, 10_000)
	if err != nil {
		t.Error(err)
	}
	for _, c := range ofXDR {
		n.seenXDR = c.Seq
		n.Notify(portal.Hint{Side: schema.XDR, Kind: c.Record.Kind, ID: c.Record.Incident, Version: c.Record.Version})
	}
	ofWorkspaces, err := n.workspaces.Feed(ctx, n.seenWorkspaces, 10_000)
	if err != nil {
		t.Error(err)
	}
	for _, c := range ofWorkspaces {
		n.seenWorkspaces = c.Seq
		n.Notify(portal.Hint{Side: schema.Workspace, Workspace: c.Record.Workspace, Kind: c.Record.Kind, ID: c.Record.ID, Version: c.Record.Version})
	}
}

// ingest takes alerts in and lets the connector carry them across.
func (n *tenant) ingest(t testing.TB, alerts ...security.Alert) {
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
	n.settle(t)
}

// settle lets the connector do all that is due.
func (n *tenant) settle(t testing.TB) {
	t.Helper()
	for did := true; did; {
		var err error
		if did, _, err = n.connector.Next(context.Background(), n.clock.Now()); err != nil {
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
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			n.settle(t)
		}
	}()
	t.Fatal(http.ListenAndServe(*story, n))
}
