package syntax

// A pattern is a function whose arguments choose its body.
// Source: Kusto, the pattern statement.

// PatternCase is one choice: the arguments, the path after the brackets if there is one, and the query.
type PatternCase struct {
	Args []Expr
	Path Expr
	Body *Query
}

// Pattern is declare pattern. One without cases stands for what other software fills in.
type Pattern struct {
	Span
	Name   Name
	Params []Parameter
	Path   string // the name of the path's parameter, or ""
	Cases  []PatternCase
}

func (p *parser) pattern() Statement {
	start := p.tok().Start
	p.at += 2
	s := &Pattern{Name: p.name()}
	if p.accept("=") {
		s.Params = p.parameters()
		if p.accept("[") {
			s.Path = p.name().Text
			if p.accept(":") {
				p.typeName()
			}
			p.expect("]")
		}
		p.expect("{")
		for p.is("(") {
			p.at++
			c := PatternCase{Args: p.arguments()}
			if p.accept(".") {
				p.expect("[")
				c.Path = p.expr()
				p.expect("]")
			}
			p.expect("=")
			p.expect("{")
			p.nest(func() { c.Body = p.query(true) })
			p.expect("}")
			s.Cases = append(s.Cases, c)
			p.accept(";")
		}
		p.expect("}")
	}
	s.Span = p.from(start)
	return s
}
