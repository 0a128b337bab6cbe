package reconcile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/schema"
	"lockstep/security"
)

// told is what a plan says of itself: its reasons, and its notes for the activity logs.
func told(p reconcile.Plan) string {
	var lines []string
	for _, r := range p.Reasons {
		lines = append(lines, r.String())
	}
	for name, s := range map[string]*reconcile.Step{"XDR": p.XDR, "workspace": p.Workspace} {
		if s != nil {
			for _, note := range s.Write.Notes {
				lines = append(lines, "To the "+name+": "+note)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func TestEveryDecisionIsToldInSentences(t *testing.T) {
	ann := port.Stamp{Actor: security.Actor{Kind: security.Person, Name: "ann"}, At: 20}
	byID := port.Stamp{Actor: security.Actor{Kind: security.Person, ID: "id-7"}, At: 10}
	for _, c := range []struct {
		name   string
		change func(*reconcile.Input)
		want   string
	}{
		{"nothing", func(*reconcile.Input) {}, ``},
		{"created", func(in *reconcile.Input) { in.Workspace, in.Base = nil, nil },
			`Content: Story, from the xdr, because the workspace had no incident for it.`},
		{"the XDR's status alone", func(in *reconcile.Input) { in.XDR.Resolution.Status = "inProgress" },
			`Status and closing reason: inProgress, from the xdr, by somebody unknown, because the other side had not changed it.`},
		{"status and owner in conflict", func(in *reconcile.Input) {
			in.XDR.Resolution = port.Resolution{Status: "resolved", Classification: "truePositive", Reason: "malware", Comment: "seen"}
			in.Workspace.Resolution = port.Resolution{Status: "Closed", Classification: "Undetermined"}
			in.XDR.Stamps[port.FieldResolution], in.Workspace.Stamps[port.FieldResolution] = ann, byID
		}, `Status and closing reason: resolved, truePositive/malware ("seen"), from the xdr, by ann, because of equal edits the later one holds; Closed, Undetermined by id-7 gave way.
To the workspace: Status and closing reason Closed, Undetermined, set by id-7, gave way to resolved, truePositive/malware ("seen"), set by ann on the other side: of equal edits the later one holds.`},
		{"a conflict that the workspace wins", func(in *reconcile.Input) {
			in.XDR.Owner, in.Workspace.Owner = security.Owner{}, security.Owner{ObjectID: "oid-1"}
			in.XDR.Stamps[port.FieldOwner], in.Workspace.Stamps[port.FieldOwner] = port.Stamp{At: 5}, ann
		}, `Owner: oid-1, from the workspace, by ann, because of equal edits the later one holds; nobody by somebody unknown gave way.
To the XDR: Owner nobody, set by somebody unknown, gave way to oid-1, set by ann on the other side: of equal edits the later one holds.`},
		{"both came to the same", func(in *reconcile.Input) {
			in.XDR.Severity, in.Workspace.Severity = security.Low, security.Low
			in.XDR.Resolution, in.Workspace.Resolution = port.Resolution{Status: "inProgress"}, port.Resolution{Status: "Active"}
		}, `Status and closing reason: Active, because both sides had come to the same.
Severity: low, because both sides had come to the same.`},
		{"tags", func(in *reconcile.Input) {
			in.XDR.Tags, in.Workspace.Tags = []string{"new", "vip"}, []string{"other", "more"}
		}, `Tags: added new, from the xdr, by somebody unknown, because members of both sides stay.
Tags: added other, more; removed vip, from the workspace, by somebody unknown, because members of both sides stay.`},
		{"a tag that came", func(in *reconcile.Input) { in.XDR.Tags = []string{"vip", "new"} },
			`Tags: added new, from the xdr, by somebody unknown, because members of both sides stay.`},
		{"a tag that went", func(in *reconcile.Input) { in.Workspace.Tags = nil },
			`Tags: removed vip, from the workspace, by somebody unknown, because members of both sides stay.`},
		{"comments", func(in *reconcile.Input) {
			in.XDR.Comments = append(in.XDR.Comments, security.Comment{ID: "c2"}, security.Comment{ID: "c3"})
			in.Workspace.Comments = append(in.Workspace.Comments, security.Comment{ID: "c4"})
		}, `Comments: 2 comments, from the xdr, by somebody unknown, because members of both sides stay.
Comments: 1 comment, from the workspace, by somebody unknown, because members of both sides stay.`},
		{"content", func(in *reconcile.Input) { in.XDR.Content.Title = "Longer story" },
			`Content, from the xdr, because the other side had not changed it.`},
		{"merged", func(in *reconcile.Input) {
			in.XDR.Resolution.Status, in.XDR.Content.Redirect, in.XDR.Tags = "redirected", "7", nil
			in.Workspace.Resolution = port.Resolution{Status: "Closed", Classification: "TruePositive", Reason: "SuspiciousActivity"}
			in.Workspace.Comments = append(in.Workspace.Comments, security.Comment{ID: "c9"})
			in.Workspace.Stamps[port.FieldResolution] = ann
		}, `Status and closing reason: Closed, Undetermined ("Merged into incident 7 of the XDR."), from the xdr, by somebody unknown, because a merge beats every other change of its source; Closed, TruePositive/SuspiciousActivity by ann gave way.
Tags: removed vip, from the xdr, by somebody unknown, because a merge beats every other change of its source.
Comments: 1 comment, from the workspace, because it went on to the incident that this one was merged into.
Content, from the xdr, because a merge beats every other change of its source.
To the workspace: Status and closing reason Closed, TruePositive/SuspiciousActivity, set by ann, gave way to Closed, Undetermined ("Merged into incident 7 of the XDR."), set by somebody unknown on the other side: a merge beats every other change of its source.`},
		{"merged, the workspace as it was", func(in *reconcile.Input) {
			in.XDR.Resolution.Status, in.XDR.Content.Redirect = "redirected", "7"
		}, `Status and closing reason: Closed, Undetermined ("Merged into incident 7 of the XDR."), from the xdr, by somebody unknown, because a merge beats every other change of its source.
Content, from the xdr, because a merge beats every other change of its source.`},
	} {
		in := pair()
		c.change(&in)
		if d := cmp.Diff(c.want, told(reconcile.Decide(in))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestADeltaIsEmptyOnlyIfNothingIsInIt(t *testing.T) {
	if !(reconcile.Delta{}).Empty() || !(reconcile.Plan{}).Empty() {
		t.Error("nothing isn't empty")
	}
	text := ""
	severity := security.Low
	for name, d := range map[string]reconcile.Delta{
		"resolution": {Resolution: &reconcile.Pair{}}, "owner": {Owner: &security.Owner{}}, "severity": {Severity: &severity},
		"tag": {AddTags: []string{"a"}}, "removed tag": {RemoveTags: []string{"a"}}, "comment": {Comments: []string{"c"}},
		"content": {Content: &text}, "redirect": {Redirect: &text},
	} {
		if d.Empty() || (reconcile.Plan{Agreed: d}).Empty() {
			t.Errorf("%s: empty", name)
		}
	}
	if (reconcile.Plan{XDR: &reconcile.Step{}}).Empty() || (reconcile.Plan{Workspace: &reconcile.Step{}}).Empty() {
		t.Error("a write is nothing")
	}
}

// TestShownIsThePartThatAnIncidentShows: what may have been written to an end
// that can't be asked.
func TestShownIsThePartThatAnIncidentShows(t *testing.T) {
	pair := reconcile.Pair{XDR: port.Resolution{Status: "resolved"}, Workspace: port.Resolution{Status: "Closed", Classification: "Undetermined"}}
	low, digest := security.Low, "d"
	d := reconcile.Delta{
		Resolution: &pair, Owner: &security.Owner{UPN: "ann"}, Severity: &low,
		AddTags: []string{"a", "b"}, RemoveTags: []string{"c", "d"}, Comments: []string{"c1", "c2"}, Content: &digest, Redirect: &digest,
	}
	shows := port.Incident{
		Resolution: port.Resolution{Status: "resolved", Classification: "unknown"}, Owner: security.Owner{UPN: "Ann"}, Severity: security.Low,
		Tags: []string{"A", "d"}, Comments: []security.Comment{{ID: "c2"}},
	}
	want := reconcile.Delta{Resolution: &pair, Owner: d.Owner, Severity: &low, AddTags: []string{"a"}, RemoveTags: []string{"c"}, Comments: []string{"c2"}, Content: new(string)}
	if diff := cmp.Diff(want, d.Shown(reconcile.XDR, shows)); diff != "" {
		t.Errorf("on the XDR: %s", diff)
	}
	if got := d.Shown(reconcile.Workspace, shows); got.Resolution != nil {
		t.Errorf("the XDR's words on the workspace: %+v", got.Resolution)
	}
	shows.Resolution = pair.Workspace
	if got := d.Shown(reconcile.Workspace, shows); got.Resolution != &pair {
		t.Error("the workspace's words aren't known there")
	}
	if got := d.Shown(reconcile.XDR, shows); got.Resolution != nil {
		t.Errorf("the workspace's words on the XDR: %+v", got.Resolution)
	}
	if got := d.Shown(reconcile.XDR, port.Incident{Tags: []string{"c", "d"}, Owner: security.Owner{UPN: "bob"}}); !cmp.Equal(got, reconcile.Delta{Content: new(string)}) {
		t.Errorf("an incident that shows nothing of it: %+v, want the content as not known", got)
	}
	if got := (reconcile.Delta{}).Shown(reconcile.XDR, shows); !got.Empty() {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestUnsetAndUnknownAreTheSame(t *testing.T) {
	in := pair()
	in.XDR.Resolution.Classification, in.XDR.Resolution.Reason = "unknown", "unknown"
	if p := reconcile.Decide(in); !p.Empty() {
		t.Errorf("%+v", p)
	}
	in.XDR.Severity = security.SeverityUnknown
	p := reconcile.Decide(in)
	if p.Workspace == nil || p.Workspace.Write.Severity == nil || *p.Workspace.Write.Severity != security.Informational {
		t.Errorf("an unknown severity: %+v", p.Workspace)
	}
}

func TestAWriteNamesWhoseItIs(t *testing.T) {
	in := pair()
	stamp := port.Stamp{Actor: person, At: 900}
	in.XDR.Content.Title, in.XDR.Content.LastModifier = "Longer story", bot
	p := reconcile.Decide(in)
	if w := p.Workspace.Write; w.Actor != bot || w.At != now || w.Partner != "29" || w.IfVersion != 0 || w.Incident != "name" {
		t.Errorf("content alone: %+v", w)
	}
	in.XDR.Owner, in.XDR.Stamps[port.FieldOwner] = security.Owner{UPN: "carol"}, stamp
	p = reconcile.Decide(in)
	if w := p.Workspace.Write; w.Actor != person || w.At != 900 || w.Partner != "29" || w.IfVersion != in.Workspace.Version {
		t.Errorf("content and owner: %+v", w)
	}
	for _, change := range []func(*port.Incident){
		func(i *port.Incident) { i.Resolution.Status = "inProgress" }, func(i *port.Incident) { i.Severity = security.Low },
		func(i *port.Incident) { i.Tags = append(i.Tags, "x") }, func(i *port.Incident) { i.Tags = nil },
		func(i *port.Incident) { i.Comments = append(i.Comments, security.Comment{ID: "c2"}) },
	} {
		in := pair()
		in.XDR.Content.Title = "Longer story"
		change(&in.XDR)
		if w := reconcile.Decide(in).Workspace.Write; w.Content == nil || w.IfVersion != in.Workspace.Version {
			t.Errorf("content and more: %+v", w)
		}
	}
	in = pair()
	in.XDR.Owner = security.Owner{UPN: "carol"}
	if w := reconcile.Decide(in).Workspace.Write; w.Partner != "" || w.Content != nil {
		t.Errorf("no content: %+v", w)
	}
	in = pair()
	in.Workspace.Content.LastModifier = bot
	in.Workspace.Tags = nil
	if w := reconcile.Decide(in).XDR.Write; w.Incident != "29" || w.IfVersion != 3 || w.Partner != "" {
		t.Errorf("to the XDR: %+v", w)
	}
}

func TestANewIncidentTakesOverWhoSetWhat(t *testing.T) {
	in := pair()
	in.Workspace, in.Base = nil, nil
	for n, f := range []port.Field{port.FieldResolution, port.FieldOwner, port.FieldSeverity, port.FieldTags} {
		in.XDR.Stamps[f] = port.Stamp{Actor: person, At: schema.Ticks(500 + n)}
	}
	in.XDR.Stamps[port.FieldTags] = port.Stamp{Actor: bot, At: now + 7}
	p := reconcile.Decide(in)
	want := map[port.Field]port.Stamp{
		port.FieldResolution: {Actor: person, At: 500}, port.FieldOwner: {Actor: person, At: 501}, port.FieldSeverity: {Actor: person, At: 502},
		port.FieldTags: {Actor: bot, At: now}, // never later than the receipt
	}
	if d := cmp.Diff(want, p.Workspace.Write.Stamps); d != "" {
		t.Error(d)
	}
	if w := p.Workspace.Write; w.Actor != person || w.At != 500 || w.IfVersion != 0 {
		t.Errorf("%+v", w)
	}
}

// TestAMergedIncidentIsEmptiedAndSaysWhere: both when it was known before, and
// when it is merged before the workspace ever saw it.
func TestAMergedIncidentIsEmptiedAndSaysWhere(t *testing.T) {
	comment := security.Comment{
		ID:     security.DerivedID("merge comment", "29\x007"),
		Author: security.Actor{Kind: security.System, Name: reconcile.MergeActor}, Text: "Merged into incident 7 of the XDR.", Created: now,
	}
	merged := func(in *reconcile.Input) {
		in.XDR.Resolution.Status, in.XDR.Content.Redirect = "redirected", "7"
	}
	in := pair()
	merged(&in)
	in.Workspace.Tags = nil // taken off meanwhile: the source isn't written to, so it comes back
	in.Workspace.Comments = append(in.Workspace.Comments, security.Comment{ID: "c8", Text: "late"}, security.Comment{ID: "c9", Text: "later", Origin: "3"})
	p := reconcile.Decide(in)
	if d := cmp.Diff([]security.Comment{comment}, p.Workspace.Write.AddComments); d != "" {
		t.Error(d)
	}
	if !cmp.Equal(p.Workspace.Write.AddTags, []string{"vip"}) {
		t.Errorf("tags %v", p.Workspace.Write.AddTags)
	}
	want := []security.Comment{
		{ID: security.DerivedID("merged comment", "29\x00c8"), Text: "late", Origin: "29"},
		{ID: "c9", Text: "later", Origin: "3"}, // a copy already
	}
	if d := cmp.Diff(want, p.XDR.Write.AddComments); d != "" || p.XDR.Write.IfVersion != 0 || p.XDR.Write.Incident != "7" {
		t.Errorf("%+v: %s", p.XDR.Write, d)
	}
	if d := cmp.Diff(reconcile.Delta{Carried: []string{"c8", "c9"}}, p.XDR.Settles); d != "" {
		t.Error(d)
	}

	in = pair()
	in.Workspace, in.Base = nil, nil
	merged(&in)
	p = reconcile.Decide(in)
	if d := cmp.Diff([]security.Comment{{ID: "c1", Text: "one"}, comment}, p.Workspace.Write.AddComments); d != "" {
		t.Error(d)
	}
	if p.Workspace.Settles.Redirect == nil || *p.Workspace.Settles.Redirect != "7" || p.XDR != nil {
		t.Errorf("%+v", p)
	}
}

// TestAFirstAgreementSettlesEveryField: with nothing agreed before, what both
// have alike is agreed and the rest decided.
func TestAFirstAgreementSettlesEveryField(t *testing.T) {
	in := pair()
	in.Base = nil
	p := reconcile.Decide(in)
	a := p.Agreed
	if a.Resolution == nil || a.Owner == nil || a.Severity == nil || !cmp.Equal(a.AddTags, []string{"vip"}) || !cmp.Equal(a.Comments, []string{"c1"}) || p.XDR != nil {
		t.Errorf("%+v", p)
	}
	if w := p.Workspace; w == nil || w.Write.Content == nil || w.Write.Resolution != nil || w.Write.Owner != nil {
		t.Errorf("%+v", w)
	}
	in.Workspace.Resolution = port.Resolution{Status: "Active"}
	in.XDR.Stamps[port.FieldResolution], in.Workspace.Stamps[port.FieldResolution] = port.Stamp{Actor: person, At: 1}, port.Stamp{Actor: person, At: 2}
	p = reconcile.Decide(in)
	if p.XDR == nil || p.XDR.Write.Resolution == nil || p.XDR.Write.Resolution.Status != "inProgress" {
		t.Errorf("%+v", p.XDR)
	}
	in.XDR.Stamps[port.FieldResolution] = port.Stamp{Actor: person, At: 3}
	p = reconcile.Decide(in)
	if p.XDR != nil || p.Workspace.Write.Resolution == nil || p.Workspace.Write.Resolution.Status != "New" {
		t.Errorf("the XDR's later edit: %+v", p)
	}
}
