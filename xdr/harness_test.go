package xdr_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/state/memory"
	"lockstep/xdr"
)

var ctx = context.Background()

// epoch is when the tests' clock begins.
var epoch = must(schema.ParseTicks("2026-01-05T10:00:00Z"))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ptr[T any](v T) *T { return &v }

var (
	ana  = security.Actor{Kind: security.Person, Name: "ana@lab.example"}
	ben  = security.Actor{Kind: security.Person, Name: "ben@lab.example"}
	sync = security.Actor{Kind: security.System, Name: "connector"}
)

// people is a directory of two.
type people struct{}

func (people) Resolve(text string) (security.Owner, bool) {
	for _, o := range []security.Owner{
		{ObjectID: "0a", UPN: "ana@lab.example", AssignedTo: "Ana", Type: "User"},
		{ObjectID: "0b", UPN: "ben@lab.example", AssignedTo: "Ben", Type: "User"},
	} {
		if text == o.UPN || text == o.AssignedTo || text == o.ObjectID {
			return o, true
		}
	}
	return security.Owner{}, false
}

// side is a service on a clock that the test moves.
type side struct {
	*xdr.Service
	t     testing.TB
	now   schema.Ticks
	store state.Store
	woken int
}

func newSide(t testing.TB) *side { return newSideOn(t, memory.New()) }

func newSideOn(t testing.TB, store state.Store) *side {
	s := &side{t: t, now: epoch, store: store}
	s.open()
	return s
}

