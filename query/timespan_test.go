package query_test

import (
	"testing"

	"lockstep/query"
	"lockstep/schema"
)

func TestParseTimespan(t *testing.T) {
	now := at(t, "2026-03-10T12:00:00Z")
	cases := []struct{ text, from, to string }{
		{"", "", ""},
		{"P1D", "2026-03-09T12:00:00Z", "2026-03-10T12:00:00Z"},
		{"PT3600.0S", "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z"},
		{"P1DT12H", "2026-03-09T00:00:00Z", "2026-03-10T12:00:00Z"},
		{"2026-03-01T00:00:00Z/2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
		{"2026-03-01T00:00:00Z/PT6H", "2026-03-01T00:00:00Z", "2026-03-01T06:00:00Z"},
		{"PT6H/2026-03-01T06:00:00Z", "2026-03-01T00:00:00Z", "2026-03-01T06:00:00Z"},
		{"2026-03-01", "2026-03-01T00:00:00Z", ""},
	}
	for _, c := range cases {
		from, to, err := query.ParseTimespan(c.text, now)
		if err != nil || from != at(t, c.from) || to != at(t, c.to) {
			t.Errorf("%q: %s to %s, %v; want %s to %s", c.text, from, to, err, c.from, c.to)
		}
	}
	for _, bad := range []string{"P", "PT", "soon", "P1D/P1D", "2026-03-02/2026-03-01", "P99999999Y"} {
		if from, to, err := query.ParseTimespan(bad, now); err == nil {
			t.Errorf("%q was taken as %s to %s", bad, from, to)
		}
	}
}

func at(t *testing.T, text string) schema.Ticks {
	t.Helper()
	if text == "" {
		return 0
	}
	ticks, err := schema.ParseTicks(text)
	if err != nil {
		t.Fatal(err)
	}
	return ticks
}
