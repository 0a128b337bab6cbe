package native

import (
	"context"
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// PatternSettings is how patterns over columns are looked for. A row as the
// step sees it holds the columns' values, then the row's weight and, for
// differences, the text that tells its side.
type PatternSettings struct {
	Columns   int
	Weighted  bool
	Threshold float64 // the least share of the rows; of differences the least difference of shares
	Most      int     // how many values that don't follow from each other a pattern has
	Size      float64 // what coverage weighs against the number of values
	Seeds     int     // from how many rows a search starts
	A, B      string  // the sides
}

// The bounds of a search for patterns.
const (
	mostPatterns     = 100_000
	mostPatternSteps = 200_000_000
)

// openColumn stands in a column that a pattern leaves open.
const openColumn = -1

// patternRows are the rows put together where all columns are equal, and their weight on each side.
type patternRows struct {
	ctx     context.Context
	cols    int
	codes   [][]int32 // of each kind of row: its values' numbers
	rows    []int     // how many rows are of the kind
	weights [2][]float64
	total   [2]float64
	first   [][]int // by column and value: the number of the first row that holds it
	steps   int
}

// pattern is a value, or openColumn, for each column, and the kinds of rows that have it.
type pattern struct {
	values  []int32
	kinds   []int32
	rows    int
	weights [2]float64
	score   float64
}

// readPatterns numbers the values. side tells which side a row is on, or -1 for none.
func readPatterns(ctx context.Context, s *PatternSettings, in Rows, side func(row int) int) (*patternRows, error) {
	t := &patternRows{ctx: ctx, cols: s.Columns, first: make([][]int, s.Columns)}
	numbers := make([]map[string]int32, s.Columns)
	for c := range numbers {
		numbers[c] = map[string]int32{}
	}
	kinds := map[string]int{}
	var text strings.Builder
	for i := range in {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		on, weight := side(i), 1.0
		if s.Weighted {
			weight = in.at(i, s.Columns).GetFloat64()
		}
		if on < 0 || !(weight > 0) {
			continue
		}
		codes := make([]int32, s.Columns)
		var key []byte
		for c := range codes {
			text.Reset()
			writeParsed(&text, in.at(i, c))
			n, ok := numbers[c][text.String()]
			if !ok {
				n = int32(len(t.first[c]))
				numbers[c][text.String()] = n
				t.first[c] = append(t.first[c], i+1)
			}
			codes[c] = n
			key = strconv.AppendInt(append(key, ','), int64(n), 36)
		}
		k, ok := kinds[string(key)]
		if !ok {
			k = len(t.codes)
			kinds[string(key)] = k
			t.codes, t.rows = append(t.codes, codes), append(t.rows, 0)
			t.weights[0], t.weights[1] = append(t.weights[0], 0), append(t.weights[1], 0)
		}
		t.rows[k]++
		t.weights[on][k] += weight
		t.total[on] += weight
	}
	return t, nil
}

// step counts work, and ends a search that takes too much of it.
func (t *patternRows) step(n int) error {
	before := t.steps
	if t.steps += n; t.steps > mostPatternSteps {
		return refuse("the search for patterns takes more than %d steps: project the columns that matter, or raise the threshold", mostPatternSteps)
	}
	if t.steps>>16 != before>>16 {
		return t.ctx.Err()
	}
	return nil
}

// of makes the pattern of such rows: all values that they share.
func (t *patternRows) of(kinds []int32) *pattern {
	p := &pattern{values: append([]int32{}, t.codes[kinds[0]]...), kinds: kinds}
	for _, k := range kinds {
		for c, v := range t.codes[k] {
			if p.values[c] != v {
				p.values[c] = openColumn
			}
		}
		p.rows += t.rows[k]
		p.weights[0] += t.weights[0][k]
		p.weights[1] += t.weights[1][k]
	}
	return p
}

// frequent finds the patterns that enough rows have: those to which no value
// can be added without losing rows. They are found by size, as Apriori does: a pattern
// that most values make comes from one that one value less makes.
func (t *patternRows) frequent(most int, enough func(a, b float64) bool) (found []*pattern, err error) {
	if len(t.codes) == 0 {
		return nil, nil
	}
	all := make([]int32, len(t.codes))
	for i := range all {
		all[i] = int32(i)
	}
	level := []*pattern{t.of(all)}
	seen := map[string]bool{}
	take := func(p *pattern) bool {
		key := p.key()
		if seen[key] {
			return false
		}
		seen[key] = true
		if p.size() > 0 {
			found = append(found, p)
		}
		return true
	}
	take(level[0])
	for depth := 0; depth < most && len(level) > 0; depth++ {
		var next []*pattern
		for _, p := range level {
			for c := range t.cols {
				if p.values[c] != openColumn {
					continue
				}
				if err := t.step(2 * len(p.kinds)); err != nil {
					return nil, err
				}
				for _, kinds := range t.parts(p.kinds, c, enough) {
					if q := t.of(kinds); take(q) {
						next = append(next, q)
					}
				}
				if len(found) > mostPatterns {
					return nil, refuse("there are more than %d patterns: project the columns that matter, or raise the threshold", mostPatterns)
				}
			}
			p.kinds = nil
		}
		level = next
	}
	return found, nil
}

// parts divides kinds of rows by their value in a column, the first first, and keeps those that are enough.
func (t *patternRows) parts(kinds []int32, column int, enough func(a, b float64) bool) (out [][]int32) {
	var weights [2]map[int32]float64
	for side := range weights {
		weights[side] = map[int32]float64{}
		for _, k := range kinds {
			weights[side][t.codes[k][column]] += t.weights[side][k]
		}
	}
	at := map[int32]int{}
	for _, k := range kinds {
		v := t.codes[k][column]
		if !enough(weights[0][v], weights[1][v]) {
			continue
		}
		i, ok := at[v]
		if !ok {
			i = len(out)
			at[v], out = i, append(out, nil)
		}
		out[i] = append(out[i], k)
	}
	return out
}

func (p *pattern) key() string {
	var b []byte
	for _, v := range p.values {
		b = strconv.AppendInt(append(b, ','), int64(v), 36)
	}
	return string(b)
}

// size is how many columns the pattern says a value of.
func (p *pattern) size() (n int) {
	for _, v := range p.values {
		if v != openColumn {
			n++
		}
	}
	return n
}

// within tells that p says all that q says.
func (p *pattern) within(q *pattern) bool {
	for c, v := range q.values {
		if v != openColumn && p.values[c] != v {
			return false
		}
	}
	return true
}

// byScore puts the best pattern first, of equals the one that says more; else they keep their order.
func byScore(list []*pattern) {
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].score != list[j].score {
			return list[i].score > list[j].score
		}
		return list[i].size() > list[j].size()
	})
}

