package bind

import (
	"maps"
	"slices"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// A table that has columns which nobody declared (AzureDiagnostics, what
// bag_unpack gives) shows those that the text names: from the operator on that
// names one it is a column like others, behind those declared. Its type isn't
// known: beside a value of another type it is of that one.
// Source: the published binder's rules for open tables.

// shown binds an operator over rows with a hidden bag: once to see which
// columns it names, and where there are some once more over rows that have them.
func (b *binder) shown(n plan.Node, op syntax.Operator, s *scope) plan.Node {
	row := b.rowFor(n)
	if !row.open() {
		return b.operator(n, op, s)
	}
	row.inferred = nil
	before := *b
	names, own := maps.Clone(s.names), maps.Clone(b.unfolds.open)
	out := b.operator(n, op, s)
	if len(row.inferred) == 0 {
		return out
	}
	p := &plan.Project{Input: n, Items: keepAll(n.Columns()), Extends: true}
	for _, name := range row.inferred {
		x, ok := row.undeclared(name)
		if _, standard := x.(*plan.ColumnRef); !ok || standard {
			continue
		}
		it := b.item(name, x)
		if x.Type() == schema.Dynamic {
			before.unknown = b.guess(it.ID)
		}
		p.Items = append(p.Items, it)
	}
	last, seen := b.last, b.seen
	*b = before
	b.last, b.seen, b.unfolds.open = last, seen, own
	s.names = names
	return b.operator(p, op, s)
}

// open tells that columns can be named that aren't declared.
func (r *row) open() bool {
	return r != nil && slices.ContainsFunc(r.columns, func(c plan.Column) bool {
		return hidden(c) && c.Type == schema.Dynamic && !strings.HasPrefix(c.Name, open+standardMark)
	})
}

// infer notes that a name is taken for a column that nobody declared.
func (r *row) infer(name string) {
	if r != nil && !slices.Contains(r.inferred, name) {
		r.inferred = append(r.inferred, name)
	}
}

// guess notes a column whose type isn't known.
func (b *binder) guess(id plan.ID) map[plan.ID]bool {
	if b.unknown == nil {
		b.unknown = map[plan.ID]bool{}
	}
	b.unknown[id] = true
	return b.unknown
}

// untyped tells that nobody knows a value's type.
func (b *binder) untyped(x plan.Expr) bool {
	ref, ok := x.(*plan.ColumnRef)
	return ok && b.unknown[ref.ID]
}
