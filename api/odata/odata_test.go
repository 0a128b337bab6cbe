package odata_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/api/odata"
	"lockstep/fault"
	"lockstep/schema"
)

type severity string

func ticks(text string) schema.Ticks {
	t, err := schema.ParseTicks(text)
	if err != nil {
		panic(err)
	}
	return t
}

// label is a member of a collection with properties of its own.
func label(name string, weight int) odata.Get {
	return get(map[string]any{"labelName": name, "weight": weight})
}

func get(m map[string]any) odata.Get {
	return func(path string) (any, bool) { v, ok := m[path]; return v, ok }
}

// incident is the record that the conditions below are about.
var incident = get(map[string]any{
	"id": "29", "displayName": "O'Brien's laptop: 100% encrypted", "severity": severity("high"), "status": "inProgress",
	"incidentNumber": 1234, "score": 0.5, "isOpen": true, "assignedTo": nil, "redirectIncidentId": nil,
	"createdDateTime": ticks("2026-01-05T10:00:00Z"), "modified": time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC),
	"customTags": []string{"pilot", "VIP"}, "none": []any{},
	"properties/owner/assignedTo": "ana@lab.example", "properties/labels": []any{label("Pilot", 1), label("x", 7)},
	"guid": "ABCDEF01-2345-6789-abcd-ef0123456789", "name": "pilot", "empty": "",
})

