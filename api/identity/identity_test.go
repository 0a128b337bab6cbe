package identity_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"lockstep/access"
	"lockstep/access/certificate"
	"lockstep/api/identity"
	"lockstep/schema"
	"lockstep/state/memory"
)

const tenant = "11111111-2222-3333-4444-555555555555"

// server is the face over TLS under an authority of our own, with one
// application that knows its secret.
type server struct {
	url, id, secret string
	client          *http.Client
	access          *access.Service
	tokens          atomic.Int64 // requests to the token endpoints
}

func start(t *testing.T) *server {
	t.Helper()
	now := func() schema.Ticks { return schema.At(time.Now()) }
	dir := t.TempDir()
	keys, err := access.OpenKeys(filepath.Join(dir, "tokens.pem"))
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := certificate.Open(dir, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{}
	var face http.Handler
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			s.tokens.Add(1)
		}
		face.ServeHTTP(w, r)
	}))
	web.Listener = tls.NewListener(web.Listener, certificates.TLS()) // StartTLS would bring a certificate of its own
	web.Start()
	t.Cleanup(web.Close)
	s.url = "https://" + web.Listener.Addr().String()
	s.access, err = access.New(t.Context(), access.Options{Store: memory.New(), Now: now, NewID: uuid.NewString, Keys: keys,
		Tenant: tenant, Issuer: s.url, Effort: access.Effort{Passes: 1, KiB: 8, PerSecret: 1}})
	if err != nil {
		t.Fatal(err)
	}
	root := s.access.Operator("test")
	app, err := s.access.Put(t.Context(), root, access.Principal{Kind: access.Application, Name: "robot", Grants: []access.Grant{{Role: "ThreatHunting.Read.All", Scope: access.XDR}}})
	if err != nil {
		t.Fatal(err)
	}
	s.id = app.ClientID
	if s.secret, _, err = s.access.NewSecret(t.Context(), root, app.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	f := identity.New(identity.Options{Access: s.access, PublicURL: "https://public.example", Tenants: []string{"lab.example"},
		Now: now, NewID: uuid.NewString, Failed: func(_ *http.Request, err error) { t.Errorf("failed: %v", err) }})
	mux := http.NewServeMux()
	mux.Handle("GET /v1.0/me", identity.Bearer(s.access, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := access.From(r.Context())
		fmt.Fprintf(w, "%s %v", p.Name, err)
	}), func(w http.ResponseWriter, _ *http.Request, err error) {
		if !errors.Is(err, access.ErrUnauthenticated) {
			t.Errorf("the face is told %v", err)
		}
		http.Error(w, err.Error(), http.StatusUnauthorized)
	}, access.ForGraph))
	face = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.Owns(r.URL.Path) {
			f.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificates.Authority())
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

func (s *server) credential(t *testing.T, secret string) *azidentity.ClientSecretCredential {
	t.Helper()
	c, err := azidentity.NewClientSecretCredential(tenant, s.id, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions:            azcore.ClientOptions{Transport: s.client, Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: s.url + "/"}},
		DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The vendor's own Go client gets a token, keeps it, and is understood.
func TestAzidentity(t *testing.T) {
	s := start(t)
	c := s.credential(t, s.secret)
	scope := policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}}
	token, err := c.GetToken(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(token.ExpiresOn); left < 55*time.Minute || left > time.Hour {
		t.Errorf("the client thinks the token lives %v", left)
	}
	if again, err := c.GetToken(t.Context(), scope); err != nil || again.Token != token.Token || s.tokens.Load() != 1 {
		t.Errorf("a second call: %v after %d requests", err, s.tokens.Load())
	}
	// A resource with a slash at its end makes a double one (facts 10.0).
	if _, err := c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://monitor.azure.com//.default"}, EnableCAE: true}); err != nil {
		t.Error(err)
	}
	for auth, want := range map[string]int{"Bearer " + token.Token: 200, "bearer " + token.Token: 200, "": 401, "Bearer x": 401, "Basic " + token.Token: 401} {
		r, _ := http.NewRequest("GET", s.url+"/v1.0/me", nil)
		if auth != "" {
			r.Header.Set("Authorization", auth)
		}
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want || want == 200 && string(body) != "robot <nil>" || want == 401 && res.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%.10q: %d %s", auth, res.StatusCode, body)
		}
	}
}

func TestAzidentityWrongSecret(t *testing.T) {
	s := start(t)
	_, err := s.credential(t, "wrong").GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse == nil || failed.RawResponse.StatusCode != 401 || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("a wrong secret gave %v", err)
	}
}

