package content

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// fields are the members of a mapping by their names in lower case: files
// come with displayName and with DisplayName.
type fields struct {
	node *yaml.Node
	by   map[string]field
}

type field struct{ key, value *yaml.Node }

func fieldsOf(n *yaml.Node) fields {
	f := fields{node: n, by: map[string]field{}}
	if n == nil || n.Kind != yaml.MappingNode {
		return f
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		f.by[strings.ToLower(n.Content[i].Value)] = field{n.Content[i], follow(n.Content[i+1])}
	}
	return f
}

// follow gives what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	for range 8 {
		if n == nil || n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	return n
}

// get gives the first of some names that is there and not null.
func (f fields) get(names ...string) (*yaml.Node, bool) {
	for _, name := range names {
		if x, ok := f.by[strings.ToLower(name)]; ok && x.value.Tag != "!!null" {
			return x.value, true
		}
	}
	return nil, false
}

// text gives a scalar's text, "" if there is none.
func (f fields) text(names ...string) string {
	if n, ok := f.get(names...); ok && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// under gives a mapping's members; none if there is no mapping.
func (f fields) under(name string) fields {
	n, _ := f.get(name)
	return fieldsOf(n)
}

// list gives the elements of a sequence.
func (f fields) list(name string) []*yaml.Node {
	n, ok := f.get(name)
	if !ok || n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, x := range n.Content {
		out[i] = follow(x)
	}
	return out
}

// reportNode reports something about a node.
func (c *checker) reportNode(s Severity, code string, n *yaml.Node, format string, args ...any) {
	start := c.offset(n.Line, n.Column)
	end := start
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		at := c.places(n)
		start, end = at(0), at(len(n.Value))
	}
	c.report(s, code, start, end, format, args...)
}
