package content

import (
	"maps"
	"slices"
	"strings"

	"lockstep/kql"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// Function is a saved function that queries may call.
type Function = kql.Function

// query compiles a query of one side and reports what the language says; it
// gives the columns of the answer, nil if there is none. place gives the byte
// of the file for a byte of the query.
func (c *checker) query(text string, side schema.Side, place func(int) int) []schema.Column {
	n := names{options: c.options, side: side, text: text, guessed: map[string]*schema.Table{}}
	env := kql.Environment{Tables: n.table, TableNames: n.all, Elsewhere: n.elsewhere, Functions: c.options.Functions, Now: c.options.Now}
	program, found := kql.Compile(text, env)
	for n.guessUnknown(found) {
		program, found = kql.Compile(text, env)
	}
	for _, d := range found {
		severity := Error
		if d.Severity == kql.Warning {
			severity = Warning
		}
		if d.Code == "KQL902" || d.Code == "KQL903" || d.Code == "KQL901" { // of the server's data, not of the text
			continue
		}
		c.reportWithin(severity, d.Code, d.Start, d.End, place, "%s", d.Message)
	}
	c.open = len(n.guessed) > 0 || slices.ContainsFunc(found, func(d kql.Diagnostic) bool { return d.Code == "KQL904" })
	for _, name := range slices.Sorted(maps.Keys(n.guessed)) {
		at := max(0, strings.Index(text, name))
		if custom(name) {
			c.reportWithin(Warning, "RULE030", at, at+len(name), place, "the table '%s' is not declared: its columns can't be checked; declare it with --tables", name)
			continue
		}
		c.reportWithin(Warning, "RULE031", at, at+len(name), place, "no table and no saved function '%s' is known here: its columns can't be checked; name it with --tables or --functions", name)
	}
	if program == nil {
		return nil
	}
	return program.Columns
}

// reportWithin reports about a stretch of a text; place gives the byte of the
// file for a byte of the text.
func (c *checker) reportWithin(s Severity, code string, start, end int, place func(int) int, format string, args ...any) {
	from, to := place(start), place(start)
	if end > start {
		to = place(end-1) + 1
	}
	c.report(s, code, from, to, format, args...)
}

// names is what a query's tables are.
type names struct {
	options Options
	side    schema.Side
	text    string
	guessed map[string]*schema.Table // custom tables that nobody declared
}

// further are the columns that every table of a workspace has without showing them.
var further = []schema.Column{
	{Name: "_ItemId", Type: schema.String, Hidden: true}, {Name: "_ResourceId", Type: schema.String, Hidden: true}, {Name: "_SubscriptionId", Type: schema.String, Hidden: true},
	{Name: "_TimeReceived", Type: schema.DateTime, Hidden: true}, {Name: "_BilledSize", Type: schema.Real, Hidden: true}, {Name: "_IsBillable", Type: schema.String, Hidden: true},
	{Name: "TenantId", Type: schema.String, Hidden: true}, {Name: "Type", Type: schema.String, Hidden: true}, {Name: "SourceSystem", Type: schema.String, Hidden: true},
}

func (n *names) table(name string) (*schema.Table, bool) {
	if t, ok := n.options.Tables[name]; ok {
		return t, true
	}
	c := schema.Default()
	hunting, isHunting := c.Table(schema.XDR, name)
	own, isOwn := c.Table(schema.Workspace, name)
	switch {
	case isHunting && isOwn && n.side == schema.XDR:
		return workspaceTable(both(hunting, own)), true
	case isHunting && isOwn:
		return workspaceTable(both(own, hunting)), true
	case isHunting && n.side == schema.XDR:
		return hunting, true
	case isHunting:
		return workspaceTable(hunting), true
	case isOwn:
		return workspaceTable(own), true
	}
	if t, ok := c.Fallback(name); ok {
		return workspaceTable(t), true
	}
	if custom(name) && n.guessed[name] == nil {
		n.guessed[name] = guess(name, n.texts(name))
	}
	t, ok := n.guessed[name]
	return t, ok
}

// both is a table that the two sides have, with the columns of the other one
// hidden: in the unified portal a query may read either.
func both(t, other *schema.Table) *schema.Table {
	columns := append([]schema.Column{}, t.Columns...)
	for _, c := range other.Columns {
		if !has(columns, c.Name) {
			c.Hidden = true
			columns = append(columns, c)
		}
	}
	return schema.NewTable(t.Name, t.Side, columns)
}

// custom tells by its name that a table is one of somebody's own.
func custom(name string) bool { return strings.HasSuffix(name, "_CL") }

// guessUnknown takes what a compilation didn't find for tables or saved
// functions that the server knows, unless the name is nearly a known one: then
// it is misspelt. It tells whether there was such a name.
func (n *names) guessUnknown(found []kql.Diagnostic) bool {
	more := false
	for _, d := range found {
		if d.Code != unknownTable || d.Severity == kql.Warning {
			continue
		}
		name := n.text[d.Start:d.End]
		if n.guessed[name] == nil && syntax.Nearest(name, n.known()) == "" {
			n.guessed[name], more = guess(name, n.texts(name)), true
		}
	}
	return more
}

// unknownTable is the code of a name that is no table, let name or function.
const unknownTable = "KQL110"

// known are all names that the text could have meant for a table.
func (n *names) known() []string {
	all := n.all()
	for _, t := range schema.Default().Tables(schema.XDR) {
		all = append(all, t.Name)
	}
	all = slices.AppendSeq(all, maps.Keys(n.options.Functions))
	tokens, _ := syntax.Tokens(n.text)
	for i, t := range tokens {
		if i > 0 && tokens[i-1].Text == "let" && t.Kind == syntax.Word {
			all = append(all, t.Text)
		}
	}
	return all
}

// texts gives everything that may name a table's columns: the query, and the
// saved functions that read the table.
func (n *names) texts(table string) string {
	all := n.text
	for _, f := range n.options.Functions {
		if strings.Contains(f.Body, table) {
			all += "\n" + f.Body
		}
	}
	return all
}

// workspaceTable adds what every table of a workspace has.
func workspaceTable(t *schema.Table) *schema.Table {
	columns := append([]schema.Column{}, t.Columns...)
	for _, f := range append([]schema.Column{{Name: "TimeGenerated", Type: schema.DateTime}}, further...) {
		if !has(columns, f.Name) {
			columns = append(columns, f)
		}
	}
	return schema.NewTable(t.Name, schema.Workspace, columns)
}

func has(columns []schema.Column, name string) bool {
	for _, c := range columns {
		if c.Name == name {
			return true
		}
	}
	return false
}

// suffixes tell the types of the columns of custom tables.
// Source: the workspace's page on custom logs.
var suffixes = map[string]schema.Type{"_s": schema.String, "_d": schema.Real, "_b": schema.Bool, "_t": schema.DateTime, "_g": schema.String}

// guess declares a custom table that nobody declared: every word of the query
// that isn't given a meaning there may be one of its columns.
func guess(name, text string) *schema.Table {
	columns := append([]schema.Column{{Name: "TimeGenerated", Type: schema.DateTime}}, further...)
	columns = append(columns, schema.Column{Name: "Computer", Type: schema.String}, schema.Column{Name: "RawData", Type: schema.String})
	tokens, _ := syntax.Tokens(text)
	given := map[string]bool{}
	for i, t := range tokens[:max(0, len(tokens)-1)] {
		if next := tokens[i+1]; t.Kind == syntax.Word && next.Kind == syntax.Punct && (next.Text == "=" || next.Text == "(" || next.Text == ":") {
			given[t.Text] = true
		}
	}
	for _, t := range tokens {
		if t.Kind != syntax.Word || given[t.Text] || has(columns, t.Text) || strings.HasSuffix(t.Text, "_CL") {
			continue
		}
		typ := schema.Dynamic
		if s, ok := suffixes[t.Text[max(0, len(t.Text)-2):]]; ok {
			typ = s
		}
		columns = append(columns, schema.Column{Name: t.Text, Type: typ, Hidden: true})
	}
	return schema.NewTable(name, schema.Workspace, columns)
}

// all names the tables that a wildcard means.
func (n *names) all() []string {
	var out []string
	for _, t := range schema.Default().Tables(n.side) {
		out = append(out, t.Name)
	}
	for name := range n.options.Tables {
		out = append(out, name)
	}
	return out
}

// elsewhere takes workspace('x').T to have the columns that T has here: which
// workspaces there are, the server knows that runs the query.
func (n names) elsewhere(p kql.Place, table string) (*schema.Table, string) {
	if !strings.EqualFold(p.Kind, "workspace") {
		return nil, "no server of this kind has them"
	}
	t, _ := n.table(table)
	return t, ""
}
