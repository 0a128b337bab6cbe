package rewrite

import (
	"lockstep/kql/plan"
	"lockstep/schema"
)

// inlineOnce puts a shared node where its only reader is, so that conditions
// and unread columns meet its tables.
func inlineOnce(root plan.Node, _ schema.Ticks) plan.Node {
	reads := map[*plan.Shared]int{}
	within := map[*plan.Shared]bool{} // read inside of what runs for each row
	plan.Each(root, func(n plan.Node) {
		switch n := n.(type) {
		case *plan.Ref:
			reads[n.Shared]++
		case *plan.Apply:
			plan.Each(n.Sub, func(m plan.Node) {
				if r, ok := m.(*plan.Ref); ok {
					within[r.Shared] = true
				}
			})
		}
	})
	return plan.Replace(root, func(n plan.Node) plan.Node {
		r, ok := n.(*plan.Ref)
		if !ok || reads[r.Shared] != 1 || within[r.Shared] || ordered(r.Shared.Input) {
			return n
		}
		p := &plan.Project{Input: r.Shared.Input}
		for i, c := range r.Cols {
			from := plan.Column{ID: r.From[i], Type: c.Type}
			p.Items = append(p.Items, plan.Item{Column: c, X: from.Ref()})
		}
		return p
	})
}

// ordered tells whether rows come in an order that a shared node would forget.
func ordered(n plan.Node) bool {
	for {
		switch at := n.(type) {
		case *plan.Sort, *plan.Fold, *plan.Values, *plan.Series, *plan.Expand, *plan.Apply:
			return true
		case *plan.Project:
			n = at.Input
		case *plan.Filter:
			n = at.Input
		case *plan.Limit:
			n = at.Input
		default:
			return false
		}
	}
}
