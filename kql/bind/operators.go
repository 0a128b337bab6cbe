package bind

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// pipe binds operators over a node.
func (b *binder) pipe(n plan.Node, ops []syntax.Operator, s *scope) plan.Node {
	return b.pipeIn(n, ops, s.child())
}

// pipeIn is pipe in a scope to which as gives the names of what follows.
func (b *binder) pipeIn(n plan.Node, ops []syntax.Operator, s *scope) plan.Node {
	for _, op := range ops {
		b.count(op.At())
		n = b.shown(n, op, s)
	}
	return n
}

func (b *binder) operator(n plan.Node, op syntax.Operator, s *scope) plan.Node {
	if g, ok := n.(*graph); ok {
		return b.graphOperator(g, op, ctx{scope: s})
	}
	c := ctx{scope: s, row: b.rowFor(n)}
	if p, ok := op.(*syntax.Project); !ok || p.Word != "serialize" {
		c.unordered = !b.ordered(n)
	}
	switch op := op.(type) {
	case *syntax.Where:
		return &plan.Filter{Input: n, Predicate: b.condition(op.X, c)}
	case *syntax.Extend:
		return b.extend(n, op.Items, c)
	case *syntax.Project:
		return b.project(n, op, c)
	case *syntax.Summarize:
		return b.summarize(n, op.Aggregates, op.By, c)
	case *syntax.Sort:
		return &plan.Sort{Input: n, Keys: b.sortKeys(op.Keys, c)}
	case *syntax.Top:
		sorted := &plan.Sort{Input: n, Keys: b.sortKeys(op.Keys, c)}
		return &plan.Limit{Input: sorted, N: b.whole(op.N, s, op.Keyword())}
	case *syntax.Take:
		return &plan.Limit{Input: n, N: b.whole(op.N, s, op.Keyword()), Sample: op.Word == "sample"}
	case *syntax.SampleDistinct:
		d := b.distinct(n, []syntax.Expr{op.X}, c)
		return &plan.Limit{Input: d, N: b.whole(op.N, s, op.Keyword())}
	case *syntax.Count:
		name := "Count"
		if op.Name.Text != "" {
			name = op.Name.Text
		}
		return &plan.Aggregate{Input: n, Aggs: []plan.Agg{{Column: b.column(name, schema.Long), Func: "count"}}}
	case *syntax.Join:
		return b.join(n, op, c)
	case *syntax.Union:
		return b.union([]plan.Node{n}, op, s)
	case *syntax.Expand:
		if op.On != nil {
			return b.mvApply(n, op, c)
		}
		return b.expand(n, op, c)
	case *syntax.Parse:
		return b.parse(n, op, c)
	case *syntax.ParseKV:
		return b.parseKV(n, op, c)
	case *syntax.Evaluate:
		return b.evaluate(n, op, c)
	case *syntax.MakeSeries:
		return b.makeSeries(n, op, c)
	case *syntax.Search:
		return b.search(n, op, s)
	case *syntax.Render:
		b.show(op)
		return n
	case *syntax.Invoke:
		return b.tableCall(op.Call, s, n)
	case *syntax.As:
		b.shared++
		shared := &plan.Shared{Number: b.shared, Input: n}
		s.names[op.Name.Text] = &entity{used: true, table: func() plan.Node { return b.ref(shared) }}
		return b.ref(shared)
	case *syntax.GetSchema:
		return b.getSchema(n)
	case *syntax.Consume:
		return &plan.Limit{Input: n, N: &plan.Const{Typ: schema.Long, Value: int64(0)}}
	case *syntax.Scan:
		return b.scanRows(n, op, c)
	case *syntax.ProjectByNames:
		return b.projectByNames(n, op, c)
	case *syntax.TopNested:
		return b.topNested(n, op, c)
	case *syntax.TopHitters:
		return b.topHitters(n, op, c)
	case *syntax.Partition:
		return b.partition(n, op, c)
	case *syntax.Reduce:
		return b.reduce(n, op, c)
	case *syntax.Fork, *syntax.Facet:
		b.fail(op.At(), "KQL194", "%s gives several tables: it can only stand at the end of the query", op.Keyword())
	case *syntax.MakeGraph:
		return b.makeGraph(n, op, c)
	case *syntax.GraphMatch, *syntax.GraphMark, *syntax.GraphWhere, *syntax.GraphTable:
		b.fail(op.At(), "KQL183", "%s reads a graph: put make-graph before it", op.Keyword())
	}
	b.unsupported(op.At(), "the operator "+op.Keyword())
	return nil
}

