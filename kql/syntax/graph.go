package syntax

// The operators over graphs: make-graph and what reads the graph that it makes.

// The graph operators.
type (
	// MakeGraph is make-graph Source --> Target, with node tables or a name for the nodes' ids.
	MakeGraph struct {
		keyword
		Source, Target Expr
		Nodes          []GraphNodes
		NodeID         Name // with_node_id
		Partition      Name // partitioned-by: each value is a graph of its own
		Sub            *Pipe
	}
	// GraphMatch is graph-match and graph-shortest-paths.
	GraphMatch struct {
		keyword
		Options  []Option
		Patterns []GraphPattern
		X        Expr // where; nil for none
		Items    []Expr
	}
	// GraphMark is graph-mark-components.
	GraphMark struct {
		keyword
		Options []Option
	}
	// GraphWhere is graph-where-nodes and graph-where-edges.
	GraphWhere struct {
		keyword
		X Expr
	}
	// GraphTable is graph-to-table nodes, edges or both.
	GraphTable struct {
		keyword
		Outputs []GraphOutput
	}
)

// GraphNodes is a table of nodes and the column with their ids.
type GraphNodes struct{ Table, On Expr }

// GraphPattern is nodes with an edge between each two.
type GraphPattern struct {
	Nodes []Name // Text is "" for a node without a name
	Edges []GraphEdge
}

// GraphEdge is one edge of a pattern.
type GraphEdge struct {
	Span
	Name Name
	// Left and Right are the directions that it may have: <--, -->; both for --.
	Left, Right bool
	// Path: it stands for Min to Max edges in a row.
	Path     bool
	Min, Max int
}

// GraphOutput is one table that graph-to-table gives.
type GraphOutput struct {
	Edges              bool
	As                 Name
	ID, Source, Target Name // columns for the hashes of ids
}

func (p *parser) makeGraph(k keyword) Operator {
	op := &MakeGraph{keyword: k}
	p.options(hints)
	op.Source = p.postfix()
	if p.accept("<--") {
		op.Target = op.Source
		op.Source = p.postfix()
	} else {
		p.expect("--")
		p.expect(">")
		op.Target = p.postfix()
	}
	switch {
	case p.acceptWord("with_node_id"):
		p.expect("=")
		op.NodeID = p.name()
	case p.acceptWord("with"):
		for {
			n := GraphNodes{Table: p.postfix()}
			p.expectWord("on")
			n.On = p.postfix()
			op.Nodes = append(op.Nodes, n)
			if !p.accept(",") {
				break
			}
		}
	}
	if p.isWord("partitioned") && p.isAt(1, "-") && wordIn(p.peek(2), "by") {
		p.at += 3
		op.Partition = p.name()
		op.Sub, _ = p.subPipe("(", ")").(*Pipe)
	}
	return op
}

var graphOptions = map[string]bool{"cycles": true, "output": true, "kind": true, "with_component_id": true}

func (p *parser) graphMatch(k keyword) Operator {
	op := &GraphMatch{keyword: k, Options: p.options(graphOptions)}
	for {
		op.Patterns = append(op.Patterns, p.graphPattern())
		if !p.accept(",") {
			break
		}
	}
	if p.acceptWord("where") {
		op.X = p.expr()
	}
	p.expectWord("project")
	op.Items = p.namedList()
	return op
}

func (p *parser) graphPattern() (out GraphPattern) {
	out.Nodes = append(out.Nodes, p.graphNode())
	for p.is("<--") || p.is("--") || p.is("-") || p.is("<") {
		out.Edges = append(out.Edges, p.graphEdge())
		out.Nodes = append(out.Nodes, p.graphNode())
	}
	return out
}

func (p *parser) graphNode() (n Name) {
	n.Span = Span{p.tok().Start, p.tok().End}
	p.expect("(")
	if !p.is(")") {
		n = p.name()
	}
	p.expect(")")
	return n
}

func (p *parser) graphEdge() GraphEdge {
	start := p.tok().Start
	e := GraphEdge{Min: 1, Max: 1}
	switch {
	case p.accept("<--"):
		e.Left = true
	case p.accept("--"):
		e.Right = true
		e.Left = !p.accept(">")
	default:
		e.Left = p.accept("<")
		p.expect("-")
		p.expect("[")
		if !p.is("*") && !p.is("]") {
			e.Name = p.name()
		}
		if p.accept("*") {
			e.Path = true
			e.Min = p.graphCount()
			p.expect("..")
			e.Max = p.graphCount()
		}
		p.expect("]")
		p.expect("-")
		if !e.Left {
			e.Right = true
			e.Left = !p.accept(">")
		}
	}
	e.Span = p.from(start)
	return e
}

// graphCount reads how many edges a path may have.
func (p *parser) graphCount() int {
	if t := p.tok(); t.Kind == Number {
		if n, ok := ParseInteger(t.Text); ok && n <= 1<<20 {
			p.at++
			return int(n)
		}
	}
	p.unexpected("how many edges the path has")
	return 0
}

func (p *parser) graphMark(k keyword) Operator { return &GraphMark{k, p.options(graphOptions)} }

func (p *parser) graphWhere(k keyword) Operator { return &GraphWhere{k, p.expr()} }

func (p *parser) graphTable(k keyword) Operator {
	op := &GraphTable{keyword: k}
	for {
		var o GraphOutput
		switch {
		case p.acceptWord("nodes"):
		case p.acceptWord("edges"):
			o.Edges = true
		default:
			p.unexpected("'nodes' or 'edges'")
		}
		for more := true; more; {
			switch {
			case p.acceptWord("as"):
				o.As = p.name()
			case p.acceptWord("with_node_id"):
				p.expect("=")
				o.ID = p.name()
			case p.acceptWord("with_source_id"):
				p.expect("=")
				o.Source = p.name()
			case p.acceptWord("with_target_id"):
				p.expect("=")
				o.Target = p.name()
			default:
				more = false
			}
		}
		op.Outputs = append(op.Outputs, o)
		if !p.accept(",") {
			return op
		}
	}
}
