package native

import (
	"math"
	"strings"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
	"github.com/uber/h3-go/v4"
)

// mostCells bounds the list of cells that a shape is covered with, as Kusto does.
const mostCells = 65_536

// cells are the functions of geohash, S2 and H3 cells.
func cells() []Function {
	central := func(f func(string) (s2.Point, bool)) func([]any) any {
		return func(a []any) any {
			p, ok := f(str(a[0]))
			if !ok {
				return nil
			}
			return writePoint(p)
		}
	}
	return []Function{
		{Name: "geo_point_to_geohash", Params: types(tReal, tReal, tLong), Least: 2, Result: tText, Eval: func(a []any) any {
			p, n := spot{real(a[0]), real(a[1])}, given(a, 2, 5)
			if !p.valid() || n < 1 || n > 18 {
				return ""
			}
			return geohash(p, int(n))
		}},
		{Name: "geo_geohash_to_central_point", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			lo, hi, ok := geohashBox(str(a[0]))
			if !ok {
				return nil
			}
			return write(geoJSON("Point", pair(spot{(lo.lng + hi.lng) / 2, (lo.lat + hi.lat) / 2})))
		}},
		{Name: "geo_geohash_to_polygon", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			lo, hi, ok := geohashBox(str(a[0]))
			if !ok {
				return nil
			}
			return shape{kind: "Polygon", polygons: [][][]spot{{{lo, {hi.lng, lo.lat}, hi, {lo.lng, hi.lat}, lo}}}}.write()
		}},
		{Name: "geo_geohash_neighbors", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any { return geohashNeighbors(str(a[0])) }},
		{Name: "geo_point_to_s2cell", Params: types(tReal, tReal, tLong), Least: 2, Result: tText, Eval: func(a []any) any {
			p, n := spot{real(a[0]), real(a[1])}, given(a, 2, 11)
			if !p.valid() || n < 0 || n > s2.MaxLevel {
				return ""
			}
			return s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.lat, p.lng)).Parent(int(n)).ToToken()
		}},
		{Name: "geo_s2cell_to_central_point", Params: types(tText), Least: 1, Result: tDyn, Eval: central(func(s string) (s2.Point, bool) {
			id, ok := s2cell(s)
			return id.Point(), ok
		})},
		{Name: "geo_s2cell_to_polygon", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			id, ok := s2cell(str(a[0]))
			if !ok {
				return nil
			}
			c := s2.CellFromCellID(id)
			ring := make([]spot, 5)
			for i := range ring {
				ring[i] = spotOf(c.Vertex(i % 4))
			}
			return shape{kind: "Polygon", polygons: [][][]spot{{ring}}}.write()
		}},
		{Name: "geo_s2cell_neighbors", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			id, ok := s2cell(str(a[0]))
			if !ok {
				return nil
			}
			var out []any
			around := id.AllNeighbors(id.Level())
			if n := len(around); n == 8 { // in the order of the documented example
				around[4], around[5] = around[5], around[4]
				around = append(around[n-1:n:n], around[:n-1]...)
			}
			for _, n := range around {
				out = append(out, n.ToToken())
			}
			return write(out)
		}},
		{Name: "geo_polygon_to_s2cells", Params: types(tDyn, tLong, tReal), Least: 1, Result: tDyn, Eval: func(a []any) any { return coverS2(a, polygonOf) }},
		{Name: "geo_line_to_s2cells", Params: types(tDyn, tLong, tReal), Least: 1, Result: tDyn, Eval: func(a []any) any { return coverS2(a, lineOf) }},
		{Name: "geo_point_to_h3cell", Params: types(tReal, tReal, tLong), Least: 2, Result: tText, Eval: func(a []any) any {
			p, n := spot{real(a[0]), real(a[1])}, given(a, 2, 6)
			if !p.valid() || n < 0 || n > 15 {
				return ""
			}
			return h3.LatLngToCell(h3.NewLatLng(p.lat, p.lng), int(n)).String()
		}},
		{Name: "geo_h3cell_level", Params: types(tText), Least: 1, Result: tLong, Eval: func(a []any) any {
			c, ok := h3cell(str(a[0]))
			if !ok {
				return nil
			}
			return int64(c.Resolution())
		}},
		{Name: "geo_h3cell_parent", Params: types(tText, tLong), Least: 1, Result: tText, Eval: func(a []any) any {
			c, ok := h3cell(str(a[0]))
			if !ok {
				return ""
			}
			n := given(a, 1, int64(c.Resolution())-1)
			if n < 0 || n > int64(c.Resolution()) {
				return ""
			}
			return c.Parent(int(n)).String()
		}},
		{Name: "geo_h3cell_children", Params: types(tText, tLong), Least: 1, Result: tDyn, Eval: func(a []any) any {
			c, ok := h3cell(str(a[0]))
			if !ok {
				return nil
			}
			n := given(a, 1, int64(c.Resolution())+1)
			if n < int64(c.Resolution()) || n > 15 || n > int64(c.Resolution())+5 {
				return nil
			}
			return h3list(c.Children(int(n)))
		}},
		{Name: "geo_h3cell_neighbors", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			c, ok := h3cell(str(a[0]))
			if !ok {
				return nil
			}
			return h3list(c.GridDiskDistances(1)[1])
		}},
		{Name: "geo_h3cell_rings", Params: types(tText, tLong), Least: 2, Result: tDyn, Eval: func(a []any) any {
			c, ok := h3cell(str(a[0]))
			n := num(a[1])
			if !ok || n < 0 || n > 142 {
				return nil
			}
			var out []any
			for _, ring := range c.GridDiskDistances(int(n)) {
				var list []any
				for _, x := range ring {
					if x != 0 {
						list = append(list, x.String())
					}
				}
				out = append(out, list)
			}
			return write(out)
		}},
		{Name: "geo_h3cell_to_central_point", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			c, ok := h3cell(str(a[0]))
			if !ok {
				return nil
			}
			ll := c.LatLng()
			return write(geoJSON("Point", pair(spot{ll.Lng, ll.Lat})))
		}},
		{Name: "geo_h3cell_to_polygon", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			c, ok := h3cell(str(a[0]))
			if !ok {
				return nil
			}
			var ring []spot
			for _, ll := range c.Boundary() {
				ring = append(ring, spot{ll.Lng, ll.Lat})
			}
			return shape{kind: "Polygon", polygons: [][][]spot{{append(ring, ring[0])}}}.write()
		}},
		{Name: "geo_polygon_to_h3cells", Params: types(tDyn, tLong), Least: 1, Result: tDyn, Eval: coverH3},
	}
}

