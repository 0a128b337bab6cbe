package content

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// Functions reads the saved functions of a file of YAML or JSON, by the names
// that queries call them by: FunctionName or FunctionAlias, FunctionParams, FunctionQuery,
// the same as parsers of ASIM write them, and saved searches of ARM templates
// that have a functionAlias. A file of something else gives none.
func Functions(data []byte) map[string]Function {
	var root yaml.Node
	if yaml.Unmarshal([]byte(readable(data)), &root) != nil || len(root.Content) == 0 {
		return nil
	}
	out := map[string]Function{}
	gather(follow(root.Content[0]), 0, out)
	return out
}

// readable is a file's text as the reader of YAML takes it: JSON allows tabs
// anywhere, YAML doesn't.
func readable(data []byte) string {
	text := strings.TrimPrefix(string(data), "\ufeff")
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		text = strings.ReplaceAll(text, "\t", " ")
	}
	return text
}

// gather looks for saved functions in a tree, as find looks for rules.
func gather(n *yaml.Node, depth int, into map[string]Function) {
	if n == nil || depth > deepest {
		return
	}
	if n.Kind == yaml.SequenceNode {
		for _, x := range n.Content {
			gather(follow(x), depth+1, into)
		}
		return
	}
	f := fieldsOf(n)
	properties := f.under("properties")
	if body, alias := properties.text("query"), properties.text("functionAlias"); body != "" && alias != "" && !computed(body) && !computed(alias) {
		into[alias] = Function{Parameters: properties.text("functionParameters"), Body: body}
		return
	}
	if body := f.text("FunctionQuery", "ParserQuery"); body != "" {
		var params []string
		for _, p := range parametersOf(f) {
			params = append(params, p.declared())
		}
		for _, key := range []string{"FunctionName", "FunctionAlias", "ParserName", "EquivalentBuiltInParser", "EquivalentBuiltInFunction"} {
			if name := f.text(key); name != "" {
				into[name] = Function{Parameters: strings.Join(params, ", "), Body: body}
			}
		}
		return
	}
	for _, inner := range holders {
		if x, ok := f.get(inner); ok && x.Kind != yaml.ScalarNode {
			gather(x, depth+1, into)
		}
	}
}

// parameter is a function's parameter; value is its default, or one that means
// nothing; "" of a table.
type parameter struct{ name, typ, value string }

// declared is the parameter as a function's text has it. A table's columns
// stand in its name, T:(a:string), or aren't told.
func (p parameter) declared() string {
	switch {
	case p.value != "":
		return p.name + ":" + p.typ + "=" + p.value
	case strings.Contains(p.name, ":"):
		return p.name
	}
	return p.name + ":(*)"
}

// parametersOf reads the parameters of a saved function's file.
func parametersOf(f fields) (out []parameter) {
	for _, n := range append(f.list("FunctionParams"), f.list("ParserParams")...) {
		m := fieldsOf(n)
		p := parameter{name: m.text("Name"), typ: strings.ToLower(m.text("Type")), value: m.text("Default")}
		switch {
		case p.typ == "table" || p.typ == "tabular":
			p.value = ""
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
		name, columns, _ := strings.Cut(p.name, ":")
		switch columns = strings.TrimSpace(columns); {
		case p.value != "":
			b.WriteString("let " + p.name + " = " + p.value + "; ")
		case columns == "" || columns == "(*)":
			b.WriteString("let " + name + " = " + anyTable + "; ")
		default:
			b.WriteString("let " + name + " = datatable" + columns + "[]; ")
		}
	}
	return b.String()
}

// anyTable is the table that stands for a parameter whose columns aren't told:
// one that nobody declares.
const anyTable = "Parameter_CL"
