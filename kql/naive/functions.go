package naive

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math"
	"math/big"
	"math/bits"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"lockstep/kql/native"
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
	return identity(a) == identity(b)
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

// numbers are arithmetic: whole numbers wrap, divide towards zero, and have no quotient by zero.
func numbers() map[string]func(call) any {
	unary := func(f func(float64) float64) func(call) any { return func(c call) any { return f(c.real(0)) } }
	whole := func(f func(a, b int64) any) func(call) any {
		return func(c call) any { return f(c.long(0, 0), c.long(1, 0)) }
	}
	return map[string]func(call) any{
		"add": arithmetic(func(a, b int64) any { return a + b }, func(a, b float64) float64 { return a + b }),
		"sub": arithmetic(func(a, b int64) any { return a - b }, func(a, b float64) float64 { return a - b }),
		"mul": arithmetic(func(a, b int64) any { return a * b }, func(a, b float64) float64 { return a * b }),
		"div": arithmetic(func(a, b int64) any {
			if b == 0 {
				return nil
			}
			return a / b
		}, func(a, b float64) float64 { return a / b }),
		"mod": arithmetic(func(a, b int64) any {
			if b == 0 {
				return nil
			}
			m := a % b
			if m < 0 { // a rest is never negative
				m += max(b, -b)
			}
			return m
		}, func(a, b float64) float64 {
			b = math.Abs(b)
			return math.Mod(math.Mod(a, b)+b, b)
		}),
		"neg": func(c call) any {
			if f, ok := c.args[0].(float64); ok {
				return -f
			}
			return -c.long(0, 0)
		},
		"abs": func(c call) any {
			if f, ok := c.args[0].(float64); ok {
				return math.Abs(f)
			}
			return max(c.long(0, 0), -c.long(0, 0))
		},
		"ticks":  func(c call) any { return c.real(0) },
		"scale":  func(c call) any { return asLong(math.Round(c.real(0) * c.real(1))) },
		"shrink": func(c call) any { return asLong(math.Round(c.real(0) / c.real(1))) },
		"floor":  unary(math.Floor), "exp": unary(math.Exp), "exp2": unary(math.Exp2), "sqrt": unary(math.Sqrt),
		"sin": unary(math.Sin), "cos": unary(math.Cos), "tan": unary(math.Tan), "asin": unary(math.Asin), "acos": unary(math.Acos), "atan": unary(math.Atan), "cot": unary(func(f float64) float64 { return 1 / math.Tan(f) }),
		"exp10": unary(func(f float64) float64 { return math.Pow(10, f) }), "degrees": unary(func(f float64) float64 { return f / math.Pi * 180 }), "radians": unary(func(f float64) float64 { return f / 180 * math.Pi }),
		"log": logarithm(math.Log), "log2": logarithm(math.Log2), "log10": logarithm(math.Log10),
		"pi": func(call) any { return math.Pi }, "gamma": unary(math.Gamma), "loggamma": unary(func(f float64) float64 { v, _ := math.Lgamma(f); return v }),
		"ceiling": func(c call) any {
			if f, ok := c.args[0].(float64); ok {
				return math.Ceil(f)
			}
			return c.args[0]
		},
		"sign": func(c call) any {
			switch f := c.real(0); {
			case f > 0:
				return 1.0
			case f < 0:
				return -1.0
			}
			return 0.0
		},
		"pow": func(c call) any { return math.Pow(c.real(0), c.real(1)) }, "atan2": func(c call) any { return math.Atan2(c.real(0), c.real(1)) },
		"round": func(c call) any {
			by := math.Pow(10, float64(c.long(1, 0)))
			return math.Round(c.real(0)*by) / by
		},
		"isnan": func(c call) any { return math.IsNaN(c.real(0)) }, "isinf": func(c call) any { return math.IsInf(c.real(0), 0) },
		"isfinite":   func(c call) any { return !math.IsInf(c.real(0), 0) && !math.IsNaN(c.real(0)) },
		"binary_and": whole(func(a, b int64) any { return a & b }), "binary_or": whole(func(a, b int64) any { return a | b }), "binary_xor": whole(func(a, b int64) any { return a ^ b }),
		"binary_not": whole(func(a, _ int64) any { return ^a }), "bitset_count_ones": whole(func(a, _ int64) any { return int64(bits.OnesCount64(uint64(a))) }),
		"binary_shift_left": whole(shift(func(a int64, n uint) int64 { return a << n })), "binary_shift_right": whole(shift(func(a int64, n uint) int64 { return a >> n })),
		"bin":    bin,
		"bin_at": binAt,
		"range":  rangeOf,
	}
}

