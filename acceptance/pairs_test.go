package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// reason is a status with its closing reason: classification and determination
// of the XDR, classification and reason of the workspace.
type reason struct{ status, class, why string }

// fromXDR is what each status and closing reason of the XDR is in the
// workspace. Source: facts 3.3, 3.4.
var fromXDR = []struct{ set, want reason }{
	{reason{"inProgress", "", ""}, reason{"Active", "", ""}},
	{reason{"awaitingAction", "", ""}, reason{"Active", "", ""}},
	{reason{"resolved", "truePositive", "multiStagedAttack"}, reason{"Closed", "TruePositive", "SuspiciousActivity"}},
	{reason{"resolved", "truePositive", "maliciousUserActivity"}, reason{"Closed", "TruePositive", "SuspiciousActivity"}},
	{reason{"resolved", "truePositive", "compromisedAccount"}, reason{"Closed", "TruePositive", "SuspiciousActivity"}},
	{reason{"resolved", "truePositive", "malware"}, reason{"Closed", "TruePositive", "SuspiciousActivity"}},
	{reason{"resolved", "truePositive", "phishing"}, reason{"Closed", "TruePositive", "SuspiciousActivity"}},
	{reason{"resolved", "truePositive", "unwantedSoftware"}, reason{"Closed", "TruePositive", "SuspiciousActivity"}},
	{reason{"resolved", "truePositive", "other"}, reason{"Closed", "TruePositive", "SuspiciousActivity"}},
	{reason{"active", "", ""}, reason{"New", "", ""}},
	{reason{"resolved", "informationalExpectedActivity", "securityTesting"}, reason{"Closed", "BenignPositive", "SuspiciousButExpected"}},
	{reason{"resolved", "informationalExpectedActivity", "lineOfBusinessApplication"}, reason{"Closed", "BenignPositive", "SuspiciousButExpected"}},
	{reason{"resolved", "informationalExpectedActivity", "confirmedActivity"}, reason{"Closed", "BenignPositive", "SuspiciousButExpected"}},
	{reason{"resolved", "informationalExpectedActivity", "other"}, reason{"Closed", "BenignPositive", "SuspiciousButExpected"}},
	{reason{"resolved", "falsePositive", "notMalicious"}, reason{"Closed", "FalsePositive", "InaccurateData"}},
	{reason{"resolved", "falsePositive", "notEnoughDataToValidate"}, reason{"Closed", "FalsePositive", "InaccurateData"}},
	{reason{"resolved", "falsePositive", "other"}, reason{"Closed", "FalsePositive", "InaccurateData"}},
	{reason{"resolved", "unknown", "unknown"}, reason{"Closed", "Undetermined", ""}},
}

// fromWorkspace is what each status and closing reason of the workspace is on
// the XDR, for an incident that had no determination of its own.
// Source: facts 3.3, 3.4 (its proposal for the determinations).
var fromWorkspace = []struct{ set, want reason }{
	{reason{"Active", "", ""}, reason{"inProgress", "unknown", "unknown"}},
	{reason{"Closed", "TruePositive", "SuspiciousActivity"}, reason{"resolved", "truePositive", "other"}},
	{reason{"New", "", ""}, reason{"active", "unknown", "unknown"}},
	{reason{"Closed", "BenignPositive", "SuspiciousButExpected"}, reason{"resolved", "informationalExpectedActivity", "confirmedActivity"}},
	{reason{"New", "", ""}, reason{"active", "unknown", "unknown"}},
	{reason{"Closed", "FalsePositive", "InaccurateData"}, reason{"resolved", "falsePositive", "notMalicious"}},
	{reason{"New", "", ""}, reason{"active", "unknown", "unknown"}},
	{reason{"Closed", "FalsePositive", "IncorrectAlertLogic"}, reason{"resolved", "falsePositive", "other"}},
	{reason{"New", "", ""}, reason{"active", "unknown", "unknown"}},
	{reason{"Closed", "Undetermined", ""}, reason{"resolved", "unknown", "unknown"}},
}

// crossed is one new incident on both sides, to edit.
func (h *house) crossed(name string) (xdr string, ws wsIncident) {
	h.t.Helper()
	h.send(alert{"da-" + name, "Detection of " + name, "medium", "pc-" + name, "", time.Now()})
	xdr = h.incidentOf("da-" + name)
	return xdr, h.parallel(xdr, "a new incident crosses", anyState)
}

