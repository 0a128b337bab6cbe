package connector_test

import (
	"testing"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

func TestUndoSetsWhatGaveWayAgain(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Low, "h1")
	w.settle()
	w.now += schema.Second
	if err := w.put(id, bot, func(p *workspace.Put) {
		p.Owner, p.Severity = &security.Owner{ObjectID: "2046feea-040d-4a46-9e2b-91c2941bfa70"}, security.High
		p.Status, p.Classification = workspace.StatusClosed, "Undetermined"
	}); err != nil {
		t.Fatal(err)
	}
	status, severity := xdr.InProgress, security.Medium
	if err := w.patch(id, xdr.Patch{AssignedTo: ptr("bob"), Status: &status, Severity: &severity}, bob); err != nil {
		t.Fatal(err)
	}
	w.settle()
	journal := must(w.sync.Journal(ctx, w.ws, id))
	if _, err := w.sync.Undo(ctx, w.ws, id, 1, ann); !fault.Is(err, fault.Conflict) {
		t.Errorf("nothing gave way in the first decision: %v", err)
	}
	if _, err := w.sync.Undo(ctx, w.ws, id, 99, ann); !fault.Is(err, fault.NotFound) {
		t.Errorf("there is no decision 99: %v", err)
	}
	w.now += schema.Second
	undone, err := w.sync.Undo(ctx, w.ws, id, journal[len(journal)-1].Number, ann)
	if err != nil || len(undone) != 3 || undone[0].Side != reconcile.Workspace || undone[0].Applied.Version == 0 {
		t.Fatalf("%+v, %v", undone, err)
	}
	w.settle()
	if d := w.differences(id); d != "" {
		t.Error(d)
	}
	x := must(w.xdr.Incident(ctx, id))
	if x.Status != xdr.Resolved || x.Owner.ObjectID != "2046feea-040d-4a46-9e2b-91c2941bfa70" || x.Severity != security.High {
		t.Errorf("the XDR's incident is %+v", x)
	}
	i := must(w.xdr.End().Incident(ctx, id))
	if by := i.Stamps[port.FieldOwner].Actor; by != ann {
		t.Errorf("the edit is %v's, not ann's", by)
	}
}

func TestVerifyTellsWhatIsApartAndHealsIt(t *testing.T) {
	w := newWorld(t)
	if _, err := w.sync.Verify(ctx, w.ws); !fault.Is(err, fault.Conflict) {
		t.Errorf("not connected: %v", err)
	}
	w.connect()
	one, two := w.ingest(security.Low, "h1"), w.ingest(security.Low, "h2")
	w.settle()
	if v := must(w.sync.Verify(ctx, w.ws)); v.Compared != 2 || len(v.Apart)+len(v.Strays) > 0 {
		t.Errorf("all agree: %+v", v)
	}
	if err := w.patch(two, xdr.Patch{AssignedTo: ptr("bob")}, bob); err != nil {
		t.Fatal(err)
	}
	v := must(w.sync.Verify(ctx, w.ws))
	if len(v.Apart) != 1 || v.Apart[0].XDR != two || v.Apart[0].Name != w.parallel(two).Name || v.Apart[0].Reasons[0].Field != port.FieldOwner {
		t.Errorf("one is apart: %+v", v)
	}
	w.settle()
	for _, id := range []string{one, two} {
		if d := w.differences(id); d != "" {
			t.Error(d)
		}
	}
	if v := must(w.sync.Verify(ctx, w.ws)); len(v.Apart) > 0 {
		t.Errorf("still apart: %+v", v)
	}
}
