package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lockstep/api/control"
)

// running starts a server on a folder of its own, behind its socket alone, and
// gives what runs a command line against it.
func running(t *testing.T) func(args ...string) (out, errs string, code int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "verbs") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	set := defaults()
	set.Data = dir
	ctx, cancel := context.WithCancel(context.Background())
	s, err := open(ctx, set, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	stopped, err := s.serveSocket(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.driver.run(ctx)
	t.Cleanup(func() {
		cancel()
		<-stopped
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return func(args ...string) (string, string, int) {
		t.Helper()
		scratch := t.TempDir()
		names := [2]string{filepath.Join(scratch, "out"), filepath.Join(scratch, "err")}
		var files [2]*os.File
		for i, name := range names {
			if files[i], err = os.Create(name); err != nil {
				t.Fatal(err)
			}
		}
		code := execute(ctx, slices.Insert(slices.Clone(args), 1, "--data", dir), files[0], files[1])
		var texts [2]string
		for i, name := range names {
			_ = files[i].Close()
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[i] = string(text)
		}
		return texts[0], texts[1], code
	}
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWatchlistsAndFunctions: what somebody does with either, start to end, and
// what they read when it goes wrong.
func TestWatchlistsAndFunctions(t *testing.T) {
	run := running(t)
	assets := written(t, "assets.csv", "Host,Owner\npc1,\"Ann, B.\"\npc2,\x1b[2Jbob\npc1,\"Ann, B.\"\n")
	more := written(t, "more.TSV", "a line to skip\nHost\tTier\npc3\t0\n")
	people := written(t, "people.csv", "User,Left\nann,2026-01-01\n")
	body := written(t, "f.kql", "_GetWatchlist('assets')\n| where SearchKey startswith prefix\n")
	for _, step := range []struct {
		args      []string
		code      int
		out, errs string // what either has; "" for anything
	}{
		{args: []string{"watchlist", "import", assets}, code: exitUsage, errs: `the watchlist "assets" is new and needs a search key, the column that queries join on: one of Host, Owner`},
		{args: []string{"watchlist", "import", assets, "--search-key", "Device"}, code: exitUsage, errs: `no column "Device" to join on: it is none of the columns Host, Owner`},
		{args: []string{"watchlist", "show", "assets"}, code: exitNotFound, errs: `there is no watchlist "assets"`},
		{args: []string{"watchlist", "import", assets, "--search-key", "Host", "--name", "All assets"}, out: assets + " made into watchlist assets: 2 items new, 2 in all"},
		{args: []string{"watchlist", "import", people, "--alias", "Assets"}, code: exitUsage, errs: `people.csv: put watchlist "assets": itemsSearchKey: the content has no column "Host" to join on: it is none of the columns User, Left`},
		{args: []string{"watchlist", "import", more, "--alias", "assets", "--skip", "1"}, out: "1 item new, 3 in all"},
		{args: []string{"watchlist", "import", more, "--skip", "1", "--alias", "a/b", "--search-key", "Host"}, code: exitUsage, errs: `"a/b" must be 2 to 64 letters`},
		{args: []string{"watchlist", "import", "-"}, code: exitUsage, errs: "say --alias"},
		{args: []string{"watchlist", "import", filepath.Join(t.TempDir(), "none.csv")}, code: exitUsage, errs: "none.csv"},
		{args: []string{"watchlist", "list"}, out: "All assets  Host       3      Host, Owner, Tier"},
		{args: []string{"watchlist", "show", "ASSETS"}, out: "pc1   Ann, B.", errs: "assets: All assets; 3 items; search key Host"},
		{args: []string{"watchlist", "show", "assets", "-o", "csv"}, out: "Host,Owner,Tier\n"},
		{args: []string{"__complete", "watchlist", "show", ""}, out: "assets\tAll assets\n"},
		{args: []string{"__complete", "watchlist", "import", "x.csv", "--alias", ""}, out: "assets\tAll assets\n"},

		{args: []string{"function", "save", "Assets", "--parameters", "prefix:string = 'pc'", "--file", body, "--title", "Assets by name"}, out: "function Assets(prefix:string = 'pc') saved"},
		{args: []string{"query", "--side", "workspace", "Assets('pc2') | union Assets() | count", "-o", "csv"}, out: "Count\n4\n"},
		{args: []string{"function", "save", "Assets", "print 1 |"}, code: exitUsage, errs: "the function Assets can't be read: line 1, column 10"},
		{args: []string{"function", "save", "Assets"}, code: exitUsage, errs: "no query"},
		{args: []string{"function", "save", "1st", "print 1"}, code: exitUsage, errs: "no digit first"},
		{args: []string{"function", "list"}, out: "Assets  prefix:string = 'pc'  Assets by name  Functions"},
		{args: []string{"function", "show", "Assets"}, out: "_GetWatchlist('assets')\n| where SearchKey startswith prefix\n", errs: "Assets(prefix:string = 'pc'): Assets by name; category Functions"},
		{args: []string{"function", "show", "assets"}, code: exitNotFound, errs: `there is no function "assets"`},
		{args: []string{"__complete", "function", "delete", ""}, out: "Assets\tAssets by name\n"},
		{args: []string{"function", "save", "Assets", "print x = 1", "-o", "json"}, out: `"title": "Assets by name"`},
		{args: []string{"query", "--side", "workspace", "Assets", "-o", "csv"}, out: "x\n1\n"},
		{args: []string{"function", "save", "assets", "print 1"}, code: exitConflict, errs: "it is the function Assets"},
		{args: []string{"function", "delete", "Assets"}, out: "function Assets deleted"},
		{args: []string{"function", "delete", "Assets"}, code: exitNotFound},
		{args: []string{"function", "list", "-o", "json"}, out: "[]\n"},
		{args: []string{"watchlist", "delete", "assets"}, out: "watchlist assets deleted"},
		{args: []string{"watchlist", "delete", "assets"}, code: exitNotFound},
		{args: []string{"watchlist", "list", "-w", "elsewhere"}, code: exitNotFound, errs: "elsewhere"},
	} {
		name := strings.Join(step.args, " ")
		out, errs, code := run(step.args...)
		if code != step.code || !strings.Contains(out, step.out) || !strings.Contains(errs, step.errs) {
			t.Fatalf("%s: code %d, want %d\nout  %q\nwant %q\nerr  %q\nwant %q", name, code, step.code, out, step.out, errs, step.errs)
		}
		if step.args[0] == "watchlist" && strings.Contains(out, "\x1b") && !strings.Contains(name, "csv") {
			t.Errorf("%s drives the terminal: %q", name, out)
		}
	}
}

// TestWatchlistAsJSON: what a script reads is whole, hostile text and all.
func TestWatchlistAsJSON(t *testing.T) {
	run := running(t)
	assets := written(t, "assets.csv", "Host,Owner\npc1,=cmd()\npc2\n")
	out, errs, code := run("watchlist", "import", assets, "--search-key", "Host", "-o", "json")
	var made control.WatchlistImported
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != exitOK || !made.Made || made.Added != 2 {
		t.Fatalf("%d %v\n%s%s", code, err, out, errs)
	}
	out, _, _ = run("watchlist", "show", "assets", "-o", "json")
	var got control.Watchlist
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Items) != 2 || got.SearchKey != "Host" {
		t.Fatalf("%v\n%s", err, out)
	}
	owners := got.Items[0]["Owner"] + got.Items[1]["Owner"]
	if owners != "=cmd()" || got.Count != 2 {
		t.Errorf("%s", out)
	}
}
