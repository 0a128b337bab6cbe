package emit

import (
	"math"
	"strconv"
	"strings"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/schema"
)

// param is a value that comes in from outside the text.
func param(v string) frag {
	return frag{text: argMark, args: []any{v}, notNull: true, simple: true}
}

func (s *sel) constant(k *plan.Const) frag {
	physical := s.e.dialect.Physical(k.Typ)
	if k.Value == nil {
		if k.Typ == schema.String {
			return frag{text: "''", notNull: true, simple: true}
		}
		f := s.e.say("null", text(physical))
		f.simple = true
		return f
	}
	f := frag{notNull: true, simple: true}
	switch v := k.Value.(type) {
	case bool:
		f.text = strconv.FormatBool(v)
	case int64:
		f.text = strconv.FormatInt(v, 10)
		if v < 0 {
			f.text = "(" + f.text + ")"
		}
		f.text = s.e.say("number", f, text(physical)).text
	case float64:
		switch {
		case math.IsNaN(v):
			f = s.e.say("nan").known()
		case math.IsInf(v, 1):
			f = s.e.say("infinity").known()
		case math.IsInf(v, -1):
			f = s.e.say("-infinity").known()
		default:
			f.text = "(" + strconv.FormatFloat(v, 'e', -1, 64) + ")"
		}
	case string:
		if v == "" && k.Typ == schema.String {
			f.text = "''"
			return f
		}
		return param(v)
	}
	return f
}

// known marks f as a constant.
func (f frag) known() frag {
	f.notNull, f.simple = true, true
	return f
}

// predicate says a condition where null and false are the same.
func (s *sel) predicate(x plan.Expr) frag {
	c, ok := x.(*plan.Call)
	if !ok {
		if in, ok := x.(*plan.InTable); ok {
			return s.inTable(in)
		}
		return s.expr(x)
	}
	switch c.Func {
	case "and", "or":
		parts := make([]frag, len(c.Args))
		for i, a := range c.Args {
			parts[i] = s.predicate(a)
		}
		return join(" "+strings.ToUpper(c.Func)+" ", parts).wrap("(", ")")
	case "eq":
		if canBeNaN(c.Args[0]) && canBeNaN(c.Args[1]) {
			break
		}
		same := s.expr(c.Args[0]).and(text(" = ")).and(s.expr(c.Args[1])).wrap("(", ")")
		return s.gated(c.Args[0], c.Args[1:], same, "false")
	case "not":
		if in, ok := c.Args[0].(*plan.InTable); ok {
			return s.inTable(in).wrap("(NOT coalesce(", ", false))")
		}
	}
	return s.expr(x)
}

func (s *sel) inTable(x *plan.InTable) frag {
	r := s.e.node(x.Node)
	v := s.expr(x.X)
	col := name(x.Node.Columns()[0].ID)
	if x.Fold {
		v, col = s.e.say("lower", v), s.e.say("lower", text(col)).text
	}
	return v.and(text(" IN (SELECT "+col+" FROM (")).and(r.sql).and(text("))")).wrap("(", ")")
}

// expr says an expression.
func (s *sel) expr(x plan.Expr) frag {
	switch x := x.(type) {
	case *plan.ColumnRef:
		return frag{text: name(x.ID), simple: true, notNull: x.Typ == schema.String}
	case *plan.Const:
		return s.constant(x)
	case *plan.Window:
		return s.window(x)
	case *plan.Scalar:
		return s.scalar(x)
	case *plan.InTable:
		f := s.inTable(x).wrap("coalesce(", ", false)")
		f.notNull = true
		return s.hoist(f)
	case *plan.Call:
		return s.call(x)
	}
	unsupported("this expression")
	return frag{}
}

// scalar reads a table's first value; the table is computed once.
func (s *sel) scalar(x *plan.Scalar) frag {
	cte, ok := s.e.scalars[x]
	if !ok {
		order := s.e.order
		r := s.e.node(x.Node)
		cte = s.e.fresh("v")
		col := name(x.Node.Columns()[0].ID)
		body := text("SELECT " + col + " AS v FROM (").and(r.sql).and(text(")")).and(r.orderBy()).and(text(" LIMIT 1"))
		if x.List {
			body = text("SELECT ").and(s.e.say("list", text(col))).and(text(" AS v FROM (")).and(r.sql).and(text(")"))
		}
		s.e.scalars[x] = cte
		f := s.e.define(text(cte+" AS MATERIALIZED (").and(body).and(text(")")), false, x.Node)
		f.scalars = append(f.scalars, x)
		s.e.order = order
	}
	f := text("(SELECT v FROM " + cte + ")")
	if x.Typ == schema.String {
		f = text("coalesce((SELECT v FROM " + cte + "), '')")
		f.notNull = true
	}
	return s.hoist(f)
}

