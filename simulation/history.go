package simulation

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/workspace"
)

// Plan says which history to run. Each step draws from numbers of its own, so
// that leaving one out changes the others as little as can be.
type Plan struct {
	Seed   uint64
	Number uint64          // of the history within the seed
	Steps  []int           // numbers of the steps to take, in order
	Mute   map[string]bool // faults that don't happen
	Story  bool            // tell what happens
}

// history is one run: people and automation edit both sides while lines break
// and the connector's process ends; then all heals, and what must hold is
// checked.
type history struct {
	world
	plan   Plan
	nature nature
	r      *rand.Rand // of the present step
	calm   bool       // nothing goes wrong any more
	ledger *ledger

	known     []string // ids of the XDR's incidents
	said      []said
	before    map[string]string          // of those merged into others, what they were
	copies    map[string]map[string]bool // of those that others were ever merged into, which
	parted    map[string]bool            // those that were ever parted again
	alerts    int
	edits     int
	writes    int   // of the connector, and comments in them
	written   int64 // feed entries that people, automation and products made
	echoable  int64 // feed entries of alerts
	connected bool
	bare      bool // alerts are switched off
	stats     map[string]int

	atXDR, atWork int64 // how far the feeds were followed
	replayed      map[string]workspace.Incident
	violation     string
	story         []string
}

// Outcome is what came of a history.
type Outcome struct {
	Violation string         // "" if all held
	Counts    map[string]int // of what happened
	Steps     int
	Edits     int
	Hash      uint64   // of where both sides ended
	Story     []string // if the plan asked for it
}

// Run runs one history.
func Run(p Plan) (out Outcome) {
	h := &history{plan: p, stats: map[string]int{}, before: map[string]string{}, copies: map[string]map[string]bool{}, parted: map[string]bool{}}
	h.ledger = newLedger(h)
	defer func() {
		if e := recover(); e != nil {
			h.fail("panic: %v\n%s", e, debug.Stack())
		}
		if p.Story && h.violation != "" {
			h.story = append(h.story, h.journal()...)
		}
		out = Outcome{Violation: h.violation, Counts: h.stats, Steps: len(p.Steps), Edits: h.edits, Hash: h.hash(), Story: h.story}
	}()
	h.roll(-1)
	h.nature = drawNature(h.r)
	h.build()
	h.tell("%s; clocks differ by %v; whole seconds: %t", h.nature.name, h.nature.skew, h.nature.coarse)
	h.alert(pick(h, severities), "h0")
	h.turn()
	for _, n := range p.Steps {
		h.roll(n)
		h.now += schema.Ticks(h.r.IntN(int(20 * schema.Second)))
		h.step()
		if h.violation != "" {
			return
		}
	}
	h.heal()
	h.quiet()
	if h.violation == "" {
		h.check()
	}
	return
}

// roll gives a step its numbers.
func (h *history) roll(step int) {
	h.r = rand.New(rand.NewPCG(h.plan.Seed^h.plan.Number*0x9e3779b97f4a7c15, uint64(step+1)))
}

func (h *history) step() {
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	n := h.r.IntN(total)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			s.do(h)
			return
		}
	}
}

// goes reports whether something goes wrong that does once in so many times.
func (h *history) goes(wrong string, one int) bool {
	if h.calm || h.r.IntN(one) != 0 || h.plan.Mute[wrong] {
		return false
	}
	h.stats[wrong]++
	h.tell("  (%s)", wrong)
	return true
}

// tell adds a sentence to the story.
func (h *history) tell(format string, args ...any) {
	if h.plan.Story {
		h.story = append(h.story, h.now.String()+"  "+fmt.Sprintf(format, args...))
	}
}

// fail notes the first violation.
func (h *history) fail(format string, args ...any) {
	if h.violation == "" {
		h.violation = fmt.Sprintf(format, args...)
		h.tell("VIOLATION: %s", h.violation)
	}
}

func (h *history) ends(s reconcile.Side) port.End {
	if s == reconcile.XDR {
		return h.x.End
	}
	return h.w.End
}

// turn connects or disconnects.
func (h *history) turn() {
	for range 1000 { // the process may end in between, and the disk be busy
		var err error
		if h.connected {
			_, err = h.sync.Disconnect(h.ctx, h.ws, ann)
		} else {
			_, err = h.sync.Connect(h.ctx, h.ws, h.settings(), ann)
		}
		if err == nil {
			h.connected = !h.connected
			if h.connected {
				h.stats["reconnects"]++
			}
			h.tell("connected: %t", h.connected)
			return
		}
		h.boot()
	}
	panic("can't connect")
}

// settings are the connector's switches.
func (h *history) settings() connector.Settings {
	return connector.Settings{Incidents: true, Alerts: !h.bare}
}

