package connector

import (
	"math"

	"lockstep/schema"
)

// Latency is how long changes took from one side to being visible on the other.
type Latency struct {
	Count    int64        `json:"count"`
	P50      schema.Ticks `json:"p50"`
	P99      schema.Ticks `json:"p99"`
	Greatest schema.Ticks `json:"greatest"`
}

// histogram counts lengths of time in buckets that grow by one percent, so
// that a quantile is right to that percent.
type histogram struct {
	count    int64
	greatest schema.Ticks
	buckets  []int64
}

const growth = 1.01

func (h *histogram) add(d schema.Ticks) {
	d = max(d, 0)
	at := 0
	if d > schema.Microsecond {
		at = int(math.Log(float64(d)/float64(schema.Microsecond))/math.Log(growth)) + 1
	}
	for len(h.buckets) <= at {
		h.buckets = append(h.buckets, 0)
	}
	h.buckets[at]++
	h.count++
	h.greatest = max(h.greatest, d)
}

// quantile is a length that a part q of the counted ones doesn't exceed.
func (h *histogram) quantile(q float64) schema.Ticks {
	rest := int64(math.Ceil(q * float64(h.count)))
	for at, n := range h.buckets {
		if rest -= n; rest <= 0 && n > 0 {
			top := schema.Ticks(float64(schema.Microsecond) * math.Pow(growth, float64(at)))
			return min(top, h.greatest)
		}
	}
	return 0
}

func (h *histogram) latency() Latency {
	return Latency{Count: h.count, P50: h.quantile(0.5), P99: h.quantile(0.99), Greatest: h.greatest}
}
