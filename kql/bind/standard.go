package bind

import (
	"slices"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// The standard columns of a workspace's tables can be named by a query though
// a table doesn't declare them, and aren't shown: they are hidden columns, marked
// with open and standardMark.
const standardMark = "="

// standard adds those that a table lacks to a scan of it.
func (b *binder) standard(n *plan.Scan, t *schema.Table) {
	if t.Side != schema.Workspace {
		return
	}
	for _, c := range b.env.Standard {
		if !slices.ContainsFunc(t.Columns, func(own schema.Column) bool { return own.Name == c.Name }) {
			n.Cols = append(n.Cols, b.column(open+standardMark+c.Name, c.Type))
			n.Source = append(n.Source, c.Name)
		}
	}
}
