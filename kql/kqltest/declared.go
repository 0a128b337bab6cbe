package kqltest

import (
	_ "embed"
	"fmt"
	"sort"
	"strings"
	"sync"

	"lockstep/schema"
)

//go:embed declared.txt
var declared string

// standard are the columns that every table of a workspace has besides its own.
var standard = []schema.Column{
	{Name: "SourceSystem", Type: schema.String}, {Name: "TenantId", Type: schema.String}, {Name: "TimeGenerated", Type: schema.DateTime}, {Name: "Type", Type: schema.String},
	{Name: "_BilledSize", Type: schema.Real}, {Name: "_IsBillable", Type: schema.String}, {Name: "_ItemId", Type: schema.String},
	{Name: "_ResourceId", Type: schema.String}, {Name: "_SubscriptionId", Type: schema.String}, {Name: "_TimeReceived", Type: schema.DateTime},
}

// Declared gives the tables that recorded queries were bound against: the
// product's own schema, both sides of a table as one, columns by name, each
// with the workspace's standard columns; and the differences that declared.txt
// lists. A column that the sides type differently is dynamic if one says so,
// else as in advanced hunting. It must not be changed.
func Declared() map[string]*schema.Table { return declaredTables() }

var declaredTables = sync.OnceValue(func() map[string]*schema.Table {
	tables, err := declare(schema.Default(), declared)
	if err != nil {
		panic("kqltest: declared.txt: " + err.Error()) // embedded: a test reads it
	}
	return tables
})

func declare(c *schema.Catalog, differences string) (map[string]*schema.Table, error) {
	d, err := readDifferences(differences)
	if err != nil {
		return nil, err
	}
	tables := map[string]*schema.Table{}
	for name := range names(c) {
		if d.absent[name] {
			continue
		}
		var columns []schema.Column
		for _, side := range []schema.Side{schema.XDR, schema.Workspace} {
			if t, ok := c.Table(side, name); ok {
				columns = append(columns, t.Columns...)
			}
		}
		if t, ok := c.Fallback(name); ok {
			columns = append(columns, t.Columns...)
		}
		if !d.bare[name] {
			columns = append(columns, standard...)
		}
		tables[name] = oneTable(name, columns, d.lacks[name])
	}
	for name, columns := range d.only {
		tables[name] = oneTable(name, append(columns, standard...), nil)
	}
	return tables, nil
}

func names(c *schema.Catalog) map[string]bool {
	out := map[string]bool{}
	for _, side := range []schema.Side{schema.XDR, schema.Workspace} {
		for _, t := range c.Tables(side) {
			out[t.Name] = true
		}
	}
	for _, name := range c.Fallbacks() {
		out[name] = true
	}
	return out
}

// oneTable makes a table of columns that may come twice, without some.
func oneTable(name string, columns []schema.Column, without map[string]bool) *schema.Table {
	types := map[string]schema.Type{}
	for _, c := range columns {
		if _, seen := types[c.Name]; !seen || c.Type == schema.Dynamic {
			types[c.Name] = c.Type
		}
	}
	var all []schema.Column
	for n, t := range types {
		if !without[n] {
			all = append(all, schema.Column{Name: n, Type: t})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return schema.NewTable(name, schema.Workspace, all)
}

// differences are how the recorded declarations differ from the product's schema.
type differences struct {
	bare, absent map[string]bool
	lacks        map[string]map[string]bool
	only         map[string][]schema.Column
}

func readDifferences(text string) (differences, error) {
	d := differences{bare: map[string]bool{}, absent: map[string]bool{}, lacks: map[string]map[string]bool{}, only: map[string][]schema.Column{}}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		if len(f) < 2 {
			return d, fmt.Errorf("%q names no table", line)
		}
		switch table := f[1]; f[0] {
		case "bare":
			d.bare[table] = true
		case "absent":
			d.absent[table] = true
		case "lacks":
			d.lacks[table] = map[string]bool{}
			for _, c := range f[2:] {
				d.lacks[table][c] = true
			}
		case "only":
			for _, field := range f[2:] {
				name, word, _ := strings.Cut(field, ":")
				t, ok := schema.ParseType(word)
				if !ok {
					return d, fmt.Errorf("%s.%s: unknown type %q", table, name, word)
				}
				d.only[table] = append(d.only[table], schema.Column{Name: name, Type: t})
			}
		default:
			return d, fmt.Errorf("%q begins with no known word", line)
		}
	}
	return d, nil
}
