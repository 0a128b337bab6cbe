package main

import (
	"encoding/json"
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
	var explain bool
	cmd := &cobra.Command{
		Use:   "query [KQL]",
		Short: "Run KQL on either side",
		Long: `Run KQL on either side and print the answer as a table, JSON or CSV.

The query comes as the argument, from a file (--file), or from the standard input (-).
Mistakes are shown with their line and column.

A query with several result tables (statements with ; between, fork, facet, evaluate
preview) prints each under its name: as the query calls it, else PrimaryResult,
PrimaryResult_1, … With -o json they are an array of names and rows; CSV holds one table.

Another workspace of the server is read by its place, workspace('name').Table, as far
as the reader may.

--explain runs the query and shows, in place of its rows, how they came about: the plan
after rewriting (what reads what, with conditions in the words of KQL), the stages (the
SQL with its values, and steps in Go over all rows at once), how many rows and sealed
segments of each table were read, and how long compiling and running took. The statement
runs a second time to be counted. With -o json the same as one object.`,
		Example: `  lockstep query 'DeviceProcessEvents | where FileName =~ "powershell.exe" | summarize count() by DeviceName | top 5 by count_'
  lockstep query --side workspace 'SecurityIncident | summarize arg_max(LastModifiedTime, *) by IncidentNumber | take 5' -o json
  echo 'AlertInfo | summarize count() by ServiceSource' | lockstep query - -o csv
  lockstep query --explain 'DeviceNetworkEvents | where Timestamp > ago(1d) | summarize count() by RemoteIP'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usageError{fmt.Errorf("--limit %d is less than no rows", limit)}
			}
			if explain && s.format == "csv" {
				return usageError{fmt.Errorf("an explanation is no table: print it as text, or with -o json")}
			}
			text, err := queryText(args, file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.QueryAnswer
				request := control.QueryRequest{Side: schema.Side(side), Workspace: ws, Query: text, Timespan: span, Limit: limit, Explain: explain}
				if err := c.call(cmd.Context(), "POST", "/control/v1/query", request, &got); err != nil {
					if hint := otherSide(cmd.Context(), c, request.Side, ws, err.Error()); hint != "" {
						return fmt.Errorf("%w (%s)", err, hint)
					}
					return err
				}
				for i, warning := range got.Warnings {
					if hint := otherSide(cmd.Context(), c, request.Side, ws, warning); hint != "" {
						got.Warnings[i] += " (" + hint + ")"
					}
				}
				if err := s.printAnswer(got, explain); err != nil {
					return err
				}
				s.warn(got.Warnings)
				if s.format == "table" && !explain {
					rows := 0
					for _, t := range got.Tables {
						rows += len(t.Rows)
					}
					fmt.Fprintf(s.err, "%s in %s\n", counted(rows, "row"), time.Duration(got.Millis*float64(time.Millisecond)).Round(100*time.Microsecond))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&side, "side", "xdr", "which side answers: xdr or workspace")
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	cmd.Flags().StringVar(&span, "timespan", "", "time range: P7D, PT1H, or START/END (default: all that is kept)")
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the query from a file")
	cmd.Flags().IntVar(&limit, "limit", 0, "most rows (default: the server's limit, query_rows, which is also the most)")
	cmd.Flags().BoolVar(&explain, "explain", false, "show how the answer comes about in place of its rows")
	_ = cmd.RegisterFlagCompletionFunc("side", cobra.FixedCompletions([]string{"xdr", "workspace"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// printAnswer prints a query's tables. One stands by itself; several each under
// its name, and in JSON as an array of names and rows.
func (s *shell) printAnswer(got control.QueryAnswer, explain bool) error {
	several := len(got.Tables) > 1
	switch {
	case several && s.format == "csv":
		return fmt.Errorf("the query gives %d tables and CSV holds one: print them as tables, or with -o json", len(got.Tables))
	case several && s.format == "json":
		return s.printSeveral(got.Tables, explain)
	}
	for i, t := range got.Tables {
		if several {
			if i > 0 {
				s.out.WriteString("\n")
			}
			s.out.WriteString(printable(t.Name) + "\n")
		}
		if explain {
			if err := s.printExplained(t.Explained); err != nil {
				return err
			}
			continue
		}
		if err := s.print(rowsOf(t)); err != nil {
			return err
		}
	}
	return nil
}

func rowsOf(t control.QueryTable) *table {
	out := &table{rows: t.Rows}
	for _, column := range t.Columns {
		out.headings = append(out.headings, column.Name)
	}
	return out
}

// printSeveral writes tables as an array of objects: name and rows, or name and explanation.
func (s *shell) printSeveral(tables []control.QueryTable, explain bool) error {
	type named struct {
		Name      string             `json:"name"`
		Rows      json.RawMessage    `json:"rows,omitempty"`
		Explained *control.Explained `json:"explained,omitempty"`
	}
	out := make([]named, len(tables))
	for i, t := range tables {
		out[i] = named{Name: t.Name, Explained: t.Explained}
		if explain {
			continue
		}
		rows, err := objects(rowsOf(t))
		if err != nil {
			return err
		}
		out[i].Rows = rows
	}
	return s.printJSON(out)
}

// warn tells what there is to say of an answer.
func (s *shell) warn(warnings []string) {
	for _, w := range warnings {
		fmt.Fprintln(s.err, "warning:", w)
	}
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
