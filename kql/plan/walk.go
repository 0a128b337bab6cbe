package plan

// Exprs visits the expressions of a node itself.
func Exprs(n Node, visit func(Expr)) {
	change(n, func(x Expr) Expr {
		visit(x)
		return x
	})
}

// change replaces each expression of a node.
func change(n Node, f func(Expr) Expr) {
	set := func(x *Expr) {
		if *x != nil {
			*x = f(*x)
		}
	}
	switch n := n.(type) {
	case *Values:
		for _, r := range n.Rows {
			for i := range r {
				set(&r[i])
			}
		}
	case *Series:
		set(&n.From)
		set(&n.To)
		set(&n.Step)
	case *Project:
		for i := range n.Items {
			set(&n.Items[i].X)
		}
	case *Filter:
		set(&n.Predicate)
	case *Aggregate:
		for i := range n.Keys {
			set(&n.Keys[i].X)
		}
		for i := range n.Aggs {
			for k := range n.Aggs[i].Args {
				set(&n.Aggs[i].Args[k])
			}
			set(&n.Aggs[i].Where)
		}
	case *Sort:
		for i := range n.Keys {
			set(&n.Keys[i].X)
		}
	case *Fold:
		for i := range n.Next {
			set(&n.First[i])
			set(&n.Next[i])
		}
	case *Stage:
		for i := range n.Reads {
			for k := range n.Reads[i].Items {
				set(&n.Reads[i].Items[k])
			}
		}
		for i := range n.Args {
			set(&n.Args[i])
		}
	case *Limit:
		set(&n.N)
	case *Join:
		for i := range n.On {
			set(&n.On[i].Left)
			set(&n.On[i].Right)
		}
	case *Union:
		for i := range n.From {
			for id, x := range n.From[i] {
				n.From[i][id] = f(x)
			}
		}
	case *Expand:
		for i := range n.Items {
			set(&n.Items[i].X)
		}
		set(&n.Limit)
	}
}

// Each visits every node once, inputs after what reads them, tables inside of expressions too.
func Each(root Node, visit func(Node)) {
	seen := map[Node]bool{}
	var walk func(Node)
	walk = func(n Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		visit(n)
		Exprs(n, func(x Expr) {
			for _, t := range Tables(x) {
				walk(t)
			}
		})
		for _, in := range n.Inputs() {
			walk(in)
		}
	}
	walk(root)
}

// EachExpr replaces every expression of every node.
func EachExpr(root Node, f func(Expr) Expr) {
	Each(root, func(n Node) { change(n, f) })
}

// HasWindow tells whether x looks at neighbouring rows.
func HasWindow(x Expr) bool {
	found := false
	Walk(x, func(e Expr) bool {
		if _, ok := e.(*Window); ok {
			found = true
		}
		return !found
	})
	return found
}
