package content_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"lockstep/content"
	"lockstep/schema"
)

var update = flag.Bool("update", false, "write what is found into testdata")

// TestFindings checks the files of testdata: what is found, where, in which words.
func TestFindings(t *testing.T) {
	options := content.Options{
		Now: 639028584000000000,
		Tables: map[string]*schema.Table{"Doors_CL": schema.NewTable("Doors_CL", schema.Workspace, []schema.Column{
			{Name: "TimeGenerated", Type: schema.DateTime}, {Name: "Badge_s", Type: schema.String}})},
		Functions: map[string]content.Function{"Broken": {Body: "SecurityEvent | where NoSuch == 1"}, "Logons": {Parameters: "least:long=1", Body: "SecurityEvent | where EventID >= least"}},
	}
	files, _ := filepath.Glob("testdata/*.txtar")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(archive.Files); i += 2 {
			in, want := archive.Files[i], archive.Files[i+1]
			t.Run(in.Name, func(t *testing.T) {
				r := content.Check(in.Name, in.Data, options)
				var got strings.Builder
				for _, f := range r.Findings {
					fmt.Fprintf(&got, "%d:%d-%d:%d %s %s %s\n", f.Line, f.Column, f.EndLine, f.EndColumn, f.Severity, f.Code, f.Message)
				}
				fmt.Fprintf(&got, "rules %d\n", r.Rules)
				archive.Files[i+1].Data = []byte(got.String())
				if d := cmp.Diff(string(want.Data), got.String()); d != "" && !*update {
					t.Error(d)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPlaces: wherever a text stands in a file, and however it is quoted
// there, a mistake in it is found where it was written.
func TestPlaces(t *testing.T) {
	for name, file := range map[string]string{
		"literal.yaml":           "name: a\nquery: |\n    SecurityEvent\n    | where Wrong == 1\n",
		"literal-stripped.yaml":  "name: a\nquery: |-\n\n\n  SecurityEvent\n  | where Wrong == 1",
		"literal-indicated.yaml": "name: a\nquery: |2\n    SecurityEvent\n  | where Wrong == 1\n",
		"folded.yaml":            "name: a\nquery: >\n  SecurityEvent\n  | where\n  Wrong == 1\n",
		"plain.yaml":             "name: a\nquery: SecurityEvent | where Wrong == 1\n",
		"plain-lines.yaml":       "name: a\nquery: SecurityEvent\n    | where\n    Wrong == 1\n",
		"single.yaml":            "name: a\nquery: 'SecurityEvent | where Account == ''x'' | where Wrong == 1'\n",
		"double.yaml":            `name: a` + "\n" + `query: "SecurityEvent\n| where Account == \"\u0041\t\" \` + "\n" + `  | where Wrong == 1"` + "\n",
		"crlf.yaml":              "name: a\r\nquery: |\r\n  SecurityEvent\r\n  | where Wrong == 1\r\n",
		"marked.yaml":            "\ufeffname: ü\nquery: |\n  SecurityEvent // ünïcödé\n  | where Account == 'ü' and Wrong == 1\n",
		"escaped.json":           `{"resources":[{"type":"x/alertRules","kind":"NRT","properties":{"displayName":"a","enabled":true,"suppressionEnabled":false,"suppressionDuration":"PT1H","severity":"Low","query":"SecurityEvent\r\n\t| where Account == \"\\\\\" and Wrong == 1"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			found := content.Check(name, []byte(file), content.Options{}).Findings
			var at string
			for _, f := range found {
				if f.Code == "KQL120" {
					source := []rune(f.Source)
					at = string(source[f.Column-1 : min(f.EndColumn-1, len(source))])
				}
			}
			if at != "Wrong" {
				t.Errorf("found at %q: %+v", at, found)
			}
		})
	}
}

// FuzzCheck: no file makes the checker panic, and what it finds lies inside of the file.
func FuzzCheck(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		if archive, err := txtar.ParseFile(file); err == nil {
			for i := 0; i < len(archive.Files); i += 2 {
				f.Add(filepath.Ext(archive.Files[i].Name), string(archive.Files[i].Data))
			}
		}
	}
	f.Add(".yaml", "query: &a [*a]\nname: *a")
	f.Fuzz(func(t *testing.T, extension, text string) {
		lines := strings.Count(text, "\n") + 1
		for _, x := range content.Check("f"+extension, []byte(text), content.Options{}).Findings {
			if x.Line < 1 || x.Line > lines || x.Column < 1 || x.EndLine < x.Line {
				t.Fatalf("%+v lies outside of %d lines", x, lines)
			}
		}
	})
}

// TestRecordedRules checks the rules found in the field: hardly any is
// refused but for a function of its solution that isn't there.
func TestRecordedRules(t *testing.T) {
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = "../../shared"
	}
	for _, folder := range []struct {
		name  string
		least int // of 1000 rules without an error
	}{{"defender-yaml", 1000}, {"hunting-yaml", 930}} {
		files, _ := filepath.Glob(filepath.Join(shared, "rules", folder.name, "*.yaml"))
		if len(files) == 0 {
			t.Skip("LOCKSTEP_SHARED: the recorded rules are not here; none was checked")
		}
		clean := 0
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bad := false
			for _, f := range content.Check(file, data, content.Options{Now: 639028584000000000}).Findings {
				bad = bad || f.Severity == content.Error
			}
			if !bad {
				clean++
			}
		}
		if clean*1000 < folder.least*len(files) {
			t.Errorf("%s: %d of %d files have no error, want %d of 1000", folder.name, clean, len(files), folder.least)
		}
	}
}
