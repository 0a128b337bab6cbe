package connector_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/workspace"
	"lockstep/xdr"
)

// The classes of failure that lie in alerts: sent again, late, missing, or too many.

// TestT16NothingComesBackFromThePast: an alert that is sent again months
// later, and a creation that comes late, change what is there and make nothing.
func TestT16NothingComesBackFromThePast(t *testing.T) {
	w := newWorld(t)
	w.connect()
	old := w.alert("old", security.Low, "h1")
	id := w.send(old)
	w.settle()
	first := must(w.xdr.End().Incident(ctx, id))
	w.assign(id, "ann")
	if err := w.patch(id, xdr.Patch{Status: ptr(xdr.Resolved), Classification: ptr("truePositive")}, ann); err != nil {
		t.Fatal(err)
	}
	w.settle()
	before := w.parallel(id)
	w.now += 90 * schema.Day
	if _, _, err := w.xdr.Next(ctx, w.now); err != nil { // what is old is forgotten
		t.Fatal(err)
	}
	again := func(what string, incident string) {
		t.Helper()
		w.quiet()
		i := w.parallel(id)
		if incident != id || i.Status != workspace.StatusClosed || i.Owner.Text() != "ann" || i.Number != before.Number || i.Created != before.Created {
			t.Errorf("%s came to incident %s: %+v", what, incident, i)
		}
		if n := must(w.work.Incidents(ctx, w.ws, workspace.Selection{Count: true})).Total; n != 1 {
			t.Errorf("%s: %d incidents", what, n)
		}
	}
	again("the same alert", w.send(old))
	renewed := old
	renewed.Updated, renewed.Severity, renewed.Title = w.now, security.High, "Detection, renewed"
	again("a new version of the alert", w.send(renewed))
	w.own = &mortal{Store: memory.New()} // a connector that remembers nothing
	w.boot()
	w.connect()
	again("everything once more", id)
	late := port.Write{ID: "late", Incident: before.Name, Create: true, Partner: id, At: w.now, Content: &first.Content}
	must(w.work.End(w.ws).Apply(ctx, late))
	again("a late creation", id)
}

// TestT17NoIncidentStaysEmpty: an alert about nothing has an incident of its
// own, and alerts follow as soon as their switch is turned on.
func TestT17NoIncidentStaysEmpty(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.settle()
	lone := w.ingest(security.Low)
	w.settle()
	w.agree([]string{lone})
	if i := w.parallel(lone); i.AlertTotal != 1 {
		t.Errorf("the incident of an alert about nothing has %d alerts", i.AlertTotal)
	}
	must(w.sync.Connect(ctx, w.ws, connector.Settings{Incidents: true}, ann))
	w.settle()
	id := w.ingest(security.Low, "h1")
	w.settle()
	if i := w.parallel(id); i.AlertTotal != 0 {
		t.Errorf("%d alerts crossed, though they are switched off", i.AlertTotal)
	}
	st := must(w.sync.Status(ctx, w.ws))
	if n := slices.IndexFunc(st.Types, func(d connector.DataType) bool { return d.Name == "SecurityAlert" }); st.Types[n].On {
		t.Error("it doesn't show that alerts are switched off")
	}
	must(w.sync.Connect(ctx, w.ws, settings, ann))
	w.settle()
	w.agree([]string{lone, id})
	if i := w.parallel(id); i.AlertTotal != 1 || i.EntityCount != 1 {
		t.Errorf("once switched on: %d alerts, %d entities", i.AlertTotal, i.EntityCount)
	}
}

