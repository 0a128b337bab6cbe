package rewrite

import (
	"regexp"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// fieldsOfElements opens a list into the fields of its elements, where nobody
// reads more of an element than values under names that stand in the text: the
// list is then read once, not once as a list and once more for each element.
func fieldsOfElements(root plan.Node, _ schema.Ticks) plan.Node {
	readers := map[plan.Node][]plan.Node{}
	last := plan.ID(0)
	plan.Each(root, func(n plan.Node) {
		for _, in := range n.Inputs() {
			readers[in] = append(readers[in], n)
		}
		plan.Exprs(n, func(x plan.Expr) {
			for _, t := range plan.Tables(x) {
				readers[t] = append(readers[t], n, n) // more than one: the rows are a value
			}
		})
	})
	fresh := func() plan.ID {
		if last == 0 {
			last = plan.LastID(root)
		}
		last++
		return last
	}
	plan.Each(root, func(n plan.Node) {
		e, ok := n.(*plan.Expand)
		if !ok {
			return
		}
		for i := range e.Items {
			openFields(e, &e.Items[i], readers, fresh)
		}
	})
	return root
}

// fieldReads are the readers of an element's fields, and the fields that they read.
type fieldReads struct {
	element plan.ID
	nodes   []plan.Node
	passing []*plan.Project
	texts   map[string]bool // by key: read as text alone
	keys    []string
}

func openFields(e *plan.Expand, it *plan.Expanded, readers map[plan.Node][]plan.Node, fresh func() plan.ID) {
	if it.Arrays || it.Type != schema.Dynamic || len(it.Fields) > 0 {
		return
	}
	r := &fieldReads{element: it.ID, texts: map[string]bool{}}
	if !r.follow(e, readers) || len(r.keys) == 0 || !apartInAnyCase(r.keys) {
		return
	}
	columns := map[string]plan.Column{}
	var all []plan.Column
	for _, key := range r.keys {
		c := plan.Column{ID: fresh(), Name: key, Type: schema.Dynamic}
		if r.texts[key] {
			c.Type = schema.String
		}
		columns[key] = c
		all = append(all, c)
		it.Fields = append(it.Fields, plan.Field{Column: c, Key: key})
	}
	cols := e.Cols[:0:0]
	for _, c := range e.Cols {
		if c.ID != it.ID {
			cols = append(cols, c)
		}
	}
	e.Cols = append(cols, all...)
	for _, p := range r.passing {
		items := p.Items[:0:0]
		for _, item := range p.Items {
			if item.ID != r.element {
				items = append(items, item)
			}
		}
		p.Items = items
		for _, c := range all {
			p.Items = append(p.Items, plan.Item{Column: c, X: c.Ref()})
		}
	}
	for _, n := range r.nodes {
		plan.Change(n, func(x plan.Expr) plan.Expr { return r.replaced(x, columns) })
	}
}

// follow looks at what reads the rows of n, up to where the element is no longer
// among their columns: whether all read only fields.
func (r *fieldReads) follow(n plan.Node, readers map[plan.Node][]plan.Node) bool {
	for {
		if len(readers[n]) != 1 {
			return false
		}
		n = readers[n][0]
		switch at := n.(type) {
		case *plan.Filter, *plan.Sort, *plan.Limit:
			if !r.reads(n) {
				return false
			}
		case *plan.Aggregate:
			return r.reads(n)
		case *plan.Project:
			passes := false
			for _, it := range at.Items {
				if ref, ok := it.X.(*plan.ColumnRef); ok && ref.ID == r.element && it.ID == r.element {
					passes = true
					continue
				}
				if it.ID == r.element || !r.expression(it.X) {
					return false
				}
			}
			r.nodes = append(r.nodes, n)
			if !passes {
				return true
			}
			r.passing = append(r.passing, at)
		default:
			return false
		}
	}
}

func (r *fieldReads) reads(n plan.Node) bool {
	ok := true
	plan.Exprs(n, func(x plan.Expr) { ok = ok && r.expression(x) })
	r.nodes = append(r.nodes, n)
	return ok
}

// expression notes the fields that x reads; false where it reads the element otherwise.
func (r *fieldReads) expression(x plan.Expr) bool {
	ok := len(plan.Tables(x)) == 0
	plan.Walk(x, func(e plan.Expr) bool {
		asText := false
		if c, is := e.(*plan.Call); is && c.Func == "tostring" && r.key(c.Args[0]) != "" {
			asText, e = true, c.Args[0]
		}
		if key := r.key(e); key != "" {
			before, known := r.texts[key]
			if !known {
				r.keys = append(r.keys, key)
			}
			r.texts[key] = asText && (before || !known)
			return false
		}
		if ref, is := e.(*plan.ColumnRef); is && ref.ID == r.element {
			ok = false
		}
		return ok
	})
	return ok
}

// key is the name of the field of the element that x is; "" where it is none.
func (r *fieldReads) key(x plan.Expr) string {
	c, ok := x.(*plan.Call)
	if !ok || c.Func != "get" {
		return ""
	}
	if ref, ok := c.Args[0].(*plan.ColumnRef); !ok || ref.ID != r.element {
		return ""
	}
	k, ok := c.Args[1].(*plan.Const)
	if !ok || k.Typ != schema.String {
		return ""
	}
	if name, _ := k.Value.(string); fieldName.MatchString(name) {
		return name
	}
	return ""
}

// fieldName is a key that any engine takes as the name of a field.
var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// replaced reads the columns of fields instead of the element.
func (r *fieldReads) replaced(x plan.Expr, columns map[string]plan.Column) plan.Expr {
	return plan.Map(x, func(e plan.Expr) plan.Expr {
		if key := r.key(e); key != "" {
			return columns[key].Ref()
		}
		if c, ok := e.(*plan.Call); ok && c.Func == "tostring" {
			if ref, ok := c.Args[0].(*plan.ColumnRef); ok && ref.Typ == schema.String && columnOf(columns, ref.ID) {
				return ref
			}
		}
		return e
	})
}

func columnOf(columns map[string]plan.Column, id plan.ID) bool {
	for _, c := range columns {
		if c.ID == id {
			return true
		}
	}
	return false
}

// apartInAnyCase tells whether keys differ by more than case: fields of a row may not.
func apartInAnyCase(keys []string) bool {
	seen := map[string]bool{}
	for _, k := range keys {
		if seen[strings.ToLower(k)] {
			return false
		}
		seen[strings.ToLower(k)] = true
	}
	return true
}
