package native

import (
	"encoding/json"
	"strings"
)

// shapes are the functions that tell what values look like.
// Source: Kusto, buildschema.
func shapes() []Function {
	return []Function{
		// buildschema takes an array of all values
		{Name: "buildschema", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			list, _ := array(a[0])
			s := &form{}
			for _, v := range list {
				s.admit(v, 0)
			}
			return write(s.said())
		}},
	}
}

// form is the least schema of some values: simple types, members of bags, elements of arrays.
type form struct {
	simple  []string
	members []string
	of      map[string]*form
	bag     bool
}

func (s *form) member(name string) *form {
	if s.of == nil {
		s.of = map[string]*form{}
	}
	if s.of[name] == nil {
		s.of[name] = &form{}
		s.members = append(s.members, name)
	}
	return s.of[name]
}

func (s *form) admit(v any, depth int) {
	if depth > 100 {
		return
	}
	name := ""
	switch v := v.(type) {
	case *object:
		s.bag = true
		for _, k := range v.keys {
			s.member(k).admit(v.vals[k], depth+1)
		}
	case []any:
		s.bag = true
		if len(v) > 0 {
			s.member("`indexer`")
		}
		for _, e := range v {
			s.member("`indexer`").admit(e, depth+1)
		}
	case string:
		name = "string"
	case bool:
		name = "bool"
	case json.Number:
		name = "long"
		if strings.ContainsAny(string(v), ".eE") {
			name = "double"
		}
	}
	for _, have := range s.simple {
		if have == name {
			return
		}
	}
	if name != "" {
		s.simple = append(s.simple, name)
	}
}

func (s *form) said() any {
	var all []any
	for _, name := range s.simple {
		all = append(all, name)
	}
	if s.bag {
		o := newObject()
		for _, m := range s.members {
			o.set(m, s.of[m].said())
		}
		all = append(all, o)
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}
