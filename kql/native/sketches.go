package native

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// sketches are the summaries that can be merged: hll counts distinct values,
// tdigest estimates percentiles. Their stored form is our own, a dynamic that
// only these functions read.
// Source: Kusto, "Using hll() and tdigest()", and the page of each function.
func sketches() []Function {
	return []Function{
		// hll_of takes hashes joined by commas
		{Name: "hll_of", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			s := &hll{}
			for _, word := range strings.Split(str(a[0]), ",") {
				if h, err := strconv.ParseInt(word, 10, 64); err == nil {
					s.add(uint64(h))
				}
			}
			return s.text()
		}},
		{Name: "hll_merge", Variadic: tDyn, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			all := &hll{}
			for _, x := range a {
				one, ok := readHLL(x)
				if !ok && x != nil {
					return nil
				}
				all.merge(one)
			}
			return all.text()
		}},
		{Name: "hll_merge_list", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			all := &hll{}
			list, _ := array(a[0])
			for _, x := range list {
				if one, ok := readHLL(write(x)); ok {
					all.merge(one)
				}
			}
			return all.text()
		}},
		{Name: "dcount_hll", Params: types(tDyn), Least: 1, Result: tLong, Eval: func(a []any) any {
			s, ok := readHLL(a[0])
			if !ok {
				return nil
			}
			return s.count()
		}},
		{Name: "hll_isvalid", Params: types(tDyn, tText), Least: 1, Nulls: true, Result: tBool, Eval: func(a []any) any {
			_, ok := readHLL(a[0])
			return ok
		}},
		// tdigest_of takes pairs "value weight" joined by commas
		{Name: "tdigest_of", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			var d digest
			for _, pair := range strings.Split(str(a[0]), ",") {
				v, w, _ := strings.Cut(pair, " ")
				value, err1 := strconv.ParseFloat(v, 64)
				weight, err2 := strconv.ParseFloat(w, 64)
				if err1 == nil && err2 == nil && weight > 0 && !math.IsNaN(value) {
					d = append(d, centroid{value, weight})
				}
			}
			return d.text()
		}},
		{Name: "tdigest_merge", Variadic: tDyn, Nulls: true, Result: tDyn, Eval: func(a []any) any {
			var all digest
			for _, x := range a {
				one, ok := readDigest(x)
				if !ok && x != nil {
					return nil
				}
				all = append(all, one...)
			}
			return all.text()
		}},
		{Name: "tdigest_merge_list", Params: types(tDyn), Least: 1, Result: tDyn, Eval: func(a []any) any {
			var all digest
			list, _ := array(a[0])
			for _, x := range list {
				if one, ok := readDigest(write(x)); ok {
					all = append(all, one...)
				}
			}
			return all.text()
		}},
		{Name: "tdigest_isvalid", Params: types(tDyn, tText), Least: 1, Nulls: true, Result: tBool, Eval: func(a []any) any {
			_, ok := readDigest(a[0])
			return ok
		}},
		{Name: "percentile_tdigest", Params: types(tDyn, tReal, tText), Least: 2, Result: tDyn, Eval: func(a []any) any {
			d, ok := readDigest(a[0])
			if !ok || len(d) == 0 {
				return nil
			}
			return write(d.percentile(real(a[1])))
		}},
		{Name: "percentiles_array_tdigest", Params: types(tDyn), Least: 1, Variadic: tDyn, Result: tDyn, Eval: func(a []any) any {
			d, ok := readDigest(a[0])
			if !ok || len(d) == 0 {
				return nil
			}
			out := []any{}
			for _, p := range a[1:] {
				if list, ok := floats(p); ok {
					for _, f := range list {
						out = append(out, d.percentile(f))
					}
				} else if v, ok := read(str(p)); ok {
					out = append(out, d.percentile(number(v)))
				}
			}
			return write(out)
		}},
		{Name: "rank_tdigest", Params: types(tDyn, tReal), Least: 2, Result: tReal, Eval: func(a []any) any {
			d, ok := readDigest(a[0])
			if !ok {
				return nil
			}
			return d.rank(real(a[1]))
		}},
		{Name: "percentrank_tdigest", Params: types(tDyn, tReal), Least: 2, Result: tReal, Eval: func(a []any) any {
			d, ok := readDigest(a[0])
			if total := d.weight(); ok && total > 0 {
				return 100 * d.rank(real(a[1])) / total
			}
			return nil
		}},
	}
}

// hll keeps hashes while they are few, then for each of 2^14 groups of them
// the longest run of zeros. Source: Flajolet et al., HyperLogLog, 2007.
type hll struct {
	few       map[uint64]bool
	registers []byte
}

const (
	hllBits = 14
	hllFew  = 4096
)

