package kql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"

	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/kql/kqltest/chdb"
	"lockstep/schema"
)

// engines opens both engines; the test is skipped where ClickHouse's library isn't installed.
func engines(t *testing.T) (*kqltest.Engine, *chdb.Engine) {
	t.Helper()
	click, err := chdb.Open()
	if errors.Is(err, chdb.ErrMissing) {
		t.Skipf("%v; nothing was tested on ClickHouse", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	duck, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { duck.Close() })
	return duck, click
}

// relation is the table Events with three rows, in the words of a dialect.
func relation(d kql.Dialect) func(t *schema.Table, columns []string) string {
	cells := map[string][3]string{"Timestamp": {"639028000000000000", "639028100000000000", "NULL"}, "DeviceName": {"'the first'", "'second-one'", "''"}, "LogonId": {"1", "NULL", "3"},
		"LogonID": {"'x'", "''", "'z'"}, "AdditionalFields": {"'{\"a\":1}'", "NULL", "'[1,2]'"}, "_received": {"639028000000000001", "639028100000000002", "639028100000000003"}}
	return func(t *schema.Table, columns []string) string {
		rows := make([]string, 3)
		for i := range rows {
			items := make([]string, len(columns))
			for k, c := range columns {
				typ := schema.DateTime
				if col, ok := t.Column(c); ok {
					typ = col.Type
				}
				items[k] = fmt.Sprintf("CAST(%s AS %s) AS x%d", cells[c][i], d.Physical(typ), k)
			}
			rows[i] = "SELECT " + strings.Join(items, ", ")
		}
		return "(" + strings.Join(rows, " UNION ALL ") + ")"
	}
}

// typed writes rows so that those of two engines can be compared: reals to 12 digits, the members of
// a dynamic value by key; loose says that neither the order of rows nor that within an array has a meaning.
func typed(p *kql.Program, rows [][]any, loose bool) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		cells := make([]string, len(r))
		for k, v := range r {
			switch x := v.(type) {
			case nil:
				cells[k] = "null"
			case float64:
				cells[k] = "real " + realText(x)
			default:
				cells[k] = fmt.Sprintf("%T %v", v, v)
			}
			if s, ok := v.(string); ok && p.Columns[k].Type == schema.Dynamic {
				cells[k] = "dynamic " + dynamicText(s, loose)
			}
		}
		out[i] = strings.Join(cells, " | ")
	}
	if !p.Sorted || loose {
		sort.Strings(out)
	}
	return out
}

func realText(f float64) string {
	if f == 0 || math.IsNaN(f) {
		return fmt.Sprint(math.Abs(f))
	}
	return strconv.FormatFloat(f, 'g', 12, 64)
}

func dynamicText(s string, sets bool) string {
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return "no JSON: " + s
	}
	if list, ok := v.([]any); ok && sets {
		sort.Slice(list, func(i, k int) bool { return fmt.Sprint(list[i]) < fmt.Sprint(list[k]) })
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// differ runs a text on both engines; "" says that the rows are equal.
func differ(t *testing.T, duck *kqltest.Engine, click *chdb.Engine, text string, env kql.Environment, sets bool) string {
	t.Helper()
	want, diags := kql.Compile(text, env)
	if want == nil {
		return fmt.Sprint("DuckDB refuses it: ", diags)
	}
	p, diags := kql.CompileFor(text, env, kql.ClickHouse())
	if p == nil {
		return fmt.Sprint("ClickHouse refuses it: ", diags)
	}
	duck.Rows = relation(kql.DuckDB())
	expected, err := duck.Run(t.Context(), want, env.Tables)
	if err != nil {
		return "DuckDB: " + err.Error()
	}
	got, err := click.Run(p, env.Tables, relation(kql.ClickHouse()))
	if err != nil {
		return "ClickHouse: " + err.Error()
	}
	a, b := typed(want, expected, sets), typed(p, got, sets)
	if strings.Join(a, "\n") != strings.Join(b, "\n") {
		return "DuckDB:\n  " + strings.Join(a, "\n  ") + "\nClickHouse:\n  " + strings.Join(b, "\n  ")
	}
	return ""
}

// refusal is the message that says what the dialect lacks.
func refusal(diags kql.Diagnostics) string {
	for _, d := range diags {
		if d.Code == "KQL910" {
			return d.Message
		}
	}
	return ""
}

// TestClickHouseCore: each of the 100 most used words of KQL gives on
// ClickHouse what it gives on DuckDB, or is refused by its name.
func TestClickHouseCore(t *testing.T) {
	duck, click := engines(t)
	data, err := os.ReadFile("testdata/clickhouse/constructs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	env := environment()
	env.Received = "_received"
	words, equal, cases := parseArchive(data), 0, 0
	if len(words) != 100 {
		t.Errorf("%d words, want 100", len(words))
	}
	for _, w := range words {
		head := strings.Split(w.Name, " | ")
		t.Run(head[0], func(t *testing.T) {
			if len(head) == 4 {
				if _, diags := kql.CompileFor(w.Data, env, kql.ClickHouse()); !strings.Contains(refusal(diags), head[0]) {
					t.Errorf("want it refused by name, got %v", diags)
				}
				return
			}
			for _, text := range strings.Split(w.Data, "\n;;\n") {
				cases++
				if d := differ(t, duck, click, text, env, strings.HasPrefix(head[0], "make_set")); d != "" {
					t.Errorf("%s\n%s", text, d)
				}
			}
			if !t.Failed() {
				equal++
			}
		})
	}
	t.Logf("did %d of %d words equal on ClickHouse and DuckDB, %d cases", equal, len(words), cases)
}
