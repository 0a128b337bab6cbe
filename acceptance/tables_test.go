package acceptance

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"lockstep/schema"
)

// content gives the count and a content hash of a table's rows on a side, over
// the columns that the XDR side has, as text.
func (h *house) content(side, table string, columns []string) (int, uint64) {
	h.t.Helper()
	var shown []string
	for _, c := range columns {
		shown = append(shown, "tostring("+c+")")
	}
	rows := h.rows(side, table+" | project "+strings.Join(shown, ", "))
	var sum uint64
	for _, r := range rows {
		f := fnv.New64a()
		_, _ = f.Write([]byte(strings.Join(r, "\x1f")))
		sum += f.Sum64()
	}
	return len(rows), sum
}

// TestEachTableByItself switches each of the 21 tables on by itself: what came
// before stays away, what comes after is equal on both sides, and a table that
// is off has nothing.
func TestEachTableByItself(t *testing.T) {
	h := start(t)
	streams := schema.Default().Streams()
	if len(streams) != 21 {
		t.Fatalf("%d tables can be streamed, want 21", len(streams))
	}
	h.replay("--rows", "8000", "--seed", "11")
	h.settle()
	before := h.counts("xdr")
	for _, s := range streams {
		if before[s.Table] == 0 {
			t.Errorf("the sample has no rows of %s", s.Table)
		}
	}
	for i, s := range streams {
		if i > 0 {
			h.run("stream", streams[i-1].Table, "off")
		}
		h.run("stream", s.Table, "on")
		h.deliver(s.Table, i)
		got := h.counts("workspace")
		for j, other := range streams {
			want := 0
			if j <= i {
				want = 1 // its own delivery, made while it was on
			}
			if got[other.Table] != want {
				t.Errorf("with %s on, the workspace has %d rows of %s, want %d", s.Table, got[other.Table], other.Table, want)
			}
		}
	}
	after := h.counts("xdr")
	for _, s := range streams {
		if after[s.Table] != before[s.Table]+1 {
			t.Errorf("the XDR has %d rows of %s, want %d", after[s.Table], s.Table, before[s.Table]+1)
		}
	}
}

// counts gives the rows of every table that can be streamed, on a side.
func (h *house) counts(side string) map[string]int {
	h.t.Helper()
	var names []string
	for _, s := range schema.Default().Streams() {
		names = append(names, s.Table)
	}
	out := map[string]int{}
	for _, r := range h.rows(side, "union withsource=T "+strings.Join(names, ", ")+" | summarize n = count() by T") {
		n := 0
		_, _ = fmt.Sscan(r[1], &n)
		out[r[0]] = n
	}
	return out
}

func (h *house) count(side, table string) int {
	h.t.Helper()
	var n int
	_, _ = fmt.Sscan(h.rows(side, table+" | count")[0][0], &n)
	return n
}

// deliver sends one row of a table, made of its schema.
func (h *house) deliver(table string, n int) {
	h.t.Helper()
	tb, _ := schema.Default().Table(schema.XDR, table)
	p := map[string]any{}
	for _, c := range tb.Columns {
		switch c.Type {
		case schema.DateTime:
			p[c.Name] = schema.At(now()).String()
		case schema.String:
			p[c.Name] = fmt.Sprintf("%s %d", strings.ToLower(c.Name), n)
		case schema.Int, schema.Long:
			p[c.Name] = n
		case schema.Bool:
			p[c.Name] = n%2 == 0
		case schema.Real:
			p[c.Name] = float64(n) + 0.5
		case schema.Dynamic:
			p[c.Name] = map[string]any{"n": n}
		}
	}
	body, _ := json.Marshal(map[string]any{"time": schema.At(now()).String(), "category": "AdvancedHunting-" + table, "properties": p})
	var got receipt
	h.must(toIngest, "POST", "/ingest/v1/events", body, &got)
	if got.Accepted != 1 {
		h.t.Fatalf("one row of %s: %+v", table, got)
	}
}

// TestStreamsAreEqualAndOutliveTheXDR switches all tables on, replays, compares
// both sides by count and content, and looks again 31 days later.
func TestStreamsAreEqualAndOutliveTheXDR(t *testing.T) {
	h := start(t)
	h.run("connect")
	h.replay("--rows", "8000", "--seed", "12")
	h.settle()
	counts := map[string]int{}
	for _, s := range schema.Default().Streams() {
		columns := common(s.Table)
		n, left := h.content("xdr", s.Table, columns)
		m, right := h.content("workspace", s.Table, columns)
		if n == 0 || n != m || left != right {
			t.Errorf("%s: %d rows (%x) on the XDR side, %d (%x) in the workspace", s.Table, n, left, m, right)
		}
		counts[s.Table] = n
	}
	h.stop()
	h.args = append(h.args, "--clock-ahead", "744h") // 31 days
	h.tokens = map[string]string{}
	h.serve()
	left, kept := h.counts("xdr"), h.counts("workspace")
	for _, s := range schema.Default().Streams() {
		if left[s.Table] != 0 {
			t.Errorf("after 31 days the XDR still answers %d rows of %s", left[s.Table], s.Table)
		}
		if kept[s.Table] != counts[s.Table] {
			t.Errorf("after 31 days the workspace has %d rows of %s, want %d", kept[s.Table], s.Table, counts[s.Table])
		}
	}
}

// own are the columns that each side fills for itself (facts 9.3).
var own = []string{"TenantId", "Type", "SourceSystem", "TimeGenerated"}

