package connector_test

import (
	"context"
	"strings"
	"testing"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// polled is an end that has to be polled, and may be down.
type polled struct {
	port.End
	down bool
}

func (p *polled) Capabilities() port.Capabilities {
	can := p.End.Capabilities()
	can.PollEvery = schema.Minute
	return can
}

func (p *polled) Changes(ctx context.Context, after int64, limit int) ([]port.Hint, error) {
	if p.down {
		return nil, errLine
	}
	return p.End.Changes(ctx, after, limit)
}

// TestAskingAnEndThatIsPolled: it is asked at once, not when its time comes;
// until it answers something is left to do.
func TestAskingAnEndThatIsPolled(t *testing.T) {
	w := newWorld(t)
	p := &polled{End: w.x.End}
	w.x.End = p
	w.connect()
	pending := func(want bool) {
		t.Helper()
		if is, err := w.sync.Pending(); err != nil || is != want {
			t.Fatalf("pending %v, %v; want %v", is, err, want)
		}
	}
	w.settle()
	pending(false)
	id := w.ingest(security.Low, "h1")
	w.settle()
	if _, err := w.work.ByProvider(ctx, w.ws, id); !fault.Is(err, fault.NotFound) {
		t.Fatalf("it came before its time: %v", err)
	}
	pending(false)
	w.sync.Ask()
	pending(true)
	w.settle()
	pending(false)
	w.parallel(id)

	p.down = true
	w.sync.Ask()
	for range 4 {
		w.settle()
		w.now += 10 * schema.Second
	}
	if is, err := w.sync.Pending(); !is || !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "the xdr can't be asked what changed there") {
		t.Errorf("pending %v, %v", is, err)
	}
	p.down = false
	w.sync.Ask()
	w.settle()
	pending(false)
}
