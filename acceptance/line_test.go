package acceptance

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"
)

// line stands between a replay and the server: it knows when a request has
// been carried out, and so when a kill hurts most. It is a data folder of its
// own with nothing in it but a socket.
type line struct {
	dir   string
	ask   chan chan struct{} // a kill is wanted; closed when the server is back
	drawn *rand.Rand

	mu   sync.Mutex
	left int // kills still to come; by it the moments go in turn
}

// moments are when the server dies, relative to a request that the replay sends.
var moments = []string{
	"carried out, the answer lost", // the replay must send it again, the server must know it
	"being carried out",
	"answered", // the connector is at work on what it brought
}

// between opens a line to a house with that many kills.
func between(h *house, kills int, rng *rand.Rand) *line {
	h.t.Helper()
	l := &line{dir: h.t.TempDir(), ask: make(chan chan struct{}), left: kills, drawn: rng}
	listener, err := net.Listen("unix", filepath.Join(l.dir, "lockstep.sock"))
	if err != nil {
		h.t.Fatal(err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(h.dir, "lockstep.sock"))
	}
	server := &http.Server{Handler: l.through(&http.Transport{DialContext: dial, DisableKeepAlives: true})}
	go func() { _ = server.Serve(listener) }()
	h.t.Cleanup(func() { _ = server.Close() })
	return l
}

// through passes requests on, and has the server killed on some of those that bring records.
func (l *line) through(to http.RoundTripper) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		moment, delay := l.moment(r)
		if moment == "being carried out" {
			// How far the server gets is drawn, not waited for.
			back := make(chan struct{})
			time.AfterFunc(delay, func() { l.ask <- back })
			defer func() { <-back }()
		}
		request := r.Clone(r.Context())
		request.URL.Scheme, request.URL.Host, request.RequestURI = "http", "lockstep.local", ""
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		answer, err := to.RoundTrip(request)
		var text []byte
		if err == nil {
			text, err = io.ReadAll(answer.Body)
			answer.Body.Close()
		}
		if err != nil {
			l.spare(moment)
			panic(http.ErrAbortHandler)
		}
		if moment == "carried out, the answer lost" {
			back := make(chan struct{})
			l.ask <- back
			<-back
			panic(http.ErrAbortHandler)
		}
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(text)
		if moment == "answered" {
			time.AfterFunc(delay, func() { l.ask <- make(chan struct{}) })
		}
	}
}

// moment says whether and when the server dies on a request.
func (l *line) moment(r *http.Request) (moment string, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 || r.URL.Path != "/ingest/v1/events" { // alerts have ids by which they are known anyway
		return "", 0
	}
	l.left--
	return moments[l.left%len(moments)], time.Duration(l.drawn.IntN(300)) * time.Millisecond
}

// spare takes a kill back that should have come after an answer: there is none.
func (l *line) spare(moment string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if moment == "answered" || moment == "carried out, the answer lost" {
		l.left++
	}
}

// remaining is how many kills are still to come.
func (l *line) remaining() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
}
