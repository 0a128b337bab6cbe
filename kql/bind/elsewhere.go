package bind

import (
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
)

// Place is where a text says that a table is: workspace('x').T.
type Place struct {
	Kind string // workspace, app, adx, cluster, database, resource, arg …: the function as written
	Name string // its argument
}

func (p Place) String() string { return p.Kind + "('" + p.Name + "')" }

// elsewhere binds a table of which isElsewhere is true. A place
// that the environment doesn't know is refused: to read the own rows instead
// would be an answer to another question.
func (b *binder) elsewhere(x *syntax.Path, s *scope) plan.Node {
	place := b.place(unparen(x.X).(*syntax.Call), s)
	if b.env.Elsewhere == nil {
		b.refusePlace(x, place, "")
	}
	t, reason := b.env.Elsewhere(place, x.Name.Text)
	switch {
	case reason != "":
		b.refusePlace(x, place, ": "+reason)
	case t == nil:
		b.fail(x.Name.Span, "KQL110", "%s has no table '%s'", place, x.Name.Text)
	}
	return b.scan(t, b.env.RowID)
}

func (b *binder) refusePlace(x *syntax.Path, place Place, reason string) {
	b.fail(x.At(), "KQL912", "%s.%s: rows of %s can't be read here%s", place, x.Name.Text, place, reason)
}

// place reads workspace('x'), or cluster('c').database('d'): then the last
// call says what is meant, and the whole is its name.
func (b *binder) place(call *syntax.Call, s *scope) Place {
	args, before := call.Args, ""
	if len(args) > 0 {
		if outer, ok := unparen(args[0]).(*syntax.Call); ok && places[strings.ToLower(outer.Func.Text)] {
			before, args = b.place(outer, s).String()+".", args[1:]
		}
	}
	name, ok := b.constant(args, 0, s).(string)
	if !ok || len(args) != 1 {
		b.fail(call.At(), "KQL118", "'%s' wants a name as a constant text", call.Func.Text)
	}
	if before != "" {
		return Place{Kind: before + call.Func.Text, Name: name}
	}
	return Place{Kind: call.Func.Text, Name: name}
}

// places are the functions that name a place of tables.
var places = map[string]bool{"workspace": true, "app": true, "adx": true, "cluster": true, "database": true, "resource": true, "arg": true}

// isElsewhere tells whether a path names a table of a place.
func isElsewhere(x *syntax.Path) bool {
	call, ok := unparen(x.X).(*syntax.Call)
	return ok && places[strings.ToLower(call.Func.Text)]
}

// noPlace refuses table('t') and saved functions of a place.
func (b *binder) noPlace(x *syntax.Call, s *scope) {
	if len(x.Args) == 0 {
		return
	}
	outer, ok := unparen(x.Args[0]).(*syntax.Call)
	if !ok || !places[strings.ToLower(outer.Func.Text)] || outer.At().Start != x.At().Start {
		return
	}
	b.fail(x.At(), "KQL912", "%s.%s(…): functions of %s can't be called here", b.place(outer, s), x.Func.Text, outer.Func.Text)
}
