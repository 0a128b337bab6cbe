package native

import (
	"encoding/json"
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
	"github.com/peterstace/simplefeatures/geom"
)

// overlays are the functions that lay shapes over each other. Great circles
// are straight lines in the gnomonic projection, so that a planar overlay there is
// an exact one on the globe, for shapes that lie in one half of it.
func overlays() []Function {
	return []Function{
		{Name: "geo_intersects_2lines", Params: types(tDyn, tDyn), Least: 2, Result: tBool, Eval: func(a []any) any { return intersects(a, lineOf, lineOf) }},
		{Name: "geo_intersects_2polygons", Params: types(tDyn, tDyn), Least: 2, Result: tBool, Eval: func(a []any) any { return intersects(a, polygonOf, polygonOf) }},
		{Name: "geo_intersects_line_with_polygon", Params: types(tDyn, tDyn), Least: 2, Result: tBool, Eval: func(a []any) any { return intersects(a, lineOf, polygonOf) }},
		{Name: "geo_intersection_2lines", Params: types(tDyn, tDyn), Least: 2, Result: tDyn, Eval: func(a []any) any { return intersection(a, lineOf, lineOf) }},
		{Name: "geo_intersection_2polygons", Params: types(tDyn, tDyn), Least: 2, Result: tDyn, Eval: func(a []any) any { return intersection(a, polygonOf, polygonOf) }},
		{Name: "geo_intersection_line_with_polygon", Params: types(tDyn, tDyn), Least: 2, Result: tDyn, Eval: func(a []any) any { return intersection(a, lineOf, polygonOf) }},
		{Name: "geo_union_polygons_array", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any { return unionOf(a[0], shape.isPolygon) }},
		{Name: "geo_union_lines_array", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any { return unionOf(a[0], shape.isLine) }},
		{Name: "geo_point_buffer", Params: types(tReal, tReal, tReal, tReal), Least: 3, Result: tDyn, Eval: func(a []any) any {
			p := spot{real(a[0]), real(a[1])}
			if !p.valid() {
				return nil
			}
			return buffer(shape{kind: "Point", spots: []spot{p}}, a[2:])
		}},
		{Name: "geo_line_buffer", Params: types(tDyn, tReal, tReal), Least: 2, Result: tDyn, Eval: func(a []any) any {
			s, ok := lineOf(a[0])
			if !ok {
				return nil
			}
			return buffer(s, a[1:])
		}},
		{Name: "geo_polygon_buffer", Params: types(tDyn, tReal, tReal), Least: 2, Result: tDyn, Eval: func(a []any) any {
			s, ok := polygonOf(a[0])
			if !ok {
				return nil
			}
			return buffer(s, a[1:])
		}},
		{Name: "geo_from_wkt", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			g, err := geom.UnmarshalWKT(str(a[0]), geom.NoValidate{})
			if err != nil || g.IsEmpty() {
				return nil
			}
			data, err := json.Marshal(g)
			if err != nil {
				return nil
			}
			return parseJSON(string(data))
		}},
	}
}

// sheet projects a part of the globe onto a plane that touches it.
type sheet struct {
	centre, east, north s2.Point
	known               map[geom.XY]spot // the shapes' own vertices
	near                map[[2]int64]spot
	drawn               [][]spot // the shapes' lines, for their direction
}

// newSheet lays a plane at the middle of the shapes; ok is false where they
// reach beyond half of the globe.
func newSheet(shapes ...shape) (*sheet, bool) {
	sh := &sheet{known: map[geom.XY]spot{}, near: map[[2]int64]spot{}}
	var sum s2.Point
	var all []s2.Point
	for _, s := range shapes {
		sh.drawn = append(sh.drawn, s.lines...)
		for _, l := range append(s.chainsOf(), s.spots) {
			for _, p := range points(l) {
				all = append(all, p)
				sum = s2.Point{Vector: sum.Add(p.Vector)}
			}
		}
	}
	if sum.Norm2() == 0 {
		return nil, false
	}
	sh.centre = s2.Point{Vector: sum.Normalize()}
	sh.east = s2.Ortho(sh.centre)
	sh.north = s2.Point{Vector: sh.centre.Cross(sh.east.Vector)}
	for _, p := range all {
		if p.Dot(sh.centre.Vector) < 0.01 {
			return nil, false
		}
	}
	return sh, true
}

// meet gives vertices that differ only by rounding one place.
func (sh *sheet) meet(p spot) spot {
	const grid = 1e10
	x, y := int64(math.Round(p.lng*grid)), int64(math.Round(p.lat*grid))
	for dx := int64(-1); dx <= 1; dx++ {
		for dy := int64(-1); dy <= 1; dy++ {
			if q, ok := sh.near[[2]int64{x + dx, y + dy}]; ok {
				return q
			}
		}
	}
	sh.near[[2]int64{x, y}] = p
	return p
}

