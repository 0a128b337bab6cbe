package rows

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/schema"
)

// parseTime reads a point: 2026-01-05T10:00:01.1234567Z without detours, all
// else by schema.ParseTicks.
func parseTime(b []byte) (schema.Ticks, error) {
	if t, ok := utcTime(b); ok {
		return t, nil
	}
	return schema.ParseTicks(view(b))
}

// daysTo is how many days of a common year are over when a month begins.
var daysTo = [13]int{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

// monthDays is how many days a month has in a common year.
var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// utcTime reads RFC 3339 in UTC, spelt with T and Z. Digits past 100 ns are cut.
func utcTime(b []byte) (schema.Ticks, bool) {
	if len(b) < 20 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[len(b)-1] != 'Z' {
		return 0, false
	}
	year, ok0 := digits(b[0:4])
	month, ok1 := digits(b[5:7])
	day, ok2 := digits(b[8:10])
	hour, ok3 := digits(b[11:13])
	minute, ok4 := digits(b[14:16])
	second, ok5 := digits(b[17:19])
	if !ok0 || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || year < 1 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	last := monthDays[month]
	if leap && month == 2 {
		last = 29
	}
	if day < 1 || day > last {
		return 0, false
	}
	fraction := 0
	if rest := b[19 : len(b)-1]; len(rest) > 0 {
		if rest[0] != '.' || len(rest) < 2 {
			return 0, false
		}
		rest = rest[1:]
		for i := range 7 {
			fraction *= 10
			if i < len(rest) {
				if rest[i] < '0' || rest[i] > '9' {
					return 0, false
				}
				fraction += int(rest[i] - '0')
			}
		}
		for _, c := range cutFront(rest, 7) {
			if c < '0' || c > '9' {
				return 0, false
			}
		}
	}
	y := year - 1
	days := y*365 + y/4 - y/100 + y/400 + daysTo[month] + day - 1
	if leap && month > 2 {
		days++
	}
	return schema.Ticks(days)*schema.Day + schema.Ticks(hour)*schema.Hour + schema.Ticks(minute)*schema.Minute +
		schema.Ticks(second)*schema.Second + schema.Ticks(fraction), true
}

func cutFront(b []byte, n int) []byte { return b[min(n, len(b)):] }

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// ParseSpan reads a timespan as Kusto writes it: [-][days.]hours:minutes[:seconds[.fraction]].
func ParseSpan(s string) (schema.Ticks, bool) {
	s = strings.TrimSpace(s)
	s, negative := strings.CutPrefix(s, "-")
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	var total schema.Ticks
	if d, rest, ok := strings.Cut(parts[0], "."); ok {
		n, ok := bounded(d, 10675199)
		if !ok {
			return 0, false
		}
		total, parts[0] = n*schema.Day, rest
	}
	hours, ok := bounded(parts[0], 23)
	minutes, ok2 := bounded(parts[1], 59)
	if !ok || !ok2 {
		return 0, false
	}
	total += hours*schema.Hour + minutes*schema.Minute
	if len(parts) == 3 {
		whole, fraction, _ := strings.Cut(parts[2], ".")
		seconds, ok := bounded(whole, 59)
		fraction = (fraction + "0000000")[:7]
		part, ok2 := bounded(fraction, 9999999)
		if !ok || !ok2 {
			return 0, false
		}
		total += seconds*schema.Second + part
	}
	if total < 0 {
		return 0, false
	}
	if negative {
		total = -total
	}
	return total, true
}

func bounded(s string, most int64) (schema.Ticks, bool) {
	if s == "" || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return schema.Ticks(n), err == nil && n <= most
}

// PrintSpan writes a timespan as Kusto does: [-][d.]hh:mm:ss[.fffffff].
func PrintSpan(t schema.Ticks) string {
	var b strings.Builder
	u := uint64(t)
	if t < 0 {
		b.WriteByte('-')
		u = -u
	}
	if d := u / uint64(schema.Day); d > 0 {
		fmt.Fprintf(&b, "%d.", d)
	}
	fmt.Fprintf(&b, "%02d:%02d:%02d", u/uint64(schema.Hour)%24, u/uint64(schema.Minute)%60, u/uint64(schema.Second)%60)
	if f := u % uint64(schema.Second); f > 0 {
		fmt.Fprintf(&b, ".%07d", f)
	}
	return b.String()
}
