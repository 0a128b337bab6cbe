// Package naive evaluates a plan row by row, for tests only: a second opinion
// about what a query's rows are, written from KQL's published semantics and
// the plan's definitions, with no SQL and no thought of speed.
//
// It shares the plan (and so the binder's reading of names and types) with
// the compiler, and nothing of emit or rewrite. Ordinary functions are written
// anew; those that are algorithms of their own, where a second writing would
// only copy the first, are borrowed from package native: see borrowed. The
// readers of datetime and timespan texts are those of package syntax, and the
// digits of a real's text those of package native.
//
// A value is nil, bool, int64, float64 or string by its static type; a
// dynamic is nil, bool, json.Number, string, []any or *bag.
package naive

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sort"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// Tables are stored rows by table: a value a column in the table's order, as
// kqltest.Fill gives them.
type Tables map[string][][]any

// Unknown is a construct that this package can't evaluate.
type Unknown struct{ What string }

func (u *Unknown) Error() string { return "naive: " + u.What + " is not known" }

func unknown(what string) { panic(&Unknown{what}) }

// Run gives the rows of a plan, a value a column of root. Where the language
// leaves a choice open (which row of equal ones, in which order rows come
// that nothing sorts) choices decides: plans that give other rows with other
// choices have no single answer. nil takes the first of everything.
func Run(root plan.Node, tables Tables, choices *rand.Rand) (rows [][]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			u, ok := r.(*Unknown)
			if !ok {
				panic(r)
			}
			rows, err = nil, u
		}
	}()
	e := &evaluator{tables: tables, choices: choices, shared: map[*plan.Shared][]row{}, scalars: map[*plan.Scalar]any{}, members: map[*plan.InTable]map[string]bool{}}
	for _, r := range e.node(root) {
		out := make([]any, len(root.Columns()))
		for i, c := range root.Columns() {
			out[i] = r[c.ID]
			if c.Type == schema.Dynamic && out[i] != nil {
				out[i] = jsonText(out[i])
			}
		}
		rows = append(rows, out)
	}
	return rows, nil
}

// row is values by column.
type row map[plan.ID]any

type evaluator struct {
	tables  Tables
	choices *rand.Rand
	shared  map[*plan.Shared][]row
	scalars map[*plan.Scalar]any
	members map[*plan.InTable]map[string]bool
	outer   row // what Apply runs for
}