const base32 = "0123456789bcdefghjkmnpqrstuvwxyz"

// geohash halves longitude and latitude in turn. Source: the geohash format.
func geohash(p spot, n int) string {
	lo, hi := spot{-180, -90}, spot{180, 90}
	var b strings.Builder
	even := true
	for range n {
		digit := 0
		for range 5 {
			digit <<= 1
			if even {
				if mid := (lo.lng + hi.lng) / 2; p.lng >= mid {
					digit, lo.lng = digit|1, mid
				} else {
					hi.lng = mid
				}
			} else {
				if mid := (lo.lat + hi.lat) / 2; p.lat >= mid {
					digit, lo.lat = digit|1, mid
				} else {
					hi.lat = mid
				}
			}
			even = !even
		}
		b.WriteByte(base32[digit])
	}
	return b.String()
}

func geohashBox(s string) (lo, hi spot, ok bool) {
	if s == "" || len(s) > 18 {
		return lo, hi, false
	}
	lo, hi = spot{-180, -90}, spot{180, 90}
	even := true
	for i := range len(s) {
		digit := strings.IndexByte(base32, s[i]|0x20&(s[i]>>1))
		if digit < 0 {
			return lo, hi, false
		}
		for bit := 16; bit > 0; bit >>= 1 {
			a, b := &lo.lng, &hi.lng
			if !even {
				a, b = &lo.lat, &hi.lat
			}
			if mid := (*a + *b) / 2; digit&bit != 0 {
				*a = mid
			} else {
				*b = mid
			}
			even = !even
		}
	}
	return lo, hi, true
}

