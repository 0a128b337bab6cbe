package main

import (
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/spf13/cobra"
)

// What the verbs about a workspace's watchlists and functions share.

// inWorkspace is the path of a resource of the workspace that a verb names.
func inWorkspace(collection, name, ws string) string {
	path := "/control/v1/" + collection
	if name != "" {
		path += "/" + url.PathEscape(name)
	}
	return path + "?" + url.Values{"workspace": {ws}}.Encode()
}

// workspaceFlag lets a verb name the workspace.
func workspaceFlag(cmd *cobra.Command, ws *string) {
	cmd.Flags().StringVarP(ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
}

// completeNames completes a verb's one argument with what a collection of a
// running server has; it opens no folder, for a key press must not take its lock.
func completeNames[T any](s *shell, ws *string, collection string, of func(T) (name, title string)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) (out []string, _ cobra.ShellCompDirective) {
		const only = cobra.ShellCompDirectiveNoFileComp
		if len(args) > 0 || s.load(cmd) != nil {
			return nil, only
		}
		socket := filepath.Join(s.settings.Data, socketName)
		if !listens(socket) {
			return nil, only
		}
		var got []T
		if newClient(socket).call(cmd.Context(), "GET", inWorkspace(collection, "", *ws), nil, &got) != nil {
			return nil, only
		}
		for _, one := range got {
			name, title := of(one)
			out = append(out, cobra.CompletionWithDesc(name, printable(title)))
		}
		return out, only
	}
}

// newList lists a collection of a workspace, whose path is what with an s;
// help calls it called.
func newList[T any](s *shell, what, called string, headings []string, cells func(T) []any) *cobra.Command {
	var ws string
	list := what + " list"
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the " + called + "s of a workspace",
		Example: "  lockstep " + list + "\n  lockstep " + list + " -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got []T
				if err := c.call(cmd.Context(), "GET", inWorkspace(what+"s", "", ws), nil, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				t := newTable(headings...)
				for _, one := range got {
					t.add(cells(one)...)
				}
				return s.print(t)
			})
		},
	}
	workspaceFlag(cmd, &ws)
	return cmd
}

// remove deletes a resource of a workspace and says so.
func (s *shell) remove(cmd *cobra.Command, collection, name, ws, what string) error {
	return s.connected(cmd.Context(), func(c *client) error {
		var got map[string]bool
		if err := c.call(cmd.Context(), "DELETE", inWorkspace(collection, name, ws), nil, &got); err != nil {
			return err
		}
		if s.format == "json" {
			return s.printJSON(got)
		}
		_, err := fmt.Fprintf(s.out, "%s %s deleted\n", what, printable(name))
		return err
	})
}
