package bind

import (
	"regexp"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// checkConstants refuses constant arguments that the engine refuses.
func (b *binder) checkConstants(x *syntax.Call, name string, args []plan.Expr) {
	switch name {
	case "format_datetime", "format_timespan":
		if text, ok := b.constantText(args[1]); ok && !formats[name].MatchString(text) {
			b.fail(x.Args[1].At(), "KQL146", "'%s' is no format of %s: it takes the letters of its parts, and between them only the characters space / - : , . _ [ ]", text, name)
		}
	case "repeat":
		if args[0].Type() == schema.Dynamic {
			b.fail(x.Args[0].At(), "KQL133", "the function 'repeat' wants a single value, not a dynamic")
		}
	}
}

func (b *binder) constantText(x plan.Expr) (string, bool) {
	k, ok := Fold(x, b.env.Now).(*plan.Const)
	if !ok || k.Typ != schema.String {
		return "", false
	}
	text, ok := k.Value.(string)
	return text, ok
}

// formats are what the formatting functions take.
// Source: Kusto, format_datetime and format_timespan: supported formats and delimiters.
var formats = map[string]*regexp.Regexp{
	"format_datetime": regexp.MustCompile("^(?:" + strings.Join([]string{"d{1,2}", "f{1,7}", "F{1,7}", "h{1,2}", "H{1,2}", "m{1,2}", "M{1,2}", "s{1,2}", "y{1,5}", "tt", delimiters}, "|") + ")*$"),
	"format_timespan": regexp.MustCompile("^(?:" + strings.Join([]string{"d{1,8}", "f{1,7}", "F{1,7}", "h{1,2}", "H{1,2}", "m{1,2}", "s{1,2}", delimiters}, "|") + ")*$"),
}

const delimiters = `[ /\-:,._\[\]]`
