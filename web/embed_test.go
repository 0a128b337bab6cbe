package web_test

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"lockstep/web"
)

// The budget of the first page, compressed: what must come over the wire
// before the incident queue shows.
const firstPageBudget = 250_000

// chunk is an entry of Vite's manifest.
type chunk struct {
	File    string
	IsEntry bool
	Imports []string
	CSS     []string
}

func TestFirstPageKeepsItsBudget(t *testing.T) {
	data, err := fs.ReadFile(web.Dist(), ".vite/manifest.json")
	if err != nil {
		t.Skip("the pages aren't built: run make web")
	}
	var manifest map[string]chunk
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	seen := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		c := manifest[name]
		for _, file := range append([]string{c.File}, c.CSS...) {
			total += size(t, file)
		}
		for _, other := range c.Imports {
			add(other)
		}
	}
	for name, c := range manifest {
		if c.IsEntry {
			add(name)
		}
	}
	t.Logf("the first page is %d bytes compressed", total)
	if total == 0 || total > firstPageBudget {
		t.Errorf("the first page is %d bytes compressed, the budget %d: load what few visits need only then", total, firstPageBudget)
	}
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := fs.Stat(web.Dist(), file+".gz")
	if err != nil {
		t.Fatalf("a build holds each file compressed: %v", err)
	}
	return info.Size()
}

// TestBuildIsCompressedAndWithoutSources: nothing raw, no source maps.
func TestBuildIsCompressedAndWithoutSources(t *testing.T) {
	err := fs.WalkDir(web.Dist(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(name, ".vite/") {
			return err
		}
		if !strings.HasSuffix(name, ".gz") || strings.Contains(name, ".map") {
			t.Errorf("%s doesn't belong into a build", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
