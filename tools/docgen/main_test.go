package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/kql/coverage"
)

// TestReferenceIsCurrent fails when a page under docs/reference isn't what the
// code says today.
func TestReferenceIsCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	binary, err := build(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range pages(root, binary) {
		known[p.name] = true
		t.Run(p.name, func(t *testing.T) {
			want, err := p.text()
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(root, "docs", "reference", p.name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("run `go run ./tools/docgen` and commit (-code +page):\n%s", diff)
			}
		})
	}
	list, err := os.ReadDir(filepath.Join(root, "docs", "reference"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if !known[e.Name()] {
			t.Errorf("docs/reference/%s is made by nobody: hand-written pages belong in docs/guides", e.Name())
		}
	}
}

// TestCatalogueIsCovered: nearly every word that answers has a case that shows it
// answers right, and what tests elsewhere are said to verify, they name.
func TestCatalogueIsCovered(t *testing.T) {
	root := filepath.Join("..", "..")
	entries, err := coverageOf(root)
	if err != nil {
		t.Fatal(err)
	}
	gaps, err := os.ReadFile(filepath.Join(root, "docs", "kql-gaps.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.State == coverage.Unverified {
			t.Logf("unverified: the %s %s", e.Kind, e.Name)
			if !strings.Contains(string(gaps), "`"+e.Name+"`") {
				t.Errorf("the %s %s is unverified, and docs/kql-gaps.md doesn't say so", e.Kind, e.Name)
			}
		}
		if strings.HasSuffix(e.Source, "_test.go") {
			data, err := os.ReadFile(filepath.Join(root, e.Source))
			if err != nil || !strings.Contains(string(data), e.Name) {
				t.Errorf("%s doesn't verify the %s %s (%v)", e.Source, e.Kind, e.Name, err)
			}
		}
	}
	if share := unverified(entries); share > 0.03 {
		t.Errorf("%.1f %% of the words are unverified, at most 3 %% may be", share*100)
	}
}
