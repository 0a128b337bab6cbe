package native

import (
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"

	"lockstep/schema"
)

func arrays() []Function {
	return []Function{
		{Name: "array_concat", Variadic: tDyn, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			out := []any{}
			for _, x := range a {
				if list, ok := array(x); ok {
					out = append(out, list...)
				}
			}
			return write(out)
		}},
		{Name: "array_slice", Params: types(tDyn, tLong, tLong), Least: 3, Result: tDyn, Eval: func(a []any) any {
			list, ok := array(a[0])
			if !ok {
				return nil
			}
			n := int64(len(list))
			from, to := num(a[1]), num(a[2])
			if from < 0 {
				from += n
			}
			if to < 0 {
				to += n
			}
			from, to = max(from, 0), min(to, n-1)
			if from > to {
				return "[]"
			}
			return write(list[from : to+1])
		}},
		{Name: "array_split", Params: types(tDyn, tDyn), Least: 2, Result: tDyn, Eval: arraySplit},
		{Name: "array_index_of", Params: types(tDyn, tDyn, tLong, tLong, tLong), Least: 2, Result: tLong, Eval: func(a []any) any {
			list, ok := array(a[0])
			want, _ := read(str(a[1]))
			if !ok {
				return nil
			}
			from := given(a, 2, 0)
			if from < 0 {
				from = max(0, from+int64(len(list)))
			}
			to := int64(len(list))
			if n := given(a, 3, -1); n >= 0 {
				to = min(to, from+n)
			}
			nth := given(a, 4, 1)
			for i := from; i < to; i++ {
				if same(list[i], want) {
					if nth--; nth == 0 {
						return i
					}
				}
			}
			return int64(-1)
		}},
		{Name: "array_reverse", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			list, ok := array(a[0])
			if !ok {
				return nil
			}
			for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
				list[i], list[j] = list[j], list[i]
			}
			return write(list)
		}},
		{Name: "array_rotate_left", Params: types(tDyn, tLong), Least: 2, Result: tDyn, Eval: func(a []any) any { return rotate(a[0], num(a[1])) }},
		{Name: "array_rotate_right", Params: types(tDyn, tLong), Least: 2, Result: tDyn, Eval: func(a []any) any { return rotate(a[0], -num(a[1])) }},
		{Name: "array_shift_left", Params: types(tDyn, tLong, tDyn), Least: 2, Nulls: true, Result: tDyn, Eval: func(a []any) any { return shiftArray(a, 1) }},
		{Name: "array_shift_right", Params: types(tDyn, tLong, tDyn), Least: 2, Nulls: true, Result: tDyn, Eval: func(a []any) any { return shiftArray(a, -1) }},
		{Name: "array_sort_asc", Variadic: tDyn, Nulls: true, Result: tDyn, Eval: func(a []any) any { return sortArrays(a, false) }},
		{Name: "array_sort_desc", Variadic: tDyn, Nulls: true, Result: tDyn, Eval: func(a []any) any { return sortArrays(a, true) }},
		{Name: "array_iff", Params: types(tDyn, tDyn, tDyn), Least: 3, Nulls: true, Result: tDyn, Eval: arrayIff},
		{Name: "strcat_array", Params: types(tDyn, tText), Least: 2, Result: tText, Eval: func(a []any) any {
			list, ok := array(a[0])
			if !ok {
				return ""
			}
			parts := make([]string, len(list))
			for i, v := range list {
				parts[i] = plain(v)
			}
			return strings.Join(parts, str(a[1]))
		}},
		{Name: "set_has_element", Params: types(tDyn, tDyn), Least: 2, Result: tBool, Eval: func(a []any) any {
			list, ok := array(a[0])
			if !ok {
				return nil
			}
			want, _ := read(str(a[1]))
			for _, v := range list {
				if same(v, want) {
					return true
				}
			}
			return false
		}},
		{Name: "set_union", Variadic: tDyn, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			var s set
			some := false
			for _, x := range a {
				if list, ok := array(x); ok {
					some = true
					for _, v := range list {
						s.add(v)
					}
				}
			}
			if !some {
				return nil
			}
			return write(s.list())
		}},
		{Name: "array_distinct", Params: types(tDyn, tLong), Least: 1, Result: tDyn, Eval: func(a []any) any {
			list, _ := array(a[0])
			var s set
			for _, v := range list { // a null adds nothing to a set, in an array as alone. Source: Kusto, make_set
				if v != nil && int64(len(s.items)) < given(a, 1, 1048576) {
					s.add(v)
				}
			}
			return write(s.list())
		}},
		{Name: "set_intersect", Variadic: tDyn, Result: tDyn, Eval: func(a []any) any { return setOp(a, true) }},
		{Name: "set_difference", Variadic: tDyn, Result: tDyn, Eval: func(a []any) any { return setOp(a, false) }},
		{Name: "set_equals", Params: types(tDyn, tDyn), Least: 2, Result: tBool, Eval: func(a []any) any {
			x, ok1 := array(a[0])
			y, ok2 := array(a[1])
			if !ok1 || !ok2 {
				return nil
			}
			var s, t set
			for _, v := range x {
				s.add(v)
			}
			for _, v := range y {
				t.add(v)
			}
			for _, v := range x {
				if !t.has(v) {
					return false
				}
			}
			return len(s.items) == len(t.items)
		}},
		{Name: "jaccard_index", Params: types(tDyn, tDyn), Least: 2, Result: tReal, Eval: func(a []any) any {
			x, ok1 := array(a[0])
			y, ok2 := array(a[1])
			if !ok1 || !ok2 {
				return nil
			}
			var s, t, u set
			for _, v := range x {
				s.add(v)
				u.add(v)
			}
			both := 0
			for _, v := range y {
				u.add(v)
				if t.add(v) && s.has(v) {
					both++
				}
			}
			if len(u.items) == 0 {
				return math.NaN()
			}
			return float64(both) / float64(len(u.items))
		}},
		{Name: "zip", Variadic: tDyn, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			lists := make([][]any, len(a))
			n := 0
			for i, x := range a {
				list, ok := array(x)
				if !ok && x != nil {
					v, _ := read(str(x))
					list = []any{v}
				}
				lists[i] = list
				n = max(n, len(list))
			}
			out := make([]any, n)
			for i := range out {
				row := make([]any, len(lists))
				for j, l := range lists {
					if i < len(l) {
						row[j] = l[i]
					}
				}
				out[i] = row
			}
			return write(out)
		}},
		{Name: "range_long", Params: types(tLong, tLong, tLong), Least: 2, Result: tDyn, Eval: func(a []any) any {
			from, to, step := num(a[0]), num(a[1]), given(a, 2, 1)
			out := []any{}
			for v := from; (step > 0 && v <= to || step < 0 && v >= to) && len(out) < 1048576; v += step {
				out = append(out, v)
			}
			return write(out)
		}},
		{Name: "range_real", Params: types(tReal, tReal, tReal), Least: 2, Result: tDyn, Eval: func(a []any) any {
			from, to, step := real(a[0]), real(a[1]), 1.0
			if len(a) > 2 {
				step = real(a[2])
			}
			out := []any{}
			for i := 0; len(out) < 1048576 && step != 0; i++ {
				v := from + float64(i)*step
				if step > 0 && v > to || step < 0 && v < to || math.IsNaN(v) {
					break
				}
				out = append(out, v)
			}
			return write(out)
		}},
		{Name: "range_time", Params: types(tTime, tTime, tSpan), Least: 2, Result: tDyn, Eval: func(a []any) any {
			return timeRange(a, func(n int64) string { return schema.Ticks(n).String() })
		}},
		{Name: "range_span", Params: types(tSpan, tSpan, tSpan), Least: 2, Result: tDyn, Eval: func(a []any) any { return timeRange(a, spanText) }},
		{Name: "repeat", Params: types(tDyn, tLong), Least: 2, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			v, _ := read(str(a[0]))
			n := num(a[1])
			if n < 0 || a[1] == nil {
				return nil
			}
			out := make([]any, min(n, 1048576))
			for i := range out {
				out[i] = v
			}
			return write(out)
		}},
	}
}

