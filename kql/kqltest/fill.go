package kqltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"

	"lockstep/kql"
	"lockstep/kql/bind"
	"lockstep/kql/emit"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// Data is rows by the name of their table: a value for each of the table's
// columns in the physical types of the schema (nil, bool, int64, float64,
// string; a dynamic is minified JSON). An int is an int64 here.
type Data map[string][][]any

// Fill makes rows for the tables that a query reads, so that the query has
// something to find: its own literals in the columns that it compares them
// with, words inside of sentences, times inside of its ranges, JSON with the
// paths that it reads, keys that both sides of a join share. Beside them
// stand rows that miss it: nulls, empty texts, other case, other scripts,
// ties, NaN. Equal arguments give equal rows. A text that doesn't bind gives nil.
func Fill(text string, env kql.Environment, seed uint64) Data {
	q, errors := syntax.ParseQuery(text)
	for _, e := range errors {
		if !e.Warning {
			return nil
		}
	}
	bound := bind.Query(q, env, 0)
	if bound.Root == nil {
		return nil
	}
	plan.EachExpr(bound.Root, func(x plan.Expr) plan.Expr {
		return plan.Map(x, func(x plan.Expr) plan.Expr { return bind.Fold(x, env.Now) })
	})
	f := &filler{now: int64(env.Now), seed: seed, tables: map[string]*schema.Table{}, members: map[*plan.InTable]int{}, wanted: map[int][]demand{}, given: map[string]any{}, seen: map[plan.Node]int{}}
	f.walk(bound.Root, path{defs: map[plan.ID]plan.Expr{}, copies: 1})
	return f.rows()
}

// filler collects what each scan's rows must be like, then makes rows.
type filler struct {
	now     int64
	seed    uint64
	tables  map[string]*schema.Table
	recipes []recipe
	links   int                   // keys that several scans share, counted
	members map[*plan.InTable]int // the link of each
	wanted  map[int][]demand      // what any side asks of a link's values
	given   map[string]any        // the values chosen for links
	collect bool                  // links are not given yet
	seen    map[plan.Node]int
}

// recipe is one scan and what its rows must satisfy for the query to find them.
type recipe struct {
	table   *schema.Table
	columns map[plan.ID]string
	path    path
}

// most recipes and rows of one table.
const (
	mostRecipes = 120
	mostRows    = 60
)

// rows makes the tables: rows that satisfy, rows that nearly do, rows that don't care.
func (f *filler) rows() Data {
	f.collect = true
	for i := range f.recipes {
		f.row(i, 0)
	}
	f.collect = false
	count := map[string]int{}
	for _, r := range f.recipes {
		count[r.table.Name]++
	}
	data := Data{}
	literals := map[string]map[string][]any{}
	for i, r := range f.recipes {
		name := r.table.Name
		n := max(2, min(6, 18/count[name]))
		n = min(max(n, r.path.copies), 40)
		for k := 0; k < n && len(data[name]) < mostRows+r.path.copies; k++ {
			row := f.row(i, k)
			data[name] = append(data[name], row)
			if literals[name] == nil {
				literals[name] = map[string][]any{}
			}
			for c, col := range r.table.Columns {
				literals[name][col.Name] = append(literals[name][col.Name], row[c])
			}
			if rng := f.rng(i, k, 7); k%2 == 0 {
				data[name] = append(data[name], f.spoiled(r.table, row, rng))
			}
		}
	}
	names := make([]string, 0, len(f.tables))
	for name := range f.tables {
		names = append(names, name)
	}
	sort.Strings(names)
	for t, name := range names {
		for k := range 8 {
			data[name] = append(data[name], f.noise(f.tables[name], literals[name], f.rng(-1-t, k, 3)))
		}
		if n := len(data[name]); n > 1 { // a tie, and any order of arrival
			rng := f.rng(-1-t, 99, 5)
			data[name] = append(data[name], data[name][rng.IntN(n)])
			rng.Shuffle(len(data[name]), func(i, j int) { data[name][i], data[name][j] = data[name][j], data[name][i] })
		}
	}
	return data
}

func (f *filler) rng(a, b, c int) *rand.Rand {
	return rand.New(rand.NewPCG(f.seed^uint64(a+1000)*0x9e3779b97f4a7c15, uint64(b)*0x2545f4914f6cdd1d+uint64(c)))
}

