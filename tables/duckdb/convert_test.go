package duckdb

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Every conversion between two types takes every value without an error, a
// string is never null, and what becomes dynamic is JSON.
func TestConversionsAreTotal(t *testing.T) {
	db, err := openDatabase(t.TempDir() + "/x.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.close()
	c, err := db.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	texts := []string{"", " ", "null", "{", `{"a":[1, 2]}`, "12", " 12 ", "1.5", "1e400", "-1e400", "99999999999999999999", "2026-01-05", "2026-01-05T10:00:00.1234567Z", "infinity", "-infinity", "nan", "[nan]", `{"a":Infinity}`, `{"nan":"inf \"nan\""}`, "[1,]", "[1,2", "// x",
		"290000-01-01", "TRUE", "\"", "'; DROP TABLE t; --", "\x00", "x\x00y", "0F8FAD5B-D9CB-469F-A165-70867728950E", strings.Repeat("[", 3000), strings.Repeat("[", 3000) + strings.Repeat("]", 3000), "\U0010FFFF", `"\ud800"`}
	ints := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, int64(schema.MaxTicks), 621355968000000000, math.MaxInt32 + 1}
	reals := []float64{0, 1.5, -1e308, math.Inf(1), math.Inf(-1), math.NaN(), 1e19}
	all := []schema.Type{schema.Bool, schema.Int, schema.Long, schema.Real, schema.Decimal, schema.String, schema.DateTime, schema.TimeSpan, schema.Guid, schema.Dynamic}
	ctx := context.Background()
	for _, from := range all {
		column := rows.Column{Type: from}
		switch rows.StorageOf(from) {
		case rows.Reals:
			column.Reals = reals
		case rows.Texts:
			list := texts
			if from == schema.Decimal {
				list = []string{"1.5", "-0.10", "12345678901234567890123456789012.34"}
			}
			for _, text := range list {
				if from == schema.Dynamic {
					text = string(rows.Dynamic([]byte(text)))
				}
				if from == schema.Dynamic && text == "" {
					continue
				}
				column.AppendText(text)
			}
		default:
			column.Ints = ints
			if from == schema.Int {
				column.Ints = []int64{0, -1, math.MaxInt32, math.MinInt32}
			}
		}
		column.AppendNull()
		if _, err := c.exec(ctx, "CREATE OR REPLACE TABLE t (v "+physical(from)+")"); err != nil {
			t.Fatal(err)
		}
		a, err := c.appender("t")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.append([]source{{column: &column}}, column.Len()); err != nil {
			t.Fatal(err)
		}
		if err := a.close(); err != nil {
			t.Fatal(err)
		}
		for _, to := range all {
			result := schema.NewTable("r", schema.XDR, []schema.Column{{Name: "v", Type: to}})
			found, err := c.read(ctx, "SELECT "+convert("v", from, to)+" FROM t", nil, result, tables.Limit{})
			if err != nil {
				t.Errorf("%s to %s: %v", from, to, err)
				continue
			}
			got := found.Rows.Columns[0]
			if got.Len() != column.Len() {
				t.Errorf("%s to %s: %d values became %d", from, to, column.Len(), got.Len())
			}
			for i, text := range got.Texts {
				if to == schema.Dynamic && !got.IsNull(i) && !json.Valid([]byte(text)) {
					t.Errorf("%s to dynamic: %q is not JSON", from, text)
				}
			}
		}
		null := "SELECT coalesce(bool_or(x IS NULL), false) FROM (SELECT " + convert("v", from, schema.String) + " AS x FROM t)"
		if out, err := c.all(ctx, null); err != nil || out[0][0] == true && from != schema.String {
			t.Errorf("%s to string gives null: %v", from, err)
		}
	}
}