// rowFor is newRow, made once for operators that pass columns on as they are.
func (b *binder) rowFor(n plan.Node) *row {
	at := n
	for {
		switch x := at.(type) {
		case *plan.Filter:
			at = x.Input
			continue
		case *plan.Sort:
			at = x.Input
			continue
		case *plan.Limit:
			at = x.Input
			continue
		}
		break
	}
	if b.lastNode != at {
		b.lastNode, b.lastRow = at, newRow(at)
	}
	return b.lastRow
}

// ordered tells whether a node's rows have an order that later rows keep.
// Source: Kusto, window functions: which operators give and keep a serialized row set.
func (b *binder) ordered(n plan.Node) bool {
	for {
		if b.serialized[n] {
			return true
		}
		switch x := n.(type) {
		case *plan.Project:
			n = x.Input
		case *plan.Filter:
			n = x.Input
		case *plan.Limit:
			n = x.Input
		case *plan.Expand:
			n = x.Input
		case *plan.Ref:
			n = x.Shared.Input
		case *plan.Scan, *plan.Scans, *plan.Values, *plan.Aggregate, *plan.Join, *plan.Union, *plan.Distinct, *plan.Stage:
			return false
		default:
			return true
		}
	}
}

// extend adds columns; a name that is there already is replaced where it stands.
func (b *binder) extend(n plan.Node, list []syntax.Expr, c ctx) plan.Node {
	items := keepAll(n.Columns())
	names := b.newNames(n.Columns()...)
	set := map[string]bool{}
	for _, x := range list {
		for _, o := range b.outputs(x, c) {
			i := -1
			if o.name != "" {
				for j := range items {
					if items[j].Name == o.name {
						i = j
					}
				}
			}
			switch {
			case i >= 0 && (!set[o.name] || o.single): // of names that nobody gave the last one stands
				items[i] = b.item(o.name, o.x)
			case i >= 0 && o.declared && namedIn(x):
				b.fail(x.At(), "KQL140", "the column '%s' is given twice", o.name)
			default:
				items = append(items, b.item(names.unique(o.name), o.x))
			}
			set[o.name] = true
		}
	}
	return &plan.Project{Input: n, Items: items, Extends: true}
}

func namedIn(x syntax.Expr) bool { _, ok := x.(*syntax.Named); return ok }

// project binds project and its relatives.
func (b *binder) project(n plan.Node, op *syntax.Project, c ctx) plan.Node {
	switch op.Word {
	case "serialize":
		if len(op.Items) > 0 {
			n = b.extend(n, op.Items, c)
		}
		b.serialized[n] = true
		return n
	case "distinct":
		return b.distinct(n, op.Items, c)
	case "project-away", "project-keep":
		return b.projectSome(n, op, c)
	case "project-rename":
		return b.projectRename(n, op, c)
	case "project-reorder":
		return b.projectReorder(n, op, c)
	}
	return b.projectOnly(n, op.Items, c)
}

func (b *binder) projectOnly(n plan.Node, list []syntax.Expr, c ctx) plan.Node {
	p := &plan.Project{Input: n}
	names := b.newNames()
	for _, x := range list {
		if isStar(x) {
			b.reveal(n.Columns())
			for _, col := range n.Columns() {
				p.Items = append(p.Items, b.item(names.unique(col.Name), col.Ref()))
			}
			continue
		}
		for _, o := range b.outputs(x, c) {
			if o.declared && names.taken[o.name] && !strings.HasPrefix(o.name, "Column") {
				b.fail(x.At(), "KQL140", "the column '%s' is given twice", o.name)
			}
			p.Items = append(p.Items, b.item(names.unique(o.name), o.x))
		}
	}
	return p
}

func (b *binder) distinct(n plan.Node, list []syntax.Expr, c ctx) plan.Node {
	if len(list) == 1 && isStar(list[0]) {
		b.reveal(n.Columns())
		p := &plan.Project{Input: n}
		for _, col := range n.Columns() {
			if !hidden(col) {
				p.Items = append(p.Items, keep(col))
			}
		}
		return &plan.Distinct{Input: p}
	}
	return &plan.Distinct{Input: b.projectOnly(n, list, c)}
}

