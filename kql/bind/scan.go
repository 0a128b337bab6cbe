package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// machine is the scan operator as a fold over the rows: for each step, whether
// a sequence has come to it, and the values that the steps before it stand for.
// Source: Kusto, the scan operator, "matching logic".
type machine struct {
	b     *binder
	op    *syntax.Scan
	c     ctx
	cols  []plan.Column // of the rows
	kept  []plan.Column // what a step's state keeps: the declared columns, then the rows' own that are named
	start []plan.Expr   // its value where no sequence is
	fold  *plan.Fold
	// by step: the state columns
	active []plan.Column
	match  []plan.Column
	values [][][]plan.Column // [step][earlier step] kept columns
	hit    []plan.Column     // this row matched the step
	made   [][]plan.Column   // this row's declared columns at the step
	number []plan.Column     // this row's match id at the step
	series []plan.Column     // this row's series of repeated matches at the step
	count  plan.Column       // matches begun so far
}

func (b *binder) scanRows(n plan.Node, op *syntax.Scan, c ctx) plan.Node {
	if c.unordered {
		b.fail(op.At(), "KQL139", "scan needs rows in an order: put '| serialize' or '| sort by …' before it")
	}
	if len(op.Steps) == 0 || len(op.Steps) > 16 {
		b.fail(op.At(), "KQL164", "scan wants between 1 and 16 steps")
	}
	m := &machine{b: b, op: op, c: c, cols: n.Columns(), fold: &plan.Fold{Input: n, Place: b.column("", schema.Long)}}
	for _, st := range op.Steps {
		if st.Optional {
			b.unsupported(st.Span, "an optional step of scan")
		}
		if st.Output != "all" && st.Output != "none" && st.Output != "last" {
			b.fail(st.Span, "KQL165", "'%s' is no output of a step: all, last or none is", st.Output)
		}
	}
	m.declare()
	m.states()
	m.transitions()
	return m.output()
}

// declare lists what a state keeps.
func (m *machine) declare() {
	for _, d := range m.op.Declare {
		m.b.checkName(d.Name)
		if d.Name.Text == "last" {
			m.b.fail(d.Name.Span, "KQL145", "'last' is a word of scan: as a name write ['last']")
		}
		v := plan.Expr(plan.Null(d.Type))
		if d.Default != nil {
			v = m.b.convert(m.b.scalar(d.Default, ctx{scope: m.c.scope}), d.Type)
		}
		m.kept = append(m.kept, plan.Column{Name: d.Name.Text, Type: d.Type})
		m.start = append(m.start, v)
	}
	for _, col := range m.cols {
		if !hidden(col) {
			m.kept = append(m.kept, plan.Column{Name: col.Name, Type: col.Type})
			m.start = append(m.start, plan.Null(col.Type))
		}
	}
}

// carry adds a value that goes from row to row.
func (m *machine) carry(t schema.Type, first plan.Expr) plan.Column {
	col := m.b.column("", t)
	m.fold.State = append(m.fold.State, col)
	m.fold.First = append(m.fold.First, first)
	m.fold.Next = append(m.fold.Next, nil)
	return col
}

func (m *machine) next(col plan.Column, x plan.Expr) {
	for i, s := range m.fold.State {
		if s.ID == col.ID {
			m.fold.Next[i] = x
		}
	}
}

func no() plan.Expr { return &plan.Const{Typ: schema.Bool, Value: false} }

func nought() plan.Expr { return &plan.Const{Typ: schema.Long, Value: int64(0)} }

func (m *machine) states() {
	m.count = m.carry(schema.Long, nought())
	for k := range m.op.Steps {
		m.active = append(m.active, m.carry(schema.Bool, no()))
		m.match = append(m.match, m.carry(schema.Long, nought()))
		m.hit = append(m.hit, m.carry(schema.Bool, no()))
		m.number = append(m.number, m.carry(schema.Long, nought()))
		m.series = append(m.series, m.carry(schema.Long, nought()))
		var made []plan.Column
		for i := range m.op.Declare {
			made = append(made, m.carry(m.kept[i].Type, m.start[i]))
		}
		m.made = append(m.made, made)
		var steps [][]plan.Column
		for range k + 1 {
			var list []plan.Column
			for i, col := range m.kept {
				list = append(list, m.carry(col.Type, m.start[i]))
			}
			steps = append(steps, list)
		}
		m.values = append(m.values, steps)
	}
}

