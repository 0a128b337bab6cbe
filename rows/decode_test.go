package rows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/rows"
	"lockstep/schema"
)

var things = rows.Stored(schema.NewTable("Things", schema.XDR, []schema.Column{
	{Name: "Timestamp", Type: schema.DateTime}, {Name: "Name", Type: schema.String}, {Name: "Count", Type: schema.Int},
	{Name: "Size", Type: schema.Long}, {Name: "Score", Type: schema.Real}, {Name: "Price", Type: schema.Decimal}, {Name: "On", Type: schema.Bool},
	{Name: "Took", Type: schema.TimeSpan}, {Name: "Id", Type: schema.Guid}, {Name: "Bag", Type: schema.Dynamic},
	{Name: "LogonId", Type: schema.Long}, {Name: "LogonID", Type: schema.Long},
}))

func find(name string) (*schema.Table, bool) {
	if name == "Things" {
		return things, true
	}
	t, ok := schema.Default().Table(schema.XDR, name)
	if !ok {
		return nil, false
	}
	return rows.Stored(t), true
}

// show prints the columns of row i that hold something.
func show(b *rows.Batch, i int) string {
	var out []string
	for c, col := range b.Table.Columns {
		if p := b.Columns[c].Print(i); p != "" {
			out = append(out, col.Name+"="+p)
		}
	}
	return strings.Join(out, " ")
}

