package kqltest

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// solver makes one row: it reads each condition as demands on cells.
type solver struct {
	f      *filler
	rng    *rand.Rand
	number int // of the row within its recipe
	recipe *recipe
	cells  map[string]*cell
	depth  int
}

// cell is what is known of a value, or of a part of one.
type cell struct {
	demands []demand
	linked  []linked
	keys    map[string]*cell // a bag's parts
	order   []string
	items   map[int]*cell // an array's parts
	least   int           // elements of an array
	shape   *shape        // a text made by an expression with groups
	pieces  *pieces       // a text made of parts with a text between
	json    bool          // a text that holds JSON
	encoded bool          // a text in base64
}

type linked struct {
	key, row int
	cell     *cell
}

type shape struct {
	expression string
	groups     map[int]*cell
}

type pieces struct {
	between string
	parts   map[int]*cell
}

func (c *cell) key(k string) *cell {
	if c.keys == nil {
		c.keys = map[string]*cell{}
	}
	if c.keys[k] == nil {
		c.keys[k] = &cell{}
		c.order = append(c.order, k)
	}
	return c.keys[k]
}

func (c *cell) item(i int) *cell {
	if c.items == nil {
		c.items = map[int]*cell{}
	}
	if c.items[i] == nil {
		c.items[i] = &cell{}
	}
	return c.items[i]
}

// links lists the links of a cell and its parts.
func (c *cell) links() []linked {
	out := slices.Clone(c.linked)
	for _, k := range c.order {
		out = append(out, c.keys[k].links()...)
	}
	numbered := func(parts map[int]*cell) {
		for _, i := range slices.Sorted(maps.Keys(parts)) {
			out = append(out, parts[i].links()...)
		}
	}
	numbered(c.items)
	if c.shape != nil {
		numbered(c.shape.groups)
	}
	if c.pieces != nil {
		numbered(c.pieces.parts)
	}
	return out
}

// place is a cell and how a value at an expression becomes the cell's own.
type place struct {
	cell  *cell
	shift func(any) any
}

func (p place) shifted(f func(any) any) place {
	was := p.shift
	p.shift = func(v any) any {
		v = f(v)
		if was != nil {
			v = was(v)
		}
		return v
	}
	return p
}

// reach finds the cell that an expression reads.
func (s *solver) reach(x plan.Expr) (place, bool) {
	if s.depth++; s.depth > 4000 {
		return place{}, false
	}
	switch x := x.(type) {
	case *plan.ColumnRef:
		if name, ok := s.recipe.columns[x.ID]; ok {
			if s.cells[name] == nil {
				s.cells[name] = &cell{}
			}
			return place{cell: s.cells[name]}, true
		}
		if d, ok := s.recipe.path.defs[x.ID]; ok && d != nil {
			return s.reach(d)
		}
	case *plan.Call:
		return s.reachCall(x)
	}
	return place{}, false
}

