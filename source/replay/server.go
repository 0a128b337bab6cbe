package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lockstep/fault"
)

// Server is the ingest API of a Lockstep server as a Sink.
type Server struct {
	Base   string       // https://localhost:8443
	Client *http.Client // with the server's CA; nil = http.DefaultClient
	// Token gives a bearer token; fresh asks for a new one, after the server
	// refused the last. Nil sends none, as over the folder's socket.
	Token func(ctx context.Context, fresh bool) (string, error)
}

// OverSocket is the Server behind a Unix socket, as a data folder has it.
func OverSocket(path string) *Server {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	return &Server{Base: "http://lockstep", Client: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Alerts sends alerts, each with its shape.
func (s *Server) Alerts(ctx context.Context, key string, body []byte) (Receipt, error) {
	return s.post(ctx, "/ingest/v1/alerts?shape=mixed", key, body)
}

// Events sends Event Hub records.
func (s *Server) Events(ctx context.Context, key string, body []byte) (Receipt, error) {
	return s.post(ctx, "/ingest/v1/events", key, body)
}

// Rows sends rows of a workspace table.
func (s *Server) Rows(ctx context.Context, workspace, table, key string, body []byte) (Receipt, error) {
	return s.post(ctx, "/ingest/v1/workspaces/"+url.PathEscape(workspace)+"/tables/"+url.PathEscape(table), key, body)
}

func (s *Server) post(ctx context.Context, path, key string, body []byte) (r Receipt, err error) {
	for _, fresh := range []bool{false, true} {
		r, err = s.once(ctx, path, key, body, fresh)
		var refused *unauthorized
		if s.Token == nil || !errors.As(err, &refused) {
			break
		}
	}
	if err != nil {
		return r, fmt.Errorf("send to %s: %w", s.Base+path, err)
	}
	return r, nil
}

// unauthorized is a token that the server doesn't take, or not any more.
type unauthorized struct{ text string }

func (u *unauthorized) Error() string { return u.text }

func (s *Server) once(ctx context.Context, path, key string, body []byte, fresh bool) (r Receipt, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(s.Base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return r, fault.New(fault.Invalid, "%w", err)
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	request.Header.Set("Idempotency-Key", key)
	if s.Token != nil {
		token, err := s.Token(ctx, fresh)
		if err != nil {
			return r, fmt.Errorf("get a token: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		return r, fault.New(fault.Unavailable, "%w", err)
	}
	defer answer.Body.Close()
	const most = 64 << 20
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return r, fault.New(fault.Unavailable, "the answer was cut: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return r, failure(answer, text)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fault.New(fault.Unavailable, "the answer can't be read: %w", err)
	}
	return r, nil
}

// kinds are the statuses after which the same batch may succeed, and the
// others that mean something of their own.
var kinds = map[int]fault.Kind{
	http.StatusUnauthorized: fault.Denied, http.StatusForbidden: fault.Denied, http.StatusNotFound: fault.NotFound, http.StatusConflict: fault.Conflict,
	http.StatusTooManyRequests: fault.Throttled, http.StatusRequestTimeout: fault.Unavailable, http.StatusInternalServerError: fault.Unavailable,
	http.StatusBadGateway: fault.Unavailable, http.StatusServiceUnavailable: fault.Unavailable, http.StatusGatewayTimeout: fault.Unavailable,
}

// failure is the error of an answer that isn't a success.
func failure(answer *http.Response, text []byte) error {
	const shown = 400
	said := strings.TrimSpace(string(text))
	if len(said) > shown {
		said = said[:shown] + " …"
	}
	message := fmt.Sprintf("the server answered %s: %q", answer.Status, said)
	if answer.StatusCode == http.StatusUnauthorized {
		return fault.New(fault.Denied, "%w", &unauthorized{message})
	}
	kind, ok := kinds[answer.StatusCode]
	switch {
	case !ok:
		return fault.New(fault.Invalid, "%s", message)
	case kind == fault.Throttled || kind == fault.Unavailable:
		return later(kind, retryAfter(answer), message)
	}
	return fault.New(kind, "%s", message)
}

// later is an error after which it is worth trying again.
func later(kind fault.Kind, after time.Duration, message string) error {
	if kind == fault.Throttled {
		return fault.Later(after, "%s", message)
	}
	err := fault.New(kind, "%s", message)
	var f *fault.Error
	if errors.As(err, &f) {
		f.RetryAfter = after
	}
	return err
}

// retryAfter reads the Retry-After header, in seconds.
func retryAfter(answer *http.Response) time.Duration {
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
