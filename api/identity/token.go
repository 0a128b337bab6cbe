package identity

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"lockstep/access"
	"lockstep/fault"
)

// mostForm is the largest token request, in bytes.
const mostForm = 64 << 10

// refusal is an error with its published name and number.
type refusal struct {
	status int
	code   string // OAuth 2.0's error
	number int    // the platform's own, AADSTS…; 0 for none
	text   string
	after  time.Duration
}

func (e *refusal) Error() string { return e.text }

// The refusals with the platform's numbers for them.
func noTenant(name string) error {
	return &refusal{400, "invalid_request", 90002, fmt.Sprintf("Tenant '%s' not found. This server has one tenant: check the id in the path.", name), 0}
}

func missing(parameter string) error {
	return &refusal{400, "invalid_request", 900144, fmt.Sprintf("The request body must contain the following parameter: '%s'.", parameter), 0}
}

func badScope(scope string) error {
	return &refusal{400, "invalid_scope", 1002012, fmt.Sprintf("The provided value for scope %s is not valid: with client credentials it is one resource followed by /.default.", scope), 0}
}

func (f *Face) tokenV2(w http.ResponseWriter, r *http.Request, tenant string) {
	f.token(w, r, tenant, true)
}
func (f *Face) tokenV1(w http.ResponseWriter, r *http.Request, tenant string) {
	f.token(w, r, tenant, false)
}

func (f *Face) token(w http.ResponseWriter, r *http.Request, tenant string, v2 bool) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	resource, token, err := f.grant(w, r, tenant)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	life := int(token.Expires.Seconds()) - 1
	if v2 {
		answer(w, http.StatusOK, map[string]any{
			"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token.Text,
		})
		return
	}
	now := f.Now().Time().Unix()
	answer(w, http.StatusOK, map[string]any{ // the older endpoint writes numbers as texts
		"token_type": "Bearer", "expires_in": strconv.Itoa(life), "ext_expires_in": strconv.Itoa(life),
		"expires_on": strconv.FormatInt(now+int64(life), 10), "not_before": strconv.FormatInt(now, 10),
		"resource": resource, "access_token": token.Text,
	})
}

func (f *Face) grant(w http.ResponseWriter, r *http.Request, tenant string) (resource string, token access.Token, err error) {
	if !f.known(tenant) {
		return "", token, noTenant(tenant)
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if err := r.ParseForm(); err != nil {
		return "", token, &refusal{400, "invalid_request", 90014, "The request body can't be read as a form.", 0}
	}
	form := r.PostForm
	switch kind := form.Get("grant_type"); kind {
	case "client_credentials":
	case "":
		return "", token, missing("grant_type")
	default:
		return "", token, &refusal{400, "unsupported_grant_type", 70003, fmt.Sprintf("The app requested an unsupported grant type '%s'. This server knows client_credentials.", kind), 0}
	}
	attempt, err := credentials(r, form)
	if err != nil {
		return "", token, err
	}
	if resource, err = wanted(form); err != nil {
		return "", token, err
	}
	token, err = f.Access.Exchange(r.Context(), attempt, resource)
	return resource, token, f.published(err, attempt, resource)
}

// credentials reads the client's id and secret from the form, or from HTTP
// Basic, where both are form-encoded (RFC 6749, 2.3.1).
func credentials(r *http.Request, form url.Values) (access.Attempt, error) {
	a := access.Attempt{Name: form.Get("client_id"), Secret: form.Get("client_secret")}
	if id, secret, ok := r.BasicAuth(); ok && a.Secret == "" {
		a.Name, a.Secret = id, secret
		if plain, err := url.QueryUnescape(id); err == nil {
			a.Name = plain
		}
		if plain, err := url.QueryUnescape(secret); err == nil {
			a.Secret = plain
		}
	}
	a.From, _, _ = net.SplitHostPort(r.RemoteAddr)
	switch {
	case a.Name == "":
		return a, missing("client_id")
	case a.Secret == "" && form.Has("client_assertion"):
		return a, &refusal{401, "invalid_client", 700027, "Client assertions are not accepted by this server: use a client secret.", 0}
	case a.Secret == "":
		return a, &refusal{401, "invalid_client", 7000216, "'client_secret' is required for the 'client_credentials' grant type.", 0}
	}
	return a, nil
}

// plain are the scopes that some clients always add (Source: clients 0.7).
var plain = []string{"openid", "offline_access", "profile", "email"}

// wanted gives the resource that a request is for: of scope the one with
// /.default at its end, else the older resource parameter.
func wanted(form url.Values) (string, error) {
	scope := form.Get("scope")
	scopes := slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return slices.Contains(plain, s) })
	switch {
	case len(scopes) == 0 && form.Get("resource") != "":
		return form.Get("resource"), nil
	case scope == "":
		return "", missing("scope")
	case len(scopes) == 0:
		return "", badScope(scope)
	case len(scopes) > 1:
		return "", &refusal{400, "invalid_request", 28000, "The provided value for the input parameter 'scope' is not valid because it contains more than one resource.", 0}
	}
	resource, ok := strings.CutSuffix(scopes[0], "/.default")
	if !ok || resource == "" {
		return "", badScope(scope)
	}
	return resource, nil
}

