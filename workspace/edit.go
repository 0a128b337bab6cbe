package workspace

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// edit is one change to one incident within a transaction, whoever makes it.
// Its methods change the record and say so in the activity log; commit raises
// the version, once, if anything changed.
type edit struct {
	s      *Service
	tx     state.Tx
	now    schema.Ticks
	ws     Workspace
	etag   string // of the version to make
	by     security.Actor
	rec    record
	before Incident
	exists bool
	// touched is set by changes that the incident itself doesn't show.
	touched bool
	lines   []Activity
	// alerts holds the alerts that changed, for the feed.
	alerts []security.Alert
}

// begin reads an incident for a change. exists is false if there is none: then the record is empty but for its name.
func (s *Service) begin(tx state.Tx, ws Workspace, name, newID string, by security.Actor) *edit {
	e := &edit{s: s, tx: tx, now: s.o.Now(), ws: ws, etag: `"` + newID + `"`, by: by}
	e.rec, e.exists = incidents.Get(tx, incidentKey(ws.ID, name))
	if !e.exists {
		e.rec.Incident = Incident{Workspace: ws.ID, Name: strings.ToLower(name)}
	}
	e.before = e.rec.Incident
	e.before.Labels = slices.Clone(e.before.Labels)
	return e
}

// incident is what the edit changes.
func (e *edit) incident() *Incident { return &e.rec.Incident }

// say adds a line to the activity log.
func (e *edit) say(by security.Actor, deed, from, to, format string, args ...any) {
	e.lines = append(e.lines, Activity{Actor: by, Deed: deed, From: from, To: to, Text: fmt.Sprintf(format, args...)})
}

// number gives a new incident the next number of its workspace.
func (e *edit) number() {
	n, _ := numbers.Get(e.tx, e.ws.ID)
	n++
	numbers.Put(e.tx, e.ws.ID, n)
	e.incident().Number = n
}

// resolve sets status and closing reason together. The reason must be valid;
// an open incident has none.
func (e *edit) resolve(status Status, classification, reason, comment string, st port.Stamp) {
	if status != StatusClosed {
		classification, reason, comment = "", "", ""
	}
	i := e.incident()
	was := *i
	if was.Status == status && was.Classification == classification && was.ClassificationReason == reason && was.ClassificationComment == comment {
		return
	}
	i.Status, i.Classification, i.ClassificationReason, i.ClassificationComment = status, classification, reason, comment
	e.rec.stamp(port.FieldResolution, st.Actor, st.At, e.now)
	switch {
	case status == StatusClosed && was.Status != StatusClosed:
		i.ClosedAt = e.now
		e.say(st.Actor, "closed", string(was.Status), string(StatusClosed), "Closed as %s.", closingText(*i))
	case status == StatusClosed:
		e.say(st.Actor, "reasonChanged", closingText(was), closingText(*i), "Closing reason changed from %s to %s.", closingText(was), closingText(*i))
	case was.Status == StatusClosed:
		i.ClosedAt = 0
		e.say(st.Actor, "reopened", string(StatusClosed), string(status), "Reopened as %s; it had been closed as %s.", status, closingText(was))
	case e.exists:
		e.say(st.Actor, "statusChanged", string(was.Status), string(status), "Status changed from %s to %s.", was.Status, status)
	}
}

func closingText(i Incident) string {
	text := i.Classification
	if i.ClassificationReason != "" {
		text += "/" + i.ClassificationReason
	}
	if i.ClassificationComment != "" {
		text += ": " + i.ClassificationComment
	}
	return text
}

// assign sets the owner; what the directory knows of him is filled in.
func (e *edit) assign(o security.Owner, st port.Stamp) {
	o = e.s.owner(o)
	was := e.incident().Owner
	if was.Same(o) {
		return
	}
	e.incident().Owner = o
	e.rec.stamp(port.FieldOwner, st.Actor, st.At, e.now)
	switch {
	case o.IsZero():
		e.say(st.Actor, "unassigned", was.Text(), "", "Owner %s removed.", was.Text())
	case was.IsZero():
		e.say(st.Actor, "assigned", "", o.Text(), "Assigned to %s.", o.Text())
	default:
		e.say(st.Actor, "assigned", was.Text(), o.Text(), "Assigned to %s instead of %s.", o.Text(), was.Text())
	}
}

// owner completes an owner from the directory; an unknown one stays as written.
func (s *Service) owner(o security.Owner) security.Owner {
	if s.o.Directory == nil {
		return o
	}
	for _, text := range []string{o.ObjectID, o.UPN, o.Email, o.AssignedTo} {
		if text == "" {
			continue
		}
		if found, ok := s.o.Directory.Resolve(text); ok {
			return found
		}
	}
	return o
}

