package connector_test

import (
	"context"
	"fmt"
	"testing"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// parting is an XDR on which a merge was taken back: the source is as it was,
// the target without its alerts.
type parting struct {
	port.End
	source, target port.Incident // as they were before the merge
	parted         bool
}

func (p *parting) Incident(ctx context.Context, id string) (port.Incident, error) {
	i, err := p.End.Incident(ctx, id)
	for _, was := range []port.Incident{p.source, p.target} {
		if p.parted && was.ID == id {
			was.Version = i.Version + 1
			return was, err
		}
	}
	return i, err
}

// TestAMergeThatIsTakenBack: the source's parallel incident is open again under
// its number, with its values and alerts as they were, whatever was done to it
// meanwhile, and so again after the next merge.
func TestAMergeThatIsTakenBack(t *testing.T) {
	w := newWorld(t)
	p := &parting{End: w.x.End}
	w.x.End = p
	w.connect()
	a, b := w.ingest(security.Medium, "h1"), w.ingest(security.High, "h2")
	if err := w.patch(b, xdr.Patch{Status: ptr(xdr.InProgress), AddTags: []string{"vip"}, AddComments: []security.Comment{{Text: "seen"}}}, ann); err != nil {
		t.Fatal(err)
	}
	w.settle()
	p.source, p.target = must(w.xdr.End().Incident(ctx, b)), must(w.xdr.End().Incident(ctx, a))
	before := w.parallel(b)
	must(w.xdr.Merge(ctx, []string{a, b}, "", ann))
	w.quiet()
	if i := w.parallel(b); i.MergedNumber == 0 || i.Status != workspace.StatusClosed || len(i.Labels) != 1 {
		t.Fatalf("%+v", i)
	}
	w.now += schema.Second
	if err := w.put(b, bob, func(p *workspace.Put) { // nobody's decision about it, though it is an edit
		p.Status, p.Classification, p.ClassificationReason = workspace.StatusClosed, "TruePositive", "SuspiciousActivity"
	}); err != nil {
		t.Fatal(err)
	}
	p.parted = true
	w.quiet()
	i := w.parallel(b)
	if i.Number != before.Number || i.Status != before.Status || i.Classification != "" || i.MergedNumber != 0 || i.AlertTotal != 1 || fmt.Sprint(i.Labels) != fmt.Sprint(before.Labels) {
		t.Errorf("from %+v\nto   %+v", before, i)
	}
	if target := w.parallel(a); target.AlertTotal != 1 {
		t.Errorf("the target keeps %d alerts", target.AlertTotal)
	}
	w.w.before = func(write port.Write) { t.Errorf("not at rest: %+v", write) }
	w.quiet()
	w.w.before, p.parted = nil, false
	w.quiet()
	if i := w.parallel(b); i.MergedNumber == 0 || i.Status != workspace.StatusClosed || i.AlertTotal != 0 {
		t.Errorf("merged again: %+v", i)
	}
}