// A strict OpenID client and one that sends HTTP Basic are served as well, and
// the published keys fit the tokens.
func TestOpenID(t *testing.T) {
	s := start(t)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, s.client)
	provider, err := oidc.NewProvider(ctx, s.url+"/"+tenant+"/v2.0") // insists on the very issuer
	if err != nil {
		t.Fatal(err)
	}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		conf := clientcredentials.Config{ClientID: s.id, ClientSecret: s.secret, TokenURL: provider.Endpoint().TokenURL, AuthStyle: style,
			Scopes: []string{"https://management.azure.com//.default", "openid", "offline_access", "profile"}}
		token, err := conf.Token(ctx)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := provider.Verifier(&oidc.Config{ClientID: "https://management.azure.com/"}).Verify(ctx, token.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		var claims access.Claims
		if err := parsed.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		if claims.AppID != s.id || claims.Tenant != tenant || claims.Type != "app" || len(claims.Roles) != 1 || claims.Roles[0] != "ThreatHunting.Read.All" {
			t.Errorf("claims: %+v", claims)
		}
	}
}

// post sends a token request and gives the status and the answer.
func (s *server) post(t *testing.T, path string, form url.Values, header ...string) (*http.Response, map[string]any) {
	t.Helper()
	r, err := http.NewRequest("POST", s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return res, body
}

func (s *server) form(change ...string) url.Values {
	f := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.id}, "client_secret": {s.secret}, "scope": {"https://graph.microsoft.com/.default"}}
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "" {
			f.Del(change[i])
		} else {
			f.Set(change[i], change[i+1])
		}
	}
	return f
}

func TestPaths(t *testing.T) {
	s := start(t)
	for _, path := range []string{
		"/" + tenant + "/oauth2/v2.0/token", "//" + tenant + "/oauth2/v2.0/token", "/" + strings.ToUpper(tenant) + "/OAuth2/v2.0/token/",
		"/lab.example/oauth2/v2.0/token", "/adfs/oauth2/v2.0/token", "/" + tenant + "/oauth2/v2.0/token?client-request-id=x",
	} {
		if res, body := s.post(t, path, s.form()); res.StatusCode != 200 || body["expires_in"] != 3599.0 || body["access_token"] == "" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", path, res.StatusCode, body)
		}
	}
	res, body := s.post(t, "/"+tenant+"/oauth2/token", s.form("scope", "", "resource", "https://management.core.windows.net/"))
	if res.StatusCode != 200 || body["expires_in"] != "3599" || body["resource"] != "https://management.core.windows.net/" {
		t.Errorf("the older endpoint: %d %v", res.StatusCode, body)
	}
	for path, want := range map[string]int{
		"/" + tenant + "/oauth2/v2.0/token": 405, "/" + tenant + "/oauth2/v2.0/authorize": 400, "/nobody/discovery/v2.0/keys": 400,
		"/" + tenant + "/other": 404, "/": 404, "/adfs/.well-known/openid-configuration": 200,
	} {
		res, err := s.client.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := start(t)
	path := "/" + tenant + "/oauth2/v2.0/token"
	const asked = "01234567-89ab-cdef-0123-456789abcdef"
	for name, c := range map[string]struct {
		path   string
		form   url.Values
		status int
		code   string
		number float64
	}{
		"wrong secret":     {path, s.form("client_secret", "wrong"), 401, "invalid_client", 7000215},
		"no secret":        {path, s.form("client_secret", ""), 401, "invalid_client", 7000216},
		"assertion":        {path, s.form("client_secret", "", "client_assertion", "x"), 401, "invalid_client", 700027},
		"unknown client":   {path, s.form("client_id", "<script>"), 400, "unauthorized_client", 700016},
		"no client":        {path, s.form("client_id", ""), 400, "invalid_request", 900144},
		"no grant type":    {path, s.form("grant_type", ""), 400, "invalid_request", 900144},
		"other grant type": {path, s.form("grant_type", "password"), 400, "unsupported_grant_type", 70003},
		"no scope":         {path, s.form("scope", ""), 400, "invalid_request", 900144},
		"plain scope":      {path, s.form("scope", "openid"), 400, "invalid_scope", 1002012},
		"no default":       {path, s.form("scope", "https://graph.microsoft.com/Mail.Read"), 400, "invalid_scope", 1002012},
		"two resources":    {path, s.form("scope", "https://graph.microsoft.com/.default https://monitor.azure.com/.default"), 400, "invalid_request", 28000},
		"unknown resource": {path, s.form("scope", "https://elsewhere.example/.default"), 400, "invalid_resource", 500011},
		"other tenant":     {"/99999999-2222-3333-4444-555555555555/oauth2/v2.0/token", s.form(), 400, "invalid_request", 90002},
		"huge":             {path, s.form("client_secret", strings.Repeat("x", 100_000)), 400, "invalid_request", 90014},
	} {
		res, body := s.post(t, c.path, c.form, "client-request-id", asked)
		text, _ := body["error_description"].(string)
		codes, _ := body["error_codes"].([]any)
		if res.StatusCode != c.status || body["error"] != c.code || len(codes) != 1 || codes[0] != c.number ||
			!strings.HasPrefix(text, fmt.Sprintf("AADSTS%.0f: ", c.number)) || body["correlation_id"] != asked || body["trace_id"] == "" {
			t.Errorf("%s: %d %v", name, res.StatusCode, body)
		}
		if at, _ := body["timestamp"].(string); !strings.HasSuffix(text, "Timestamp: "+at) {
			t.Errorf("%s: timestamp %q in %q", name, at, text)
		}
		if strings.Contains(text, s.secret) {
			t.Errorf("%s: the answer tells the secret", name)
		}
	}
	for range 12 {
		s.post(t, path, s.form("client_secret", "wrong"))
	}
	if res, body := s.post(t, path, s.form()); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" || body["error"] != "temporarily_unavailable" {
		t.Errorf("after many wrong secrets: %d %v", res.StatusCode, body)
	}
}

