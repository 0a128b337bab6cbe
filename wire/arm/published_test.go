package arm_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/arm"
	"lockstep/wire/logs"
)

// TestBodiesFitThePublishedDescription writes every recorded alert and its
// entities, an incident, a comment, a relation and the connector, and holds
// each against the published OpenAPI description, with no member beside it.
func TestBodiesFitThePublishedDescription(t *testing.T) {
	root := os.Getenv("LOCKSTEP_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	file := filepath.Join(root, "specs/openapi/securityinsights-2025-07-01-preview.json")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("LOCKSTEP_SHARED: no published description here: %v", err)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fit := func(name string, body any) {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		ref := doc.Components.Schemas[name]
		if ref == nil {
			t.Fatalf("no schema %s", name)
		}
		if err := ref.Value.VisitJSON(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, path := range unknown(ref.Value, value, name) {
			t.Errorf("%s isn't in the description", path)
		}
	}
	at := arm.At(schema.Ticks(639_000_000_000_000_000))
	user := arm.EncodeUser(security.Actor{Kind: security.Person, ID: "2046feea-040d-4a46-9e2b-91c2941bfa70", Name: "ana@lab.example"})
	fit("Watchlist", arm.New(scope, arm.WatchlistProperties{ID: "76d5a51f-ba1f-4038-9d22-59fda38dc017", DisplayName: "D", Provider: "P", Source: "a.csv", SourceType: "Local", Created: &at,
		Updated: &at, CreatedBy: user, UpdatedBy: user, Alias: "a", Type: "watchlist", Labels: arm.Texts{"l"}, DefaultDuration: "P1D", SkippedLines: 1, SearchKey: "k",
		ContentType: "text/csv", UploadStatus: "Complete", State: "Succeeded"}, "Watchlists", "a"))
	fit("WatchlistItem", arm.New(scope, arm.WatchlistItemProperties{ID: "i", Type: "watchlist-item", Created: &at, Updated: &at, CreatedBy: user, UpdatedBy: user,
		Values: arm.ItemValues(map[string]string{"k": "v"}), Mapping: []byte(`{}`)}, "Watchlists", "a", "WatchlistItems", "i"))
	fit("Incident", arm.New(scope, arm.IncidentProperties{Title: "T", Severity: "High", Status: "Closed", Classification: "TruePositive", ClassificationReason: "SuspiciousActivity",
		Owner: arm.EncodeOwner(security.Owner{AssignedTo: "Ana", Type: "User"}), Labels: []arm.Label{{Name: "a", Type: "User"}}, FirstActivity: &at, Modified: at, Created: at, Number: 7,
		AdditionalData: arm.AdditionalData{Alerts: 1, Tactics: arm.Texts{"InitialAccess"}, MergedNumber: "3", MergedURL: "https://localhost"}, ProviderName: "Microsoft XDR"}, "incidents", "n"))
	fit("IncidentComment", arm.EncodeComment(scope, "n", security.Comment{ID: "c", Text: "x", Created: at.Ticks, Author: security.Actor{ID: "5e6f0000-0000-4000-8000-000000000001", Name: "a@b"}}))
	fit("Relation", arm.AlertRelation(scope, "n", "a"))
	connector := arm.New(scope, arm.DataConnectorProperties{TenantID: "t"}, "dataConnectors", "c")
	connector.Properties.DataTypes.Incidents = arm.StateOf(true)
	connector.Kind = arm.DataConnectorKind
	fit("MTPDataConnector", connector)

	known := map[string]bool{}
	for _, v := range doc.Components.Schemas["EntityKindEnum"].Value.Enum {
		known[v.(string)] = true
	}
	others := map[string]int{}
	recordedAlerts(t, root, func(a security.Alert) {
		alert, err := arm.EncodeAlert(scope, a)
		if err != nil {
			t.Fatal(err)
		}
		fit("SecurityAlert", alert)
		var list []security.Entity
		for _, ev := range a.Evidence {
			list = append(list, ev.Entity)
		}
		for _, e := range arm.EncodeEntities(scope, list).Entities {
			if !known[e.Kind] {
				others[e.Kind]++
				continue
			}
			fit(schemaOf(e.Kind), e)
		}
	})
	t.Logf("entities of kinds that the description doesn't know: %v", others)
}

func schemaOf(kind string) string {
	switch kind {
	case "Ip":
		return "IPEntity"
	case "Url":
		return "URLEntity"
	case "DnsResolution":
		return "DNSEntity"
	}
	return kind + "Entity"
}

// recordedAlerts gives one alert in eight of those recorded.
func recordedAlerts(t *testing.T, root string, each func(security.Alert)) {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "data/sentinel/SecurityAlert.ndjson.gz"))
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: no recorded rows here: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 16<<20)
	for n := 0; s.Scan(); n++ {
		if n%8 != 0 {
			continue
		}
		a, err := logs.DecodeAlert(s.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		each(a)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// unknown lists members that a schema doesn't name, where it names any.
func unknown(s *openapi3.Schema, value any, path string) (out []string) {
	switch v := value.(type) {
	case []any:
		if s.Items != nil {
			for _, one := range v {
				out = append(out, unknown(s.Items.Value, one, path+"[]")...)
			}
		}
	case map[string]any:
		members := properties(s)
		if len(members) == 0 {
			return nil
		}
		for name, inner := range v {
			m, ok := members[name]
			if !ok {
				if name != "kind" {
					out = append(out, path+"."+name)
				}
				continue
			}
			out = append(out, unknown(m.Value, inner, path+"."+name)...)
		}
	}
	return out
}

func properties(s *openapi3.Schema) map[string]*openapi3.SchemaRef {
	out := map[string]*openapi3.SchemaRef{}
	for name, p := range s.Properties {
		out[name] = p
	}
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, one := range list {
			for name, p := range properties(one.Value) {
				out[strings.Clone(name)] = p
			}
		}
	}
	return out
}
