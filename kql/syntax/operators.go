package syntax

// operatorParsers by keyword: the grammar of each operator, read after its keyword.
func operatorParsers() map[string]func(*parser, keyword) Operator {
	return map[string]func(*parser, keyword) Operator{
		"where": (*parser).where, "filter": (*parser).where,
		"extend":  (*parser).extend,
		"project": (*parser).project, "print": (*parser).project, "serialize": (*parser).project, "distinct": (*parser).project,
		"project-away": (*parser).projectNames, "project-keep": (*parser).projectNames, "project-reorder": (*parser).projectNames, "project-rename": (*parser).project,
		"summarize": (*parser).summarize,
		"sort":      (*parser).sort, "order": (*parser).sort,
		"top":         (*parser).top,
		"top-nested":  (*parser).topNested,
		"top-hitters": (*parser).topHitters,
		"take":        (*parser).take, "limit": (*parser).take, "sample": (*parser).take,
		"sample-distinct": (*parser).sampleDistinct,
		"count":           (*parser).count,
		"join":            (*parser).join, "lookup": (*parser).join,
		"union":     (*parser).union,
		"mv-expand": (*parser).expand, "mvexpand": (*parser).expand, "mv-apply": (*parser).expand, "mvapply": (*parser).expand,
		"parse": (*parser).parse, "parse-where": (*parser).parse,
		"parse-kv":         (*parser).parseKV,
		"evaluate":         (*parser).evaluate,
		"make-series":      (*parser).makeSeries,
		"range":            (*parser).rangeOp,
		"search":           (*parser).search,
		"find":             (*parser).find,
		"render":           (*parser).render,
		"invoke":           (*parser).invoke,
		"as":               (*parser).as,
		"getschema":        func(_ *parser, k keyword) Operator { return &GetSchema{k} },
		"consume":          func(p *parser, k keyword) Operator { p.options(consumeOptions); return &Consume{k} },
		"partition":        (*parser).partition,
		"fork":             (*parser).fork,
		"facet":            (*parser).facet,
		"reduce":           (*parser).reduce,
		"scan":             (*parser).scan,
		"project-by-names": func(p *parser, k keyword) Operator { return &ProjectByNames{k, p.namedList()} },
		"make-graph":       (*parser).makeGraph,
		"graph-match":      (*parser).graphMatch, "graph-shortest-paths": (*parser).graphMatch,
		"graph-mark-components": (*parser).graphMark,
		"graph-where-nodes":     (*parser).graphWhere, "graph-where-edges": (*parser).graphWhere,
		"graph-to-table": (*parser).graphTable,
	}
}

// opaque operators are known but read as text up to the next pipe.
var opaque = map[string]bool{"macro-expand": true, "assert-schema": true, "execute-and-cache": true}

// operatorKeyword reads words joined by hyphens as far as they name an operator.
func (p *parser) operatorKeyword() (string, int) {
	if p.tok().Kind != Word {
		return "", 0
	}
	text, n := p.tok().Text, 1
	best, length := "", 0
	known := func(s string) bool { _, ok := p.grammar[s]; return ok || opaque[s] }
	if known(text) {
		best, length = text, 1
	}
	for p.isAt(n, "-") && p.peek(n+1).Kind == Word && p.peek(n).Start == p.peek(n-1).End && p.peek(n+1).Start == p.peek(n).End {
		text += "-" + p.peek(n+1).Text
		n += 2
		if known(text) {
			best, length = text, n
		}
	}
	return best, length
}

func (p *parser) operator() Operator {
	start := p.tok().Start
	word, n := p.operatorKeyword()
	if n == 0 {
		t := p.tok()
		if t.Kind == Word {
			p.fail(Span{t.Start, t.End}, "KQL020", quote(t.Text)+" is not an operator"+p.suggest(t.Text))
		}
		p.unexpected("an operator")
	}
	p.at += n
	k := keyword{Word: word}
	if opaque[word] {
		from := p.tok().Start
		p.skip(stopAt("|", ";", ")", "}"))
		return &Opaque{keyword: keyword{p.from(start), word}, Text: p.text[min(from, p.from(start).End):p.from(start).End]}
	}
	k.Span = Span{start, start}
	op := p.grammar[word](p, k)
	setSpan(op, p.from(start))
	return op
}

type spanned interface{ setSpan(Span) }

func (k *keyword) setSpan(s Span) { k.Span = s }

func setSpan(op Operator, s Span) {
	if o, ok := op.(spanned); ok {
		o.setSpan(s)
	}
}

// suggest names the nearest operator.
func (p *parser) suggest(word string) string {
	var names []string
	for n := range p.grammar {
		names = append(names, n)
	}
	if near := Nearest(word, names); near != "" {
		return "; did you mean " + quote(near) + "?"
	}
	return ""
}

// named reads [Name =] X or (a, b) = X.
func (p *parser) named() Expr {
	start := p.tok().Start
	if p.is("(") {
		if names, ok := p.tupleAhead(); ok {
			return &Named{Names: names, X: p.expr(), Span: p.from(start)}
		}
	}
	n := 1
	if p.is("[") {
		n = 3
	}
	if (p.tok().Kind == Word || p.is("[") && p.peek(1).Kind == String) && p.isAt(n, "=") {
		name := p.name()
		p.at++
		x := p.expr()
		return &Named{p.from(start), []Name{name}, x}
	}
	return p.expr()
}