// disorder gives rows that nothing sorted in another order.
func (e *evaluator) disorder(rows []row) []row {
	if e.choices != nil {
		rows = append([]row{}, rows...)
		e.choices.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	return rows
}

// node gives a node's rows.
func (e *evaluator) node(n plan.Node) []row {
	switch n := n.(type) {
	case *plan.Scan:
		return e.scan(n)
	case *plan.Scans:
		return e.scans(n)
	case *plan.Values:
		return e.values(n)
	case *plan.Series:
		return e.series(n)
	case *plan.Project:
		return e.project(n)
	case *plan.Filter:
		return e.filter(n)
	case *plan.Aggregate:
		return e.aggregate(n)
	case *plan.Distinct:
		return e.distinct(n)
	case *plan.Sort:
		return e.sort(n)
	case *plan.Limit:
		return e.limit(n)
	case *plan.Join:
		return e.disorder(e.join(n))
	case *plan.Union:
		return e.union(n)
	case *plan.Expand:
		return e.expand(n)
	case *plan.Apply:
		return e.apply(n)
	case *plan.Outer:
		return []row{e.outer}
	case *plan.Fold:
		return e.fold(n)
	case *plan.Ref:
		return e.ref(n)
	}
	unknown(fmt.Sprintf("the node %T", n))
	return nil
}

// empty is a type's value where there is none: texts are never null.
func empty(t schema.Type) any {
	if t == schema.String {
		return ""
	}
	return nil
}

// stored makes a stored value one of this package's.
func stored(v any, t schema.Type) any {
	if v == nil {
		return empty(t)
	}
	if t == schema.Dynamic {
		return readJSON(v.(string))
	}
	return v
}

func (e *evaluator) scan(n *plan.Scan) []row {
	var out []row
	for _, cells := range e.tables[n.Table.Name] {
		r := row{}
		for i, c := range n.Cols {
			r[c.ID] = empty(c.Type)
			if k := n.Table.Index(n.Source[i]); k >= 0 {
				r[c.ID] = stored(cells[k], c.Type)
			}
		}
		out = append(out, r)
	}
	return e.disorder(out)
}

func (e *evaluator) scans(n *plan.Scans) []row {
	var out []row
	for _, t := range n.Tables {
		for _, cells := range e.tables[t.Name] {
			r := row{}
			for i, c := range n.Cols {
				r[c.ID] = empty(c.Type)
				switch n.Source[i] {
				case plan.LabelSource:
					r[c.ID] = t.Name
				case plan.BagSource:
					if bag, ok := plan.Bag(t); ok {
						if v := stored(cells[t.Index(bag.Name)], bag.Type); bag.Type == schema.Dynamic {
							r[c.ID] = v
						} else {
							r[c.ID] = readJSON(v.(string))
						}
					}
				default:
					k := t.Index(n.Source[i])
					if k < 0 || t.Columns[k].Name != n.Source[i] {
						continue
					}
					if had := t.Columns[k].Type; had == c.Type {
						r[c.ID] = stored(cells[k], c.Type)
					} else if to := n.Converted[c.ID]; to != "" {
						r[c.ID] = converted(stored(cells[k], had), to, had, c.Type)
					}
				}
			}
			out = append(out, r)
		}
	}
	return e.disorder(out)
}

// converted is a value made one of another type.
func converted(v any, to string, from, typ schema.Type) any {
	c := &plan.Call{Func: to, Args: []plan.Expr{plan.Null(from)}, Typ: typ}
	if v != nil {
		v = functions()[to].eval(call{c, []any{v}})
	}
	if v == nil {
		return empty(typ)
	}
	return v
}

func (e *evaluator) values(n *plan.Values) []row {
	var out []row
	for _, cells := range n.Rows {
		r := row{}
		for i, c := range n.Cols {
			r[c.ID] = e.expr(cells[i], at{})
		}
		out = append(out, r)
	}
	return out
}

func (e *evaluator) series(n *plan.Series) []row {
	var out []row
	from, to, step := e.expr(n.From, at{}), e.expr(n.To, at{}), e.expr(n.Step, at{})
	if from == nil || to == nil || step == nil {
		return nil
	}
	for i := 0; i < 10_000_000; i++ {
		var v any
		switch a := from.(type) {
		case int64:
			b, s := to.(int64), step.(int64)
			x := a + int64(i)*s
			if s == 0 || s > 0 && x > b || s < 0 && x < b {
				return out
			}
			v = x
		case float64:
			b, s := to.(float64), step.(float64)
			x := a + float64(i)*s
			if s == 0 || s > 0 && x > b || s < 0 && x < b {
				return out
			}
			v = x
		default:
			unknown("a range of this type")
		}
		out = append(out, row{n.Column.ID: v})
	}
	return out
}

func (e *evaluator) project(n *plan.Project) []row {
	in := e.node(n.Input)
	out := make([]row, len(in))
	for i, r := range in {
		out[i] = row{}
		for _, it := range n.Items {
			out[i][it.ID] = e.expr(it.X, at{r, in, i})
		}
	}
	return out
}

func (e *evaluator) filter(n *plan.Filter) []row {
	in := e.node(n.Input)
	var out []row
	for i, r := range in {
		if e.expr(n.Predicate, at{r, in, i}) == true {
			out = append(out, r)
		}
	}
	return out
}

func (e *evaluator) distinct(n *plan.Distinct) []row {
	var out []row
	seen := map[string]bool{}
	for _, r := range e.node(n.Input) {
		key := ""
		for _, c := range n.Columns() {
			key += identity(r[c.ID]) + "\x00"
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, r)
		}
	}
	return e.disorder(out)
}

