package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// endless is a query that runs for longer than any test.
const endless = "range x from 1 to 1000000000000 step 1 | where hash(x) == 7 | count"

// hunt asks the XDR side over Graph.
func (h *house) hunt(text string) answer {
	h.t.Helper()
	a, err := h.call(toGraph, "POST", "/v1.0/security/runHuntingQuery", map[string]string{"Query": text})
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// ask asks the workspace over the Log Analytics API; where is its path.
func (h *house) ask(where, text string, headers ...string) answer {
	h.t.Helper()
	a, err := h.call(toLogs, "POST", "/v1"+where+"/query", map[string]string{"query": text}, headers...)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// leave asks a query of which the client doesn't wait for the answer's end.
func (h *house) leave(ctx context.Context, audience, path, body string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, "POST", h.base+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+h.token(audience))
	req.Header.Set("Content-Type", "application/json")
	resp, err := h.client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// TestQueryEnds: a query whose client has gone, or whose time is over, stops
// and gives its place to the next; a result that was cut says so.
func TestQueryEnds(t *testing.T) {
	h := start(t, "--query-at-once", "1", "--query-inside", "1", "--query-rows", "5", "--query-timeout", "10m", "--query-rate", "1000000")
	where := h.workspacePath()
	for name, ask := range map[string]func(string) answer{"Graph": h.hunt, "Log Analytics": func(text string) answer { return h.ask(where, text) }} {
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			audience, path, body := toGraph, "/v1.0/security/runHuntingQuery", `{"Query":"`+endless+`"}`
			if name != "Graph" {
				audience, path, body = toLogs, "/v1"+where+"/query", `{"query":"`+endless+`"}`
			}
			for { // a question asked below may have its place just then
				status, err := h.leave(ctx, audience, path, body)
				if err != nil || status != http.StatusTooManyRequests {
					gone <- err
					return
				}
			}
		}()
		h.eventually(time.Minute, name+": the endless query is under way", func() error {
			if a := ask("print 1"); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || !strings.Contains(string(a.body), "query_inside") {
				return fmt.Errorf("%d %s", a.status, a.body)
			}
			return nil
		})
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the client that went away got %v", name, err)
		}
		h.eventually(time.Minute, name+": its place is free", func() error {
			if a := ask("print 1"); a.status != http.StatusOK {
				return fmt.Errorf("%d %s", a.status, a.body)
			}
			return nil
		})
	}
	a := h.ask(where, endless, "Prefer", "wait=1")
	if a.status != http.StatusGatewayTimeout || !strings.Contains(string(a.body), "longer than 1s") {
		t.Errorf("a query with a second to run: %d %s", a.status, a.body)
	}
	a = h.ask(where, "range x from 1 to 10 step 1")
	var got struct {
		Tables []struct{ Rows [][]any }
		Error  *struct{ Code, Message string }
	}
	if err := json.Unmarshal(a.body, &got); err != nil || a.status != http.StatusOK || len(got.Tables) != 1 || len(got.Tables[0].Rows) != 5 || got.Error == nil || got.Error.Code != "PartialError" || !strings.Contains(got.Error.Message, "cut at 5 rows") {
		t.Errorf("a cut result of the Log Analytics API: %d %s", a.status, a.body)
	}
	if a = h.hunt("range x from 1 to 10 step 1"); a.status != http.StatusOK || !strings.Contains(a.header.Get("Warning"), "complete") {
		t.Errorf("a cut result of Graph: %d %v", a.status, a.header)
	}
}

// TestQuotas: too many queries of one principal, or too much time, are refused
// by both APIs in their own words, with when to come back.
func TestQuotas(t *testing.T) {
	h := start(t, "--query-rate", "3")
	where := h.workspacePath()
	h.ask(where, "print 1")
	for name, test := range map[string]struct {
		ask  func() answer
		code string
	}{
		"Graph": {func() answer { return h.hunt("print 1") }, `"TooManyRequests"`}, "Log Analytics": {func() answer { return h.ask(where, "print 1") }, `"ThrottledError"`},
	} {
		var a answer
		for range 12 { // the minute may turn meanwhile
			if a = test.ask(); a.status != http.StatusOK {
				break
			}
		}
		if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || !strings.Contains(string(a.body), test.code) || !strings.Contains(string(a.body), "query_rate") {
			t.Errorf("%s: %d %v %s", name, a.status, a.header, a.body)
		}
	}
	if out := h.run("query", "print 1"); !strings.Contains(out, "1") {
		t.Errorf("who works at the machine is another principal: %s", out)
	}
}
