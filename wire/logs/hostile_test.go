package logs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/wire/logs"
)

func TestReferences(t *testing.T) {
	cases := []struct {
		name, text string
		want       int
	}{
		{"none", ``, 0},
		{"to a later object", `[{"$ref":"7"},{"$id":"6","Type":"process","ProcessId":"1","ImageFile":{"$id":"7","Type":"file","Name":"a"}}]`, 2},
		{"to nothing", `[{"$ref":"9"},{"$id":"2","Type":"ip","Address":"192.0.2.1"}]`, 1},
		{"in a circle", `[{"$id":"2","Type":"process","ProcessId":"1","ParentProcess":{"$id":"3","Type":"process","ProcessId":"2","ParentProcess":{"$ref":"2"}}}]`, 1},
		{"to itself", `[{"$id":"2","$ref":"2"}]`, 0},
		{"members that are no objects", `[1,"a",null,[],{"$id":"2","Type":"ip","Address":"192.0.2.1"}]`, 1},
	}
	for _, c := range cases {
		got, err := logs.ReadEntities(c.text)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d entities, %v; want %d", c.name, len(got), err, c.want)
		}
	}
}

func TestReferencesResolveInside(t *testing.T) {
	got, err := logs.ReadEntities(`[{"$id":"2","Type":"account","AadUserId":"u"},{"$id":"3","Type":"cloud-logon-session","SessionId":"s","Account":{"$ref":"2"}}]`)
	if err != nil {
		t.Fatal(err)
	}
	account, ok := got[1].Entity.Part("account")
	if !ok || account.Field("aadUserId") != "u" {
		t.Errorf("the session's account is %v", account)
	}
}

// TestHostileEntities: documents that unfold to far more than their size are
// refused with a reason, and soon.
func TestHostileEntities(t *testing.T) {
	var doubling strings.Builder
	doubling.WriteString(`[{"$id":"0","Type":"malware","Name":"x"}`)
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&doubling, `,{"$id":"%d","Type":"malware","Name":"x","Files":[{"$ref":"%d"},{"$ref":"%d"}]}`, i, i-1, i-1)
	}
	doubling.WriteString(`]`)
	deep := strings.Repeat(`[{"$id":"1","Type":"process","ParentProcess":`, 1) + strings.Repeat(`{"Type":"process","ParentProcess":`, 5000) + `{}` + strings.Repeat(`}`, 5000) + `}]`
	long := `[{"$id":"1","Type":"x-y","a":"` + strings.Repeat("A", 1<<20) + `"}` + strings.Repeat(`,{"$ref":"1"}`, 5000) + `]`
	for name, text := range map[string]string{"doubling": doubling.String(), "deep": deep, "long": long} {
		_, err := logs.ReadEntities(text)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want a fault of kind Invalid", name, err)
		}
	}
	for _, text := range []string{`{`, `{}`, `"x"`, `[{}] x`, `nul`} {
		if _, err := logs.ReadEntities(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want a fault of kind Invalid", text, err)
		}
	}
}

func TestAlertRowKeepsHostileText(t *testing.T) {
	const command = `x.exe "<script>" & \u003c | ' ` + "\u2028\x00\n"
	a := security.Alert{ProviderID: "p", ProductName: "Azure Sentinel", Title: command, Evidence: []security.Evidence{{
		Entity: security.Entity{Kind: security.Process, Fields: map[string]string{"processId": "1", "commandLine": command}},
	}}}
	a.Complete()
	row, err := logs.AlertRow(a, logs.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	back, err := logs.DecodeAlert(text)
	if err != nil {
		t.Fatal(err)
	}
	if back.Title != command || back.Evidence[0].Entity.Field("commandLine") != command {
		t.Errorf("title %q, command line %q", back.Title, back.Evidence[0].Entity.Field("commandLine"))
	}
	if !strings.Contains(row["Entities"].(string), `<script>`) {
		t.Errorf("a query can't find the command line in %s", row["Entities"])
	}
}

func FuzzDecodeAlert(f *testing.F) {
	f.Add([]byte(`{"SystemAlertId":"s","VendorOriginalId":"v","ProductName":"Azure Sentinel","Entities":"[{\"$id\":\"2\",\"Type\":\"host\",\"FQDN\":\"a.b\"},{\"$ref\":\"2\"}]","ExtendedProperties":"{\"Category\":\"Execution\"}","Techniques":"[\"T1053\"]"}`))
	f.Add([]byte(`{"Entities":[{"Type":"process","ImageFile":{"Type":"file"}}],"TimeGenerated":"2026-01-05"}`))
	f.Fuzz(func(t *testing.T, row []byte) {
		a, err := logs.DecodeAlert(row)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v isn't the sender's fault", err)
			}
			return
		}
		for _, ev := range a.Evidence {
			ev.Entity.Keys()
		}
		out, err := logs.AlertRow(a, logs.Origin{At: a.Updated})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		again, err := logs.DecodeAlert(text)
		if err != nil {
			t.Fatalf("what was written can't be read: %v\n%s", err, text)
		}
		if again.Title != a.Title || again.ServiceSource != a.ServiceSource || len(again.Evidence) != len(a.Evidence) {
			t.Fatalf("%+v came back as %+v", a, again)
		}
	})
}