// patch edits an incident of the XDR as an analyst's client does.
func (h *house) patch(id string, members map[string]any) {
	h.t.Helper()
	h.must(toGraph, "PATCH", "/v1.0/security/incidents/"+id, members, nil)
}

// put edits an incident of the workspace as an analyst's client does: it reads
// it and sends the whole of it back with some properties changed.
func (h *house) put(name string, change map[string]any) {
	h.t.Helper()
	var whole struct {
		ETag       string         `json:"etag"`
		Properties map[string]any `json:"properties"`
	}
	h.must(toARM, "GET", h.insights("incidents/"+name), nil, &whole)
	for _, closing := range []string{"classification", "classificationReason", "classificationComment"} {
		delete(whole.Properties, closing)
	}
	for k, v := range change {
		whole.Properties[k] = v
	}
	h.must(toARM, "PUT", h.insights("incidents/"+name), whole, nil)
}

// TestEveryReasonCrosses sets every status and every closing reason on either
// side and reads it on the other.
func TestEveryReasonCrosses(t *testing.T) {
	h := start(t)
	id, _ := h.crossed("reasons-x")
	for n, c := range fromXDR {
		comment := ""
		body := map[string]any{"status": c.set.status}
		if c.set.class != "" {
			comment = fmt.Sprintf("closed for the %d. time", n)
			body["classification"], body["determination"], body["resolvingComment"] = c.set.class, c.set.why, comment
		}
		h.patch(id, body)
		h.parallel(id, fmt.Sprintf("%v crosses", c.set), func(i wsIncident) error {
			p := i.Properties
			if got := (reason{p.Status, p.Classification, p.ClassificationReason}); got != c.want || p.ClassificationComment != comment {
				return fmt.Errorf("it is %v %q, want %v %q", got, p.ClassificationComment, c.want, comment)
			}
			return nil
		})
	}
	id, ws := h.crossed("reasons-w")
	for n, c := range fromWorkspace {
		body := map[string]any{"status": c.set.status}
		if c.set.class != "" {
			body["classification"], body["classificationComment"] = c.set.class, fmt.Sprintf("closed for the %d. time", n)
		}
		if c.set.why != "" {
			body["classificationReason"] = c.set.why
		}
		h.put(ws.Name, body)
		h.eventually(crossing, fmt.Sprintf("%v crosses", c.set), func() error {
			i := h.xdrIncident(id)
			if got := (reason{i.Status, i.Classification, i.Determination}); got != c.want {
				return fmt.Errorf("it is %v, want %v", got, c.want)
			}
			return nil
		})
		if back := h.settledIncident(id).Properties; (reason{back.Status, back.Classification, back.ClassificationReason}) != c.set {
			t.Errorf("%v came back as %s %s/%s", c.set, back.Status, back.Classification, back.ClassificationReason)
		}
	}
}

// settledIncident is the workspace's incident once nothing is left to do.
func (h *house) settledIncident(id string) wsIncident {
	h.t.Helper()
	h.settle()
	return h.wsIncidents()[id]
}

