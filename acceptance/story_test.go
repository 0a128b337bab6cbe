package acceptance

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

// crossing is how long a change may take to the other side.
const crossing = 10 * time.Second

// alert is an alert of ours in the Graph shape.
type alert struct {
	id, title, severity, host, user string
	at                              time.Time
}

func (a alert) body() map[string]any {
	at := a.at.UTC().Format(time.RFC3339Nano)
	evidence := []map[string]any{}
	if a.host != "" {
		evidence = append(evidence, map[string]any{
			"@odata.type": "#microsoft.graph.security.deviceEvidence", "createdDateTime": at, "verdict": "suspicious", "roles": []string{"attacked"},
			"mdeDeviceId": fmt.Sprintf("%040x", []byte(a.host)), "deviceDnsName": a.host + ".tailwind.example", "hostName": a.host, "osPlatform": "Windows11",
		})
	}
	if a.user != "" {
		evidence = append(evidence, map[string]any{
			"@odata.type": "#microsoft.graph.security.userEvidence", "createdDateTime": at, "verdict": "suspicious", "roles": []string{"compromised"},
			"userAccount": map[string]any{"accountName": a.user, "domainName": "TAILWIND", "userPrincipalName": a.user + "@tailwind.example", "displayName": a.user},
		})
	}
	return map[string]any{
		"@odata.type": "#microsoft.graph.security.alert", "id": a.id, "providerAlertId": strings.TrimPrefix(a.id, "da"), "title": a.title,
		"description": "Made by the acceptance test: " + a.title, "severity": a.severity, "status": "new", "category": "Execution",
		"serviceSource": "microsoftDefenderForEndpoint", "detectionSource": "microsoftDefenderForEndpoint", "mitreTechniques": []string{"T1059"},
		"createdDateTime": at, "lastUpdateDateTime": at, "firstActivityDateTime": at, "lastActivityDateTime": at, "evidence": evidence,
	}
}

// receipt is the answer to a delivery.
type receipt struct {
	Accepted, Repeats int
	Refused           []struct {
		Record               int
		Table, Field, Reason string
	}
	Repeat bool
}

// send delivers alerts over the ingest API.
func (h *house) send(alerts ...alert) receipt {
	h.t.Helper()
	var lines []string
	for _, a := range alerts {
		line, _ := json.Marshal(a.body())
		lines = append(lines, string(line))
	}
	var got receipt
	h.must(toIngest, "POST", "/ingest/v1/alerts?shape=graph", strings.Join(lines, "\n"), &got)
	return got
}

// incidentOf gives the live incident that holds an alert.
func (h *house) incidentOf(alert string) string {
	h.t.Helper()
	var a struct{ IncidentID string }
	h.must(toGraph, "GET", "/v1.0/security/alerts_v2/"+url.PathEscape(alert), nil, &a)
	return a.IncidentID
}

// parallel waits until the workspace shows an XDR incident as ok wants it.
func (h *house) parallel(id string, what string, ok func(wsIncident) error) wsIncident {
	h.t.Helper()
	var found wsIncident
	h.eventually(crossing, what, func() error {
		i, there := h.wsIncidents()[id]
		if !there {
			return fmt.Errorf("the workspace hasn't incident %s", id)
		}
		found = i
		return ok(i)
	})
	return found
}

func anyState(wsIncident) error { return nil }

// history gives the SecurityIncident rows of an incident, oldest first.
func (h *house) history(number int) [][]string {
	h.t.Helper()
	return h.rows("workspace", fmt.Sprintf("SecurityIncident | where IncidentNumber == %d | project LastModifiedTime, Status, Classification, ClassificationReason, tostring(Owner.userPrincipalName) | sort by LastModifiedTime asc", number))
}

