package bind

import (
	"fmt"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
)

// origin is the text at hand while a saved function's is bound: its mistakes
// are told at the call in the query, with their place in the function.
type origin struct {
	name, text string
	at         syntax.Span // of the call in the query's own text
	from       *origin     // the function that calls it; nil for the query
}

// says places a mistake at a span of the function's text.
func (o *origin) says(at syntax.Span) string {
	before := o.text[:min(max(at.Start, 0), len(o.text))]
	out := fmt.Sprintf("in the function '%s'", o.name)
	for f := o.from; f != nil; f = f.from {
		out += fmt.Sprintf(", called by '%s'", f.name)
	}
	return fmt.Sprintf("%s, line %d, column %d: ", out, strings.Count(before, "\n")+1, len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))+1)
}

// add notes an error or a warning about the text at hand.
func (b *binder) add(e syntax.Error) {
	if b.origin != nil {
		e.Message = b.origin.says(e.Span) + e.Message
		e.Span = b.origin.at
	}
	b.errors = append(b.errors, e)
}

// reading makes another text the one at hand, until the function given back is called.
func (b *binder) reading(o *origin) (back func()) {
	was := b.origin
	b.origin = o
	return func() { b.origin = was }
}

// enterSaved makes a saved function's text the one at hand. One that is being
// bound already would call itself for ever.
func (b *binder) enterSaved(name string, f Function, x *syntax.Call) (back func()) {
	o := &origin{name: name, text: f.Body, at: x.At(), from: b.origin}
	chain := name
	for p := b.origin; p != nil; p = p.from {
		chain = p.name + " → " + chain
		if p.name == name {
			b.fail(x.At(), "KQL116", "the saved function '%s' calls itself: %s", name, chain)
		}
		o.at = p.at
	}
	return b.reading(o)
}

// ParseFunction reads a saved function. Errors are about its body, unless the
// parameters can't be read.
func ParseFunction(f Function) (*syntax.Lambda, []syntax.Error) {
	q, errors := syntax.ParseQuery("let f = (" + f.Parameters + ") { print 1 };")
	var lambda *syntax.Lambda
	if len(q.Statements) == 1 && len(errors) == 0 {
		if l, ok := q.Statements[0].(*syntax.Let); ok {
			lambda, _ = l.X.(*syntax.Lambda)
		}
	}
	if lambda == nil {
		return nil, []syntax.Error{{Code: "KQL117", Message: "its parameters can't be read: write them as 'a:string, n:long = 5, T:(*)'"}}
	}
	lambda.Body, errors = syntax.ParseQuery(f.Body)
	for _, e := range errors {
		if !e.Warning {
			return nil, []syntax.Error{e}
		}
	}
	return lambda, nil
}

// savedLambda reads a saved function once.
func (b *binder) savedLambda(name string, f Function, x *syntax.Call) *entity {
	if e := b.parsed[name]; e != nil {
		return e
	}
	lambda, errors := ParseFunction(f)
	if lambda == nil {
		e := errors[0]
		defer b.enterSaved(name, f, x)()
		b.fail(e.Span, "KQL112", "the saved function '%s' is not valid: %s", name, e.Message)
	}
	if b.parsed == nil {
		b.parsed = map[string]*entity{}
	}
	b.parsed[name] = &entity{lambda: lambda, scope: &scope{names: map[string]*entity{}}}
	return b.parsed[name]
}

// saved binds a call of a saved function that gives a table: its body sees its
// parameters, and no name of the caller's.
func (b *binder) saved(name string, f Function, x *syntax.Call, s *scope, piped plan.Node) plan.Node {
	e := b.savedLambda(name, f, x)
	inner := b.bindParams(name, e.lambda, e.scope, x, ctx{scope: s}, piped)
	defer b.enterSaved(name, f, x)()
	return b.query(e.lambda.Body, inner)
}

// savedValue binds a call of a saved function within an expression.
func (b *binder) savedValue(name string, f Function, x *syntax.Call, c ctx) plan.Expr {
	e := b.savedLambda(name, f, x)
	if b.lambdaIsTable(e) {
		return b.firstValue(b.saved(name, f, x, c.scope, nil))
	}
	inner := b.bindParams(name, e.lambda, e.scope, x, c, nil)
	defer b.enterSaved(name, f, x)()
	return b.bodyValue(name, e.lambda, x, inner)
}