// row makes one row that satisfies a recipe as well as it can.
func (f *filler) row(i, k int) []any {
	r := &f.recipes[i]
	s := &solver{f: f, rng: f.rng(i, k, 1), number: k, recipe: r, cells: map[string]*cell{}}
	for _, x := range r.path.must {
		s.depth = 0
		s.make(x, true)
	}
	row := make([]any, len(r.table.Columns))
	for c, col := range r.table.Columns {
		cl := s.cells[col.Name]
		if cl == nil {
			cl = &cell{}
		}
		if f.collect {
			for _, l := range cl.links() {
				f.wanted[l.key] = append(f.wanted[l.key], l.cell.demands...)
			}
			continue
		}
		row[c] = s.value(cl, col)
	}
	return row
}

// spoiled changes some cells of a row.
func (f *filler) spoiled(t *schema.Table, row []any, rng *rand.Rand) []any {
	out := append([]any{}, row...)
	for range 1 + rng.IntN(3) {
		c := rng.IntN(len(out))
		col := t.Columns[c]
		switch v := out[c].(type) {
		case string:
			switch {
			case col.Type == schema.Dynamic:
				out[c] = pick(rng, []any{nil, "[]", "{}", `"text"`, "7", out[c]})
			case col.Type != schema.String:
				out[c] = nil
			default:
				out[c] = pick(rng, []any{"", strings.ToUpper(v), strings.ToLower(v), v + "x", "x" + v, " " + v, "ä" + v, v + "_1", v + " ünï"})
			}
		case int64:
			out[c] = pick(rng, []any{nil, v + 1, v - 1, int64(0)})
			if col.Type == schema.DateTime {
				out[c] = pick(rng, []any{nil, v + 1, v - 1, v - int64(400*schema.Day)})
			}
		case float64:
			out[c] = pick(rng, []any{nil, v + 0.5, -v, math.NaN(), 0.0})
		default:
			out[c] = nil
			if col.Type == schema.String {
				out[c] = ""
			}
		}
	}
	return out
}

// noise makes a row of guesses, of literals seen in the column, and of nothing.
func (f *filler) noise(t *schema.Table, literals map[string][]any, rng *rand.Rand) []any {
	row := make([]any, len(t.Columns))
	for c, col := range t.Columns {
		switch known := literals[col.Name]; {
		case rng.IntN(6) == 0:
			if col.Type == schema.String {
				row[c] = ""
			}
		case len(known) > 0 && rng.IntN(2) == 0:
			row[c] = known[rng.IntN(len(known))]
		default:
			row[c] = guess(col, f.now, rng)
		}
	}
	return row
}

func pick(rng *rand.Rand, list []any) any { return list[rng.IntN(len(list))] }

// Load makes the engine's tables hold rows until the next Load.
func (e *Engine) Load(data Data) {
	e.Rows = func(t *schema.Table, columns []string) string {
		rows := data[t.Name]
		if len(rows) == 0 {
			return ""
		}
		var b strings.Builder
		b.WriteString("(SELECT * FROM (VALUES ")
		for i, row := range rows {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteByte('(')
			for k, name := range columns {
				if k > 0 {
					b.WriteString(", ")
				}
				c := t.Index(name)
				writeLiteral(&b, row[c], t.Columns[c].Type)
			}
			b.WriteByte(')')
		}
		b.WriteString("))")
		return b.String()
	}
}

// writeLiteral writes a value as the engine's SQL does.
func writeLiteral(b *strings.Builder, v any, t schema.Type) {
	physical := emit.DuckDB{}.Physical(t)
	switch v := v.(type) {
	case nil:
		b.WriteString("NULL")
	case string:
		b.WriteString("'" + strings.NewReplacer("'", "''", "\x00", "").Replace(v) + "'")
	case float64:
		switch {
		case math.IsNaN(v):
			b.WriteString("'nan'")
		case math.IsInf(v, 0):
			b.WriteString("'" + strconv.FormatFloat(v, 'f', -1, 64) + "'")
		default:
			b.WriteString(strconv.FormatFloat(v, 'e', -1, 64))
		}
	default:
		fmt.Fprint(b, v)
	}
	b.WriteString("::" + physical)
}
