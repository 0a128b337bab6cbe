package graph_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/graph"
	"lockstep/wire/logs"
)

// TestBodiesFitThePublishedModel writes recorded alerts and an incident and
// holds each, and each piece of evidence, against Graph's published model.
func TestBodiesFitThePublishedModel(t *testing.T) {
	root := os.Getenv("LOCKSTEP_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(root, "specs/msgraph/microsoft.graph.security-v1.0.schema.json"))
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: no published model here: %v", err)
	}
	defer f.Close()
	model, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	defs := model.(map[string]any)["$defs"].(map[string]any)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("model.json", model); err != nil {
		t.Fatal(err)
	}
	compiled := map[string]*jsonschema.Schema{}
	fit := func(name string, body any) {
		t.Helper()
		s, ok := compiled[name]
		if !ok {
			if s, err = compiler.Compile("model.json#/$defs/" + name); err != nil {
				t.Fatal(err)
			}
			compiled[name] = s
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(encoded(t, body)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		known := defs[name].(map[string]any)["properties"].(map[string]any)
		for member := range value.(map[string]any) {
			if known[member] == nil && !strings.HasPrefix(member, "@odata.") {
				t.Errorf("%s.%s isn't in the model", name, member)
			}
		}
	}
	at := schema.Ticks(639_000_000_000_000_000)
	fit("microsoft.graph.security.incident", graph.EncodeIncident(graph.Incident{ID: "1", Status: "active", Created: at, Updated: at,
		Comments: []security.Comment{{Text: "c", Created: at, Author: security.Actor{Name: "a"}}}}, graph.View{}))
	for _, a := range alertsOf(t, root) {
		for _, view := range []graph.View{{Late: true, TenantID: "t", Portal: "https://localhost"}, {}} {
			body := graph.EncodeAlert(a, view)
			fit("microsoft.graph.security.alert", body)
			for _, ev := range body.Evidence {
				name := strings.TrimPrefix(ev["@odata.type"].(string), "#")
				if defs[name] == nil {
					t.Errorf("the model doesn't know %s", name)
					continue
				}
				fit(name, ev)
			}
		}
	}
}

// alertsOf gives one in eight of the recorded alerts and the invented ones.
func alertsOf(t *testing.T, root string) (out []security.Alert) {
	t.Helper()
	files, err := filepath.Glob("../testdata/alerts/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var fixture struct{ Alert security.Alert }
		if err := json.Unmarshal(text, &fixture); err != nil {
			t.Fatal(err)
		}
		fixture.Alert.Complete()
		out = append(out, fixture.Alert)
	}
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
		out = append(out, a)
	}
	return out
}
