package connector_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// The classes of failure that lie in what crosses: values, owners, states, names.

// TestT10DisjointEditsAreMerged: eight writers edit five fields, on both
// sides at once, and some while the connector is about to write. Nobody is told
// of a conflict, and no value gives way.
func TestT10DisjointEditsAreMerged(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Low, "h1")
	w.settle()
	tags, comments, round, writer := 0, 0, 0, 0
	next := func() security.Actor {
		writer++
		return security.Actor{Kind: security.Person, Name: fmt.Sprintf("writer%d@lab.example", writer%8)}
	}
	said := func(err error) {
		if err != nil {
			t.Errorf("round %d: a writer is told of %v", round, err)
		}
	}
	severities := []security.Severity{security.Low, security.Medium, security.High}
	fields := []struct{ xdr, work func(by security.Actor) }{
		{func(by security.Actor) {
			said(w.patch(id, xdr.Patch{Status: ptr([]xdr.Status{xdr.InProgress, xdr.Active}[round%2])}, by))
		}, func(by security.Actor) {
			said(w.put(id, by, func(p *workspace.Put) {
				p.Status = []workspace.Status{workspace.StatusActive, workspace.StatusNew}[round%2]
			}))
		}},
		{func(by security.Actor) { said(w.patch(id, xdr.Patch{AssignedTo: ptr(fmt.Sprint("u", round))}, by)) },
			func(by security.Actor) {
				said(w.put(id, by, func(p *workspace.Put) { p.Owner = &security.Owner{AssignedTo: fmt.Sprint("u", round)} }))
			}},
		{func(by security.Actor) { said(w.patch(id, xdr.Patch{Severity: &severities[round%3]}, by)) },
			func(by security.Actor) {
				said(w.put(id, by, func(p *workspace.Put) { p.Severity = severities[round%3] }))
			}},
		{func(by security.Actor) {
			tags++
			said(w.patch(id, xdr.Patch{AddTags: []string{fmt.Sprint("t", tags)}}, by))
		}, func(by security.Actor) {
			tags++
			said(w.put(id, by, func(p *workspace.Put) { *p.Labels = append(*p.Labels, fmt.Sprint("t", tags)) }))
		}},
		{func(by security.Actor) {
			comments++
			_, err := w.xdr.Comment(ctx, id, "seen", by)
			said(err)
		}, func(by security.Actor) {
			comments++
			_, err := w.work.AddComment(ctx, w.ws, w.parallel(id).Name, "", "seen", by)
			said(err)
		}},
	}
	for round = range 16 {
		w.now += schema.Second
		late := -1
		for n, f := range fields {
			switch {
			case late < 0 && (n+round)%5 == 4:
				late = n // while the connector is about to write
			case (n+round)%2 == 0:
				f.xdr(next())
			default:
				f.work(next())
			}
		}
		w.w.before = func(port.Write) {
			w.w.before = nil
			fields[late].work(next())
		}
		w.settle()
		if w.w.before != nil {
			t.Fatalf("round %d: nothing was written to the workspace", round)
		}
		w.agree([]string{id})
		x := must(w.xdr.Incident(ctx, id))
		if x.Owner.Text() != fmt.Sprint("u", round) || x.Severity != severities[round%3] || x.Status != []xdr.Status{xdr.InProgress, xdr.Active}[round%2] ||
			len(x.CustomTags) != tags || len(must(w.xdr.Comments(ctx, id))) != comments {
			t.Errorf("round %d: an edit is lost: %+v", round, x)
		}
	}
	refused := 0
	for _, d := range must(w.sync.Journal(ctx, w.ws, id)) {
		for _, r := range d.Reasons {
			if r.Lost != "" {
				t.Errorf("decision %d: %s", d.Number, r)
			}
		}
		for _, s := range d.Writes {
			if s.Outcome == connector.Refused {
				refused++
			}
		}
	}
	if refused < 16 {
		t.Errorf("the connector met %d edits that were faster", refused)
	}
}

// directory finds people by whatever they are called.
type directory []security.Owner

func (d directory) Resolve(text string) (security.Owner, bool) {
	for _, o := range d {
		if slices.ContainsFunc([]string{o.ObjectID, o.UPN, o.Email, o.AssignedTo}, func(s string) bool { return strings.EqualFold(s, text) }) {
			return o, true
		}
	}
	return security.Owner{}, false
}

