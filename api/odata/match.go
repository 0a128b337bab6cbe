package odata

import (
	"cmp"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"lockstep/schema"
)

// scope is where a path is looked up: the record, and the members that lambdas
// have named so far.
type scope struct {
	get    Get
	name   string // the innermost lambda's
	member any
	outer  *scope
}

func (s scope) lookup(path string) any {
	first, rest, deeper := strings.Cut(path, "/")
	for inner := &s; inner.outer != nil; inner = inner.outer {
		if inner.name != first {
			continue
		}
		if !deeper {
			return inner.member
		}
		if get, ok := inner.member.(Get); ok {
			v, _ := get(rest)
			return v
		}
		return nil
	}
	v, _ := s.root()(path)
	return v
}

func (s scope) root() Get {
	for s.outer != nil {
		s = *s.outer
	}
	return s.get
}

func (p Path) value(s scope) any  { return s.lookup(string(p)) }
func (l Literal) value(scope) any { return l.Value }
func (f Function) value(s scope) any {
	text, ok := plain(f.Of.value(s)).(string)
	if f.Name == "length" {
		if !ok {
			return nil
		}
		return int64(utf8.RuneCountInString(text))
	}
	if !ok {
		return nil
	}
	switch f.Name {
	case "tolower":
		return strings.ToLower(text)
	case "toupper":
		return strings.ToUpper(text)
	}
	return strings.TrimSpace(text)
}

// Match reports whether the record fits the comparison.
func (c Comparison) Match(get Get) bool { return c.match(scope{get: get}) }

// Match reports whether the record's text holds the other.
func (t Text) Match(get Get) bool { return t.match(scope{get: get}) }

// Match reports whether the record's value is one of the list.
func (m Membership) Match(get Get) bool { return m.match(scope{get: get}) }

// Match reports whether the record fits both, or one, of the conditions.
func (l Logic) Match(get Get) bool { return l.match(scope{get: get}) }

// Match reports whether the record doesn't fit.
func (n Not) Match(get Get) bool { return n.match(scope{get: get}) }

// Match reports whether members of the record's collection fit.
func (q Quantifier) Match(get Get) bool { return q.match(scope{get: get}) }

func (c Comparison) match(s scope) bool {
	a, b := c.Left.value(s), c.Right.value(s)
	switch c.Op {
	case "eq":
		return equal(a, b)
	case "ne":
		return !equal(a, b)
	}
	order, ok := compare(a, b)
	if !ok {
		return false
	}
	switch c.Op {
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

func (t Text) match(s scope) bool {
	in, ok1 := plain(t.In.value(s)).(string)
	what, ok2 := plain(t.What.value(s)).(string)
	if !ok1 || !ok2 {
		return false
	}
	in, what = fold(in), fold(what)
	switch t.Name {
	case "startswith":
		return strings.HasPrefix(in, what)
	case "endswith":
		return strings.HasSuffix(in, what)
	}
	return strings.Contains(in, what)
}

func (m Membership) match(s scope) bool {
	v := m.Of.value(s)
	for _, l := range m.In {
		if equal(v, l.Value) {
			return true
		}
	}
	return false
}

func (l Logic) match(s scope) bool {
	if l.Op == "and" {
		return l.Left.match(s) && l.Right.match(s)
	}
	return l.Left.match(s) || l.Right.match(s)
}

func (n Not) match(s scope) bool { return !n.Of.match(s) }

func (q Quantifier) match(s scope) bool {
	members := collection(s.lookup(q.Path))
	if q.Cond == nil {
		return len(members) > 0
	}
	for _, m := range members {
		if q.Cond.match(scope{name: q.Name, member: m, outer: &s}) != q.All {
			return !q.All
		}
	}
	return q.All
}

func collection(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	}
	return nil
}

// fold is the form in which texts compare: their case doesn't count, as it
// doesn't for the names, addresses and enumeration members of these services.
func fold(s string) string { return strings.ToLower(s) }

func equal(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	order, ok := compare(a, b)
	return ok && order == 0
}

// compare orders two values; ok is false if they are of kinds that have no
// order between them, or one is null. A text compares with a time or number
// as what it reads as.
func compare(a, b any) (order int, ok bool) {
	a, b = plain(a), plain(b)
	if text, isText := a.(string); isText {
		a = readAs(text, b)
	}
	if text, isText := b.(string); isText {
		b = readAs(text, a)
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return strings.Compare(fold(x), fold(y)), ok
	case bool:
		y, ok := b.(bool)
		return btoi(x) - btoi(y), ok
	case schema.Ticks:
		y, ok := b.(schema.Ticks)
		return cmp.Compare(x, y), ok
	case int64:
		switch y := b.(type) {
		case int64:
			return cmp.Compare(x, y), true
		case float64:
			return cmp.Compare(float64(x), y), true
		}
	case float64:
		switch y := b.(type) {
		case int64:
			return cmp.Compare(x, float64(y)), true
		case float64:
			return cmp.Compare(x, y), true
		}
	}
	return 0, false
}

// plain gives a value as one of the few types that compare knows.
func plain(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case time.Time:
		return schema.At(v)
	case nil, string, bool, int64, float64, schema.Ticks:
		return v
	}
	switch r := reflect.ValueOf(v); r.Kind() { // a type of the face's own, such as an enumeration
	case reflect.String:
		return r.String()
	case reflect.Bool:
		return r.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int()
	}
	return v
}

// readAs reads a text as a value of the kind of another one, if it is one.
func readAs(text string, like any) any {
	switch like.(type) {
	case schema.Ticks:
		if t, err := schema.ParseTicks(text); err == nil {
			return t
		}
	case int64, float64:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	case bool:
		if text == "true" || text == "false" {
			return text == "true"
		}
	}
	return text
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Compare orders two records by $orderby; 0 if it makes no difference, so that
// the caller's own order holds. No value comes before every value.
func Compare(orders []Order, a, b Get) int {
	for _, o := range orders {
		x, _ := a(o.Path)
		y, _ := b(o.Path)
		c := 0
		switch {
		case x == nil && y == nil:
		case x == nil:
			c = -1
		case y == nil:
			c = 1
		default:
			c, _ = compare(x, y)
		}
		if o.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}
