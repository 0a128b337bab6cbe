package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"lockstep/kql/coverage"
)

var update = flag.Bool("update", false, "write anew which published cases verify the catalogue's words")

const testdata = "../../kql/testdata"

// TestVerified: the published cases that the coverage page names use the words
// that they verify, and pass. With -update all of them run and the file is made anew.
func TestVerified(t *testing.T) {
	shared := os.Getenv("LOCKSTEP_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	o := options{examples: filepath.Join(shared, "kql/doc-examples.dev.jsonl.gz"), cases: filepath.Join(shared, "kql/peer-tests.dev.jsonl.gz"), sample: 1}
	jobs, err := o.items()
	if err != nil {
		t.Skipf("LOCKSTEP_SHARED: the published cases are not here (%v); that they pass was not checked", err)
	}
	verified, err := coverage.Listed(os.DirFS(testdata), coverage.VerifiedFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, id := range verified {
		named[id] = true
	}
	var chosen []*job
	for _, j := range jobs {
		if j.out.Part != "rejected" && (*update || named[j.out.ID]) {
			chosen = append(chosen, j)
		}
	}
	c := newChecker()
	c.workers = 1
	if _, err := c.measure(context.Background(), chosen, newProgress(os.Stderr)); err != nil {
		t.Fatal(err)
	}
	passed := map[string]string{}
	for _, j := range chosen {
		if j.out.Stage == "" {
			passed[j.out.ID] = j.text
		} else if !*update {
			t.Errorf("%s fails: %s", j.out.ID, j.out.Why)
		}
	}
	if *update {
		if err := os.WriteFile(filepath.Join(testdata, coverage.VerifiedFile), coverage.WriteVerified(coverage.Choose(passed)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for w, id := range verified {
		if text, ok := passed[id]; !ok || !coverage.Used(text)[w] {
			t.Errorf("%s is no case that passes and uses the %s %s", id, w.Kind, w.Name)
		}
	}
}