// TestEditsCross edits an incident on either side and reads it on the other.
func TestEditsCross(t *testing.T) {
	h := start(t)
	now := time.Now()
	h.send(alert{"da-edit-1", "Suspicious PowerShell", "medium", "pc-edit", "mia", now})
	id := h.incidentOf("da-edit-1")
	ws := h.parallel(id, "a new incident crosses", anyState)
	rowsBefore := len(h.settled(ws.Properties.IncidentNumber))
	x0, w0 := h.version("xdr", id), h.version("workspace", ws.Name)

	h.must(toGraph, "PATCH", "/v1.0/security/incidents/"+id, map[string]any{
		"status": "resolved", "classification": "truePositive", "determination": "malware", "assignedTo": "mia@tailwind.example"}, nil)
	ws = h.parallel(id, "a resolved incident closes", func(i wsIncident) error {
		p := i.Properties
		if p.Status != "Closed" || p.Classification != "TruePositive" || p.ClassificationReason != "SuspiciousActivity" || !strings.HasPrefix(i.owner(), "mia") {
			return fmt.Errorf("%s %s/%s owner %q", p.Status, p.Classification, p.ClassificationReason, i.owner())
		}
		return nil
	})
	if x, w := h.version("xdr", id), h.version("workspace", ws.Name); x != x0+1 || w != w0+1 {
		t.Errorf("one edit raised the versions from %d and %d to %d and %d, want one each", x0, w0, x, w)
	}
	if got := h.settled(ws.Properties.IncidentNumber); len(got) != rowsBefore+1 {
		t.Errorf("one edit added %d SecurityIncident rows, want 1: %v", len(got)-rowsBefore, got)
	}

	body := map[string]any{"etag": ws.ETag, "properties": map[string]any{
		"title": ws.Properties.Title, "severity": ws.Properties.Severity, "status": "Active",
		"owner": map[string]any{"userPrincipalName": "noah@tailwind.example"}}}
	h.must(toARM, "PUT", h.insights("incidents/"+ws.Name), body, nil)
	h.eventually(crossing, "a PUT on the workspace side reaches the XDR", func() error {
		i := h.xdrIncident(id)
		if i.Status != "inProgress" || !strings.HasPrefix(i.AssignedTo, "noah") {
			return fmt.Errorf("%s owner %q", i.Status, i.AssignedTo)
		}
		return nil
	})
	if x, w := h.version("xdr", id), h.version("workspace", ws.Name); x != x0+2 || w != w0+2 {
		t.Errorf("two edits raised the versions from %d and %d to %d and %d, want two each", x0, w0, x, w)
	}
	if got := h.settled(ws.Properties.IncidentNumber); len(got) != rowsBefore+2 {
		t.Errorf("two edits added %d SecurityIncident rows, want 2: %v", len(got)-rowsBefore, got)
	}
	i := h.xdrIncident(id)
	for _, a := range i.Alerts {
		if !strings.HasPrefix(a.AssignedTo, "noah") {
			t.Errorf("assigning the incident left alert %s with %q", a.ID, a.AssignedTo)
		}
	}
}

// version gives an incident's version once nothing is left to synchronise.
func (h *house) version(side, id string) int64 {
	h.t.Helper()
	h.settle()
	var got struct{ Version int64 }
	if err := json.Unmarshal([]byte(h.run("incident", "show", "--side", side, id, "-o", "json")), &got); err != nil {
		h.t.Fatal(err)
	}
	return got.Version
}

// settled gives an incident's history once the connector says that it has
// nothing left to do.
func (h *house) settled(number int) [][]string {
	h.t.Helper()
	h.settle()
	return h.history(number)
}

// settle waits until the connector and the history have nothing left to do.
func (h *house) settle() {
	h.t.Helper()
	h.run("sync", "wait")
}

