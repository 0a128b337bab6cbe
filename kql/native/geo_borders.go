package native

// simplifyTogether simplifies polygons so that those with a border in common
// still have it: each chain between two places where borders meet is thinned
// by itself, in one direction. A polygon that vanishes makes the result null.
// Source: Kusto, geo_simplify_polygons_array.
func simplifyTogether(a []any) any {
	list, ok := array(a[0])
	t, fits := tolerance(a, 1, 10, 0, 1e7)
	if !ok || !fits || len(list) == 0 {
		return nil
	}
	all := shape{kind: "MultiPolygon"}
	for _, v := range list {
		o, is := v.(*object)
		if !is {
			return nil
		}
		s, ok := shapeFrom(o)
		if !ok || !s.isPolygon() {
			return nil
		}
		all.polygons = append(all.polygons, s.polygons...)
	}
	around := map[spot]map[spot]bool{}
	for _, rings := range all.polygons {
		for _, r := range rings {
			for i := 1; i < len(r); i++ {
				for _, e := range [][2]spot{{r[i-1], r[i]}, {r[i], r[i-1]}} {
					if around[e[0]] == nil {
						around[e[0]] = map[spot]bool{}
					}
					around[e[0]][e[1]] = true
				}
			}
		}
	}
	if len(all.polygons) == 1 {
		all.kind = "Polygon"
	}
	return all.onChains(func(ring []spot, _ bool) []spot {
		return thinBetween(ring, t/earthRadius, func(p spot) bool { return len(around[p]) > 2 })
	})
}

// thinBetween thins a closed ring, keeping the vertices that fixed names.
func thinBetween(ring []spot, t float64, fixed func(spot) bool) []spot {
	first := 0
	for i, p := range ring[:len(ring)-1] {
		if fixed(p) != fixed(ring[first]) && fixed(p) || fixed(p) == fixed(ring[first]) && before(p, ring[first]) {
			first = i
		}
	}
	turned := append(append(append([]spot{}, ring[first:len(ring)-1]...), ring[:first]...), ring[first])
	var out []spot
	from := 0
	for i := 1; i < len(turned); i++ {
		if i < len(turned)-1 && !fixed(turned[i]) {
			continue
		}
		part := append([]spot{}, turned[from:i+1]...)
		back := before(part[len(part)-1], part[0]) // the neighbour walks the border the other way
		if back {
			reverse(part)
		}
		part = thin(part, t)
		if back {
			reverse(part)
		}
		out = append(out, part[:len(part)-1]...)
		from = i
	}
	return append(out, out[0])
}

func before(p, q spot) bool { return p.lng < q.lng || p.lng == q.lng && p.lat < q.lat }

func reverse(l []spot) {
	for i, j := 0, len(l)-1; i < j; i, j = i+1, j-1 {
		l[i], l[j] = l[j], l[i]
	}
}
