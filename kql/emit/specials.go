package emit

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/schema"
)

// specialTable holds the functions that no template can say, because what they
// say depends on which arguments are constants, or on how many there are.
func specialTable() map[string]func(*sel, *plan.Call) frag {
	return map[string]func(*sel, *plan.Call) frag{
		"and": logic, "or": logic, "eq": equality, "ne": equality, "lt": ordering, "le": ordering, "gt": ordering, "ge": ordering, "in": membership, "in~": membership,
		"has": terms, "has_cs": terms, "has_any": terms, "has_all": terms, "hasprefix": terms, "hasprefix_cs": terms, "hassuffix": terms, "hassuffix_cs": terms,
		"contains": part, "contains_cs": part, "startswith": part, "startswith_cs": part, "endswith": part, "endswith_cs": part, "=~": part,
		"matches regex": matchesRegex,
		"get":           get, "iff": choose, "case": choose, "coalesce": firstOf, "max_of": most, "min_of": most,
		"strcat": concatenate, "bag_pack": pack, "bag_pack_filled": pack, "pack_array": packArray,
		"isempty": emptiness, "isnotempty": emptiness,
		"datetime_diff": difference, "datetime_part": datePart,
		"parse_group": parseGroup, "parse_match": parseGroup,
		"tostring": toString, "range": rangeOf,
	}
}

func logic(s *sel, c *plan.Call) frag {
	parts := make([]frag, len(c.Args))
	notNull := true
	for i, a := range c.Args {
		parts[i] = s.expr(a)
		notNull = notNull && parts[i].notNull
	}
	f := join(" "+strings.ToUpper(c.Func)+" ", parts).wrap("(", ")")
	f.notNull = notNull
	return f
}

// equality: a null is equal to nothing that is not null; two nulls give null.
func equality(s *sel, c *plan.Call) frag {
	if canBeNaN(c.Args[0]) && canBeNaN(c.Args[1]) {
		return s.equalReals(c)
	}
	l, r := s.expr(c.Args[0]), s.expr(c.Args[1])
	var f frag
	switch {
	case l.notNull && r.notNull:
		op, otherwise := " = ", "false"
		if c.Func == "ne" {
			op, otherwise = " <> ", "true"
		}
		f = l.and(text(op)).and(r).wrap("(", ")")
		f.notNull = true
		f = s.gated(c.Args[0], c.Args[1:], f, otherwise)
	case l.notNull || r.notNull:
		op := " IS NOT DISTINCT FROM "
		if c.Func == "ne" {
			op = " IS DISTINCT FROM "
		}
		f = l.and(text(op)).and(r).wrap("(", ")")
		f.notNull = true
	default:
		if !l.simple {
			l = s.hoist(l)
		}
		if !r.simple {
			r = s.hoist(r)
		}
		op := "IS NOT DISTINCT FROM"
		if c.Func == "ne" {
			op = "IS DISTINCT FROM"
		}
		f = textf("(CASE WHEN %[1]s IS NULL AND %[2]s IS NULL THEN NULL ELSE %[1]s %[3]s %[2]s END)", l.text, r.text, op)
		f.args = append(append([]any{}, append(l.args, r.args...)...), append(l.args, r.args...)...)
		f.level = max(l.level, r.level)
	}
	return f
}

// membership: in and in~. An argument that is dynamic is an array known only at run time.
func membership(s *sel, c *plan.Call) frag {
	v := s.expr(c.Args[0])
	fold := c.Func == "in~"
	if fold {
		v = s.e.say("lower", v)
	}
	computed := func(a plan.Expr) bool { return a.Type() == schema.Dynamic && c.Args[0].Type() != schema.Dynamic }
	if !v.simple && slices.ContainsFunc(c.Args[1:], computed) { // it is named more than once
		v = s.hoist(v)
	}
	var list, alternatives []frag
	for _, a := range c.Args[1:] {
		if computed(a) {
			arr := s.expr(a)
			alternatives = append(alternatives, s.e.sayAs(c.Func+" of an array that is computed", c.Func+" an array", arr, v))
			continue
		}
		if k, ok := a.(*plan.Const); ok && fold {
			if str, ok := k.Value.(string); ok {
				list = append(list, param(strings.ToLower(str)))
				continue
			}
		}
		f := s.expr(a)
		if fold {
			f = s.e.say("lower", f)
		}
		list = append(list, f)
	}
	if len(list) > 0 {
		alternatives = append(alternatives, v.and(text(" IN (")).and(join(", ", list)).and(text(")")))
	}
	if len(alternatives) == 0 {
		return frag{text: "false", notNull: true, simple: true}
	}
	f := join(" OR ", alternatives).wrap("coalesce((", "), false)")
	f.notNull = true
	if !fold && len(list) == len(c.Args)-1 {
		f = s.gated(c.Args[0], c.Args[1:], f, "false")
	}
	return f
}