func (e *evaluator) sort(n *plan.Sort) []row {
	in := e.disorder(e.node(n.Input)) // which of equal rows comes first is open
	keys := make([][]any, len(in))
	place := make([]int, len(in))
	for i, r := range in {
		place[i] = i
		for _, k := range n.Keys {
			keys[i] = append(keys[i], e.expr(k.X, at{r, in, i}))
		}
	}
	sort.SliceStable(place, func(i, j int) bool {
		a, b := keys[place[i]], keys[place[j]]
		for k, key := range n.Keys {
			switch {
			case a[k] == nil && b[k] == nil:
				continue
			case a[k] == nil:
				return key.NullsFirst
			case b[k] == nil:
				return !key.NullsFirst
			}
			if c := order(a[k], b[k]); c != 0 {
				return (c < 0) != key.Desc
			}
		}
		return false
	})
	out := make([]row, len(in))
	for i, p := range place {
		out[i] = in[p]
	}
	return out
}

func (e *evaluator) limit(n *plan.Limit) []row {
	in := e.node(n.Input)
	v, _ := e.expr(n.N, at{}).(int64)
	if n.Sample {
		in = e.disorder(in)
	}
	return in[:min(max(v, 0), int64(len(in)))]
}

func (e *evaluator) union(n *plan.Union) []row {
	var out []row
	for i, input := range n.Nodes {
		in := e.node(input)
		for k, r := range in {
			made := row{}
			for _, c := range n.Cols {
				made[c.ID] = empty(c.Type)
				if x := n.From[i][c.ID]; x != nil {
					made[c.ID] = e.expr(x, at{r, in, k})
				}
			}
			out = append(out, made)
		}
	}
	return e.disorder(out)
}

func (e *evaluator) ref(n *plan.Ref) []row {
	in, ok := e.shared[n.Shared]
	if !ok {
		in = e.node(n.Shared.Input)
		e.shared[n.Shared] = in
	}
	out := make([]row, len(in))
	for i, r := range in {
		out[i] = row{}
		for k, c := range n.Cols {
			out[i][c.ID] = r[n.From[k]]
		}
	}
	return out
}

// apply runs the sub-query for each row; its rows stand beside that row.
func (e *evaluator) apply(n *plan.Apply) []row {
	var out []row
	was := e.outer
	for _, r := range e.node(n.Input) {
		e.outer = row{}
		for _, c := range n.Input.Columns() {
			e.outer[c.ID] = r[c.ID]
		}
		known := maps.Clone(e.shared)
		sub := e.node(n.Sub)
		e.shared = known // what is shared inside of the sub-query was computed for this row
		for _, s := range sub {
			made := row{}
			for _, c := range n.Cols {
				v, ok := r[c.ID]
				if !ok {
					v = s[c.ID]
				}
				made[c.ID] = v
			}
			out = append(out, made)
		}
	}
	e.outer = was
	return out
}

func (e *evaluator) fold(n *plan.Fold) []row {
	in := e.node(n.Input)
	state := make([]any, len(n.State))
	for i := range n.State {
		state[i] = e.expr(n.First[i], at{})
	}
	var out []row
	for k, r := range in {
		seen := row{n.Place.ID: int64(k + 1)}
		for id, v := range r {
			seen[id] = v
		}
		for i, c := range n.State {
			seen[c.ID] = state[i]
		}
		next := make([]any, len(state))
		made := row{n.Place.ID: int64(k + 1)}
		for id, v := range r {
			made[id] = v
		}
		for i, c := range n.State {
			next[i] = e.expr(n.Next[i], at{seen, in, k})
			made[c.ID] = next[i]
		}
		state = next
		out = append(out, made)
	}
	return out
}
