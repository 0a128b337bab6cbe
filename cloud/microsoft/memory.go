package microsoft

import (
	"hash/fnv"
	"sync"

	"lockstep/fault"
	"lockstep/schema"
)

// memory knows which version of each incident was seen last, so that an older
// one, as a lagging replica gives it, isn't taken for somebody's edit. It begins
// empty with each start; what it holds is bounded.
type memory struct {
	settle schema.Ticks

	mu   sync.Mutex
	seen map[string]version
}

// version is a state of an incident by the server's stamp. A stamp may have
// seconds alone, so the values count too; 0 where only the stamp is known.
type version struct {
	stamp  schema.Ticks
	values uint64
	at     schema.Ticks // when it was seen, by our clock
}

// mostSeen bounds the memory; past it what wasn't seen for a while goes.
const (
	mostSeen   = 20_000
	forgetSeen = 10 * schema.Minute
)

// saw notes the newest version that is known of: an answer to a write, or a
// line of a list (values 0).
func (m *memory) saw(id string, stamp schema.Ticks, values uint64, now schema.Ticks) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note(id, version{stamp, values, now})
}

func (m *memory) note(id string, v version) {
	was, ok := m.seen[id]
	if ok && (v.stamp < was.stamp || v.stamp == was.stamp && v.values == 0) {
		return
	}
	if m.seen == nil {
		m.seen = map[string]version{}
	}
	if len(m.seen) >= mostSeen && !ok {
		for other, w := range m.seen {
			if w.at < v.at-forgetSeen {
				delete(m.seen, other)
			}
		}
	}
	if len(m.seen) < mostSeen || ok {
		m.seen[id] = v
	}
}

// believe checks an answer to a read against what is known. An older one, or
// one of which it can't be told which is older, is Unavailable: a later read
// gives the newer.
func (m *memory) believe(id string, stamp schema.Ticks, values uint64, now schema.Ticks) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, ok := m.seen[id]
	switch {
	case !ok || stamp > was.stamp:
	case stamp < was.stamp:
		if now-was.at < forgetSeen { // a server set back from a copy would never be believed else
			return fault.New(fault.Unavailable, "the server shows incident %s as of %s, older than what it showed before (%s)", id, stamp, was.stamp)
		}
		delete(m.seen, id)
	case was.values != 0 && was.values != values && now-was.at < m.settle:
		return fault.New(fault.Unavailable, "the server shows two states of incident %s with one stamp, %s", id, stamp)
	case was.values == values:
		return nil
	}
	m.note(id, version{stamp, values, now})
	return nil
}

// sent knows what was sent before. It is bounded: what it forgets is sent once
// more at worst.
type sent struct {
	mu   sync.Mutex
	keys map[string]bool
}

// before reports whether a thing was sent before, and notes it.
func (s *sent) before(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil || len(s.keys) >= mostSeen {
		s.keys = map[string]bool{}
	}
	was := s.keys[key]
	s.keys[key] = true
	return was
}

// digest tells values apart.
func digest(text []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(text)
	return max(h.Sum64(), 1)
}
