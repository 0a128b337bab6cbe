package connector_test

import (
	"strings"
	"testing"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/fault"
)

// distant is an end as another server's: it has to be polled, and can do less.
type distant struct{ port.End }

func (distant) Capabilities() port.Capabilities {
	return port.Capabilities{CommentIDs: true, Where: "https://xdr.example", PollEvery: 100}
}

// TestWhatAnEndCannotDoIsShown: status tells it of a remote end, and of an end
// in process that there is nothing.
func TestWhatAnEndCannotDoIsShown(t *testing.T) {
	w := newWorld(t)
	w.x.End = distant{w.x.End}
	w.connect()
	w.settle()
	st, err := w.sync.Status(ctx, w.ws)
	if err != nil || len(st.Ends) != 2 {
		t.Fatalf("%+v, %v", st.Ends, err)
	}
	text := strings.Join(st.Ends[0].Cannot, " ")
	for _, want := range []string{"no change feed", "no conditional writes", "who set a field", "know writes again", "Raw hunting tables"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing about %q in %s", want, text)
		}
	}
	if strings.Contains(text, "alerts:") || st.Ends[0].Where != "https://xdr.example" || len(st.Ends[1].Cannot) > 0 {
		t.Errorf("%+v", st.Ends)
	}
}

// TestTablesStayWithinOneServer: streaming to another server is refused, not
// accepted in silence.
func TestTablesStayWithinOneServer(t *testing.T) {
	w := newWorld(t)
	w.x.End = distant{w.x.End}
	if names, err := w.sync.Tables(ctx, w.ws); err != nil || len(names) > 0 {
		t.Errorf("offered are %v, %v", names, err)
	}
	if _, err := w.sync.Connect(ctx, w.ws, connector.Settings{Incidents: true, Tables: []string{"DeviceEvents"}}, ann); !fault.Is(err, fault.Invalid) {
		t.Errorf("connected with a table: %v", err)
	}
	w.connect()
	if _, err := w.sync.SetStream(ctx, w.ws, "DeviceEvents", true, ann); !fault.Is(err, fault.Invalid) {
		t.Errorf("streaming on: %v", err)
	}
}
