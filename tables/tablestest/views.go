package tablestest

import (
	"fmt"
	"strings"
	"testing"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

func grants(t *testing.T, open Open) {
	dir := t.TempDir()
	b := start(t, open, dir, 0)
	add := func(name string) {
		b.append(tables.Append{Batches: append(b.batch("DeviceInfo", `{"DeviceName":"`+name+`"}`), b.batch("DeviceEvents", `{"DeviceName":"`+name+`"}`)...)})
		b.now += schema.Second
	}
	add("before")
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", true, b.now))
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", true, b.now+1)) // on already
	add("during")
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", false, b.now))
	add("between")
	b.must(b.Close())
	now := b.now
	b = start(t, open, dir, 0)
	b.now = now
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", true, b.now))
	add("again")
	b.want(b.list(b.ws(), "DeviceEvents", "DeviceName"), "during\nagain")
	b.want(b.list(b.ws(), "DeviceInfo", "DeviceName"), "")
	b.want(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "before\nduring\nbetween\nagain")
	b.want(b.list(tables.View{Side: schema.Workspace, Workspace: "another", Now: b.now}, "DeviceEvents", "DeviceName"), "")
	list, err := b.Grants(ctx, workspace)
	b.must(err)
	if len(list) != 2 || list[0].To == 0 || list[0].Until != Now+2*schema.Second || list[1].To != 0 || list[1].Until != 0 || list[1].From < list[0].To {
		t.Errorf("%+v", list)
	}
	stats, err := b.Stats(ctx, b.ws())
	b.must(err)
	if len(stats) != 1 || stats[0].Table != "DeviceEvents" || stats[0].Rows != 2 || stats[0].Received != b.now-schema.Second || stats[0].Bytes == 0 {
		t.Errorf("%+v", stats)
	}
}

func workspaceShape(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	b.must(b.SetGrant(ctx, workspace, "DeviceProcessEvents", true, b.now))
	b.append(tables.Append{Batches: b.batch("DeviceProcessEvents",
		`{"Timestamp":"2026-01-05T09:00:00.1234567Z","DeviceName":"pc1","LogonId":7,"MachineGroup":"G1","AdditionalFields":"{ \"a\": 1 }"}`, `{"AdditionalFields":"text"}`, `{}`)})
	b.want(b.list(b.ws(), "DeviceProcessEvents", "TimeGenerated Timestamp DeviceName LogonId MachineGroup AdditionalFields TenantId Type _IsBillable"), strings.Join([]string{
		"2026-01-05T09:00:00.1234567Z|2026-01-05T09:00:00.1234567Z|pc1|7|G1|{\"a\":1}|" + workspace + "|DeviceProcessEvents|true",
		"|||||\"text\"|" + workspace + "|DeviceProcessEvents|true", "||||||" + workspace + "|DeviceProcessEvents|true"}, "\n"))
	b.want(b.list(b.xdr(), "DeviceProcessEvents", "Timestamp LogonId AdditionalFields"), "2026-01-05T09:00:00.1234567Z|7|{ \"a\": 1 }\n||text\n||")
}

// bothTimes: a hunting table that has both time columns, and records with one.
func bothTimes(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	b.must(b.SetGrant(ctx, workspace, "UrlClickEvents", true, b.now))
	b.append(tables.Append{Batches: b.batch("UrlClickEvents", `{"Timestamp":"2026-01-05T09:00:00Z","Url":"https://a.example"}`)})
	b.want(b.list(b.ws(), "UrlClickEvents", "TimeGenerated Timestamp Url SourceSystem Type"),
		"2026-01-05T09:00:00.0000000Z|2026-01-05T09:00:00.0000000Z|https://a.example|Microsoft Defender XDR|UrlClickEvents")
	b.want(b.list(b.xdr(), "UrlClickEvents", "TimeGenerated Timestamp"), "2026-01-05T09:00:00.0000000Z|2026-01-05T09:00:00.0000000Z")
}

func conversions(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	awkward := []string{"", "null", "{", `{"a":[1, 2]}`, "12", "-1e400", "99999999999999999999", "2026-01-05", "TRUE", "\"", "'; DROP TABLE r1; --", "\x00", "NaN"}
	for _, hunting := range schema.Default().Tables(schema.XDR) {
		ws, ok := schema.Default().Table(schema.Workspace, hunting.Name)
		if !ok {
			continue
		}
		b.must(b.SetGrant(ctx, workspace, hunting.Name, true, b.now))
		batch := rows.New(rows.Stored(hunting), 0)
		for i := range batch.Columns {
			for _, text := range awkward {
				switch c := &batch.Columns[i]; {
				case c.Type == schema.Dynamic:
					c.AppendText(rows.Quote(text))
				case c.Type == schema.DateTime:
					c.AppendInt(int64(b.now))
				case c.Type == schema.Bool || c.Type == schema.Int:
					c.AppendInt(1)
				case rows.StorageOf(c.Type) == rows.Ints:
					c.AppendInt(-1 << 63)
				case c.Type == schema.Real:
					c.AppendReal(1e308)
				case c.Type == schema.String:
					c.AppendText(text)
				default:
					c.AppendNull()
				}
			}
		}
		batch.N = len(awkward)
		if hunting.Key != nil {
			batch.Table.Key = nil
		}
		b.append(tables.Append{Batches: []*rows.Batch{batch}})
		var names []string
		for _, c := range ws.Columns {
			names = append(names, c.Name)
		}
		if got := strings.Count(b.list(b.ws(), hunting.Name, strings.Join(names, " ")), workspace); got < len(awkward) && has(names, "TenantId") {
			t.Errorf("%s shows %d rows of %d", hunting.Name, got, len(awkward))
		}
	}
}

func has(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func ownRows(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	b.append(tables.Append{Home: workspace, Batches: b.own("SecurityAlert", `{"TimeGenerated":"2026-01-05T09:00:00Z","AlertName":"x","TenantId":"not this","ExtendedProperties":{"k":1}}`)})
	b.want(b.list(b.ws(), "SecurityAlert", "TimeGenerated AlertName TenantId Type ExtendedProperties _IsBillable"),
		"2026-01-05T09:00:00.0000000Z|x|"+workspace+"|SecurityAlert|{\"k\":1}|false")
	b.want(b.list(tables.View{Side: schema.Workspace, Workspace: "another", Now: b.now}, "SecurityAlert", "AlertName"), "")
	// Rows of its own and streamed ones stand in one table.
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", true, b.now))
	b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"streamed"}`)})
	b.append(tables.Append{Home: workspace, Batches: b.own("DeviceEvents", `{"DeviceName":"own","AdditionalFields":{"a":1}}`)})
	b.want(b.list(b.ws(), "DeviceEvents", "DeviceName AdditionalFields"), "streamed|\nown|{\"a\":1}")
	b.want(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "streamed")
}

func retention(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	b.SetRetention(tables.Retention{PerTable: map[string]map[string]int{workspace: {"DeviceInfo": 10}}})
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", true, b.now))
	b.must(b.SetGrant(ctx, workspace, "DeviceInfo", true, b.now))
	row := func(days int) string {
		return fmt.Sprintf(`{"DeviceName":"%d days","Timestamp":%q}`, days, b.now-schema.Ticks(days)*schema.Day+schema.Hour)
	}
	for _, table := range []string{"DeviceEvents", "DeviceInfo", "DeviceNetworkEvents"} {
		b.append(tables.Append{Batches: b.batch(table, row(1), row(20), row(60), row(100))})
	}
	check := func() {
		t.Helper()
		b.want(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "1 days\n20 days")
		b.want(b.list(b.ws(), "DeviceEvents", "DeviceName"), "1 days\n20 days\n60 days")
		b.want(b.list(b.xdr(), "DeviceInfo", "DeviceName"), "1 days\n20 days")
		b.want(b.list(b.ws(), "DeviceInfo", "DeviceName"), "1 days")
	}
	check()
	b.must(b.Maintain(ctx, b.now))
	check()
	for table, want := range map[string]int{"DeviceEvents": 3, "DeviceInfo": 2, "DeviceNetworkEvents": 2} {
		batch, _, err := b.Read(ctx, tables.XDRHome, table, 0, 100)
		b.must(err)
		if batch.N != want {
			t.Errorf("%s holds %d rows, want %d", table, batch.N, want)
		}
	}
}

// ageing: a table whose rows are all young may be read without looking at their
// times, until an older one comes or time passes; a start sees what there is.
func ageing(t *testing.T, open Open) {
	folder := t.TempDir()
	b := start(t, open, folder, 0)
	row := func(days int) string {
		return fmt.Sprintf(`{"DeviceName":"%d days","Timestamp":%q}`, days, b.now-schema.Ticks(days)*schema.Day+schema.Hour)
	}
	b.append(tables.Append{Batches: b.batch("DeviceEvents", row(1), row(20))})
	b.want(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "1 days\n20 days")
	b.append(tables.Append{Batches: b.batch("DeviceEvents", row(40), row(2))})
	b.want(b.list(b.xdr(), "DeviceEvents", "DeviceName"), "1 days\n20 days\n2 days")
	b.must(b.Close())
	again := start(t, open, folder, 0)
	again.now = b.now
	again.want(again.list(again.xdr(), "DeviceEvents", "DeviceName"), "1 days\n20 days\n2 days")
	again.must(again.Maintain(ctx, again.now))
	again.must(again.Close())
	young := start(t, open, folder, 0)
	young.now = b.now
	young.want(young.list(young.xdr(), "DeviceEvents", "DeviceName"), "1 days\n20 days\n2 days")
	young.now += 15 * schema.Day
	young.want(young.list(young.xdr(), "DeviceEvents", "DeviceName"), "1 days\n2 days")
	young.now += 30 * schema.Day
	young.want(young.list(young.xdr(), "DeviceEvents", "DeviceName"), "")
}

func columnCase(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	table := schema.NewTable("Odd_CL", schema.Workspace, []schema.Column{{Name: "clientIp_s", Type: schema.String}, {Name: "clientIP_s", Type: schema.String}, {Name: "order", Type: schema.Long}, {Name: `quo"te`, Type: schema.String}})
	b.dec.Unknown()
	batches, refused := b.dec.Rows(table, []byte(`[{"clientIp_s":"a","clientIP_s":"b","order":1,"quo\"te":"c"}]`))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	b.append(tables.Append{Home: workspace, Batches: batches})
	n, err := b.Snapshot(ctx, b.ws())
	b.must(err)
	defer n.Close()
	sql, args, err := n.Relation(table, []string{"clientIP_s", "order", `quo"te`}, tables.Range{})
	b.must(err)
	found, err := n.Query(ctx, "SELECT * FROM "+sql+" AS r", args, schema.NewTable("r", schema.Workspace, []schema.Column{table.Columns[1], table.Columns[2], table.Columns[3]}), tables.Limit{})
	b.must(err)
	if got := fmt.Sprint(found.Rows.Columns[0].Texts, found.Rows.Columns[1].Ints, found.Rows.Columns[2].Texts); got != "[b] [1] [c]" {
		t.Error(got)
	}
}

func growth(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), schema.Hour)
	column := func(name string, typ schema.Type) schema.Column { return schema.Column{Name: name, Type: typ} }
	at := column("TimeGenerated", schema.DateTime)
	versions := []*schema.Table{
		schema.NewTable("Grow_CL", schema.Workspace, []schema.Column{at, column("A", schema.String)}),
		schema.NewTable("Grow_CL", schema.Workspace, []schema.Column{at, column("A", schema.String), column("B", schema.String), column("C", schema.Long)}),
		schema.NewTable("Grow_CL", schema.Workspace, []schema.Column{at, column("A", schema.Long)}), // a changed type is a new column
	}
	for i, rows := range []string{`{"TimeGenerated":"2026-01-01T00:00:00Z","A":"1"}`, `{"A":"x","B":"b","C":2}`, `{"A":3}`} {
		batches, refused := b.dec.Rows(versions[i], []byte(rows))
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		b.append(tables.Append{Home: workspace, Batches: batches})
		if i == 0 {
			b.must(b.Maintain(ctx, b.now)) // the first row is sealed with fewer columns
		}
	}
	n, err := b.Snapshot(ctx, b.ws())
	b.must(err)
	defer n.Close()
	sql, args, err := n.Relation(versions[1], []string{"A", "B", "C"}, tables.Range{})
	b.must(err)
	found, err := n.Query(ctx, "SELECT * FROM "+sql+" AS r ORDER BY 1", args, schema.NewTable("r", schema.Workspace, versions[1].Columns[1:]), tables.Limit{})
	b.must(err)
	var got []string
	for i := range found.Rows.N {
		got = append(got, found.Rows.Columns[0].Print(i)+"|"+found.Rows.Columns[1].Print(i)+"|"+found.Rows.Columns[2].Print(i))
	}
	b.want(strings.Join(got, "\n"), "||\n1||\nx|b|2")
}

