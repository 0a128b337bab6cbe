// Package content knows detection content as files: KQL queries, Sentinel's
// analytics and hunting rules in YAML and ARM templates, Defender's custom
// detections in YAML. It says what is wrong with them and where in the file. It
// leaves the language to package kql, and reading folders and printing to the program.
package content

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"

	"lockstep/schema"
)

// Severity says how bad a finding is.
type Severity string

// The severities: an error keeps the rule from working, a warning deserves a look.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is something to say about a place in a file. Lines and columns
// count from 1, columns in characters; the end is exclusive.
type Finding struct {
	File      string   `json:"file"`
	Line      int      `json:"line"`
	Column    int      `json:"column"`
	EndLine   int      `json:"endLine"`
	EndColumn int      `json:"endColumn"`
	Severity  Severity `json:"severity"`
	Code      string   `json:"code"` // KQL… of the language, RULE… of the rule around the query
	Message   string   `json:"message"`
	Rule      string   `json:"rule,omitempty"` // the rule's name
	// Source is the line of the file.
	Source string `json:"-"`
}

// Options are what names in queries can mean beside the tables that are known anyway.
type Options struct {
	Tables    map[string]*schema.Table // further tables by name
	Functions map[string]Function      // saved functions, such as parsers
	Now       schema.Ticks             // what now() is
}

// Result is what a file came to.
type Result struct {
	Rules    int // rules and queries found in it
	Findings []Finding
}

// Readable tells by a file's name whether Check can read it.
func Readable(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".kql", ".csl", ".kusto", ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// Check reads a file and says what is wrong with the rules in it. Its name
// tells the form: .yaml and .yml, .json, and KQL for everything else. A file
// in which there is no rule gives none.
func Check(name string, data []byte, o Options) Result {
	d := &document{name: name, text: strings.TrimPrefix(string(data), "\ufeff")}
	c := &checker{document: d, options: o}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		c.tree()
	default:
		c.rules++
		c.query(d.text, schema.XDR, func(offset int) int { return offset })
	}
	sort.SliceStable(c.findings, func(i, j int) bool {
		a, b := c.findings[i], c.findings[j]
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return Result{Rules: c.rules, Findings: c.findings}
}

// checker gathers what is wrong with one file.
type checker struct {
	*document
	options  Options
	rule     string // the name of the rule at hand
	open     bool   // the query at hand may have more columns than are known
	rules    int
	findings []Finding
}

func (c *checker) report(s Severity, code string, start, end int, format string, args ...any) {
	f := Finding{File: c.name, Severity: s, Code: code, Message: fmt.Sprintf(format, args...), Rule: c.rule}
	f.Line, f.Column, f.Source = c.at(start)
	f.EndLine, f.EndColumn, _ = c.at(max(start, end))
	c.findings = append(c.findings, f)
}

// document is a file's text.
type document struct {
	name, text string
	starts     []int // of the lines, made when first needed
}

// lines gives where each line starts.
func (d *document) lines() []int {
	if d.starts == nil {
		d.starts = []int{0}
		for i := range len(d.text) {
			if d.text[i] == '\n' {
				d.starts = append(d.starts, i+1)
			}
		}
	}
	return d.starts
}

// at gives the place of an offset and its line's text.
func (d *document) at(offset int) (line, column int, source string) {
	starts := d.lines()
	offset = min(max(offset, 0), len(d.text))
	n := sort.SearchInts(starts, offset+1) - 1
	end := len(d.text)
	if n+1 < len(starts) {
		end = starts[n+1]
	}
	return n + 1, 1 + utf8.RuneCountInString(d.text[starts[n]:offset]), strings.TrimRight(d.text[starts[n]:end], "\r\n")
}

// offset is at's inverse, but for what lies outside of the text.
func (d *document) offset(line, column int) int {
	starts := d.lines()
	if line < 1 || line > len(starts) {
		return len(d.text)
	}
	at := starts[line-1]
	for ; column > 1 && at < len(d.text) && d.text[at] != '\n'; column-- {
		_, size := utf8.DecodeRuneInString(d.text[at:])
		at += size
	}
	return at
}
