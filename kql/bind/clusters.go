package bind

import (
	"encoding/json"
	"math"

	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// clusters binds autocluster, basket and diffpatterns: patterns of values over
// the columns of all rows, computed in Go; nil for another plugin. A pattern's value is that
// of a row that has it; an open column is null, or the wildcard that the text gives for its type.
// Source: Kusto, the plugins' pages.
func (b *binder) clusters(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	o := &clusterOptions{b: b, op: op, c: c, args: op.Call.Args}
	s := &o.settings
	s.Threshold, s.Most, s.Size, s.Seeds = 0.05, 5, 0.5, 25
	switch op.Call.Func.Text {
	case "autocluster":
		b.want(op.Call, 0, 64)
		s.Size = o.number(s.Size, 0, 1)
		o.weigh()
		s.Seeds = int(o.number(25, 1, 10_000))
		o.measures = []schema.Column{{Name: "Count", Type: o.counted()}, {Name: "Percent", Type: schema.Real}}
	case "basket":
		b.want(op.Call, 0, 64)
		s.Threshold = o.number(s.Threshold, 0.015, 1)
		o.weigh()
		s.Most = int(o.number(5, 1, 1000))
		o.measures = []schema.Column{{Name: "Count", Type: o.counted()}, {Name: "Percent", Type: schema.Real}}
	case "diffpatterns":
		b.want(op.Call, 3, 64)
		o.split = o.column()
		s.A, s.B = o.text(), o.text()
		o.weigh()
		s.Threshold = o.number(s.Threshold, 0.015, 1)
		s.Most = int(o.number(1000, 1, 1000))
		o.measures = []schema.Column{{Name: "CountA", Type: o.counted()}, {Name: "CountB", Type: o.counted()},
			{Name: "PercentA", Type: schema.Real}, {Name: "PercentB", Type: schema.Real}, {Name: "PercentDiffAB", Type: schema.Real}}
	default:
		return nil
	}
	o.wild()
	b.errors = append(b.errors, syntax.Error{Span: op.At(), Code: "KQL906", Warning: true,
		Message: op.Call.Func.Text + " finds patterns by its published description: which ones, and their order, may differ from the service's"})
	return o.stage(n)
}

// clusterOptions reads such a plugin's arguments, in their order.
type clusterOptions struct {
	b         *binder
	op        *syntax.Evaluate
	c         ctx
	args      []syntax.Expr
	settings  native.PatternSettings
	weight    *plan.ColumnRef
	split     *plan.ColumnRef
	wildcards map[schema.Type]*plan.Const
	measures  []schema.Column
}

// next gives the next argument; nil where there is none, or '~' stands for the default.
func (o *clusterOptions) next() syntax.Expr {
	if len(o.args) == 0 {
		return nil
	}
	x := o.args[0]
	o.args = o.args[1:]
	if l, ok := x.(*syntax.Literal); ok && l.Value == "~" {
		return nil
	}
	return x
}

func (o *clusterOptions) number(otherwise, least, most float64) float64 {
	x := o.next()
	if x == nil {
		return otherwise
	}
	k, _ := o.b.constantOf(x, o.c).(*plan.Const)
	v, ok := asReal(k)
	if !ok || v < least || v > most || math.IsNaN(v) {
		o.b.fail(x.At(), "KQL189", "%s wants a number between %v and %v here, or '~'", o.op.Call.Func.Text, least, most)
	}
	return v
}

func (o *clusterOptions) text() string {
	x := o.args[0]
	o.args = o.args[1:]
	if k, ok := o.b.constantOf(x, o.c).(*plan.Const); ok {
		if s, ok := o.b.convert(k, schema.String).(*plan.Const); ok && s.Value != nil {
			return s.Value.(string)
		}
	}
	o.b.fail(x.At(), "KQL189", "%s wants the text of a value here", o.op.Call.Func.Text)
	return ""
}

func (o *clusterOptions) column() *plan.ColumnRef {
	x := o.next()
	if x == nil {
		return nil
	}
	ref, ok := o.b.scalar(x, o.c).(*plan.ColumnRef)
	if !ok {
		o.b.fail(x.At(), "KQL141", "a column's name is expected here")
	}
	return ref
}

func (o *clusterOptions) weigh() {
	if o.weight = o.column(); o.weight != nil {
		if !numeric(o.weight.Type()) {
			o.b.fail(o.op.At(), "KQL133", "the weight of %s is a column of numbers", o.op.Call.Func.Text)
		}
		o.settings.Weighted = true
	}
}

// counted is the type of a pattern's count: whole, unless weights aren't.
func (o *clusterOptions) counted() schema.Type {
	if o.weight != nil && (o.weight.Type() == schema.Real || o.weight.Type() == schema.Decimal) {
		return schema.Real
	}
	return schema.Long
}

// wild reads what stands for open columns, a constant a type.
func (o *clusterOptions) wild() {
	o.wildcards = map[schema.Type]*plan.Const{}
	for len(o.args) > 0 {
		at := o.args[0].At()
		if x := o.next(); x != nil {
			k, ok := o.b.constantOf(x, o.c).(*plan.Const)
			if !ok {
				o.b.fail(at, "KQL189", "a wildcard of %s is a constant of a column's type", o.op.Call.Func.Text)
			}
			o.wildcards[k.Typ] = k
		}
	}
}

func (o *clusterOptions) stage(n plan.Node) plan.Node {
	b := o.b
	b.reveal(n.Columns())
	var columns []plan.Column
	for _, col := range n.Columns() {
		if !hidden(col) && (o.weight == nil || col.ID != o.weight.ID) && (o.split == nil || col.ID != o.split.ID) {
			columns = append(columns, col)
		}
	}
	if len(columns) == 0 {
		b.fail(o.op.At(), "KQL189", "%s finds no column to look for patterns in", o.op.Call.Func.Text)
	}
	o.settings.Columns = len(columns)
	settings, err := json.Marshal(o.settings)
	if err != nil {
		b.fail(o.op.At(), "KQL199", "the plugin could not be understood: %v", err)
	}
	in := plan.StageInput{Node: n}
	for _, col := range columns {
		in.Items = append(in.Items, col.Ref())
	}
	if o.weight != nil {
		in.Items = append(in.Items, b.convert(o.weight, schema.Real))
	}
	if o.split != nil {
		in.Items = append(in.Items, b.convert(o.split, schema.String))
	}
	s := &plan.Stage{Func: o.op.Call.Func.Text, Settings: string(settings), Reads: []plan.StageInput{in}, Places: make([]int, len(columns))}
	add := func(name string, t schema.Type, from plan.StageFrom) plan.Column {
		col := b.column(name, t)
		s.Cols, s.From = append(s.Cols, col), append(s.From, from)
		return col
	}
	names := b.newNames()
	p := &plan.Project{Input: s}
	for i, m := range append([]schema.Column{{Name: "SegmentId", Type: schema.Long}}, o.measures...) {
		p.Items = append(p.Items, keep(add(names.unique(m.Name), m.Type, plan.StageFrom{Place: -1, Value: i})))
	}
	first := len(p.Items)
	for i, col := range columns {
		value := add(names.unique(col.Name), col.Type, plan.StageFrom{Place: i, ID: col.ID})
		wildcard, ok := o.wildcards[col.Type]
		if !ok {
			p.Items = append(p.Items, keep(value))
			continue
		}
		open := add("", schema.Bool, plan.StageFrom{Place: -1, Value: first + i})
		p.Items = append(p.Items, b.item(value.Name, call("iff", col.Type, open.Ref(), wildcard, value.Ref())))
	}
	return p
}
