package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"lockstep/content"
	"lockstep/fault"
	"lockstep/schema"
)

// newCheck is `lockstep check`.
func newCheck(s *shell) *cobra.Command {
	c := check{shell: s}
	cmd := &cobra.Command{
		Use:   "check FILE…",
		Short: "Check detection content: KQL files, analytics rules, custom detections",
		Long: `Check detection content without a server: KQL files, Sentinel analytics rules and
hunting queries (YAML, ARM templates), saved functions (YAML) and Defender custom
detections (YAML).

A FILE is a file, a folder (all files below it with a known ending: .kql .csl
.kusto .yaml .yml .json), or - for the standard input, which is KQL unless --as
says otherwise. Each query is compiled against the tables that Lockstep knows, and
what the rule says beside it is checked too: required members, durations, words,
and that entity mappings, custom details and alert overrides name columns that the
query gives. Findings name the line and column in the file itself.

--tables declares further tables, as {"Table": {"Column": "type"}} in JSON or YAML;
a table whose name ends in _CL and that nobody declares is only warned of. --functions
reads saved functions that queries call: a .kql or .txt file is the function of its
name, a YAML file one of FunctionName and FunctionQuery, an ARM template those of its
saved searches with a functionAlias. Such functions among the files checked count too.
A name that is neither a table nor a function known here is an error if it is nearly
the name of one, else a warning: the server may know it.

-o is table (text for people), json, or sarif (2.1.0, as code hosts read it).

Exit codes: 0 nothing found, 1 errors found (with --warnings: or warnings),
2 a file can't be read.`,
		Example: `  lockstep check rules/
  lockstep check -o sarif rules/ > findings.sarif
  lockstep check --tables custom.json --functions parsers/ rules/*.yaml
  echo 'DeviceEvnts | take 1' | lockstep check -`,
		Args:        cobra.MinimumNArgs(1),
		Annotations: map[string]string{outputs: "table,json,sarif"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(args, cmd.InOrStdin())
		},
	}
	cmd.Flags().StringArrayVar(&c.tables, "tables", nil, "file that declares further tables; may come more than once")
	cmd.Flags().StringArrayVar(&c.functions, "functions", nil, "file or folder of saved functions; may come more than once")
	cmd.Flags().StringVar(&c.as, "as", "kql", "what the standard input is: kql, yaml or json")
	cmd.Flags().BoolVar(&c.warnings, "warnings", false, "exit with 1 for warnings too")
	cmd.Flags().BoolVarP(&c.quiet, "quiet", "q", false, "print errors only")
	_ = cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"kql", "yaml", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check is one run of the verb.
type check struct {
	*shell
	tables, functions []string
	as                string
	warnings, quiet   bool

	read         []input
	files, rules int
	findings     []content.Finding
	unread       []error
}

func (c *check) run(args []string, in io.Reader) error {
	if c.as != "kql" && c.as != "yaml" && c.as != "json" {
		return usageError{fmt.Errorf("--as %q: want kql, yaml or json", c.as)}
	}
	o := content.Options{Now: schema.At(time.Now()), Tables: map[string]*schema.Table{}, Functions: map[string]content.Function{}}
	for _, name := range c.tables {
		if err := readTables(name, o.Tables); err != nil {
			return fault.New(fault.Invalid, "read tables: %w", err)
		}
	}
	for _, name := range c.functions {
		if err := readFunctions(name, o.Functions); err != nil {
			return fault.New(fault.Invalid, "read functions: %w", err)
		}
	}
	for _, arg := range args {
		c.argument(arg, in)
	}
	for _, f := range c.read { // a solution's rules call the functions beside them
		for alias, function := range content.Functions(f.data) {
			if _, given := o.Functions[alias]; !given {
				o.Functions[alias] = function
			}
		}
	}
	for _, f := range c.read {
		c.file(f.name, f.data, o)
	}
	if err := c.printFindings(); err != nil {
		return err
	}
	return c.verdict()
}

// input is a file that was read.
type input struct {
	name string
	data []byte
}

// argument reads what one argument names.
func (c *check) argument(arg string, in io.Reader) {
	take := func(name string, data []byte, err error) {
		if err != nil {
			c.unread = append(c.unread, err)
			return
		}
		c.read = append(c.read, input{name, data})
	}
	if arg == "-" {
		data, err := io.ReadAll(in)
		take("stdin."+c.as, data, err)
		return
	}
	info, err := os.Stat(arg)
	if err != nil || !info.IsDir() {
		data, readErr := os.ReadFile(arg)
		take(arg, data, errors.Join(err, readErr))
		return
	}
	err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			c.unread = append(c.unread, err)
			return nil
		}
		if !entry.IsDir() && content.Readable(path) {
			data, err := os.ReadFile(path)
			take(path, data, err)
		}
		return nil
	})
	if err != nil {
		c.unread = append(c.unread, err)
	}
}