// open starts the service over the store, as a restart does.
func (s *side) open() {
	service, err := xdr.New(xdr.Options{
		Store: s.store, Now: func() schema.Ticks { return s.now }, Directory: people{},
		PortalURL: "https://localhost:8443", TenantID: "t1", Changed: func() { s.woken++ },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Service = service
}

// take ingests alerts, none of which may be refused.
func (s *side) take(alerts ...security.Alert) []xdr.Outcome {
	s.t.Helper()
	out, err := s.Ingest(ctx, alerts)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range out {
		if o.Result == xdr.Refused {
			s.t.Fatalf("alert %s refused: %s", o.AlertID, o.Reason)
		}
	}
	return out
}

// one ingests one alert and gives the incident that holds it.
func (s *side) one(a security.Alert) string { s.t.Helper(); return s.take(a)[0].Incident }

func (s *side) incident(id string) xdr.Incident {
	s.t.Helper()
	inc, err := s.Incident(ctx, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return inc
}

func (s *side) update(id string, p xdr.Patch, by security.Actor) xdr.Incident {
	s.t.Helper()
	inc, err := s.Update(ctx, id, p, by, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	return inc
}

func (s *side) feed() []xdr.Change {
	s.t.Helper()
	entries, err := s.Feed(ctx, 0, 1_000_000)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []xdr.Change
	for i, e := range entries {
		if e.Seq != int64(i+1) {
			s.t.Fatalf("feed: entry %d has number %d", i+1, e.Seq)
		}
		out = append(out, e.Record)
	}
	return out
}

// deeds are the deeds of an incident's activity log that a version made.
func (s *side) deeds(id string, version int64) (deeds []string) {
	s.t.Helper()
	list, err := s.Activities(ctx, id)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, a := range list {
		if a.Version == version {
			deeds = append(deeds, a.Deed)
		}
	}
	return deeds
}

// alert makes an alert about things, each "host/x", "user/x", "ip/x", "url/x",
// "mail/x" or "hash/x", some minutes after the epoch.
func alert(id string, minute int, things ...string) security.Alert {
	at := epoch + schema.Ticks(minute)*schema.Minute
	a := security.Alert{
		ID: id, Title: "Detection " + id, ServiceSource: "microsoftDefenderForEndpoint", Severity: security.Medium, Category: "Execution",
		Created: at, Updated: at, FirstActivity: at, LastActivity: at, AlertType: "type-" + id,
	}
	for _, t := range things {
		a.Evidence = append(a.Evidence, security.Evidence{Entity: entity(t), Verdict: "suspicious"})
	}
	return a
}

func entity(text string) security.Entity {
	kind, name, _ := cut(text)
	switch kind {
	case "host":
		return security.Entity{Kind: security.Host}.With("hostName", name).With("dnsDomain", "lab.example")
	case "user":
		return security.Entity{Kind: security.Account}.With("accountName", name).With("upnSuffix", "lab.example")
	case "ip":
		return security.Entity{Kind: security.IP}.With("address", name)
	case "url":
		return security.Entity{Kind: security.URL}.With("url", name)
	case "mail":
		return security.Entity{Kind: security.MailMessage}.With("networkMessageId", name)
	case "box":
		return security.Entity{Kind: security.Mailbox}.With("mailboxPrimaryAddress", name)
	case "hash":
		return security.Entity{Kind: security.FileHash}.With("algorithm", "SHA256").With("hashValue", name)
	}
	panic("no entity " + text)
}

func cut(text string) (kind, name string, ok bool) {
	for i := range text {
		if text[i] == '/' {
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// check checks what always holds of a side, whatever was done to it.
func (s *side) check(alerts int) error {
	page, err := s.Incidents(ctx, xdr.Selection[xdr.Incident]{Limit: 1 << 20, Count: true})
	if err != nil {
		return err
	}
	incidents := map[string]xdr.Incident{}
	in := map[string]string{}
	for _, inc := range page.Items {
		incidents[inc.ID] = inc
		list, err := s.AlertsOf(ctx, inc.ID)
		if err != nil {
			return err
		}
		var ids []string
		for _, a := range list {
			if other, twice := in[a.ID]; twice || a.IncidentID != inc.ID {
				return fmt.Errorf("alert %s is in incident %s, names %s, and is in %q too", a.ID, inc.ID, a.IncidentID, other)
			}
			in[a.ID] = inc.ID
			ids = append(ids, a.ID)
		}
		if a, b := sorted(ids), sorted(inc.AlertIDs); !slices.Equal(a, b) {
			return fmt.Errorf("incident %s names alerts %v, its alerts are %v", inc.ID, b, a)
		}
		things, err := s.Entities(ctx, inc.ID)
		if err != nil {
			return err
		}
		if len(things) != inc.EntityCount {
			return fmt.Errorf("incident %s counts %d entities and has %d", inc.ID, inc.EntityCount, len(things))
		}
	}
	if len(in) != alerts {
		return fmt.Errorf("%d alerts of %d are in an incident", len(in), alerts)
	}
	for _, inc := range incidents {
		if (inc.Status == xdr.Redirected) != (inc.RedirectID != "") {
			return fmt.Errorf("incident %s is %s and redirects to %q", inc.ID, inc.Status, inc.RedirectID)
		}
		if inc.Status != xdr.Redirected {
			continue
		}
		target := incidents[inc.RedirectID]
		if len(inc.AlertIDs) > 0 || target.ID == "" || target.Status == xdr.Redirected || !slices.Contains(target.MergedIDs, inc.ID) {
			return fmt.Errorf("incident %s redirects to %+v", inc.ID, target)
		}
	}
	return s.checkFeed(incidents)
}

// checkFeed checks that the feed tells every version of everything, once and in order.
func (s *side) checkFeed(incidents map[string]xdr.Incident) error {
	at := map[string]int64{}
	for i, c := range s.feed() {
		key := c.Kind + c.ID
		if c.Version != at[key]+1 {
			return fmt.Errorf("feed entry %d: %s %s goes from version %d to %d", i+1, c.Kind, c.ID, at[key], c.Version)
		}
		at[key] = c.Version
	}
	for id, inc := range incidents {
		if at["incident"+id] != inc.Version {
			return fmt.Errorf("incident %s is at version %d, the feed ends with %d", id, inc.Version, at["incident"+id])
		}
	}
	return nil
}

func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}

func kindOf(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("error %v is %q, want %q", err, fault.KindOf(err), kind)
	}
}

func numbered(prefix string, n int) string { return prefix + strconv.Itoa(n) }

var _ port.End = (*xdr.Service)(nil).End()
