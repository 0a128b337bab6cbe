package syntax

import (
	"math"
	"strconv"
	"strings"

	"lockstep/schema"
)

// expr reads a scalar expression.
func (p *parser) expr() Expr {
	var x Expr
	p.nest(func() { x = p.or() })
	return x
}

func (p *parser) or() Expr {
	x := p.and()
	for p.isWord("or") {
		p.at++
		y := p.and()
		x = &Binary{Span{x.At().Start, y.At().End}, "or", x, y}
	}
	return x
}

func (p *parser) and() Expr {
	x := p.comparison()
	for p.isWord("and") {
		p.at++
		y := p.comparison()
		x = &Binary{Span{x.At().Start, y.At().End}, "and", x, y}
	}
	return x
}

// stringOperators by their written word; the value tells that ! may stand before it.
var stringOperators = map[string]bool{
	"has": true, "has_cs": true, "contains": true, "contains_cs": true, "containscs": true, "startswith": true, "startswith_cs": true,
	"endswith": true, "endswith_cs": true, "hasprefix": true, "hasprefix_cs": true, "hassuffix": true, "hassuffix_cs": true,
	"like": true, "likecs": true, "notlike": false, "notcontains": false, "notcontainscs": false,
}

// listOperators take a list in brackets.
var listOperators = map[string]bool{"in": true, "has_any": true, "has_all": true}

// infix finds the comparison operator ahead and its length in tokens.
func (p *parser) infix() (op string, tokens int) {
	t := p.tok()
	if t.Kind == Punct {
		switch t.Text {
		case "==", "!=", "=~", "!~", "<", ">", "<=", ">=", ":":
			return t.Text, 1
		case "<>":
			return "!=", 1
		case "=": // written for == often enough; where a name could stand, Named took it
			p.warnOnce(t, "KQL017", "'=' is read as '==' here")
			return "==", 1
		case "!":
			if next := p.peek(1); next.Kind == Word && next.Start == t.End {
				if stringOperators[next.Text] || listOperators[next.Text] || next.Text == "between" {
					op, n := p.wordInfix(1)
					return "!" + op, n + 1
				}
			}
		}
		return "", 0
	}
	return p.wordInfix(0)
}

func (p *parser) wordInfix(n int) (string, int) {
	t := p.peek(n)
	if t.Kind != Word {
		return "", 0
	}
	if _, ok := stringOperators[t.Text]; ok {
		return canonical(t.Text), 1
	}
	switch {
	case t.Text == "in" && p.isAt(n+1, "~"):
		return "in~", 2
	case listOperators[t.Text], t.Text == "between":
		return t.Text, 1
	case t.Text == "matches" && wordIn(p.peek(n+1), "regex"):
		return "matches regex", 2
	}
	return "", 0
}

func canonical(op string) string {
	switch op {
	case "containscs":
		return "contains_cs"
	case "notcontains":
		return "!contains"
	case "notcontainscs":
		return "!contains_cs"
	}
	return op
}

func (p *parser) comparison() Expr {
	x := p.additive()
	for {
		op, n := p.infix()
		if n == 0 {
			return x
		}
		p.at += n
		start := x.At().Start
		switch strings.TrimSuffix(strings.TrimPrefix(op, "!"), "~") {
		case "in", "has_any", "has_all":
			x = &In{X: x, Op: op, List: p.inList(), Span: p.from(start)}
		case "between":
			p.expect("(")
			low := p.additive()
			p.expect("..")
			high := p.additive()
			p.expect(")")
			x = &Between{p.from(start), op[0] == '!', x, low, high}
		default:
			y := p.additive()
			x = &Binary{p.from(start), op, x, y}
		}
	}
}