// TestT19TenThousandAlerts: the workspace's view is capped and says so; nothing
// else is. Without LOCKSTEP_LONG there are two thousand.
func TestT19TenThousandAlerts(t *testing.T) {
	many := 2000
	if os.Getenv("LOCKSTEP_LONG") != "" {
		many = 10_000
	}
	w := newWorld(t)
	var list []security.Alert
	for n := range many {
		a := w.alert(fmt.Sprint("a", n), security.Low, "h1")
		a.AlertType = "type1"
		if n%100 == 99 {
			a.Evidence = append(a.Evidence, security.Evidence{Entity: security.Entity{Kind: security.File}.With("name", fmt.Sprint("f", n)), Verdict: "suspicious"})
		}
		list = append(list, a)
	}
	held := map[string]int{}
	for _, out := range must(w.xdr.Ingest(ctx, list)) {
		held[out.Incident]++
	}
	w.connect()
	w.settle()
	total, capped, files := 0, 0, 0
	for id, n := range held {
		i := w.parallel(id)
		total += i.AlertTotal
		if i.AlertTotal != n || len(must(w.xdr.AlertsOf(ctx, id))) != n || len(i.AlertIDs) != min(n, workspace.MaxAlerts) {
			t.Errorf("incident %s has %d alerts, its parallel one %d and links %d", id, n, i.AlertTotal, len(i.AlertIDs))
		}
		files += len(must(w.work.Entities(ctx, w.ws, i.Name))) - 1
		if n > workspace.MaxAlerts {
			capped++
		}
	}
	if total != many || capped == 0 || files != many/100 {
		t.Errorf("%d alerts of %d in %d incidents, %d of them over the cap, about %d files", total, many, len(held), capped, files)
	}
	for _, a := range []security.Alert{list[0], list[workspace.MaxAlerts], list[many-1]} { // also those beyond the cap
		if _, err := w.work.Alert(ctx, w.ws, security.SystemID(a.ID)); err != nil {
			t.Error(err)
		}
	}
}

// TestT20SkewAndLateArrival: clocks differ by a quarter of an hour, alerts
// arrive up to two hours late, in any order, and twice. Each is there once,
// with the time of its own, and no time that crosses is later than its receipt.
func TestT20SkewAndLateArrival(t *testing.T) {
	for _, skew := range []schema.Ticks{-15 * schema.Minute, 15 * schema.Minute} {
		w := newWorld(t)
		w.skew = map[string]schema.Ticks{"xdr": skew, "workspace": -skew}
		w.connect()
		w.settle()
		r := rand.New(rand.NewPCG(20, uint64(skew)))
		check := func(write port.Write) {
			for f, st := range write.Stamps {
				if st.At > w.now {
					t.Errorf("%s bears the time %s, later than its receipt at %s", f, st.At, w.now)
				}
			}
		}
		w.w.before, w.x.before = check, check
		var list []security.Alert
		for n := range 50 {
			a := w.alert(fmt.Sprint("a", n), security.Low, fmt.Sprint("h", n%7))
			event := w.now - schema.Ticks(r.Int64N(int64(2*schema.Hour))) + schema.Ticks(r.Int64N(int64(30*schema.Minute))) - 15*schema.Minute
			a.Created, a.Updated, a.FirstActivity, a.LastActivity = event, event, event, event
			list = append(list, a)
		}
		arrivals := append(slices.Clone(list), list...)
		r.Shuffle(len(arrivals), func(a, b int) { arrivals[a], arrivals[b] = arrivals[b], arrivals[a] })
		ids := map[string]bool{}
		for n, a := range arrivals {
			w.now += schema.Ticks(r.Int64N(int64(schema.Minute)))
			ids[w.send(a)] = true
			id := fmt.Sprint(1 + n%len(ids))
			switch n % 3 {
			case 0:
				_ = w.patch(id, xdr.Patch{AssignedTo: ptr(fmt.Sprint("u", n))}, ann) // it may have been merged
			case 1:
				if err := w.put(id, bob, func(p *workspace.Put) { p.Owner = &security.Owner{AssignedTo: fmt.Sprint("w", n)} }); err != nil && !fault.Is(err, fault.NotFound) {
					t.Fatal(err)
				}
			default:
				w.settle()
			}
		}
		w.quiet()
		times := map[string]schema.Ticks{}
		for id := range ids {
			w.agree([]string{id})
			for _, a := range must(w.work.Alerts(ctx, w.ws, w.parallel(id).Name)) {
				if _, twice := times[a.ID]; twice {
					t.Errorf("alert %s is there twice", a.ID)
				}
				times[a.ID] = a.FirstActivity
			}
		}
		for _, a := range list {
			if times[a.ID] != a.FirstActivity {
				t.Errorf("alert %s of %s is there as of %s", a.ID, a.FirstActivity, times[a.ID])
			}
		}
	}
}
