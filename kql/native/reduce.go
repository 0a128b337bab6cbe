package native

import (
	"context"
	"encoding/json"
	"math"
	"sort"
	"strings"
	"unicode"

	"github.com/valyala/fastjson"
)

// ReduceSettings is how texts are put together.
type ReduceSettings struct {
	Threshold  float64 // the share of all texts that a word, and a pattern, has
	Characters string  // what stands between words; "" for all that is no letter or digit
	Source     bool    // a pattern for each row, in place of a row a pattern
}

// word is a word of a text and where it stands among its words.
type wordAt struct {
	place int
	text  string
}

// reduce puts texts together by the words that many share at the same place:
// a text's pattern is its frequent words, with a * for what is between them.
// Source: Kusto, the reduce operator, and the paper that it names (Vaarandi,
// "A Data Clustering Algorithm for Mining Patterns From Event Logs").
func reduce(ctx context.Context, settings string, in []Rows, _ []*fastjson.Value) (*Answer, error) {
	var s ReduceSettings
	if err := json.Unmarshal([]byte(settings), &s); err != nil {
		return nil, err
	}
	texts := make([]string, len(in[0]))
	counts := map[wordAt]int{}
	for i := range in[0] {
		texts[i] = textOf(in[0].at(i, 0))
		for k, w := range s.words(texts[i]) {
			counts[wordAt{k, w.text}]++
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	least := max(2, int(math.Ceil(s.Threshold*float64(len(texts)))))
	patterns := make([]string, len(texts))
	members := map[string]int{}
	for i, t := range texts {
		patterns[i] = s.pattern(t, func(k int, w string) bool { return counts[wordAt{k, w}] >= least })
		members[patterns[i]]++
	}
	first := map[string]string{}
	for i, p := range patterns {
		if p == "" || members[p] < least {
			p = others
		}
		patterns[i] = p
		if _, ok := first[p]; !ok {
			first[p] = texts[i]
		}
	}
	if s.Source {
		a := newAnswer(1, 1)
		for i, p := range patterns {
			a.add(i + 1)
			a.put(0, quoteText(p))
		}
		return a, nil
	}
	clear(members)
	var order []string
	for _, p := range patterns {
		if members[p] == 0 {
			order = append(order, p)
		}
		members[p]++
	}
	sort.SliceStable(order, func(i, j int) bool { return members[order[i]] > members[order[j]] })
	a := newAnswer(0, 3)
	for _, p := range order {
		if p == others {
			first[p] = ""
		}
		a.add()
		a.put(0, quoteText(p))
		a.put(1, itoa(members[p]))
		a.put(2, quoteText(first[p]))
	}
	return a, nil
}

// others is the pattern of texts that share nothing.
const others = "others"

// piece is a word and what stands before it.
type piece struct{ before, text string }

// words cuts a text at what separates words.
func (s *ReduceSettings) words(text string) (out []piece) {
	var p piece
	inWord := false
	for _, r := range text {
		if s.separates(r) {
			if inWord {
				out, p = append(out, p), piece{}
				inWord = false
			}
			p.before += string(r)
			continue
		}
		inWord = true
		p.text += string(r)
	}
	if inWord || p.before != "" {
		out = append(out, p)
	}
	return out
}

func (s *ReduceSettings) separates(r rune) bool {
	if s.Characters != "" {
		return strings.ContainsRune(s.Characters, r)
	}
	return r < 128 && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// pattern is a text with a * for each run of words that aren't frequent; "" where none is.
// A separator of one's own beside a * goes into it.
func (s *ReduceSettings) pattern(text string, frequent func(place int, word string) bool) string {
	var b strings.Builder
	any, star := false, false
	for k, w := range s.words(text) {
		if w.text == "" {
			b.WriteString(w.before)
			continue
		}
		if frequent(k, w.text) {
			if !(star && s.Characters != "") {
				b.WriteString(w.before)
			}
			b.WriteString(w.text)
			any, star = true, false
			continue
		}
		if star {
			continue
		}
		if s.Characters == "" {
			b.WriteString(w.before)
		}
		b.WriteByte('*')
		star = true
	}
	if !any {
		return ""
	}
	return b.String()
}