// TestGrowthAndOwner sends late alerts with a new host to an owned incident.
func TestGrowthAndOwner(t *testing.T) {
	h := start(t)
	now := time.Now()
	h.send(alert{"da-grow-1", "Credential dump", "medium", "pc-grow", "ava", now})
	id := h.incidentOf("da-grow-1")
	ws := h.parallel(id, "a new incident crosses", anyState)
	h.must(toGraph, "PATCH", "/v1.0/security/incidents/"+id, map[string]any{"assignedTo": "ava@tailwind.example", "status": "inProgress"}, nil)
	h.must(toGraph, "POST", "/v1.0/security/incidents/"+id+"/comments", map[string]any{"@odata.type": "microsoft.graph.security.alertComment", "comment": "looking at it"}, nil)
	h.send(
		alert{"da-grow-2", "Credential dump", "medium", "pc-grow", "ava", now.Add(time.Minute)},
		alert{"da-grow-3", "Lateral movement", "high", "srv-grow", "ava", now.Add(2 * time.Minute)},
		alert{"da-grow-4", "Lateral movement", "medium", "srv-grow", "ava", now.Add(3 * time.Minute)},
	)
	want := []string{"da-grow-1", "da-grow-2", "da-grow-3", "da-grow-4"}
	if got := h.xdrIncident(id).alertIDs(); !slices.Equal(got, want) {
		t.Fatalf("incident %s holds %v, want %v", id, got, want)
	}
	ws = h.parallel(id, "late alerts follow", func(i wsIncident) error {
		if i.Properties.AdditionalData.AlertsCount != 4 || i.Properties.Severity != "High" {
			return fmt.Errorf("%d alerts, %s", i.Properties.AdditionalData.AlertsCount, i.Properties.Severity)
		}
		return nil
	})
	if !strings.HasPrefix(ws.owner(), "ava") || ws.Properties.Status != "Active" {
		t.Errorf("growth changed owner or status: %q %s", ws.owner(), ws.Properties.Status)
	}
	if got := ws.Properties.LastActivityTimeUTC; !got.Equal(now.Add(3 * time.Minute).UTC().Truncate(100)) {
		t.Errorf("last activity %s, want that of the last alert, %s", got, now.Add(3*time.Minute).UTC())
	}
	var comments struct {
		Value []struct{ Properties struct{ Message string } }
	}
	h.eventually(crossing, "a comment crosses", func() error {
		h.must(toARM, "GET", h.insights("incidents/"+ws.Name+"/comments"), nil, &comments)
		if len(comments.Value) != 1 || comments.Value[0].Properties.Message != "looking at it" {
			return fmt.Errorf("comments are %v", comments.Value)
		}
		return nil
	})
	var entities struct {
		Entities []struct {
			Kind       string
			Properties map[string]any
		}
	}
	h.must(toARM, "POST", h.insights("incidents/"+ws.Name+"/entities"), nil, &entities)
	kinds := map[string]int{}
	for _, e := range entities.Entities {
		kinds[e.Kind]++
	}
	if kinds["Host"] != 2 || kinds["Account"] != 1 {
		t.Errorf("entities %v, want two hosts and one account", kinds)
	}
}

// TestMergeByHand merges two incidents and follows both on both sides.
func TestMergeByHand(t *testing.T) {
	h := start(t)
	now := time.Now()
	h.send(alert{"da-merge-1", "One story", "low", "pc-one", "", now}, alert{"da-merge-2", "Another story", "high", "pc-two", "", now})
	a, b := h.incidentOf("da-merge-1"), h.incidentOf("da-merge-2")
	if a == b {
		t.Fatalf("two unrelated alerts stand in one incident %s", a)
	}
	h.parallel(a, "the first crosses", anyState)
	h.parallel(b, "the second crosses", anyState)
	h.run("incident", "merge", a, b)
	target := h.incidentOf("da-merge-1")
	source := a
	if target == a {
		source = b
	}
	if got := h.xdrIncident(target).alertIDs(); !slices.Equal(got, []string{"da-merge-1", "da-merge-2"}) {
		t.Errorf("the target holds %v", got)
	}
	gone := h.xdrIncident(source)
	if gone.Status != "redirected" || gone.RedirectIncidentID != target || len(gone.Alerts) != 0 {
		t.Errorf("the source is %s → %q with %d alerts, want redirected to %s", gone.Status, gone.RedirectIncidentID, len(gone.Alerts), target)
	}
	ws := h.parallel(source, "the source closes in the workspace", func(i wsIncident) error {
		if i.Properties.Status != "Closed" || !strings.Contains(i.labels(), "Redirected") || i.Properties.AdditionalData.AlertsCount != 0 {
			return fmt.Errorf("%s, labels %q, %d alerts", i.Properties.Status, i.labels(), i.Properties.AdditionalData.AlertsCount)
		}
		return nil
	})
	wsTarget := h.parallel(target, "the target holds all in the workspace", func(i wsIncident) error {
		if i.Properties.AdditionalData.AlertsCount != 2 {
			return fmt.Errorf("%d alerts", i.Properties.AdditionalData.AlertsCount)
		}
		return nil
	})
	if got := ws.Properties.AdditionalData.MergedIncidentNumber; got != fmt.Sprint(wsTarget.Properties.IncidentNumber) {
		t.Errorf("mergedIncidentNumber %q, want %d", got, wsTarget.Properties.IncidentNumber)
	}
}

