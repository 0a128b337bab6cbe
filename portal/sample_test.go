package portal_test

import (
	"context"
	"fmt"
	"testing"

	"lockstep/connector"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/tables"
	"lockstep/workspace"
	"lockstep/xdr"
)

// sample fills the tenant with what a page must be able to show: many
// incidents, a large one, a merged one, hostile text, every status.
func (n *tenant) sample(t testing.TB) {
	ctx := context.Background()
	by := person(ada)
	now := n.clock.Now()
	titles := []struct {
		title, product, category string
		severity                 security.Severity
		tactics                  []string
	}{
		{"Suspicious PowerShell command line", "microsoftDefenderForEndpoint", "Execution", security.Medium, []string{"Execution"}},
		{"Possible AD FS key extraction", "microsoftDefenderForIdentity", "CredentialAccess", security.High, []string{"CredentialAccess"}},
		{"A potentially malicious URL click was detected", "microsoftDefenderForOffice365", "InitialAccess", security.High, []string{"InitialAccess"}},
		{"Mass download", "microsoftDefenderForCloudApps", "Exfiltration", security.Medium, []string{"Exfiltration"}},
		{"Unfamiliar sign-in properties", "azureAdIdentityProtection", "InitialAccess", security.Low, []string{"InitialAccess"}},
		{"Email reported by user as junk", "microsoftDefenderForOffice365", "InitialAccess", security.Informational, []string{"InitialAccess"}},
		{"Ransomware-linked emerging threat activity group detected", "microsoftDefenderForEndpoint", "Malware", security.High, []string{"Impact"}},
		{"<img src=x onerror=alert(1)> invoice\u202efdp.exe was run", "microsoftDefenderForEndpoint", "Execution", security.Medium, []string{"Execution", "DefenseEvasion"}},
	}
	for i := range 60 {
		k := titles[i%len(titles)]
		at := now - schema.Ticks(60-i)*7*schema.Hour - schema.Hour
		name := fmt.Sprintf("ws-%03d", i)
		a := alert(fmt.Sprintf("da%d", i), k.title, k.severity,
			host(name, "suspicious"),
			security.Evidence{Entity: security.Entity{Kind: security.Account}.With("accountName", fmt.Sprintf("user%d", i)).With("upnSuffix", "fabrikam.example").With("sid", fmt.Sprintf("S-1-5-21-1-2-3-%d", 1000+i)), Verdict: "suspicious", Roles: []string{"compromised"}},
			security.Evidence{Entity: security.Entity{Kind: security.Process, Parts: map[string][]security.Entity{
				"imageFile": {security.Entity{Kind: security.File}.With("fileName", "powershell.exe").With("directory", `C:\Windows\System32`)},
				"host":      {host(name, "").Entity}}}.With("commandLine", "powershell.exe -enc JABzAD0ATgBlAHcALQBPAGIAagBlAGMAdAA= & echo \"<script>alert(1)</script>\"").With("processId", fmt.Sprint(4000+i)), Verdict: "malicious", RemediationStatus: "active"},
			security.Evidence{Entity: security.Entity{Kind: security.IP}.With("address", fmt.Sprintf("203.0.113.%d", i))},
		)
		a.ServiceSource, a.Category, a.Tactics, a.Created, a.Updated, a.FirstActivity, a.LastActivity = k.product, k.category, k.tactics, at, at, at-schema.Minute*14, at
		a.RecommendedActions = "1. Look at the process tree.\n2. Isolate the device if the account isn't known to run scripts."
		a.AlertLink = "https://security.example/alerts/" + a.ID
		n.ingest(t, a)
	}
	var big []security.Alert
	for i := range 172 {
		a := alert(fmt.Sprintf("big%d", i), fmt.Sprintf("Hands-on-keyboard attack involving device srv-dc-01, step %d", i+1), security.High, host("srv-dc-01", "malicious"))
		a.Created, a.FirstActivity, a.LastActivity = now-schema.Hour, now-schema.Hour-schema.Ticks(i)*schema.Minute, now-schema.Hour
		a.Updated = a.Created
		big = append(big, a)
	}
	n.ingest(t, big...)

	must := func(_ xdr.Incident, err error) {
		t.Helper()
		if err != nil {
			t.Log(err)
		}
	}
	page, err := n.xdr.Incidents(ctx, xdr.Selection[xdr.Incident]{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	inProgress, resolved, other := xdr.InProgress, xdr.Resolved, ben.UPN
	ids := make([]string, 0, len(page.Items))
	for _, i := range page.Items {
		ids = append(ids, i.ID)
	}
	pick := func(i int) string { return ids[i%len(ids)] }
	must(n.xdr.Update(ctx, pick(1), xdr.Patch{Status: &inProgress, AssignedTo: &other, AddTags: []string{"Crown jewels", "EMEA"}}, by, 0))
	must(n.xdr.Update(ctx, pick(3), xdr.Patch{Status: &inProgress, AssignedTo: &ada.UPN}, by, 0))
	tp, phishing, note := "truePositive", "phishing", "Credentials reset, mail purged."
	must(n.xdr.Update(ctx, pick(5), xdr.Patch{Status: &resolved, Classification: &tp, Determination: &phishing, ResolvingComment: &note}, by, 0))
	if _, err := n.xdr.Comment(ctx, pick(1), "Called the user: didn't run this.\n<b>not bold</b>", by); err != nil {
		t.Fatal(err)
	}
	must(n.xdr.Merge(ctx, []string{pick(8), pick(9)}, "same host, same hour", by))
	n.settle(t)
	if _, _, err := n.workspaces.Put(ctx, n.soc.ID, "99999999-0000-4000-8000-000000000001", workspace.Put{Title: "Sign-ins from a country never seen before", Severity: security.Low, Status: workspace.StatusNew}, by, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := n.connector.Connect(ctx, n.soc.ID, connector.Settings{Incidents: true, Alerts: true, Entities: true, TurnOffCreationRules: true,
		Tables: []string{"DeviceProcessEvents", "EmailEvents", "AlertInfo"}}, by); err != nil {
		t.Fatal(err)
	}
	n.streams.rows["DeviceProcessEvents"] = tables.Stat{Table: "DeviceProcessEvents", Rows: 1_204_339, Newest: now - 12*schema.Second, Received: now - 11*schema.Second}
	n.streams.rows["EmailEvents"] = tables.Stat{Table: "EmailEvents", Rows: 88_120, Newest: now - 9*schema.Day, Received: now - 9*schema.Day}
}
