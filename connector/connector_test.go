package connector_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/tables"
	"lockstep/workspace"
	"lockstep/xdr"
)

func sortedLower(list []string) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, strings.ToLower(s))
	}
	slices.Sort(out)
	return out
}

// texts are the comments' texts, without those of merges, sorted.
func texts(comments []security.Comment) []string {
	out := []string{}
	for _, c := range comments {
		if !strings.HasPrefix(c.Text, "Merged into") {
			out = append(out, c.Text)
		}
	}
	slices.Sort(out)
	return out
}

func TestAnIncidentCrossesAndBothSidesFollowEachOther(t *testing.T) {
	w := newWorld(t)
	early := w.ingest(security.Medium, "h1")
	w.connect()
	w.settle()
	late := w.ingest(security.High, "h2")
	w.settle()
	for _, id := range []string{early, late} {
		if d := w.differences(id); d != "" {
			t.Fatalf("incident %s: %s", id, d)
		}
	}

	versions := func() (int64, int64) { return must(w.xdr.Incident(ctx, late)).Version, w.parallel(late).Version }
	x0, w0 := versions()
	resolved, tp, phishing, owner := xdr.Resolved, "truePositive", "phishing", "bob@lab.example"
	if err := w.patch(late, xdr.Patch{Status: &resolved, Classification: &tp, Determination: &phishing, AssignedTo: &owner}, ann); err != nil {
		t.Fatal(err)
	}
	w.settle()
	x1, w1 := versions()
	i := w.parallel(late)
	if i.Status != workspace.StatusClosed || i.Classification != "TruePositive" || i.ClassificationReason != "SuspiciousActivity" || i.Owner.Text() != owner {
		t.Errorf("%+v", i)
	}
	if x1 != x0+1 || w1 != w0+1 {
		t.Errorf("one edit of the XDR: versions went from %d, %d to %d, %d", x0, w0, x1, w1)
	}
	if err := w.put(late, bob, func(p *workspace.Put) {
		p.Status, p.Owner = workspace.StatusActive, &security.Owner{UPN: "carol@lab.example"}
	}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	x2, w2 := versions()
	got := must(w.xdr.Incident(ctx, late))
	if got.Status != xdr.InProgress || got.Owner.Text() != "carol@lab.example" || got.Classification != "unknown" {
		t.Errorf("%+v", got)
	}
	if x2 != x1+1 || w2 != w1+1 {
		t.Errorf("one edit in the workspace: versions went from %d, %d to %d, %d", x1, w1, x2, w2)
	}
	if d := w.differences(late); d != "" {
		t.Error(d)
	}
}

func TestT14MergesAreFollowedTargetFirst(t *testing.T) {
	w := newWorld(t)
	w.connect()
	a, b := w.ingest(security.Medium, "h1"), w.ingest(security.High, "h2")
	w.settle()
	if _, err := w.work.AddComment(ctx, w.ws, w.parallel(b).Name, "", "seen", bob); err != nil {
		t.Fatal(err)
	}
	w.settle()
	// While the merge is on its way somebody comments on the source in the workspace.
	target, err := w.xdr.Merge(ctx, []string{a, b}, "one story", ann)
	if err != nil || target.ID != a {
		t.Fatalf("%v %v", target.ID, err)
	}
	if _, err := w.work.AddComment(ctx, w.ws, w.parallel(b).Name, "", "late", bob); err != nil {
		t.Fatal(err)
	}
	w.w.before = func(write port.Write) {
		if write.Incident == w.parallel(b).Name && w.parallel(a).AlertTotal != 2 {
			t.Error("the source is emptied before its target has the alerts")
		}
	}
	w.settle()
	i, j := w.parallel(b), w.parallel(a)
	if i.Status != workspace.StatusClosed || i.Classification != "Undetermined" || i.MergedNumber != j.Number || i.AlertTotal != 0 || j.AlertTotal != 2 {
		t.Errorf("source %+v\ntarget %+v", i, j)
	}
	said := texts(must(w.work.Comments(ctx, w.ws, j.Name)))
	if fmt.Sprint(said) != "[late seen]" || fmt.Sprint(texts(must(w.xdr.Comments(ctx, a)))) != "[late seen]" {
		t.Errorf("comments of the target: %v", said)
	}
	for _, id := range []string{a, b} {
		if d := w.differences(id); d != "" {
			t.Errorf("incident %s: %s", id, d)
		}
	}
}

func TestMergedBeforeTheFirstSynchronisationIsOneWriteEach(t *testing.T) {
	w := newWorld(t)
	a, b := w.ingest(security.Medium, "h1"), w.ingest(security.High, "h2")
	must(w.xdr.Merge(ctx, []string{a, b}, "", ann))
	w.connect()
	w.settle()
	if len(w.w.made) != 2 || len(must(w.sync.Journal(ctx, w.ws, a))) != 1 {
		t.Errorf("%d writes", len(w.w.made))
	}
	if i, j := w.parallel(b), w.parallel(a); i.MergedNumber != j.Number || j.AlertTotal != 2 {
		t.Errorf("source %+v\ntarget %+v", i, j)
	}
}

func TestAFailureOfItsOwnStoreLosesNoWork(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Medium, "h1")
	w.own.refuse = 1
	if _, _, err := w.sync.Next(ctx, w.now); err == nil {
		t.Error("the failure isn't told")
	}
	w.settle()
	if d := w.differences(id); d != "" {
		t.Error(d)
	}
}

