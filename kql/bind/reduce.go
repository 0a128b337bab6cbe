package bind

import (
	"encoding/json"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// reduce groups rows by what their texts have in common.
// Source: Kusto, the reduce operator.
func (b *binder) reduce(n plan.Node, op *syntax.Reduce, c ctx) plan.Node {
	settings := native.ReduceSettings{Threshold: 0.1}
	for _, o := range op.Options {
		if o.Name.Text == "kind" {
			if word(op.Options, "kind", "") != "source" {
				b.fail(op.At(), "KQL189", "the only kind of reduce is source")
			}
			settings.Source = true
			continue
		}
		k, _ := b.constantOf(o.Value, ctx{scope: c.scope}).(*plan.Const)
		switch o.Name.Text {
		case "threshold":
			v, ok := asReal(k)
			if !ok || v < 0 || v > 1 {
				b.fail(o.Value.At(), "KQL189", "the threshold of reduce is a number between 0 and 1")
			}
			settings.Threshold = v
		case "characters":
			text, ok := "", false
			if k != nil {
				text, ok = k.Value.(string)
			}
			if !ok {
				b.fail(o.Value.At(), "KQL189", "the characters of reduce are a text")
			}
			settings.Characters = text
		}
	}
	x := b.scalar(op.X, c)
	if !textual(x.Type()) {
		b.fail(op.X.At(), "KQL133", "reduce puts texts together, not values of type %s", x.Type())
	}
	text, err := json.Marshal(settings)
	if err != nil {
		b.fail(op.At(), "KQL199", "the operator could not be understood: %v", err)
	}
	b.errors = append(b.errors, syntax.Error{Span: op.At(), Code: "KQL906", Warning: true,
		Message: "reduce puts texts together by its published description: patterns may differ from the service's"})
	s := &plan.Stage{Func: "reduce", Settings: string(text), Reads: []plan.StageInput{{Node: n, Items: []plan.Expr{b.convert(x, schema.String)}}}}
	value := func(name string, t schema.Type, i int) {
		s.Cols = append(s.Cols, b.column(name, t))
		s.From = append(s.From, plan.StageFrom{Place: -1, Value: i})
	}
	if settings.Source {
		s.Places = []int{0}
		for _, col := range n.Columns() {
			s.Cols, s.From = append(s.Cols, b.column(col.Name, col.Type)), append(s.From, plan.StageFrom{ID: col.ID})
			b.unfolds.pass(col, s.Cols[len(s.Cols)-1])
		}
		names := b.newNames(n.Columns()...)
		value(names.unique("Pattern"), schema.String, 0)
		return s
	}
	value("Pattern", schema.String, 0)
	value("Count", schema.Long, 1)
	value("Representative", schema.String, 2)
	return s
}

func asReal(k *plan.Const) (float64, bool) {
	if k == nil {
		return 0, false
	}
	switch v := k.Value.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}
