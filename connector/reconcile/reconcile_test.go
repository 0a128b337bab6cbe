package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/schema"
	"lockstep/security"
)

var (
	able   = port.Capabilities{Conditional: true, Feed: true, FieldTimes: true, CommentIDs: true, CreateAlerts: true, WriteIDs: true}
	person = security.Actor{Kind: security.Person, Name: "ann"}
	bot    = security.Actor{Kind: security.Automation, Name: "playbook"}
	nobody = security.Actor{}
)

const now schema.Ticks = 1000

// pair is both sides of an incident, in agreement to begin with.
func pair() reconcile.Input {
	x := port.Incident{
		ID: "29", Version: 3, Resolution: port.Resolution{Status: "active"}, Severity: security.High, Tags: []string{"vip"},
		Owner: security.Owner{UPN: "bob@contoso.com"}, Comments: []security.Comment{{ID: "c1", Text: "one"}},
		Stamps:  map[port.Field]port.Stamp{},
		Content: port.Content{Title: "Story", Alerts: []security.Alert{{ID: "da1", Version: 1}}},
	}
	in := reconcile.Input{XDR: x, Name: "name", XDRCan: able, WorkspaceCan: able, Dictionary: connector.Dictionary{}, Now: now}
	plan := reconcile.Decide(in)
	w := port.Incident{ID: "name", Stamps: map[port.Field]port.Stamp{}}
	base := reconcile.Base{}.Settle(plan.Workspace.Settles)
	write(&w, plan.Workspace.Write)
	in.Workspace, in.Base = &w, &base
	return in
}

// write makes a write on a side as a side does.
func write(i *port.Incident, w port.Write) {
	set := func(f port.Field) {
		if i.Stamps == nil {
			i.Stamps = map[port.Field]port.Stamp{}
		}
		i.Stamps[f] = w.Stamp(f)
	}
	if w.Create {
		i.Resolution.Status = "New"
		i.Partner = w.Partner
	}
	if w.Content != nil {
		if w.Create {
			i.Severity = w.Content.Severity
		}
		i.Content = *w.Content
	}
	if w.Resolution != nil {
		i.Resolution = *w.Resolution
		set(port.FieldResolution)
	}
	if w.Owner != nil {
		i.Owner = *w.Owner
		set(port.FieldOwner)
	}
	if w.Severity != nil {
		i.Severity = *w.Severity
		set(port.FieldSeverity)
	}
	for _, t := range w.RemoveTags {
		i.Tags = slices.DeleteFunc(slices.Clone(i.Tags), func(s string) bool { return strings.EqualFold(s, t) })
	}
	i.Tags = append(slices.Clone(i.Tags), w.AddTags...)
	i.Comments = append(slices.Clone(i.Comments), w.AddComments...)
	i.Version++
}

// settle makes a plan's writes and gives how many there were.
func settle(in *reconcile.Input, p reconcile.Plan) (writes int) {
	base := reconcile.Base{}
	if in.Base != nil {
		base = *in.Base
	}
	base = base.Settle(p.Agreed)
	if p.XDR != nil {
		if p.XDR.Write.Incident == in.XDR.ID {
			write(&in.XDR, p.XDR.Write)
		}
		base = base.Settle(p.XDR.Settles)
		writes++
	}
	if p.Workspace != nil {
		if in.Workspace == nil {
			in.Workspace = &port.Incident{ID: p.Workspace.Write.Incident}
		}
		write(in.Workspace, p.Workspace.Write)
		base = base.Settle(p.Workspace.Settles)
		writes++
	}
	in.Base = &base
	return writes
}

func TestCreationBringsAllAndAgrees(t *testing.T) {
	in := pair()
	in.XDR.Resolution = port.Resolution{Status: "resolved", Classification: "truePositive", Reason: "malware", Comment: "seen"}
	in.Workspace, in.Base = nil, nil
	p := reconcile.Decide(in)
	if p.XDR != nil || p.Workspace == nil || !p.Workspace.Write.Create || p.Workspace.Write.Incident != "name" || p.Workspace.Write.Partner != "29" {
		t.Fatalf("%+v", p)
	}
	settle(&in, p)
	want := port.Resolution{Status: "Closed", Classification: "TruePositive", Reason: "SuspiciousActivity", Comment: "seen"}
	w := in.Workspace
	if w.Resolution != want || w.Owner != in.XDR.Owner || w.Severity != security.High || !cmp.Equal(w.Tags, in.XDR.Tags) || !cmp.Equal(w.Comments, in.XDR.Comments) {
		t.Errorf("%+v", w)
	}
	if again := reconcile.Decide(in); !again.Empty() {
		t.Errorf("not settled: %+v", again)
	}
}

