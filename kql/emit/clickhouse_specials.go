package emit

import (
	"regexp"
	"strconv"
	"strings"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/schema"
)

// special gives the functions whose words depend on constants: the engine
// wants expressions, separators and groups written, and raises an error for wrong ones.
func (ClickHouse) special(fn string) func(*sel, *plan.Call) frag {
	return map[string]func(*sel, *plan.Call) frag{
		"extract": clickExtract, "extract_all": clickExtractAll, "replace_regex": clickReplace, "split": clickSplit, "strcat_array": clickStrcatArray,
	}[fn]
}

// written gives an argument that must be a constant text.
func written(c *plan.Call, i int, what string) string {
	if i < len(c.Args) {
		if k, ok := c.Args[i].(*plan.Const); ok {
			if text, ok := k.Value.(string); ok {
				return text
			}
		}
	}
	unsupported(what + " that is computed")
	return ""
}

// expression gives a regular expression that is written and valid.
func expression(c *plan.Call, i int) (*regexp.Regexp, frag) {
	text := native.Pattern(written(c, i, "a regular expression"))
	re, err := regexp.Compile(text)
	if err != nil {
		unsupported("a regular expression that is invalid")
	}
	return re, param("(?-s)" + text)
}

func clickExtract(s *sel, c *plan.Call) frag {
	re, pattern := expression(c, 0)
	k, ok := c.Args[1].(*plan.Const)
	n, isNumber := int64(0), false
	if ok {
		n, isNumber = k.Value.(int64)
	}
	if !isNumber {
		unsupported("a number of a group that is computed")
	}
	if n < 0 || n > int64(re.NumSubexp()) {
		return frag{text: "''", notNull: true, simple: true}
	}
	if n == 0 && re.NumSubexp() == 0 {
		pattern = param("((?-s)" + re.String() + ")")
		n = 1
	}
	f := text("regexpExtract(").and(s.expr(c.Args[2])).and(text(", ")).and(pattern).and(textf(", %d)", n))
	f.notNull = true
	return f
}

func clickExtractAll(s *sel, c *plan.Call) frag {
	re, pattern := expression(c, 0)
	if len(c.Args) > 2 {
		unsupported("extract_all of chosen groups")
	}
	groups := re.NumSubexp()
	if groups == 0 {
		pattern = param("((?-s)" + re.String() + ")")
	}
	all := s.hoist(text("extractAllGroupsVertical(").and(s.expr(c.Args[len(c.Args)-1])).and(text(", ")).and(pattern).and(text(")")))
	shown := "arrayMap(m -> m[1], {0})"
	if groups > 1 {
		shown = "{0}"
	}
	return expandTemplate("if(empty({0}), NULL, toJSONString("+shown+"))", []frag{all}, nil)
}

// clickReplace: \1 and $1 name groups in KQL, \1 alone in the engine.
func clickReplace(s *sel, c *plan.Call) frag {
	re, pattern := expression(c, 1)
	rewrite := written(c, 2, "a replacement")
	var b strings.Builder
	for i := 0; i < len(rewrite); i++ {
		next := byte(0)
		if i+1 < len(rewrite) {
			next = rewrite[i+1]
		}
		switch {
		case (rewrite[i] == '\\' || rewrite[i] == '$') && next >= '0' && next <= '9':
			if n, _ := strconv.Atoi(string(next)); n <= re.NumSubexp() {
				b.WriteString(`\` + string(next))
			}
			i++
		case rewrite[i] == '\\':
			b.WriteString(`\\`)
			if next == '\\' {
				i++
			}
		default:
			b.WriteByte(rewrite[i])
		}
	}
	f := text("replaceRegexpAll(").and(s.expr(c.Args[0])).and(text(", ")).and(pattern).and(text(", ")).and(param(b.String())).and(text(")"))
	f.notNull = true
	return f
}

func clickSplit(s *sel, c *plan.Call) frag {
	sep := written(c, 1, "a separator")
	parts := text("[").and(s.expr(c.Args[0])).and(text("]"))
	if sep != "" {
		parts = text("splitByString(").and(param(sep)).and(text(", ")).and(s.expr(c.Args[0])).and(text(")"))
	}
	if len(c.Args) == 2 {
		f := parts.wrap("toJSONString(", ")")
		f.notNull = true
		return f
	}
	n := s.simply(c.Args[2])
	return expandTemplate("if(coalesce({1}, -1) < 0 OR {1} >= length({0}), NULL, toJSONString([{0}[toInt64(coalesce({1}, 0)) + 1]]))", []frag{s.hoist(parts), n}, nil)
}

func clickStrcatArray(s *sel, c *plan.Call) frag {
	written(c, 1, "a separator")
	list := s.simply(c.Args[0])
	f := expandTemplate("if(startsWith({0}, '['), arrayStringConcat(arrayMap(e -> "+clickPlain+", JSONExtractArrayRaw(coalesce({0}, ''))), {1}), '')", []frag{list, s.expr(c.Args[1])}, nil)
	if c.Args[0].Type() != schema.Dynamic {
		unsupported("strcat_array of what is not dynamic")
	}
	f.notNull = true
	return f
}
