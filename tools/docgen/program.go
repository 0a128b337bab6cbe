package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build builds the program from the module at root into dir and gives its path.
func build(root, dir string) (string, error) {
	binary := filepath.Join(dir, "lockstep")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/lockstep")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build lockstep: %w\n%s", err, out)
	}
	return binary, nil
}

// ask runs the program where no settings of this machine reach it.
func ask(binary string, args ...string) (string, error) {
	dir, err := os.MkdirTemp("", "docgen-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LOCKSTEP_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("lockstep %s: %w: %s", strings.Join(args, " "), err, failed.Stderr)
	}
	return string(out), err
}

// The parts of a help text.
const (
	commandsPart = "\nAvailable Commands:\n"
	globalPart   = "\nGlobal Flags:\n"
	hintPart     = "\nUse \""
)

// borrowed are the verbs that the command library brings.
var borrowed = map[string]bool{"completion": true, "help": true}

// cliPage is the help of every verb.
func cliPage(binary string) (string, error) {
	d := begin("Commands", "the program's own help")
	d.line("\nThe flags under `lockstep` go with every verb. What they set, and from where else it can be set, is in [settings](settings.md).")
	err := d.verb(binary)
	return d.String(), err
}

// verb writes a verb's help and that of the verbs below it.
func (d *document) verb(binary string, words ...string) error {
	text, err := ask(binary, append(words, "--help")...)
	if err != nil {
		return err
	}
	d.section("`"+strings.Join(append([]string{"lockstep"}, words...), " ")+"`", "")
	shown, _, _ := strings.Cut(text, globalPart)
	shown, _, _ = strings.Cut(shown, hintPart)
	d.line("```text\n" + strings.TrimSpace(shown) + "\n```")
	_, below, _ := strings.Cut(text, commandsPart)
	below, _, _ = strings.Cut(below, "\n\n")
	for _, line := range strings.Split(below, "\n") {
		if f := strings.Fields(line); len(f) > 1 && !borrowed[f[0]] {
			if err := d.verb(binary, append(append([]string{}, words...), f[0])...); err != nil {
				return err
			}
		}
	}
	return nil
}

// settingsPage is the table of settings with the three names of each.
func settingsPage(binary string) (string, error) {
	text, err := ask(binary, "config", "-o", "json")
	if err != nil {
		return "", err
	}
	help, err := ask(binary, "--help")
	if err != nil {
		return "", err
	}
	var list []struct{ Setting, Value, From, What string }
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, `"what it is"`, `"what"`)), &list); err != nil {
		return "", fmt.Errorf("read the settings: %w", err)
	}
	d := begin("Settings", "`lockstep config`")
	d.line("\nA setting has three names: a key in the settings file, a variable, a flag. A flag beats a variable, a variable beats the file, the file")
	d.line("beats the default. The file is YAML: the one that `--config` or `LOCKSTEP_CONFIG` names, else `lockstep.yaml` in the data folder if there")
	d.line("is one. `lockstep config` shows what holds and where it comes from.\n")
	d.head("key", "variable", "flag", "default", "what it is")
	for _, s := range list {
		flag := "--" + strings.ReplaceAll(s.Setting, "_", "-")
		if !strings.Contains(help, " "+flag+" ") {
			flag = "" // a secret has none: command lines show in process lists
		}
		d.row(code(s.Setting), code("LOCKSTEP_"+strings.ToUpper(s.Setting)), code(flag), code(s.Value), s.What)
	}
	d.line("\nLists are written with commas in variables and flags, as YAML lists in the file. Durations are like `90s`, `3m`, `24h`.")
	d.line("A setting without a flag is a secret: process lists show command lines.")
	return d.String(), nil
}
