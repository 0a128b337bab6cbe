package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// axis checks the ends and the step of range and make-series: numbers go by
// numbers, times and lengths of time by lengths of time, and none by nothing.
func (b *binder) axis(at syntax.Expr, from, to, step plan.Expr) {
	f, t, s := from.Type(), to.Type(), step.Type()
	is := func(u schema.Type, kinds ...schema.Type) bool {
		for _, k := range kinds {
			if u == k {
				return true
			}
		}
		return u == schema.Dynamic
	}
	number := []schema.Type{schema.Int, schema.Long, schema.Real, schema.Decimal}
	ok := is(f, number...) && is(t, number...) && is(s, number...) ||
		is(f, schema.DateTime) && is(t, schema.DateTime) && is(s, schema.TimeSpan) ||
		is(f, schema.TimeSpan) && is(t, schema.TimeSpan) && is(s, schema.TimeSpan)
	if !ok {
		b.fail(at.At(), "KQL157", "a %s is no step from a %s to a %s", s, f, t)
	}
	if k, ok := Fold(step, b.env.Now).(*plan.Const); ok && (k.Value == int64(0) || k.Value == float64(0)) {
		b.fail(at.At(), "KQL157", "a step of 0 leads nowhere")
	}
}

// fits warns of a constant in a datatable that its column can't hold.
func (b *binder) fits(at syntax.Expr, v plan.Expr, col plan.Column) {
	k, ok := Fold(v, b.env.Now).(*plan.Const)
	if !ok || k.Value == nil || k.Typ == col.Type || k.Typ == schema.Dynamic || k.Value == "" {
		return
	}
	if k.Typ != schema.String {
		if n, whole := k.Value.(int64); whole && col.Type == schema.Int && numeric(k.Typ) && n != int64(int32(n)) {
			b.warn(at.At(), "KQL016", "the column '%s' is an int: %d is too large for it and becomes null", col.Name, n)
		}
		return
	}
	switch col.Type {
	case schema.Long, schema.Int:
		if _, ok := syntax.ParseInteger(k.Value.(string)); ok {
			return
		}
	case schema.DateTime, schema.TimeSpan, schema.Guid:
		if to, ok := constantAs(k, col.Type); !ok || to.Value != nil {
			return
		}
	default:
		return
	}
	b.warn(at.At(), "KQL016", "the column '%s' is a %s: the text '%v' becomes null", col.Name, col.Type, k.Value)
}

// windowArguments checks the types of what functions of neighbouring rows are given.
func (b *binder) windowArguments(x *syntax.Call, w *plan.Window) {
	want := func(i int, what string, kinds ...schema.Type) {
		if i >= len(w.Args) {
			return
		}
		for _, k := range kinds {
			if w.Args[i].Type() == k {
				return
			}
		}
		b.fail(x.Args[i].At(), "KQL133", "the function '%s' wants %s here, not a %s", w.Func, what, w.Args[i].Type())
	}
	switch w.Func {
	case "prev", "next":
		want(1, "a whole number", schema.Int, schema.Long)
	case "row_number":
		want(0, "a whole number", schema.Int, schema.Long)
		want(1, "a condition", schema.Bool)
	case "row_cumsum":
		want(0, "a number or a length of time", schema.Int, schema.Long, schema.Real, schema.Decimal, schema.TimeSpan, schema.Dynamic)
		want(1, "a condition", schema.Bool, schema.Dynamic)
	case "row_window_session":
		want(0, "a datetime", schema.DateTime, schema.Dynamic)
		want(1, "a timespan", schema.TimeSpan, schema.Dynamic)
		want(2, "a timespan", schema.TimeSpan, schema.Dynamic)
		want(3, "a condition", schema.Bool, schema.Dynamic)
	}
}
