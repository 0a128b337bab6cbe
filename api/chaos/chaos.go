// Package chaos makes a server misbehave on demand, so that clients can be
// tested against what real services do on bad days: it stands before the faces
// with the published APIs, spoils some of the requests and answers by a seeded
// draw, and counts each. It knows nothing of incidents but where their stamps
// and states stand in the JSON; everything served is the faces'.
package chaos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Path is where the counts are served, as JSON, without a token.
const Path = "/chaos"

// Lag is the longest that a stale read lags behind.
const Lag = 1500 * time.Millisecond

// mostOffset is where Skip begins.
const mostOffset = 100

// header names the faults of an answer.
const header = "X-Lockstep-Chaos"

// Counts are what came to the door.
type Counts struct {
	Profile  string         `json:"profile"`
	Seed     uint64         `json:"seed"`
	Requests int            `json:"requests"`
	Writes   int            `json:"writes"` // requests that changed something, answered or not
	Early    int            `json:"early"`  // requests that came before Retry-After was over
	Faults   map[Fault]int  `json:"faults"`
	Changed  map[string]int `json:"changed"` // writes by method and path
}

// Door stands before handlers and misbehaves. It is safe for concurrent use.
type Door struct {
	profile Profile
	now     func() time.Time

	mu      sync.Mutex
	draw    *rand.Rand
	counts  Counts
	storm   int       // requests that are still refused
	closed  time.Time // end of the last Retry-After
	answers map[string][]answer
}

// answer is a body that was given, until another one took its place.
type answer struct {
	body  []byte
	until time.Time
}

// New makes a door, to be stood Before a handler. Its draws follow from the seed and the order of requests.
func New(p Profile, seed uint64, now func() time.Time) *Door {
	return &Door{profile: p, now: now, draw: rand.New(rand.NewPCG(seed, 0)), answers: map[string][]answer{},
		counts: Counts{Profile: p.Name, Seed: seed, Faults: map[Fault]int{}, Changed: map[string]int{}}}
}

// Counts tells what came so far.
func (d *Door) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.counts
	out.Faults, out.Changed = maps.Clone(out.Faults), maps.Clone(out.Changed)
	return out
}

// behind are the paths of the published APIs, all else behaves.
var behind = []string{"/v1.0/", "/beta/", "/subscriptions/"}

// Before stands the door before a handler.
func (d *Door) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == Path:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_ = json.NewEncoder(w).Encode(d.Counts()) // the client is gone, or the connection shows it
		case slices.ContainsFunc(behind, func(p string) bool { return strings.HasPrefix(r.URL.Path, p) }):
			d.serve(w, r, next)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// serve passes a request on unless it is refused, and its answer unless it is spoilt.
func (d *Door) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	d.mu.Lock()
	d.counts.Requests++
	refused, what := d.refuse(w, r)
	d.mu.Unlock()
	if refused {
		fail(w, what.status, what.code)
		return
	}
	got := &recorder{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(got, r)
	d.mu.Lock()
	dropped := d.spoil(r, got)
	d.mu.Unlock()
	if dropped {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	maps.Copy(w.Header(), got.header)
	w.Header().Set("Content-Length", strconv.Itoa(got.body.Len()))
	w.WriteHeader(got.status)
	_, _ = w.Write(got.body.Bytes())
}

// changes reports whether a request changes something.
func changes(r *http.Request) bool {
	switch r.Method {
	case http.MethodPatch, http.MethodPut, http.MethodDelete:
		return true
	case http.MethodPost:
		return strings.HasSuffix(r.URL.Path, "/comments")
	}
	return false
}

// drawn draws a fault where it applies, and counts it.
func (d *Door) drawn(f Fault, applies bool) bool {
	for _, one := range d.profile.rates {
		if one.fault == f && applies && (one.of >= always || d.draw.IntN(always) < one.of) {
			d.counts.Faults[f]++
			return true
		}
	}
	return false
}

// refusal is an answer in place of what was asked for.
type refusal struct {
	status int
	code   string
}

// longestStorm is the most requests that one storm refuses.
const longestStorm = 6

// refuse decides whether a request is refused before it reaches the server.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request) (bool, refusal) {
	if now := d.now(); now.Before(d.closed) {
		d.counts.Early++
	}
	if d.storm > 0 {
		d.storm--
		d.counts.Faults[Storm]++
		return true, d.throttle(w)
	}
	if d.drawn(Storm, true) {
		d.storm = d.draw.IntN(longestStorm)
		return true, d.throttle(w)
	}
	q := r.URL.Query()
	skip, _ := strconv.Atoi(q.Get("$skip"))
	top, _ := strconv.Atoi(q.Get("$top"))
	switch {
	case d.drawn(Failure, true):
		return true, refusal{http.StatusServiceUnavailable, "serviceNotAvailable"}
	case d.drawn(Expand, q.Has("$expand")):
		return true, refusal{http.StatusInternalServerError, "generalException"}
	case d.drawn(Skip, skip > 0 && skip+top > mostOffset):
		return true, refusal{http.StatusBadRequest, "BadRequest"}
	}
	return false, refusal{}
}

func (d *Door) throttle(w http.ResponseWriter) refusal {
	w.Header().Set("Retry-After", "1")
	d.closed = d.now().Add(time.Second)
	return refusal{http.StatusTooManyRequests, "TooManyRequests"}
}

// fail answers a refusal in the shape that both APIs share.
func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set(header, "refused")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%q,"message":"The server misbehaves on purpose."}}`+"\n", code)
}

// spoil changes the answer to a request; dropped if none is to be given.
func (d *Door) spoil(r *http.Request, got *recorder) (dropped bool) {
	made := got.status/100 == 2
	if changes(r) && made {
		d.counts.Writes++
		d.counts.Changed[r.Method+" "+r.URL.Path]++
		if d.drawn(Lost, true) {
			return true
		}
	}
	if !made || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
		return false
	}
	d.rewrite(got)
	if r.Method != http.MethodGet || !d.can(Stale) {
		return false
	}
	old := d.earlier(r.URL.String(), got.body.Bytes())
	if d.drawn(Stale, old != nil) {
		got.body.Reset()
		got.body.Write(old)
		got.header.Set(header, string(Stale))
	}
	return false
}

// can reports whether the profile has a fault.
func (d *Door) can(f Fault) bool {
	return slices.ContainsFunc(d.profile.rates, func(one rate) bool { return one.fault == f })
}

// Bounds of what is remembered of answers.
const (
	mostKept    = 4
	mostRequest = 10_000
)

// earlier remembers the answer to a request, and gives the oldest one that was
// replaced so lately that a replica may still have it; nil if there is none.
func (d *Door) earlier(request string, body []byte) []byte {
	kept, now := d.answers[request], d.now()
	if n := len(kept); n == 0 || !bytes.Equal(kept[n-1].body, body) {
		if n > 0 {
			kept[n-1].until = now
		}
		if len(d.answers) > mostRequest {
			clear(d.answers)
		}
		kept = append(kept, answer{body: bytes.Clone(body)})
		kept = kept[max(0, len(kept)-mostKept):]
		d.answers[request] = kept
	}
	for _, a := range kept[:len(kept)-1] {
		if now.Sub(a.until) < Lag {
			return a.body
		}
	}
	return nil
}

// recorder holds an answer back.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
