package connector_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/state/memory"
	"lockstep/workspace"
	"lockstep/xdr"
)

var (
	ctx   = context.Background()
	epoch = must(schema.ParseTicks("2026-01-05T10:00:00Z"))
	ann   = security.Actor{Kind: security.Person, Name: "ann@lab.example"}
	bob   = security.Actor{Kind: security.Person, Name: "bob@lab.example"}
	bot   = security.Actor{Kind: security.Automation, Name: "playbook"}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ptr[T any](v T) *T { return &v }

// world is both sides, the connector between them, and what can go wrong.
type world struct {
	t      testing.TB
	now    schema.Ticks
	ids    int
	store  state.Store // of the sides
	own    *mortal     // of the connector
	xdr    *xdr.Service
	work   *workspace.Service
	ws     string
	sync   *connector.Service
	x, w   *flaky
	rules  *rules
	alerts int

	streams streams      // nil: none
	resync  schema.Ticks // 0: an hour; below: as often as the ends' feeds need it
	woken   bool         // a side told of a change

	skew map[string]schema.Ticks // of the sides' clocks
}

func must2[T, U any](v T, u U, err error) (T, U) {
	if err != nil {
		panic(err)
	}
	return v, u
}

func newWorld(t testing.TB) *world { return newWorldOn(t, memory.New(), memory.New()) }

// newWorldOn makes a world on the stores of the sides and of the connector.
func newWorldOn(t testing.TB, sides, own state.Store) *world {
	w := &world{t: t, now: epoch, store: sides, rules: &rules{}}
	w.own = &mortal{Store: own}
	clock := func(side string) func() schema.Ticks { return func() schema.Ticks { return w.now + w.skew[side] } }
	told := func() { w.woken = true }
	id := func() string { w.ids++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.ids) }
	var err error
	if w.xdr, err = xdr.New(xdr.Options{Store: w.store, Now: clock("xdr"), PortalURL: "https://localhost:8443", TenantID: "t1", Changed: told}); err != nil {
		t.Fatal(err)
	}
	if w.work, err = workspace.New(workspace.Options{Store: w.store, Now: clock("workspace"), NewID: id, PortalURL: "https://localhost:8443", Changed: told}); err != nil {
		t.Fatal(err)
	}
	made, err := w.work.Create(ctx, workspace.Workspace{ID: "e34d562e-ef12-4c4e-9bc0-7c6ae357c015", Name: "soc1", SubscriptionID: "7e838342-601f-4552-9baf-0dfb300cf555", ResourceGroup: "rg"})
	if err != nil {
		t.Fatal(err)
	}
	w.ws = made.ID
	w.x, w.w = &flaky{End: w.xdr.End()}, &flaky{End: w.work.End(w.ws)}
	w.boot()
	return w
}

// boot starts the connector over its store, as a restart does.
func (w *world) boot() {
	w.own.dead = false
	o := connector.Options{
		Store: w.own, Now: func() schema.Ticks { return w.now },
		NewID: func() string { w.ids++; return fmt.Sprintf("write-%d", w.ids) },
		XDR:   w.x, Workspace: w.end, Rules: w.rules, TenantID: "t1", Seed: 1, ResyncEvery: schema.Hour,
	}
	if w.resync != 0 {
		o.ResyncEvery = max(w.resync, 0)
	}
	if w.streams != nil {
		o.Streams = w.streams
	}
	w.sync = must(connector.New(o))
}

// end is a workspace's end; that of the first is over a bad line.
func (w *world) end(ws string) port.End {
	if ws == w.ws {
		return w.w
	}
	return w.work.End(ws)
}

func (w *world) connect() {
	w.t.Helper()
	if _, err := w.sync.Connect(ctx, w.ws, settings, ann); err != nil {
		w.t.Fatal(err)
	}
}

