package tablestest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	tests := []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"rows in are rows out", rowsInRowsOut},
		{"a repeat by key changes nothing", repeatByKey},
		{"a repeat by position changes nothing", repeatByPosition},
		{"rows with a known natural key are left out", naturalKeys},
		{"arrivals are in order of commit, across restarts", arrivals},
		{"a grant lets a workspace see rows from its beginning to its end", grants},
		{"a workspace sees streamed rows as its own schema says", workspaceShape},
		{"either time column stands for the other", bothTimes},
		{"conversions between the sides are total", conversions},
		{"a workspace's own rows", ownRows},
		{"retention hides before it deletes", retention},
		{"retention hides what comes old, grows old, and what a start finds", ageing},
		{"a snapshot stays as it was", snapshots},
		{"a range narrows", ranges},
		{"a snapshot reads rows from outside too", loading},
		{"limits mark what they cut", limits},
		{"columns that differ in case", columnCase},
		{"tables grow columns", growth},
		{"reading from a position", reading},
		{"refused records are kept", quarantine},
		{"concurrent appends", concurrent},
		{"a cancelled query ends", cancellation},
		{"sealed rows are the same rows", sealing},
		{"a view shows further workspaces", furtherWorkspaces},
		{"a range shows another workspace", rangeOfWorkspace},
		{"a statement's reading is explained", explaining},
	}
	for _, test := range tests {
		t.Run(strings.ReplaceAll(test.name, " ", "-"), func(t *testing.T) { test.run(t, open) })
	}
}

var ctx = context.Background()

func rowsInRowsOut(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		var columns []schema.Column
		for i := range rapid.IntRange(1, 6).Draw(t, "columns") {
			columns = append(columns, schema.Column{Name: fmt.Sprintf("C%d", i), Type: schema.Type(rapid.IntRange(int(schema.Bool), int(schema.Dynamic)).Draw(t, "type"))})
		}
		table := schema.NewTable(fmt.Sprintf("T%d", n), schema.XDR, columns)
		var sum rows.Sum
		for range rapid.IntRange(1, 2).Draw(t, "appends") {
			batch := drawBatch(t, table)
			sum = sum.Add(batch.Hash())
			if _, err := b.Append(ctx, tables.Append{Home: tables.XDRHome, Batches: []*rows.Batch{batch}}); err != nil {
				t.Fatal(err)
			}
		}
		snapshot, err := b.Snapshot(ctx, b.xdr())
		if err != nil {
			t.Fatal(err)
		}
		defer snapshot.Close()
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = c.Name
		}
		sql, args, err := snapshot.Relation(table, names, tables.Range{})
		if err != nil {
			t.Fatal(err)
		}
		found, err := snapshot.Query(ctx, "SELECT * FROM "+sql+" AS r", args, table, tables.Limit{})
		if err != nil {
			t.Fatal(err)
		}
		if got := found.Rows.Hash(); got != sum {
			t.Fatalf("wrote %d rows %s, read %d rows %s", sum.Rows, sum, got.Rows, got)
		}
	})
}

func drawBatch(t *rapid.T, table *schema.Table) *rows.Batch {
	n := rapid.SampledFrom([]int{0, 1, 7, 100, 2049}).Draw(t, "rows")
	batch := rows.New(table, n)
	seed := rapid.Int64().Draw(t, "seed")
	texts := []string{"", "x", "twelve bytes", "thirteen byte", "ünïcødé \x00 text that is longer than what fits in place", strings.Repeat("long ", 1000)}
	for i := range batch.Columns {
		c := &batch.Columns[i]
		for r := range n {
			x := seed + int64(r*31+i*7)
			x ^= x << 13
			x ^= int64(uint64(x) >> 7)
			switch {
			case x%5 == 0:
				c.AppendNull()
			case c.Type == schema.Bool:
				c.AppendInt(x & 1)
			case c.Type == schema.Int:
				c.AppendInt(int64(int32(x)))
			case c.Type == schema.DateTime:
				c.AppendInt(int64(Now) - (x & 0xffffff))
			case rows.StorageOf(c.Type) == rows.Ints:
				c.AppendInt(x)
			case c.Type == schema.Real:
				c.AppendReal(float64(x) / 3)
			case c.Type == schema.Dynamic:
				c.AppendText(fmt.Sprintf(`{"n":%d,"t":%s}`, x, rows.Quote(texts[uint64(x)%uint64(len(texts))])))
			case c.Type == schema.Decimal:
				c.AppendText(fmt.Sprintf("%d.5", x))
			case c.Type == schema.Guid:
				c.AppendText(fmt.Sprintf("0f8fad5b-d9cb-469f-a165-%012x", uint64(x)&0xffffffffffff))
			default:
				c.AppendText(texts[uint64(x)%uint64(len(texts))])
			}
		}
	}
	batch.N = n
	return batch
}

