package naive_test

import (
	"fmt"
	"math"
	"strings"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// writer writes a query and its rows from a string of choices: when these end
// it takes the first and simplest of everything.
type writer struct {
	choices []byte
	depth   int
	columns []schema.Column // of the rows at hand
	fresh   int
}

// choose gives a number below n.
func (w *writer) choose(n int) int {
	if len(w.choices) == 0 || n < 2 {
		return 0
	}
	c := w.choices[0]
	w.choices = w.choices[1:]
	return int(c) % n
}

func (w *writer) of(list ...string) string { return list[w.choose(len(list))] }

var writtenTypes = []schema.Type{schema.Long, schema.String, schema.DateTime, schema.Bool, schema.Dynamic, schema.Real, schema.TimeSpan, schema.Int, schema.Guid}

var (
	writtenLeft  = schema.NewTable("Left", schema.XDR, []schema.Column{{Name: "k", Type: schema.Long}, {Name: "s", Type: schema.String}, {Name: "t", Type: schema.DateTime}, {Name: "b", Type: schema.Bool}, {Name: "j", Type: schema.Dynamic}, {Name: "r", Type: schema.Real}, {Name: "d", Type: schema.TimeSpan}, {Name: "i", Type: schema.Int}, {Name: "g", Type: schema.Guid}})
	writtenRight = schema.NewTable("Right", schema.XDR, []schema.Column{{Name: "k", Type: schema.Long}, {Name: "s", Type: schema.String}, {Name: "j", Type: schema.Dynamic}, {Name: "n", Type: schema.Long}})
)

func writtenEnvironment() kql.Environment {
	tables := map[string]*schema.Table{"Left": writtenLeft, "Right": writtenRight}
	return kql.Environment{Tables: func(n string) (*schema.Table, bool) { t, ok := tables[n]; return t, ok }, TableNames: func() []string { return []string{"Left", "Right"} }, Now: 639028584000000000}
}

// cells are stored values of each type: nulls, ties, edges.
var cells = map[schema.Type][]any{
	schema.Long:     {int64(1), int64(2), nil, int64(0), int64(-7), int64(math.MaxInt64), int64(math.MinInt64 + 1), int64(40)},
	schema.Int:      {int64(1), int64(2), nil, int64(-3), int64(math.MaxInt32), int64(0)},
	schema.Real:     {1.5, nil, -2.25, 0.0, math.NaN(), math.Inf(1), 1e300, 3.0},
	schema.String:   {"alpha", "", "Beta gamma", "alpha_beta", "ALPHA", "straße ÄÖ", "42", "-7.5", "true", `{"a":1,"b":["x",null]}`, "2026-10-31T11:00:00Z", "1.02:03:04", "x=1;y=two", "日本 alpha", "null", `a"b\c`, "10.0.0.5"},
	schema.Bool:     {true, false, nil},
	schema.DateTime: {int64(639028584000000000), int64(639028584000000000) - int64(schema.Hour), nil, int64(639028584000000000) - 36*int64(schema.Hour) - 1, int64(0), int64(630822816000000000)},
	schema.TimeSpan: {int64(schema.Hour), int64(schema.Second), nil, -int64(schema.Day) - 1, int64(0)},
	schema.Guid:     {"6f9619ff-8b86-d011-b42d-00c04fc964ff", nil, "00000000-0000-0000-0000-000000000001"},
	schema.Dynamic:  {`{"a":1,"b":"two"}`, nil, `[1,2,3]`, `["x","Alpha",null]`, `"text"`, `7`, `[]`, `{}`, `{"a":{"c":[true]},"b":null}`, `2.5`, `[[1],{"a":"z"}]`, `true`},
}

func (w *writer) data() kqltest.Data {
	data := kqltest.Data{}
	for _, t := range []*schema.Table{writtenLeft, writtenRight} {
		for range 1 + w.choose(7) {
			row := make([]any, len(t.Columns))
			for i, c := range t.Columns {
				row[i] = cells[c.Type][w.choose(len(cells[c.Type]))]
			}
			data[t.Name] = append(data[t.Name], row)
		}
	}
	return data
}

func (w *writer) name() string {
	w.fresh++
	return fmt.Sprintf("v%d", w.fresh)
}

// column names a column of a type, "" where there is none.
func (w *writer) column(t schema.Type) string {
	var names []string
	for _, c := range w.columns {
		if c.Type == t {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return w.of(names...)
}

// value writes an expression of a type.
func (w *writer) value(t schema.Type) string {
	w.depth++
	defer func() { w.depth-- }()
	c := w.column(t)
	if w.depth > 4 || c != "" && w.choose(3) == 0 {
		if c != "" {
			return c
		}
		return w.literal(t)
	}
	list := expressions[t]
	if n := w.choose(len(list) + 1); n < len(list) {
		return w.fill(list[n])
	}
	return w.literal(t)
}

var marks = map[byte]schema.Type{'l': schema.Long, 's': schema.String, 't': schema.DateTime, 'b': schema.Bool, 'j': schema.Dynamic, 'r': schema.Real, 'd': schema.TimeSpan, 'i': schema.Int, 'g': schema.Guid}

// fill writes the values that a template asks for.
func (w *writer) fill(template string) string {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			b.WriteByte(template[i])
			continue
		}
		i++
		switch c := template[i]; {
		case c == '%':
			b.WriteByte('%')
		case c == 'S':
			b.WriteString(w.literal(schema.String))
		case c == 'j' && i+1 < len(template) && (template[i+1] == '.' || template[i+1] == '['):
			if name := w.column(schema.Dynamic); name != "" {
				b.WriteString(name)
			} else {
				b.WriteString(`parse_json('{"a":1}')`)
			}
		default:
			b.WriteString(w.value(marks[c]))
		}
	}
	return b.String()
}
