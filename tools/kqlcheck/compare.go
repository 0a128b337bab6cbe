package main

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"lockstep/kql/native"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// compare says how rows differ from the expected ones, or "".
func compare(e example, cols []schema.Column, rows [][]any) string {
	want := e.Expected.Values
	if want == nil {
		want = e.Expected.Rows
	}
	if len(cols) != len(e.Expected.Columns) {
		return fmt.Sprintf("%d columns, want %d", len(cols), len(e.Expected.Columns))
	}
	for i, c := range e.Expected.Columns {
		if !strings.EqualFold(c, cols[i].Name) && e.Authority != "" {
			return fmt.Sprintf("column %q, want %q", cols[i].Name, c)
		}
	}
	if e.Expected.Truncated {
		if len(rows) != e.Expected.RowCount {
			return fmt.Sprintf("%d rows, want %d", len(rows), e.Expected.RowCount)
		}
		if !e.Ordered {
			return ""
		}
		rows = rows[:min(len(rows), len(want))]
	}
	if len(rows) != len(want) {
		return fmt.Sprintf("%d rows, want %d", len(rows), len(want))
	}
	documented := e.Authority == ""
	left := make([][]any, len(want))
	copy(left, want)
rows:
	for i, row := range rows {
		for j, w := range left {
			if w != nil && (!e.Ordered || i == j) && sameRow(row, w, cols, documented) {
				left[j] = nil
				continue rows
			}
		}
		got, exp := make([]string, len(rows)), make([]string, len(want))
		for k := range rows {
			got[k], exp[k] = rowText(rows[k], cols, false), rowText(want[k], cols, true)
		}
		if !e.Ordered {
			sort.Strings(got)
			sort.Strings(exp)
		}
		for k := range got {
			if got[k] != exp[k] {
				return fmt.Sprintf("row %s, want %s", got[k], exp[k])
			}
		}
		return fmt.Sprintf("row %s is not wanted", rowText(row, cols, false))
	}
	return ""
}

func sameRow(got, want []any, cols []schema.Column, documented bool) bool {
	for i := range got {
		var w any
		if i < len(want) {
			w = want[i]
		}
		g, x := cell(got[i], cols[i].Type, false), cell(w, cols[i].Type, true)
		if documented {
			g, x = shown(g), shown(x)
		}
		if g != x && !(documented && rounded(got[i], w)) {
			return false
		}
	}
	return true
}

// shown is a text as a page's table can show it: blanks at its ends are lost,
// a hard blank is a blank, an address stands in angle brackets.
func shown(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\u00a0", " "))
	if inner, ok := strings.CutPrefix(s, "<http"); ok && strings.HasSuffix(inner, ">") {
		s = "http" + strings.TrimSuffix(inner, ">")
	}
	return strings.NewReplacer("-∞", "-Inf", "∞", "+Inf").Replace(s)
}

// rounded tells whether numbers differ only by the digits that a page leaves
// away: at least two after the point stand there.
func rounded(got, want any) bool {
	switch w := want.(type) {
	case json.Number:
		_, fraction, _ := strings.Cut(string(w), ".")
		g, err1 := strconv.ParseFloat(fmt.Sprint(got), 64)
		x, err2 := w.Float64()
		if err1 != nil || err2 != nil {
			return false
		}
		if g == x || math.Abs(g-x) <= 1e-8*math.Abs(x) {
			return true
		}
		return len(fraction) >= 2 && !strings.ContainsAny(fraction, "eE") && math.Abs(g-x) <= 0.51*math.Pow10(-len(fraction))
	case []any:
		list, ok := parsed(got).([]any)
		if !ok || len(list) != len(w) {
			return false
		}
		for i := range w {
			if !rounded(list[i], w[i]) && canonical(list[i]) != canonical(w[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		bag, ok := parsed(got).(map[string]any)
		if !ok || len(bag) != len(w) {
			return false
		}
		for k := range w {
			if !rounded(bag[k], w[k]) && canonical(bag[k]) != canonical(w[k]) {
				return false
			}
		}
		return true
	}
	return false
}

// parsed reads JSON text; anything else is as it is.
func parsed(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	var out any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&out) != nil {
		return v
	}
	return out
}

func rowText(row []any, cols []schema.Column, expected bool) string {
	parts := make([]string, len(row))
	for i, v := range row {
		t := schema.String
		if i < len(cols) {
			t = cols[i].Type
		}
		parts[i] = cell(v, t, expected)
	}
	return strings.Join(parts, " | ")
}

// cell gives a value in one form for both sides.
func cell(v any, t schema.Type, expected bool) string {
	if v == nil {
		if t == schema.String {
			return ""
		}
		return "null"
	}
	switch t {
	case schema.Dynamic:
		if !expected {
			var parsed any
			d := json.NewDecoder(strings.NewReader(fmt.Sprint(v)))
			d.UseNumber()
			if d.Decode(&parsed) == nil {
				return canonical(parsed)
			}
		}
		if s, ok := v.(string); ok {
			var parsed any
			d := json.NewDecoder(strings.NewReader(s))
			d.UseNumber()
			if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
				if d.Decode(&parsed) == nil {
					return canonical(parsed)
				}
			}
		}
		return canonical(v)
	case schema.DateTime:
		if n, ok := v.(int64); ok {
			return schema.Ticks(n).String()
		}
		if d, err := syntax.ParseDateTime(fmt.Sprint(v)); err == nil {
			return d.String()
		}
	case schema.TimeSpan:
		if n, ok := v.(int64); ok {
			return span(n)
		}
		if d, ok := syntax.ParseTimespan(fmt.Sprint(v)); ok {
			return span(int64(d))
		}
	case schema.Int, schema.Long, schema.Real, schema.Decimal:
		if f, err := strconv.ParseFloat(fmt.Sprint(v), 64); err == nil {
			return number(f)
		}
	case schema.Bool:
		return strings.ToLower(fmt.Sprint(v))
	}
	return fmt.Sprint(v)
}

func span(n int64) string {
	f, _ := native.Find("timespan_text")
	return fmt.Sprint(f.Call([]any{n}))
}

func number(f float64) string {
	if math.IsNaN(f) {
		return "NaN"
	}
	if f == 0 { // zero has no sign
		return "0"
	}
	return strconv.FormatFloat(f, 'g', 8, 64)
}

// canonical writes JSON with sorted keys and rounded numbers; an array of texts or numbers keeps its order.
func canonical(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case json.Number:
		f, _ := v.Float64()
		return number(f)
	case float64:
		return number(v)
	case int64:
		return number(float64(v))
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = canonical(e)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		var keys []string
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = k + ":" + canonical(v[k])
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return fmt.Sprint(v)
}