func repeatByKey(t *testing.T, open Open) {
	dir := t.TempDir()
	b := start(t, open, dir, 0)
	write := tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"a"}`, `{"DeviceName":"b"}`), Key: "message 1", Refused: 3}
	first := b.append(write)
	if first.Accepted != 2 || first.Refused != 3 || first.Repeat || first.At != b.now || first.Arrival != b.Arrival() {
		t.Errorf("first receipt %+v", first)
	}
	again := b.append(write)
	first.Repeat = true
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
	b.must(b.Close())
	b = start(t, open, dir, 0)
	if diff := cmp.Diff(first, b.append(write)); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
	write.Home = workspace // a key belongs to its home
	if r := b.append(write); r.Repeat {
		t.Error("another home's key is taken for a repeat")
	}
	b.want(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "a\nb")
	b.now += 23 * schema.Hour
	b.must(b.Maintain(ctx, b.now))
	if write.Home = tables.XDRHome; !b.append(write).Repeat {
		t.Error("the key is forgotten within a day")
	}
}

func repeatByPosition(t *testing.T, open Open) {
	dir := t.TempDir()
	b := start(t, open, dir, 0)
	at := func(reader string, v int64) tables.Position { return tables.Position{Reader: reader, Value: v} }
	b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"a"}`), Positions: []tables.Position{at("hub/0", 10), at("hub/1", 5)}})
	b.append(tables.Append{Positions: []tables.Position{at("hub/0", 11)}}) // a position without rows
	if r := b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"a"}`), Positions: []tables.Position{at("hub/0", 10)}}); !r.Repeat || r.Accepted != 0 {
		t.Errorf("a passed position: %+v", r)
	}
	_, err := b.Append(ctx, tables.Append{Home: tables.XDRHome, Batches: b.batch("DeviceEvents", `{"DeviceName":"b"}`), Positions: []tables.Position{at("hub/0", 12), at("hub/1", 5)}})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("positions that are passed in part: %v", err)
	}
	b.must(b.Close())
	b = start(t, open, dir, 0)
	if diff := cmp.Diff(map[string]int64{"hub/0": 11, "hub/1": 5}, b.Positions()); diff != "" {
		t.Error(diff)
	}
	if v, ok := b.Position("hub/0"); v != 11 || !ok {
		t.Errorf("position %d, %v", v, ok)
	}
	if _, ok := b.Position("nobody"); ok {
		t.Error("a position that nobody stored")
	}
	b.want(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "a")
}

func naturalKeys(t *testing.T, open Open) {
	dir := t.TempDir()
	b := start(t, open, dir, 0)
	r := b.append(tables.Append{Batches: b.batch("AlertInfo", `{"AlertId":"1","Title":"a"}`, `{"AlertId":"2"}`, `{"AlertId":"1","Title":"later"}`)})
	if r.Accepted != 2 || r.Repeats != 1 {
		t.Errorf("%+v", r)
	}
	b.must(b.Close())
	b = start(t, open, dir, 0)
	r = b.append(tables.Append{Batches: b.batch("AlertInfo", `{"AlertId":"2"}`, `{"AlertId":"3"}`, `{"Title":"no id"}`, `{"Title":"no id"}`)})
	if r.Accepted != 3 || r.Repeats != 1 {
		t.Errorf("%+v", r)
	}
	b.want(b.list(b.xdr(), "AlertInfo", "AlertId Title"), "1|a\n2|\n3|\n|no id\n|no id")
}

func arrivals(t *testing.T, open Open) {
	dir := t.TempDir()
	b := start(t, open, dir, 0)
	var last int64
	for i := range 3 {
		r := b.append(tables.Append{Batches: b.batch("DeviceEvents", `{}`, `{}`)})
		if r.Arrival < last+2 || r.Arrival != b.Arrival() {
			t.Errorf("arrival %d follows %d", r.Arrival, last)
		}
		if last = r.Arrival; i == 1 {
			b.must(b.Close())
			b = start(t, open, dir, 0)
			if b.Arrival() <= last {
				t.Errorf("after a restart arrivals go on at %d, they were at %d", b.Arrival(), last)
			}
		}
	}
}

// conversions reads every streamed table whole through the workspace's schema,
// with awkward values in every column: none may make the query fail.
func snapshots(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", true, b.now))
	b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"a"}`)})
	n, err := b.Snapshot(ctx, b.ws())
	b.must(err)
	defer n.Close()
	if n.Arrival() != b.Arrival() {
		t.Errorf("the snapshot is at %d, the engine at %d", n.Arrival(), b.Arrival())
	}
	b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"b"}`)})
	b.append(tables.Append{Batches: b.batch("DeviceInfo", `{"DeviceName":"b"}`)})
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", false, b.now))
	b.must(b.Maintain(ctx, b.now+1000*schema.Day))
	for range 2 {
		b.want(b.read(n, schema.Workspace, "DeviceEvents", "DeviceName", tables.Range{}), "a")
		b.want(b.read(n, schema.Workspace, "DeviceInfo", "DeviceName", tables.Range{}), "")
	}
}

func ranges(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	var at []int64
	for _, hour := range []string{"06", "07", "08"} {
		r := b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"`+hour+`","Timestamp":"2026-01-05T`+hour+`:00:00Z"}`)})
		at = append(at, r.Arrival)
	}
	n, err := b.Snapshot(ctx, b.xdr())
	b.must(err)
	defer n.Close()
	seven := Now - 3*schema.Hour
	for _, test := range []struct {
		in   tables.Range
		want string
	}{
		{tables.Range{}, "06\n07\n08"},
		{tables.Range{From: seven}, "07\n08"},
		{tables.Range{To: seven}, "06"},
		{tables.Range{From: seven, To: seven + 1}, "07"},
		{tables.Range{After: at[0]}, "07\n08"},
		{tables.Range{After: at[0], UpTo: at[1]}, "07"},
	} {
		b.want(b.read(n, schema.XDR, "DeviceEvents", "DeviceName", test.in), test.want)
	}
	table, _ := schema.Default().Table(schema.XDR, "DeviceEvents")
	if _, _, err := n.Relation(table, []string{"Nope"}, tables.Range{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown column: %v", err)
	}
}

