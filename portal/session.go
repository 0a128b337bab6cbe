package portal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Action is what somebody wants to do on a page.
type Action = string

// The actions that the portal asks Access about.
const (
	SignedIn       Action = "signedIn" // nothing beyond a session; Access isn't asked
	IncidentsRead  Action = "incidents/read"
	IncidentsWrite Action = "incidents/write"
	ConnectorRead  Action = "connector/read"
	ConnectorWrite Action = "connector/write"
	HuntingRun     Action = "hunting/run"
)

// Access knows people and what they may do.
type Access interface {
	// SignIn checks a name and a password. fault.Denied if they don't fit,
	// without saying which of the two.
	SignIn(ctx context.Context, user, password string) (security.Owner, error)
	// Authorize allows an action by returning nil. Scope is a workspace id, or
	// "" for the XDR side. fault.Denied if not allowed.
	Authorize(ctx context.Context, person security.Owner, action Action, scope string) error
	// Allowed tells what to offer a person, without a trace in the audit log.
	Allowed(person security.Owner, action Action, scope string) bool
}

// session is one signed-in browser.
type session struct {
	person  security.Owner
	started schema.Ticks
	used    schema.Ticks
	key     [sha256.Size]byte
}

// actor is the person as the author of changes.
func (s session) actor() security.Actor {
	return security.Actor{Kind: security.Person, ID: s.person.ObjectID, Name: s.person.Text()}
}

// sessions keeps who is signed in, in memory: a restart signs everybody out.
// Only a digest of a token is kept.
type sessions struct {
	now        func() schema.Ticks
	idle, life schema.Ticks
	random     func([]byte) error

	mu    sync.Mutex
	byKey map[[sha256.Size]byte]*session
	// failed counts wrong passwords per user and address within a window.
	failed map[string]*failures
}

type failures struct {
	count int
	since schema.Ticks
}

const (
	maxSessions   = 10_000
	maxFailures   = 10
	failureWindow = 5 * schema.Minute
)

func newSessions(now func() schema.Ticks, idle, life time.Duration, random func([]byte) error) *sessions {
	if random == nil {
		random = func(b []byte) error { _, err := rand.Read(b); return err }
	}
	return &sessions{now: now, idle: schema.Span(idle), life: schema.Span(life), random: random,
		byKey: map[[sha256.Size]byte]*session{}, failed: map[string]*failures{}}
}

// start makes a session and gives its token.
func (s *sessions) start(person security.Owner) (string, error) {
	raw := make([]byte, 32)
	if err := s.random(raw); err != nil {
		return "", fmt.Errorf("make a session token: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	if len(s.byKey) >= maxSessions {
		return "", fault.Later(time.Minute, "too many people are signed in")
	}
	key := sha256.Sum256([]byte(token))
	s.byKey[key] = &session{person: person, started: now, used: now, key: key}
	return token, nil
}

// find gives the live session of a token and marks it as used.
func (s *sessions) find(token string) (session, bool) {
	key := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byKey[key]
	if !ok {
		return session{}, false
	}
	now := s.now()
	if s.over(found, now) {
		delete(s.byKey, key)
		return session{}, false
	}
	found.used = now
	return *found, true
}

// alive reports whether a session still stands, without counting as use.
func (s *sessions) alive(key [sha256.Size]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byKey[key]
	return ok && !s.over(found, s.now())
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, sha256.Sum256([]byte(token)))
}

func (s *sessions) over(one *session, now schema.Ticks) bool {
	return now-one.used >= s.idle || now-one.started >= s.life
}

// sweep forgets what is over. The caller holds the lock.
func (s *sessions) sweep(now schema.Ticks) {
	for key, one := range s.byKey {
		if s.over(one, now) {
			delete(s.byKey, key)
		}
	}
	for who, f := range s.failed {
		if now-f.since >= failureWindow {
			delete(s.failed, who)
		}
	}
}

// admit says whether somebody may try a password now.
func (s *sessions) admit(who string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.failed[who]
	if !ok {
		return nil
	}
	left := f.since + failureWindow - s.now()
	if left <= 0 {
		delete(s.failed, who)
		return nil
	}
	if f.count >= maxFailures {
		return fault.Later(left.Duration(), "too many wrong passwords; try again in %s", left.Duration().Round(time.Second))
	}
	return nil
}

// refused counts a wrong password.
func (s *sessions) refused(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.failed) >= maxSessions {
		s.sweep(now)
	}
	f, ok := s.failed[who]
	if !ok {
		f = &failures{since: now}
		s.failed[who] = f
	}
	f.count++
}

func (s *sessions) forgive(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failed, who)
}

