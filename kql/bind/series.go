package bind

import (
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

func (b *binder) makeSeries(n plan.Node, op *syntax.MakeSeries, c ctx) plan.Node {
	b.unsupported(op.At(), "the operator make-series")
	return nil
}

// topNested binds a chain of levels: the best values of the first, within each those of the next.
func (b *binder) topNested(n plan.Node, op *syntax.TopNested, c ctx) plan.Node {
	b.unsupported(op.At(), "the operator top-nested")
	return nil
}

func (b *binder) topHitters(n plan.Node, op *syntax.TopHitters, c ctx) plan.Node {
	name, _ := b.nameOf(op.X, c)
	counted := plan.Agg{Func: "count", Column: b.column("approximate_count_"+name, schema.Long)}
	if op.By != nil {
		by, _ := b.nameOf(op.By, c)
		v := b.scalar(op.By, c)
		counted = plan.Agg{Func: "sum", Args: []plan.Expr{v}, Column: b.column("approximate_sum_"+by, v.Type())}
	}
	agg := &plan.Aggregate{Input: n, Keys: []plan.Item{b.item(name, b.scalar(op.X, c))}, Aggs: []plan.Agg{counted}}
	sorted := &plan.Sort{Input: agg, Keys: []plan.Key{{X: counted.Ref(), Desc: true}}}
	return &plan.Limit{Input: sorted, N: b.limit(op.N, c.scope)}
}

// partition runs a sub-query for each value of a column.
func (b *binder) partition(n plan.Node, op *syntax.Partition, c ctx) plan.Node {
	pipe, ok := op.Sub.(*syntax.Pipe)
	if !ok || pipe.Source != nil {
		b.unsupported(op.At(), "this form of partition")
	}
	b.shared++
	shared := &plan.Shared{Number: b.shared, Input: n}
	key := b.scalar(op.By, c).(*plan.ColumnRef)
	left := b.ref(shared).(*plan.Ref)
	keep := func(r *plan.Ref) plan.Column {
		for i, id := range r.From {
			if id == key.ID {
				return r.Cols[i]
			}
		}
		return r.Cols[0]
	}
	values := &plan.Distinct{Input: &plan.Project{Input: left, Items: []plan.Item{b.item("", keep(left).Ref())}}}
	value := values.Columns()[0]
	right := b.ref(shared).(*plan.Ref)
	mine := &plan.Filter{Input: right, Predicate: call("same", schema.Bool, keep(right).Ref(), value.Ref())}
	sub := b.pipe(mine, pipe.Ops, c.scope)
	return &plan.Apply{Input: values, Sub: sub, Cols: sub.Columns()}
}
