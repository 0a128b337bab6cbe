package native

import (
	"context"
	"encoding/json"

	"github.com/valyala/fastjson"
)

// halt is how far a walk has come: at a node, having taken so many edges of
// one edge of the pattern.
type halt struct{ node, edge, count int }

// stride is how a walk came to a halt: from another by an edge, or standing
// still (edge -1) where one edge of the pattern ends and the next begins.
type stride struct {
	from halt
	edge int
}

// shortest looks from one node for the nearest ends of a pattern, layer by layer.
type shortest struct {
	*matcher
	came map[halt][]stride
}

func graphShortest(ctx context.Context, settings string, in []Rows, _ []*fastjson.Value) (*Answer, error) {
	m := &matcher{budget: budget{ctx: ctx, what: "graph-shortest-paths"}}
	if err := json.Unmarshal([]byte(settings), &m.MatchSettings); err != nil {
		return nil, err
	}
	m.graph = readGraph(in[0], in[1])
	m.node, m.path = make([]int, len(m.Nodes)), make([][]int, len(m.Edges))
	m.answer = newAnswer(len(m.Nodes)+m.fixed(), len(m.Values))
	for _, n := range m.order {
		if !holds(m.nodes, n, m.Nodes[0]) {
			continue
		}
		s := &shortest{matcher: m, came: map[halt][]stride{}}
		if err := s.from(n); err != nil {
			return nil, err
		}
	}
	return m.answer, nil
}

// from finds the paths that begin at a node.
func (s *shortest) from(n int) error {
	start := halt{n, 0, 0}
	s.came[start] = nil
	layer := []halt{start}
	reached := map[int]bool{}
	for len(layer) > 0 {
		next, ends, err := s.stillAndOn(layer)
		if err != nil {
			return err
		}
		for _, end := range ends {
			if reached[end.node] {
				continue
			}
			if err := s.tell(end, start); err != nil {
				return err
			}
		}
		for _, end := range ends {
			reached[end.node] = true
		}
		layer = next
	}
	return nil
}

// stillAndOn goes on from a layer of halts: first to where the pattern's next
// edge begins, then by one edge. ends are the halts of the layer where the pattern ends.
func (s *shortest) stillAndOn(layer []halt) (next, ends []halt, err error) {
	fresh, here := map[halt]bool{}, map[halt]bool{}
	for i := 0; i < len(layer); i++ {
		at := layer[i]
		e := s.Edges[at.edge]
		if at.count >= e.Min && holds(s.nodes, at.node, s.Nodes[at.edge+1]) {
			if at.edge == len(s.Edges)-1 {
				ends = append(ends, at)
			} else {
				on := halt{at.node, at.edge + 1, 0}
				if _, known := s.came[on]; !known {
					layer = append(layer, on)
					here[on] = true
					s.came[on] = []stride{{at, -1}}
				} else if s.All && here[on] {
					s.came[on] = append(s.came[on], stride{at, -1})
				}
			}
		}
		if at.count >= e.Max || at.count > 0 && !s.allows(e, at.node) {
			continue
		}
		err = s.each(e, at.node, true, func(edge, to int) error {
			on := halt{to, at.edge, at.count + 1}
			if _, known := s.came[on]; !known {
				fresh[on] = true
				next = append(next, on)
				s.came[on] = []stride{{at, edge}}
			} else if s.All && fresh[on] {
				s.came[on] = append(s.came[on], stride{at, edge})
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return next, ends, nil
}

// tell answers with the paths from start to a halt, one or all.
func (s *shortest) tell(end, start halt) error {
	var back func(at halt) error
	s.node[len(s.node)-1] = end.node
	back = func(at halt) error {
		if err := s.step(); err != nil {
			return err
		}
		if at == start {
			s.node[0] = start.node
			return s.emit()
		}
		for _, c := range s.came[at] {
			if c.edge < 0 {
				s.node[at.edge] = at.node
			} else {
				s.path[at.edge] = append([]int{c.edge}, s.path[at.edge]...)
			}
			if err := back(c.from); err != nil {
				return err
			}
			if c.edge >= 0 {
				s.path[at.edge] = s.path[at.edge][1:]
			}
			if !s.All {
				break
			}
		}
		return nil
	}
	return back(end)
}
