package graph

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"lockstep/api/odata"
	"lockstep/fault"
	"lockstep/xdr"
)

// The sizes of pages. The stored documents give none for these resources; the
// older API allows 100, Graph in general 1,000 (facts 10.1).
const (
	pageSize = 50
	mostSize = 1000
)

// list is what a request asks of a collection of T.
type list[T any] struct {
	query       odata.Query
	fields      map[string]func(T) any
	navigations []string
	count       bool
}

// parseList reads a request's query options. A filter on a property that the
// resource hasn't, or whose order isn't known, is refused by name, and so is
// what would be left out in silence: $search, and $expand of anything but the
// navigation properties given, which take no options of their own.
func parseList[T any](r *http.Request, fields map[string]func(T) any, navigations ...string) (*list[T], error) {
	q, err := odata.ParseURL(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	for _, o := range q.OrderBy {
		if _, ok := field(fields, o.Path); !ok {
			return nil, fault.At("$orderby", "there is no property %q to order by", o.Path)
		}
	}
	if q.Filter != nil {
		for _, path := range odata.Paths(q.Filter) {
			if _, ok := field(fields, path); !ok {
				return nil, fault.At("$filter", "there is no property %q to filter by", path)
			}
		}
	}
	if q.Search != "" {
		return nil, fault.At("$search", "isn't offered here; $filter is")
	}
	for _, e := range q.Expand {
		if !slices.ContainsFunc(navigations, func(n string) bool { return strings.EqualFold(n, e.Path) }) {
			return nil, fault.At("$expand", "there is no navigation property %q here", e.Path)
		}
		if !reflect.ValueOf(e.Query).IsZero() {
			return nil, fault.At("$expand", "%s takes no options of its own", e.Path)
		}
	}
	if q.Top != nil && (*q.Top < 0 || *q.Top > mostSize) {
		return nil, fault.At("$top", "must be between 0 and %d", mostSize)
	}
	return &list[T]{query: q, fields: fields, navigations: navigations, count: q.Count}, nil
}

// field finds a property ignoring case, as the service does.
func field[T any](fields map[string]func(T) any, path string) (func(T) any, bool) {
	if f, ok := fields[path]; ok {
		return f, true
	}
	for name, f := range fields {
		if strings.EqualFold(name, path) {
			return f, true
		}
	}
	return nil, false
}

// get gives the properties of one record to a filter.
func (l *list[T]) get(item T) odata.Get {
	return func(path string) (any, bool) {
		f, ok := field(l.fields, path)
		if !ok {
			return nil, false
		}
		v := f(item)
		return v, v != nil
	}
}

func (l *list[T]) size() int {
	if l.query.Top != nil {
		return *l.query.Top
	}
	return pageSize
}

// selection puts the options into the XDR's words. Without $orderby the page
// goes on from an id, so that it is stable while incidents come and go.
func (l *list[T]) selection() xdr.Selection[T] {
	sel := xdr.Selection[T]{Limit: max(l.size(), 1), Count: l.count, Before: l.query.SkipToken, Skip: l.query.Skip}
	if f := l.query.Filter; f != nil {
		sel.Match = func(item T) bool { return f.Match(l.get(item)) }
	}
	if len(l.query.OrderBy) > 0 {
		sel.Less = func(a, b T) bool { return odata.Compare(l.query.OrderBy, l.get(a), l.get(b)) < 0 }
		sel.Before = ""
	}
	return sel
}

// page applies the options to records that are all at hand.
func (l *list[T]) page(all []T) xdr.Page[T] {
	sel := l.selection()
	var kept []T
	for _, item := range all {
		if sel.Match == nil || sel.Match(item) {
			kept = append(kept, item)
		}
	}
	if sel.Less != nil {
		slices.SortStableFunc(kept, func(a, b T) int { return odata.Compare(l.query.OrderBy, l.get(a), l.get(b)) })
	}
	out := xdr.Page[T]{Total: len(kept)}
	skip := sel.Skip
	if n, err := strconv.Atoi(l.query.SkipToken); err == nil {
		skip = n
	}
	kept = kept[min(skip, len(kept)):]
	out.Items = kept[:min(sel.Limit, len(kept))]
	if len(kept) > len(out.Items) {
		out.Next = strconv.Itoa(skip + len(out.Items))
	}
	return out
}

// expands reports whether a navigation property is to be sent along.
func (l *list[T]) expands(name string) bool {
	return slices.ContainsFunc(l.query.Expand, func(e odata.Expand) bool { return strings.EqualFold(e.Path, name) })
}

// shown leaves as many records as $top asks for; a side gives one at least.
func (l *list[T]) shown(items []T) []T { return items[:min(len(items), l.size())] }

// narrow leaves only the properties that $select names, and those expanded.
func (l *list[T]) narrow(body any) (any, error) {
	if len(l.query.Select) == 0 || slices.Contains(l.query.Select, "*") {
		return body, nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	out, found := map[string]json.RawMessage{}, map[string]bool{}
	for name, value := range all {
		asked := slices.IndexFunc(l.query.Select, func(s string) bool { return strings.EqualFold(s, name) })
		if asked >= 0 {
			found[l.query.Select[asked]] = true
		}
		if strings.HasPrefix(name, "@") || name == "id" || asked >= 0 || l.expands(name) {
			out[name] = value
		}
	}
	for _, name := range l.query.Select {
		if !found[name] && !slices.Contains(l.navigations, name) {
			return nil, fault.At("$select", "there is no property %q", name)
		}
	}
	return out, nil
}

// nextLink is the absolute link to the page after this one, "" at the end: by
// the id where it goes on, or in an order of the client's own by the number to
// skip.
func (l *list[T]) nextLink(base string, r *http.Request, page xdr.Page[T]) string {
	ordered, through := len(l.query.OrderBy) > 0, l.query.Skip+len(page.Items)
	if l.size() == 0 || ordered && through >= page.Total || !ordered && page.Next == "" {
		return ""
	}
	q := url.Values{}
	for name, values := range r.URL.Query() {
		if bare := strings.TrimPrefix(strings.ToLower(name), "$"); bare != "skip" && bare != "skiptoken" {
			q[name] = values
		}
	}
	if ordered {
		q.Set("$skip", strconv.Itoa(through))
	} else {
		q.Set("$skiptoken", page.Next)
	}
	return base + r.URL.Path + "?" + q.Encode()
}