func sealing(t *testing.T, open Open) {
	dir := t.TempDir()
	b := start(t, open, dir, 2*schema.Hour)
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", true, b.now))
	for _, at := range []string{"2026-01-05T09:00:00Z", "2026-01-04T09:00:00Z", "2026-01-04T08:00:00Z", "2026-01-02T09:00:00Z", "2025-12-01T00:00:00Z", "2025-01-01T00:00:00Z"} {
		b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"Timestamp":"`+at+`","DeviceName":"`+at[:13]+`","AdditionalFields":"{}"}`)})
	}
	look := func() string {
		return b.list(b.ws(), "DeviceEvents", "DeviceName AdditionalFields Type") + "\n" + b.list(b.xdr(), "DeviceEvents", "DeviceName Timestamp")
	}
	want := look()
	before, err := b.Snapshot(ctx, b.ws())
	b.must(err)
	old := b.read(before, schema.Workspace, "DeviceEvents", "DeviceName AdditionalFields Type", tables.Range{})
	b.must(b.Maintain(ctx, b.now))
	b.want(look(), want)
	b.want(b.read(before, schema.Workspace, "DeviceEvents", "DeviceName AdditionalFields Type", tables.Range{}), old)
	b.must(before.Close())
	late := b.batch("DeviceEvents", `{"Timestamp":"2026-01-02T10:00:00Z","DeviceName":"late"}`)
	b.append(tables.Append{Batches: late})
	b.must(b.Maintain(ctx, b.now))
	n, err := b.Snapshot(ctx, b.xdr())
	b.must(err)
	b.want(b.read(n, schema.XDR, "DeviceEvents", "DeviceName", tables.Range{From: Now - 4*schema.Day, To: Now - schema.Day}), "2026-01-04T09\n2026-01-04T08\n2026-01-02T09\nlate")
	b.must(n.Close())
	b.must(b.Close())

	b = start(t, open, dir, 2*schema.Hour)
	batch, _, err := b.Read(ctx, tables.XDRHome, "DeviceEvents", 0, 100)
	b.must(err)
	if batch.N != 6 { // the row of a year ago is gone
		t.Errorf("%d rows are left", batch.N)
	}
	b.now += 1000 * schema.Day
	b.must(b.Maintain(ctx, b.now))
	if batch, _, err = b.Read(ctx, tables.XDRHome, "DeviceEvents", 0, 100); err != nil || batch.N != 0 {
		t.Errorf("after the retention %d rows are left, %v", batch.N, err)
	}
}
