package naive

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode/utf8"

	"lockstep/kql/native"
)

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
