package file_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/fault"
	"lockstep/sample"
	"lockstep/schema"
	"lockstep/source"
	"lockstep/source/file"
)

var _ source.Source = (*file.Folder)(nil)
var _ source.Source = (*sample.Tenant)(nil)

// lines are the records as comparable text.
func lines(t *testing.T, s source.Source, from int64) (out []string) {
	t.Helper()
	var last schema.Ticks
	if err := s.Read(context.Background(), from, func(r source.Record) error {
		if r.Time < last {
			t.Errorf("%s %d goes back in time", r.File, r.Number)
		}
		last = r.Time
		out = append(out, fmt.Sprint(r.Kind, r.Shape, r.Table, r.Time, r.File, r.Number, string(r.Body)))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAWrittenSampleReadsAsTheSampleItself(t *testing.T) {
	tenant, err := sample.New(sample.Options{Seed: 2, Rows: sample.MinRows})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := tenant.WriteFolder(dir, nil); err != nil {
		t.Fatal(err)
	}
	folder, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if folder.Name() != tenant.Name() {
		t.Errorf("name %s, want %s", folder.Name(), tenant.Name())
	}
	want, got := lines(t, tenant, 0), lines(t, folder, 0)
	if rest := lines(t, folder, 3000); !slices.Equal(got[3000:], rest) {
		t.Error("the rest from position 3000 differs")
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%d records read, %d made, or their content differs", len(got), len(want))
	}
	wantOutline, _ := tenant.Outline(context.Background())
	gotOutline, err := folder.Outline(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	gotOutline.Pauses = nil // a small sample has quiet hours
	if d := cmp.Diff(wantOutline, gotOutline); d != "" {
		t.Errorf("outline (-sample +folder):\n%s", d)
	}
	truth, err := sample.ReadTruth(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tenant.Truth().AlertIDs(), truth.AlertIDs()); d != "" {
		t.Errorf("truth read differs:\n%s", d)
	}
	if err := tenant.WriteFolder(dir, nil); err == nil {
		t.Error("a second sample was written over the first")
	}
}

// put writes a file of lines.
func put(t *testing.T, dir, name string, lines ...string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	fmt.Fprint(z, strings.Join(lines, "\n"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestARecordedTenantIsToldApart(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "defender/DeviceInfo.ndjson.gz",
		`{"time": "2024-06-26T10:05:00Z", "category": "AdvancedHunting-DeviceInfo", "properties": {"n": 2}}`,
		`{"time": "2024-06-26T10:01:00.5Z", "category": "AdvancedHunting-DeviceInfo", "properties": {"n": 1}}`,
		`{"time": "2024-06-27T10:01:00.5Z", "properties": {"text": "`+strings.Repeat("x", 200_000)+`"}}`, "", `{broken`)
	put(t, dir, "sentinel/SecurityAlert.ndjson.gz",
		`{"TenantId": "a", "TimeGenerated": "2024-06-26T10:02:00Z", "ProductName": "Azure Sentinel", "SystemAlertId": "own"}`,
		`{"TenantId": "a", "TimeGenerated": "2024-06-26T10:03:00Z", "ProductName": "Microsoft 365 Defender", "SystemAlertId": "theirs"}`,
		`{"TenantId": "a", "TimeGenerated": "2024-06-26T10:04:00Z", "ProductName": "Azure Security Center", "SystemAlertId": "cloud"}`)
	put(t, dir, "sentinel/SecurityIncident.ndjson.gz", `{"TimeGenerated": "2024-06-26T10:02:00Z", "IncidentNumber": 1}`)
	put(t, dir, "sentinel/SigninLogs.ndjson.gz", `{"TimeGenerated": "2024-06-26T10:00:00Z"}`)
	put(t, dir, "sysmon/DeviceEvents.ndjson.gz", `{"time": "2019-06-26T10:00:00Z"}`)
	folder, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := folder.Read(context.Background(), 0, func(r source.Record) error {
		got = append(got, fmt.Sprintf("%s %s%s %s#%d %.40s", r.Time.RFC3339(), r.Kind, strings.TrimSpace(" "+string(r.Shape)+r.Table), r.File, r.Number, r.Body))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`2024-06-26T10:00:00Z rowSigninLogs sentinel/SigninLogs.ndjson.gz#0 {"TimeGenerated": "2024-06-26T10:00:00Z"`,
		`2024-06-26T10:01:00.5Z eventDeviceInfo defender/DeviceInfo.ndjson.gz#1 {"time": "2024-06-26T10:01:00.5Z", "cate`,
		`2024-06-26T10:02:00Z rowSecurityAlert sentinel/SecurityAlert.ndjson.gz#0 {"TenantId": "a", "TimeGenerated": "2024`,
		`2024-06-26T10:03:00Z alertsecurityalert sentinel/SecurityAlert.ndjson.gz#1 {"TenantId": "a", "TimeGenerated": "2024`,
		`2024-06-26T10:04:00Z alertsecurityalert sentinel/SecurityAlert.ndjson.gz#2 {"TenantId": "a", "TimeGenerated": "2024`,
		`2024-06-26T10:05:00Z eventDeviceInfo defender/DeviceInfo.ndjson.gz#0 {"time": "2024-06-26T10:05:00Z", "catego`,
		`2024-06-27T10:01:00.5Z eventDeviceInfo defender/DeviceInfo.ndjson.gz#2 {"time": "2024-06-27T10:01:00.5Z", "prop`,
		`2024-06-27T10:01:00.5Z eventDeviceInfo defender/DeviceInfo.ndjson.gz#4 {broken`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	o, err := folder.Outline(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) schema.Ticks { x, _ := schema.ParseTicks(s); return x }
	wantOutline := source.Outline{Records: 8, Alerts: 2, Events: 4, Rows: 2, Tables: map[string]int64{"DeviceInfo": 4, "SecurityAlert": 1, "SigninLogs": 1},
		First: at("2024-06-26T10:00:00Z"), Last: at("2024-06-27T10:01:00.5Z"), Pauses: []source.Pause{{From: at("2024-06-26T10:05:00Z"), To: at("2024-06-27T10:01:00.5Z")}}}
	if d := cmp.Diff(wantOutline, o); d != "" {
		t.Errorf("outline (-want +got):\n%s", d)
	}
	if _, err := folder.History(); !fault.Is(err, fault.NotFound) {
		t.Errorf("History of a folder without: %v", err)
	}
}

func TestFoldersWithoutARecordingAreRefused(t *testing.T) {
	if _, err := file.Open(filepath.Join(t.TempDir(), "none")); !fault.Is(err, fault.NotFound) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := file.Open(t.TempDir()); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty folder: %v", err)
	}
	dir := t.TempDir()
	put(t, dir, "alerts/other.ndjson.gz", `{}`)
	if _, err := file.Open(dir); !fault.Is(err, fault.Invalid) {
		t.Errorf("alerts of an unknown shape: %v", err)
	}
	dir = t.TempDir()
	put(t, dir, "defender/DeviceInfo.ndjson.gz", `{}`)
	if err := os.Truncate(filepath.Join(dir, "defender", "DeviceInfo.ndjson.gz"), 12); err != nil {
		t.Fatal(err)
	}
	folder, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = folder.Read(context.Background(), 0, func(source.Record) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "defender/DeviceInfo.ndjson.gz") {
		t.Errorf("a cut file: %v", err)
	}
}

// shared is the recorded tenant's folder; without it the test is skipped, loudly.
func shared(t *testing.T) string {
	t.Helper()
	root := os.Getenv("LOCKSTEP_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	dir := filepath.Join(root, "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("LOCKSTEP_SHARED: the recorded tenant isn't here (" + dir + "); what depends on it is NOT tested")
	}
	return dir
}

func TestTheRecordedTenant(t *testing.T) {
	folder, err := file.Open(shared(t))
	if err != nil {
		t.Fatal(err)
	}
	rows, products := map[string]bool{}, map[string]string{}
	tables := map[string]bool{}
	var last schema.Ticks
	if err := folder.Read(context.Background(), 0, func(r source.Record) error {
		if r.Time < last {
			t.Errorf("%s %d goes back in time", r.File, r.Number)
		}
		last = r.Time
		if r.Kind == source.Event {
			tables[r.Table] = true
		}
		if r.Kind != source.Alert {
			return nil
		}
		var a struct{ SystemAlertId, ProductName string }
		if err := json.Unmarshal(r.Body, &a); err != nil {
			return err
		}
		rows[a.SystemAlertId], products[a.SystemAlertId] = true, a.ProductName
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(tables) != 20 {
		t.Errorf("rows in %d hunting tables, want 20", len(tables))
	}
	history, err := folder.History()
	if err != nil {
		t.Fatal(err)
	}
	main, ok := history.Incident("55")
	if !ok {
		t.Fatal("incident 55 isn't there")
	}
	sent, by := 0, map[string]bool{}
	for _, id := range main.Alerts {
		if rows[id] {
			sent++
			by[products[id]] = true
		}
	}
	if len(main.Alerts) != 28 || sent != 27 || len(by) != 5 {
		t.Errorf("main story: %d alerts, %d with rows, %d products; want 28, 27, 5", len(main.Alerts), sent, len(by))
	}
	absorbed := history.Absorbed(main)
	for _, number := range []string{"57", "58", "60", "64"} {
		if !slices.Contains(absorbed, number) {
			t.Errorf("incident %s isn't among those merged into 55: %v", number, absorbed)
		}
	}
}
