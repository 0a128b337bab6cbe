// Package wire_test checks the shapes against each other: one alert in three
// shapes is one alert.
package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lockstep/security"
	"lockstep/wire/graph"
	"lockstep/wire/hunting"
	"lockstep/wire/logs"
)

var update = flag.Bool("update", false, "write the golden shapes anew from the alert of each file")

// shapeOf is how an alert is written in a shape and read from it.
type shapeOf struct {
	name  string
	write func(security.Alert) (any, error)
	read  func([]byte) (security.Alert, error)
}

var shapes = []shapeOf{
	{"graph",
		func(a security.Alert) (any, error) {
			return graph.EncodeAlert(a, graph.View{TenantID: "5e6f0000-0000-4000-8000-00000000000f", Portal: "https://localhost:8443", Late: true}), nil
		}, graph.DecodeAlert},
	{"securityalert",
		func(a security.Alert) (any, error) { return logs.AlertRow(a, logs.Origin{At: a.Updated}) }, logs.DecodeAlert},
	{"alertinfo",
		func(a security.Alert) (any, error) {
			rows, err := hunting.EvidenceRows(a)
			return append([]hunting.Row{hunting.InfoRow(a)}, rows...), err
		},
		func(text []byte) (security.Alert, error) {
			var raw []json.RawMessage
			if err := json.Unmarshal(text, &raw); err != nil {
				return security.Alert{}, err
			}
			var rows []hunting.Row
			for _, one := range raw {
				row, err := hunting.ParseRow(one)
				if err != nil {
					return security.Alert{}, err
				}
				rows = append(rows, row)
			}
			bundles, _ := hunting.Group(rows)
			return hunting.DecodeAlert(bundles[0])
		}},
}

// TestOneAlertInThreeShapes writes the alert of each file in every shape,
// compares with the file, reads each and finds the same alert.
func TestOneAlertInThreeShapes(t *testing.T) {
	files, err := filepath.Glob("testdata/alerts/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var golden map[string]json.RawMessage
			if err := json.Unmarshal(text, &golden); err != nil {
				t.Fatal(err)
			}
			var want security.Alert
			if err := json.Unmarshal(golden["alert"], &want); err != nil {
				t.Fatal(err)
			}
			want.Complete()
			for _, s := range shapes {
				body := written(t, s, want)
				if diff := cmp.Diff(indented(t, golden[s.name]), indented(t, body)); diff != "" && !*update {
					t.Errorf("%s (-file +written; -update writes the file anew):\n%s", s.name, diff)
				}
				golden[s.name] = body
				got, err := s.read(body)
				if err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
				sameAlert(t, s.name, want, got)
			}
			if *update {
				save(t, file, golden)
			}
		})
	}
}

// save writes a file anew: the alert first, then its shapes.
func save(t *testing.T, file string, golden map[string]json.RawMessage) {
	t.Helper()
	var out bytes.Buffer
	out.WriteString("{\n\"alert\": " + indented(t, golden["alert"]))
	for _, s := range shapes {
		out.WriteString(",\n\"" + s.name + "\": " + indented(t, golden[s.name]))
	}
	out.WriteString("\n}\n")
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func indented(t *testing.T, text json.RawMessage) string {
	t.Helper()
	if len(text) == 0 {
		return ""
	}
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(text), "", " "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func written(t *testing.T, s shapeOf, a security.Alert) []byte {
	t.Helper()
	value, err := s.write(a)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A device's addresses cross every shape, and the first is the row's LocalIP.
func TestAddressesOfADevice(t *testing.T) {
	a, err := graph.DecodeAlert([]byte(`{"id":"da1","serviceSource":"microsoftDefenderForEndpoint","evidence":[
		{"@odata.type":"#microsoft.graph.security.deviceEvidence","mdeDeviceId":"d1","ipInterfaces":["10.0.0.9","fe80::1"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shapes {
		back, err := s.read(written(t, s, a))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a.Evidence[0].Entity.Parts, back.Evidence[0].Entity.Parts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
	rows, err := hunting.EvidenceRows(a)
	if err != nil || rows[0].Text("LocalIP") != "10.0.0.9" {
		t.Errorf("%v, %v", rows, err)
	}
}

// sameAlert fails unless both are one alert as far as every shape can say.
func sameAlert(t *testing.T, shape string, want, got security.Alert) {
	t.Helper()
	type essence struct {
		ID, ProviderID, ServiceSource, DetectionSource, ProductName, ProviderName, Title, Category string
		Severity                                                                                   security.Severity
		Tactics, Techniques                                                                        []string
		Created, First, Last                                                                       string
		SystemID                                                                                   string
	}
	of := func(a security.Alert) essence {
		return essence{a.ID, a.ProviderID, a.ServiceSource, a.DetectionSource, a.ProductName, a.ProviderName, a.Title, a.Category, a.Severity,
			a.Tactics, a.Techniques, a.Created.String(), a.FirstActivity.String(), a.LastActivity.String(), a.SystemID}
	}
	if diff := cmp.Diff(of(want), of(got), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", shape, diff)
	}
	mine, theirs := entities(want), entities(got)
	both := security.Union(append(append([]security.Entity(nil), mine...), theirs...)...)
	if a, b := len(security.Union(mine...)), len(security.Union(theirs...)); a != b || len(both) != a {
		t.Errorf("%s: %d things in the alert, %d in the shape, %d in both together", shape, a, b, len(both))
		for _, e := range both {
			t.Logf("%s %v", e.Kind, e.Keys())
		}
	}
}

func entities(a security.Alert) (out []security.Entity) {
	for _, ev := range a.Evidence {
		out = append(out, ev.Entity)
	}
	return out
}
