package tablestest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"lockstep/schema"
)

// Now is the time at which the suite's stores live.
var Now = func() schema.Ticks {
	t, err := schema.ParseTicks("2026-01-05T10:00:00Z")
	if err != nil {
		panic(err)
	}
	return t
}()

// ProcessEvents makes an Event Hub message of n made-up process events, all
// columns filled as a busy endpoint fills them: about 3 KB of JSON each.
func ProcessEvents(seed int64, n int) []byte {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	table, _ := schema.Default().Table(schema.XDR, "DeviceProcessEvents")
	var out strings.Builder
	out.WriteString(`{"records":[`)
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		at := Now - schema.Ticks(r.IntN(3600))*schema.Second
		fmt.Fprintf(&out, `{"time":%q,"tenantId":"0f8fad5b-d9cb-469f-a165-70867728950e","category":"AdvancedHunting-DeviceProcessEvents","properties":{"MachineGroup":"G%d"`, at, r.IntN(5))
		for _, c := range table.Columns {
			fmt.Fprintf(&out, ",%q:%s", c.Name, processField(r, c, at))
		}
		out.WriteString("}}")
	}
	out.WriteString("]}")
	return []byte(out.String())
}

func processField(r *rand.Rand, c schema.Column, at schema.Ticks) string {
	text := func(format string, args ...any) string {
		b, err := json.Marshal(fmt.Sprintf(format, args...))
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	switch {
	case c.Type == schema.DateTime:
		return text("%s", at-schema.Ticks(r.IntN(1000)))
	case c.Type == schema.Bool:
		return "false"
	case c.Type == schema.Long || c.Type == schema.Int:
		return fmt.Sprint(r.IntN(1 << 20))
	case strings.HasSuffix(c.Name, "SHA256"):
		return text("%064x", r.IntN(3000))
	case strings.HasSuffix(c.Name, "SHA1"):
		return text("%040x", r.IntN(3000))
	case strings.HasSuffix(c.Name, "MD5"):
		return text("%032x", r.IntN(3000))
	case strings.HasSuffix(c.Name, "CommandLine"):
		return text(`"C:\Windows\System32\svchost.exe" -k netsvcs -p -s Schedule%d --token %016x`, r.IntN(500), r.Uint64())
	case strings.HasSuffix(c.Name, "FolderPath"):
		return text(`C:\Program Files\Vendor %d\bin\tool%d.exe`, r.IntN(40), r.IntN(200))
	case c.Name == "DeviceId":
		return text("%040x", r.IntN(500))
	case c.Name == "DeviceName":
		return text("pc%04d.contoso.example", r.IntN(500))
	case c.Name == "AdditionalFields":
		return text(`{"InitiatingProcessId":%d}`, r.IntN(9999))
	case strings.HasSuffix(c.Name, "Sid"):
		return text("S-1-5-21-1004336348-1177238915-682003330-%d", r.IntN(900))
	case strings.Contains(c.Name, "Remote"):
		return `""`
	}
	return text("%s %d", c.Name, r.IntN(50))
}
