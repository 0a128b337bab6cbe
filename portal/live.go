package portal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"lockstep/schema"
)

// Hint tells open pages that something changed. It says where to look, never
// what is there.
type Hint struct {
	Side      schema.Side `json:"side"`
	Workspace string      `json:"workspace,omitempty"` // id
	Kind      string      `json:"kind"`                // incident, alert, connector
	ID        string      `json:"id"`                  // of the incident (XDR number, workspace GUID), or of the alert
	Version   int64       `json:"version"`
}

// hub hands hints to whoever listens. A listener that doesn't keep up loses
// hints and is told so, rather than holding anybody up.
type hub struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
	closed    chan struct{}
}

// hintsKept is how many hints wait for one slow page before it must reload.
const hintsKept = 256

type listener struct {
	hints chan Hint
	lost  chan struct{} // holds one token when hints were dropped
}

func newHub() *hub {
	return &hub{listeners: map[*listener]struct{}{}, closed: make(chan struct{})}
}

func (h *hub) listen() *listener {
	l := &listener{hints: make(chan Hint, hintsKept), lost: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners[l] = struct{}{}
	return l
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closed:
	default:
		close(h.closed)
	}
}

// Notify passes hints on to open pages. It never blocks.
func (p *Portal) Notify(hints ...Hint) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	for l := range p.hub.listeners {
		for _, hint := range hints {
			select {
			case l.hints <- hint:
			default:
				select {
				case l.lost <- struct{}{}:
				default:
				}
			}
		}
	}
}

// live is the stream of hints (text/event-stream): events "hint" with a Hint,
// "resync" when hints were lost, "signedOut" when the session is over.
func (p *Portal) live(w http.ResponseWriter, r *http.Request) {
	s, ok := p.current(r)
	if !ok {
		p.fail(w, r, errSignedOut)
		return
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	l := p.hub.listen()
	defer p.hub.leave(l)
	// A server's write timeout is meant for answers that end.
	_ = out.SetWriteDeadline(time.Time{})
	send := func(event string, value any) bool {
		data, err := json.Marshal(value)
		if err != nil {
			return false
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, data); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	if !send("hello", struct {
		Now schema.Ticks `json:"now"`
	}{p.o.Now()}) {
		return
	}
	beat := time.NewTicker(p.o.Heartbeat)
	defer beat.Stop()
	for going := true; going; {
		if !p.sessions.alive(s.key) {
			send("signedOut", struct{}{})
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-p.hub.closed:
			return
		case <-l.lost:
			l.drain()
			going = send("resync", struct{}{})
		case hint := <-l.hints:
			if p.o.Access.Allowed(s.person, IncidentsRead, hint.Workspace) {
				going = send("hint", hint)
			}
		case <-beat.C:
			_, err := fmt.Fprint(w, ": still here\n\n")
			going = err == nil && out.Flush() == nil
		}
	}
}

// drain empties a listener whose hints no longer tell the whole.
func (l *listener) drain() {
	for {
		select {
		case <-l.hints:
		default:
			return
		}
	}
}
