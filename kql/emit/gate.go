package emit

import (
	"regexp"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// A text inside of JSON stands in the JSON's own text letter by letter, unless
// an escape spells it otherwise. To look for it there costs a fraction of what
// reading the JSON costs, and most rows that a filter sees don't have it.

// plainWord is a text that can be a JSON text, true, false or null, and nothing
// else that reading a path gives; and that JSON spells as it is or with a backslash.
var plainWord = regexp.MustCompile(`^[A-Za-z][^"\\\x00-\x1f\x7f]*$`)

// mostGates is how many words are looked for before it's cheaper to read the JSON.
const mostGates = 4

// gated asks before f, which compares x with words, whether any of them can be
// there; where none is, otherwise holds. It gives f if x isn't a text at a path
// of JSON, or a word isn't a plain constant.
func (s *sel) gated(x plan.Expr, words []plan.Expr, f frag, otherwise string) frag {
	json, ok := s.textInJSON(x)
	if !ok || len(words) == 0 || len(words) > mostGates || !s.e.says("contains") {
		return f
	}
	gates := []frag{s.e.say("contains", json, param(`\`))}
	for _, w := range words {
		k, ok := w.(*plan.Const)
		if !ok || k.Typ != schema.String {
			return f
		}
		word, ok := k.Value.(string)
		if !ok || !plainWord.MatchString(word) {
			return f
		}
		gates = append(gates, s.e.say("contains", json, param(word)))
	}
	g := text("(CASE WHEN ").and(join(" OR ", gates)).and(text(" THEN ")).and(f).and(text(" ELSE " + otherwise + " END)"))
	g.notNull = f.notNull
	return g
}

// textInJSON gives the JSON that x reads a text out of, if it is a column.
func (s *sel) textInJSON(x plan.Expr) (json frag, ok bool) {
	c, ok := x.(*plan.Call)
	if !ok || c.Func != "tostring" {
		return frag{}, false
	}
	g, ok := c.Args[0].(*plan.Call)
	if !ok || g.Func != "get" {
		return frag{}, false
	}
	root, _, ok := path(g)
	if !ok {
		return frag{}, false
	}
	json = s.json(root)
	return json, json.simple
}
