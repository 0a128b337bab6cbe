package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	for _, p := range pages(binary) {
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
