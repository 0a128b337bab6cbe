package connector_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lockstep/connector/port"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// history is one run of the simulation: people and automation edit both sides
// while lines break and the connector's process ends, then all heals, and what
// must hold is checked.
type history struct {
	*world
	r         *rand.Rand
	hosts     []string
	edits     int
	written   int64             // feed entries that people, automation and products made
	owners    map[string]heads  // of each incident
	said      map[string]string // text of each comment → incident on which it was made
	stats     map[string]int
	connected bool
	forgiving bool // edits may be overruled: an end can't do what it takes

	atXDR, atWork, alertEntries int64 // how far the feeds were counted
	violation                   string
}

// heads are the owners that may come out: edits that no later edit has seen,
// by what they set, with how many set the same.
type heads map[string]int

func newHistory(t testing.TB, seed uint64, fault func(*history)) *history {
	h := &history{world: newWorld(t), r: rand.New(rand.NewPCG(seed, 7)), owners: map[string]heads{}, said: map[string]string{}, stats: map[string]int{}}
	h.x.own, h.w.own = h.own, h.own
	h.x.stats, h.w.stats = h.stats, h.stats
	if fault != nil {
		fault(h)
	}
	h.user(func() { h.ingest(security.Low, "h0") })
	h.breaks()
	h.turn()
	return h
}

func (h *history) breaks() {
	h.own.rand, h.x.rand, h.w.rand = h.r, h.r, h.r
	meddle := func(port.Write) {
		if h.r.IntN(8) == 0 { // somebody is faster than the write
			h.stats["edits before a write"]++
			h.edit()
		}
	}
	h.x.before, h.w.before = meddle, meddle
	h.x.after, h.w.after = h.revertXDR, h.revertWorkspace
}

// revertXDR has somebody take the owner back that a write just set.
func (h *history) revertXDR(w port.Write) {
	if w.Owner == nil || h.r.IntN(3) == 0 {
		return
	}
	h.user(func() {
		if err := h.patch(w.Incident, xdr.Patch{AssignedTo: ptr("")}, ann); err == nil {
			h.stats["reverts"]++
			h.owned(w.Incident, w.Owner.Text(), "")
		}
	})
}

func (h *history) revertWorkspace(w port.Write) {
	if w.Owner == nil || h.r.IntN(3) == 0 {
		return
	}
	id := must(h.work.Incident(ctx, h.ws, w.Incident)).ProviderIncidentID
	h.user(func() {
		if err := h.put(id, ann, func(p *workspace.Put) { p.Owner = &security.Owner{} }); err == nil {
			h.stats["reverts"]++
			h.owned(id, w.Owner.Text(), "")
		}
	})
}

func (h *history) heal() {
	h.own.rand, h.x.rand, h.w.rand = nil, nil, nil
	h.x.before, h.w.before, h.x.after, h.w.after = nil, nil, nil, nil
}

func (h *history) run(epochs, steps int) string {
	for range epochs {
		h.breaks()
		for range steps {
			h.now += schema.Ticks(h.r.IntN(int(20 * schema.Second)))
			h.step()
		}
		h.heal()
		if !h.connected {
			h.turn()
		}
		if h.own.dead {
			h.boot()
		}
		h.quiet()
		h.check()
		if h.violation != "" {
			return h.violation
		}
	}
	return ""
}

func (h *history) step() {
	switch n := h.r.IntN(20); {
	case n < 8:
		h.next()
	case n < 9:
		h.turn()
	case n < 10:
		h.stats["crash"]++
		h.boot()
	default:
		h.edit()
	}
}

// turn connects or disconnects.
func (h *history) turn() {
	for range 100 { // the process may end in between
		var err error
		if h.connected {
			_, err = h.sync.Disconnect(ctx, h.ws, ann)
		} else {
			_, err = h.sync.Connect(ctx, h.ws, settings, ann)
		}
		if err == nil {
			h.connected = !h.connected
			h.stats["connections"]++
			return
		}
		h.boot()
	}
	h.t.Fatal("can't connect")
}