// The session cookie's name. Over TLS the prefix makes browsers hold it to
// Secure, to the whole path and to this very host.
const (
	cookieTLS   = "__Host-lockstep"
	cookiePlain = "lockstep"
)

func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return cookieTLS
	}
	return cookiePlain
}

func (p *Portal) cookie(r *http.Request, token string, age int) *http.Cookie {
	return &http.Cookie{Name: cookieName(r), Value: token, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode}
}

// current gives the request's session.
func (p *Portal) current(r *http.Request) (session, bool) {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return session{}, false
	}
	return p.sessions.find(c.Value)
}

// signedHandler answers somebody who is signed in and allowed.
type signedHandler func(w http.ResponseWriter, r *http.Request, s session) (any, error)

// signed admits a request by its session and by what Access says of the
// action: for the workspace in the path, else for the XDR side.
func (p *Portal) signed(action Action, h signedHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		s, ok := p.current(r)
		if !ok {
			return nil, errSignedOut
		}
		if action == SignedIn {
			return h(w, r, s)
		}
		scope := ""
		if name := r.PathValue("ws"); name != "" {
			ws, err := p.workspaceNamed(r.Context(), name)
			if err != nil {
				return nil, err
			}
			scope = ws.ID
		}
		if err := p.o.Access.Authorize(r.Context(), s.person, action, scope); err != nil {
			return nil, err
		}
		return h(w, r, s)
	}
}

type signInBody struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

func (p *Portal) signIn(w http.ResponseWriter, r *http.Request) (any, error) {
	body, err := read[signInBody](r)
	if err != nil {
		return nil, err
	}
	if body.User == "" || body.Password == "" {
		return nil, fault.New(fault.Invalid, "a user name and a password are needed")
	}
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	who := strings.ToLower(body.User) + " " + address
	if err := p.sessions.admit(who); err != nil {
		return nil, err
	}
	person, err := p.o.Access.SignIn(r.Context(), body.User, body.Password)
	if err != nil {
		if fault.Is(err, fault.Denied) {
			p.sessions.refused(who)
		}
		return nil, err
	}
	p.sessions.forgive(who)
	if old, err := r.Cookie(cookieName(r)); err == nil {
		p.sessions.end(old.Value)
	}
	token, err := p.sessions.start(person)
	if err != nil {
		return nil, err
	}
	http.SetCookie(w, p.cookie(r, token, int(p.o.SessionLife.Seconds())))
	return p.meOf(r.Context(), person)
}

func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) (any, error) {
	if c, err := r.Cookie(cookieName(r)); err == nil {
		p.sessions.end(c.Value)
	}
	http.SetCookie(w, p.cookie(r, "", -1))
	return nil, nil
}

// Me is who is signed in and what this server offers them.
type Me struct {
	Person     Person          `json:"person"`
	Tenant     string          `json:"tenant"`
	Now        schema.Ticks    `json:"now"` // the server's clock; recordings may be replayed under another
	May        map[Action]bool `json:"may"` // on the XDR side
	Has        Roles           `json:"has"` // what this process runs
	Workspaces []WorkspaceView `json:"workspaces"`
}

// Roles says which parts answer in this process.
type Roles struct {
	XDR       bool `json:"xdr"`
	Workspace bool `json:"workspace"`
	Connector bool `json:"connector"`
	Hunting   bool `json:"hunting"`
}

func (p *Portal) me(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	return p.meOf(r.Context(), s.person)
}

func (p *Portal) meOf(ctx context.Context, person security.Owner) (any, error) {
	m := Me{Person: personOf(person), Tenant: p.o.Tenant, Now: p.o.Now(), May: p.allowed(ctx, person, ""),
		Has:        Roles{XDR: p.o.XDR != nil, Workspace: p.o.Workspaces != nil, Connector: p.o.Connector != nil, Hunting: p.o.Queries != nil},
		Workspaces: []WorkspaceView{}}
	if p.o.Workspaces != nil {
		all, err := p.visibleWorkspaces(ctx, person)
		if err != nil {
			return nil, err
		}
		m.Workspaces = all
	}
	return m, nil
}

// allowed tells a page which of its buttons would work.
func (p *Portal) allowed(ctx context.Context, person security.Owner, scope string) map[Action]bool {
	may := map[Action]bool{}
	for _, a := range []Action{IncidentsRead, IncidentsWrite, ConnectorRead, ConnectorWrite, HuntingRun} {
		may[a] = p.o.Access.Allowed(person, a, scope)
	}
	return may
}

func (p *Portal) people(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	out := []Person{personOf(s.person)}
	if p.o.People == nil {
		return out, nil
	}
	all, err := p.o.People.People(r.Context())
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if !o.Same(s.person) {
			out = append(out, personOf(o))
		}
	}
	return out, nil
}
