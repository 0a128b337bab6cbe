package identity

import (
	"net/http"
	"strings"

	"lockstep/access"
	"lockstep/fault"
)

// Tokens judges bearer tokens. access.Service satisfies it.
type Tokens interface {
	Validate(token string, accepted ...access.Audience) (access.Principal, error)
}

// Bearer admits requests that carry a bearer token for one of the audiences,
// with the principal in their context (access.From). Others are answered by
// fail, which writes the error in its face's own shape; its error has
// access.ErrUnauthenticated in it and calls for 401. The challenge header that
// clients look for is set before.
func Bearer(t Tokens, next http.Handler, fail func(w http.ResponseWriter, r *http.Request, err error), accepted ...access.Audience) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := bearer(r)
		var p access.Principal
		if err == nil {
			p, err = t.Validate(token, accepted...)
		}
		if err != nil {
			challenge := "Bearer"
			if token != "" {
				challenge = `Bearer error="invalid_token"`
			}
			w.Header().Set("WWW-Authenticate", challenge)
			fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(access.With(r.Context(), p)))
	})
}

// bearer reads the token from the header. One in the query isn't taken: URLs
// end up in logs.
func bearer(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", fault.New(fault.Denied, "%w: the request carries none", access.ErrUnauthenticated)
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return "", fault.New(fault.Denied, "%w: the request carries none", access.ErrUnauthenticated)
	}
	return strings.TrimSpace(token), nil
}
