package native

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

func values() []Function {
	return []Function{
		{Name: "get_index", Params: types(tDyn, tLong), Least: 2, Result: tDyn, Eval: func(a []any) any {
			list, ok := array(a[0])
			n := num(a[1])
			if n < 0 {
				n += int64(len(list))
			}
			if !ok || n < 0 || n >= int64(len(list)) {
				return nil
			}
			return write(list[n])
		}},
		{Name: "get_key", Params: types(tDyn, tText), Least: 2, Result: tDyn, Eval: func(a []any) any {
			if o, ok := bag(a[0]); ok {
				return write(o.vals[str(a[1])])
			}
			if list, ok := array(a[0]); ok {
				if n, err := strconv.ParseInt(str(a[1]), 10, 64); err == nil && n >= 0 && n < int64(len(list)) {
					return write(list[n])
				}
			}
			return nil
		}},
		{Name: "get_name", Params: types(tDyn, tText), Least: 2, Result: tDyn, Eval: func(a []any) any {
			if o, ok := bag(a[0]); ok {
				return write(o.vals[str(a[1])])
			}
			return nil
		}},
		{Name: "elements", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any { return elements(a[0], false) }},
		{Name: "element_pairs", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any { return elements(a[0], true) }},
		{Name: "bag_pack", Variadic: tText, Nulls: true, Result: tDyn, Eval: func(a []any) any { return packBag(a, false) }},
		{Name: "bag_pack_filled", Variadic: tText, Nulls: true, Result: tDyn, Eval: func(a []any) any { return packBag(a, true) }},
		{Name: "bag_shape", Params: types(tDyn), Least: 1, Result: tDyn, Eval: bagShape},
		{Name: "bag_keys", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			o, ok := bag(a[0])
			if !ok {
				return nil
			}
			out := make([]any, len(o.keys))
			for i, k := range o.keys {
				out[i] = k
			}
			return write(out)
		}},
		{Name: "bag_has_key", Params: types(tDyn, tText), Least: 2, Result: tBool, Eval: func(a []any) any {
			o, ok := bag(a[0])
			if !ok {
				return nil
			}
			v, ok := any(o), true
			path := strings.TrimPrefix(str(a[1]), "$.")
			if _, direct := o.vals[str(a[1])]; direct {
				return true
			}
			for _, k := range strings.Split(path, ".") {
				b, is := v.(*object)
				if !is {
					return false
				}
				if v, ok = b.vals[k]; !ok {
					return false
				}
			}
			return true
		}},
		{Name: "bag_merge", Variadic: tDyn, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			out := newObject()
			some := false
			for _, x := range a {
				if o, ok := bag(x); ok {
					some = true
					for _, k := range o.keys {
						if _, have := out.vals[k]; !have {
							out.set(k, o.vals[k])
						}
					}
				}
			}
			if !some {
				return nil
			}
			return write(out)
		}},
		{Name: "make_bag", Params: types(tDyn, tLong), Least: 1, Result: tDyn, Eval: func(a []any) any {
			list, _ := array(a[0])
			out := newObject()
			for _, x := range list {
				if o, ok := x.(*object); ok {
					for _, k := range o.keys {
						if int64(len(out.keys)) < given(a, 1, 1048576) {
							if _, have := out.vals[k]; !have {
								out.set(k, o.vals[k])
							}
						}
					}
				}
			}
			return write(out)
		}},
		{Name: "bag_remove_keys", Params: types(tDyn, tDyn), Least: 2, Result: tDyn, Eval: func(a []any) any {
			o, ok := bag(a[0])
			list, ok2 := array(a[1])
			if !ok || !ok2 {
				return a[0]
			}
			for _, k := range list {
				o = without(o, strings.Split(strings.TrimPrefix(plain(k), "$."), "."))
			}
			return write(o)
		}},
		{Name: "bag_set_key", Params: types(tDyn, tText, tDyn), Least: 3, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			o, ok := bag(a[0])
			if !ok {
				return nil
			}
			v, _ := read(str(a[2]))
			key := str(a[1])
			path := []string{key}
			if rest, ok := strings.CutPrefix(key, "$."); ok {
				path = strings.Split(rest, ".")
			}
			setAt(o, path, v)
			return write(o)
		}},
		{Name: "bag_zip", Params: types(tDyn, tDyn), Least: 2, Result: tDyn, Eval: func(a []any) any {
			keys, ok := array(a[0])
			vals, _ := array(a[1]) // what is no array gives nulls
			if !ok {
				return nil
			}
			o := newObject()
			for i, x := range keys {
				k, ok := x.(string)
				if !ok { // only texts are keys
					continue
				}
				var v any
				if i < len(vals) {
					v = vals[i]
				}
				o.set(k, v)
			}
			return write(o)
		}},
		{Name: "treepath", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			v, ok := read(str(a[0]))
			if !ok {
				return nil
			}
			out := []any{}
			walkTree(v, "", map[string]bool{}, &out)
			return write(out)
		}},
		{Name: "format_bytes", Params: types(tReal, tLong, tText), Least: 1, Result: tText, Eval: formatBytes},
	}
}

