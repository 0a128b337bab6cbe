package security_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/security"
)

// entity makes one of a kind from names and values in turn.
func entity(kind security.Kind, pairs ...string) security.Entity {
	e := security.Entity{Kind: kind}
	for i := 0; i+1 < len(pairs); i += 2 {
		e = e.With(pairs[i], pairs[i+1])
	}
	return e
}

func with(e security.Entity, part string, list ...security.Entity) security.Entity {
	parts := map[string][]security.Entity{part: list}
	for name, l := range e.Parts {
		parts[name] = l
	}
	e.Parts = parts
	return e
}

func TestSame(t *testing.T) {
	host := func(pairs ...string) security.Entity { return entity(security.Host, pairs...) }
	account := func(pairs ...string) security.Entity { return entity(security.Account, pairs...) }
	pc := host("mdeDeviceId", "d1")
	file := entity(security.File, "fileName", "a.exe", "directory", `C:\Temp`)
	hash := func(v string) security.Entity {
		return entity(security.FileHash, "algorithm", "SHA256", "hashValue", v)
	}
	const at, second = "2026-01-05T10:00:00.1234567Z", "2026-01-05T10:00:00Z"
	process := func(pid, at string) security.Entity {
		return entity(security.Process, "processId", pid, "creationTimeUtc", at)
	}
	cases := []struct {
		name string
		a, b security.Entity
		want bool
	}{
		{"a host by device id", host("mdeDeviceId", "AB", "hostName", "x"), host("mdeDeviceId", "ab", "hostName", "y"), true},
		{"a host by Entra id", host("aadDeviceId", "E1"), host("aadDeviceId", "e1", "hostName", "y"), true},
		{"a host's name and DNS domain, and its whole name", host("hostName", "PC1", "dnsDomain", "fab.example"), host("hostName", "pc1.fab.example"), true},
		{"a host's whole name where NetBIOS name stands", host("netBiosName", "pc1.fab.example"), host("hostName", "pc1", "dnsDomain", "fab.example"), true},
		{"a host by name and NT domain", host("hostName", "PC1", "ntDomain", "FAB"), host("netBiosName", "pc1", "ntDomain", "fab"), true},
		{"bare host names", host("hostName", "PC1"), host("hostName", "pc1"), true},
		{"a bare host name isn't every host of that name", host("hostName", "PC1"), host("hostName", "PC1", "dnsDomain", "fab.example"), false},
		{"hosts of two domains", host("hostName", "PC1", "dnsDomain", "a.example"), host("hostName", "PC1", "dnsDomain", "b.example"), false},
		{"an account by SID", account("sid", "S-1-5-21-1-2-3-1001"), account("sid", "s-1-5-21-1-2-3-1001", "accountName", "x"), true},
		{"the SID of every machine", account("sid", "S-1-5-18", "accountName", "a"), account("sid", "S-1-5-18", "accountName", "b"), false},
		{"an account by UPN and by name with suffix", account("userPrincipalName", "Ana@fab.example"), account("accountName", "ana", "upnSuffix", "fab.example"), true},
		{"an account whose name is a UPN", account("accountName", "ana@fab.example"), account("accountName", "ana", "upnSuffix", "FAB.example"), true},
		{"an account with a DNS domain for NT domain", account("accountName", "ana", "ntDomain", "fab.example"), account("accountName", "ana", "upnSuffix", "fab.example"), true},
		{"an account of two NT domains", account("accountName", "ana", "ntDomain", "A"), account("accountName", "ana", "ntDomain", "B"), false},
		{"a local account on two machines", with(account("accountName", "ana"), "host", pc), with(account("accountName", "ana"), "host", host("mdeDeviceId", "d2")), false},
		{"a local account on one machine", with(account("accountName", "Ana"), "host", pc), with(account("accountName", "ana"), "host", pc), true},
		{"an address in two notations", entity(security.IP, "address", "::ffff:192.0.2.7"), entity(security.IP, "address", "192.0.2.7"), true},
		{"a URL with a host in capitals", entity(security.URL, "url", "HTTPS://Fab.example/"), entity(security.URL, "url", "https://fab.example"), true},
		{"a URL's path keeps its case", entity(security.URL, "url", "https://fab.example/A"), entity(security.URL, "url", "https://fab.example/a"), false},
		{"a file by name and hash", with(file, "fileHashes", hash("aa")), with(entity(security.File, "fileName", "A.EXE"), "fileHashes", hash("AA")), true},
		{"a file of two hashes at one path", with(file, "fileHashes", hash("aa")), with(file, "fileHashes", hash("bb")), false},
		{"a file by path on one machine", with(file, "host", pc), with(entity(security.File, "fileName", "a.exe", "directory", `c:\temp\`), "host", pc), true},
		{"a process by number and start", process("7", at), with(process("7", at), "host", pc), true},
		{"a process whose start is in seconds, on two machines", with(process("7", second), "host", pc), with(process("7", second), "host", host("mdeDeviceId", "d2")), false},
		{"a message to one recipient", entity(security.MailMessage, "networkMessageId", "n", "recipient", "A@x"), entity(security.MailMessage, "networkMessageId", "N", "recipient", "a@x"), true},
		{"a message to two recipients", entity(security.MailMessage, "networkMessageId", "n", "recipient", "a@x"), entity(security.MailMessage, "networkMessageId", "n", "recipient", "b@x"), false},
		{"a name of two kinds", entity(security.Mailbox, "mailboxPrimaryAddress", "a@x"), account("userPrincipalName", "a@x"), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := security.Same(c.a, c.b); got != c.want {
				t.Errorf("Same = %v, want %v\n%v\n%v", got, c.want, c.a.Keys(), c.b.Keys())
			}
		})
	}
}

func TestBuiltInAccountsNameNothing(t *testing.T) {
	for _, e := range []security.Entity{
		entity(security.Account, "accountName", "SYSTEM"),
		entity(security.Account, "accountName", "System", "ntDomain", "NT AUTHORITY", "sid", "S-1-5-18"),
		entity(security.Account, "accountName", "Network Service"),
	} {
		if keys := e.Keys(); len(keys) != 0 {
			t.Errorf("%v has keys %v", e, keys)
		}
	}
	admin := entity(security.Account, "accountName", "Administrator", "ntDomain", "FAB")
	if len(admin.Keys()) == 0 {
		t.Error("a domain's administrator names somebody")
	}
}

func TestWeakKeys(t *testing.T) {
	for _, e := range []security.Entity{entity(security.IP, "address", "10.0.0.5"), entity(security.IP, "address", "fe80::1%eth0"), entity(security.Host, "hostName", "pc1"), entity(security.Account, "accountName", "ana")} {
		for _, k := range e.Keys() {
			if !security.Weak(k) {
				t.Errorf("%v: key %q should be weak", e, k)
			}
		}
	}
	for _, k := range entity(security.IP, "address", "203.0.113.9").Keys() {
		if security.Weak(k) {
			t.Errorf("key %q should be strong", k)
		}
	}
}

func TestUnionJoinsByWayOfOthers(t *testing.T) {
	got := security.Union(
		entity(security.Host, "mdeDeviceId", "d1", "riskScore", "high"),
		entity(security.Host, "hostName", "pc1", "dnsDomain", "fab.example"),
		entity(security.Account, "accountName", "SYSTEM"),
		entity(security.Host, "mdeDeviceId", "D1", "hostName", "PC1.fab.example"),
	)
	if len(got) != 1 || got[0].Field("riskScore") != "high" || got[0].Field("dnsDomain") != "fab.example" {
		t.Errorf("union = %v", got)
	}
}

// A name in one mention and a domain in another make a key that neither had alone.
func TestUnionFindsKeysMadeTogether(t *testing.T) {
	got := security.Union(
		entity(security.Host, "mdeDeviceId", "d1", "hostName", "pc1"),
		entity(security.Host, "mdeDeviceId", "d1", "dnsDomain", "fab.example"),
		entity(security.Host, "hostName", "pc1.fab.example", "azureID", "/x"),
	)
	if len(got) != 1 {
		t.Errorf("union = %v", got)
	}
}

// few draws entities of few values, so that keys often meet.
func few() *rapid.Generator[security.Entity] {
	value := rapid.SampledFrom([]string{"", "a", "B", "b", "c.d", "A.d"})
	kinds := map[security.Kind][]string{
		security.Host:    {"mdeDeviceId", "hostName", "dnsDomain", "ntDomain", "netBiosName"},
		security.Account: {"accountName", "upnSuffix", "ntDomain", "sid", "aadUserId", "userPrincipalName"},
		security.IP:      {"address"},
		security.File:    {"fileName", "directory"},
	}
	return rapid.Custom(func(t *rapid.T) security.Entity {
		kind := rapid.SampledFrom([]security.Kind{security.Host, security.Account, security.IP, security.File}).Draw(t, "kind")
		e := security.Entity{Kind: kind}
		for _, f := range kinds[kind] {
			e = e.With(f, value.Draw(t, f))
		}
		if kind == security.File || kind == security.Account {
			if v := value.Draw(t, "host"); v != "" {
				e = with(e, "host", entity(security.Host, "hostName", v))
			}
		}
		return e
	})
}

func TestUnionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(few(), 0, 8).Draw(t, "entities")
		one := security.Union(list...)
		if diff := cmp.Diff(one, security.Union(rapid.Permutation(list).Draw(t, "order")...)); diff != "" {
			t.Fatalf("the order matters:\n%s", diff)
		}
		if diff := cmp.Diff(one, security.Union(one...)); diff != "" {
			t.Fatalf("a union of a union differs:\n%s", diff)
		}
		if diff := cmp.Diff(one, security.Union(append(list, list...)...)); diff != "" {
			t.Fatalf("saying it twice matters:\n%s", diff)
		}
		owner := map[string]int{}
		for i, e := range one {
			for _, k := range e.Keys() {
				if j, taken := owner[k]; taken {
					t.Fatalf("%v and %v share %s", one[j], e, k)
				}
				owner[k] = i
			}
		}
	})
}

func TestHostileNestingIsBounded(t *testing.T) {
	e := entity(security.Process, "processId", "1")
	for i := range 10_000 {
		e = with(entity(security.Process, "processId", fmt.Sprint(i)), "parentProcess", e)
	}
	if got := security.Union(e, e); len(got) != 1 {
		t.Errorf("union of a deep process twice has %d entities", len(got))
	}
}
