package bind

import (
	"slices"
	"sync"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// scans stacks every table whose name a pattern means, as stack does; nil
// where there is none, or a let view has such a name.
func (b *binder) scans(pattern, source string, s *scope) plan.Node {
	if len(s.views(pattern)) > 0 {
		return nil
	}
	n := &plan.Scans{From: b.env.From, To: b.env.To, Converted: map[plan.ID]string{}}
	for _, name := range b.matching(pattern, s) {
		if t, ok := b.env.Tables(name); ok {
			n.Tables = append(n.Tables, t)
		}
	}
	if len(n.Tables) == 0 {
		return nil
	}
	add := func(name, from string, t schema.Type) {
		n.Cols, n.Source = append(n.Cols, b.column(name, t)), append(n.Source, from)
	}
	shape := b.env.Shapes.of(pattern, n.Tables)
	slots, place, bag := shape.slots, shape.place, shape.bag
	n.Cols, n.Source = make([]plan.Column, 0, len(slots)+8), make([]string, 0, len(slots)+8)
	if source != "" {
		add(source, plan.LabelSource, schema.String)
	}
	for _, sl := range slots {
		if sl.name == source {
			continue
		}
		if len(sl.more) == 0 {
			add(sl.name, sl.name, sl.first)
			continue
		}
		types := append([]schema.Type{sl.first}, sl.more...)
		if sl.one {
			add(sl.name, sl.name, sl.first)
			n.Converted[n.Cols[len(n.Cols)-1].ID] = conversions[sl.first]
			for _, t := range types {
				add(typedName(sl.name, t), sl.name, t)
			}
			continue
		}
		for _, t := range types {
			out := sl.name + "_" + t.String()
			if _, taken := place[out]; taken {
				out += "1"
			}
			add(out, sl.name, t)
		}
	}
	if b.env.Received != "" {
		n.Received = b.env.Received
		add(open+b.env.Received, b.env.Received, schema.DateTime)
	}
	if bag {
		add(open, plan.BagSource, schema.Dynamic)
	}
	return n
}

// slot is a column name and the types that tables give it.
type slot struct {
	name  string
	first schema.Type
	more  []schema.Type
	seen  int
	one   bool // the first two are of one type
}

// Shapes remembers the columns that wildcards came to: a thousand tables have
// ten thousand. It may be used by many compilations at once.
type Shapes struct {
	guard  sync.Mutex
	shapes map[string]*shape // by pattern
}

// shape is the columns of tables stacked.
type shape struct {
	tables []*schema.Table
	slots  []slot
	place  map[string]int // of each name in slots
	bag    bool           // one of them has columns that nobody declared
}

// of gives the shape of the tables that a pattern means now.
func (s *Shapes) of(pattern string, tables []*schema.Table) *shape {
	if s == nil {
		return shapeOf(tables)
	}
	s.guard.Lock()
	defer s.guard.Unlock()
	if known := s.shapes[pattern]; known != nil && slices.Equal(known.tables, tables) {
		return known
	}
	if s.shapes == nil || len(s.shapes) >= mostShapes {
		s.shapes = map[string]*shape{}
	}
	made := shapeOf(tables)
	s.shapes[pattern] = made
	return made
}

// mostShapes bounds what is remembered: patterns are written by anybody.
const mostShapes = 16

func shapeOf(tables []*schema.Table) *shape {
	var slots []slot
	bag := false
	place := make(map[string]int, 4*len(tables))
	for _, t := range tables {
		if _, ok := plan.Bag(t); ok {
			bag = true
		}
	columns:
		for i := range t.Columns {
			c := &t.Columns[i]
			at, ok := place[c.Name]
			if !ok {
				place[c.Name] = len(slots)
				slots = append(slots, slot{name: c.Name, first: c.Type, seen: 1})
				continue
			}
			sl := &slots[at]
			sl.seen++
			sl.one = sl.one || sl.seen == 2 && sl.first == c.Type
			if sl.first == c.Type {
				continue
			}
			for _, m := range sl.more {
				if m == c.Type {
					continue columns
				}
			}
			sl.more = append(sl.more, c.Type)
		}
	}
	return &shape{tables: tables, slots: slots, place: place, bag: bag}
}
