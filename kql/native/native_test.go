package native_test

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"lockstep/kql/native"
	"lockstep/schema"
)

func call(t *testing.T, name string, args ...any) any {
	t.Helper()
	f, ok := native.Find(name)
	if !ok {
		t.Fatalf("there is no function %s", name)
	}
	return f.Call(args)
}

func TestValues(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []any
		want any
	}{
		{"has", []any{"my_powershell -x", "PowerShell", true, true, true}, true},
		{"has", []any{"powershells", "powershell", true, true, true}, false},
		{"has", []any{"Привет мир", "мир", true, true, true}, true},
		{"parse_json", []any{`{"a" : [1, 2]}`}, `{"a":[1,2]}`},
		{"parse_json", []any{"no json"}, `"no json"`},
		{"parse_json", []any{""}, nil},
		{"long", []any{"0x1F"}, int64(31)},
		{"long", []any{"1.9"}, int64(1)},
		{"real_text", []any{1.0}, "1.0"},
		{"timespan_text", []any{int64(-schema.Day - schema.Second)}, "-1.00:00:01"},
		{"split", []any{"a/b//c", "/"}, `["a","b","","c"]`},
		{"trim", []any{`\s+`, "  x  "}, "x"},
		{"extract", []any{`(\d+)-(\d+)`, int64(2), "a 12-34"}, "34"},
		{"replace_regex", []any{"a1b2", `(\d)`, `<\1>`}, "a<1>b<2>"},
		{"parse_command_line", []any{`"C:\a b\x.exe" -c "say \"hi\""`, "windows"}, `["C:\\a b\\x.exe","-c","say \"hi\""]`},
		{"ipv4_is_private", []any{"172.31.0.1"}, true},
		{"ipv4_is_in_range", []any{"10.1.2.3", "10.1.0.0/16"}, true},
		{"ipv4_is_in_range", []any{"nonsense", "10.1.0.0/16"}, nil},
		{"set_intersect", []any{"[1,2,3]", "[3,1]"}, "[1,3]"},
		{"array_sort_desc", []any{"[1,3,2]"}, "[3,2,1]"},
		{"bag_merge", []any{`{"a":1}`, `{"a":2,"b":3}`}, `{"a":1,"b":3}`},
		{"hash", []any{""}, int64(-1205034819632174695)},
		{"base64_decode_tostring", []any{"aGk="}, "hi"},
		{"format_datetime", []any{int64(639082152000000000), "yyyy-MM-dd HH:mm"}, "2026-03-04 10:00"},
	} {
		if got := call(t, tt.name, tt.args...); got != tt.want {
			t.Errorf("%s(%v) = %v, want %v", tt.name, tt.args, got, tt.want)
		}
	}
}

// TestTotal: no function panics on any values of its types, results have the
// declared type, and a dynamic result is valid JSON.
func TestTotal(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "[1,2,null]", `{"a":{"b":[]}}`, "10.0.0.0/8", "::1", "(", `(\w+)`, "1.2.3", "2026-01-01", "-1d", "%", "<a b='c'>x</a>", "https://u:p@h:1/p?q=1#f", "a=b;c=d", "[[1]]", "NaN", "9223372036854775807", "UTC"}))
	longs := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-5, 50), rapid.Int64Range(0, int64(schema.MaxTicks)))
	reals := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), 1e300}))
	bounded := map[string]bool{"range_time": true, "range_span": true, "range_long": true, "range_real": true, "repeat": true, "series_place": true, "strrep": true, "tohex": true}
	for _, f := range native.All() {
		if bounded[f.Name] {
			continue // large results are their point
		}
		t.Run(f.Name, rapid.MakeCheck(func(r *rapid.T) {
			n := rapid.IntRange(f.Least, len(f.Params)).Draw(r, "n")
			if f.Variadic != schema.Invalid {
				n = rapid.IntRange(len(f.Params), len(f.Params)+3).Draw(r, "n")
			}
			args := make([]any, n)
			for i := range args {
				typ := f.Variadic
				if i < len(f.Params) {
					typ = f.Params[i]
				}
				if rapid.IntRange(0, 9).Draw(r, "null") == 0 {
					continue
				}
				switch typ {
				case schema.Bool:
					args[i] = rapid.Bool().Draw(r, "bool")
				case schema.Long, schema.DateTime, schema.TimeSpan:
					args[i] = longs.Draw(r, "long")
				case schema.Real:
					args[i] = reals.Draw(r, "real")
				default:
					args[i] = texts.Draw(r, "text")
				}
			}
			got := f.Call(args)
			if f.Run == nil && (!f.Nulls && !hasNull(args) || f.Nulls) { // a fault that Call hides shows here
				f.Eval(args)
			}
			ok := true
			switch v := got.(type) {
			case nil:
			case bool:
				ok = f.Result == schema.Bool
			case int64:
				ok = f.Result == schema.Long || f.Result == schema.DateTime || f.Result == schema.TimeSpan
			case float64:
				ok = f.Result == schema.Real
			case string:
				ok = f.Result == schema.String || f.Result == schema.Guid || f.Result == schema.Decimal || f.Result == schema.Dynamic
				passed := false // what is given back untouched may be no JSON
				for _, a := range args {
					passed = passed || a == got
				}
				if f.Result == schema.Dynamic && !passed && f.Name != "bag_pack" && f.Name != "bag_pack_filled" {
					ok = json.Valid([]byte(v))
				}
			default:
				ok = false
			}
			if !ok {
				r.Fatalf("%s(%q) = %#v, want %s", f.Name, args, got, f.Result)
			}
		}))
	}
}

func hasNull(args []any) bool {
	for _, a := range args {
		if a == nil {
			return true
		}
	}
	return false
}