// geohashNeighbors are the cells around.
func geohashNeighbors(s string) any {
	lo, hi, ok := geohashBox(s)
	if !ok {
		return nil
	}
	w, h := hi.lng-lo.lng, hi.lat-lo.lat
	var out []any
	seen := map[string]bool{s: true}
	for _, d := range [][2]float64{{-1, -1}, {-1, 1}, {1, -1}, {0, 1}, {-1, 0}, {1, 1}, {1, 0}, {0, -1}} {
		p := spot{(lo.lng+hi.lng)/2 + d[0]*w, (lo.lat+hi.lat)/2 + d[1]*h}
		if p.lat > 90 || p.lat < -90 {
			continue
		}
		p.lng = math.Mod(p.lng+540, 360) - 180
		if c := geohash(p, len(s)); !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	return write(out)
}

func s2cell(s string) (s2.CellID, bool) {
	if s == "" || len(s) > 16 {
		return 0, false
	}
	id := s2.CellIDFromToken(s)
	if !id.IsValid() {
		return s2.CellIDFromFace(0), false
	}
	return id, true
}

func h3cell(s string) (h3.Cell, bool) {
	if s == "" || len(s) > 16 {
		return 0, false
	}
	for i := range len(s) {
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return 0, false
		}
	}
	c := h3.Cell(h3.IndexFromString(s))
	return c, c.IsValid()
}

func h3list(list []h3.Cell) any {
	out := []any{}
	for _, c := range list {
		if c != 0 {
			out = append(out, c.String())
		}
	}
	return write(out)
}

// region makes shapes known to S2's coverer.
func (s shape) region() s2.RegionUnion {
	var out s2.RegionUnion
	for _, l := range s.lines {
		line := s2.Polyline(points(l))
		out = append(out, &line)
	}
	for _, rings := range s.polygons {
		var loops []*s2.Loop
		for _, r := range rings {
			loops = append(loops, loop(r))
		}
		out = append(out, s2.PolygonFromLoops(loops))
	}
	return out
}

// coverS2 lists the cells of a level that a shape touches; a radius in metres widens it.
func coverS2(a []any, read func(any) (shape, bool)) any {
	s, ok := read(a[0])
	level := given(a, 1, 11)
	radius := 0.0
	if len(a) > 2 {
		radius = real(a[2])
	}
	if !ok || level < 0 || level > s2.MaxLevel || radius < 0 || radius > 1e6 {
		return nil
	}
	if s.area() > s2.AvgAreaMetric.Value(int(level))*mostCells {
		return nil
	}
	regions := s.region()
	coverer := &s2.RegionCoverer{MinLevel: int(level), MaxLevel: int(level), MaxCells: mostCells, LevelMod: 1}
	union := coverer.Covering(&regions)
	if radius > 0 {
		union.ExpandByRadius(s1.Angle(radius/earthRadius), 2)
		if union.LeafCellsCovered() > int64(mostCells)<<(2*(s2.MaxLevel-level)) {
			return nil
		}
	}
	union.Denormalize(int(level), 1)
	if len(union) > mostCells {
		return nil
	}
	out := make([]any, len(union))
	for i, c := range union {
		out[i] = c.Parent(int(level)).ToToken()
	}
	return write(out)
}

// coverH3 lists the cells of a resolution whose centre is in a polygon.
func coverH3(a []any) any {
	s, ok := polygonOf(a[0])
	n := given(a, 1, 6)
	if !ok || n < 0 || n > 15 || s.area() > 4*math.Pi/float64(h3.NumCells(int(n)))*mostCells {
		return nil
	}
	loopOf := func(r []spot) (out h3.GeoLoop) {
		for _, p := range r[:len(r)-1] {
			out = append(out, h3.NewLatLng(p.lat, p.lng))
		}
		return out
	}
	var all []h3.Cell
	for _, rings := range s.polygons {
		p := h3.GeoPolygon{GeoLoop: loopOf(rings[0])}
		for _, r := range rings[1:] {
			p.Holes = append(p.Holes, loopOf(r))
		}
		all = append(all, p.Cells(int(n))...)
	}
	return h3list(all)
}