// TestUnmerge takes a merge back: both incidents are again what they were, on
// both sides, with what was edited meanwhile.
func TestUnmerge(t *testing.T) {
	h := start(t)
	now := time.Now()
	h.send(alert{"da-part-1", "One story", "low", "pc-one", "", now}, alert{"da-part-2", "Another story", "high", "pc-two", "", now})
	target, source := h.incidentOf("da-part-1"), h.incidentOf("da-part-2")
	before := h.parallel(source, "the second crosses", anyState)
	graph := func(id string, members map[string]any) {
		t.Helper()
		h.must(toGraph, "PATCH", "/v1.0/security/incidents/"+id, members, nil)
	}
	graph(source, map[string]any{"status": "inProgress", "customTags": []string{"vip"}, "classification": "truePositive", "determination": "malware"})
	h.run("incident", "merge", target, source, "--reason", "one story")
	h.parallel(source, "the source closes in the workspace", func(i wsIncident) error {
		if i.Properties.Status != "Closed" || i.Properties.AdditionalData.MergedIncidentNumber == "" {
			return fmt.Errorf("%s, labels %q", i.Properties.Status, i.labels())
		}
		return nil
	})
	graph(target, map[string]any{"assignedTo": "mia@tailwind.example", "customTags": []string{"vip", "mine"}})
	h.send(alert{"da-part-3", "More of the other story", "medium", "pc-two", "", now.Add(time.Minute)}) // comes to the target
	h.settle()
	if err := h.edit(h.parallel(target, "the target is there", anyState).Name, map[string]any{"status": "Active"}); err != nil {
		t.Fatal(err)
	}
	h.settle()

	if out := h.run("incident", "show", target); !regexp.MustCompile(`merged here +` + source + `\n`).MatchString(out) {
		t.Errorf("the target doesn't say what was merged into it:\n%s", out)
	}
	if out, err := h.try("incident", "unmerge", target); err == nil || !strings.Contains(err.Error(), "isn't merged into another") {
		t.Errorf("the target parts, too: %s, %v", out, err)
	}
	if out := h.run("incident", "unmerge", source, "--reason", "two stories"); !strings.Contains(out, "incident "+source+" is live again with its one alert") {
		t.Error(out)
	}
	h.agree()
	x := h.xdrIncident(source)
	if x.Status != "inProgress" || x.RedirectIncidentID != "" || !slices.Equal(x.alertIDs(), []string{"da-part-2"}) || !slices.Equal(x.CustomTags, []string{"vip"}) || x.Classification != "truePositive" {
		t.Errorf("the source: %+v", x)
	}
	w := h.wsIncidents()[source]
	if p := w.Properties; w.Name != before.Name || p.Status != "Active" || p.AdditionalData.MergedIncidentNumber != "" || p.AdditionalData.AlertsCount != 1 || strings.Contains(w.labels(), "Redirected") || !strings.Contains(w.labels(), "vip") {
		t.Errorf("its parallel one: %+v", w)
	}
	x = h.xdrIncident(target)
	if x.Status != "inProgress" || x.AssignedTo != "mia@tailwind.example" || !slices.Equal(x.alertIDs(), []string{"da-part-1", "da-part-3"}) || !slices.Equal(x.CustomTags, []string{"mine"}) || x.Classification != "unknown" {
		t.Errorf("the target: %+v", x)
	}
	w = h.wsIncidents()[target]
	if p := w.Properties; p.Status != "Active" || p.AdditionalData.AlertsCount != 2 || strings.Contains(w.labels(), "vip") || !strings.Contains(w.labels(), "mine") {
		t.Errorf("its parallel one: %+v", w)
	}
	for id, says := range map[string]string{source: "Parted from incident " + target, target: "Incident " + source + " was parted from this one again."} {
		if story := h.run("incident", "show", id); !strings.Contains(story, says) || !strings.Contains(story, "Reason: two stories.") {
			t.Errorf("the activity of incident %s doesn't tell:\n%s", id, story)
		}
	}
	if story := h.run("sync", "explain", source); !strings.Contains(story, "parted again") {
		t.Error(story)
	}
}

