package native

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// MatchSettings is a pattern to look for. Items are those of the rows that
// the stage sees: a node's from 1, an edge's from 2 (its ids come first); -1 for none.
type MatchSettings struct {
	// Nodes are the pattern's nodes: the condition of each.
	Nodes []int
	Edges []MatchEdge
	// Values are made of paths; they are the answer's values in this order.
	Values []MatchValue
	// Cycles: all, none, unique_edges.
	Cycles string
	// All: every shortest path, not only one of each two ends.
	All bool
}

// MatchEdge is an edge of a pattern between two of its nodes.
type MatchEdge struct {
	From, To    int
	Left, Right bool // directions that it may have
	Min, Max    int
	Path        bool
	Condition   int   // that each edge holds
	All         []int // conditions that each inner node of a path holds
}

// MatchValue is a value that a path gives.
type MatchValue struct {
	Edge     int    // the pattern's
	Nodes    bool   // of its inner nodes, not its edges
	Item     int    // of their rows
	Kind     string // map, any, all
	Required bool   // only matches where it is true count
}

// matcher looks for a pattern by going from what is known to what isn't.
type matcher struct {
	*graph
	MatchSettings
	budget
	node   []int   // row of each node of the pattern, -1 for not yet
	path   [][]int // edges of each edge of the pattern, from its From to its To
	used   map[int]int
	passed map[int]int // nodes on the match
	done   []bool      // edges of the pattern
	answer *Answer
}

func itoa(n int) string { return strconv.Itoa(n) }

func graphMatch(ctx context.Context, settings string, in []Rows, _ []*fastjson.Value) (*Answer, error) {
	m := &matcher{budget: budget{ctx: ctx, what: "graph-match"}, used: map[int]int{}, passed: map[int]int{}}
	if err := json.Unmarshal([]byte(settings), &m.MatchSettings); err != nil {
		return nil, err
	}
	m.graph = readGraph(in[0], in[1])
	m.node = make([]int, len(m.Nodes))
	for i := range m.node {
		m.node[i] = -1
	}
	m.path, m.done = make([][]int, len(m.Edges)), make([]bool, len(m.Edges))
	m.answer = newAnswer(len(m.Nodes)+m.fixed(), len(m.Values))
	if err := m.next(); err != nil {
		return nil, err
	}
	return m.answer, nil
}

// fixed counts the edges of the pattern that stand for one edge.
func (s *MatchSettings) fixed() (n int) {
	for _, e := range s.Edges {
		if !e.Path {
			n++
		}
	}
	return n
}

// next takes on an edge of the pattern with a known end, else a node to begin with.
func (m *matcher) next() error {
	best := -1
	for i, e := range m.Edges {
		if m.done[i] || m.node[e.From] < 0 && m.node[e.To] < 0 {
			continue
		}
		if best < 0 || m.node[e.From] >= 0 && m.node[e.To] >= 0 || m.Edges[best].Path && !e.Path {
			best = i
		}
	}
	if best >= 0 {
		m.done[best] = true
		err := m.expand(best)
		m.done[best] = false
		return err
	}
	start, fewest := -1, 0
	for i := range m.Nodes {
		if m.node[i] < 0 {
			if n := m.candidates(i); start < 0 || n < fewest {
				start, fewest = i, n
			}
		}
	}
	if start < 0 {
		return m.emit()
	}
	for n := range m.nodes {
		if err := m.step(); err != nil {
			return err
		}
		if err := m.place(start, n, m.next); err != nil {
			return err
		}
	}
	return nil
}

// candidates counts the rows that could be a node of the pattern.
func (m *matcher) candidates(i int) (n int) {
	if m.Nodes[i] < 0 {
		return len(m.nodes)
	}
	for r := range m.nodes {
		if holds(m.nodes, r, m.Nodes[i]) {
			n++
		}
	}
	return n
}

// place puts row n in place of node i and goes on.
func (m *matcher) place(i, n int, then func() error) error {
	if m.node[i] >= 0 {
		if m.node[i] != n {
			return nil
		}
		return then()
	}
	if !holds(m.nodes, n, m.Nodes[i]) || m.Cycles == "none" && m.passed[n] > 0 {
		return nil
	}
	for _, other := range m.node {
		if other >= 0 && !m.together(other, n) {
			return nil
		}
	}
	m.node[i] = n
	m.passed[n]++
	err := then()
	m.passed[n]--
	m.node[i] = -1
	return err
}

