package naive

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"lockstep/schema"
)

// Verdict is what a comparison came to.
type Verdict struct {
	// Difference says what differs, "" where nothing does.
	Difference string
	// Open says what the language leaves open in this answer, "" for nothing:
	// only the rest was compared.
	Open string
}

// Compare tells whether rows are an answer that Run gives. answer asks Run for
// the answer of some choices. Where the first isn't theirs it asks for those of
// other choices: rows are right if any choice gives them, and wrong if the
// choices give few answers, each of them again and again, and never this one.
// Of many answers only that is compared which no choice changes. What looks
// like a difference is asked about more often than what looks like a choice.
// Rows count in their order where sorted is set.
func Compare(cols []schema.Column, sorted bool, got [][]any, answer func(choice int) ([][]any, error)) (Verdict, error) {
	c := &comparison{cols: cols, sorted: sorted, have: texts(cols, got), seen: map[string]int{}}
	for _, many := range []int{1, 9, 60, 500} {
		for choice := len(c.answers); choice < many; choice++ {
			a, err := answer(choice)
			if err != nil {
				return Verdict{}, err
			}
			if c.hear(texts(cols, a)) {
				if choice == 0 {
					return Verdict{}, nil
				}
				return Verdict{Open: "one of several answers"}, nil
			}
		}
		if many == 1 {
			continue
		}
		if v := c.judge(); v.Difference == "" && len(c.seen) > many/2 {
			return v, nil // too many answers to hear them all
		}
	}
	v := c.judge()
	if v.Difference == "" && !c.near && c.exhausted() {
		v.Difference = fmt.Sprintf("none of the %d answers there are, for example: %s", len(c.seen), differ(cols, c.answers[0], c.have, sorted))
	}
	return v, nil
}

// comparison is rows and the answers heard so far, none of them these rows.
type comparison struct {
	cols    []schema.Column
	sorted  bool
	have    [][]string
	answers [][][]string
	seen    map[string]int // how often each answer was given, in whatever order of its rows
	near    bool           // one had these rows in another order
}

// hear takes an answer and tells whether it is the rows.
func (c *comparison) hear(answer [][]string) bool {
	c.answers = append(c.answers, answer)
	rows := make([]string, len(answer))
	for i, r := range answer {
		rows[i] = strings.Join(r, "\x00")
	}
	sort.Strings(rows)
	c.seen[strings.Join(rows, "\x01")]++
	if differ(c.cols, answer, c.have, false) != "" {
		return false
	}
	c.near = true
	return !c.sorted || differ(c.cols, answer, c.have, true) == ""
}

// exhausted tells whether more choices would hardly give an answer not heard yet.
func (c *comparison) exhausted() bool {
	for _, n := range c.seen {
		if n < 6 {
			return false
		}
	}
	return len(c.seen)*20 <= len(c.answers)
}

// judge compares what no choice changes.
func (c *comparison) judge() Verdict {
	cols, sorted := c.cols, c.sorted
	for _, a := range c.answers {
		if len(a) != len(c.answers[0]) {
			return Verdict{Open: "the number of rows"}
		}
	}
	answers, have := c.answers, c.have
	for i, col := range cols { // the elements of a set have no order
		if col.Type == schema.Dynamic && !steady(answers, i) {
			answers, have = withoutOrder(answers, i), withoutOrder([][][]string{have}, i)[0]
		}
	}
	var stable []int
	for i := range cols {
		if steady(answers, i) {
			stable = append(stable, i)
		}
	}
	open := ""
	if len(stable) < len(cols) {
		open = "the values of some columns"
	}
	for _, a := range answers {
		if differ(cols, only(answers[0], stable), only(a, stable), false) != "" { // together they vary: each by itself
			for _, i := range stable {
				if d := differ(cols[i:i+1], only(answers[0], []int{i}), only(have, []int{i}), false); d != "" {
					return Verdict{Difference: d, Open: open}
				}
			}
			return Verdict{Open: "which values stand together"}
		}
		if sorted && differ(cols, only(answers[0], stable), only(a, stable), true) != "" {
			sorted = false
			if open == "" {
				open = "the order of equal rows"
			}
		}
	}
	var names []schema.Column
	for _, i := range stable {
		names = append(names, cols[i])
	}
	return Verdict{Difference: differ(names, only(answers[0], stable), only(have, stable), sorted), Open: open}
}

