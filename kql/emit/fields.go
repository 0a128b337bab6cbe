package emit

import (
	"strings"

	"lockstep/kql/plan"
	"lockstep/schema"
)

// elements says the list of what is opened: elements, or rows of the fields that are read of them.
func (e *emitter) elements(it plan.Expanded, list frag) frag {
	switch {
	case it.Arrays:
		return e.say("elements as pairs", list)
	case len(it.Fields) > 0 && e.says("elements by field"):
		shape := make([]string, len(it.Fields))
		for i, f := range it.Fields {
			shape[i] = `"` + f.Key + `":"JSON"`
			if f.Type == schema.String {
				shape[i] = `"` + f.Key + `":"VARCHAR"`
			}
		}
		return e.say("elements by field", list, text("{"+strings.Join(shape, ",")+"}"))
	}
	return e.say("elements", list)
}

// fields says the columns of an expansion that are fields of elements.
func (e *emitter) fields(n *plan.Expand) map[plan.ID]frag {
	out := map[plan.ID]frag{}
	for _, it := range n.Items {
		element := text("e" + name(it.ID))
		for _, f := range it.Fields {
			if !e.says("elements by field") {
				t, texts := e.dialect.Path([]any{f.Key}, f.Type == schema.String)
				args := []frag{element}
				for _, x := range texts {
					args = append(args, param(x))
				}
				out[f.ID] = expandTemplate(t, args, nil)
				continue
			}
			x := e.say("field by key", element, text(f.Key))
			if f.Type == schema.String {
				out[f.ID] = x.wrap("coalesce(", ", '')")
				continue
			}
			out[f.ID] = x.wrap("nullif(", "::VARCHAR, 'null')")
		}
	}
	return out
}