// window says a function of the rows around, in the order of the rows.
func (s *sel) window(x *plan.Window) frag {
	if !s.e.says(x.Func) {
		unsupported("the function " + x.Func)
	}
	order := ""
	if len(s.e.order) > 0 {
		order = "ORDER BY " + orderList(s.e.order)
	}
	args := make([]frag, len(x.Args))
	for i, a := range x.Args {
		args[i] = s.expr(a)
		if args[i].level > 0 && !args[i].simple {
			args[i] = s.hoist(args[i])
		}
	}
	over := text(" OVER (" + order + ")")
	var f frag
	switch x.Func {
	case "row_number":
		start := text("1")
		if len(args) > 0 {
			start = args[0]
		}
		if len(args) > 1 {
			return s.restarted(args[1], order, text("row_number()"), start.wrap(" + ", " - 1"), schema.Long)
		}
		f = text("(row_number()").and(over).and(text(" + ")).and(start).and(text(" - 1)"))
		f.notNull = true
	case "prev", "next":
		if len(args) == 1 {
			args = append(args, text("1"))
		}
		if len(args) == 2 && x.Typ == schema.String {
			args = append(args, text("''"))
		}
		if k, ok := x.Args[min(1, len(x.Args)-1)].(*plan.Const); ok && len(x.Args) > 1 {
			if n, ok := k.Value.(int64); ok {
				args[1] = text(strconv.FormatInt(n, 10))
			}
		}
		phrase := x.Func
		if len(args) > 2 {
			phrase += " or"
		}
		f = s.e.say(phrase, args...).and(over)
	case "row_cumsum":
		if len(args) > 1 {
			return s.restarted(args[1], order, args[0].wrap("sum(", ")"), frag{}, x.Typ)
		}
		f = text("sum(").and(args[0]).and(text(") OVER (" + order + " ROWS UNBOUNDED PRECEDING)"))
		f = s.fit(f, x.Typ)
	case "rank_within": // args: value, descending, what to partition by
		over := ""
		if len(args) > 2 {
			over = "PARTITION BY " + join(", ", args[2:]).text + " "
		}
		dir := " ASC NULLS LAST"
		if args[1].text == "true" {
			dir = " DESC NULLS LAST"
		}
		f = text("row_number() OVER (" + over + "ORDER BY " + args[0].text + dir + ")")
	case "row_window_session":
		f = s.sessions(args, order)
	case "row_rank_dense", "row_rank", "row_rank_min":
		f = s.rank(x.Func, args, order)
	default:
		unsupported("the function " + x.Func)
	}
	f.level = max(f.level, maxLevel(args))
	return s.hoist(f)
}

// fit brings a sum back into its type: a long wraps, as sums of longs do; what else doesn't fit is null.
func (s *sel) fit(f frag, t schema.Type) frag {
	if t == schema.Long && s.e.says("wrap") {
		return s.e.say("wrap", f)
	}
	return s.e.say("fit", f, text(s.e.dialect.Physical(t)))
}

// restarted computes a running value that begins anew where a condition is true.
func (s *sel) restarted(when frag, order string, fn, after frag, t schema.Type) frag {
	part := s.hoist(text("sum(CASE WHEN ").and(when).and(text(" THEN 1 ELSE 0 END) OVER (" + order + " ROWS UNBOUNDED PRECEDING)")))
	f := fn.and(text(" OVER (PARTITION BY " + part.text + " " + order + " ROWS UNBOUNDED PRECEDING)"))
	f = s.fit(f.and(after), t)
	f.level = max(f.level, part.level)
	return s.hoist(f)
}

// rank counts changes of the term along the rows, anew where the second argument is true.
func (s *sel) rank(fn string, args []frag, order string) frag {
	term := s.hoist(args[0])
	part, level := "", term.level
	if len(args) > 1 {
		p := s.hoist(text("sum(CASE WHEN ").and(args[1]).and(text(" THEN 1 ELSE 0 END) OVER (" + order + " ROWS UNBOUNDED PRECEDING)")))
		part, level = "PARTITION BY "+p.text+" ", max(level, p.level)
	}
	over := " OVER (" + part + order + ")"
	running := " OVER (" + part + order + " ROWS UNBOUNDED PRECEDING)"
	changed := s.hoist(frag{text: "CASE WHEN row_number()" + over + " = 1 OR lag(" + term.text + ")" + over + " IS DISTINCT FROM " + term.text + " THEN 1 ELSE 0 END", level: level})
	if fn != "row_rank_min" {
		return frag{text: "CAST(sum(" + changed.text + ")" + running + " AS BIGINT)", level: changed.level}
	}
	number := s.hoist(frag{text: "row_number()" + over, level: level})
	return frag{text: "max(CASE WHEN " + changed.text + " = 1 THEN " + number.text + " END)" + running, level: max(changed.level, number.level)}
}