func TestT23WhatHappenedWhileDisconnectedIsMadeGood(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Medium, "h1")
	w.settle()
	if _, err := w.sync.Disconnect(ctx, w.ws, ann); err != nil {
		t.Fatal(err)
	}
	if err := w.patch(id, xdr.Patch{AssignedTo: ptr("x@lab.example")}, ann); err != nil {
		t.Fatal(err)
	}
	if err := w.put(id, bob, func(p *workspace.Put) { *p.Labels = append(*p.Labels, "vip") }); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if w.parallel(id).Owner.Text() != "" {
		t.Error("synchronised while disconnected")
	}
	w.connect()
	w.settle()
	if d := w.differences(id); d != "" || w.parallel(id).Owner.Text() != "x@lab.example" || len(must(w.xdr.Incident(ctx, id)).CustomTags) != 1 {
		t.Errorf("after connecting again: %s", d)
	}
}

func TestT4APoisonousIncidentIsAHoleAndTheOthersArrive(t *testing.T) {
	w := newWorld(t)
	bad := w.ingest(security.Low, "h0")
	w.x.poison = bad
	w.connect()
	for range 20 {
		w.settle()
		w.now += schema.Minute
	}
	good := w.ingest(security.Low, "h1")
	w.settle()
	if d := w.differences(good); d != "" {
		t.Error(d)
	}
	st := must(w.sync.Status(ctx, w.ws))
	if len(st.Holes) != 1 || st.Holes[0].XDR != bad || !strings.Contains(st.Holes[0].Error, "can't be read") || st.Types[0].Failures == 0 {
		t.Errorf("holes %+v, incidents %+v", st.Holes, st.Types[0])
	}
	story := must(w.sync.Explain(ctx, w.ws, bad))
	if !strings.Contains(strings.Join(story.Sentences, "\n"), "can't be read") {
		t.Errorf("%q", story.Sentences)
	}
	w.boot() // the hole is remembered
	w.x.poison = ""
	w.quiet()
	if d := w.differences(bad); d != "" {
		t.Error(d)
	}
	if st = must(w.sync.Status(ctx, w.ws)); len(st.Holes) != 0 {
		t.Errorf("the hole stays: %+v", st.Holes)
	}
}

// TestARevertAfterALostAnswerIsAnEdit is the case in which a base stored only
// after the write loses an edit (storage-notes 1.7).
func TestARevertAfterALostAnswerIsAnEdit(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Medium, "h1")
	w.settle()
	if err := w.patch(id, xdr.Patch{AssignedTo: ptr("ann@lab.example")}, ann); err != nil {
		t.Fatal(err)
	}
	w.w.before = func(port.Write) { w.own.dead = true } // the write is made, the process ends
	if _, _, err := w.sync.Next(ctx, w.now); err == nil {
		t.Fatal("the process lives on")
	}
	w.w.before = nil
	w.now += schema.Second
	if err := w.put(id, bob, func(p *workspace.Put) { p.Owner = &security.Owner{} }); err != nil { // back to nobody
		t.Fatal(err)
	}
	w.boot()
	w.settle()
	if x, y := must(w.xdr.Incident(ctx, id)).Owner.Text(), w.parallel(id).Owner.Text(); x != "" || y != "" {
		t.Errorf("the edit is lost: owner %q on the XDR, %q in the workspace", x, y)
	}
	story := strings.Join(must(w.sync.Explain(ctx, w.ws, w.parallel(id).Name)).Sentences, "\n")
	if !strings.Contains(story, "its answer was lost; it had been made as version 2") {
		t.Error(story)
	}
}

