package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"lockstep/kql/native"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// differColumns says how a program's columns differ from the recorded ones, or "".
func differColumns(q query, got []schema.Column) string {
	if q.ResultColumns == nil {
		return ""
	}
	if len(q.ResultColumns) != len(got) {
		return fmt.Sprintf("%d columns, want %d", len(got), len(q.ResultColumns))
	}
	for i, w := range q.ResultColumns {
		if w.Name != got[i].Name {
			return fmt.Sprintf("column %d is %q, want %q", i+1, got[i].Name, w.Name)
		}
		if w.Type != got[i].Type.String() && w.Type != "unknown" {
			return fmt.Sprintf("column %d, %q, is of type %s, want %s", i+1, w.Name, got[i].Type, w.Type)
		}
	}
	return ""
}

// comparison compares an example's rows with those that came.
type comparison struct {
	types []schema.Type
	// page: the answer was read off a page, which rounds reals, trims cells and
	// writes addresses between angle brackets
	page bool
}

// differRows says how rows differ from the expected ones, or "". Rows are a
// multiset unless the text orders them.
func differRows(e example, cols []schema.Column, rows [][]any) string {
	want := e.Expected.Values
	if want == nil {
		want = e.Expected.Rows
	}
	if len(cols) != len(e.Expected.Columns) {
		return fmt.Sprintf("%d columns, want %d", len(cols), len(e.Expected.Columns))
	}
	c := comparison{page: e.Authority == ""}
	if e.Header == "reordered" {
		cols, rows = inOrderOf(e.Expected.Columns, cols, rows)
	}
	if slices.Contains(e.Notes, "padded rows") {
		want = slices.DeleteFunc(slices.Clone(want), blank)
	}
	for i, name := range e.Expected.Columns {
		if !strings.EqualFold(name, cols[i].Name) && !c.page {
			return fmt.Sprintf("column %q, want %q", cols[i].Name, name)
		}
		c.types = append(c.types, cols[i].Type)
	}
	count := len(want)
	if e.Expected.Truncated {
		count = e.Expected.RowCount
	}
	if len(rows) != count {
		return fmt.Sprintf("%d rows, want %d", len(rows), count)
	}
	if e.Ordered {
		for i, w := range want {
			if !c.row(rows[i], w) {
				return fmt.Sprintf("row %d is %s, want %s", i+1, c.text(rows[i]), c.text(w))
			}
		}
		return ""
	}
	rest := slices.Clone(rows)
	for _, w := range want {
		i := slices.IndexFunc(rest, func(r []any) bool { return c.row(r, w) })
		if i < 0 {
			return fmt.Sprintf("no row %s; there is %s", c.text(w), c.text(rest[0]))
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return ""
}

// inOrderOf gives columns and rows in the order in which a page lists the same
// columns; as they came where the names aren't the same.
func inOrderOf(names []string, cols []schema.Column, rows [][]any) ([]schema.Column, [][]any) {
	from := make([]int, len(names))
	var ordered []schema.Column
	for i, name := range names {
		from[i] = slices.IndexFunc(cols, func(c schema.Column) bool { return c.Name == name })
		if from[i] < 0 || slices.Contains(from[:i], from[i]) {
			return cols, rows
		}
		ordered = append(ordered, cols[from[i]])
	}
	out := make([][]any, len(rows))
	for i, r := range rows {
		for _, k := range from {
			out[i] = append(out[i], r[k])
		}
	}
	return ordered, out
}

// blank tells that a row holds nothing: a page's table without rows, of which
// a reader that pads short rows made one.
func blank(row []any) bool {
	return !slices.ContainsFunc(row, func(v any) bool { return v != nil && v != "" })
}

func (c comparison) row(got, want []any) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if !c.cell(got[i], want[i], c.types[i]) {
			return false
		}
	}
	return true
}