func (s *solver) reachCall(x *plan.Call) (place, bool) {
	arg := func(i int) (place, bool) { return s.reach(x.Args[i]) }
	switch x.Func {
	case "get":
		k, ok := x.Args[1].(*plan.Const)
		if !ok {
			return place{}, false
		}
		if inner, is := s.defined(x.Args[0]).(*plan.Call); is && inner.Func == "split" {
			return s.reachPiece(inner, k)
		} else if is && inner.Func == "listof" {
			return s.reach(inner.Args[0])
		}
		p, ok := arg(0)
		if !ok {
			return p, false
		}
		switch v := k.Value.(type) {
		case string:
			return place{cell: p.cell.key(v)}, true
		case int64:
			return place{cell: p.cell.item(int(max(min(v, 20), -1)))}, true
		}
		return place{}, false
	case "parse_json", "parse_xml":
		p, ok := arg(0)
		if ok {
			p.cell.json = true
		}
		return p, ok
	case "extract", "parse_group":
		re, n, source := 0, 1, 2
		if x.Func == "parse_group" {
			re, n, source = 1, 2, 0
		}
		k, ok1 := x.Args[re].(*plan.Const)
		g, ok2 := x.Args[n].(*plan.Const)
		p, ok3 := s.reach(x.Args[source])
		text, isText := "", false
		if ok1 {
			text, isText = k.Value.(string)
		}
		if !ok2 || !ok3 || !isText {
			return place{}, false
		}
		if p.cell.shape == nil {
			p.cell.shape = &shape{expression: text, groups: map[int]*cell{}}
		}
		if p.cell.shape.expression != text {
			return place{}, false
		}
		i, _ := number64(g.Value)
		if p.cell.shape.groups[int(i)] == nil {
			p.cell.shape.groups[int(i)] = &cell{}
		}
		return place{cell: p.cell.shape.groups[int(i)]}, true
	case "strcat":
		before, after := "", ""
		var middle plan.Expr
		for _, a := range x.Args {
			k, ok := a.(*plan.Const)
			switch {
			case ok && middle == nil:
				before += textOf(k.Value)
			case ok:
				after += textOf(k.Value)
			case middle != nil:
				return place{}, false
			default:
				middle = a
			}
		}
		p, ok := s.reach(middle)
		return p.shifted(func(v any) any {
			if t, is := v.(string); is {
				return strings.TrimSuffix(strings.TrimPrefix(t, before), after)
			}
			return v
		}), ok
	case "add", "sub", "mul", "div", "scale", "shrink":
		return s.reachSum(x)
	case "iff", "case":
		for i := 0; i+1 < len(x.Args); i += 2 {
			if p, ok := s.reach(x.Args[i+1]); ok {
				s.make(x.Args[i], true)
				return p, true
			}
			s.make(x.Args[i], false)
		}
		return s.reach(x.Args[len(x.Args)-1])
	case "coalesce", "max_of", "min_of":
		for i := range x.Args {
			if p, ok := arg(i); ok {
				return p, true
			}
		}
	case "base64_decode_tostring":
		p, ok := arg(0)
		if ok {
			p.cell.encoded = true
		}
		return p, ok
	case "tostring", "tolong", "toint", "toreal", "tobool", "todatetime", "totimespan", "toguid", "todecimal", "todynamic", "parse_inner", "tolower", "toupper", "dynamic_to_json",
		"bin", "bin_at", "startofday", "startofweek", "startofmonth", "round", "floor", "abs", "listof", "ticks", "substring", "url_decode", "replace_string", "array_sort_asc", "array_sort_desc", "set_union", "array_concat":
		return arg(0)
	case "trim", "trim_start", "trim_end":
		return arg(1)
	case "replace_regex":
		return arg(0)
	}
	return place{}, false
}

// defined follows a column to what it is made of.
func (s *solver) defined(x plan.Expr) plan.Expr {
	for range 50 {
		ref, ok := x.(*plan.ColumnRef)
		if !ok {
			return x
		}
		d, ok := s.recipe.path.defs[ref.ID]
		if !ok || d == nil {
			return x
		}
		x = d
	}
	return x
}

func (s *solver) reachPiece(split *plan.Call, k *plan.Const) (place, bool) {
	sep, ok := split.Args[1].(*plan.Const)
	p, ok2 := s.reach(split.Args[0])
	i, ok3 := k.Value.(int64)
	if !ok || !ok2 || !ok3 {
		return place{}, false
	}
	if p.cell.pieces == nil {
		p.cell.pieces = &pieces{between: textOf(sep.Value), parts: map[int]*cell{}}
	}
	if p.cell.pieces.parts[int(i)] == nil {
		p.cell.pieces.parts[int(i)] = &cell{}
	}
	return place{cell: p.cell.pieces.parts[int(i)]}, true
}

// reachSum turns arithmetic with one constant around.
func (s *solver) reachSum(x *plan.Call) (place, bool) {
	left, right := x.Args[0], x.Args[1]
	if k, ok := right.(*plan.Const); ok {
		p, reached := s.reach(left)
		return p.shifted(func(v any) any { return undo(x.Func, v, k.Value, false) }), reached
	}
	if k, ok := left.(*plan.Const); ok {
		p, reached := s.reach(right)
		return p.shifted(func(v any) any { return undo(x.Func, v, k.Value, true) }), reached
	}
	if x.Func == "sub" { // a difference of two cells: the second is made something to count from
		base := s.f.now - int64(10*schema.Hour)
		if x.Args[0].Type() != schema.DateTime {
			base = 10
		}
		if q, ok := s.reach(right); ok {
			q.cell.demands = append(q.cell.demands, demand{op: "eq", v: base})
		}
		p, ok := s.reach(left)
		return p.shifted(func(v any) any { return undo("sub", v, base, false) }), ok
	}
	return s.reach(left)
}

