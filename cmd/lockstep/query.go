package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lockstep/api/control"
	"lockstep/schema"
)

// newQuery is `lockstep query`.
func newQuery(s *shell) *cobra.Command {
	var side, ws, span, file string
	var limit int
	cmd := &cobra.Command{
		Use:   "query [KQL]",
		Short: "Run KQL on either side",
		Long: `Run KQL on either side and print the answer as a table, JSON or CSV.

The query comes as the argument, from a file (--file), or from the standard input (-).
Mistakes are shown with their line and column.`,
		Example: `  lockstep query 'DeviceProcessEvents | where FileName =~ "powershell.exe" | summarize count() by DeviceName | top 5 by count_'
  lockstep query --side workspace 'SecurityIncident | summarize arg_max(LastModifiedTime, *) by IncidentNumber | take 5' -o json
  echo 'AlertInfo | summarize count() by ServiceSource' | lockstep query - -o csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usageError{fmt.Errorf("--limit %d is less than no rows", limit)}
			}
			text, err := queryText(args, file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.QueryAnswer
				request := control.QueryRequest{Side: schema.Side(side), Workspace: ws, Query: text, Timespan: span, Limit: limit}
				if err := c.call(cmd.Context(), "POST", "/control/v1/query", request, &got); err != nil {
					return err
				}
				t := &table{rows: got.Rows}
				for _, column := range got.Columns {
					t.headings = append(t.headings, column.Name)
				}
				if err := s.print(t); err != nil {
					return err
				}
				for _, w := range got.Warnings {
					fmt.Fprintln(s.err, "warning:", w)
				}
				if s.format == "table" {
					fmt.Fprintf(s.err, "%s in %s\n", counted(len(got.Rows), "row"), time.Duration(got.Millis*float64(time.Millisecond)).Round(100*time.Microsecond))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&side, "side", "xdr", "which side answers: xdr or workspace")
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	cmd.Flags().StringVar(&span, "timespan", "", "time range: P7D, PT1H, or START/END (default: all that is kept)")
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the query from a file")
	cmd.Flags().IntVar(&limit, "limit", 0, "most rows (default: the server's limit)")
	_ = cmd.RegisterFlagCompletionFunc("side", cobra.FixedCompletions([]string{"xdr", "workspace"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func queryText(args []string, file string, in io.Reader) (string, error) {
	switch {
	case file != "" && len(args) > 0:
		return "", usageError{fmt.Errorf("give the query as an argument or with --file, not both")}
	case file != "":
		data, err := os.ReadFile(file)
		return string(data), err
	case len(args) == 0 || args[0] == "-":
		data, err := io.ReadAll(in)
		if err == nil && strings.TrimSpace(string(data)) == "" {
			err = usageError{fmt.Errorf("no query: give it as an argument, with --file, or on the standard input")}
		}
		return string(data), err
	}
	return args[0], nil
}

// counted writes a number of things in words: 1 row, 2 rows.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
