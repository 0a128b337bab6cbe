package bind

import (
	"encoding/json"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// match is a pattern being bound: what its names stand for, and what the
// stage that looks for it must see and give.
type match struct {
	b        *binder
	g        *graph
	settings native.MatchSettings
	stage    *plan.Stage
	nodes    *plan.Ref
	edges    *plan.Ref
	ofNode   func(plan.Column) plan.Column
	ofEdge   func(plan.Column) plan.Column
	named    map[string]*element
	elements []*element
	// owner and source of each column that a fixed element gives
	owner  map[plan.ID]*element
	source map[plan.ID]plan.Column
	made   map[plan.ID]int // values by their column
}

// element is a node or edge of the pattern.
type element struct {
	name  string
	place int // of a node or a fixed edge
	index int // in the settings
	edge  bool
	path  bool
	given map[plan.ID]plan.Column // columns given so far, by the graph's own
}

// graphMatch binds graph-match and graph-shortest-paths: a stage that finds
// the pattern's matches, then the rest of the condition, then what to give.
// Source: Kusto, the graph-match and graph-shortest-paths operators.
func (b *binder) graphMatch(g *graph, op *syntax.GraphMatch, c ctx) plan.Node {
	m := &match{b: b, g: g, named: map[string]*element{}, owner: map[plan.ID]*element{}, source: map[plan.ID]plan.Column{}, made: map[plan.ID]int{}}
	m.nodes, m.ofNode = b.refTo(g.nodes)
	m.edges, m.ofEdge = b.refTo(g.edges)
	m.stage = &plan.Stage{Func: "graph_match", Reads: []plan.StageInput{
		{Node: m.nodes, Items: []plan.Expr{m.ofNode(g.id).Ref()}},
		{Node: m.edges, Items: []plan.Expr{m.ofEdge(g.source).Ref(), m.ofEdge(g.target).Ref()}},
	}}
	m.pattern(op)
	c.match, c.row = m, rowOf(nil)
	var rest []plan.Expr
	if op.X != nil {
		for _, part := range flatten(op.X, "and") {
			if x := b.condition(part, c); !m.push(x) {
				if m.shortest() && !m.endsOnly(x) {
					b.unsupported(part.At(), "a condition of graph-shortest-paths over more than one node or edge between its ends")
				}
				rest = append(rest, x)
			}
		}
	}
	p := &plan.Project{}
	names := b.newNames()
	for _, x := range op.Items {
		for _, o := range b.outputs(x, c) {
			p.Items = append(p.Items, b.item(names.unique(o.name), o.x))
		}
	}
	text, err := json.Marshal(m.settings)
	if err != nil {
		b.fail(op.At(), "KQL199", "the pattern could not be understood: %v", err)
	}
	m.stage.Settings = string(text)
	p.Input = m.stage
	if len(rest) > 0 {
		p.Input = &plan.Filter{Input: m.stage, Predicate: conjunction(rest)}
	}
	return p
}

func (m *match) shortest() bool { return m.stage.Func == "graph_shortest_paths" }

// mostPath is how long a path may be.
const mostPath = 100

// pattern names the elements and checks their form.
func (m *match) pattern(op *syntax.GraphMatch) {
	b := m.b
	m.settings.Cycles = word(op.Options, "cycles", "unique_edges")
	if k := m.settings.Cycles; k != "all" && k != "none" && k != "unique_edges" {
		b.fail(op.At(), "KQL184", "'%s' is no way to treat cycles: all, none or unique_edges is", k)
	}
	variable := 0
	for _, p := range op.Patterns {
		at := m.node(p.Nodes[0])
		for i, e := range p.Edges {
			to := m.node(p.Nodes[i+1])
			m.edge(e, at, to)
			if e.Path {
				variable++
			}
			at = to
		}
	}
	if op.Word == "graph-shortest-paths" {
		m.stage.Func = "graph_shortest_paths"
		output := word(op.Options, "output", "any")
		if output != "any" && output != "all" {
			b.fail(op.At(), "KQL184", "'%s' is no output of graph-shortest-paths: any or all is", output)
		}
		m.settings.All = output == "all"
		if len(op.Patterns) != 1 || variable == 0 {
			b.fail(op.At(), "KQL185", "graph-shortest-paths wants one sequence with an edge of variable length, such as (a)-[e*1..5]->(b)")
		}
		if len(m.settings.Nodes) != len(op.Patterns[0].Nodes) {
			b.unsupported(op.At(), "graph-shortest-paths with one node twice in its pattern")
		}
	}
	for range m.settings.Nodes {
		m.stage.Places = append(m.stage.Places, 0)
	}
	for _, el := range m.elements {
		if el.edge && !el.path {
			el.place = len(m.stage.Places)
			m.stage.Places = append(m.stage.Places, 1)
		}
	}
}

func (m *match) node(n syntax.Name) int {
	if el := m.named[n.Text]; el != nil && n.Text != "" {
		if el.edge {
			m.b.fail(n.Span, "KQL186", "'%s' is an edge of the pattern already", n.Text)
		}
		return el.index
	}
	el := &element{name: n.Text, index: len(m.settings.Nodes), place: len(m.settings.Nodes), given: map[plan.ID]plan.Column{}}
	m.settings.Nodes = append(m.settings.Nodes, -1)
	m.add(el)
	return el.index
}

func (m *match) add(el *element) {
	m.elements = append(m.elements, el)
	if el.name != "" {
		m.named[el.name] = el
	}
}

func (m *match) edge(e syntax.GraphEdge, from, to int) {
	if e.Name.Text != "" && m.named[e.Name.Text] != nil {
		m.b.fail(e.Span, "KQL186", "'%s' stands in the pattern already: each edge has a name of its own", e.Name.Text)
	}
	if e.Path && (e.Max < e.Min || e.Max == 0) {
		m.b.fail(e.Span, "KQL187", "a path of %d..%d edges has no length", e.Min, e.Max)
	}
	if e.Max > mostPath {
		m.b.fail(e.Span, "KQL187", "a path may have at most %d edges", mostPath)
	}
	m.add(&element{name: e.Name.Text, index: len(m.settings.Edges), edge: true, path: e.Path, given: map[plan.ID]plan.Column{}})
	m.settings.Edges = append(m.settings.Edges, native.MatchEdge{From: from, To: to, Left: e.Left, Right: e.Right, Min: e.Min, Max: e.Max, Path: e.Path, Condition: -1})
}

// give makes a column of a fixed element known to the rows that the stage gives.
func (m *match) give(el *element, col plan.Column) plan.Expr {
	of := m.ofNode
	if el.edge {
		of = m.ofEdge
	}
	if have, ok := el.given[col.ID]; ok {
		return have.Ref()
	}
	out := m.b.column(col.Name, col.Type)
	el.given[col.ID] = out
	m.owner[out.ID], m.source[out.ID] = el, of(col)
	m.stage.Cols = append(m.stage.Cols, out)
	m.stage.From = append(m.stage.From, plan.StageFrom{Place: el.place, ID: of(col).ID})
	return out.Ref()
}

// property reads name.property of an element; nil where name is none.
func (m *match) property(x *syntax.Path) plan.Expr {
	if m == nil {
		return nil
	}
	id, ok := x.X.(*syntax.Ident)
	if !ok || m.named[id.Text] == nil {
		return nil
	}
	el := m.named[id.Text]
	cols, what := m.g.ofNodes, "nodes"
	if el.edge {
		cols, what = m.g.ofEdges, "edges"
	}
	col, ok := rowOf(cols).find(x.Name.Text)
	if !ok {
		if col, ok = rowOf(cols).loosely(x.Name.Text); !ok {
			m.b.fail(x.Name.Span, "KQL120", "the %s of the graph have no property '%s'%s", what, x.Name.Text, didYouMean(x.Name.Text, rowOf(cols).names()))
		}
	}
	if el.path {
		return m.value(native.MatchValue{Edge: el.index, Kind: "map"}, m.ofEdge(col).Ref())
	}
	return m.give(el, col)
}

// see lets the stage see an expression over the rows of the nodes or edges.
func (m *match) see(nodes bool, x plan.Expr) int {
	in := &m.stage.Reads[1]
	if nodes {
		in = &m.stage.Reads[0]
	}
	in.Items = append(in.Items, x)
	return len(in.Items) - 1
}

// value adds a value that the stage makes of a path.
func (m *match) value(v native.MatchValue, x plan.Expr) plan.Expr {
	v.Item = m.see(v.Nodes, x)
	t := schema.Bool
	if v.Kind == "map" {
		t = schema.Dynamic
	}
	col := m.b.column("", t)
	m.made[col.ID] = len(m.settings.Values)
	m.stage.Cols = append(m.stage.Cols, col)
	m.stage.From = append(m.stage.From, plan.StageFrom{Place: -1, Value: len(m.settings.Values)})
	m.settings.Values = append(m.settings.Values, v)
	return col.Ref()
}

// call binds the functions of patterns; nil for any other.
func (m *match) call(x *syntax.Call, c ctx) plan.Expr {
	if m == nil {
		return nil
	}
	b := m.b
	switch fn := x.Func.Text; fn {
	case "map", "any", "all":
		b.want(x, 2, 2)
		el, nodes := m.pathOf(x.Args[0])
		inner := ctx{scope: c.scope, row: m.rowOf(nodes), match: &match{b: b, g: m.g, ofNode: m.ofNode, named: map[string]*element{}, nodes: m.nodes, elements: nil}}
		var v plan.Expr
		if fn == "map" {
			v = b.scalar(x.Args[1], inner)
		} else {
			v = b.condition(x.Args[1], inner)
		}
		if plan.HasWindow(v) {
			b.fail(x.Args[1].At(), "KQL139", "a function of neighbouring rows can't stand in %s", fn)
		}
		return m.value(native.MatchValue{Edge: el.index, Nodes: nodes, Kind: fn}, v)
	case "inner_nodes":
		b.fail(x.At(), "KQL188", "inner_nodes stands inside of map, any or all")
	case "node_degree_in":
		return m.ofNodeCall(x, m.g.in)
	case "node_degree_out":
		return m.ofNodeCall(x, m.g.out)
	case "node_id":
		id := m.ofNodeCall(x, m.g.id)
		return call("graph_node_id", schema.String, id)
	case "labels":
		b.unsupported(x.At(), "labels(): a graph that a query makes has none, and graphs aren't stored here")
	}
	return nil
}

// rowOf is the row that conditions inside of map, any and all see.
func (m *match) rowOf(nodes bool) *row {
	cols, of := m.g.ofEdges, m.ofEdge
	if nodes {
		cols, of = m.g.ofNodes, m.ofNode
	}
	return rowOf(mapped(cols, of))
}

// pathOf finds the edge of variable length that map, any and all go over.
func (m *match) pathOf(x syntax.Expr) (el *element, nodes bool) {
	x = unparen(x)
	if cl, ok := x.(*syntax.Call); ok && cl.Func.Text == "inner_nodes" && len(cl.Args) == 1 {
		x, nodes = unparen(cl.Args[0]), true
	}
	if id, ok := x.(*syntax.Ident); ok {
		if el := m.named[id.Text]; el != nil && el.path {
			return el, nodes
		}
	}
	m.b.fail(x.At(), "KQL188", "the name of an edge of variable length, such as e in -[e*1..5]->, is expected here")
	return nil, false
}

// ofNodeCall reads a number of a node: of the one named, or of the row at hand.
func (m *match) ofNodeCall(x *syntax.Call, col plan.Column) plan.Expr {
	if len(x.Args) == 0 && m.stage == nil {
		return m.ofNode(col).Ref()
	}
	m.b.want(x, 1, 1)
	if id, ok := unparen(x.Args[0]).(*syntax.Ident); ok && m.stage != nil {
		if el := m.named[id.Text]; el != nil && !el.edge {
			return m.give(el, col)
		}
	}
	m.b.fail(x.At(), "KQL188", "%s wants the name of a node of the pattern; without one it stands inside of map, any or all over inner_nodes", x.Func.Text)
	return nil
}

// push hands a part of the condition to the stage: a condition of one node or
// edge is known before the search, one of a path while it goes on.
func (m *match) push(x plan.Expr) bool {
	if ref, ok := x.(*plan.ColumnRef); ok {
		if i, ok := m.made[ref.ID]; ok {
			v := &m.settings.Values[i]
			e := &m.settings.Edges[v.Edge]
			switch {
			case v.Kind == "all" && v.Nodes:
				e.All = append(e.All, v.Item)
			case v.Kind == "all" && e.Condition < 0:
				e.Condition = v.Item
			case v.Kind == "all":
				in := m.stage.Reads[1].Items
				e.Condition = m.see(false, call("and", schema.Bool, in[e.Condition], in[v.Item]))
			case m.shortest():
				return false
			}
			v.Required = true
			return true
		}
	}
	el := m.ownerOf(x)
	if el == nil || plan.HasWindow(x) {
		return false
	}
	own := plan.Map(x, func(e plan.Expr) plan.Expr {
		if ref, ok := e.(*plan.ColumnRef); ok {
			return m.source[ref.ID].Ref()
		}
		return e
	})
	slot, in := &m.settings.Nodes[0], m.stage.Reads[0].Items
	if el.edge {
		slot, in = &m.settings.Edges[el.index].Condition, m.stage.Reads[1].Items
	} else {
		slot = &m.settings.Nodes[el.index]
	}
	if *slot >= 0 {
		own = call("and", schema.Bool, in[*slot], own)
	}
	*slot = m.see(!el.edge, own)
	return true
}

// ownerOf gives the one element that all columns of x belong to; nil for none or several.
func (m *match) ownerOf(x plan.Expr) *element {
	var el *element
	several := false
	plan.Walk(x, func(e plan.Expr) bool {
		if ref, ok := e.(*plan.ColumnRef); ok {
			o := m.owner[ref.ID]
			several = several || o == nil || el != nil && el != o
			el = o
		}
		return true
	})
	if several {
		return nil
	}
	return el
}

// endsOnly tells whether x reads only the first and the last node of the pattern.
func (m *match) endsOnly(x plan.Expr) bool {
	ends := true
	plan.Walk(x, func(e plan.Expr) bool {
		if ref, ok := e.(*plan.ColumnRef); ok {
			o := m.owner[ref.ID]
			ends = ends && o != nil && !o.edge && (o.index == 0 || o.index == len(m.settings.Nodes)-1)
		}
		return true
	})
	return ends
}

// noGraph refuses a graph where a table is expected.
func (b *binder) noGraph(n plan.Node) plan.Node {
	found := false
	if b.graphs {
		plan.Each(n, func(n plan.Node) {
			_, is := n.(*graph)
			found = found || is
		})
	}
	if found {
		b.fail(syntax.Span{}, "KQL180", "a graph is no table: end it with graph-match, graph-shortest-paths or graph-to-table")
	}
	return n
}
