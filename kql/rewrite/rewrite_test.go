package rewrite_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"lockstep/kql/bind"
	"lockstep/kql/plan"
	"lockstep/kql/rewrite"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

var update = flag.Bool("update", false, "write the plans of testdata anew")

const golden = "testdata/rules.txtar"

var events = schema.NewTable("Events", schema.XDR, []schema.Column{
	{Name: "Timestamp", Type: schema.DateTime}, {Name: "Device", Type: schema.String}, {Name: "File", Type: schema.String},
	{Name: "Command", Type: schema.String}, {Name: "Size", Type: schema.Long}, {Name: "Fields", Type: schema.Dynamic},
})

// TestRules: what each rule makes of a query's plan. The golden file has, a
// case: the rule and the query, the plan as the rules before leave it, the plan after.
func TestRules(t *testing.T) {
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	preface, _, _ := strings.Cut(string(data), "-- ")
	got.WriteString(preface)
	seen := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		title, ok := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		if !ok {
			continue
		}
		name, query, ok := strings.Cut(strings.TrimSuffix(title, " --"), ": ")
		if !ok { // a part of a case
			continue
		}
		before, after := apply(t, name, query)
		seen[name] = true
		got.WriteString("-- " + name + ": " + query + " --\n-- before --\n" + before + "-- after --\n" + after)
	}
	for _, r := range rewrite.Rules() {
		if !seen[r.Name] {
			t.Errorf("the rule %q has no case", r.Name)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(data), got.String()); d != "" {
		t.Error(d)
	}
}

// apply runs the rules up to the last one of a name.
func apply(t *testing.T, name, query string) (before, after string) {
	t.Helper()
	q, errors := syntax.ParseQuery(query)
	if len(errors) > 0 {
		t.Fatalf("%s: %v", query, errors)
	}
	const now = schema.Ticks(639028584000000000)
	bound := bind.Query(q, bind.Environment{Tables: func(n string) (*schema.Table, bool) { return events, n == "Events" }, Now: now, RowID: "_id"}, 0)
	if bound.Root == nil {
		t.Fatalf("%s: %v", query, bound.Errors)
	}
	root := bound.Root
	rules := rewrite.Rules()
	last := 0
	for i, r := range rules {
		if r.Name == name {
			last = i
		}
	}
	for _, r := range rules[:last] {
		root = r.Apply(root, now)
	}
	before = plan.Text(root)
	root = rules[last].Apply(root, now)
	return before, plan.Text(root)
}