// seen is a step's condition and assignments over one state: names of steps
// mean what the state holds, unless cleared is true.
func (m *machine) seen(k int, state [][]plan.Column, cleared plan.Expr) (condition plan.Expr, made []plan.Expr) {
	row := append([]plan.Column{}, m.cols...)
	replaced := map[plan.ID]plan.Expr{}
	for i, d := range m.op.Declare { // a declared column without its step is the default
		col := m.b.column(d.Name.Text, d.Type)
		replaced[col.ID] = m.start[i]
		row = append(row, col)
	}
	c := ctx{scope: m.c.scope, row: rowOf(row), steps: map[string]*rowAndStart{}}
	for j, st := range m.op.Steps {
		s := &rowAndStart{}
		for i, col := range m.kept {
			v := m.start[i]
			if j < len(state) {
				v = state[j][i].Ref()
				if cleared != nil {
					v = call("iff", col.Type, cleared, m.start[i], v)
				}
			}
			stand := m.b.column(col.Name, col.Type)
			replaced[stand.ID] = v
			s.columns = append(s.columns, stand)
		}
		c.steps[st.Name.Text] = s
	}
	resolve := func(x plan.Expr) plan.Expr {
		return plan.Map(x, func(e plan.Expr) plan.Expr {
			if ref, ok := e.(*plan.ColumnRef); ok {
				if v, ok := replaced[ref.ID]; ok {
					return v
				}
			}
			return e
		})
	}
	step := m.op.Steps[k]
	condition = call("coalesce", schema.Bool, resolve(m.b.condition(step.X, c)), no())
	for i := range m.op.Declare {
		made = append(made, m.start[i])
	}
	for _, a := range step.Assign {
		n, ok := a.(*syntax.Named)
		if !ok || len(n.Names) != 1 {
			m.b.fail(a.At(), "KQL165", "a step of scan assigns values to declared columns: name = value")
		}
		at := -1
		for i, d := range m.op.Declare {
			if d.Name.Text == n.Names[0].Text {
				at = i
			}
		}
		if at < 0 {
			m.b.fail(a.At(), "KQL165", "'%s' is not declared: a step of scan assigns values to declared columns", n.Names[0].Text)
		}
		x := m.b.scalar(n.X, c)
		if plan.HasWindow(x) {
			m.b.fail(a.At(), "KQL166", "a step of scan can't look at other rows by prev or next: name a step instead")
		}
		made[at] = resolve(m.b.convert(x, m.op.Declare[at].Type))
	}
	if plan.HasWindow(condition) {
		m.b.fail(step.X.At(), "KQL166", "a step of scan can't look at other rows by prev or next: name a step instead")
	}
	return condition, made
}

// transitions says how a row changes the states, from the last step to the first.
func (m *machine) transitions() {
	n := len(m.op.Steps)
	promoted := make([]plan.Expr, n+1) // the row takes the sequence on to step k
	promoted[n] = no()
	for k := n - 1; k >= 0; k-- {
		promoted[k] = no()
		var madeBefore []plan.Expr
		if k > 0 {
			condition, made := m.seen(k, m.values[k-1], nil)
			promoted[k] = call("and", schema.Bool, m.active[k-1].Ref(), condition)
			madeBefore = made
		}
		gone := promoted[k+1] // the sequence at this step has gone on to the next
		var cleared plan.Expr
		if k+1 < n {
			cleared = gone
		}
		condition, made := m.seen(k, m.values[k], cleared)
		again := call("and", schema.Bool, call("not", schema.Bool, promoted[k]), condition)
		if k > 0 {
			again = call("and", schema.Bool, again, m.active[k].Ref(), call("not", schema.Bool, gone))
		}
		hit := call("or", schema.Bool, promoted[k], again)
		m.next(m.hit[k], hit)
		m.next(m.active[k], call("or", schema.Bool, hit, call("and", schema.Bool, m.active[k].Ref(), call("not", schema.Bool, gone))))
		begins := call("and", schema.Bool, hit, call("or", schema.Bool, promoted[k], gone, call("not", schema.Bool, m.active[k].Ref())))
		m.next(m.series[k], call("iff", schema.Long, begins, call("add", schema.Long, m.series[k].Ref(), whole(1)), m.series[k].Ref()))
		number := m.match[k].Ref()
		var id plan.Expr = number
		if k == 0 {
			fresh := call("add", schema.Long, m.count.Ref(), &plan.Const{Typ: schema.Long, Value: int64(1)})
			id = call("iff", schema.Long, again, fresh, number)
			m.next(m.count, call("iff", schema.Long, again, fresh, m.count.Ref()))
		} else {
			id = call("iff", schema.Long, promoted[k], m.match[k-1].Ref(), number)
		}
		m.next(m.match[k], id)
		m.next(m.number[k], id)
		for i := range m.op.Declare {
			v := made[i]
			if k > 0 {
				v = call("iff", v.Type(), promoted[k], madeBefore[i], v)
			}
			m.next(m.made[k][i], v)
		}
		m.nextValues(k, promoted[k], hit, gone, made, madeBefore)
	}
}

