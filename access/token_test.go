package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lockstep/access"
	"lockstep/fault"
	"lockstep/schema"
)

func TestTokens(t *testing.T) {
	w := newWorld(t)
	app, secret := w.application("robot", access.Grant{Role: "ThreatHunting.Read.All", Scope: "xdr"})
	ctx := t.Context()
	token := func(resource string) string {
		t.Helper()
		got, err := w.Exchange(ctx, access.Attempt{Name: strings.ToUpper(app.ClientID), Secret: secret}, resource)
		if err != nil {
			t.Fatal(err)
		}
		if got.Expires != time.Hour {
			t.Errorf("the token lives %v", got.Expires)
		}
		return got.Text
	}
	for _, c := range []struct {
		resource string
		accepted []access.Audience
		want     bool
	}{
		{"https://management.azure.com/", []access.Audience{access.ForManagement}, true},
		{"https://management.core.windows.net/", []access.Audience{access.ForManagement}, true},
		{"https://management.azure.com", []access.Audience{access.ForGraph}, false},
		{"https://api.loganalytics.io", []access.Audience{access.ForManagement, access.ForLogs}, true},
		{"https://monitor.azure.com/", []access.Audience{access.ForIngestion}, true},
		{"https://graph.microsoft.com", []access.Audience{access.ForGraph}, true},
		{"https://graph.microsoft.com", nil, false},
		{"https://localhost:8443/", []access.Audience{access.ForGraph}, true},
		{"https://127.0.0.1:8443", []access.Audience{access.ForManagement}, true},
	} {
		got, err := w.Validate(token(c.resource), c.accepted...)
		if (err == nil) != c.want || err == nil && got.ID != app.ID {
			t.Errorf("a token for %s at %v gave %v, %v", c.resource, c.accepted, got, err)
		}
	}

	good := token("https://graph.microsoft.com")
	valid := func() error { _, err := w.Validate(good, access.ForGraph); return err }
	other := newWorld(t)
	var err error
	if other.keys, err = makeKeys(); err != nil {
		t.Fatal(err)
	}
	other.reopen()
	otherApp, otherSecret := other.application("robot")
	foreign, err := other.Exchange(ctx, access.Attempt{Name: otherApp.ClientID, Secret: otherSecret}, "https://graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(good, ".")
	body, sign, _ := strings.Cut(rest, ".")
	for name, text := range map[string]string{
		"empty": "", "text": "token", "no signature": head + "." + body + ".", "foreign key": foreign.Text,
		"changed body":        head + "." + body[:20] + "B" + body[21:] + "." + sign,
		"no algorithm":        "eyJhbGciOiJub25lIn0." + body + ".",
		"symmetric algorithm": "eyJhbGciOiJIUzI1NiJ9." + body + "." + sign,
	} {
		if _, err := w.Validate(text, access.ForGraph); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.now += 59 * schema.Minute
	if err := valid(); err != nil {
		t.Error(err)
	}
	w.now += 3 * schema.Minute
	if err := valid(); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after its life: %v", err)
	}
	w.now -= 64 * schema.Minute
	if err := valid(); err == nil || !strings.Contains(err.Error(), "yet") {
		t.Errorf("before its time: %v", err)
	}
	w.now += 2 * schema.Minute
	app.Disabled = true
	w.put(app)
	if err := valid(); err == nil {
		t.Error("the token of a disabled application is valid")
	}
	app.Disabled = false
	w.put(app)
	w.reopen() // keys and principals outlive the process
	if err := valid(); err != nil {
		t.Error(err)
	}
	if err := w.Remove(ctx, w.root, app.ID); err != nil {
		t.Fatal(err)
	}
	if err := valid(); err == nil {
		t.Error("the token of a removed application is valid")
	}
}

func TestExchangeRefused(t *testing.T) {
	w := newWorld(t)
	app, secret := w.application("robot")
	ana := w.person("ana@lab.example")
	ctx := t.Context()
	for _, c := range []struct {
		id, secret, resource string
		want                 error
		kind                 fault.Kind
	}{
		{app.ClientID, "wrong", "https://graph.microsoft.com", access.ErrWrongSecret, fault.Denied},
		{"nobody", secret, "https://graph.microsoft.com", access.ErrUnknownApplication, fault.Denied},
		{app.ID, secret, "https://graph.microsoft.com", access.ErrUnknownApplication, fault.Denied},
		{ana.UPN, "password of ana@lab.example", "https://graph.microsoft.com", access.ErrUnknownApplication, fault.Denied},
		{app.ClientID, secret, "https://elsewhere.example", access.ErrUnknownResource, fault.Invalid},
		{app.ClientID, secret, "", access.ErrUnknownResource, fault.Invalid},
	} {
		_, err := w.Exchange(ctx, access.Attempt{Name: c.id, Secret: c.secret}, c.resource)
		if !errors.Is(err, c.want) || !fault.Is(err, c.kind) {
			t.Errorf("%q for %q gave %v, want %v", c.id, c.resource, err, c.want)
		}
	}
}
