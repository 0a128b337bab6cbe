package native

import (
	"math"

	"github.com/golang/geo/s2"
)

// geography are the functions of points, lines and polygons on the globe.
// Source: the reference page of each; values checked against their examples.
func geography() []Function {
	out := []Function{
		{Name: "geo_distance_2points", Params: types(tReal, tReal, tReal, tReal, tBool), Least: 4, Result: tReal, Eval: func(a []any) any {
			p, q, ok := twoSpots(a)
			if !ok {
				return nil
			}
			if len(a) > 4 && a[4] == true {
				return spheroidDistance(p, q)
			}
			return float64(p.point().Distance(q.point())) * earthRadius
		}},
		{Name: "geo_azimuth", Params: types(tReal, tReal, tReal, tReal), Least: 4, Result: tReal, Eval: func(a []any) any {
			p, q, ok := twoSpots(a)
			if !ok || p == q {
				return nil
			}
			return azimuth(p, q)
		}},
		{Name: "geo_angle", Params: types(tReal, tReal, tReal, tReal, tReal, tReal), Least: 6, Result: tReal, Eval: func(a []any) any {
			p, q, ok := twoSpots(a)
			r := spot{real(a[4]), real(a[5])}
			if !ok || !r.valid() || p == q || q == r {
				return nil
			}
			return math.Mod(azimuth(q, r)-azimuth(q, p)+4*math.Pi, 2*math.Pi)
		}},
		{Name: "geo_point_in_circle", Params: types(tReal, tReal, tReal, tReal, tReal), Least: 5, Result: tBool, Eval: func(a []any) any {
			p, q, ok := twoSpots(a)
			if r := real(a[4]); ok && r >= 0 {
				return float64(p.point().Distance(q.point()))*earthRadius <= r
			}
			return nil
		}},
		{Name: "geo_point_in_polygon", Params: types(tReal, tReal, tDyn), Least: 3, Result: tBool, Eval: func(a []any) any {
			p := spot{real(a[0]), real(a[1])}
			s, ok := polygonOf(a[2])
			if !ok || !p.valid() {
				return nil
			}
			return s.contains(p.point())
		}},
		{Name: "geo_near_polygon", Params: types(tDyn, tDyn), Least: 2, Result: tBool, Eval: func(a []any) any { return near(a, polygonOf) }},
		{Name: "geo_near_line", Params: types(tDyn, tDyn), Least: 2, Result: tBool, Eval: func(a []any) any { return near(a, lineOf) }},
		{Name: "geo_distance_point_to_line", Params: types(tReal, tReal, tDyn), Least: 3, Result: tReal, Eval: func(a []any) any { return distanceTo(a, lineOf) }},
		{Name: "geo_distance_point_to_polygon", Params: types(tReal, tReal, tDyn), Least: 3, Result: tReal, Eval: func(a []any) any { return distanceTo(a, polygonOf) }},
		{Name: "geo_closest_point_on_line", Params: types(tReal, tReal, tDyn), Least: 3, Result: tDyn, Eval: func(a []any) any { return closestOn(a, lineOf) }},
		{Name: "geo_closest_point_on_polygon", Params: types(tReal, tReal, tDyn), Least: 3, Result: tDyn, Eval: func(a []any) any { return closestOn(a, polygonOf) }},
		{Name: "geo_line_length", Params: types(tDyn), Least: 1, Result: tReal, Eval: func(a []any) any {
			s, ok := lineOf(a[0])
			if !ok {
				return nil
			}
			return s.length()
		}},
		{Name: "geo_line_centroid", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			s, ok := lineOf(a[0])
			if !ok {
				return nil
			}
			var sum s2.Point
			for _, l := range s.lines {
				line := s2.Polyline(points(l))
				sum = s2.Point{Vector: sum.Add(line.Centroid().Vector)}
			}
			return writePoint(s2.Point{Vector: sum.Normalize()})
		}},
		{Name: "geo_line_interpolate_point", Params: types(tDyn, tReal), Least: 2, Result: tDyn, Eval: func(a []any) any {
			s, ok := lineOf(a[0])
			f := real(a[1])
			if !ok || len(s.lines) != 1 || !(f >= 0 && f <= 1) {
				return nil
			}
			line := s2.Polyline(points(s.lines[0]))
			p, _ := line.Interpolate(f)
			return writePoint(p)
		}},
		{Name: "geo_line_locate_point", Params: types(tDyn, tReal, tReal), Least: 3, Result: tReal, Eval: func(a []any) any {
			s, ok := lineOf(a[0])
			p := spot{real(a[1]), real(a[2])}
			if !ok || len(s.lines) != 1 || !p.valid() {
				return nil
			}
			line := s2.Polyline(points(s.lines[0]))
			q, next := line.Project(p.point())
			return line.Uninterpolate(q, next)
		}},
		{Name: "geo_line_densify", Params: types(tDyn, tReal), Least: 1, Result: tDyn, Eval: func(a []any) any { return densify(a, lineOf) }},
		{Name: "geo_polygon_densify", Params: types(tDyn, tReal), Least: 1, Result: tDyn, Eval: func(a []any) any { return densify(a, polygonOf) }},
		{Name: "geo_line_simplify", Params: types(tDyn, tReal), Least: 1, Result: tDyn, Eval: func(a []any) any { return simplify(a, lineOf) }},
		{Name: "geo_simplify_polygons_array", Params: types(tDyn, tReal), Least: 1, Result: tDyn, Eval: simplifyTogether},
		{Name: "geo_polygon_simplify", Params: types(tDyn, tReal), Least: 1, Result: tDyn, Eval: func(a []any) any { return simplify(a, polygonOf) }},
		{Name: "geo_polygon_area", Params: types(tDyn), Least: 1, Result: tReal, Eval: func(a []any) any {
			s, ok := merged(a[0])
			if !ok {
				return nil
			}
			return s.area() * earthRadius * earthRadius
		}},
		{Name: "geo_polygon_perimeter", Params: types(tDyn), Least: 1, Result: tReal, Eval: func(a []any) any {
			s, ok := merged(a[0])
			if !ok {
				return nil
			}
			return s.length()
		}},
		{Name: "geo_polygon_centroid", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			s, ok := merged(a[0])
			if !ok {
				return nil
			}
			var sum s2.Point
			for _, rings := range s.polygons {
				for i, r := range rings {
					c := loop(r).Centroid()
					if i > 0 {
						c = s2.Point{Vector: c.Mul(-1)}
					}
					sum = s2.Point{Vector: sum.Add(c.Vector)}
				}
			}
			if sum.Norm2() == 0 {
				return nil
			}
			return writePoint(s2.Point{Vector: sum.Normalize()})
		}},
	}
	return append(append(out, cells()...), overlays()...)
}

