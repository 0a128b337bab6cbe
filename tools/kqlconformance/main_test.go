package main

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The three files: of each kind one that passes and some that don't, each for
// a reason of its own.
const (
	tinyQueries = `{"id":"q1","query":"print a = 1, b = 'x'","scope":"core","result_columns":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}
{"id":"q2","query":"print a = 1","scope":"core","result_columns":[{"name":"b","type":"long"}]}
{"id":"q3","query":"Nowhere | take 1","scope":"xdr"}

{"id":"q4","query":"print a = 1 | where a == 2","scope":"xdr","result_columns":[{"name":"a","type":"long"}]}
{"id":"q5","query":"externaldata(s:string, n:long, at:datetime, d:dynamic, r:real, on:bool)['https://feeds.example/a.csv'] with (format='csv')","scope":"xdr","result_columns":[{"name":"s","type":"string"},{"name":"n","type":"long"},{"name":"at","type":"datetime"},{"name":"d","type":"dynamic"},{"name":"r","type":"real"},{"name":"on","type":"bool"}]}
`
	tinyExamples = `{"id":"e1","query":"print a = 1 + 1","strict":true,"expected":{"columns":["a"],"rows":[["2"]],"values":[[2]]}}
{"id":"e2","query":"print a = 1 + 1","strict":true,"expected":{"columns":["a"],"rows":[["3"]],"values":[[3]]}}
{"id":"e3","query":"print a = 1 + 1","strict":false,"expected":{"columns":["a"],"rows":[["3"]]}}
`
	tinyCases = `{"id":"c1","query":"range x from 1 to 2 step 1","authority":"kusto-emulator","strict":true,"expected":{"error":null,"columns":["x"],"rows":[[1],[2]]}}
{"id":"c2","query":"range x from 1 to 2 step 1","authority":"a peer","strict":true,"expected":{"error":null,"columns":["x"],"rows":[[7]]}}
{"id":"c3","query":"print a = ","authority":"kusto-emulator","strict":true,"expected":{"error":"Syntax error"}}
{"id":"c4","query":"print a = 5","authority":"kusto-emulator","strict":true,"expected":{"error":"Semantic error"}}
`
)

// measured runs the command on files and gives its exit code and what it prints.
func measured(t *testing.T, args ...string) (int, string) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	code, err := run(t.Context(), args, out, null)
	if err != nil && code != exitFailed {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return code, string(text)
}

// file writes a file, gzipped if its name says so.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !strings.HasSuffix(name, ".gz") {
		_, err = f.WriteString(text)
	} else {
		z := gzip.NewWriter(f)
		if _, err = z.Write([]byte(text)); err == nil {
			err = z.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTinyFiles: what fails is named with its reason and stops nothing; a line
// a scope and the last line say how many did, of plain files and gzipped ones.
func TestTinyFiles(t *testing.T) {
	for _, ending := range []string{".jsonl", ".jsonl.gz"} {
		code, out := measured(t, "-queries", file(t, "q"+ending, tinyQueries), "-examples", file(t, "e"+ending, tinyExamples), "-cases", file(t, "c"+ending, tinyCases))
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		last := regexp.MustCompile(`^queries 4/5 columns 3/4 nonempty 3/4 examples 1/2 cases 1/1 rejected 1/2 p99compile=[0-9]+\.[0-9]+ ms$`)
		if got := lines[len(lines)-1]; !last.MatchString(got) {
			t.Errorf("%s: the last line is\n%s", ending, got)
		}
		if code != exitBelow {
			t.Errorf("%s: exit code %d, want %d: shares are below what is promised", ending, code, exitBelow)
		}
		for _, want := range []string{"scope xdr: queries 2/3 columns 2/2 nonempty 1/2\n", "scope core: queries 2/2 columns 1/2 nonempty 2/2\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", ending, want, out)
			}
		}
		for id, reason := range map[string]string{"q2": "b", "q3": "Nowhere", "e2": "3", "c4": "print a = 5"} {
			if !regexp.MustCompile(`(?m)^.*\b` + id + `\b.*` + regexp.QuoteMeta(reason)).MatchString(out) {
				t.Errorf("%s: %s isn't named with its reason in\n%s", ending, id, out)
			}
		}
		for _, id := range []string{"q1", "q4", "q5", "e1", "e3", "c1", "c2", "c3"} {
			if regexp.MustCompile(`\b` + id + `\b`).MatchString(out) {
				t.Errorf("%s: %s is named, and nothing is wrong with it:\n%s", ending, id, out)
			}
		}
	}
}

// TestNoFile: a file that isn't there, or isn't of JSON lines, is named.
func TestNoFile(t *testing.T) {
	if code, _ := measured(t, "-queries", filepath.Join(t.TempDir(), "nothing.jsonl")); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	broken := file(t, "broken.jsonl", "{\"id\":\"q1\",\"query\":\"print 1\"}\n{nope\n")
	if _, err := read[query](broken); err == nil || !strings.Contains(err.Error(), "broken.jsonl: line 2") {
		t.Errorf("got %v", err)
	}
}
