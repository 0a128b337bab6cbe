package syntax

// The operators that order rows and keep some of them: sort, top, take and their like.

// direction reads asc, desc, nulls first, nulls last after x.
func (p *parser) direction(start int, x Expr) Expr {
	o := &Ordered{X: x}
	if p.acceptWord("asc", "granny-asc") {
		o.Asc = true
	} else if p.acceptWord("desc", "granny-desc") {
		o.Desc = true
	}
	if p.acceptWord("nulls") {
		first := p.isWord("first")
		if !p.acceptWord("first", "last") {
			p.unexpected("'first' or 'last'")
		}
		o.NullsFirst = &first
	}
	if !o.Asc && !o.Desc && o.NullsFirst == nil {
		return x
	}
	o.Span = p.from(start)
	return o
}

func (p *parser) keys() []Expr {
	var out []Expr
	for {
		start := p.tok().Start
		out = append(out, p.direction(start, p.named()))
		if !p.accept(",") {
			return out
		}
	}
}

func (p *parser) sort(k keyword) Operator {
	p.options(hints)
	p.expectWord("by")
	return &Sort{k, p.keys()}
}

func (p *parser) top(k keyword) Operator {
	p.options(hints)
	op := &Top{keyword: k, N: p.expr()}
	p.expectWord("by")
	op.Keys = p.keys()
	return op
}

func (p *parser) topNested(k keyword) Operator {
	op := &TopNested{keyword: k}
	for {
		var l NestedLevel
		if !p.isWord("of") {
			l.N = p.expr()
		}
		p.expectWord("of")
		l.X = p.named()
		if p.acceptWord("with") {
			p.expectWord("others")
			p.expect("=")
			l.Others = p.expr()
		}
		p.expectWord("by")
		start := p.tok().Start
		l.By = p.direction(start, p.named())
		op.Levels = append(op.Levels, l)
		if !p.accept(",") {
			return op
		}
		if _, n := p.operatorKeyword(); n > 0 {
			p.at += n
		}
	}
}

func (p *parser) topHitters(k keyword) Operator {
	op := &TopHitters{keyword: k, N: p.expr()}
	p.expectWord("of")
	op.X = p.named()
	if p.acceptWord("by") {
		op.By = p.expr()
	}
	return op
}

func (p *parser) take(k keyword) Operator { p.options(hints); return &Take{k, p.expr()} }

func (p *parser) sampleDistinct(k keyword) Operator {
	op := &SampleDistinct{keyword: k, N: p.expr()}
	p.expectWord("of")
	op.X = p.named()
	return op
}