// TestT12OwnersByAnyName: a person is the same by object id, UPN, mail and
// name; one whom nobody knows is kept as written and never dropped.
func TestT12OwnersByAnyName(t *testing.T) {
	w := newWorld(t)
	box := security.Owner{ObjectID: "0b0b0b0b-0000-4000-8000-000000000001", UPN: "bob@lab.example", Email: "bob.box@mail.example", AssignedTo: "Bob Box", Type: "User"}
	known := directory{box}
	clock := func() schema.Ticks { return w.now }
	w.xdr = must(xdr.New(xdr.Options{Store: w.store, Now: clock, Directory: known, PortalURL: "https://localhost:8443", TenantID: "t1"}))
	w.work = must(workspace.New(workspace.Options{Store: w.store, Now: clock, NewID: func() string { w.ids++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.ids) }, Directory: known}))
	w.x.End, w.w.End = w.xdr.End(), w.work.End(w.ws)
	w.connect()
	id := w.ingest(security.Low, "h1")
	w.settle()
	for n, name := range []string{box.ObjectID, box.UPN, strings.ToUpper(box.UPN), box.Email, box.AssignedTo} {
		w.assign(id, "")
		w.settle()
		if n%2 == 0 {
			w.assign(id, name)
		} else if err := w.put(id, ann, func(p *workspace.Put) { p.Owner = &security.Owner{AssignedTo: name} }); err != nil {
			t.Fatal(err)
		}
		w.settle()
		before := len(w.x.made) + len(w.w.made)
		if x, y := must(w.xdr.Incident(ctx, id)).Owner, w.parallel(id).Owner; x != box || y != box {
			t.Errorf("%s: %+v on the XDR, %+v in the workspace", name, x, y)
		}
		w.assign(id, box.Email) // him again, by another name
		w.quiet()
		if n := len(w.x.made) + len(w.w.made) - before; n > 0 {
			t.Errorf("%s: %d writes for another name of the same person", name, n)
		}
	}
	for _, ghost := range []string{"ghost@gone.example", "Service Desk 2"} {
		w.now += schema.Second
		w.assign(id, ghost)
		w.settle()
		if err := w.put(id, bob, func(p *workspace.Put) { *p.Labels = append(*p.Labels, ghost) }); err != nil {
			t.Fatal(err)
		}
		w.quiet()
		if x, y := must(w.xdr.Incident(ctx, id)).Owner.Text(), w.parallel(id).Owner.Text(); x != ghost || y != ghost {
			t.Errorf("%s became %q on the XDR, %q in the workspace", ghost, x, y)
		}
	}
	w.assign(id, "")
	w.settle()
	w.w.End = &terse{End: w.w.End}
	w.boot()
	w.assign(id, box.UPN)
	w.settle()
	before := len(w.x.made) + len(w.w.made)
	w.quiet()
	if n := len(w.x.made) + len(w.w.made) - before; n > 0 || must(w.xdr.Incident(ctx, id)).Owner != box {
		t.Errorf("%d writes to an end that tells of a person no more than his object id", n)
	}
	w.w.End = w.work.End(w.ws)
	w.boot()

	id2 := security.Owner{ObjectID: "0b0b0b0b-0000-4000-8000-0000000000ff"}
	if err := w.put(id, bob, func(p *workspace.Put) { p.Owner = &id2 }); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if x := must(w.xdr.Incident(ctx, id)).Owner; x.ObjectID != id2.ObjectID {
		t.Errorf("an unknown object id became %+v", x)
	}
}

// terse is an end that shows of an owner his object id alone, as it likes to write it.
type terse struct{ port.End }

func (e *terse) Incident(ctx context.Context, id string) (port.Incident, error) {
	i, err := e.End.Incident(ctx, id)
	i.Owner = security.Owner{ObjectID: strings.ToUpper(i.Owner.ObjectID)}
	return i, err
}

