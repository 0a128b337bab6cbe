package query_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// network are rows that the services' functions answer from.
const network = `{"category":"AdvancedHunting-DeviceNetworkInfo","properties":{"Timestamp":"2026-01-05T01:00:00Z","DeviceId":"d1","DeviceName":"pc1","NetworkAdapterName":"eth","NetworkAdapterType":"Ethernet","ConnectedNetworks":"[{\"Name\":\"corp\"}]","IPAddresses":"[{\"IPAddress\":\"10.0.0.1\",\"AddressType\":\"Private\"},{\"IPAddress\":\"20.1.1.1\"}]"}}
{"category":"AdvancedHunting-DeviceNetworkInfo","properties":{"Timestamp":"2026-01-05T02:00:00Z","DeviceId":"d1","DeviceName":"pc1","NetworkAdapterName":"eth","NetworkAdapterType":"Ethernet","IPAddresses":"[{\"IPAddress\":\"10.0.0.2\"}]"}}
{"category":"AdvancedHunting-DeviceNetworkInfo","properties":{"Timestamp":"2026-01-05T02:30:00Z","DeviceId":"d2","DeviceName":"pc2","NetworkAdapterName":"eth","IPAddresses":"[{\"IPAddress\":\"10.0.0.1\"}]"}}
{"category":"AdvancedHunting-DeviceNetworkInfo","properties":{"Timestamp":"2026-01-05T02:30:00Z","DeviceId":"d3","IPAddresses":"no json"}}
{"category":"AdvancedHunting-DeviceNetworkEvents","properties":{"Timestamp":"2026-01-05T02:40:00Z","DeviceId":"d3","RemoteIP":"10.0.0.1"}}
{"category":"AdvancedHunting-DeviceNetworkEvents","properties":{"Timestamp":"2026-01-05T02:41:00Z","DeviceId":"d2","RemoteIP":"10.0.0.1"}}
{"category":"AdvancedHunting-DeviceNetworkEvents","properties":{"Timestamp":"2026-01-05T02:42:00Z","DeviceId":"d3","RemoteIP":"10.0.0.2"}}
{"category":"AdvancedHunting-DeviceProcessEvents","properties":{"Timestamp":"2026-01-05T01:00:00Z","DeviceId":"d1","FileName":"a.exe","SHA1":"AA","SHA256":"aaaa","FileSize":10,"ProcessVersionInfoCompanyName":"Acme","InitiatingProcessSHA1":"bb"}}
{"category":"AdvancedHunting-DeviceImageLoadEvents","properties":{"Timestamp":"2026-01-05T02:00:00Z","DeviceId":"d2","FileName":"a.exe","SHA1":"aa"}}
{"category":"AdvancedHunting-DeviceFileEvents","properties":{"Timestamp":"2026-01-05T02:30:00Z","DeviceId":"d2","FileName":"b.txt","SHA1":"bb"}}
{"category":"AdvancedHunting-DeviceFileCertificateInfo","properties":{"Timestamp":"2026-01-05T02:30:00Z","DeviceId":"d2","SHA1":"aa","IsSigned":true,"IsTrusted":true,"Signer":"Acme Inc","IsRootSignerMicrosoft":false}}
{"category":"AdvancedHunting-AlertEvidence","properties":{"Timestamp":"2026-01-05T02:30:00Z","AlertId":"x","EntityType":"File","SHA1":"aa","ThreatFamily":"Kitten"}}
`

