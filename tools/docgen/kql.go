package main

import (
	"fmt"
	"strings"

	"lockstep/kql"
	"lockstep/kql/catalog"
	"lockstep/schema"
)

// kqlPage says which words of KQL compile here. It asks the compiler: a word
// counts when a probe query with it compiles.
func kqlPage() (string, error) {
	c := catalog.Default()
	d := begin("KQL coverage", "`kql/catalog` and the compiler")
	d.line("\nA word **runs** when a query with it compiles here, to the SQL that the tables' engine takes. One that doesn't run is answered with")
	d.line("`… is not supported yet` and its place in the text. What runs is also compared with recorded results: see `go run ./tools/kqlconformance`")
	d.line("and [what shows that it answers right](kql-coverage.md).")

	list := func(heading string, probes []written) {
		d.section(heading, "")
		d.head("word", "state")
		for _, w := range probes {
			d.row(code(w.name), compiles(w.query).String())
		}
	}
	list("Statements and operators", operators)
	group := func(heading string, names []string, find func(string) (*catalog.Function, bool), call func(string) []string) {
		by := map[state][]string{}
		for _, n := range names {
			f, _ := find(n)
			s := probe(f, call)
			by[s] = append(by[s], code(n))
		}
		d.section(heading, fmt.Sprintf("%d of %d run.", len(by[runs]), len(names)))
		for i, s := range []state{runs, missing, unsettled} {
			if len(by[s]) == 0 {
				continue
			}
			if i > 0 {
				d.line("")
			}
			d.line(fmt.Sprintf("**%s** (%d): %s", strings.ToUpper(s.String()[:1])+s.String()[1:], len(by[s]), strings.Join(by[s], ", ")))
		}
	}
	group("Scalar functions", c.Names(false), c.Function, functionQueries)
	group("Aggregates", c.Names(true), c.Aggregate, aggregateQueries)
	list("Plugins of evaluate", plugins)
	d.line("\nThe catalogue knows more plugins (those that reach other services, or run code); they don't run.")
	d.line("")
	d.line("`FileProfile`, `DeviceFromIP`, `SeenBy` and `AssignedIPAddresses` answer from this server's tables. ASIM's parsers that aren't saved")
	d.line("as functions of the workspace compile and give empty columns, with a warning.")
	return d.String(), nil
}

// errorsPage lists the codes of the compiler's diagnostics.
func errorsPage() (string, error) {
	d := begin("KQL diagnostics", "`kql/catalog/codes.txt`")
	d.line("\nEvery diagnostic has a code, a line and a column, and says in words how to mend the text. Errors keep a query from running, warnings don't.")
	d.section("Codes", "")
	d.head("code", "what it means")
	for _, c := range catalog.Codes() {
		d.row(code(c.Name), c.Meaning)
	}
	return d.String(), nil
}

// state is what became of a probe. A word is unsettled when the compiler
// refuses the probe itself: give it a call of its own in special.
type state int

const (
	unsettled state = iota
	missing
	runs
)

func (s state) String() string {
	return [...]string{"unsettled", "not yet", "runs"}[s]
}

// columns is the table T that probes read: a column of each type, named by it.
func columns() *schema.Table {
	var list []schema.Column
	for _, c := range []struct {
		name string
		t    schema.Type
	}{
		{"Timestamp", schema.DateTime}, {"b", schema.Bool}, {"i", schema.Int}, {"l", schema.Long}, {"r", schema.Real}, {"d", schema.Decimal},
		{"s", schema.String}, {"t", schema.DateTime}, {"p", schema.TimeSpan}, {"g", schema.Guid}, {"y", schema.Dynamic},
	} {
		list = append(list, schema.Column{Name: c.name, Type: c.t})
	}
	return schema.NewTable("T", schema.XDR, list)
}

// compiles asks the compiler for a query's state.
func compiles(query string) state {
	t := columns()
	program, found := kql.Compile(query, kql.Environment{
		Tables:     func(name string) (*schema.Table, bool) { return t, name == t.Name },
		TableNames: func() []string { return []string{t.Name} },
		Now:        schema.Ticks(639_028_584_000_000_000),
	})
	if program != nil {
		return runs
	}
	for _, f := range found {
		if f.Code == "KQL900" {
			return missing
		}
	}
	return unsettled
}

// arguments are what a probe gives for a kind of parameter: a column, then a constant.
var arguments = map[string][2]string{
	"string": {"s", "'a'"}, "Number": {"r", "2.0"}, "DynamicArray": {"y", "dynamic([1, 2])"}, "Scalar": {"s", "'a'"}, "Integer": {"l", "2"},
	"Summable": {"l", "2"}, "DynamicBag": {"y", "dynamic({})"}, "bool": {"b", "true"}, "datetime": {"t", "datetime(2026-01-05)"}, "NotDynamic": {"s", "'a'"},
	"real": {"r", "2.0"}, "long": {"l", "2"}, "timespan": {"p", "1h"}, "StringOrDynamic": {"s", "'a'"}, "Orderable": {"l", "2"},
	"type": {"typeof(string)", "typeof(long)"}, "Tabular": {"T", "T"}, "CommonScalarOrDynamic": {"y", "dynamic([1])"}, "NumberOrBool": {"r", "2.0"},
	"StringOrArray": {"s", "'a'"}, "decimal": {"d", "decimal(2)"}, "NotRealOrBool": {"l", "2"}, "IntegerOrArray": {"l", "2"}, "CommonOrderable": {"l", "2"},
	"int": {"i", "2"}, "guid": {"g", "guid(12345678-1234-1234-1234-123456789012)"}, "CommonScalar": {"s", "'a'"}, "dynamic": {"y", "dynamic({})"},
}

// probe tries every signature of a function: with columns, with constants,
// with a column and then constants, without and with the optional parameters.
func probe(f *catalog.Function, queries func(call string) []string) state {
	best := unsettled
	for _, call := range calls(f) {
		for _, q := range queries(call) {
			if best = max(best, compiles(q)); best == runs {
				return best
			}
		}
	}
	return best
}

func calls(f *catalog.Function) (out []string) {
	if written, ok := special[f.Name]; ok {
		return []string{written}
	}
	for _, s := range f.Signatures {
		for _, optional := range []bool{false, true} {
			for _, constantFrom := range []int{99, 1, 0} {
				var args []string
				for n, p := range s.Params {
					if p.Optional && !optional {
						continue
					}
					kind, _, _ := strings.Cut(p.Kind, "|")
					pair, ok := arguments[kind]
					if !ok {
						pair = arguments["string"]
					}
					if n >= constantFrom {
						args = append(args, pair[1])
					} else {
						args = append(args, pair[0])
					}
				}
				out = append(out, f.Name+"("+strings.Join(args, ", ")+")")
			}
		}
	}
	return out
}
