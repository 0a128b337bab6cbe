// Package catalog knows KQL's vocabulary as data: functions with their
// signatures and how they name a result, aggregates, plugins, operators. The
// binder, the emitter, the editor, the docs and the coverage page read it. It
// leaves what the functions compute to package emit.
//
// Source: the Kusto reference pages of each function, and the signatures as
// the published language service gives them.
package catalog

import (
	"embed"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"

	"lockstep/schema"
)

//go:embed *.txt
var files embed.FS

// Function is a scalar function, aggregate or plugin.
type Function struct {
	Name       string
	Signatures []Signature
	// Naming says what an unnamed result column is called: "" no name of its own,
	// "arg" the first argument's name, "only" that of an only argument, "column" the
	// column that a text names, "x_arg" x and the first argument's name, else itself.
	Naming string
	// Alias is the function that this old name stands for, or "".
	Alias string
}

// Signature is one way to call a function.
type Signature struct {
	Params []Param
	Result string // a type's name, or Parameter0, Common, Widest, Custom, …: see package bind
}

// Param is one parameter. Kind is a type's name, several joined by |, or a class of types.
type Param struct {
	Name     string
	Kind     string
	Optional bool
	Repeats  bool
}

// Accepts tells whether n arguments fit.
func (s Signature) Accepts(n int) bool {
	least, repeats := 0, 0
	for _, p := range s.Params {
		if !p.Optional {
			least++
		}
		if p.Repeats {
			repeats++
		}
	}
	return n >= least && (repeats > 0 || n <= len(s.Params))
}

// Param gives the parameter that argument i of n belongs to.
func (s Signature) Param(i, n int) Param {
	first, last := -1, -1
	for j, p := range s.Params {
		if p.Repeats {
			if first < 0 {
				first = j
			}
			last = j
		}
	}
	switch {
	case first < 0 || i < first:
	case n-i <= len(s.Params)-1-last:
		return s.Params[len(s.Params)-(n-i)]
	default:
		return s.Params[first+(i-first)%(last-first+1)]
	}
	if i < len(s.Params) {
		return s.Params[i]
	}
	return Param{}
}

// Catalog is the vocabulary.
type Catalog struct {
	functions, aggregates, plugins map[string]*Function
}

// Default gives the vocabulary. It is read once and must not be changed.
func Default() *Catalog { return parsed() }

var parsed = sync.OnceValue(func() *Catalog {
	return &Catalog{functions: read("functions.txt"), aggregates: read("aggregates.txt"), plugins: read("plugins.txt")}
})

// read parses lines of the form: name(param:kind*?, …) result =naming ~alias.
func read(file string) map[string]*Function {
	data, err := files.ReadFile(file)
	if err != nil {
		panic("catalog: " + err.Error()) // embedded
	}
	out := map[string]*Function{}
	for _, line := range strings.Split(string(data), "\n") {
		name, rest, ok := strings.Cut(line, "(")
		if !ok {
			continue
		}
		params, tail, _ := strings.Cut(rest, ")")
		f := out[name]
		if f == nil {
			f = &Function{Name: name}
			out[name] = f
		}
		s := Signature{}
		for _, p := range strings.Split(params, ", ") {
			pn, kind, ok := strings.Cut(p, ":")
			if !ok {
				continue
			}
			param := Param{Name: pn}
			kind, param.Optional = strings.CutSuffix(kind, "?")
			param.Kind, param.Repeats = strings.CutSuffix(kind, "*")
			s.Params = append(s.Params, param)
		}
		for i, word := range strings.Fields(tail) {
			switch {
			case i == 0:
				s.Result = word
			case word[0] == '=':
				f.Naming = word[1:]
			case word[0] == '~':
				f.Alias = word[1:]
			}
		}
		f.Signatures = append(f.Signatures, s)
	}
	return out
}

// Function finds a scalar function.
func (c *Catalog) Function(name string) (*Function, bool) { f, ok := c.functions[name]; return f, ok }

// Aggregate finds an aggregate.
func (c *Catalog) Aggregate(name string) (*Function, bool) { f, ok := c.aggregates[name]; return f, ok }

// Plugin finds a plugin of evaluate.
func (c *Catalog) Plugin(name string) (*Function, bool) { f, ok := c.plugins[name]; return f, ok }

// Names lists functions, aggregates or plugins in order.
func (c *Catalog) Names(aggregates bool) []string {
	m := c.functions
	if aggregates {
		m = c.aggregates
	}
	var out []string
	for n := range m {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// PluginNames lists the plugins in order.
func (c *Catalog) PluginNames() []string { return slices.Sorted(maps.Keys(c.plugins)) }

// Operator is a statement, a tabular operator or a scalar one, and what it does.
type Operator struct{ Name, Meaning string }

// Operators lists the statements and operators of the language.
func Operators() (out []Operator) {
	data, err := files.ReadFile("operators.txt")
	if err != nil {
		panic("catalog: " + err.Error()) // embedded
	}
	for line := range strings.Lines(string(data)) {
		name, meaning, _ := strings.Cut(strings.TrimSpace(line), "  ")
		out = append(out, Operator{name, meaning})
	}
	return out
}

// Code is a diagnostic's code and what it means.
type Code struct{ Name, Meaning string }

// Codes lists the codes of the compiler's diagnostics in order.
func Codes() (out []Code) {
	data, err := files.ReadFile("codes.txt")
	if err != nil {
		panic("catalog: " + err.Error()) // embedded
	}
	for line := range strings.Lines(string(data)) {
		name, meaning, _ := strings.Cut(strings.TrimSpace(line), " ")
		out = append(out, Code{name, meaning})
	}
	return out
}

// classes are the words for sets of types in signatures.
var classes = map[string][]schema.Type{
	"Summable": {schema.Int, schema.Long, schema.Real, schema.Decimal, schema.DateTime, schema.TimeSpan},
	"Integer":  {schema.Int, schema.Long}, "Number": {schema.Int, schema.Long, schema.Real, schema.Decimal},
	"NumberOrBool": {schema.Int, schema.Long, schema.Real, schema.Decimal, schema.Bool},
	"DynamicArray": {schema.Dynamic}, "DynamicBag": {schema.Dynamic},
	"StringOrDynamic": {schema.String, schema.Dynamic}, "StringOrArray": {schema.String, schema.Dynamic}, "IntegerOrArray": {schema.Int, schema.Long, schema.Dynamic},
	"NotDynamic":    {schema.Bool, schema.Int, schema.Long, schema.Real, schema.Decimal, schema.String, schema.DateTime, schema.TimeSpan, schema.Guid},
	"NotRealOrBool": {schema.Int, schema.Long, schema.Decimal, schema.String, schema.DateTime, schema.TimeSpan, schema.Guid, schema.Dynamic},
}

// Allows tells whether a parameter takes a value of type t. Dynamic is taken
// everywhere: what it holds shows only at run time.
func (p Param) Allows(t schema.Type) bool {
	if types, ok := classes[p.Kind]; ok {
		for _, c := range types {
			if c == t {
				return true
			}
		}
		return t == schema.Dynamic && p.Kind != "NotDynamic" && p.Kind != "Integer" && p.Kind != "Number"
	}
	for _, name := range strings.Split(p.Kind, "|") {
		if want, ok := schema.ParseType(name); ok {
			if want == t || t == schema.Dynamic || want == schema.Long && t == schema.Int || want == schema.Int && t == schema.Long || want == schema.Real && (t == schema.Int || t == schema.Long || t == schema.Decimal) {
				return true
			}
		} else {
			return true
		}
	}
	return false
}
