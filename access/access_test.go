package access_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

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
