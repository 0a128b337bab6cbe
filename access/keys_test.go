package access_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/access"
)

func TestKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.pem")
	first, err := access.OpenKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := access.OpenKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(first.Public())
	b, _ := json.Marshal(again.Public())
	if string(a) != string(b) {
		t.Errorf("a second start has other keys: %s and %s", a, b)
	}
	if strings.Contains(string(a), `"d"`) {
		t.Error("the public keys hold a private one")
	}
	// A new key before the old one signs; what the old one signed is still good.
	w := newWorld(t)
	app, secret := w.application("robot")
	token := func() string {
		t.Helper()
		got, err := w.Exchange(t.Context(), access.Attempt{Name: app.ClientID, Secret: secret}, "lockstep")
		if err != nil {
			t.Fatal(err)
		}
		return got.Text
	}
	w.keys = first
	w.reopen()
	before := token()
	newer := filepath.Join(t.TempDir(), "tokens.pem")
	if _, err := access.OpenKeys(newer); err != nil {
		t.Fatal(err)
	}
	var both []byte
	for _, from := range []string{newer, path} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, data...)
	}
	if err := os.WriteFile(path, both, 0o600); err != nil {
		t.Fatal(err)
	}
	if w.keys, err = access.OpenKeys(path); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	after := token()
	for name, text := range map[string]string{"before": before, "after": after} {
		if _, err := w.Validate(text); err != nil {
			t.Errorf("signed %s the change: %v", name, err)
		}
	}
	w.keys = first
	w.reopen()
	if _, err := w.Validate(after); err == nil {
		t.Error("the new key doesn't sign")
	}
	for name, content := range map[string]string{"nothing": "", "text": "key"} {
		bad := filepath.Join(t.TempDir(), "bad.pem")
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := access.OpenKeys(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
