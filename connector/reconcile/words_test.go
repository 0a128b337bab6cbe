package reconcile_test

import (
	"fmt"
	"testing"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/security"
)

// TestT24WithoutIDsCommentsAreKnownByTheirWords: an end that doesn't keep the
// ids given has each comment as often as the other, nothing comes back from it,
// and what was deleted on one side stays so.
func TestT24WithoutIDsCommentsAreKnownByTheirWords(t *testing.T) {
	for _, lacking := range []reconcile.Side{reconcile.XDR, reconcile.Workspace} {
		in := pair()
		if lacking == reconcile.XDR {
			in.XDRCan.CommentIDs = false
		} else {
			in.WorkspaceCan.CommentIDs = false
		}
		forget := func() { // each end has ids of its own
			for _, i := range []*port.Incident{&in.XDR, in.Workspace} {
				for n := range i.Comments {
					i.Comments[n].ID = fmt.Sprintf("%p %d", i, n)
				}
			}
		}
		say := func(i *port.Incident, text string) {
			i.Comments = append(i.Comments, security.Comment{ID: fmt.Sprint("new ", len(i.Comments)), Text: text})
		}
		rest := func(what string, onXDR, inWork int) {
			t.Helper()
			for n := range 4 {
				forget()
				p := reconcile.Decide(in)
				if n > 0 && !p.Empty() {
					t.Errorf("%s lacks ids, %s: never at rest: %s", lacking, what, told(p))
				}
				settle(&in, p)
			}
			if x, w := len(in.XDR.Comments), len(in.Workspace.Comments); x != onXDR || w != inWork {
				t.Errorf("%s lacks ids, %s: %d comments on the XDR, %d in the workspace, want %d and %d", lacking, what, x, w, onXDR, inWork)
			}
		}
		rest("before", 1, 1)
		say(&in.XDR, "looks benign")
		rest("one", 2, 2)
		say(in.Workspace, "looks benign")
		rest("the same words later", 3, 3)
		say(&in.XDR, "no")
		say(in.Workspace, "no")
		rest("the same words at once", 4, 4)
		say(&in.XDR, "no")
		rest("once more", 5, 5)
		in.Workspace.Comments = in.Workspace.Comments[1:]
		rest("one deleted", 5, 4)
		say(in.Workspace, "closing")
		rest("another after that", 6, 5)
	}
}
