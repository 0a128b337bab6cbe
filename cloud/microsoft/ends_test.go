package microsoft_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"lockstep/cloud/microsoft"
	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// each runs a test on both ends over a server with a profile, with pages of
// two. ids are the ends' ids of five incidents.
func each(t *testing.T, profile string, f func(t *testing.T, r *rig, end port.End, ids []string)) {
	t.Run("XDR", func(t *testing.T) {
		r := newRig(t, profile, 3)
		ids := five(r)
		f(t, r, r.pagedXDR(2), ids)
	})
	t.Run("workspace", func(t *testing.T) {
		r := newRig(t, profile, 3)
		r.connect(r.xdr.End(), must(microsoft.Workspace(r.workAt.options, r.ws.ResourceID())))
		var names []string
		for _, id := range five(r) {
			r.run(200 * schema.Millisecond)
			names = append(names, r.parallel(id).Name)
		}
		f(t, r, r.pagedWorkspace(2), names)
	})
}

func five(r *rig) (ids []string) {
	for n := range 5 {
		ids = append(ids, r.ingest(security.Medium, fmt.Sprint("pc", n)))
	}
	return ids
}

// idsOf lists an end in pages.
func idsOf(t *testing.T, end port.End, limit int) (all []string) {
	t.Helper()
	for after := ""; ; {
		page, err := end.IDs(ctx, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		if len(page) > limit || len(all) > 100 {
			t.Fatalf("%d ids in a page of %d, after %d", len(page), limit, len(all))
		}
		all, after = append(all, page...), page[len(page)-1]
	}
}

// TestLists: all ids come once in pages of any size, with stamps that are all
// alike (T2) too.
func TestLists(t *testing.T) {
	for _, profile := range []string{"none", "ties", "skip"} {
		t.Run(profile, func(t *testing.T) {
			each(t, profile, func(t *testing.T, r *rig, end port.End, ids []string) {
				for limit := 1; limit <= 6; limit++ {
					got := idsOf(t, end, limit)
					slices.Sort(got)
					if want := slices.Sorted(slices.Values(ids)); !slices.Equal(got, want) {
						t.Errorf("pages of %d: %v, want %v", limit, got, want)
					}
				}
			})
		})
	}
}

// TestManyTies: more incidents of one second than a page holds, and a server
// that takes no offsets past 100.
func TestManyTies(t *testing.T) {
	r := newRig(t, "all", 5)
	for n := range 130 {
		r.now = epoch
		r.ingest(security.Low, fmt.Sprint("pc", n))
	}
	end := r.pagedXDR(60)
	var got []string
	for after := ""; ; {
		page, err := end.IDs(ctx, after, 40)
		if err != nil { // it misbehaves in other ways too
			r.now += schema.Second
			continue
		}
		if len(page) == 0 {
			break
		}
		got, after = append(got, page...), page[len(page)-1]
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(got))); len(distinct) != 130 || len(got) != 130 {
		t.Errorf("%d ids, %d of them different; %+v", len(got), len(distinct), r.xdrAt.door.Counts().Faults)
	}
}

