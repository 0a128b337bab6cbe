package odata

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/schema"
)

func (p Path) String() string { return string(p) }

func (l Literal) String() string {
	switch v := l.Value.(type) {
	case nil:
		return "null"
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case schema.Ticks:
		return v.String()
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0" // or it would be read as a whole number
		}
		return text
	}
	return fmt.Sprint(l.Value)
}

func (f Function) String() string { return f.Name + "(" + f.Of.String() + ")" }

func (c Comparison) String() string { return c.Left.String() + " " + c.Op + " " + c.Right.String() }

func (t Text) String() string { return t.Name + "(" + t.In.String() + "," + t.What.String() + ")" }

func (m Membership) String() string {
	members := make([]string, len(m.In))
	for i, l := range m.In {
		members[i] = l.String()
	}
	return m.Of.String() + " in (" + strings.Join(members, ",") + ")"
}

func (n Not) String() string { return "not (" + n.Of.String() + ")" }

func (l Logic) String() string {
	left, right := l.Left.String(), l.Right.String()
	if inner, ok := l.Left.(Logic); ok && inner.Op != l.Op && l.Op == "and" {
		left = "(" + left + ")"
	}
	if inner, ok := l.Right.(Logic); ok && (inner.Op == l.Op || l.Op == "and") {
		right = "(" + right + ")"
	}
	return left + " " + l.Op + " " + right
}

func (q Quantifier) String() string {
	name := "any"
	if q.All {
		name = "all"
	}
	if q.Cond == nil {
		return q.Path + "/" + name + "()"
	}
	return q.Path + "/" + name + "(" + q.Name + ": " + q.Cond.String() + ")"
}

func (o Order) String() string {
	if o.Descending {
		return o.Path + " desc"
	}
	return o.Path
}
