// Package schema knows the tables: those of advanced hunting on the XDR side,
// those of the workspace, their columns and types, which of them the connector
// streams, which are free of charge, and by which columns a row is known
// again. It is the one truth that intake, KQL, APIs, the editor and the docs
// read. It leaves rows themselves, and where they live, to others.
//
// The data under tables/ are made by tools/schemagen.
package schema

import (
	"strings"
)

// Side names one of the two services that answer queries.
type Side string

// The sides.
const (
	XDR       Side = "xdr"
	Workspace Side = "workspace"
)

// Column is one column of a table on one side.
type Column struct {
	Name        string `json:"name"`
	Type        Type   `json:"type"`
	Description string `json:"description,omitempty"`
	// Hidden columns can be named in a query but aren't shown by a bare table
	// (the two billing columns of every workspace table).
	Hidden bool `json:"hidden,omitempty"`
}

// Table is a table as one side shows it.
type Table struct {
	Name        string
	Description string
	Component   string // the product that fills it, as the schema reference groups them
	Side        Side
	Columns     []Column
	Time        string   // the column that a time range applies to; "" for state snapshots that have none
	Key         []string // columns that make a row known again (see Catalog.Keys); nil when only its position does

	byName, byFolded map[string]int
}

// Column finds a column by name, exactly if possible, else ignoring case;
// Timestamp and TimeGenerated stand for each other where only one is there.
func (t *Table) Column(name string) (Column, bool) {
	i := t.Index(name)
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}

// Index is Column's position in Columns, or -1.
func (t *Table) Index(name string) int {
	if i, ok := t.byName[name]; ok {
		return i
	}
	folded := strings.ToLower(name)
	if i, ok := t.byFolded[folded]; ok {
		return i
	}
	if other, ok := timeTwin[folded]; ok {
		if i, ok := t.byName[other]; ok {
			return i
		}
	}
	return -1
}

// timeTwin: copied queries use either name on either side.
var timeTwin = map[string]string{"timestamp": "TimeGenerated", "timegenerated": "Timestamp"}

// NewTable makes a table of columns: a custom table, a result, a datatable.
func NewTable(name string, side Side, columns []Column) *Table {
	t := &Table{Name: name, Side: side, Columns: columns}
	t.index()
	return t
}

func (t *Table) index() {
	t.byName = make(map[string]int, len(t.Columns))
	t.byFolded = make(map[string]int, len(t.Columns))
	for i, c := range t.Columns {
		t.byName[c.Name] = i
		if f := strings.ToLower(c.Name); !has(t.byFolded, f) {
			t.byFolded[f] = i
		}
	}
	if t.Time == "" {
		order := []string{"Timestamp", "TimeGenerated"}
		if t.Side == Workspace {
			order = []string{"TimeGenerated", "Timestamp"}
		}
		for _, name := range append(order, "ActivityTimestamp") {
			if has(t.byName, name) {
				t.Time = name
				break
			}
		}
	}
}

func has[K comparable, V any](m map[K]V, k K) bool { _, ok := m[k]; return ok }
