package syntax

import (
	"strings"

	"lockstep/schema"
)

// Error is something wrong with the text.
type Error struct {
	Span
	Code    string
	Message string
	Warning bool // the text has a meaning all the same
}

// ParseQuery reads a text. The tree is always whole, with Bad nodes where the
// text makes no sense; the errors are in the order of the text.
func ParseQuery(text string) (*Query, []Error) {
	tokens, errors := Tokens(text)
	p := &parser{text: text, tokens: tokens, errors: errors, grammar: operatorParsers()}
	q := p.query(false)
	return q, p.errors
}

// deepest is how far expressions may nest.
const deepest = 400

type parser struct {
	text   string
	tokens []Token
	at     int
	depth  int
	// literals: the values of a datatable are read, where the least long can be written
	literals bool
	errors   []Error
	grammar  map[string]func(*parser, keyword) Operator
}

// bail ends the operator or statement that makes no sense; see guard.
type bail struct{}

func (p *parser) tok() Token { return p.tokens[p.at] }

func (p *parser) peek(n int) Token {
	if p.at+n < len(p.tokens) {
		return p.tokens[p.at+n]
	}
	return p.tokens[len(p.tokens)-1]
}

func (p *parser) advance() Token {
	t := p.tokens[p.at]
	if t.Kind != EOF {
		p.at++
	}
	return t
}

func (p *parser) is(punct string) bool { t := p.tok(); return t.Kind == Punct && t.Text == punct }

func (p *parser) isAt(n int, punct string) bool {
	t := p.peek(n)
	return t.Kind == Punct && t.Text == punct
}

func (p *parser) isWord(words ...string) bool { return wordIn(p.tok(), words...) }

func wordIn(t Token, words ...string) bool {
	if t.Kind != Word {
		return false
	}
	for _, w := range words {
		if t.Text == w {
			return true
		}
	}
	return false
}

func (p *parser) accept(punct string) bool {
	if p.is(punct) {
		p.at++
		return true
	}
	return false
}

func (p *parser) acceptWord(words ...string) bool {
	if p.isWord(words...) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(punct string) Token {
	if !p.is(punct) {
		p.unexpected(quote(punct))
	}
	return p.advance()
}

func (p *parser) expectWord(word string) {
	if !p.acceptWord(word) {
		p.unexpected(quote(word))
	}
}

// unexpected reports that something else was wanted here and bails out.
func (p *parser) unexpected(want string) {
	t := p.tok()
	if p.is("|") && p.at > 0 && p.tokens[p.at-1].Kind == Punct && p.tokens[p.at-1].Text == "|" {
		want = "'||' is no operator: conditions are joined by 'or', operators by one '|'; " + want
	}
	if p.at > 0 && p.tokens[p.at-1].Kind == Number && t.Kind == Word && timeUnit(t.Text) {
		p.fail(Span{p.tokens[p.at-1].Start, t.End}, "KQL010", "a length of time is written without a blank, such as "+p.tokens[p.at-1].Text+strings.ToLower(t.Text[:1]))
	}
	found := "the end of the text"
	if t.Kind != EOF {
		found = quote(p.text[t.Start:min(t.End, t.Start+30)])
	}
	p.fail(Span{t.Start, t.End}, "KQL010", want+" expected, found "+found)
}

// warnOnce says something about a token that may be looked at more than once.
func (p *parser) warnOnce(t Token, code, message string) {
	if n := len(p.errors); n == 0 || p.errors[n-1].Start != t.Start {
		p.errors = append(p.errors, Error{Span{t.Start, t.End}, code, message, true})
	}
}

// timeUnit tells the words that people write after a number.
func timeUnit(s string) bool {
	switch strings.TrimSuffix(strings.ToLower(s), "s") {
	case "d", "day", "h", "hour", "m", "min", "minute", "sec", "second":
		return true
	}
	return false
}

// mend says how a token that nothing expects could have been meant.
func (p *parser) mend(t Token) string {
	before := Token{}
	if p.at > 0 {
		before = p.tokens[p.at-1]
	}
	switch low := strings.ToLower(t.Text); {
	case t.Kind == Punct && (t.Text == ")" || t.Text == "]" || t.Text == "}"):
		return ": no bracket is open that it could close"
	case t.Kind == Word && t.Text != low && (low == "and" || low == "or" || low == "by" || low == "has" || low == "contains" || low == "in" || low == "between"):
		return "; words of the language are in small letters: '" + low + "'"
	case wordIn(before, "not"):
		return "; write not(…) around the condition"
	case wordIn(t, "group"):
		return "; groups follow 'by' alone"
	case t.Kind == Punct && t.Text == ",":
		return "; several values of 'in' stand in brackets"
	}
	return "; a ';' separates statements, a '|' operators"
}

func (p *parser) fail(at Span, code, message string) {
	p.errors = append(p.errors, Error{at, code, message, false})
	panic(bail{})
}

// guard runs f; when f bails out it skips to a token that stop accepts, outside of any bracket opened since.
func (p *parser) guard(f func(), stop func(Token) bool) (ok bool) {
	depth := p.depth
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(bail); !is {
				panic(r)
			}
			p.depth = depth
			p.skip(stop)
			ok = false
		}
	}()
	f()
	return true
}

