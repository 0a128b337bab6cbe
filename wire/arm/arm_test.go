package arm_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/arm"
)

var scope = arm.Scope{
	Workspace:   "/subscriptions/5e6f0000-0000-4000-8000-000000000001/resourceGroups/lab/providers/Microsoft.OperationalInsights/workspaces/soc",
	WorkspaceID: "5e6f0000-0000-4000-8000-000000000002", SubscriptionID: "5e6f0000-0000-4000-8000-000000000001", ResourceGroup: "lab",
}

func TestEntitiesNameTheirPartsByID(t *testing.T) {
	host := security.Entity{Kind: security.Host, Fields: map[string]string{"mdeDeviceId": "d1"}}
	whole := security.Entity{Kind: security.Host, Fields: map[string]string{"mdeDeviceId": "d1", "aadDeviceId": "a1", "hostName": "pc1", "dnsDomain": "fab.example", "riskScore": "high"}}
	image := security.Entity{Kind: security.File, Fields: map[string]string{"fileName": "a.exe", "directory": `C:\x`}, Parts: map[string][]security.Entity{
		"fileHashes": {{Kind: security.FileHash, Fields: map[string]string{"algorithm": "SHA256", "hashValue": "ab"}}},
	}}
	process := security.Entity{Kind: security.Process, Fields: map[string]string{"processId": "7", "commandLine": `a.exe "<b>"`, "creationTimeUtc": "2026-01-05T10:00:00.1234567Z"},
		Parts: map[string][]security.Entity{"imageFile": {image}, "host": {host}}}
	system := security.Entity{Kind: security.Account, Fields: map[string]string{"accountName": "SYSTEM"}}
	out := arm.EncodeEntities(scope, []security.Entity{process, whole, system})

	names := map[string]arm.Entity{}
	counts := map[string]int{}
	for _, e := range out.Entities {
		names[e.Name] = e
		if want := scope.ID("Entities", e.Name); e.ID != want || e.Type != "Microsoft.SecurityInsights/Entities" {
			t.Errorf("entity %s has id %s and type %s", e.Name, e.ID, e.Type)
		}
		counts[e.Kind]++
	}
	want := map[string]int{"Process": 1, "Host": 1, "File": 1, "FileHash": 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	for _, m := range out.MetaData {
		if m.Count != counts[m.Kind] {
			t.Errorf("metaData says %d %s, there are %d", m.Count, m.Kind, counts[m.Kind])
		}
	}
	for _, e := range out.Entities {
		for member, v := range e.Properties {
			if id, ok := v.(string); ok && strings.HasSuffix(member, "EntityId") && names[id].Name == "" {
				t.Errorf("%s of %s leads nowhere: %s", member, e.Kind, id)
			}
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	back, err := arm.DecodeEntities(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(arm.EncodeEntities(scope, back))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(again)); diff != "" {
		t.Errorf("read and written again (-want +got):\n%s", diff)
	}
}

func TestAlertThereAndBack(t *testing.T) {
	at := schema.Ticks(639_000_000_000_000_000)
	a := security.Alert{
		ProviderID: "6682ec4d9045177c25bc8c30", ProductName: "Microsoft Cloud App Security", Title: "Odd inbox rule", Category: "DefenseEvasion",
		Severity: security.High, Techniques: []string{"T1564", "T1564.008"}, Status: security.AlertInProgress, Created: at, Updated: at + schema.Minute,
		FirstActivity: at - schema.Hour, LastActivity: at, AlertType: "X", RecommendedActions: "Look.", IncidentID: "29", AssignedTo: "ana@fab.example",
		Extended: map[string]json.RawMessage{"Cloud Applications": json.RawMessage(`"Mail"`)},
	}
	a.Complete()
	body, err := arm.EncodeAlert(scope, a)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	back, err := arm.DecodeAlert(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, back, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestIncidentPut(t *testing.T) {
	put, err := arm.DecodeIncidentPut([]byte(`{"etag":"\"e\"","properties":{"title":"T","severity":"high","status":"closed","classification":"truepositive",
		"classificationReason":"SuspiciousActivity","owner":{"objectId":null,"assignedTo":"Ana"},"labels":[{"labelName":"pilot"}],"incidentNumber":9}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := arm.IncidentPut{ETag: `"e"`, Title: "T", Severity: security.High, Status: "Closed", Classification: "TruePositive",
		ClassificationReason: "SuspiciousActivity", Owner: &security.Owner{AssignedTo: "Ana"}, Labels: &[]string{"pilot"}}
	if diff := cmp.Diff(want, put); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	put, err = arm.DecodeIncidentPut([]byte(`{"properties":{"title":"T","severity":"Low","status":"New","owner":null,"labels":null}}`))
	want = arm.IncidentPut{Title: "T", Severity: security.Low, Status: "New", Owner: &security.Owner{}, Labels: &[]string{}}
	if diff := cmp.Diff(want, put); err != nil || diff != "" {
		t.Errorf("null clears a member: %v (-want +got):\n%s", err, diff)
	}
	for body, member := range map[string]string{
		`{}`: "properties", `{"properties":{}}`: "properties.title",
		`{"properties":{"title":"T","severity":"Loud","status":"New"}}`:                                    "properties.severity",
		`{"properties":{"title":"T","severity":"Low"}}`:                                                    "properties.status",
		`{"properties":{"title":"T","severity":"Low","status":"New","classification":"Maybe"}}`:            "properties.classification",
		`{"properties":{"title":"T","severity":"Low","status":"New","labels":[{"labelType":"User"}]}}`:     "properties.labels",
		`{"properties":{"title":"T","severity":"Low","status":"New","firstActivityTimeUtc":"yesterday"}} `: "yesterday",
	} {
		_, err := arm.DecodeIncidentPut([]byte(body))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), member) {
			t.Errorf("%s: %v, want a fault that names %s", body, err, member)
		}
	}
}

// TestPublishedExamples reads every published body of incidents, comments,
// alerts, entities, relations and the connector.
func TestPublishedExamples(t *testing.T) {
	root := os.Getenv("LOCKSTEP_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	folder := filepath.Join(root, "specs/examples/securityinsights-2025-07-01-preview")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("LOCKSTEP_SHARED: no published examples here: %v", err)
	}
	incidents, err := filepath.Glob(filepath.Join(folder, "incidents__*.json"))
	if err != nil {
		t.Fatal(err)
	}
	connectors, err := filepath.Glob(filepath.Join(folder, "dataConnectors__*MicrosoftThreatProtection*.json"))
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range append(incidents, connectors...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var example struct {
			Operation string          `json:"operation"`
			Body      json.RawMessage `json:"body"`
		}
		if err := json.Unmarshal(text, &example); err != nil {
			t.Fatal(err)
		}
		if err := readExample(example.Operation, example.Body); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		} else {
			read++
		}
	}
	if read < 10 {
		t.Errorf("only %d examples read", read)
	}
	t.Logf("%d examples read", read)
}

func readExample(operation string, body []byte) error {
	each := func(read func([]byte) error) error {
		var list arm.List[json.RawMessage]
		if err := json.Unmarshal(body, &list); err != nil {
			return err
		}
		for _, one := range list.Value {
			if err := read(one); err != nil {
				return err
			}
		}
		return nil
	}
	incident := func(one []byte) error {
		var i arm.Incident
		if err := json.Unmarshal(one, &i); err != nil {
			return err
		}
		_, err := arm.DecodeIncidentPut(one)
		return err
	}
	alert := func(one []byte) error { _, err := arm.DecodeAlert(one); return err }
	comment := func(one []byte) error { _, err := arm.DecodeComment(one); return err }
	relation := func(one []byte) error { var r arm.Relation; return json.Unmarshal(one, &r) }
	group, _, _ := strings.Cut(operation, "_")
	switch {
	case strings.HasPrefix(operation, "Incidents_ListAlerts"):
		return each(alert)
	case strings.HasPrefix(operation, "Incidents_ListEntities"):
		_, err := arm.DecodeEntities(body)
		return err
	case strings.HasPrefix(operation, "Incidents_ListBookmarks"), group == "IncidentTasks":
		return nil
	case strings.HasPrefix(operation, "Incidents_List"):
		return each(incident)
	case strings.HasPrefix(operation, "IncidentComments_List"):
		return each(comment)
	case group == "IncidentComments":
		return comment(body)
	case strings.HasPrefix(operation, "IncidentRelations_List"):
		return each(relation)
	case group == "IncidentRelations":
		return relation(body)
	case strings.HasPrefix(operation, "DataConnectors_CreateOrUpdate"):
		_, err := arm.DecodeDataConnector(body)
		return err
	case group == "Incidents":
		return incident(body)
	}
	return nil
}

// References that double at each step are refused; circles end.
func TestHostileReferences(t *testing.T) {
	var list []string
	for i := range 40 {
		list = append(list, `{"name":"`+strings.Repeat("m", i+1)+`","kind":"Malware","properties":{"malwareName":"x","fileEntityIds":["`+strings.Repeat("f", i+1)+`"],"processEntityIds":["p"]}}`)
	}
	list = append(list, `{"name":"p","kind":"Process","properties":{"processId":"1","parentProcessEntityId":"p","imageFileEntityId":"p","accountEntityId":"p","hostEntityId":"p"}}`)
	_, err := arm.DecodeEntities([]byte(`{"entities":[` + strings.Join(list, ",") + `]}`))
	if err == nil {
		t.Error("a process that is its own parent, image, account and host four times over is read whole")
	}
	got, err := arm.DecodeEntities([]byte(`{"entities":[{"name":"p","kind":"Process","properties":{"processId":"1","parentProcessEntityId":"p"}}]}`))
	if err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzDecodeEntities(f *testing.F) {
	f.Add([]byte(`{"entities":[{"name":"p","kind":"Process","properties":{"processId":"1","imageFileEntityId":"/x/F"}},{"name":"f","kind":"File","properties":{"fileName":"a","additionalData":{"SizeInBytes":7}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := arm.DecodeEntities(body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v isn't the sender's fault", err)
			}
			return
		}
		if _, err := json.Marshal(arm.EncodeEntities(scope, list)); err != nil {
			t.Fatal(err)
		}
	})
}