// cell tells whether a value in the schema's physical type is the expected one.
func (c comparison) cell(got, want any, t schema.Type) bool {
	switch t {
	case schema.String:
		return c.words(got) == c.words(want)
	case schema.Dynamic:
		return c.json(parsed(got), parsed(want))
	}
	if got == nil || want == nil {
		return got == nil && (want == nil || want == "" || want == "null")
	}
	switch t {
	case schema.DateTime:
		g, gok := ticks(got)
		w, err := syntax.ParseDateTime(fmt.Sprint(want))
		return gok && err == nil && g == int64(w)
	case schema.TimeSpan:
		g, gok := ticks(got)
		w, ok := syntax.ParseTimespan(fmt.Sprint(want))
		return gok && ok && g == int64(w)
	case schema.Int, schema.Long, schema.Real, schema.Decimal:
		return c.number(fmt.Sprint(got), fmt.Sprint(want))
	case schema.Bool:
		g, w := strings.ToLower(fmt.Sprint(got)), strings.ToLower(fmt.Sprint(want))
		return g == w || g == "true" && w == "1" || g == "false" && w == "0"
	}
	return strings.EqualFold(fmt.Sprint(got), fmt.Sprint(want))
}

func ticks(v any) (int64, bool) { n, ok := v.(int64); return n, ok }

// words gives a text as compared: null is the empty text.
func (c comparison) words(v any) string {
	if v == nil {
		return ""
	}
	s := fmt.Sprint(v)
	if c.page {
		s = strings.TrimSpace(strings.ReplaceAll(s, "\u00a0", " "))
		if strings.HasPrefix(s, "<http") && strings.HasSuffix(s, ">") {
			s = s[1 : len(s)-1]
		}
	}
	return s
}

// digits is to how many digits reals are compared: the engine's own arithmetic
// differs in the last ones from machine to machine.
const digits = 1e-8

// number compares numbers; a page's are rounded to the digits that it shows.
func (c comparison) number(got, want string) bool {
	g, err1 := strconv.ParseFloat(infinite(got), 64)
	w, err2 := strconv.ParseFloat(infinite(want), 64)
	if err1 != nil || err2 != nil {
		return got == want
	}
	if g == w || math.IsNaN(g) && math.IsNaN(w) {
		return true
	}
	far := math.Abs(g - w)
	if far <= digits*math.Abs(w) {
		return true
	}
	if _, fraction, ok := strings.Cut(want, "."); c.page && ok && !strings.ContainsAny(want, "eE") && len(fraction) >= 2 {
		return far <= 0.5001*math.Pow10(-len(fraction))
	}
	return false
}

func infinite(s string) string { return strings.Replace(s, "∞", "Inf", 1) }

// parsed gives a dynamic value from its text; what is no JSON is a text.
func parsed(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	var out any
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if d.Decode(&out) == nil && !d.More() {
		return out
	}
	return s
}

// json compares values of JSON; the order of a bag's keys says nothing.
func (c comparison) json(got, want any) bool {
	switch w := want.(type) {
	case nil:
		return got == nil
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(g, w, c.json)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k, v := range w {
			if x, ok := g[k]; !ok || !c.json(x, v) {
				return false
			}
		}
		return true
	case json.Number:
		return c.number(fmt.Sprint(got), w.String())
	}
	return c.words(got) == c.words(want)
}

// text writes a row for people.
func (c comparison) text(row []any) string {
	parts := make([]string, len(row))
	for i, v := range row {
		parts[i] = "null"
		if v == nil {
			continue
		}
		parts[i] = fmt.Sprint(v)
		if n, ok := v.(int64); ok && i < len(c.types) {
			switch c.types[i] {
			case schema.DateTime:
				parts[i] = schema.Ticks(n).String()
			case schema.TimeSpan:
				f, _ := native.Find("timespan_text")
				parts[i] = fmt.Sprint(f.Call([]any{n}))
			}
		}
		switch v.(type) {
		case map[string]any, []any:
			data, _ := json.Marshal(v)
			parts[i] = string(data)
		}
	}
	return strings.Join(parts, " | ")
}
