package native

import (
	"context"
	"strings"

	"github.com/valyala/fastjson"
)

// stages are the functions that read all rows at once.
func stages() []Function {
	return []Function{
		staged("graph_match", 2, graphMatch),
		staged("graph_shortest_paths", 2, graphShortest),
		staged("graph_components", 2, graphComponents),
		staged("reduce", 1, reduce),
		staged("autocluster", 1, autocluster),
		staged("basket", 1, basket),
		staged("diffpatterns", 1, diffpatterns),
		{Name: "graph_node_id", Params: types(tText), Least: 1, Result: tText, Eval: graphNodeID},
	}
}

// PartitionMark stands between a graph's partition and a node's id in the ids that a stage sees.
const PartitionMark = "\x1f"

// graph is nodes and edges by number. A node's number is its row's.
type graph struct {
	nodes, edges    Rows
	source, target  []int // of each edge
	leaving, coming [][]int
	partition       []string // of each node; nil where there are none
	order           []int    // nodes as edges name them first, then the rest
}

// readGraph reads nodes (id, …) and edges (source, target, …).
func readGraph(nodes, edges Rows) *graph {
	g := &graph{nodes: nodes, edges: edges}
	byID := make(map[string]int, len(nodes))
	for i := range nodes {
		id := textOf(nodes.at(i, 0))
		byID[id] = i
		if p, _, ok := strings.Cut(id, PartitionMark); ok {
			if g.partition == nil {
				g.partition = make([]string, len(nodes))
			}
			g.partition[i] = p
		}
	}
	g.source, g.target = make([]int, len(edges)), make([]int, len(edges))
	g.leaving, g.coming = make([][]int, len(nodes)), make([][]int, len(nodes))
	named := make([]bool, len(nodes))
	name := func(n int) {
		if !named[n] {
			named[n] = true
			g.order = append(g.order, n)
		}
	}
	for i := range edges {
		s, t := byID[textOf(edges.at(i, 0))], byID[textOf(edges.at(i, 1))]
		g.source[i], g.target[i] = s, t
		g.leaving[s] = append(g.leaving[s], i)
		g.coming[t] = append(g.coming[t], i)
		name(s)
		name(t)
	}
	for n := range nodes {
		name(n)
	}
	return g
}

func (g *graph) together(a, b int) bool {
	return g.partition == nil || g.partition[a] == g.partition[b]
}

// holds reads a condition of a row; without one every row is taken.
func holds(rows Rows, row, item int) bool {
	return item < 0 || rows.at(row, item).Type() == fastjson.TypeTrue
}

// budget bounds what a search may do, and ends it with the query.
type budget struct {
	ctx         context.Context
	steps, rows int
	what        string
}

// The bounds of one search. Source: ours; the engine is bounded by memory.
const (
	mostSteps = 100_000_000
	mostFound = 1_000_000
)

func (b *budget) step() error {
	b.steps++
	if b.steps&0x3fff == 0 {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if b.steps > mostSteps {
			return refuse("%s gave up after %d steps: the graph has too many paths for this pattern; bound it by conditions or a shorter *min..max", b.what, mostSteps)
		}
	}
	return nil
}

func (b *budget) found() error {
	if b.rows++; b.rows > mostFound {
		return refuse("%s found more than %d matches: bound the pattern by conditions or a shorter *min..max", b.what, mostFound)
	}
	return nil
}

// graphComponents numbers the parts of a graph that hang together: from 0, in
// the order in which edges name their nodes; in each partition anew.
func graphComponents(ctx context.Context, settings string, in []Rows, _ []*fastjson.Value) (*Answer, error) {
	g := readGraph(in[0], in[1])
	var of []int
	if fastjson.GetString([]byte(settings), "kind") == "strong" {
		of = g.strong()
	} else {
		of = g.weak()
	}
	numbers := map[string]map[int]int{}
	number := make([]int, len(of))
	for _, n := range g.order {
		p := ""
		if g.partition != nil {
			p = g.partition[n]
		}
		if numbers[p] == nil {
			numbers[p] = map[int]int{}
		}
		id, ok := numbers[p][of[n]]
		if !ok {
			id = len(numbers[p])
			numbers[p][of[n]] = id
		}
		number[n] = id
	}
	a := newAnswer(1, 1)
	for _, n := range g.order {
		a.add(n + 1)
		a.put(0, itoa(number[n]))
	}
	return a, ctx.Err()
}

// weak gives each node the root of its component, directions aside.
func (g *graph) weak() []int {
	root := make([]int, len(g.nodes))
	for i := range root {
		root[i] = i
	}
	find := func(n int) int {
		for root[n] != n {
			root[n] = root[root[n]]
			n = root[n]
		}
		return n
	}
	for e := range g.edges {
		root[find(g.source[e])] = find(g.target[e])
	}
	for i := range root {
		root[i] = find(i)
	}
	return root
}

// strong gives each node the least node of those that it reaches and that
// reach it: two walks, by Kosaraju.
func (g *graph) strong() []int {
	var finished []int
	seen := make([]bool, len(g.nodes))
	walk := func(start int, next [][]int, end []int, done func(int)) {
		type frame struct{ node, edge int }
		stack := []frame{{start, 0}}
		seen[start] = true
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.edge == len(next[f.node]) {
				done(f.node)
				stack = stack[:len(stack)-1]
				continue
			}
			to := end[next[f.node][f.edge]]
			f.edge++
			if !seen[to] {
				seen[to] = true
				stack = append(stack, frame{to, 0})
			}
		}
	}
	for n := range g.nodes {
		if !seen[n] {
			walk(n, g.leaving, g.target, func(n int) { finished = append(finished, n) })
		}
	}
	of := make([]int, len(g.nodes))
	clear(seen)
	for i := len(finished) - 1; i >= 0; i-- {
		if n := finished[i]; !seen[n] {
			walk(n, g.coming, g.source, func(m int) { of[m] = n })
		}
	}
	return of
}

// graphNodeID gives a node's id without its partition.
func graphNodeID(args []any) any {
	id := str(args[0])
	if _, own, ok := strings.Cut(id, PartitionMark); ok {
		return own
	}
	return id
}