// inList reads (a, b) or (tabular expression), or a bare name.
func (p *parser) inList() []Expr {
	if !p.accept("(") {
		return []Expr{p.additive()}
	}
	var list []Expr
	if p.is(")") {
		p.unexpected("a value")
	}
	for !p.is(")") {
		list = append(list, p.pipeline())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

func (p *parser) additive() Expr {
	x := p.multiplicative()
	for p.is("+") || p.is("-") {
		op := p.advance().Text
		y := p.multiplicative()
		x = &Binary{Span{x.At().Start, y.At().End}, op, x, y}
	}
	return x
}

func (p *parser) multiplicative() Expr {
	x := p.unary()
	for p.is("*") || p.is("/") || p.is("%") {
		op := p.advance().Text
		y := p.unary()
		x = &Binary{Span{x.At().Start, y.At().End}, op, x, y}
	}
	return x
}

func (p *parser) unary() Expr {
	if t := p.tok(); p.is("-") || p.is("+") {
		p.at++
		var x Expr
		p.nest(func() { x = p.unary() })
		return &Unary{p.from(t.Start), t.Text, x}
	}
	return p.postfix()
}

func (p *parser) postfix() Expr {
	x := p.primary()
	for {
		start := x.At().Start
		switch {
		case p.is(".") && (p.peek(1).Kind == Word || p.isAt(1, "[")):
			p.at++
			if p.is("[") && !(p.peek(1).Kind == String && p.isAt(2, "]")) {
				continue // a.[0]
			}
			name := p.name()
			if !name.Quoted && p.is("(") { // database('x').table('y'), a.f(…)
				x = &Path{p.from(start), x, name}
				p.at++
				args := p.arguments()
				x = &Call{p.from(start), name, append([]Expr{x.(*Path).X}, args...)}
				continue
			}
			x = &Path{p.from(start), x, name}
		case p.is("["):
			p.at++
			i := p.expr()
			p.expect("]")
			x = &Index{p.from(start), x, i}
		default:
			return x
		}
	}
}

func (p *parser) arguments() []Expr {
	var args []Expr
	p.nest(func() {
		for !p.is(")") {
			args = append(args, p.argument())
			if !p.accept(",") {
				break
			}
		}
	})
	p.expect(")")
	return args
}

func (p *parser) argument() Expr {
	start := p.tok().Start
	if p.is("*") && (p.isAt(1, ",") || p.isAt(1, ")")) {
		p.at++
		return &Wildcard{p.from(start), "*"}
	}
	if p.tok().Kind == Word && p.isAt(1, "=") {
		name := p.name()
		p.at++
		x := p.pipeline()
		return &Named{p.from(start), []Name{name}, x}
	}
	return p.pipeline()
}

// rawLiterals are the types whose literal is raw text in brackets.
var rawLiterals = map[string]schema.Type{
	"datetime": schema.DateTime, "date": schema.DateTime, "timespan": schema.TimeSpan, "time": schema.TimeSpan, "guid": schema.Guid,
	"int": schema.Int, "long": schema.Long, "real": schema.Real, "double": schema.Real, "decimal": schema.Decimal, "bool": schema.Bool, "boolean": schema.Bool,
}

func (p *parser) primary() Expr {
	t := p.tok()
	switch t.Kind {
	case Number:
		p.at++
		if _, ok := ParseInteger(t.Text); !ok && !p.literals && strings.Trim(t.Text, "0123456789") == "" {
			p.errors = append(p.errors, Error{Span{t.Start, t.End}, "KQL015", quote(t.Text) + " is too large for a long; write real(…) or decimal(…)", false})
		}
		return p.number(t)
	case Span_:
		p.at++
		v, ok := ParseSpanLiteral(t.Text)
		if !ok {
			p.errors = append(p.errors, Error{Span{t.Start, t.End}, "KQL014", quote(t.Text) + " is too long a time", false})
		}
		return &Literal{Span{t.Start, t.End}, schema.TimeSpan, int64(v)}
	case String:
		text := ""
		for p.tok().Kind == String { // adjacent literals are one
			text += p.advance().Text
		}
		return &Literal{p.from(t.Start), schema.String, text}
	case Word:
		return p.wordPrimary(t)
	case Punct:
		switch t.Text {
		case "(":
			p.at++
			x := p.pipeline()
			p.expect(")")
			return &Paren{p.from(t.Start), x}
		case "[":
			if p.peek(1).Kind == String && p.isAt(2, "]") {
				return &Ident{p.name()}
			}
		case "$":
			return &Ident{p.name()}
		case "*":
			p.at++
			return &Wildcard{Span{t.Start, t.End}, "*"}
		}
	}
	p.unexpected("an expression")
	return nil
}

func (p *parser) wordPrimary(t Token) Expr {
	call := p.isAt(1, "(")
	switch {
	case call && t.Text == "dynamic":
		p.at += 2
		v := p.dynamic()
		p.expect(")")
		return &Literal{p.from(t.Start), schema.Dynamic, v}
	case call && rawLiterals[t.Text] != 0:
		if x := p.rawLiteral(t, rawLiterals[t.Text]); x != nil {
			return x
		}
	case call && t.Text == "typeof":
		p.at += 2
		x := p.typeOf()
		p.expect(")")
		x.Span = p.from(t.Start)
		return x
	case call && t.Text == "datatable":
		return p.dataTable()
	case call && (t.Text == "externaldata" || t.Text == "external_data"):
		return p.external()
	case t.Text == "datatable" || t.Text == "externaldata":
		p.at++
		p.expect("(")
	case !call && (t.Text == "true" || t.Text == "false" || t.Text == "True" || t.Text == "False" || t.Text == "TRUE" || t.Text == "FALSE"):
		p.at++
		return &Literal{Span{t.Start, t.End}, schema.Bool, strings.EqualFold(t.Text, "true")}
	}
	name := p.name()
	if p.accept("(") {
		args := p.arguments()
		return &Call{p.from(t.Start), name, args}
	}
	return &Ident{name}
}

func (p *parser) number(t Token) Expr {
	if n, ok := ParseInteger(t.Text); ok {
		return &Literal{Span{t.Start, t.End}, schema.Long, n}
	}
	f, err := strconv.ParseFloat(t.Text, 64)
	if err != nil {
		p.errors = append(p.errors, Error{Span{t.Start, t.End}, "KQL015", quote(t.Text) + " is not a number", false})
	}
	return &Literal{Span{t.Start, t.End}, schema.Real, f}
}

// rawLiteral reads type(text). It gives nil when the brackets hold an
// expression instead, which makes it a call: bool(x), long(a + b).
func (p *parser) rawLiteral(t Token, typ schema.Type) Expr {
	end := p.at + 2
	for end < len(p.tokens) && p.tokens[end].Kind != EOF && !(p.tokens[end].Kind == Punct && (p.tokens[end].Text == ")" || p.tokens[end].Text == "(")) {
		end++
	}
	if p.tokens[end].Kind != Punct || p.tokens[end].Text != ")" {
		return nil
	}
	raw := strings.TrimSpace(p.text[p.tokens[p.at+1].End:p.tokens[end].Start])
	if end == p.at+3 && p.tokens[p.at+2].Kind == String {
		raw = p.tokens[p.at+2].Text
	}
	at := Span{t.Start, p.tokens[end].End}
	v, ok := ParseLiteral(typ, raw)
	if !ok {
		parts := strings.Contains(raw, ",")
		if parts && typ != schema.TimeSpan || !parts && typ != schema.DateTime && typ != schema.Guid {
			return nil
		}
		p.at = end + 1
		p.errors = append(p.errors, Error{at, "KQL016", quote(raw) + " is not a " + typ.String() + " literal: it is null", true})
		return &Literal{at, typ, nil}
	}
	p.at = end + 1
	return &Literal{at, typ, v}
}

// ParseLiteral reads the inside of a typed literal: datetime(2026-01-05) and so on.
func ParseLiteral(typ schema.Type, raw string) (any, bool) {
	if raw == "null" {
		return nil, true
	}
	switch typ {
	case schema.DateTime:
		t, err := ParseDateTime(raw)
		return int64(t), err == nil
	case schema.TimeSpan:
		t, ok := ParseTimespan(raw)
		return int64(t), ok
	case schema.Guid:
		return ParseGuid(raw)
	case schema.Bool:
		switch strings.ToLower(raw) {
		case "true", "1":
			return true, true
		case "false", "0":
			return false, true
		}
		return nil, false
	case schema.Int, schema.Long:
		neg := strings.HasPrefix(raw, "-")
		n, ok := ParseInteger(strings.TrimSpace(strings.TrimLeft(raw, "+-")))
		if neg {
			n = -n
		}
		return n, ok
	case schema.Real:
		f, err := strconv.ParseFloat(strings.TrimSpace(raw), 64)
		return f, err == nil
	case schema.Decimal:
		_, err := strconv.ParseFloat(raw, 64)
		return raw, err == nil
	}
	return nil, false
}

func (p *parser) typeOf() *TypeOf {
	if p.is("*") || p.tok().Kind == Word && p.isAt(1, ":") || p.is("[") {
		x := &TypeOf{}
		if p.accept("*") {
			p.accept(",")
		}
		x.Columns = p.columnDecls(")")
		return x
	}
	return &TypeOf{Type: p.typeName()}
}

// dynamic reads one value of a dynamic literal: JSON with KQL's freedoms.
func (p *parser) dynamic() Value {
	var v Value
	p.nest(func() { v = p.dynamicAt() })
	return v
}

func (p *parser) dynamicAt() Value {
	t := p.tok()
	switch {
	case t.Kind == String:
		x := p.primary().(*Literal)
		return x.Value
	case p.is("["):
		p.at++
		list := []Value{}
		for !p.is("]") {
			list = append(list, p.dynamic())
			if !p.accept(",") {
				break
			}
		}
		p.expect("]")
		return list
	case p.is("{"):
		p.at++
		bag := Bag{}
		for !p.is("}") {
			key := p.advance()
			if key.Kind != String && key.Kind != Word {
				p.at--
				p.unexpected("a key")
			}
			p.expect(":")
			bag = append(bag, Member{key.Text, p.dynamic()})
			if !p.accept(",") {
				break
			}
		}
		p.expect("}")
		return bag
	case p.isWord("null"):
		p.at++
		return nil
	case p.is("-") || p.is("+"):
		p.at++
		if n := p.tok(); t.Text == "-" && n.Text == "9223372036854775808" {
			p.at++
			return int64(math.MinInt64)
		}
		switch v := p.dynamic().(type) {
		case int64:
			if t.Text == "-" {
				return -v
			}
			return v
		case float64:
			if t.Text == "-" {
				return -v
			}
			return v
		case Length:
			return -v
		}
		p.unexpected("a number")
	case t.Kind == Word || t.Kind == Number || t.Kind == Span_:
		x, ok := p.primary().(*Literal)
		if !ok {
			p.at--
			p.unexpected("a JSON value")
		}
		switch v := x.Value.(type) {
		case int64:
			switch x.Type {
			case schema.DateTime:
				return Moment(v)
			case schema.TimeSpan:
				return Length(v)
			}
			return v
		default:
			return v
		}
	}
	p.unexpected("a JSON value")
	return nil
}
