package xdr

import (
	"slices"
	"strconv"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/xdr/correlation"
)

// work is one transaction's view of the side: each record is read once,
// changed in memory, and stored once by flush.
type work struct {
	s   *Service
	tx  state.Tx
	now schema.Ticks

	incidents map[string]*held
	alerts    map[string]*heldAlert
	memories  map[string]*heldMemory

	// in order of first change, so that equal work gives equal feeds
	changedIncidents []*held
	changedAlerts    []*heldAlert
	changedMemories  []*heldMemory
}

// held is an incident in the hands of a work.
type held struct {
	Incident
	was     standing // as stored
	book    book
	cast    *cast // nil: not read yet
	changed bool  // gets a version
	noted   bool  // has news in its book
	stale   bool  // its profile has to be made again from its alerts
	lines   []Activity
}

type heldAlert struct {
	alertRecord
	changed bool
}

type heldMemory struct {
	key     string
	memory  correlation.Memory
	found   bool
	changed bool
}

func (s *Service) begin(tx state.Tx, now schema.Ticks) *work {
	return &work{s: s, tx: tx, now: now, incidents: map[string]*held{}, alerts: map[string]*heldAlert{}, memories: map[string]*heldMemory{}}
}

// incident gives an incident, nil if there is none.
func (u *work) incident(id string) *held {
	if h, ok := u.incidents[id]; ok {
		return h
	}
	key := incidentKey(id)
	if key == "" {
		return nil
	}
	inc, ok := incidents.Get(u.tx, key)
	if !ok {
		return nil
	}
	b, _ := books.Get(u.tx, key)
	h := &held{Incident: inc, was: standingOf(inc), book: b}
	u.incidents[id] = h
	return h
}

// known gives an incident or NotFound.
func (u *work) known(id string) (*held, error) {
	if h := u.incident(id); h != nil {
		return h, nil
	}
	return nil, notFound("incident", id)
}

// editable gives an incident that may be changed by somebody who saw it at a
// version (0: whichever).
func (u *work) editable(id string, ifVersion int64) (*held, error) {
	h, err := u.known(id)
	switch {
	case err != nil:
		return nil, err
	case h.Status == Redirected:
		return nil, fault.New(fault.Conflict, "incident %s was merged into incident %s; change that one", id, h.RedirectID)
	case ifVersion != 0 && ifVersion != h.Version:
		return nil, fault.New(fault.Conflict, "incident %s is at version %d, not %d: it changed meanwhile", id, h.Version, ifVersion)
	}
	return h, nil
}

// live follows an incident's redirect.
func (u *work) live(id string) string {
	if h := u.incident(id); h != nil && h.RedirectID != "" {
		return h.RedirectID
	}
	return id
}

// number gives the next number of a counter, from 1 on.
func (u *work) number(counter string) int64 {
	n, _ := counters.Get(u.tx, counter)
	counters.Put(u.tx, counter, n+1)
	return n + 1
}

// open makes a new incident.
func (u *work) open() *held {
	h := &held{Incident: Incident{
		ID: strconv.FormatInt(u.number("incident"), 10), Status: Active, Severity: security.SeverityUnknown,
		Classification: unset, Determination: unset, Created: u.now,
	}}
	u.incidents[h.ID] = h
	u.touch(h, intakeActor)
	return h
}

// touch marks an incident as changed by somebody.
func (u *work) touch(h *held, by security.Actor) {
	h.LastModifier = by
	if !h.changed {
		h.changed = true
		u.list(h)
	}
}

// note adds a line to an incident's activity log.
func (u *work) note(h *held, line Activity) {
	line.Incident = h.ID
	if line.At == 0 {
		line.At = u.now
	}
	h.lines = append(h.lines, line)
	u.list(h)
}

// list has an incident stored by flush.
func (u *work) list(h *held) {
	if !h.noted {
		h.noted = true
		u.changedIncidents = append(u.changedIncidents, h)
	}
}

