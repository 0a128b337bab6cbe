package microsoft_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lockstep/access"
	"lockstep/api/arm"
	"lockstep/api/chaos"
	"lockstep/api/graph"
	"lockstep/api/identity"
	"lockstep/cloud/microsoft"
	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/egress"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/workspace"
	"lockstep/xdr"
)

const tenant = "11111111-2222-3333-4444-555555555555"

var (
	ctx   = context.Background()
	epoch = must(schema.ParseTicks("2026-01-05T10:00:00.1234567Z"))
	ann   = security.Actor{Kind: security.Person, Name: "ann@lab.example"}
	bob   = security.Actor{Kind: security.Person, Name: "bob@lab.example"}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ptr[T any](v T) *T { return &v }

// rig is an XDR and a workspace, each behind its published API on a server of
// its own, over TLS; a door that misbehaves stands before both. Time is the
// rig's own, so that nothing is waited for.
type rig struct {
	t      testing.TB
	now    schema.Ticks
	ids    int
	alerts int

	xdr    *xdr.Service
	work   *workspace.Service
	ws     workspace.Workspace
	xdrAt  *server
	workAt *server
	sync   *connector.Service
}

// server is one of the two with its door.
type server struct {
	options microsoft.Options
	door    *chaos.Door
	access  *access.Service
}

// clock gives a later time with each call, as a real one does.
func (r *rig) clock() schema.Ticks {
	r.now += 7 * schema.Millisecond
	return r.now
}

func newRig(t testing.TB, profile string, seed uint64) *rig {
	t.Helper()
	r := &rig{t: t, now: epoch}
	var err error
	if r.xdr, err = xdr.New(xdr.Options{Store: memory.New(), Now: r.clock, PortalURL: "https://xdr.example", TenantID: tenant}); err != nil {
		t.Fatal(err)
	}
	if r.work, err = workspace.New(workspace.Options{Store: memory.New(), Now: r.clock, NewID: r.id, PortalURL: "https://work.example"}); err != nil {
		t.Fatal(err)
	}
	if r.ws, err = r.work.Create(ctx, workspace.Workspace{ID: r.id(), Name: "soc1", SubscriptionID: r.id(), ResourceGroup: "rg"}); err != nil {
		t.Fatal(err)
	}
	r.xdrAt = r.serve(profile, seed, func(s *server, base string) http.Handler {
		return graph.New(graph.Options{
			XDR: r.xdr, TenantID: tenant, PublicURL: base, Now: r.clock, NewID: r.id, Failed: r.failed, Authorize: s.access.AuthorizeRequest,
			Authenticate: func(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
				return identity.Bearer(s.access, next, fail, access.ForGraph)
			},
		})
	})
	r.workAt = r.serve(profile, seed+1, func(s *server, base string) http.Handler {
		return arm.New(arm.Options{
			Workspaces: r.work, TenantID: tenant, PublicURL: base, Now: r.clock, NewID: r.id, Failed: r.failed, Authorize: s.access.AuthorizeRequest,
			Authenticate: func(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
				return identity.Bearer(s.access, next, fail, access.ForManagement)
			},
		})
	})
	return r
}

func (r *rig) id() string {
	r.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", r.ids)
}

func (r *rig) failed(_ *http.Request, err error) { r.t.Errorf("the server failed: %v", err) }

// keys are what tokens are signed with; to make them takes long.
var keys = sync.OnceValue(func() *access.Keys {
	dir := must(os.MkdirTemp("", "keys"))
	defer os.RemoveAll(dir)
	return must(access.OpenKeys(filepath.Join(dir, "keys.pem")))
})

// serve starts a face behind a door, with tokens beside it.
func (r *rig) serve(profile string, seed uint64, face func(*server, string) http.Handler) *server {
	t := r.t
	t.Helper()
	s := &server{}
	var served http.Handler
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { served.ServeHTTP(w, q) }))
	web.Config.ErrorLog = nil
	t.Cleanup(web.Close)
	real := func() schema.Ticks { return schema.At(time.Now()) } // tokens are judged by the client's clock too
	var err error
	s.access, err = access.New(ctx, access.Options{Store: memory.New(), Now: real, NewID: uuid.NewString, Keys: keys(),
		Tenant: tenant, Issuer: web.URL, Effort: access.Effort{Passes: 1, KiB: 8, PerSecret: 1}})
	if err != nil {
		t.Fatal(err)
	}
	root := s.access.Operator("test")
	app, err := s.access.Put(ctx, root, access.Principal{Kind: access.Application, Name: "connector", Grants: []access.Grant{{Role: "Owner", Scope: access.Everywhere}}})
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := s.access.NewSecret(ctx, root, app.ID, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	tokens := identity.New(identity.Options{Access: s.access, PublicURL: web.URL, Now: real, NewID: uuid.NewString, Failed: r.failed})
	p, err := chaos.Named(profile)
	if err != nil {
		t.Fatal(err)
	}
	s.door = chaos.New(p, seed, func() time.Time { return r.now.Time() })
	behind := s.door.Before(face(s, web.URL))
	served = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if tokens.Owns(q.URL.Path) {
			tokens.ServeHTTP(w, q)
			return
		}
		behind.ServeHTTP(w, q)
	})
	trusted := x509.NewCertPool()
	trusted.AddCert(web.Certificate())
	u := must(url.Parse(web.URL))
	client, err := egress.New(egress.Options{Allow: []string{u.Host}, Within: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Trusted: trusted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	s.options = microsoft.Options{Client: client, Base: web.URL, Tenant: tenant, ClientID: app.ClientID, ClientSecret: secret,
		Now: func() schema.Ticks { return r.now }, PollEvery: schema.Second}
	return s
}

// remoteXDR is the XDR as it is seen over the network.
func (r *rig) remoteXDR() port.End { return must(microsoft.XDR(r.xdrAt.options)) }

// remoteWorkspace is the workspace as it is seen over the network.
func (r *rig) remoteWorkspace() port.End {
	return must(microsoft.Workspace(r.workAt.options, r.ws.ResourceID()))
}

// pagedXDR and pagedWorkspace are asked for in pages of n.
func (r *rig) pagedXDR(n int) port.End {
	o := r.xdrAt.options
	o.PageSize = n
	return must(microsoft.XDR(o))
}

func (r *rig) pagedWorkspace(n int) port.End {
	o := r.workAt.options
	o.PageSize = n
	return must(microsoft.Workspace(o, r.ws.ResourceID()))
}

// connect joins two ends.
func (r *rig) connect(x, w port.End) {
	r.t.Helper()
	r.sync = must(connector.New(connector.Options{
		Store: memory.New(), Now: func() schema.Ticks { return r.now }, NewID: r.id, XDR: x, Workspace: func(string) port.End { return w }, TenantID: tenant, Seed: 1,
	}))
	if _, err := r.sync.Connect(ctx, r.ws.ID, connector.Settings{Incidents: true, Alerts: true}, ann); err != nil {
		r.t.Fatal(err)
	}
}

// run has the connector work for a time of the rig's.
func (r *rig) run(d schema.Ticks) {
	r.t.Helper()
	for end := r.now + d; r.now < end; {
		did, wake, err := r.sync.Next(ctx, r.now)
		if err != nil {
			r.t.Fatal(err)
		}
		switch {
		case did:
			r.now += schema.Millisecond
		case wake > r.now:
			r.now = min(wake, end)
		default:
			r.now += 10 * schema.Millisecond
		}
	}
}

// agree runs the connector until both sides of all incidents agree, an hour of
// the rig's time at most.
func (r *rig) agree() {
	r.t.Helper()
	why := ""
	for range 720 {
		r.run(5 * schema.Second)
		if why = r.differences(); why == "" && len(r.status().Holes) == 0 {
			return
		}
	}
	st := r.status()
	r.t.Fatalf("no agreement after an hour: %s\nat the doors %+v and %+v\n%+v %+v", why, r.xdrAt.door.Counts(), r.workAt.door.Counts(), st.Holes, st.Feeds)
}

func (r *rig) status() connector.Status {
	r.t.Helper()
	st, err := r.sync.Status(ctx, r.ws.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// ingest makes an alert about hosts and gives the incident that holds it.
func (r *rig) ingest(severity security.Severity, hosts ...string) string {
	r.t.Helper()
	r.alerts++
	a := security.Alert{
		ID: fmt.Sprintf("da%d", r.alerts), Title: fmt.Sprint("Detection ", r.alerts), ServiceSource: "microsoftDefenderForEndpoint",
		DetectionSource: "microsoftDefenderForEndpoint", Severity: severity, Category: "Execution", Status: security.AlertNew,
		Created: r.now, Updated: r.now, FirstActivity: r.now, LastActivity: r.now, AlertType: fmt.Sprint("type", r.alerts),
	}
	for _, h := range hosts {
		e := security.Entity{Kind: security.Host}.With("hostName", h).With("dnsDomain", "lab.example")
		a.Evidence = append(a.Evidence, security.Evidence{Entity: e, Verdict: "suspicious"})
	}
	out, err := r.xdr.Ingest(ctx, []security.Alert{a})
	if err != nil || out[0].Incident == "" {
		r.t.Fatalf("%v %v", out, err)
	}
	return out[0].Incident
}

func (r *rig) patch(id string, p xdr.Patch, by security.Actor) {
	r.t.Helper()
	if _, err := r.xdr.Update(ctx, id, p, by, 0); err != nil {
		r.t.Fatal(err)
	}
}

// put changes a workspace incident as a client does, and gives its name.
func (r *rig) put(id string, by security.Actor, change func(*workspace.Put)) {
	r.t.Helper()
	i := r.parallel(id)
	labels := []string{}
	for _, l := range i.Labels {
		labels = append(labels, l.Name)
	}
	p := workspace.Put{Title: i.Title, Description: i.Description, Severity: i.Severity, Status: i.Status,
		Classification: i.Classification, ClassificationReason: i.ClassificationReason, ClassificationComment: i.ClassificationComment, Labels: &labels}
	change(&p)
	if _, _, err := r.work.Put(ctx, r.ws.ID, i.Name, p, by, i.ETag); err != nil {
		r.t.Fatal(err)
	}
}

// parallel is the workspace incident of one of the XDR's.
func (r *rig) parallel(id string) workspace.Incident {
	r.t.Helper()
	page, err := r.work.Incidents(ctx, r.ws.ID, workspace.Selection{Limit: 1000, Match: func(i workspace.Incident) bool { return r.standsFor(i) == id }})
	if err != nil || len(page.Items) != 1 {
		r.t.Fatalf("incident %s has %d parallel ones, %v", id, len(page.Items), err)
	}
	return page.Items[0]
}

func (r *rig) standsFor(i workspace.Incident) string {
	if i.ProviderName == workspace.ProviderXDR {
		return i.ProviderIncidentID
	}
	for _, l := range i.Labels {
		if id, ok := strings.CutPrefix(l.Name, "xdr-incident:"); ok {
			return id
		}
	}
	return ""
}

// differences compares all pairs at the sides themselves.
func (r *rig) differences() string {
	r.t.Helper()
	all, err := r.xdr.Incidents(ctx, xdr.Selection[xdr.Incident]{Limit: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, x := range all.Items {
		page, err := r.work.Incidents(ctx, r.ws.ID, workspace.Selection{Limit: 1000, Match: func(i workspace.Incident) bool { return r.standsFor(i) == x.ID }})
		if err != nil {
			r.t.Fatal(err)
		}
		if len(page.Items) != 1 {
			return fmt.Sprintf("incident %s has %d parallel ones", x.ID, len(page.Items))
		}
		w := page.Items[0]
		if diff := cmp.Diff(r.shown(x), r.mirrored(x, w)); diff != "" {
			return fmt.Sprintf("incident %s (XDR -, workspace +):\n%s", x.ID, diff)
		}
	}
	return ""
}

// face is what both sides must show alike.
type face struct {
	Title, Owner, Status, Class, Comment string
	Severity                             security.Severity
	Tags, Comments                       []string
	Alerts                               int
}

var statuses = map[string]string{"active": "New", "inProgress": "Active", "awaitingAction": "Active", "resolved": "Closed", "redirected": "Closed"}
var classes = map[string]string{"": "Undetermined", "unknown": "Undetermined", "truePositive": "TruePositive", "falsePositive": "FalsePositive", "informationalExpectedActivity": "BenignPositive"}

func (r *rig) shown(x xdr.Incident) face {
	f := face{Title: x.DisplayName, Owner: x.Owner.Text(), Status: statuses[string(x.Status)], Severity: x.Severity, Tags: folded(x.CustomTags), Alerts: len(x.AlertIDs)}
	switch x.Status {
	case xdr.Resolved:
		f.Class, f.Comment = classes[x.Classification], x.ResolvingComment
	case xdr.Redirected:
		f.Class = "Undetermined"
	}
	if x.Status != xdr.Redirected {
		f.Comments = said(must(r.xdr.Comments(ctx, x.ID)))
	}
	return f
}

func (r *rig) mirrored(x xdr.Incident, w workspace.Incident) face {
	var tags []string
	for _, l := range w.Labels {
		if l.Type == workspace.LabelUser && l.Name != "Redirected" && !strings.HasPrefix(l.Name, "xdr-incident:") {
			tags = append(tags, l.Name)
		}
	}
	f := face{Title: w.Title, Owner: w.Owner.Text(), Status: string(w.Status), Severity: w.Severity, Tags: folded(tags), Alerts: w.AlertTotal}
	if w.ProviderName != workspace.ProviderXDR {
		f.Alerts = len(x.AlertIDs) // the API takes none
	}
	if w.Status == workspace.StatusClosed {
		f.Class = w.Classification
		if x.Status == xdr.Resolved {
			f.Comment = w.ClassificationComment
		}
	}
	if x.Status != xdr.Redirected {
		f.Comments = said(must(r.work.Comments(ctx, r.ws.ID, w.Name)))
	}
	return f
}

func folded(list []string) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, strings.ToLower(s))
	}
	slices.Sort(out)
	return out
}

// said is what comments say, without the signature of what came over the network.
func said(comments []security.Comment) []string {
	out := []string{}
	for _, c := range comments {
		text, _, _ := strings.Cut(c.Text, "\n\n[")
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}
