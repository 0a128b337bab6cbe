package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// Calls that are said with other calls.

// hashMany combines the hashes of its arguments.
func (b *binder) hashMany(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 64)
	b.caution(x, "hash_many")
	args := make([]plan.Expr, len(x.Args))
	for i, a := range x.Args {
		args[i] = call("hash", schema.Long, b.scalar(a, c))
	}
	return call("hash_combine", schema.Long, args...)
}

// sizes are how many bytes a value of each type takes; a text takes its own.
var sizes = map[schema.Type]int64{schema.Bool: 1, schema.Int: 4, schema.Long: 8, schema.Real: 8, schema.DateTime: 8, schema.TimeSpan: 8, schema.Guid: 16, schema.Decimal: 16}

// dataSize adds up the sizes of its arguments, or of all columns. A dynamic
// value counts as its text and eight bytes. Source: Kusto, estimate_data_size.
func (b *binder) dataSize(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 64)
	var args []plan.Expr
	for _, a := range x.Args {
		if !isStar(a) || c.row == nil {
			args = append(args, b.scalar(a, c))
			continue
		}
		for _, col := range c.row.columns {
			if !hidden(col) {
				args = append(args, col.Ref())
			}
		}
	}
	fixed := int64(0)
	var sum plan.Expr
	for _, a := range args {
		fixed += sizes[a.Type()]
		switch a.Type() {
		case schema.Dynamic:
			fixed += 8
			a = b.convert(a, schema.String)
		case schema.String:
		default:
			continue
		}
		size := call("string_size", schema.Long, a)
		if sum != nil {
			size = call("add", schema.Long, sum, size)
		}
		sum = size
	}
	n := &plan.Const{Typ: schema.Long, Value: fixed}
	if sum == nil {
		return n
	}
	return call("add", schema.Long, sum, n)
}

// roundWhole rounds a whole number: it changes only where digits before its point are dropped.
func (b *binder) roundWhole(args []plan.Expr) plan.Expr {
	whole := args[0]
	if len(args) == 1 {
		return whole
	}
	dropped := b.convert(call("round", schema.Real, b.convert(whole, schema.Real), args[1]), whole.Type())
	return call("iff", whole.Type(), call("ge", schema.Bool, args[1], nought()), whole, dropped)
}

// around: from center - delta to center + delta.
func (b *binder) around(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 3, 3)
	two := func(op string, l, r syntax.Expr) syntax.Expr {
		return &syntax.Binary{Span: x.At(), Op: op, X: l, Y: r}
	}
	v, center, delta := x.Args[0], x.Args[1], x.Args[2]
	return b.scalar(two("and", two(">=", v, two("-", center, delta)), two("<=", v, two("+", center, delta))), c)
}

func (b *binder) makeTimespan(x *syntax.Call, c ctx) plan.Expr {
	f, _ := b.catalog.Function("make_timespan")
	if len(x.Args) == 1 {
		return b.convert(b.scalar(x.Args[0], c), schema.TimeSpan)
	}
	args := make([]plan.Expr, len(x.Args))
	for i, a := range x.Args {
		args[i] = b.scalar(a, c)
	}
	last := len(args) - 1
	if last < 2 || args[last].Type() != schema.Real {
		return b.builtin(x, f, "make_timespan", args)
	}
	seconds := call("scale", schema.TimeSpan, ticks(schema.TimeSpan, schema.Second), args[last])
	args[last] = &plan.Const{Typ: schema.Long, Value: int64(0)}
	return call("add", schema.TimeSpan, b.builtin(x, f, "make_timespan", args), seconds)
}

// percentileOf binds percentile_tdigest, whose last argument may be a type.
func (b *binder) percentileOf(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 2, 3)
	v := call("percentile_tdigest", schema.Dynamic, b.convert(b.scalar(x.Args[0], c), schema.Dynamic), b.convert(b.scalar(x.Args[1], c), schema.Real))
	if len(x.Args) < 3 {
		return v
	}
	t, ok := x.Args[2].(*syntax.TypeOf)
	if !ok {
		b.fail(x.Args[2].At(), "KQL133", "percentile_tdigest wants a type here: typeof(long)")
	}
	if t.Type == schema.DateTime || t.Type == schema.TimeSpan { // a digest holds ticks
		return b.convert(b.convert(v, schema.Long), t.Type)
	}
	return b.convert(v, t.Type)
}

// fillConst fills with zero where no value is given.
func (b *binder) fillConst(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 3)
	f, _ := b.catalog.Function("series_fill_const")
	args := make([]plan.Expr, len(x.Args))
	for i, a := range x.Args {
		args[i] = b.scalar(a, c)
	}
	if len(args) == 1 {
		args = append(args, &plan.Const{Typ: schema.Long, Value: int64(0)})
	}
	return b.builtin(x, f, "series_fill_const", args)
}