func TestAnEditGoesToTheOtherSideAloneWithItsStamp(t *testing.T) {
	carol := security.Owner{UPN: "carol@contoso.com"}
	stamp := port.Stamp{Actor: person, At: 900}
	for _, c := range []struct {
		name  string
		edit  func(*port.Incident)
		field port.Field
	}{
		{"owner", func(i *port.Incident) { i.Owner = carol }, port.FieldOwner},
		{"unassigned", func(i *port.Incident) { i.Owner = security.Owner{} }, port.FieldOwner},
		{"severity", func(i *port.Incident) { i.Severity = security.Low }, port.FieldSeverity},
		{"tag", func(i *port.Incident) { i.Tags = append(i.Tags, "new") }, port.FieldTags},
		{"tag gone", func(i *port.Incident) { i.Tags = nil }, port.FieldTags},
		{"comment", func(i *port.Incident) { i.Comments = append(i.Comments, security.Comment{ID: "c2"}) }, port.FieldComments},
	} {
		for _, side := range []reconcile.Side{reconcile.XDR, reconcile.Workspace} {
			in := pair()
			edited := &in.XDR
			if side == reconcile.Workspace {
				edited = in.Workspace
			}
			c.edit(edited)
			edited.Stamps[c.field] = stamp
			p := reconcile.Decide(in)
			step, other := p.Workspace, p.XDR
			if side == reconcile.Workspace {
				step, other = p.XDR, p.Workspace
			}
			if step == nil || other != nil || step.Write.Stamp(c.field) != stamp || step.Write.IfVersion == 0 || step.Write.Content != nil {
				t.Fatalf("%s on %s: %+v", c.name, side, p)
			}
			settle(&in, p)
			if d := cmp.Diff(values(in.XDR), values(*in.Workspace)); d != "" {
				t.Errorf("%s on %s: sides differ: %s", c.name, side, d)
			}
			if again := reconcile.Decide(in); !again.Empty() {
				t.Errorf("%s on %s: echo %+v", c.name, side, again)
			}
		}
	}
}

// values are what both sides must have alike.
func values(i port.Incident) map[string]any {
	tags, said := []string{}, []string{}
	for _, tag := range i.Tags {
		tags = append(tags, strings.ToLower(tag))
	}
	for _, c := range i.Comments {
		said = append(said, c.ID)
	}
	slices.Sort(tags)
	slices.Sort(said)
	return map[string]any{"owner": i.Owner.Text(), "severity": i.Severity, "tags": tags, "comments": said}
}

func TestConflicts(t *testing.T) {
	at := func(a security.Actor, at schema.Ticks) port.Stamp { return port.Stamp{Actor: a, At: at} }
	for _, c := range []struct {
		name string
		x, w port.Stamp
		wins reconcile.Side
		rule reconcile.Rule
	}{
		{"a person beats automation, though earlier", at(person, 10), at(bot, 20), reconcile.XDR, reconcile.RulePerson},
		{"on the workspace too", at(bot, 20), at(person, 10), reconcile.Workspace, reconcile.RulePerson},
		{"unknown counts as a person", at(bot, 20), at(nobody, 10), reconcile.Workspace, reconcile.RulePerson},
		{"of two persons the later", at(person, 10), at(nobody, 20), reconcile.Workspace, reconcile.RuleLater},
		{"of two persons the later, XDR", at(person, 20), at(person, 10), reconcile.XDR, reconcile.RuleLater},
		{"of two automations the later", at(bot, 10), at(bot, 20), reconcile.Workspace, reconcile.RuleLater},
		{"at the same time the XDR", at(person, 10), at(person, 10), reconcile.XDR, reconcile.RuleXDR},
		{"no time is later than the receipt", at(person, now), at(person, now+500), reconcile.XDR, reconcile.RuleXDR},
	} {
		for _, f := range []port.Field{port.FieldOwner, port.FieldSeverity, port.FieldResolution} {
			in := pair()
			in.XDR.Stamps[f], in.Workspace.Stamps[f] = c.x, c.w
			in.XDR.Owner, in.Workspace.Owner = security.Owner{UPN: "x"}, security.Owner{UPN: "w"}
			in.XDR.Severity, in.Workspace.Severity = security.Low, security.Medium
			in.XDR.Resolution = port.Resolution{Status: "resolved", Classification: "truePositive", Reason: "malware"}
			in.Workspace.Resolution = port.Resolution{Status: "Closed", Classification: "BenignPositive", Reason: "SuspiciousButExpected"}
			p := reconcile.Decide(in)
			i := slices.IndexFunc(p.Reasons, func(r reconcile.Reason) bool { return r.Field == f })
			if r := p.Reasons[i]; r.From != c.wins || r.Rule != c.rule || r.Lost == "" {
				t.Errorf("%s, %s: %+v", c.name, f, r)
			}
			step := p.Workspace
			if c.wins == reconcile.Workspace {
				step = p.XDR
			}
			if step == nil || !strings.Contains(strings.Join(step.Write.Notes, "\n"), "gave way") {
				t.Errorf("%s, %s: the loser isn't told: %+v", c.name, f, step)
			}
		}
	}
}

