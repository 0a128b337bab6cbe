package kql_test

import (
	"context"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"lockstep/kql"
	"lockstep/kql/kqltest"
	"lockstep/schema"
)

// numbered are rows of the table Events with a row id, some cells null, no two times alike.
func numbered(_ *schema.Table, columns []string) string {
	values := map[string]string{
		"Timestamp":  "CASE WHEN i % 7 = 0 THEN NULL ELSE 639028584000000000 + (i * 7919) % 1009 END",
		"DeviceName": "'pc' || (i % 13)", "LogonId": "CASE WHEN i % 5 = 0 THEN NULL ELSE (i * 31) % 977 END", "LogonID": "'s' || (i * 17) % 311",
		"AdditionalFields": `CASE WHEN i % 3 = 0 THEN NULL ELSE '{"n":' || i || '}' END`, "_id": "i + 1000",
	}
	items := make([]string, len(columns))
	for i, c := range columns {
		items[i] = values[c]
	}
	return "(SELECT " + strings.Join(items, ", ") + " FROM range(500) AS r(i))"
}

// TestKeysFirst: queries that find their rows by keys first give what they
// give when all columns are read at once.
func TestKeysFirst(t *testing.T) {
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	engine.Rows = numbered
	rows := func(query, rowID string) string {
		env := environment()
		env.RowID = rowID
		p, diags := kql.Compile(query, env)
		if p == nil {
			t.Fatalf("%s\n%v", query, diags)
		}
		text, args := engine.SQL(p, env.Tables)
		if rowID != "" && !strings.Contains(text, "1000") {
			t.Errorf("%s\nreads no row ids: %s", query, text)
		}
		got, err := engine.Statement(context.Background(), text, args, len(p.Columns))
		if err != nil {
			t.Fatalf("%s\n%v\n%s", query, err, text)
		}
		lines := strings.Split(cells(got), "\n")
		if !p.Sorted {
			sort.Strings(lines)
		}
		return strings.Join(lines, "\n")
	}
	for _, query := range []string{
		"Events | top 9 by Timestamp",
		"Events | top 9 by Timestamp asc nulls last",
		"Events | where LogonId > 100 | extend n = toint(AdditionalFields.n) | where n != 22 | top 20 by Timestamp | project DeviceName, n, LogonID",
		"Events | extend LogonId = LogonId * 2 | where Timestamp > datetime(2026-01-01) | sort by LogonId desc, Timestamp | take 15",
		"Events | project-rename Device = DeviceName | top 5 by strlen(LogonID) * 1000 + LogonId desc | join kind=inner (Events | top 30 by Timestamp) on LogonID",
		"Events | summarize arg_max(Timestamp, *) by DeviceName",
		"Events | summarize arg_min(Timestamp, *), count(), dcount(LogonID), sumif(LogonId, LogonId > 9) by DeviceName",
		"Events | extend k = tolower(DeviceName), x = strcat(LogonID, '!') | where isnotempty(x) | summarize arg_max(LogonId, x, AdditionalFields.n, upper = toupper(k)) by k, h = strlen(LogonID)",
		"Events | summarize arg_max(LogonID, Timestamp, AdditionalFields) by DeviceName | where DeviceName != 'pc3'",
		"Events | where isnull(Timestamp) | summarize arg_max(Timestamp, DeviceName) by LogonID, LogonId",
		"let last = Events | summarize arg_max(Timestamp, *) by DeviceName; last | union (last | top 2 by Timestamp) | project DeviceName, LogonID, Timestamp",
		"Events | where DeviceName in ((Events | summarize arg_min(Timestamp, LogonID) by DeviceName | where LogonID has 's17' | project DeviceName)) | summarize arg_max(Timestamp, LogonID) by DeviceName",
	} {
		if d := cmp.Diff(rows(query, ""), rows(query, "_id")); d != "" {
			t.Errorf("%s\n%s", query, d)
		}
	}
}
