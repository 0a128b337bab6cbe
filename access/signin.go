package access

import (
	"context"
	"errors"
	"sync"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Attempt is somebody who claims to be a person or an application.
type Attempt struct {
	Name   string // UPN or client id
	Secret string
	From   string // address it comes from, "" if unknown
}

// errRefused says no more than that name and secret don't go together.
var errRefused = errors.New("the name or the password is wrong")

// SignIn admits a person by UPN and password. The error is fault.Denied, and
// the same, whether the name or the password is wrong; fault.Throttled after
// too many wrong ones.
func (s *Service) SignIn(ctx context.Context, a Attempt) (Principal, error) {
	if err := s.throttle.admit(a); err != nil {
		return Principal{}, err
	}
	p, known := s.known.Load().named(a.Name)
	known = known && p.Kind == Person
	ok, err := s.check(ctx, p, known, a)
	if err != nil {
		return Principal{}, err
	}
	if !ok {
		if s.throttle.refused(a, known) {
			err = s.record(ctx, Record{Deed: SignInRefused, ID: idIf(known, p), Name: a.Name, From: a.From})
		}
		return Principal{}, errors.Join(fault.New(fault.Denied, "sign in: %w", errRefused), err)
	}
	s.throttle.forgive(a)
	if err := s.record(ctx, Record{Deed: SignedIn, ID: p.ID, Name: p.label(), From: a.From}); err != nil {
		return Principal{}, err
	}
	return p, nil
}

func (s *Service) check(ctx context.Context, p Principal, known bool, a Attempt) (bool, error) {
	ok, err := s.verify(ctx, idIf(known, p), a.Secret)
	return ok && known && !p.Disabled, err
}

func idIf(known bool, p Principal) string {
	if known {
		return p.ID
	}
	return ""
}

// The bounds on wrong secrets within a window: from one address for one name,
// for one name from everywhere, and for all names that don't exist together
// (which only stops their being recorded).
const (
	window     = 5 * schema.Minute
	fromOne    = 10
	fromAll    = 100
	mostCounts = 20_000
)

type tries struct {
	count int
	since schema.Ticks
}

// throttle counts wrong secrets, in memory.
type throttle struct {
	now   func() schema.Ticks
	mu    sync.Mutex
	tries map[string]*tries
}

func (a Attempt) counts() map[string]int {
	name := fold(clip(a.Name))
	return map[string]int{name + "\x00": fromAll, name + "\x00" + a.From: fromOne}
}

func (t *throttle) admit(a Attempt) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, most := range a.counts() {
		one, ok := t.tries[key]
		if !ok || one.count < most {
			continue
		}
		if left := one.since + window - t.now(); left > 0 {
			return fault.Later(left.Duration(), "too many wrong secrets for %q: try again later", clip(a.Name))
		}
	}
	return nil
}

// refused counts a wrong secret and says whether it is worth a record.
func (t *throttle) refused(a Attempt, known bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range a.counts() {
		t.count(key)
	}
	return known || t.count("") <= fromAll
}

func (t *throttle) count(key string) int {
	now := t.now()
	if len(t.tries) >= mostCounts {
		for k, one := range t.tries {
			if now-one.since >= window {
				delete(t.tries, k)
			}
		}
	}
	one, ok := t.tries[key]
	if !ok || now-one.since >= window {
		if len(t.tries) >= mostCounts {
			clear(t.tries) // forgetting is safer than growing without end
		}
		one = &tries{since: now}
		t.tries[key] = one
	}
	one.count++
	return one.count
}

func (t *throttle) forgive(a Attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range a.counts() {
		delete(t.tries, key)
	}
}

// People is the service as a page needs it, with people as incident owners.
type People struct{ *Service }

// SignIn admits a person by name and password; see Service.SignIn.
func (p People) SignIn(ctx context.Context, user, password string) (security.Owner, error) {
	found, err := p.Service.SignIn(ctx, Attempt{Name: user, Secret: password})
	if err != nil {
		return security.Owner{}, err
	}
	return found.Owner(), nil
}

// Authorize decides for a person who signed in, by what they may do now.
func (p People) Authorize(ctx context.Context, person security.Owner, action Action, scope string) error {
	found, err := p.Principal(person.ObjectID)
	if err != nil {
		return fault.New(fault.Denied, "%s isn't known any more", person.Text())
	}
	return p.Service.Authorize(ctx, found, action, scope)
}

// Allowed tells a page what to offer a person, without a trace in the audit log.
func (p People) Allowed(person security.Owner, action Action, scope string) bool {
	found, err := p.Principal(person.ObjectID)
	return err == nil && Allowed(found, action, scope)
}
