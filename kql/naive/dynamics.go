package naive

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// dynamics are the functions over arrays and bags.
func dynamics() map[string]func(call) any {
	array := func(c call, i int) ([]any, bool) { l, ok := c.args[i].([]any); return l, ok }
	pack := func(filled bool) func(call) any {
		return func(c call) any {
			b := newBag()
			for i := 0; i+1 < len(c.args); i += 2 {
				v := c.dynamic(i + 1)
				if _, have := b.values[c.text(i)]; have || filled && (v == nil || v == "") {
					continue
				}
				b.set(c.text(i), v)
			}
			return b
		}
	}
	return map[string]func(call) any{
		"parse_json": func(c call) any { return readJSON(c.text(0)) },
		"parse_inner": func(c call) any {
			if s, ok := c.args[0].(string); ok {
				return readJSON(s)
			}
			return c.args[0]
		},
		"dynamic_to_json": func(c call) any { return sortedJSON(c.args[0]) },
		"get":             get,
		"array_length": func(c call) any {
			if l, ok := array(c, 0); ok {
				return int64(len(l))
			}
			return nil
		},
		"bag_pack": pack(false), "bag_pack_filled": pack(true),
		"pack_array": func(c call) any {
			out := []any{}
			for i := range c.args {
				out = append(out, c.dynamic(i))
			}
			return out
		},
		"bag_keys": func(c call) any {
			b, ok := c.args[0].(*bag)
			if !ok {
				return nil
			}
			out := []any{}
			for _, k := range b.keys {
				out = append(out, k)
			}
			return out
		},
		"bag_has_key": func(c call) any {
			b, ok := c.args[0].(*bag)
			if !ok {
				return nil
			}
			if _, have := b.values[c.text(1)]; have {
				return true
			}
			steps, isPath := strings.CutPrefix(c.text(1), "$.")
			var v any = b
			for _, k := range strings.Split(steps, ".") {
				in, is := v.(*bag)
				if !is || !isPath {
					return false
				}
				if v, is = in.values[k]; !is {
					return false
				}
			}
			return true
		},
		"bag_merge": func(c call) any {
			var out *bag
			for _, a := range c.args {
				b, ok := a.(*bag)
				if !ok {
					continue
				}
				if out == nil {
					out = newBag()
				}
				for _, k := range b.keys {
					if _, have := out.values[k]; !have {
						out.set(k, b.values[k])
					}
				}
			}
			if out == nil {
				return nil
			}
			return out
		},
		"bag_remove_keys": func(c call) any {
			b, ok := c.args[0].(*bag)
			l, ok2 := array(c, 1)
			if !ok || !ok2 {
				return c.args[0]
			}
			out := newBag()
		keys:
			for _, k := range b.keys {
				for _, x := range l {
					if t := asText(x, schema.Dynamic); strings.HasPrefix(t, "$.") {
						unknown("bag_remove_keys with a path")
					} else if t == k {
						continue keys
					}
				}
				out.set(k, b.values[k])
			}
			return out
		},
		"strcat_array": func(c call) any {
			l, ok := array(c, 0)
			if !ok {
				return ""
			}
			var parts []string
			for _, v := range l {
				parts = append(parts, text(convert(v, schema.Dynamic, schema.String)))
			}
			return strings.Join(parts, c.text(1))
		},
		"array_concat": func(c call) any {
			out := []any{}
			for i := range c.args {
				l, _ := array(c, i)
				out = append(out, l...)
			}
			return out
		},
		"array_reverse": func(c call) any {
			l, ok := array(c, 0)
			if !ok {
				return nil
			}
			out := []any{}
			for i := range l {
				out = append(out, l[len(l)-1-i])
			}
			return out
		},
		"array_slice": func(c call) any {
			l, ok := array(c, 0)
			if !ok {
				return nil
			}
			n := int64(len(l))
			from, to := c.long(1, 0), c.long(2, 0)
			if from < 0 {
				from = max(from+n, 0)
			}
			if to < 0 {
				to += n
			}
			to = min(to, n-1)
			if from > to {
				return []any{}
			}
			return append([]any{}, l[from:to+1]...)
		},
		"array_index_of": func(c call) any {
			l, ok := array(c, 0)
			if !ok {
				return nil
			}
			if len(c.args) > 2 {
				unknown("array_index_of of a part")
			}
			if c.args[1] == nil {
				return nil
			}
			for i, v := range l {
				if equalParts(v, c.dynamic(1)) {
					return int64(i)
				}
			}
			return int64(-1)
		},
		"set_has_element": func(c call) any {
			l, ok := array(c, 0)
			if !ok || c.args[1] == nil {
				return nil
			}
			for _, v := range l {
				if equalParts(v, c.dynamic(1)) {
					return true
				}
			}
			return false
		},
		"set_union": func(c call) any {
			var lists []any
			for i := range c.args {
				if l, ok := array(c, i); ok {
					lists = append(lists, l)
				}
			}
			if lists == nil {
				return nil
			}
			return sets(func(in []bool) bool { return true })(call{c.Call, lists})
		},
		"set_intersect":  sets(func(in []bool) bool { return count(in) == len(in) }),
		"set_difference": sets(func(in []bool) bool { return in[0] && count(in) == 1 }),
		"series_place":   place,
		"gettype": func(c call) any {
			if t := c.kind(0); t != schema.Dynamic {
				return t.String()
			}
			switch v := c.args[0].(type) {
			case nil:
				return "null"
			case bool:
				return "bool"
			case string:
				return "string"
			case []any:
				return "array"
			case *bag:
				return "dictionary"
			case json.Number:
				if strings.ContainsAny(string(v), ".eE") {
					return "double"
				}
			}
			return "long"
		},
	}
}

