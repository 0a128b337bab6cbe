// Package rewrite betters a plan without changing what it gives: rules with
// names, each of which could be left out. It leaves engines to emit.
package rewrite

import (
	"lockstep/kql/bind"
	"lockstep/kql/plan"
	"lockstep/schema"
)

// Rule is one way to better a plan.
type Rule struct {
	Name  string
	Apply func(root plan.Node, now schema.Ticks) plan.Node
}

// Rules in the order in which they run.
func Rules() []Rule {
	return []Rule{
		{"constants", constants},
		{"inline what is read once", inlineOnce},
		{"merge filters", mergeFilters},
		{"filter first", filterFirst},
		{"prune columns", pruneColumns},
		{"keys first", keysFirst},
		{"fields of elements", fieldsOfElements},
	}
}

// Plan applies every rule.
func Plan(root plan.Node, now schema.Ticks) plan.Node {
	for _, r := range Rules() {
		root = r.Apply(root, now)
	}
	return root
}

// constants computes what doesn't depend on rows.
func constants(root plan.Node, now schema.Ticks) plan.Node {
	fold := func(x plan.Expr) plan.Expr { return bind.Fold(x, now) }
	plan.EachExpr(root, func(x plan.Expr) plan.Expr { return plan.Map(x, fold) })
	return root
}

// mergeFilters makes one condition of filters that follow each other.
func mergeFilters(root plan.Node, _ schema.Ticks) plan.Node {
	plan.Each(root, func(n plan.Node) {
		f, ok := n.(*plan.Filter)
		for ok {
			below, is := f.Input.(*plan.Filter)
			if !is || plan.HasWindow(f.Predicate) || plan.HasWindow(below.Predicate) {
				return
			}
			f.Predicate = and(below.Predicate, f.Predicate)
			f.Input = below.Input
		}
	})
	return root
}

func and(x, y plan.Expr) plan.Expr {
	var parts []plan.Expr
	for _, e := range []plan.Expr{x, y} {
		if c, ok := e.(*plan.Call); ok && c.Func == "and" {
			parts = append(parts, c.Args...)
			continue
		}
		parts = append(parts, e)
	}
	return &plan.Call{Func: "and", Args: parts, Typ: schema.Bool}
}