// TestCaps holds the 150 links of a workspace incident, and the mark beyond.
func TestCaps(t *testing.T) {
	h := start(t)
	now := time.Now()
	const host = "pc-cap"
	sent := 0
	grow := func(to int) {
		var batch []alert
		for ; sent < to; sent++ {
			batch = append(batch, alert{fmt.Sprintf("da-cap-%03d", sent), fmt.Sprintf("Detection %d", sent%7), "medium", host, "zoe", now.Add(time.Duration(sent) * time.Second)})
		}
		h.send(batch...)
	}
	grow(1)
	id := h.incidentOf("da-cap-000")
	for _, n := range []int{149, 150, 151, 400} {
		grow(n)
		h.settle()
		i := h.xdrIncident(id)
		if len(i.Alerts) != n {
			t.Fatalf("the XDR incident holds %d alerts, want %d", len(i.Alerts), n)
		}
		ws := h.wsIncidents()[id]
		linked := h.wsAlerts(ws.Name)
		if want := min(n, 150); len(linked) != want || ws.Properties.AdditionalData.AlertsCount != want {
			t.Errorf("of %d alerts the workspace links %d and counts %d, want %d", n, len(linked), ws.Properties.AdditionalData.AlertsCount, want)
		}
		shown := h.run("incident", "show", "--side", "workspace", fmt.Sprint(ws.Properties.IncidentNumber))
		if got, want := strings.Contains(shown, "150+"), n > 150; got != want {
			t.Errorf("with %d alerts the incident shows 150+: %v, want %v\n%s", n, got, want, shown)
		}
	}
}

// agree compares all incidents of the two sides: status, severity, alerts.
func (h *house) agree() {
	h.t.Helper()
	h.settle()
	left, right := h.xdrIncidents(true), h.wsIncidents()
	for id, x := range left {
		w, ok := right[id]
		if !ok {
			h.t.Errorf("XDR incident %s (%s) isn't in the workspace", id, x.DisplayName)
			continue
		}
		if x.Status == "redirected" {
			if w.Properties.Status != "Closed" || !strings.Contains(w.labels(), "Redirected") {
				h.t.Errorf("incident %s was merged away, the workspace shows %s %q", id, w.Properties.Status, w.labels())
			}
			continue
		}
		if want := statuses[x.Status]; w.Properties.Status != want || !strings.EqualFold(w.Properties.Severity, x.Severity) {
			h.t.Errorf("incident %s is %s %s on the XDR side, %s %s in the workspace", id, x.Status, x.Severity, w.Properties.Status, w.Properties.Severity)
		}
		var provider []string
		for _, a := range h.wsAlerts(w.Name) {
			provider = append(provider, a.Properties.ProviderAlertID)
		}
		if len(provider) != min(150, len(x.Alerts)) {
			h.t.Errorf("incident %s has %d alerts, %d in the workspace", id, len(x.Alerts), len(provider))
		}
		sort.Strings(provider)
		if len(x.Alerts) <= 150 {
			for n, a := range x.alertIDs() {
				if !strings.HasSuffix(a, provider[n]) && !slices.ContainsFunc(provider, func(p string) bool { return strings.HasSuffix(a, p) }) {
					h.t.Errorf("incident %s: alert %s isn't among the workspace's %v", id, a, provider)
				}
			}
		}
	}
	for id, w := range right {
		if _, ok := left[id]; !ok && w.Properties.ProviderName == "Microsoft XDR" {
			h.t.Errorf("the workspace has incident %q that the XDR hasn't", id)
		}
	}
}

// statuses maps the XDR's words to the workspace's.
var statuses = map[string]string{"active": "New", "inProgress": "Active", "awaitingAction": "Active", "resolved": "Closed"}