func TestStatusAndReasonAreNeverMixed(t *testing.T) {
	in := pair()
	in.XDR.Resolution = port.Resolution{Status: "resolved", Classification: "truePositive", Reason: "malware"}
	in.Workspace.Resolution = port.Resolution{Status: "Active"}
	in.XDR.Stamps[port.FieldResolution] = port.Stamp{Actor: person, At: 10}
	in.Workspace.Stamps[port.FieldResolution] = port.Stamp{Actor: person, At: 20}
	settle(&in, reconcile.Decide(in))
	if want := (port.Resolution{Status: "inProgress"}); in.XDR.Resolution != want {
		t.Errorf("%+v", in.XDR.Resolution)
	}
}

func TestWhatTheOtherSideCantSayMakesNoWrite(t *testing.T) {
	in := pair()
	in.XDR.Resolution = port.Resolution{Status: "inProgress"}
	settle(&in, reconcile.Decide(in))
	in.XDR.Resolution = port.Resolution{Status: "awaitingAction", Classification: "truePositive", Reason: "phishing"}
	p := reconcile.Decide(in)
	if p.XDR != nil || p.Workspace != nil || p.Agreed.Resolution == nil {
		t.Fatalf("%+v", p)
	}
	settle(&in, p)
	in.Workspace.Owner = security.Owner{UPN: "carol"}
	p = reconcile.Decide(in)
	if p.XDR == nil || p.XDR.Write.Resolution != nil || p.XDR.Write.Owner == nil {
		t.Errorf("an edit of the owner touches the status: %+v", p.XDR)
	}
}

