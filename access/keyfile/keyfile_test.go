package keyfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/access/keyfile"
)

func TestWriteAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := keyfile.Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gave %v", err)
	}
	for _, want := range []string{"first", "second"} {
		if err := keyfile.Write(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := keyfile.Read(path)
		if err != nil || string(got) != want {
			t.Errorf("read %q, %v; want %q", got, err, want)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v; want the key alone", left, err)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Read(open); err == nil || !strings.Contains(err.Error(), "644") || !strings.Contains(err.Error(), open) {
		t.Errorf("a file that others can read gave %v", err)
	}
	key, link := filepath.Join(dir, "key"), filepath.Join(dir, "link")
	if err := keyfile.Write(key, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(key, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, dir} {
		if _, err := keyfile.Read(path); err == nil {
			t.Errorf("%s could be read", filepath.Base(path))
		}
	}
	if err := keyfile.Write(filepath.Join(dir, "none", "key"), nil); err == nil {
		t.Error("a file in a missing folder could be written")
	}
}