// nextValues: what the step's state holds after the row.
func (m *machine) nextValues(k int, promoted, hit, gone plan.Expr, made, madeBefore []plan.Expr) {
	for j := range m.values[k] {
		for i, col := range m.kept {
			old := plan.Expr(m.values[k][j][i].Ref())
			if k+1 < len(m.op.Steps) {
				old = call("iff", col.Type, gone, m.start[i], old)
			}
			if j < k {
				m.next(m.values[k][j][i], call("iff", col.Type, promoted, m.values[k-1][j][i].Ref(), old))
				continue
			}
			var now plan.Expr
			if i < len(m.op.Declare) {
				if now = made[i]; k > 0 {
					now = call("iff", col.Type, promoted, madeBefore[i], now)
				}
			} else {
				now = m.rowColumn(col.Name).Ref()
			}
			m.next(m.values[k][j][i], call("iff", col.Type, hit, now, old))
		}
	}
}

func (m *machine) rowColumn(name string) plan.Column {
	for _, col := range m.cols {
		if col.Name == name {
			return col
		}
	}
	return plan.Column{}
}

// output gives each row as often as it matched a step that is shown.
func (m *machine) output() plan.Node {
	b := m.b
	// the fold's columns are the rows' own and the states
	b.shared++
	shared := &plan.Shared{Number: b.shared, Input: m.fold, Once: true}
	u := &plan.Union{}
	names := b.newNames(m.cols...)
	for _, col := range m.cols {
		u.Cols = append(u.Cols, b.column(col.Name, col.Type))
	}
	if m.op.MatchID.Text != "" {
		u.Cols = append(u.Cols, b.column(names.unique(m.op.MatchID.Text), schema.Long))
	}
	for _, d := range m.op.Declare {
		u.Cols = append(u.Cols, b.column(names.unique(d.Name.Text), d.Type))
	}
	order := b.column("", schema.Long)
	for k, st := range m.op.Steps {
		if st.Output == "none" {
			continue
		}
		r := b.ref(shared).(*plan.Ref)
		at := func(col plan.Column) plan.Expr {
			for i, id := range r.From {
				if id == col.ID {
					return r.Cols[i].Ref()
				}
			}
			return plan.Null(col.Type)
		}
		from := map[plan.ID]plan.Expr{order.ID: at(m.fold.Place)}
		for i, col := range m.cols {
			from[u.Cols[i].ID] = at(col)
		}
		i := len(m.cols)
		if m.op.MatchID.Text != "" {
			from[u.Cols[i].ID] = call("sub", schema.Long, at(m.number[k]), &plan.Const{Typ: schema.Long, Value: int64(1)})
			i++
		}
		for d := range m.op.Declare {
			from[u.Cols[i+d].ID] = at(m.made[k][d])
		}
		shown := at(m.hit[k])
		if st.Output == "last" {
			shown = call("and", schema.Bool, shown, &plan.InTable{X: at(m.fold.Place), Node: m.lasts(shared, k)})
		}
		u.Nodes = append(u.Nodes, &plan.Filter{Input: r, Predicate: shown})
		u.From = append(u.From, from)
	}
	if len(u.Nodes) == 0 {
		return &plan.Values{Cols: u.Cols}
	}
	cols := u.Cols
	u.Cols = append(u.Cols[:len(u.Cols):len(u.Cols)], order)
	sorted := &plan.Sort{Input: u, Keys: []plan.Key{{X: order.Ref()}}}
	p := &plan.Project{Input: sorted, Items: keepAll(cols)}
	b.serialized[p] = true
	return p
}

// lasts gives the places where the series of a step's repeated matches end.
func (m *machine) lasts(shared *plan.Shared, k int) plan.Node {
	r, find := m.b.refTo(shared)
	last := plan.Agg{Column: m.b.column("", schema.Long), Func: "max", Args: []plan.Expr{find(m.fold.Place).Ref()}}
	agg := &plan.Aggregate{Input: &plan.Filter{Input: r, Predicate: find(m.hit[k]).Ref()}, Keys: []plan.Item{m.b.item("", find(m.series[k]).Ref())}, Aggs: []plan.Agg{last}}
	return &plan.Project{Input: agg, Items: []plan.Item{keep(last.Column)}}
}

// rowAndStart is what the name of a step stands for: columns read as step.column.
type rowAndStart struct{ columns []plan.Column }

// stepColumn finds step.column in a scan.
func (c ctx) stepColumn(x *syntax.Path) (plan.Expr, bool) {
	id, ok := x.X.(*syntax.Ident)
	if !ok || c.steps == nil {
		return nil, false
	}
	s, ok := c.steps[id.Text]
	if !ok {
		return nil, false
	}
	for _, col := range s.columns {
		if col.Name == x.Name.Text {
			return col.Ref(), true
		}
	}
	return nil, false
}
