package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"lockstep/fault"
)

// TokenLife is how long a token is valid.
const TokenLife = time.Hour

// leeway is how far clocks of client and server may be apart.
const leeway = time.Minute

// Why a token was refused. The identity face gives each its published code.
var (
	ErrUnknownApplication = errors.New("no application has this client id")
	ErrWrongSecret        = errors.New("the client secret is wrong")
	ErrUnknownResource    = errors.New("this server has no such resource")
)

// ErrUnauthenticated is in every error of somebody who didn't show a valid
// token: a face answers 401 to it, and 403 to other denials.
var ErrUnauthenticated = errors.New("a valid bearer token is needed")

// Token is a bearer token.
type Token struct {
	Text    string
	Expires time.Duration // from now
}

// Claims are what a token says, under the names of the published identity
// platform's access tokens.
type Claims struct {
	Issuer   string           `json:"iss"`
	Audience jwt.Audience     `json:"aud"`
	Expiry   *jwt.NumericDate `json:"exp"`
	Before   *jwt.NumericDate `json:"nbf"`
	Issued   *jwt.NumericDate `json:"iat"`
	ID       string           `json:"uti"`
	Tenant   string           `json:"tid"`
	ObjectID string           `json:"oid"`
	Subject  string           `json:"sub"`
	AppID    string           `json:"appid,omitempty"`
	UPN      string           `json:"upn,omitempty"`
	Name     string           `json:"name,omitempty"`
	Type     string           `json:"idtyp"`
	Roles    []string         `json:"roles,omitempty"`
	Scope    string           `json:"scp,omitempty"`
	Version  string           `json:"ver"`
}

// Issuer is who signs the tokens.
func (s *Service) Issuer() string {
	return strings.TrimRight(s.o.Issuer, "/") + "/" + s.o.Tenant + "/v2.0"
}

// Tenant is the id of the one tenant of this server.
func (s *Service) Tenant() string { return s.o.Tenant }

// Keys are what the tokens are signed with.
func (s *Service) Keys() *Keys { return s.o.Keys }

// Exchange gives an application a token for a resource, for its client id and
// secret. Errors wrap ErrUnknownApplication, ErrWrongSecret (both
// fault.Denied) or ErrUnknownResource (fault.Invalid), or are fault.Throttled.
func (s *Service) Exchange(ctx context.Context, a Attempt, resource string) (Token, error) {
	if err := s.throttle.admit(a); err != nil {
		return Token{}, err
	}
	p, known := s.known.Load().named(a.Name)
	known = known && p.Kind == Application && fold(p.ClientID) == fold(a.Name)
	ok, err := s.check(ctx, p, known, a)
	if err != nil {
		return Token{}, err
	}
	if !ok {
		why := ErrWrongSecret
		if !known || p.Disabled {
			why = ErrUnknownApplication
		}
		if s.throttle.refused(a, known) {
			err = s.record(ctx, Record{Deed: TokenRefused, ID: idIf(known, p), Name: a.Name, From: a.From, Detail: why.Error()})
		}
		return Token{}, errors.Join(fault.New(fault.Denied, "get a token: %w", why), err)
	}
	s.throttle.forgive(a)
	return s.Issue(ctx, p, resource, a.From)
}

// Issue gives a principal a token for a resource without asking for a secret:
// for whoever has proved otherwise who they are.
func (s *Service) Issue(ctx context.Context, p Principal, resource, from string) (Token, error) {
	if _, ok := s.means(resource); !ok {
		return Token{}, fault.New(fault.Invalid, "get a token for %q: %w", clip(resource), ErrUnknownResource)
	}
	now := s.o.Now().Time()
	claims := Claims{
		Issuer: s.Issuer(), Audience: jwt.Audience{resource}, ID: s.o.NewID(), Version: "2.0",
		Issued: jwt.NewNumericDate(now), Before: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(TokenLife)),
		Tenant: s.o.Tenant, ObjectID: p.ID, Subject: p.ID,
	}
	if p.Kind == Application {
		claims.Type, claims.AppID, claims.Roles = "app", p.ClientID, p.roles()
	} else {
		claims.Type, claims.UPN, claims.Name, claims.Scope = "user", p.UPN, p.Name, "user_impersonation"
	}
	text, err := jwt.Signed(s.o.Keys.signer).Claims(claims).Serialize()
	if err != nil {
		return Token{}, fmt.Errorf("sign a token: %w", err)
	}
	if err := s.record(ctx, Record{Deed: TokenIssued, ID: p.ID, Name: p.label(), From: from, Scope: resource}); err != nil {
		return Token{}, err
	}
	return Token{Text: text, Expires: TokenLife}, nil
}

// Validate gives the principal that a bearer token stands for, as it stands
// now: roles are not taken from the token, so that what is taken away is away
// at once. The token must be for one of the audiences, or for the whole
// server. The error is fault.Denied with ErrUnauthenticated and says what is
// wrong with the token.
func (s *Service) Validate(token string, accepted ...Audience) (Principal, error) {
	p, err := s.validate(token, accepted)
	if err != nil {
		return Principal{}, fault.New(fault.Denied, "%w: %w", ErrUnauthenticated, err)
	}
	return p, nil
}

func (s *Service) validate(token string, accepted []Audience) (Principal, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{algorithm})
	if err != nil {
		return Principal{}, errors.New("it is no token of this server")
	}
	var c Claims
	if err := parsed.Claims(s.o.Keys.public, &c); err != nil {
		return Principal{}, errors.New("its signature doesn't fit")
	}
	now := s.o.Now().Time()
	switch {
	case c.Issuer != s.Issuer() || !strings.EqualFold(c.Tenant, s.o.Tenant):
		return Principal{}, errors.New("it is from another issuer")
	case c.Expiry == nil || !now.Before(c.Expiry.Time().Add(leeway)):
		return Principal{}, errors.New("it has expired")
	case c.Before == nil || now.Before(c.Before.Time().Add(-leeway)):
		return Principal{}, errors.New("it isn't valid yet")
	case len(c.Audience) != 1 || !s.accepts(c.Audience[0], accepted):
		return Principal{}, fmt.Errorf("it is for %q", []string(c.Audience))
	}
	p, ok := s.known.Load().byID[fold(c.ObjectID)]
	if !ok || p.Disabled {
		return Principal{}, errors.New("its principal isn't known any more")
	}
	return p, nil
}

func (s *Service) accepts(aud string, accepted []Audience) bool {
	meant, ok := s.means(aud)
	if !ok {
		return false
	}
	if meant == ForLockstep {
		return true
	}
	for _, a := range accepted {
		if a == meant {
			return true
		}
	}
	return false
}