// shift: by the rest of 64, and never by a negative number.
func shift(f func(a int64, n uint) int64) func(a, b int64) any {
	return func(a, b int64) any {
		if b < 0 {
			return nil
		}
		return f(a, uint(b)%64)
	}
}

// logarithm: a negative number has none.
func logarithm(f func(float64) float64) func(call) any {
	return func(c call) any {
		if c.real(0) < 0 {
			return nil
		}
		return f(c.real(0))
	}
}

func arithmetic(whole func(a, b int64) any, reals func(a, b float64) float64) func(call) any {
	return func(c call) any {
		if c.Typ == schema.Decimal {
			unknown("arithmetic of decimals")
		}
		a, ok1 := c.args[0].(int64)
		b, ok2 := c.args[1].(int64)
		if ok1 && ok2 && c.Typ != schema.Real {
			return whole(a, b)
		}
		return reals(c.real(0), c.real(1))
	}
}

// bin rounds down to a multiple of the size.
func bin(c call) any {
	if c.Typ == schema.Real {
		v, size := c.real(0), c.real(1)
		if size == 0 {
			return nil
		}
		return math.Floor(v/size) * size
	}
	v, size := c.long(0, 0), c.long(1, 0)
	if size <= 0 {
		return nil
	}
	rest := v % size
	if rest < 0 {
		rest += size
	}
	if v-rest > v { // it would lie before the first number
		return nil
	}
	return v - rest
}

func binAt(c call) any {
	if c.Typ == schema.Real {
		v, size, from := c.real(0), c.real(1), c.real(2)
		return from + math.Floor((v-from)/size)*size
	}
	v, size, from := c.long(0, 0), c.long(1, 0), c.long(2, 0)
	if size <= 0 {
		return nil
	}
	rest := (v - from) % size
	if rest < 0 {
		rest += size
	}
	return v - rest
}

// rangeOf lists from … to … step …, at most as many as a dynamic holds.
func rangeOf(c call) any {
	out := []any{}
	const most = 1 << 20
	if c.kind(0) == schema.DateTime || c.kind(0) == schema.TimeSpan {
		otherwise := int64(schema.Hour)
		for t, step := c.long(0, 0), c.long(2, otherwise); step != 0 && (step > 0 && t <= c.long(1, 0) || step < 0 && t >= c.long(1, 0)) && len(out) < most; t += step {
			out = append(out, convert(t, c.kind(0), schema.Dynamic))
		}
		return out
	}
	reals := false
	for i := range c.args {
		reals = reals || c.kind(i) == schema.Real
	}
	if reals {
		step := 1.0
		if len(c.args) > 2 {
			step = c.real(2)
		}
		for i := 0.0; step != 0 && len(out) < most; i++ {
			v := c.real(0) + i*step
			if step > 0 && v > c.real(1) || step < 0 && v < c.real(1) {
				break
			}
			out = append(out, convert(v, schema.Real, schema.Dynamic))
		}
		return out
	}
	for v, step := c.long(0, 0), c.long(2, 1); step != 0 && (step > 0 && v <= c.long(1, 0) || step < 0 && v >= c.long(1, 0)) && len(out) < most; v += step {
		out = append(out, convert(v, schema.Long, schema.Dynamic))
	}
	return out
}