func (h *history) next() {
	for range 1 + h.r.IntN(4) {
		_, wake, err := h.sync.Next(ctx, h.now)
		if err != nil && !errors.Is(err, errCrash) {
			h.t.Fatal(err)
		}
		if err != nil || h.own.dead {
			h.stats["crash"]++
			h.boot()
			return
		}
		if wake > h.now && h.r.IntN(3) == 0 {
			h.now = min(wake, h.now+schema.Minute)
		}
	}
}

// user runs a deed of somebody and counts the feed entries that it made.
func (h *history) user(deed func()) {
	before := h.entries()
	deed()
	h.written += h.entries() - before
	h.edits++
}

// entries counts the entries of both feeds, going on from the last count.
func (h *history) entries() int64 {
	for _, e := range must(h.xdr.Feed(ctx, h.atXDR, 1<<20)) {
		h.atXDR = e.Seq
		if e.Record.Kind == xdr.KindAlert {
			h.alertEntries++
		}
	}
	for _, e := range must(h.work.Feed(ctx, h.atWork, 1<<20)) {
		h.atWork = e.Seq
	}
	return h.atXDR + h.atWork
}

func (h *history) pick() string {
	page := must(h.xdr.Incidents(ctx, xdr.Selection[xdr.Incident]{Limit: 100}))
	return page.Items[h.r.IntN(len(page.Items))].ID
}

// edit is one deed of somebody on one side.
func (h *history) edit() {
	by := []security.Actor{ann, bob, bot, {}}[h.r.IntN(4)]
	id := h.pick()
	h.user(func() {
		switch n := h.r.IntN(12); {
		case n < 2:
			h.ingest([]security.Severity{security.Low, security.Medium, security.High}[h.r.IntN(3)], fmt.Sprint("h", h.r.IntN(5)))
		case n < 3:
			if other := h.pick(); other != id {
				if _, err := h.xdr.Merge(ctx, []string{id, other}, "", by); err == nil {
					h.stats["merges"]++
				}
			}
		case n < 7:
			h.editXDR(id, by)
		default:
			h.editWorkspace(id, by)
		}
	})
}

func (h *history) editXDR(id string, by security.Actor) {
	was := must(h.xdr.Incident(ctx, id)).Owner.Text()
	var p xdr.Patch
	owner := ""
	switch h.r.IntN(8) {
	case 0, 6, 7:
		owner = h.newOwner()
		p.AssignedTo = &owner
	case 1:
		p.Status = ptr([]xdr.Status{xdr.Active, xdr.InProgress, xdr.AwaitingAction}[h.r.IntN(3)])
	case 2:
		p.Status, p.Classification = ptr(xdr.Resolved), ptr([]string{"truePositive", "falsePositive", "informationalExpectedActivity", "unknown"}[h.r.IntN(4)])
		p.ResolvingComment = ptr(fmt.Sprint("because ", h.edits))
	case 3:
		p.AddTags, p.RemoveTags = []string{h.tag()}, []string{h.tag()}
	case 4:
		text := fmt.Sprint("comment ", h.edits)
		p.AddComments = []security.Comment{{Text: text, Author: by}}
	case 5:
		p.Severity = ptr([]security.Severity{security.Low, security.Medium, security.High}[h.r.IntN(3)])
	}
	if err := h.patch(id, p, by); err != nil {
		return
	}
	if p.AssignedTo != nil {
		h.owned(id, was, owner)
	}
	for _, c := range p.AddComments {
		h.said[c.Text] = id
	}
}