// The answer carries the name that the client asked, if it is ours.
func TestDiscoveryHost(t *testing.T) {
	s := start(t)
	for host, want := range map[string]string{
		"":                  s.url,
		"localhost:8443":    "https://localhost:8443",
		"[::1]:8443":        "https://[::1]:8443",
		"evil.example":      "https://public.example",
		"localhost.evil.ex": "https://public.example",
	} {
		r, _ := http.NewRequest("GET", s.url+"/"+tenant+"/v2.0/.well-known/openid-configuration?", nil)
		r.Host = host
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		err = json.NewDecoder(res.Body).Decode(&doc)
		res.Body.Close()
		if err != nil || doc["issuer"] != want+"/"+tenant+"/v2.0" || doc["token_endpoint"] != want+"/"+tenant+"/oauth2/v2.0/token" {
			t.Errorf("%q: %v %v", host, err, doc)
		}
	}
	res, err := s.client.Get(s.url + "/common/discovery/instance?api-version=1.1&authorization_endpoint=" + url.QueryEscape(s.url+"/"+tenant+"/oauth2/v2.0/authorize"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var doc struct {
		Discovery string `json:"tenant_discovery_endpoint"`
		Metadata  []struct{ Aliases []string }
	}
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil || doc.Discovery != s.url+"/"+tenant+"/v2.0/.well-known/openid-configuration" ||
		len(doc.Metadata) != 1 || doc.Metadata[0].Aliases[0] != strings.TrimPrefix(s.url, "https://") {
		t.Errorf("instance: %+v, %v", doc, err)
	}
}

// Tools that know the server's address alone find all others from it.
func TestCloud(t *testing.T) {
	s := start(t)
	read := func(version string, into any) int {
		t.Helper()
		res, err := s.client.Get(s.url + "//metadata/endpoints?api-version=" + version)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(into); err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		return res.StatusCode
	}
	type cloud struct {
		ResourceManager string
		Authentication  struct {
			LoginEndpoint, Tenant string
			Audiences             []string
		}
	}
	var one, flat cloud
	var list []cloud
	for version, into := range map[string]any{"2022-09-01": &one, "2019-05-01": &list, "2015-01-01": &flat} {
		if status := read(version, into); status != 200 {
			t.Errorf("%s: %d", version, status)
		}
	}
	if one.ResourceManager != s.url || one.Authentication.Tenant != tenant || len(list) != 1 || list[0].ResourceManager != s.url {
		t.Errorf("one %+v, list %+v", one, list)
	}
	for _, c := range []cloud{one, flat} {
		if c.Authentication.LoginEndpoint != s.url {
			t.Errorf("login at %q", c.Authentication.LoginEndpoint)
		}
		for _, audience := range c.Authentication.Audiences { // each can be asked a token for
			if res, body := s.post(t, "/"+tenant+"/oauth2/v2.0/token", s.form("scope", audience+"/.default")); res.StatusCode != 200 {
				t.Errorf("%s: %v", audience, body)
			}
		}
	}
	var refused map[string]any
	if status := read("", &refused); status != 400 {
		t.Errorf("without a version: %d", status)
	}
}
