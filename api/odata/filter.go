package odata

// Filter is a condition on a record. Its String is a $filter that means the same.
type Filter interface {
	// Match reports whether the record fits.
	Match(get Get) bool
	String() string
	match(s scope) bool
}

// Get gives a property of a record by its path, segments parted by slashes;
// false, or nil, if it has no value. A value is a text, truth or whole number
// of any type, a float64, schema.Ticks, time.Time, or a collection: []any or
// []string. A member of []any is a value or, if it has properties of its own,
// a Get.
type Get = func(path string) (any, bool)

// Operand is a value in a condition: a Path, a Literal or a Function.
type Operand interface {
	String() string
	value(s scope) any
}

// Path names a property.
type Path string

// Literal is a written value: nil, string, bool, int64, float64 or schema.Ticks.
type Literal struct{ Value any }

// Function is a value made from another one: tolower, toupper, trim or length.
type Function struct {
	Name string
	Of   Operand
}

// Comparison is eq, ne, gt, ge, lt or le.
type Comparison struct {
	Left  Operand
	Op    string
	Right Operand
}

// Text is contains, startswith or endswith, which ask whether a text holds another.
type Text struct {
	Name     string
	In, What Operand
}

// Membership asks whether a value is one of several.
type Membership struct {
	Of Operand
	In []Literal
}

// Logic joins two conditions with and, or or.
type Logic struct {
	Op          string
	Left, Right Filter
}

// Not is the opposite of a condition.
type Not struct{ Of Filter }

// Quantifier asks whether any member, or all members, of a collection fit a
// condition in which Name stands for the member. Any without a condition asks
// whether there is a member at all.
type Quantifier struct {
	Path string
	All  bool
	Name string
	Cond Filter // nil without a condition
}

var (
	functions = map[string]bool{"tolower": true, "toupper": true, "trim": true, "length": true}
	texts     = map[string]bool{"contains": true, "startswith": true, "endswith": true}
	relations = []string{"eq", "ne", "gt", "ge", "lt", "le"}
)

// ParseFilter reads a $filter. Errors are fault.Invalid and name the position.
func ParseFilter(text string) (Filter, error) {
	if len(text) > longest {
		return nil, (&parser{option: "$filter"}).fault("it is longer than %d bytes", longest)
	}
	p := &parser{option: "$filter", text: text}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	return f, p.end()
}

func (p *parser) or() (Filter, error)  { return p.logic("or", p.and) }
func (p *parser) and() (Filter, error) { return p.logic("and", p.unary) }

func (p *parser) logic(op string, next func() (Filter, error)) (Filter, error) {
	left, err := next()
	for err == nil && p.word(op) {
		var right Filter
		if right, err = next(); err == nil {
			left = Logic{op, left, right}
		}
	}
	if err != nil {
		return nil, err
	}
	return left, nil
}

func (p *parser) unary() (Filter, error) {
	if p.depth++; p.depth > deepest {
		return nil, p.fault("conditions are nested more than %d deep", deepest)
	}
	defer func() { p.depth-- }()
	switch {
	case p.word("not"):
		f, err := p.unary()
		if err != nil {
			return nil, err
		}
		return Not{f}, nil
	case p.sign("("):
		start := p.at - 1
		f, err := p.or()
		if err != nil {
			return nil, err
		}
		if !p.sign(")") {
			return nil, p.fault("a closing parenthesis is wanted for the one at character %d, not %s", start+1, p.found())
		}
		return f, nil
	}
	return p.condition()
}

func (p *parser) condition() (Filter, error) {
	start := p.at
	if name := p.name(); texts[name] && p.sign("(") {
		return p.textCall(name)
	}
	p.at = start
	left, quantifier, err := p.operand()
	if err != nil {
		return nil, err
	}
	if quantifier != nil {
		return *quantifier, nil
	}
	if p.word("in") {
		return p.members(left)
	}
	for _, op := range relations {
		if !p.word(op) {
			continue
		}
		right, q, err := p.operand()
		if err == nil && q != nil {
			err = p.fault("any and all are conditions of their own and can't be compared")
		}
		if err != nil {
			return nil, err
		}
		return Comparison{left, op, right}, nil
	}
	if path, ok := left.(Path); ok {
		return Comparison{path, "eq", Literal{true}}, nil // a property alone is asked to be true
	}
	return nil, p.fault("eq, ne, gt, ge, lt, le or in is wanted, not %s", p.found())
}

