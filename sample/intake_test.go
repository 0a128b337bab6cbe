package sample_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/rows"
	"lockstep/sample"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/source"
	"lockstep/wire/graph"
	"lockstep/wire/hunting"
	"lockstep/wire/logs"
)

func decode(t *testing.T, r source.Record) security.Alert {
	t.Helper()
	var a security.Alert
	var err error
	switch r.Shape {
	case source.Graph:
		a, err = graph.DecodeAlert(r.Body)
	case source.SecurityAlert:
		a, err = logs.DecodeAlert(r.Body)
	default:
		var message struct{ Records []json.RawMessage }
		if err := json.Unmarshal(r.Body, &message); err != nil {
			t.Fatal(err)
		}
		var list []hunting.Row
		for _, text := range message.Records {
			row, err := hunting.ParseRow(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, row)
		}
		bundles, stray := hunting.Group(list)
		if len(bundles) != 1 || len(stray) != 0 {
			t.Fatalf("%s %d: %d alerts in one message", r.File, r.Number, len(bundles))
		}
		a, err = hunting.DecodeAlert(bundles[0])
	}
	if err != nil {
		t.Fatalf("%s %d: %v\n%s", r.File, r.Number, err, r.Body)
	}
	return a
}

// One alert told in two shapes is the same to the intake: its id, its product,
// and who and what it names.
func TestTheIntakeKnowsAlertsAgainInEveryShape(t *testing.T) {
	s := tenant(t, sample.Options{Seed: 1, Rows: testRows})
	known := s.Truth().AlertIDs()
	type seen struct {
		shape source.Shape
		alert security.Alert
		keys  [][]string
	}
	first := map[string]seen{}
	compared := 0
	err := s.Records(func(r source.Record) error {
		if r.Kind != source.Alert {
			return nil
		}
		a := decode(t, r)
		if _, ok := slices.BinarySearch(known, a.ID); !ok {
			t.Errorf("%s %d: id %q isn't in the truth", r.File, r.Number, a.ID)
		}
		if len(a.Evidence) == 0 || a.Title == "" || !a.Severity.Known() || a.ServiceSource == "" || a.ServiceSource == "unknown" {
			t.Errorf("%s %d: not understood: %+v", r.File, r.Number, a)
		}
		now := seen{r.Shape, a, nil}
		for _, e := range a.Evidence {
			if keys := e.Entity.Keys(); len(keys) > 0 {
				now.keys = append(now.keys, keys)
			} else {
				t.Errorf("%s %d: %s of alert %s has no identity: %v", r.File, r.Number, e.Entity.Kind, a.ID, e.Entity.Fields)
			}
		}
		before, ok := first[a.ID]
		if !ok {
			first[a.ID] = now
			return nil
		}
		if before.shape == now.shape || len(before.alert.Evidence) > len(a.Evidence) {
			return nil
		}
		compared++
		if d := cmp.Diff([]string{before.alert.Title, before.alert.ServiceSource, string(before.alert.Severity)}, []string{a.Title, a.ServiceSource, string(a.Severity)}); d != "" {
			t.Errorf("alert %s in shapes %s and %s:\n%s", a.ID, before.shape, now.shape, d)
		}
		for i, keys := range before.keys {
			if !slices.ContainsFunc(now.keys, func(other []string) bool {
				return slices.ContainsFunc(other, func(k string) bool { return slices.Contains(keys, k) })
			}) {
				t.Errorf("alert %s: %s %v of shape %s isn't found in shape %s: %v", a.ID, before.alert.Evidence[i].Entity.Kind, keys, before.shape, now.shape, now.keys)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if compared < 5 {
		t.Errorf("%d alerts came in two shapes", compared)
	}
}

// The intake takes every event and row, and sets no field aside as unknown.
func TestTheIntakeTakesEveryRow(t *testing.T) {
	s := tenant(t, sample.Options{Seed: 1, Rows: testRows})
	catalog := schema.Default()
	decoder := rows.NewDecoder(func(name string) (*schema.Table, bool) {
		table, ok := catalog.Table(schema.XDR, name)
		if !ok {
			return nil, false
		}
		return rows.Stored(table), true
	})
	flat := rows.NewDecoder(nil)
	taken := 0
	bodies := map[string][]byte{} // by table
	take := func(table string) {
		var batches []*rows.Batch
		var refused []rows.Refusal
		if workspace, ok := catalog.Table(schema.Workspace, table); ok && table != "" {
			batches, refused = flat.Rows(rows.Stored(workspace), bodies[table])
		} else {
			batches, refused = decoder.Records(bodies[table])
		}
		for _, no := range refused {
			t.Errorf("%s", no)
		}
		for _, b := range batches {
			taken += b.N
		}
		bodies[table] = bodies[table][:0]
	}
	err := s.Records(func(r source.Record) error {
		if r.Kind == source.Alert {
			return nil
		}
		table := r.Table
		if r.Kind == source.Event {
			table = "" // events of all tables come together
		}
		if bodies[table] = append(append(bodies[table], r.Body...), '\n'); len(bodies[table]) > 1<<20 {
			take(table)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for table := range bodies {
		take(table)
	}
	for _, d := range []*rows.Decoder{decoder, flat} {
		if unknown := d.Unknown(); len(unknown) > 0 {
			t.Errorf("fields that no column takes: %v", unknown)
		}
	}
	if taken != testRows {
		t.Errorf("%d rows were taken, want %d", taken, testRows)
	}
}