// undo gives the operand that makes an operation come to v; constantLeft where the other stands first.
func undo(op string, v, k any, constantLeft bool) any {
	a, ok1 := v.(int64)
	b, ok2 := k.(int64)
	if ok1 && ok2 {
		switch {
		case op == "add":
			return a - b
		case op == "sub" && constantLeft:
			return b - a
		case op == "sub":
			return a + b
		case op == "mul" && b != 0:
			return a / b
		case op == "div" && !constantLeft:
			return a * b
		}
	}
	x, ok1 := realOf(v)
	y, ok2 := realOf(k)
	if ok1 && ok2 {
		switch {
		case op == "add":
			return x - y
		case op == "sub" && constantLeft:
			return y - x
		case op == "sub":
			return x + y
		case (op == "mul" || op == "scale") && y != 0:
			return x / y
		case (op == "div" || op == "shrink") && !constantLeft:
			return x * y
		}
	}
	return v
}

// make makes a condition true or false.
func (s *solver) make(x plan.Expr, want bool) {
	if s.depth++; s.depth > 4000 {
		return
	}
	switch x := x.(type) {
	case *plan.InTable:
		if p, ok := s.reach(x.X); ok && want {
			s.tie(p, &link{key: s.f.members[x]})
		}
	case *plan.ColumnRef:
		if d := s.defined(x); d != plan.Expr(x) {
			s.make(d, want)
			return
		}
		s.ask(x, demand{op: "eq", v: want})
	case *plan.Call:
		s.makeCall(x, want)
	}
}

func (s *solver) makeCall(x *plan.Call, want bool) {
	switch x.Func {
	case "and", "or":
		if want == (x.Func == "and") {
			for _, a := range x.Args {
				s.make(a, want)
			}
			return
		}
		s.make(x.Args[(s.number+s.rng.IntN(2))%len(x.Args)], want)
	case "not":
		s.make(x.Args[0], !want)
	case "tobool", "toint", "tolong":
		s.make(x.Args[0], want)
	case "iff", "case":
		i := 0
		for ; i+1 < len(x.Args); i += 2 {
			if k, ok := x.Args[i+1].(*plan.Const); !ok || k.Value == want {
				s.make(x.Args[i], true)
				s.make(x.Args[i+1], want)
				return
			}
			s.make(x.Args[i], false)
		}
		s.make(x.Args[i], want)
	case "eq", "ne", "lt", "le", "gt", "ge", "=~":
		s.compare(x, want)
	case "in", "in~":
		list := s.constants(x.Args[1:])
		if len(list) == 0 {
			if want && len(x.Args) > 1 {
				s.compare(&plan.Call{Func: "eq", Args: x.Args[:2], Typ: schema.Bool}, want)
			}
			return
		}
		if !want {
			for _, v := range list {
				s.ask(x.Args[0], demand{op: "eq", v: v, not: true})
			}
			return
		}
		v := list[(s.number+s.rng.IntN(len(list)))%len(list)]
		if x.Func == "in~" {
			s.ask(x.Args[0], demand{op: "=~", v: v})
			return
		}
		s.choose(x.Args[0], v)
	case "has_any", "has_all", "has", "has_cs", "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs", "contains", "contains_cs", "startswith", "startswith_cs", "endswith", "endswith_cs", "matches regex":
		s.text(x, want)
	case "isnotempty", "isnotnull", "isempty", "isnull":
		some := strings.HasPrefix(x.Func, "isnot") == want
		op := "some"
		if !some {
			op = "none"
		}
		s.ask(x.Args[0], demand{op: op})
	case "parse_match":
		s.ask(x.Args[0], demand{op: "matches regex", v: s.constant(x.Args[1]), not: !want})
	case "ipv4_is_private":
		v := "203.0.113.9"
		if want {
			v = "10.1.2.3"
		}
		s.ask(x.Args[0], demand{op: "eq", v: v})
	case "ipv4_is_in_range", "ipv4_is_in_any_range", "ipv4_is_match", "ipv6_is_in_range":
		list := s.constants(x.Args[1:])
		if want && len(list) > 0 {
			v, _, _ := strings.Cut(textOf(list[s.rng.IntN(len(list))]), "/")
			s.ask(x.Args[0], demand{op: "eq", v: v})
		}
	case "set_has_element":
		if p, ok := s.reach(x.Args[0]); ok && want {
			p.cell.item(0).demands = append(p.cell.item(0).demands, demand{op: "eq", v: s.constant(x.Args[1])})
		}
	}
}

// constant gives an expression's value, nil where it has none yet.
func (s *solver) constant(x plan.Expr) any {
	if k, ok := s.defined(x).(*plan.Const); ok {
		return k.Value
	}
	return nil
}

