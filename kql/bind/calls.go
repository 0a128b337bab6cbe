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
	"pack": "bag_pack", "pack_dictionary": "bag_pack", "array_sum": "series_sum", "extentid": "extent_id", "hash_xxhash64": "hash", "merge_tdigest": "tdigest_merge",
}

// texts tells how many first arguments of a function are taken as text whatever they are; -1 for all.
var texts = map[string]int{
	"strcat": -1, "strcat_delim": -1, "tolower": 1, "toupper": 1, "substring": 1, "indexof": 2, "indexof_regex": 2, "reverse": 1, "split": 2, "strcmp": 2,
	"strrep": 1, "regex_quote": 1, "parse_command_line": 1, "unicode_codepoints_from_string": 1, "strlen": 1, "string_size": 1, "isascii": 1, "isutf8": 1,
	"has_any_index": 1, "has_ipv4": 1, "has_ipv4_prefix": 1, "has_any_ipv4": 1, "has_any_ipv4_prefix": 1, "ipv4_is_in_any_range": 1, "ipv6_is_in_any_range": 1,
	"format_ipv4": 1, "format_ipv4_mask": 1, "parse_csv": 1, "parse_xml": 1, "toguid": 1, "hash_md5": 1, "hash_sha1": 1, "hash_sha256": 1,
}

// taken are the types that some functions read their numbers as.
var taken = map[string]schema.Type{
	"hash_combine": schema.Long, "bin_at": schema.Long, "unixtime_seconds_todatetime": schema.Real, "unixtime_milliseconds_todatetime": schema.Real,
	"unixtime_microseconds_todatetime": schema.Real, "unixtime_nanoseconds_todatetime": schema.Real,
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
	if v := c.match.call(x, c); v != nil {
		return v
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
			return b.savedValue(name, s, x, c)
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
		if t, ok := taken[name]; ok && !(name == "bin_at" && (i != 1 || numeric(args[0].Type()))) {
			args[i] = b.convert(args[i], t)
		}
		if sig.Result == "real" && args[i].Type() == schema.Decimal {
			args[i] = b.convert(args[i], schema.Real)
		}
	}
	b.checkConstants(x, name, args)
	b.checkExpressions(x, name, args)
	b.caution(x, name)
	if name == "extract_all" {
		if k, ok := Fold(args[0], b.env.Now).(*plan.Const); ok {
			if re, err := regexp.Compile(k.Value.(string)); err == nil && re.NumSubexp() == 0 {
				b.fail(x.At(), "KQL138", "the expression of extract_all needs at least one capture group")
			}
		}
	}
	t := b.resultType(sig, name, args)
	if name == "round" && (t == schema.Long || t == schema.Int) {
		return Fold(b.roundWhole(args), b.env.Now)
	}
	return Fold(call(name, t, args...), b.env.Now)
}

// signature finds the one that the arguments fit.
func (b *binder) signature(x *syntax.Call, f *catalog.Function, name string, args []plan.Expr) catalog.Signature {
	var near *catalog.Signature
	for _, s := range f.Signatures { // a decimal fits a decimal before a real
		if len(args) > 0 && args[0].Type() == schema.Decimal && s.Accepts(len(args)) && s.Param(0, len(args)).Kind == "decimal" {
			return s
		}
	}
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
			if texts[name] != 0 || lenient(p, a.Type()) {
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
	return t == schema.String && (p.Kind == "DynamicArray" || p.Kind == "DynamicBag" || p.Kind == "guid")
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
	return b.bodyValue(name, e.lambda, x, b.bindParams(name, e.lambda, e.scope, x, c, nil))
}

// bodyValue binds the body of a function that gives a value.
func (b *binder) bodyValue(name string, f *syntax.Lambda, x *syntax.Call, inner *scope) plan.Expr {
	var result plan.Expr
	for _, st := range f.Body.Statements {
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