func twoSpots(a []any) (p, q spot, ok bool) {
	p, q = spot{real(a[0]), real(a[1])}, spot{real(a[2]), real(a[3])}
	return p, q, p.valid() && q.valid()
}

// azimuth is the angle of the way from p to q, clockwise from north, in radians from 0 to 2π.
func azimuth(p, q spot) float64 {
	rad := math.Pi / 180
	d := (q.lng - p.lng) * rad
	y := math.Sin(d) * math.Cos(q.lat*rad)
	x := math.Cos(p.lat*rad)*math.Sin(q.lat*rad) - math.Sin(p.lat*rad)*math.Cos(q.lat*rad)*math.Cos(d)
	return math.Mod(math.Atan2(y, x)+2*math.Pi, 2*math.Pi)
}

// spheroidDistance is Vincenty's inverse solution on WGS84. It doesn't
// converge for points nearly opposite; those get the sphere's distance.
func spheroidDistance(p, q spot) float64 {
	const a, f = 6378137.0, 1 / 298.257223563
	b := a * (1 - f)
	rad := math.Pi / 180
	u1, u2 := math.Atan((1-f)*math.Tan(p.lat*rad)), math.Atan((1-f)*math.Tan(q.lat*rad))
	sin1, cos1 := math.Sincos(u1)
	sin2, cos2 := math.Sincos(u2)
	whole := (q.lng - p.lng) * rad
	lambda := whole
	for range 200 {
		sl, cl := math.Sincos(lambda)
		sinSigma := math.Hypot(cos2*sl, cos1*sin2-sin1*cos2*cl)
		if sinSigma == 0 {
			return 0
		}
		cosSigma := sin1*sin2 + cos1*cos2*cl
		sigma := math.Atan2(sinSigma, cosSigma)
		sinAlpha := cos1 * cos2 * sl / sinSigma
		cos2Alpha := 1 - sinAlpha*sinAlpha
		mid := 0.0
		if cos2Alpha != 0 {
			mid = cosSigma - 2*sin1*sin2/cos2Alpha
		}
		c := f / 16 * cos2Alpha * (4 + f*(4-3*cos2Alpha))
		next := whole + (1-c)*f*sinAlpha*(sigma+c*sinSigma*(mid+c*cosSigma*(2*mid*mid-1)))
		if math.Abs(next-lambda) < 1e-13 {
			u := cos2Alpha * (a*a - b*b) / (b * b)
			k := 1 + u/16384*(4096+u*(-768+u*(320-175*u)))
			l := u / 1024 * (256 + u*(-128+u*(74-47*u)))
			delta := l * sinSigma * (mid + l/4*(cosSigma*(2*mid*mid-1)-l/6*mid*(4*sinSigma*sinSigma-3)*(4*mid*mid-3)))
			return b * k * (sigma - delta)
		}
		lambda = next
	}
	return float64(p.point().Distance(q.point())) * earthRadius
}