func (p *parser) skip(stop func(Token) bool) {
	open := 0
	for p.tok().Kind != EOF {
		t := p.tok()
		if open == 0 && stop(t) {
			return
		}
		if t.Kind == Punct {
			switch t.Text {
			case "(", "[", "{":
				open++
			case ")", "]", "}":
				if open > 0 {
					open--
				}
			}
		}
		p.at++
	}
}

func stopAt(puncts ...string) func(Token) bool {
	return func(t Token) bool {
		if t.Kind != Punct {
			return false
		}
		for _, s := range puncts {
			if t.Text == s {
				return true
			}
		}
		return false
	}
}

func (p *parser) from(start int) Span {
	end := start
	if p.at > 0 {
		end = max(start, p.tokens[p.at-1].End)
	}
	return Span{start, end}
}

// query reads statements up to the end, or to } of a function body.
func (p *parser) query(body bool) *Query {
	q := &Query{}
	for {
		for p.accept(";") {
		}
		if p.tok().Kind == EOF || body && p.is("}") {
			return q
		}
		start := p.tok().Start
		p.guard(func() { q.Statements = append(q.Statements, p.statement()) }, stopAt(";", "}"))
		if p.tok().Kind == EOF || body && p.is("}") {
			return q
		}
		if !p.is(";") {
			if t := p.tok(); len(p.errors) == 0 || p.errors[len(p.errors)-1].Start < start {
				p.errors = append(p.errors, Error{Span{t.Start, t.End}, "KQL011", "the text " + quote(p.text[t.Start:t.End]) + " is not expected here" + p.mend(t), false})
			}
			p.skip(stopAt(";", "}"))
			if !body && p.is("}") {
				p.at++
			}
		}
	}
}

func (p *parser) statement() Statement {
	start := p.tok().Start
	switch {
	case p.isWord("let") && p.peek(1).Kind != EOF && !p.isAt(1, "|"):
		p.at++
		name := p.name()
		p.expect("=")
		var x Expr
		if p.lambdaAhead() {
			x = p.lambda()
		} else {
			x = p.pipeline()
		}
		return &Let{p.from(start), name, x}
	case p.isWord("set") && p.peek(1).Kind == Word:
		p.at++
		s := &Set{Option: p.advance().Text}
		if p.accept("=") {
			s.Value = p.expr()
		}
		s.Span = p.from(start)
		return s
	case p.isWord("declare") && wordIn(p.peek(1), "pattern"):
		return p.pattern()
	case p.isWord("declare") && wordIn(p.peek(1), "query_parameters"):
		p.at += 2
		params := p.parameters()
		return &Declare{p.from(start), params}
	}
	x := p.pipeline()
	return &Expression{p.from(start), x}
}

func (p *parser) lambdaAhead() bool {
	n := 0
	if p.isWord("view") {
		n = 1
	}
	if !p.isAt(n, "(") {
		return false
	}
	open := 0
	for i := p.at + n; i < len(p.tokens); i++ {
		t := p.tokens[i]
		if t.Kind != Punct {
			continue
		}
		switch t.Text {
		case "(":
			open++
		case ")":
			open--
			if open == 0 {
				return p.tokens[i+1].Kind == Punct && p.tokens[i+1].Text == "{"
			}
		case ";", "|", "{":
			return false
		}
	}
	return false
}