func (p *parser) textCall(name string) (Filter, error) {
	in, err := p.plainOperand()
	if err != nil {
		return nil, err
	}
	if !p.sign(",") {
		return nil, p.fault("a comma is wanted in %s, not %s", name, p.found())
	}
	what, err := p.plainOperand()
	if err != nil {
		return nil, err
	}
	if !p.sign(")") {
		return nil, p.fault("the closing parenthesis of %s is wanted, not %s", name, p.found())
	}
	for _, truth := range []bool{true, false} { // contains(a,'b') eq true, as some clients write
		mark := p.at
		if !p.word("eq") {
			break
		}
		if l, ok, err := p.literal(); err == nil && ok && l.Value == truth {
			if truth {
				return Text{name, in, what}, nil
			}
			return Not{Text{name, in, what}}, nil
		}
		p.at = mark
	}
	return Text{name, in, what}, nil
}

func (p *parser) plainOperand() (Operand, error) {
	o, q, err := p.operand()
	if err == nil && q != nil {
		err = p.fault("a value is wanted, not a condition")
	}
	return o, err
}

// operand takes a value, or a path that ends in any or all.
func (p *parser) operand() (Operand, *Quantifier, error) {
	if p.depth++; p.depth > deepest {
		return nil, nil, p.fault("values are nested more than %d deep", deepest)
	}
	defer func() { p.depth-- }()
	if l, ok, err := p.literal(); err != nil {
		return nil, nil, err
	} else if ok {
		return l, nil, nil
	}
	p.space()
	start := p.at
	name := p.name()
	if name == "" {
		return nil, nil, p.fault("a property or a value is wanted, not %s", p.found())
	}
	if p.at < len(p.text) && p.text[p.at] == '(' {
		if !functions[name] {
			return nil, nil, p.faultAt(start, "the function %s isn't known; contains, startswith, endswith, tolower, toupper, trim and length are", clip(name))
		}
		p.at++
		of, err := p.plainOperand()
		if err == nil && !p.sign(")") {
			err = p.fault("the closing parenthesis of %s is wanted, not %s", name, p.found())
		}
		return Function{name, of}, nil, err
	}
	return p.pathOrQuantifier(name)
}

func (p *parser) pathOrQuantifier(path string) (Operand, *Quantifier, error) {
	for p.at < len(p.text) && p.text[p.at] == '/' {
		p.at++
		next := p.segment()
		if next == "" {
			return nil, nil, p.fault("a property name is wanted after %s/, not %s", clip(path), p.found())
		}
		if (next == "any" || next == "all") && p.sign("(") {
			q, err := p.quantifier(Quantifier{Path: path, All: next == "all"})
			return nil, q, err
		}
		path += "/" + next
	}
	return Path(path), nil, nil
}

func (p *parser) quantifier(q Quantifier) (*Quantifier, error) {
	if !q.All && p.sign(")") {
		return &q, nil
	}
	if q.Name = p.name(); q.Name == "" || !p.sign(":") {
		return nil, p.fault("a name and a colon are wanted, as in any(t: t eq 'x'), not %s", p.found())
	}
	var err error
	if q.Cond, err = p.or(); err != nil {
		return nil, err
	}
	if !p.sign(")") {
		return nil, p.fault("a closing parenthesis is wanted, not %s", p.found())
	}
	return &q, nil
}

func (p *parser) members(of Operand) (Filter, error) {
	if !p.sign("(") {
		return nil, p.fault("a list is wanted after in, as in ('a','b'), not %s", p.found())
	}
	m := Membership{Of: of}
	for {
		l, ok, err := p.literal()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, p.fault("a value is wanted in the list, not %s", p.found())
		}
		m.In = append(m.In, l)
		if p.sign(",") {
			continue
		}
		if !p.sign(")") {
			return nil, p.fault("a comma or the end of the list is wanted, not %s", p.found())
		}
		return m, nil
	}
}
