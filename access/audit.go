package access

import (
	"context"
	"fmt"
	"sync"

	"lockstep/schema"
	"lockstep/state"
)

// Deed is what an audit record tells.
type Deed string

// The deeds.
const (
	SignedIn      Deed = "signedIn"
	SignInRefused Deed = "signInRefused"
	TokenIssued   Deed = "tokenIssued"
	TokenRefused  Deed = "tokenRefused"
	Refused       Deed = "refused" // an action that no grant allows
	Changed       Deed = "changed" // principals, passwords, secrets
)

// Record is one line of the audit log. It never holds a secret.
type Record struct {
	At     schema.Ticks `json:"at"`
	Deed   Deed         `json:"deed"`
	ID     string       `json:"id,omitempty"`   // object id of who did it; "" if nobody known
	Name   string       `json:"name,omitempty"` // as known, else as claimed
	From   string       `json:"from,omitempty"` // address it came from
	Action string       `json:"action,omitempty"`
	Scope  string       `json:"scope,omitempty"`
	Target string       `json:"target,omitempty"` // object id of the principal that was changed
	Detail string       `json:"detail,omitempty"`
}

// kept is how many records the log keeps; older ones go in steps.
const (
	kept = 200_000
	step = 1_000
	long = 300 // characters of a claimed name or a detail that are kept
)

var audit = state.Log[Record]{Name: "access/audit"}

// again is how long the same refusal isn't recorded anew: a page that asks
// every second must not drown the log.
const again = 10 * schema.Minute

// recent remembers what was recorded lately.
type recent struct {
	now  func() schema.Ticks
	mu   sync.Mutex
	seen map[string]schema.Ticks
}

// first reports whether something wasn't recorded lately, and takes it as
// recorded now.
func (r *recent) first(what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if at, ok := r.seen[what]; ok && now-at < again {
		return false
	}
	if len(r.seen) >= mostCounts {
		clear(r.seen)
	}
	r.seen[what] = now
	return true
}

// append writes a record in the transaction of what it tells of.
func (s *Service) append(tx state.Tx, r Record) {
	r.At = s.o.Now()
	r.Name, r.Detail = clip(r.Name), clip(r.Detail)
	if n := audit.Append(tx, r); n > kept && n%step == 0 {
		audit.Forget(tx, n-kept)
	}
}

func (s *Service) record(ctx context.Context, r Record) error {
	err := s.o.Store.Update(context.WithoutCancel(ctx), func(tx state.Tx) error {
		s.append(tx, r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

// Audit gives up to limit records after a number, oldest first, to whom may read them.
func (s *Service) Audit(ctx context.Context, by Principal, after int64, limit int) ([]state.Entry[Record], error) {
	if err := s.Authorize(ctx, by, AccessRead, XDR); err != nil {
		return nil, err
	}
	var out []state.Entry[Record]
	err := s.o.Store.View(ctx, func(tx state.Tx) error {
		out = audit.After(tx, after, limit)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return out, nil
}

// clip shortens an attacker's text and shows that it did.
func clip(text string) string {
	for i := range text {
		if i >= long {
			return text[:i] + "…"
		}
	}
	return text
}
