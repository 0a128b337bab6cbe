package access_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"lockstep/access"
	"lockstep/fault"
	"lockstep/schema"
)

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	ana := w.person("ana@lab.example", access.Grant{Role: "Reader", Scope: "*"})
	app, secret := w.application("robot")
	ctx := t.Context()
	got, err := w.SignIn(ctx, access.Attempt{Name: "ANA@lab.example", Secret: "password of ana@lab.example"})
	if err != nil || got.ID != ana.ID {
		t.Fatalf("sign-in gave %v, %v", got, err)
	}
	var texts []string
	for _, a := range []access.Attempt{
		{Name: "ana@lab.example", Secret: "wrong"},
		{Name: "ana@lab.example", Secret: ""},
		{Name: "ana@lab.example", Secret: strings.Repeat("x", 5000)},
		{Name: "nobody", Secret: "password of ana@lab.example"},
		{Name: "", Secret: ""},
		{Name: app.ClientID, Secret: secret},
	} {
		_, err := w.SignIn(ctx, a)
		if !fault.Is(err, fault.Denied) {
			t.Errorf("sign-in of %q gave %v", a.Name, err)
			continue
		}
		texts = append(texts, err.Error())
	}
	for _, text := range texts[1:] {
		if text != texts[0] {
			t.Errorf("refusals differ, which tells who exists: %q and %q", texts[0], text)
		}
	}
	ana.Disabled = true
	w.put(ana)
	if _, err := w.SignIn(ctx, access.Attempt{Name: ana.UPN, Secret: "password of ana@lab.example"}); !fault.Is(err, fault.Denied) {
		t.Errorf("a disabled person's sign-in gave %v", err)
	}
}

func TestThrottle(t *testing.T) {
	w := newWorld(t)
	w.person("ana@lab.example")
	right := access.Attempt{Name: "ana@lab.example", Secret: "password of ana@lab.example", From: "127.0.0.9"}
	wrong := right
	wrong.Secret = "wrong"
	for range 10 {
		if _, err := w.SignIn(t.Context(), wrong); !fault.Is(err, fault.Denied) {
			t.Fatalf("a wrong password gave %v", err)
		}
	}
	before := len(w.deeds())
	var f *fault.Error
	if _, err := w.SignIn(t.Context(), right); !errors.As(err, &f) || f.Kind != fault.Throttled || f.RetryAfter != 5*time.Minute {
		t.Errorf("after ten wrong passwords the right one gave %v", err)
	}
	if after := len(w.deeds()); after != before {
		t.Error("throttled attempts fill the audit log")
	}
	elsewhere := right
	elsewhere.From = "127.0.0.1"
	if _, err := w.SignIn(t.Context(), elsewhere); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	w.now += 5 * schema.Minute
	if _, err := w.SignIn(t.Context(), right); err != nil {
		t.Errorf("after the window: %v", err)
	}
	// Names that don't exist can't fill the log either.
	before = len(w.deeds())
	for i := range 300 {
		w.SignIn(t.Context(), access.Attempt{Name: fmt.Sprint("nobody", i)})
	}
	if n := len(w.deeds()) - before; n != 100 {
		t.Errorf("300 invented names gave %d records, want 100", n)
	}
}
