package native

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lockstep/kql/syntax"
	"lockstep/schema"
)

func times() []Function {
	return []Function{
		{Name: "session_start", Params: types(tText, tSpan), Least: 2, Result: tTime, Eval: sessionStart},
		{Name: "start", Params: types(tText, tTime, tLong), Least: 2, Result: tTime, Eval: func(a []any) any { return start(str(a[0]), num(a[1]), given(a, 2, 0)) }},
		{Name: "end", Params: types(tText, tTime, tLong), Least: 2, Result: tTime, Eval: func(a []any) any {
			t, ok := start(str(a[0]), num(a[1]), given(a, 2, 0)+1).(int64)
			if !ok {
				return nil
			}
			return t - 1
		}},
		{Name: "unixtime", Params: types(tReal, tReal), Least: 2, Result: tTime, Eval: func(a []any) any {
			f := real(a[0]) * real(a[1])
			if f < -6.3e17 || f > 2.6e18 || math.IsNaN(f) {
				return nil
			}
			return valid(int64(schema.At(time.Unix(0, 0))) + int64(math.Round(f)))
		}},
		{Name: "format_datetime", Params: types(tTime, tText), Least: 2, Result: tText, Eval: func(a []any) any { return formatTime(num(a[0]), str(a[1])) }},
		{Name: "format_timespan", Params: types(tSpan, tText), Least: 2, Result: tText, Eval: func(a []any) any { return formatSpan(num(a[0]), str(a[1])) }},
		{Name: "datetime_add", Params: types(tText, tLong, tTime), Least: 3, Result: tTime, Eval: func(a []any) any { return addTime(str(a[0]), num(a[1]), num(a[2])) }},
		{Name: "make_datetime", Params: types(tReal, tReal, tReal, tReal, tReal, tReal), Least: 3, Result: tTime, Eval: makeTime},
		{Name: "make_timespan", Params: types(tLong, tLong, tLong, tLong), Least: 2, Result: tSpan, Eval: func(a []any) any {
			var d, h, m, s int64
			switch len(a) {
			case 2:
				h, m = num(a[0]), num(a[1])
			case 3:
				h, m, s = num(a[0]), num(a[1]), num(a[2])
			default:
				d, h, m, s = num(a[0]), num(a[1]), num(a[2]), num(a[3])
			}
			if d < -10_000_000 || d > 10_000_000 || h < 0 || h > 1e6 || m < 0 || m > 1e6 || s < 0 || s > 1e9 {
				return nil
			}
			return d*int64(schema.Day) + h*int64(schema.Hour) + m*int64(schema.Minute) + s*int64(schema.Second)
		}},
		{Name: "datetime_utc_to_local", Params: types(tTime, tText), Least: 2, Result: tTime, Eval: func(a []any) any {
			loc, err := time.LoadLocation(str(a[1]))
			if err != nil {
				return nil
			}
			t := schema.Ticks(num(a[0])).Time().In(loc)
			return inRange(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC))
		}},
		{Name: "datetime_local_to_utc", Params: types(tTime, tText), Least: 2, Result: tTime, Eval: func(a []any) any {
			loc, err := time.LoadLocation(str(a[1]))
			if err != nil {
				return nil
			}
			return inRange(localToUTC(schema.Ticks(num(a[0])).Time(), loc))
		}},
	}
}

// localToUTC: a time that the clocks skip stands for the moment they skip it;
// of two moments that the clocks show twice it is the later.
// Source: Kusto, datetime_local_to_utc: the example of Brussels in March 2022.
func localToUTC(t time.Time, loc *time.Location) time.Time {
	read := func(offset int) (time.Time, bool) {
		u := t.Add(-time.Duration(offset) * time.Second)
		_, there := u.In(loc).Zone()
		return u, there == offset
	}
	_, before := t.Add(-26 * time.Hour).In(loc).Zone()
	_, after := t.Add(26 * time.Hour).In(loc).Zone()
	if u, ok := read(after); ok {
		return u
	}
	if u, ok := read(before); ok {
		return u
	}
	u, _ := read(max(before, after))
	return u
}

func toDatetime(s string) any {
	t, err := syntax.ParseDateTime(s)
	if err != nil {
		return nil
	}
	return int64(t)
}

func toTimespan(s string) any {
	t, ok := syntax.ParseTimespan(s)
	if !ok {
		return nil
	}
	return int64(t)
}

func valid(n int64) any {
	if n < int64(schema.MinTicks) || n > int64(schema.MaxTicks) {
		return nil
	}
	return n
}

// start gives the beginning of the day, week, month or year of t, offset units on.
func start(unit string, ticks, offset int64) any {
	if offset > 200_000 && unit != "day" || offset < -200_000 && unit != "day" || offset > 4_000_000 || offset < -4_000_000 {
		return nil
	}
	t := schema.Ticks(ticks).Time()
	y, m, d := t.Date()
	switch unit {
	case "day":
		return valid(ticks - ticks%int64(schema.Day) + offset*int64(schema.Day))
	case "week":
		return inRange(time.Date(y, m, d-int(t.Weekday())+7*int(offset), 0, 0, 0, 0, time.UTC))
	case "month":
		return inRange(time.Date(y, m+time.Month(offset), 1, 0, 0, 0, 0, time.UTC))
	case "year":
		return inRange(time.Date(y+int(offset), 1, 1, 0, 0, 0, 0, time.UTC))
	}
	return nil
}