// textFunctions are functions over texts; positions and lengths count letters.
func textFunctions() map[string]func(call) any {
	pair := func(exact bool, f func(a, b string) bool) func(call) any {
		return func(c call) any {
			if exact {
				return f(c.text(0), c.text(1))
			}
			return f(lower(c.text(0)), lower(c.text(1)))
		}
	}
	hash := func(f func([]byte) []byte) func(call) any {
		return func(c call) any { return hex.EncodeToString(f([]byte(asText(c.args[0], c.kind(0))))) }
	}
	trim := func(front, back bool) func(call) any {
		return func(c call) any {
			s := c.text(1)
			if front {
				if re := expression("^(?:" + c.text(0) + ")"); re != nil {
					s = re.ReplaceAllString(s, "")
				}
			}
			if back {
				if re := expression("(?:" + c.text(0) + ")$"); re != nil {
					if all := re.FindStringIndex(s); all != nil {
						s = s[:all[0]]
					}
				}
			}
			return s
		}
	}
	return map[string]func(call) any{
		"=~":       pair(false, func(a, b string) bool { return a == b }),
		"contains": pair(false, strings.Contains), "contains_cs": pair(true, strings.Contains),
		"startswith": pair(false, strings.HasPrefix), "startswith_cs": pair(true, strings.HasPrefix),
		"endswith": pair(false, strings.HasSuffix), "endswith_cs": pair(true, strings.HasSuffix),
		"matches regex": func(c call) any {
			re := expression(c.text(1))
			return re != nil && re.MatchString(c.text(0))
		},
		"strcat": func(c call) any {
			out := ""
			for i := range c.args {
				out += c.text(i)
			}
			return out
		},
		"strcat_delim": func(c call) any {
			var parts []string
			for i := 1; i < len(c.args); i++ {
				parts = append(parts, c.text(i))
			}
			return strings.Join(parts, c.text(0))
		},
		"strlen":      func(c call) any { return int64(utf8.RuneCountInString(c.text(0))) },
		"string_size": func(c call) any { return int64(len(c.text(0))) },
		"tolower":     func(c call) any { return strings.ToLower(c.text(0)) },
		"toupper":     func(c call) any { return strings.ToUpper(c.text(0)) },
		"reverse": func(c call) any {
			out := ""
			for _, r := range c.text(0) {
				out = string(r) + out
			}
			return out
		},
		"substring": func(c call) any {
			letters := []rune(c.text(0))
			n := int64(len(letters))
			from := c.long(1, 0)
			if from < 0 {
				from = max(from+n, 0)
			}
			length := c.long(2, n)
			if from >= n || length <= 0 {
				return ""
			}
			return string(letters[from:min(from+min(length, n), n)])
		},
		"replace_string": func(c call) any {
			if c.text(1) == "" {
				return c.text(0)
			}
			return strings.Join(strings.Split(c.text(0), c.text(1)), c.text(2))
		},
		"replace_regex": func(c call) any {
			re := expression(c.text(1))
			if re == nil {
				return c.text(0)
			}
			return re.ReplaceAllStringFunc(c.text(0), func(found string) string { return rewritten(re, c.text(0), found, c.text(2)) })
		},
		"extract": func(c call) any {
			re := expression(c.text(0))
			if re == nil {
				return ""
			}
			found := re.FindStringSubmatch(c.text(2))
			if g := c.long(1, 0); g >= 0 && g < int64(len(found)) {
				return found[g]
			}
			return ""
		},
		"parse_match": func(c call) any {
			re := expression(c.text(1))
			return re != nil && re.MatchString(c.text(0))
		},
		"parse_group": func(c call) any {
			re := expression(c.text(1))
			if re == nil {
				return ""
			}
			if found := re.FindStringSubmatch(c.text(0)); found != nil {
				return found[c.long(2, 0)]
			}
			return ""
		},
		"split": func(c call) any {
			parts := []string{c.text(0)}
			if c.text(1) != "" {
				parts = strings.Split(c.text(0), c.text(1))
			}
			out := []any{}
			for i, p := range parts {
				if len(c.args) < 3 || int64(i) == c.long(2, 0) {
					out = append(out, p)
				}
			}
			if len(out) == 0 { // there is no such part
				return nil
			}
			return out
		},
		// Each search looks at so many letters from its own start: the next begins behind the last find.
		"indexof": func(c call) any {
			letters, word := []rune(c.text(0)), c.text(1)
			n, length := int64(len(letters)), c.long(3, -1)
			nth, from := c.long(4, 1), c.long(2, 0)
			if length < -1 || nth < 0 {
				return nil
			}
			if from < 0 {
				from += n
			}
			wide := int64(utf8.RuneCountInString(word))
			for i, start := from, from; from >= 0 && i+wide <= n && nth > 0; i++ {
				if length >= 0 && i+wide > start+min(length, n) {
					break
				}
				if string(letters[i:i+wide]) == word {
					if nth--; nth == 0 {
						return i
					}
					start = i + 1
				}
			}
			return int64(-1)
		},
		"strcmp": func(c call) any { return int64(strings.Compare(c.text(0), c.text(1))) },
		"strrep": func(c call) any {
			var parts []string
			for range min(max(c.long(1, 0), 0), 1024) {
				parts = append(parts, c.text(0))
			}
			return strings.Join(parts, c.text(2))
		},
		"base64_encode_tostring": func(c call) any { return base64.StdEncoding.EncodeToString([]byte(c.text(0))) },
		"regex_quote":            func(c call) any { return regexp.QuoteMeta(c.text(0)) },
		"trim":                   trim(true, true), "trim_start": trim(true, false), "trim_end": trim(false, true),
		"hash_md5":    hash(func(b []byte) []byte { s := md5.Sum(b); return s[:] }),
		"hash_sha1":   hash(func(b []byte) []byte { s := sha1.Sum(b); return s[:] }),
		"hash_sha256": hash(func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }),
	}
}

