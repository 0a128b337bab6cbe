package hunting_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/hunting"
)

func TestRequestKeysInAnyCase(t *testing.T) {
	for _, body := range []string{`{"Query":"T","Timespan":"P7D"}`, `{"query":"T","timespan":"P7D"}`, `{"QUERY":"T","TimeSpan":"P7D","more":1}`} {
		if r, err := hunting.DecodeRequest([]byte(body)); err != nil || r != (hunting.Request{Query: "T", Timespan: "P7D"}) {
			t.Errorf("%s: %+v, %v", body, r, err)
		}
	}
	for _, body := range []string{``, `{}`, `{"Query":null}`, `{"Query":["T"]}`, `null`} {
		if _, err := hunting.DecodeRequest([]byte(body)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want a fault of kind Invalid", body, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	b := rows.New(schema.NewTable("", schema.XDR, []schema.Column{{Name: "Timestamp", Type: schema.DateTime}, {Name: "N", Type: schema.Long}, {Name: "A b", Type: schema.Dynamic}}), 1)
	b.Columns[0].AppendInt(int64(schema.Ticks(639_000_000_000_000_000)))
	b.Columns[1].AppendNull()
	b.Columns[2].AppendText(`{"x":"<"}`)
	b.N = 1
	const want = `{"@odata.context":"c","schema":[{"name":"Timestamp","type":"DateTime"},{"name":"N","type":"Int64"},{"name":"A b","type":"Object"}],"results":[{"Timestamp":"2025-11-29T08:00:00Z","N":null,"A b":{"x":"<"}}]}`
	if diff := cmp.Diff(want, string(hunting.Answer("c", b))); diff != "" {
		t.Error(diff)
	}
	const old = `{"Stats":{},"Schema":[{"Name":"Timestamp","Type":"DateTime"},{"Name":"N","Type":"Int64"},{"Name":"A b","Type":"Object"}],"Results":[{"Timestamp":"2025-11-29T08:00:00Z","N":null,"A b":{"x":"<"}}]}`
	if diff := cmp.Diff(old, string(hunting.OldAnswer(nil, b))); diff != "" {
		t.Error(diff)
	}
}

func TestGroup(t *testing.T) {
	bundles, stray := hunting.Group([]hunting.Row{
		{"AlertId": "b", "EntityType": "Ip", "RemoteIP": "192.0.2.1"}, {"AlertId": "a", "Title": "A"}, {"Title": "lost"}, {"AlertId": "b", "Title": "B"},
	})
	if len(bundles) != 2 || bundles[0].Info.Text("Title") != "B" || len(bundles[0].Evidence) != 1 || len(stray) != 1 {
		t.Errorf("%v, stray %v", bundles, stray)
	}
}

// A bundle of evidence alone, columns alone, an unknown type of entity and
// fields that aren't JSON are all read.
func TestOddEvidence(t *testing.T) {
	a, err := hunting.DecodeAlert(hunting.Bundle{Evidence: []hunting.Row{
		{"AlertId": "da1", "Title": "T", "Timestamp": "2026-01-05T10:00:00Z", "ServiceSource": "Microsoft Defender for Endpoint", "DetectionSource": "EDR", "Categories": `["Execution"]`,
			"EntityType": "Machine", "DeviceId": "d1", "DeviceName": "pc1.fab.example"},
		{"AlertId": "da1", "EntityType": "Ip", "RemoteIP": "192.0.2.1", "EvidenceRole": "Impacted", "EvidenceDirection": "Source", "AdditionalFields": "not JSON"},
		{"AlertId": "da1", "EntityType": "Submarine", "AdditionalFields": map[string]any{"Depth": 7}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if a.Category != "Execution" || a.ProviderName != "MDATP" || len(a.Evidence) != 3 {
		t.Errorf("%+v", a)
	}
	if h := a.Evidence[0].Entity; h.Field("hostName") != "pc1" || h.Field("dnsDomain") != "fab.example" {
		t.Errorf("host %v", h)
	}
	if diff := cmp.Diff([]string{"source", hunting.Impacted}, a.Evidence[1].Roles); diff != "" {
		t.Error(diff)
	}
	if e := a.Evidence[2].Entity; e.Kind != "Submarine" || len(e.Keys()) == 0 {
		t.Errorf("%v", e)
	}
	rows, err := hunting.EvidenceRows(a)
	if err != nil || len(rows) != 3 || rows[1].Text("EvidenceDirection") != "Source" || rows[1].Text("EvidenceRole") != "Impacted" || rows[2].Text("EntityType") != "Submarine" {
		t.Errorf("%v, %v", rows, err)
	}
	if _, err := hunting.DecodeAlert(hunting.Bundle{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no rows at all: %v", err)
	}
}

func FuzzDecodeAlert(f *testing.F) {
	f.Add([]byte(`{"AlertId":"da1","Timestamp":"2026-01-05T10:00:00Z","EntityType":"Process","FileName":"a","AdditionalFields":"{\"Type\":\"process\",\"ImageFile\":{\"$ref\":\"3\"}}"}`))
	f.Add([]byte(`{"category":"AdvancedHunting-AlertInfo","properties":{"AlertId":"x","ServiceSource":"Azure ATP"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		row, err := hunting.ParseRow(text)
		if err != nil {
			return
		}
		bundles, _ := hunting.Group([]hunting.Row{row})
		for _, b := range bundles {
			a, err := hunting.DecodeAlert(b)
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("%v isn't the sender's fault", err)
				}
				continue
			}
			rows, err := hunting.EvidenceRows(a)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := json.Marshal(rows); err != nil {
				t.Fatal(err)
			}
			for _, ev := range a.Evidence {
				security.Union(ev.Entity)
			}
		}
	})
}
