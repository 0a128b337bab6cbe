package simulation

import (
	"fmt"
	"slices"
	"strings"

	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/schema"
	"lockstep/security"
)

// ledger knows of each value of each pair who set what when on which side, and
// on what both sides agreed last. It is told of every deed, of what the
// connector read and of every write as it is made, and says of each write
// whether it was allowed: only a value that changed since the last agreement
// may be written, and over another change only if the rule for conflicts lets
// it win. It shares no code with the decision that it judges.
type ledger struct {
	h     *history
	pairs map[string]*pair  // by the XDR's id
	names map[string]string // workspace incident → the XDR's id
}

// cell is a value on one side, with who set it when.
type cell struct {
	text  string
	stamp port.Stamp
}

// view is an incident's values, by field; each tag is a field of its own.
type view map[string]cell

// two is something of each side.
type two[T any] struct{ x, w T }

func (t *two[T]) of(s reconcile.Side) *T {
	if s == reconcile.XDR {
		return &t.x
	}
	return &t.w
}

// pair is two parallel incidents.
type pair struct {
	now     two[view] // as they are
	read    two[view] // as the connector saw them last, with what the end shows of stamps
	agreed  map[string][]two[string]
	merged  bool            // the XDR's incident was merged into another
	into    map[string]bool // those that it was ever merged into
	paired  bool            // the workspace has an incident for it
	unequal bool            // the XDR was read and the workspace not yet
	content string          // what the workspace was given last of what the XDR owns
	rawX    port.Incident
}

func newLedger(h *history) *ledger {
	return &ledger{h: h, pairs: map[string]*pair{}, names: map[string]string{}}
}

func (l *ledger) pair(id string) *pair {
	p := l.pairs[id]
	if p == nil {
		p = &pair{now: two[view]{view{}, view{}}, read: two[view]{view{}, view{}}, agreed: map[string][]two[string]{}, into: map[string]bool{}}
		l.pairs[id] = p
	}
	return p
}

func other(s reconcile.Side) reconcile.Side {
	if s == reconcile.XDR {
		return reconcile.Workspace
	}
	return reconcile.XDR
}

// The fields that the ledger keeps, and under which name a write and a stamp have them.
const (
	status   = "status"
	owner    = "owner"
	severity = "severity"
	tag      = "tag " // and its name
)

var tags = []string{"a", "b", "c"}

var fields = append([]string{status, owner, severity}, tag+tags[0], tag+tags[1], tag+tags[2])

func portField(f string) port.Field {
	switch {
	case f == status:
		return port.FieldResolution
	case f == owner:
		return port.FieldOwner
	case f == severity:
		return port.FieldSeverity
	}
	return port.FieldTags
}

// viewOf is what an incident shows.
func viewOf(i port.Incident) view {
	sev := i.Severity
	if !sev.Known() {
		sev = security.Informational
	}
	v := view{}
	texts := map[string]string{
		status: statusText(i.Resolution), owner: i.Owner.Text(), severity: string(sev),
	}
	for _, name := range tags {
		if slices.ContainsFunc(i.Tags, func(t string) bool { return strings.EqualFold(t, name) }) {
			texts[tag+name] = "set"
		}
	}
	for _, f := range fields {
		v[f] = cell{texts[f], i.Stamps[portField(f)]}
	}
	return v
}

// deed notes what somebody did on a side. by is who, if every value that
// changed must bear that name and the side's time.
func (l *ledger) deed(s reconcile.Side, i port.Incident, by *security.Actor) {
	id := i.ID
	if s == reconcile.Workspace {
		id = i.Partner
	}
	p, is := l.pair(id), viewOf(i)
	was := *p.now.of(s)
	for _, f := range fields {
		if c, knew := was[f]; knew && c.text != is[f].text && by != nil {
			want := port.Stamp{Actor: *by, At: l.h.clock(s)}
			if is[f].stamp != want && (*by != correlation || f == severity) { // what merges bring keeps its own
				l.h.fail("%s of incident %s of the %s bears the stamp %v instead of %v", f, i.ID, s, is[f].stamp, want)
			}
		}
		if f == status && strings.HasPrefix(closedWord(was[f].text), "closed") && closedWord(is[f].text) == "open" {
			l.h.stats["reopenings"]++
		}
	}
	*p.now.of(s) = is
	if s == reconcile.XDR {
		p.merged = i.Content.Redirect != ""
		p.into[i.Content.Redirect] = true
	}
}

func closedWord(status string) string {
	word, _, _ := strings.Cut(status, "|")
	switch word {
	case "resolved", "Closed", "redirected":
		return "closed"
	case "":
		return ""
	}
	return "open"
}

// read notes what the connector saw of an incident.
func (l *ledger) read(s reconcile.Side, i port.Incident) {
	id := i.ID
	if s == reconcile.Workspace {
		id = i.Partner
	}
	p := l.pair(id)
	saw := viewOf(i)
	for f, c := range saw {
		c.stamp = believed(c.stamp, l.h.now)
		saw[f] = c
	}
	*p.read.of(s) = saw
	if s == reconcile.XDR {
		p.rawX, p.unequal = i, true
		return
	}
	if p.unequal {
		p.unequal = false
		l.settleEqual(p, i)
	}
}

