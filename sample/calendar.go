package sample

import (
	"sort"

	"lockstep/schema"
)

// grid spreads a number of rows over the hours of the sample, and gives the
// time of each by itself, in order.
type grid struct {
	start schema.Ticks
	kind  uint64 // label of the table, for the jitter
	seed  uint64
	whole bool    // times of whole seconds, as mail and cloud logs have them
	upTo  []int64 // upTo[h]: rows before hour h
}

// newGrid spreads n rows over hours by the weight of each hour.
func newGrid(seed uint64, kind string, start schema.Ticks, hours int, n int64, rhythm rhythm, whole bool) *grid {
	g := &grid{start: start, kind: label(kind), seed: seed, whole: whole, upTo: make([]int64, hours+1)}
	sum, total := 0, 0
	for h := range hours {
		total += rhythm.weight(start + schema.Ticks(h)*schema.Hour)
	}
	for h := range hours {
		sum += rhythm.weight(start + schema.Ticks(h)*schema.Hour)
		g.upTo[h+1] = n * int64(sum) / int64(total)
	}
	return g
}

// len is the number of rows.
func (g *grid) len() int64 { return g.upTo[len(g.upTo)-1] }

// hour finds the hour of row i.
func (g *grid) hour(i int64) int {
	return sort.Search(len(g.upTo), func(h int) bool { return g.upTo[h] > i }) - 1
}

// at is the time of row i; rows are in order.
func (g *grid) at(i int64) schema.Ticks {
	h := g.hour(i)
	n := g.upTo[h+1] - g.upTo[h]
	step := int64(schema.Hour) / n
	d := start(g.seed, g.kind, i)
	offset := (i-g.upTo[h])*step + int64(d.next()>>44)*step>>20
	t := g.start + schema.Ticks(h)*schema.Hour + schema.Ticks(offset)
	if g.whole {
		t -= t % schema.Second
	}
	return t
}

// under maps row i to a row of another grid that lies in the same hour, or
// else to the last one before it. The mapping keeps order, so that what
// follows from a row (the links of a mail) can be made beside it.
func (g *grid) under(i int64, other *grid) int64 {
	h := g.hour(i)
	n, m := g.upTo[h+1]-g.upTo[h], other.upTo[h+1]-other.upTo[h]
	j := other.upTo[h]
	if m > 0 {
		j += (i - g.upTo[h]) * m / n
	} else {
		j--
	}
	return max(0, min(j, other.len()-1))
}

// over counts the rows of g that under maps to row j of the other grid.
func (g *grid) over(j int64, other *grid) int64 {
	h := other.hour(j)
	n, m := g.upTo[h+1]-g.upTo[h], other.upTo[h+1]-other.upTo[h]
	k := j - other.upTo[h]
	count := ceil((k+1)*n, m) - ceil(k*n, m)
	if k == m-1 { // those of the empty hours after it
		for e := h + 1; e+1 < len(g.upTo) && other.upTo[e] == other.upTo[e+1]; e++ {
			count += g.upTo[e+1] - g.upTo[e]
		}
	}
	if j == 0 { // and of those before the first
		count += g.upTo[h]
	}
	return count
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// rhythm is how busy each hour of a working day is, in parts of 100, and what
// share of it is left at a weekend.
type rhythm struct {
	hours   [24]int
	weekend int // percent
}

// The rhythms of people and of machines. All times are UTC, where the sample
// company is at home.
var (
	people = rhythm{weekend: 22, hours: [24]int{
		6, 5, 4, 4, 5, 9, 25, 60, 92, 100, 98, 95, 72, 88, 97, 94, 85, 60, 35, 24, 18, 15, 11, 8}}
	machines = rhythm{weekend: 80, hours: [24]int{
		62, 95, 88, 60, 55, 55, 60, 75, 92, 98, 100, 97, 90, 92, 95, 94, 90, 78, 68, 62, 60, 58, 70, 64}}
)

func (r rhythm) weight(t schema.Ticks) int {
	w := r.hours[int(t%schema.Day/schema.Hour)] * 100
	// 0001-01-01, where ticks begin, was a Monday.
	if t/schema.Day%7 >= 5 {
		w = w * r.weekend / 100
	}
	return max(w, 1)
}