func random(a []any) any {
	if len(a) > 0 {
		if n := int64(real(a[0])); n > 0 {
			return float64(rand.Int64N(n))
		}
	}
	return rand.Float64()
}

// elements makes an array of any value: a bag becomes one-key bags or pairs.
func elements(a any, pairs bool) any {
	v, ok := read(str(a))
	if !ok {
		return write([]any{str(a)})
	}
	o, is := v.(*object)
	if !is {
		return write([]any{v})
	}
	out := make([]any, len(o.keys))
	for i, k := range o.keys {
		if pairs {
			out[i] = []any{k, o.vals[k]}
			continue
		}
		one := newObject()
		one.set(k, o.vals[k])
		out[i] = one
	}
	return write(out)
}

func packBag(a []any, filled bool) any {
	var b strings.Builder
	b.WriteByte('{')
	seen := map[string]bool{}
	for i := 0; i+1 < len(a); i += 2 {
		k := str(a[i])
		if seen[k] || a[i+1] == nil && filled {
			continue
		}
		if len(seen) > 0 {
			b.WriteByte(',')
		}
		seen[k] = true
		b.WriteString(quoteText(k))
		b.WriteByte(':')
		if a[i+1] == nil {
			b.WriteString("null")
			continue
		}
		b.WriteString(str(a[i+1]))
	}
	b.WriteByte('}')
	return b.String()
}

func without(o *object, path []string) *object {
	out := newObject()
	for _, k := range o.keys {
		v := o.vals[k]
		if k == path[0] {
			if len(path) == 1 {
				continue
			}
			if inner, ok := v.(*object); ok {
				v = without(inner, path[1:])
			}
		}
		out.set(k, v)
	}
	return out
}

func walkTree(v any, at string, seen map[string]bool, out *[]any) {
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			*out = append(*out, path)
		}
	}
	switch v := v.(type) {
	case *object:
		for _, k := range v.keys {
			p := at + "['" + k + "']"
			add(p)
			walkTree(v.vals[k], p, seen, out)
		}
	case []any:
		p := at + "[0]" // stands for any element
		add(p)
		for _, element := range v {
			walkTree(element, p, seen, out)
		}
	}
}

func formatBytes(a []any) any {
	size := real(a[0])
	units := []string{"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	want := ""
	if len(a) > 2 {
		want = str(a[2])
	}
	for i < len(units)-1 && (want == "" && math.Abs(size) >= 1024 || want != "" && units[i] != want) {
		size /= 1024
		i++
	}
	digits := given(a, 1, 0)
	s := strconv.FormatFloat(size, 'f', int(min(max(digits, 0), 15)), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s + " " + units[i]
}

func asInt(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

// setAt sets a value at a path of keys; what is no bag on the way becomes one.
func setAt(o *object, path []string, v any) {
	for _, key := range path[:len(path)-1] {
		inner, ok := o.vals[key].(*object)
		if !ok {
			inner = newObject()
			o.set(key, inner)
		}
		o = inner
	}
	o.set(path[len(path)-1], v)
}

// bagShape lists a bag's keys with the types that their values have as
// columns: [[key, type], …]; null values have none.
func bagShape(a []any) any {
	o, ok := bag(a[0])
	if !ok {
		return nil
	}
	list := []any{}
	for _, key := range o.keys {
		t := ""
		switch v := o.vals[key].(type) {
		case bool:
			t = "bool"
		case json.Number:
			t = "real"
			if _, err := v.Int64(); err == nil {
				t = "long"
			}
		case string:
			t = "string"
		case []any, *object:
			t = "dynamic"
		}
		if t != "" {
			list = append(list, []any{key, t})
		}
	}
	return write(list)
}
