package graph_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/graph"
)

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLateMembersNeedThePreference(t *testing.T) {
	a := security.Alert{ServiceSource: "microsoftSentinel", DetectionSource: "scheduledAlerts", Evidence: []security.Evidence{
		{Entity: security.Entity{Kind: security.IP, Fields: map[string]string{"address": "192.0.2.1"}}, RemediationStatus: "active"},
	}}
	a.Complete()
	plain, late := graph.EncodeAlert(a, graph.View{}), graph.EncodeAlert(a, graph.View{Late: true})
	if plain.ServiceSource != "unknownFutureValue" || plain.DetectionSource != "unknownFutureValue" || plain.Evidence[0]["remediationStatus"] != "unknownFutureValue" {
		t.Errorf("without the preference: %s %s %v", plain.ServiceSource, plain.DetectionSource, plain.Evidence[0]["remediationStatus"])
	}
	if late.ServiceSource != "microsoftSentinel" || late.DetectionSource != "scheduledAlerts" || late.Evidence[0]["remediationStatus"] != "active" {
		t.Errorf("with it: %s %s %v", late.ServiceSource, late.DetectionSource, late.Evidence[0]["remediationStatus"])
	}
	i := graph.Incident{Status: "awaitingAction"}
	if got := graph.EncodeIncident(i, graph.View{}).Status; got != "unknownFutureValue" {
		t.Errorf("an incident's late status is %s", got)
	}
}

func TestUnknownEvidenceIsServedAsItCame(t *testing.T) {
	const pod = `{"@odata.type":"#microsoft.graph.security.kubernetesPodEvidence","createdDateTime":"2026-01-05T10:00:00.0000000Z","detailedRoles":[],` +
		`"labels":{"a":"<b>"},"name":"pod-1","podIp":{"@odata.type":"#microsoft.graph.security.ipEvidence","ipAddress":"10.0.0.9"},"remediationStatus":"none",` +
		`"remediationStatusDetails":null,"roles":["source"],"tags":[],"verdict":"malicious"}`
	a, err := graph.DecodeAlert([]byte(`{"id":"dc1","serviceSource":"microsoftDefenderForCloud","evidence":[` + pod + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	if kind := a.Evidence[0].Entity.Kind; kind != "KubernetesPod" {
		t.Errorf("kind %s", kind)
	}
	var want, got any
	if err := json.Unmarshal([]byte(pod), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(encoded(t, graph.EncodeAlert(a, graph.View{Late: true}).Evidence[0])), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Members that no field stands for are kept and come back.
func TestMembersBesideTheFieldsComeBack(t *testing.T) {
	const device = `{"@odata.type":"#microsoft.graph.security.deviceEvidence","mdeDeviceId":"d1","futureMember":{"x":1},"ipInterfaces":["10.0.0.9"],"vmMetadata":{"vmId":"v","later":"y"}}`
	a, err := graph.DecodeAlert([]byte(`{"id":"da1","evidence":[` + device + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	out := encoded(t, graph.EncodeAlert(a, graph.View{}).Evidence[0])
	for _, part := range []string{`"futureMember":{"x":1}`, `"ipInterfaces":["10.0.0.9"]`, `"later":"y"`, `"vmId":"v"`} {
		if !strings.Contains(out, part) {
			t.Errorf("%s is missing in %s", part, out)
		}
	}
}

func TestOldSpellings(t *testing.T) {
	a, err := graph.DecodeAlert([]byte(`{"id":"da637551227677560813_-961444813","severity":"HIGH","status":"Resolved","classification":"TruePositive","determination":"compromisedUser",
		"serviceSource":"MicrosoftCloudAppSecurity","detectionSource":"MCAS","comments":[{"comment":"c","createdBy":"b","createdTime":"2026-01-05T10:00:00Z"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{string(a.Severity), string(a.Status), a.Classification, a.Determination, a.ServiceSource, a.DetectionSource, a.Comments[0].Author.Name}
	want := []string{"high", "resolved", "truePositive", "compromisedAccount", "microsoftDefenderForCloudApps", "cloudAppSecurity", "b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPatch(t *testing.T) {
	text := func(s string) *string { return &s }
	p, err := graph.DecodeIncidentPatch([]byte(`{"status":"Resolved","classification":"falsePositive","determination":"clean","assignedTo":null,"customTags":["a"],"resolvingComment":"r","incidentWebUrl":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := graph.Patch{Status: text("resolved"), Classification: text("falsePositive"), Determination: text("notMalicious"), AssignedTo: text(""), CustomTags: &[]string{"a"}, ResolvingComment: text("r")}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for body, member := range map[string]string{`{"status":"done"}`: "status", `{"severity":7}`: "severity", `{"customTags":"a"}`: "customTags", `[]`: "body"} {
		if _, err := graph.DecodeIncidentPatch([]byte(body)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), member) {
			t.Errorf("%s: %v, want a fault that names %s", body, err, member)
		}
	}
	if _, err := graph.DecodeAlertPatch([]byte(`{"status":"redirected"}`)); !fault.Is(err, fault.Invalid) {
		t.Errorf("an alert can't be redirected: %v", err)
	}
}

func TestIncidentThereAndBack(t *testing.T) {
	at := schema.Ticks(639_000_000_000_000_001)
	want := graph.Incident{ID: "29", DisplayName: "<b>", Description: "d", WebURL: "https://localhost:8443/incidents/29?tid=t", RedirectIncidentID: "28", Status: "redirected",
		Severity: security.High, Classification: "truePositive", Determination: "malware", ResolvingComment: "r", AssignedTo: "ana@fab.example", LastModifiedBy: "x",
		CustomTags: []string{"a"}, SystemTags: []string{"b"}, Created: at, Updated: at + schema.Second, Summary: "s"}
	body := encoded(t, graph.EncodeIncident(want, graph.View{TenantID: "t"}))
	got, err := graph.DecodeIncident([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(body, `"alerts"`) {
		t.Error("alerts are sent without being asked for")
	}
	want.Expanded = true
	if body := encoded(t, graph.EncodeIncident(want, graph.View{})); !strings.Contains(body, `"alerts":[]`) {
		t.Errorf("no alerts in %s", body)
	}
}

func TestFailure(t *testing.T) {
	got := encoded(t, graph.Failure("itemNotFound", "no incident 7", "r", "c", schema.Ticks(639_000_000_000_000_000)))
	const want = `{"error":{"code":"itemNotFound","message":"no incident 7","innerError":{"date":"2025-11-29T08:00:00","request-id":"r","client-request-id":"c"}}}`
	if got != want {
		t.Errorf("got %s", got)
	}
}

func FuzzDecodeAlert(f *testing.F) {
	f.Add([]byte(`{"id":"da1","evidence":[{"@odata.type":"#microsoft.graph.security.processEvidence","processId":7,"imageFile":{"sha1":"a"}},{"@odata.type":"#x"},{}]}`))
	f.Add([]byte(`{"createdDateTime":"2026-01-05T10:00:00Z","additionalData":{"@odata.type":"#y","a":1},"comments":[{"comment":"c"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := graph.DecodeAlert(body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v isn't the sender's fault", err)
			}
			return
		}
		again, err := graph.DecodeAlert([]byte(encoded(t, graph.EncodeAlert(a, graph.View{Late: true}))))
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		if again.ID != a.ID || again.ServiceSource != a.ServiceSource || len(again.Evidence) != len(a.Evidence) {
			t.Fatalf("%+v came back as %+v", a, again)
		}
	})
}
