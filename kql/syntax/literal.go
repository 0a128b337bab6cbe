package syntax

import (
	"math"
	"strconv"
	"strings"

	"lockstep/schema"
)

// spanUnits are the suffixes of a timespan literal, in ticks.
// Source: Kusto, the timespan data type.
var spanUnits = func() map[string]schema.Ticks {
	m := map[string]schema.Ticks{}
	for names, unit := range map[string]schema.Ticks{
		"d day days": schema.Day, "h hr hrs hour hours": schema.Hour, "m min minute minutes": schema.Minute,
		"s sec second seconds": schema.Second, "ms milli millis millisec millisecond milliseconds": schema.Millisecond,
		"microsecond microseconds micro micros microsec": schema.Microsecond, "tick ticks": 1, "nano nanos nanosecond nanoseconds": 0,
	} {
		for _, n := range strings.Fields(names) {
			m[n] = unit
		}
	}
	return m
}()

// ParseSpanLiteral reads 1d, 2.5h, 100ms.
func ParseSpanLiteral(text string) (schema.Ticks, bool) {
	cut := strings.IndexFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
	if cut <= 0 {
		return 0, false
	}
	unit, ok := spanUnits[strings.ToLower(text[cut:])]
	if !ok {
		return 0, false
	}
	if n, err := strconv.ParseInt(text[:cut], 10, 64); err == nil {
		if unit == 0 {
			return schema.Ticks(n / 100), true
		}
		if n > math.MaxInt64/int64(unit) {
			return 0, false
		}
		return schema.Ticks(n) * unit, true
	}
	f, err := strconv.ParseFloat(text[:cut], 64)
	if err != nil || f*float64(unit) > math.MaxInt64 {
		return 0, false
	}
	if unit == 0 {
		return schema.Ticks(math.Round(f / 100)), true
	}
	return schema.Ticks(math.Round(f * float64(unit))), true
}

// ParseTimespan reads the inside of timespan(…) and what totimespan accepts:
// a literal (1d), or [-][d.]hh:mm[:ss[.fffffff]], or a number of days.
func ParseTimespan(text string) (schema.Ticks, bool) {
	text = strings.TrimSpace(text)
	negative := strings.HasPrefix(text, "-")
	body := strings.TrimPrefix(text, "-")
	if body == "" {
		return 0, false
	}
	t, ok := parseClock(body)
	if !ok {
		t, ok = ParseSpanLiteral(strings.ReplaceAll(body, " ", ""))
	}
	if negative {
		t = -t
	}
	return t, ok
}

func parseClock(text string) (schema.Ticks, bool) {
	parts := strings.Split(text, ":")
	if len(parts) > 4 {
		return 0, false
	}
	var days int64
	if len(parts) == 1 { // days alone
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n > 10_675_199 {
			return 0, false
		}
		return schema.Ticks(n) * schema.Day, true
	}
	if len(parts) == 4 {
		n, err := strconv.ParseInt(parts[0], 10, 64)
		if err != nil {
			return 0, false
		}
		days, parts = n, parts[1:]
	} else if d, h, ok := strings.Cut(parts[0], "."); ok {
		n, err := strconv.ParseInt(d, 10, 64)
		if err != nil {
			return 0, false
		}
		days, parts[0] = n, h
	}
	if days > 10_675_199 {
		return 0, false
	}
	total := schema.Ticks(days) * schema.Day
	limits := []int{24, 60, 60}
	for i, unit := range []schema.Ticks{schema.Hour, schema.Minute, schema.Second} {
		if i >= len(parts) {
			break
		}
		whole, fraction, _ := strings.Cut(parts[i], ".")
		n, err := strconv.Atoi(whole)
		if err != nil || n < 0 || n >= limits[i] || (fraction != "" && i < 2) {
			return 0, false
		}
		total += schema.Ticks(n) * unit
		if fraction != "" {
			if len(fraction) > 7 {
				fraction = fraction[:7]
			}
			f, err := strconv.Atoi(fraction + strings.Repeat("0", 7-len(fraction)))
			if err != nil {
				return 0, false
			}
			total += schema.Ticks(f)
		}
	}
	return total, true
}

// ParseInteger reads a decimal or hexadecimal integer.
func ParseInteger(text string) (int64, bool) {
	if h, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		u, err := strconv.ParseUint(h, 16, 64)
		return int64(u), err == nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// ParseGuid reads a guid in any of its usual forms and gives it in lower case with hyphens.
func ParseGuid(text string) (string, bool) {
	hex := strings.ToLower(strings.NewReplacer("-", "", "{", "", "}", "", "(", "", ")", "").Replace(strings.TrimSpace(text)))
	if len(hex) != 32 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", false
	}
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:], true
}