// common lists the columns that both sides have, under one name.
func common(table string) []string {
	x, _ := schema.Default().Table(schema.XDR, table)
	w, _ := schema.Default().Table(schema.Workspace, table)
	var out []string
	for _, c := range x.Columns {
		for _, d := range w.Columns {
			if c.Name == d.Name && c.Type == d.Type && !slices.Contains(own, c.Name) {
				out = append(out, c.Name)
			}
		}
	}
	return out
}

// TestGetSchema compares getschema of every table on each side with the
// published schema.
func TestGetSchema(t *testing.T) {
	dir := filepath.Dir(shared(t))
	h := start(t)
	checked := 0
	for _, side := range []struct{ name, folder, field string }{{"xdr", "xdr", "columns"}, {"workspace", "xdr", "sentinel_columns"}, {"workspace", "sentinel", "columns"}} {
		paths, _ := filepath.Glob(filepath.Join(dir, "schema", side.folder, "*.json"))
		for _, p := range paths {
			var doc map[string]json.RawMessage
			read(t, p, &doc)
			var columns []struct {
				Name, Type string
				Hidden     bool
			}
			if doc[side.field] == nil || json.Unmarshal(doc[side.field], &columns) != nil || len(columns) == 0 {
				continue
			}
			var name string
			_ = json.Unmarshal(doc["table"], &name)
			var want []string
			for _, c := range columns {
				want = append(want, c.Name+":"+c.Type)
			}
			var got []string
			for _, r := range h.rows(side.name, name+" | getschema | project ColumnName, ColumnType") {
				got = append(got, r[0]+":"+r[1])
			}
			sort.Strings(want)
			sort.Strings(got)
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("getschema of %s on the %s side:\n got %v\nwant %v", name, side.name, got, want)
			}
			checked++
		}
	}
	t.Logf("did %d tables", checked)
	if checked < 66+43+160 {
		t.Errorf("only %d tables were compared", checked)
	}
}

// TestBadInput sends what can't be taken; then the good copies.
func TestBadInput(t *testing.T) {
	h := start(t)
	good := func(device string) string {
		return `{"time":"` + schema.At(now()).String() + `","category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"` + schema.At(now()).String() + `","DeviceName":"` + device + `"}}`
	}
	cases := []struct{ name, body, names string }{
		{"broken JSON", good("a")[:60], ""},
		{"an unknown table", strings.Replace(good("b"), "DeviceEvents", "DeviceDreams", 1), "DeviceDreams"},
		{"a wrong type", strings.Replace(good("c"), `"DeviceName":"c"`, `"ProcessId":"many"`, 1), "ProcessId"},
		{"a field of 20 MB", strings.Replace(good("d"), `"d"`, `"`+strings.Repeat("x", 20<<20)+`"`, 1), "DeviceName"},
	}
	for _, c := range cases {
		var got receipt
		h.must(toIngest, "POST", "/ingest/v1/events", c.body, &got)
		if got.Accepted != 0 || len(got.Refused) != 1 {
			t.Errorf("%s: %+v, want one record refused", c.name, got)
			continue
		}
		if x := got.Refused[0]; x.Reason == "" || !strings.Contains(x.Table+x.Field+x.Reason, c.names) {
			t.Errorf("%s: the refusal %+v doesn't name %q", c.name, x, c.names)
		}
	}
	var got receipt
	h.must(toIngest, "POST", "/ingest/v1/events", strings.Replace(good("e"), `"DeviceName"`, `"Invented":7,"DeviceName"`, 1), &got)
	if got.Accepted != 1 {
		t.Errorf("an unknown column: %+v, want the row kept with the column beside it", got)
	}
	for _, device := range []string{"a", "b", "c", "d"} {
		h.must(toIngest, "POST", "/ingest/v1/events", good(device), &got)
		if got.Accepted != 1 {
			t.Errorf("the good copy of %s: %+v", device, got)
		}
	}
	if n := h.count("xdr", "DeviceEvents"); n != 5 {
		t.Errorf("%d rows stand, want 5", n)
	}
	a, err := h.call(toIngest, "GET", "/metrics", nil)
	if err != nil || !strings.Contains(string(a.body), `lockstep_ingest_records_total{kind="events",outcome="refused"} 4`) {
		t.Errorf("the metrics don't count 4 refused records: %v\n%s", err, grep(string(a.body), "lockstep_ingest"))
	}
	a, err = h.call(toGraph, "POST", "/v1.0/security/runHuntingQuery", map[string]string{"Query": "DeviceEvents | where Nonsense == 1"})
	if err != nil || a.status != 400 || !strings.Contains(string(a.body), "Nonsense") {
		t.Errorf("a query that names no column: %v %d %s", err, a.status, a.body)
	}
}

func grep(text, part string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, part) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// TestSecretsAreClosed checks the modes of what holds secrets.
func TestSecretsAreClosed(t *testing.T) {
	h := start(t)
	for _, name := range []string{"credentials.json", "keys.pem", "state.db", "lockstep.sock", "ca.pem"} {
		info, err := os.Stat(filepath.Join(h.dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o: others can reach it", name, info.Mode().Perm())
		}
	}
	a, err := h.client.Get(h.base + "/v1.0/security/incidents")
	if err != nil || a.StatusCode != 401 {
		t.Errorf("a request without a token: %v %d, want 401", err, a.StatusCode)
	}
}
