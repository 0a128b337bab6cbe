package rewrite

import (
	"slices"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// filterFirst filters the left side of an innerunique join before one row of
// each key is kept, where a condition after the join speaks of that side alone.
// Which row is kept is open; so it is one that the query asks for, if there is
// one. Source: Kusto, join innerunique, its second example.
func filterFirst(root plan.Node, _ schema.Ticks) plan.Node {
	plan.Each(root, func(n plan.Node) {
		f, ok := n.(*plan.Filter)
		if !ok {
			return
		}
		j, ok := f.Input.(*plan.Join)
		if !ok || j.Kind != "innerunique" {
			return
		}
		left := j.Left.Columns()
		var before, after []plan.Expr
		for _, part := range conjuncts(f.Predicate) {
			if about(part, left) {
				before = append(before, part)
			} else {
				after = append(after, part)
			}
		}
		if len(before) == 0 {
			return
		}
		first := *j
		first.Left = &plan.Filter{Input: j.Left, Predicate: all(before)}
		f.Input, f.Predicate = &first, all(after)
	})
	return root
}

func conjuncts(x plan.Expr) []plan.Expr {
	if c, ok := x.(*plan.Call); ok && c.Func == "and" {
		return c.Args
	}
	return []plan.Expr{x}
}

// all is true where every condition is.
func all(conditions []plan.Expr) plan.Expr {
	switch len(conditions) {
	case 0:
		return &plan.Const{Typ: schema.Bool, Value: true}
	case 1:
		return conditions[0]
	}
	return &plan.Call{Func: "and", Args: conditions, Typ: schema.Bool}
}

// about reports whether an expression reads columns, these alone, and gives the
// same for a row wherever it is asked.
func about(x plan.Expr, columns []plan.Column) bool {
	reads, only := false, true
	plan.Walk(x, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.ColumnRef:
			reads = true
			only = only && slices.ContainsFunc(columns, func(c plan.Column) bool { return c.ID == e.ID })
		case *plan.Call:
			only = only && !volatile[e.Func]
		case *plan.Const:
		default:
			only = false
		}
		return only
	})
	return reads && only
}
