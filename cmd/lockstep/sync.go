package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lockstep/api/control"
)

// spread prints how long changes took.
func spread(l control.Latency) string {
	if l.Count == 0 {
		return "none yet"
	}
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, most %.1f ms, of %d", l.P50, l.P99, l.Most, l.Count)
}

// newSync is `lockstep sync`.
func newSync(s *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "sync", Short: "See how the two sides are kept in step"}
	cmd.AddCommand(newSyncStatus(s), newSyncExplain(s), newSyncUndo(s), newSyncVerify(s), newSyncWait(s), newSyncWorkspaces(s))
	return cmd
}

// syncStatus asks for a workspace's connection.
func (s *shell) syncStatus(ctx context.Context, c *client, ws string) (got control.Status, err error) {
	err = c.call(ctx, "GET", "/control/v1/sync/status?"+url.Values{"workspace": {ws}}.Encode(), nil, &got)
	return got, err
}

// streams is the table of the event switches.
func streams(a control.Status) *table {
	t := newTable("table", "on", "rows", "last received", "component")
	for _, d := range a.Types {
		if d.Component != "" {
			t.add(d.Name, onOff(d.On), d.Rows, moment(d.Received), d.Component)
		}
	}
	return t
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// moment shortens a time for a table.
func moment(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return ""
	}
	return t.Format("2006-01-02 15:04:05Z")
}

func newSyncStatus(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "What crosses between the sides, how fast, how far behind, what failed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				got, err := s.syncStatus(cmd.Context(), c, ws)
				if err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				return s.printStatus(got)
			})
		},
	}
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	return cmd
}

func (s *shell) printStatus(a control.Status) error {
	state := "not connected"
	if a.Connected {
		state = "connected since " + moment(a.Since)
	}
	fmt.Fprintf(s.out, "workspace %s: %s\n\n", a.Workspace, state)
	for _, line := range [][2]string{
		{"created → visible", spread(a.Creation)},
		{"edited → visible", spread(a.Edit)},
		{"waiting", fmt.Sprintf("%s, the oldest change for %s", counted(a.Waiting, "incident"), age(time.Duration(a.Behind*float64(time.Millisecond))))},
		{"rules turned off", strings.Join(a.RulesOff, ", ")},
	} {
		if line[1] != "" {
			fmt.Fprintf(s.out, "  %-18s %s\n", line[0], line[1])
		}
	}
	for _, e := range a.Ends {
		fmt.Fprintf(s.out, "\n  the %s is another server, %s, and can do less:\n", map[string]string{"xdr": "XDR", "workspace": "workspace"}[e.Side], e.Where)
		for _, text := range e.Cannot {
			fmt.Fprintf(s.out, "    - %s\n", text)
		}
	}
	for _, u := range a.Unread {
		fmt.Fprintf(s.out, "\n  the %s can't be read, and is tried again at %s:\n    %s\n", u.Side, moment(u.Next), u.Error)
	}
	fmt.Fprintln(s.out)
	t := newTable("data", "on", "rows", "last received", "failures", "last error")
	for _, d := range a.Types {
		t.add(d.Name, onOff(d.On), d.Rows, moment(d.Received), d.Failures, d.LastError)
	}
	if err := s.print(t); err != nil {
		return err
	}
	if len(a.Holes) == 0 {
		return nil
	}
	fmt.Fprintln(s.out, "\nincidents that keep failing, tried again now and then:")
	holes := newTable("incident", "since", "attempts", "error")
	for _, h := range a.Holes {
		holes.add(h.Incident, moment(h.Since), h.Attempts, h.Error)
	}
	return s.print(holes)
}

func newSyncExplain(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:   "explain INCIDENT",
		Short: "Tell why both sides of an incident are as they are",
		Long: `Tell why both sides of an incident are as they are: each decision with what was seen, what was agreed before,
which rule decided, what was written and what became of it.

INCIDENT is the XDR's id, or the name (GUID) of the workspace incident.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got map[string]any
				q := url.Values{"workspace": {ws}, "incident": {args[0]}}
				if err := c.call(cmd.Context(), "GET", "/control/v1/sync/explain?"+q.Encode(), nil, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				lines, _ := got["story"].([]any)
				for _, line := range lines {
					fmt.Fprintln(s.out, printable(fmt.Sprint(line)))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	return cmd
}

func newSyncUndo(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:   "undo INCIDENT DECISION",
		Short: "Set again what gave way in a decision, as a new edit",
		Long: `Set again what gave way in a decision, as a new edit on the side where it had been set. The synchronisation then brings
it to the other side.

INCIDENT is the XDR's id, or the name (GUID) of the workspace incident; DECISION is its number in "sync explain".`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.ParseInt(args[1], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no number of a decision", args[1])
			}
			return s.connected(cmd.Context(), func(c *client) error {
				var got []control.Undone
				ask := control.UndoRequest{Workspace: ws, Incident: args[0], Decision: number}
				if err := c.call(cmd.Context(), "POST", "/control/v1/sync/undo", ask, &got); err != nil {
					return err
				}
				t := newTable("side", "field", "set again")
				for _, u := range got {
					t.add(u.Side, u.Field, printable(u.Value))
				}
				return s.print(t)
			})
		},
	}
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	return cmd
}

func newSyncVerify(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare all incidents of both sides, tell which don't agree, and heal them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.Verification
				if err := c.call(cmd.Context(), "POST", "/control/v1/sync/verify", control.VerifyRequest{Workspace: ws}, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				fmt.Fprintln(s.out, compared(got))
				t := newTable("incident", "why")
				for _, a := range got.Apart {
					t.add(a.Incident, printable(strings.Join(a.Reasons, " ")))
				}
				for _, name := range got.Strays {
					t.add(name, "the XDR doesn't know its partner")
				}
				if len(got.Apart)+len(got.Strays) == 0 {
					return nil
				}
				return s.print(t)
			})
		},
	}
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	return cmd
}

// compared tells in a line what a comparison found.
func compared(v control.Verification) string {
	apart, strays := "don't agree and are looked at next", "have no partner on the XDR"
	if len(v.Apart) == 1 {
		apart = "doesn't agree and is looked at next"
	}
	if len(v.Strays) == 1 {
		strays = "has no partner on the XDR"
	}
	return fmt.Sprintf("%s compared, %d %s, %d %s", counted(v.Compared, "incident"), len(v.Apart), apart, len(v.Strays), strays)
}

func newSyncWait(s *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "wait",
		Short: "Wait until nothing is left to synchronise or to write as history",
		Long: `Wait until nothing is left to synchronise or to write as history. A side that is another server is asked once more for what
changed there, and what it answers is waited for, too; if it can't be reached, that is said. Incidents that keep failing
aren't waited for: "sync status" lists them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				return c.call(cmd.Context(), "POST", "/control/v1/sync/wait", nil, nil)
			})
		},
	}
}

func newSyncWorkspaces(s *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "workspaces",
		Short: "List the workspaces with their ids and paths",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got []control.Workspace
				if err := c.call(cmd.Context(), "GET", "/control/v1/workspaces", nil, &got); err != nil {
					return err
				}
				t := newTable("name", "id", "primary", "connected", "resourceId")
				for _, w := range got {
					t.add(w.Name, w.ID, w.Primary, w.Connected, w.ResourceID)
				}
				return s.print(t)
			})
		},
	}
}
