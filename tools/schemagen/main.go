// Command schemagen makes schema/tables from the schema references in
// LOCKSTEP_SHARED (default ../shared): one file a table with its columns on
// both sides, and the compact fallback for tables that are only bound.
//
//	go run ./tools/schemagen
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

type column struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
	Hidden      bool   `json:"hidden,omitempty"`
}

type source struct {
	Table       string   `json:"table"`
	Description string   `json:"description"`
	Component   string   `json:"component"`
	Columns     []column `json:"columns"`
	Workspace   []column `json:"sentinel_columns"`
}

type document struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Component   string   `json:"component"`
	Hunting     []column `json:"hunting,omitempty"`
	Workspace   []column `json:"workspace,omitempty"`
}

func main() {
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../shared"
	}
	if err := run(filepath.Join(shared, "schema"), filepath.Join("schema", "tables")); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	known := map[string]*document{}
	for _, set := range []string{"xdr", "sentinel"} {
		paths, err := filepath.Glob(filepath.Join(from, set, "*.json"))
		if err != nil || len(paths) == 0 {
			return fmt.Errorf("no schema files in %s (set LOCKSTEP_SHARED)", filepath.Join(from, set))
		}
		for _, p := range paths {
			var s source
			if err := read(p, &s); err != nil {
				return err
			}
			merge(known, s, set)
		}
	}
	for name, d := range known {
		if err := write(filepath.Join(to, name+".json"), d); err != nil {
			return err
		}
	}
	return fallback(filepath.Join(from, "loganalytics_all_tables.json"), filepath.Join(to, "_fallback.json"), known)
}

// merge adds one source file to the table's document.
func merge(known map[string]*document, s source, set string) {
	d := known[s.Table]
	if d == nil {
		d = &document{Name: s.Table, Description: s.Description, Component: s.Component}
		known[s.Table] = d
	}
	if set == "sentinel" {
		d.Workspace = mark(s.Columns, nil)
		return
	}
	d.Hunting = s.Columns
	d.Workspace = mark(s.Workspace, s.Columns)
}

// mark hides the billing columns and lends the hunting descriptions.
func mark(columns, lend []column) []column {
	words := map[string]string{}
	for _, c := range lend {
		words[c.Name] = c.Description
	}
	for i, c := range columns {
		columns[i].Hidden = c.Name == "_IsBillable" || c.Name == "_BilledSize"
		if c.Description == "" {
			columns[i].Description = words[c.Name]
		}
	}
	return columns
}

// fallback writes the types of all other tables, one line a table.
func fallback(from, to string, known map[string]*document) error {
	var all map[string]map[string]string
	if err := read(from, &all); err != nil {
		return err
	}
	out := map[string]string{}
	for name, columns := range all {
		if d := known[name]; d != nil && d.Workspace != nil {
			continue
		}
		var fields []string
		for c, t := range columns {
			fields = append(fields, c+":"+t)
		}
		sort.Strings(fields)
		out[name] = strings.Join(fields, " ")
	}
	return write(to, out)
}

func read(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func write(path string, value any) error {
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
