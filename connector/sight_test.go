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

// states are the statuses and owners that a workspace incident had, each once in a row.
func (w *world) states(id string) (all []string) {
	w.t.Helper()
	name := w.parallel(id).Name
	list, _, err := w.work.History(ctx, 0, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range list {
		if s.Incident == nil || s.Incident.Name != name {
			continue
		}
		text := strings.TrimSpace(fmt.Sprint(s.Incident.Status, " ", s.Incident.Owner.Text()))
		if len(all) == 0 || all[len(all)-1] != text {
			all = append(all, text)
		}
	}
	return all
}

// hurry edits an incident of the XDR faster than the connector looks.
func (w *world) hurry(id string, patches ...xdr.Patch) {
	w.t.Helper()
	for _, p := range patches {
		w.now += schema.Second
		if err := w.patch(id, p, ann); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestEveryStateOfTheXDRIsInTheHistory(t *testing.T) {
	edits := []xdr.Patch{
		{Status: ptr(xdr.InProgress)}, {AssignedTo: ptr("u1")}, {Status: ptr(xdr.Resolved)}, {Status: ptr(xdr.Active)},
		{AddTags: []string{"seen"}}, {Status: ptr(xdr.Resolved), AssignedTo: ptr("u2")},
	}
	want := []string{"New", "Active", "Active u1", "Closed u1", "New u1", "Closed u2"}
	for _, c := range []struct {
		name    string
		disturb func(w *world)
	}{
		{"undisturbed", func(*world) {}},
		{"its process ends before each second write", func(w *world) {
			n := 0
			w.w.before = func(port.Write) {
				if n++; n%2 == 0 {
					w.own.dead = true
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.connect()
			id := w.ingest(security.Medium, "h1")
			w.settle()
			c.disturb(w)
			w.hurry(id, edits...)
			for w.differences(id) != "" {
				_, _, err := w.sync.Next(ctx, w.now)
				if w.own.dead {
					w.boot()
				} else if err != nil {
					t.Fatal(err)
				}
				w.now += schema.Second
			}
			if got := w.states(id); !slices.Equal(got, want) {
				t.Errorf("the workspace's history has %q, want %q", got, want)
			}
		})
	}
}

func TestAnEditOfTheWorkspaceMeetsThePresentAlone(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Medium, "h1")
	w.settle()
	w.hurry(id, xdr.Patch{Status: ptr(xdr.InProgress)}, xdr.Patch{Status: ptr(xdr.Resolved)})
	w.now += schema.Second
	if err := w.put(id, bob, func(p *workspace.Put) { p.Owner = &security.Owner{UPN: "carol@lab.example"} }); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if d := w.differences(id); d != "" {
		t.Error(d)
	}
	if got, want := w.states(id), []string{"New", "New carol@lab.example", "Closed carol@lab.example"}; !slices.Equal(got, want) {
		t.Errorf("the workspace's history has %q, want %q", got, want)
	}
}