func count(list []bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}

// equalParts compares parts of dynamics: numbers by value.
func equalParts(a, b any) bool {
	x, ok1 := a.(json.Number)
	y, ok2 := b.(json.Number)
	if ok1 && ok2 {
		f, _ := x.Float64()
		g, _ := y.Float64()
		return f == g
	}
	return jsonText(a) == jsonText(b)
}

// sets gives the distinct elements of arrays that keep wants, by which of the arrays they are in.
func sets(keep func(in []bool) bool) func(call) any {
	return func(c call) any {
		lists := make([][]any, len(c.args))
		for i, a := range c.args {
			l, ok := a.([]any)
			if !ok {
				return nil
			}
			lists[i] = l
		}
		out := []any{}
		for _, l := range lists {
		elements:
			for _, v := range l {
				for _, have := range out {
					if equalParts(have, v) {
						continue elements
					}
				}
				in := make([]bool, len(lists))
				for i, other := range lists {
					for _, w := range other {
						in[i] = in[i] || equalParts(v, w)
					}
				}
				if keep(in) {
					out = append(out, v)
				}
			}
		}
		return out
	}
}

// get reads a part: a key of a bag, or an element of an array, from its end where negative.
func get(c call) any {
	switch key := c.args[1].(type) {
	case string:
		if b, ok := c.args[0].(*bag); ok {
			return b.values[key]
		}
	case int64:
		if l, ok := c.args[0].([]any); ok {
			if key < 0 {
				key += int64(len(l))
			}
			if key >= 0 && key < int64(len(l)) {
				return l[key]
			}
		}
	case json.Number:
		n, err := key.Int64()
		if err != nil {
			return nil
		}
		return get(call{&plan.Call{Func: "get", Args: c.Args, Typ: c.Typ}, []any{c.args[0], n}})
	}
	return nil
}

// place lays pairs of [position, value] out on an axis.
func place(c call) any {
	n, ok := c.args[1].(int64)
	if !ok || n < 0 {
		return nil
	}
	out := make([]any, min(n, 1<<20))
	for i := range out {
		out[i] = c.dynamic(2)
	}
	pairs, _ := c.args[0].([]any)
	for _, p := range pairs {
		pair, ok := p.([]any)
		if !ok || len(pair) != 2 {
			continue
		}
		if i, ok := fromNumber(json.Number(jsonText(pair[0])), schema.Long).(int64); ok && i >= 0 && i < int64(len(out)) {
			out[i] = pair[1]
		}
	}
	return out
}