// TestT13EveryEventInEveryState holds the state machine of a pair: what each
// event makes of each state, on both sides.
func TestT13EveryEventInEveryState(t *testing.T) {
	type end struct{ x, w string } // the states after
	same := end{}
	open := func(x, y string) map[string]end {
		return map[string]end{
			"none":    {x, y},
			"resolve": {"resolved", "Closed"}, "activate": {"active", "New"}, "progress": {"inProgress", "Active"}, "await": {"awaitingAction", "Active"},
			"close": {"resolved", "Closed"}, "reopen as new": {"active", "New"},
			"reopen as active": {map[string]string{"active": "inProgress"}[x], "Active"},
			"alert":            {x, y}, "merge away": {"redirected", "Closed"}, "redirect": same,
		}
	}
	keep := func(m map[string]end, event string, e end) map[string]end { m[event] = e; return m }
	machine := map[string]map[string]end{
		"active":         open("active", "New"),
		"inProgress":     keep(open("inProgress", "Active"), "reopen as active", end{"inProgress", "Active"}),
		"awaitingAction": keep(open("awaitingAction", "Active"), "reopen as active", end{"awaitingAction", "Active"}),
		"resolved": keep(keep(keep(open("resolved", "Closed"), "reopen as active", end{"inProgress", "Active"}),
			"merge away", same), "alert", end{"resolved", "Closed"}),
		"redirected": { // nothing but its target changes
			"none": {"redirected", "Closed"}, "resolve": same, "activate": same, "progress": same, "await": same, "merge away": same, "redirect": same,
			"close": {"redirected", "Closed"}, "reopen as new": same, "reopen as active": same, "alert": {"redirected", "Closed"},
		},
	}
	set := func(status xdr.Status) func(*world, string) error {
		return func(w *world, id string) error { return w.patch(id, xdr.Patch{Status: &status}, ann) }
	}
	put := func(status workspace.Status, reason string) func(*world, string) error {
		return func(w *world, id string) error {
			return w.put(id, bob, func(p *workspace.Put) { p.Status, p.Classification = status, reason })
		}
	}
	merge := func(w *world, id string) error {
		_, err := w.xdr.Merge(ctx, []string{"1", id}, "", ann) // the older one stays
		return err
	}
	more := 0
	events := map[string]func(*world, string) error{
		"none":    func(*world, string) error { return nil },
		"resolve": set(xdr.Resolved), "activate": set(xdr.Active), "progress": set(xdr.InProgress), "await": set(xdr.AwaitingAction), "redirect": set(xdr.Redirected),
		"close": put(workspace.StatusClosed, "Undetermined"), "reopen as new": put(workspace.StatusNew, ""), "reopen as active": put(workspace.StatusActive, ""),
		"merge away": merge,
		"alert": func(w *world, id string) error {
			more++
			a := w.alert(fmt.Sprint("more", more), security.Low, "h2")
			a.AlertType = "type2"
			w.send(a)
			return nil
		},
	}
	into := map[string]func(*world, string) error{
		"active": events["none"], "inProgress": events["progress"], "awaitingAction": events["await"], "resolved": events["resolve"], "redirected": merge,
	}
	for state, row := range machine {
		for event, want := range row {
			w := newWorld(t)
			w.connect()
			w.ingest(security.Low, "h1")
			id := w.ingest(security.Low, "h2")
			w.settle()
			if err := into[state](w, id); err != nil {
				t.Fatal(err)
			}
			w.quiet()
			w.now += schema.Second
			before := must(w.xdr.Incident(ctx, id))
			err := events[event](w, id)
			w.quiet()
			x, i := must(w.xdr.Incident(ctx, id)), w.parallel(id)
			if want == same {
				if err == nil || x.Status != before.Status {
					t.Errorf("%s, %s: taken: %s", state, event, x.Status)
				}
				continue
			}
			if err != nil || string(x.Status) != want.x || string(i.Status) != want.w {
				t.Errorf("%s, %s: %s on the XDR, %s in the workspace, want %v; %v", state, event, x.Status, i.Status, want, err)
			}
			w.agree([]string{id})
			if state == "resolved" && want.w != "Closed" { // who reopened it, on both sides
				by := map[bool]security.Actor{true: ann, false: bob}[event == "activate" || event == "progress" || event == "await"]
				for side, st := range map[string]port.Stamp{"XDR": must(w.xdr.End().Incident(ctx, id)).Stamps[port.FieldResolution], "workspace": must(w.work.End(w.ws).Incident(ctx, i.Name)).Stamps[port.FieldResolution]} {
					if st.Actor != by {
						t.Errorf("%s, %s: reopened by %v, the %s says %v", state, event, by, side, st.Actor)
					}
				}
			}
			if event == "alert" {
				held := 0
				for _, alert := range must(w.xdr.AlertsOf(ctx, id)) {
					if strings.HasPrefix(alert.ID, "more") {
						held++
					}
				}
				if joins := map[bool]int{true: 0, false: 1}[want.w == "Closed"]; held != joins {
					t.Errorf("%s: took %d new alerts, want %d", state, held, joins)
				}
			}
		}
	}
	if len(machine) != 5 || len(machine["active"]) != len(events) || len(machine["redirected"]) != len(events) {
		t.Error("the table isn't whole")
	}
}

// drifted is an XDR that speaks of things that nobody knew when this was built.
type drifted struct {
	port.End
	words map[string]string // status, by incident
}

func (d *drifted) Incident(ctx context.Context, id string) (port.Incident, error) {
	i, err := d.End.Incident(ctx, id)
	if word := d.words[id]; word != "" {
		i.Resolution.Status, i.Severity, i.Content.Severity = word, "catastrophic", "catastrophic"
		i.Content.Tactics = append(i.Content.Tactics, "Sabotage")
	}
	return i, err
}

