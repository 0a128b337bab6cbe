package connector_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
)

// mute is an end whose feed can't be read while it is down.
type mute struct {
	port.End
	down bool
}

func (m *mute) Changes(ctx context.Context, after int64, limit int) ([]port.Hint, error) {
	if m.down {
		return nil, errLine
	}
	return m.End.Changes(ctx, after, limit)
}

func TestAnEndThatCannotBeReadIsTold(t *testing.T) {
	w := newWorld(t)
	m := &mute{End: w.x}
	var told []string
	w.sync = must(connector.New(connector.Options{
		Store: w.own, Now: func() schema.Ticks { return w.now }, NewID: func() string { w.ids++; return fmt.Sprintf("write-%d", w.ids) },
		XDR: m, Workspace: w.end, TenantID: "t1", ResyncEvery: schema.Hour,
		Reached: func(end string, err error) { told = append(told, fmt.Sprint(end, " ", err != nil)) },
	}))
	w.connect()
	w.settle()
	m.down = true
	for range 10 {
		w.settle()
		w.now += schema.Minute
	}
	st := must(w.sync.Status(ctx, w.ws))
	if n := slices.IndexFunc(st.Feeds, func(f connector.FeedHealth) bool { return f.Side == "xdr" && f.Failing && f.LastError != "" }); n < 0 {
		t.Errorf("the status doesn't tell of it: %+v", st.Feeds)
	}
	m.down = false
	w.ingest(security.Low, "h1")
	w.now += schema.Hour
	w.settle()
	if want := []string{"xdr true", "xdr false"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