// sortedJSON writes a dynamic with its keys in order.
func sortedJSON(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = sortedJSON(x)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case *bag:
		keys := slices.Sorted(slices.Values(v.keys))
		for i, k := range keys {
			keys[i] = jsonText(k) + ":" + sortedJSON(v.values[k])
		}
		return "{" + strings.Join(keys, ",") + "}"
	}
	return jsonText(v)
}

// moment is a tick as a calendar time.
func moment(t int64) time.Time {
	return time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(t/int64(schema.Day))).Add(time.Duration(t % int64(schema.Day) * 100))
}

// ticks is the other way around; ok is false outside of the years 1 to 9999.
func ticks(t time.Time) any {
	if t.Year() < 1 || t.Year() > 9999 {
		return nil
	}
	days := int64(0)
	for y := 1; y < t.Year(); y++ {
		days += int64(time.Date(y, 12, 31, 0, 0, 0, 0, time.UTC).YearDay())
	}
	days += int64(t.YearDay() - 1)
	h, m, s := t.Clock()
	return days*int64(schema.Day) + int64(h)*int64(schema.Hour) + int64(m)*int64(schema.Minute) + int64(s)*int64(schema.Second) + int64(t.Nanosecond()/100)
}

// timeFunctions are functions over datetimes and timespans.
func timeFunctions() map[string]func(call) any {
	part := func(f func(t time.Time) int) func(call) any {
		return func(c call) any { return int64(f(moment(c.long(0, 0)))) }
	}
	begin := func(f func(y int, m time.Month, d int, weekday int, offset int) time.Time, last bool) func(call) any {
		return func(c call) any {
			t := moment(c.long(0, 0))
			offset := c.long(1, 0)
			if offset > 100_000 || offset < -100_000 {
				return nil
			}
			if last {
				offset++
			}
			v := ticks(f(t.Year(), t.Month(), t.Day(), int(t.Weekday()), int(offset)))
			if n, ok := v.(int64); ok && last {
				return n - 1
			}
			return v
		}
	}
	day := func(y int, m time.Month, d, _, n int) time.Time { return time.Date(y, m, d+n, 0, 0, 0, 0, time.UTC) }
	week := func(y int, m time.Month, d, w, n int) time.Time {
		return time.Date(y, m, d-w+7*n, 0, 0, 0, 0, time.UTC)
	}
	month := func(y int, m time.Month, _, _, n int) time.Time {
		return time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	}
	year := func(y int, _ time.Month, _, _, n int) time.Time { return time.Date(y+n, 1, 1, 0, 0, 0, 0, time.UTC) }
	parts := map[string]func(call) any{
		"getyear": part(time.Time.Year), "getmonth": part(func(t time.Time) int { return int(t.Month()) }), "dayofmonth": part(time.Time.Day), "dayofyear": part(time.Time.YearDay),
		"hourofday": part(time.Time.Hour), "minuteofhour": part(time.Time.Minute), "secondofminute": part(time.Time.Second),
		"millisecondofsecond": part(func(t time.Time) int { return t.Nanosecond() / 1_000_000 }), "microsecondofsecond": part(func(t time.Time) int { return t.Nanosecond() / 1000 }), "nanosecondofsecond": part(time.Time.Nanosecond),
		"quarterofyear": part(func(t time.Time) int { return (int(t.Month()) + 2) / 3 }),
		"week_of_year":  part(func(t time.Time) int { _, w := t.ISOWeek(); return w }),
	}
	all := map[string]func(call) any{
		"now": func(c call) any { return c.args[0] }, "ago": func(c call) any { return c.args[0] },
		"startofday": begin(day, false), "startofweek": begin(week, false), "startofmonth": begin(month, false), "startofyear": begin(year, false),
		"endofday": begin(day, true), "endofweek": begin(week, true), "endofmonth": begin(month, true), "endofyear": begin(year, true),
		"dayofweek": func(c call) any { return int64(moment(c.long(0, 0)).Weekday()) * int64(schema.Day) },
		"datetime_part": func(c call) any {
			name := strings.ToLower(c.text(0))
			f := parts[map[string]string{"year": "getyear", "month": "getmonth", "day": "dayofmonth", "hour": "hourofday", "minute": "minuteofhour", "second": "secondofminute", "millisecond": "millisecondofsecond",
				"microsecond": "microsecondofsecond", "nanosecond": "nanosecondofsecond", "quarter": "quarterofyear", "dayofyear": "dayofyear", "weekofyear": "week_of_year", "week_of_year": "week_of_year"}[name]]
			if f == nil {
				unknown("datetime_part of " + name)
			}
			return f(call{c.Call, c.args[1:]})
		},
		"datetime_diff":               func(c call) any { return boundaries(strings.ToLower(c.text(0)), c.long(1, 0), c.long(2, 0)) },
		"datetime_add":                addTime,
		"unixtime_seconds_todatetime": sinceUnix(1e7), "unixtime_milliseconds_todatetime": sinceUnix(1e4), "unixtime_microseconds_todatetime": sinceUnix(10), "unixtime_nanoseconds_todatetime": sinceUnix(0.01),
	}
	for name, f := range parts {
		all[name] = f
	}
	return all
}

