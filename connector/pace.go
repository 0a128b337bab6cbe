package connector

import (
	"errors"

	"lockstep/fault"
	"lockstep/schema"
)

// pace keeps the requests to one end within what it takes: a bucket of tokens
// that fills by the minute, and rest for as long as the end asked for. Each
// runner has one for each end.
type pace struct {
	perMinute int // 0: any number
	tokens    float64
	filled    schema.Ticks // when tokens was right
	until     schema.Ticks // no request before then
	refusals  int          // for too many requests, in a row
}

// reserve is how many tokens the bucket waits for once it is empty, so that a
// decision's reads don't use up one by one what its write needs.
const reserve = 8

// newPace begins with a full bucket.
func newPace(perMinute int, now schema.Ticks) pace {
	return pace{perMinute: perMinute, tokens: float64(perMinute), filled: now}
}

// take takes a token; Throttled, with how long to wait, if no request may be
// made. What is decided already may be written on credit.
func (p *pace) take(now schema.Ticks, credit bool) error {
	if now < p.until {
		return fault.Later((p.until - now).Duration(), "the end wants rest until %s", p.until)
	}
	if p.perMinute == 0 {
		return nil
	}
	perTick := float64(p.perMinute) / float64(schema.Minute)
	p.tokens = min(float64(p.perMinute), p.tokens+float64(now-p.filled)*perTick)
	p.filled = now
	if p.tokens < 1 && !credit {
		p.until = now + schema.Ticks((min(reserve, float64(p.perMinute))-p.tokens)/perTick) + 1
		return fault.Later((p.until - now).Duration(), "the end takes %d requests a minute", p.perMinute)
	}
	p.tokens--
	return nil
}

// heard notes from an answer whether the end wants rest.
func (p *pace) heard(now schema.Ticks, err error) {
	var f *fault.Error
	if err == nil || !errors.As(err, &f) {
		p.refusals = 0
		return
	}
	wait := schema.Span(f.RetryAfter)
	if f.Kind == fault.Throttled {
		if wait == 0 { // it doesn't say how long: twice as long each time
			wait = min(shortestRetry<<min(p.refusals, 20), longestRetry)
		}
		p.refusals++
	}
	p.until = max(p.until, now+wait)
}

// ask reads from an end when its pace allows it.
func ask[T any](f *feeder, now schema.Ticks, request func() (T, error)) (T, error) {
	return paced(f, now, false, request)
}

// order writes to an end unless it wants rest.
func order[T any](f *feeder, now schema.Ticks, request func() (T, error)) (T, error) {
	return paced(f, now, true, request)
}

func paced[T any](f *feeder, now schema.Ticks, credit bool, request func() (T, error)) (answer T, err error) {
	if err := f.pace.take(now, credit); err != nil {
		return answer, err
	}
	answer, err = request()
	f.pace.heard(now, err)
	return answer, err
}
