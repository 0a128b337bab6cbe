package syntax

// The operators that make several rows, lists or parts of a row: mv-expand, make-series, partition and their like.

func (p *parser) expand(k keyword) Operator {
	op := &Expand{keyword: k, Options: p.options(mvOptions)}
	for {
		item := ExpandItem{X: p.named()}
		if p.acceptWord("to") {
			p.expectWord("typeof")
			p.expect("(")
			item.Type = p.typeName()
			p.expect(")")
		}
		op.Items = append(op.Items, item)
		if !p.accept(",") {
			break
		}
	}
	if p.acceptWord("limit") {
		op.Limit = p.expr()
	}
	if k.Word == "mv-apply" || k.Word == "mvapply" {
		p.expectWord("on")
		op.On = p.subPipe("(", ")")
	}
	return op
}

// subPipe reads ( op | op ): a pipeline whose source is the operator's own rows.
func (p *parser) subPipe(open, end string) Expr {
	start := p.expect(open).Start
	pipe := &Pipe{}
	if _, n := p.operatorKeyword(); n == 0 {
		p.unexpected("an operator")
	}
	p.nest(func() {
		p.guard(func() { pipe.Ops = append(pipe.Ops, p.operator()) }, stopAt("|", ";", ")", "}"))
		pipe.Ops = append(pipe.Ops, p.operators()...)
	})
	p.expect(end)
	pipe.Span = p.from(start)
	return pipe
}

func (p *parser) makeSeries(k keyword) Operator {
	op := &MakeSeries{keyword: k, Options: p.options(joinOptions)}
	for {
		item := SeriesItem{X: p.named()}
		if p.acceptWord("default") {
			p.expect("=")
			item.Default = p.expr()
		}
		op.Aggregates = append(op.Aggregates, item)
		if !p.accept(",") {
			break
		}
	}
	p.expectWord("on")
	start := p.tok().Start
	op.On = p.additive()
	if id, ok := op.On.(*Ident); ok && p.accept("=") {
		x := p.additive()
		op.On = &Named{p.from(start), []Name{id.Name}, x}
	}
	if p.acceptWord("in") {
		p.expectWord("range")
		p.expect("(")
		args := p.arguments()
		if len(args) != 3 {
			p.unexpected("range(start, stop, step)")
		}
		op.From, op.To, op.Step = args[0], args[1], args[2]
	} else {
		if p.acceptWord("from") {
			op.From = p.expr()
		}
		if p.acceptWord("to") {
			op.To = p.expr()
		}
		p.expectWord("step")
		op.Step = p.expr()
	}
	if p.acceptWord("by") {
		op.By = p.namedList()
	}
	return op
}

func (p *parser) partition(k keyword) Operator {
	op := &Partition{keyword: k, Options: p.options(hints)}
	p.expectWord("by")
	op.By = &Ident{p.name()}
	if p.is("{") {
		p.at++
		op.Sub = p.pipeline()
		p.expect("}")
		return op
	}
	op.Sub = p.subPipe("(", ")")
	return op
}

func (p *parser) fork(k keyword) Operator {
	op := &Fork{keyword: k}
	for {
		branch := Branch{}
		if !p.is("(") {
			branch.Name = p.name()
			p.expect("=")
		}
		branch.Sub = p.subPipe("(", ")")
		op.Branches = append(op.Branches, branch)
		if !p.is("(") && p.tok().Kind != Word && !p.is("[") {
			return op
		}
	}
}

func (p *parser) facet(k keyword) Operator {
	op := &Facet{keyword: k}
	p.expectWord("by")
	for {
		op.By = append(op.By, &Ident{p.name()})
		if !p.accept(",") {
			break
		}
	}
	if p.acceptWord("with") {
		op.With = p.subPipe("(", ")")
	}
	return op
}