func limits(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	var fields []string
	for i := range 3000 {
		fields = append(fields, fmt.Sprintf(`{"DeviceName":"device %08d"}`, i))
	}
	b.append(tables.Append{Batches: b.batch("DeviceEvents", fields...)})
	n, err := b.Snapshot(ctx, b.xdr())
	b.must(err)
	defer n.Close()
	table, _ := schema.Default().Table(schema.XDR, "DeviceEvents")
	name, _ := table.Column("DeviceName")
	sql, args, err := n.Relation(table, []string{"DeviceName"}, tables.Range{})
	b.must(err)
	for _, test := range []struct {
		most      tables.Limit
		rows      int
		truncated bool
	}{
		{tables.Limit{}, 3000, false}, {tables.Limit{Rows: 3000}, 3000, false}, {tables.Limit{Rows: 2999}, 2999, true}, {tables.Limit{Rows: 1}, 1, true},
		{tables.Limit{Bytes: 1 << 20}, 3000, false}, {tables.Limit{Bytes: 10 << 10}, -1, true},
	} {
		found, err := n.Query(ctx, "SELECT * FROM "+sql+" AS r ORDER BY 1", args, schema.NewTable("r", schema.XDR, []schema.Column{name}), test.most)
		b.must(err)
		if found.Truncated != test.truncated || test.rows >= 0 && found.Rows.N != test.rows || found.Rows.N == 0 || found.Rows.N > 3000 {
			t.Errorf("%+v: %d rows, truncated %v", test.most, found.Rows.N, found.Truncated)
		}
		if got := found.Rows.Columns[0].Texts[0]; got != "device 00000000" {
			t.Errorf("the first row is %s: the order is lost", got)
		}
	}
}