func addTime(unit string, n, ticks int64) any {
	if n > 4e12 || n < -4e12 {
		return nil
	}
	t := schema.Ticks(ticks).Time()
	months := map[string]int64{"month": 1, "quarter": 3, "year": 12}[strings.ToLower(unit)]
	if months != 0 {
		if n > 200_000 || n < -200_000 {
			return nil
		}
		y, m, d := t.Date()
		first := time.Date(y, m+time.Month(n*months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		last := time.Date(first.Year(), first.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return inRange(first.AddDate(0, 0, min(d, last)-1))
	}
	length := map[string]schema.Ticks{"week": 7 * schema.Day, "day": schema.Day, "hour": schema.Hour, "minute": schema.Minute, "second": schema.Second, "millisecond": schema.Millisecond, "microsecond": schema.Microsecond}[strings.ToLower(unit)]
	f := float64(n) * float64(length)
	if length == 0 || f > 4e18 || f < -4e18 {
		return nil
	}
	return valid(ticks + n*int64(length))
}

func makeTime(a []any) any {
	part := [6]float64{1, 1, 1}
	for i := range a {
		part[i] = real(a[i])
	}
	if part[0] < 1 || part[0] > 9999 || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[3] < 0 || part[3] > 23 || part[4] < 0 || part[4] > 59 || part[5] < 0 || part[5] >= 60 {
		return nil
	}
	day := time.Date(int(part[0]), time.Month(part[1]), int(part[2]), 0, 0, 0, 0, time.UTC)
	if day.Day() != int(part[2]) {
		return nil
	}
	return int64(schema.At(day)) + int64(part[3])*int64(schema.Hour) + int64(part[4])*int64(schema.Minute) + int64(math.Round(part[5]*1e7))
}

// formatTime writes a time by a pattern of d, M, y, H, h, m, s, f, F and t.
// Source: Kusto, format_datetime: supported formats.
func formatTime(ticks int64, pattern string) any {
	t := schema.Ticks(ticks).Time()
	fraction := fmt.Sprintf("%07d", ticks%int64(schema.Second))
	var b strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		n := 1
		for i+n < len(pattern) && pattern[i+n] == c && n < longest(c) {
			n++
		}
		i += n
		hour12 := (t.Hour()+11)%12 + 1
		switch c {
		case 'd':
			b.WriteString(padded(t.Day(), n))
		case 'M':
			b.WriteString(padded(int(t.Month()), n))
		case 'y':
			if n <= 2 {
				b.WriteString(padded(t.Year()%100, n))
			} else {
				b.WriteString(padded(t.Year(), n))
			}
		case 'H':
			b.WriteString(padded(t.Hour(), n))
		case 'h':
			b.WriteString(padded(hour12, n))
		case 'm':
			b.WriteString(padded(t.Minute(), n))
		case 's':
			b.WriteString(padded(t.Second(), n))
		case 'f':
			b.WriteString(fraction[:min(n, 7)])
		case 'F':
			b.WriteString(strings.TrimRight(fraction[:min(n, 7)], "0"))
		case 't':
			m := "AM"
			if t.Hour() >= 12 {
				m = "PM"
			}
			b.WriteString(m[:min(n, 2)])
		default:
			b.WriteString(strings.Repeat(string(c), n))
		}
	}
	return b.String()
}

// longest is how many equal letters make one part of a pattern.
func longest(c byte) int {
	switch c {
	case 'y':
		return 4
	case 'f', 'F':
		return 7
	}
	return 2
}

func padded(v, n int) string { return fmt.Sprintf("%0*d", n, v) }

func formatSpan(n int64, pattern string) any {
	u := uint64(n)
	var b strings.Builder
	if n < 0 {
		u = -u
		b.WriteByte('-')
	}
	fraction := fmt.Sprintf("%07d", u%uint64(schema.Second))
	for i := 0; i < len(pattern); {
		c := pattern[i]
		k := 1
		for i+k < len(pattern) && pattern[i+k] == c {
			k++
		}
		i += k
		switch c {
		case 'd':
			fmt.Fprintf(&b, "%0*d", k, u/uint64(schema.Day))
		case 'H', 'h':
			fmt.Fprintf(&b, "%0*d", k, u/uint64(schema.Hour)%24)
		case 'm':
			fmt.Fprintf(&b, "%0*d", k, u/uint64(schema.Minute)%60)
		case 's':
			fmt.Fprintf(&b, "%0*d", k, u/uint64(schema.Second)%60)
		case 'f':
			b.WriteString(fraction[:min(k, 7)])
		case 'F':
			b.WriteString(strings.TrimRight(fraction[:min(k, 7)], "0"))
		default:
			b.WriteString(strings.Repeat(string(c), k))
		}
	}
	return b.String()
}

// sessionStart gives when the session of the last of some times began: one that
// is farther than the limit from the session's first begins another.
func sessionStart(a []any) any {
	var start any
	for _, word := range strings.Split(str(a[0]), ",") {
		t, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			continue
		}
		if first, ok := start.(int64); !ok || t-first > num(a[1]) {
			start = t
		}
	}
	return start
}
