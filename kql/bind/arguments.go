package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// hasColumns refuses a table that lacks what a function's parameter declares.
func (b *binder) hasColumns(at syntax.Span, n plan.Node, p syntax.Parameter) {
	row := newRow(n)
	for _, want := range p.Columns {
		col, ok := row.find(want.Name.Text)
		if !ok {
			if _, ok = row.loosely(want.Name.Text); ok {
				continue
			}
			if _, ok = row.undeclared(want.Name.Text); ok {
				continue
			}
			b.fail(at, "KQL158", "the table for '%s' lacks the column '%s'", p.Name.Text, want.Name.Text)
		}
		if col.Type != want.Type && !(numeric(col.Type) && numeric(want.Type)) && col.Type != schema.Dynamic && want.Type != schema.Dynamic {
			b.fail(at, "KQL158", "the table for '%s' has the column '%s' as a %s, not a %s", p.Name.Text, want.Name.Text, col.Type, want.Type)
		}
	}
}
