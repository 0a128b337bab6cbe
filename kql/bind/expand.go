package bind

import (
	"regexp"
	"slices"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// expandItems binds the opened columns: their new columns by name, in order.
func (b *binder) expandItems(op *syntax.Expand, c ctx) (items []plan.Expanded) {
	arrays := b.chosen(op, op.Options, "bagexpansion", b.chosen(op, op.Options, "kind", "bag", "bag", "array"), "bag", "array") == "array"
	names := b.newNames(c.row.columns...)
	for _, it := range op.Items {
		x := it.X
		name, _ := b.nameOf(x, c)
		if n, ok := x.(*syntax.Named); ok {
			x = n.X
		} else if _, ident := unparen(x).(*syntax.Ident); !ident && (name == "" || !singleArgument(x)) {
			if name == "" || names.taken[name] {
				name = names.unique(name)
			}
		}
		v := b.scalar(x, c)
		if v.Type() == schema.String {
			v = call("parse_json", schema.Dynamic, v)
		}
		if v.Type() != schema.Dynamic {
			b.fail(x.At(), "KQL175", "a %s value can't be opened into rows: only dynamic values can", v.Type())
		}
		t := it.Type
		if t == schema.Invalid {
			t = schema.Dynamic
		}
		items = append(items, plan.Expanded{Column: b.column(name, t), X: b.convert(v, schema.Dynamic), Arrays: arrays})
	}
	return items
}

func singleArgument(x syntax.Expr) bool { _, ok := unparen(x).(*syntax.Call); return ok }

func (b *binder) expand(n plan.Node, op *syntax.Expand, c ctx) plan.Node {
	e := &plan.Expand{Input: n, Items: b.expandItems(op, c)}
	if op.Limit != nil {
		e.Limit = b.whole(op.Limit, c.scope, op.Keyword())
	}
	e.Cols = replaced(n.Columns(), e.Items)
	if id, ok := option(op.Options, "with_itemindex"); ok {
		index := b.column(word(op.Options, "with_itemindex", ""), schema.Long)
		if index.Name == "" {
			b.fail(id.At(), "KQL141", "a column's name is expected here")
		}
		e.Index = &index
		e.Cols = append(e.Cols, index)
	}
	return e
}

// replaced puts opened columns in the place of those of their name, else at the end.
func replaced(cols []plan.Column, items []plan.Expanded) []plan.Column {
	out := append([]plan.Column{}, cols...)
next:
	for _, it := range items {
		for i := range out {
			if out[i].Name == it.Name {
				out[i] = it.Column
				continue next
			}
		}
		out = append(out, it.Column)
	}
	return out
}

// mvApply runs a sub-query over the opened values of each row.
func (b *binder) mvApply(n plan.Node, op *syntax.Expand, c ctx) plan.Node {
	outer := &plan.Outer{Cols: n.Columns()}
	sub := b.expand(outer, &syntax.Expand{Options: op.Options, Items: op.Items, Limit: op.Limit}, c)
	opened := map[string]bool{}
	called := map[string]bool{} // named by a call's argument: where the sub-query drops it the argument's column stays
	for i, it := range sub.(*plan.Expand).Items {
		opened[it.Name] = true
		called[it.Name] = singleArgument(op.Items[i].X)
	}
	pipe, ok := op.On.(*syntax.Pipe)
	if !ok {
		b.fail(op.At(), "KQL176", "mv-apply wants a sub-query in brackets after on")
	}
	sub = b.pipe(sub, pipe.Ops, c.scope)
	a := &plan.Apply{Input: n, Sub: sub}
	inner := newRow(sub)
	have := map[plan.ID]bool{}
	names := map[string]bool{}
	for _, col := range n.Columns() {
		if kept, ok := inner.find(col.Name); ok && called[col.Name] {
			col = kept
		} else if opened[col.Name] && !called[col.Name] {
			continue
		}
		a.Cols = append(a.Cols, col)
		have[col.ID], names[col.Name] = true, true
	}
	for _, col := range sub.Columns() {
		if !have[col.ID] && !names[col.Name] {
			a.Cols = append(a.Cols, col)
		}
	}
	return a
}

// parse binds parse: the pattern as one regular expression, a group a column.
func (b *binder) parse(n plan.Node, op *syntax.Parse, c ctx) plan.Node {
	if kinds := []string{"simple", "regex", "relaxed"}; !slices.Contains(kinds, op.Kind) {
		b.fail(op.At(), "KQL154", "'%s' is no value of 'kind' for %s%s", op.Kind, op.Keyword(), oneOf(op.Kind, kinds))
	}
	source := b.convert(b.scalar(op.X, c), schema.String)
	var pattern strings.Builder
	flags := "s"
	if op.Kind == "regex" {
		flags = ""
	}
	for _, f := range "imsU" {
		if strings.ContainsRune(op.Flags, f) && !strings.ContainsRune(flags, f) {
			flags += string(f)
		}
	}
	if flags != "" {
		pattern.WriteString("(?" + flags + ")")
	}
	pattern.WriteString("^")
	var cols []*syntax.ColumnDecl
	var groups []int64 // the group of each column: texts of a regular expression have groups too
	group := int64(0)
	for i, p := range op.Pattern {
		last := i == len(op.Pattern)-1
		switch {
		case p.Star:
			pattern.WriteString(".*?")
		case p.Text != nil:
			text := p.Text.(*syntax.Literal).Value.(string)
			if op.Kind == "regex" {
				pattern.WriteString("(?:" + text + ")")
				if re, err := regexp.Compile(text); err == nil {
					group += int64(re.NumSubexp())
				}
			} else {
				pattern.WriteString(regexp.QuoteMeta(text))
			}
		default:
			b.checkName(p.Column.Name)
			if op.Kind == "regex" && i > 0 && op.Pattern[i-1].Column != nil && op.Pattern[i-1].Column.Type == schema.String {
				b.fail(p.Column.Name.Span, "KQL163", "a text must stand between the columns '%s' and '%s'", op.Pattern[i-1].Column.Name.Text, p.Column.Name.Text)
			}
			for _, c := range cols {
				if c.Name.Text == p.Column.Name.Text {
					b.fail(p.Column.Name.Span, "KQL140", "the column '%s' is given twice", c.Name.Text)
				}
			}
			group++
			cols, groups = append(cols, p.Column), append(groups, group)
			pattern.WriteString(groupFor(p.Column.Type, op.Kind, last))
		}
	}
	if last := op.Pattern[len(op.Pattern)-1]; !last.Star && op.Kind != "regex" {
		pattern.WriteString("$")
	} else if last.Column != nil {
		pattern.WriteString("$")
	}
	if _, err := regexp.Compile(pattern.String()); err != nil {
		b.fail(op.At(), "KQL177", "the pattern of parse is no valid regular expression: %v", err)
	}
	re := &plan.Const{Typ: schema.String, Value: pattern.String()}
	found := call("parse_match", schema.Bool, source, re)
	items := keepAll(n.Columns())
	for i, col := range cols {
		found := call("parse_group", schema.String, source, re, &plan.Const{Typ: schema.Long, Value: groups[i]})
		it := b.item(col.Name.Text, b.convert(found, col.Type))
		at := -1
		for j := range items {
			if items[j].Name == col.Name.Text {
				at = j
			}
		}
		if at >= 0 {
			items[at] = it
		} else {
			items = append(items, it)
		}
	}
	input := n
	if op.Word == "parse-where" {
		input = &plan.Filter{Input: n, Predicate: found}
	}
	return &plan.Project{Input: input, Items: items, Extends: true}
}

// groupFor is what a column of a type can match in parse.
func groupFor(t schema.Type, kind string, last bool) string {
	if kind != "relaxed" {
		switch t {
		case schema.Int, schema.Long:
			return `([-+]?\d+)`
		case schema.Real, schema.Decimal:
			return `([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)`
		}
	}
	if last || kind == "regex" {
		return `(.*)`
	}
	return `(.*?)`
}

func (b *binder) parseKV(n plan.Node, op *syntax.ParseKV, c ctx) plan.Node {
	source := b.convert(b.scalar(op.X, c), schema.String)
	setting := func(name string) plan.Expr {
		return &plan.Const{Typ: schema.String, Value: word(op.Options, name, "")}
	}
	settings := []plan.Expr{setting("pair_delimiter"), setting("kv_delimiter"), setting("quote"), setting("escape"), setting("greedy"), setting("regex")}
	b.known(op, op.Options, "pair_delimiter", "kv_delimiter", "quote", "escape", "greedy", "regex")
	b.declColumns(op.Columns, func(string, schema.Type) {})
	items := keepAll(n.Columns())
	for _, col := range op.Columns {
		v := call("parse_kv", schema.String, append([]plan.Expr{source, &plan.Const{Typ: schema.String, Value: col.Name.Text}}, settings...)...)
		it := b.item(col.Name.Text, b.convert(v, col.Type))
		at := -1
		for j := range items {
			if items[j].Name == col.Name.Text {
				at = j
			}
		}
		if at >= 0 {
			items[at] = it
		} else {
			items = append(items, it)
		}
	}
	return &plan.Project{Input: n, Items: items, Extends: true}
}
