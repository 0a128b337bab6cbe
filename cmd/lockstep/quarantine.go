package main

import (
	"encoding/base64"
	"fmt"

	"github.com/spf13/cobra"
)

// newQuarantine is `lockstep quarantine`.
func newQuarantine(s *shell) *cobra.Command {
	var before int64
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "List the records that were refused, newest first, with the reason",
		Long: `List the records that were refused, newest first: which, from whom, why, and how they begin.

A refused record is kept aside for 30 days. Sent again and whole, it is taken like any other.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				var got struct {
					Total   int64 `json:"total"`
					Records []struct {
						ID     int64  `json:"ID"`
						At     string `json:"At"`
						Source string `json:"Source"`
						Table  string `json:"Table"`
						Field  string `json:"Field"`
						Reason string `json:"Reason"`
						Body   string `json:"Body"`
					} `json:"records"`
				}
				if err := c.call(cmd.Context(), "GET", fmt.Sprintf("/control/v1/quarantine?before=%d", before), nil, &got); err != nil {
					return err
				}
				t := newTable("id", "time", "table", "field", "reason", "begins")
				for _, r := range got.Records {
					body, _ := base64.StdEncoding.DecodeString(r.Body)
					t.add(r.ID, moment(r.At), r.Table, r.Field, r.Reason, string(body[:min(len(body), 60)]))
				}
				if err := s.print(t); err != nil {
					return err
				}
				if s.format == "table" {
					fmt.Fprintf(s.err, "%d of %d; --before ID shows older ones\n", len(got.Records), got.Total)
				}
				return nil
			})
		},
	}
	cmd.Flags().Int64Var(&before, "before", 0, "only those with a smaller id")
	return cmd
}
