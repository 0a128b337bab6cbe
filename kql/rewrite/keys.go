package rewrite

import (
	"lockstep/kql/plan"
	"lockstep/schema"
)

// keysFirst finds the few rows that a top or an arg_max keeps by the columns
// that decide, and reads the other columns of those rows alone: where a table
// has a column that no two rows share.
func keysFirst(root plan.Node, now schema.Ticks) plan.Node {
	var last plan.ID
	changed := false
	fresh := func() plan.ID {
		if last == 0 {
			last = plan.LastID(root)
		}
		last++
		changed = true
		return last
	}
	root = plan.Replace(root, func(n plan.Node) plan.Node {
		switch n := n.(type) {
		case *plan.Limit:
			return topByKeys(n, fresh)
		case *plan.Aggregate:
			return bestByKeys(n, fresh)
		}
		return n
	})
	if changed {
		root = pruneColumns(root, now)
	}
	return root
}

// fewest is how many columns must be spared, mostFirst how many rows are few.
const (
	fewest    = 2
	mostFirst = 10000
)

// pipeline is filters and projections over one table, the last first.
type pipeline struct {
	scan *plan.Scan
	ops  []plan.Node
}

// pipelineOf tells whether n is one that may be run in two steps: what it
// computes depends on the row alone.
func pipelineOf(n plan.Node) (p pipeline, ok bool) {
	for {
		switch at := n.(type) {
		case *plan.Scan:
			p.scan = at
			return p, at.RowID != ""
		case *plan.Filter:
			if !repeatable(at.Predicate) {
				return p, false
			}
			p.ops, n = append(p.ops, at), at.Input
		case *plan.Project:
			for _, it := range at.Items {
				if !repeatable(it.X) {
					return p, false
				}
			}
			p.ops, n = append(p.ops, at), at.Input
		default:
			return p, false
		}
	}
}

// volatile functions give another value each time.
var volatile = map[string]bool{"rand": true, "new_guid": true}

// repeatable tells whether x gives the same for a row whenever it is computed.
func repeatable(x plan.Expr) bool {
	ok := true
	plan.Walk(x, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Call:
			ok = ok && !volatile[e.Func]
		case *plan.Window, *plan.Scalar, *plan.InTable:
			ok = false
		}
		return ok
	})
	return ok
}

// spares tells whether enough of the columns that the pipeline reads decide nothing.
func (p pipeline) spares(deciding ids) bool {
	need := deciding.copy()
	for _, op := range p.ops { // from the last to the first: what a needed column is made of
		switch op := op.(type) {
		case *plan.Filter:
			need.with(op.Predicate)
		case *plan.Project:
			for _, it := range op.Items {
				if need[it.ID] {
					need.with(it.X)
				}
			}
		}
	}
	spared := 0
	for _, c := range p.scan.Cols {
		if !need[c.ID] {
			spared++
		}
	}
	return spared >= fewest
}

// renumbered copies the pipeline under ids of its own, with the row's id as one more column.
func (p pipeline) renumbered(fresh func() plan.ID) (n plan.Node, to map[plan.ID]plan.ID, id plan.Column) {
	to = map[plan.ID]plan.ID{}
	mine := func(c plan.Column) plan.Column {
		if _, ok := to[c.ID]; !ok {
			to[c.ID] = fresh()
		}
		c.ID = to[c.ID]
		return c
	}
	scan, id := p.withID(fresh)
	for i, c := range scan.Cols[:len(scan.Cols)-1] {
		scan.Cols[i] = mine(c)
	}
	n = scan
	for i := len(p.ops) - 1; i >= 0; i-- {
		switch op := p.ops[i].(type) {
		case *plan.Filter:
			n = &plan.Filter{Input: n, Predicate: renumber(op.Predicate, to)}
		case *plan.Project:
			next := &plan.Project{Input: n, Extends: op.Extends}
			items := make([]plan.Item, len(op.Items), len(op.Items)+1)
			for k, it := range op.Items {
				items[k] = plan.Item{X: renumber(it.X, to)}
			}
			for k, it := range op.Items { // a column may be made of one of its own id
				items[k].Column = mine(it.Column)
			}
			next.Items = append(items, plan.Item{Column: id, X: id.Ref()})
			n = next
		}
	}
	return n, to, id
}

// withID copies the scan and adds the row's id as its last column.
func (p pipeline) withID(fresh func() plan.ID) (*plan.Scan, plan.Column) {
	scan := *p.scan
	id := plan.Column{ID: fresh(), Name: "\x00" + scan.RowID, Type: schema.Long}
	scan.Cols = append(append(make([]plan.Column, 0, len(scan.Cols)+1), scan.Cols...), id)
	scan.Source = append(append(make([]string, 0, len(scan.Source)+1), scan.Source...), scan.RowID)
	return &scan, id
}

func renumber(x plan.Expr, to map[plan.ID]plan.ID) plan.Expr {
	return plan.Map(x, func(e plan.Expr) plan.Expr {
		if r, ok := e.(*plan.ColumnRef); ok {
			if id, ok := to[r.ID]; ok {
				return &plan.ColumnRef{ID: id, Typ: r.Typ}
			}
		}
		return e
	})
}