func timeRange(a []any, show func(int64) string) any {
	from, to, step := num(a[0]), num(a[1]), given(a, 2, int64(schema.Hour))
	out := []any{}
	for v := from; (step > 0 && v <= to || step < 0 && v >= to) && len(out) < 1048576; v += step {
		out = append(out, show(v))
	}
	return write(out)
}

// set keeps first appearances.
type set struct {
	items []any
	keys  map[string]bool
}

func setKey(v any) string {
	if n, ok := v.(json.Number); ok {
		return "n" + strconv.FormatFloat(number(n), 'g', -1, 64)
	}
	return str(write(v))
}

func (s *set) add(v any) bool {
	if s.keys == nil {
		s.keys = map[string]bool{}
	}
	k := setKey(v)
	if s.keys[k] {
		return false
	}
	s.keys[k] = true
	s.items = append(s.items, v)
	return true
}

func (s *set) has(v any) bool { return s.keys[setKey(v)] }

func (s *set) list() []any {
	if s.items == nil {
		return []any{}
	}
	return s.items
}

func setOp(a []any, both bool) any {
	lists := make([][]any, len(a))
	for i, x := range a {
		list, ok := array(x)
		if !ok {
			return nil
		}
		lists[i] = list
	}
	if len(lists) == 0 {
		return nil
	}
	var out set
	others := make([]set, len(lists)-1)
	for i, l := range lists[1:] {
		for _, v := range l {
			others[i].add(v)
		}
	}
next:
	for _, v := range lists[0] {
		for i := range others {
			if others[i].has(v) != both {
				continue next
			}
		}
		out.add(v)
	}
	return write(out.list())
}