// settle runs the connector until nothing is left to do now.
func (w *world) settle() {
	w.t.Helper()
	for range 100000 {
		did, _, err := w.sync.Next(ctx, w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		if !did {
			return
		}
	}
	w.t.Fatal("the connector doesn't come to rest")
}

// quiet waits until retries are over and all incidents were compared.
func (w *world) quiet() {
	w.t.Helper()
	for range 3 {
		w.settle()
		w.now += 2 * schema.Hour
	}
	w.settle()
}

// ingest makes an alert about hosts and gives the incident that holds it.
func (w *world) ingest(severity security.Severity, hosts ...string) string {
	w.t.Helper()
	w.alerts++
	return w.send(w.alert(fmt.Sprintf("da%d", w.alerts), severity, hosts...))
}

// alert is one of a product, about hosts.
func (w *world) alert(id string, severity security.Severity, hosts ...string) security.Alert {
	a := security.Alert{
		ID: id, Title: fmt.Sprint("Detection ", w.alerts), ServiceSource: "microsoftDefenderForEndpoint", Severity: severity, Category: "Execution",
		Created: w.now, Updated: w.now, FirstActivity: w.now, LastActivity: w.now, AlertType: fmt.Sprint("type", w.alerts),
	}
	for _, h := range hosts {
		e := security.Entity{Kind: security.Host}.With("hostName", h).With("dnsDomain", "lab.example")
		a.Evidence = append(a.Evidence, security.Evidence{Entity: e, Verdict: "suspicious"})
	}
	return a
}

// send has the XDR take an alert in, and gives the incident that holds it.
func (w *world) send(a security.Alert) string {
	w.t.Helper()
	out, err := w.xdr.Ingest(ctx, []security.Alert{a})
	if err != nil || out[0].Incident == "" {
		w.t.Fatalf("%v %v", out, err)
	}
	return out[0].Incident
}

func (w *world) patch(id string, p xdr.Patch, by security.Actor) error {
	_, err := w.xdr.Update(ctx, id, p, by, 0)
	return err
}

// parallel is the workspace incident of one of the XDR's.
func (w *world) parallel(id string) workspace.Incident {
	w.t.Helper()
	i, err := w.work.ByProvider(ctx, w.ws, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// put changes a workspace incident as a client does: reads it, changes it, writes all of it.
func (w *world) put(id string, by security.Actor, change func(*workspace.Put)) error {
	i, err := w.work.ByProvider(ctx, w.ws, id)
	if err != nil {
		return err
	}
	p := workspace.Put{Title: i.Title, Description: i.Description, Severity: i.Severity, Status: i.Status,
		Classification: i.Classification, ClassificationReason: i.ClassificationReason, ClassificationComment: i.ClassificationComment}
	labels := []string{}
	for _, l := range i.Labels {
		labels = append(labels, l.Name)
	}
	p.Labels = &labels
	change(&p)
	_, _, err = w.work.Put(ctx, w.ws, i.Name, p, by, i.ETag)
	return err
}

// rules are creation rules of two products.
type rules struct{ off int }

func (r *rules) TurnOff(context.Context, string, security.Actor) ([]string, error) {
	r.off++
	return []string{"Create incidents from MDE", "Create incidents from MDI"}, nil
}

// errCrash ends the connector's process where it stands.
var errCrash = errors.New("the process ended")

// mortal is a store that the process loses when it ends.
type mortal struct {
	state.Store
	dead   bool
	refuse int // that many updates fail
}

func (m *mortal) Update(ctx context.Context, f func(state.Tx) error) error {
	switch {
	case m.dead:
		return errCrash
	case m.refuse > 0:
		m.refuse--
		return fault.New(fault.Unavailable, "the disk is busy")
	}
	return m.Store.Update(ctx, f)
}

// flaky is an end that a test can meddle with.
type flaky struct {
	port.End
	poison string           // incident whose reading always fails
	made   map[string]int64 // versions made, by write
	before func(port.Write) // runs before each write
}

func (f *flaky) Incident(ctx context.Context, id string) (port.Incident, error) {
	if id == f.poison {
		return port.Incident{}, fault.New(fault.Internal, "can't be read")
	}
	return f.End.Incident(ctx, id)
}

func (f *flaky) Since(ctx context.Context, id string, after int64) (port.Incident, bool, error) {
	if id == f.poison {
		return port.Incident{}, false, fault.New(fault.Internal, "can't be read")
	}
	if end, can := f.End.(interface {
		Since(context.Context, string, int64) (port.Incident, bool, error)
	}); can {
		return end.Since(ctx, id, after)
	}
	i, err := f.Incident(ctx, id)
	return i, true, err
}

func (f *flaky) Apply(ctx context.Context, w port.Write) (port.Applied, error) {
	if f.before != nil {
		f.before(w)
	}
	a, err := f.End.Apply(ctx, w)
	if err == nil {
		f.note(a)
	}
	return a, err
}

func (f *flaky) ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error) {
	if f.before != nil {
		for _, w := range writes {
			f.before(w)
		}
	}
	all, err := f.End.(interface {
		ApplyAll(context.Context, []port.Write) ([]port.Applied, error)
	}).ApplyAll(ctx, writes)
	for _, a := range all {
		f.note(a)
	}
	return all, err
}

func (f *flaky) note(a port.Applied) {
	if f.made == nil {
		f.made = map[string]int64{}
	}
	f.made[a.WriteID] = a.Version
}

var errLine = fault.New(fault.Unavailable, "no answer")

var settings = connector.Settings{Incidents: true, Alerts: true}

// differences compares both sides of one pair; empty if they agree.
func (w *world) differences(id string) string {
	x, err := w.xdr.End().Incident(ctx, id)
	if err != nil {
		return err.Error()
	}
	i, err := w.work.ByProvider(ctx, w.ws, id)
	if err != nil {
		return err.Error()
	}
	y := must(w.work.End(w.ws).Incident(ctx, i.Name))
	var out []string
	say := func(what string, a, b any) {
		if fmt.Sprint(a) != fmt.Sprint(b) {
			out = append(out, fmt.Sprintf("%s: %v on the XDR, %v in the workspace", what, a, b))
		}
	}
	say("owner", x.Owner.Text(), y.Owner.Text())
	say("severity", x.Severity, y.Severity)
	say("tags", sortedLower(x.Tags), sortedLower(y.Tags))
	say("alerts", len(x.Content.Alerts), i.AlertTotal)
	states := map[string]string{"active": "New", "inProgress": "Active", "awaitingAction": "Active", "resolved": "Closed", "redirected": "Closed"}
	say("status", states[x.Resolution.Status], string(i.Status))
	if i.Status == workspace.StatusClosed && x.Resolution.Status == "resolved" {
		classes := map[string]string{"": "Undetermined", "truePositive": "TruePositive", "falsePositive": "FalsePositive", "informationalExpectedActivity": "BenignPositive"}
		say("classification", classes[x.Resolution.Classification], i.Classification)
		say("comment on closing", x.Resolution.Comment, i.ClassificationComment)
	}
	if x.Content.Redirect == "" {
		say("comments", texts(x.Comments), texts(y.Comments))
	}
	return strings.Join(out, "; ")
}