// published gives a refusal by access its published form.
func (f *Face) published(err error, a access.Attempt, resource string) error {
	switch {
	case errors.Is(err, access.ErrUnknownApplication):
		return &refusal{400, "unauthorized_client", 700016, fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'.", a.Name, f.Access.Tenant()), 0}
	case errors.Is(err, access.ErrWrongSecret):
		return &refusal{401, "invalid_client", 7000215, fmt.Sprintf("Invalid client secret provided for app '%s'. Send the secret's value, not its id.", a.Name), 0}
	case errors.Is(err, access.ErrUnknownResource):
		return &refusal{400, "invalid_resource", 500011, fmt.Sprintf("The resource principal named %s was not found in the tenant named %s.", resource, f.Access.Tenant()), 0}
	}
	return err
}

// authorize tells a browser that it can't sign in here.
func (f *Face) authorize(w http.ResponseWriter, r *http.Request, _ string) {
	f.refuse(w, r, &refusal{400, "unsupported_response_type", 700054, "This server gives tokens to applications only; people sign in at the portal.", 0})
}

// guid is the form of a correlation id; another one isn't echoed.
var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// correlation is the client's id of the request, else a new one.
func (f *Face) correlation(r *http.Request) string {
	for _, id := range []string{r.Header.Get("client-request-id"), r.URL.Query().Get("client-request-id")} {
		if guid.MatchString(id) {
			return id
		}
	}
	return f.NewID()
}

// refuse writes an error in the platform's form (Source: facts 10.0).
func (f *Face) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var e *refusal
	if !errors.As(err, &e) {
		e = f.general(r, err)
	}
	trace, correlation := f.NewID(), f.correlation(r)
	at := f.Now().Time().Format("2006-01-02 15:04:05Z")
	text, numbers := e.text, []int{}
	if e.number != 0 {
		text, numbers = fmt.Sprintf("AADSTS%d: %s", e.number, e.text), []int{e.number}
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("x-ms-request-id", trace)
	h.Set("client-request-id", correlation)
	if e.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.after.Seconds()))))
	}
	if _, _, basic := r.BasicAuth(); basic && e.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="lockstep"`)
	}
	answer(w, e.status, map[string]any{
		"error":             e.code,
		"error_description": fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", text, trace, correlation, at),
		"error_codes":       numbers, "timestamp": at, "trace_id": trace, "correlation_id": correlation,
	})
}

// general gives the form of an error that is none of the platform's own.
func (f *Face) general(r *http.Request, err error) *refusal {
	var known *fault.Error
	errors.As(err, &known)
	switch fault.KindOf(err) {
	case fault.Throttled:
		return &refusal{429, "temporarily_unavailable", 0, "Too many wrong secrets: try again later.", known.RetryAfter}
	case fault.Invalid:
		return &refusal{400, "invalid_request", 0, err.Error(), 0}
	case fault.Unavailable:
		f.Failed(r, err)
		return &refusal{503, "temporarily_unavailable", 0, "The server can't do this now: try again.", known.RetryAfter}
	}
	f.Failed(r, err)
	return &refusal{500, "server_error", 0, "The server failed; its log says why.", 0}
}
