package kqltest

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"lockstep/schema"
)

// Corpus reads the recorded queries under a folder of reference material,
// and gives the tables that they name.
func Corpus(shared string) (queries []string, tables map[string]*schema.Table, err error) {
	err = Lines(filepath.Join(shared, "kql/queries.dev.jsonl.gz"), func(line []byte) error {
		var q struct {
			Query string `json:"query"`
		}
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		queries = append(queries, q.Query)
		return nil
	})
	return queries, Declared(), err
}

// Lines reads a file of JSON lines, gzipped or plain.
func Lines(file string, each func([]byte) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	plain := bufio.NewReader(f)
	var text io.Reader = plain
	if magic, _ := plain.Peek(2); string(magic) == "\x1f\x8b" {
		if text, err = gzip.NewReader(plain); err != nil {
			return err
		}
	}
	s := bufio.NewScanner(text)
	s.Buffer(nil, 1<<25)
	for s.Scan() {
		if err := each(s.Bytes()); err != nil {
			return err
		}
	}
	return s.Err()
}

// Tables reads a file {table: {column: type}}, columns in their written order.
func Tables(file string) (map[string]*schema.Table, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	tables := map[string]*schema.Table{}
	for name, text := range raw {
		d := json.NewDecoder(strings.NewReader(string(text)))
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		var cols []schema.Column
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := d.Token()
			if err != nil {
				return nil, err
			}
			t, _ := schema.ParseType(fmt.Sprint(v))
			cols = append(cols, schema.Column{Name: fmt.Sprint(k), Type: t})
		}
		tables[name] = schema.NewTable(name, schema.Workspace, cols)
	}
	return tables, nil
}
