package security_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/schema"
	"lockstep/security"
)

func TestProductNamesLeadToOneProduct(t *testing.T) {
	for _, p := range security.Products() {
		for _, name := range p.Names() {
			got, ok := security.ProductNamed(name)
			if !ok || got.ServiceSource != p.ServiceSource {
				t.Errorf("ProductNamed(%q) = %q, want %q", name, got.ServiceSource, p.ServiceSource)
			}
		}
		if _, ok := security.DetectionNamed(p.Detection); !ok {
			t.Errorf("%s: default detection source %q isn't in the table", p.Name, p.Detection)
		}
		for _, e := range p.Prefixes {
			if _, ok := security.DetectionNamed(e.Detection); !ok {
				t.Errorf("%s: prefix of unknown detection source %q", p.Name, e.Detection)
			}
		}
	}
	for name, want := range map[string]string{
		"Office 365 ATP": "microsoftDefenderForOffice365", "azure atp": "microsoftDefenderForIdentity", "MicrosoftThreatProtection": "microsoft365Defender",
		"Microsoft 365 Defender": "microsoft365Defender", "Microsoft Defender XDR": "microsoft365Defender", "MicrosoftCloudAppSecurity": "microsoftDefenderForCloudApps",
		"IoTSecurity": "microsoftDefenderForCloud", "AAD Identity Protection": "azureAdIdentityProtection", "ASI NRT Alerts": "microsoftSentinel",
	} {
		if got, _ := security.ProductNamed(name); got.ServiceSource != want {
			t.Errorf("ProductNamed(%q) = %q, want %q", name, got.ServiceSource, want)
		}
	}
}

// A product that shares a service source has names of its own.
func TestProductsThatShareAServiceSource(t *testing.T) {
	for _, c := range []struct{ service, detection, product, provider, wantProduct, wantProvider, wantDetection string }{
		{"microsoftDefenderForCloud", "microsoftDefenderForIoT", "", "", "Azure Security Center for IoT", "IoTSecurity", "microsoftDefenderForIoT"},
		{"", "", "Azure Security Center for IoT", "", "Azure Security Center for IoT", "IoTSecurity", "microsoftDefenderForIoT"},
		{"", "", "Azure Security Center", "Azure Security Center", "Azure Security Center", "Azure Security Center", "microsoftDefenderForCloud"},
		{"", "microsoftDefenderForStorage", "Azure Security Center", "Azure Security Center", "Azure Security Center", "Azure Security Center", "microsoftDefenderForStorage"},
		{"", "", "Azure Sentinel", "ASI NRT Alerts", "Azure Sentinel", "ASI NRT Alerts", "nrtAlerts"},
		{"microsoftSentinel", "nrtAlerts", "", "", "Azure Sentinel", "ASI NRT Alerts", "nrtAlerts"},
		{"", "", "Azure Sentinel", "ASI Scheduled Alerts", "Azure Sentinel", "ASI Scheduled Alerts", "scheduledAlerts"},
		{"", "", "A product nobody knows", "P", "A product nobody knows", "P", "unknown"},
	} {
		a := security.Alert{ServiceSource: c.service, DetectionSource: c.detection, ProductName: c.product, ProviderName: c.provider}
		a.Complete()
		got := []string{a.ProductName, a.ProviderName, a.DetectionSource}
		if diff := cmp.Diff([]string{c.wantProduct, c.wantProvider, c.wantDetection}, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c, diff)
		}
	}
}

func TestDetectionSourceNames(t *testing.T) {
	for _, d := range security.Detections() {
		for _, name := range append([]string{d.Source, d.Hunting}, d.Others...) {
			if name == "" {
				continue
			}
			if got := security.DetectionSource(name); got != d.Source {
				t.Errorf("DetectionSource(%q) = %q, want %q", name, got, d.Source)
			}
		}
	}
	if got := security.DetectionSource("Quantum hunch"); got != "unknown" {
		t.Errorf("an unknown detection source is %q", got)
	}
}

