// Package odata reads the query options of OData ($filter, $orderby, $top,
// $skip, $count, $select, $expand, $search) into values that a face can apply
// to its own records. It knows the grammar and how values compare; which
// properties exist is the face's to say.
package odata

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lockstep/fault"
)

// Query is the options of one request. A zero Query asks for everything.
type Query struct {
	Filter    Filter // nil: everything
	OrderBy   []Order
	Top       *int // nil: not given
	Skip      int
	SkipToken string
	Count     bool
	Select    []string // nil: every property
	Expand    []Expand
	Search    string
}

// Order is one criterion of $orderby.
type Order struct {
	Path       string // segments parted by slashes
	Descending bool
}

// Expand is one navigation property of $expand with its own options.
type Expand struct {
	Path  string
	Query Query
}

// longest is the length in bytes that an option may have.
const longest = 16 << 10

// options reads each option. Their names count whatever their case: clients
// write $skiptoken and $skipToken.
var options = map[string]func(q *Query, text string) error{
	"$filter": func(q *Query, text string) (err error) {
		q.Filter, err = ParseFilter(text)
		return err
	},
	"$orderby": func(q *Query, text string) (err error) {
		q.OrderBy, err = parseOrder(text)
		return err
	},
	"$top": func(q *Query, text string) error {
		n, err := parseCount("$top", text)
		q.Top = &n
		return err
	},
	"$skip": func(q *Query, text string) (err error) {
		q.Skip, err = parseCount("$skip", text)
		return err
	},
	"$skiptoken": func(q *Query, text string) error {
		q.SkipToken = text
		return nil
	},
	"$count": func(q *Query, text string) (err error) {
		if q.Count, err = strconv.ParseBool(strings.ToLower(text)); err != nil {
			return fault.At("$count", "%q is neither true nor false", text)
		}
		return nil
	},
	"$select": func(q *Query, text string) (err error) {
		q.Select, err = parseSelect(text)
		return err
	},
	"$search": func(q *Query, text string) error {
		q.Search = text
		return nil
	},
}

// ParseURL reads the options of a raw query string, as in URL.RawQuery; names
// may be percent-encoded, spaces written as + or %20. Names without a dollar
// sign are left to the face. Errors are fault.Invalid and name the option and,
// in an expression, the position of the character at fault, from 1.
func ParseURL(raw string) (Query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return Query{}, fault.New(fault.Invalid, "the query string can't be read: %w", err)
	}
	return Parse(values)
}

// Parse is ParseURL for options that are decoded already.
func Parse(values url.Values) (Query, error) { return parse(values, 0) }

func parse(values url.Values, depth int) (Query, error) {
	var q Query
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		texts := values[name]
		if !strings.HasPrefix(name, "$") {
			continue
		}
		option := strings.ToLower(name)
		if seen[option] || len(texts) > 1 {
			return q, fault.At(name, "it is given more than once")
		}
		seen[option] = true
		text := texts[0]
		if len(text) > longest {
			return q, fault.At(name, "it is longer than %d bytes", longest)
		}
		var err error
		if option == "$expand" { // not in the table, which it would make refer to itself
			q.Expand, err = parseExpand(text, depth)
		} else if read, ok := options[option]; ok {
			err = read(&q, text)
		} else {
			err = fault.At(name, "this option isn't known here; $filter, $orderby, $top, $skip, $skiptoken, $count, $select, $expand and $search are")
		}
		if err != nil {
			return q, err
		}
	}
	return q, nil
}

func parseCount(name, text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, fault.At(name, "%q isn't a whole number from 0 to %d", clip(text), 1<<31-1)
	}
	return int(n), nil
}

func parseOrder(text string) ([]Order, error) {
	p := &parser{option: "$orderby", text: text}
	var out []Order
	for {
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		o := Order{Path: path}
		switch {
		case p.word("desc"):
			o.Descending = true
		case p.word("asc"):
		}
		out = append(out, o)
		if !p.sign(",") {
			return out, p.end()
		}
	}
}

func parseSelect(text string) ([]string, error) {
	p := &parser{option: "$select", text: text}
	var out []string
	for {
		if p.sign("*") {
			out = append(out, "*")
		} else {
			path, err := p.path()
			if err != nil {
				return nil, err
			}
			out = append(out, path)
		}
		if !p.sign(",") {
			return out, p.end()
		}
	}
}

// parseExpand reads paths, each with options of its own in parentheses, parted
// by semicolons.
func parseExpand(text string, depth int) ([]Expand, error) {
	p := &parser{option: "$expand", text: text}
	if depth > 4 {
		return nil, p.fault("it is nested too deeply")
	}
	var out []Expand
	for {
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		e := Expand{Path: path}
		if p.sign("(") {
			inner, err := p.balanced()
			if err != nil {
				return nil, err
			}
			values := url.Values{}
			for _, part := range split(inner, ';') {
				name, value, ok := strings.Cut(part, "=")
				if name = strings.TrimSpace(name); !ok || !strings.HasPrefix(name, "$") {
					return nil, p.fault("%q in %s isn't an option such as $select=id", clip(part), path)
				}
				values.Add(name, strings.TrimSpace(value))
			}
			if e.Query, err = parse(values, depth+1); err != nil {
				return nil, fault.At("$expand", "%s: %w", path, err)
			}
		}
		out = append(out, e)
		if !p.sign(",") {
			return out, p.end()
		}
	}
}

// Selected reports whether $select leaves a property of the record itself in.
func (q Query) Selected(name string) bool {
	if len(q.Select) == 0 {
		return true
	}
	for _, s := range q.Select {
		first, _, _ := strings.Cut(s, "/")
		if s == "*" || strings.EqualFold(first, name) {
			return true
		}
	}
	return false
}

// Expanded gives the options of a navigation property, false if it wasn't asked for.
func (q Query) Expanded(path string) (Query, bool) {
	for _, e := range q.Expand {
		if strings.EqualFold(e.Path, path) {
			return e.Query, true
		}
	}
	return Query{}, false
}

// clip shortens what an error quotes of a client's text.
func clip(text string) string {
	const most = 60
	for i := range text {
		if i >= most {
			return text[:i] + "…"
		}
	}
	return text
}