// believed is a stamp that can be compared: nobody sets a value later than now.
func believed(st port.Stamp, now schema.Ticks) port.Stamp {
	if st.At == 0 || st.At > now {
		st.At = now
	}
	return st
}

// settleEqual notes on what both sides may have agreed without a write. The
// process may end before that is kept: then what was agreed before holds on.
func (l *ledger) settleEqual(p *pair, w port.Incident) {
	for _, f := range fields {
		both := two[string]{p.read.x[f].text, p.read.w[f].text}
		same := both.x == both.w
		if f == status {
			same = false
			for _, agreed := range p.agreed[f] {
				same = same || translated(reconcile.Workspace, p.rawX.Resolution, w.Resolution, agreed) == w.Resolution ||
					translated(reconcile.XDR, w.Resolution, p.rawX.Resolution, agreed) == p.rawX.Resolution
			}
		}
		if same {
			p.agree(f, both, true)
		}
	}
}

func statusText(r port.Resolution) string {
	return strings.Join([]string{r.Status, r.Classification, r.Reason, r.Comment}, "|")
}

func resolutionOf(text string) port.Resolution {
	parts := append(strings.SplitN(text, "|", 4), "", "", "", "")
	return port.Resolution{Status: parts[0], Classification: parts[1], Reason: parts[2], Comment: parts[3]}
}

// agree notes an agreement; perhaps means that the one before may still hold.
func (p *pair) agree(f string, on two[string], perhaps bool) {
	if !perhaps {
		p.agreed[f] = p.agreed[f][:0]
	}
	if !slices.Contains(p.agreed[f], on) {
		p.agreed[f] = append(p.agreed[f], on)
	}
}

// names tells which values a write speaks of.
func speaksOf(w port.Write, f string) bool {
	switch f {
	case status:
		return w.Resolution != nil
	case owner:
		return w.Owner != nil
	case severity:
		return w.Severity != nil
	}
	return slices.ContainsFunc(append(slices.Clone(w.AddTags), w.RemoveTags...), func(t string) bool { return strings.EqualFold(tag+t, f) })
}

// write judges a write that was just made on a side.
func (l *ledger) write(s reconcile.Side, w port.Write) {
	id := w.Incident
	if s == reconcile.Workspace {
		if w.Create {
			l.names[w.Incident] = w.Partner
		}
		id = l.names[w.Incident]
	}
	p := l.pair(id)
	l.judgeContent(p, s, id, w)
	i := must(l.h.ends(s).Incident(l.h.ctx, w.Incident))
	is := viewOf(i)
	was := *p.now.of(s)
	*p.now.of(s) = is
	if w.Create && !p.paired {
		p.paired = true
		for _, f := range fields {
			on := two[string]{p.read.x[f].text, is[f].text}
			if f != status && on.x != on.w && !p.merged {
				l.h.fail("incident %s was made in the workspace with %s %q instead of %q", id, f, on.w, on.x)
			}
			p.agree(f, on, false)
		}
		return
	}
	for _, f := range fields {
		switch {
		case speaksOf(w, f):
			l.judge(p, s, id, f, w, was, is)
		case is[f].text != was[f].text:
			l.h.fail("a write to incident %s of the %s changed %s from %q to %q without speaking of it", w.Incident, s, f, was[f].text, is[f].text)
		}
	}
}

// sent notes a write on its way to an end that can't be asked after it: if its
// answer is lost and the end then shows what the write has, whoever set it, the
// connector can only take that for agreed.
func (l *ledger) sent(s reconcile.Side, w port.Write) {
	id := w.Incident
	if s == reconcile.Workspace {
		id = l.names[w.Incident]
	}
	p, known := l.pairs[id]
	if !known || l.h.nature.can(s, l.h.ends(s).Capabilities()).WriteIDs {
		return
	}
	texts := map[string]string{}
	if r := w.Resolution; r != nil {
		texts[status] = statusText(*r)
	}
	if w.Owner != nil {
		texts[owner] = w.Owner.Text()
	}
	if w.Severity != nil {
		texts[severity] = string(*w.Severity)
	}
	for _, t := range w.AddTags {
		texts[tag+strings.ToLower(t)] = "set"
	}
	for _, f := range fields {
		if speaksOf(w, f) {
			on := two[string]{}
			*on.of(other(s)), *on.of(s) = (*p.read.of(other(s)))[f].text, texts[f]
			p.agree(f, on, true)
		}
	}
}