func TestValues(t *testing.T) {
	tests := []struct{ name, fields, want string }{
		{"nothing", `{}`, ``},
		{"null is null, and an empty string for strings", `{"Count":null,"Name":null,"Bag":null}`, ``},
		{"numbers", `{"Count":-7,"Size":9223372036854775807,"Score":1.5,"Price":12.340}`, `Count=-7 Size=9223372036854775807 Score=1.5 Price=12.340`},
		{"numbers in strings", `{"Count":"7","Size":" 8 ","Score":"-0.25","Price":"1.10"}`, `Count=7 Size=8 Score=-0.25 Price=1.10`},
		{"whole numbers with a point", `{"Count":5.0,"Size":1e3}`, `Count=5 Size=1000`},
		{"an empty string is no number", `{"Count":"","Score":"","Timestamp":"","Id":"","Bag":""}`, ``},
		{"bools", `{"On":true}`, `On=true`},
		{"bools as text", `{"On":"False"}`, `On=false`},
		{"bools as numbers", `{"On":1}`, `On=true`},
		{"numbers from bools", `{"Count":true,"Size":"false"}`, `Count=1 Size=0`},
		{"times", `{"Timestamp":"2026-01-05T10:00:01.12345678Z"}`, `Timestamp=2026-01-05T10:00:01.1234567Z`},
		{"times with an offset", `{"Timestamp":"2026-01-05T12:00:01+02:00"}`, `Timestamp=2026-01-05T10:00:01.0000000Z`},
		{"times with a blank", `{"Timestamp":"2026-01-05 10:00:01"}`, `Timestamp=2026-01-05T10:00:01.0000000Z`},
		{"spans", `{"Took":"-1.02:03:04.5"}`, `Took=-1.02:03:04.5000000`},
		{"guids", `{"Id":"{0F8FAD5B-D9CB-469F-A165-70867728950E}"}`, `Id=0f8fad5b-d9cb-469f-a165-70867728950e`},
		{"dynamic is minified", `{"Bag": { "b" : [ 1 , "x\u0000é" ] , "a":{} } }`, `Bag={"b":[1,"x\u0000é"],"a":{}}`},
		{"dynamic from text that is JSON", `{"Bag":"{ \"a\" : 1 }"}`, `Bag={"a":1}`},
		{"dynamic from text that isn't", `{"Bag":"{broken"}`, `Bag="{broken"`},
		{"dynamic from plain text", `{"Bag":"plain \"x\""}`, `Bag="plain \"x\""`},
		{"dynamic from a number", `{"Bag":12}`, `Bag=12`},
		{"dynamic from text that is null", `{"Bag":"null"}`, ``},
		{"text from an object", `{"Name":{"a": [1, 2]}}`, `Name={"a":[1,2]}`},
		{"text from a number", `{"Name":1.50}`, `Name=1.50`},
		{"text that is not UTF-8", "{\"Name\":\"a\xffb\"}", "Name=a\uFFFDb"},
		{"columns that differ in case only", `{"LogonId":1,"LogonID":2}`, `LogonId=1 LogonID=2`},
		{"names in another case", `{"name":"x","COUNT":1}`, `Name=x Count=1`},
		{"the device group of streamed events", `{"MachineGroup":"G1"}`, `MachineGroup=G1`},
		{"unknown fields", `{"New":{"x":1},"Name":"n","Other":"o"}`, `Name=n _Extra={"New":{"x":1},"Other":"o"}`},
		{"unknown fields passed on", `{"_Extra":{"New":1}}`, `_Extra={"New":1}`},
		{"the first of two", `{"Name":"a","Name":"b"}`, `Name=a`},
	}
	d := rows.NewDecoder(find)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			batches, refused := d.Records([]byte(`{"category":"AdvancedHunting-Things","properties":` + test.fields + `}`))
			if len(refused) > 0 {
				t.Fatal(refused)
			}
			if got := show(batches[0], 0); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	record := func(fields string) string { return `{"category":"AdvancedHunting-Things","properties":` + fields + `}` }
	long := strings.Repeat("x", 20<<20)
	tests := []struct{ name, data, want string }{
		{"broken JSON", `{"category":`, `record 1: broken JSON: `},
		{"not an object", `[1]`, `record 1: a record is a JSON object, this is a number`},
		{"another category", `{"category":"Audit","properties":{}}`, `record 1, field category: want "AdvancedHunting-" and a table's name, got "Audit"`},
		{"unknown table", `{"category":"AdvancedHunting-Nothing","properties":{}}`, `record 1, table Nothing, field category: no such table`},
		{"no properties", `{"category":"AdvancedHunting-Things"}`, `record 1, table Things, field properties: want an object with the row's fields`},
		{"int from text", record(`{"Count":"seven"}`), `record 1, table Things, field Count: want int, got seven`},
		{"int from a fraction", record(`{"Count":1.5}`), `record 1, table Things, field Count: want int, got 1.5`},
		{"int from an object", record(`{"Count":{}}`), `record 1, table Things, field Count: want int, got an object`},
		{"int too large", record(`{"Count":2147483648}`), `record 1, table Things, field Count: 2147483648 does not fit int, which has 32 bits`},
		{"long too large", record(`{"Size":9223372036854775808}`), `record 1, table Things, field Size: want long, got 9223372036854775808`},
		{"bool from a number", record(`{"On":2}`), `record 1, table Things, field On: want bool, got 2`},
		{"bool from text", record(`{"On":"maybe"}`), `record 1, table Things, field On: want bool, got "maybe"`},
		{"time", record(`{"Timestamp":"yesterday"}`), `record 1, table Things, field Timestamp: "yesterday" is not a time (want for example 2026-01-05T10:00:00Z)`},
		{"time from a number", record(`{"Timestamp":1767607201}`), `record 1, table Things, field Timestamp: want datetime, got the number 1767607201`},
		{"no such day", record(`{"Timestamp":"2026-02-30T10:00:00Z"}`), `record 1, table Things, field Timestamp: "2026-02-30T10:00:00Z" is not a time (want for example 2026-01-05T10:00:00Z)`},
		{"guid", record(`{"Id":"x"}`), `record 1, table Things, field Id: "x" is not a guid`},
		{"long text", record(`{"Name":"` + long + `"}`), `record 1, table Things, field Name: holds 20971520 bytes or more, the limit is 1048576`},
		{"long JSON", record(`{"Bag":["` + long + `"]}`), `record 1, table Things, field Bag: holds 1048`},
		{"long unknown field", record(`{"New":"` + long + `"}`), `record 1, table Things, field New: holds 1048`},
	}
	d := rows.NewDecoder(find)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			good := record(`{"Name":"good"}`)
			batches, refused := d.Records([]byte(test.data + "\n" + good))
			if !strings.HasPrefix(test.data, "{") { // not lines: alone
				batches, refused = d.Records([]byte(test.data))
			} else if len(batches) != 1 || batches[0].N != 1 || show(batches[0], 0) != "Name=good" {
				t.Errorf("the good record beside it is lost: %v", batches)
			}
			if len(refused) != 1 {
				t.Fatalf("want one refusal, got %d", len(refused))
			}
			if got := refused[0].String(); !strings.HasPrefix(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if len(refused[0].Body) == 0 || len(refused[0].Body) > rows.BodyLimit+8 {
				t.Errorf("body holds %d bytes", len(refused[0].Body))
			}
		})
	}
}

