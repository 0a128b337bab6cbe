package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// choose binds the query that a pattern has for these arguments and this path.
func (b *binder) choose(e *entity, x *syntax.Call, path string, s *scope) plan.Node {
	p := e.pattern
	if len(x.Args) != len(p.Params) {
		b.fail(x.At(), "KQL113", "the pattern '%s' takes %d arguments", p.Name.Text, len(p.Params))
	}
	inner := e.scope.child()
	given := make([]any, len(x.Args))
	for i, a := range x.Args {
		k, ok := Fold(b.convert(b.scalar(a, ctx{scope: s}), p.Params[i].Type), b.env.Now).(*plan.Const)
		if !ok {
			b.fail(a.At(), "KQL192", "the arguments of a pattern must be constants")
		}
		given[i] = k.Value
		inner.names[p.Params[i].Name.Text] = &entity{scalar: k}
	}
	if p.Path != "" {
		inner.names[p.Path] = &entity{scalar: &plan.Const{Typ: schema.String, Value: path}}
	}
cases:
	for _, c := range p.Cases {
		if len(c.Args) != len(given) {
			continue
		}
		for i, a := range c.Args {
			k, ok := Fold(b.convert(b.scalar(a, ctx{scope: e.scope}), p.Params[i].Type), b.env.Now).(*plan.Const)
			if !ok || k.Value != given[i] {
				continue cases
			}
		}
		if c.Path != nil {
			k, ok := Fold(b.scalar(c.Path, ctx{scope: e.scope}), b.env.Now).(*plan.Const)
			if !ok || k.Value != path {
				continue
			}
		}
		return b.query(c.Body, inner)
	}
	b.fail(x.At(), "KQL193", "the pattern '%s' has no query for these arguments", p.Name.Text)
	return nil
}

// patternOf finds the pattern that a call names.
func (s *scope) patternOf(x syntax.Expr) (*entity, *syntax.Call) {
	if call, ok := unparen(x).(*syntax.Call); ok {
		if e, ok := s.find(call.Func.Text); ok && e.pattern != nil {
			return e, call
		}
	}
	return nil, nil
}
