package kqltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"lockstep/schema"
)

// guesses are values that a text column of such a name holds: the first part
// of a name that fits decides.
var guesses = []struct {
	part   string
	values []string
}{
	{"sha256", []string{"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}},
	{"sha1", []string{"da39a3ee5e6b4b0d3255bfef95601890afd80709", "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"}},
	{"md5", []string{"d41d8cd98f00b204e9800998ecf8427e", "098f6bcd4621d373cade4e832627b4f6"}},
	{"ip", []string{"10.0.0.5", "192.168.1.20", "203.0.113.7", "198.51.100.23", "8.8.8.8", "2001:db8::1"}},
	{"upn", []string{"ann@contoso.com", "Bob.Lee@contoso.com", "ÅSA@fabrikam.example"}},
	{"userprincipalname", []string{"ann@contoso.com", "Bob.Lee@contoso.com", "ÅSA@fabrikam.example"}},
	{"email", []string{"ann@contoso.com", "eve@fabrikam.example", "no-reply@northwind.example"}},
	{"address", []string{"ann@contoso.com", "eve@fabrikam.example", "203.0.113.7"}},
	{"domain", []string{"contoso.com", "fabrikam.example", "login.microsoftonline.com"}},
	{"url", []string{"https://contoso.com/a/b?x=1&y=2", "http://fabrikam.example:8080/login", "contoso.com"}},
	{"commandline", []string{`powershell.exe -nop -enc SQBFAFgA "C:\Temp\a b.ps1"`, `cmd.exe /c whoami`, `"C:\Program Files\x\y.exe" --flag`}},
	{"folderpath", []string{`C:\Windows\System32\cmd.exe`, `C:\Users\ann\AppData\Local\Temp\x.exe`, "/usr/bin/curl"}},
	{"path", []string{`C:\Windows\Temp`, "/var/log/syslog"}},
	{"filename", []string{"powershell.exe", "cmd.exe", "invoice.PDF", "rundll32.exe"}},
	{"registrykey", []string{`HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run`}},
	{"devicename", []string{"ws-01.contoso.com", "WS-02", "dc1.contoso.com"}},
	{"computer", []string{"ws-01.contoso.com", "WS-02", "dc1.contoso.com"}},
	{"host", []string{"ws-01", "WS-02"}},
	{"severity", []string{"High", "Medium", "Low", "Informational"}},
	{"status", []string{"Success", "Failure", "New", "Active"}},
	{"result", []string{"0", "success", "Failure", "50126"}},
	{"country", []string{"US", "SE", "CN"}},
	{"location", []string{"US", "SE", "CN"}},
	{"operation", []string{"Add user", "Delete user", "UserLoggedIn"}},
	{"actiontype", []string{"LogonSuccess", "LogonFailed", "ProcessCreated", "ConnectionSuccess"}},
	{"account", []string{"ann", `CONTOSO\bob`, "svc_sql$"}},
	{"user", []string{"ann", "bob@contoso.com", "svc_sql$"}},
	{"id", []string{"6f9619ff-8b86-d011-b42d-00c04fc964ff", "a1b2c3", "42", "S-1-5-18"}},
	{"version", []string{"10.0.19045", "1.2.3"}},
}

var words = []string{"alpha", "Beta", "gamma delta", "42", "Ünïcode straße", "snake_case", "日本", "x", "true", `quote " and \ slash`, "CVE-2024-1234"}

// guess makes a value for a column that the query asks nothing of.
func guess(col schema.Column, now int64, rng *rand.Rand) any {
	switch col.Type {
	case schema.Bool:
		return rng.IntN(2) == 0
	case schema.Int, schema.Long:
		return pick(rng, []any{int64(0), int64(1), int64(3), int64(443), int64(-1), int64(rng.IntN(100000)), int64(50126)})
	case schema.Real:
		return pick(rng, []any{0.0, 1.5, -2.25, 100.0, float64(rng.IntN(1000)) / 7, math.NaN()})
	case schema.Decimal:
		return pick(rng, []any{"1.5", "0", "12.25"})
	case schema.DateTime:
		return now - int64(rng.Int64N(int64(20*schema.Hour)))
	case schema.TimeSpan:
		return int64(rng.IntN(100)) * int64(schema.Second)
	case schema.Guid:
		return fmt.Sprintf("6f9619ff-8b86-d011-b42d-00c04fc9%04x", rng.IntN(8))
	case schema.Dynamic:
		return pick(rng, []any{nil, "[]", "{}", `["a","B",3]`, `{"a":1,"b":"two","c":[1,2]}`, `[{"Name":"n1","Value":"v1"},{"Name":"n2","Value":null}]`, `"text"`, "5"})
	}
	name := strings.ToLower(col.Name)
	for _, g := range guesses {
		if strings.Contains(name, g.part) {
			return g.values[rng.IntN(len(g.values))]
		}
	}
	return words[rng.IntN(len(words))]
}
