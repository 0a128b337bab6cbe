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

// Change replaces each expression of a node itself.
func Change(n Node, f func(Expr) Expr) { change(n, f) }

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

// Replace gives the plan with each node replaced by what f makes of it, inputs
// first, tables inside of expressions too. f is asked once for a node.
func Replace(root Node, f func(Node) Node) Node {
	made := map[Node]Node{}
	var walk func(Node) Node
	tables := func(x Expr) {
		Walk(x, func(e Expr) bool {
			switch e := e.(type) {
			case *Scalar:
				e.Node = walk(e.Node)
			case *InTable:
				e.Node = walk(e.Node)
			}
			return true
		})
	}
	walk = func(n Node) Node {
		if known, ok := made[n]; ok {
			return known
		}
		made[n] = n // what it reads can't read it
		Exprs(n, tables)
		switch n := n.(type) {
		case *Project:
			n.Input = walk(n.Input)
		case *Filter:
			n.Input = walk(n.Input)
		case *Aggregate:
			n.Input = walk(n.Input)
		case *Distinct:
			n.Input = walk(n.Input)
		case *Sort:
			n.Input = walk(n.Input)
		case *Limit:
			n.Input = walk(n.Input)
		case *Join:
			n.Left, n.Right = walk(n.Left), walk(n.Right)
		case *Union:
			for i := range n.Nodes {
				n.Nodes[i] = walk(n.Nodes[i])
			}
		case *Expand:
			n.Input = walk(n.Input)
		case *Apply:
			n.Input, n.Sub = walk(n.Input), walk(n.Sub)
		case *Fold:
			n.Input = walk(n.Input)
		case *Ref:
			if _, ok := made[n.Shared]; !ok {
				made[n.Shared] = n.Shared
				n.Shared.Input = walk(n.Shared.Input)
			}
		}
		out := f(n)
		made[n] = out
		return out
	}
	return walk(root)
}

// LastID is the highest number of a column in a plan.
func LastID(root Node) (last ID) {
	Each(root, func(n Node) {
		for _, c := range n.Columns() {
			last = max(last, c.ID)
		}
	})
	return last
}
