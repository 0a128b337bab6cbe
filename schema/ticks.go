package schema

import (
	"fmt"
	"strings"
	"time"
)

// Ticks is a point in time, or a length of time, in units of 100 ns. A point
// counts from 0001-01-01T00:00:00Z, as Kusto's own datetime does, so that
// arithmetic on both is plain integer arithmetic. Zero as a point means
// "no time" wherever a field says so.
type Ticks int64

// Lengths of time.
const (
	Microsecond Ticks = 10
	Millisecond       = 1000 * Microsecond
	Second            = 1000 * Millisecond
	Minute            = 60 * Second
	Hour              = 60 * Minute
	Day               = 24 * Hour
)

// The first and last point that a datetime can be: 0001-01-01 and 9999-12-31T23:59:59.9999999Z.
const (
	MinTicks Ticks = 0
	MaxTicks Ticks = 3155378975999999999
)

// unixEpoch is 1970-01-01 in ticks.
const unixEpoch Ticks = 621355968000000000

// At gives the point of a time.Time, cut to 100 ns. The zero time gives 0.
func At(t time.Time) Ticks {
	return unixEpoch + Ticks(t.Unix())*Second + Ticks(t.Nanosecond()/100)
}

// Span gives a duration in ticks, cut to 100 ns.
func Span(d time.Duration) Ticks { return Ticks(d / 100) }

// Time gives the point as UTC.
func (t Ticks) Time() time.Time {
	since := t - unixEpoch
	sec, rest := since/Second, since%Second
	if rest < 0 {
		sec, rest = sec-1, rest+Second
	}
	return time.Unix(int64(sec), int64(rest)*100).UTC()
}

// Duration gives a length as time.Duration; lengths over 292 years saturate.
func (t Ticks) Duration() time.Duration {
	const most = Ticks(1<<63-1) / 100
	if t > most {
		return 1<<63 - 1
	}
	if t < -most {
		return -1 << 63
	}
	return time.Duration(t) * 100
}

// String prints a point as Kusto and the Microsoft APIs do, with all seven
// fractional digits: 2026-01-05T10:00:00.0000000Z.
func (t Ticks) String() string {
	u := t.Time()
	text := u.AppendFormat(make([]byte, 0, 32), "2006-01-02T15:04:05.0000000")
	return string(append(text, 'Z'))
}

// RFC3339 prints a point with only as many fractional digits as it needs.
func (t Ticks) RFC3339() string { return t.Time().Format(time.RFC3339Nano) }

// MarshalText writes the point as String does; zero is the empty text.
func (t Ticks) MarshalText() ([]byte, error) {
	if t == 0 {
		return nil, nil
	}
	return []byte(t.String()), nil
}

// UnmarshalText reads what ParseTicks reads; the empty text is zero.
func (t *Ticks) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*t = 0
		return nil
	}
	*t, err = ParseTicks(string(text))
	return err
}

// layouts are the text forms of a point that sources are known to send, most
// frequent first. A form without a zone is UTC.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
	"01/02/2006 15:04:05", "1/2/2006 3:04:05 PM",
}

// ParseTicks reads a point in any of the forms that sources send. Digits past
// 100 ns are cut. The error names the text.
func ParseTicks(text string) (Ticks, error) {
	text = strings.TrimSpace(text)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			if y := t.UTC().Year(); y < 1 || y > 9999 {
				break
			}
			return At(t.UTC()), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time (want for example 2026-01-05T10:00:00Z)", text)
}