// TestT21NamesChange: pairs and products are known by ids, never by what they
// are called; words that nobody knows yet cross, and nothing overwrites them.
func TestT21NamesChange(t *testing.T) {
	w := newWorld(t)
	x := &drifted{End: w.x.End, words: map[string]string{}}
	w.x.End = x
	w.connect()
	one := w.ingest(security.Low, "h1")
	two := w.ingest(security.Low, "h2")
	a := w.alert("strange", security.Low, "h3")
	a.ServiceSource = "microsoftDefenderForTomorrow"
	strange := w.send(a)
	w.settle()
	number := w.parallel(one).Number
	for _, name := range []string{"Renamed", w.parallel(two).Title, "Renamed again"} { // one of them is another's
		if err := w.patch(one, xdr.Patch{DisplayName: &name}, ann); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if i := w.parallel(one); i.Title != name || i.Number != number {
			t.Errorf("incident %d is called %q, want %d %q", i.Number, i.Title, number, name)
		}
	}
	if i := w.parallel(one); !slices.Equal(i.Products, []string{"Microsoft Defender Advanced Threat Protection"}) {
		t.Errorf("products %v: copied queries use the legacy name", i.Products)
	}
	if i := w.parallel(strange); !slices.Equal(i.Products, []string{"microsoftDefenderForTomorrow"}) {
		t.Errorf("an unknown product became %v", i.Products)
	}
	w.agree([]string{one, two, strange})

	x.words[two] = "escalated"
	w.assign(two, "ann")
	w.settle()
	i := w.parallel(two)
	if i.Status != workspace.StatusNew || i.Severity != security.Informational || i.Owner.Text() != "ann" || !slices.Contains(i.Tactics, "Sabotage") {
		t.Errorf("words nobody knows: %+v", i)
	}
	w.x.before = func(write port.Write) {
		if write.Resolution != nil || write.Severity != nil {
			t.Errorf("what nobody here knows is overwritten: %+v", write)
		}
	}
	if err := w.put(two, bob, func(p *workspace.Put) { p.Owner = &security.Owner{AssignedTo: "carl"} }); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if owner := must(w.xdr.Incident(ctx, two)).Owner.Text(); owner != "carl" {
		t.Errorf("owner %q", owner)
	}
}

// TestT22WhatIsRepeatedActsOnce: a write comes as often as it must and acts
// once, one made on a stale state is refused, the journal says which versions
// it was decided on, and a second connector doubles nothing.
func TestT22WhatIsRepeatedActsOnce(t *testing.T) {
	w := newWorld(t)
	w.connect()
	id := w.ingest(security.Low, "h1")
	w.settle()
	name := w.parallel(id).Name
	for side, end := range map[string]port.End{"XDR": w.xdr.End(), "workspace": w.work.End(w.ws)} {
		on := map[string]string{"XDR": id, "workspace": name}[side]
		before := must(end.Incident(ctx, on))
		write := port.Write{ID: "once " + side, Incident: on, IfVersion: before.Version, Actor: bot, At: w.now,
			AddComments: []security.Comment{{ID: security.DerivedID("t22", side), Text: "done", Author: bot, Created: w.now}}, AddTags: []string{side}}
		first := must(end.Apply(ctx, write))
		for range 3 {
			if again := must(end.Apply(ctx, write)); again != first {
				t.Errorf("%s: a repeat made %+v, the first time it was %+v", side, again, first)
			}
		}
		after := must(end.Incident(ctx, on))
		if after.Version != before.Version+1 || len(after.Comments) != len(before.Comments)+1 {
			t.Errorf("%s: four times the same write went from version %d to %d, with %d comments", side, before.Version, after.Version, len(after.Comments))
		}
		write.ID = "stale " + side
		if _, err := end.Apply(ctx, write); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: a write on a stale state: %v", side, err)
		}
	}
	w.settle()
	first := w.sync
	w.boot() // the other goes on as if nothing were
	for n := range 10 {
		w.now += schema.Second
		var err error
		if n%2 == 0 {
			_, err = w.xdr.Comment(ctx, id, "again", ann)
		} else {
			_, err = w.work.AddComment(ctx, w.ws, name, "", "again", bob)
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			must2(first.Next(ctx, w.now))
			must2(w.sync.Next(ctx, w.now))
		}
	}
	if x, y := len(must(w.xdr.Comments(ctx, id))), len(must(w.work.Comments(ctx, w.ws, name))); x != 12 || y != 12 {
		t.Errorf("of 12 comments %d are on the XDR, %d in the workspace", x, y)
	}
	w.agree([]string{id})
	for _, d := range must(w.sync.Journal(ctx, w.ws, id)) {
		if d.SawXDR.Version == 0 || d.Number > 1 && d.SawWork.Version == 0 {
			t.Errorf("decision %d doesn't say which versions it saw", d.Number)
		}
	}
}