// TestServices: what Defender's own functions say is computed from the tables.
func TestServices(t *testing.T) {
	s, store := serve(t, query.Options{Compile: query.KQL, Allow: func(_ context.Context, principal string, _ schema.Side, _, table string) error {
		if principal == "bob" && table != "DeviceProcessEvents" && table != "DeviceInfo" {
			return errors.New("not yours")
		}
		return nil
	}})
	decoder := rows.NewDecoder(func(name string) (*schema.Table, bool) {
		table, ok := schema.Default().Table(schema.XDR, name)
		if !ok {
			return nil, false
		}
		return rows.Stored(table), true
	})
	batches, refused := decoder.Records([]byte(network))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	if _, err := store.Append(context.Background(), tables.Append{Home: tables.XDRHome, Batches: batches}); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"DeviceProcessEvents | invoke FileProfile(SHA1, 1000) | project FileName, SHA1, SHA256, FileSize, GlobalPrevalence, GlobalFirstSeen, GlobalLastSeen":                                     "a.exe|aa|aaaa|10|2|2026-01-05T01:00:00.0000000Z|2026-01-05T02:00:00.0000000Z",
		"DeviceProcessEvents | invoke FileProfile('SHA1') | project Signer, SignatureState, IsCertificateValid, IsRootSignerMicrosoft, IsExecutable, ThreatName, Publisher, ProfileAvailability": "Acme Inc|SignedValid|true|false|true|Kitten|Acme|Available",
		"DeviceProcessEvents | invoke FileProfile(InitiatingProcessSHA1) | project SHA1, GlobalPrevalence, SignatureState, IsExecutable, ProfileAvailability":                                    "bb|1|Unknown||Available",
		"print SHA256 = 'AAAA', x = 1 | invoke FileProfile('SHA256', 500) | project SHA1, SHA256, GlobalPrevalence":                                                                              "AA|aaaa|1",
		"print SHA1 = 'absent' | invoke FileProfile() | where GlobalPrevalence < 10 or isnull(GlobalPrevalence) | project SHA1, GlobalPrevalence, ProfileAvailability":                           "absent||Missing",
		"DeviceEvents | take 1 | invoke FileProfile('Nope') | project ProfileAvailability":                                                                                                       "Missing",
		"FileProfile(DeviceImageLoadEvents, 'SHA1') | project GlobalPrevalence":                                                                                                                  "2",
		"AssignedIPAddresses('pc1') | project IPAddress, IPType, NetworkAdapterType":                                                                                                             "10.0.0.2|Private|Ethernet",
		"AssignedIPAddresses('d1', datetime(2026-01-05 01:30)) | sort by IPAddress asc | project IPAddress, IPType, tostring(ConnectedNetworks[0].Name)":                                         "10.0.0.1|Private|corp\n20.1.1.1|Public|corp",
		"AssignedIPAddresses('none') | count": "0",
		"DeviceNetworkEvents | project IP = RemoteIP, T = Timestamp | distinct IP | invoke DeviceFromIP() | sort by IP asc": "10.0.0.1|d2\n10.0.0.2|d1",
		"print IP = '10.0.0.1', T = datetime(2026-01-05 02:00) | invoke DeviceFromIP(IP, T) | project DeviceId":             "d1",
		"print IP = '10.0.0.1' | invoke DeviceFromIP(IP, datetime(2025-01-01)) | project IP, DeviceId":                      "10.0.0.1|",
		"datatable(DeviceId:string) ['d1', 'd9'] | invoke SeenBy() | sort by DeviceId asc":                                  "d1|[\"d2\",\"d3\"]\nd9|",
	} {
		r, err := s.Run(context.Background(), query.Query{Text: text, Side: schema.XDR})
		if err != nil || printed(r) != want {
			t.Errorf("%s: %v", text, err)
			if err == nil {
				t.Errorf("got\n%s\nwant\n%s", printed(r), want)
			}
			continue
		}
		if len(r.Warnings) == 0 || !strings.Contains(strings.Join(r.Warnings, " "), "answers from") {
			t.Errorf("%s: it isn't said what the answer rests on: %v", text, r.Warnings)
		}
	}
	if _, err := s.Run(context.Background(), query.Query{Text: "DeviceProcessEvents | invoke FileProfile(SHA1)", Side: schema.XDR, Principal: "bob"}); !fault.Is(err, fault.Denied) {
		t.Errorf("a profile of tables that aren't his: %v", err)
	}
}
