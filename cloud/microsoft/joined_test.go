package microsoft_test

import (
	"fmt"
	"testing"

	"lockstep/api/chaos"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// joins are the ways to join the two servers.
var joins = []struct {
	name    string
	connect func(*rig)
}{
	{"XDR remote", func(r *rig) { r.connect(r.remoteXDR(), r.work.End(r.ws.ID)) }},
	{"workspace remote", func(r *rig) { r.connect(r.xdr.End(), r.remoteWorkspace()) }},
	{"both remote", func(r *rig) { r.connect(r.remoteXDR(), r.remoteWorkspace()) }},
}

// TestJoined has people work on both sides of two servers that are joined over
// the network, through every misbehaviour, and both sides must come to agree.
// What crosses to a server is what was edited on the other side, no more: no
// echo comes to its door, and nobody asks before Retry-After is over.
func TestJoined(t *testing.T) {
	const edits = 7 // in the workspace: see work
	for _, profile := range chaos.Profiles() {
		for _, join := range joins {
			if testing.Short() && join.name != "XDR remote" {
				continue
			}
			t.Run(profile.Name+"/"+join.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, profile.Name, 7)
				work(r, join.connect)
				for _, s := range []*server{r.xdrAt, r.workAt} {
					if c := s.door.Counts(); c.Early > 0 || c.Writes > 20 {
						t.Errorf("at a door: %+v", c)
					}
				}
				if c := r.xdrAt.door.Counts(); c.Writes > edits {
					t.Errorf("%d edits made %d writes: %v", edits, c.Writes, c.Changed)
				}
			})
		}
	}
}

// work is what people do on both sides.
func work(r *rig, connect func(*rig)) {
	a, b, c := r.ingest(security.Medium, "pc1"), r.ingest(security.Low, "pc2"), r.ingest(security.High, "pc3")
	connect(r)
	r.agree()
	r.patch(a, xdr.Patch{Status: ptr(xdr.InProgress), AssignedTo: ptr("ann@lab.example"), AddTags: []string{"pilot"}}, ann)
	r.put(b, bob, func(p *workspace.Put) {
		p.Status, p.Classification, p.ClassificationReason, p.ClassificationComment = workspace.StatusClosed, "FalsePositive", "IncorrectAlertLogic", "a test"
		*p.Labels = append(*p.Labels, "noise")
	})
	if _, err := r.xdr.Comment(ctx, a, "seen on the XDR", ann); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.work.AddComment(ctx, r.ws.ID, r.parallel(a).Name, "", "seen in the workspace", bob); err != nil {
		r.t.Fatal(err)
	}
	r.agree()
	r.put(a, bob, func(p *workspace.Put) { p.Owner = &security.Owner{UPN: "bob@lab.example"} })
	r.ingest(security.High, "pc1")
	r.put(b, bob, func(p *workspace.Put) {
		p.Status, p.Classification, p.ClassificationReason, p.ClassificationComment = workspace.StatusActive, "", "", ""
	})
	r.patch(c, xdr.Patch{Severity: ptr(security.Low)}, ann)
	r.agree()
	for n := range 6 { // both sides of one incident, turn by turn: three edits of each
		if n%2 == 0 {
			r.patch(c, xdr.Patch{AddTags: []string{fmt.Sprint("x", n)}, Status: ptr(xdr.InProgress)}, ann)
		} else {
			r.put(c, bob, func(p *workspace.Put) { *p.Labels = append(*p.Labels, fmt.Sprint("w", n)) })
		}
		r.run(400 * schema.Millisecond)
	}
	r.agree()
	if _, err := r.xdr.Merge(ctx, []string{b, c}, "one story", ann); err != nil {
		r.t.Fatal(err)
	}
	r.agree()
	r.patch(a, xdr.Patch{Status: ptr(xdr.Resolved), Classification: ptr("truePositive"), Determination: ptr("malware"), ResolvingComment: ptr("cleaned")}, ann)
	r.agree()
}
