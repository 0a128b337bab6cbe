package connector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// TestAMergeThatIsTakenBack: the source's parallel incident is open again under
// its number, with its values and alerts as they were, whatever was done to it
// meanwhile, and so again after the next merge. What was said there meanwhile is
// on both sides of both.
func TestAMergeThatIsTakenBack(t *testing.T) {
	w := newWorld(t)
	w.connect()
	a, b := w.ingest(security.Medium, "h1"), w.ingest(security.High, "h2")
	if err := w.patch(b, xdr.Patch{Status: ptr(xdr.InProgress), AddTags: []string{"vip"}, AddComments: []security.Comment{{Text: "seen"}}}, ann); err != nil {
		t.Fatal(err)
	}
	w.settle()
	before := w.parallel(b)
	for round := range 3 {
		w.now += schema.Second
		must(w.xdr.Merge(ctx, []string{a, b}, "", ann))
		w.quiet()
		if i := w.parallel(b); i.MergedNumber == 0 || i.Status != workspace.StatusClosed || len(i.Labels) != 1 || i.AlertTotal != 0 {
			t.Fatalf("%+v", i)
		}
		said := fmt.Sprint("late ", round)
		must(w.work.AddComment(ctx, w.ws, before.Name, "", said, bob))
		w.now += schema.Second
		if round == 1 {
			w.quiet() // it is carried to the target first
		}
		if err := w.put(b, bob, func(p *workspace.Put) { // nobody's decision about it, though it is an edit
			p.Status, p.Classification, p.ClassificationReason = workspace.StatusClosed, "TruePositive", "SuspiciousActivity"
		}); err != nil {
			t.Fatal(err)
		}
		w.now += schema.Second
		must(w.xdr.Unmerge(ctx, b, "", ann))
		w.quiet()
		i := w.parallel(b)
		if i.Number != before.Number || i.Status != before.Status || i.Classification != "" || i.MergedNumber != 0 || i.AlertTotal != 1 || fmt.Sprint(i.Labels) != fmt.Sprint(before.Labels) {
			t.Errorf("from %+v\nto   %+v", before, i)
		}
		if target := w.parallel(a); target.AlertTotal != 1 || len(target.Labels) != 0 {
			t.Errorf("the target keeps %+v", target)
		}
		for side, list := range map[string][]security.Comment{"XDR": must(w.xdr.Comments(ctx, b)), "workspace": must(w.work.Comments(ctx, w.ws, before.Name))} {
			if n := len(slices.DeleteFunc(list, func(c security.Comment) bool { return c.Text != said })); n != 1 {
				t.Errorf("round %d: %q is on the %s %d times", round, said, side, n)
			}
		}
		for _, id := range []string{a, b} {
			if d := w.differences(id); d != "" {
				t.Errorf("round %d: %s", round, d)
			}
		}
	}
	w.w.before = func(write port.Write) { t.Errorf("not at rest: %+v", write) }
	w.quiet()
	story := strings.Join(must(w.sync.Explain(ctx, w.ws, b)).Sentences, "\n")
	if !strings.Contains(story, "it was parted again from the incident that it had been merged into") {
		t.Error(story)
	}
}
