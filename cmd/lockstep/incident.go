package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"lockstep/api/control"
)

// newIncident is `lockstep incident`.
func newIncident(s *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "incident", Short: "Show and merge incidents, and take merges back"}
	cmd.AddCommand(newIncidentShow(s), newIncidentMerge(s), newIncidentUnmerge(s))
	return cmd
}

func newIncidentShow(s *shell) *cobra.Command {
	var side, ws string
	cmd := &cobra.Command{
		Use:   "show INCIDENT",
		Short: "Show an incident with its alerts, entities and activity",
		Long:  "Show an incident: by its id on the XDR side, by its number or name (GUID) on the workspace side.",
		Example: `  lockstep incident show 29
  lockstep incident show --side workspace 12`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.Incident
				q := url.Values{"side": {side}, "workspace": {ws}}
				if err := c.call(cmd.Context(), "GET", "/control/v1/incidents/"+url.PathEscape(args[0])+"?"+q.Encode(), nil, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				return s.printIncident(got)
			})
		},
	}
	cmd.Flags().StringVar(&side, "side", "xdr", "which side: xdr or workspace")
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	return cmd
}

func (s *shell) printIncident(i control.Incident) error {
	fmt.Fprintf(s.out, "%s  %s\n\n", i.ID, printable(i.Title))
	for _, line := range [][2]string{
		{"status", i.Status + reason(i.Reason)}, {"severity", i.Severity}, {"owner", i.Owner}, {"alerts", i.Alerts},
		{"tags", fmt.Sprint(i.Tags)}, {"version", fmt.Sprint(i.Version)}, {"page", i.URL}, {"parallel", i.Parallel}, {"merged into", i.Redirect},
		{"merged here", strings.Join(i.Merged, ", ")},
	} {
		if line[1] != "" && line[1] != "[]" {
			fmt.Fprintf(s.out, "  %-12s %s\n", line[0], printable(line[1]))
		}
	}
	for _, part := range []struct {
		headings []string
		rows     [][]string
	}{
		{[]string{"time", "severity", "product", "alert"}, i.AlertList},
		{[]string{"kind", "entity"}, i.EntityList},
		{[]string{"time", "who", "what"}, i.Activity},
	} {
		if len(part.rows) == 0 {
			continue
		}
		fmt.Fprintln(s.out)
		t := newTable(part.headings...)
		for _, r := range part.rows {
			cells := make([]any, len(r))
			for n := range r {
				cells[n] = r[n]
			}
			t.add(cells...)
		}
		if err := s.printAligned(t); err != nil {
			return err
		}
	}
	return nil
}

func reason(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func newIncidentMerge(s *shell) *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:   "merge INCIDENT INCIDENT …",
		Short: "Merge two to five incidents of the XDR side into one",
		Long: `Merge two to five incidents of the XDR side into one.

The one that a person owns stays, else the oldest; the others' alerts, tags, comments and activity move to it,
and they become redirected. In the workspace they close with the label Redirected. "incident unmerge" takes it back.`,
		Example: `  lockstep incident merge 4 46 --reason "same host, same hour"`,
		Args:    cobra.RangeArgs(2, 5),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.Incident
				if err := c.call(cmd.Context(), "POST", "/control/v1/incidents/merge", control.MergeRequest{IDs: args, Reason: why}, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				_, err := fmt.Fprintf(s.out, "incident %s holds all %s alerts now: %s\n", got.ID, got.Alerts, got.URL)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&why, "reason", "merged by hand", "why, for the activity log")
	return cmd
}

func newIncidentUnmerge(s *shell) *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:   "unmerge INCIDENT",
		Short: "Part an incident from the one that it was merged into",
		Long: `Part an incident of the XDR side from the one that it was merged into, by hand or by correlation.

It is live again with the alerts, tags, owner, status and closing reason that it had, and so is its parallel incident in
the workspace, without the label Redirected. The other one loses these alerts, and the owner, classification, tags,
name and severity that it has because of the merge alone; what somebody set since stays, and so do alerts that came
to it later and its copies of comments. Correlation doesn't merge the two again.

An incident whose target was merged into another since is parted after that one: the refusal says which to part first.`,
		Example: `  lockstep incident show 4                      # "merged here" lists what it took in
  lockstep incident unmerge 46 --reason "another user"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got control.Incident
				if err := c.call(cmd.Context(), "POST", "/control/v1/incidents/"+url.PathEscape(args[0])+"/unmerge", control.UnmergeRequest{Reason: why}, &got); err != nil {
					return err
				}
				if s.format == "json" {
					return s.printJSON(got)
				}
				_, err := fmt.Fprintf(s.out, "incident %s is live again with %s: %s\n", got.ID, alertsText(got.Alerts), got.URL)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&why, "reason", "", "why, for the activity log")
	return cmd
}

// alertsText is a number of alerts in words.
func alertsText(n string) string {
	if n == "1" {
		return "its one alert"
	}
	return "its " + n + " alerts"
}
