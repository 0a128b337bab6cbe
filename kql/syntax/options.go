package syntax

// Known option names by operator; hint.* is accepted everywhere.
var (
	// knownHints are the hints of all operators. Source: Kusto, the reference pages of the operators.
	knownHints = map[string]bool{"strategy": true, "shufflekey": true, "num_partitions": true, "remote": true, "materialized": true, "concurrency": true, "spread": true,
		"distribution": true, "progressive_top": true, "pass_filters": true, "pass_filters_column": true, "use_dictionary": true}
	hints          = map[string]bool{}
	joinOptions    = map[string]bool{"kind": true, "withsource": true, "isfuzzy": true}
	mvOptions      = map[string]bool{"kind": true, "bagexpansion": true, "with_itemindex": true}
	parseOpts      = map[string]bool{"kind": true, "flags": true}
	consumeOptions = map[string]bool{"decodeblocks": true}
	findOptions    = map[string]bool{"withsource": true, "withsource_": true, "datascope": true, "kind": true}
)

// options reads name=value, … as far as the names are known ones or hints.
func (p *parser) options(known map[string]bool) []Option {
	var out []Option
	for p.tok().Kind == Word {
		word := p.tok().Text
		switch {
		case word == "hint" && p.isAt(1, ".") && p.peek(2).Kind == Word && p.isAt(3, "="):
			name := Name{Span{p.tok().Start, p.peek(2).End}, "hint." + p.peek(2).Text, false}
			if !knownHints[p.peek(2).Text] {
				p.errors = append(p.errors, Error{name.Span, "KQL018", quote(name.Text) + " is no hint: it changes nothing", true})
			}
			p.at += 4
			out = append(out, Option{name, p.optionValue()})
		case known[word] && p.isAt(1, "="):
			name := p.name()
			p.at++
			out = append(out, Option{name, p.optionValue()})
		default:
			return out
		}
		if p.is(",") && (known[p.peek(1).Text] || p.peek(1).Text == "hint") {
			p.at++
		}
	}
	return out
}

// optionValue reads one word, literal or bracketed expression: kind=inner (T)
// is no call.
func (p *parser) optionValue() Expr {
	if t := p.tok(); t.Kind == Word && p.isAt(1, "(") && rawLiterals[t.Text] == 0 && t.Text != "dynamic" {
		return &Ident{p.name()}
	}
	return p.postfix()
}

// bracketedOptions reads (name=value, …).
func (p *parser) bracketedOptions() []Option {
	p.expect("(")
	var out []Option
	for !p.is(")") {
		name := p.name()
		for p.is(".") || p.is("-") {
			p.at++
			name.Text += p.tokens[p.at-1].Text + p.name().Text
		}
		p.expect("=")
		out = append(out, Option{name, p.expr()})
		if !p.accept(",") && !p.accept(";") {
			break
		}
	}
	p.expect(")")
	return out
}