// expression compiles RE2 text, which is also Go's; nil for what is none.
func expression(s string) *regexp.Regexp {
	re, err := regexp.Compile(native.Pattern(s))
	if err != nil {
		return nil
	}
	return re
}

// rewritten fills \1 and $1 of a rewrite with the groups of a match.
func rewritten(re *regexp.Regexp, _, found, rewrite string) string {
	groups := re.FindStringSubmatch(found)
	out := ""
	for i := 0; i < len(rewrite); i++ {
		c := rewrite[i]
		if (c == '\\' || c == '$') && i+1 < len(rewrite) && rewrite[i+1] >= '0' && rewrite[i+1] <= '9' {
			if n := int(rewrite[i+1] - '0'); n < len(groups) {
				out += groups[n]
			}
			i++
			continue
		}
		if c == '\\' && i+1 < len(rewrite) && rewrite[i+1] == '\\' {
			i++
		}
		out += string(c)
	}
	return out
}

// addresses are the functions over IP v4 addresses.
func addresses() map[string]func(call) any {
	return map[string]func(call) any{
		"ipv4_is_private": func(c call) any {
			a, bits, ok := address(c.text(0))
			if !ok {
				return nil
			}
			return isPrivate(a, bits)
		},
		"ipv4_is_in_range": func(c call) any {
			in, ok := inRange(c.text(0), c.text(1))
			if !ok {
				return nil
			}
			return in
		},
		"ipv4_is_in_any_range": func(c call) any {
			_, _, ok := address(c.text(0))
			if !ok {
				return nil
			}
			for i := 1; i < len(c.args); i++ {
				list, is := c.args[i].([]any)
				if !is {
					list = []any{asText(c.args[i], c.kind(i))}
				}
				for _, r := range list {
					if in, _ := inRange(c.text(0), asText(r, schema.Dynamic)); in {
						return true
					}
				}
			}
			return false
		},
		"ipv4_is_match": func(c call) any {
			a, p, ok1 := address(c.text(0))
			b, q, ok2 := address(c.text(1))
			if !ok1 || !ok2 {
				return nil
			}
			bits := min(p, q, int(c.long(2, 32)))
			return masked(a, bits) == masked(b, bits)
		},
	}
}

// address reads a.b.c.d or a.b.c.d/bits.
func address(s string) (netip.Addr, int, bool) {
	s = strings.TrimSpace(s)
	a, suffix, cut := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(a)
	if err != nil || !addr.Is4() {
		return addr, 0, false
	}
	bits := 32
	if cut {
		n, ok := asLong(suffix).(int64)
		if !ok || n < 0 || n > 32 {
			return addr, 0, false
		}
		bits = int(n)
	}
	return addr, bits, true
}

func masked(a netip.Addr, bits int) netip.Prefix { return netip.PrefixFrom(a, bits).Masked() }

func isPrivate(a netip.Addr, bits int) bool {
	for _, r := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} {
		p := netip.MustParsePrefix(r)
		if p.Contains(a) && bits >= p.Bits() {
			return true
		}
	}
	return false
}

// inRange tells whether an address is in a range; ok is false where one is none.
func inRange(s, within string) (in, ok bool) {
	a, p, ok1 := address(s)
	r, bits, ok2 := address(within)
	if !ok1 || !ok2 {
		return false, false
	}
	return p >= bits && masked(a, bits) == masked(r, bits), true
}