// selected gives the columns that a list of names and wildcards means.
func (b *binder) selected(x syntax.Expr, c ctx, must bool) []plan.Column {
	switch x := unparen(x).(type) {
	case *syntax.Wildcard:
		b.reveal(c.row.columns)
		var out []plan.Column
		for _, col := range c.row.columns {
			if matches(x.Pattern, col.Name) && !hidden(col) {
				out = append(out, col)
			}
		}
		return out
	case *syntax.Ident:
		if col, ok := c.row.find(x.Text); ok {
			return []plan.Column{col}
		}
		if col, ok := c.row.loosely(x.Text); ok {
			return []plan.Column{col}
		}
		if _, ok := c.row.undeclared(x.Text); ok {
			c.row.infer(x.Text)
			return nil
		}
		b.fail(x.At(), "KQL120", "there is no column '%s'%s", x.Text, didYouMean(x.Text, c.row.names()))
	}
	b.fail(x.At(), "KQL141", "a column's name is expected here")
	return nil
}

func (b *binder) projectSome(n plan.Node, op *syntax.Project, c ctx) plan.Node {
	chosen := map[plan.ID]bool{}
	for _, x := range op.Items {
		for _, col := range b.selected(x, c, true) {
			chosen[col.ID] = true
		}
	}
	p := &plan.Project{Input: n}
	for _, col := range n.Columns() {
		if chosen[col.ID] == (op.Word == "project-keep") || hidden(col) {
			p.Items = append(p.Items, keep(col))
		}
	}
	return p
}

func (b *binder) projectRename(n plan.Node, op *syntax.Project, c ctx) plan.Node {
	p := &plan.Project{Input: n, Items: keepAll(n.Columns())}
	for _, x := range op.Items {
		named, ok := x.(*syntax.Named)
		if !ok || len(named.Names) != 1 {
			b.fail(x.At(), "KQL142", "project-rename wants New = Old")
		}
		id, ok := unparen(named.X).(*syntax.Ident)
		if !ok {
			if path, is := unparen(named.X).(*syntax.Path); is {
				id, ok = &syntax.Ident{Name: path.Name}, true
			}
		}
		if !ok {
			b.fail(named.X.At(), "KQL141", "a column's name is expected here")
		}
		cols := b.selected(id, c, true)
		if len(cols) == 0 {
			v, _ := c.row.undeclared(id.Text)
			p.Items = append(p.Items, b.item(named.Names[0].Text, v))
			continue
		}
		for i := range p.Items {
			if p.Items[i].ID == cols[0].ID {
				p.Items[i] = b.item(named.Names[0].Text, cols[0].Ref())
			}
		}
	}
	p.Items = slices.DeleteFunc(p.Items, func(it plan.Item) bool { // one that the engine adds to a table gives way
		return standardNames[it.Name] && isRef(it, c.row) && renamedTo(op, it.Name)
	})
	names := map[string]bool{}
	for i, it := range p.Items {
		if names[it.Name] && !strings.HasPrefix(it.Name, open) {
			b.fail(op.At(), "KQL140", "the column '%s' is given twice", it.Name)
		}
		names[p.Items[i].Name] = true
	}
	return p
}

// standardNames are the standard columns of a workspace's tables.
// Source: Azure Monitor, standard columns in logs.
var standardNames = map[string]bool{"_ItemId": true, "_TimeReceived": true, "_ResourceId": true, "_SubscriptionId": true, "_BilledSize": true, "_IsBillable": true}

// isRef tells whether an item is a column of the row as it was.
func isRef(it plan.Item, r *row) bool {
	col, ok := r.find(it.Name)
	return ok && col.ID == it.ID
}

// renamedTo tells whether project-rename gives a column this name.
func renamedTo(op *syntax.Project, name string) bool {
	return slices.ContainsFunc(op.Items, func(x syntax.Expr) bool {
		n, ok := x.(*syntax.Named)
		return ok && len(n.Names) == 1 && n.Names[0].Text == name
	})
}

func (b *binder) projectReorder(n plan.Node, op *syntax.Project, c ctx) plan.Node {
	p := &plan.Project{Input: n}
	done := map[plan.ID]bool{}
	// a column named by itself isn't taken by a wildcard before it
	explicit := map[plan.ID]bool{}
	for _, x := range op.Items {
		if o, ok := x.(*syntax.Ordered); ok {
			x = o.X
		}
		if _, ok := x.(*syntax.Ident); ok {
			for _, col := range b.selected(x, c, true) {
				explicit[col.ID] = true
			}
		}
	}
	for _, x := range op.Items {
		o, ordered := x.(*syntax.Ordered)
		if ordered {
			x = o.X
		}
		cols := b.selected(x, c, true)
		if ordered {
			sort.SliceStable(cols, func(i, j int) bool {
				l, r := strings.ToLower(cols[i].Name), strings.ToLower(cols[j].Name)
				return l < r != o.Desc && l != r
			})
		}
		_, single := x.(*syntax.Ident)
		for _, col := range cols {
			if !done[col.ID] && (single || !explicit[col.ID]) {
				done[col.ID] = true
				p.Items = append(p.Items, keep(col))
			}
		}
	}
	for _, col := range n.Columns() {
		if !done[col.ID] {
			p.Items = append(p.Items, keep(col))
		}
	}
	return p
}

