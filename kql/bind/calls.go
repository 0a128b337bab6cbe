package bind

import (
	"regexp"
	"strings"

	"lockstep/kql/catalog"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// conversions by target type.
var conversions = map[schema.Type]string{
	schema.Bool: "tobool", schema.Int: "toint", schema.Long: "tolong", schema.Real: "toreal", schema.Decimal: "todecimal",
	schema.String: "tostring", schema.DateTime: "todatetime", schema.TimeSpan: "totimespan", schema.Guid: "toguid", schema.Dynamic: "todynamic",
}

// convert makes x a value of type t.
func (b *binder) convert(x plan.Expr, t schema.Type) plan.Expr {
	if x.Type() == t || t == schema.Invalid {
		return x
	}
	if k, ok := x.(*plan.Const); ok {
		if v, ok := constantAs(k, t); ok {
			return v
		}
	}
	return call(conversions[t], t, x)
}

// canonical are further names of one function, beside the catalogue's old names.
var canonical = map[string]string{
	"iif": "iff", "todouble": "toreal", "toboolean": "tobool", "floor": "bin", "extract_json": "extractjson", "parsejson": "parse_json",
	"toobject": "parse_json", "array_strcat": "strcat_array", "array_iif": "array_iff", "datepart": "datetime_part", "totime": "totimespan",
	"monthofyear": "getmonth", "weekofyear": "week_of_year", "make_string": "unicode_codepoints_to_string", "to_utf8": "unicode_codepoints_from_string",
	"base64_encodestring": "base64_encode_tostring", "base64_decodestring": "base64_decode_tostring", "parseurl": "parse_url", "parseurlquery": "parse_urlquery",
	"notnull": "isnotnull", "notempty": "isnotempty", "columnifexists": "column_ifexists", "arraylength": "array_length", "extractall": "extract_all",
	"pack": "bag_pack", "pack_dictionary": "bag_pack", "array_sum": "series_sum", "extentid": "extent_id", "hash_xxhash64": "hash",
}

// texts tells how many first arguments of a function are taken as text whatever they are; -1 for all.
var texts = map[string]int{
	"strcat": -1, "strcat_delim": -1, "tolower": 1, "toupper": 1, "substring": 1, "indexof": 2, "indexof_regex": 2, "reverse": 1, "split": 2, "strcmp": 2,
	"strrep": 1, "regex_quote": 1, "parse_command_line": 1, "unicode_codepoints_from_string": 1, "strlen": 1, "string_size": 1, "isascii": 1, "isutf8": 1,
	"has_any_index": 1, "has_ipv4": 1, "has_ipv4_prefix": 1, "has_any_ipv4": 1, "has_any_ipv4_prefix": 1, "ipv4_is_in_any_range": 1, "ipv6_is_in_any_range": 1,
	"format_ipv4": 1, "format_ipv4_mask": 1, "parse_csv": 1, "parse_xml": 1, "toguid": 1,
}

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

func (b *binder) call(x *syntax.Call, c ctx) plan.Expr {
	defer b.enter(x.At())()
	name := x.Func.Text
	if e, ok := c.scope.find(name); ok && e.lambda != nil {
		return b.inline(name, e, x, c)
	}
	if c.aggs != nil {
		if _, ok := b.catalog.Aggregate(name); ok && !c.aggs.inside {
			return b.aggregateCall(x, c)
		}
	}
	if to := canonical[name]; to != "" {
		name = to
	}
	if f := specialCall(name); f != nil {
		return f(b, &syntax.Call{Span: x.Span, Func: syntax.Name{Span: x.Func.Span, Text: name}, Args: x.Args}, c)
	}
	if typ, ok := schema.ParseType(name); ok && len(x.Args) == 1 { // long(x), bool(x)
		return b.convert(b.scalar(x.Args[0], c), typ)
	}
	f, ok := b.catalog.Function(name)
	if !ok {
		if _, isAgg := b.catalog.Aggregate(name); isAgg {
			b.fail(x.Func.Span, "KQL130", "the aggregate '%s' can only stand in summarize or make-series", name)
		}
		if s, ok := b.env.Functions[name]; ok {
			return b.firstValue(b.saved(name, s, x, c.scope, nil))
		}
		b.fail(x.Func.Span, "KQL131", "there is no function '%s'%s", name, didYouMean(name, append(b.catalog.Names(false), c.scope.all()...)))
	}
	args := make([]plan.Expr, 0, len(x.Args))
	for _, a := range x.Args {
		if t, ok := a.(*syntax.TypeOf); ok {
			args = append(args, &plan.Const{Typ: schema.String, Value: t.Type.String()})
			continue
		}
		if isStar(a) && c.row != nil { // estimate_data_size(*), pack_array(*)
			for _, col := range c.row.columns {
				if !hidden(col) {
					args = append(args, col.Ref())
				}
			}
			continue
		}
		args = append(args, b.scalar(a, c))
	}
	return b.builtin(x, f, name, args)
}

// builtin checks and converts arguments by the catalogue.
func (b *binder) builtin(x *syntax.Call, f *catalog.Function, name string, args []plan.Expr) plan.Expr {
	sig := b.signature(x, f, name, args)
	for i := range args {
		p := sig.Param(i, len(args))
		if n, ok := texts[name]; ok && (n < 0 || i < n) {
			args[i] = b.convert(args[i], schema.String)
			continue
		}
		if strings.HasPrefix(name, "array_sort_") { // a last argument may be a flag, or one more array
			args[i] = b.convert(args[i], schema.Dynamic)
			continue
		}
		args[i] = b.argument(args[i], p)
	}
	b.checkConstants(x, name, args)
	b.caution(x, name)
	if name == "extract_all" {
		if k, ok := Fold(args[0], b.env.Now).(*plan.Const); ok {
			if re, err := regexp.Compile(k.Value.(string)); err == nil && re.NumSubexp() == 0 {
				b.fail(x.At(), "KQL138", "the expression of extract_all needs at least one capture group")
			}
		}
	}
	t := b.resultType(sig, name, args)
	return Fold(call(name, t, args...), b.env.Now)
}

// signature finds the one that the arguments fit.
func (b *binder) signature(x *syntax.Call, f *catalog.Function, name string, args []plan.Expr) catalog.Signature {
	var near *catalog.Signature
	for _, s := range f.Signatures { // a dynamic fits a dynamic parameter before one that it would be converted to
		if s.Accepts(len(args)) && exactly(s, args) {
			return s
		}
	}
	for i, s := range f.Signatures {
		if !s.Accepts(len(args)) {
			continue
		}
		fits := true
		for j, a := range args {
			fits = fits && s.Param(j, len(args)).Allows(a.Type())
		}
		if fits {
			return s
		}
		if near == nil {
			near = &f.Signatures[i]
		}
	}
	if near == nil {
		b.fail(x.At(), "KQL132", "the function '%s' doesn't take %d arguments%s", name, len(args), wants(f))
	}
	for j, a := range args {
		if p := near.Param(j, len(args)); !p.Allows(a.Type()) {
			if p.Kind == "string" || texts[name] != 0 || lenient(p, a.Type()) {
				continue
			}
			b.fail(x.Args[min(j, len(x.Args)-1)].At(), "KQL133", "the function '%s' wants a %s value for '%s', not a %s", name, strings.ToLower(p.Kind), p.Name, a.Type())
		}
	}
	return *near
}

// exactly tells whether each argument is of the parameter's own kind.
func exactly(s catalog.Signature, args []plan.Expr) bool {
	for j, a := range args {
		p := s.Param(j, len(args))
		if !p.Allows(a.Type()) || a.Type() == schema.Dynamic && !strings.Contains(p.Kind, "Dynamic") && p.Kind != "Scalar" {
			return false
		}
	}
	return true
}

// lenient: what the engine converts though the signature doesn't say so.
func lenient(p catalog.Param, t schema.Type) bool {
	return t == schema.String && (p.Kind == "datetime" || p.Kind == "DynamicArray" || p.Kind == "DynamicBag" || p.Kind == "guid")
}

func wants(f *catalog.Function) string {
	s := f.Signatures[0]
	var names []string
	for _, p := range s.Params {
		n := p.Name
		if p.Optional {
			n = "[" + n + "]"
		}
		names = append(names, n)
	}
	return ": it is " + f.Name + "(" + strings.Join(names, ", ") + ")"
}

func (b *binder) argument(x plan.Expr, p catalog.Param) plan.Expr {
	if t, ok := schema.ParseType(p.Kind); ok {
		return b.convert(x, t)
	}
	switch p.Kind {
	case "DynamicArray", "DynamicBag":
		if x.Type() == schema.String {
			return call("parse_json", schema.Dynamic, x)
		}
		return b.convert(x, schema.Dynamic)
	case "Number":
		if !numeric(x.Type()) {
			return b.convert(x, schema.Real)
		}
	case "Integer":
		return b.convert(x, schema.Long)
	case "Summable":
		if x.Type() == schema.Dynamic {
			return b.convert(x, schema.Real)
		}
	}
	return x
}

func (b *binder) resultType(s catalog.Signature, name string, args []plan.Expr) schema.Type {
	if t, ok := schema.ParseType(s.Result); ok {
		return t
	}
	switch s.Result {
	case "Parameter0":
		return args[0].Type()
	case "Parameter0Promoted":
		if args[0].Type() == schema.Int {
			return schema.Long
		}
		return args[0].Type()
	case "Parameter1":
		return args[1].Type()
	case "Widest":
		t := schema.Type(0)
		for _, a := range args {
			t = wider(a.Type(), t)
		}
		return t
	}
	return schema.Dynamic
}

// inline binds a let function that gives a value.
func (b *binder) inline(name string, e *entity, x *syntax.Call, c ctx) plan.Expr {
	if b.lambdaIsTable(e) {
		return b.firstValue(b.apply(name, e.lambda, e.scope, x, c.scope, nil))
	}
	inner := b.bindParams(name, e.lambda, e.scope, x, c, nil)
	var result plan.Expr
	for _, st := range e.lambda.Body.Statements {
		switch st := st.(type) {
		case *syntax.Let:
			b.let(st, inner)
		case *syntax.Expression:
			result = b.scalar(st.X, ctx{scope: inner})
		}
	}
	if result == nil {
		b.fail(x.At(), "KQL134", "the function '%s' has no value", name)
	}
	return result
}

func (b *binder) want(x *syntax.Call, least, most int) {
	if n := len(x.Args); n < least || n > most {
		b.fail(x.At(), "KQL132", "the function '%s' doesn't take %d arguments", x.Func.Text, n)
	}
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
	for i, a := range x.Args {
		if isCondition(i) {
			args[i] = b.condition(a, c)
			continue
		}
		args[i] = b.scalar(a, c)
		t = common(t, args[i].Type(), name == "coalesce")
	}
	for i := range args {
		if !isCondition(i) {
			args[i] = b.convert(args[i], t)
		}
	}
	return call(name, t, args...)
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
		return call("coalesce", schema.Dynamic, v, b.convert(b.scalar(x.Args[1], c), schema.Dynamic))
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
	case (t == schema.DateTime || t == schema.TimeSpan) && (size.Type() == schema.Long || size.Type() == schema.Int):
		return call("bin", t, v, b.convert(size, schema.Long))
	}
	b.fail(x.At(), "KQL133", "the function 'bin' can't round a %s value to a %s", t, size.Type())
	return nil
}

func (b *binder) emptiness(x *syntax.Call, c ctx) plan.Expr {
	b.want(x, 1, 1)
	v := b.scalar(x.Args[0], c)
	return call(x.Func.Text, schema.Bool, v)
}
