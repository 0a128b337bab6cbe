package laws_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"lockstep/tools/laws"
)

// TestLaws reads the module's imports and fails with the chain of each that
// breaks a law.
func TestLaws(t *testing.T) {
	for _, breach := range laws.Breaches(module(t)) {
		t.Error(breach)
	}
}

// TestLawsBite shows that a forbidden import of each sort is found.
func TestLawsBite(t *testing.T) {
	cases := []struct{ name, from, to, want string }{
		{"a word imports an engine", "security", "kql", "only higher floors"},
		{"a word imports a later word", "fault", "schema", "lines above"},
		{"the compiler imports more than schema", "kql/emit", "security", "kql imports schema alone"},
		{"a side imports a technology", "xdr", "state/sqlite", "technologies"},
		{"a side imports a side", "connector", "xdr", "only higher floors"},
		{"a technology imports a technology", "source/file", "tables/duckdb", "technologies"},
		{"a face imports a face", "api/graph", "api/arm", "only higher floors"},
		{"somebody imports cmd", "tools/laws", "cmd/lockstep", "nobody imports cmd"},
		{"the sides know each other", "xdr", "workspace", "never import each other"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(laws.Breaches([]laws.Package{{Path: c.from, Imports: []string{c.to}}, {Path: c.to}}), "\n")
			if !strings.Contains(got, c.want) {
				t.Errorf("import %s → %s: got %q, want a breach that says %q", c.from, c.to, got, c.want)
			}
		})
	}
	if got := laws.Breaches([]laws.Package{{Path: "newcomer"}}); len(got) != 1 {
		t.Errorf("a package that isn't in the table: got %q, want one breach", got)
	}
	if got := laws.Breaches([]laws.Package{{Path: "xdr", Imports: []string{"query"}}, {Path: "query", Imports: []string{"workspace"}}, {Path: "workspace"}}); !strings.Contains(strings.Join(got, "\n"), "xdr → query → workspace") {
		t.Errorf("an import by way of a third package: got %q, want the chain", got)
	}
}

// module lists the module's packages with the imports of their non-test files.
func module(t *testing.T) []laws.Package {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "lockstep/...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	var packages []laws.Package
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		one := laws.Package{Path: strings.TrimPrefix(p.ImportPath, "lockstep/")}
		for _, i := range p.Imports {
			if inner, ok := strings.CutPrefix(i, "lockstep/"); ok {
				one.Imports = append(one.Imports, inner)
			}
		}
		packages = append(packages, one)
	}
	return packages
}
