package workspace

import (
	"context"
	"fmt"
	"strings"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// Put stores the whole incident as a client states it, and makes a native one
// if there is none of that name. Owner and labels that aren't stated stay.
// Of an incident that came from the XDR, title, description and activity times
// belong to the XDR: what is stated of them is not stored, the answer shows
// the XDR's, and a line of the activity log says so. Closing needs a valid
// reason; an open incident has none. The version rises by one, or not at all
// if nothing changes. etag, if not empty, must be the present one (* for any),
// else Conflict. Other faults are Invalid, about one field.
func (s *Service) Put(ctx context.Context, ws, name string, p Put, by security.Actor, etag string) (i Incident, created bool, err error) {
	if !incidentName.MatchString(name) {
		return i, false, fault.At("incident", "%q is no name of an incident; want a GUID", name)
	}
	if err := p.check(); err != nil {
		return i, false, fmt.Errorf("put incident %s: %w", name, err)
	}
	err = s.update(ctx, ws, name, by, func(e *edit) error {
		created = !e.exists
		if err := e.guard(etag); err != nil {
			return err
		}
		if created {
			e.start(p)
		} else {
			e.describe(p)
		}
		st := port.Stamp{Actor: by, At: e.now}
		e.rate(p.Severity, st)
		if e.rec.Redirect != "" && p.Status != StatusClosed {
			return fault.New(fault.Conflict, "incident %d was merged into incident %d and can't be opened", e.rec.Incident.Number, e.rec.Incident.MergedNumber)
		}
		e.resolve(p.Status, p.Classification, p.ClassificationReason, p.ClassificationComment, st)
		if p.Owner != nil {
			e.assign(*p.Owner, st)
		}
		if p.Labels != nil {
			add, remove := labelChanges(e.incident().Labels, *p.Labels)
			e.label(add, remove, st)
		}
		i = e.rec.Incident
		return nil
	}, &i)
	if err != nil {
		return Incident{}, false, fmt.Errorf("put incident %s: %w", name, err)
	}
	return i, created, nil
}

// guard refuses an edit made against another version than the present one.
func (e *edit) guard(etag string) error {
	switch {
	case etag == "" || e.exists && (etag == "*" || etag == e.incident().ETag):
		return nil
	case !e.exists:
		return fault.New(fault.Conflict, "the incident doesn't exist, so its etag can't be %s", etag)
	}
	return fault.New(fault.Conflict, "a newer version of the incident exists: its etag is %s, not %s; read it again", e.incident().ETag, etag)
}

// start makes a native incident of what is stated.
func (e *edit) start(p Put) {
	e.number()
	i := e.incident()
	i.Title, i.Description = p.Title, p.Description
	i.FirstActivity, i.LastActivity = p.FirstActivity, p.LastActivity
	i.Created = e.now
	i.ProviderName, i.ProviderIncidentID = ProviderNative, fmt.Sprint(i.Number)
	i.AlertIDs, i.Products, i.Tactics, i.Techniques = []string{}, []string{}, []string{}, []string{}
	e.say(e.by, "created", "", i.Title, "Incident created.")
}

// described is a field that a client states and the XDR may own.
type described struct {
	name       string
	now, want  string
	set        func()
	ifUnstated bool // an unstated value counts as a change
}

// describe takes title, description and activity times: a native incident
// follows them, of a synchronised one the difference is only told.
func (e *edit) describe(p Put) {
	i := e.incident()
	fields := []described{
		{"title", i.Title, p.Title, func() { i.Title = p.Title }, true},
		{"description", i.Description, p.Description, func() { i.Description = p.Description }, i.ProviderName == ProviderNative},
		{"firstActivityTimeUtc", timeText(i.FirstActivity), timeText(p.FirstActivity), func() { i.FirstActivity = p.FirstActivity }, false},
		{"lastActivityTimeUtc", timeText(i.LastActivity), timeText(p.LastActivity), func() { i.LastActivity = p.LastActivity }, false},
	}
	var refused []string
	for _, f := range fields {
		if f.now == f.want || f.want == "" && !f.ifUnstated {
			continue
		}
		if i.ProviderName != ProviderNative {
			refused = append(refused, f.name)
			continue
		}
		f.set()
		e.say(e.by, f.name+"Changed", f.now, f.want, "Changed %s.", f.name)
	}
	if len(refused) > 0 {
		e.say(e.by, "notStored", "", strings.Join(refused, ", "), "Not stored, because the XDR owns it: %s.", strings.Join(refused, ", "))
	}
}

func timeText(t schema.Ticks) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

// labelChanges gives what leads from the labels of people to the names wanted.
// The names of labels that the service assigned come back from clients who
// read and write the whole list: they are not made people's labels.
func labelChanges(labels []Label, want []string) (add, remove []string) {
	assigned, wanted := map[string]bool{}, map[string]bool{}
	for _, l := range labels {
		assigned[strings.ToLower(l.Name)] = l.Type == LabelAutoAssigned
	}
	for _, name := range want {
		key := strings.ToLower(strings.TrimSpace(name))
		wanted[key] = true
		if !assigned[key] {
			add = append(add, name)
		}
	}
	for _, name := range userLabels(labels) {
		if !wanted[strings.ToLower(name)] {
			remove = append(remove, name)
		}
	}
	return add, remove
}

// update runs one edit of one incident in a transaction and commits it; into,
// if not nil, is the incident as it became.
func (s *Service) update(ctx context.Context, ws, name string, by security.Actor, change func(e *edit) error, into *Incident) error {
	newID := s.o.NewID()
	grew := false
	err := s.o.Store.Update(ctx, func(tx state.Tx) error {
		w, err := known(tx, ws)
		if err != nil {
			return err
		}
		e := s.begin(tx, w, name, newID, by)
		if err := change(e); err != nil {
			return err
		}
		grew = e.commit()
		if into != nil {
			*into = e.rec.Incident
		}
		return nil
	})
	if err == nil && grew {
		s.o.Changed()
	}
	return err
}

// Delete removes a native incident with its comments and activity log.
// Conflict for one that came from the XDR, NotFound if there is none.
func (s *Service) Delete(ctx context.Context, ws, name string, by security.Actor) error {
	err := s.o.Store.Update(ctx, func(tx state.Tx) error {
		w, err := known(tx, ws)
		if err != nil {
			return err
		}
		e := s.begin(tx, w, name, "", by)
		if err := e.mustExist(name); err != nil {
			return err
		}
		i := e.rec.Incident
		if i.ProviderName != ProviderNative {
			return fault.New(fault.Conflict, "incident %d comes from %s and can't be deleted here", i.Number, i.ProviderName)
		}
		incidents.Delete(tx, incidentKey(w.ID, name))
		removeAll(tx, comments, linesOf(w.ID, name))
		removeAll(tx, activities, linesOf(w.ID, name))
		feed.Append(tx, Change{Workspace: w.ID, Kind: KindIncident, ID: i.Name, Version: i.Version + 1, At: e.now})
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete incident %s: %w", name, err)
	}
	s.o.Changed()
	return nil
}

func removeAll[T any](tx state.Tx, t state.Table[T], r state.Range) {
	var keys []string
	for key := range t.Scan(tx, r) {
		keys = append(keys, key)
	}
	for _, key := range keys {
		t.Delete(tx, key)
	}
}