func TestUnifiedID(t *testing.T) {
	const guid = "da123456-8ec2-4dca-bee4-57f894794a95"
	cases := []struct{ source, detection, provider, want string }{
		{"microsoftDefenderForEndpoint", "microsoftDefenderForEndpoint", guid + "_1", "da" + guid + "_1"}, // a GUID that begins like a prefix
		{"microsoftDefenderForEndpoint", "customDetection", guid, "ed" + guid},
		{"microsoftDefenderForEndpoint", "automatedInvestigation", "ar638550021745974133_541694090", "ar638550021745974133_541694090"},
		{"microsoftDefenderForEndpoint", "antivirus", "637551227677560813_-961444813", "da637551227677560813_-961444813"},
		{"microsoftDefenderForEndpoint", "antivirus", "da637551227677560813_-961444813", "da637551227677560813_-961444813"},
		{"microsoft365Defender", "customDetection", "ea638568124172910123_-2012262848", "ea638568124172910123_-2012262848"},
		{"microsoft365Defender", "microsoft365Defender", "638568124172910123_1", "ra638568124172910123_1"},
		{"microsoft365Defender", "microsoftThreatExperts", "638568124172910123_1", "ta638568124172910123_1"},
		{"microsoftDefenderForCloudApps", "cloudAppSecurity", "ca82ec4d9045177c25bc8c30", "caca82ec4d9045177c25bc8c30"},
		{"microsoftDefenderForCloudApps", "microsoft365Defender", guid, "rm" + guid},
		{"microsoftDefenderForIdentity", "microsoft365Defender", guid, "ri" + guid},
		{"azureAdIdentityProtection", "azureAdIdentityProtection", "ad" + guid, "ad" + guid},
		{"microsoftDefenderForCloud", "microsoftDefenderForServers", "2516824352025303128_" + guid, "dc2516824352025303128_" + guid},
		{"microsoftSentinel", "scheduledAlerts", guid, "sn" + guid},
		{"dataLossPrevention", "microsoftDataLossPrevention", guid, "dl" + guid},
		{"microsoftAppGovernance", "appGovernancePolicy", guid, "ma" + guid},
		{"microsoftInsiderRiskManagement", "microsoftInsiderRiskManagement", guid, "ir" + guid},
	}
	for _, c := range cases {
		p, ok := security.ProductOf(c.source)
		if !ok {
			t.Fatalf("no product %s", c.source)
		}
		got := security.UnifiedID(p, c.detection, c.provider)
		if got != c.want {
			t.Errorf("UnifiedID(%s, %s, %s) = %s, want %s", c.source, c.detection, c.provider, got, c.want)
		}
		if again := security.UnifiedID(p, c.detection, got); again != got {
			t.Errorf("a unified id made unified again: %s, want %s", again, got)
		}
		if back := security.UnifiedID(p, c.detection, security.OwnID(p, got)); back != got {
			t.Errorf("OwnID and back: %s, want %s", back, got)
		}
	}
}

func TestCompleteFillsWhatAShapeLeavesOut(t *testing.T) {
	a := security.Alert{ProductName: "Microsoft Cloud App Security", ProviderID: "6682ec4d9045177c25bc8c30", Category: "DefenseEvasion", Created: 7 * schema.Day}
	a.Complete()
	want := security.Alert{
		ID: "ca6682ec4d9045177c25bc8c30", ProviderID: "6682ec4d9045177c25bc8c30", SystemID: security.SystemID("ca6682ec4d9045177c25bc8c30"),
		ServiceSource: "microsoftDefenderForCloudApps", DetectionSource: "cloudAppSecurity", ProductName: "Microsoft Cloud App Security",
		ProviderName: "MCAS", VendorName: "Microsoft", Category: "DefenseEvasion", Tactics: []string{"DefenseEvasion"},
		Severity: security.SeverityUnknown, Status: security.AlertNew, Classification: "unknown", Determination: "unknown",
		Created: 7 * schema.Day, Updated: 7 * schema.Day, FirstActivity: 7 * schema.Day, LastActivity: 7 * schema.Day,
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("completed alert (-want +got):\n%s", diff)
	}
	again := a
	again.Complete()
	if diff := cmp.Diff(a, again); diff != "" {
		t.Errorf("completing twice changes something:\n%s", diff)
	}
}

