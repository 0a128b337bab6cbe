package bind

import (
	"regexp"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
)

// expressionArguments are the functions that take a regular expression: which
// argument it is, and what becomes of one that is none.
var expressionArguments = map[string]struct {
	at    int
	gives string
}{
	"extract": {0, "so nothing is extracted"}, "extract_all": {0, "so it gives null"}, "replace_regex": {1, "so nothing is replaced"},
	"indexof_regex": {1, "so it is found nowhere"}, "countof": {1, "so it counts nothing"},
}

// checkExpressions warns of a function's constant that is no regular expression.
func (b *binder) checkExpressions(x *syntax.Call, name string, args []plan.Expr) {
	e, ok := expressionArguments[name]
	if !ok || e.at >= len(args) {
		return
	}
	if name == "countof" {
		if len(args) < 3 {
			return
		}
		if kind, _ := b.constantText(args[2]); kind != "regex" {
			return
		}
	}
	b.checkExpression(x.Args[e.at], args[e.at], e.gives)
}

// checkExpression warns of a constant that is no regular expression.
func (b *binder) checkExpression(at syntax.Expr, x plan.Expr, gives string) {
	if text, ok := b.constantText(x); ok {
		if _, err := regexp.Compile(text); err != nil {
			b.warn(at.At(), "KQL126", "this is no valid regular expression, %s: %v", gives, err)
		}
	}
}
