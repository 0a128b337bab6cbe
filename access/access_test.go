package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lockstep/access"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/state/memory"
)

// world is a service with a clock that the test turns.
type world struct {
	*access.Service
	t     *testing.T
	now   schema.Ticks
	store state.Store
	ids   int
	keys  *access.Keys
	root  access.Principal
}

const tenant = "11111111-2222-3333-4444-555555555555"

// cheap makes hashing fast; its strength is not what these tests are about.
var cheap = access.Effort{Passes: 1, KiB: 8, PerSecret: 1}

// makeKeys makes keys for tokens, which takes long enough to do it but once.
func makeKeys() (*access.Keys, error) {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return access.OpenKeys(filepath.Join(dir, "tokens.pem"))
}

var oneKey = sync.OnceValues(makeKeys)

func newWorld(t *testing.T) *world {
	keys, err := oneKey()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: 638_900_000_000_000_000, store: memory.New(), keys: keys}
	w.reopen()
	w.root = w.Operator("test")
	return w
}

func (w *world) reopen() {
	w.t.Helper()
	s, err := access.New(context.Background(), access.Options{
		Store: w.store, Now: func() schema.Ticks { return w.now }, Keys: w.keys, Effort: cheap,
		NewID:  func() string { w.ids++; return fmt.Sprintf("00000000-0000-0000-0000-%012d", w.ids) },
		Tenant: tenant, Issuer: "https://localhost:8443", Bases: []string{"https://127.0.0.1:8443"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service = s
}

func (w *world) put(p access.Principal) access.Principal {
	w.t.Helper()
	p, err := w.Put(w.t.Context(), w.root, p)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) person(upn string, grants ...access.Grant) access.Principal {
	w.t.Helper()
	p := w.put(access.Principal{Kind: access.Person, UPN: upn, Name: "Name of " + upn, Grants: grants})
	if err := w.SetPassword(w.t.Context(), w.root, p.ID, "password of "+upn); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) application(name string, grants ...access.Grant) (access.Principal, string) {
	w.t.Helper()
	p := w.put(access.Principal{Kind: access.Application, Name: name, Grants: grants})
	text, _, err := w.NewSecret(w.t.Context(), w.root, p.ID, "test", 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return p, text
}

func (w *world) deeds() (out []string) {
	w.t.Helper()
	log, err := w.Audit(w.t.Context(), w.root, 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range log {
		out = append(out, strings.TrimSpace(fmt.Sprint(e.Record.Deed, " ", e.Record.Name, " ", e.Record.Action)))
	}
	return out
}

func TestAllowed(t *testing.T) {
	const ws = "workspace-1"
	for _, c := range []struct {
		role, grant, action, scope string
		want                       bool
	}{
		{"Reader", "*", access.IncidentsRead, "", true},
		{"Reader", "*", access.IncidentsRead, "xdr", true},
		{"Reader", "*", access.IncidentsRead, ws, true},
		{"Reader", "*", access.IncidentsWrite, ws, false},
		{"Reader", ws, access.IncidentsRead, "", false},
		{"Reader", ws, access.IncidentsRead, strings.ToUpper(ws), true},
		{"Reader", ws, access.IncidentsRead, "workspace-2", false},
		{"Reader", "xdr", access.IncidentsRead, ws, false},
		{"Reader", "*", "incidents/invented", "", false},
		{"Reader", "*", access.IncidentsRead, "*", false},
		{"Responder", "*", access.IncidentsWrite, ws, true},
		{"Responder", "*", access.RulesWrite, ws, false},
		{"Contributor", ws, access.RulesWrite, ws, true},
		{"Contributor", "*", access.ConnectorWrite, ws, false},
		{"Security Administrator", "*", access.ConnectorWrite, ws, true},
		{"Security Administrator", "*", access.AccessWrite, "", false},
		{"Owner", "*", access.AccessWrite, "", true},
		{"Owner", "xdr", access.AccessWrite, "", false}, // or it could make itself owner of all
		{"Owner", ws, access.ServerOperate, ws, false},
		{"SecurityIncident.Read.All", "*", access.IncidentsRead, "", true},
		{"SecurityIncident.Read.All", "*", access.IncidentsWrite, "", false},
		{"SecurityIncident.Read.All", "*", access.IncidentsRead, ws, false}, // Graph's permissions open no workspace
		{"SecurityIncident.ReadWrite.All", "xdr", access.IncidentsWrite, "", true},
		{"SecurityAlert.Read.All", "xdr", access.IncidentsRead, "", false},
		{"SecurityAlert.ReadWrite.All", "xdr", access.AlertsWrite, "", true},
		{"ThreatHunting.Read.All", "xdr", access.HuntingRun, "", true},
		{"ThreatHunting.Read.All", "xdr", access.IncidentsRead, "", false},
		{"Log Analytics Reader", "*", access.HuntingRun, ws, true},
		{"Log Analytics Reader", "*", access.HuntingRun, "", false},
		{"Monitoring Metrics Publisher", ws, access.IngestRows, ws, true},
		{"Data Publisher", "*", access.IngestAlerts, "", true},
		{"reader", "*", access.IncidentsRead, "", false},
		{"", "*", access.IncidentsRead, "", false},
	} {
		p := access.Principal{ID: "1", Grants: []access.Grant{{Role: c.role, Scope: c.grant}}}
		if got := access.Allowed(p, c.action, c.scope); got != c.want {
			t.Errorf("%s@%s may %s in %q: %v, want %v", c.role, c.grant, c.action, c.scope, got, c.want)
		}
		p.Disabled = true
		if access.Allowed(p, c.action, c.scope) {
			t.Errorf("%s@%s is disabled and may still %s", c.role, c.grant, c.action)
		}
		if access.Allowed(access.Principal{Grants: p.Grants}, c.action, c.scope) {
			t.Error("a principal without an id may do something")
		}
	}
}

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

func TestSecrets(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, first := w.application("robot")
	second, one, err := w.NewSecret(ctx, w.root, app.ID, "second", 24*time.Hour)
	if err != nil || one.Hash != "" {
		t.Fatalf("new secret: %+v, %v", one, err)
	}
	use := func(secret string) error {
		_, err := w.Exchange(ctx, access.Attempt{Name: app.ClientID, Secret: secret}, "lockstep")
		return err
	}
	if err := errors.Join(use(first), use(second)); err != nil {
		t.Error(err)
	}
	w.now += schema.Day
	if err := use(second); !errors.Is(err, access.ErrWrongSecret) {
		t.Errorf("an expired secret gave %v", err)
	}
	list, err := w.Secrets(ctx, w.root, app.ID)
	if err != nil || len(list) != 2 || list[0].Hash+list[1].Hash != "" {
		t.Errorf("secrets: %+v, %v", list, err)
	}
	for _, one := range list {
		if err := w.RemoveSecret(ctx, w.root, app.ID, one.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := use(first); !errors.Is(err, access.ErrWrongSecret) {
		t.Errorf("a removed secret gave %v", err)
	}
	// Nothing that is kept tells a secret.
	err = w.store.View(ctx, func(tx state.Tx) error {
		for _, bucket := range []string{"access/principals", "access/secrets", "access/audit"} {
			for _, data := range tx.Scan(bucket, "", "", false) {
				if strings.Contains(string(data), first) || strings.Contains(string(data), second) {
					t.Errorf("%s holds a secret in clear", bucket)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayChange(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	reader := w.person("reader@lab.example", access.Grant{Role: "Reader", Scope: "*"})
	admin := w.person("admin@lab.example", access.Grant{Role: "Security Administrator", Scope: "*"})
	boss := w.person("boss@lab.example", access.Grant{Role: "Owner", Scope: "*"})
	for _, c := range []struct {
		by         access.Principal
		read, edit bool
	}{{reader, false, false}, {admin, true, false}, {boss, true, true}} {
		_, readErr := w.Audit(ctx, c.by, 0, 1)
		mine := reader
		mine.Grants = append(mine.Grants, access.Grant{Role: "Owner", Scope: "*"})
		_, putErr := w.Put(ctx, c.by, mine)
		if !c.edit {
			for name, err := range map[string]error{
				"put": putErr, "remove": w.Remove(ctx, c.by, reader.ID), "set password": w.SetPassword(ctx, c.by, boss.ID, "a new password"),
			} {
				if !fault.Is(err, fault.Denied) {
					t.Errorf("%s by %s gave %v", name, c.by.UPN, err)
				}
			}
		} else if putErr != nil {
			t.Error(putErr)
		}
		if (readErr == nil) != c.read {
			t.Errorf("audit for %s gave %v", c.by.UPN, readErr)
		}
	}
	if err := w.SetPassword(ctx, admin, admin.ID, "my own new password"); err != nil {
		t.Errorf("one's own password: %v", err)
	}
	if _, err := w.SignIn(ctx, access.Attempt{Name: admin.UPN, Secret: "my own new password"}); err != nil {
		t.Error(err)
	}
	if err := w.SetPassword(ctx, admin, admin.ID, "short"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short password gave %v", err)
	}
	people := access.People{Service: w.Service}
	if !people.Allowed(admin.Owner(), access.ConnectorWrite, "ws") || people.Allowed(admin.Owner(), access.AccessWrite, "") || people.Allowed(security.Owner{}, access.IncidentsRead, "") {
		t.Error("a page is told wrongly what to offer")
	}
	if err := people.Authorize(ctx, admin.Owner(), access.ConnectorWrite, "ws"); err != nil {
		t.Error(err)
	}
	if err := people.Authorize(ctx, security.Owner{ObjectID: "gone"}, access.IncidentsRead, ""); !fault.Is(err, fault.Denied) {
		t.Errorf("somebody unknown: %v", err)
	}
}

// The same refusal is recorded once in a while, another one at once.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	ana := w.person("ana@lab.example")
	refused := func() (n int) {
		for _, d := range w.deeds() {
			if strings.HasPrefix(d, "refused ") {
				n++
			}
		}
		return n
	}
	ask := func(action access.Action, scope string) {
		t.Helper()
		if err := w.Authorize(t.Context(), ana, action, scope); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "ana@lab.example") {
			t.Errorf("%s: %v", action, err)
		}
	}
	for range 50 {
		ask(access.IncidentsRead, "")
	}
	if refused() != 1 {
		t.Errorf("recorded %d times", refused())
	}
	ask(access.IncidentsRead, "ws")
	ask(access.IncidentsWrite, "")
	w.now += 10 * schema.Minute
	ask(access.IncidentsRead, "")
	if refused() != 4 {
		t.Errorf("recorded %d times, want 4", refused())
	}
	if err := w.AuthorizeRequest(t.Context(), access.IncidentsRead, ""); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("nobody: %v", err)
	}
	if err := w.AuthorizeRequest(access.With(t.Context(), w.root), access.IncidentsRead, ""); err != nil {
		t.Error(err)
	}
}

func TestPutRefused(t *testing.T) {
	w := newWorld(t)
	w.person("ana@lab.example")
	app, _ := w.application("robot")
	for name, p := range map[string]access.Principal{
		"no kind":         {Name: "x"},
		"operator":        {Kind: access.Operator, Name: "x"},
		"no name":         {Kind: access.Application},
		"no upn":          {Kind: access.Person, Name: "x"},
		"invented role":   {Kind: access.Application, Name: "x", Grants: []access.Grant{{Role: "God", Scope: "*"}}},
		"no scope":        {Kind: access.Application, Name: "x", Grants: []access.Grant{{Role: "Reader"}}},
		"wrong side":      {Kind: access.Application, Name: "x", Grants: []access.Grant{{Role: "ThreatHunting.Read.All", Scope: "ws"}}},
		"taken upn":       {Kind: access.Person, UPN: "ANA@lab.example"},
		"taken client id": {Kind: access.Application, Name: "x", ClientID: app.ClientID},
		"upn is an id":    {Kind: access.Person, UPN: app.ID},
	} {
		if p, err := w.Put(t.Context(), w.root, p); err == nil {
			t.Errorf("%s: taken as %+v", name, p)
		}
	}
}

func TestResolve(t *testing.T) {
	w := newWorld(t)
	ana := w.put(access.Principal{Kind: access.Person, UPN: "ana@lab.example", Mail: "ana.mail@lab.example", Name: "Ana Lab", Aliases: []string{"LAB\\ana"}})
	w.put(access.Principal{Kind: access.Person, UPN: "kim@lab.example", Name: "Kim"})
	w.put(access.Principal{Kind: access.Person, UPN: "kim2@lab.example", Name: "Kim"})
	soc := w.put(access.Principal{Kind: access.Group, Name: "SOC", Mail: "soc@lab.example"})
	w.put(access.Principal{Kind: access.Application, Name: "robot"})
	want := security.Owner{ObjectID: ana.ID, Email: "ana.mail@lab.example", AssignedTo: "Ana Lab", UPN: "ana@lab.example", Type: "User"}
	for _, text := range []string{ana.ID, "ana@lab.example", " ANA@LAB.example ", "Ana.Mail@lab.example", `lab\ANA`, "ana lab"} {
		got, ok := w.Resolve(text)
		if d := cmp.Diff(want, got); !ok || d != "" {
			t.Errorf("%q: %v %s", text, ok, d)
		}
	}
	if got, ok := w.Resolve("soc"); !ok || got.Type != "Group" || got.ObjectID != soc.ID {
		t.Errorf("the group gave %+v, %v", got, ok)
	}
	for _, text := range []string{"", " ", "Kim", "robot", "nobody", "ana"} {
		if got, ok := w.Resolve(text); ok {
			t.Errorf("%q named %+v", text, got)
		}
	}
}

func TestBootstrap(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "first.json")
	made, err := w.Bootstrap(t.Context(), path, "admin@lab.example", "")
	if err != nil || !made {
		t.Fatalf("bootstrap: %v, %v", made, err)
	}
	first, err := access.ReadFirst(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.SignIn(t.Context(), access.Attempt{Name: first.User, Secret: first.Password})
	if err != nil || !access.Allowed(p, access.AccessWrite, "") || first.Tenant != tenant {
		t.Errorf("the first person: %+v, %v", p, err)
	}
	token, err := w.Exchange(t.Context(), access.Attempt{Name: first.ClientID, Secret: first.ClientSecret}, "lockstep")
	if err != nil {
		t.Fatal(err)
	}
	if app, err := w.Validate(token.Text); err != nil || !access.Allowed(app, access.IngestAlerts, "") {
		t.Errorf("the first application: %+v, %v", app, err)
	}
	w.reopen()
	if made, err := w.Bootstrap(t.Context(), path, "admin@lab.example", "other password"); made || err != nil {
		t.Errorf("a second start: %v, %v", made, err)
	}
	if again, err := access.ReadFirst(path); err != nil || again != first {
		t.Errorf("a second start changed the file: %v", err)
	}
	want := []string{"changed first start put", "changed first start put", "signedIn admin@lab.example", "tokenIssued First application"}
	if d := cmp.Diff(want, w.deeds()); d != "" {
		t.Error(d)
	}
	chosen := newWorld(t)
	if _, err := chosen.Bootstrap(t.Context(), path, "admin", "short"); !fault.Is(err, fault.Invalid) || len(chosen.Principals()) != 0 {
		t.Errorf("a short first password gave %v", err)
	}
	if _, err := chosen.Bootstrap(t.Context(), path, "admin", "chosen by me"); err != nil {
		t.Fatal(err)
	}
	if _, err := chosen.SignIn(t.Context(), access.Attempt{Name: "admin", Secret: "chosen by me"}); err != nil {
		t.Error(err)
	}
}

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

func TestDefaultEffort(t *testing.T) {
	if e := access.DefaultEffort; e.KiB < 19<<10 || e.Passes < 2 {
		t.Errorf("guessing is too cheap: %+v", e)
	}
}