func sinceUnix(unit float64) func(call) any {
	return func(c call) any {
		return convert(int64(math.Round(c.real(0)*unit))+ticks(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)).(int64), schema.Long, schema.DateTime)
	}
}

// boundaries counts those of a unit that lie between two times.
// Source: Kusto, datetime_diff.
func boundaries(unit string, a, b int64) any {
	x, y := moment(a), moment(b)
	floor := func(length schema.Ticks) any { return a/int64(length) - b/int64(length) }
	switch unit {
	case "year":
		return int64(x.Year() - y.Year())
	case "quarter":
		return int64((x.Year()-y.Year())*4 + (int(x.Month())+2)/3 - (int(y.Month())+2)/3)
	case "month":
		return int64((x.Year()-y.Year())*12 + int(x.Month()) - int(y.Month()))
	case "week":
		sunday := func(t int64, w time.Weekday) int64 { return t/int64(schema.Day) - int64(w) }
		return (sunday(a, x.Weekday()) - sunday(b, y.Weekday())) / 7
	case "day":
		return floor(schema.Day)
	case "hour":
		return floor(schema.Hour)
	case "minute":
		return floor(schema.Minute)
	case "second":
		return floor(schema.Second)
	case "millisecond":
		return floor(schema.Millisecond)
	case "microsecond":
		return floor(schema.Microsecond)
	case "nanosecond":
		return (a - b) * 100
	}
	unknown("datetime_diff of " + unit)
	return nil
}

// addTime: a month later is the same day, or the month's last.
func addTime(c call) any {
	n, t := c.long(1, 0), moment(c.long(2, 0))
	if n > 4_000_000 || n < -4_000_000 {
		unknown("datetime_add of so much")
	}
	months := 0
	switch unit := strings.ToLower(c.text(0)); unit {
	case "year":
		months = int(n) * 12
	case "quarter":
		months = int(n) * 3
	case "month":
		months = int(n)
	default:
		length, ok := map[string]schema.Ticks{"week": 7 * schema.Day, "day": schema.Day, "hour": schema.Hour, "minute": schema.Minute, "second": schema.Second, "millisecond": schema.Millisecond, "microsecond": schema.Microsecond}[unit]
		if !ok {
			return nil
		}
		return convert(c.long(2, 0)+n*int64(length), schema.Long, schema.DateTime)
	}
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return ticks(first.AddDate(0, 0, min(t.Day(), last)-1))
}