func (c *check) file(name string, data []byte, o content.Options) {
	c.files++
	r := content.Check(filepath.ToSlash(name), data, o)
	c.rules += r.Rules
	for _, f := range r.Findings {
		if !c.quiet || f.Severity == content.Error {
			c.findings = append(c.findings, f)
		}
	}
}

// count counts the findings of a severity.
func (c *check) count(s content.Severity) (n int) {
	for _, f := range c.findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// verdict says how it went, by the exit code too.
func (c *check) verdict() error {
	errs, warnings := c.count(content.Error), c.count(content.Warning)
	fmt.Fprintf(c.err, "%s, %s: %s, %s\n", counted(c.files, "file"), counted(c.rules, "query or rule"), counted(errs, "error"), counted(warnings, "warning"))
	switch {
	case len(c.unread) > 0:
		return fault.New(fault.Invalid, "%w", errors.Join(c.unread...))
	case errs > 0 || c.warnings && warnings > 0:
		return errFound
	}
	return nil
}

// errFound is the verdict on content with findings: exit code 1.
var errFound = errors.New("there are findings")

// printFindings prints in the form asked for.
func (c *check) printFindings() error {
	switch c.format {
	case "json":
		if c.findings == nil {
			c.findings = []content.Finding{}
		}
		return c.printJSON(struct {
			Files    int               `json:"files"`
			Rules    int               `json:"rules"`
			Errors   int               `json:"errors"`
			Warnings int               `json:"warnings"`
			Findings []content.Finding `json:"findings"`
		}{c.files, c.rules, c.count(content.Error), c.count(content.Warning), c.findings})
	case "sarif":
		return c.printJSON(sarifOf(c.findings))
	}
	for _, f := range c.findings {
		fmt.Fprintf(c.out, "%s:%d:%d: %s %s: %s\n", printable(f.File), f.Line, f.Column, f.Severity, f.Code, printable(f.Message))
		source, mark := caret(f)
		fmt.Fprintf(c.out, "    %s\n    %s\n", source, mark)
	}
	return nil
}

// widestSource is the most characters of a source line that are shown.
const widestSource = 120

// caret gives the source line, cut around the place if it is long, and the
// marks to stand below the place.
func caret(f content.Finding) (source, mark string) {
	line := []rune(printable(strings.ReplaceAll(f.Source, "\t", " ")))
	at := min(f.Column-1, len(line))
	length := 1
	if f.EndLine == f.Line {
		length = max(1, f.EndColumn-f.Column)
	} else if f.EndLine > f.Line {
		length = max(1, len(line)-at)
	}
	if len(line) > widestSource {
		from := max(0, min(at-widestSource/3, len(line)-widestSource))
		line, at = line[from:from+widestSource], at-from
	}
	length = max(1, min(length, len(line)-at))
	return string(line), strings.Repeat(" ", at) + strings.Repeat("^", length)
}

// readTables reads {table: {column: type}} in JSON or YAML.
func readTables(name string, into map[string]*schema.Table) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(data), "\t", " ")), &root); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return fmt.Errorf("%s: want {table: {column: type}}", name)
	}
	tables := root.Content[0].Content
	for i := 0; i+1 < len(tables); i += 2 {
		var columns []schema.Column
		fields := tables[i+1].Content
		for j := 0; j+1 < len(fields); j += 2 {
			t, ok := schema.ParseType(fields[j+1].Value)
			if !ok {
				return fmt.Errorf("%s:%d: %q is no type of a column", name, fields[j+1].Line, fields[j+1].Value)
			}
			columns = append(columns, schema.Column{Name: fields[j].Value, Type: t})
		}
		into[tables[i].Value] = schema.NewTable(tables[i].Value, schema.Workspace, columns)
	}
	return nil
}

// readFunctions reads saved functions from a file or a folder.
func readFunctions(name string, into map[string]content.Function) error {
	return filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch ext := strings.ToLower(filepath.Ext(path)); ext {
		case ".kql", ".csl", ".kusto", ".txt":
			into[strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))] = content.Function{Body: string(data)}
		case ".yaml", ".yml", ".json":
			for alias, f := range content.Functions(data) {
				into[alias] = f
			}
		}
		return nil
	})
}
