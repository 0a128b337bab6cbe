package schema

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
)

//go:embed all:tables
var files embed.FS

// Catalog is every table known without anybody having made it.
type Catalog struct {
	tables   map[Side]map[string]*Table // by exact name
	folded   map[Side]map[string]string // lower-case name → name
	names    map[Side][]string          // sorted
	streams  []Stream
	streamed map[string]Stream
	free     map[string]bool
	fallback map[string]*Table
}

// Stream is a hunting table that the connector can stream to a workspace.
// Source: facts 2.6.
type Stream struct {
	Table     string `json:"table"`
	Component string `json:"component"` // as the connector's page groups them
}

// document is a file under tables/: one table, as both sides show it.
type document struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Component   string   `json:"component"`
	Hunting     []Column `json:"hunting,omitempty"`
	Workspace   []Column `json:"workspace,omitempty"`
}

// house is tables/_house.json: what is said of tables beside their columns.
type house struct {
	Streams []Stream            `json:"streams"`
	Free    []string            `json:"free"`
	Keys    map[string][]string `json:"keys"`
}

// Default gives the catalogue of the embedded tables. It is parsed once and
// must not be changed.
func Default() *Catalog { return parsed() }

var parsed = sync.OnceValue(func() *Catalog {
	c, err := parse()
	if err != nil {
		panic("schema: " + err.Error()) // the files are embedded: a test parses them
	}
	return c
})

func parse() (*Catalog, error) {
	c := &Catalog{
		tables:   map[Side]map[string]*Table{XDR: {}, Workspace: {}},
		folded:   map[Side]map[string]string{XDR: {}, Workspace: {}},
		names:    map[Side][]string{},
		streamed: map[string]Stream{},
		free:     map[string]bool{},
		fallback: map[string]*Table{},
	}
	var h house
	if err := read("_house.json", &h); err != nil {
		return nil, err
	}
	entries, err := files.ReadDir("tables")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "_") {
			continue
		}
		var d document
		if err := read(e.Name(), &d); err != nil {
			return nil, err
		}
		c.add(d, XDR, d.Hunting, h)
		c.add(d, Workspace, d.Workspace, h)
	}
	var compact map[string]string
	if err := read("_fallback.json", &compact); err != nil {
		return nil, err
	}
	if err := c.addFallback(compact); err != nil {
		return nil, err
	}
	c.streams = h.Streams
	for _, s := range h.Streams {
		c.streamed[s.Table] = s
	}
	for _, t := range h.Free {
		c.free[t] = true
	}
	for side, names := range c.names {
		sort.Strings(names)
		c.names[side] = names
	}
	return c, nil
}

func read(name string, into any) error {
	data, err := files.ReadFile(path.Join("tables", name))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (c *Catalog) add(d document, side Side, columns []Column, h house) {
	if len(columns) == 0 {
		return
	}
	t := &Table{Name: d.Name, Description: d.Description, Component: d.Component, Side: side, Columns: columns, Key: h.Keys[d.Name]}
	t.index()
	c.tables[side][t.Name] = t
	c.folded[side][strings.ToLower(t.Name)] = t.Name
	c.names[side] = append(c.names[side], t.Name)
}

// addFallback reads "Name:type Name:type …" for each further table.
func (c *Catalog) addFallback(compact map[string]string) error {
	for name, text := range compact {
		var columns []Column
		for _, field := range strings.Fields(text) {
			column, typ, _ := strings.Cut(field, ":")
			t, ok := ParseType(typ)
			if !ok {
				return fmt.Errorf("_fallback.json: %s.%s: unknown type %q", name, column, typ)
			}
			columns = append(columns, Column{Name: column, Type: t, Hidden: column == "_IsBillable" || column == "_BilledSize"})
		}
		t := &Table{Name: name, Side: Workspace, Columns: columns}
		t.index()
		c.fallback[name] = t
	}
	return nil
}

// Table finds a table of one side, by its exact name or else ignoring case.
func (c *Catalog) Table(side Side, name string) (*Table, bool) {
	if t, ok := c.tables[side][name]; ok {
		return t, true
	}
	if exact, ok := c.folded[side][strings.ToLower(name)]; ok {
		return c.tables[side][exact], true
	}
	return nil, false
}

// Tables lists one side's tables by name.
func (c *Catalog) Tables(side Side) []*Table {
	out := make([]*Table, 0, len(c.names[side]))
	for _, n := range c.names[side] {
		out = append(out, c.tables[side][n])
	}
	return out
}

// Fallback gives the columns of a workspace table that Lockstep doesn't fill
// but that queries name: enough to bind them, with no rows.
func (c *Catalog) Fallback(name string) (*Table, bool) {
	t, ok := c.fallback[name]
	return t, ok
}

// Fallbacks lists the names of the tables that Fallback knows.
func (c *Catalog) Fallbacks() []string { return slices.Sorted(maps.Keys(c.fallback)) }

// Streams lists the hunting tables that can be streamed, in the order of the
// connector's page.
func (c *Catalog) Streams() []Stream { return c.streams }

// Streamed tells whether a table can be streamed, and for which component.
func (c *Catalog) Streamed(table string) (Stream, bool) {
	s, ok := c.streamed[table]
	return s, ok
}

// Free tells whether ingestion of a workspace table costs nothing.
func (c *Catalog) Free(table string) bool { return c.free[table] }
