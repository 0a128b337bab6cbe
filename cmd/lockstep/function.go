package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"lockstep/api/control"
)

// newFunction is `lockstep function`.
func newFunction(s *shell) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "function",
		Short: "List, show, save and delete saved functions",
		Long: `Saved functions are KQL under a name, which queries of a workspace call: FailedLogons(7d). They are saved
searches with a function alias, as the API of saved searches makes them.`,
		Example: `  lockstep function save FailedLogons --parameters 'span:timespan = 1d' 'SigninLogs | where TimeGenerated > ago(span) and ResultType != "0"'
  lockstep query --side workspace 'FailedLogons(7d) | summarize count() by UserPrincipalName'`,
	}
	cmd.AddCommand(newFunctionList(s), newFunctionShow(s), newFunctionSave(s), newFunctionDelete(s))
	return cmd
}

// functionNames completes functions' names.
func functionNames(s *shell, ws *string) cobra.CompletionFunc {
	return completeNames(s, ws, "functions", func(f control.Function) (string, string) { return f.Name, f.Title })
}

func newFunctionList(s *shell) *cobra.Command {
	return newList(s, "function", "saved function", []string{"name", "parameters", "title", "category", "updated"}, func(f control.Function) []any {
		return []any{f.Name, f.Parameters, f.Title, f.Category, f.Updated}
	})
}

func newFunctionShow(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a saved function: its parameters and its text",
		Long: `Show a saved function. The text goes to the standard output, so it can be kept in a file and saved again;
what it is and its parameters go to the standard error.`,
		Example: `  lockstep function show FailedLogons
  lockstep function show FailedLogons > FailedLogons.kql`,
		Args:              cobra.ExactArgs(1),
		Annotations:       map[string]string{outputs: "table,json"},
		ValidArgsFunction: functionNames(s, &ws),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.Function
				if err := c.call(cmd.Context(), "GET", inWorkspace("functions", args[0], ws), nil, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				fmt.Fprintf(s.err, "%s(%s): %s; category %s; saved %s\n", got.Name, printable(got.Parameters), printable(got.Title), printable(got.Category), got.Updated)
				_, err := fmt.Fprintln(s.out, printableLines(got.Body))
				return err
			})
		},
	}
	workspaceFlag(cmd, &ws)
	return cmd
}

// printableLines is printable of a text with lines and tabs.
func printableLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i, line := range lines {
		cells := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
		for n := range cells {
			cells[n] = printable(cells[n])
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}

func newFunctionSave(s *shell) *cobra.Command {
	var ws, file string
	var in control.Function
	cmd := &cobra.Command{
		Use:   "save NAME [KQL]",
		Short: "Save a function, or give one another text",
		Long: `Save a function, or give the one of that name another text and other parameters.

The text comes as the argument, from a file (--file), or from the standard input (-). Parameters are written
as between a function's brackets: name:type, with = and a default where the caller may leave one out; T:(*) takes
a table. A text that can't be read is refused with the place of the mistake; it may name tables and functions
that aren't there yet.`,
		Example: `  lockstep function save FailedLogons --parameters 'span:timespan = 1d' 'SigninLogs | where TimeGenerated > ago(span) and ResultType != "0"'
  lockstep function save ASimDns --file ASimDns.kql --category ASIM
  lockstep function show FailedLogons | sed 's/SigninLogs/AADNonInteractiveUserSignInLogs/' | lockstep function save FailedLogonsToo --parameters 'span:timespan' -`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: functionNames(s, &ws),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if in.Body, err = queryText(args[1:], file, cmd.InOrStdin()); err != nil {
				return err
			}
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.FunctionSaved
				if err := c.call(cmd.Context(), "PUT", inWorkspace("functions", args[0], ws), in, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				what := "changed"
				if got.Made {
					what = "saved"
				}
				_, err := fmt.Fprintf(s.out, "function %s(%s) %s\n", got.Function.Name, printable(got.Function.Parameters), what)
				return err
			})
		},
	}
	workspaceFlag(cmd, &ws)
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the text from a file")
	cmd.Flags().StringVar(&in.Parameters, "parameters", "", "the function's parameters: 'from:datetime = ago(1d), T:(*)' (default: none)")
	cmd.Flags().StringVar(&in.Title, "title", "", "what lists call it (default: as it is; a new one's is its name)")
	cmd.Flags().StringVar(&in.Category, "category", "", "the folder that pages show it in (default: as it is, else Functions)")
	return cmd
}

func newFunctionDelete(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:               "delete NAME",
		Short:             "Delete a saved function",
		Long:              "Delete a saved function. Queries and functions that call it are refused from then on.",
		Example:           `  lockstep function delete FailedLogons`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: functionNames(s, &ws),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.remove(cmd, "functions", args[0], ws, "function")
		},
	}
	workspaceFlag(cmd, &ws)
	return cmd
}
