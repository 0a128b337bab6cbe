package plan

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/schema"
)

// Text shows a plan for people: an operator a line, what it reads indented
// below it, columns by their number.
func Text(root Node) string {
	w := &writer{}
	w.node(root, 0)
	return w.String()
}

type writer struct {
	strings.Builder
	shown map[*Shared]bool
}

func (w *writer) node(n Node, depth int) {
	w.WriteString(strings.Repeat("  ", depth) + w.head(n) + "\n")
	for _, in := range n.Inputs() {
		if s, ok := in.(*Shared); ok {
			if w.shown[s] {
				continue
			}
			if w.shown == nil {
				w.shown = map[*Shared]bool{}
			}
			w.shown[s] = true
			in = s.Input
		}
		w.node(in, depth+1)
	}
	Exprs(n, func(x Expr) {
		for _, t := range Tables(x) {
			w.node(t, depth+2)
		}
	})
}

func (w *writer) head(n Node) string {
	switch n := n.(type) {
	case *Scan:
		var cols []string
		for i, c := range n.Cols {
			cols = append(cols, column(c.ID)+"="+n.Source[i])
		}
		return "scan " + n.Table.Name + " " + strings.Join(cols, " ")
	case *Scans:
		return "scan " + strconv.Itoa(len(n.Tables)) + " tables"
	case *Values:
		return "values " + strconv.Itoa(len(n.Rows))
	case *Series:
		return "range " + column(n.Column.ID) + " " + expression(n.From) + " " + expression(n.To) + " " + expression(n.Step)
	case *Project:
		return "project " + items(n.Items)
	case *Filter:
		return "filter " + expression(n.Predicate)
	case *Aggregate:
		var aggs []string
		for _, a := range n.Aggs {
			text := column(a.ID) + "=" + a.Func + "(" + expressions(a.Args) + ")"
			if a.Where != nil {
				text += " where " + expression(a.Where)
			}
			aggs = append(aggs, text)
		}
		return strings.TrimSpace("aggregate " + strings.Join(aggs, " ") + " by " + items(n.Keys))
	case *Sort:
		var keys []string
		for _, k := range n.Keys {
			text := expression(k.X)
			if k.Desc {
				text += " desc"
			}
			keys = append(keys, text)
		}
		return "sort " + strings.Join(keys, ", ")
	case *Limit:
		return "limit " + expression(n.N)
	case *Join:
		var on []string
		for _, p := range n.On {
			on = append(on, expression(p.Left)+" = "+expression(p.Right))
		}
		return "join " + n.Kind + " on " + strings.Join(on, ", ")
	case *Expand:
		return expanded(n)
	case *Ref:
		return "shared " + strconv.Itoa(n.Shared.Number)
	}
	name := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", n), "*plan."))
	var cols []string
	for _, c := range n.Columns() {
		cols = append(cols, column(c.ID))
	}
	return strings.TrimSpace(name + " " + strings.Join(cols, " "))
}

// expanded shows what is opened, and as what.
func expanded(n *Expand) string {
	out := "expand"
	for _, it := range n.Items {
		out += " " + column(it.ID) + "=" + expression(it.X)
		for _, f := range it.Fields {
			out += " " + column(f.ID) + "=" + column(it.ID) + "." + f.Key
			if f.Type == schema.String {
				out += " as text"
			}
		}
	}
	var cols []string
	for _, c := range n.Cols {
		cols = append(cols, column(c.ID))
	}
	return out + " gives " + strings.Join(cols, " ")
}

func column(id ID) string { return "c" + strconv.Itoa(int(id)) }

func items(list []Item) string {
	var out []string
	for _, it := range list {
		if r, ok := it.X.(*ColumnRef); ok && r.ID == it.ID {
			out = append(out, column(it.ID))
			continue
		}
		out = append(out, column(it.ID)+"="+expression(it.X))
	}
	return strings.Join(out, " ")
}

func expressions(list []Expr) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = expression(x)
	}
	return strings.Join(out, ", ")
}

func expression(x Expr) string {
	switch x := x.(type) {
	case *ColumnRef:
		return column(x.ID)
	case *Const:
		switch {
		case x.Value == nil:
			return "null"
		case x.Typ == schema.DateTime:
			if v, ok := x.Value.(int64); ok {
				return schema.Ticks(v).String()
			}
		case x.Typ == schema.String || x.Typ == schema.Dynamic:
			return strconv.Quote(fmt.Sprint(x.Value))
		}
		return fmt.Sprint(x.Value)
	case *Call:
		return x.Func + "(" + expressions(x.Args) + ")"
	case *Window:
		return x.Func + "(" + expressions(x.Args) + ")"
	case *Scalar:
		return "first of a table"
	case *InTable:
		return expression(x.X) + " in a table"
	}
	return "?"
}
