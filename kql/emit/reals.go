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
	f := expandTemplate("CASE WHEN {0} IS NULL AND {1} IS NULL THEN NULL WHEN {2} THEN false ELSE {0} IS NOT DISTINCT FROM {1} END", []frag{l, r, s.e.say("is nan", l)}, nil)
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
	g := f.and(text(" AND NOT ")).and(s.e.say("is nan", x)).wrap("(", ")")
	g.notNull = f.notNull
	return g
}

// most says max_of and min_of.
func most(s *sel, c *plan.Call) frag {
	args, _ := s.args(c.Args)
	if c.Typ == schema.Decimal {
		for i := range args {
			args[i] = s.decimalKey(args[i])
		}
		fn := map[string]string{"max_of": "greatest(", "min_of": "least("}[c.Func]
		return join(", ", args).wrap("kql_decimal_value("+fn, "))")
	}
	greatest := join(", ", args).wrap("greatest(", ")")
	if c.Typ == schema.Real {
		greatest = s.e.say("greatest of reals", args...)
	}
	if c.Func == "max_of" {
		greatest.notNull = c.Typ == schema.String
		return greatest
	}
	f := join(", ", args).wrap("least(", ")")
	if c.Typ == schema.Real {
		f = text("CASE WHEN ").and(s.e.say("is nan", greatest)).and(text(" THEN ")).and(s.e.say("nan")).and(text(" ELSE ")).and(f).and(text(" END"))
	}
	f.notNull = c.Typ == schema.String
	return f
}

// decimalKey says a text that sorts as a decimal does; null for null.
func (s *sel) decimalKey(x frag) frag {
	key := s.native("decimal_key", []frag{x}, []schema.Type{schema.Decimal}, schema.String)
	key.text, key.notNull = "nullif("+key.text+", '')", false
	return key
}
