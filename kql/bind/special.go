package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// special are the functions that a signature can't describe.
func specialCall(name string) func(*binder, *syntax.Call, ctx) plan.Expr {
	switch name {
	case "toscalar":
		return (*binder).toScalar
	case "iff", "case", "coalesce", "max_of", "min_of":
		return (*binder).choice
	case "column_ifexists":
		return (*binder).columnIfExists
	case "pack_all":
		return (*binder).packAll
	case "bag_pack_columns":
		return (*binder).packColumns
	case "replace":
		return (*binder).oldReplace
	case "row_number", "row_cumsum", "row_rank_dense", "row_rank_min", "row_rank", "prev", "next", "row_window_session":
		return (*binder).window
	case "extract", "extractjson":
		return (*binder).typed
	case "datetime", "date", "make_datetime":
		return (*binder).makeDatetime
	case "todynamic", "parse_json":
		return (*binder).parseJSON
	case "hasprefix", "has", "contains", "startswith", "endswith", "hassuffix":
		return (*binder).operatorCall
	case "hash_many":
		return (*binder).hashMany
	case "estimate_data_size":
		return (*binder).dataSize
	case "around":
		return (*binder).around
	case "make_timespan":
		return (*binder).makeTimespan
	case "percentile_tdigest":
		return (*binder).percentileOf
	case "series_fill_const":
		return (*binder).fillConst
	case "ingestion_time":
		return (*binder).ingestionTime
	case "bin_auto":
		return (*binder).binAuto
	case "column_names_of":
		return (*binder).columnNamesOf
	case "bin":
		return (*binder).bin
	case "iscolumnexists":
		return (*binder).isColumnExists
	case "isempty", "isnotempty", "isnull", "isnotnull":
		return (*binder).emptiness
	}
	return nil
}

func (b *binder) toScalar(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 1)
	if b.isTable(x.Args[0], c.scope) {
		return b.firstValue(b.tabular(x.Args[0], c.scope))
	}
	return b.scalar(x.Args[0], c)
}

// choice binds the functions whose result is one of their arguments.
func (b *binder) choice(x *syntax.Call, c ctx) plan.Expr {
	name := x.Func.Text
	f, _ := b.catalog.Function(name)
	if !f.Signatures[0].Accepts(len(x.Args)) || name == "case" && len(x.Args)%2 == 0 {
		b.fail(x.At(), "KQL132", "the function '%s' doesn't take %d arguments%s", name, len(x.Args), wants(f))
	}
	args := make([]plan.Expr, len(x.Args))
	isCondition := func(i int) bool {
		return name == "iff" && i == 0 || name == "case" && i%2 == 0 && i < len(args)-1
	}
	var t schema.Type
	several := false // values of types of which none is the other's
	if (name == "coalesce" || name == "max_of" || name == "min_of") && len(x.Args) < 2 {
		b.fail(x.At(), "KQL132", "the function '%s' wants at least two arguments", name)
	}
	for i, a := range x.Args {
		if isCondition(i) {
			args[i] = b.condition(a, c)
			continue
		}
		args[i] = b.scalar(a, c)
		if name == "coalesce" || name == "max_of" || name == "min_of" {
			b.related(a, name, t, args[i].Type())
		}
		if u := args[i].Type(); (name == "iff" || name == "case") && mixed(t, u) {
			t, several = schema.Dynamic, true
		} else if !b.untyped(args[i]) && !several {
			t = common(t, args[i].Type(), name == "coalesce")
		}
	}
	if t == schema.Invalid {
		t = schema.Dynamic
	}
	for i := range args {
		if !isCondition(i) {
			args[i] = b.convert(args[i], t)
		}
	}
	return call(name, t, args...)
}

// related refuses values of which none can be the other's type.
func (b *binder) related(at syntax.Expr, name string, t, u schema.Type) {
	if t == schema.Invalid || t == u || t == schema.Dynamic || u == schema.Dynamic || numeric(t) && numeric(u) {
		return
	}
	b.fail(at.At(), "KQL133", "the function '%s' wants values of one type, not a %s beside a %s", name, u, t)
}

