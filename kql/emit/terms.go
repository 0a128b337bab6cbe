package emit

import (
	"regexp"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// notLetter is what can stand beside a term: anything but a letter or digit.
const notLetter = `[^\pL\pN]`

// termPattern is the expression for a term: maximal runs of letters and digits.
// Source: Kusto, string operators: "what is a term".
func termPattern(word string, before, after bool) string {
	p := regexp.QuoteMeta(word)
	if before && startsAlnum(word) {
		p = "(?:^|" + notLetter + ")" + p
	}
	if after && endsAlnum(word) {
		p += "(?:" + notLetter + "|$)"
	}
	return p
}

func startsAlnum(w string) bool { return alnum.MatchString(w) }

func endsAlnum(w string) bool { return alnumEnd.MatchString(w) }

var alnum, alnumEnd = regexp.MustCompile(`^[\pL\pN]`), regexp.MustCompile(`[\pL\pN]$`)

// terms says has and its relatives: a cheap contains first, the term rule where that holds.
func terms(s *sel, c *plan.Call) frag {
	op, exact := strings.CutSuffix(c.Func, "_cs")
	var v frag
	if exact {
		v = s.expr(c.Args[0])
		if !v.simple {
			v = s.hoist(v)
		}
	} else {
		v = s.folded(c.Args[0])
	}
	before, after := op != "hassuffix", op != "hasprefix"
	var parts []frag
	var words []string
	for _, a := range c.Args[1:] {
		k, ok := a.(*plan.Const)
		word, isText := "", false
		if ok {
			word, isText = k.Value.(string)
		}
		switch {
		case isText && a.Type() == schema.String:
			if !exact {
				word = strings.ToLower(word)
			}
			words = append(words, word)
		case a.Type() == schema.Dynamic || isList(a):
			parts = append(parts, s.termsOfList(v, a, op))
		default:
			parts = append(parts, s.e.sayAs(c.Func+" of a term that is computed", "has", v, s.expr(a), textf("%t", !exact), textf("%t", before), textf("%t", after)))
		}
	}
	sep := " OR "
	if op == "has_all" {
		sep = " AND "
	}
	if op == "has_any" && len(words) > 4 {
		parts = append(parts, s.anyTerm(v, words))
	} else {
		for _, w := range words {
			parts = append(parts, s.oneTerm(v, w, before, after))
		}
	}
	if len(parts) == 0 {
		return frag{text: "false", notNull: true, simple: true}
	}
	f := join(sep, parts).wrap("(", ")")
	f.notNull = true
	return f
}

func isList(x plan.Expr) bool { s, ok := x.(*plan.Scalar); return ok && s.List }

func (s *sel) oneTerm(v frag, word string, before, after bool) frag {
	if word == "" {
		return text("true")
	}
	return text("CASE WHEN ").and(s.e.say("contains", v, param(word))).and(text(" THEN ")).and(s.e.say("matches", v, param(termPattern(word, before, after)))).and(text(" ELSE false END"))
}

func (s *sel) anyTerm(v frag, words []string) frag {
	var patterns []frag
	for _, p := range termPatterns(words) {
		patterns = append(patterns, s.e.say("matches", v, param(p)))
	}
	return join(" OR ", patterns).wrap("(", ")")
}

// mostPattern is how long one expression may be: the engine refuses programs that are too large.
const mostPattern = 4000

// termPatterns makes expressions of words: those with the same kind of ends share them.
func termPatterns(words []string) []string {
	type ends struct{ before, after bool }
	kinds := map[ends][]string{}
	var order []ends
	for _, w := range words {
		k := ends{startsAlnum(w), endsAlnum(w)}
		if kinds[k] == nil {
			order = append(order, k)
		}
		kinds[k] = append(kinds[k], regexp.QuoteMeta(w))
	}
	var out []string
	for _, k := range order {
		before, after := "", ""
		if k.before {
			before = "(?:^|" + notLetter + ")"
		}
		if k.after {
			after = "(?:" + notLetter + "|$)"
		}
		for rest := kinds[k]; len(rest) > 0; {
			n, size := 0, 0
			for n < len(rest) && (n == 0 || size+len(rest[n]) < mostPattern) {
				size += len(rest[n]) + 1
				n++
			}
			out = append(out, before+"(?:"+strings.Join(rest[:n], "|")+")"+after)
			rest = rest[n:]
		}
	}
	return out
}

// termsOfList: terms from an array or a table known only at run time.
func (s *sel) termsOfList(v frag, a plan.Expr, op string) frag {
	list := s.expr(a)
	if !isList(a) {
		list = s.e.sayAs(op+" of an array that is computed", "texts of an array", list)
	}
	joined := s.hoist(s.e.sayAs(op+" of a table", "joined list", list))
	all := "false"
	if op == "has_all" {
		all = "true"
	}
	return s.e.say("has of a list", v, joined, text(all))
}
