package xdr_test

import (
	"encoding/json"
	"testing"

	"lockstep/security"
	"lockstep/xdr"
)

// FuzzIngest hands in alerts that say anything: each is refused with a reason
// or is in an incident, and nothing that reads them afterwards fails.
func FuzzIngest(f *testing.F) {
	for _, seed := range [][]security.Alert{
		{alert("da1", 0, "host/pc1", "user/eve", "url/https://x.example/1", "box/u@lab.example"), alert("da1", 1, "host/pc2")},
		{alert("", 0), alert("\x00", 0, "mail/m")},
		{{ID: "x", Title: "=cmd|' /C calc'!A0\u202e\x1b[31m", Created: 1, Severity: "HIGH", Evidence: []security.Evidence{{Entity: security.Entity{Kind: "?", Fields: map[string]string{"a\x00": "\x01"}}}}}},
	} {
		text, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var list []security.Alert
		if json.Unmarshal(text, &list) != nil {
			return
		}
		s := newSide(t)
		outcomes, err := s.Ingest(ctx, list)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			if (o.Result == xdr.Refused) != (o.Reason != "" && o.Incident == "") {
				t.Errorf("outcome %+v", o)
			}
			if o.Result == xdr.Refused {
				continue
			}
			a, err := s.Alert(ctx, o.AlertID)
			if err != nil || a.IncidentID != o.Incident {
				t.Errorf("alert %q is in %q, %v; told %q", o.AlertID, a.IncidentID, err, o.Incident)
			}
			if _, err := s.End().Incident(ctx, o.Incident); err != nil {
				t.Error(err)
			}
			if _, err := s.Entities(ctx, o.Incident); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Alerts(ctx, xdr.Selection[security.Alert]{}); err != nil {
			t.Error(err)
		}
	})
}
