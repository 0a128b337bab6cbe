package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"lockstep/fault"
	"lockstep/health"
)

// newHealth is `lockstep health`.
func newHealth(s *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Say what is wrong with the server, and since when",
		Long:  "Say what is wrong with the server, and since when. The exit code is 1 while a part of it can't do its work, and when none runs.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := filepath.Join(s.settings.Data, socketName)
			if !listens(path) {
				return fault.New(fault.Unavailable, "no server runs on %q", s.settings.Data)
			}
			return func(c *client) error {
				var found []health.Finding
				if err := c.call(cmd.Context(), "GET", "/control/v1/health", nil, &found); err != nil {
					return err
				}
				if len(found) == 0 && s.format == "table" {
					_, err := fmt.Fprintln(s.out, "all is well")
					return err
				}
				t := newTable("severity", "subject", "since", "message")
				failing := false
				for _, f := range found {
					t.add(string(f.Severity), f.Subject, moment(f.Since.String()), f.Message)
					failing = failing || f.Severity == health.Failure
				}
				err := s.print(t)
				if err == nil && failing {
					err = fault.New(fault.Unavailable, "a part of the server can't do its work")
				}
				return err
			}(newClient(path))
		},
	}
}
