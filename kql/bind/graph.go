package bind

import (
	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// graph is what make-graph gives: nodes and edges as tables. It is no table
// itself: only a graph operator can follow.
type graph struct {
	nodes, edges *plan.Shared
	// of the nodes: the id as text, how many edges come and leave
	id, in, out plan.Column
	// of the edges: the ids as texts
	source, target plan.Column
	// properties, which patterns name
	ofNodes, ofEdges []plan.Column
}

// Columns of a graph: it is no table.
func (g *graph) Columns() []plan.Column { return nil }

// Inputs of a graph: it is no table.
func (g *graph) Inputs() []plan.Node { return nil }

func (b *binder) share(n plan.Node) *plan.Shared {
	b.shared++
	return &plan.Shared{Number: b.shared, Input: n, Once: true}
}

// refTo reads a shared table; find gives the reference's own column for one of the table.
func (b *binder) refTo(s *plan.Shared) (r *plan.Ref, find func(plan.Column) plan.Column) {
	r = b.ref(s).(*plan.Ref)
	return r, func(c plan.Column) plan.Column {
		for i, id := range r.From {
			if id == c.ID {
				return r.Cols[i]
			}
		}
		return plan.Column{}
	}
}

func text(s string) plan.Expr { return &plan.Const{Typ: schema.String, Value: s} }

func whole(n int64) plan.Expr { return &plan.Const{Typ: schema.Long, Value: n} }

// makeGraph makes the tables of a graph: an edge a row, a node an id.
// Source: Kusto, the make-graph operator.
func (b *binder) makeGraph(n plan.Node, op *syntax.MakeGraph, c ctx) plan.Node {
	b.graphs = true
	g := &graph{ofEdges: n.Columns()}
	source, target := b.scalar(op.Source, c), b.scalar(op.Target, c)
	partition := func(c ctx) plan.Expr { return nil }
	if op.Partition.Text != "" {
		partition = func(c ctx) plan.Expr {
			return b.convert(b.scalar(&syntax.Ident{Name: op.Partition}, c), schema.String)
		}
	}
	id := func(x plan.Expr, part plan.Expr) plan.Expr {
		x = b.convert(x, schema.String)
		if part != nil {
			x = call("strcat", schema.String, part, text(native.PartitionMark), x)
		}
		return x
	}
	from, to := b.item("", id(source, partition(c))), b.item("", id(target, partition(c)))
	g.source, g.target = from.Column, to.Column
	ends := []plan.Item{b.item("", source), b.item("", target)}
	edges := &plan.Project{Input: n, Items: append(append(keepAll(n.Columns()), from, to), ends...)}
	g.edges = b.share(edges)
	b.graphNodes(g, op, ends, c, id, partition)
	if op.Sub == nil {
		return g
	}
	return b.pipe(g, op.Sub.Ops, c.scope)
}

// kinds of rows that nodes are made of.
const (
	tableRow = iota
	sourceRow
	targetRow
)

// graphNodes makes one row an id: of the node tables, and of the edges' ends,
// which also tell how many edges come and leave.
func (b *binder) graphNodes(g *graph, op *syntax.MakeGraph, ends []plan.Item, c ctx, id func(x, part plan.Expr) plan.Expr, partition func(ctx) plan.Expr) {
	const key, kind, from = "\x01id", "\x01kind", "\x01from"
	var rows []plan.Node
	idName, idType := op.NodeID.Text, ends[0].Type
	add := func(in plan.Node, key_, value plan.Expr, rowKind, table int, cols []plan.Item) {
		items := append(cols, b.item(key, key_), b.item(kind, whole(int64(rowKind))), b.item(from, whole(int64(table))))
		if value != nil && idName != "" {
			items = append(items, b.item(idName, b.convert(value, idType)))
		}
		rows = append(rows, &plan.Project{Input: in, Items: items})
	}
	for i, t := range op.Nodes {
		in := b.tabular(t.Table, c.scope)
		row := ctx{scope: c.scope, row: newRow(in)}
		x := b.scalar(t.On, row)
		if ref, ok := x.(*plan.ColumnRef); ok && i == 0 {
			for _, col := range in.Columns() {
				if col.ID == ref.ID {
					idName, idType = col.Name, col.Type
				}
			}
		}
		add(in, id(x, partition(row)), nil, tableRow, i, keepAll(in.Columns()))
	}
	for i, rowKind := range []int{sourceRow, targetRow} {
		r, find := b.refTo(g.edges)
		add(r, find([]plan.Column{g.source, g.target}[i]).Ref(), find(ends[i].Column).Ref(), rowKind, len(op.Nodes), nil)
	}
	all := b.stack(rows, make([]string, len(rows)), "", false)
	agg := &plan.Aggregate{Input: all}
	row := newRow(all)
	kindOf, _ := row.find(kind)
	fromOf, _ := row.find(from)
	keyOf, _ := row.find(key)
	g.id = b.column("", schema.String)
	agg.Keys = []plan.Item{{Column: g.id, X: keyOf.Ref()}}
	b.group++
	for _, col := range all.Cols {
		if col.Name == key || col.Name == kind || col.Name == from || hidden(col) {
			continue
		}
		a := plan.Agg{Column: b.column(col.Name, col.Type), Func: "arg_min", Args: []plan.Expr{kindOf.Ref(), col.Ref()}, Group: b.group}
		if len(op.Nodes) > 1 { // properties of several tables meet in one row
			a = plan.Agg{Column: a.Column, Func: "take_any", Args: []plan.Expr{col.Ref()}, Where: b.hasColumn(rows, all, col, fromOf)}
		}
		agg.Aggs = append(agg.Aggs, a)
		g.ofNodes = append(g.ofNodes, a.Column)
	}
	degree := func(rowKind int) plan.Column {
		a := plan.Agg{Column: b.column("", schema.Long), Func: "count", Where: b.compare("eq", kindOf.Ref(), whole(int64(rowKind)))}
		agg.Aggs = append(agg.Aggs, a)
		return a.Column
	}
	g.out, g.in = degree(sourceRow), degree(targetRow)
	g.nodes = b.share(agg)
}

// hasColumn tells whether a row comes from a table that has the column.
func (b *binder) hasColumn(rows []plan.Node, all *plan.Union, col plan.Column, from plan.Column) plan.Expr {
	var any []plan.Expr
	for i := range rows {
		if all.From[i][col.ID] != nil {
			table := min(i, len(rows)-2)
			any = append(any, b.compare("eq", from.Ref(), whole(int64(table))))
		}
	}
	if len(any) == 1 {
		return any[0]
	}
	return call("or", schema.Bool, any...)
}

// graphOperator binds what follows a graph.
func (b *binder) graphOperator(g *graph, op syntax.Operator, c ctx) plan.Node {
	switch op := op.(type) {
	case *syntax.GraphMatch:
		return b.graphMatch(g, op, c)
	case *syntax.GraphMark:
		return b.graphComponents(g, op)
	case *syntax.GraphWhere:
		return b.graphWhere(g, op, c)
	case *syntax.GraphTable:
		return b.graphTable(g, op, c)
	}
	b.fail(op.At(), "KQL180", "a graph is no table: graph-match, graph-shortest-paths, graph-mark-components, graph-where-nodes, graph-where-edges or graph-to-table can follow it")
	return nil
}

// graphComponents adds the number of each node's component.
func (b *binder) graphComponents(g *graph, op *syntax.GraphMark) plan.Node {
	kind := word(op.Options, "kind", "weak")
	if kind != "weak" && kind != "strong" {
		b.fail(op.At(), "KQL181", "'%s' is no kind of components: weak or strong is", kind)
	}
	nodes, ofNode := b.refTo(g.nodes)
	edges, ofEdge := b.refTo(g.edges)
	s := &plan.Stage{Func: "graph_components", Settings: `{"kind":"` + kind + `"}`, Places: []int{0}, Reads: []plan.StageInput{
		{Node: nodes, Items: []plan.Expr{ofNode(g.id).Ref()}},
		{Node: edges, Items: []plan.Expr{ofEdge(g.source).Ref(), ofEdge(g.target).Ref()}},
	}}
	pass := func(c plan.Column) plan.Column {
		out := b.column(c.Name, c.Type)
		s.Cols, s.From = append(s.Cols, out), append(s.From, plan.StageFrom{ID: ofNode(c).ID})
		return out
	}
	h := *g
	h.ofNodes = nil
	for _, col := range g.ofNodes {
		h.ofNodes = append(h.ofNodes, pass(col))
	}
	h.id, h.in, h.out = pass(g.id), pass(g.in), pass(g.out)
	names := b.newNames(g.ofNodes...)
	component := b.column(names.unique(word(op.Options, "with_component_id", "ComponentId")), schema.Long)
	s.Cols, s.From = append(s.Cols, component), append(s.From, plan.StageFrom{Place: -1})
	h.ofNodes = append(h.ofNodes, component)
	h.nodes = b.share(s)
	return &h
}

// graphWhere keeps the nodes or edges that a condition holds for; edges of nodes that go, go too.
func (b *binder) graphWhere(g *graph, op *syntax.GraphWhere, c ctx) plan.Node {
	h := *g
	keepRows := func(s *plan.Shared, cols []plan.Column, condition func(find func(plan.Column) plan.Column) plan.Expr) (*plan.Shared, func(plan.Column) plan.Column) {
		r, find := b.refTo(s)
		return b.share(&plan.Filter{Input: r, Predicate: condition(find)}), find
	}
	named := func(cols []plan.Column, find func(plan.Column) plan.Column) ctx {
		var own []plan.Column
		for _, col := range cols {
			own = append(own, find(col))
		}
		return ctx{scope: c.scope, row: rowOf(own)}
	}
	var ofEdge func(plan.Column) plan.Column
	if op.Word == "graph-where-nodes" {
		var ofNode func(plan.Column) plan.Column
		h.nodes, ofNode = keepRows(g.nodes, g.ofNodes, func(find func(plan.Column) plan.Column) plan.Expr {
			return b.condition(op.X, named(g.ofNodes, find))
		})
		h.id, h.in, h.out, h.ofNodes = ofNode(g.id), ofNode(g.in), ofNode(g.out), mapped(g.ofNodes, ofNode)
		ids := func() plan.Node {
			r, find := b.refTo(h.nodes)
			return &plan.Project{Input: r, Items: []plan.Item{keep(find(h.id))}}
		}
		h.edges, ofEdge = keepRows(g.edges, g.ofEdges, func(find func(plan.Column) plan.Column) plan.Expr {
			return call("and", schema.Bool, &plan.InTable{X: find(g.source).Ref(), Node: ids()}, &plan.InTable{X: find(g.target).Ref(), Node: ids()})
		})
	} else {
		h.edges, ofEdge = keepRows(g.edges, g.ofEdges, func(find func(plan.Column) plan.Column) plan.Expr {
			return b.condition(op.X, named(g.ofEdges, find))
		})
	}
	h.source, h.target, h.ofEdges = ofEdge(g.source), ofEdge(g.target), mapped(g.ofEdges, ofEdge)
	return &h
}

func mapped(cols []plan.Column, find func(plan.Column) plan.Column) []plan.Column {
	out := make([]plan.Column, len(cols))
	for i, col := range cols {
		out[i] = find(col)
	}
	return out
}

// graphTable gives a graph's nodes or edges; both under names that later statements read.
func (b *binder) graphTable(g *graph, op *syntax.GraphTable, c ctx) plan.Node {
	var result plan.Node
	for _, o := range op.Outputs {
		shared, cols := g.nodes, g.ofNodes
		hashes := []struct {
			name syntax.Name
			of   plan.Column
		}{{o.ID, g.id}}
		if o.Edges {
			shared, cols = g.edges, g.ofEdges
			hashes[0].name, hashes[0].of = o.Source, g.source
			hashes = append(hashes, hashes[0])
			hashes[1].name, hashes[1].of = o.Target, g.target
		}
		r, find := b.refTo(shared)
		p := &plan.Project{Input: r}
		for _, h := range hashes {
			if h.name.Text != "" {
				p.Items = append(p.Items, b.item(h.name.Text, call("hash", schema.Long, find(h.of).Ref())))
			}
		}
		names := b.newNames(p.Columns()...)
		for _, col := range cols {
			if hidden(col) {
				continue
			}
			p.Items = append(p.Items, b.item(names.unique(col.Name), find(col).Ref()))
		}
		result = p
		if o.As.Text != "" {
			table := b.share(p)
			c.scope.parent.names[o.As.Text] = &entity{used: true, table: func() plan.Node { return b.ref(table) }}
			result = b.ref(table)
		} else if len(op.Outputs) > 1 {
			b.fail(op.At(), "KQL182", "nodes and edges are two tables: name both by 'as' and ask for them in statements after this one")
		}
	}
	return result
}