// expand follows edge i of the pattern from the end that is known.
func (m *matcher) expand(i int) error {
	e := m.Edges[i]
	forward := m.node[e.From] >= 0
	start, end := e.From, e.To
	if !forward {
		start, end = e.To, e.From
	}
	var path []int
	var walk func(at int) error
	walk = func(at int) error {
		if len(path) >= e.Min {
			m.path[i] = path
			if !forward {
				m.path[i] = reversed(path)
			}
			if err := m.place(end, at, m.next); err != nil {
				return err
			}
			m.path[i] = nil
		}
		if len(path) >= e.Max {
			return nil
		}
		inner := len(path) > 0
		if inner && (!m.allows(e, at) || m.Cycles == "none" && m.passed[at] > 0) {
			return nil
		}
		if inner {
			m.passed[at]++
			defer func() { m.passed[at]-- }()
		}
		return m.each(e, at, forward, func(edge, to int) error {
			if m.Cycles == "unique_edges" && m.used[edge] > 0 {
				return nil
			}
			m.used[edge]++
			path = append(path, edge)
			err := walk(to)
			path = path[:len(path)-1]
			m.used[edge]--
			return err
		})
	}
	return walk(m.node[start])
}

// allows tells whether a node may stand inside of a path.
func (m *matcher) allows(e MatchEdge, n int) bool {
	for _, c := range e.All {
		if !holds(m.nodes, n, c) {
			return false
		}
	}
	return true
}

// each visits the edges that go on from a node, and the nodes they lead to.
func (m *matcher) each(e MatchEdge, at int, forward bool, visit func(edge, to int) error) error {
	try := func(edges, ends []int, loops bool) error {
		for _, x := range edges {
			if err := m.step(); err != nil {
				return err
			}
			if !loops && m.source[x] == m.target[x] || !holds(m.edges, x, e.Condition) {
				continue
			}
			if err := visit(x, ends[x]); err != nil {
				return err
			}
		}
		return nil
	}
	leave, come := e.Right, e.Left
	if !forward {
		leave, come = come, leave
	}
	if leave {
		if err := try(m.leaving[at], m.target, true); err != nil {
			return err
		}
	}
	if come {
		return try(m.coming[at], m.source, !leave)
	}
	return nil
}

func reversed(list []int) []int {
	out := make([]int, len(list))
	for i, x := range list {
		out[len(list)-1-i] = x
	}
	return out
}

// inner lists the nodes between a path's edges.
func (m *matcher) inner(start int, path []int) (out []int) {
	at := start
	for _, e := range path[:max(0, len(path)-1)] {
		if m.source[e] == at {
			at = m.target[e]
		} else {
			at = m.source[e]
		}
		out = append(out, at)
	}
	return out
}

// emit answers with the match at hand.
func (m *matcher) emit() error {
	values := make([]string, len(m.Values))
	for i, v := range m.Values {
		rows, list := m.edges, m.path[v.Edge]
		if v.Nodes {
			rows, list = m.nodes, m.inner(m.node[m.Edges[v.Edge].From], list)
		}
		text, is := gather(rows, list, v)
		if v.Required && !is {
			return nil
		}
		values[i] = text
	}
	if err := m.found(); err != nil {
		return err
	}
	var places []int
	for _, n := range m.node {
		places = append(places, n+1)
	}
	for i, e := range m.Edges {
		if !e.Path {
			places = append(places, m.path[i][0]+1)
		}
	}
	m.answer.add(places...)
	for i, v := range values {
		m.answer.put(i, v)
	}
	return nil
}

// gather makes a value of a path: an array as dynamic text, or a truth.
func gather(rows Rows, list []int, v MatchValue) (text string, is bool) {
	if v.Kind == "map" {
		var b strings.Builder
		b.WriteByte('[')
		for i, r := range list {
			if i > 0 {
				b.WriteByte(',')
			}
			writeParsed(&b, rows.at(r, v.Item))
		}
		b.WriteByte(']')
		return quoteText(b.String()), true
	}
	is = v.Kind == "all"
	for _, r := range list {
		if holds(rows, r, v.Item) != is {
			is = !is
			break
		}
	}
	return strconv.FormatBool(is), is
}
