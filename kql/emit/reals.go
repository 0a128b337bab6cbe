package emit

import (
	"math"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// NaN is equal to nothing, not even itself, and neither less nor greater than
// anything; the engine holds it for equal to itself and the greatest real.

// canBeNaN tells whether x may give NaN.
func canBeNaN(x plan.Expr) bool {
	if x.Type() != schema.Real {
		return false
	}
	k, ok := x.(*plan.Const)
	if !ok {
		return true
	}
	f, ok := k.Value.(float64)
	return ok && math.IsNaN(f)
}

// simply gives x as something that can be named twice.
func (s *sel) simply(x plan.Expr) frag {
	f := s.expr(x)
	if !f.simple {
		f = s.hoist(f)
	}
	return f
}

func (s *sel) equalReals(c *plan.Call) frag {
	l, r := s.simply(c.Args[0]), s.simply(c.Args[1])
	f := textf("CASE WHEN %[1]s IS NULL AND %[2]s IS NULL THEN NULL WHEN isnan(%[1]s) THEN false ELSE %[1]s IS NOT DISTINCT FROM %[2]s END", l.text, r.text)
	f.level = max(l.level, r.level)
	if c.Func == "ne" {
		return f.wrap("(NOT ", ")")
	}
	return f.wrap("(", ")")
}

// ordering says less and greater.
func ordering(s *sel, c *plan.Call) frag {
	high := c.Args[0]
	if c.Func == "lt" || c.Func == "le" {
		high = c.Args[1]
	}
	args, types := s.args(c.Args)
	if !canBeNaN(high) {
		return s.apply(c.Func, args, types, c.Typ)
	}
	x := s.simply(high)
	f := s.apply(c.Func, args, types, c.Typ)
	g := f.and(text(" AND NOT isnan(")).and(x).and(text("))")).wrap("(", "")
	g.notNull = f.notNull
	return g
}

// most says max_of and min_of.
func most(s *sel, c *plan.Call) frag {
	args, _ := s.args(c.Args)
	greatest := join(", ", args).wrap("greatest(", ")")
	if c.Func == "max_of" {
		greatest.notNull = c.Typ == schema.String
		return greatest
	}
	f := join(", ", args).wrap("least(", ")")
	if c.Typ == schema.Real {
		f = greatest.wrap("CASE WHEN isnan(", ") THEN 'nan'::DOUBLE ELSE ").and(f).and(text(" END"))
	}
	f.notNull = c.Typ == schema.String
	return f
}