// turnAlerts turns the switch of the alerts.
func (h *history) turnAlerts(on bool) {
	if on != h.bare || !h.connected {
		return
	}
	h.bare = !on
	h.stats["switches"]++
	h.echoable += int64(len(h.known)) // each incident is written again
	h.tell("alerts cross: %t", on)
	for range 1000 {
		if _, err := h.sync.Connect(h.ctx, h.ws, h.settings(), ann); err == nil {
			return
		}
		h.boot()
	}
	panic("can't switch")
}

// look has somebody ask the connector how it fares, and compare both sides.
func (h *history) look() {
	st, err := h.sync.Status(h.ctx, h.ws)
	if err != nil {
		h.fail("no status: %v", err)
	}
	h.stats["holes seen"] += len(st.Holes)
	if h.r.IntN(4) == 0 {
		_, err = h.sync.Verify(h.ctx, h.ws)
		h.tell("somebody has both sides compared: %v", err)
	}
}

// next lets the connector work for a while.
func (h *history) next() {
	for range 1 + h.r.IntN(4) {
		_, wake, err := h.sync.Next(h.ctx, h.now)
		switch {
		case h.disk.dead:
			h.stats["crashes"]++
			h.tell("the connector's process ended and starts again")
			h.boot()
			return
		case err != nil && !fault.Is(err, fault.Unavailable) && !errors.Is(err, errCrash):
			h.fail("the connector fails: %v", err)
			return
		}
		if wake > h.now && h.r.IntN(3) == 0 {
			h.now = min(wake, h.now+schema.Minute)
		}
	}
}

func (h *history) heal() {
	h.calm = true
	h.x.downUntil, h.w.downUntil, h.x.poison, h.w.poison = 0, 0, "", ""
	h.tell("all heals")
	if h.disk.dead {
		h.boot()
	}
	if !h.connected {
		h.turn()
	}
	h.turnAlerts(true)
}

// quiet waits until retries are over and all incidents were compared; then
// nothing may be written any more.
func (h *history) quiet() {
	h.settle()
	h.now += 30 * schema.Minute // longer than the longest retry
	h.settle()
	for range 3 { // a comparison of all, whose writes the next one may answer where nobody hints at them
		h.now += schema.Hour
		h.settle()
	}
	before := len(h.x.made) + len(h.w.made)
	h.now += schema.Hour
	h.settle()
	if n := len(h.x.made) + len(h.w.made) - before; n > 0 {
		h.fail("%d writes after all had come to rest", n)
	}
}

// settle runs the connector until nothing is left to do now.
func (h *history) settle() {
	for range 5000 {
		did, _, err := h.sync.Next(h.ctx, h.now)
		if err != nil {
			h.fail("the connector fails: %v", err)
			return
		}
		if !did {
			return
		}
	}
	h.fail("the connector doesn't come to rest")
}

// touched is an incident that a feed spoke of.
type touched struct {
	side reconcile.Side
	id   string
}

// follow reads both feeds on: how many entries there were, and of which
// incidents that take part.
func (h *history) follow() (entries int64, all []touched) {
	for _, f := range []struct {
		side reconcile.Side
		end  port.End
		at   *int64
	}{{reconcile.XDR, h.x.End, &h.atXDR}, {reconcile.Workspace, h.w.End, &h.atWork}} {
		for _, hint := range must(f.end.Changes(h.ctx, *f.at, 1<<20)) {
			*f.at = hint.Seq
			entries++
			if f.side == reconcile.XDR && hint.Version == 0 {
				h.echoable++
			}
			if t := (touched{f.side, hint.Incident}); hint.Incident != "" && !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return entries, all
}

// hash is of all that both sides and the counts came to.
func (h *history) hash() uint64 {
	sum := fnv.New64a()
	say := func(args ...any) { fmt.Fprintln(sum, args...) }
	say(h.plan.Seed, h.plan.Number, h.edits, h.written, h.atXDR, h.atWork, h.now, h.ids, h.violation != "")
	var names []string
	for name := range h.stats {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		say(name, h.stats[name])
	}
	for _, id := range h.known {
		p := h.ledger.pair(id)
		for _, f := range fields {
			say(id, f, p.now.x[f].text, p.now.w[f].text)
		}
	}
	return sum.Sum64()
}

// journal tells what the connector says of the incidents that a violation names.
func (h *history) journal() (out []string) {
	for _, id := range h.known {
		if !strings.Contains(h.violation, "incident "+id+" ") && !strings.Contains(h.violation, "incident "+id+":") {
			continue
		}
		if s, err := h.sync.Explain(h.ctx, h.ws, id); err == nil {
			out = append(append(out, "The connector's journal of incident "+id+":"), s.Sentences...)
		}
	}
	return out
}