func (h *history) editWorkspace(id string, by security.Actor) {
	i, err := h.work.ByProvider(ctx, h.ws, id)
	if err != nil {
		return
	}
	kind := h.r.IntN(8) % 6 // owners and states twice as often
	if kind == 4 {
		text := fmt.Sprint("remark ", h.edits)
		if _, err := h.work.AddComment(ctx, h.ws, i.Name, "", text, by); err == nil {
			h.said[text] = id
		}
		return
	}
	owner := ""
	err = h.put(id, by, func(p *workspace.Put) {
		switch kind {
		case 0:
			owner = h.newOwner()
			p.Owner = &security.Owner{AssignedTo: owner}
		case 1:
			p.Status = []workspace.Status{workspace.StatusNew, workspace.StatusActive}[h.r.IntN(2)]
		case 2:
			reasons := [][2]string{{"Undetermined", ""}, {"TruePositive", "SuspiciousActivity"}, {"BenignPositive", "SuspiciousButExpected"}, {"FalsePositive", "IncorrectAlertLogic"}, {"FalsePositive", "InaccurateData"}}
			reason := reasons[h.r.IntN(len(reasons))]
			p.Status, p.Classification, p.ClassificationReason, p.ClassificationComment = workspace.StatusClosed, reason[0], reason[1], fmt.Sprint("since ", h.edits)
		case 3:
			labels := append(*p.Labels, h.tag())
			gone := h.tag()
			labels = slices.DeleteFunc(labels, func(l string) bool { return strings.EqualFold(l, gone) })
			p.Labels = &labels
		case 5:
			p.Severity = []security.Severity{security.Low, security.Medium, security.High}[h.r.IntN(3)]
		}
	})
	if err == nil && kind == 0 {
		h.owned(id, i.Owner.Text(), owner)
	}
}

func (h *history) tag() string { return []string{"a", "B", "c"}[h.r.IntN(3)] }

// newOwner is mostly somebody new, sometimes nobody, as when an edit is taken back.
func (h *history) newOwner() string {
	if h.r.IntN(3) == 0 {
		return ""
	}
	return "u" + strconv.Itoa(h.edits)
}

// owned notes an edit of an owner by somebody who saw another one before.
func (h *history) owned(id, saw, set string) {
	if saw == set {
		return
	}
	if h.owners[id] == nil {
		h.owners[id] = heads{}
	}
	if h.owners[id][saw] == 1 { // of several nobody knows which one was seen
		delete(h.owners[id], saw)
	}
	h.owners[id][set]++
}

func (h *history) fail(format string, args ...any) {
	if h.violation == "" {
		h.violation = fmt.Sprintf(format, args...)
	}
}

// check looks whether both sides agree and nothing that was acknowledged is lost.
func (h *history) check() {
	all := must(h.xdr.Incidents(ctx, xdr.Selection[xdr.Incident]{Limit: 1000})).Items
	inXDR, inWorkspace := map[string]int{}, map[string]int{}
	for _, i := range all {
		if d := h.differences(i.ID); d != "" {
			h.fail("incident %s: %s", i.ID, d)
			return
		}
		p := h.parallel(i.ID)
		if i.Status == xdr.Redirected && p.MergedNumber != h.parallel(i.RedirectID).Number {
			h.fail("incident %s was merged into %s, its parallel one into number %d", i.ID, i.RedirectID, p.MergedNumber)
		}
		if may := h.owners[i.ID]; !h.forgiving && len(may) > 0 && i.Status != xdr.Redirected && len(i.MergedIDs) == 0 && may[i.Owner.Text()] == 0 {
			h.fail("incident %s has owner %q, but the last edits were %v", i.ID, i.Owner.Text(), may)
		}
		for _, c := range must(h.xdr.Comments(ctx, i.ID)) {
			inXDR[i.ID+c.Text]++
		}
		for _, c := range must(h.work.Comments(ctx, h.ws, p.Name)) {
			inWorkspace[i.ID+c.Text]++
		}
	}
	for text, id := range h.said {
		live := must(h.xdr.Resolve(ctx, id))
		if inXDR[live+text] != 1 || inWorkspace[live+text] != 1 {
			h.fail("comment %q of incident %s is %d times on incident %s of the XDR, %d times in the workspace", text, id, inXDR[live+text], live, inWorkspace[live+text])
		}
	}
	if page := must(h.work.Incidents(ctx, h.ws, workspace.Selection{Limit: 1000})); len(page.Items) != len(all) {
		h.fail("%d incidents in the workspace, %d on the XDR", len(page.Items), len(all))
	}
	// No echo: a write answers an entry that somebody made, or an alert that
	// changed because its incident was closed or assigned by a write.
	h.entries()
	if writes := int64(len(h.x.made) + len(h.w.made)); !h.forgiving && writes > h.written+h.alertEntries {
		h.fail("%d writes for %d changes and %d of alerts", writes, h.written, h.alertEntries)
	}
	h.owners = map[string]heads{}
}

