package bind

import (
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

func (b *binder) in(x *syntax.In, c ctx) plan.Expr {
	v := b.scalar(x.X, c)
	op, not := strings.CutPrefix(x.Op, "!")
	var e plan.Expr
	if len(x.List) == 1 && b.isTable(x.List[0], c.scope) && !b.isColumn(x.List[0], c) {
		e = b.inTable(x, op, v, b.tabular(x.List[0], c.scope))
	} else {
		e = b.inList(x, op, v, c)
	}
	if not {
		return call("not", schema.Bool, e)
	}
	return e
}

// isColumn: a column hides a table of its name.
func (b *binder) isColumn(x syntax.Expr, c ctx) bool {
	id, ok := unparen(x).(*syntax.Ident)
	if !ok {
		return false
	}
	_, ok = c.row.find(id.Text)
	return ok
}

func (b *binder) inTable(x *syntax.In, op string, v plan.Expr, n plan.Node) plan.Expr {
	cols := b.columnsOf(n)
	if op == "has_any" || op == "has_all" {
		one := &plan.Project{Input: n, Items: []plan.Item{b.item("v", b.convert(cols[0].Ref(), schema.String))}}
		return call(op, schema.Bool, b.convert(v, schema.String), &plan.Scalar{Node: one, Typ: schema.Dynamic, List: true})
	}
	t := cols[0].Type
	switch {
	case op == "in~" || t == schema.Dynamic || v.Type() == schema.Dynamic || t == schema.String || v.Type() == schema.String:
		t = schema.String
	case numeric(t) && numeric(v.Type()):
		t = wider(t, v.Type())
	}
	one := &plan.Project{Input: n, Items: []plan.Item{b.item("v", b.convert(cols[0].Ref(), t))}}
	return &plan.InTable{X: b.convert(v, t), Node: one, Fold: op == "in~"}
}

// inList: the values, of which dynamic arrays stand for their elements.
func (b *binder) inList(x *syntax.In, op string, v plan.Expr, c ctx) plan.Expr {
	var args []plan.Expr
	want := v.Type()
	if want == schema.Dynamic || op != "in" {
		want = schema.String
	}
	for _, item := range x.List {
		e := b.scalar(item, c)
		if k, ok := Fold(e, b.env.Now).(*plan.Const); ok && k.Typ == schema.Dynamic {
			if list, ok := elements(k); ok {
				for _, el := range list {
					args = append(args, b.convert(el, want))
				}
				continue
			}
		}
		if e.Type() == schema.Dynamic { // an array known only at run time
			args = append(args, e)
			continue
		}
		if numeric(want) && numeric(e.Type()) {
			want = wider(want, e.Type())
		}
		args = append(args, e)
	}
	for i, a := range args {
		if a.Type() != schema.Dynamic {
			args[i] = b.convert(a, want)
		}
	}
	return call(op, schema.Bool, append([]plan.Expr{b.convert(v, want)}, args...)...)
}
