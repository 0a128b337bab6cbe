package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestEveryFaultCanBePlanted holds the table against the code that it changes.
func TestEveryFaultCanBePlanted(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range faults {
		if seen[f.name] || f.what == "" {
			t.Errorf("%s: twice, or without a word on what it is", f.name)
		}
		seen[f.name] = true
		if _, err := f.plant("../..", t.TempDir()); err != nil {
			t.Error(err)
		}
	}
	if len(faults) < 12 {
		t.Errorf("%d faults", len(faults))
	}
}

// TestEveryFaultIsFound compiles each fault into the connector and has the
// simulation find it within 10,000 histories.
func TestEveryFaultIsFound(t *testing.T) {
	if os.Getenv("LOCKSTEP_LONG") == "" {
		t.Skip("takes minutes; LOCKSTEP_LONG says to run it")
	}
	last := regexp.MustCompile(`histories (\d+) steps \d+ violations ([1-9]\d*) hash`)
	found := 0
	var all []string
	for _, f := range faults {
		out, err := exec.Command("go", "run", ".", "-break", f.name, "-seed", "1", "-histories", "10000").CombinedOutput()
		m := last.FindSubmatch(out)
		if err == nil || m == nil {
			t.Errorf("%s isn't found: %v\n%s", f.name, err, bytes.TrimSpace(out[max(0, len(out)-600):]))
			continue
		}
		found++
		all = append(all, fmt.Sprintf("%s ≤ %s", f.name, m[1]))
	}
	t.Logf("did find %d of %d faults: %s", found, len(faults), strings.Join(all, ", "))
}
