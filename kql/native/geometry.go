package native

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// earthRadius is in metres. Source: the sphere of S2's earth package.
const earthRadius = 6371010.0

// spot is a longitude and a latitude in degrees.
type spot struct{ lng, lat float64 }

func (p spot) valid() bool {
	return p.lng >= -180 && p.lng <= 180 && p.lat >= -90 && p.lat <= 90
}

func (p spot) point() s2.Point { return s2.PointFromLatLng(s2.LatLngFromDegrees(p.lat, p.lng)) }

func spotOf(p s2.Point) spot {
	ll := s2.LatLngFromPoint(p)
	return spot{ll.Lng.Degrees(), ll.Lat.Degrees()}
}

// shape is a GeoJSON geometry of one of the kinds that KQL measures: lines are
// chains of great-circle edges, a polygon is a shell and its holes.
type shape struct {
	kind     string // Point MultiPoint LineString MultiLineString Polygon MultiPolygon
	spots    []spot
	lines    [][]spot
	polygons [][][]spot
}

// shapeOf reads GeoJSON; ok is false for what is no valid geometry.
func shapeOf(a any) (shape, bool) {
	o, ok := bag(a)
	if !ok {
		return shape{}, false
	}
	return shapeFrom(o)
}

func shapeFrom(o *object) (s shape, ok bool) {
	if o.vals["type"] == "Feature" {
		inner, is := o.vals["geometry"].(*object)
		if !is || inner.vals["type"] == "Feature" {
			return s, false
		}
		return shapeFrom(inner)
	}
	s.kind, _ = o.vals["type"].(string)
	at := o.vals["coordinates"]
	switch s.kind {
	case "Point":
		p, ok := spotFrom(at)
		s.spots = []spot{p}
		return s, ok
	case "MultiPoint":
		s.spots, ok = chain(at, 1)
		return s, ok
	case "LineString":
		l, ok := chain(at, 2)
		s.lines = [][]spot{l}
		return s, ok && apart(l)
	case "MultiLineString":
		s.lines, ok = chains(at, 2)
		for _, l := range s.lines {
			ok = ok && apart(l)
		}
		return s, ok
	case "Polygon":
		rings, ok := chains(at, 4)
		s.polygons = [][][]spot{rings}
		return s, ok && closed(rings)
	case "MultiPolygon":
		list, is := at.([]any)
		if !is || len(list) == 0 {
			return s, false
		}
		for _, x := range list {
			rings, ok := chains(x, 4)
			if !ok || !closed(rings) {
				return s, false
			}
			s.polygons = append(s.polygons, rings)
		}
		return s, true
	}
	return s, false
}

func spotFrom(v any) (spot, bool) {
	pair, ok := v.([]any)
	if !ok || len(pair) < 2 {
		return spot{}, false
	}
	p := spot{number(pair[0]), number(pair[1])}
	return p, p.valid()
}

func chain(v any, least int) ([]spot, bool) {
	list, ok := v.([]any)
	if !ok || len(list) < least {
		return nil, false
	}
	out := make([]spot, len(list))
	for i, x := range list {
		if out[i], ok = spotFrom(x); !ok {
			return nil, false
		}
	}
	return out, true
}

func chains(v any, least int) ([][]spot, bool) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, false
	}
	out := make([][]spot, len(list))
	for i, x := range list {
		if out[i], ok = chain(x, least); !ok {
			return nil, false
		}
	}
	return out, true
}

// apart tells whether neighbours of a chain differ, which an edge needs, and
// are not each other's opposite on the globe.
func apart(l []spot) bool {
	for i := 1; i < len(l); i++ {
		if l[i] == l[i-1] || l[i].point().Distance(l[i-1].point()) > math.Pi-1e-9 {
			return false
		}
	}
	return true
}

// closed tells whether rings end where they begin and don't cross themselves.
func closed(rings [][]spot) bool {
	for _, r := range rings {
		if r[0] != r[len(r)-1] || !apart(r) || crossesItself(r) {
			return false
		}
	}
	return true
}

