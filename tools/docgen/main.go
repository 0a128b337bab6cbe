// Command docgen writes the reference under docs/reference from what the code
// itself says: the schema, the dictionary, the KQL catalogue, the program's
// help and settings. Run it at the root of the repository:
//
//	go run ./tools/docgen
//
// Its test fails when what is committed isn't what it would write.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// page is one file of the reference.
type page struct {
	name string // below docs/reference
	text func() (string, error)
}

// pages lists the whole reference; root is the repository and binary a built lockstep to ask.
func pages(root, binary string) []page {
	return []page{
		{"tables.md", tablesPage},
		{"dictionary.md", dictionaryPage},
		{"kql.md", kqlPage},
		{"kql-coverage.md", func() (string, error) { return coveragePage(root) }},
		{"kql-errors.md", errorsPage},
		{"cli.md", func() (string, error) { return cliPage(binary) }},
		{"settings.md", func() (string, error) { return settingsPage(binary) }},
	}
}

func main() {
	to := flag.String("to", filepath.Join("docs", "reference"), "folder to write to")
	flag.Parse()
	if err := run(*to); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(to string) error {
	dir, err := os.MkdirTemp("", "docgen-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := build(".", dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, p := range pages(".", binary) {
		text, err := p.text()
		if err != nil {
			return fmt.Errorf("write %s: %w", p.name, err)
		}
		if err := os.WriteFile(filepath.Join(to, p.name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// document builds a page of Markdown.
type document struct{ strings.Builder }

// begin starts a page with its title and where it comes from.
func begin(title, source string) *document {
	d := &document{}
	d.line("# " + title)
	d.line("")
	d.line("Made by `go run ./tools/docgen` from " + source + ". Change it there.")
	return d
}

func (d *document) line(text string) {
	d.WriteString(text)
	d.WriteByte('\n')
}

// section starts a part with a heading and, if any, a first paragraph.
func (d *document) section(heading, text string) {
	d.line("\n## " + heading + "\n")
	if text != "" {
		d.line(text + "\n")
	}
}

// row writes one row of a table; a bar in a cell is escaped.
func (d *document) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	d.line("| " + strings.Join(cells, " | ") + " |")
}

// head writes a table's headings.
func (d *document) head(cells ...string) {
	d.row(cells...)
	d.line("|" + strings.Repeat(" --- |", len(cells)))
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
