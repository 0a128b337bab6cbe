package bind

import (
	"slices"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// The operand types that the engine refuses. Source: the published binder's
// verdicts on each operator and type.

// textual tells whether a value can stand beside an operator on texts.
func textual(t schema.Type) bool { return t == schema.String || t == schema.Dynamic }

// textOperands checks both sides of an operator on texts, such as has or =~.
func (b *binder) textOperands(at syntax.Span, op string, l, r plan.Expr) {
	for _, x := range []plan.Expr{l, r} {
		if !textual(x.Type()) {
			b.fail(at, "KQL125", "the operator '%s' is not defined for %s and %s; tostring() makes a text of a value", op, l.Type(), r.Type())
		}
	}
}

// orderable types are the groups within which one value is less than another.
var orderable = [][]schema.Type{
	{schema.Int, schema.Long, schema.Real, schema.Decimal, schema.Bool, schema.Dynamic},
	{schema.DateTime, schema.Dynamic}, {schema.TimeSpan, schema.Dynamic}, {schema.Guid, schema.Dynamic},
}

// inOrder checks the sides of <, <=, > and >=.
func (b *binder) inOrder(at syntax.Span, op string, operands ...plan.Expr) {
	for _, group := range orderable {
		if !slices.ContainsFunc(operands, func(x plan.Expr) bool { return !slices.Contains(group, x.Type()) }) {
			return
		}
	}
	l, r := operands[0], operands[1]
	for _, x := range operands[1:] {
		if r.Type() == l.Type() {
			r = x
		}
	}
	hint := ""
	switch {
	case l.Type() == schema.String && r.Type() == schema.String:
		hint = "; texts are compared by strcmp()"
	case r.Type() == schema.String:
		hint = "; convert the text: " + conversions[l.Type()] + "(…)"
	case l.Type() == schema.String:
		hint = "; convert the text: " + conversions[r.Type()] + "(…)"
	}
	b.fail(at, "KQL125", "the operator '%s' is not defined for %s and %s%s", op, l.Type(), r.Type(), hint)
}

// readable warns of a constant text that is compared with another type and can't be read as one.
func (b *binder) readable(at syntax.Expr, x plan.Expr, other schema.Type) {
	k, ok := Fold(x, b.env.Now).(*plan.Const)
	if !ok || k.Typ != schema.String || other == schema.Dynamic || other == schema.String {
		return
	}
	if to, ok := constantAs(k, other); ok && to.Value == nil && k.Value != "" {
		b.warn(at.At(), "KQL016", "'%v' can't be read as a %s: no value is equal to it", k.Value, other)
	}
}

// warn says once a place what a reader must know.
func (b *binder) warn(at syntax.Span, code, format string, args ...any) {
	errors := len(b.errors)
	b.report(at, code, format, args...)
	if len(b.errors) > errors {
		b.errors[len(b.errors)-1].Warning = true
	}
}

// whole gives a number of rows, which must be a whole one and not a negative one.
func (b *binder) whole(x syntax.Expr, s *scope, what string) plan.Expr {
	v := Fold(b.scalar(x, ctx{scope: s}), b.env.Now)
	if t := v.Type(); t != schema.Long && t != schema.Int && t != schema.Dynamic {
		b.fail(x.At(), "KQL156", "%s wants a whole number, not a %s", what, t)
	}
	v = Fold(b.convert(v, schema.Long), b.env.Now)
	if k, ok := v.(*plan.Const); ok {
		if n, ok := k.Value.(int64); ok && n < 0 {
			b.fail(x.At(), "KQL156", "%s wants a number that isn't negative", what)
		}
	}
	return v
}

// chosen gives an option's value, one of words; otherwise where it isn't given.
func (b *binder) chosen(op syntax.Operator, options []syntax.Option, name, otherwise string, words ...string) string {
	written := word(options, name, "")
	x, given := option(options, name)
	if !given {
		return otherwise
	}
	if !slices.Contains(words, written) {
		if written == "" {
			written = "this"
		}
		b.fail(x.At(), "KQL154", "'%s' is no value of '%s' for %s%s", written, name, op.Keyword(), oneOf(written, slices.Clone(words)))
	}
	return written
}

// known refuses options that an operator doesn't have.
func (b *binder) known(op syntax.Operator, options []syntax.Option, names ...string) {
	for _, o := range options {
		if !slices.Contains(names, o.Name.Text) {
			b.fail(o.Name.Span, "KQL155", "%s has no option '%s'%s", op.Keyword(), o.Name.Text, oneOf(o.Name.Text, slices.Clone(names)))
		}
	}
}
