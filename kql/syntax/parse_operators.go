package syntax

import "lockstep/schema"

// The operators that take texts apart: parse, parse-where, parse-kv.

func (p *parser) parse(k keyword) Operator {
	op := &Parse{keyword: k, Kind: "simple"}
	for _, o := range p.options(parseOpts) {
		id, ok := o.Value.(*Ident)
		switch {
		case !ok:
		case o.Name.Text == "kind":
			op.Kind = id.Text
		case o.Name.Text == "flags":
			op.Flags = id.Text
		}
	}
	op.X = p.expr()
	p.expectWord("with")
	for {
		t := p.tok()
		switch {
		case p.is("*"):
			p.at++
			op.Pattern = append(op.Pattern, PatternPart{Span: p.from(t.Start), Star: true})
		case t.Kind == String:
			op.Pattern = append(op.Pattern, PatternPart{Text: p.primary(), Span: p.from(t.Start)})
		case t.Kind == Word || p.is("["):
			c := &ColumnDecl{Name: p.name(), Type: schema.String}
			if p.accept(":") {
				c.Type = p.typeName()
			}
			op.Pattern = append(op.Pattern, PatternPart{Column: c, Span: p.from(t.Start)})
		default:
			if len(op.Pattern) == 0 {
				p.unexpected("a pattern")
			}
			return op
		}
	}
}

func (p *parser) parseKV(k keyword) Operator {
	op := &ParseKV{keyword: k, X: p.expr()}
	p.expectWord("as")
	p.expect("(")
	op.Columns = p.columnDecls(")")
	p.expect(")")
	if p.acceptWord("with") {
		op.Options = p.bracketedOptions()
	}
	return op
}