func TestEnvelope(t *testing.T) {
	d := rows.NewDecoder(find)
	batches, refused := d.Records([]byte(`{"records":[
 {"time":"2026-01-05T10:00:03.1Z","tenantId":"t","operationName":"Publish","category":"AdvancedHunting-DeviceProcessEvents",
  "properties":{"Timestamp":"2026-01-05T10:00:01Z","DeviceName":"pc1","ReportId":42,"MachineGroup":"G1","Novel":1}},
 {"category":"AdvancedHunting-DeviceProcessEvents","properties":{"ReportId":"x"}},
 {"category":"AdvancedHunting-Things","properties":{"Name":"t"}},
 {"category":"AdvancedHunting-Things","properties":{"Name":"half","Count":"no"}},
 {"category":"AdvancedHunting-Things","properties":{"Name":"u"}}]}`))
	var got []string
	for _, b := range batches {
		for i := range b.N {
			got = append(got, b.Table.Name+": "+show(b, i))
		}
	}
	for _, r := range refused {
		got = append(got, r.String())
	}
	want := []string{
		"DeviceProcessEvents: Timestamp=2026-01-05T10:00:01.0000000Z DeviceName=pc1 ReportId=42 MachineGroup=G1 _Extra={\"Novel\":1}",
		"Things: Name=t", "Things: Name=u",
		"record 2, table DeviceProcessEvents, field ReportId: want long, got x",
		"record 4, table Things, field Count: want int, got no",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]map[string]int{"DeviceProcessEvents": {"Novel": 1}}, d.Unknown()); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenRecordAmongGood(t *testing.T) {
	d := rows.NewDecoder(find)
	good := func(name string) string {
		return `{"category":"AdvancedHunting-Things","properties":{"Name":"` + name + `"}}`
	}
	batches, refused := d.Records([]byte(`{"records":[` + good("a") + `,{"category":"AdvancedHunting-Things","properties":{"Name":nope}},` + good("b, ] }") + `]}`))
	if len(batches) != 1 || batches[0].N != 2 || len(refused) != 1 || refused[0].Record != 2 {
		t.Fatalf("got %v, refused %v", batches, refused)
	}
	if show(batches[0], 1) != "Name=b, ] }" {
		t.Error(show(batches[0], 1))
	}
}

func TestFlatRows(t *testing.T) {
	table, _ := schema.Default().Table(schema.Workspace, "SecurityAlert")
	d := rows.NewDecoder(find)
	for _, data := range []string{
		`[{"TimeGenerated":"2026-01-05T10:00:01Z","AlertName":"a","Type":"x","TenantId":"t"},{"AlertName":"b"}]`,
		"{\"TimeGenerated\":\"2026-01-05T10:00:01Z\",\"AlertName\":\"a\"}\r\n\n{\"AlertName\":\"b\"}\n",
	} {
		batches, refused := d.Rows(rows.Stored(table), []byte(data))
		if len(refused) > 0 || len(batches) != 1 || batches[0].N != 2 {
			t.Fatal(batches, refused)
		}
		if got := show(batches[0], 0); got != "AlertName=a TimeGenerated=2026-01-05T10:00:01.0000000Z" && got != "TimeGenerated=2026-01-05T10:00:01.0000000Z AlertName=a" {
			t.Error(got)
		}
	}
}

