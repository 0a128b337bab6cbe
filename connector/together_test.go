package connector_test

import (
	"context"
	"testing"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// overloaded is an end that makes writes together, loses its answer, and has
// no time for the same writes one by one.
type overloaded struct {
	port.End
	meanwhile func()
	lost      bool
	refusals  int
}

func (o *overloaded) ApplyAll(ctx context.Context, writes []port.Write) ([]port.Applied, error) {
	made, err := o.End.(interface {
		ApplyAll(context.Context, []port.Write) ([]port.Applied, error)
	}).ApplyAll(ctx, writes)
	if err != nil || o.lost {
		return made, err
	}
	o.lost = true
	o.meanwhile()
	return nil, errLine
}

func (o *overloaded) Apply(ctx context.Context, w port.Write) (port.Applied, error) {
	if o.lost && o.refusals > 0 {
		o.refusals--
		return port.Applied{}, fault.Later(1e9, "too many")
	}
	return o.End.Apply(ctx, w)
}

// TestARefusedRepeatSaysNothingOfTheFirstAttempt has writes made together,
// their answer lost, an edit taken back, and the repeat refused.
func TestARefusedRepeatSaysNothingOfTheFirstAttempt(t *testing.T) {
	w := newWorld(t)
	w.connect()
	one, two := w.ingest(security.Low, "h1"), w.ingest(security.Low, "h2")
	w.settle()
	w.w.End = &overloaded{End: w.w.End, refusals: 2, meanwhile: func() {
		if err := w.put(one, ann, func(p *workspace.Put) { p.Owner = &security.Owner{} }); err != nil {
			t.Fatal(err)
		}
	}}
	for _, id := range []string{one, two} {
		if err := w.patch(id, xdr.Patch{AssignedTo: ptr("bob")}, bot); err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	w.now += schema.Minute
	w.quiet()
	if owner := must(w.xdr.Incident(ctx, one)).Owner.Text(); owner != "" {
		t.Errorf("the owner that was taken back came again: %s", owner)
	}
	if d := w.differences(two); d != "" {
		t.Error(d)
	}
}
