package kql_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/kql"
	"lockstep/kql/catalog"
	"lockstep/schema"
)

var update = flag.Bool("update", false, "write the diagnostics as they are into testdata")

const errorsFile = "testdata/errors.txt"

// TestErrorsRead compares what the compiler says of wrong texts with what it
// said when somebody read it: code, place, and the words to mend the text. In the
// file a text is followed by its diagnostics, one a line after "→".
func TestErrorsRead(t *testing.T) {
	data, err := os.ReadFile(errorsFile)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(data), "\n\n")
	var got strings.Builder
	got.WriteString(head + "\n")
	for block := range strings.SplitSeq(strings.TrimSpace(body), "\n\n") {
		var text []string
		for line := range strings.SplitSeq(block, "\n") {
			if !strings.HasPrefix(line, "→") {
				text = append(text, line)
			}
		}
		query := strings.Join(text, "\n")
		fmt.Fprintf(&got, "\n%s\n", query)
		p, found := kql.Compile(query, errorsEnvironment())
		if (p == nil) != found.HasError() {
			t.Errorf("%s: program %v, diagnostics %v", query, p != nil, found)
		}
		for _, d := range found {
			if d.Start == d.End && d.Start < len(query) {
				t.Errorf("%s: %s points at nothing", query, d.Code)
			}
			fmt.Fprintf(&got, "→ %d:%d %q %s %s %s\n", d.Line, d.Column, query[d.Start:d.End], d.Severity, d.Code, d.Message)
		}
		if len(found) == 0 {
			t.Errorf("%s: nothing is said", query)
		}
	}
	if *update {
		if err := os.WriteFile(errorsFile, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(data), got.String()); d != "" {
		t.Error(d)
	}
}

// errorsEnvironment has the tables that a query of an analyst names.
func errorsEnvironment() kql.Environment {
	env := environment()
	tables := map[string]*schema.Table{"Events": events}
	for _, name := range []string{"DeviceProcessEvents", "DeviceNetworkEvents", "EmailEvents", "AlertInfo"} {
		tables[name], _ = schema.Default().Table(schema.XDR, name)
	}
	env.Tables = func(n string) (*schema.Table, bool) { t, ok := tables[n]; return t, ok }
	env.TableNames = func() []string {
		return []string{"Events", "DeviceProcessEvents", "DeviceNetworkEvents", "EmailEvents", "AlertInfo"}
	}
	env.Functions = map[string]kql.Function{"Recent": {Parameters: "d:timespan", Body: "Events\n| where Tmestamp > ago(d)"}, "Cut": {Body: "Events | where"}}
	return env
}

// TestEveryCodeIsExplained: the catalogue, and so the reference, explains each
// code that the compiler says, and no other.
func TestEveryCodeIsExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, c := range catalog.Codes() {
		if explained[c.Name] || c.Meaning == "" {
			t.Errorf("%s is explained twice or not at all", c.Name)
		}
		explained[c.Name] = true
	}
	used := codes(t)
	for c := range used {
		if !explained[c] {
			t.Errorf("%s is not explained in catalog/codes.txt", c)
		}
	}
	for c := range explained {
		if !used[c] {
			t.Errorf("%s is explained and never said", c)
		}
	}
}

// codes are the codes in the sources.
func codes(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, sub := range []string{"syntax", "bind", "emit", "rewrite", "."} {
		files, err := os.ReadDir(sub)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.IsDir() || !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			data, err := os.ReadFile(sub + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range regexp.MustCompile(`"(KQL\d{3})"`).FindAllStringSubmatch(string(data), -1) {
				out[c[1]] = true
			}
		}
	}
	return out
}
