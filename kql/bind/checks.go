package bind

import (
	"regexp"
	"slices"
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
	case "datetime_diff", "datetime_part", "datetime_add":
		if text, ok := b.constantText(args[0]); ok && !slices.Contains(dateParts[name], strings.ToLower(text)) {
			b.fail(x.Args[0].At(), "KQL147", "'%s' is no part of a date for %s%s", text, name, oneOf(text, slices.Clone(dateParts[name])))
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

// dateParts are the parts of a date that functions know.
// Source: Kusto, datetime_diff, datetime_part and datetime_add.
var dateParts = map[string][]string{
	"datetime_diff": {"year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond", "nanosecond"},
	"datetime_add":  {"year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond", "nanosecond"},
	"datetime_part": {"year", "quarter", "month", "week_of_year", "weekofyear", "day", "dayofyear", "hour", "minute", "second", "millisecond", "microsecond", "nanosecond"},
}

// formats are what the formatting functions take.
// Source: Kusto, format_datetime and format_timespan: supported formats and delimiters.
var formats = map[string]*regexp.Regexp{
	"format_datetime": regexp.MustCompile("^(?:" + strings.Join([]string{"d{1,2}", "f{1,7}", "F{1,7}", "h{1,2}", "H{1,2}", "m{1,2}", "M{1,2}", "s{1,2}", "y{1,5}", "tt", delimiters}, "|") + ")*$"),
	"format_timespan": regexp.MustCompile("^(?:" + strings.Join([]string{"d{1,8}", "f{1,7}", "F{1,7}", "h{1,2}", "H{1,2}", "m{1,2}", "s{1,2}", delimiters}, "|") + ")*$"),
}

const delimiters = `[ /\-:,._\[\]]`
