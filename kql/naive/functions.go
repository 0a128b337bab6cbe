package naive

import (
	"math"
	"math/big"
	"strings"
	"unicode"

	"lockstep/schema"
)

// logic are comparisons and operators that are null where an operand is.
func logic() map[string]func(call) any {
	ordering := func(ok func(int) bool) func(call) any {
		return func(c call) any {
			if nan(c.args[0]) || nan(c.args[1]) {
				return false
			}
			if c.kind(0) == schema.Decimal {
				return ok(rational(c.args[0]).Cmp(rational(c.args[1])))
			}
			return ok(order(c.args[0], c.args[1]))
		}
	}
	return map[string]func(call) any{
		"lt": ordering(func(n int) bool { return n < 0 }), "le": ordering(func(n int) bool { return n <= 0 }),
		"gt": ordering(func(n int) bool { return n > 0 }), "ge": ordering(func(n int) bool { return n >= 0 }),
		"not": func(c call) any { return c.args[0] == false },
	}
}

func nan(v any) bool { f, ok := v.(float64); return ok && math.IsNaN(f) }

func rational(v any) *big.Rat {
	r, ok := new(big.Rat).SetString(text(v))
	if !ok {
		return new(big.Rat)
	}
	return r
}

// tolerant are functions that see nulls.
func tolerant() map[string]func(call) any {
	conversion := func(c call) any { return convert(c.args[0], c.kind(0), c.Typ) }
	isEmpty := func(c call) bool { return c.args[0] == nil || c.args[0] == "" }
	member := func(fold bool) func(call) any {
		return func(c call) any {
			x := c.args[0]
			if x == nil {
				return false
			}
			for i := 1; i < len(c.args); i++ {
				if list, ok := c.args[i].([]any); ok && c.kind(i) == schema.Dynamic {
					for _, v := range list {
						a, b := asText(x, c.kind(0)), asText(v, schema.Dynamic)
						if v != nil && (a == b || fold && lower(a) == lower(b)) {
							return true
						}
					}
					continue
				}
				if c.args[i] != nil && c.kind(i) == schema.Dynamic && c.kind(0) != schema.Dynamic {
					unknown("membership in a dynamic that is no array")
				}
				if v := c.args[i]; v != nil && (identity(x) == identity(v) && !nan(x) || fold && lower(text(x)) == lower(text(v))) {
					return true
				}
			}
			return false
		}
	}
	most := func(sign int) func(call) any {
		return func(c call) any {
			var best any
			for _, v := range c.args {
				if nan(v) {
					return v
				}
				if v != nil && (best == nil || order(v, best)*sign > 0) {
					best = v
				}
			}
			return best
		}
	}
	return map[string]func(call) any{
		// two nulls: it isn't known; one: they differ
		"eq": func(c call) any {
			if c.args[0] == nil && c.args[1] == nil {
				return nil
			}
			return same(c.args[0], c.args[1])
		},
		"ne": func(c call) any {
			if c.args[0] == nil && c.args[1] == nil {
				return nil
			}
			return !same(c.args[0], c.args[1])
		},
		"same":   func(c call) any { return identity(c.args[0]) == identity(c.args[1]) },
		"isnull": func(c call) any { return c.args[0] == nil }, "isnotnull": func(c call) any { return c.args[0] != nil },
		"isempty": func(c call) any { return isEmpty(c) }, "isnotempty": func(c call) any { return !isEmpty(c) },
		"in": member(false), "in~": member(true),
		"coalesce": func(c call) any {
			for _, v := range c.args {
				if v != nil && (v != "" || c.Typ != schema.String) {
					return v
				}
			}
			return nil
		},
		"max_of": most(1), "min_of": most(-1),
		"tostring": conversion, "tolong": conversion, "toint": conversion, "toreal": conversion, "tobool": conversion, "todatetime": conversion,
		"totimespan": conversion, "toguid": conversion, "todynamic": conversion, "todecimal": conversion,
		"has": term("has"), "has_cs": term("has_cs"), "has_any": term("has_any"), "has_all": term("has_all"), "hasprefix": term("hasprefix"), "hasprefix_cs": term("hasprefix_cs"), "hassuffix": term("hassuffix"), "hassuffix_cs": term("hassuffix_cs"),
	}
}

func same(a, b any) bool {
	if nan(a) || nan(b) {
		return false
	}
	_, one := a.(bool)
	if _, other := b.(bool); one != other {
		a, b = asNumber(a), asNumber(b)
	}
	return identity(a) == identity(b)
}

// asNumber is a truth value as a number stands beside it: 1 or 0.
func asNumber(v any) any {
	switch v {
	case true:
		return int64(1)
	case false:
		return int64(0)
	}
	return v
}

func lower(s string) string { return strings.ToLower(s) }

// term: a term is a run of letters and digits. A word is found where it stands
// with no letter or digit beside an end of it that is one itself.
// Source: Kusto, string operators.
func term(op string) func(call) any {
	name, exact := strings.CutSuffix(op, "_cs")
	return func(c call) any {
		s := c.text(0)
		if !exact {
			s = lower(s)
		}
		var words []string
		for i := 1; i < len(c.args); i++ {
			if list, ok := c.args[i].([]any); ok {
				for _, v := range list {
					if v != nil {
						words = append(words, asText(v, schema.Dynamic))
					}
				}
				continue
			}
			if c.kind(i) == schema.Dynamic {
				if c.args[i] != nil {
					unknown("terms of a dynamic that is no array")
				}
				continue
			}
			words = append(words, asText(c.args[i], c.kind(i)))
		}
		for _, w := range words {
			if !exact {
				w = lower(w)
			}
			if found := stands(s, w, name != "hassuffix", name != "hasprefix"); found != (name == "has_all") {
				return found
			}
		}
		return name == "has_all"
	}
}

func stands(s, word string, before, after bool) bool {
	letters, find := []rune(s), []rune(word)
	alnum := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	for i := 0; i+len(find) <= len(letters); i++ {
		if string(letters[i:i+len(find)]) != word {
			continue
		}
		if len(find) == 0 {
			return true
		}
		end := i + len(find)
		joined := before && i > 0 && alnum(letters[i-1]) && alnum(find[0]) || after && end < len(letters) && alnum(letters[end]) && alnum(find[len(find)-1])
		if !joined {
			return true
		}
	}
	return len(find) == 0
}
