package query_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/schema"
	"lockstep/tables/tablestest"
)

const branch = "b5e1a6b2-0000-4000-8000-000000000002"

// TestElsewhere reads tables of other workspaces by their place, and refuses
// the places that this server doesn't have: never the own rows instead.
func TestElsewhere(t *testing.T) {
	s, store := serve(t, query.Options{Compile: query.KQL,
		Workspaces: func(_ context.Context, name string) (string, error) {
			if id := map[string]string{"soc": workspace, workspace: workspace, "branch": branch, branch: branch}[name]; id != "" {
				return id, nil
			}
			return "", fault.New(fault.NotFound, "no workspace %q", name)
		},
		Allow: func(_ context.Context, principal string, _ schema.Side, ws, _ string) error {
			if principal == "bob" && ws != workspace {
				return errors.New("not yours")
			}
			return nil
		}})
	if err := store.SetGrant(t.Context(), branch, "EmailEvents", true, tablestest.Now); err != nil {
		t.Fatal(err)
	}
	if err := store.SetGrant(t.Context(), branch, "DeviceEvents", true, tablestest.Now); err != nil {
		t.Fatal(err)
	}
	events(t, store, "EmailEvents", "DeviceEvents") // the branch sees what came since; of DeviceEvents both see it
	own := query.Query{Side: schema.Workspace, Workspace: workspace}
	both := query.Query{Side: schema.Workspace, Workspace: workspace, Further: []string{branch}}
	xdr := query.Query{Side: schema.XDR}
	for _, test := range []struct {
		q          query.Query
		text, want string
	}{
		{own, "DeviceEvents | count", "4"},
		{own, "workspace('soc').DeviceEvents | count", "4"},
		{own, "workspace('" + workspace + "').DeviceEvents | count", "4"},
		{own, "workspace('branch').DeviceEvents | summarize n = count() by TenantId", branch + "|1"},
		{own, "workspace('branch').DeviceInfo | count", "0"},
		{own, "workspace('branch').EmailEvents | project Subject, Type", "late|EmailEvents"},
		{own, "let other = workspace('branch').EmailEvents; union EmailEvents, other | count", "1"},
		{own, "union withsource=T DeviceEvents, workspace('branch').DeviceEvents | summarize n = count() by TenantId | sort by n asc", branch + "|1\n" + workspace + "|4"},
		{own, "DeviceEvents | join kind=inner (workspace('branch').DeviceEvents) on DeviceName | count", "1"},
		{xdr, "workspace('branch').EmailEvents | count", "1"},
		{both, "DeviceEvents | summarize n = count() by TenantId | sort by n asc", branch + "|1\n" + workspace + "|4"},
		{both, "DeviceEvents | summarize arg_max(Timestamp, DeviceName, TenantId) by TenantId | project DeviceName | summarize count() by DeviceName", "late|2"},
		{both, "DeviceEvents | top 2 by Timestamp | summarize dcount(TenantId)", "2"},
		{both, "workspace('soc').DeviceEvents | count", "4"},
		{both, "union withsource=T * | summarize n = count() by T | sort by T asc", "DeviceEvents|5\nDeviceInfo|3\nEmailEvents|1"},
	} {
		test.q.Text = test.text
		if r, err := s.Run(t.Context(), test.q); err != nil || printed(r) != test.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", test.text, err, printed(r), test.want)
		}
	}
	for text, says := range map[string]string{
		"workspace('gone').DeviceEvents":                                  "no workspace of this server has that name",
		"app('shop').requests":                                            "rows of app('shop') can't be read here",
		"cluster('help').database('Samples').StormEvents":                 "rows of cluster('help').database('Samples') can't be read here",
		"database('x').DeviceEvents":                                      "can't be read here",
		"adx('https://a.example/b').DeviceEvents | count":                 "can't be read here",
		"union isfuzzy=true DeviceEvents, workspace('gone').DeviceEvents": "no workspace of this server has that name",
		"let T = app('x').DeviceEvents; T | count":                        "can't be read here",
		"database('x').table('DeviceEvents')":                             "can't be called here",
		"workspace('branch').Nope":                                        "workspace('branch') has no table 'Nope'",
		"workspace(strcat('a', DeviceName)).DeviceEvents":                 "",
	} {
		own.Text = text
		if _, err := s.Run(t.Context(), own); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
	for _, q := range []query.Query{{Side: schema.Workspace, Workspace: workspace, Text: "workspace('branch').EmailEvents"}, {Side: schema.Workspace, Workspace: workspace, Further: []string{branch}, Text: "DeviceEvents"}} {
		q.Principal = "bob"
		if _, err := s.Run(t.Context(), q); !fault.Is(err, fault.Denied) {
			t.Errorf("%s by one who may not read there: %v", q.Text, err)
		}
	}
}
