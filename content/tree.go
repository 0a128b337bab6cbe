package content

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// tree reads a file of YAML or JSON and checks the rules in it.
func (c *checker) tree() {
	decoder := yaml.NewDecoder(strings.NewReader(readable([]byte(c.text))))
	for {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line, why := yamlError(err)
			c.report(Error, "RULE001", c.offset(line, 1), c.offset(line, 1), "the file can't be read: %s", why)
			return
		}
		if len(n.Content) > 0 {
			c.find(follow(n.Content[0]), 0)
		}
	}
}

var atLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?(.*)`)

// yamlError splits the reader's message into line and reason.
func yamlError(err error) (int, string) {
	m := atLine.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	if m == nil {
		return 1, err.Error()
	}
	line, _ := strconv.Atoi(m[1])
	return max(1, line), m[2]
}

// deepest is how far rules may lie inside of templates.
const deepest = 12

// find looks for rules in a tree: the whole of it, the resources of a
// template, the elements of a list.
func (c *checker) find(n *yaml.Node, depth int) {
	if n == nil || depth > deepest {
		return
	}
	if n.Kind == yaml.SequenceNode {
		for _, x := range n.Content {
			c.find(follow(x), depth+1)
		}
		return
	}
	f := fieldsOf(n)
	if _, ok := f.by["querycondition"]; ok {
		c.begin(f.text("displayName"))
		c.defender(f)
		return
	}
	properties := f.under("properties")
	kind := strings.ToLower(f.text("type"))
	switch {
	case strings.HasSuffix(kind, "/alertrules") || kind == "" && properties.text("query") != "" && f.text("kind") != "":
		if k := f.text("kind"); strings.EqualFold(k, "Scheduled") || strings.EqualFold(k, "NRT") {
			c.begin(properties.text("displayName"))
			c.template(f, properties)
		}
		return
	case kind == "savedsearches" || strings.HasSuffix(kind, "/savedsearches"):
		if _, ok := properties.get("query"); ok {
			c.begin(properties.text("displayName"))
			c.hunting(properties)
		}
		return
	case f.text("query") != "" && (f.text("name", "displayName") != "" || f.text("severity") != ""):
		c.begin(f.text("name", "displayName"))
		c.analytics(f)
	case f.text("FunctionQuery", "parserQuery") != "":
		c.begin(f.text("FunctionName", "EquivalentBuiltInParser"))
		c.parser(f)
	}
	for _, inner := range holders {
		if x, ok := f.get(inner); ok && x.Kind != yaml.ScalarNode {
			c.find(x, depth+1)
		}
	}
}

// holders are the members in which templates hold rules and functions.
var holders = []string{"resources", "template", "properties"}

// begin starts a rule.
func (c *checker) begin(name string) {
	c.rules++
	c.rule = strings.TrimSpace(name)
}

// computed tells a template's expression, which only a deployment knows.
func computed(s string) bool { return strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") }