// mixed tells that values of two types have none that both become: then the
// choice between them is dynamic. Source: the published binder.
func mixed(t, u schema.Type) bool {
	return t != schema.Invalid && t != u && t != schema.Dynamic && u != schema.Dynamic && !(numeric(t) && numeric(u))
}

// common is the type that values of both types become.
func common(a, b schema.Type, dynamicWins bool) schema.Type {
	switch {
	case a == schema.Invalid || a == b:
		return b
	case numeric(a) && numeric(b):
		return wider(a, b)
	case a == schema.Dynamic:
		if dynamicWins {
			return a
		}
		return b
	case b == schema.Dynamic:
		if dynamicWins {
			return b
		}
		return a
	case a == schema.String || b == schema.String:
		return schema.String
	}
	return a
}

func (b *binder) columnIfExists(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 2, 2)
	name, ok := b.constant(x.Args, 0, c.scope).(string)
	if !ok {
		b.fail(x.At(), "KQL135", "column_ifexists wants the column's name as a text")
	}
	if col, ok := c.row.find(name); ok {
		return col.Ref()
	}
	if v, ok := c.row.undeclared(name); ok && len(c.row.columns) > 0 {
		otherwise := b.scalar(x.Args[1], c)
		return call("coalesce", otherwise.Type(), b.convert(v, otherwise.Type()), otherwise)
	}
	return b.scalar(x.Args[1], c)
}

func (b *binder) isColumnExists(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 1)
	name, _ := b.constant(x.Args, 0, c.scope).(string)
	_, ok := c.row.find(name)
	return &plan.Const{Typ: schema.Bool, Value: ok}
}

func (b *binder) packAll(x *syntax.Call, c ctx) plan.Expr {
	ignore := false
	if len(x.Args) == 1 {
		ignore, _ = b.constant(x.Args, 0, c.scope).(bool)
	}
	var args []plan.Expr
	if c.row != nil {
		b.reveal(c.row.columns)
		for _, col := range c.row.columns {
			if !hidden(col) {
				args = append(args, &plan.Const{Typ: schema.String, Value: col.Name}, b.convert(col.Ref(), schema.Dynamic))
			}
		}
	}
	if ignore {
		return call("bag_pack_filled", schema.Dynamic, args...)
	}
	return call("bag_pack", schema.Dynamic, args...)
}

func (b *binder) packColumns(x *syntax.Call, c ctx) plan.Expr {
	var args []plan.Expr
	for _, a := range x.Args {
		name, _ := b.nameOf(a, c)
		args = append(args, &plan.Const{Typ: schema.String, Value: name}, b.convert(b.scalar(a, c), schema.Dynamic))
	}
	return call("bag_pack", schema.Dynamic, args...)
}

// oldReplace is replace(regex, rewrite, source): replace_regex in another order.
func (b *binder) oldReplace(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 3, 3)
	arg := func(i int) plan.Expr { return b.convert(b.scalar(x.Args[i], c), schema.String) }
	b.checkExpression(x.Args[0], arg(0), "so nothing is replaced")
	return call("replace_regex", schema.String, arg(2), arg(0), arg(1))
}

func (b *binder) window(x *syntax.Call, c ctx) plan.Expr {
	if c.unordered {
		b.fail(x.Func.Span, "KQL139", "the function '%s' needs rows in an order: put '| serialize' or '| sort by …' before it", x.Func.Text)
	}
	f, _ := b.catalog.Function(x.Func.Text)
	if !f.Signatures[0].Accepts(len(x.Args)) {
		b.fail(x.At(), "KQL132", "the function '%s' doesn't take %d arguments%s", x.Func.Text, len(x.Args), wants(f))
	}
	w := &plan.Window{Func: x.Func.Text, Typ: schema.Long}
	for _, a := range x.Args {
		w.Args = append(w.Args, b.scalar(a, c))
	}
	b.windowArguments(x, w)
	switch w.Func {
	case "prev", "next":
		if len(w.Args) > 1 {
			if k, ok := Fold(w.Args[1], b.env.Now).(*plan.Const); ok && k.Value == int64(0) {
				b.fail(x.Args[1].At(), "KQL137", "the offset of %s must be at least 1", w.Func)
			}
		}
		if len(w.Args) > 2 {
			if _, ok := Fold(w.Args[2], b.env.Now).(*plan.Const); !ok {
				b.fail(x.Args[2].At(), "KQL137", "the default of %s must be a constant", w.Func)
			}
		}
		w.Typ = w.Args[0].Type()
		if len(w.Args) == 3 {
			w.Args[2] = b.convert(w.Args[2], w.Typ)
		}
	case "row_cumsum", "row_window_session":
		if w.Args[0].Type() == schema.Decimal {
			b.unsupported(x.At(), w.Func+" of decimals")
		}
		w.Typ = w.Args[0].Type()
	}
	return w
}