// stamp notes who set a field and when.
func (u *work) stamp(h *held, f port.Field, st port.Stamp) {
	if h.book.Stamps == nil {
		h.book.Stamps = map[port.Field]port.Stamp{}
	}
	h.book.Stamps[f] = st
	u.list(h)
}

// alert gives an alert, nil if there is none.
func (u *work) alert(id string) *heldAlert {
	if r, ok := u.alerts[id]; ok {
		return r
	}
	record, ok := alerts.Get(u.tx, id)
	if !ok {
		return nil
	}
	r := &heldAlert{alertRecord: record}
	u.alerts[id] = r
	return r
}

// touchAlert marks an alert as changed.
func (u *work) touchAlert(r *heldAlert) {
	if !r.changed {
		r.changed = true
		u.changedAlerts = append(u.changedAlerts, r)
	}
}

// memory gives what is remembered of a key, with incidents that live.
func (u *work) memory(key string) *heldMemory {
	if m, ok := u.memories[key]; ok {
		return m
	}
	record, ok := memories.Get(u.tx, key)
	m := &heldMemory{key: key, memory: record.Memory, found: ok}
	u.memories[key] = m
	return m
}

func (u *work) comments(incident string) (list []security.Comment) {
	for _, c := range comments.Scan(u.tx, state.Prefix(incidentKey(incident))) {
		list = append(list, c.Comment)
	}
	return list
}

func (u *work) activities(incident string) (list []Activity) {
	for _, a := range activities.Scan(u.tx, state.Prefix(incidentKey(incident))) {
		list = append(list, a)
	}
	return list
}

// addComment adds a comment unless one with its id is there.
func (u *work) addComment(h *held, c security.Comment) (added bool) {
	if c.ID == "" {
		c.ID = security.DerivedID("xdr comment", state.Join(u.s.tenant, h.ID, state.Number(h.book.Comments+1)))
	}
	for range comments.Keys(u.tx, "id", state.Prefix(incidentKey(h.ID), c.ID)) {
		return false
	}
	if c.Created == 0 {
		c.Created = u.now
	}
	h.book.Comments++
	comments.Put(u.tx, state.Join(incidentKey(h.ID), state.Number(h.book.Comments)), commentRecord{Incident: h.ID, Comment: c})
	u.list(h)
	return true
}

// flush stores what changed and appends it to the feed: alerts, then
// incidents, those merged away after those they were merged into.
func (u *work) flush() (appended bool) {
	var news []Change
	for _, r := range u.changedAlerts {
		r.Alert.Version++
		alerts.Put(u.tx, r.Alert.ID, r.alertRecord)
		news = append(news, Change{Kind: KindAlert, ID: r.Alert.ID, Version: r.Alert.Version, Incident: r.Alert.IncidentID, At: u.now})
	}
	slices.SortStableFunc(u.changedIncidents, func(a, b *held) int { return redirectedLast(a) - redirectedLast(b) })
	for _, h := range u.changedIncidents {
		u.store(h)
		if h.changed {
			news = append(news, Change{Kind: KindIncident, ID: h.ID, Version: h.Version, Incident: h.ID, At: u.now})
		}
	}
	for _, m := range u.changedMemories {
		memories.Put(u.tx, m.key, memoryRecord{Memory: m.memory, At: u.now})
	}
	if len(news) > 0 {
		feed.AppendAll(u.tx, news...)
	}
	return len(news) > 0
}

func redirectedLast(h *held) int {
	if h.Status == Redirected {
		return 1
	}
	return 0
}

// store stores one incident with its book and new activity lines.
func (u *work) store(h *held) {
	key := incidentKey(h.ID)
	if h.changed {
		if h.stale {
			u.remake(h)
		}
		h.Version++
		h.Updated = max(h.Updated, u.now)
		incidents.Put(u.tx, key, h.Incident)
		u.keepPast(h)
	}
	for _, line := range h.lines {
		line.Version = h.Version
		h.book.Activities++
		activities.Put(u.tx, state.Join(key, state.Number(h.book.Activities)), line)
	}
	books.Put(u.tx, key, h.book)
	if h.cast != nil && h.cast.changed {
		casts.Put(u.tx, key, h.cast.list())
	}
}