// fetch reads whole rows of the table for the row ids in column which of
// found, and computes the pipeline's columns for them beside those of found.
func (p pipeline) fetch(found plan.Node, which plan.Column, fresh func() plan.ID) plan.Node {
	scan, id := p.withID(fresh)
	beside := found.Columns()
	var n plan.Node = &plan.Join{Kind: "inner", Left: scan, Right: found, On: []plan.Pair{{Left: id.Ref(), Right: which.Ref(), Equal: true}},
		Cols: append(append([]plan.Column{}, p.scan.Cols...), beside...)}
	for i := len(p.ops) - 1; i >= 0; i-- {
		if op, ok := p.ops[i].(*plan.Project); ok {
			items := append([]plan.Item{}, op.Items...)
			for _, c := range beside {
				items = append(items, plan.Item{Column: c, X: c.Ref()})
			}
			n = &plan.Project{Input: n, Items: items, Extends: op.Extends}
		}
	}
	return n
}

// topByKeys: the first N rows in an order.
func topByKeys(n *plan.Limit, fresh func() plan.ID) plan.Node {
	k, ok := n.N.(*plan.Const)
	if !ok || n.Sample || n.Offset != nil {
		return n
	}
	if v, ok := k.Value.(int64); !ok || v > mostFirst {
		return n
	}
	sort, ok := n.Input.(*plan.Sort)
	if !ok {
		return n
	}
	deciding := ids{}
	for _, key := range sort.Keys {
		if !repeatable(key.X) {
			return n
		}
		deciding.with(key.X)
	}
	p, ok := pipelineOf(sort.Input)
	if !ok || !p.spares(deciding) {
		return n
	}
	in, to, id := p.renumbered(fresh)
	keys := make([]plan.Key, len(sort.Keys))
	for i, key := range sort.Keys {
		keys[i] = key
		keys[i].X = renumber(key.X, to)
	}
	first := &plan.Limit{Input: &plan.Sort{Input: in, Keys: keys}, N: k}
	found := &plan.Project{Input: first, Items: []plan.Item{{Column: id, X: id.Ref()}}}
	rows := &plan.Project{Input: p.fetch(found, id, fresh)}
	for _, c := range sort.Input.Columns() {
		rows.Items = append(rows.Items, plan.Item{Column: c, X: c.Ref()})
	}
	return &plan.Limit{Input: &plan.Sort{Input: rows, Keys: sort.Keys}, N: k}
}

// bestByKeys: the row of each group with the greatest or least value, or any row.
func bestByKeys(n *plan.Aggregate, fresh func() plan.ID) plan.Node {
	p, ok := pipelineOf(n.Input)
	if !ok || len(n.Keys) == 0 {
		return n
	}
	for _, k := range n.Keys {
		if !repeatable(k.X) {
			return n
		}
	}
	var best *plan.Agg // the first of the group
	heavy := 0
	for i := range n.Aggs {
		a := &n.Aggs[i]
		switch {
		case a.Group == 0:
			continue
		case best == nil:
			best = a
		case best.Group != a.Group:
			return n
		}
		if a.Where != nil || idOf[a.Func] == "" || !repeatable(taken(a)) {
			return n
		}
		if t := taken(a).Type(); t == schema.String || t == schema.Dynamic {
			heavy++
		}
	}
	if best == nil || heavy == 0 {
		return n
	}
	in, to, id := p.renumbered(fresh)
	found := &plan.Aggregate{Input: in}
	result := &plan.Project{}
	for _, k := range n.Keys {
		key := plan.Item{Column: k.Column, X: renumber(k.X, to)} // the table's own column may have the key's id
		key.ID = fresh()
		found.Keys = append(found.Keys, key)
		result.Items = append(result.Items, plan.Item{Column: k.Column, X: key.Ref()})
	}
	which := plan.Column{ID: fresh(), Name: id.Name, Type: schema.Long}
	for i := range n.Aggs {
		a := n.Aggs[i]
		if a.Group != 0 {
			result.Items = append(result.Items, plan.Item{Column: a.Column, X: taken(&a)})
			continue
		}
		result.Items = append(result.Items, plan.Item{Column: a.Column, X: a.Ref()})
		args := make([]plan.Expr, len(a.Args))
		for k, x := range a.Args {
			args[k] = renumber(x, to)
		}
		a.Args = args
		if a.Where != nil {
			a.Where = renumber(a.Where, to)
		}
		found.Aggs = append(found.Aggs, a)
	}
	chosen := plan.Agg{Column: which, Func: idOf[best.Func], Args: []plan.Expr{id.Ref()}}
	if best.Func != "take_any" {
		chosen.Args = []plan.Expr{renumber(best.Args[0], to), id.Ref()}
	}
	found.Aggs = append(found.Aggs, chosen)
	result.Input = p.fetch(found, which, fresh)
	return result
}

// taken is what an aggregate of a group takes of the row.
func taken(a *plan.Agg) plan.Expr {
	if a.Func == "take_any" {
		return a.Args[0]
	}
	return a.Args[1]
}

// idOf is the aggregate that gives the id of the row that another one takes.
var idOf = map[string]string{"arg_max": "id_of_max", "arg_min": "id_of_min", "take_any": "id_of_any"}