func TestAMergeBeatsEveryOtherChangeOfItsSource(t *testing.T) {
	in := pair()
	in.XDR.Resolution.Status = "redirected"
	in.XDR.Tags, in.XDR.Content.Alerts, in.XDR.Content.Redirect = nil, nil, "7"
	in.Workspace.Resolution = port.Resolution{Status: "Closed", Classification: "TruePositive", Reason: "SuspiciousActivity"}
	in.Workspace.Owner = security.Owner{UPN: "carol"}
	in.Workspace.Tags = append(in.Workspace.Tags, "late")
	in.Workspace.Comments = append(in.Workspace.Comments, security.Comment{ID: "c9", Text: "late"})
	p := reconcile.Decide(in)
	if p.XDR == nil || p.XDR.Write.Incident != "7" || p.XDR.Write.Owner != nil || p.XDR.Write.Resolution != nil ||
		!cmp.Equal(p.XDR.Write.AddTags, []string{"late"}) || len(p.XDR.Write.AddComments) != 1 || p.XDR.Write.AddComments[0].Origin != "29" {
		t.Fatalf("to the target: %+v", p.XDR)
	}
	settle(&in, p)
	w := in.Workspace
	if w.Resolution != (port.Resolution{Status: "Closed", Classification: "Undetermined", Comment: "Merged into incident 7 of the XDR."}) ||
		w.Owner.UPN != "bob@contoso.com" || len(w.Tags) != 0 || w.Content.Redirect != "7" || len(w.Comments) != 3 {
		t.Errorf("%+v", w)
	}
	if again := reconcile.Decide(in); !again.Empty() {
		t.Errorf("not settled: %+v", again)
	}
	// Parted again: the XDR's state holds, and it gets what had gone to the target.
	in.XDR.Resolution.Status, in.XDR.Content.Redirect, in.XDR.Content.Alerts = "active", "", []security.Alert{{ID: "da1"}}
	in.XDR.Tags = []string{"vip"}
	p = reconcile.Decide(in)
	if len(p.XDR.Write.AddComments) != 1 || p.XDR.Write.AddComments[0].ID != "c9" || p.XDR.Write.Incident != "29" || p.XDR.Write.Resolution != nil {
		t.Errorf("on parting: %+v", p.XDR)
	}
	for _, r := range p.Reasons {
		if (r.Field == port.FieldResolution || r.Field == reconcile.FieldContent) && r.Rule != reconcile.RuleParted {
			t.Errorf("%s", r)
		}
	}
	parted := in
	settle(&in, p)
	if in.Workspace.Resolution != (port.Resolution{Status: "New"}) || in.Workspace.Content.Redirect != "" || !cmp.Equal(in.Workspace.Tags, []string{"vip"}) {
		t.Errorf("after parting: %+v", in.Workspace)
	}
	if in.Base.Carried != nil || in.Base.Redirect != "" {
		t.Errorf("after parting: %+v", in.Base)
	}
	if again := reconcile.Decide(in); !again.Empty() {
		t.Errorf("not settled after parting: %+v", again)
	}
	// An edit of the parallel incident after the parting is an edit like others.
	w2 := *parted.Workspace
	w2.Resolution = port.Resolution{Status: "Active"}
	w2.Stamps = map[port.Field]port.Stamp{port.FieldResolution: {Actor: person, At: 20}}
	parted.Workspace = &w2
	parted.XDR.Stamps = map[port.Field]port.Stamp{port.FieldResolution: {Actor: person, At: 10}}
	if p := reconcile.Decide(parted); p.XDR == nil || p.XDR.Write.Resolution == nil || p.XDR.Write.Resolution.Status != "inProgress" || len(p.XDR.Write.Notes) != 1 {
		t.Errorf("a later edit: %+v", p.XDR)
	}
}

func TestOurOwnWritesAreNoNewsOfTheXDR(t *testing.T) {
	in := pair()
	in.XDR.Content.Updated, in.XDR.Content.LastModifier, in.XDR.Content.Severity = 77, person, security.Low
	if p := reconcile.Decide(in); !p.Empty() {
		t.Errorf("%+v", p)
	}
	in.XDR.Content.Alerts = []security.Alert{{ID: "da1", Version: 2}}
	p := reconcile.Decide(in)
	if p.Workspace == nil || p.Workspace.Write.Content == nil || p.Workspace.Write.IfVersion != 0 || p.XDR != nil {
		t.Errorf("an alert's change: %+v", p)
	}
}

func TestADeletedCommentStaysDeleted(t *testing.T) {
	in := pair()
	in.Workspace.Comments = nil
	if p := reconcile.Decide(in); !p.Empty() {
		t.Errorf("%+v", p)
	}
}

func TestAnEndThatTakesNoAlertsGetsNone(t *testing.T) {
	in := pair()
	in.WorkspaceCan.CreateAlerts, in.WorkspaceCan.Conditional = false, false
	in.XDR.Content.Title, in.XDR.Owner = "Longer story", security.Owner{}
	p := reconcile.Decide(in)
	if p.Workspace == nil || p.Workspace.Write.Content.Alerts != nil || p.Workspace.Write.IfVersion != 0 {
		t.Errorf("%+v", p.Workspace)
	}
}

// TestTheyAgreeWhateverHappens makes random edits on both sides, lets plans be
// carried out in part, and looks whether both agree at the end, with no edit
// lost but to a conflict and no write too many.
func TestTheyAgreeWhateverHappens(t *testing.T) {
	const histories = 6000
	conflicts := 0
	for seed := range uint64(histories) {
		r := rand.New(rand.NewPCG(seed, 1))
		in := pair()
		for round := range 1 + r.IntN(4) {
			edits(r, &in.XDR, fmt.Sprint("x", round), xdrResolutions)
			edits(r, in.Workspace, fmt.Sprint("w", round), workspaceResolutions)
			p := reconcile.Decide(in)
			for _, reason := range p.Reasons {
				if reason.Lost != "" {
					conflicts++
				}
			}
			switch r.IntN(4) { // a write may be refused: then only what the other one settles holds
			case 0:
				p.XDR = nil
			case 1:
				p.Workspace = nil
			}
			settle(&in, p)
		}
		first := reconcile.Decide(in)
		settle(&in, first)
		if again := reconcile.Decide(in); !again.Empty() {
			t.Fatalf("seed %d: not settled after one more decision: %+v\nthen %+v", seed, first, again)
		}
		if d := cmp.Diff(values(in.XDR), values(*in.Workspace)); d != "" {
			t.Fatalf("seed %d: sides differ (-xdr +workspace): %s", seed, d)
		}
		nothingIsLost(t, r, seed, in)
		agreed := in.Base.Resolution
		if in.Dictionary.ToWorkspace(in.XDR.Resolution, agreed) != in.Workspace.Resolution {
			t.Fatalf("seed %d: %+v on the XDR, %+v on the workspace", seed, in.XDR.Resolution, in.Workspace.Resolution)
		}
	}
	if conflicts < histories/10 {
		t.Errorf("only %d conflicts in %d histories", conflicts, histories)
	}
}

