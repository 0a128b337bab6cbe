package main

import (
	"fmt"
	"reflect"

	"github.com/spf13/cobra"
)

// newConfig is `lockstep config`.
func newConfig(s *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Show the settings that hold, where each comes from, secrets masked",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			table := newTable("setting", "value", "from", "what it is")
			v := reflect.ValueOf(s.settings)
			for _, f := range settings() {
				value := fmt.Sprint(v.Field(f.index).Interface())
				if f.secret && value != "" {
					value = "********"
				}
				from := s.origins[f.key]
				if from == "" {
					from = "default"
				}
				table.add(f.key, value, from, f.help)
			}
			return s.print(table)
		},
	}
}

// newVersion is `lockstep version`.
func newVersion(s *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.out, "lockstep", version)
			return err
		},
	}
}