// TestAnEditFasterThanAWriteIsSeen has a person edit the field that a write of
// automation's is about to set: the write must not be made over it.
func TestAnEditFasterThanAWriteIsSeen(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Medium, "h1")
	w.settle()
	w.w.before = func(port.Write) {
		w.w.before = nil
		if err := w.put(id, ann, func(p *workspace.Put) { p.Owner = &security.Owner{UPN: "ann@lab.example"} }); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.patch(id, xdr.Patch{AssignedTo: ptr("robot@lab.example")}, bot); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if got := must(w.xdr.Incident(ctx, id)).Owner.Text(); got != "ann@lab.example" {
		t.Errorf("owner %q", got)
	}
	if d := w.differences(id); d != "" {
		t.Error(d)
	}
	story := strings.Join(must(w.sync.Explain(ctx, w.ws, id)).Sentences, "\n")
	if !strings.Contains(story, "refused: ") || !strings.Contains(story, "a person's edit beats automation's") {
		t.Error(story)
	}
}

func TestALoserIsShownInTheActivityLogAndKeptInTheJournal(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Medium, "h1")
	w.settle()
	if err := w.put(id, bot, func(p *workspace.Put) { p.Owner = &security.Owner{UPN: "robot@lab.example"} }); err != nil {
		t.Fatal(err)
	}
	if err := w.patch(id, xdr.Patch{AssignedTo: ptr("ann@lab.example")}, ann); err != nil {
		t.Fatal(err)
	}
	w.settle()
	i := w.parallel(id)
	if i.Owner.Text() != "ann@lab.example" {
		t.Errorf("owner %s", i.Owner.Text())
	}
	var told bool
	for _, a := range must(w.work.Activities(ctx, w.ws, i.Name)) {
		told = told || strings.Contains(a.Text, "robot@lab.example, set by playbook, gave way to ann@lab.example")
	}
	if !told {
		t.Error("the activity log doesn't tell of the loser")
	}
	journal := must(w.sync.Journal(ctx, w.ws, id))
	last := journal[len(journal)-1]
	if n := slices.IndexFunc(last.Reasons, func(r reconcile.Reason) bool { return r.Lost == "robot@lab.example" && r.LostBy == "playbook" }); n < 0 {
		t.Errorf("%+v", last.Reasons)
	}
}

func TestLatencyIsMeasuredFromTheChangeToItsVisibility(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.settle()
	id := w.ingest(security.Medium, "h1")
	w.now += 40 * schema.Millisecond
	w.settle()
	if err := w.patch(id, xdr.Patch{AssignedTo: ptr("ann")}, ann); err != nil {
		t.Fatal(err)
	}
	w.now += 7 * schema.Millisecond
	w.settle()
	st := must(w.sync.Status(ctx, w.ws))
	if st.Creation.Count != 1 || st.Creation.P99 != 40*schema.Millisecond || st.Edit.Count != 1 || st.Edit.P50 != 7*schema.Millisecond {
		t.Errorf("%+v, %+v", st.Creation, st.Edit)
	}
	if st.Types[0].LastReceived != w.now || st.Waiting != 0 || st.Behind != 0 {
		t.Errorf("%+v", st)
	}
}

func TestTwoWorkspacesFollowOneXDR(t *testing.T) {
	w := newWorld(t)
	w.connect()
	second := must(w.work.Create(ctx, workspace.Workspace{Name: "second", SubscriptionID: "7e838342-601f-4552-9baf-0dfb300cf555", ResourceGroup: "rg"}))
	must(w.sync.Connect(ctx, second.ID, settings, ann))
	id := w.ingest(security.High, "h1")
	w.settle()
	if err := w.put(id, ann, func(p *workspace.Put) { p.Owner = &security.Owner{UPN: "bob@lab.example"} }); err != nil {
		t.Fatal(err)
	}
	w.settle()
	other := must(w.work.ByProvider(ctx, second.ID, id))
	if other.Owner.Text() != "bob@lab.example" || other.Version != 2 || other.Name == w.parallel(id).Name {
		t.Errorf("%+v", other)
	}
}