func TestMatch(t *testing.T) {
	for text, want := range map[string]bool{
		"severity eq 'high'": true,
		"severity eq 'HIGH'": true,
		"severity ne 'high'": false,
		"'high' eq severity": true,
		"severity eq microsoft.graph.security.alertSeverity'high'": true,
		"displayName eq 'O''Brien''s laptop: 100% encrypted'":      true,
		"incidentNumber eq 1234":                                   true,
		"incidentNumber eq 1234.0":                                 true,
		"incidentNumber gt 1233 and incidentNumber lt 1235":        true,
		"incidentNumber ge 1235":                                   false,
		"id eq 29":                                                 true,
		"id gt 3":                                                  true, // as a number, not as a text
		"id eq '29'":                                               true,
		"score le 0.5":                                             true,
		"score gt -1e3":                                            true,
		"isOpen":                                                   true,
		"isOpen eq false":                                          false,
		"not isOpen":                                               false,
		"assignedTo eq null":                                       true,
		"missing eq null":                                          true,
		"missing ne null":                                          false,
		"severity ne null":                                         true,
		"assignedTo eq 'x'":                                        false,
		"assignedTo ne 'x'":                                        true,
		"assignedTo gt 'a'":                                        false,
		"empty eq ''":                                              true,
		"createdDateTime ge 2026-01-05T10:00:00Z":                  true,
		"createdDateTime gt 2026-01-05T10:00:00.0000000Z":                    false,
		"createdDateTime lt 2026-01-06":                                      true,
		"createdDateTime eq '2026-01-05T12:00:00+02:00'":                     true,
		"modified gt createdDateTime":                                        true,
		"createdDateTime eq 'yesterday'":                                     false,
		"severity in ('low','High')":                                         true,
		"incidentNumber in (1, 2)":                                           false,
		"contains(displayName,'LAPTOP')":                                     true,
		"contains(displayName,'laptop') eq false":                            false,
		"startswith(displayName, 'o''brien')":                                true,
		"endswith(tolower(displayName),'encrypted')":                         true,
		"contains(missing,'')":                                               false,
		"length(status) eq 10":                                               true,
		"toupper(status) eq 'x'":                                             false,
		"trim('  a ') eq 'a'":                                                true,
		"properties/owner/assignedTo eq 'ana@lab.example'":                   true,
		"customTags/any(t: t eq 'vip')":                                      true,
		"customTags/all(t: t eq 'vip')":                                      false,
		"customTags/any()":                                                   true,
		"none/any()":                                                         false,
		"missing/any()":                                                      false,
		"none/all(x: x eq 1)":                                                true,
		"properties/labels/any(l: l/labelName eq 'pilot' and l/weight lt 5)": true,
		"properties/labels/any(l: l/labelName eq 'pilot' and l/weight gt 5)": false,
		"properties/labels/any(l: l/labelName eq name)":                      true, // the record's own property inside
		"customTags/any(t: properties/labels/any(l: l/labelName eq t))":      true,
		"guid eq abcdef01-2345-6789-abcd-ef0123456789":                       true,
		"severity eq 'low' or severity eq 'high' and isOpen":                 true,
		"(severity eq 'high' or isOpen) and id eq '1'":                       false,
		"not (severity eq 'low') and not contains(status,'x')":               true,
		"  severity   eq\t'high'  ":                                          true,
		"severity gt 5":                                                      false,
		"isOpen gt 'x'":                                                      false,
	} {
		f, err := odata.ParseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Match(incident); got != want {
			t.Errorf("%s: %v, want %v (read as %s)", text, got, want, f)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "at character 1: a property or a value is wanted, not the end",
		"severity":                       "", // a property alone is asked to be true
		"severity eq":                    "at character 12: a property or a value is wanted, not the end",
		"severity is 'x'":                "at character 10: \"is 'x'\" is left over",
		"severity eq 'high":              "at character 13: the text that begins here has no closing quote",
		"severity eq high'":              "at character 17",
		"severity eq 'high' and":         "at character 23",
		"(severity eq 'high'":            "at character 20: a closing parenthesis is wanted for the one at character 1",
		"severity eq 'high')":            "at character 19: \")\" is left over",
		"substringof('x',severity)":      "at character 1: the function substringof isn't known",
		"contains(displayName)":          "at character 21: a comma is wanted",
		"severity in 'x'":                "at character 13: a list is wanted",
		"severity in ('x' 'y')":          "at character 18: a comma",
		"severity in (x)":                "at character 14: a value is wanted",
		"x/ eq 1":                        "at character 4",
		"x/all() eq 1":                   "at character 7: a name and a colon",
		"x/any(t t eq 1)":                "at character 9: a name and a colon",
		"1 eq x/any(t: t)":               "any and all are conditions of their own",
		"x eq 5x":                        "at character 6: \"5x\" is no number",
		"ünïcode eq 5x":                  "at character 12",
		"5":                              "at character 2: eq, ne, gt",
		strings.Repeat("(", 200) + "a":   "nested more than 100 deep",
		strings.Repeat("not ", 5000):     "longer than 16384 bytes",
		strings.Repeat("tolower(", 1000): "nested more than 100 deep",
	} {
		_, err := odata.ParseFilter(text)
		if want == "" {
			if err != nil {
				t.Errorf("%.40s: %v", text, err)
			}
			continue
		}
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "$filter: ") {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}

func TestParseURL(t *testing.T) {
	ten := 10
	read := func(raw string) odata.Query {
		t.Helper()
		q, err := odata.ParseURL(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		return q
	}
	want := odata.Query{
		Filter:  odata.Comparison{Left: odata.Path("severity"), Op: "eq", Right: odata.Literal{Value: "high"}},
		OrderBy: []odata.Order{{Path: "createdDateTime", Descending: true}, {Path: "properties/title"}},
		Top:     &ten, Skip: 5, SkipToken: "a b", Count: true, Select: []string{"id", "a/b"}, Search: "x",
		Expand: []odata.Expand{
			{Path: "alerts", Query: odata.Query{Select: []string{"id"}, Top: &ten,
				Filter: odata.Text{Name: "contains", In: odata.Path("title"), What: odata.Literal{Value: ");'"}}}},
			{Path: "comments"},
		},
	}
	for _, raw := range []string{
		"$filter=severity+eq+'high'&$orderby=createdDateTime+desc,properties/title+asc&$top=10&$skip=5&$skipToken=a%20b&$count=true" +
			"&$select=id,a/b&$search=x&$expand=alerts($select=id;$top=10;$filter=contains(title,');''')),comments&api-version=1",
		"%24filter=severity%20eq%20%27high%27&%24orderby=createdDateTime%20desc%2C%20properties%2Ftitle&%24top=10&%24skip=5&%24skiptoken=a+b&%24count=TRUE" +
			"&%24select=id%2Ca%2Fb&%24search=x&%24expand=alerts(%24select%3Did%3B%24top%3D10%3B%24filter%3Dcontains(title%2C')%3B'''))%2Ccomments",
	} {
		if d := cmp.Diff(want, read(strings.ReplaceAll(raw, ";", "%3B"))); d != "" {
			t.Errorf("%s:\n%s", raw, d)
		}
	}
	if d := cmp.Diff(odata.Query{}, read("api-version=2025-09-01&top=5")); d != "" {
		t.Error(d)
	}
	if q := read("$select=id,status/x"); !q.Selected("STATUS") || q.Selected("title") || !read("").Selected("title") || !read("$select=*").Selected("x") {
		t.Error("Selected is wrong")
	}
	if inner, ok := read("$expand=alerts($top=10)").Expanded("Alerts"); !ok || *inner.Top != 10 {
		t.Errorf("Expanded: %+v, %v", inner, ok)
	}
	for raw, want := range map[string]string{
		"$top=-1":                                "$top: ",
		"$top=1.5":                               "$top: ",
		"$skip=99999999999":                      "$skip: ",
		"$count=yes":                             "$count: ",
		"$top=1&$top=2":                          "$top: it is given more than once",
		"$top=1&%24TOP=2":                        "it is given more than once",
		"$apply=x":                               "$apply: this option isn't known",
		"$orderby=a+up":                          "$orderby: at character 3",
		"$orderby=":                              "$orderby: at character 1",
		"$select=a,,b":                           "$select: at character 3",
		"$expand=a(":                             "$expand: at character 2",
		"$expand=a(top=1)":                       "$expand: at character 9",
		"$expand=a($top=x)":                      "$expand: a: $top: ",
		"$filter=a+eq+%":                         "can't be read",
		"$filter=" + strings.Repeat("x", 20_000): "longer than",
		"$expand=" + strings.Repeat("a($expand=", 50) + "b" + strings.Repeat(")", 50): "nested too deeply",
	} {
		if _, err := odata.ParseURL(raw); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", raw, err, want)
		}
	}
}

func TestCompare(t *testing.T) {
	records := []map[string]any{
		{"id": "a", "n": 2, "at": ticks("2026-01-05")}, {"id": "b", "n": 10, "at": nil},
		{"id": "c", "n": 2, "at": ticks("2026-01-04")}, {"id": "d", "n": nil},
	}
	order := func(text string) string {
		q, err := odata.ParseURL("$orderby=" + url.QueryEscape(text))
		if err != nil {
			t.Fatal(err)
		}
		sorted := slices.Clone(records)
		slices.SortStableFunc(sorted, func(a, b map[string]any) int { return odata.Compare(q.OrderBy, get(a), get(b)) })
		out := ""
		for _, r := range sorted {
			out += r["id"].(string)
		}
		return out
	}
	for text, want := range map[string]string{"n": "dacb", "n desc": "bacd", "n,at": "dcab", "at desc,id desc": "acdb", "missing": "abcd"} {
		if got := order(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	f, err := odata.ParseFilter("a/b eq tolower(c) and not (d/any(t: t/x eq e and t eq 'y') or contains(f,'g') or h in (1))")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a/b", "c", "d", "e", "f", "h"}, odata.Paths(f)); d != "" {
		t.Error(d)
	}
}

func BenchmarkMatch(b *testing.B) {
	f, err := odata.ParseFilter("severity eq 'high' and createdDateTime ge 2026-01-01T00:00:00Z and customTags/any(t: t eq 'vip')")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f.Match(incident)
	}
}

// filters draws conditions of all kinds.
func filters() *rapid.Generator[odata.Filter] {
	path := rapid.StringMatching(`[a-zA-Z_][a-z0-9]{0,2}x(/[a-z]x)?`)
	literal := rapid.Custom(func(t *rapid.T) odata.Literal {
		return odata.Literal{Value: rapid.OneOf(
			rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.StringMatching(`['()/, ]{0,4}`).AsAny(),
			rapid.Int64().AsAny(), rapid.Float64().AsAny(),
			rapid.Custom(func(t *rapid.T) schema.Ticks {
				return schema.Ticks(rapid.Int64Range(0, int64(schema.MaxTicks)).Draw(t, "ticks"))
			}).AsAny(),
		).Draw(t, "literal")}
	})
	operand := rapid.Custom(func(t *rapid.T) odata.Operand {
		switch rapid.IntRange(0, 4).Draw(t, "operand") {
		case 0:
			return literal.Draw(t, "value")
		case 1:
			return odata.Function{Name: rapid.SampledFrom([]string{"tolower", "toupper", "trim", "length"}).Draw(t, "name"), Of: odata.Path(path.Draw(t, "path"))}
		}
		return odata.Path(path.Draw(t, "path"))
	})
	var draw func(t *rapid.T, depth int) odata.Filter
	draw = func(t *rapid.T, depth int) odata.Filter {
		kind := rapid.IntRange(0, 6).Draw(t, "kind")
		if depth > 4 {
			kind %= 3
		}
		switch kind {
		case 0:
			return odata.Text{Name: rapid.SampledFrom([]string{"contains", "startswith", "endswith"}).Draw(t, "name"), In: operand.Draw(t, "in"), What: operand.Draw(t, "what")}
		case 1:
			return odata.Membership{Of: operand.Draw(t, "of"), In: rapid.SliceOfN(literal, 1, 3).Draw(t, "list")}
		case 2:
			return odata.Comparison{Left: operand.Draw(t, "left"), Op: rapid.SampledFrom([]string{"eq", "ne", "gt", "ge", "lt", "le"}).Draw(t, "op"), Right: operand.Draw(t, "right")}
		case 3:
			return odata.Not{Of: draw(t, depth+1)}
		case 4:
			q := odata.Quantifier{Path: path.Draw(t, "path"), All: rapid.Bool().Draw(t, "all")}
			if q.All || rapid.Bool().Draw(t, "condition") {
				q.Name, q.Cond = "t", draw(t, depth+1)
			}
			return q
		}
		return odata.Logic{Op: rapid.SampledFrom([]string{"and", "or"}).Draw(t, "op"), Left: draw(t, depth+1), Right: draw(t, depth+1)}
	}
	return rapid.Custom(func(t *rapid.T) odata.Filter { return draw(t, 0) })
}

// What is printed is read back as the same.
func TestPrintAndParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := filters().Draw(t, "filter")
		got, err := odata.ParseFilter(want.String())
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s:\n%s", want, d)
		}
	})
}

// FuzzFilter: no text crashes or hangs the parser, its errors are the
// caller's, and what it reads it prints in a form that reads the same and
// matches the same.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"a eq 'x' and not (b/any(t: t in (1,2)))", "a eq 2026-01-05T10:00:00Z or contains(a,'''')", "((", "x'", "a eq 1e5", "\xff eq '\xff'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := odata.ParseFilter(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		printed := filter.String()
		again, err := odata.ParseFilter(printed)
		if err != nil {
			if strings.Contains(err.Error(), "nested") || strings.Contains(err.Error(), "longer") {
				return // printing adds parentheses
			}
			t.Fatalf("%q is printed as %q, which gives %v", text, printed, err)
		}
		if again.String() != printed || again.Match(incident) != filter.Match(incident) {
			t.Fatalf("%q is printed as %q and that as %q", text, printed, again.String())
		}
	})
}

// FuzzParseURL: no query string crashes the reader.
func FuzzParseURL(f *testing.F) {
	f.Add("$expand=a($top=1%3B$filter=x+eq+')')&$select=a,b&%24orderby=x+desc")
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := odata.ParseURL(raw); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}