func (p *parser) tupleAhead() ([]Name, bool) {
	back := p.at
	p.at++
	var names []Name
	for p.tok().Kind == Word || p.is("[") && p.peek(1).Kind == String && p.isAt(2, "]") {
		names = append(names, p.name())
		if !p.accept(",") {
			break
		}
	}
	if len(names) > 0 && p.is(")") && p.isAt(1, "=") {
		p.at += 2
		return names, true
	}
	p.at = back
	return nil, false
}

func (p *parser) namedList() []Expr {
	var out []Expr
	for {
		out = append(out, p.named())
		if !p.accept(",") {
			return out
		}
	}
}

// wildcardName reads a name that may hold *: Device*, *, *Id.
func (p *parser) wildcardName() Expr {
	start := p.tok()
	if p.tok().Kind == Word && !(p.isAt(1, "*") && p.peek(1).Start == start.End) || p.is("[") || p.is("(") || p.is("$") {
		return nil
	}
	pattern, end := "", start.Start
	for (p.tok().Kind == Word || p.is("*") || p.tok().Kind == Number) && p.tok().Start == end {
		end = p.tok().End
		pattern += p.advance().Text
	}
	if pattern == "" {
		p.unexpected("a name")
	}
	return &Wildcard{p.from(start.Start), pattern}
}

// tables reads a list of tables, wildcards and sub-queries.
func (p *parser) tables() []Expr {
	var out []Expr
	for {
		if w := p.wildcardName(); w != nil {
			out = append(out, w)
		} else {
			out = append(out, p.postfix())
		}
		if !p.accept(",") {
			return out
		}
	}
}

func (p *parser) count(k keyword) Operator {
	op := &Count{keyword: k}
	if p.acceptWord("as") {
		op.Name = p.name()
	}
	return op
}

func (p *parser) where(k keyword) Operator { p.options(hints); return &Where{k, p.expr()} }

func (p *parser) extend(k keyword) Operator { return &Extend{k, p.namedList()} }

func (p *parser) project(k keyword) Operator {
	p.options(hints)
	if p.is("|") || p.is(")") || p.is(";") || p.is("}") || p.tok().Kind == EOF {
		if k.Word == "distinct" || k.Word == "project-rename" {
			p.unexpected("a column")
		}
		return &Project{k, nil}
	}
	return &Project{k, p.namedList()}
}

func (p *parser) projectNames(k keyword) Operator {
	op := &Project{keyword: k}
	for {
		start := p.tok().Start
		x := p.wildcardName()
		if x == nil {
			x = p.postfix()
		}
		if k.Word == "project-reorder" {
			x = p.direction(start, x)
		}
		op.Items = append(op.Items, x)
		if !p.accept(",") {
			return op
		}
	}
}

func (p *parser) summarize(k keyword) Operator {
	op := &Summarize{keyword: k, Options: p.options(hints)}
	if !p.isWord("by") {
		op.Aggregates = p.namedList()
	}
	if p.acceptWord("by") {
		op.By = p.namedList()
	}
	return op
}

func (p *parser) join(k keyword) Operator {
	op := &Join{keyword: k, Options: p.options(joinOptions)}
	op.Right = p.postfix()
	if p.acceptWord("on") {
		for {
			op.On = append(op.On, p.expr())
			if !p.accept(",") {
				break
			}
		}
	}
	return op
}

func (p *parser) union(k keyword) Operator {
	op := &Union{keyword: k, Options: p.options(joinOptions)}
	op.Tables = p.tables()
	return op
}

func (p *parser) evaluate(k keyword) Operator {
	op := &Evaluate{keyword: k, Options: p.options(hints)}
	call, ok := p.postfix().(*Call)
	if !ok {
		p.unexpected("a plugin call")
	}
	op.Call = call
	if p.accept(":") {
		p.expect("(")
		op.Schema = &TypeOf{}
		if p.accept("*") {
			op.Schema.Rest = true
			p.accept(",")
		}
		op.Schema.Columns = p.columnDecls(")")
		p.expect(")")
	}
	return op
}

func (p *parser) rangeOp(k keyword) Operator {
	op := &Range{keyword: k, Name: p.name()}
	p.expectWord("from")
	op.From = p.expr()
	p.expectWord("to")
	op.To = p.expr()
	p.expectWord("step")
	op.Step = p.expr()
	return op
}

func (p *parser) render(k keyword) Operator {
	op := &Render{keyword: k}
	op.Kind = p.name().Text
	if p.acceptWord("with") {
		op.Options = p.bracketedOptions()
	}
	for p.tok().Kind == Word && p.isAt(1, "=") {
		name := p.name()
		p.at++
		op.Options = append(op.Options, Option{name, p.postfix()})
		p.accept(",")
	}
	if p.acceptWord("by") { // an old form, without a meaning to us
		p.namedList()
	}
	return op
}

func (p *parser) invoke(k keyword) Operator {
	x := p.postfix()
	call, ok := x.(*Call)
	if !ok {
		p.unexpected("a function call")
	}
	return &Invoke{k, call}
}

func (p *parser) as(k keyword) Operator {
	p.options(hints)
	return &As{k, p.name()}
}

func (p *parser) reduce(k keyword) Operator {
	op := &Reduce{keyword: k, Options: p.options(mvOptions)}
	p.expectWord("by")
	op.X = p.expr()
	if p.acceptWord("with") {
		for p.tok().Kind == Word && p.isAt(1, "=") {
			name := p.name()
			p.at++
			op.Options = append(op.Options, Option{name, p.postfix()})
			p.accept(",")
		}
	}
	return op
}