func maxLevel(list []frag) int {
	n := 0
	for _, f := range list {
		n = max(n, f.level)
	}
	return n
}

func (s *sel) args(list []plan.Expr) ([]frag, []schema.Type) {
	args, types := make([]frag, len(list)), make([]schema.Type, len(list))
	for i, a := range list {
		args[i], types[i] = s.expr(a), a.Type()
	}
	return args, types
}

func (s *sel) call(c *plan.Call) frag {
	if d, ok := s.e.dialect.(speaker); ok {
		if f := d.special(c.Func); f != nil {
			return f(s, c)
		}
	}
	if f := s.e.specials[c.Func]; f != nil {
		return f(s, c)
	}
	args, types := s.args(c.Args)
	return s.apply(c.Func, args, types, c.Typ)
}

// apply fills a function's template.
func (s *sel) apply(fn string, args []frag, types []schema.Type, result schema.Type) frag {
	t, ok := s.e.dialect.Function(fn, types, result)
	if !ok {
		return s.native(fn, args, types, result)
	}
	t, strict := strings.CutPrefix(t, "!")
	args = append([]frag{}, args...)
	notNull := strict
	for i, f := range args {
		notNull = notNull && f.notNull
		if !f.simple && uses(t, i) > 1 {
			args[i] = s.hoist(f)
		}
	}
	for {
		step, rest, more := strings.Cut(t, "\n")
		if !more {
			break
		}
		args, t = append(args, s.hoist(expandTemplate(step, args, nil))), rest
	}
	f := expandTemplate(t, args, nil)
	f.notNull = notNull
	if result == schema.String && !notNull {
		f = f.wrap("coalesce(", ", '')")
		f.notNull = true
	}
	return f
}

// native calls a function of package native, arguments brought to its types.
func (s *sel) native(fn string, args []frag, types []schema.Type, result schema.Type) frag {
	f, ok := native.Find(fn)
	if !ok || !s.e.says("native") || len(args) < f.Least || len(args) > len(f.Params) && f.Variadic == schema.Invalid {
		unsupported("the function " + fn)
	}
	list := make([]frag, len(args))
	for i, a := range args {
		want := f.Variadic
		if i < len(f.Params) {
			want = f.Params[i]
		}
		have := types[i]
		switch {
		case want == have:
		case want == schema.Dynamic:
			a = s.apply("todynamic", []frag{a}, []schema.Type{have}, want)
		case want == schema.String && s.e.dialect.Physical(have) != "VARCHAR", want == schema.Real || want == schema.Long:
			a = a.wrap("CAST(", " AS "+s.e.dialect.Physical(want)+")")
		}
		list[i] = a
	}
	out := s.e.say("native", text(fn), join(", ", list))
	if result == schema.String {
		out = out.wrap("coalesce(", ", '')")
		out.notNull = true
	}
	return out
}

// uses counts how often a template names argument i.
func uses(t string, i int) int { return strings.Count(t, "{"+strconv.Itoa(i)+"}") }

// expandTemplate fills {0}, {1}…, {*} and named pieces; {{ is a brace.
func expandTemplate(t string, args []frag, named map[string]frag) frag {
	out := frag{}
	var b strings.Builder
	for {
		i := strings.IndexByte(t, '{')
		if i < 0 {
			break
		}
		b.WriteString(t[:i])
		if strings.HasPrefix(t[i:], "{{") { // a brace that is meant
			b.WriteByte('{')
			t = t[i+2:]
			continue
		}
		end := i + strings.IndexByte(t[i:], '}')
		if end < i {
			t = t[i:]
			break
		}
		var f frag
		switch key := t[i+1 : end]; {
		case key == "*":
			f = join(", ", args)
		case key[0] >= '0' && key[0] <= '9':
			n, _ := strconv.Atoi(key)
			if n < len(args) {
				f = args[n]
			} else {
				unsupported("a call with so few arguments")
			}
		default:
			f = named[key]
		}
		b.WriteString(f.text)
		out.args = append(out.args, f.args...)
		out.level = max(out.level, f.level)
		t = t[end+1:]
	}
	b.WriteString(t)
	out.text = b.String()
	return out
}
