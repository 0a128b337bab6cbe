package acceptance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// joined are two servers in two processes, an XDR that misbehaves and a
// workspace that is joined to it over the network.
type joined struct{ xdr, work *house }

// join starts the XDR with a profile, then the workspace with the first's
// application, secret and authority.
func join(t *testing.T, profile string, seed int, more ...string) joined {
	t.Helper()
	x := start(t, "--roles", "xdr", "--chaos", profile, "--chaos-seed", fmt.Sprint(seed))
	text, err := os.ReadFile(filepath.Join(x.dir, "credentials.json"))
	if err != nil {
		t.Fatal(err)
	}
	var first struct{ Tenant, ClientID, ClientSecret string }
	if err := json.Unmarshal(text, &first); err != nil || first.ClientSecret == "" {
		t.Fatalf("the first credentials: %v", err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": first.ClientSecret + "\n", "ca.pem": x.run("ca")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := start(t, append([]string{"--roles", "workspace", "--remote-xdr", x.base, "--remote-tenant", first.Tenant, "--remote-client-id", first.ClientID,
		"--remote-client-secret-file", filepath.Join(dir, "secret"), "--remote-ca", filepath.Join(dir, "ca.pem"), "--remote-ranges", "127.0.0.0/8,::1/128"}, more...)...)
	return joined{x, w}
}

