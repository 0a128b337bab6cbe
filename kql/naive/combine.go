package naive

import (
	"lockstep/kql/native"
	"lockstep/kql/plan"
	"lockstep/schema"
)

// join compares every row of one side with every row of the other.
func (e *evaluator) join(n *plan.Join) []row {
	left, right := e.node(n.Left), e.node(n.Right)
	if n.Kind == "innerunique" { // which one of a key's rows is open
		left = e.disorder(left)
	}
	lk, rk := e.keysOf(n, left, true), e.keysOf(n, right, false)
	if n.Kind == "innerunique" { // one left row a key
		seen := map[string]bool{}
		var rows []row
		var keys [][]any
		for i, r := range left {
			key := ""
			for _, v := range lk[i] {
				key += identity(v) + "\x00"
			}
			if !seen[key] {
				seen[key] = true
				rows, keys = append(rows, r), append(keys, lk[i])
			}
		}
		left, lk = rows, keys
	}
	matched := make([]bool, len(right))
	var out []row
	for i, l := range left {
		found := false
		for k, r := range right {
			if !matches(n, lk[i], rk[k]) {
				continue
			}
			found, matched[k] = true, true
			switch n.Kind {
			case "innerunique", "inner", "leftouter", "rightouter", "fullouter":
				out = append(out, beside(n, l, r))
			}
		}
		switch {
		case !found && (n.Kind == "leftouter" || n.Kind == "fullouter"):
			out = append(out, beside(n, l, nil))
		case found && n.Kind == "leftsemi", !found && n.Kind == "leftanti":
			out = append(out, l)
		}
	}
	for k, r := range right {
		switch {
		case !matched[k] && (n.Kind == "rightouter" || n.Kind == "fullouter"):
			out = append(out, beside(n, nil, r))
		case matched[k] && n.Kind == "rightsemi", !matched[k] && n.Kind == "rightanti":
			out = append(out, r)
		}
	}
	return out
}

func (e *evaluator) keysOf(n *plan.Join, rows []row, left bool) [][]any {
	out := make([][]any, len(rows))
	for i, r := range rows {
		for _, p := range n.On {
			x := p.Right
			if left {
				x = p.Left
			}
			out[i] = append(out[i], e.expr(x, at{r, rows, i}))
		}
	}
	return out
}

// matches: a null key matches nothing.
func matches(n *plan.Join, l, r []any) bool {
	for i, p := range n.On {
		switch {
		case l[i] == nil || r[i] == nil:
			return false
		case p.Equal:
			if identity(l[i]) != identity(r[i]) {
				return false
			}
		case p.Match == "":
			in, ok := inRange(text(l[i]), text(r[i]))
			if !ok || !in {
				return false
			}
		default:
			f, ok := native.Find(p.Match)
			if !ok {
				unknown(p.Match)
			}
			if f.Call([]any{lent(l[i], p.Left.Type(), schema.String), lent(r[i], p.Right.Type(), schema.String)}) != true {
				return false
			}
		}
	}
	return true
}

// beside puts two rows together; nil stands for a side that found nothing.
func beside(n *plan.Join, l, r row) row {
	out := row{}
	for _, c := range n.Cols {
		v, ok := l[c.ID]
		if !ok {
			if v, ok = r[c.ID]; !ok {
				v = empty(c.Type)
			}
		}
		out[c.ID] = v
	}
	return out
}

// expand opens values: as many rows as the longest has elements.
func (e *evaluator) expand(n *plan.Expand) []row {
	in := e.node(n.Input)
	var out []row
	for i, r := range in {
		lists := make([][]any, len(n.Items))
		longest := 0
		for k, it := range n.Items {
			lists[k] = opened(e.expr(it.X, at{r, in, i}), it.Arrays)
			if n.Limit != nil {
				if most, ok := e.expr(n.Limit, at{r, in, i}).(int64); ok {
					lists[k] = lists[k][:min(max(most, 0), int64(len(lists[k])))]
				}
			}
			longest = max(longest, len(lists[k]))
		}
		for at := range longest {
			made := row{}
			for _, c := range n.Cols {
				made[c.ID] = r[c.ID]
			}
			for k, it := range n.Items {
				var v any
				if at < len(lists[k]) {
					v = lists[k][at]
				}
				made[it.ID] = convert(v, schema.Dynamic, it.Type)
			}
			if n.Index != nil {
				made[n.Index.ID] = int64(at)
			}
			out = append(out, made)
		}
	}
	return out
}

