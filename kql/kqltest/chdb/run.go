package chdb

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"lockstep/kql"
	"lockstep/schema"
)

// Run runs a program of the ClickHouse dialect; rows come in the physical
// types of the schema. Tables are empty unless rows gives a bracketed SELECT of the columns.
func (e *Engine) Run(p *kql.Program, tables func(string) (*schema.Table, bool), rows func(t *schema.Table, columns []string) string) ([][]any, error) {
	text, args := p.SQL(func(_ int, name string, columns []string) (string, []any) {
		t, _ := tables(name)
		if rows != nil {
			if s := rows(t, columns); s != "" {
				return s, nil
			}
		}
		return Empty(t, columns), nil
	})
	params := make(map[string]string, len(args))
	for i, a := range args {
		params["p"+strconv.Itoa(i)] = fmt.Sprint(a)
	}
	out, err := e.Query(text, params)
	if err != nil {
		return nil, err
	}
	var all [][]any
	for _, line := range strings.Split(out, "\n") {
		if line == "" {
			continue
		}
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var row []any
		if err := d.Decode(&row); err != nil {
			return nil, fmt.Errorf("row %.200s: %w", line, err)
		}
		for i, c := range p.Columns {
			if row[i], err = value(row[i], c.Type); err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, err)
			}
		}
		all = append(all, row[:len(p.Columns)])
	}
	return all, nil
}

// Empty is a relation without rows.
func Empty(t *schema.Table, columns []string) string {
	items := make([]string, len(columns))
	for i, name := range columns {
		typ := schema.Long
		if c, ok := t.Column(name); ok {
			typ = c.Type
		}
		items[i] = "defaultValueOfTypeName('" + kql.ClickHouse().Physical(typ) + "')"
	}
	return "(SELECT " + strings.Join(items, ", ") + " WHERE false)"
}

// value brings what JSON gave into a physical type.
func value(v any, t schema.Type) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if t == schema.Bool {
			return v, nil
		}
	case json.Number:
		switch t {
		case schema.Bool:
			return v.String() != "0", nil
		case schema.Int:
			n, err := strconv.ParseInt(v.String(), 10, 32)
			return int32(n), err
		case schema.Long, schema.DateTime, schema.TimeSpan:
			n, err := v.Int64()
			return n, err
		case schema.Real:
			f, err := v.Float64()
			return f, err
		}
	case string:
		switch t {
		case schema.Real:
			if f, ok := map[string]float64{"nan": math.NaN(), "-nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1)}[v]; ok {
				return f, nil
			}
		case schema.Bool, schema.Int, schema.Long, schema.DateTime, schema.TimeSpan:
		default:
			return v, nil
		}
	}
	return nil, fmt.Errorf("%T %v is no %s", v, v, t)
}
