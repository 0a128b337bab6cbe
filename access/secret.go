package access

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/state"
)

// Secret is a password of a person or a client secret of an application, as
// its hash. A person has one, an application several, so that they can be
// changed without a gap.
type Secret struct {
	ID        string       `json:"id"`
	Principal string       `json:"principal"` // object id
	Label     string       `json:"label,omitempty"`
	Hash      string       `json:"hash"` // argon2id in PHC form
	Created   schema.Ticks `json:"created"`
	Expires   schema.Ticks `json:"expires,omitempty"` // zero: never
}

// Effort is what computing one hash costs.
type Effort struct {
	Passes    uint32
	KiB       uint32
	PerSecret uint8 // threads
}

// DefaultEffort is OWASP's choice for argon2id: 19 MiB, two passes, one thread.
var DefaultEffort = Effort{Passes: 2, KiB: 19 << 10, PerSecret: 1}

// The lengths of what people choose, in characters and bytes.
const (
	shortestPassword = 12
	longestPassword  = 1024
)

func (s *Service) hash(password string) string {
	salt := make([]byte, 16)
	s.o.Random(salt)
	e := s.o.Effort
	key := argon2.IDKey([]byte(password), salt, e.Passes, e.KiB, e.PerSecret, 32)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, e.KiB, e.Passes, e.PerSecret, b64(salt), b64(key))
}

// matches compares a password with a hash in a time that doesn't tell how far it fits.
func (s *Service) matches(hash, password string) bool {
	part := strings.Split(hash, "$")
	var version int
	var e Effort
	if len(part) != 6 || part[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(part[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false
	}
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &e.KiB, &e.Passes, &e.PerSecret); err != nil || e.Passes == 0 || e.PerSecret == 0 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(part[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(part[5])
	if err != nil || len(want) == 0 {
		return false
	}
	s.hashing <- struct{}{}
	defer func() { <-s.hashing }()
	got := argon2.IDKey([]byte(password), salt, e.Passes, e.KiB, e.PerSecret, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// verify tells whether a password fits one of a principal's living secrets. It
// takes about as long when there is no such principal.
func (s *Service) verify(ctx context.Context, id, password string) (bool, error) {
	var hashes []string
	if id != "" {
		err := s.o.Store.View(ctx, func(tx state.Tx) error {
			hashes = hashes[:0]
			for _, one := range secrets.By(tx, "principal", state.Prefix(id)) {
				if one.Expires == 0 || one.Expires > s.o.Now() {
					hashes = append(hashes, one.Hash)
				}
			}
			return nil
		})
		if err != nil {
			return false, fmt.Errorf("read secrets: %w", err)
		}
	}
	if len(password) > longestPassword {
		return false, nil
	}
	if len(hashes) == 0 {
		s.matches(s.decoy, password)
		return false, nil
	}
	return slices.ContainsFunc(hashes, func(h string) bool { return s.matches(h, password) }), nil
}

// SetPassword sets a person's password, on behalf of by: themselves, or
// somebody who may change access.
func (s *Service) SetPassword(ctx context.Context, by Principal, id, password string) error {
	p, err := s.Principal(id)
	if err != nil {
		return err
	}
	if by.ID != p.ID || by.Disabled {
		if err := s.Authorize(ctx, by, AccessWrite, XDR); err != nil {
			return err
		}
	}
	if p.Kind != Person {
		return fault.At("password", "%s is no person: applications have secrets", p.label())
	}
	if err := checkPassword(password); err != nil {
		return err
	}
	one := Secret{ID: "password " + p.ID, Principal: p.ID, Label: "password", Hash: s.hash(password), Created: s.o.Now()}
	s.changing.Lock()
	defer s.changing.Unlock()
	return s.change(ctx, by, "set password", p, func(tx state.Tx) { secrets.Put(tx, one.ID, one) })
}

func checkPassword(password string) error {
	if utf8.RuneCountInString(password) < shortestPassword || len(password) > longestPassword {
		return fault.At("password", "it needs %d characters at least, and %d bytes at most", shortestPassword, longestPassword)
	}
	return nil
}

// NewSecret makes a client secret for an application and gives its text, which
// can't be had again. Life is how long it is valid, 0 for ever.
func (s *Service) NewSecret(ctx context.Context, by Principal, id, label string, life time.Duration) (text string, one Secret, err error) {
	if err := s.Authorize(ctx, by, AccessWrite, XDR); err != nil {
		return "", one, err
	}
	p, err := s.Principal(id)
	if err != nil {
		return "", one, err
	}
	if p.Kind != Application {
		return "", one, fault.At("secret", "%s is no application: people have passwords", p.label())
	}
	text = s.random()
	one = Secret{ID: s.o.NewID(), Principal: p.ID, Label: label, Hash: s.hash(text), Created: s.o.Now()}
	if life > 0 {
		one.Expires = one.Created + schema.Span(life)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := s.change(ctx, by, "add secret to", p, func(tx state.Tx) { secrets.Put(tx, one.ID, one) }); err != nil {
		return "", Secret{}, err
	}
	one.Hash = ""
	return text, one, nil
}

// RemoveSecret ends a secret at once, on behalf of by. Tokens that were had
// with it live until they expire.
func (s *Service) RemoveSecret(ctx context.Context, by Principal, id, secret string) error {
	if err := s.Authorize(ctx, by, AccessWrite, XDR); err != nil {
		return err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	p, err := s.Principal(id)
	if err != nil {
		return err
	}
	return s.change(ctx, by, "remove secret from", p, func(tx state.Tx) {
		if one, ok := secrets.Get(tx, secret); ok && one.Principal == p.ID {
			secrets.Delete(tx, secret)
		}
	})
}

// Secrets lists a principal's secrets without their hashes.
func (s *Service) Secrets(ctx context.Context, by Principal, id string) ([]Secret, error) {
	if err := s.Authorize(ctx, by, AccessRead, XDR); err != nil {
		return nil, err
	}
	var out []Secret
	err := s.o.Store.View(ctx, func(tx state.Tx) error {
		out = out[:0]
		for _, one := range secrets.By(tx, "principal", state.Prefix(id)) {
			one.Hash = ""
			out = append(out, one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}
	return out, nil
}

// random gives a text of 256 random bits that survives forms and shells unquoted.
func (s *Service) random() string {
	raw := make([]byte, 32)
	s.o.Random(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}
