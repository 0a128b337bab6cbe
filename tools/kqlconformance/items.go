package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"lockstep/kql/kqltest"
)

// query is a recorded query: a line of the file that -queries names.
type query struct {
	ID            string `json:"id"`
	Query         string `json:"query"`
	Scope         string `json:"scope"`
	ResultColumns []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"result_columns"` // nil: not recorded
}

// example is a text with its answer: a line of the files that -examples and -cases name.
type example struct {
	ID        string   `json:"id"`
	Query     string   `json:"query"`
	Authority string   `json:"authority"` // "" of the documentation
	Strict    bool     `json:"strict"`
	Ordered   bool     `json:"ordered"`
	Header    string   `json:"header"` // "reordered": the page lists the columns in another order
	Notes     []string `json:"notes"`  // how the answer was read off its page
	Expected  struct {
		Error     any      `json:"error"` // not null: the engine refused
		Columns   []string `json:"columns"`
		Rows      [][]any  `json:"rows"`
		Values    [][]any  `json:"values"` // the cells of Rows as values, if known
		RowCount  int      `json:"row_count"`
		Truncated bool     `json:"truncated"` // Rows are the first of RowCount
	} `json:"expected"`
}

// emulator is the authority of answers that the engine itself gave.
const emulator = "kusto-emulator"

// read reads a file of JSON lines, gzipped or plain; no file holds nothing.
func read[T any](file string) ([]T, error) {
	if file == "" {
		return nil, nil
	}
	var out []T
	number := 0
	err := kqltest.Lines(file, func(line []byte) error {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			return nil
		}
		var item T
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&item); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		out = append(out, item)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return out, nil
}
