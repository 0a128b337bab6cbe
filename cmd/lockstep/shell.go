package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// shell is what every verb has: where to print, the settings, the form of answers.
type shell struct {
	out, err *os.File
	format   string
	settings Settings
	origins  map[string]string
}

// outputs is the annotation of a verb whose answers have other forms than most.
const outputs = "outputs"

// load reads the settings before a verb runs.
func (s *shell) load(cmd *cobra.Command) (err error) {
	forms := strings.Split(cmd.Annotations[outputs], ",")
	if cmd.Annotations[outputs] == "" {
		forms = []string{"table", "json", "csv"}
	}
	if !slices.Contains(forms, s.format) {
		last := len(forms) - 1
		return usageError{fmt.Errorf("--output %q: want %s or %s", s.format, strings.Join(forms[:last], ", "), forms[last])}
	}
	s.settings, s.origins, err = loadSettings(cmd.Flags(), os.LookupEnv)
	return err
}

// table is an answer of rows under headings.
type table struct {
	headings []string
	rows     [][]any
}

func newTable(headings ...string) *table { return &table{headings: headings} }

func (t *table) add(cells ...any) { t.rows = append(t.rows, cells) }

// print writes a table in the form asked for: aligned columns, an array of
// JSON objects, or CSV.
func (s *shell) print(t *table) error {
	switch s.format {
	case "json":
		return s.printObjects(t)
	case "csv":
		w := csv.NewWriter(s.out)
		_ = w.Write(t.headings)
		for _, r := range t.rows {
			cells := make([]string, len(r))
			for c := range r {
				cells[c] = guard(cell(r[c]))
			}
			_ = w.Write(cells)
		}
		w.Flush()
		return w.Error()
	}
	return s.printAligned(t)
}

// printObjects writes a table as an array of objects.
func (s *shell) printObjects(t *table) error {
	text, err := objects(t)
	if err == nil {
		_, err = s.out.Write(text)
	}
	return err
}

// objects is a table as an array of objects, a line each, members in the order of the columns.
func objects(t *table) ([]byte, error) {
	var b bytes.Buffer
	encode := func(v any) error {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		err := e.Encode(v)
		b.Truncate(b.Len() - 1) // the line break that Encode adds
		return err
	}
	b.WriteString("[")
	for i, r := range t.rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  {")
		for c, h := range t.headings {
			if c > 0 {
				b.WriteString(", ")
			}
			if err := encode(h); err != nil {
				return nil, err
			}
			b.WriteString(": ")
			if err := encode(r[c]); err != nil {
				return nil, err
			}
		}
		b.WriteByte('}')
	}
	b.WriteString("\n]\n")
	return b.Bytes(), nil
}

// printJSON writes any value as indented JSON.
func (s *shell) printJSON(v any) error {
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// widest is the most characters of a cell in an aligned table; longer ones end in ….
const widest = 80

func (s *shell) printAligned(t *table) error {
	cells := make([][]string, 0, len(t.rows)+1)
	cells = append(cells, t.headings)
	for _, r := range t.rows {
		line := make([]string, len(r))
		for c := range r {
			line[c] = shorten(printable(cell(r[c])))
		}
		cells = append(cells, line)
	}
	widths := make([]int, len(t.headings))
	for _, line := range cells {
		for c, text := range line {
			widths[c] = max(widths[c], utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	for n, line := range cells {
		for c, text := range line {
			b.WriteString(text)
			if c < len(line)-1 {
				b.WriteString(strings.Repeat(" ", widths[c]-utf8.RuneCountInString(text)+2))
			}
		}
		b.WriteByte('\n')
		if n == 0 {
			for c, w := range widths {
				b.WriteString(strings.Repeat("─", w))
				if c < len(widths)-1 {
					b.WriteString("  ")
				}
			}
			b.WriteByte('\n')
		}
	}
	_, err := s.out.WriteString(b.String())
	return err
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.6f", v), "0"), ".")
	case map[string]any, []any:
		text, _ := json.Marshal(v)
		return string(text)
	default:
		return fmt.Sprint(v)
	}
}

func shorten(text string) string {
	if utf8.RuneCountInString(text) <= widest {
		return text
	}
	return string([]rune(text)[:widest-1]) + "…"
}

// printable replaces control characters, which in attacker-made text could
// drive the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '�'
		}
		return r
	}, text)
}

// guard keeps a spreadsheet from running a cell of attacker-made text as a formula.
func guard(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		if _, err := fmt.Sscanf(text, "%f", new(float64)); err != nil || strings.ContainsAny(text[1:], "=+-@(") {
			return "'" + text
		}
	}
	return text
}
