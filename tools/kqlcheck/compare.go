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
	got, exp := make([]string, len(rows)), make([]string, len(want))
	for i := range rows {
		got[i], exp[i] = rowText(rows[i], cols, false), rowText(want[i], cols, true)
	}
	if !e.Ordered {
		sort.Strings(got)
		sort.Strings(exp)
	}
	for i := range got {
		if got[i] != exp[i] {
			return fmt.Sprintf("row %s, want %s", got[i], exp[i])
		}
	}
	return ""
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
