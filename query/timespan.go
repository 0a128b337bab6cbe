package query

import (
	"regexp"
	"strconv"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
)

// ParseTimespan reads the time range of a request as the published APIs write
// it: a duration that ends now (P7D), start/end, start/duration, duration/end,
// or a single start. The empty text is no range. Source: facts 10.1 and 10.3.
func ParseTimespan(text string, now schema.Ticks) (from, to schema.Ticks, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, 0, nil
	}
	first, second, both := strings.Cut(text, "/")
	if !both {
		if d, ok := parseDuration(first); ok {
			return now - d, now, nil
		}
		from, err = point(first)
		return from, 0, err
	}
	if d, ok := parseDuration(first); ok {
		to, err = point(second)
		return to - d, to, err
	}
	if from, err = point(first); err != nil {
		return 0, 0, err
	}
	if d, ok := parseDuration(second); ok {
		return from, from + d, nil
	}
	if to, err = point(second); err == nil && to < from {
		err = fault.At("timespan", "%s ends before it begins", text)
	}
	return from, to, err
}

func point(text string) (schema.Ticks, error) {
	t, err := schema.ParseTicks(text)
	if err != nil {
		return 0, fault.At("timespan", "%q is neither a duration such as P7D or PT1H nor a time such as 2026-01-05T10:00:00Z", text)
	}
	return t, nil
}

// duration is ISO 8601's form. Months and years aren't lengths; clients that
// send them mean 30 and 365 days. Fractions of seconds occur (PT3600.0S).
var duration = regexp.MustCompile(`^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)

var units = []schema.Ticks{365 * schema.Day, 30 * schema.Day, 7 * schema.Day, schema.Day, schema.Hour, schema.Minute, schema.Second}

func parseDuration(text string) (schema.Ticks, bool) {
	m := duration.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(text)))
	if m == nil || strings.TrimRight(m[0], "PT") == "" {
		return 0, false
	}
	var sum schema.Ticks
	for i, part := range m[1:] {
		if part == "" {
			continue
		}
		n, err := strconv.ParseFloat(part, 64)
		if err != nil || n > 1e6*float64(schema.Day)/float64(units[i]) {
			return 0, false
		}
		sum += schema.Ticks(n * float64(units[i]))
	}
	return sum, true
}