// summarize groups; its output is the keys, then what is made of the aggregates.
func (b *binder) summarize(n plan.Node, list, by []syntax.Expr, c ctx) plan.Node {
	names := b.newNames()
	agg := &plan.Aggregate{Input: n}
	aggs := newAggregates()
	after := &plan.Project{Input: agg}
	for _, x := range by {
		if isStar(x) {
			b.fail(x.At(), "KQL120", "'*' can't be a key")
		}
		for _, o := range b.outputs(x, c) {
			if o.source != 0 {
				aggs.by[o.source] = true
			}
			key := b.item(names.unique(o.name), o.x)
			agg.Keys = append(agg.Keys, key)
			after.Items = append(after.Items, keep(key.Column))
		}
	}
	c.aggs = aggs
	given := maps.Clone(names.taken) // what * of another aggregate gives may be given again
	for _, x := range list {
		named, ok := x.(*syntax.Named)
		several := ok && severalAggregates[calleeOf(named.X)]
		for _, o := range b.outputs(x, c) {
			if ok && !several {
				if given[o.name] {
					b.fail(x.At(), "KQL140", "the column '%s' is given twice", o.name)
				}
				given[o.name] = true
			}
			b.onlyAggregates(x, o.x, aggs)
			after.Items = append(after.Items, b.item(names.unique(o.name), o.x))
		}
	}
	agg.Aggs = aggs.list
	return after
}

// onlyAggregates: outside of an aggregate no column of the row may stand.
func (b *binder) onlyAggregates(at syntax.Expr, x plan.Expr, aggs *aggregates) {
	plan.Walk(x, func(e plan.Expr) bool {
		if ref, ok := e.(*plan.ColumnRef); ok && !aggs.made[ref.ID] {
			b.fail(at.At(), "KQL143", "a column can stand in summarize only inside of an aggregate such as max() or take_any(), or after by")
		}
		return true
	})
}

// sortKeys: descending unless said otherwise; nulls come last in descending order, first in ascending.
func (b *binder) sortKeys(list []syntax.Expr, c ctx) []plan.Key {
	var keys []plan.Key
	for _, x := range list {
		k := plan.Key{Desc: true}
		if o, ok := x.(*syntax.Ordered); ok {
			k.Desc = !o.Asc
			k.NullsFirst = !k.Desc
			if o.NullsFirst != nil {
				k.NullsFirst = *o.NullsFirst
			}
			x = o.X
		}
		k.X = b.scalar(x, c)
		if k.X.Type() == schema.Dynamic {
			b.fail(x.At(), "KQL144", "a dynamic value has no order: convert it, for example with tostring()")
		}
		keys = append(keys, k)
	}
	return keys
}

func option(list []syntax.Option, name string) (syntax.Expr, bool) {
	for _, o := range list {
		if o.Name.Text == name {
			return o.Value, true
		}
	}
	return nil, false
}

// word gives an option's value as a word.
func word(list []syntax.Option, name, otherwise string) string {
	x, ok := option(list, name)
	if !ok {
		return otherwise
	}
	switch x := x.(type) {
	case *syntax.Ident:
		return x.Text
	case *syntax.Literal:
		switch v := x.Value.(type) {
		case string:
			return v
		case bool:
			if v {
				return "true"
			}
			return "false"
		}
	}
	return otherwise
}

// getSchema describes the columns instead of giving them.
func (b *binder) getSchema(n plan.Node) plan.Node {
	b.reveal(n.Columns())
	v := &plan.Values{Cols: []plan.Column{b.column("ColumnName", schema.String), b.column("ColumnOrdinal", schema.Long), b.column("DataType", schema.String), b.column("ColumnType", schema.String)}}
	i := 0
	for _, c := range n.Columns() {
		if hidden(c) {
			continue
		}
		text := func(s string) plan.Expr { return &plan.Const{Typ: schema.String, Value: s} }
		v.Rows = append(v.Rows, []plan.Expr{text(c.Name), &plan.Const{Typ: schema.Long, Value: int64(i)}, text(c.Type.CLR()), text(c.Type.String())})
		i++
	}
	return v
}
