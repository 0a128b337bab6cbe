package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lockstep": func() { os.Exit(execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestVerbs runs the scripts under testdata: what a user types and sees.
func TestVerbs(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}

// TestSettingsAndTheirOrigins: a file yields to a variable, a variable to a flag.
func TestSettingsAndTheirOrigins(t *testing.T) {
	file := t.TempDir() + "/lockstep.yaml"
	if err := os.WriteFile(file, []byte("workspace: from-file\nxdr_days: 14\nquery_rows: 10\nroles: [xdr]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"LOCKSTEP_XDR_DAYS": "21", "LOCKSTEP_QUERY_ROWS": "20", "LOCKSTEP_CONFIG": file}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	addSettingFlags(flags)
	if err := flags.Parse([]string{"--query-rows", "30"}); err != nil {
		t.Fatal(err)
	}
	got, from, err := loadSettings(flags, func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	if got.Workspace != "from-file" || got.XDRDays != 21 || got.QueryRows != 30 || !got.has("xdr") || got.has("workspace") {
		t.Errorf("settings %+v", got)
	}
	for key, origin := range map[string]string{"workspace": file, "xdr_days": "LOCKSTEP_XDR_DAYS", "query_rows": "--query-rows", "listen": ""} {
		if from[key] != origin {
			t.Errorf("%s comes from %q, want %q", key, from[key], origin)
		}
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	cases := []struct{ env, value, names string }{
		{"LOCKSTEP_ROLES", "xdr,siem", "siem"},
		{"LOCKSTEP_XDR_DAYS", "many", "xdr_days"},
		{"LOCKSTEP_QUERY_TIMEOUT", "3", "query_timeout"},
		{"LOCKSTEP_PUBLIC_URL", "http://soc.example", "public_url"},
		{"LOCKSTEP_WORKSPACE_DAYS", "5000", "workspace_days"},
	}
	for _, c := range cases {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		addSettingFlags(flags)
		_, _, err := loadSettings(flags, func(k string) (string, bool) { return c.value, k == c.env })
		if err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s=%s: %v, want an error that names %q", c.env, c.value, err, c.names)
		}
	}
}

// TestHostileTextIsDefused: what a table and CSV print of attacker-made text.
func TestHostileTextIsDefused(t *testing.T) {
	if got := printable("a\x1b[2Jb\u202Ec\nd"); strings.ContainsAny(got, "\x1b\u202E\n") {
		t.Errorf("%q drives a terminal", got)
	}
	for in, want := range map[string]string{"=cmd()": "'=cmd()", "+1-1": "'+1-1", "@x": "'@x", "-5": "-5", "-5.25": "-5.25", "plain": "plain", "-a": "'-a"} {
		if got := guard(in); got != want {
			t.Errorf("guard(%q) = %q, want %q", in, got, want)
		}
	}
}