// folded gives x in lower case; a constant is lowered here.
func (s *sel) folded(x plan.Expr) frag {
	if k, ok := x.(*plan.Const); ok {
		if str, ok := k.Value.(string); ok {
			return param(strings.ToLower(str))
		}
	}
	f := s.expr(x)
	return s.hoist(s.e.say("lower", f).with(f))
}

// with keeps what is known of f.
func (g frag) with(f frag) frag {
	g.notNull = f.notNull
	return g
}

// part says contains, startswith, endswith and =~.
func part(s *sel, c *plan.Call) frag {
	op, exact := strings.CutSuffix(c.Func, "_cs")
	var l, r frag
	if exact {
		l, r = s.expr(c.Args[0]), s.expr(c.Args[1])
	} else {
		l, r = s.folded(c.Args[0]), s.folded(c.Args[1])
	}
	var f frag
	if op == "=~" {
		f = l.and(text(" = ")).and(r).wrap("(", ")")
	} else {
		f = s.e.say(op, l, r)
	}
	f.notNull = true
	return f
}

// matchesRegex: KQL's expressions are RE2, as the engine's are. One that is
// invalid would be refused by the engine for the whole statement: it matches nothing.
func matchesRegex(s *sel, c *plan.Call) frag {
	if k, ok := c.Args[1].(*plan.Const); ok {
		if _, err := regexp.Compile(k.Value.(string)); err != nil {
			return frag{text: "false", notNull: true, simple: true}
		}
	}
	v, re := s.expr(c.Args[0]), s.expression(c.Args[1])
	var f frag
	if _, ok := c.Args[1].(*plan.Const); ok {
		f = s.e.say("matches written", v, re)
	} else {
		f = s.e.sayAs("a regular expression that is computed", "matches computed", v, re)
	}
	f.notNull = true
	return f
}

// named writes the names of groups as the engines' RE2 reads them: it knows (?P<name>…) alone.
func named(pattern string) string {
	if strings.Contains(pattern, "(?<") {
		if re, err := syntax.Parse(pattern, syntax.Perl); err == nil {
			return re.String()
		}
	}
	return pattern
}

// expression is a regular expression as the engine of rows reads it.
func (s *sel) expression(x plan.Expr) frag {
	if k, ok := x.(*plan.Const); ok {
		if str, ok := k.Value.(string); ok {
			return param(named(native.Pattern(str)))
		}
	}
	return s.expr(x)
}

// path turns a chain of get into steps, keys and positions; ok is false where one is no constant.
func path(c *plan.Call) (root plan.Expr, steps []any, ok bool) {
	root = c.Args[0]
	if inner, is := root.(*plan.Call); is && inner.Func == "get" {
		if root, steps, ok = path(inner); !ok {
			return nil, nil, false
		}
	}
	k, is := c.Args[1].(*plan.Const)
	if !is {
		return nil, nil, false
	}
	switch v := k.Value.(type) {
	case string:
		if v == "" || strings.ContainsAny(v, "\"\\\x00*") || k.Typ != schema.String { // a star would mean every key
			return nil, nil, false
		}
	case int64:
	default:
		return nil, nil, false
	}
	return root, append(steps, k.Value), true
}

// at reads what lies at steps below a dynamic value.
func (s *sel) at(root plan.Expr, steps []any, asText bool) frag {
	t, texts := s.e.dialect.Path(steps, asText)
	args := []frag{s.json(root)}
	if !args[0].simple && uses(t, 0) > 1 {
		args[0] = s.hoist(args[0])
	}
	for _, x := range texts {
		args = append(args, param(x))
	}
	return expandTemplate(t, args, nil)
}

// json gives the text that a dynamic expression is read from: what
// parse_json would read needs no parsing twice.
func (s *sel) json(x plan.Expr) frag {
	if c, ok := x.(*plan.Call); ok && (c.Func == "parse_json" || c.Func == "todynamic") && c.Args[0].Type() == schema.String {
		return s.expr(c.Args[0])
	}
	return s.expr(x)
}

