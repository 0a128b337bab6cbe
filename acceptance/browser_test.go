package acceptance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBrowser drives the portal's pages in a real Chromium through the
// journeys of web/e2e: light over TLS, then dark. It is one of the long tests.
func TestBrowser(t *testing.T) {
	if long() == 0 {
		t.Skip("NOT CHECKED here: the browser's journeys are part of make test-long (PART=browser)")
	}
	if _, err := os.Stat(filepath.Join("..", "web", "node_modules")); err != nil {
		t.Fatalf("web/node_modules isn't there: make web installs it (%v)", err)
	}
	for _, dark := range []string{"", "1"} {
		h := start(t)
		h.run("connect")
		h.replay("--rows", "8000")
		h.settle()
		var first struct{ User, Password string }
		data, err := os.ReadFile(filepath.Join(h.dir, "credentials.json"))
		if err == nil {
			err = json.Unmarshal(data, &first)
		}
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("npm", "run", "--silent", "e2e")
		cmd.Dir = filepath.Join("..", "web")
		cmd.Env = append(os.Environ(), "LOCKSTEP_URL="+h.base, "LOCKSTEP_USER="+first.User, "LOCKSTEP_PASSWORD="+first.Password,
			"LOCKSTEP_SHOTS="+t.TempDir(), "LOCKSTEP_DARK="+dark)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatalf("the journeys failed (dark %q): %v", dark, err)
		}
		h.stop()
	}
	t.Log("did the journeys twice, light and dark")
}
