// Package emit says a plan in an engine's language. It knows how rows, order
// and nulls of KQL are kept in SQL so that no row can raise an error; what a
// single function is called in an engine is that engine's Dialect. It leaves
// running the text to others.
package emit

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// Scan is one table that the text reads, by its number in the text.
type Scan struct {
	Table   string
	Columns []string
}

// Query is an emitted plan: text with marks for parameters and scans.
type Query struct {
	text    string
	args    []any
	dialect Dialect
	Scans   []Scan
	Columns []schema.Column
	Sorted  bool
	Stages  []Stage // in the order in which they can run
}

// Stage is a step in Go that the text calls, and how many tables it reads.
type Stage struct {
	Func  string
	Reads int
}

// The marks in a text: they can't be in what a user wrote, which is in args.
const (
	argMark  = "\x01"
	scanMark = "\x02"
)

// Error is a construct that the dialect can't say.
type Error struct{ What, Engine string }

func (e *Error) Error() string {
	if e.Engine == "" {
		return e.What + " is not supported yet"
	}
	return e.What + " is not supported on " + e.Engine
}

// Emit says a plan in a dialect.
func Emit(root plan.Node, names []schema.Column, d Dialect) (q *Query, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			e.Engine = d.Name()
			q, err = nil, e
		}
	}()
	e := &emitter{dialect: d, specials: specialTable(), shared: map[*plan.Shared]sharedRows{}, scalars: map[*plan.Scalar]string{}, frames: []*frame{{}}}
	r := e.node(root)
	var items []frag
	for i, c := range root.Columns() {
		items = append(items, text(name(c.ID)+" AS out"+strconv.Itoa(i)))
	}
	if len(items) == 0 {
		items = []frag{text("1 AS none")}
	}
	out := join(", ", items)
	body := text("SELECT ").and(out).and(text(" FROM (")).and(r.sql).and(text(")")).and(r.orderBy())
	body = e.frames[0].with().and(body)
	if e.says("settings") {
		body = body.and(e.say("settings"))
	}
	return &Query{text: body.text, args: body.args, dialect: d, Scans: e.scans, Columns: names, Sorted: r.sorted, Stages: e.stages}, nil
}

// SQL gives the text with each scan replaced by what relation gives for it: a
// bracketed SELECT with the columns in the order asked for.
func (q *Query) SQL(relation func(scan int, table string, columns []string) (string, []any)) (string, []any) {
	var b strings.Builder
	args := make([]any, 0, len(q.args))
	next := 0
	rest := q.text
	for {
		i := strings.IndexAny(rest, argMark+scanMark)
		if i < 0 {
			b.WriteString(rest)
			return b.String(), args
		}
		b.WriteString(rest[:i])
		if rest[i] == argMark[0] {
			b.WriteString(q.dialect.Parameter(len(args)))
			args = append(args, q.args[next])
			next++
			rest = rest[i+1:]
			continue
		}
		end := i + 1 + strings.IndexByte(rest[i+1:], scanMark[0])
		n, _ := strconv.Atoi(rest[i+1 : end])
		sql, more := relation(n, q.Scans[n].Table, q.Scans[n].Columns)
		b.WriteString(sql)
		args = append(args, more...)
		rest = rest[end+1:]
	}
}

// frag is a piece of text with its parameters in order.
type frag struct {
	text    string
	args    []any
	notNull bool // no row gives null
	simple  bool // short and free to repeat
	level   int  // it names columns hoisted at levels below this
}

func text(s string) frag { return frag{text: s} }

func textf(format string, args ...any) frag { return frag{text: fmt.Sprintf(format, args...)} }

func (f frag) and(g frag) frag {
	args := f.args
	if len(g.args) > 0 {
		args = append(append(make([]any, 0, len(f.args)+len(g.args)), f.args...), g.args...)
	}
	return frag{text: f.text + g.text, args: args, level: max(f.level, g.level)}
}

func join(sep string, list []frag) frag {
	var b strings.Builder
	out := frag{}
	for i, f := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(f.text)
		out.args = append(out.args, f.args...)
		out.level = max(out.level, f.level)
	}
	out.text = b.String()
	return out
}

func name(id plan.ID) string { return "c" + strconv.Itoa(int(id)) }

// rel is an emitted node: its columns are named by their ids.
type rel struct {
	sql    frag
	order  []orderKey
	sorted bool // the text asked for the order
}

// orderKey is a column that keeps the order of rows through later operators.
type orderKey struct {
	column     string
	desc       bool
	nullsFirst bool
	hidden     bool // not a column of the node
	// of names the numbered rows whose number this is: a sub-query that stands apart keeps it.
	of string
}

func (r rel) orderBy() frag {
	if len(r.order) == 0 {
		return frag{}
	}
	return text(" ORDER BY " + orderList(r.order))
}

func orderList(keys []orderKey) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.column
		if k.desc {
			parts[i] += " DESC"
		} else {
			parts[i] += " ASC"
		}
		if k.nullsFirst {
			parts[i] += " NULLS FIRST"
		} else {
			parts[i] += " NULLS LAST"
		}
	}
	return strings.Join(parts, ", ")
}

type emitter struct {
	dialect  Dialect
	scans    []Scan
	stages   []Stage
	frames   []*frame
	shared   map[*plan.Shared]sharedRows
	scalars  map[*plan.Scalar]string
	names    int
	outer    numbered // the rows of the sub-query at hand, where it stands apart
	specials map[string]func(*sel, *plan.Call) frag
	order    []orderKey // of the rows that the expression at hand sees
}

func (e *emitter) fresh(prefix string) string {
	e.names++
	return prefix + strconv.Itoa(e.names)
}

func unsupported(what string) { panic(&Error{What: what}) }

// sel is a SELECT being made: what its expressions need computed below it.
type sel struct {
	e      *emitter
	levels [][]frag
	known  map[string]frag
}

func (e *emitter) sel() *sel { return &sel{e: e, known: map[string]frag{}} }

// hoist computes f in a column below, so that it can be named more than once.
func (s *sel) hoist(f frag) frag {
	key := f.text + "\x00" + fmt.Sprint(f.args...)
	if h, ok := s.known[key]; ok {
		return h
	}
	n := s.e.fresh("h")
	for len(s.levels) <= f.level {
		s.levels = append(s.levels, nil)
	}
	s.levels[f.level] = append(s.levels[f.level], f.and(text(" AS "+n)))
	h := frag{text: n, notNull: f.notNull, simple: true, level: f.level + 1}
	s.known[key] = h
	return h
}

// from wraps an input in the hoisted columns.
func (s *sel) from(in frag) frag {
	for _, level := range s.levels {
		in = text("SELECT *, ").and(join(", ", level)).and(text(" FROM (")).and(in).and(text(")"))
	}
	in.level = 0
	return text("(").and(in).and(text(")"))
}

// Placeholder is the name of scan i in a text.
func Placeholder(i int) string { return strconv.Itoa(i) }