// opened gives the elements of a value: a bag has one for each key, anything else is one itself.
func opened(v any, pairs bool) []any {
	switch v := v.(type) {
	case []any:
		return v
	case *bag:
		out := []any{}
		for _, k := range v.keys {
			if pairs {
				out = append(out, []any{k, v.values[k]})
				continue
			}
			one := newBag()
			one.set(k, v.values[k])
			out = append(out, one)
		}
		return out
	}
	return []any{v}
}

// window evaluates a function of a row's neighbours.
func (e *evaluator) window(x *plan.Window, a at) any {
	value := func(i int, p int) any { return e.expr(x.Args[i], at{a.rows[p], a.rows, p}) }
	switch x.Func {
	case "row_number":
		start := int64(1)
		if len(x.Args) > 0 {
			start, _ = value(0, a.place).(int64)
		}
		n := start - 1
		for p := 0; p <= a.place; p++ {
			if n++; len(x.Args) > 1 && value(1, p) == true {
				n = start
			}
		}
		return n
	case "prev", "next":
		offset := 1
		if len(x.Args) > 1 {
			n, _ := value(1, a.place).(int64)
			offset = int(n)
		}
		if x.Func == "prev" {
			offset = -offset
		}
		if p := a.place + offset; p >= 0 && p < len(a.rows) {
			return value(0, p)
		}
		if len(x.Args) > 2 {
			return value(2, a.place)
		}
		return empty(x.Typ)
	case "row_cumsum":
		var sum any
		for p := 0; p <= a.place; p++ {
			if len(x.Args) > 1 && value(1, p) == true {
				sum = nil
			}
			switch v := value(0, p).(type) {
			case int64:
				n, _ := sum.(int64)
				sum = n + v
			case float64:
				n, _ := sum.(float64)
				sum = n + v
			}
		}
		return sum
	case "rank_within":
		rank := int64(1)
		mine := value(0, a.place)
		desc := value(1, a.place) == true
	rows:
		for p := range a.rows {
			for i := 2; i < len(x.Args); i++ {
				if identity(value(i, p)) != identity(value(i, a.place)) {
					continue rows
				}
			}
			c := 0
			switch v := value(0, p); {
			case v == nil && mine == nil:
			case v == nil:
				c = 1
			case mine == nil:
				c = -1
			default:
				if c = order(v, mine); desc {
					c = -c
				}
			}
			if c < 0 || c == 0 && p < a.place {
				rank++
			}
		}
		return rank
	case "row_rank_dense", "row_rank", "row_rank_min":
		rank, first := int64(0), int64(0)
		for p := 0; p <= a.place; p++ {
			restart := len(x.Args) > 1 && value(1, p) == true
			if restart {
				rank, first = 0, int64(p)
			}
			if restart || p == 0 || identity(value(0, p)) != identity(value(0, p-1)) {
				if rank++; x.Func == "row_rank_min" {
					rank = int64(p) - first + 1
				}
			}
		}
		return rank
	case "row_window_session":
		var begin, before any
		for p := 0; p <= a.place; p++ {
			v := value(0, p)
			fresh := p == 0 || len(x.Args) > 3 && value(3, p) == true
			if !fresh {
				t, ok1 := v.(int64)
				b, ok2 := begin.(int64)
				l, ok3 := before.(int64)
				whole, _ := value(1, p).(int64)
				gap, _ := value(2, p).(int64)
				fresh = !ok1 || !ok2 || !ok3 || t-b > whole || t-l > gap
			}
			if fresh {
				begin = v
			}
			before = v
		}
		return begin
	}
	unknown("the function " + x.Func)
	return nil
}