// crossesItself looks at every pair of edges; very long rings are believed.
func crossesItself(r []spot) bool {
	n := len(r) - 1
	if n > 1000 {
		return false
	}
	p := points(r)
	seen := map[s2.Point]bool{}
	for _, v := range p[:n] {
		if seen[v] {
			return true
		}
		seen[v] = true
	}
	for i := range n {
		c := s2.NewEdgeCrosser(p[i], p[i+1])
		for k := i + 2; k < n; k++ {
			if c.CrossingSign(p[k], p[k+1]) == s2.Cross {
				return true
			}
		}
	}
	return false
}

func points(l []spot) []s2.Point {
	out := make([]s2.Point, len(l))
	for i, p := range l {
		out[i] = p.point()
	}
	return out
}

// loop makes a ring enclose the smaller of its two sides.
// Source: Kusto, geo_point_in_polygon, on the order of vertices.
func loop(ring []spot) *s2.Loop {
	l := s2.LoopFromPoints(points(ring[:len(ring)-1]))
	l.Normalize()
	return l
}

func (s shape) isLine() bool    { return len(s.lines) > 0 }
func (s shape) isPolygon() bool { return len(s.polygons) > 0 }

// lineOf and polygonOf read a geometry of that family.
func lineOf(a any) (shape, bool) {
	s, ok := shapeOf(a)
	return s, ok && s.isLine()
}

func polygonOf(a any) (shape, bool) {
	s, ok := shapeOf(a)
	return s, ok && s.isPolygon()
}

// contains tells whether a point is inside one of the polygons.
func (s shape) contains(p s2.Point) bool {
	for _, rings := range s.polygons {
		in := loop(rings[0]).ContainsPoint(p)
		for _, hole := range rings[1:] {
			in = in && !loop(hole).ContainsPoint(p)
		}
		if in {
			return true
		}
	}
	return false
}

// chainsOf are the edges' chains, rings included.
func (s shape) chainsOf() [][]spot {
	out := append([][]spot{}, s.lines...)
	for _, rings := range s.polygons {
		out = append(out, rings...)
	}
	return out
}

// nearest gives the closest point of the edges and how far it is, in radians.
func (s shape) nearest(p s2.Point) (best s2.Point, distance s1.Angle) {
	distance = s1.InfAngle()
	for _, l := range s.chainsOf() {
		pts := points(l)
		for i := 1; i < len(pts); i++ {
			if d := s2.DistanceFromSegment(p, pts[i-1], pts[i]); d < distance {
				best, distance = s2.Project(p, pts[i-1], pts[i]), d
			}
		}
	}
	return best, distance
}

// json writes a geometry.
func geoJSON(kind string, coordinates any) *object {
	o := newObject()
	o.set("type", kind)
	o.set("coordinates", coordinates)
	return o
}

func pair(p spot) any { return []any{coordinate(p.lng), coordinate(p.lat)} }

func pairs(l []spot) any {
	out := make([]any, len(l))
	for i, p := range l {
		out[i] = pair(p)
	}
	return out
}

func rings(list [][]spot) any {
	out := make([]any, len(list))
	for i, l := range list {
		out[i] = pairs(l)
	}
	return out
}

// coordinate writes whole degrees without a point.
func coordinate(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) <= 180 {
		return int64(f)
	}
	return f
}

func (s shape) write() any {
	switch s.kind {
	case "Point":
		return write(geoJSON(s.kind, pair(s.spots[0])))
	case "LineString":
		return write(geoJSON(s.kind, pairs(s.lines[0])))
	case "MultiLineString":
		return write(geoJSON(s.kind, rings(s.lines)))
	case "Polygon":
		return write(geoJSON(s.kind, rings(s.polygons[0])))
	case "MultiPolygon":
		out := make([]any, len(s.polygons))
		for i, p := range s.polygons {
			out[i] = rings(p)
		}
		return write(geoJSON(s.kind, out))
	}
	return nil
}

func writePoint(p s2.Point) any { return write(geoJSON("Point", pair(spotOf(p)))) }