// TestHints: each change is told once or more, whatever is told is old news
// afterwards, and a change within the second of another isn't missed (T2, T3).
func TestHints(t *testing.T) {
	for _, profile := range []string{"none", "ties"} {
		t.Run(profile, func(t *testing.T) {
			r := newRig(t, profile, 3)
			end := r.pagedXDR(2)
			ids := five(r)
			after, told := int64(0), map[string]int{}
			read := func() {
				t.Helper()
				for range 50 {
					hints, err := end.Changes(ctx, after, 3)
					if err != nil {
						t.Fatal(err)
					}
					if len(hints) == 0 {
						return
					}
					for _, h := range hints {
						told[h.Incident]++
						after = max(after, h.Seq)
					}
				}
				t.Fatal("the hints don't end")
			}
			read()
			if len(told) != len(ids) {
				t.Fatalf("told %v of %v", told, ids)
			}
			for n := range 3 {
				clear(told)
				r.now += 3 * schema.Second
				r.patch(ids[1], xdr.Patch{AddTags: []string{fmt.Sprint("first", n)}}, ann)
				read()
				r.patch(ids[1], xdr.Patch{AddTags: []string{fmt.Sprint("second", n)}}, ann)
				read()
				if told[ids[1]] < 2 {
					t.Errorf("two changes were told %d times", told[ids[1]])
				}
				clear(told)
				r.now += 3 * schema.Second
				read() // what was read when the second was told may have been the first, from a replica that lags
				if profile == "ties" && told[ids[1]] != 1 {
					t.Errorf("a second change within one second was told %d times when replicas had caught up", told[ids[1]])
				}
			}
			r.now += 10 * schema.Second
			read()
			clear(told)
			r.now += schema.Hour
			read()
			if len(told) > 0 {
				t.Errorf("old news are told again: %v", told)
			}
		})
	}
}

// TestAnOlderStateIsNotBelieved: what a lagging replica shows isn't an edit.
func TestAnOlderStateIsNotBelieved(t *testing.T) {
	each(t, "stale", func(t *testing.T, r *rig, end port.End, ids []string) {
		id := ids[0]
		believed := ""
		for n := range 40 {
			tag := fmt.Sprint("tag", n)
			before := r.now
			for { // until the write was taken: its own read may be stale too
				if _, err := end.Apply(ctx, port.Write{ID: r.id(), Incident: id, AddTags: []string{tag}, Actor: ann, At: r.now}); err == nil {
					break
				} else if !fault.Is(err, fault.Unavailable) || r.now > before+schema.Minute {
					t.Fatal(err)
				}
				r.now += 300 * schema.Millisecond
			}
			i, err := end.Incident(ctx, id)
			if err == nil {
				believed = tag
				if !slices.Contains(i.Tags, tag) {
					t.Fatalf("after writing %s the end shows %v", tag, i.Tags)
				}
			}
		}
		if believed == "" {
			t.Error("nothing was ever believed")
		}
	})
}