// nothingIsLost makes one more round of edits on sides that agree, and compares
// what comes of it with what each edit asked for.
func nothingIsLost(t *testing.T, r *rand.Rand, seed uint64, in reconcile.Input) {
	t.Helper()
	w := *in.Workspace
	w.Stamps = map[port.Field]port.Stamp{}
	in.Workspace = &w
	was, wasW := in.XDR, w
	edits(r, &in.XDR, "x-last", xdrResolutions)
	edits(r, in.Workspace, "w-last", workspaceResolutions)
	x, w := in.XDR, w
	settle(&in, reconcile.Decide(in))
	got := values(in.XDR)
	for _, tag := range []string{"a", "b", "vip", "d"} {
		had, onX, onW := has(was.Tags, tag), has(x.Tags, tag), has(w.Tags, tag)
		want := had && onX && onW || !had && (onX || onW)
		if has(in.XDR.Tags, tag) != want || has(in.Workspace.Tags, tag) != want {
			t.Errorf("seed %d: tag %s: before %t, then %t on the XDR and %t on the workspace, came out %t", seed, tag, had, onX, onW, !want)
		}
	}
	if want := values(port.Incident{Comments: append(slices.Clone(x.Comments), without(w.Comments, x.Comments)...)})["comments"]; !cmp.Equal(got["comments"], want) {
		t.Errorf("seed %d: comments %v, want %v", seed, got["comments"], want)
	}
	if onX, onW := x.Owner != was.Owner, w.Owner != wasW.Owner; onX != onW {
		want := x.Owner
		if onW {
			want = w.Owner
		}
		if in.XDR.Owner != want {
			t.Errorf("seed %d: owner %v, want %v", seed, in.XDR.Owner, want)
		}
	}
	if onX, onW := x.Resolution != was.Resolution, w.Resolution != wasW.Resolution; onX && !onW && in.XDR.Resolution != x.Resolution || onW && !onX && in.Workspace.Resolution != w.Resolution {
		t.Errorf("seed %d: resolution %+v and %+v, want %+v or %+v", seed, in.XDR.Resolution, in.Workspace.Resolution, x.Resolution, w.Resolution)
	}
}

func has(tags []string, tag string) bool {
	return slices.ContainsFunc(tags, func(s string) bool { return strings.EqualFold(s, tag) })
}

func without(a, b []security.Comment) []security.Comment {
	return slices.DeleteFunc(slices.Clone(a), func(c security.Comment) bool {
		return slices.ContainsFunc(b, func(d security.Comment) bool { return d.ID == c.ID })
	})
}

func TestWhatBothCameToIsNoConflict(t *testing.T) {
	in := pair()
	in.XDR.Resolution = port.Resolution{Status: "resolved", Classification: "falsePositive", Reason: "other"}
	in.Workspace.Resolution = port.Resolution{Status: "Closed", Classification: "FalsePositive", Reason: "IncorrectAlertLogic"}
	p := reconcile.Decide(in)
	if p.XDR != nil || p.Workspace != nil {
		t.Errorf("%+v", p)
	}
}

func TestAFirstAgreementWithAnIncidentThatIsThere(t *testing.T) {
	in := pair()
	in.Base = nil
	in.Workspace.Tags, in.Workspace.Owner = []string{"local"}, security.Owner{UPN: "carol"}
	settle(&in, reconcile.Decide(in))
	if p := reconcile.Decide(in); !p.Empty() {
		t.Errorf("not settled: %+v", p)
	}
	if !cmp.Equal(in.XDR.Tags, []string{"vip", "local"}) {
		t.Errorf("tags %v", in.XDR.Tags)
	}
	in.Workspace.Comments = nil // had by both, deleted here
	if p := reconcile.Decide(in); !p.Empty() {
		t.Errorf("a deleted comment comes back: %+v", p)
	}
}

