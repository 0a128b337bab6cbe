package xdr_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/state/memory"
	"lockstep/state/sqlite"
	"lockstep/xdr"
)

// model does anything to a side and knows what must be there after.
type model struct {
	*side
	alerts map[string]bool
	writes map[string]port.Applied
	n      int
	steps  int
}

func (m *model) whole(t *rapid.T) {
	if err := m.check(len(m.alerts)); err != nil {
		t.Fatal(err)
	}
}

func (m *model) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"ingest": m.ingest, "update": m.update, "merge": m.merge, "unmerge": m.unmerge, "write": m.write, "alert": m.updateAlert,
		"restart": func(*rapid.T) { m.open() },
		"": func(t *rapid.T) {
			if m.steps++; m.steps%5 == 0 { // what breaks stays broken
				m.whole(t)
			}
		},
	}
}

func (m *model) ingest(t *rapid.T) {
	things := []string{"host/a", "host/b", "host/c", "host/d", "user/a", "user/b", "user/c", "ip/8.8.4.4", "url/https://x.example/1", "hash/1"}
	var batch []security.Alert
	for range rapid.IntRange(1, 4).Draw(t, "alerts") {
		id := numbered("da", rapid.IntRange(1, 30).Draw(t, "id"))
		a := alert(id, rapid.IntRange(0, 5000).Draw(t, "minute"), rapid.SliceOfNDistinct(rapid.SampledFrom(things), 1, 4, rapid.ID).Draw(t, "things")...)
		a.Severity = rapid.SampledFrom([]security.Severity{security.Low, security.Medium, security.High}).Draw(t, "severity")
		a.Updated += schema.Ticks(rapid.IntRange(0, 3).Draw(t, "edition")) * schema.Hour
		batch = append(batch, a)
		m.alerts[id] = true
	}
	m.now += schema.Minute
	for _, o := range m.take(batch...) {
		if o.Incident == "" {
			t.Fatalf("alert %s is nowhere", o.AlertID)
		}
	}
}

func (m *model) id(t *rapid.T) string { return strconv.Itoa(rapid.IntRange(1, 12).Draw(t, "incident")) }

func (m *model) patch(t *rapid.T) (p xdr.Patch) {
	if rapid.Bool().Draw(t, "status?") {
		p.Status = ptr(rapid.SampledFrom([]xdr.Status{xdr.Active, xdr.InProgress, xdr.Resolved, xdr.Redirected}).Draw(t, "status"))
	}
	if rapid.Bool().Draw(t, "owner?") {
		p.AssignedTo = ptr(rapid.SampledFrom([]string{"Ana", "Ben", "", "x"}).Draw(t, "owner"))
	}
	if rapid.Bool().Draw(t, "class?") {
		p.Classification = ptr(rapid.SampledFrom([]string{"truePositive", "falsePositive", "unknown"}).Draw(t, "class"))
		p.Determination = ptr(rapid.SampledFrom([]string{"malware", "other", "unknown"}).Draw(t, "determination"))
	}
	if rapid.Bool().Draw(t, "more?") {
		p.AddTags = []string{rapid.SampledFrom([]string{"a", "A", "b"}).Draw(t, "tag")}
		p.AddComments = []security.Comment{{Text: "hello"}}
	}
	return p
}

// expected are the errors that a user may get without anything being wrong here.
func expected(t *rapid.T, err error) {
	var e *fault.Error
	if err != nil && (!errors.As(err, &e) || e.Kind == fault.Internal) {
		t.Fatal(err)
	}
}

func (m *model) update(t *rapid.T) {
	m.now += schema.Minute
	id := m.id(t)
	before, missing := m.Incident(ctx, id)
	after, err := m.Update(ctx, id, m.patch(t), ana, 0)
	expected(t, err)
	if err == nil && missing == nil && after.Version > before.Version+1 {
		t.Fatalf("one update made versions %d to %d", before.Version, after.Version)
	}
}

func (m *model) merge(t *rapid.T) {
	var ids []string
	for range rapid.IntRange(2, 3).Draw(t, "n") {
		ids = append(ids, m.id(t))
	}
	_, err := m.Merge(ctx, ids, "", ben)
	expected(t, err)
}

func (m *model) unmerge(t *rapid.T) {
	m.now += schema.Minute
	_, err := m.Unmerge(ctx, m.id(t), "", ben)
	expected(t, err)
}

// write sends a new write, or one that was sent before.
func (m *model) write(t *rapid.T) {
	id := numbered("w", rapid.IntRange(1, m.n+1).Draw(t, "write"))
	m.n++
	status := rapid.SampledFrom([]string{"active", "resolved"}).Draw(t, "status")
	applied, err := m.End().Apply(ctx, port.Write{ID: id, Incident: m.id(t), Actor: ben, Resolution: &port.Resolution{Status: status}, AddTags: []string{id}})
	expected(t, err)
	before, was := m.writes[id]
	if was && (err == nil) && applied != before {
		t.Fatalf("write %s was applied as %+v and then as %+v", id, before, applied)
	}
	if err == nil {
		m.writes[id] = applied
	}
	got, ok, err := m.End().Applied(ctx, id)
	if want, done := m.writes[id]; err != nil || ok != done || got != want {
		t.Fatalf("Applied(%s) gives %+v, %v, %v; want %+v", id, got, ok, err, want)
	}
}

func (m *model) updateAlert(t *rapid.T) {
	status := rapid.SampledFrom([]security.AlertStatus{security.AlertNew, security.AlertResolved}).Draw(t, "status")
	_, err := m.UpdateAlert(ctx, numbered("da", rapid.IntRange(1, 30).Draw(t, "id")), xdr.AlertPatch{Status: &status}, ana)
	expected(t, err)
}

func TestAnySequenceKeepsTheSideWhole(t *testing.T) {
	sequences(t, 50, func(int) *memory.Store { return memory.New() }, func(*memory.Store) {})
}

func TestAnySequenceKeepsTheSideWholeOnDisk(t *testing.T) {
	dir := t.TempDir()
	sequences(t, 5, func(n int) *sqlite.Store { return must(sqlite.Open(filepath.Join(dir, numbered("state", n)))) }, func(s *sqlite.Store) { s.Close() })
}

// sequences checks so many sequences, with LOCKSTEP_LONG as many as rapid does.
func sequences[S state.Store](t *testing.T, most int, open func(n int) S, end func(S)) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > most && os.Getenv("LOCKSTEP_LONG") == "" {
			return
		}
		store := open(n)
		defer end(store)
		run(t, rt, store)
	})
}

func run(t *testing.T, rt *rapid.T, store state.Store) {
	m := &model{side: newSideOn(t, store), alerts: map[string]bool{}, writes: map[string]port.Applied{}}
	rt.Repeat(m.actions())
	m.whole(rt)
}