func get(s *sel, c *plan.Call) frag {
	if root, steps, ok := path(c); ok {
		return s.at(root, steps, false)
	}
	v, key := s.expr(c.Args[0]), s.expr(c.Args[1])
	if c.Args[1].Type() == schema.Long {
		return s.e.say("get by position", v, key)
	}
	if c.Args[1].Type() == schema.Dynamic {
		key = s.apply("tostring", []frag{key}, []schema.Type{schema.Dynamic}, schema.String)
		return s.e.say("get by key", v, key) // a number in it is a position
	}
	return s.e.say("get by name", v, key)
}

// toString reads a text out of a path at once.
func toString(s *sel, c *plan.Call) frag {
	if g, ok := c.Args[0].(*plan.Call); ok && g.Func == "get" {
		if root, steps, ok := path(g); ok {
			f := s.at(root, steps, true)
			f.notNull = true
			return f
		}
	}
	args, types := s.args(c.Args)
	return s.apply("tostring", args, types, schema.String)
}

func choose(s *sel, c *plan.Call) frag {
	f := text("CASE")
	notNull := true
	n := len(c.Args)
	for i := 0; i+1 < n; i += 2 {
		v := s.expr(c.Args[i+1])
		notNull = notNull && v.notNull
		when := s.predicate(c.Args[i])
		if len(plan.Tables(c.Args[i])) > 0 { // a sub-query may not stand everywhere that a choice may
			when = s.expr(c.Args[i])
		}
		f = f.and(text(" WHEN ")).and(when).and(text(" THEN ")).and(v)
	}
	v := s.expr(c.Args[n-1])
	f = f.and(text(" ELSE ")).and(v).and(text(" END"))
	f.notNull = notNull && v.notNull
	return f
}

// firstOf says coalesce; an empty text counts as missing.
func firstOf(s *sel, c *plan.Call) frag {
	parts := make([]frag, len(c.Args))
	for i, a := range c.Args {
		parts[i] = s.expr(a)
		if c.Typ == schema.String {
			parts[i] = parts[i].wrap("nullif(", ", '')")
		}
	}
	f := join(", ", parts).wrap("coalesce(", ")")
	if c.Typ == schema.String {
		f = join(", ", append(parts, text("''"))).wrap("coalesce(", ")")
		f.notNull = true
	}
	return f
}

func concatenate(s *sel, c *plan.Call) frag {
	args, _ := s.args(c.Args)
	f := join(" || ", args).wrap("(", ")")
	f.notNull = true
	return f
}

// pack makes an object: the later of two equal keys wins nothing, the first stays.
func pack(s *sel, c *plan.Call) frag {
	if len(c.Args) == 0 {
		return param("{}")
	}
	var parts []frag
	for i := 0; i+1 < len(c.Args); i += 2 {
		key := s.expr(c.Args[i])
		v := s.dynamic(c.Args[i+1])
		if c.Func == "bag_pack_filled" {
			v = v.wrap("nullif(", ", '\"\"')")
		} else {
			v = v.wrap("coalesce(", ", 'null')")
		}
		parts = append(parts, key, v)
	}
	if c.Func == "bag_pack_filled" {
		return s.e.sayAs("pack_all without nulls", c.Func, parts...)
	}
	if s.e.says("pair of a bag") {
		parts = s.pairs(c, parts)
	}
	f := s.e.say(c.Func, parts...)
	f.notNull = true
	return f
}

// pairs joins keys and values where the engine has no function that looks for keys written twice.
func (s *sel) pairs(c *plan.Call, parts []frag) []frag {
	seen := map[any]bool{}
	out := make([]frag, 0, len(parts)/2)
	for i := 0; i+1 < len(parts); i += 2 {
		k, ok := c.Args[i].(*plan.Const)
		if !ok && len(parts) > 2 || ok && seen[k.Value] {
			unsupported("bag_pack of keys that may be equal")
		}
		if ok {
			seen[k.Value] = true
		}
		out = append(out, s.e.say("pair of a bag", parts[i], parts[i+1]))
	}
	return out
}

// dynamic gives any value as JSON.
func (s *sel) dynamic(x plan.Expr) frag {
	f := s.expr(x)
	if x.Type() == schema.Dynamic {
		return f
	}
	return s.apply("todynamic", []frag{f}, []schema.Type{x.Type()}, schema.Dynamic)
}

func packArray(s *sel, c *plan.Call) frag {
	if len(c.Args) == 0 {
		return param("[]")
	}
	parts := make([]frag, len(c.Args))
	for i, a := range c.Args {
		parts[i] = s.dynamic(a).wrap("coalesce(", ", 'null')")
	}
	f := join(" || ',' || ", parts).wrap("('[' || ", " || ']')")
	f.notNull = true
	return f
}