func reading(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	var sum rows.Sum
	for i := range 5 {
		batches := b.batch("DeviceEvents", fmt.Sprintf(`{"DeviceName":"%d","MachineGroup":"G","New":1}`, i), `{}`)
		sum = sum.Add(batches[0].Hash())
		b.append(tables.Append{Batches: batches})
	}
	var got rows.Sum
	after := int64(0)
	for {
		batch, last, err := b.Read(ctx, tables.XDRHome, "DeviceEvents", after, 3)
		b.must(err)
		if batch.N == 0 {
			break
		}
		if last <= after || batch.N > 3 {
			t.Fatalf("read %d rows up to %d after %d", batch.N, last, after)
		}
		after = last
		got = got.Add(batch.Hash())
	}
	if got != sum || after != b.Arrival() {
		t.Errorf("wrote %+v, read %+v", sum, got)
	}
	batch, last, err := b.Read(ctx, tables.XDRHome, "DeviceInfo", 7, 3)
	b.must(err)
	if batch.N != 0 || last != 7 {
		t.Errorf("a table without rows: %d rows, last %d", batch.N, last)
	}
}

func quarantine(t *testing.T, open Open) {
	dir := t.TempDir()
	b := start(t, open, dir, 0)
	for i := range 3 {
		b.must(b.Quarantine(ctx, "hub", []rows.Refusal{{Record: i, Table: "T", Field: "F", Reason: "broken\xff", Body: []byte("'\x00body")}}))
	}
	b.must(b.Close())
	b = start(t, open, dir, 0)
	list, total, err := b.Quarantined(ctx, 0, 2)
	b.must(err)
	if total != 3 || len(list) != 2 || list[0].Record != 2 || list[0].Source != "hub" || list[0].Reason != "broken\uFFFD" || string(list[0].Body) != "'\x00body" || list[0].At != b.now {
		t.Errorf("%d: %+v", total, list)
	}
	list, _, err = b.Quarantined(ctx, list[1].ID, 10)
	b.must(err)
	if len(list) != 1 || list[0].Record != 0 {
		t.Errorf("the next page: %+v", list)
	}
}

func concurrent(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	const writers, each = 8, 12
	var batches [][]*rows.Batch
	for w := range writers {
		batches = append(batches, b.batch("DeviceEvents", fmt.Sprintf(`{"DeviceName":"w%d"}`, w)))
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	seen := map[int64]bool{}
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				r, err := b.Append(ctx, tables.Append{Home: tables.XDRHome, Batches: batches[w], Key: fmt.Sprintf("%d/%d", w, i/2)}) // each key twice
				mu.Lock()
				if err != nil || seen[r.Arrival] != r.Repeat {
					t.Errorf("%+v, %v", r, err)
				}
				seen[r.Arrival] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if got := strings.Count(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "w"); got != writers*each/2 {
		t.Errorf("%d rows, want %d", got, writers*each/2)
	}
}

func cancellation(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	var fields []string
	for i := range 4000 {
		fields = append(fields, fmt.Sprintf(`{"DeviceName":"%d"}`, i))
	}
	b.append(tables.Append{Batches: b.batch("DeviceEvents", fields...)})
	n, err := b.Snapshot(ctx, b.xdr())
	b.must(err)
	table, _ := schema.Default().Table(schema.XDR, "DeviceEvents")
	sql, _, err := n.Relation(table, []string{"DeviceName"}, tables.Range{})
	b.must(err)
	short, cancel := context.WithCancel(ctx)
	go cancel()
	slow := "SELECT count(*) FROM " + sql + " AS a, " + sql + " AS b, " + sql + " AS c WHERE a.DeviceName < b.DeviceName AND b.DeviceName < c.DeviceName"
	_, err = n.Query(short, slow, nil, schema.NewTable("r", schema.XDR, []schema.Column{{Name: "n", Type: schema.Long}}), tables.Limit{})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the query ended with %v", err)
	}
	b.must(n.Close())
	b.want(fmt.Sprint(strings.Count(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "\n")), "3999")
}
