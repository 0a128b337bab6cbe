package native

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// has is the term rule: word stands in s between characters that are no
// letters or digits. fold ignores case (s is lower already then).
func has(s, word string, fold, before, after bool) bool {
	if fold {
		s, word = strings.ToLower(s), strings.ToLower(word)
	}
	if word == "" {
		return true
	}
	first, _ := utf8.DecodeRuneInString(word)
	last, _ := utf8.DecodeLastRuneInString(word)
	before, after = before && isAlnum(first), after && isAlnum(last)
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		i += from
		ok := true
		if before && i > 0 {
			r, _ := utf8.DecodeLastRuneInString(s[:i])
			ok = !isAlnum(r)
		}
		if end := i + len(word); ok && after && end < len(s) {
			r, _ := utf8.DecodeRuneInString(s[end:])
			ok = !isAlnum(r)
		}
		if ok {
			return true
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		from = i + n
	}
}

func isAlnum(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// hasList takes words, each after a unit separator: one empty word is not the same as no word.
func hasList(s, words string, all bool) bool {
	if words == "" {
		return all
	}
	for _, w := range strings.Split(words[1:], "\x1f") {
		if has(s, w, true, true, true) != all {
			return !all
		}
	}
	return all
}
