package security

import (
	"sort"
)

// single are the parts of which an entity has one.
var single = map[string]bool{
	"imageFile": true, "parentProcess": true, "account": true, "host": true, "key": true,
	"dnsServerIp": true, "hostIpAddress": true, "ipAddress": true,
}

// Union gives each different thing among the entities once, with everything
// that any of its mentions says, in the order of their keys. Two mentions are
// of one thing when they share a key, directly or by way of others. Entities
// that name nothing are left out. The order of the mentions doesn't matter,
// and a union of a union is itself.
func Union(entities ...Entity) []Entity { return union(entities, 0) }

// maxDepth bounds the nesting of entities: what stands deeper is dropped.
const maxDepth = 8

func union(entities []Entity, depth int) []Entity {
	if depth > maxDepth {
		return nil
	}
	var members []Entity
	groups := newSets()
	for _, e := range entities {
		keys := e.Keys()
		if len(keys) == 0 {
			continue
		}
		groups.add(len(members), keys)
		members = append(members, e)
	}
	// What is said together can make keys that none said alone, so look again
	// until nothing more falls together.
	var out []Entity
	for again := true; again; {
		again, out = false, out[:0]
		for _, group := range groups.list() {
			one := merged(pick(members, group), depth)
			out = append(out, one)
			again = groups.add(group[0], one.Keys()) || again
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return firstKey(out[i]) < firstKey(out[j]) })
	return out
}

func firstKey(e Entity) string {
	if keys := e.Keys(); len(keys) > 0 {
		return keys[0]
	}
	return string(e.Kind)
}

func pick(all []Entity, indexes []int) []Entity {
	out := make([]Entity, len(indexes))
	for i, n := range indexes {
		out[i] = all[n]
	}
	return out
}

// merged is one entity that says all that the mentions say.
func merged(mentions []Entity, depth int) Entity {
	out := Entity{Kind: mentions[0].Kind}
	parts := map[string][]Entity{}
	for _, m := range mentions {
		out.Kind = min(out.Kind, m.Kind)
		for name, value := range m.Fields {
			if out.Fields == nil {
				out.Fields = map[string]string{}
			}
			if better(value, out.Fields[name]) {
				out.Fields[name] = value
			}
		}
		for name, list := range m.Parts {
			parts[name] = append(parts[name], list...)
		}
		if better(string(m.Extra), string(out.Extra)) {
			out.Extra = m.Extra
		}
	}
	for name, list := range parts {
		if single[name] && len(list) > 0 && depth < maxDepth {
			list = []Entity{merged(list, depth+1)}
		} else {
			list = union(list, depth+1)
		}
		if len(list) > 0 {
			if out.Parts == nil {
				out.Parts = map[string][]Entity{}
			}
			out.Parts[name] = list
		}
	}
	return out
}

// better says which of two differing values stays: the longer one, which
// tends to say more, and of two equally long ones always the same.
func better(value, than string) bool {
	if len(value) != len(than) {
		return len(value) > len(than)
	}
	return value < than
}

// sets groups numbers that share a key.
type sets struct {
	parent []int
	owner  map[string]int
}

func newSets() *sets { return &sets{owner: map[string]int{}} }

// add gives keys to a number and reports whether that joined two groups.
func (s *sets) add(n int, keys []string) (joined bool) {
	for len(s.parent) <= n {
		s.parent = append(s.parent, len(s.parent))
	}
	for _, k := range keys {
		other, taken := s.owner[k]
		if !taken {
			s.owner[k] = n
			continue
		}
		a, b := s.root(n), s.root(other)
		if a == b {
			continue
		}
		if b < a {
			a, b = b, a
		}
		s.parent[b], joined = a, true
	}
	return joined
}

func (s *sets) root(n int) int {
	for s.parent[n] != n {
		s.parent[n] = s.parent[s.parent[n]]
		n = s.parent[n]
	}
	return n
}

// list gives the groups, each with its numbers in order.
func (s *sets) list() [][]int {
	at := map[int]int{}
	var out [][]int
	for n := range s.parent {
		r := s.root(n)
		i, ok := at[r]
		if !ok {
			i = len(out)
			at[r], out = i, append(out, nil)
		}
		out[i] = append(out[i], n)
	}
	return out
}
