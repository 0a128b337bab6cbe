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
// the answer of some choices; it is asked again with other choices where the
// first differs, to see what no choice changes: only that is compared then.
// Rows count in their order where sorted is set.
func Compare(cols []schema.Column, sorted bool, got [][]any, answer func(choice int) ([][]any, error)) (Verdict, error) {
	first, err := answer(0)
	if err != nil {
		return Verdict{}, err
	}
	have := texts(cols, got)
	answers := [][][]string{texts(cols, first)}
	difference := differ(cols, answers[0], have, sorted)
	if difference == "" {
		return Verdict{}, nil
	}
	for choice := 1; choice < 9; choice++ {
		a, err := answer(choice)
		if err != nil {
			return Verdict{}, err
		}
		answers = append(answers, texts(cols, a))
		if differ(cols, answers[choice], have, sorted) == "" {
			return Verdict{Open: "one of several answers"}, nil
		}
	}
	for _, a := range answers {
		if len(a) != len(first) {
			return Verdict{Open: "the number of rows"}, nil
		}
	}
	for i, c := range cols { // the elements of a set have no order
		if c.Type == schema.Dynamic && !steady(answers, i) {
			for _, a := range append(answers, have) {
				for _, r := range a {
					r[i] = unordered(readJSON(r[i]))
				}
			}
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
					return Verdict{Difference: d, Open: open}, nil
				}
			}
			return Verdict{Open: "which values stand together"}, nil
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
	return Verdict{Difference: differ(names, only(answers[0], stable), only(have, stable), sorted), Open: open}, nil
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