// answer gives a row a pattern: its number, its measures, for each column whether
// it is open, and the first row that holds the value.
func (t *patternRows) answer(list []*pattern, measures func(p *pattern) []float64) *Answer {
	count := len(measures(&pattern{}))
	a := newAnswer(t.cols, 1+count+t.cols)
	for i, p := range list {
		places := make([]int, t.cols)
		for c, v := range p.values {
			if v != openColumn {
				places[c] = t.first[c][v]
			}
		}
		a.add(places...)
		a.put(0, itoa(i))
		for k, m := range measures(p) {
			a.put(1+k, strconv.FormatFloat(m, 'f', -1, 64))
		}
		for c, v := range p.values {
			a.put(1+count+c, strconv.FormatBool(v == openColumn))
		}
	}
	return a
}

// share is the measures of patterns over one set: how much they cover, and what part of a hundred that is.
func (t *patternRows) share(p *pattern) []float64 {
	if t.total[0] == 0 {
		return []float64{0, 0}
	}
	return []float64{p.weights[0], 100 * p.weights[0] / t.total[0]}
}

// basket finds the patterns that a share of the rows has.
// Source: Kusto, the basket plugin: Apriori, with what follows from a pattern as a part of it.
func basket(ctx context.Context, settings string, in []Rows, _ []*fastjson.Value) (*Answer, error) {
	s, t, err := patternsOf(ctx, settings, in[0])
	if err != nil {
		return nil, err
	}
	list, err := t.frequent(s.Most, func(w, _ float64) bool { return w >= s.Threshold*t.total[0] })
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		p.score = p.weights[0]
	}
	byScore(list)
	return t.answer(list, t.share), nil
}

func patternsOf(ctx context.Context, settings string, in Rows) (*PatternSettings, *patternRows, error) {
	var s PatternSettings
	if err := json.Unmarshal([]byte(settings), &s); err != nil {
		return nil, nil, err
	}
	t, err := readPatterns(ctx, &s, in, func(int) int { return 0 })
	return &s, t, err
}

