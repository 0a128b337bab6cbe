package content

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// Functions reads the saved functions of a file of YAML, by the names that
// queries call them by: FunctionName or FunctionAlias, FunctionParams, FunctionQuery,
// and the same as parsers of ASIM write them. A file of something else gives none.
func Functions(data []byte) map[string]Function {
	var root yaml.Node
	if yaml.Unmarshal(data, &root) != nil || len(root.Content) == 0 {
		return nil
	}
	f := fieldsOf(root.Content[0])
	body := f.text("FunctionQuery", "ParserQuery")
	if body == "" {
		return nil
	}
	var params []string
	for _, p := range parametersOf(f) {
		params = append(params, p.name+":"+p.typ+"="+p.value)
	}
	out := map[string]Function{}
	for _, key := range []string{"FunctionName", "FunctionAlias", "ParserName", "EquivalentBuiltInParser"} {
		if name := f.text(key); name != "" {
			out[name] = Function{Parameters: strings.Join(params, ", "), Body: body}
		}
	}
	return out
}

// parameter is a function's parameter; value is its default, or one that means nothing.
type parameter struct{ name, typ, value string }

// parametersOf reads the parameters of a saved function's file.
func parametersOf(f fields) (out []parameter) {
	for _, n := range append(f.list("FunctionParams"), f.list("ParserParams")...) {
		m := fieldsOf(n)
		p := parameter{name: m.text("Name"), typ: strings.ToLower(m.text("Type")), value: m.text("Default")}
		switch {
		case p.typ == "string":
			p.value = "'" + strings.Trim(p.value, `'"`) + "'"
		case p.value == "" && p.typ == "dynamic":
			p.value = "dynamic([])"
		case p.value == "":
			p.value = p.typ + "(null)"
		}
		out = append(out, p)
	}
	return out
}

// prologue gives a function's parameters values, so that its body stands alone.
func prologue(f fields) string {
	var b strings.Builder
	for _, p := range parametersOf(f) {
		b.WriteString("let " + p.name + " = " + p.value + "; ")
	}
	return b.String()
}
