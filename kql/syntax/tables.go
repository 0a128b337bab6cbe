package syntax

func (p *parser) dataTable() Expr {
	start := p.advance().Start
	p.expect("(")
	d := &DataTable{Columns: p.columnDecls(")")}
	p.expect(")")
	was := p.literals
	p.literals = true
	defer func() { p.literals = was }()
	p.expect("[")
	p.nest(func() {
		for !p.is("]") {
			d.Values = append(d.Values, p.expr())
			if !p.accept(",") {
				break
			}
		}
	})
	p.expect("]")
	d.Span = p.from(start)
	return d
}

func (p *parser) external() Expr {
	start := p.advance().Start
	p.expect("(")
	x := &External{Columns: p.columnDecls(")")}
	p.expect(")")
	p.expect("[")
	for !p.is("]") {
		x.URIs = append(x.URIs, p.expr())
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	if p.acceptWord("with") {
		x.Options = p.bracketedOptions()
	}
	x.Span = p.from(start)
	return x
}