// insist makes a request until the server takes it: it may misbehave. The
// requests here may all be made twice.
func (h *house) insist(audience, method, path string, body, into any) {
	h.t.Helper()
	h.eventually(crossing, method+" "+path, func() error {
		a, err := h.call(audience, method, path, body)
		if err == nil && a.status/100 != 2 {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		if err == nil && into != nil {
			err = json.Unmarshal(a.body, into)
		}
		return err
	})
}

// edit reads an incident of the workspace and sends it back with some
// properties changed; an error if it changed meanwhile.
func (h *house) edit(name string, change map[string]any) error {
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
	a, err := h.call(toARM, "PUT", h.insights("incidents/"+name), whole)
	if err == nil && a.status/100 != 2 {
		err = fmt.Errorf("%d %s", a.status, a.body)
	}
	return err
}

// shown is an incident as the program's own verb shows it, past the door.
type shown struct {
	Status, Reason, Severity, Owner, Alerts string
	Tags                                    []string
}

func (h *house) show(side, id string) (s shown, err error) {
	out, err := h.try("incident", "show", id, "--side", side, "-o", "json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &s)
	}
	s.Tags = slices.DeleteFunc(s.Tags, func(t string) bool { return t == "Redirected" }) // each side's own
	slices.Sort(s.Tags)
	return s, err
}

// agree compares both sides of an incident; nil if they agree.
func (j joined) agree(id, name string) error {
	x, err := j.xdr.show("xdr", id)
	w, err2 := j.work.show("workspace", name)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	status := map[string]string{"active": "New", "inProgress": "Active", "awaitingAction": "Active", "resolved": "Closed", "redirected": "Closed"}[x.Status]
	switch {
	case status != w.Status:
		return fmt.Errorf("status %s and %s", x.Status, w.Status)
	case !strings.EqualFold(x.Severity, w.Severity):
		return fmt.Errorf("severity %s and %s", x.Severity, w.Severity)
	case x.Owner != w.Owner:
		return fmt.Errorf("owner %q and %q", x.Owner, w.Owner)
	case !slices.Equal(x.Tags, w.Tags):
		return fmt.Errorf("tags %v and %v", x.Tags, w.Tags)
	case x.Alerts != w.Alerts:
		return fmt.Errorf("alerts %s and %s", x.Alerts, w.Alerts)
	}
	return nil
}

// TestTwoServersAgree has people work on both sides of two servers that are
// joined over the network through the worst profile; both must come to agree,
// and no more comes to the XDR's door than was edited in the workspace.
func TestTwoServersAgree(t *testing.T) {
	const wait = 2 * time.Minute // storms and backoff are part of it
	j := join(t, "all", 11)
	ids := map[string]string{} // of the XDR, by alert
	for n := range 4 {
		name := fmt.Sprint("joined-", n)
		body, _ := json.Marshal(alert{"da-" + name, "Detection of " + name, "medium", "pc-" + name, "", time.Now()}.body())
		j.xdr.must(toIngest, "POST", "/ingest/v1/alerts?shape=graph", string(body), nil)
		var a struct{ IncidentID string }
		j.xdr.insist(toGraph, "GET", "/v1.0/security/alerts_v2/da-"+name, nil, &a)
		ids[name] = a.IncidentID
	}
	names := map[string]string{} // of the workspace, by the XDR's id
	j.work.eventually(wait, "all incidents cross", func() error {
		for id, i := range j.work.wsIncidents() {
			names[id] = i.Name
		}
		for _, id := range ids {
			if names[id] == "" {
				return fmt.Errorf("incident %s isn't there", id)
			}
		}
		return nil
	})
	a, b, c, d := ids["joined-0"], ids["joined-1"], ids["joined-2"], ids["joined-3"]
	all := func(what string) {
		t.Helper()
		for _, id := range ids {
			j.work.eventually(wait, fmt.Sprintf("%s: both sides of incident %s agree", what, id), func() error { return j.agree(id, names[id]) })
		}
	}
	all("new")
	patch := func(id string, members map[string]any) {
		t.Helper()
		j.xdr.insist(toGraph, "PATCH", "/v1.0/security/incidents/"+url.PathEscape(id), members, nil)
	}
	patch(a, map[string]any{"status": "resolved", "classification": "truePositive", "determination": "malware", "assignedTo": "mia@tailwind.example"})
	patch(b, map[string]any{"severity": "high", "customTags": []string{"pilot"}})
	edits := 0
	put := func(id string, change map[string]any) {
		t.Helper()
		j.work.eventually(wait, "an edit is taken", func() error { return j.work.edit(names[id], change) })
		edits++
	}
	put(c, map[string]any{"status": "Closed", "classification": "FalsePositive", "classificationReason": "IncorrectAlertLogic"})
	put(d, map[string]any{"status": "Active", "owner": map[string]any{"userPrincipalName": "noah@tailwind.example"}})
	all("edited on one side each")
	put(a, map[string]any{"status": "New"})
	put(c, map[string]any{"status": "New"})
	patch(b, map[string]any{"assignedTo": "mia@tailwind.example"})
	put(d, map[string]any{"labels": []any{map[string]any{"labelName": "night"}}})
	all("edited again")
	put(d, map[string]any{"severity": "Low"})
	patch(d, map[string]any{"customTags": []string{"night", "shift"}})
	all("edited on both sides at once")
	j.xdr.run("incident", "merge", b, c)
	all("merged")
	merged := b
	if x, err := j.xdr.show("xdr", c); err == nil && x.Status == "redirected" {
		merged = c
	}
	j.xdr.run("incident", "unmerge", merged)
	all("parted again")
	if x, err := j.xdr.show("xdr", merged); err != nil || x.Status == "redirected" || x.Alerts != "1" {
		t.Errorf("parted: %+v, %v", x, err)
	}
	edits += 3 // the conflicts that can come of d's two last edits and of the reopenings

	patches := 6 // of this test, some of them more than once
	var counts struct {
		Writes, Early int
		Faults        map[string]int
		Changed       map[string]int
	}
	j.xdr.must(toGraph, "GET", "/chaos", nil, &counts)
	if got := counts.Writes; got > patches*2+edits {
		t.Errorf("%d writes came to the door, of %d edits and this test's own: %v", got, edits, counts.Changed)
	}
	for _, f := range []string{"ties", "drift", "expand"} {
		if counts.Faults[f] == 0 {
			t.Errorf("the server never misbehaved by %s: %v", f, counts.Faults)
		}
	}
	status := j.work.run("sync", "status")
	for _, want := range []string{j.xdr.base, "no change feed", "no conditional writes"} {
		if !strings.Contains(status, want) {
			t.Errorf("sync status says nothing of %q:\n%s", want, status)
		}
	}
}

// TestWaitCoversTheOtherServer: what changed there is waited for, though the
// next poll is far away. Each server speaks of what it has alone.
func TestWaitCoversTheOtherServer(t *testing.T) {
	j := join(t, "none", 1, "--remote-poll", "1h")
	j.work.run("sync", "wait") // it polled
	for n := range 3 {
		id := fmt.Sprint("da-wait-", n)
		j.xdr.send(alert{id, "Detection " + id, "medium", "pc-" + id, "", time.Now()})
		j.work.run("sync", "wait")
		if got := len(j.work.wsIncidents()); got != n+1 {
			t.Fatalf("after the wait %d incidents are here, of %d", got, n+1)
		}
	}
	if text := j.xdr.output(); strings.Contains(text, "/v1/workspaces/") || !strings.Contains(text, "/v1.0/security/") {
		t.Errorf("the XDR's banner:\n%s", text)
	}
	if text := j.work.output(); !strings.Contains(text, "/v1/workspaces/") || strings.Contains(text, "/v1.0/security/") {
		t.Errorf("the workspace's banner:\n%s", text)
	}
	j.xdr.stop()
	if out, err := j.work.try("sync", "wait"); err == nil || !strings.Contains(err.Error(), "the xdr can't be asked what changed there") {
		t.Errorf("the other server is gone: %s, %v", out, err)
	}
}

// TestTheOtherSideIsNamed to whoever asks one for what the other has.
func TestTheOtherSideIsNamed(t *testing.T) {
	h := start(t)
	h.run("function", "save", "FailedLogons", "print n = 1")
	for query, says := range map[string]string{
		"FailedLogons() | count":   "FailedLogons is a saved function of the workspace: ask with --side workspace",
		"SecurityIncident | count": "SecurityIncident is a table of the workspace: ask with --side workspace",
	} {
		if _, err := h.try("query", query); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", query, err)
		}
		if _, err := h.try("query", "--side", "workspace", query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := h.try("query", "NoSuchThing | count"); err == nil || strings.Contains(err.Error(), "--side") {
		t.Errorf("what nobody has: %v", err)
	}
}

// TestSecretsStayUnsaid: what the settings hold of the other server shows in no
// output, and a profile that there isn't or an open address is refused.
func TestSecretsStayUnsaid(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"--chaos", "nonsense"}, {"--chaos", "all", "--listen", "0.0.0.0:0"}, {"--remote-xdr", "https://xdr.example"}, {"--roles", "workspace", "--remote-xdr", "http://xdr.example"}} {
		h := &house{t: t, dir: filepath.Join(dir, "x")}
		if out, err := h.try(append([]string{"serve", "--portal-listen", ""}, args...)...); err == nil {
			t.Errorf("serve %v ran: %s", args, out)
		}
	}
	t.Setenv("LOCKSTEP_REMOTE_CLIENT_SECRET", "grass-mud-horse")
	h := &house{t: t, dir: filepath.Join(dir, "y")}
	if out := h.run("config", "--roles", "workspace", "--remote-xdr", "https://xdr.example", "--remote-tenant", "t", "--remote-client-id", "c"); strings.Contains(out, "grass-mud-horse") || !strings.Contains(out, "********") {
		t.Errorf("config shows\n%s", out)
	}
}
