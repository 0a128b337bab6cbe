package main

import (
	"strings"
	"testing"

	"lockstep/api/control"
)

// TestWhatIsToldFitsTheRoles: a server speaks of what it has alone.
func TestWhatIsToldFitsTheRoles(t *testing.T) {
	for _, c := range []struct {
		roles      []string
		connected  bool
		has, hasnt []string
	}{
		{[]string{"xdr", "workspace"}, true, []string{"Graph", "ARM", "queries", "AlertInfo", "SecurityIncident", "sync status"}, nil},
		{[]string{"xdr"}, false, []string{"Graph", "hunting", "AlertInfo", "health"}, []string{"ARM", "/v1/workspaces", "--side workspace", "sync status"}},
		{[]string{"workspace"}, true, []string{"ARM", "queries", "SecurityIncident", "sync status"}, []string{"Graph", "security/", "AlertInfo"}},
	} {
		set := Settings{Roles: c.roles}
		text := strings.Join(append(served(set, "sub"), worthTrying(set, c.connected)...), "\n")
		for _, want := range c.has {
			if !strings.Contains(text, want) {
				t.Errorf("%v: nothing of %s in\n%s", c.roles, want, text)
			}
		}
		for _, no := range c.hasnt {
			if strings.Contains(text, no) {
				t.Errorf("%v: %s in\n%s", c.roles, no, text)
			}
		}
	}
}

func TestNumbersInWords(t *testing.T) {
	one := control.Verification{Compared: 1, Apart: make([]control.Apart, 1), Strays: []string{"a"}}
	for want, v := range map[string]control.Verification{
		"0 incidents compared, 0 don't agree and are looked at next, 0 have no partner on the XDR":  {},
		"1 incident compared, 1 doesn't agree and is looked at next, 1 has no partner on the XDR":   one,
		"21 incidents compared, 0 don't agree and are looked at next, 0 have no partner on the XDR": {Compared: 21},
	} {
		if got := compared(v); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if a, b := alertsText("1"), alertsText("12"); a != "its one alert" || b != "its 12 alerts" {
		t.Errorf("%q, %q", a, b)
	}
}
