package graph_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lockstep/wire/graph"
)

// TestPublishedIncidents reads the published sample of incidents with alerts,
// writes each and reads that again.
func TestPublishedIncidents(t *testing.T) {
	root := os.Getenv("LOCKSTEP_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	text, err := os.ReadFile(filepath.Join(root, "data/graph-docs/list_incidents_expand_alerts.json"))
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: no published sample here: %v", err)
	}
	var page struct {
		Value []json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(text, &page); err != nil {
		t.Fatal(err)
	}
	for _, one := range page.Value {
		in, err := graph.DecodeIncident(one)
		if err != nil {
			t.Fatal(err)
		}
		if len(in.Alerts) == 0 || len(in.Alerts[0].Evidence) < 3 || len(in.Comments) == 0 || len(in.CustomTags) == 0 {
			t.Errorf("incident %s: %d alerts, %d comments, %d tags", in.ID, len(in.Alerts), len(in.Comments), len(in.CustomTags))
		}
		text, err := json.Marshal(graph.EncodeIncident(in, graph.View{Late: true}))
		if err != nil {
			t.Fatal(err)
		}
		again, err := graph.DecodeIncident(text)
		if err != nil {
			t.Fatal(err)
		}
		for i := range in.Alerts {
			in.Alerts[i].AlertLink = "" // links are made by who serves them
		}
		if !reflect.DeepEqual(in, again) {
			if diff := cmp.Diff(in, again, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	}
}