func TestEnumsAcceptEverySpelling(t *testing.T) {
	cases := []struct {
		enum       security.Enum
		text, want string
	}{
		{security.Determinations, "compromisedUser", "compromisedAccount"},
		{security.Determinations, "Clean", "notMalicious"},
		{security.Determinations, "InsufficientData", "notEnoughDataToValidate"},
		{security.Determinations, "NoEnoughDataToValidate", "notEnoughDataToValidate"},
		{security.Determinations, "ConfirmedUserActivity", "confirmedActivity"},
		{security.Determinations, "MultiStagedAttack", "multiStagedAttack"},
		{security.Classifications, "TruePositive", "truePositive"},
		{security.Classifications, "InformationalExpectedActivity", "informationalExpectedActivity"},
		{security.AlertStatuses, "In Progress", "inProgress"},
		{security.Severities, "HIGH", "high"},
		{security.RemediationStatuses, "PendingApproval", "pendingApproval"},
	}
	for _, c := range cases {
		if got, ok := c.enum.Parse(c.text); !ok || got != c.want {
			t.Errorf("Parse(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	if _, ok := security.Determinations.Parse("nonsense"); ok {
		t.Error("nonsense is a determination")
	}
	if security.RemediationStatuses.Open("active") || !security.RemediationStatuses.Open("blocked") {
		t.Error("active is late, blocked isn't")
	}
}

func TestTacticsAndTechniques(t *testing.T) {
	if diff := cmp.Diff([]string{"Execution", "Persistence", "PrivilegeEscalation"}, security.ParseTactics("Persistence, PrivilegeEscalation, Execution, Unknown")); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{"Initial access": "InitialAccess", "command-and-control": "CommandAndControl", "SuspiciousActivity": ""} {
		if got, _ := security.Tactic(text); got != want {
			t.Errorf("Tactic(%q) = %q, want %q", text, got, want)
		}
	}
	if got := security.TacticTitle("InitialAccess"); got != "Initial access" {
		t.Errorf("TacticTitle = %q", got)
	}
	ids := security.ParseTechniques(`["Scheduled Task/Job (T1053)","Scheduled Task (T1053.005)"]`, "T1018;T1033", "ST1234 T12345")
	if diff := cmp.Diff([]string{"T1018", "T1033", "T1053", "T1053.005"}, ids); diff != "" {
		t.Error(diff)
	}
	techniques, subs := security.SplitTechniques([]string{"T1059.001", "T1018"})
	if diff := cmp.Diff([][]string{{"T1018", "T1059"}, {"T1059.001"}}, [][]string{techniques, subs}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"T1018", "T1059.001"}, security.JoinTechniques(techniques, subs)); diff != "" {
		t.Error(diff)
	}
}
func TestAnOwnerKnownByObjectIDAloneIsSomebody(t *testing.T) {
	byID := security.Owner{ObjectID: "2046feea-040d-4a46-9e2b-91c2941bfa70"}
	for other, want := range map[security.Owner]bool{
		{}:                false,
		{Type: "Unknown"}: false,
		{UPN: "ann"}:      false,
		{ObjectID: "2046FEEA-040d-4a46-9e2b-91c2941bfa70", UPN: "ann"}: true,
	} {
		if byID.Same(other) != want || other.Same(byID) != want {
			t.Errorf("the same as %+v: %t", other, !want)
		}
	}
	if !(security.Owner{}).Same(security.Owner{Type: "Unknown"}) {
		t.Error("two nobodies are not the same")
	}
}