// TestNothingAgreedIsNotNobody has one of the two writes of a first decision
// lost: the other one settles its own fields alone.
func TestNothingAgreedIsNotNobody(t *testing.T) {
	in := pair()
	in.Base = nil
	in.XDR.Owner = security.Owner{UPN: "u1"}
	in.XDR.Stamps[port.FieldOwner] = port.Stamp{Actor: bot, At: 1}
	in.Workspace.Owner = security.Owner{}
	in.Workspace.Stamps[port.FieldOwner] = port.Stamp{Actor: person, At: 2}
	in.XDR.Content.Title = "Another story" // for the workspace to be written to
	p := reconcile.Decide(in)
	if p.XDR == nil || p.XDR.Write.Owner == nil || !p.XDR.Write.Owner.IsZero() || p.Workspace == nil {
		t.Fatalf("%+v", p)
	}
	p.XDR = nil // lost
	settle(&in, p)
	again := reconcile.Decide(in)
	if again.XDR == nil || again.XDR.Write.Owner == nil || !again.XDR.Write.Owner.IsZero() {
		t.Errorf("a person's edit that was never written gives way: %+v", again.Reasons)
	}
}

func TestAMergedIncidentFollowsItsTarget(t *testing.T) {
	in := pair()
	in.XDR.Resolution.Status, in.XDR.Content.Redirect = "redirected", "7"
	settle(&in, reconcile.Decide(in))
	in.XDR.Content.Redirect = "5" // 7 was merged into 5
	settle(&in, reconcile.Decide(in))
	if in.Workspace.Resolution.Comment != "Merged into incident 5 of the XDR." || in.Workspace.Content.Redirect != "5" {
		t.Errorf("%+v", in.Workspace)
	}
}

var (
	xdrResolutions = []port.Resolution{
		{Status: "active"}, {Status: "inProgress"}, {Status: "awaitingAction"}, {Status: "active", Classification: "truePositive", Reason: "malware"},
		{Status: "resolved"}, {Status: "resolved", Classification: "falsePositive", Reason: "other"}, {Status: "resolved", Classification: "truePositive", Reason: "phishing", Comment: "c"},
	}
	workspaceResolutions = []port.Resolution{
		{Status: "New"}, {Status: "Active"}, {Status: "Closed", Classification: "Undetermined"},
		{Status: "Closed", Classification: "FalsePositive", Reason: "IncorrectAlertLogic"}, {Status: "Closed", Classification: "FalsePositive", Reason: "InaccurateData"},
		{Status: "Closed", Classification: "TruePositive", Reason: "SuspiciousActivity", Comment: "d"},
	}
)

func edits(r *rand.Rand, i *port.Incident, mark string, resolutions []port.Resolution) {
	stamp := port.Stamp{Actor: []security.Actor{person, bot, nobody}[r.IntN(3)], At: schema.Ticks(r.IntN(1100))}
	if r.IntN(3) == 0 {
		i.Resolution = resolutions[r.IntN(len(resolutions))]
		i.Stamps[port.FieldResolution] = stamp
	}
	if r.IntN(3) == 0 {
		i.Owner = security.Owner{UPN: []string{"", "a", "b", "c"}[r.IntN(4)]}
		i.Stamps[port.FieldOwner] = stamp
	}
	if r.IntN(3) == 0 {
		i.Severity = []security.Severity{security.Low, security.Medium, security.High}[r.IntN(3)]
		i.Stamps[port.FieldSeverity] = stamp
	}
	if r.IntN(3) == 0 {
		tag := []string{"a", "b", "VIP", "d"}[r.IntN(4)]
		if at := slices.IndexFunc(i.Tags, func(s string) bool { return strings.EqualFold(s, tag) }); at >= 0 {
			i.Tags = slices.Delete(slices.Clone(i.Tags), at, at+1)
		} else {
			i.Tags = append(slices.Clone(i.Tags), tag)
		}
	}
	if r.IntN(4) == 0 {
		i.Comments = append(slices.Clone(i.Comments), security.Comment{ID: mark})
	}
}