// autocluster finds few patterns that cover many rows and say many values: from
// each of the most frequent rows it goes by the value that most rows share to the
// next, and keeps the best on the way. Rows that a pattern covers begin no search.
// Source: Kusto, the autocluster plugin (the weighted geometric mean), and the name of its method, Seed-Expand.
func autocluster(ctx context.Context, settings string, in []Rows, _ []*fastjson.Value) (*Answer, error) {
	s, t, err := patternsOf(ctx, settings, in[0])
	if err != nil {
		return nil, err
	}
	seeds := make([]int, len(t.codes))
	for i := range seeds {
		seeds[i] = i
	}
	sort.SliceStable(seeds, func(i, j int) bool { return t.weights[0][seeds[i]] > t.weights[0][seeds[j]] })
	covered := make([]bool, len(t.codes))
	var found []*pattern
	searched := 0
	for _, seed := range seeds {
		if covered[seed] {
			continue
		}
		if searched++; searched > s.Seeds {
			break
		}
		best, err := t.expand(seed, s.Size)
		if err != nil {
			return nil, err
		}
		if best == nil || best.rows < 2 {
			continue
		}
		for _, k := range best.kinds {
			covered[k] = true
		}
		found = append(found, best)
	}
	byScore(found)
	return t.answer(found, t.share), nil
}

// expand gives the best pattern that a row leads to.
func (t *patternRows) expand(seed int, size float64) (best *pattern, err error) {
	codes := t.codes[seed]
	kinds := make([]int32, len(t.codes))
	for i := range kinds {
		kinds[i] = int32(i)
	}
	chosen := make([]bool, t.cols)
	for n := 1; n <= t.cols; n++ {
		if err := t.step(len(kinds) * (t.cols - n + 1)); err != nil {
			return nil, err
		}
		column, most := -1, 0.0
		for c := range t.cols {
			if chosen[c] {
				continue
			}
			w := 0.0
			for _, k := range kinds {
				if t.codes[k][c] == codes[c] {
					w += t.weights[0][k]
				}
			}
			if column < 0 || w > most {
				column, most = c, w
			}
		}
		chosen[column] = true
		var kept []int32
		for _, k := range kinds {
			if t.codes[k][column] == codes[column] {
				kept = append(kept, k)
			}
		}
		kinds = kept
		score := math.Pow(most/t.total[0], size) * math.Pow(float64(n)/float64(t.cols), 1-size)
		if best != nil && score < best.score {
			continue
		}
		best = &pattern{values: make([]int32, t.cols), kinds: kinds, score: score, weights: [2]float64{most}}
		for c := range best.values {
			if best.values[c] = openColumn; chosen[c] {
				best.values[c] = codes[c]
			}
		}
		for _, k := range kinds {
			best.rows += t.rows[k]
		}
	}
	return best, nil
}

// diffpatterns finds the patterns that two sets of rows have in different
// shares. Of two patterns of which one says all that the other says, the one with the larger difference stays.
// Source: Kusto, the diffpatterns plugin.
func diffpatterns(ctx context.Context, settings string, in []Rows, _ []*fastjson.Value) (*Answer, error) {
	var s PatternSettings
	if err := json.Unmarshal([]byte(settings), &s); err != nil {
		return nil, err
	}
	last := s.Columns
	if s.Weighted {
		last++
	}
	t, err := readPatterns(ctx, &s, in[0], func(row int) int {
		switch textOf(in[0].at(row, last)) {
		case s.A:
			return 0
		case s.B:
			return 1
		}
		return -1
	})
	if err != nil {
		return nil, err
	}
	measures := func(p *pattern) []float64 {
		var percent [2]float64
		for side := range percent {
			if t.total[side] > 0 {
				percent[side] = 100 * p.weights[side] / t.total[side]
			}
		}
		a, b := percent[0], percent[1]
		return []float64{p.weights[0], p.weights[1], hundredths(a), hundredths(b), hundredths(math.Abs(a - b))}
	}
	share := func(side int, w float64) float64 {
		if t.total[side] == 0 {
			return 0
		}
		return w / t.total[side]
	}
	list, err := t.frequent(s.Most, func(a, b float64) bool { return share(0, a) >= s.Threshold || share(1, b) >= s.Threshold })
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		p.score = math.Abs(share(0, p.weights[0]) - share(1, p.weights[1]))
	}
	byScore(list)
	var kept []*pattern
	for _, p := range list {
		if p.score < s.Threshold {
			break
		}
		told := false
		for _, q := range kept {
			told = told || p.within(q) || q.within(p)
		}
		if !told {
			kept = append(kept, p)
		}
		if err := t.step(t.cols * (1 + len(kept))); err != nil {
			return nil, err
		}
	}
	return t.answer(kept, measures), nil
}

func hundredths(v float64) float64 { return math.Round(100*v) / 100 }