// TestAWriteChangesNothingElse: what a write doesn't name stays (S10, T9), and
// one that changes nothing isn't sent.
func TestAWriteChangesNothingElse(t *testing.T) {
	each(t, "none", func(t *testing.T, r *rig, end port.End, ids []string) {
		id := ids[2]
		status := map[string]port.Resolution{"XDR": {Status: "inProgress"}, "workspace": {Status: "Active"}}[t.Name()[strings.LastIndex(t.Name(), "/")+1:]]
		apply := func(w port.Write) {
			t.Helper()
			w.ID, w.Incident, w.Actor, w.At = r.id(), id, ann, r.now
			if _, err := end.Apply(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		apply(port.Write{Owner: &security.Owner{UPN: "ann@lab.example"}, AddTags: []string{"pilot"}})
		apply(port.Write{Resolution: &status})
		apply(port.Write{Severity: ptr(security.High)})
		apply(port.Write{AddComments: []security.Comment{{ID: "c0000000-0000-4000-8000-000000000001", Text: "look [here]", Author: bob, Created: r.now}}})
		i, err := end.Incident(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if i.Owner.Text() != "ann@lab.example" || !slices.Equal(i.Tags, []string{"pilot"}) || i.Resolution.Status != status.Status || i.Severity != security.High {
			t.Errorf("it is now %+v", i)
		}
		if len(i.Comments) != 1 || i.Comments[0].ID != "c0000000-0000-4000-8000-000000000001" || !strings.HasPrefix(i.Comments[0].Text, "look [here]") {
			t.Errorf("its comments are %+v", i.Comments)
		}
		writes := r.xdrAt.door.Counts().Writes + r.workAt.door.Counts().Writes
		apply(port.Write{AddTags: []string{"PILOT"}, RemoveTags: []string{"never there"}})
		if n := r.xdrAt.door.Counts().Writes + r.workAt.door.Counts().Writes; n != writes {
			t.Errorf("a write without a change made %d", n-writes)
		}
		apply(port.Write{Owner: &security.Owner{}})
		if i, err = end.Incident(ctx, id); err != nil || !i.Owner.IsZero() {
			t.Errorf("unassigned it is %+v, %v", i.Owner, err)
		}
	})
}

// TestConditional: the workspace takes a write against the version it was made
// against alone.
func TestConditional(t *testing.T) {
	r := newRig(t, "none", 1)
	end := r.remoteWorkspace()
	r.connect(r.xdr.End(), end)
	id := r.ingest(security.Medium, "pc1")
	r.agree()
	name := r.parallel(id).Name
	seen := must(end.Incident(ctx, name))
	r.put(id, bob, severityTo(security.High))
	w := port.Write{ID: "w1", Incident: name, IfVersion: seen.Version, Severity: ptr(security.Low)}
	if _, err := end.Apply(ctx, w); !fault.Is(err, fault.Conflict) {
		t.Errorf("against an older version: %v", err)
	}
	w.IfVersion = must(end.Incident(ctx, name)).Version
	if a, err := end.Apply(ctx, w); err != nil || a.Version == w.IfVersion {
		t.Errorf("against the present one: %+v, %v", a, err)
	}
}

// TestToken: a wrong secret is said without it, and a token that the server
// doesn't take any more is replaced at once.
func TestToken(t *testing.T) {
	r := newRig(t, "none", 1)
	five(r)
	o := r.xdrAt.options
	o.ClientSecret = "not the secret"
	_, err := must(microsoft.XDR(o)).IDs(ctx, "", 10)
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "invalid_client") || strings.Contains(err.Error(), o.ClientSecret) {
		t.Errorf("a wrong secret: %v", err)
	}
	o = r.xdrAt.options
	o.Client = &http.Client{Transport: &forgetful{next: o.Client.Transport}}
	end := must(microsoft.XDR(o))
	for range 6 {
		if _, err := end.IDs(ctx, "", 10); err != nil {
			t.Errorf("a token that isn't taken any more: %v", err)
		}
	}
	if _, err := microsoft.XDR(microsoft.Options{Base: "nowhere"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no address: %v", err)
	}
}

// forgetful spoils the token of every third request, as a server that forgets it.
type forgetful struct {
	next http.RoundTripper
	n    int
}

func (f *forgetful) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.n++; f.n%3 == 0 && r.Header.Get("Authorization") != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer of nothing")
	}
	return f.next.RoundTrip(r)
}

// TestNotThere: what isn't there is NotFound.
func TestNotThere(t *testing.T) {
	each(t, "none", func(t *testing.T, r *rig, end port.End, ids []string) {
		if _, err := end.Incident(ctx, "4711"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
		if _, ok, err := end.Applied(ctx, "w"); ok || err != nil {
			t.Errorf("%v %v", ok, err)
		}
	})
}

func severityTo(s security.Severity) func(*workspace.Put) {
	return func(p *workspace.Put) { p.Severity = s }
}

// TestACommentIsMadeOnce: sent again, as after a lost answer, it stays one (T24).
func TestACommentIsMadeOnce(t *testing.T) {
	each(t, "none", func(t *testing.T, r *rig, end port.End, ids []string) {
		c := security.Comment{ID: "c0000000-0000-4000-8000-000000000009", Text: strings.Repeat("long ", 7000), Author: bob, Created: r.now}
		for range 2 {
			if _, err := end.Apply(ctx, port.Write{ID: r.id(), Incident: ids[0], AddComments: []security.Comment{c}, Actor: bob}); err != nil {
				t.Fatal(err)
			}
			c.Created = r.clock() // the connector makes some comments anew
		}
		if i := must(end.Incident(ctx, ids[0])); len(i.Comments) != 1 || i.Comments[0].ID != c.ID {
			t.Errorf("there are %d", len(i.Comments))
		}
	})
}
