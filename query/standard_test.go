package query_test

import (
	"context"
	"testing"

	"lockstep/query"
	"lockstep/schema"
)

// TestStandardColumns: copied queries name the standard columns of a
// workspace's tables over any of them; they aren't shown.
func TestStandardColumns(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL})
	q := query.Query{Side: schema.Workspace, Workspace: workspace}
	for text, want := range map[string]string{
		"DeviceEvents | summarize dcount(_ItemId) == count(), countif(isempty(_ItemId)), countif(isnull(_TimeReceived))": "true|0|0",
		"DeviceEvents | where _TimeReceived == ingestion_time() | count":                                                 "3",
		"DeviceEvents | summarize sum(_BilledSize) > 0, dcount(_IsBillable)":                                             "true|1",
		"DeviceEvents | summarize count() by _ResourceId, _SubscriptionId":                                               "||3",
		"DeviceEvents | take 1 | getschema | where ColumnName in ('_ItemId', '_TimeReceived') | count":                   "0",
		"DeviceEvents | join kind=inner (DeviceEvents | project _ItemId) on _ItemId | count":                             "3",
		"union DeviceEvents, DeviceInfo | where isnotempty(_ItemId) | count":                                             "6",
		"DeviceEvents | project-rename _ResourceId = DeviceName | distinct _ResourceId | count":                          "3",
		"DeviceEvents | where DeviceName matches regex strcat('(?<name>', tostring(DeviceName), ')') | count":            "3",
		"DeviceEvents | where DeviceName matches regex '(?<name>pc)' | count":                                            "3",
		"DeviceEvents | where DeviceName matches regex strcat('(?=', DeviceName) | count":                                "0",
		"DeviceEvents | extend x = extract(strcat('(', DeviceName, '(?<'), 1, DeviceName) | where isnotempty(x) | count": "0",
		"DeviceEvents | where DeviceName matches regex tolower('(?=') | count":                                           "0",
	} {
		q.Text = text
		if r, err := s.Run(context.Background(), q); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := printed(r); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