// rate sets the severity.
func (e *edit) rate(sev security.Severity, st port.Stamp) {
	i := e.incident()
	was := i.Severity
	if was == sev {
		return
	}
	i.Severity, i.SeverityByHand = sev, person(st.Actor)
	e.rec.stamp(port.FieldSeverity, st.Actor, st.At, e.now)
	if e.exists {
		e.say(st.Actor, "severityChanged", string(was), string(sev), "Severity changed from %s to %s.", was, sev)
	}
}

// label adds and removes labels of people, compared ignoring case. Labels that
// the service assigned stay as they are.
func (e *edit) label(add, remove []string, st port.Stamp) {
	i := e.incident()
	labels := slices.Clone(i.Labels)
	var added, removed []string
	for _, name := range remove {
		if k := slices.IndexFunc(labels, func(l Label) bool { return l.Type == LabelUser && strings.EqualFold(l.Name, name) }); k >= 0 {
			removed = append(removed, labels[k].Name)
			labels = slices.Delete(labels, k, k+1)
		}
	}
	for _, name := range add {
		name = strings.TrimSpace(name)
		if !slices.ContainsFunc(labels, func(l Label) bool { return l.Type == LabelUser && strings.EqualFold(l.Name, name) }) {
			added = append(added, name)
			labels = append(labels, Label{Name: name, Type: LabelUser})
		}
	}
	if len(added)+len(removed) == 0 {
		return
	}
	i.Labels = labels
	e.rec.stamp(port.FieldTags, st.Actor, st.At, e.now)
	if len(added) > 0 {
		e.say(st.Actor, "labelAdded", "", strings.Join(added, ", "), "Labels added: %s.", strings.Join(added, ", "))
	}
	if len(removed) > 0 {
		e.say(st.Actor, "labelRemoved", strings.Join(removed, ", "), "", "Labels removed: %s.", strings.Join(removed, ", "))
	}
}

// comment adds a comment; one whose id is there changes nothing.
func (e *edit) comment(c security.Comment) {
	if _, there := e.findComment(c.ID); there {
		return
	}
	if c.Created == 0 || c.Created > e.now {
		c.Created = e.now
	}
	comments.Put(e.tx, lineKey(e.ws.ID, e.incident().Name, e.rec.Comments), c)
	e.rec.Comments++
	e.incident().CommentCount++
	e.rec.stamp(port.FieldComments, c.Author, c.Created, e.now)
	e.say(c.Author, "commentAdded", "", c.ID, "Comment added.")
}

func (e *edit) findComment(id string) (key string, there bool) {
	for key, c := range comments.Scan(e.tx, linesOf(e.ws.ID, e.incident().Name)) {
		if strings.EqualFold(c.ID, id) {
			return key, true
		}
	}
	return "", false
}

// changed reports whether the edit makes a version.
func (e *edit) changed() bool {
	return !e.exists || e.touched || !reflect.DeepEqual(e.before, e.rec.Incident)
}

// commit stores the record, its activity lines and the feed's entries. It
// gives whether the feed grew.
func (e *edit) commit() bool {
	i := e.incident()
	changed := e.changed()
	if changed {
		i.Version++
		i.ETag = e.etag
		// Rows of the history are ordered by this time, so it always rises (facts 3.6).
		i.Modified = max(e.now, i.Modified+1)
		i.ModifiedBy = e.by
		if e.exists && i.FirstModified == 0 {
			i.FirstModified = i.Modified
		}
	}
	for _, line := range e.lines {
		line.Incident, line.Version, line.At = i.Name, i.Version, e.now
		if line.Actor == (security.Actor{}) {
			line.Actor = e.by
		}
		activities.Put(e.tx, lineKey(e.ws.ID, i.Name, e.rec.Lines), line)
		e.rec.Lines++
	}
	incidents.Put(e.tx, incidentKey(e.ws.ID, i.Name), e.rec)
	for _, a := range e.alerts {
		feed.Append(e.tx, Change{Workspace: e.ws.ID, Kind: KindAlert, ID: a.SystemID, Version: a.Version, At: e.now, Alert: &a})
	}
	if changed {
		snapshot := e.rec.Incident
		feed.Append(e.tx, Change{Workspace: e.ws.ID, Kind: KindIncident, ID: i.Name, Version: i.Version, At: e.now, Incident: &snapshot})
	}
	return changed || len(e.alerts) > 0
}

// mustExist gives NotFound unless the incident is there.
func (e *edit) mustExist(name string) error {
	if !e.exists {
		return fault.New(fault.NotFound, "there is no incident %q in workspace %q", name, e.ws.Name)
	}
	return nil
}
