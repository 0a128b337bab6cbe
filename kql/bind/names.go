package bind

import (
	"strconv"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

func itoa(n int) string { return strconv.Itoa(n) }

// nameSet gives each output column a name that no other has.
type nameSet struct {
	taken   map[string]bool
	unnamed *int
}

// newNames begins with names that are taken. Columns without a name are
// numbered through the whole text. Source: the published binder's rules.
func (b *binder) newNames(taken ...plan.Column) *nameSet {
	n := &nameSet{taken: make(map[string]bool, len(taken)+8), unnamed: &b.unnamed}
	for _, c := range taken {
		n.taken[c.Name] = true
	}
	return n
}

// unique takes name, or name1, name2…; "" becomes the next of Column1, Column2….
func (n *nameSet) unique(name string) string {
	if name == "" {
		for {
			*n.unnamed++
			if c := "Column" + itoa(*n.unnamed); !n.taken[c] {
				n.taken[c] = true
				return c
			}
		}
	}
	if !n.taken[name] {
		n.taken[name] = true
		return name
	}
	for i := 1; ; i++ {
		if c := name + itoa(i); !n.taken[c] {
			n.taken[c] = true
			return c
		}
	}
}

// reserved are words that can't name a column unless they stand in ['…'].
// Source: the engine refuses them; the published grammar takes them.
var reserved = map[string]bool{"first": true, "last": true, "asc": true, "desc": true, "has": true}

func (b *binder) checkName(n syntax.Name) {
	if reserved[n.Text] && !n.Quoted {
		b.fail(n.Span, "KQL145", "'%[1]s' is a word of the language: as a name write ['%[1]s']", n.Text)
	}
}

// nameOf is the name that an unnamed expression gives its column; "" and
// false for none. Source: the published binder's rules.
func (b *binder) nameOf(x syntax.Expr, c ctx) (string, bool) {
	switch x := x.(type) {
	case *syntax.Paren:
		return b.nameOf(x.X, c)
	case *syntax.Ident:
		return x.Text, true
	case *syntax.Named:
		return x.Names[0].Text, true
	case *syntax.Ordered:
		return b.nameOf(x.X, c)
	case *syntax.Path:
		if id, ok := x.X.(*syntax.Ident); ok && (id.Text == "$left" || id.Text == "$right") {
			return x.Name.Text, true
		}
		left, _ := b.nameOf(x.X, c)
		if left != "" {
			return left + "_" + x.Name.Text, true
		}
		return x.Name.Text, true
	case *syntax.Index:
		left, _ := b.nameOf(x.X, c)
		right := ""
		if l, ok := x.I.(*syntax.Literal); ok {
			switch v := l.Value.(type) {
			case string:
				right = v
			case int64:
				if l.Type == schema.Long || l.Type == schema.Int {
					right = strconv.FormatInt(v, 10)
				}
			}
		}
		if left != "" {
			return left + "_" + right, true
		}
		return right, right != ""
	case *syntax.Call:
		return b.callName(x, c)
	}
	return "", false
}

func (b *binder) callName(x *syntax.Call, c ctx) (string, bool) {
	if e, ok := c.scope.find(x.Func.Text); ok && e.lambda != nil {
		return "", false
	}
	f, ok := b.catalog.Function(x.Func.Text)
	if c.aggs != nil {
		if a, is := b.catalog.Aggregate(x.Func.Text); is {
			f, ok = a, true
		}
	}
	if !ok {
		return "", false
	}
	first := func() (string, bool) {
		if len(x.Args) == 0 {
			return "", false
		}
		return b.nameOf(x.Args[0], c)
	}
	switch naming := f.Naming; naming {
	case "":
		return "", false
	case "arg":
		return first()
	case "only":
		if len(x.Args) != 1 {
			return "", false
		}
		return first()
	case "column":
		if len(x.Args) > 0 {
			if v, ok := b.constant(x.Args, 0, c.scope).(string); ok {
				if _, found := c.row.find(v); found {
					return v, true
				}
			}
		}
		return "", false
	default:
		prefix, ok := cutSuffix(naming, "_arg")
		if !ok {
			return naming, true
		}
		name, _ := first()
		return prefix + "_" + name, true
	}
}

func cutSuffix(s, suffix string) (string, bool) {
	if n := len(s) - len(suffix); n >= 0 && s[n:] == suffix {
		return s[:n], true
	}
	return s, false
}
