// Package identity is the face at which applications get their tokens, in the
// shapes of the published identity platform: discovery documents, keys and the
// token endpoint for client credentials. It also admits requests to the other
// faces by their bearer tokens. Who may have a token is decided in access.
package identity

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"lockstep/access"
	"lockstep/schema"
)

// Access gives and judges tokens. access.Service satisfies it.
type Access interface {
	Exchange(ctx context.Context, a access.Attempt, resource string) (access.Token, error)
	Keys() *access.Keys
	Tenant() string
}

// Options are what the face needs.
type Options struct {
	Access    Access
	PublicURL string   // how clients reach the server; the base of URLs in answers
	Names     []string // further host names under which it is reached: answers to them carry the name that was asked
	Tenants   []string // other names of the tenant in paths, such as its domain
	Now       func() schema.Ticks
	NewID     func() string
	// Failed is told of our own failures, once each, for the log.
	Failed func(r *http.Request, err error)
}

// Face serves the identity platform's paths.
type Face struct{ Options }

// New makes the face.
func New(o Options) *Face { return &Face{o} }

// operation serves one path under a tenant.
type operation struct {
	method string
	path   string // below the tenant
	serve  func(f *Face, w http.ResponseWriter, r *http.Request, tenant string)
}

// operations are all there is (Source: facts 10.0, clients 0.2).
var operations = []operation{
	{http.MethodGet, "v2.0/.well-known/openid-configuration", (*Face).discover},
	{http.MethodGet, ".well-known/openid-configuration", (*Face).discover},
	{http.MethodGet, "discovery/v2.0/keys", (*Face).keys},
	{http.MethodGet, "discovery/keys", (*Face).keys},
	{http.MethodGet, "discovery/instance", (*Face).instance},
	{http.MethodPost, "oauth2/v2.0/token", (*Face).tokenV2},
	{http.MethodPost, "oauth2/token", (*Face).tokenV1},
	{http.MethodGet, "oauth2/v2.0/authorize", (*Face).authorize},
	{http.MethodGet, "oauth2/authorize", (*Face).authorize},
}

// metadata is the one path that isn't under a tenant.
var metadata = operation{http.MethodGet, "metadata/endpoints", func(f *Face, w http.ResponseWriter, r *http.Request, _ string) { f.endpoints(w, r) }}

// find gives the operation of a path, and the tenant in it. Doubled slashes
// don't count: clients that join URLs carelessly send them (Source: clients 0.3).
func find(path string) (tenant string, found []operation) {
	segments := strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
	if len(segments) < 2 {
		return "", nil
	}
	tenant = segments[0]
	rest := strings.Join(segments[1:], "/")
	if strings.EqualFold(tenant+"/"+rest, metadata.path) {
		return "", []operation{metadata}
	}
	for _, o := range operations {
		if strings.EqualFold(o.path, rest) {
			found = append(found, o)
		}
	}
	return tenant, found
}

// Owns reports whether a request path is the face's. Ask it before a mux that
// redirects doubled slashes, for that would turn a POST into a GET.
func (f *Face) Owns(path string) bool {
	_, found := find(path)
	return len(found) > 0
}

func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tenant, found := find(r.URL.Path)
	if len(found) == 0 {
		http.NotFound(w, r)
		return
	}
	for _, o := range found {
		if o.method == r.Method || o.method == http.MethodGet && r.Method == http.MethodHead {
			o.serve(f, w, r, tenant)
			return
		}
	}
	w.Header().Set("Allow", found[0].method)
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
}

// The names in the tenant's place that stand for the one tenant of this
// server. The last is what a client in AD FS mode sends (Source: clients 0.2).
var anyTenant = []string{"common", "organizations", "adfs"}

// known reports whether a name in a path is this server's tenant.
func (f *Face) known(tenant string) bool {
	same := func(name string) bool { return strings.EqualFold(name, tenant) }
	return same(f.Access.Tenant()) || slices.ContainsFunc(f.Tenants, same) || slices.ContainsFunc(anyTenant, same)
}

// base is the URL at which the client reached us: a client checks that the
// issuer's host is the one it asked. A host that isn't ours gets PublicURL.
func (f *Face) base(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	same := func(name string) bool {
		if suffix, ok := strings.CutPrefix(name, "*."); ok {
			first, rest, _ := strings.Cut(host, ".")
			return first != "" && strings.EqualFold(rest, suffix)
		}
		return strings.EqualFold(name, host)
	}
	if slices.ContainsFunc(f.Names, same) || slices.ContainsFunc([]string{"localhost", "127.0.0.1", "::1"}, same) {
		return (&url.URL{Scheme: "https", Host: r.Host}).String()
	}
	return strings.TrimRight(f.PublicURL, "/")
}

// discovery is the OpenID provider metadata, as far as it is true of us.
type discovery struct {
	TokenEndpoint         string   `json:"token_endpoint"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	KeysURI               string   `json:"jwks_uri"`
	ResponseModes         []string `json:"response_modes_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	Algorithms            []string `json:"id_token_signing_alg_values_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	Scopes                []string `json:"scopes_supported"`
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	Claims                []string `json:"claims_supported"`
	RequestURI            bool     `json:"request_uri_parameter_supported"`
}

func (f *Face) discover(w http.ResponseWriter, r *http.Request, tenant string) {
	if !f.known(tenant) {
		f.refuse(w, r, noTenant(tenant))
		return
	}
	base := f.base(r) + "/" + tenant
	answer(w, http.StatusOK, discovery{
		TokenEndpoint: base + "/oauth2/v2.0/token", TokenAuthMethods: []string{"client_secret_post", "client_secret_basic"},
		KeysURI: base + "/discovery/v2.0/keys", ResponseModes: []string{"query"}, SubjectTypes: []string{"public"},
		Algorithms: []string{"RS256"}, ResponseTypes: []string{"token"}, GrantTypes: []string{"client_credentials"}, Scopes: []string{"openid"},
		Issuer: base + "/v2.0", AuthorizationEndpoint: base + "/oauth2/v2.0/authorize",
		Claims: []string{"aud", "exp", "iat", "iss", "nbf", "oid", "roles", "sub", "tid", "ver"},
	})
}

// instance answers a client that asks whether it may trust this authority.
func (f *Face) instance(w http.ResponseWriter, r *http.Request, tenant string) {
	base, asked := f.base(r), f.Access.Tenant()
	if u, err := url.Parse(r.URL.Query().Get("authorization_endpoint")); err == nil {
		if first, _, ok := strings.Cut(strings.Trim(u.Path, "/"), "/"); ok && f.known(first) {
			asked = first
		}
	}
	host := strings.TrimPrefix(base, "https://")
	answer(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": base + "/" + asked + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata":                  []any{map[string]any{"preferred_network": host, "preferred_cache": host, "aliases": []string{host}}},
	})
}

// keys publishes the public keys of tokens, each with the issuer that they
// sign for.
func (f *Face) keys(w http.ResponseWriter, r *http.Request, tenant string) {
	if !f.known(tenant) {
		f.refuse(w, r, noTenant(tenant))
		return
	}
	answer(w, http.StatusOK, struct {
		Keys []jose.JSONWebKey `json:"keys"`
	}{f.Access.Keys().Public().Keys})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "max-age=3600, private")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone
}