// A time that the fast path takes is the one that schema.ParseTicks gives.
func TestTimesAgree(t *testing.T) {
	d := rows.NewDecoder(find)
	rapid.Check(t, func(t *rapid.T) {
		at := schema.Ticks(rapid.Int64Range(0, int64(schema.MaxTicks)).Draw(t, "ticks")).Time()
		text := at.Format(rapid.SampledFrom([]string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05.000000000Z", "2006-01-02T15:04:05Z"}).Draw(t, "layout"))
		want, err := schema.ParseTicks(text)
		if err != nil {
			t.Fatal(err)
		}
		batches, refused := d.Records([]byte(`{"category":"AdvancedHunting-Things","properties":{"Timestamp":"` + text + `"}}`))
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		if got := batches[0].Columns[0].Ints[0]; got != int64(want) {
			t.Fatalf("%s: got %s, want %s", text, schema.Ticks(got), want)
		}
	})
}

func TestSpansRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := schema.Ticks(rapid.Int64Range(-1<<62, 1<<62).Draw(t, "span"))
		if got, ok := rows.ParseSpan(rows.PrintSpan(want)); !ok || got != want {
			t.Fatalf("%d prints as %s, reads as %d", want, rows.PrintSpan(want), got)
		}
	})
}

// Whatever text a dynamic column is given, what it holds is JSON.
func FuzzDynamic(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `[1,2`, "\x00", `"\ud800"`, `{"a":nan}`, `01`, `-`, `1e`, "\"\x7f\xff\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := rows.Dynamic([]byte(s))
		if got != nil && !json.Valid(got) {
			t.Fatalf("%q gives %q", s, got)
		}
	})
}

// Whatever is sent, decoding ends, and every value stands in its place.
func FuzzRecords(f *testing.F) {
	f.Add(`{"records":[{"category":"AdvancedHunting-Things","properties":{"Name":"a","Bag":[nan,"\ud800"]}},{]}`)
	f.Add("{\"category\":\n{\"category\":\"AdvancedHunting-Things\",\"properties\":{\"Count\":1,\"x\\u0001\":2}}")
	d := rows.NewDecoder(find)
	f.Fuzz(func(t *testing.T, s string) {
		batches, _ := d.Records([]byte(s))
		for _, b := range batches {
			for i, c := range b.Columns {
				if c.Len() != b.N || c.Null != nil && len(c.Null) != b.N {
					t.Fatalf("%s has %d values in %d rows", b.Table.Columns[i].Name, c.Len(), b.N)
				}
				if c.Type == schema.Dynamic {
					for r, text := range c.Texts {
						if !c.IsNull(r) && !json.Valid([]byte(text)) {
							t.Fatalf("%s holds %q", b.Table.Columns[i].Name, text)
						}
					}
				}
			}
		}
	})
}

func TestHashIgnoresOrder(t *testing.T) {
	d := rows.NewDecoder(find)
	decode := func(names ...string) rows.Sum {
		var text strings.Builder
		for _, n := range names {
			fmt.Fprintf(&text, "{\"category\":\"AdvancedHunting-Things\",\"properties\":{\"Name\":%q,\"Bag\":[1]}}\n", n)
		}
		batches, _ := d.Records([]byte(text.String()))
		return batches[0].Hash()
	}
	if decode("a", "b", "b") != decode("b", "a", "b") {
		t.Error("the order of rows changes the sum")
	}
	for _, other := range []rows.Sum{decode("a", "b"), decode("a", "a", "b"), decode("a", "b", "c")} {
		if decode("a", "b", "b") == other {
			t.Error("other rows have the same sum")
		}
	}
	if decode("a").Add(decode("b")) != decode("a", "b") {
		t.Error("sums of parts don't add up")
	}
}

func BenchmarkDecode(b *testing.B) {
	data := []byte(strings.Repeat(processEvent+"\n", 1000))
	d := rows.NewDecoder(find)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, refused := d.Records(data); len(refused) > 0 {
			b.Fatal(refused)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
}

var processEvent = func() string {
	table, _ := schema.Default().Table(schema.XDR, "DeviceProcessEvents")
	fields := map[string]any{}
	for i, c := range table.Columns {
		switch c.Type {
		case schema.DateTime:
			fields[c.Name] = "2026-01-05T10:00:01.1234567Z"
		case schema.Long, schema.Int:
			fields[c.Name] = 1000 + i
		case schema.Bool:
			fields[c.Name] = false
		default:
			fields[c.Name] = fmt.Sprintf("some value of column %d", i)
		}
	}
	text, _ := json.Marshal(map[string]any{"time": "2026-01-05T10:00:03Z", "tenantId": "t", "category": "AdvancedHunting-DeviceProcessEvents", "properties": fields})
	return string(text)
}()