// TestEveryEditCrosses makes each other edit on either side and reads it on
// the other: comments, owners known and unknown, tags.
func TestEveryEditCrosses(t *testing.T) {
	h := start(t)
	id, ws := h.crossed("edits")
	inWorkspace := func(what string, ok func(wsIncident) bool) func() {
		return func() {
			t.Helper()
			h.parallel(id, what, func(i wsIncident) error {
				if !ok(i) {
					return fmt.Errorf("owner %q, labels %q", i.owner(), i.labels())
				}
				return nil
			})
		}
	}
	onXDR := func(what string, ok func(xdrIncident) bool) func() {
		return func() {
			t.Helper()
			h.eventually(crossing, what, func() error {
				if i := h.xdrIncident(id); !ok(i) {
					return fmt.Errorf("owner %q, tags %q, comments %v", i.AssignedTo, i.CustomTags, i.Comments)
				}
				return nil
			})
		}
	}
	label := func(names ...string) []map[string]any {
		list := []map[string]any{}
		for _, n := range names {
			list = append(list, map[string]any{"labelName": n, "labelType": "User"})
		}
		return list
	}
	steps := []struct {
		edit func()
		read func()
	}{
		{func() { h.patch(id, map[string]any{"assignedTo": "mia@tailwind.example"}) },
			inWorkspace("assigning on the XDR", func(i wsIncident) bool { return i.owner() == "mia@tailwind.example" })},
		{func() { h.patch(id, map[string]any{"assignedTo": nil}) },
			inWorkspace("unassigning on the XDR", func(i wsIncident) bool { return i.owner() == "" })},
		{func() { h.patch(id, map[string]any{"assignedTo": "Nobody Knows"}) },
			inWorkspace("an owner whom no directory knows", func(i wsIncident) bool { return i.owner() == "Nobody Knows" })},
		{func() {
			h.put(ws.Name, map[string]any{"owner": map[string]any{"userPrincipalName": "noah@tailwind.example"}})
		},
			onXDR("assigning in the workspace", func(i xdrIncident) bool { return i.AssignedTo == "noah@tailwind.example" })},
		{func() { h.put(ws.Name, map[string]any{"owner": map[string]any{"email": "stranger@elsewhere.example"}}) },
			onXDR("an owner by mail alone", func(i xdrIncident) bool { return i.AssignedTo == "stranger@elsewhere.example" })},
		{func() { h.put(ws.Name, map[string]any{"owner": nil}) },
			onXDR("unassigning in the workspace", func(i xdrIncident) bool { return i.AssignedTo == "" })},
		{func() { h.patch(id, map[string]any{"customTags": []string{"VIP", "phish wave"}}) },
			inWorkspace("tagging on the XDR", func(i wsIncident) bool { return i.labels() == "VIP,phish wave" })},
		{func() { h.patch(id, map[string]any{"customTags": []string{"phish wave"}}) },
			inWorkspace("taking a tag off on the XDR", func(i wsIncident) bool { return i.labels() == "phish wave" })},
		{func() { h.put(ws.Name, map[string]any{"labels": label("phish wave", "Größe")}) },
			onXDR("tagging in the workspace", func(i xdrIncident) bool {
				return slices.Contains(i.CustomTags, "Größe") && len(i.CustomTags) == 2
			})},
		{func() { h.put(ws.Name, map[string]any{"labels": label()}) },
			onXDR("taking all tags off in the workspace", func(i xdrIncident) bool { return len(i.CustomTags) == 0 })},
		{func() {
			h.must(toGraph, "POST", "/v1.0/security/incidents/"+id+"/comments", map[string]any{"@odata.type": "microsoft.graph.security.alertComment", "comment": "seen on <b>both</b>"}, nil)
		}, func() {
			h.eventually(crossing, "a comment on the XDR", func() error {
				if got := h.comments(ws.Name); !slices.Equal(got, []string{"seen on <b>both</b>"}) {
					return fmt.Errorf("the workspace has %q", got)
				}
				return nil
			})
		}},
		{func() {
			h.must(toARM, "PUT", h.insights("incidents/"+ws.Name+"/comments/4f5f3d3e-0c11-4c15-9d9f-7f4f4d6b7a01"), map[string]any{"properties": map[string]any{"message": "and back"}}, nil)
		}, onXDR("a comment in the workspace", func(i xdrIncident) bool {
			return len(i.Comments) == 2 && slices.ContainsFunc(i.Comments, func(c struct{ Comment, CreatedByDisplayName string }) bool { return c.Comment == "and back" })
		})},
	}
	for _, s := range steps {
		s.edit()
		s.read()
	}
	h.settle()
	if got := h.comments(ws.Name); len(got) != 2 {
		t.Errorf("the workspace ends with the comments %q, want both once", got)
	}
	if story := h.run("sync", "explain", id); strings.Contains(story, "gave way") {
		t.Errorf("edits on one side at a time made a conflict:\n%s", story)
	}
}

// comments are the messages of a workspace incident's comments.
func (h *house) comments(name string) []string {
	h.t.Helper()
	var page struct {
		Value []struct{ Properties struct{ Message string } }
	}
	h.must(toARM, "GET", h.insights("incidents/"+name+"/comments"), nil, &page)
	texts := []string{}
	for _, c := range page.Value {
		texts = append(texts, c.Properties.Message)
	}
	slices.Sort(texts)
	return texts
}
