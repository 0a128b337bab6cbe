package portal

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// listing is what a queue was asked for. It works on rows, so that both
// queues filter and sort alike.
type listing struct {
	statuses   []string // any of them
	severities []string
	owner      string // "" any, "me", "none", else a UPN
	products   []string
	tag        string
	text       string // in title, number, tag, owner or product, ignoring case
	since      schema.Ticks
	less       func(a, b Row) bool
	skip       int
	limit      int
	me         security.Owner
}

const (
	defaultRows = 100
	mostRows    = 1000
)

// orders are the columns that a queue sorts by.
var orders = map[string]func(a, b Row) int{
	"number":       func(a, b Row) int { return compareNumbers(a.Number, b.Number) },
	"title":        func(a, b Row) int { return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) },
	"severity":     func(a, b Row) int { return compareSeverity(a.Severity, b.Severity) },
	"status":       func(a, b Row) int { return strings.Compare(a.Status, b.Status) },
	"owner":        func(a, b Row) int { return strings.Compare(ownerName(a), ownerName(b)) },
	"alerts":       func(a, b Row) int { return cmp.Compare(a.Alerts, b.Alerts) },
	"entities":     func(a, b Row) int { return cmp.Compare(a.Entities, b.Entities) },
	"created":      func(a, b Row) int { return cmp.Compare(a.Created, b.Created) },
	"updated":      func(a, b Row) int { return cmp.Compare(a.Updated, b.Updated) },
	"lastActivity": func(a, b Row) int { return cmp.Compare(a.LastActivity, b.LastActivity) },
}

func compareNumbers(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func compareSeverity(a, b security.Severity) int {
	switch {
	case a.Above(b):
		return 1
	case b.Above(a):
		return -1
	}
	return 0
}

func ownerName(r Row) string {
	if r.Owner == nil {
		return ""
	}
	return strings.ToLower(r.Owner.Name)
}

// parseListing reads a queue's URL parameters: status, severity, product
// (comma lists), owner, tag, q, since, sort (a column, with a leading - for
// descending), skip, limit.
func parseListing(q url.Values, me security.Owner) (listing, error) {
	l := listing{statuses: commas(q.Get("status")), severities: commas(q.Get("severity")), products: commas(q.Get("product")),
		owner: q.Get("owner"), tag: q.Get("tag"), text: strings.ToLower(strings.TrimSpace(q.Get("q"))), me: me, limit: defaultRows}
	var err error
	if l.skip, err = number(q, "skip", 0, 1<<31); err != nil {
		return l, err
	}
	if l.limit, err = number(q, "limit", defaultRows, mostRows); err != nil {
		return l, err
	}
	if text := q.Get("since"); text != "" {
		if l.since, err = schema.ParseTicks(text); err != nil {
			return l, fault.At("since", "%w", err)
		}
	}
	column := q.Get("sort")
	if column == "" {
		column = "-number"
	}
	name := strings.TrimPrefix(column, "-")
	order, ok := orders[name]
	if !ok {
		return l, fault.At("sort", "there is no column %q; there are %s", name, strings.Join(sortedKeys(orders), ", "))
	}
	sign := 1
	if name != column {
		sign = -1
	}
	l.less = func(a, b Row) bool {
		if c := order(a, b); c != 0 {
			return sign*c < 0
		}
		return compareNumbers(a.Number, b.Number) > 0
	}
	return l, nil
}

func commas(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func number(q url.Values, name string, otherwise, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fault.At(name, "%q is not a number from 0 to %d", text, most)
	}
	return n, nil
}

// rowsOnce makes each incident's row once for a list, however often sorting
// looks at it.
func rowsOnce[T any](id func(T) string, make func(T) Row) func(T) Row {
	rows := map[string]Row{}
	return func(i T) Row {
		r, ok := rows[id(i)]
		if !ok {
			r = make(i)
			rows[id(i)] = r
		}
		return r
	}
}

// matches reports whether a row belongs into the list.
func (l listing) matches(r Row) bool {
	if len(l.statuses) > 0 && !slices.ContainsFunc(l.statuses, func(s string) bool { return strings.EqualFold(s, r.Status) }) {
		return false
	}
	if len(l.severities) > 0 && !slices.Contains(l.severities, string(r.Severity)) {
		return false
	}
	if len(l.products) > 0 && !slices.ContainsFunc(r.Products, func(p string) bool { return slices.Contains(l.products, p) }) {
		return false
	}
	if l.since > 0 && r.LastActivity < l.since && r.Updated < l.since {
		return false
	}
	if l.tag != "" && !slices.ContainsFunc(append(slices.Clone(r.Tags), r.SystemTags...), func(t string) bool { return strings.EqualFold(t, l.tag) }) {
		return false
	}
	return l.matchesOwner(r) && l.matchesText(r)
}

func (l listing) matchesOwner(r Row) bool {
	switch l.owner {
	case "":
		return true
	case "none":
		return r.Owner == nil
	}
	if r.Owner == nil {
		return false
	}
	if l.owner == "me" {
		return r.Owner.ID != "" && strings.EqualFold(r.Owner.ID, l.me.ObjectID) || strings.EqualFold(r.Owner.UPN, l.me.Text())
	}
	return strings.EqualFold(r.Owner.UPN, l.owner) || strings.EqualFold(r.Owner.Name, l.owner)
}

func (l listing) matchesText(r Row) bool {
	if l.text == "" || r.Number == strings.TrimPrefix(l.text, "#") || r.ID == l.text {
		return true
	}
	fields := append([]string{r.Title, ownerName(r)}, r.Tags...)
	fields = append(append(fields, r.SystemTags...), r.Products...)
	return slices.ContainsFunc(fields, func(f string) bool { return strings.Contains(strings.ToLower(f), l.text) })
}