// seeds gives a seed for each history to run: LOCKSTEP_HISTORIES of them from
// 0 on, or with LOCKSTEP_LONG fresh ones for as long as that says, else 40.
func seeds(t *testing.T) iter.Seq[uint64] {
	if d, err := time.ParseDuration(os.Getenv("LOCKSTEP_LONG")); err == nil {
		first, until := uint64(time.Now().UnixNano()), time.Now().Add(d)
		t.Logf("first seed %d", first)
		return func(yield func(uint64) bool) {
			for seed := first; time.Now().Before(until) && yield(seed); seed++ {
			}
		}
	}
	n := uint64(40)
	if text := os.Getenv("LOCKSTEP_HISTORIES"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 32); err != nil {
			t.Fatalf("LOCKSTEP_HISTORIES: %v", err)
		}
	}
	return func(yield func(uint64) bool) {
		for seed := range n {
			if !yield(seed) {
				return
			}
		}
	}
}

func TestBothSidesAgreeAfterWhateverHappened(t *testing.T) {
	total := map[string]int{}
	edits, ran := 0, 0
	for seed := range seeds(t) {
		ran++
		h := newHistory(t, seed, nil)
		if v := h.run(2, 30); v != "" {
			t.Fatalf("seed %d: %s", seed, v)
		}
		edits += h.edits
		for what, n := range h.stats {
			total[what] += n
		}
	}
	t.Logf("did %d histories, %d edits, %v", ran, edits, total)
	// Each fault must have happened often enough to mean something.
	for _, what := range []string{"crash", "crash before write", "crash after write", "answer lost", "write lost", "hints lost", "merges", "edits before a write", "connections", "reverts"} {
		if total[what] < 5 {
			t.Errorf("only %d times: %s", total[what], what)
		}
	}
}

// TestEndsThatCanDoLessComeToAgreementToo runs with ends that lack what remote
// ones lack. Then an edit that was taken back while an answer was lost may be
// overruled, and one that is faster than a write; but both sides agree, and no
// comment is lost.
func TestEndsThatCanDoLessComeToAgreementToo(t *testing.T) {
	lacks := []string{"conditional writes", "field times", "write ids"}
	for n := range 1 << len(lacks) {
		var cannot []string
		for bit, what := range lacks {
			if n&(1<<bit) != 0 {
				cannot = append(cannot, what)
			}
		}
		for seed := range uint64(2) {
			h := newHistory(t, seed, func(h *history) {
				h.forgiving = true
				if seed%2 == 0 {
					h.x.cannot = cannot
				} else {
					h.w.cannot = cannot
				}
			})
			if v := h.run(2, 30); v != "" {
				t.Errorf("without %v, seed %d: %s", cannot, seed, v)
			}
		}
	}
}

func TestTheSimulationIsTheSameFromTheSameSeed(t *testing.T) {
	one, two := newHistory(t, 3, nil), newHistory(t, 3, nil)
	if one.run(2, 40) != two.run(2, 40) || one.edits != two.edits || one.entries() != two.entries() || fmt.Sprint(one.stats) != fmt.Sprint(two.stats) {
		t.Errorf("%d edits, %v; then %d, %v", one.edits, one.stats, two.edits, two.stats)
	}
}

// TestTheSimulationCanFail breaks what the protocol rests on.
func TestTheSimulationCanFail(t *testing.T) {
	for name, fault := range map[string]func(*history){
		"sides forget which writes they made": func(h *history) { h.x.forgets, h.w.forgets = true, true },
		"incidents are missing from the list": func(h *history) { h.x.deaf = true },
	} {
		caught := false
		for seed := uint64(0); seed < 400 && !caught; seed++ {
			violation := newHistory(t, seed, fault).run(2, 30)
			if caught = violation != ""; caught {
				t.Logf("%s: after %d histories: %s", name, seed+1, violation)
			}
		}
		if !caught {
			t.Errorf("not noticed: %s", name)
		}
	}
}

// Applied is what an end says that forgets.
func (f *flaky) Applied(ctx context.Context, id string) (port.Applied, bool, error) {
	if f.forgets {
		return port.Applied{}, false, nil
	}
	if f.goes("question lost", 20) {
		return port.Applied{}, false, errLine
	}
	return f.End.Applied(ctx, id)
}
