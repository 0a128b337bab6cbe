package bind

import (
	"slices"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// mostAnswers is how many result tables a text may have: each is bound with the whole text.
const mostAnswers = 64

// answer is one result table of a text: of each of its statements that is a
// table one, of fork, facet, preview and graph-to-table several.
// Source: Kusto, batches; the fork, facet and graph-to-table operators; the preview plugin.
type answer struct {
	name   string // given by as, or by fork; "" for none
	node   plan.Node
	render *syntax.Render
}

// answers binds a text's statements and gives its result tables in their order.
func (b *binder) answers(q *syntax.Query, s *scope) []answer {
	var out []answer
	asked, named := false, 0
	for _, st := range q.Statements {
		x, ok := st.(*syntax.Expression)
		asked = asked || ok
		if ok { // of a graph's two tables the page shows what later statements ask for alone
			out, named = out[:len(out)-named], 0
		}
		if !ok {
			b.safely(func() plan.Node {
				b.statement(st, s)
				return nil
			})
			continue
		}
		b.render = nil
		b.safely(func() plan.Node {
			found := b.answersOf(x.X, s)
			if out = append(out, found...); namesTables(x.X) {
				named = len(found)
			}
			return nil
		})
		if len(out) > mostAnswers {
			b.report(x.At(), "KQL195", "the query gives more than %d tables", mostAnswers)
			return out
		}
	}
	if !asked {
		out = []answer{{node: b.nothing(q)}}
	}
	return out
}

// answersOf binds a statement. The names that its operators as give stand for later statements too.
func (b *binder) answersOf(x syntax.Expr, s *scope) []answer {
	p, ok := unparen(x).(*syntax.Pipe)
	if !ok || p.Source == nil {
		return []answer{{node: b.noGraph(b.tabular(x, s))}}
	}
	b.count(x.At())
	inner := s.child()
	defer func() {
		for _, op := range p.Ops {
			if as, ok := op.(*syntax.As); ok && inner.names[as.Name.Text] != nil {
				s.names[as.Name.Text] = inner.names[as.Name.Text]
			}
		}
	}()
	end := len(p.Ops)
	for end > 0 && isRender(p.Ops[end-1]) {
		end--
	}
	if end == 0 || !several(p.Ops[end-1]) {
		n := b.noGraph(b.pipeIn(b.tabular(p.Source, s), p.Ops, inner))
		return []answer{{given(p.Ops[:end]), n, b.render}}
	}
	n := b.pipeIn(b.tabular(p.Source, s), p.Ops[:end-1], inner)
	if !namesTables(p) {
		b.noGraph(n)
	}
	b.count(p.Ops[end-1].At())
	out := b.branch(n, p.Ops[end-1], inner)
	for _, op := range p.Ops[end:] {
		b.show(op.(*syntax.Render))
	}
	for i := range out {
		out[i].render = b.render
	}
	return out
}

func isRender(op syntax.Operator) bool { _, ok := op.(*syntax.Render); return ok }

// given is the name that operators give to their table at their end; "" for none.
func given(ops []syntax.Operator) string {
	if len(ops) > 0 {
		if as, ok := ops[len(ops)-1].(*syntax.As); ok {
			return as.Name.Text
		}
	}
	return ""
}

// several tells that an operator gives several tables.
func several(op syntax.Operator) bool {
	switch op := op.(type) {
	case *syntax.Fork, *syntax.Facet:
		return true
	case *syntax.Evaluate:
		return op.Call.Func.Text == "preview"
	case *syntax.GraphTable:
		return len(op.Outputs) > 1
	}
	return false
}

// namesTables tells that a statement ends with the two tables of a graph.
func namesTables(x syntax.Expr) bool {
	p, ok := unparen(x).(*syntax.Pipe)
	if !ok || len(p.Ops) == 0 {
		return false
	}
	op, ok := p.Ops[len(p.Ops)-1].(*syntax.GraphTable)
	return ok && several(op)
}

// branch binds an operator that gives several tables.
func (b *binder) branch(n plan.Node, op syntax.Operator, s *scope) []answer {
	c := ctx{scope: s, row: b.rowFor(n)}
	switch op := op.(type) {
	case *syntax.GraphTable:
		b.operator(n, op, s)
		var out []answer
		for _, o := range op.Outputs {
			out = append(out, answer{name: o.As.Text, node: s.parent.names[o.As.Text].table()})
		}
		return out
	case *syntax.Fork:
		return b.fork(n, op, s)
	case *syntax.Facet:
		return b.facet(n, op, c)
	}
	return b.preview(n, op.(*syntax.Evaluate), c)
}

// forked are the operators of a sub-query of fork. Source: Kusto, the fork
// operator, and what the published language service takes beside its list.
var forked = []string{"as", "count", "distinct", "extend", "filter", "invoke", "limit", "mv-expand", "mvexpand", "order", "parse", "parse-kv", "parse-where", "project", "project-away",
	"project-by-names", "project-keep", "project-rename", "project-reorder", "reduce", "sample", "sample-distinct", "sort", "summarize", "take", "top", "top-hitters", "top-nested", "where"}

func (b *binder) fork(n plan.Node, op *syntax.Fork, s *scope) []answer {
	var out []answer
	for _, branch := range op.Branches {
		ops := branch.Sub.(*syntax.Pipe).Ops
		for _, op := range ops {
			if !slices.Contains(forked, op.Keyword()) {
				b.fail(op.At(), "KQL194", "%s can't stand in a branch of fork", op.Keyword())
			}
		}
		name := branch.Name.Text
		if name == "" {
			name = given(ops)
		}
		out = append(out, answer{name: name, node: b.pipe(n, ops, s)})
	}
	return out
}

// facet counts the values of each column; the table of its sub-query comes first.
func (b *binder) facet(n plan.Node, op *syntax.Facet, c ctx) []answer {
	var out []answer
	if op.With != nil {
		out = append(out, answer{node: b.pipe(n, op.With.(*syntax.Pipe).Ops, c.scope)})
	}
	for _, x := range op.By {
		col := b.selected(x, c, true)
		if len(col) == 0 {
			b.fail(x.At(), "KQL141", "a declared column's name is expected here")
		}
		if col[0].Type == schema.Dynamic {
			b.fail(x.At(), "KQL144", "a dynamic value can't be counted by: convert it, for example with tostring()")
		}
		count := plan.Agg{Column: b.column("count_"+col[0].Name, schema.Long), Func: "count"}
		out = append(out, answer{node: &plan.Aggregate{Input: n, Keys: []plan.Item{keep(col[0])}, Aggs: []plan.Agg{count}}})
	}
	return out
}

// preview gives some rows, and how many there are.
func (b *binder) preview(n plan.Node, op *syntax.Evaluate, c ctx) []answer {
	b.want(op.Call, 1, 1)
	some := &plan.Limit{Input: n, N: b.whole(op.Call.Args[0], c.scope, "preview")}
	all := &plan.Aggregate{Input: n, Aggs: []plan.Agg{{Column: b.column("Count", schema.Long), Func: "count"}}}
	return []answer{{node: some}, {node: all}}
}