func (sh *sheet) xy(p spot) geom.XY {
	p = sh.meet(p)
	v := p.point()
	d := v.Dot(sh.centre.Vector)
	xy := geom.XY{X: v.Dot(sh.east.Vector) / d, Y: v.Dot(sh.north.Vector) / d}
	sh.known[xy] = p
	return xy
}

func (sh *sheet) spot(xy geom.XY) spot {
	if p, ok := sh.known[xy]; ok {
		return p
	}
	v := sh.centre.Add(sh.east.Mul(xy.X)).Add(sh.north.Mul(xy.Y))
	return spotOf(s2.Point{Vector: v.Normalize()})
}

func (sh *sheet) line(l []spot) geom.LineString {
	flat := make([]float64, 0, 2*len(l))
	for _, p := range l {
		xy := sh.xy(p)
		flat = append(flat, xy.X, xy.Y)
	}
	return geom.NewLineString(geom.NewSequence(flat, geom.DimXY))
}

func (sh *sheet) polygon(rings [][]spot) geom.Geometry {
	out := make([]geom.LineString, len(rings))
	for i, r := range rings {
		out[i] = sh.line(r)
	}
	return geom.NewPolygon(out).AsGeometry()
}

// geometry projects a shape; the polygons of one are united.
func (sh *sheet) geometry(s shape) (geom.Geometry, error) {
	var parts []geom.Geometry
	for _, l := range s.lines {
		parts = append(parts, sh.line(l).AsGeometry())
	}
	for _, rings := range s.polygons {
		parts = append(parts, sh.polygon(rings))
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return geom.UnionMany(parts)
}

// back reads what an overlay gave as GeoJSON: one geometry, or a collection.
func (sh *sheet) back(g geom.Geometry) any {
	var out []any
	lines, polygons := []shape{}, []shape{}
	var segments [][]spot
	for _, part := range g.Dump() {
		switch {
		case part.IsEmpty():
		case part.IsPoint():
			xy, _ := part.MustAsPoint().XY()
			out = append(out, geoJSON("Point", pair(sh.spot(xy))))
		case part.IsLineString():
			segments = append(segments, sh.spots(part.MustAsLineString().Coordinates()))
		case part.IsPolygon():
			polygons = append(polygons, shape{kind: "Polygon", polygons: [][][]spot{sh.ringsOf(part.MustAsPolygon())}})
		}
	}
	for _, l := range joinLines(segments) {
		lines = append(lines, shape{kind: "LineString", lines: [][]spot{sh.directed(l)}})
	}
	if one := together(lines, "MultiLineString"); one != nil {
		out = append(out, one)
	}
	if one := together(polygons, "MultiPolygon"); one != nil {
		out = append(out, one)
	}
	if len(out) == 1 {
		return write(out[0])
	}
	if out == nil {
		out = []any{}
	}
	all := newObject()
	all.set("type", "GeometryCollection")
	all.set("geometries", out)
	return write(all)
}

// together makes a multi-geometry of several.
func together(list []shape, kind string) any {
	if len(list) == 0 {
		return nil
	}
	one := list[0]
	if len(list) > 1 {
		one = shape{kind: kind}
		for _, s := range list {
			one.lines = append(one.lines, s.lines...)
			one.polygons = append(one.polygons, s.polygons...)
		}
	}
	o, _ := bag(one.write())
	return o
}

func (sh *sheet) spots(seq geom.Sequence) []spot {
	out := make([]spot, seq.Length())
	for i := range out {
		out[i] = sh.spot(seq.GetXY(i))
	}
	return out
}

func (sh *sheet) ringsOf(p geom.Polygon) [][]spot {
	p = p.ForceCCW()
	out := [][]spot{sh.spots(p.ExteriorRing().Coordinates())}
	for i := range p.NumInteriorRings() {
		out = append(out, sh.spots(p.InteriorRingN(i).Coordinates()))
	}
	return out
}

func bothOf(a []any, f, g func(any) (shape, bool)) (*sheet, geom.Geometry, geom.Geometry, bool) {
	x, ok1 := f(a[0])
	y, ok2 := g(a[1])
	var none geom.Geometry
	if !ok1 || !ok2 {
		return nil, none, none, false
	}
	sh, ok := newSheet(x, y)
	if !ok {
		return nil, none, none, false
	}
	gx, err1 := sh.geometry(x)
	gy, err2 := sh.geometry(y)
	return sh, gx, gy, err1 == nil && err2 == nil
}

func intersects(a []any, f, g func(any) (shape, bool)) any {
	_, x, y, ok := bothOf(a, f, g)
	if !ok {
		return nil
	}
	return geom.Intersects(x, y)
}

func intersection(a []any, f, g func(any) (shape, bool)) any {
	sh, x, y, ok := bothOf(a, f, g)
	if !ok {
		return nil
	}
	out, err := geom.Intersection(x, y)
	if err != nil {
		return nil
	}
	return sh.back(out)
}

func unionOf(a any, fits func(shape) bool) any {
	list, ok := array(a)
	if !ok || len(list) == 0 {
		return nil
	}
	all := shape{}
	for _, v := range list {
		o, is := v.(*object)
		if !is {
			return nil
		}
		s, ok := shapeFrom(o)
		if !ok || !fits(s) {
			return nil
		}
		all.lines = append(all.lines, s.lines...)
		all.polygons = append(all.polygons, s.polygons...)
	}
	sh, ok := newSheet(all)
	if !ok {
		return nil
	}
	var parts []geom.Geometry
	for _, l := range all.lines {
		parts = append(parts, sh.line(l).AsGeometry())
	}
	for _, rings := range all.polygons {
		parts = append(parts, sh.polygon(rings))
	}
	out, err := geom.UnionMany(parts)
	if err != nil {
		return nil
	}
	return sh.back(out)
}

// merged reads a polygon with the parts of a multi-polygon united.
func merged(a any) (shape, bool) {
	s, ok := polygonOf(a)
	if !ok || len(s.polygons) == 1 {
		return s, ok
	}
	sh, ok := newSheet(s)
	if !ok {
		return s, false
	}
	g, err := sh.geometry(s)
	if err != nil {
		return s, false
	}
	return polygonOf(sh.back(g))
}

// buffer is what lies within a radius of a shape: discs around the vertices and
// strips along the edges, united. Arcs stay within the tolerance of their circle.
func buffer(s shape, a []any) any {
	radius := real(a[0])
	t, ok := tolerance(a, 1, max(0.1, radius/1000), 0.1, 10_000)
	if !ok || !(radius >= 0.1 && radius <= 1e6) {
		return nil
	}
	angle := s1.Angle(radius / earthRadius)
	sides := 4 * int(math.Ceil(math.Pi/4/math.Acos(1-min(t/radius, 0.29))))
	sides = min(max(sides, 8), 360)
	disc := func(p s2.Point) [][]spot {
		l := s2.RegularLoop(p, angle, sides)
		var ring []spot
		for _, v := range l.Vertices() {
			ring = append(ring, spotOf(v))
		}
		return [][]spot{append(ring, ring[0])}
	}
	if s.kind == "Point" {
		return shape{kind: "Polygon", polygons: [][][]spot{disc(s.spots[0].point())}}.write()
	}
	out := shape{polygons: append([][][]spot{}, s.polygons...)}
	edges := 0
	for _, l := range s.chainsOf() {
		pts := points(l)
		if edges += len(pts); edges > 500 {
			return nil
		}
		for i, p := range pts {
			out.polygons = append(out.polygons, disc(p))
			if i == 0 {
				continue
			}
			q := pts[i-1]
			side := s2.Point{Vector: q.Cross(p.Vector).Normalize()}
			off := func(v s2.Point, by s1.Angle) spot {
				sin, cos := math.Sincos(float64(by))
				return spotOf(s2.Point{Vector: v.Mul(cos).Add(side.Mul(sin))})
			}
			strip := []spot{off(q, -angle), off(p, -angle), off(p, angle), off(q, angle), off(q, -angle)}
			out.polygons = append(out.polygons, [][]spot{strip})
		}
	}
	sh, ok := newSheet(out)
	if !ok {
		return nil
	}
	g, err := sh.geometry(out)
	if err != nil {
		return nil
	}
	return sh.back(g)
}

// joinLines makes one line of those that meet where no third one does.
func joinLines(list [][]spot) [][]spot {
	ends := map[spot]int{}
	for _, l := range list {
		ends[l[0]]++
		ends[l[len(l)-1]]++
	}
	for joined := true; joined; {
		joined = false
	pairs:
		for i := range list {
			for k := i + 1; k < len(list); k++ {
				if l := joinTwo(list[i], list[k], ends); l != nil {
					list[i] = l
					list = append(list[:k], list[k+1:]...)
					joined = true
					break pairs
				}
			}
		}
	}
	return list
}

func joinTwo(a, b []spot, ends map[spot]int) []spot {
	for range 2 {
		for range 2 {
			if at := a[len(a)-1]; at == b[0] && ends[at] == 2 && a[0] != at {
				return append(append([]spot{}, a...), b[1:]...)
			}
			b = backwards(b)
		}
		a = backwards(a)
	}
	return nil
}

func backwards(l []spot) []spot {
	out := make([]spot, len(l))
	for i, p := range l {
		out[len(l)-1-i] = p
	}
	return out
}

// directed turns a line the way that the first line drawn along it goes.
func (sh *sheet) directed(l []spot) []spot {
	a, b := l[0].point(), l[1].point()
	mid := s2.Interpolate(0.5, a, b)
	for _, d := range sh.drawn {
		p := points(d)
		for i := 1; i < len(p); i++ {
			if s2.DistanceFromSegment(mid, p[i-1], p[i]) < 1e-12 {
				if b.Sub(a.Vector).Dot(p[i].Sub(p[i-1].Vector)) < 0 {
					return backwards(l)
				}
				return l
			}
		}
	}
	return l
}
