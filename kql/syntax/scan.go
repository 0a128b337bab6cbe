package syntax

// scan reads: [with_match_id = name] [declare (name:type [= default], …)] with
// ( step name [optional] [output = all|last|none] : condition [=> column = value, …]; … ).
func (p *parser) scan(k keyword) Operator {
	op := &Scan{keyword: k}
	for {
		switch {
		case p.acceptWord("with_match_id"):
			p.expect("=")
			op.MatchID = p.name()
		case p.acceptWord("declare"):
			p.expect("(")
			for !p.is(")") {
				c := ScanColumn{}
				c.Name = p.name()
				p.expect(":")
				c.Type = p.typeName()
				if p.accept("=") {
					c.Default = p.expr()
				}
				op.Declare = append(op.Declare, c)
				if !p.accept(",") {
					break
				}
			}
			p.expect(")")
		case p.acceptWord("with"):
			p.expect("(")
			for !p.is(")") {
				op.Steps = append(op.Steps, p.scanStep())
				if !p.accept(";") {
					break
				}
			}
			p.expect(")")
			return op
		default:
			p.unexpected(quote("with"))
		}
	}
}

func (p *parser) scanStep() ScanStep {
	start := p.tok().Start
	p.expectWord("step")
	st := ScanStep{Name: p.name(), Output: "all"}
	for !p.is(":") {
		switch {
		case p.acceptWord("optional"):
			st.Optional = true
		case p.acceptWord("output"):
			p.expect("=")
			st.Output = p.name().Text
		default:
			p.unexpected(quote(":"))
		}
	}
	p.expect(":")
	st.X = p.expr()
	if p.accept("=>") {
		st.Assign = p.namedList()
	}
	st.Span = p.from(start)
	return st
}
