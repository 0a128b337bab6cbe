package query_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/schema"
)

// saved are functions as a workspace has them: parsers that call each other,
// ones with defaults, ones that are wrong.
var saved = map[string]query.Function{
	"imDevices":   {Parameters: "from:datetime=datetime(null), names:dynamic=dynamic([]), disabled:bool=false", Body: "let one = view () { vimDevicesA(from, names, disabled) };\nunion isfuzzy=true one, vimDevicesB(names=names), NotThere()"},
	"vimDevicesA": {Parameters: "from:datetime=datetime(null), names:dynamic=dynamic([]), disabled:bool=false", Body: "DeviceEvents | where not(disabled) and (isnull(from) or TimeGenerated >= from) and (array_length(names) == 0 or DeviceName has_any (names)) | project Dvc = DeviceName, EventProduct = 'A'"},
	"vimDevicesB": {Parameters: "names:dynamic=dynamic([])", Body: "DeviceInfo | where array_length(names) == 0 or DeviceName in (names)\n| project Dvc = DeviceName, EventProduct = 'B';"},
	"Only":        {Parameters: "T:(DeviceName:string), name:string", Body: "T | where DeviceName == name"},
	"Short":       {Parameters: "s:string, n:long = 2", Body: "substring(s, 0, n)"},
	"Events":      {Body: "DeviceEvents"},
	"Wrong":       {Body: "DeviceEvents\n| where Nope == 1"},
	"OverWrong":   {Body: "Wrong | count"},
	"Unreadable":  {Body: "DeviceEvents | where ("},
	"Escaping":    {Parameters: "a:long) { print 1 }; let g = (b:long", Body: "print a"},
	"Ping":        {Body: "Pong()"}, "Pong": {Body: "union Ping, DeviceEvents"}, "Self": {Parameters: "n:long", Body: "Self(n - 1)"},
}

func TestSavedFunctions(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL, Custom: custom{functions: saved}, Allow: func(_ context.Context, principal string, _ schema.Side, _, table string) error {
		if principal == "bob" && table == "DeviceEvents" {
			return errors.New("not yours")
		}
		return nil
	}})
	q := query.Query{Side: schema.Workspace, Workspace: workspace}
	for text, want := range map[string]string{
		"imDevices | summarize count() by EventProduct | sort by EventProduct asc":                                                           "A|3\nB|3",
		"imDevices(names=dynamic(['pc1'])) | sort by EventProduct asc":                                                                       "pc1|A\npc1|B",
		"imDevices(from=datetime(2026-01-05 02:00)) | where EventProduct == 'A' | summarize make_set(Dvc) | project array_sort_asc(set_Dvc)": `["pc1","pc2"]`,
		"Only(DeviceEvents, 'pc1') | project DeviceName":                                                                                     "pc1",
		"let N = 'pc2'; Only(Events, N) | project DeviceName":                                                                                "pc2",
		"Only(Only(Events(), 'pc1'), 'pc1') | count":                                                                                         "1",
		"DeviceEvents | invoke Only('pc0') | project Short(DeviceName), Short(DeviceName, 1), Short(s='xyz', n=3)":                           "pc|p|xyz",
		"let x = Short('abc'); print x":                                                                                                      "ab",
		"let DeviceEvents = 1; Events | count":                                                                                               "3", // a function doesn't see the caller's names
	} {
		q.Text = text
		if r, err := s.Run(context.Background(), q); err != nil || printed(r) != want {
			t.Errorf("%s: %v\ngot  %v\nwant %s", text, err, r, want)
		}
	}
	for text, says := range map[string]string{
		"print 1\n| extend y = 2; Wrong":                            "in the function 'Wrong', line 2, column 9: ",
		"Events | join kind=inner OverWrong on $left.x == $right.y": "in the function 'Wrong', called by 'OverWrong', line 2, column 9: ",
		"Unreadable()":       "the saved function 'Unreadable' is not valid",
		"Escaping(1)":        "the saved function 'Escaping' is not valid",
		"Ping":               "the saved function 'Ping' calls itself: Ping → Pong → Ping",
		"Self(3)":            "the saved function 'Self' calls itself",
		"Short()":            "needs a value for 's'",
		"Only(Nothing, 'x')": "column 6: there is no table",
		"Short('a', 1, 2)":   "takes 2 arguments",
	} {
		q.Text = text
		_, err := s.Run(context.Background(), q)
		var wrong *query.SyntaxError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", text, err, says)
		}
	}
	for _, text := range []string{"imDevices | count", "let f = () { Events }; f | count", "DeviceInfo | join kind=inner (Only(DeviceEvents, 'x')) on DeviceName", "print toscalar(Events | count)"} {
		q.Text, q.Principal = text, "bob"
		if _, err := s.Run(context.Background(), q); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "DeviceEvents") {
			t.Errorf("%s: %v, want the table refused", text, err)
		}
	}
}
