package kql_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

var events = schema.NewTable("Events", schema.XDR, []schema.Column{
	{Name: "Timestamp", Type: schema.DateTime}, {Name: "DeviceName", Type: schema.String}, {Name: "LogonId", Type: schema.Long},
	{Name: "LogonID", Type: schema.String}, {Name: "AdditionalFields", Type: schema.Dynamic},
})

func environment() kql.Environment {
	return kql.Environment{
		Tables:     func(n string) (*schema.Table, bool) { return events, n == "Events" },
		TableNames: func() []string { return []string{"Events"} },
		Now:        639028584000000000,
	}
}

func compile(t *testing.T, text string) *kql.Program {
	t.Helper()
	p, diags := kql.Compile(text, environment())
	if p == nil {
		t.Fatalf("%s\n%v", text, diags)
	}
	return p
}

type file struct{ Name, Data string }

// parseArchive reads the txtar form: a line "-- name --" begins each file.
func parseArchive(data []byte) (files []file) {
	for _, line := range strings.SplitAfter(string(data), "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(name, " --") {
			files = append(files, file{Name: strings.TrimSuffix(name, " --")})
		} else if len(files) > 0 {
			files[len(files)-1].Data += line
		}
	}
	return files
}

func cells(rows [][]any) string {
	var b strings.Builder
	for _, r := range rows {
		for i, v := range r {
			if i > 0 {
				b.WriteString(" | ")
			}
			if v == nil {
				v = "null"
			}
			fmt.Fprint(&b, v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestCases runs every case of testdata on a real engine.
func TestCases(t *testing.T) {
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a := parseArchive(data)
		for i := 0; i+1 < len(a); i += 2 {
			query, want := a[i], a[i+1]
			t.Run(query.Name, func(t *testing.T) {
				p := compile(t, query.Data)
				got := answer(t, engine, p)
				for _, next := range p.Further { // other tables follow a line with their name
					got += "==" + next.Name + "\n" + answer(t, engine, next)
				}
				if d := cmp.Diff(want.Data, got); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// answer is a program's columns and rows, a line each.
func answer(t *testing.T, engine *kqltest.Engine, p *kql.Program) string {
	t.Helper()
	p, err := engine.Settle(context.Background(), p, environment().Tables)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := engine.Run(context.Background(), p, environment().Tables)
	if err != nil {
		text, args := engine.SQL(p, environment().Tables)
		t.Fatalf("%v\n%s %v", err, text, args)
	}
	var names []string
	for _, c := range p.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, " ") + "\n" + cells(rows)
}

// TestScans: relations come with parameters of their own, which must land in
// the order of the text; only the named columns are read.
func TestScans(t *testing.T) {
	p := compile(t, `Events | where DeviceName == "first" | join kind=inner (Events | where LogonID == "second" | project LogonId) on LogonId | where DeviceName != "third" | project DeviceName, LogonID`)
	if d := cmp.Diff([]string{"Events"}, p.Tables); d != "" {
		t.Error(d)
	}
	if len(p.Scans) != 2 || len(p.Scans[0].Columns) != 3 || len(p.Scans[1].Columns) != 2 {
		t.Fatalf("scans: %+v", p.Scans)
	}
	text, args := p.SQL(func(scan int, table string, columns []string) (string, []any) {
		return fmt.Sprintf("(SELECT %d, ?)", scan), []any{fmt.Sprint("relation ", scan)}
	})
	if strings.Count(text, "?") != len(args) {
		t.Fatalf("%d marks, %d parameters: %s %v", strings.Count(text, "?"), len(args), text, args)
	}
	for _, secret := range []string{"first", "second", "third"} {
		if strings.Contains(text, secret) {
			t.Errorf("the value %q stands in the text: %s", secret, text)
		}
	}
	if args[0] != "relation 0" && args[1] != "relation 0" {
		t.Errorf("parameters out of order: %v", args)
	}
}

// TestTimeRange: the request's range applies to the table's time column.
func TestTimeRange(t *testing.T) {
	env := environment()
	env.From, env.To = 100, 200
	p, diags := kql.Compile("Events | project DeviceName", env)
	if p == nil {
		t.Fatal(diags)
	}
	if d := cmp.Diff([]string{"Timestamp", "DeviceName"}, p.Scans[0].Columns); d != "" {
		t.Error(d)
	}
}

// TestArrival: ingestion_time reads the hidden column of arrival, which shows
// in no answer and is read only where it is asked for.
func TestArrival(t *testing.T) {
	env := environment()
	env.Received = "_received"
	for query, want := range map[string][]string{
		"Events | where ingestion_time() > ago(1h) | project DeviceName":                     {"DeviceName", "_received"},
		"Events | union Events | where ingestion_time() > ago(1h) | project-keep DeviceName": {"DeviceName", "_received"},
		"Events": {"Timestamp", "DeviceName", "LogonId", "LogonID", "AdditionalFields"},
	} {
		p, diags := kql.Compile(query, env)
		if p == nil {
			t.Fatal(diags)
		}
		if d := cmp.Diff(want, p.Scans[0].Columns); d != "" {
			t.Errorf("%s: %s", query, d)
		}
		for _, c := range p.Columns {
			if strings.Contains(c.Name, "_received") {
				t.Errorf("%s shows the column %q", query, c.Name)
			}
		}
	}
}

func TestDiagnostics(t *testing.T) {
	for _, tt := range []struct{ query, code, message string }{
		{"Evnts | take 1", "KQL110", "did you mean 'Events'?"},
		{"Events | where DeviceNam == 'x'", "KQL120", "did you mean 'DeviceName'?"},
		{"Events\n| wher 1 == 1", "KQL020", "did you mean 'where'?"},
		{"Events | where DeviceName == \"open", "KQL002", "has no end"},
		{"Events | extend x = nofunction(1)", "KQL131", "there is no function"},
		{"Events | where", "KQL010", "an expression expected"},
		{"Events | join kind=sideways (Events) on LogonId", "KQL150", "not a kind of join"},
		{"Events | summarize DeviceName by LogonId", "KQL143", "only inside of an aggregate"},
		{"Events | where count() > 1", "KQL130", "only stand in summarize"},
		{"Events | where Timestamp + 'x' > now()", "KQL125", "not defined for datetime and string"},
		{"Events | where tolower(1, 2) == ''", "KQL132", "doesn't take 2 arguments"},
		// what the engine refuses
		{"Events | extend first = 1", "KQL145", "write ['first']"},
		{"Events | parse kind=regex DeviceName with a:string b:long", "KQL163", "a text must stand between"},
		{"Events | extend x = null", "KQL127", "long(null)"},
		{"Events | extend x = floor(1.5)", "KQL132", "doesn't take 1 arguments"},
		{"Events | extend n = row_number()", "KQL139", "serialize"},
		{"print format_datetime(now(), 'yyyy-MM-ddTHH:mm')", "KQL146", "no format of format_datetime"},
		{"print format_timespan(1d, 'c')", "KQL146", "no format of format_timespan"},
		{"print 9223372036854775808", "KQL015", "too large for a long"},
		{"print repeat(dynamic([1]), 3)", "KQL133", "not a dynamic"},
	} {
		p, diags := kql.Compile(tt.query, environment())
		if p != nil || len(diags) == 0 || diags[0].Code != tt.code || !strings.Contains(diags[0].Message, tt.message) {
			t.Errorf("%s\n got %v\nwant %s …%s", tt.query, diags, tt.code, tt.message)
		}
	}
}

// TestManyDiagnostics: one text shows several errors at once, with their places.
func TestManyDiagnostics(t *testing.T) {
	_, diags := kql.Compile("Events\n| wher 1 == 1\n| extend = 2\n| take", environment())
	if len(diags) < 3 {
		t.Fatalf("want three errors, got %v", diags)
	}
	for i, d := range diags[:3] {
		if d.Line != i+2 || d.Column < 1 {
			t.Errorf("error %d stands at %d:%d", i, d.Line, d.Column)
		}
	}
}

// seeds are the queries of all cases.
func seeds() ([]byte, error) {
	files, err := filepath.Glob("testdata/*.txtar")
	var all []byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, data...)
	}
	return all, err
}

// FuzzCompile: no text makes the compiler panic, and what compiles has as many marks as parameters.
func FuzzCompile(f *testing.F) {
	data, err := seeds()
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range parseArchive(data) {
		if i%2 == 0 {
			f.Add(file.Data)
		}
	}
	for _, s := range []string{"", "|", "let x", "let f=(){f()};f()", "Events|summarize by", "print (((", "'\\", "Events | union *", "let a=a;a", "T|mv-apply x on (", "print dynamic({'a':[1,}", "print x=-(-(-1))[0].a['b']", "range x from 1 to 2 step 0", "Events | project $left.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, diags := kql.Compile(text, environment())
		if (p == nil) != diags.HasError() {
			t.Fatalf("program %v, diagnostics %v", p != nil, diags)
		}
		if p != nil {
			sql, args := p.SQL(func(int, string, []string) (string, []any) { return "(SELECT 1)", nil })
			if strings.Count(sql, "?") != len(args) {
				t.Fatalf("%d marks, %d parameters", strings.Count(sql, "?"), len(args))
			}
		}
	})
}

// TestCorpus compiles recorded queries of the reference material; package
// tools/kqlconformance measures all of them and runs them.
func TestCorpus(t *testing.T) {
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../../shared"
	}
	queries, tables, err := kqltest.Corpus(shared)
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: the recorded queries are not here (%v); nothing of the corpus was checked", err)
	}
	env := environment()
	env.Tables = func(n string) (*schema.Table, bool) { x, ok := tables[n]; return x, ok }
	compiled, sample := 0, 0
	for i := 0; i < len(queries); i += 25 {
		sample++
		if p, _ := kql.Compile(queries[i], env); p != nil {
			compiled++
		}
	}
	if compiled*100 < sample*95 {
		t.Errorf("%d of %d sampled queries compile, want 95 of 100", compiled, sample)
	}
}