// streams remembers what is granted.
type streams map[string]bool

func (s streams) SetGrant(_ context.Context, ws, table string, on bool, _ schema.Ticks) error {
	s[ws+" "+table] = on
	return nil
}

func (s streams) Grants(context.Context, string) ([]tables.Grant, error) { return nil, nil }

func (s streams) Stats(_ context.Context, v tables.View) ([]tables.Stat, error) {
	return []tables.Stat{{Table: "DeviceEvents", Rows: 3, Newest: 5, Received: 6}, {Table: "SecurityIncident", Rows: 2, Received: 7}}, nil
}

func (s streams) granted() (on []string) {
	for key, is := range s {
		if is {
			on = append(on, key[37:])
		}
	}
	slices.Sort(on)
	return on
}

func TestEventTablesAreGrantedAsTheSwitchesSay(t *testing.T) {
	w := newWorld(t)
	w.streams = streams{}
	w.boot()
	if _, err := w.sync.Connect(ctx, w.ws, connector.Settings{Tables: []string{"DeviceEvents", "UrlClickEvents"}}, ann); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(w.streams.granted()); got != "[DeviceEvents UrlClickEvents]" {
		t.Error(got)
	}
	if _, err := w.sync.SetStream(ctx, w.ws, "UrlClickEvents", false, ann); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(w.streams.granted()); got != "[DeviceEvents]" {
		t.Error(got)
	}
	st := must(w.sync.Status(ctx, w.ws))
	if n := slices.IndexFunc(st.Types, func(d connector.DataType) bool { return d.Name == "DeviceEvents" }); !st.Types[n].On || st.Types[n].Rows != 3 || st.Types[n].LastReceived != 6 || st.Types[n].Component == "" {
		t.Errorf("%+v", st.Types[n])
	}
	if st.Types[0].On || st.Types[0].LastReceived != 7 {
		t.Errorf("%+v", st.Types[0])
	}
	if _, err := w.sync.Disconnect(ctx, w.ws, ann); err != nil || len(w.streams.granted()) != 0 {
		t.Errorf("%v %v", err, w.streams.granted())
	}
	w.ingest(security.Low, "h1")
	w.settle()
	if page := must(w.work.Incidents(ctx, w.ws, workspace.Selection{})); len(page.Items) != 0 {
		t.Error("incidents cross though their switch is off")
	}
}

func TestSwitches(t *testing.T) {
	w := newWorld(t)
	if _, err := w.sync.SetStream(ctx, w.ws, "DeviceEvents", true, ann); !fault.Is(err, fault.Conflict) {
		t.Errorf("stream before connecting: %v", err)
	}
	k, err := w.sync.Connect(ctx, strings.ToUpper(w.ws), connector.Settings{Incidents: true, Tables: []string{"emailevents", "DeviceEvents", "DeviceEvents"}, TurnOffCreationRules: true}, ann)
	if err != nil || fmt.Sprint(k.Settings.Tables) != "[DeviceEvents EmailEvents]" || len(k.RulesOff) != 2 || !k.Connected || k.By != ann {
		t.Errorf("%+v %v", k, err)
	}
	if k, err = w.sync.SetStream(ctx, w.ws, "DeviceEvents", false, ann); err != nil || fmt.Sprint(k.Settings.Tables) != "[EmailEvents]" {
		t.Errorf("%+v %v", k, err)
	}
	for _, table := range []string{"DeviceTvmSoftwareInventory", "Nothing"} {
		if _, err := w.sync.SetStream(ctx, w.ws, table, true, ann); !fault.Is(err, fault.Invalid) {
			t.Errorf("stream %s: %v", table, err)
		}
	}
	if k, err = w.sync.Disconnect(ctx, w.ws, bob); err != nil || k.Connected || len(k.RulesOff) != 2 || k.By != bob {
		t.Errorf("%+v %v", k, err)
	}
	if st := must(w.sync.Status(ctx, w.ws)); len(st.Types) != 23 || st.Types[0].On {
		t.Errorf("%d types", len(st.Types))
	}
}
