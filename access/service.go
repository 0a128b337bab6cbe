package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// Options are what a Service is made of.
type Options struct {
	Store  state.Store
	Now    func() schema.Ticks
	NewID  func() string // a new GUID each time
	Random func([]byte)  // secret random bytes; nil: the system's
	Tenant string        // the tenant's GUID
	Issuer string        // base URL of this server; the issuer of tokens begins with it
	Bases  []string      // further base URLs under which it is reached
	Keys   *Keys         // what tokens are signed with
	Effort Effort        // what a guess at a password costs; zero: DefaultEffort
}

// Service holds the principals of one server. It keeps all of them in memory
// beside the state, so that a decision costs no read and may be made inside
// somebody else's transaction.
type Service struct {
	o        Options
	known    atomic.Pointer[index]
	changing sync.Mutex // one change of principals at a time, so that known follows in order
	throttle throttle
	refusals recent
	hashing  chan struct{} // bounds how much memory guesses at passwords take at once
	decoy    string        // a hash that is compared when there is no principal, so that both take as long
}

var (
	principals = state.Table[Principal]{Name: "access/principals"}
	secrets    = state.Table[Secret]{Name: "access/secrets", Indexes: []state.Index[Secret]{
		{Name: "principal", Keys: func(s Secret) []string { return []string{state.Join(s.Principal)} }},
	}}
)

// New makes the service from what state holds.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Random == nil {
		o.Random = func(b []byte) { rand.Read(b) } // never fails, says crypto/rand
	}
	if o.Effort == (Effort{}) {
		o.Effort = DefaultEffort
	}
	s := &Service{o: o, throttle: throttle{now: o.Now, tries: map[string]*tries{}}, refusals: recent{now: o.Now, seen: map[string]schema.Ticks{}}, hashing: make(chan struct{}, 2)}
	s.decoy = s.hash("no password")
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Service) load(ctx context.Context) error {
	var all []Principal
	err := s.o.Store.View(ctx, func(tx state.Tx) error {
		all = all[:0]
		for _, p := range principals.Scan(tx, state.All()) {
			all = append(all, p)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load principals: %w", err)
	}
	s.known.Store(newIndex(all))
	return nil
}

// Authorize allows an action within a scope by returning nil; see Allowed. A
// refusal is fault.Denied and is written to the audit log, the same one once in
// a while. To learn what to offer, without a trace, ask Allowed.
func (s *Service) Authorize(ctx context.Context, p Principal, action Action, scope string) error {
	if Allowed(p, action, scope) {
		return nil
	}
	if scope == "" {
		scope = XDR
	}
	denied := fault.New(fault.Denied, "%s may not do %s in %s", p.label(), action, scope)
	if !s.refusals.first(p.ID + "\x00" + action + "\x00" + scope) {
		return denied
	}
	if err := s.record(ctx, Record{Deed: Refused, ID: p.ID, Name: p.label(), Action: action, Scope: scope}); err != nil {
		return fmt.Errorf("%w (and the audit log couldn't be written: %w)", denied, err)
	}
	return denied
}

// Principal gives the principal with an object id as it stands now.
func (s *Service) Principal(id string) (Principal, error) {
	p, ok := s.known.Load().byID[fold(id)]
	if !ok {
		return Principal{}, fault.New(fault.NotFound, "there is no principal %s", id)
	}
	return p, nil
}

// Principals gives all principals, by kind and name.
func (s *Service) Principals() []Principal {
	return slices.SortedFunc(maps.Values(s.known.Load().byID), func(a, b Principal) int {
		if a.Kind != b.Kind {
			return compare(string(a.Kind), string(b.Kind))
		}
		if a.label() != b.label() {
			return compare(a.label(), b.label())
		}
		return compare(a.ID, b.ID)
	})
}

// Operator is the principal behind the server's socket: whoever may open it
// owns the data folder anyway. Name says who it is, for the audit log.
func (s *Service) Operator(name string) Principal {
	return Principal{ID: "operator", Kind: Operator, Name: "operator " + name, Grants: []Grant{{Role: "Owner", Scope: Everywhere}}}
}

// Put makes a principal or replaces one, on behalf of by. A new one gets its
// ids here. Names must be unique among what people sign in with.
func (s *Service) Put(ctx context.Context, by, p Principal) (Principal, error) {
	if err := s.Authorize(ctx, by, AccessWrite, XDR); err != nil {
		return Principal{}, err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	p, err := s.complete(p)
	if err != nil {
		return Principal{}, err
	}
	err = s.change(ctx, by, "put", p, func(tx state.Tx) { principals.Put(tx, fold(p.ID), p) })
	return p, err
}

// Remove removes a principal with its secrets, on behalf of by.
func (s *Service) Remove(ctx context.Context, by Principal, id string) error {
	if err := s.Authorize(ctx, by, AccessWrite, XDR); err != nil {
		return err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	p, err := s.Principal(id)
	if err != nil {
		return err
	}
	return s.change(ctx, by, "remove", p, func(tx state.Tx) {
		principals.Delete(tx, fold(p.ID))
		for _, key := range slices.Collect(secrets.Keys(tx, "principal", state.Prefix(p.ID))) {
			secrets.Delete(tx, key)
		}
	})
}

// change writes a change of one principal with its audit record and takes it
// into memory. Whoever calls it holds changing.
func (s *Service) change(ctx context.Context, by Principal, what string, p Principal, write func(tx state.Tx)) error {
	err := s.o.Store.Update(ctx, func(tx state.Tx) error {
		write(tx)
		s.append(tx, Record{Deed: Changed, ID: by.ID, Name: by.label(), Action: what, Target: p.ID, Detail: p.summary()})
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s principal %s: %w", what, p.label(), err)
	}
	return s.load(context.WithoutCancel(ctx))
}

// complete checks a principal and fills in what it lacks.
func (s *Service) complete(p Principal) (Principal, error) {
	switch p.Kind {
	case Person, Group, Application:
	default:
		return p, fault.At("kind", "%q isn't %s, %s or %s", p.Kind, Person, Group, Application)
	}
	if p.label() == "" {
		return p, fault.At("name", "a principal needs one")
	}
	if p.Kind == Person && p.UPN == "" {
		return p, fault.At("upn", "a person needs one to be told apart")
	}
	for _, g := range p.Grants {
		if err := g.check(); err != nil {
			return p, err
		}
	}
	if p.ID == "" {
		p.ID = s.o.NewID()
	}
	if p.Kind == Application && p.ClientID == "" {
		p.ClientID = s.o.NewID()
	}
	for _, name := range []string{p.ID, p.ClientID, p.UPN} {
		if other, ok := s.known.Load().named(name); name != "" && ok && fold(other.ID) != fold(p.ID) {
			return p, fault.New(fault.Conflict, "%s is %s already", name, other.label())
		}
	}
	return p, nil
}

// Resolve finds the owner that a text names: by object id, UPN, mail address,
// alias or display name, in this order. False if there is none, or several.
func (s *Service) Resolve(text string) (security.Owner, bool) {
	p, ok := s.known.Load().resolve(text)
	if !ok || p.Kind == Application {
		return security.Owner{}, false
	}
	return p.Owner(), true
}