func distanceTo(a []any, read func(any) (shape, bool)) any {
	p := spot{real(a[0]), real(a[1])}
	s, ok := read(a[2])
	if !ok || !p.valid() {
		return nil
	}
	if s.contains(p.point()) {
		return 0.0
	}
	_, d := s.nearest(p.point())
	return float64(d) * earthRadius
}

// near tells whether a point, given as longitude, latitude and radius in
// metres, is in a shape or within the radius of it: the match of the lookup plugins.
func near(a []any, read func(any) (shape, bool)) any {
	at, ok := floats(a[0])
	if !ok || len(at) != 3 {
		return false
	}
	d, ok := distanceTo([]any{at[0], at[1], a[1]}, read).(float64)
	return ok && d <= at[2]
}

func closestOn(a []any, read func(any) (shape, bool)) any {
	p := spot{real(a[0]), real(a[1])}
	s, ok := read(a[2])
	if !ok || !p.valid() {
		return nil
	}
	if s.contains(p.point()) {
		return write(geoJSON("Point", pair(p)))
	}
	q, _ := s.nearest(p.point())
	return writePoint(q)
}

// length is that of all edges, in metres.
func (s shape) length() float64 {
	t := 0.0
	for _, l := range s.chainsOf() {
		pts := points(l)
		for i := 1; i < len(pts); i++ {
			t += float64(pts[i-1].Distance(pts[i]))
		}
	}
	return t * earthRadius
}

// area is in steradians, holes taken off.
func (s shape) area() float64 {
	t := 0.0
	for _, rings := range s.polygons {
		for i, r := range rings {
			if i == 0 {
				t += loop(r).Area()
			} else {
				t -= loop(r).Area()
			}
		}
	}
	return t
}

// tolerance reads an optional number of metres within bounds.
func tolerance(a []any, i int, otherwise, least, most float64) (float64, bool) {
	if i >= len(a) {
		return otherwise, true
	}
	v := real(a[i])
	return v, v >= least && v <= most
}

// onChains makes a geometry of one with every chain changed; nil where one fails.
func (s shape) onChains(f func([]spot, bool) []spot) any {
	out := shape{kind: s.kind}
	for _, l := range s.lines {
		l = f(l, false)
		if len(l) < 2 {
			return nil
		}
		out.lines = append(out.lines, l)
	}
	for _, rings := range s.polygons {
		var p [][]spot
		for _, r := range rings {
			r = f(r, true)
			if len(r) < 4 {
				return nil
			}
			p = append(p, r)
		}
		out.polygons = append(out.polygons, p)
	}
	return out.write()
}

// densify follows straight lines on the map by short great-circle edges.
func densify(a []any, read func(any) (shape, bool)) any {
	s, ok := read(a[0])
	t, fits := tolerance(a, 1, 10, 0.1, 10_000)
	if !ok || !fits {
		return nil
	}
	return s.onChains(func(l []spot, _ bool) []spot {
		out := []spot{l[0]}
		for i := 1; i < len(l); i++ {
			out = between(out, l[i-1], l[i], t/earthRadius, 0)
			out = append(out, l[i])
		}
		return out
	})
}

// between adds the points that keep an edge near the straight line on the map.
func between(out []spot, p, q spot, t float64, depth int) []spot {
	flat := spot{(p.lng + q.lng) / 2, (p.lat + q.lat) / 2}
	if depth > 14 || float64(s2.DistanceFromSegment(flat.point(), p.point(), q.point())) <= t {
		return out
	}
	out = between(out, p, flat, t, depth+1)
	out = append(out, flat)
	return between(out, flat, q, t, depth+1)
}

// simplify leaves out vertices within the tolerance of the edges that stay.
func simplify(a []any, read func(any) (shape, bool)) any {
	s, ok := read(a[0])
	t, fits := tolerance(a, 1, 10, 0, 1e7)
	if !ok || !fits {
		return nil
	}
	return s.onChains(func(l []spot, ring bool) []spot {
		if !ring {
			if (shape{lines: [][]spot{l}}).length() <= t {
				return nil
			}
		}
		kept := thin(l, t/earthRadius)
		if ring && len(kept) < 4 {
			return nil
		}
		return kept
	})
}

// thin is Douglas and Peucker's: the farthest vertex stays if it is beyond the tolerance.
func thin(l []spot, t float64) []spot {
	if len(l) < 3 {
		return l
	}
	p := points(l)
	first, last := p[0], p[len(p)-1]
	far, at := -1.0, 0
	for i := 1; i < len(p)-1; i++ {
		d := float64(p[i].Distance(first))
		if first != last {
			d = float64(s2.DistanceFromSegment(p[i], first, last))
		}
		if d > far {
			far, at = d, i
		}
	}
	if far <= t {
		return []spot{l[0], l[len(l)-1]}
	}
	left, right := thin(l[:at+1], t), thin(l[at:], t)
	return append(append([]spot{}, left[:len(left)-1]...), right...)
}