func (s *hll) add(h uint64) {
	if s.registers == nil {
		if s.few == nil {
			s.few = map[uint64]bool{}
		}
		s.few[h] = true
		if len(s.few) > hllFew {
			s.dense()
		}
		return
	}
	i := h >> (64 - hllBits)
	run := byte(bits.LeadingZeros64(h<<hllBits|1<<(hllBits-1)) + 1)
	s.registers[i] = max(s.registers[i], run)
}

func (s *hll) dense() {
	few := s.few
	s.few, s.registers = nil, make([]byte, 1<<hllBits)
	for h := range few {
		s.add(h)
	}
}

func (s *hll) merge(o *hll) {
	if o == nil {
		return
	}
	for h := range o.few {
		s.add(h)
	}
	if o.registers == nil {
		return
	}
	if s.registers == nil {
		s.dense()
	}
	for i, r := range o.registers {
		s.registers[i] = max(s.registers[i], r)
	}
}

func (s *hll) count() int64 {
	if s.registers == nil {
		return int64(len(s.few))
	}
	m := float64(len(s.registers))
	sum, zeros := 0.0, 0.0
	for _, r := range s.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/zeros)
	}
	return int64(math.Round(estimate))
}

// text is ["hll", hashes as texts] or ["hll", registers in base64].
func (s *hll) text() any {
	if s.registers != nil {
		return write([]any{"hll", base64.StdEncoding.EncodeToString(s.registers)})
	}
	hashes := make([]uint64, 0, len(s.few))
	for h := range s.few {
		hashes = append(hashes, h)
	}
	slices.Sort(hashes)
	list := make([]any, len(hashes))
	for i, h := range hashes {
		list[i] = strconv.FormatUint(h, 16)
	}
	return write([]any{"hll", list})
}

func readHLL(a any) (*hll, bool) {
	list, ok := array(a)
	if !ok || len(list) != 2 || list[0] != "hll" {
		return nil, false
	}
	s := &hll{}
	switch v := list[1].(type) {
	case string:
		registers, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(registers) != 1<<hllBits {
			return nil, false
		}
		s.registers = registers
	case []any:
		for _, x := range v {
			text, _ := x.(string)
			h, err := strconv.ParseUint(text, 16, 64)
			if err != nil {
				return nil, false
			}
			s.add(h)
		}
	default:
		return nil, false
	}
	return s, true
}

// digest is values with their weights in order. Up to mostCentroids are kept
// as they are; of more, neighbours are joined, fewer at the ends.
// Source: Dunning and Ertl, Computing extremely accurate quantiles using t-digests.
type digest []centroid

type centroid struct{ value, weight float64 }

const mostCentroids = 2000

func (d digest) weight() (sum float64) {
	for _, c := range d {
		sum += c.weight
	}
	return sum
}

func (d digest) compressed() digest {
	slices.SortFunc(d, func(x, y centroid) int {
		switch {
		case x.value < y.value:
			return -1
		case x.value > y.value:
			return 1
		}
		return 0
	})
	if len(d) <= mostCentroids {
		return d
	}
	total, seen := d.weight(), 0.0
	scale := func(q float64) float64 { return mostCentroids / 2 / math.Pi * math.Asin(2*min(max(q, 0), 1)-1) }
	var out digest
	from := scale(0)
	for _, c := range d {
		last := len(out) - 1
		if last >= 0 && scale((seen+c.weight)/total)-from <= 1 {
			sum := out[last].weight + c.weight
			out[last] = centroid{out[last].value + (c.value-out[last].value)*c.weight/sum, sum}
		} else {
			out, from = append(out, c), scale(seen/total)
		}
		seen += c.weight
	}
	return out
}

func (d digest) text() any {
	list := []any{}
	for _, c := range d.compressed() {
		list = append(list, c.value, c.weight)
	}
	return write([]any{"tdigest", list})
}

func readDigest(a any) (digest, bool) {
	list, ok := array(a)
	if !ok || len(list) != 2 || list[0] != "tdigest" {
		return nil, false
	}
	numbers, ok := list[1].([]any)
	if !ok || len(numbers)%2 != 0 {
		return nil, false
	}
	var d digest
	for i := 0; i < len(numbers); i += 2 {
		if _, ok := numbers[i+1].(json.Number); !ok {
			return nil, false
		}
		d = append(d, centroid{number(numbers[i]), number(numbers[i+1])})
	}
	return d, true
}

// percentile is the least value that so many of a hundred are not above.
func (d digest) percentile(p float64) float64 {
	least, at := d.weight()*min(max(p, 0), 100)/100, 0.0
	for _, c := range d {
		if at += c.weight; at >= least {
			return c.value
		}
	}
	return d[len(d)-1].value
}

// rank is how many values are not above v.
func (d digest) rank(v float64) (sum float64) {
	for _, c := range d {
		if c.value <= v {
			sum += c.weight
		}
	}
	return sum
}
