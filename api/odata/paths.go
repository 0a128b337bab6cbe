package odata

import "strings"

// Paths lists the properties of the record that a condition names, in order of
// appearance, so that a face can refuse one that its resource hasn't.
func Paths(f Filter) []string {
	var out []string
	var filter func(f Filter, bound map[string]bool)
	var operand func(o Operand, bound map[string]bool)
	operand = func(o Operand, bound map[string]bool) {
		switch o := o.(type) {
		case Path:
			if head, _, _ := strings.Cut(string(o), "/"); !bound[head] {
				out = append(out, string(o))
			}
		case Function:
			operand(o.Of, bound)
		}
	}
	filter = func(f Filter, bound map[string]bool) {
		switch f := f.(type) {
		case Logic:
			filter(f.Left, bound)
			filter(f.Right, bound)
		case Not:
			filter(f.Of, bound)
		case Comparison:
			operand(f.Left, bound)
			operand(f.Right, bound)
		case Text:
			operand(f.In, bound)
			operand(f.What, bound)
		case Membership:
			operand(f.Of, bound)
		case Quantifier:
			operand(Path(f.Path), bound)
			if f.Cond != nil {
				inner := map[string]bool{f.Name: true}
				for name := range bound {
					inner[name] = true
				}
				filter(f.Cond, inner)
			}
		}
	}
	filter(f, nil)
	return out
}
