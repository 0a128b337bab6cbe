package tablestest

import (
	"fmt"
	"testing"

	"lockstep/schema"
	"lockstep/tables"
)

// another is a second workspace.
const another = "b5e1a6b2-0000-4000-8000-000000000002"

// several stores rows of two workspaces, and streams a table to both: to the
// second one later.
func several(t *testing.T, open Open) *bench {
	b := start(t, open, t.TempDir(), 0)
	b.must(b.SetGrant(ctx, workspace, "DeviceEvents", true, b.now))
	b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"to one"}`)})
	b.must(b.SetGrant(ctx, another, "DeviceEvents", true, b.now))
	b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"to both"}`)})
	b.append(tables.Append{Home: workspace, Batches: b.own("SecurityAlert", `{"AlertName":"of one"}`)})
	b.append(tables.Append{Home: another, Batches: b.own("SecurityAlert", `{"AlertName":"of the other"}`)})
	b.append(tables.Append{Home: another, Batches: b.own("Syslog", `{"HostName":"h"}`)})
	return b
}

// furtherWorkspaces: a view shows the rows of other workspaces beside its own,
// each under its own workspace's id; what both see shows twice.
func furtherWorkspaces(t *testing.T, open Open) {
	b := several(t, open)
	both := b.ws()
	both.Further = []string{another}
	b.want(b.list(both, "SecurityAlert", "AlertName TenantId"), "of one|"+workspace+"\nof the other|"+another)
	b.want(b.list(both, "DeviceEvents", "DeviceName"), "to one\nto both\nto both")
	b.want(b.list(b.ws(), "SecurityAlert", "AlertName"), "of one")
	for _, test := range []struct {
		view tables.View
		want string
	}{{b.ws(), "[DeviceEvents SecurityAlert]"}, {both, "[DeviceEvents SecurityAlert Syslog]"}} {
		n, err := b.Snapshot(ctx, test.view)
		b.must(err)
		b.want(fmt.Sprint(n.Tables()), test.want)
		b.must(n.Close())
	}
	unknown := b.ws()
	unknown.Further = []string{"b5e1a6b2-0000-4000-8000-000000000009"}
	b.want(b.list(unknown, "SecurityAlert", "AlertName"), "of one")
}

// rangeOfWorkspace: a relation shows a table as another workspace does, alone,
// within its retention and its grants.
func rangeOfWorkspace(t *testing.T, open Open) {
	b := several(t, open)
	b.SetRetention(tables.Retention{PerTable: map[string]map[string]int{another: {"SecurityAlert": 4}}})
	b.append(tables.Append{Home: another, Batches: b.own("SecurityAlert", fmt.Sprintf(`{"AlertName":"old","TimeGenerated":%q}`, b.now-5*schema.Day))})
	n, err := b.Snapshot(ctx, b.ws())
	b.must(err)
	defer n.Close()
	there := tables.Range{Workspace: another}
	b.want(b.read(n, schema.Workspace, "SecurityAlert", "AlertName TenantId", there), "of the other|"+another)
	b.want(b.read(n, schema.Workspace, "DeviceEvents", "DeviceName", there), "to both")
	b.want(b.read(n, schema.Workspace, "Syslog", "HostName", there), "h")
	b.want(b.read(n, schema.Workspace, "SecurityAlert", "AlertName", tables.Range{}), "of one")
	there.UpTo = 1
	b.want(b.read(n, schema.Workspace, "Syslog", "HostName", there), "")
}

// explaining: what a statement read, by table, with its conditions' values as
// parameters; rows of both hot and sealed places count.
func explaining(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 2*schema.Day)
	row := func(name string, days schema.Ticks) string {
		return fmt.Sprintf(`{"DeviceName":%q,"Timestamp":%q}`, name, b.now-days*schema.Day)
	}
	b.append(tables.Append{Batches: append(b.batch("DeviceEvents", row("pc1", 0), row("pc2", 5), row("pc3", 5)), b.batch("DeviceInfo", row("pc1", 0), row("pc2", 0))...)})
	b.must(b.Maintain(ctx, b.now))
	n, err := b.Snapshot(ctx, b.xdr())
	b.must(err)
	defer n.Close()
	relation := func(name string) (string, []any) {
		table, _ := schema.Default().Table(schema.XDR, name)
		sql, args, err := n.Relation(table, []string{"DeviceName"}, tables.Range{})
		b.must(err)
		return sql, args
	}
	events, values := relation("DeviceEvents")
	infos, more := relation("DeviceInfo")
	scanned := func(sql string, args ...any) map[string]int64 {
		list, err := n.Explain(ctx, sql, args)
		b.must(err)
		out := map[string]int64{}
		for i, s := range list {
			if i > 0 && list[i-1].Table >= s.Table {
				b.Errorf("%+v isn't in order of the tables' names", list)
			}
			if s.Segments < 0 || out[s.Table] != 0 {
				b.Errorf("%+v", list)
			}
			out[s.Table] = s.Rows
		}
		return out
	}
	b.want(fmt.Sprint(scanned("SELECT count(*) FROM "+events+" AS a WHERE a.DeviceName <> ?", append(values, "x';--")...)), "map[DeviceEvents:3]")
	b.want(fmt.Sprint(scanned("SELECT count(*) FROM "+events+" AS a JOIN "+infos+" AS b ON a.DeviceName = b.DeviceName", append(values, more...)...)), "map[DeviceEvents:3 DeviceInfo:2]")
	b.want(fmt.Sprint(scanned("SELECT 1")), "map[]")
	if _, err := n.Explain(ctx, "SELECT nothing FROM nowhere", nil); err == nil {
		t.Error("a statement that means nothing is explained")
	}
}
