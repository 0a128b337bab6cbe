package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"lockstep/api/control"
)

// newWatchlist is `lockstep watchlist`.
func newWatchlist(s *shell) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watchlist",
		Short: "List, show, import and delete watchlists",
		Long: `Watchlists are a workspace's lists of names, addresses and the like. Queries of the workspace
side join with them: _GetWatchlist('ALIAS') gives a list's items with SearchKey and its columns.`,
		Example: `  lockstep watchlist import assets.csv --search-key Host
  lockstep query --side workspace "_GetWatchlist('assets') | project SearchKey, Owner"`,
	}
	cmd.AddCommand(newWatchlistList(s), newWatchlistShow(s), newWatchlistImport(s), newWatchlistDelete(s))
	return cmd
}

// watchlistNames completes aliases.
func watchlistNames(s *shell, ws *string) cobra.CompletionFunc {
	return completeNames(s, ws, "watchlists", func(w control.Watchlist) (string, string) { return w.Alias, w.Name })
}

func newWatchlistList(s *shell) *cobra.Command {
	return newList(s, "watchlist", "watchlist", []string{"alias", "name", "searchKey", "items", "columns", "updated"}, func(w control.Watchlist) []any {
		return []any{w.Alias, w.Name, w.SearchKey, w.Count, strings.Join(w.Columns, ", "), w.Updated}
	})
}

func newWatchlistShow(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:   "show ALIAS",
		Short: "Show a watchlist with all of its items",
		Example: `  lockstep watchlist show assets
  lockstep watchlist show assets -o csv > assets.csv`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: watchlistNames(s, &ws),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.Watchlist
				if err := c.call(cmd.Context(), "GET", inWorkspace("watchlists", args[0], ws), nil, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				t := newTable(got.Columns...)
				for _, values := range got.Items {
					cells := make([]any, len(got.Columns))
					for i, name := range got.Columns {
						cells[i] = values[name]
					}
					t.add(cells...)
				}
				if s.format == "table" {
					for i, h := range t.headings { // attacker-made text has no place in a terminal
						t.headings[i] = printable(h)
					}
					fmt.Fprintf(s.err, "%s: %s; %s; search key %s\n", got.Alias, printable(got.Name), counted(got.Count, "item"), printable(got.SearchKey))
				}
				return s.print(t)
			})
		},
	}
	workspaceFlag(cmd, &ws)
	return cmd
}

// maxWatchlistFile is the most bytes of a file that become a watchlist.
const maxWatchlistFile = 20 << 20

func newWatchlistImport(s *shell) *cobra.Command {
	var ws, alias string
	var tsv bool
	var in control.WatchlistImport
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a watchlist of a CSV file, or add the file to one",
		Long: `Make a watchlist of a CSV file, or add the file's lines to the list of that alias.

The first line names the columns. The search key is the column that queries join on: a new list names it with
--search-key, and whatever is added to a list must have it. Lines alike in every column stay once, so importing
a file again adds what is new. To put a file in place of what a list has, delete the list first.

The alias is --alias, else the file's name without its ending. A file called … .tsv is parted by tabs;
- reads the standard input.`,
		Example: `  lockstep watchlist import assets.csv --search-key Host
  lockstep watchlist import export.csv --alias HighValueAssets --search-key Host --name "High value assets" --skip 2
  cut -f 1,3 people.tsv | lockstep watchlist import - --tsv --alias Leavers --search-key User`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"csv", "tsv"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if alias == "" {
				if name == "-" {
					return usageError{fmt.Errorf("the standard input has no name: say --alias")}
				}
				alias = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
			}
			in.Type = "text/csv"
			if tsv || strings.EqualFold(filepath.Ext(name), ".tsv") {
				in.Type = "text/tsv"
			}
			var err error
			if in.Content, err = watchlistFile(name, cmd.InOrStdin()); err != nil {
				return err
			}
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.WatchlistImported
				if err := c.call(cmd.Context(), "PUT", inWorkspace("watchlists", alias, ws), in, &got); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				what := "added to"
				if got.Made {
					what = "made into"
				}
				_, err := fmt.Fprintf(s.out, "%s %s watchlist %s: %s new, %d in all; _GetWatchlist('%s') reads it\n",
					printable(name), what, got.Watchlist.Alias, counted(got.Added, "item"), got.Watchlist.Count, got.Watchlist.Alias)
				return err
			})
		},
	}
	workspaceFlag(cmd, &ws)
	cmd.Flags().StringVar(&alias, "alias", "", "the list's alias (default: the file's name without its ending)")
	cmd.Flags().StringVar(&in.SearchKey, "search-key", "", "the column that queries join on (default: the list's; a new one needs it)")
	cmd.Flags().StringVar(&in.Name, "name", "", "the list's name (default: as it is; a new one's is its alias)")
	cmd.Flags().StringVar(&in.Description, "description", "", "what the list is (default: as it is)")
	cmd.Flags().IntVar(&in.Skip, "skip", 0, "lines to skip before the one that names the columns")
	cmd.Flags().BoolVar(&tsv, "tsv", false, "the file is parted by tabs")
	_ = cmd.RegisterFlagCompletionFunc("alias", completeAlias(s, &ws))
	return cmd
}

// completeAlias completes the flag --alias; the verb's argument stands beside it.
func completeAlias(s *shell, ws *string) cobra.CompletionFunc {
	complete := watchlistNames(s, ws)
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return complete(cmd, nil, typed)
	}
}

// watchlistFile reads the file that a list is made of.
func watchlistFile(name string, in io.Reader) (string, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", usageError{err}
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxWatchlistFile+1))
	if err == nil && len(text) > maxWatchlistFile {
		err = usageError{fmt.Errorf("%s has more than %d MiB: import it in parts, each with the line that names the columns", name, maxWatchlistFile>>20)}
	}
	return string(text), err
}

func newWatchlistDelete(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:               "delete ALIAS",
		Short:             "Delete a watchlist with its items",
		Long:              "Delete a watchlist with its items. Queries that name it get no rows and a warning from then on.",
		Example:           `  lockstep watchlist delete assets`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: watchlistNames(s, &ws),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.remove(cmd, "watchlists", args[0], ws, "watchlist")
		},
	}
	workspaceFlag(cmd, &ws)
	return cmd
}
