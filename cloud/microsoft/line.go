package microsoft

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"lockstep/fault"
)

// line is the way to one server: requests with a token, answers as bodies or
// faults. It tries nothing twice but a request whose token the server doesn't
// take any more; when to try again is the connector's to decide.
type line struct {
	client *http.Client
	base   string // without a slash at the end
	grant  clientcredentials.Config

	mu    sync.Mutex
	token *oauth2.Token
}

func newLine(o Options, resource string) *line {
	return &line{client: o.Client, base: o.Base, grant: clientcredentials.Config{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret,
		TokenURL:  o.Authority + "/" + url.PathEscape(o.Tenant) + "/oauth2/v2.0/token",
		Scopes:    []string{strings.TrimSuffix(resource, "/") + "/.default"},
		AuthStyle: oauth2.AuthStyleInParams,
	}}
}

// bearer gives a token; a new one if the last runs out or was refused.
func (l *line) bearer(ctx context.Context, refused string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token.Valid() && l.token.AccessToken != refused {
		return l.token.AccessToken, nil
	}
	t, err := l.grant.Token(context.WithValue(ctx, oauth2.HTTPClient, l.client))
	if err != nil {
		return "", fmt.Errorf("get a token at %s: %w", l.grant.TokenURL, tokenFault(err))
	}
	l.token = t
	return t.AccessToken, nil
}

// tokenFault says what a failed token request means.
func tokenFault(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return unreached(err)
	}
	text := refused.ErrorCode
	if text == "" {
		text = "no reason given"
	}
	if d := shorten(refused.ErrorDescription); d != "" {
		text += ": " + d
	}
	if refused.Response.StatusCode < 500 && refused.Response.StatusCode != http.StatusTooManyRequests {
		return fault.New(fault.Denied, "answered %d, %s", refused.Response.StatusCode, text)
	}
	return answered(refused.Response, text)
}

// unreached is a request without an answer. What egress refuses stays refused.
func unreached(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	return fault.New(fault.Unavailable, "no answer: %w", err)
}

// mostAnswer is the most bytes of one answer that are read.
const mostAnswer = 64 << 20

// do makes a request and gives the body of the answer. path is relative to the
// server, with its query; body, if not nil, is sent as JSON.
func (l *line) do(ctx context.Context, method, path string, body any, header ...string) ([]byte, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("write a request: %w", err)
		}
	}
	refused := ""
	for {
		token, err := l.bearer(ctx, refused)
		if err != nil {
			return nil, err
		}
		answer, status, err := l.once(ctx, method, path, text, token, header)
		if status != http.StatusUnauthorized || refused != "" {
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, where(path), err)
			}
			return answer, nil
		}
		refused = token
	}
}

// where is a path for a message: without its query.
func where(path string) string {
	bare, _, _ := strings.Cut(path, "?")
	return bare
}

func (l *line) once(ctx context.Context, method, path string, body []byte, token string, header []string) (answer []byte, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, l.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, fault.New(fault.Invalid, "%w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := l.client.Do(r)
	if err != nil {
		return nil, 0, unreached(err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	switch {
	case err != nil:
		return nil, res.StatusCode, unreached(err)
	case len(answer) > mostAnswer:
		return nil, res.StatusCode, fault.New(fault.Invalid, "the answer is over %d MiB", mostAnswer>>20)
	case res.StatusCode/100 == 2:
		return answer, res.StatusCode, nil
	}
	return nil, res.StatusCode, answered(res, failureText(answer))
}

// kinds are the faults that statuses stand for; others under 500 are Invalid,
// the rest Unavailable.
var kinds = map[int]fault.Kind{
	http.StatusUnauthorized: fault.Denied, http.StatusForbidden: fault.Denied, http.StatusNotFound: fault.NotFound,
	http.StatusConflict: fault.Conflict, http.StatusPreconditionFailed: fault.Conflict, http.StatusTooManyRequests: fault.Throttled,
	http.StatusRequestTimeout: fault.Unavailable,
}

// answered is a refusal as a fault, with how long to wait if the server says so.
func answered(res *http.Response, text string) error {
	kind, ok := kinds[res.StatusCode]
	if !ok {
		kind = fault.Invalid
		if res.StatusCode >= 500 || res.StatusCode/100 == 3 {
			kind = fault.Unavailable
		}
	}
	err := fault.New(kind, "the server answered %d, %s", res.StatusCode, text)
	var e *fault.Error
	if (kind == fault.Throttled || kind == fault.Unavailable) && errors.As(err, &e) {
		e.RetryAfter = retryAfter(res)
	}
	return err
}

// longestWait is the most that a Retry-After is believed.
const longestWait = 10 * time.Minute

// retryAfter reads how long to wait: seconds, or a point in time against the
// server's own clock.
func retryAfter(res *http.Response) time.Duration {
	text := res.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	at, err := http.ParseTime(text)
	now, err2 := http.ParseTime(res.Header.Get("Date"))
	if err != nil || err2 != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestWait)
}

// failureText is what an error body of either API says.
func failureText(body []byte) string {
	var in struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(body, &in) != nil || in.Error.Code == "" {
		return "no reason given"
	}
	return strings.TrimSuffix(shorten(in.Error.Code)+": "+shorten(in.Error.Message), ": ")
}

// shorten makes a server's text fit for a message: one line, not long.
func shorten(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300]) + " …"
	}
	return text
}

// relative is a link of the server's as a path of ours: the host is never
// taken from an answer, since the token would go there.
func (l *line) relative(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil || u.RequestURI() == "" {
		return "", fault.New(fault.Invalid, "the server's link to the next page isn't one")
	}
	base, _ := url.Parse(l.base)
	path, ok := strings.CutPrefix(u.RequestURI(), strings.TrimSuffix(base.EscapedPath(), "/"))
	if !ok {
		return "", fault.New(fault.Invalid, "the server's link to the next page leads elsewhere")
	}
	return path, nil
}

// undone says that a write was made in part: whatever kept the rest, nobody may
// take the whole for not made.
func undone(err error) error {
	var e *fault.Error
	after := time.Duration(0)
	if errors.As(err, &e) {
		after = e.RetryAfter
	}
	made := fault.New(fault.Unavailable, "the write was made in part: %w", err)
	if errors.As(made, &e) {
		e.RetryAfter = after
	}
	return made
}