func emptiness(s *sel, c *plan.Call) frag {
	f := s.expr(c.Args[0])
	var out frag
	switch c.Args[0].Type() {
	case schema.String:
		out = f.wrap("(", " = '')")
		if c.Func == "isnotempty" {
			out = f.wrap("(", " <> '')")
		}
	case schema.Dynamic:
		out = f.wrap("(coalesce(", ", '\"\"') = '\"\"')")
		if c.Func == "isnotempty" {
			out = f.wrap("(coalesce(", ", '\"\"') <> '\"\"')")
		}
	default:
		out = f.wrap("(", " IS NULL)")
		if c.Func == "isnotempty" {
			out = f.wrap("(", " IS NOT NULL)")
		}
	}
	out.notNull = true
	return out
}

// units of time in ticks, for datetime_diff.
var units = map[string]schema.Ticks{"day": schema.Day, "hour": schema.Hour, "minute": schema.Minute, "second": schema.Second, "millisecond": schema.Millisecond, "microsecond": schema.Microsecond}

func constantText(x plan.Expr) string {
	if k, ok := x.(*plan.Const); ok {
		s, _ := k.Value.(string)
		return strings.ToLower(s)
	}
	return ""
}

// difference counts the boundaries between two times.
func difference(s *sel, c *plan.Call) frag {
	part := constantText(c.Args[0])
	a, b := s.expr(c.Args[1]), s.expr(c.Args[2])
	if u, ok := units[part]; ok {
		n := strconv.FormatInt(int64(u), 10)
		return s.e.say("quotient", a, text(n)).and(text(" - ")).and(s.e.say("quotient", b, text(n))).wrap("(", ")")
	}
	if part == "week" { // weeks begin on Sunday; day 0 was a Monday
		n := text(strconv.FormatInt(int64(schema.Day), 10))
		week := func(f frag) frag {
			return s.e.say("quotient", s.e.say("quotient", f, n).wrap("(", " + 1)"), text("7"))
		}
		return week(a).and(text(" - ")).and(week(b)).wrap("(", ")")
	}
	if part == "nanosecond" {
		return s.e.say("nanoseconds", a.and(text(" - ")).and(b))
	}
	months := map[string]string{"month": "1", "quarter": "3", "year": "12"}[part]
	if months == "" {
		unsupported("datetime_diff of " + part)
	}
	count := func(f frag) frag {
		return s.e.say("quotient", s.apply("month_index", []frag{f}, []schema.Type{schema.DateTime}, schema.Long), text(months)).wrap("(", ")")
	}
	return count(a).and(text(" - ")).and(count(b)).wrap("(", ")")
}

func datePart(s *sel, c *plan.Call) frag {
	fn := map[string]string{"year": "getyear", "month": "getmonth", "day": "dayofmonth", "hour": "hourofday", "dayofyear": "dayofyear", "week_of_year": "week_of_year", "weekofyear": "week_of_year",
		"minute": "minuteofhour", "second": "secondofminute", "millisecond": "millisecondofsecond", "microsecond": "microsecondofsecond", "nanosecond": "nanosecondofsecond", "quarter": "quarterofyear"}[constantText(c.Args[0])]
	if fn == "" {
		unsupported("datetime_part of " + constantText(c.Args[0]))
	}
	return s.apply(fn, []frag{s.expr(c.Args[1])}, []schema.Type{schema.DateTime}, schema.Int)
}

// parseGroup reads one group of parse's expression.
func parseGroup(s *sel, c *plan.Call) frag {
	v := s.expr(c.Args[0])
	re := s.expression(c.Args[1])
	if c.Func == "parse_match" {
		return s.e.say("matches", v, re)
	}
	n := c.Args[2].(*plan.Const).Value.(int64)
	if n > 9 {
		return s.e.sayAs("parse of more than nine values", "far group", re, textf("%d", n), v)
	}
	f := s.e.say("group", v, re, textf("%d", n))
	f.notNull = true
	return f
}

// rangeOf says the function range by the type that it counts in.
func rangeOf(s *sel, c *plan.Call) frag {
	args, types := s.args(c.Args)
	fn := "range_long"
	for _, t := range types {
		if t == schema.Real || t == schema.Decimal {
			fn = "range_real"
		}
	}
	switch types[0] {
	case schema.DateTime:
		fn = "range_time"
	case schema.TimeSpan:
		fn = "range_span"
	}
	return s.apply(fn, args, types, schema.Dynamic)
}
