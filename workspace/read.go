package workspace

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/state"
)

// read runs f on one incident as committed. NotFound if workspace or incident aren't there.
func (s *Service) read(ctx context.Context, ws, name string, f func(state.Tx, Workspace, record)) error {
	return s.o.Store.View(ctx, func(tx state.Tx) error {
		w, err := known(tx, ws)
		if err != nil {
			return err
		}
		r, ok := incidents.Get(tx, incidentKey(w.ID, name))
		if !ok {
			return fault.New(fault.NotFound, "there is no incident %q in workspace %q", name, w.Name)
		}
		f(tx, w, r)
		return nil
	})
}

// Incident gives an incident by its name. NotFound if there is none.
func (s *Service) Incident(ctx context.Context, ws, name string) (i Incident, err error) {
	err = s.read(ctx, ws, name, func(_ state.Tx, _ Workspace, r record) { i = r.Incident })
	return i, err
}

// ByNumber gives an incident by its number. NotFound if there is none.
func (s *Service) ByNumber(ctx context.Context, ws string, number int64) (Incident, error) {
	if number < 0 {
		return Incident{}, fault.New(fault.NotFound, "there is no incident %d", number)
	}
	return s.byIndex(ctx, ws, "number", state.Number(number), fmt.Sprintf("incident %d", number))
}

// ByProvider gives the incident that is parallel to one of the XDR's. NotFound if there is none.
func (s *Service) ByProvider(ctx context.Context, ws, providerID string) (Incident, error) {
	return s.byIndex(ctx, ws, "provider", providerID, fmt.Sprintf("incident for the XDR's incident %q", providerID))
}

func (s *Service) byIndex(ctx context.Context, ws, index, key, what string) (i Incident, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		w, err := known(tx, ws)
		if err != nil {
			return err
		}
		for _, r := range incidents.By(tx, index, state.Prefix(w.ID, key)) {
			i = r.Incident
			return nil
		}
		return fault.New(fault.NotFound, "there is no %s in workspace %q", what, w.Name)
	})
	return i, err
}

// Selection selects incidents for a list.
type Selection struct {
	Match func(Incident) bool      // nil: all
	Less  func(a, b Incident) bool // nil: newest first, by number

	Limit int // 0 means 50; 1,000 at most (facts 5.1)
	Skip  int
	// Before pages through the order by number: numbers below it, 0 for all.
	Before int64
	Count  bool // fill Page.Total
}

// Page is one page of a list.
type Page struct {
	Items []Incident
	// Next is the Before of the next page, or its Skip when Less was given; 0 at the end.
	Next  int64
	Total int // all that match, whatever the page; -1 if not asked for
}

// MaxPage is the most that one list answers (facts 5.1).
const MaxPage = 1000

// Incidents lists a workspace's incidents.
func (s *Service) Incidents(ctx context.Context, ws string, sel Selection) (page Page, err error) {
	if sel.Limit <= 0 {
		sel.Limit = 50
	}
	sel.Limit = min(sel.Limit, MaxPage)
	if sel.Match == nil {
		sel.Match = func(Incident) bool { return true }
	}
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		w, err := known(tx, ws)
		if err != nil {
			return err
		}
		if sel.Less != nil {
			page = sorted(tx, w.ID, sel)
		} else {
			page = newestFirst(tx, w.ID, sel)
		}
		return nil
	})
	return page, err
}

func newestFirst(tx state.Tx, ws string, sel Selection) Page {
	page := Page{Items: []Incident{}, Total: -1}
	total, skip := 0, sel.Skip
	for _, r := range incidents.By(tx, "number", state.Prefix(ws).Backwards()) {
		i := r.Incident
		if !sel.Match(i) {
			continue
		}
		total++
		switch {
		case sel.Before > 0 && i.Number >= sel.Before:
		case skip > 0:
			skip--
		case len(page.Items) < sel.Limit:
			page.Items = append(page.Items, i)
		default:
			page.Next = page.Items[len(page.Items)-1].Number
			if !sel.Count {
				return page
			}
		}
	}
	if sel.Count {
		page.Total = total
	}
	return page
}

func sorted(tx state.Tx, ws string, sel Selection) Page {
	page := Page{Items: []Incident{}, Total: -1}
	var all []Incident
	for _, r := range incidents.By(tx, "number", state.Prefix(ws).Backwards()) {
		if sel.Match(r.Incident) {
			all = append(all, r.Incident)
		}
	}
	sort.SliceStable(all, func(a, b int) bool { return sel.Less(all[a], all[b]) })
	if sel.Count {
		page.Total = len(all)
	}
	from := min(max(sel.Skip, 0), len(all))
	to := min(from+sel.Limit, len(all))
	page.Items = append(page.Items, all[from:to]...)
	if to < len(all) {
		page.Next = int64(to)
	}
	return page
}

// Activities gives an incident's activity log, oldest first.
func (s *Service) Activities(ctx context.Context, ws, incident string) (log []Activity, err error) {
	err = s.read(ctx, ws, incident, func(tx state.Tx, w Workspace, r record) {
		log = slices.Collect(values(activities.Scan(tx, linesOf(w.ID, r.Incident.Name))))
	})
	return log, err
}

// Alerts gives the alerts that an incident links, at most MaxAlerts, earliest
// first. Incident.AlertTotal tells how many there are.
func (s *Service) Alerts(ctx context.Context, ws, incident string) (linked []security.Alert, err error) {
	err = s.read(ctx, ws, incident, func(tx state.Tx, w Workspace, r record) {
		linked = alertsOf(tx, w.ID, r.Incident.AlertIDs)
	})
	return linked, err
}

// Alert gives one alert of a workspace by its system id. NotFound if there is none.
func (s *Service) Alert(ctx context.Context, ws, systemID string) (a security.Alert, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		w, err := known(tx, ws)
		if err != nil {
			return err
		}
		found := alertsOf(tx, w.ID, []string{systemID})
		if len(found) == 0 {
			return fault.New(fault.NotFound, "there is no alert %q in workspace %q", systemID, w.Name)
		}
		a = found[0]
		return nil
	})
	return a, err
}

// Entities gives the entities of all alerts of an incident, those beyond
// MaxAlerts too: each once, with all that is known of it.
func (s *Service) Entities(ctx context.Context, ws, incident string) (all []security.Entity, err error) {
	err = s.read(ctx, ws, incident, func(tx state.Tx, w Workspace, r record) {
		all = entitiesOf(alertsOf(tx, w.ID, r.Alerts))
	})
	return all, err
}
