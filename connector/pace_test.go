package connector_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr"
)

// narrow is an end that takes so many requests a minute, counts them, and
// storms when told to.
type narrow struct {
	port.End
	w         *world
	perMinute int
	storm     schema.Ticks // until then every request is refused
	asked     []schema.Ticks
	early     int // requests within the rest that was asked for
	rest      schema.Ticks
	wrote     []string // incidents, in order
}

func (n *narrow) Capabilities() port.Capabilities {
	can := n.End.Capabilities()
	can.PerMinute = n.perMinute
	return can
}

func (n *narrow) request() error {
	n.asked = append(n.asked, n.w.now)
	if n.w.now < n.rest {
		n.early++
	}
	if n.w.now < n.storm {
		n.rest = n.w.now + 30*schema.Second
		return fault.Later(30*time.Second, "too many requests")
	}
	return nil
}

func (n *narrow) Changes(ctx context.Context, after int64, limit int) ([]port.Hint, error) {
	if err := n.request(); err != nil {
		return nil, err
	}
	return n.End.Changes(ctx, after, limit)
}

func (n *narrow) Incident(ctx context.Context, id string) (port.Incident, error) {
	if err := n.request(); err != nil {
		return port.Incident{}, err
	}
	return n.End.Incident(ctx, id)
}

func (n *narrow) Apply(ctx context.Context, w port.Write) (port.Applied, error) {
	if err := n.request(); err != nil {
		return port.Applied{}, err
	}
	n.wrote = append(n.wrote, w.Incident)
	return n.End.Apply(ctx, w)
}

func (n *narrow) ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error) {
	if err := n.request(); err != nil {
		return nil, err
	}
	for _, w := range writes {
		n.wrote = append(n.wrote, w.Incident)
	}
	return n.End.(interface {
		ApplyAll(context.Context, []port.Write) ([]port.Applied, error)
	}).ApplyAll(ctx, writes)
}

// run drives the connector as its waking times say.
func (w *world) run(length schema.Ticks) {
	w.t.Helper()
	for end := w.now + length; w.now < end; {
		did, wake, err := w.sync.Next(ctx, w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		if !did || wake > w.now {
			w.now = max(w.now+1, min(max(wake, w.now), end))
		}
	}
}

// TestT18AThrottlingStorm: no request within the rest that was asked for, no
// hole is dug, and afterwards edits arrive before the bulk.
func TestT18AThrottlingStorm(t *testing.T) {
	w := newWorld(t)
	w.connect()
	edited := w.ingest(security.Low, "h0")
	w.settle()
	n := &narrow{End: w.work.End(w.ws), w: w}
	w.w.End = n
	w.boot()
	w.settle()
	n.storm = w.now + 5*schema.Minute
	for k := range 200 {
		w.ingest(security.Low, fmt.Sprint("bulk", k))
	}
	if err := w.patch(edited, xdr.Patch{AssignedTo: ptr("ann")}, ann); err != nil {
		t.Fatal(err)
	}
	n.asked, n.wrote = nil, nil
	w.run(5 * schema.Minute)
	if n.early > 0 || len(n.asked) > 12 {
		t.Errorf("%d requests in the storm, %d of them within the rest asked for", len(n.asked), n.early)
	}
	w.run(5 * schema.Second)
	if w.parallel(edited).Owner.Text() != "ann" {
		t.Error("the edit isn't there 5 s after the storm")
	}
	if len(n.wrote) == 0 || n.wrote[0] != w.parallel(edited).Name {
		t.Errorf("written first: %v", n.wrote[:min(3, len(n.wrote))])
	}
	if st := must(w.sync.Status(ctx, w.ws)); len(st.Holes) > 0 {
		t.Errorf("%d holes", len(st.Holes))
	}
	w.run(schema.Minute)
	if st := must(w.sync.Status(ctx, w.ws)); st.Waiting > 0 {
		t.Errorf("%d still wait", st.Waiting)
	}
}

// TestRequestsKeepToWhatAnEndTakes counts them minute by minute.
func TestRequestsKeepToWhatAnEndTakes(t *testing.T) {
	w := newWorld(t)
	n := &narrow{End: w.xdr.End(), w: w, perMinute: 60}
	w.x.End = n
	w.boot()
	w.connect()
	for k := range 150 {
		w.ingest(security.Low, fmt.Sprint("h", k))
	}
	w.run(20 * schema.Minute)
	perMinute := map[schema.Ticks]int{}
	for _, at := range n.asked {
		perMinute[(at-epoch)/schema.Minute]++
	}
	for minute, count := range perMinute {
		if most := 60 + 8; minute > 0 && count > most { // the first one empties the bucket
			t.Errorf("%d requests in minute %d, more than %d", count, minute, most)
		}
	}
	if st := must(w.sync.Status(ctx, w.ws)); st.Waiting > 0 || len(st.Holes) > 0 {
		t.Errorf("%d wait, %d holes", st.Waiting, len(st.Holes))
	}
}