func (p *parser) lambda() Expr {
	start := p.tok().Start
	l := &Lambda{View: p.acceptWord("view")}
	l.Params = p.parameters()
	p.expect("{")
	p.nest(func() { l.Body = p.query(true) })
	p.expect("}")
	l.Span = p.from(start)
	return l
}

// nest counts depth around f.
func (p *parser) nest(f func()) {
	p.depth++
	if p.depth > deepest {
		p.fail(Span{p.tok().Start, p.tok().End}, "KQL012", "the query is nested too deeply")
	}
	f()
	p.depth--
}

func (p *parser) parameters() []Parameter {
	p.expect("(")
	var out []Parameter
	for !p.is(")") {
		param := Parameter{Name: p.name()}
		p.expect(":")
		if p.is("(") {
			param.Tabular = true
			p.at++
			if !p.accept("*") {
				param.Columns = p.columnDecls(")")
				if p.accept("*") {
					param.Columns = append(param.Columns, ColumnDecl{})
				}
			}
			p.expect(")")
		} else {
			param.Type = p.typeName()
		}
		if p.accept("=") {
			param.Default = p.expr()
		}
		out = append(out, param)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

// columnDecls reads name:type, …; it stops before end or *.
func (p *parser) columnDecls(end string) []ColumnDecl {
	out := []ColumnDecl{}
	for !p.is(end) && !p.is("*") {
		c := ColumnDecl{Name: p.name()}
		p.expect(":")
		c.Type = p.typeName()
		out = append(out, c)
		if !p.accept(",") {
			break
		}
	}
	return out
}

func (p *parser) typeName() schema.Type {
	t := p.tok()
	if t.Kind == Word {
		if typ, ok := schema.ParseType(t.Text); ok {
			p.at++
			return typ
		}
		p.fail(Span{t.Start, t.End}, "KQL013", quote(t.Text)+" is not a type: use bool, int, long, real, decimal, string, datetime, timespan, guid or dynamic")
	}
	p.unexpected("a type")
	return schema.Invalid
}

// name reads an identifier, plain or bracketed.
func (p *parser) name() Name {
	t := p.tok()
	switch {
	case t.Kind == Word:
		p.at++
		return Name{Span{t.Start, t.End}, t.Text, false}
	case p.is("$") && p.peek(1).Kind == Word:
		p.at += 2
		return Name{p.from(t.Start), "$" + p.tokens[p.at-1].Text, false}
	case p.is("[") && p.peek(1).Kind == String && p.isAt(2, "]"):
		p.at += 3
		return Name{p.from(t.Start), p.tokens[p.at-2].Text, true}
	}
	p.unexpected("a name")
	return Name{}
}

// sources are the operators that can begin a pipeline.
var sources = map[string]bool{"print": true, "range": true, "union": true, "search": true, "find": true, "evaluate": true}

// pipeline reads a scalar expression, or a source with operators.
func (p *parser) pipeline() Expr {
	var x Expr
	p.nest(func() { x = p.pipelineAt() })
	return x
}

func (p *parser) pipelineAt() Expr {
	start := p.tok().Start
	var source Expr
	if p.sourceAhead() {
		p.guard(func() { source = p.operatorSource() }, stopAt("|", ";", ")", "}"))
	} else {
		source = p.expr()
	}
	if source == nil {
		source = &Bad{p.from(start)}
	}
	if !p.is("|") {
		return source
	}
	return &Pipe{Source: source, Ops: p.operators(), Span: p.from(start)}
}

func (p *parser) sourceAhead() bool {
	t, next := p.tok(), p.peek(1)
	if t.Kind != Word || !sources[t.Text] {
		return false
	}
	switch {
	case t.Text == "range":
		return next.Kind == Word || next.Kind == Punct && next.Text == "["
	case next.Kind == Punct && (next.Text == "." || next.Text == "|" || next.Text == "=" || next.Text == ";"):
		return false
	case next.Kind == Punct && next.Text == "(" && t.Text == "print":
		return true
	}
	return next.Kind != EOF
}

func (p *parser) operatorSource() Expr {
	start := p.tok().Start
	op := p.operator()
	return &OperatorSource{p.from(start), op}
}

// operators reads | op | op …
func (p *parser) operators() []Operator {
	var ops []Operator
	for p.accept("|") {
		p.guard(func() { ops = append(ops, p.operator()) }, stopAt("|", ";", ")", "}"))
	}
	return ops
}
