package xdr

import (
	"context"
	"iter"
	"slices"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/state"
)

// pageSize is how many a list gives when nobody says.
const pageSize = 50

// Incidents lists incidents, newest first unless the selection orders them
// otherwise. A page begins where the last one ended whatever was added since.
func (s *Service) Incidents(ctx context.Context, sel Selection[Incident]) (page Page[Incident], err error) {
	before := ""
	if sel.Before != "" {
		if before = incidentKey(sel.Before); before == "" {
			return page, fault.At("before", "%s is not the id of an incident", quote(sel.Before))
		}
	}
	err = s.view(ctx, func(u *work) error {
		page = list(sel, values(incidents.Scan(u.tx, state.Range{To: before, Reverse: true})), func(i Incident) string { return i.ID })
		return nil
	})
	return page, err
}

// Alerts lists alerts, those made last first unless the selection orders
// them otherwise.
func (s *Service) Alerts(ctx context.Context, sel Selection[security.Alert]) (page Page[security.Alert], err error) {
	err = s.view(ctx, func(u *work) error {
		before, skip := "", false
		if sel.Before != "" {
			r := u.alert(sel.Before)
			if r == nil {
				return fault.At("before", "%s is not the id of an alert", quote(sel.Before))
			}
			before, skip = state.Number(int64(r.Alert.Created)+1), true
		}
		all := func(yield func(security.Alert) bool) {
			for id, r := range alerts.By(u.tx, "created", state.Range{To: before, Reverse: true}) {
				if skip { // those made at the same moment, up to the one named
					skip = id != sel.Before
					continue
				}
				if !yield(r.Alert) {
					return
				}
			}
		}
		page = list(sel, all, func(a security.Alert) string { return a.ID })
		return nil
	})
	return page, err
}

func values[K, T any](seq iter.Seq2[K, T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, v := range seq {
			if !yield(v) {
				return
			}
		}
	}
}

// list makes a page of a sequence that is in order, newest first.
func list[T any](sel Selection[T], all iter.Seq[T], id func(T) string) Page[T] {
	limit := sel.Limit
	if limit <= 0 {
		limit = pageSize
	}
	if sel.Less != nil {
		return sorted(sel, all, limit)
	}
	page := Page[T]{Total: -1}
	matching, more := 0, false
	for v := range all {
		if sel.Match != nil && !sel.Match(v) {
			continue
		}
		matching++
		switch {
		case matching <= sel.Skip:
		case len(page.Items) < limit:
			page.Items = append(page.Items, v)
		default:
			more = true
		}
		if more && !sel.Count {
			break
		}
	}
	if more {
		page.Next = id(page.Items[len(page.Items)-1])
	}
	if sel.Count {
		page.Total = matching
	}
	return page
}

// sorted makes a page of a sequence in another order; equals stay newest first.
func sorted[T any](sel Selection[T], all iter.Seq[T], limit int) Page[T] {
	var items []T
	for v := range all {
		if sel.Match == nil || sel.Match(v) {
			items = append(items, v)
		}
	}
	slices.SortStableFunc(items, func(a, b T) int {
		switch {
		case sel.Less(a, b):
			return -1
		case sel.Less(b, a):
			return 1
		}
		return 0
	})
	from := min(max(sel.Skip, 0), len(items))
	return Page[T]{Items: items[from:min(from+limit, len(items))], Total: len(items)}
}