// withoutOrder gives answers with the elements of a column's arrays sorted.
func withoutOrder(answers [][][]string, column int) [][][]string {
	out := make([][][]string, len(answers))
	for k, a := range answers {
		for _, r := range a {
			r = slices.Clone(r)
			r[column] = unordered(readJSON(r[column]))
			out[k] = append(out[k], r)
		}
	}
	return out
}

// steady tells whether a column's values are the same in every answer.
func steady(answers [][][]string, i int) bool {
	for _, a := range answers[1:] {
		if column(a, i) != column(answers[0], i) {
			return false
		}
	}
	return true
}

// unordered writes JSON with the elements of its arrays sorted.
func unordered(v any) string {
	if list, ok := v.([]any); ok {
		parts := make([]string, len(list))
		for i, x := range list {
			parts[i] = unordered(x)
		}
		sort.Strings(parts)
		return "[" + strings.Join(parts, ",") + "]"
	}
	return canonical(v)
}

func only(rows [][]string, columns []int) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		for _, c := range columns {
			out[i] = append(out[i], r[c])
		}
	}
	return out
}

func column(rows [][]string, i int) string {
	var list []string
	for _, r := range rows {
		list = append(list, r[i])
	}
	sort.Strings(list)
	return strings.Join(list, "\x00")
}

// differ says how rows differ from those wanted.
func differ(cols []schema.Column, want, got [][]string, sorted bool) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d rows, the evaluator has %d", len(got), len(want))
	}
	a, b := slices.Clone(want), slices.Clone(got)
	if !sorted {
		slices.SortFunc(a, slices.Compare[[]string])
		slices.SortFunc(b, slices.Compare[[]string])
	}
	for i := range a {
		for k := range a[i] {
			if a[i][k] != b[i][k] {
				name := ""
				if k < len(cols) {
					name = cols[k].Name
				}
				return fmt.Sprintf("row %d, column %s: %s, the evaluator has %s", i, name, clip(b[i][k]), clip(a[i][k]))
			}
		}
	}
	return ""
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// texts gives each cell one form.
func texts(cols []schema.Column, rows [][]any) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		for k, c := range cols {
			out[i] = append(out[i], cellText(r[k], c.Type))
		}
	}
	return out
}

func cellText(v any, t schema.Type) string {
	if v == nil {
		return "null"
	}
	switch t {
	case schema.Real:
		if f, ok := v.(float64); ok {
			return numberText(f)
		}
	case schema.Dynamic:
		if s, ok := v.(string); ok {
			return canonical(readJSON(s))
		}
		if f, ok := v.(float64); ok {
			return numberText(f)
		}
	case schema.String:
		return strconv.Quote(fmt.Sprint(v))
	}
	return fmt.Sprint(v)
}

// numberText: sums in another order differ in the last digits.
func numberText(f float64) string {
	if f == 0 || math.IsNaN(f) {
		return fmt.Sprint(math.Abs(f))
	}
	return strconv.FormatFloat(f, 'g', 10, 64)
}

// canonical writes JSON with its keys in order and numbers in one form.
func canonical(v any) string {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil {
			if strings.ContainsAny(string(v), ".eE") {
				return numberText(f)
			}
			return string(v)
		}
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = canonical(x)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case *bag:
		keys := slices.Sorted(slices.Values(v.keys))
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = strconv.Quote(k) + ":" + canonical(v.values[k])
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return jsonText(v)
}
