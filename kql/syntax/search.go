package syntax

// The operators that look into many tables: search and find.

func (p *parser) inTables() []Expr {
	if !p.isWord("in") || !p.isAt(1, "(") {
		return nil
	}
	p.at += 2
	t := p.tables()
	p.expect(")")
	return t
}

func (p *parser) search(k keyword) Operator {
	op := &Search{keyword: k, Options: p.options(findOptions)}
	op.Tables = p.inTables()
	op.X = p.expr()
	return op
}

func (p *parser) find(k keyword) Operator {
	op := &Find{keyword: k, Options: p.options(findOptions)}
	op.Tables = p.inTables()
	p.acceptWord("where")
	op.X = p.expr()
	if p.acceptWord("project") {
		op.Items = p.namedList()
	} else if word, n := p.operatorKeyword(); word == "project-smart" {
		p.at += n
	}
	return op
}
