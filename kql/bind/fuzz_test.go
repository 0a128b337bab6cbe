package bind_test

import (
	"testing"

	"lockstep/kql/bind"
	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// FuzzBind: what any text means is a plan or an error, never a panic; the
// errors stand within the text, and no two columns of an answer are one.
func FuzzBind(f *testing.F) {
	for _, s := range []string{
		"T | where n > 1 and s has 'a' | summarize count(), arg_max(t, *) by bin(t, 1h), s", "T | join kind=inner (U | project k = n) on $left.n == $right.k",
		"let f = (a:long, R:(*)) { R | where n == a }; f(1, T)", "union withsource=x T, U | project-rename y = n | sort by y desc | extend z = row_number()",
		"T | mv-expand d to typeof(long) | mv-apply x = d on (summarize make_list(x))", "T | make-series c = count() default=0 on t from ago(1d) to now() step 1h by s",
		"search in (T, U) 'a' and n > 1", "find in (T) where s == 'x' project s, pack(*)", "T | evaluate bag_unpack(d) | project a, b", "T | evaluate pivot(s, count(), n)",
		"T | parse s with * 'a' x:long 'b' y | parse-kv s as (k:string)", "T | top-nested 2 of s by count(), top-nested 1 of n by max(n) desc", "T | as x | union x | partition by s (take 1)",
		"T | scan declare (m:long = 0) with (step a: n > 1 => m = a.m + 1;)", "T | make-graph a --> b with U on n | graph-match (x)-[e]->(y) project x.s", "range x from 1 to 5 step 1 | extend y = toscalar(T | count)",
		"datatable(a:long, b:string)[1, 'x', 2, 'y'] | getschema", "print a = dynamic({'a':[1,2]}).a[0], b = case(true, 1, 2.5)", "T | lookup U on n | distinct * | render timechart with (title='x')",
		"externaldata(a:string)['https://x/y.csv'] with (format='csv')", "let x = materialize(T | where n == 1); x | union x | count", "T | reduce by s | project-away Count",
	} {
		f.Add(s)
	}
	column := func(name string, t schema.Type) schema.Column { return schema.Column{Name: name, Type: t} }
	tables := map[string]*schema.Table{
		"T": schema.NewTable("T", schema.XDR, []schema.Column{column("n", schema.Long), column("s", schema.String), column("t", schema.DateTime), column("d", schema.Dynamic), column("g", schema.Guid), column("b", schema.Bool)}),
		"U": schema.NewTable("U", schema.XDR, []schema.Column{column("n", schema.Long), column("r", schema.Real), column("i", schema.Int), column("span", schema.TimeSpan), column("dec", schema.Decimal)}),
	}
	env := bind.Environment{
		Tables:     func(name string) (*schema.Table, bool) { t, ok := tables[name]; return t, ok },
		TableNames: func() []string { return []string{"T", "U"} },
		Functions:  map[string]bind.Function{"Saved": {Parameters: "a:long = 1", Body: "T | where n == a"}, "Twice": {Parameters: "x:real", Body: "x * 2"}},
		Now:        schema.Ticks(638000000000000000),
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, found := syntax.ParseQuery(text)
		for _, e := range found {
			if !e.Warning {
				return
			}
		}
		r := bind.Query(q, env, 0)
		failed := false
		for _, e := range r.Errors {
			failed = failed || !e.Warning
			if e.Start < 0 || e.End > len(text) || e.Start > e.End {
				t.Fatalf("%s at %d to %d, in a text of %d", e.Code, e.Start, e.End, len(text))
			}
		}
		if (r.Root == nil) != failed {
			t.Fatalf("a plan: %v, an error: %v: %v", r.Root != nil, failed, r.Errors)
		}
		if r.Root == nil {
			return
		}
		seen := map[plan.ID]bool{}
		for _, c := range r.Root.Columns() {
			if seen[c.ID] {
				t.Fatalf("the column '%s' is there twice", c.Name)
			}
			seen[c.ID] = true
		}
	})
}
