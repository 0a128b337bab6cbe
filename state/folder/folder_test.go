package folder_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/state"
	"lockstep/state/folder"
	"lockstep/state/memory"
)

func TestOneOwner(t *testing.T) {
	if dir := os.Getenv("FOLDER_TEST_CHILD"); dir != "" {
		_, err := folder.Open(dir)
		fmt.Println("child:", err, fault.KindOf(err))
		os.Exit(0)
	}
	dir := filepath.Join(t.TempDir(), "data")
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	child := func() string {
		c := exec.Command(os.Args[0], "-test.run=^TestOneOwner$")
		c.Env = append(os.Environ(), "FOLDER_TEST_CHILD="+dir)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	want := fmt.Sprintf("another lockstep (pid %d) owns %s", os.Getpid(), dir)
	if got := child(); !strings.Contains(got, want) || !strings.Contains(got, string(fault.Conflict)) {
		t.Errorf("a second process got %q, want %q", got, want)
	}
	if _, err := folder.Open(dir); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second Open in this process gave %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := child(); !strings.Contains(got, "child: <nil>") {
		t.Errorf("after Close a second process got %q", got)
	}
	f, err = folder.Open(dir) // the child has ended, its lock with it
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, want := range map[string]os.FileMode{f.Path(): 0o700, f.Path("lock"): 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestEpochs(t *testing.T) {
	s := memory.New()
	last := int64(0)
	for want := range 3 {
		e, err := folder.NextEpoch(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if e != folder.Epoch(want+1) || e.First() < last+1<<40 {
			t.Errorf("epoch %d begins at %d after %d", e, e.First(), last)
		}
		last = e.First()
	}
	if folder.MaxEpoch.First() <= 0 || (folder.MaxEpoch+1).First() > 0 {
		t.Error("MaxEpoch isn't the last whose numbers fit")
	}
	err := s.Update(t.Context(), func(tx state.Tx) error {
		state.Table[folder.Epoch]{Name: "meta"}.Put(tx, "epoch", folder.MaxEpoch)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := folder.NextEpoch(t.Context(), s); err == nil {
		t.Errorf("epoch %d after the last one", e)
	}
}
