package sample_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/sample"
	"lockstep/schema"
	"lockstep/source"
)

const testRows = 10_000

func tenant(t testing.TB, o sample.Options) *sample.Tenant {
	t.Helper()
	s, err := sample.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func digest(t *testing.T, o sample.Options) string {
	h := sha256.New()
	if err := tenant(t, o).Records(func(r source.Record) error {
		fmt.Fprintln(h, r.Kind, r.Shape, r.Table, r.Time, r.File, r.Number)
		h.Write(r.Body)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestTheSameSeedAndSizeMakeTheSameSample(t *testing.T) {
	o := sample.Options{Seed: 7, Rows: sample.MinRows}
	first, again := digest(t, o), digest(t, o)
	if first != again {
		t.Errorf("two samples of one seed differ: %s, %s", first, again)
	}
	o.Seed = 8
	if other := digest(t, o); other == first {
		t.Error("two seeds make the same sample")
	}
}

func TestRecordsAreAsManyAsAskedForInTheOrderOfTime(t *testing.T) {
	s := tenant(t, sample.Options{Seed: 1, Rows: testRows})
	want, err := s.Outline(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := source.Outline{Tables: map[string]int64{}}
	numbers := map[string]int64{}
	err = s.Records(func(r source.Record) error {
		if r.Time < got.Last {
			t.Errorf("record %d goes back in time: %s after %s", got.Records, r.Time, got.Last)
		}
		if got.First == 0 {
			got.First = r.Time
		}
		got.Last = r.Time
		if r.Number != numbers[r.File] {
			t.Errorf("%s: record %d is numbered %d", r.File, numbers[r.File], r.Number)
		}
		numbers[r.File]++
		got.Records++
		switch r.Kind {
		case source.Alert:
			got.Alerts++
		case source.Event:
			got.Events++
			got.Tables[r.Table]++
		case source.Row:
			got.Rows++
			got.Tables[r.Table]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what is handed over isn't what the outline says (-outline +handed over):\n%s", d)
	}
	if got.Events+got.Rows != testRows {
		t.Errorf("%d rows, want %d", got.Events+got.Rows, testRows)
	}
	for _, stream := range schema.Default().Streams() {
		if got.Tables[stream.Table] == 0 {
			t.Errorf("no row in %s", stream.Table)
		}
	}
	for _, table := range []string{"SigninLogs", "AuditLogs", "OfficeActivity", "IdentityInfo"} {
		if got.Tables[table] == 0 {
			t.Errorf("no row in %s", table)
		}
	}
}

func TestReadingFromAPositionGivesTheRest(t *testing.T) {
	s := tenant(t, sample.Options{Seed: 3, Rows: sample.MinRows})
	var all, rest []string
	read := func(from int64, into *[]string) {
		if err := s.Read(context.Background(), from, func(r source.Record) error {
			*into = append(*into, fmt.Sprint(r.File, r.Number, string(r.Body)))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	read(0, &all)
	read(5000, &rest)
	if !slices.Equal(all[5000:], rest) {
		t.Error("the rest from position 5000 differs")
	}
}

func TestEverythingHappensBetweenBeginAndEnd(t *testing.T) {
	for _, days := range []int{sample.MinDays, sample.DefaultDays} {
		for _, weekday := range []int{0, 2, 3} { // Friday, Sunday, Monday
			end := sample.DefaultEnd().AddDate(0, 0, weekday)
			o, err := tenant(t, sample.Options{Seed: 1, Rows: sample.MinRows, Days: days, End: end}).Outline(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if begin := schema.At(end.AddDate(0, 0, -days)); o.First < begin || o.Last > schema.At(end) {
				t.Errorf("%d days to %s: from %s to %s", days, end, o.First, o.Last)
			}
		}
	}
}

// The sample of a seed is the same on every machine and in every version that
// doesn't mean to change it. A change that does, sets this anew.
func TestTheSampleOfASeedIsKnown(t *testing.T) {
	const known = "f2e03be9ec580d12cd139851a648e210f2bd622de7bdbadf8e85af9de1001700"
	if got := digest(t, sample.Options{Seed: 1, Rows: sample.MinRows}); got != known {
		t.Errorf("digest %s, want %s", got, known)
	}
}

// envelope is an Event Hub record.
type envelope struct {
	Time       schema.Ticks   `json:"time"`
	TenantID   string         `json:"tenantId"`
	Category   string         `json:"category"`
	Properties map[string]any `json:"properties"`
}

func TestEveryRowFitsItsTable(t *testing.T) {
	s := tenant(t, sample.Options{Seed: 1, Rows: testRows})
	wrong, known := map[string]bool{}, sheets{}
	err := s.Records(func(r source.Record) error {
		switch r.Kind {
		case source.Event:
			var e envelope
			if err := json.Unmarshal(r.Body, &e); err != nil {
				t.Fatalf("%s %d: %v\n%s", r.File, r.Number, err, r.Body)
			}
			if e.Category != "AdvancedHunting-"+r.Table || e.Time != r.Time || e.TenantID != s.TenantID() {
				t.Fatalf("%s %d: wrong envelope: %s", r.File, r.Number, r.Body)
			}
			check(t, wrong, r.Table, e.Properties, known.columns(r.Table, schema.XDR, schema.Workspace))
		case source.Row:
			var row map[string]any
			if err := json.Unmarshal(r.Body, &row); err != nil {
				t.Fatalf("%s %d: %v\n%s", r.File, r.Number, err, r.Body)
			}
			check(t, wrong, r.Table, row, known.columns(r.Table, schema.Workspace))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sheets are the column types by table and name, one per side that is named.
type sheets map[string]map[string][]schema.Type

func (s sheets) columns(table string, sides ...schema.Side) map[string][]schema.Type {
	if s[table] == nil {
		s[table] = map[string][]schema.Type{}
		for _, side := range sides {
			if sheet, ok := schema.Default().Table(side, table); ok {
				for _, c := range sheet.Columns {
					s[table][c.Name] = append(s[table][c.Name], c.Type)
				}
			}
		}
	}
	return s[table]
}

// check tells each misfit once.
func check(t *testing.T, told map[string]bool, table string, row map[string]any, columns map[string][]schema.Type) {
	t.Helper()
	for name, v := range row {
		types := columns[name]
		if !slices.ContainsFunc(types, func(c schema.Type) bool { return suits(c, v) }) && !told[table+"."+name] {
			told[table+"."+name] = true
			t.Errorf("%s.%s = %v (%T) fits none of %v", table, name, v, v, types)
		}
	}
}

func suits(column schema.Type, v any) bool {
	switch v := v.(type) {
	case string:
		switch column {
		case schema.DateTime:
			_, err := schema.ParseTicks(v)
			return err == nil
		case schema.String, schema.Dynamic, schema.Guid:
			return true
		}
		return false
	case float64:
		return column == schema.Int && v >= -1<<31 && v < 1<<31 || column == schema.Long || column == schema.Real
	case bool:
		return column == schema.Bool
	case nil:
		return true
	default:
		return column == schema.Dynamic
	}
}

// told is what the three shapes say of one alert.
type told struct {
	id, product, title, severity string
	entities                     int
}

func read(t *testing.T, r source.Record) told {
	t.Helper()
	var a struct {
		ID, Title, Severity, ServiceSource                           string
		Evidence                                                     []map[string]any
		Records                                                      []envelope
		AlertLink, DisplayName, AlertSeverity, ProductName, Entities string
	}
	if err := json.Unmarshal(r.Body, &a); err != nil {
		t.Fatalf("%s %d: %v\n%s", r.File, r.Number, err, r.Body)
	}
	switch r.Shape {
	case source.Graph:
		return told{a.ID, a.ServiceSource, a.Title, a.Severity, len(a.Evidence)}
	case source.AlertInfo:
		p := a.Records[0].Properties
		return told{p["AlertId"].(string), p["ServiceSource"].(string), p["Title"].(string), p["Severity"].(string), len(a.Records) - 1}
	default:
		var entities []map[string]any
		if err := json.Unmarshal([]byte(a.Entities), &entities); err != nil {
			t.Fatalf("%s %d: Entities: %v", r.File, r.Number, err)
		}
		id := a.AlertLink[strings.LastIndexByte(a.AlertLink, '/')+1 : strings.IndexByte(a.AlertLink, '?')]
		return told{id, a.ProductName, a.DisplayName, a.AlertSeverity, len(entities)}
	}
}

func TestAlertsComeFromSixProductsInThreeShapesAndAreAllInTheTruth(t *testing.T) {
	s := tenant(t, sample.Options{Seed: 1, Rows: testRows})
	truth := s.Truth()
	known := map[string]bool{}
	for _, id := range truth.AlertIDs() {
		if known[id] {
			t.Errorf("alert %s belongs to two incidents", id)
		}
		known[id] = true
	}
	seen, shapes := map[string]int{}, map[string]map[source.Shape]bool{}
	products := map[source.Shape]map[string]bool{}
	titles := map[string]string{}
	err := s.Records(func(r source.Record) error {
		if r.Kind != source.Alert {
			return nil
		}
		a := read(t, r)
		if !known[a.id] {
			t.Errorf("alert %s of %s isn't in the truth", a.id, r.File)
		}
		if a.entities == 0 {
			t.Errorf("alert %s names no entity", a.id)
		}
		if before, ok := titles[a.id]; ok && before != a.title {
			t.Errorf("alert %s is %q and %q", a.id, before, a.title)
		}
		titles[a.id] = a.title
		seen[a.id]++
		if shapes[a.id] == nil {
			shapes[a.id] = map[source.Shape]bool{}
		}
		shapes[a.id][r.Shape] = true
		if products[r.Shape] == nil {
			products[r.Shape] = map[string]bool{}
		}
		products[r.Shape][a.product] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range known {
		if seen[id] == 0 {
			t.Errorf("alert %s of the truth was never sent", id)
		}
	}
	twice, again := 0, 0
	for id, n := range seen {
		if len(shapes[id]) > 1 {
			twice++
		}
		if n > 1 {
			again++
		}
	}
	if twice < 5 || again < 20 {
		t.Errorf("%d alerts in two shapes, %d sent more than once", twice, again)
	}
	for _, shape := range []source.Shape{source.Graph, source.AlertInfo, source.SecurityAlert} {
		if len(products[shape]) != 6 {
			t.Errorf("shape %s has alerts of %d products: %v", shape, len(products[shape]), products[shape])
		}
	}
	if len(truth.Stories) != 3 {
		t.Fatalf("%d stories", len(truth.Stories))
	}
	for _, story := range truth.Stories {
		if len(story.Alerts) < 8 || story.Severity != "high" || len(story.Steps) < 4 {
			t.Errorf("story %s: %d alerts, severity %s, %d steps", story.Name, len(story.Alerts), story.Severity, len(story.Steps))
		}
	}
}

func TestWhatAlertsNameIsInTheRows(t *testing.T) {
	s := tenant(t, sample.Options{Seed: 1, Rows: testRows})
	processes, mails, hosts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	type row struct {
		DeviceName, FileName, NetworkMessageId, RecipientEmailAddress string
		ProcessId                                                     int64
	}
	if err := s.Records(func(r source.Record) error {
		if r.Table != "DeviceProcessEvents" && r.Table != "EmailEvents" && r.Table != "DeviceInfo" {
			return nil
		}
		var e struct{ Properties row }
		if err := json.Unmarshal(r.Body, &e); err != nil {
			return err
		}
		p := e.Properties
		switch r.Table {
		case "DeviceProcessEvents":
			host, _, _ := strings.Cut(p.DeviceName, ".")
			processes[fmt.Sprintf("%s %d %s", host, p.ProcessId, p.FileName)] = true
		case "EmailEvents":
			mails[p.NetworkMessageId+" "+p.RecipientEmailAddress] = true
		default:
			hosts[p.DeviceName] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	truth := s.Truth()
	for _, story := range append(slices.Clone(truth.Stories), truth.Noise...) {
		for _, e := range story.Entities {
			rows := map[string]map[string]bool{"process": processes, "mailMessage": mails, "host": hosts}[e.Kind]
			if rows != nil && !rows[e.Name] {
				t.Errorf("%s: %s %s has no row", story.Name, e.Kind, e.Name)
			}
		}
	}
}

// The links that EmailEvents counts are those that EmailUrlInfo lists.
func TestMailsAndTheirLinksAgree(t *testing.T) {
	s := tenant(t, sample.Options{Seed: 5, Rows: 20_000})
	counted, listed := map[string]int{}, map[string]int{}
	if err := s.Records(func(r source.Record) error {
		if r.Table != "EmailEvents" && r.Table != "EmailUrlInfo" {
			return nil
		}
		var e struct {
			Properties struct {
				NetworkMessageId string
				UrlCount         int
			}
		}
		if err := json.Unmarshal(r.Body, &e); err != nil {
			return err
		}
		if r.Table == "EmailEvents" {
			if e.Properties.UrlCount > 0 {
				counted[e.Properties.NetworkMessageId] += e.Properties.UrlCount
			}
		} else {
			listed[e.Properties.NetworkMessageId]++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(counted, listed); d != "" {
		t.Errorf("links counted and listed differ:\n%.2000s", d)
	}
}

func TestOptionsOutOfBoundsAreRefused(t *testing.T) {
	for _, o := range []sample.Options{{Rows: 10}, {Rows: sample.MinRows, Days: 1}} {
		if _, err := sample.New(o); err == nil {
			t.Errorf("New(%+v) gave no error", o)
		}
	}
}

func BenchmarkRecords(b *testing.B) {
	s := tenant(b, sample.Options{Seed: 1, Rows: 200_000})
	b.ResetTimer()
	var rows, bytes int64
	for b.Loop() {
		if err := s.Records(func(r source.Record) error {
			rows++
			bytes += int64(len(r.Body))
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/float64(rows), "B/row")
}
