package emit

import (
	"lockstep/kql/plan"
	"lockstep/schema"
)

// Dialect is what an engine's SQL says differently, as tables of templates:
// {0} {1}… are arguments, {*} all of them. What a table lacks, the engine can't do
// (or nobody has said how): Emit refuses it by its name.
type Dialect interface {
	// Name is the engine's name for a refusal; "" for the product's own engine.
	Name() string
	// Physical names a type's type in the engine.
	Physical(t schema.Type) string
	// Function gives the template of a function by its arguments' types. A leading ! says that
	// it gives null only for a null; lines before the last are computed first, each as one more argument.
	Function(name string, args []schema.Type, result schema.Type) (template string, ok bool)
	// Aggregate is Function for an aggregate. {if} is where a condition goes, {and} a condition that is
	// always there, {order} the order of the rows, {place} a row's number in that order.
	Aggregate(name string, args []schema.Type, result schema.Type) (template string, ok bool)
	// Phrase gives the template of what the emitter itself says beside functions.
	Phrase(name string) (template string, ok bool)
	// Path reads from the dynamic value {0} what lies at steps, each a string or an int64: as
	// a dynamic value or as text. The texts are the template's {1} {2}….
	Path(steps []any, asText bool) (template string, texts []string)
	// Parameter is the mark of parameter n in the text.
	Parameter(n int) string
}

// speaker is a dialect with functions that no template can say.
type speaker interface {
	special(fn string) func(*sel, *plan.Call) frag
}

// say fills a phrase of the dialect.
func (e *emitter) say(phrase string, args ...frag) frag {
	t, ok := e.dialect.Phrase(phrase)
	if !ok {
		unsupported(phrase)
	}
	return expandTemplate(t, args, nil)
}

// says tells whether the dialect has a phrase.
func (e *emitter) says(phrase string) bool {
	_, ok := e.dialect.Phrase(phrase)
	return ok
}

// sayAs is say for a construct that has another name in a query.
func (e *emitter) sayAs(construct, phrase string, args ...frag) frag {
	if !e.says(phrase) {
		unsupported(construct)
	}
	return e.say(phrase, args...)
}