// typed binds extract and extractjson, whose last argument may be a type.
func (b *binder) typed(x *syntax.Call, c ctx) plan.Expr {
	args := x.Args
	t := schema.String
	if n := len(args); n > 0 {
		if to, ok := args[n-1].(*syntax.TypeOf); ok {
			t, args = to.Type, args[:n-1]
		}
	}
	f, _ := b.catalog.Function(x.Func.Text)
	if !f.Signatures[0].Accepts(len(args)) {
		b.fail(x.At(), "KQL132", "the function '%s' doesn't take %d arguments%s", x.Func.Text, len(args), wants(f))
	}
	bound := make([]plan.Expr, len(args))
	for i, a := range args {
		bound[i] = b.argument(b.scalar(a, c), f.Signatures[0].Params[i])
	}
	b.checkExpressions(x, x.Func.Text, bound)
	return b.convert(call(x.Func.Text, schema.String, bound...), t)
}

func (b *binder) makeDatetime(x *syntax.Call, c ctx) plan.Expr {
	f, _ := b.catalog.Function("make_datetime")
	if len(x.Args) == 1 {
		return b.convert(b.scalar(x.Args[0], c), schema.DateTime)
	}
	args := make([]plan.Expr, len(x.Args))
	for i, a := range x.Args {
		args[i] = b.scalar(a, c)
	}
	return b.builtin(x, f, "make_datetime", args)
}

func (b *binder) parseJSON(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 1)
	v := b.scalar(x.Args[0], c)
	if v.Type() == schema.Dynamic { // a text inside is read
		return call("parse_inner", schema.Dynamic, v)
	}
	if v.Type() != schema.String {
		return b.convert(v, schema.Dynamic)
	}
	return Fold(call("parse_json", schema.Dynamic, v), b.env.Now)
}

// operatorCall: has(a, b) written as a function.
func (b *binder) operatorCall(x *syntax.Call, c ctx) plan.Expr {
	b.fail(x.Func.Span, "KQL131", "there is no function '%s'; write it between its operands: a %s b", x.Func.Text, x.Func.Text)
	return nil
}

func (b *binder) bin(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 2, 2)
	v, size := b.scalar(x.Args[0], c), b.scalar(x.Args[1], c)
	t := v.Type()
	switch {
	case numeric(t) && numeric(size.Type()):
		t = wider(t, size.Type())
		return call("bin", t, b.convert(v, t), b.convert(size, t))
	case t == schema.Dynamic && numeric(size.Type()):
		return call("bin", size.Type(), b.convert(v, size.Type()), size)
	case t == schema.Dynamic && size.Type() == schema.TimeSpan:
		v, t = b.convert(v, schema.DateTime), schema.DateTime
	}
	switch {
	case (t == schema.DateTime || t == schema.TimeSpan) && (size.Type() == schema.TimeSpan || size.Type() == schema.DateTime):
		return call("bin", t, v, size)
	}
	b.fail(x.At(), "KQL133", "the function 'bin' can't round a %s value to a %s", t, size.Type())
	return nil
}

func (b *binder) emptiness(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 1)
	v := b.scalar(x.Args[0], c)
	return call(x.Func.Text, schema.Bool, v)
}