// left notes the writes that a process which ended had on its way to an end that
// can't be asked after them: sent or not, the next process can't tell.
func (l *ledger) left(d connector.Decision) {
	p := l.pair(d.XDR)
	for _, sent := range d.Writes {
		if sent.Outcome != connector.Pending || l.h.nature.can(sent.Side, l.h.ends(sent.Side).Capabilities()).WriteIDs {
			continue
		}
		from, saw := other(sent.Side), d.SawXDR
		if from == reconcile.Workspace && d.SawWork != nil {
			saw = *d.SawWork
		}
		shown := viewOf(port.Incident{Resolution: saw.Resolution, Owner: saw.Assigned, Severity: saw.Severity, Tags: saw.Tags})
		for _, f := range fields {
			if !slices.ContainsFunc(d.Reasons, func(r reconcile.Reason) bool { return r.Field == portField(f) }) {
				continue
			}
			for _, agreed := range slices.Clone(p.agreed[f]) {
				on := two[string]{shown[f].text, shown[f].text}
				if f == status {
					*on.of(sent.Side) = statusText(translated(sent.Side, saw.Resolution, resolutionOf(*agreed.of(sent.Side)), agreed))
				}
				p.agree(f, on, true)
			}
		}
	}
}

// translated is a status as a side has it.
func translated(to reconcile.Side, r, present port.Resolution, agreed two[string]) port.Resolution {
	var d connector.Dictionary
	a := reconcile.Pair{XDR: resolutionOf(agreed.x), Workspace: resolutionOf(agreed.w)}
	if to == reconcile.XDR {
		return d.ToXDR(r, present, a)
	}
	return d.ToWorkspace(r, a)
}

// judgeContent looks whether the workspace is given again what it was given
// before: what our own writes change on the XDR is no news from there.
func (l *ledger) judgeContent(p *pair, s reconcile.Side, id string, w port.Write) {
	if w.Content == nil {
		return
	}
	c := *w.Content
	text := fmt.Sprint(c.Title, c.Description, c.FirstActivity, c.LastActivity, c.Products, c.Tactics, c.SystemTags, c.Redirect)
	for _, a := range c.Alerts {
		text += fmt.Sprint(" ", a.ID, a.Version)
	}
	if text == p.content && l.h.nature.can(s, l.h.ends(s).Capabilities()).WriteIDs {
		l.h.fail("incident %s: its content was written again, though nothing of it had changed", id)
	}
	p.content = text
}

// judge judges one value of a write.
func (l *ledger) judge(p *pair, s reconcile.Side, id, f string, w port.Write, was, is view) {
	from := other(s)
	sent, there := (*p.read.of(from))[f], was[f]
	if !l.h.nature.can(s, l.h.ends(s).Capabilities()).Conditional {
		there = (*p.read.of(s))[f] // it may have changed since: this end can't tell
	}
	there.stamp = believed((*p.read.of(s))[f].stamp, l.h.now)
	on := two[string]{}
	*on.of(from), *on.of(s) = sent.text, is[f].text

	keeps := !l.h.nature.can(s, l.h.ends(s).Capabilities()).WriteIDs
	if p.merged || p.rawX.Content.Redirect != "" { // a merge beats every other change of its source, and may have been taken back since the connector read of it
		p.agree(f, on, keeps)
		return
	}
	if s == reconcile.XDR && strings.HasPrefix(f, tag) && l.inherits(id) {
		p.agree(f, on, true) // it may have come from an incident that was merged into this one
		return
	}
	allowed, conflict := false, true
	for _, agreed := range p.agreed[f] {
		changedThere := there.text != *agreed.of(s)
		if sent.text == *agreed.of(from) {
			continue // it didn't change: there is nothing to send
		}
		if !changedThere {
			allowed, conflict = true, false
		} else if winner(sent.stamp, there.stamp, from) == from {
			allowed = true
		}
	}
	switch {
	case !allowed && is[f].text != was[f].text:
		l.h.fail("%s of incident %s: %q of the %s (by %s) was overwritten with %q of the %s (by %s); agreed had been %v",
			f, id, there.text, s, name(there.stamp), sent.text, from, name(sent.stamp), p.agreed[f])
	case allowed && conflict && there.text != sent.text:
		l.h.stats["conflicts"]++
		if len(w.Notes) == 0 {
			l.h.fail("%s of incident %s: nobody is told that %q of the %s gave way to %q", f, id, there.text, s, sent.text)
		}
	}
	p.agree(f, on, keeps)
}

// inherits reports whether another incident was ever merged into this one: what
// is carried from there may still be on its way.
func (l *ledger) inherits(id string) bool {
	for _, p := range l.pairs {
		if p.into[id] {
			return true
		}
	}
	return false
}

// winner is the rule for conflicts: a person's edit beats automation's, of
// equals the later, then the XDR's.
func winner(sent, there port.Stamp, from reconcile.Side) reconcile.Side {
	a, b := byHand(sent.Actor), byHand(there.Actor)
	switch {
	case a != b && a, a == b && sent.At > there.At:
		return from
	case a != b, sent.At < there.At:
		return other(from)
	}
	return reconcile.XDR
}

func byHand(a security.Actor) bool { return a.Kind == security.Person || a.Kind == "" }

func name(st port.Stamp) string {
	if st.Actor.Name == "" {
		return "somebody unknown at " + st.At.String()
	}
	return st.Actor.Name + " at " + st.At.String()
}
