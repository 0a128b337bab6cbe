package bind

import (
	"lockstep/kql/plan"
	"lockstep/schema"
)

// scans stacks every table whose name a pattern means, as stack does; nil
// where there is none.
func (b *binder) scans(pattern, source string, s *scope) plan.Node {
	n := &plan.Scans{From: b.env.From, To: b.env.To}
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
	if source != "" {
		add(source, plan.LabelSource, schema.String)
	}
	slots, place, bag := slotsOf(n.Tables)
	for _, sl := range slots {
		if sl.name == source {
			continue
		}
		if len(sl.more) == 0 {
			add(sl.name, sl.name, sl.first)
			continue
		}
		for _, t := range append([]schema.Type{sl.first}, sl.more...) {
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
}

// slotsOf gives the columns of tables in order, the place of each name, and
// whether one of them has columns that nobody declared.
func slotsOf(tables []*schema.Table) (slots []slot, place map[string]int, bag bool) {
	place = make(map[string]int, 4*len(tables))
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
				slots = append(slots, slot{name: c.Name, first: c.Type})
				continue
			}
			sl := &slots[at]
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
	return slots, place, bag
}