func rotate(a any, n int64) any {
	list, ok := array(a)
	if !ok {
		return nil
	}
	if len(list) == 0 {
		return a
	}
	k := int(((n % int64(len(list))) + int64(len(list))) % int64(len(list)))
	return write(append(append([]any{}, list[k:]...), list[:k]...))
}

func shiftArray(a []any, sign int64) any {
	list, ok := array(a[0])
	if !ok || a[1] == nil {
		return nil
	}
	var fill any
	if len(a) > 2 {
		fill, _ = read(str(a[2]))
	}
	n := num(a[1]) * sign
	out := make([]any, len(list))
	for i := range out {
		out[i] = fill
		if j := int64(i) + n; j >= 0 && j < int64(len(list)) {
			out[i] = list[j]
		}
	}
	return write(out)
}

func arraySplit(a []any) any {
	list, ok := array(a[0])
	at, ok2 := read(str(a[1]))
	if !ok || !ok2 {
		return nil
	}
	cuts, isList := at.([]any)
	if !isList {
		cuts = []any{at}
	}
	out := []any{}
	from := 0
	for _, c := range cuts {
		n, _ := asInt(c)
		if n < 0 {
			n += int64(len(list))
		}
		i := int(min(max(n, int64(from)), int64(len(list))))
		out = append(out, append([]any{}, list[from:i]...))
		from = i
	}
	out = append(out, append([]any{}, list[from:]...))
	return write(out)
}

// less orders JSON values: numbers, then texts; nulls last.
func less(a, b any) bool {
	x, xn := a.(json.Number)
	y, yn := b.(json.Number)
	if xn && yn {
		return number(x) < number(y)
	}
	if xn != yn {
		return xn
	}
	return plain(a) < plain(b)
}

// sortArrays sorts the first array, and the others of its length along with it.
func sortArrays(a []any, desc bool) any {
	if len(a) == 0 {
		return nil
	}
	nullsLast := true
	if len(a) > 1 {
		if v, ok := read(str(a[len(a)-1])); ok {
			if flag, is := v.(bool); is {
				nullsLast = flag
				a = a[:len(a)-1]
			}
		}
	}
	first, ok := array(a[0])
	if !ok {
		return nil
	}
	index := make([]int, len(first))
	for i := range index {
		index[i] = i
	}
	sort.SliceStable(index, func(i, j int) bool {
		x, y := first[index[i]], first[index[j]]
		switch {
		case x == nil || y == nil:
			if (x == nil) == (y == nil) {
				return false
			}
			return (y == nil) == nullsLast
		case desc:
			return less(y, x)
		}
		return less(x, y)
	})
	var all []any
	for _, x := range a {
		list, ok := array(x)
		if !ok || len(list) != len(first) {
			all = append(all, nil)
			continue
		}
		out := make([]any, len(list))
		for i, k := range index {
			out[i] = list[k]
		}
		all = append(all, out)
	}
	if len(all) == 1 {
		return write(all[0])
	}
	return write(all)
}

func arrayIff(a []any) any {
	cond, ok := array(a[0])
	if !ok {
		return nil
	}
	pick := func(x any, i int) any {
		if list, ok := array(x); ok {
			if i < len(list) {
				return list[i]
			}
			return nil
		}
		v, _ := read(str(x))
		return v
	}
	out := make([]any, len(cond))
	for i, c := range cond {
		truth, known := c == true, false
		if n, ok := c.(json.Number); ok {
			truth, known = number(n) != 0, true
		} else if _, ok := c.(bool); ok {
			known = true
		}
		switch {
		case !known:
		case truth:
			out[i] = pick(a[1], i)
		default:
			out[i] = pick(a[2], i)
		}
	}
	return write(out)
}