// constants lists the values of arguments; an array stands for its elements.
func (s *solver) constants(list []plan.Expr) (out []any) {
	for _, a := range list {
		k, ok := s.defined(a).(*plan.Const)
		if !ok || k.Value == nil {
			continue
		}
		if k.Typ == schema.Dynamic {
			out = append(out, elementsOf(textOf(k.Value))...)
			continue
		}
		out = append(out, k.Value)
	}
	return out
}

func (s *solver) ask(x plan.Expr, d demand) {
	if c, ok := s.defined(x).(*plan.Call); ok && (c.Func == "iff" || c.Func == "case") && d.op == "eq" {
		s.branch(c, d)
		return
	}
	if p, ok := s.reach(x); ok {
		if p.shift != nil && d.v != nil {
			d.v = p.shift(d.v)
		}
		p.cell.demands = append(p.cell.demands, d)
	}
}

// choose makes an expression come to a value.
func (s *solver) choose(x plan.Expr, v any) { s.ask(x, demand{op: "eq", v: v}) }

// branch takes the arm that gives the value asked for.
func (s *solver) branch(c *plan.Call, d demand) {
	n := len(c.Args)
	for i := 0; i+1 < n; i += 2 {
		k, ok := c.Args[i+1].(*plan.Const)
		if ok && (k.Value == d.v) != d.not {
			s.make(c.Args[i], true)
			return
		}
		if !ok && !d.not {
			if _, reachable := s.reach(c.Args[i+1]); reachable {
				s.make(c.Args[i], true)
				s.ask(c.Args[i+1], d)
				return
			}
		}
		s.make(c.Args[i], false)
	}
	s.ask(c.Args[n-1], d)
}

var mirrored = map[string]string{"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne", "=~": "=~"}
var opposite = map[string]string{"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}

func (s *solver) compare(x *plan.Call, want bool) {
	op, l, r := x.Func, x.Args[0], x.Args[1]
	if _, ok := s.defined(l).(*plan.Const); ok {
		op, l, r = mirrored[op], r, l
	}
	if !want && op == "=~" {
		s.ask(l, demand{op: "=~", v: s.constant(r), not: true})
		return
	}
	if !want {
		op = opposite[op]
	}
	if k, ok := r.(*link); ok {
		if p, reached := s.reach(l); reached && op == "eq" {
			s.tie(p, k)
		}
		return
	}
	k, ok := s.defined(r).(*plan.Const)
	if !ok {
		if q, reached := s.reach(r); reached && (op == "eq" || op == "le" || op == "ge") { // both sides the same
			if p, too := s.reach(l); too && p.cell != q.cell {
				v := s.f.now - int64(schema.Hour)
				if l.Type() != schema.DateTime {
					v = 3
				}
				p.cell.demands = append(p.cell.demands, demand{op: "eq", v: v})
				q.cell.demands = append(q.cell.demands, demand{op: "eq", v: v})
			}
		}
		return
	}
	if c, is := s.defined(l).(*plan.Call); is && (c.Func == "array_length" || c.Func == "strlen") {
		if n, whole := number64(k.Value); whole && (op == "gt" || op == "ge" || op == "eq") {
			if op == "gt" {
				n++
			}
			if p, reached := s.reach(c.Args[0]); reached {
				if c.Func == "strlen" {
					p.cell.demands = append(p.cell.demands, demand{op: "long", v: n})
				} else {
					p.cell.least = max(p.cell.least, int(min(n, 30)))
				}
			}
		}
		return
	}
	if op == "ne" {
		if k.Value == "" {
			s.ask(l, demand{op: "some"})
			return
		}
		s.ask(l, demand{op: "eq", v: k.Value, not: true})
		return
	}
	s.ask(l, demand{op: op, v: k.Value})
}

// tie makes a cell take a link's value.
func (s *solver) tie(p place, l *link) {
	row := s.number
	switch {
	case l.fixed:
		row = s.number / 40
	case !l.vary:
		row = s.number % 4
	}
	p.cell.linked = append(p.cell.linked, linked{key: l.key, row: row, cell: p.cell})
}

// text makes an operator over texts true or false.
func (s *solver) text(x *plan.Call, want bool) {
	list := s.constants(x.Args[1:])
	if len(list) == 0 {
		return
	}
	op := x.Func
	switch {
	case op == "has_all" && want, op == "has_any" && !want:
		for _, v := range list {
			s.ask(x.Args[0], demand{op: "has", v: v, not: !want})
		}
		return
	case op == "has_any" || op == "has_all":
		op = "has"
	}
	s.ask(x.Args[0], demand{op: op, v: list[(s.number+s.rng.IntN(len(list)))%len(list)], not: !want})
}
