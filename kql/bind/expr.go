package bind

import (
	"strings"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// ctx is where an expression stands.
type ctx struct {
	scope *scope
	row   *row                    // the row whose columns it may name; nil for none
	right *row                    // in a join's on: $right
	steps map[string]*rowAndStart // in scan: what the names of steps stand for
	aggs  *aggregates             // in summarize: collects the aggregates of an expression
	match *match                  // in graph-match: what the names of its pattern stand for
	// unordered: the rows have no order that a function of neighbours could go by
	unordered bool
}

// row is the columns that can be named.
type row struct {
	columns []plan.Column
	byName  map[string]int
	// inferred are the columns that the operator at hand names and nobody declared
	inferred []string
}

func newRow(n plan.Node) *row { return rowOf(n.Columns()) }

func rowOf(cols []plan.Column) *row {
	r := &row{columns: cols, byName: make(map[string]int, len(cols))}
	for i, c := range cols {
		r.byName[c.Name] = i
	}
	return r
}

// open marks a hidden column whose bag may hold columns that nobody declared
// (bag_unpack, AzureDiagnostics); what follows the mark is a prefix of their names.
const open = "\x00"

func hidden(c plan.Column) bool { return strings.HasPrefix(c.Name, open) }

// find finds a column by its exact name.
func (r *row) find(name string) (plan.Column, bool) {
	if r == nil {
		return plan.Column{}, false
	}
	i, ok := r.byName[name]
	if !ok {
		return plan.Column{}, false
	}
	return r.columns[i], true
}

// twins are the two names of the time column: copied queries use either.
var twins = map[string]string{"timestamp": "TimeGenerated", "timegenerated": "Timestamp"}

// loosely finds a column ignoring case, or by its twin.
func (r *row) loosely(name string) (plan.Column, bool) {
	if r == nil {
		return plan.Column{}, false
	}
	for _, c := range r.columns {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return r.find(twins[strings.ToLower(name)])
}

// undeclared finds a name in the hidden bags.
func (r *row) undeclared(name string) (plan.Expr, bool) {
	if r == nil {
		return nil, false
	}
	for _, c := range r.columns {
		if c.Name == open+standardMark+name {
			return c.Ref(), true
		}
	}
	for _, c := range r.columns {
		if prefix, ok := strings.CutPrefix(c.Name, open); ok && strings.HasPrefix(name, prefix) && len(name) > len(prefix) {
			key := name[len(prefix):]
			x := call("get", schema.Dynamic, c.Ref(), &plan.Const{Typ: schema.String, Value: key})
			if t, ok := suffixes[key[max(0, len(key)-2):]]; ok && prefix == "" {
				return call(conversions[t], t, x), true
			}
			return x, true
		}
	}
	return nil, false
}

// suffixes of custom log columns say their type. Source: Azure Monitor, the HTTP data collector's record types.
var suffixes = map[string]schema.Type{"_s": schema.String, "_d": schema.Real, "_b": schema.Bool, "_g": schema.Guid, "_t": schema.DateTime}

func (r *row) names() []string {
	if r == nil {
		return nil
	}
	out := make([]string, len(r.columns))
	for i, c := range r.columns {
		out[i] = c.Name
	}
	return out
}

// scalar binds an expression that must be a single value.
func (b *binder) scalar(x syntax.Expr, c ctx) plan.Expr {
	switch x := x.(type) {
	case *syntax.Paren:
		return b.scalar(x.X, c)
	case *syntax.Literal:
		if x.Type == schema.Dynamic {
			return &plan.Const{Typ: schema.Dynamic, Value: JSON(x.Value)}
		}
		if x.Value == nil {
			return plan.Null(x.Type)
		}
		if text, ok := x.Value.(string); ok && x.Type == schema.Decimal {
			if text, ok = native.Decimal(text); !ok {
				return plan.Null(x.Type)
			}
			return &plan.Const{Typ: x.Type, Value: text}
		}
		return &plan.Const{Typ: x.Type, Value: x.Value}
	case *syntax.Ident:
		return b.name(x, c)
	case *syntax.Path:
		return b.path(x, c)
	case *syntax.Index:
		return b.index(x, c)
	case *syntax.Unary:
		v := b.scalar(x.X, c)
		if t := v.Type(); t == schema.String || t == schema.Bool || t == schema.Guid {
			b.fail(x.At(), "KQL125", "the operator '%s' is not defined for %s", x.Op, t)
		}
		if x.Op == "+" {
			return v
		}
		if v.Type() == schema.Dynamic {
			v = b.convert(v, schema.Real)
		}
		if v.Type() == schema.Int { // arithmetic of ints is of longs
			v = b.convert(v, schema.Long)
		}
		return call("neg", v.Type(), v)
	case *syntax.Binary:
		return b.binary(x, c)
	case *syntax.In:
		return b.in(x, c)
	case *syntax.Between:
		v := b.scalar(x.X, c)
		low, high := b.scalar(x.Low, c), b.scalar(x.High, c)
		if v.Type() == schema.DateTime && high.Type() == schema.TimeSpan {
			high = call("add", schema.DateTime, low, high)
		}
		b.inOrder(x.At(), "between", v, low, high)
		r := call("and", schema.Bool, b.compare("ge", v, low), b.compare("le", v, high))
		if x.Not {
			return call("not", schema.Bool, r)
		}
		return r
	case *syntax.Call:
		return b.call(x, c)
	case *syntax.Pipe, *syntax.OperatorSource, *syntax.DataTable:
		return b.firstValue(b.tabular(x, c.scope))
	case *syntax.Named:
		return b.scalar(x.X, c)
	case *syntax.Ordered:
		return b.scalar(x.X, c)
	case *syntax.TypeOf:
		return &plan.Const{Typ: schema.String, Value: x.Type.String()}
	case *syntax.Wildcard:
		b.fail(x.At(), "KQL120", "'*' can't be used as a value here")
	case *syntax.Bad:
		panic(stop{})
	}
	b.fail(x.At(), "KQL121", "a value is expected here")
	return nil
}

func (b *binder) firstValue(n plan.Node) plan.Expr {
	cols := b.columnsOf(n)
	return &plan.Scalar{Node: n, Typ: cols[0].Type}
}

// columnsOf gives the columns of a table that a value is read from; one without a column has none.
func (b *binder) columnsOf(n plan.Node) []plan.Column {
	cols := n.Columns()
	if len(cols) == 0 {
		b.fail(syntax.Span{}, "KQL108", "a table without columns has no value to read")
	}
	return cols
}

func (b *binder) name(x *syntax.Ident, c ctx) plan.Expr {
	if col, ok := c.row.find(x.Text); ok {
		return col.Ref()
	}
	if c.right != nil {
		if col, ok := c.right.find(x.Text); ok {
			return col.Ref()
		}
	}
	if e, ok := c.scope.find(x.Text); ok {
		switch {
		case e.broken:
			panic(stop{})
		case e.scalar != nil:
			return e.scalar
		case e.table != nil:
			return b.firstValue(e.table())
		case e.lambda != nil && len(e.lambda.Params) == 0:
			return b.call(&syntax.Call{Span: x.At(), Func: x.Name}, c)
		}
	}
	if col, ok := c.row.loosely(x.Text); ok {
		return col.Ref()
	}
	if v, ok := c.row.undeclared(x.Text); ok {
		c.row.infer(x.Text)
		return v
	}
	if x.Text == "true" || x.Text == "false" {
		return &plan.Const{Typ: schema.Bool, Value: x.Text == "true"}
	}
	if x.Text == "null" {
		b.fail(x.At(), "KQL127", "null is written with its type, for example long(null) or dynamic(null)")
	}
	if _, ok := b.env.Tables(x.Text); ok && c.row == nil {
		return b.firstValue(b.named(x, c.scope))
	}
	if b.quiet {
		b.fail(x.At(), "KQL120", "no table has a column '%s'", x.Text)
	}
	if c.row == nil {
		b.fail(x.At(), "KQL120", "there is no let name '%s'%s; columns have no value here, only constants have", x.Text, didYouMean(x.Text, c.scope.all()))
	}
	hint := didYouMean(x.Text, append(c.row.names(), c.scope.all()...))
	if hint == "" {
		hint = "; a text stands in quotes"
	}
	b.fail(x.At(), "KQL120", "there is no column or let name '%s'%s", x.Text, hint)
	return nil
}

func (b *binder) path(x *syntax.Path, c ctx) plan.Expr {
	if v := c.match.property(x); v != nil {
		return v
	}
	if v, ok := c.stepColumn(x); ok {
		return v
	}
	if id, ok := x.X.(*syntax.Ident); ok && (id.Text == "$left" || id.Text == "$right") {
		r := c.row
		if id.Text == "$right" && c.right != nil {
			r = c.right
		}
		if col, ok := r.find(x.Name.Text); ok {
			return col.Ref()
		}
		if col, ok := r.loosely(x.Name.Text); ok {
			return col.Ref()
		}
		if v, ok := r.undeclared(x.Name.Text); ok {
			r.infer(x.Name.Text)
			return v
		}
		b.fail(x.Name.Span, "KQL122", "the %s side has no column '%s'%s", id.Text[1:], x.Name.Text, didYouMean(x.Name.Text, r.names()))
	}
	v := b.scalar(x.X, c)
	return b.get(x.At(), v, &plan.Const{Typ: schema.String, Value: x.Name.Text})
}

func (b *binder) index(x *syntax.Index, c ctx) plan.Expr {
	v := b.scalar(x.X, c)
	key := b.scalar(x.I, c)
	if f := Fold(key, b.env.Now); f != nil {
		key = f
	}
	return b.get(x.At(), v, key)
}

// get reads a part of a dynamic value; a text is read as JSON first, as copied queries need it.
func (b *binder) get(at syntax.Span, v, key plan.Expr) plan.Expr {
	switch v.Type() {
	case schema.Dynamic:
	case schema.String:
		v = call("parse_json", schema.Dynamic, v)
	default:
		b.fail(at, "KQL123", "a %s value has no parts: only dynamic values have", v.Type())
	}
	switch key.Type() {
	case schema.String, schema.Dynamic:
	case schema.Int, schema.Long:
		key = b.convert(key, schema.Long)
	default:
		b.fail(at, "KQL123", "a part of a dynamic value is named by a text or a whole number, not by a %s", key.Type())
	}
	return call("get", schema.Dynamic, v, key)
}

func numeric(t schema.Type) bool {
	return t == schema.Int || t == schema.Long || t == schema.Real || t == schema.Decimal
}

// wider is the type of numbers of both.
func wider(a, b schema.Type) schema.Type {
	rank := map[schema.Type]int{schema.Int: 1, schema.Long: 2, schema.Real: 3, schema.Decimal: 4}
	if rank[a] >= rank[b] {
		return a
	}
	return b
}

var arithmetic = map[string]string{"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod"}
var comparisons = map[string]string{"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}

func (b *binder) binary(x *syntax.Binary, c ctx) plan.Expr {
	switch x.Op {
	case "and", "or":
		var args []plan.Expr
		for _, part := range flatten(x, x.Op) {
			args = append(args, b.condition(part, c))
		}
		return call(x.Op, schema.Bool, args...)
	}
	if isStar(x.X) && c.row != nil {
		return b.anyColumn(c, func(col *syntax.Ident) plan.Expr {
			return b.binary(&syntax.Binary{Span: x.Span, Op: x.Op, X: col, Y: x.Y}, c)
		})
	}
	l, r := b.scalar(x.X, c), b.scalar(x.Y, c)
	if f, ok := comparisons[x.Op]; ok {
		if f != "eq" && f != "ne" {
			b.inOrder(x.At(), x.Op, l, r)
		}
		b.readable(x.X, l, r.Type())
		b.readable(x.Y, r, l.Type())
		return b.compare(f, l, r)
	}
	if f, ok := arithmetic[x.Op]; ok {
		return b.arithmetic(x.At(), f, x.Op, l, r)
	}
	b.textOperands(x.At(), x.Op, l, r)
	if x.Op == "=~" || x.Op == "!~" {
		e := plan.Expr(call("=~", schema.Bool, b.convert(l, schema.String), b.convert(r, schema.String)))
		if x.Op == "!~" {
			e = call("not", schema.Bool, e)
		}
		return e
	}
	op, not := strings.CutPrefix(x.Op, "!")
	switch op {
	case "matches regex":
		b.checkExpression(x.Y, r, "so it matches nothing")
	case ":":
		op = "has"
	case "like", "likecs":
		b.unsupported(x.At(), "the operator "+op)
	}
	e := plan.Expr(call(op, schema.Bool, b.convert(l, schema.String), b.convert(r, schema.String)))
	if not {
		e = call("not", schema.Bool, e)
	}
	return e
}

// flatten lists the parts of a chain of one operator.
func flatten(x syntax.Expr, op string) []syntax.Expr {
	if y, ok := unparen(x).(*syntax.Binary); ok && y.Op == op {
		return append(flatten(y.X, op), flatten(y.Y, op)...)
	}
	return []syntax.Expr{x}
}

// condition binds what must be true or false.
func (b *binder) condition(x syntax.Expr, c ctx) plan.Expr {
	v := b.scalar(x, c)
	switch v.Type() {
	case schema.Bool:
		return v
	case schema.Dynamic:
		return b.convert(v, schema.Bool)
	}
	b.fail(x.At(), "KQL124", "a condition is expected here: this is a %s value", v.Type())
	return nil
}

// compare makes both sides one type and compares them.
func (b *binder) compare(f string, l, r plan.Expr) plan.Expr {
	lt, rt := l.Type(), r.Type()
	switch {
	case lt == rt && lt == schema.Dynamic:
		l, r = b.convert(l, schema.String), b.convert(r, schema.String)
	case lt == rt:
	case numeric(lt) && numeric(rt):
		w := wider(lt, rt)
		l, r = b.convert(l, w), b.convert(r, w)
	case lt == schema.Dynamic:
		l = b.convert(l, rt)
	case rt == schema.Dynamic:
		r = b.convert(r, lt)
	case lt == schema.Bool && numeric(rt):
		l = b.convert(b.convert(l, schema.Long), rt)
	case rt == schema.Bool && numeric(lt):
		r = b.convert(b.convert(r, schema.Long), lt)
	case lt == schema.String:
		l = b.convert(l, rt)
	case rt == schema.String:
		r = b.convert(r, lt)
	default:
		l, r = b.convert(l, schema.String), b.convert(r, schema.String)
	}
	return call(f, schema.Bool, l, r)
}

func (b *binder) arithmetic(at syntax.Span, f, op string, l, r plan.Expr) plan.Expr {
	lt, rt := l.Type(), r.Type()
	if lt == schema.Dynamic && rt == schema.Dynamic {
		l, r, lt, rt = b.convert(l, schema.Real), b.convert(r, schema.Real), schema.Real, schema.Real
	}
	if lt == schema.Bool {
		l, lt = b.convert(l, schema.Long), schema.Long
	}
	if rt == schema.Bool {
		r, rt = b.convert(r, schema.Long), schema.Long
	}
	date, span := schema.DateTime, schema.TimeSpan
	switch {
	case lt == schema.Dynamic && (numeric(rt) || rt == span):
		l, lt = b.convert(l, rt), rt
	case rt == schema.Dynamic && (numeric(lt) || lt == span):
		r, rt = b.convert(r, lt), lt
	case lt == schema.Dynamic && rt == date:
		l, lt = b.convert(l, date), date
	case rt == schema.Dynamic && lt == date:
		r, rt = b.convert(r, date), date
	}
	switch {
	case numeric(lt) && numeric(rt):
		w := wider(wider(lt, rt), schema.Long)
		return call(f, w, b.convert(l, w), b.convert(r, w))
	case f == "add" && (lt == date && rt == span || lt == span && rt == date):
		return call("add", date, l, r)
	case f == "sub" && lt == date && rt == span:
		return call("sub", date, l, r)
	case f == "sub" && lt == date && rt == date:
		return call("sub", span, l, r)
	case (f == "add" || f == "sub" || f == "mod") && lt == span && rt == span:
		return call(f, span, l, r)
	case f == "mod" && lt == date && rt == span:
		return call(f, span, l, r)
	case f == "div" && lt == span && rt == span:
		return call("div", schema.Real, call("ticks", schema.Real, l), call("ticks", schema.Real, r))
	case f == "div" && lt == date && rt == span:
		return call("div", schema.Real, call("ticks", schema.Real, l), call("ticks", schema.Real, r))
	case f == "mul" && lt == span && numeric(rt):
		return call("scale", span, l, b.convert(r, schema.Real))
	case f == "mul" && rt == span && numeric(lt):
		return call("scale", span, r, b.convert(l, schema.Real))
	case f == "div" && lt == span && numeric(rt):
		return call("shrink", span, l, b.convert(r, schema.Real))
	}
	hint := ""
	if f == "add" && (lt == schema.String || rt == schema.String) {
		hint = "; texts are joined by strcat()"
	}
	b.fail(at, "KQL125", "the operator '%s' is not defined for %s and %s%s", op, lt, rt, hint)
	return nil
}
