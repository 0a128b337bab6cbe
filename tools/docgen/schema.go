package main

import (
	"fmt"

	"lockstep/schema"
)

// tablesPage lists the tables that can be streamed, those free of charge, and
// the rest of both sides by number of columns.
func tablesPage() (string, error) {
	c := schema.Default()
	d := begin("Tables", "the schema under `schema/tables`")
	xdr, workspace := c.Tables(schema.XDR), c.Tables(schema.Workspace)
	d.line(fmt.Sprintf("\nThe XDR side has %d hunting tables, the workspace %d tables with their columns. `TABLE | getschema` on either side gives names and types.", len(xdr), len(workspace)))

	d.section(fmt.Sprintf("The %d tables that can be streamed", len(c.Streams())), "Each has a switch of its own. Columns are those that a bare table shows; hidden ones (billing) come beside them in the workspace.")
	d.head("table", "component", "in the workspace", "columns, XDR", "columns, workspace", "time, XDR", "time, workspace")
	for _, s := range c.Streams() {
		hunting, ok := c.Table(schema.XDR, s.Table)
		if !ok {
			return "", fmt.Errorf("%s streams but is no hunting table", s.Table)
		}
		kept, ok := c.Table(schema.Workspace, s.Table)
		if !ok {
			return "", fmt.Errorf("%s streams but is no workspace table", s.Table)
		}
		d.row(code(s.Table), s.Component, charge(c, s.Table), count(hunting), count(kept), code(hunting.Time), code(kept.Time))
	}

	d.section("Free of charge", "Rows of these workspace tables cost nothing to take in. Everything else is charged; Lockstep itself charges nobody, it shows what the service would.")
	for _, t := range workspace {
		if c.Free(t.Name) {
			d.line("- " + code(t.Name))
		}
	}

	d.section("All hunting tables", "")
	d.head("table", "columns", "streams")
	for _, t := range xdr {
		streams := ""
		if _, ok := c.Streamed(t.Name); ok {
			streams = "yes"
		}
		d.row(code(t.Name), count(t), streams)
	}

	d.section("All workspace tables", "")
	d.head("table", "columns", "in the workspace")
	for _, t := range workspace {
		d.row(code(t.Name), count(t), charge(c, t.Name))
	}
	return d.String(), nil
}

func charge(c *schema.Catalog, table string) string {
	if c.Free(table) {
		return "free"
	}
	return "charged"
}

// count is the number of columns that a bare table shows, and of hidden ones.
func count(t *schema.Table) string {
	shown := 0
	for _, c := range t.Columns {
		if !c.Hidden {
			shown++
		}
	}
	if hidden := len(t.Columns) - shown; hidden > 0 {
		return fmt.Sprintf("%d + %d", shown, hidden)
	}
	return fmt.Sprint(shown)
}
